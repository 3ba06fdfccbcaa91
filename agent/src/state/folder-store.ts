import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { type Store, checkName } from './store.ts';

const TEMPORARY = '.tmp-';

/** Keeps records as files of mode 0600 in a folder of mode 0700, which it makes. */
export class FolderStore implements Store {
  private readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Throws MusterError when the folder belongs to someone else or cannot be made. */
  static async open(folder: string): Promise<FolderStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { uid } = await stat(folder);
    if (process.getuid && uid !== process.getuid()) {
      throw new MusterError('forbidden', 'the state folder belongs to another user', { where: folder });
    }
    await chmod(folder, 0o700);
    // What a crash left half written.
    for (const name of await readdir(folder)) {
      if (name.startsWith(TEMPORARY)) await rm(join(folder, name), { force: true });
    }
    return new FolderStore(folder);
  }

  async read(name: string): Promise<Buffer | undefined> {
    checkName(name);
    try {
      return await readFile(join(this.folder, name));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw thrown;
    }
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    checkName(name);
    const temporary = join(this.folder, TEMPORARY + randomBytes(8).toString('hex'));
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.folder, name));
    await this.syncFolder();
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    await rm(join(this.folder, name), { force: true });
    await this.syncFolder();
  }

  async list(prefix: string): Promise<string[]> {
    const names = await readdir(this.folder);
    return names.filter((name) => name.startsWith(prefix) && !name.startsWith('.')).sort();
  }

  private async syncFolder(): Promise<void> {
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
