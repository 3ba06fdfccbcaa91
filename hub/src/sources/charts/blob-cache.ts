import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from './registry-http.ts';

/**
 * Archives and manifests by their digest, on this replica's disk: a cache, bounded in bytes, the longest unused leave
 * first. What is read is what the digest says: a file that changed on disk counts as missing.
 */
export class BlobCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  #size: Promise<number> | undefined;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  async get(digest: string): Promise<Buffer | undefined> {
    const path = this.#path(digest);
    const content = await readFile(path).catch(() => undefined);
    if (!content) return undefined;
    if (digestOf(content) !== digest) {
      await rm(path, { force: true });
      this.#size = undefined;
      return undefined;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return content;
  }

  /** Never throws: what cannot be kept is fetched again. */
  async put(digest: string, content: Uint8Array): Promise<void> {
    if (content.length > this.#maxBytes) return;
    await this.#write(digest, content).catch(() => {
      this.#size = undefined;
    });
  }

  async #write(digest: string, content: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = join(this.#folder, `${randomUUID()}.part`);
    try {
      await writeFile(temporary, content);
      await rename(temporary, this.#path(digest));
    } finally {
      await rm(temporary, { force: true });
    }
    this.#size = Promise.resolve((await this.#bytes()) + content.length);
    if ((await this.#size) > this.#maxBytes) await this.#shrink();
  }

  #path(digest: string): string {
    return join(this.#folder, digest.replace('sha256:', ''));
  }

  #bytes(): Promise<number> {
    this.#size ??= this.#files().then((files) => files.reduce((sum, { size }) => sum + size, 0));
    return this.#size;
  }

  async #files(): Promise<{ path: string; size: number; used: number }[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const { size, mtimeMs } = (await stat(path).catch(() => undefined)) ?? { size: 0, mtimeMs: 0 };
        return { path, size, used: mtimeMs };
      }),
    );
    return found.filter(({ size }) => size > 0);
  }

  /** To four fifths, so that not every new archive removes one. */
  async #shrink(): Promise<void> {
    const files = (await this.#files()).sort((a, b) => a.used - b.used);
    let size = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files) {
      if (size <= this.#maxBytes * 0.8) break;
      await rm(file.path, { force: true });
      size -= file.size;
    }
    this.#size = Promise.resolve(size);
  }
}
