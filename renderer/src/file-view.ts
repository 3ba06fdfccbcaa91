import { MusterError } from '@muster/base';
import type { Bounds, Entry, Reads } from './request.ts';

/** A FileSource that answers at once; the worker's bridge to the main thread is one. */
export interface SyncFileSource {
  list(dir: string): Entry[] | undefined;
  read(path: string): Uint8Array | undefined;
}

export type Kind = 'file' | 'dir';

interface Found {
  path: string;
  kind: Kind;
  size: number | undefined;
}

const LINK_DEPTH = 40;

/**
 * The repository as one render sees it: follows symbolic links inside the root and refuses those that lead
 * out, keeps within the bounds, and records what was looked at.
 */
export class FileView {
  readonly #source: SyncFileSource;
  readonly #bounds: Required<Bounds>;
  readonly #lists = new Map<string, Map<string, Entry> | undefined>();
  readonly #files = new Set<string>();
  readonly #dirs = new Set<string>();
  readonly #absent = new Set<string>();
  readonly #bytes = new Map<string, number>();
  #total = 0;

  constructor(source: SyncFileSource, bounds: Required<Bounds>) {
    this.#source = source;
    this.#bounds = bounds;
  }

  /** What is at the path, links followed; `undefined` when nothing is. */
  stat(path: string): Kind | undefined {
    const found = this.#resolve(path);
    if (!found) this.#absent.add(normal(path));
    else if (found.kind === 'file') this.#files.add(found.path);
    return found?.kind;
  }

  /** The file's bytes; `undefined` where there is no file (a directory is not one). */
  read(path: string): Uint8Array | undefined {
    const found = this.#resolve(path);
    if (found?.kind === 'dir') return undefined;
    if (!found) {
      this.#absent.add(normal(path));
      return undefined;
    }
    this.#files.add(found.path);
    if (found.size !== undefined) this.#account(found.path, found.size);
    const bytes = this.#source.read(found.path);
    if (!bytes) {
      this.#absent.add(found.path);
      return undefined;
    }
    this.#account(found.path, bytes.length);
    return bytes;
  }

  /** The directory's members by name, links shown as what they lead to; `undefined` where there is none. */
  list(path: string): { name: string; type: Kind }[] | undefined {
    const found = this.#resolve(path);
    if (found?.kind !== 'dir') {
      if (!found) this.#absent.add(normal(path));
      return undefined;
    }
    this.#dirs.add(found.path);
    const members: { name: string; type: Kind }[] = [];
    for (const entry of this.#entries(found.path)!.values()) {
      if (entry.hidden) continue;
      const member = entry.type === 'symlink' ? this.#resolve(join(found.path, entry.name)) : undefined;
      members.push({
        name: entry.name,
        type: entry.type === 'symlink' ? (member?.kind ?? 'file') : entry.type,
      });
    }
    return members.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Everything looked at so far. */
  reads(): Reads {
    const sorted = (paths: Set<string>) => [...paths].sort();
    return { files: sorted(this.#files), dirs: sorted(this.#dirs), absent: sorted(this.#absent) };
  }

  #account(path: string, size: number): void {
    const { fileBytes, totalBytes } = this.#bounds;
    if (size > fileBytes)
      throw tooMuch(path, `${path} has ${size} bytes; the limit for one file is ${fileBytes}`);
    this.#total += size - (this.#bytes.get(path) ?? 0);
    this.#bytes.set(path, size);
    if (this.#total > totalBytes) {
      throw tooMuch(path, `the files read have more than ${totalBytes} bytes together`);
    }
  }

  /** Walks the path's segments; the listing of each parent says whether a segment is a link. */
  #resolve(path: string): Found | undefined {
    const pending = normal(path)
      .split('/')
      .filter((segment) => segment !== '.');
    const done: string[] = [];
    let links = 0;
    let found: Found = { path: '.', kind: 'dir', size: undefined };
    while (pending.length > 0) {
      const segment = pending.shift()!;
      if (segment === '' || segment === '.') continue;
      if (segment === '..') {
        if (done.length === 0) throw escapes(path);
        done.pop();
        found = { path: done.join('/') || '.', kind: 'dir', size: undefined };
        continue;
      }
      if (found.kind !== 'dir') return undefined;
      const entry = this.#entries(found.path)?.get(segment);
      if (!entry) return undefined;
      const here = join(found.path, segment);
      if (entry.type === 'symlink') {
        if (++links > LINK_DEPTH)
          throw new MusterError('invalid', `${path} is a symbolic link in a circle`, { where: path });
        pending.unshift(...this.#target(here, path).split('/'));
        continue;
      }
      done.push(segment);
      found = { path: here, kind: entry.type, size: entry.size };
    }
    return found;
  }

  #target(link: string, asked: string): string {
    this.#files.add(link);
    const target = new TextDecoder().decode(this.#source.read(link) ?? new Uint8Array(0));
    if (target.startsWith('/')) throw escapes(asked);
    return target;
  }

  #entries(dir: string): Map<string, Entry> | undefined {
    if (this.#lists.has(dir)) return this.#lists.get(dir);
    const listed = this.#source.list(dir);
    const entries = listed && new Map(listed.map((entry) => [entry.name, entry]));
    this.#lists.set(dir, entries);
    if (this.#lists.size + this.#files.size + this.#absent.size > this.#bounds.fileCount) {
      throw tooMuch(dir, `more than ${this.#bounds.fileCount} files and directories were looked at`);
    }
    return entries;
  }
}

/** Without `./`, doubled slashes and inner `..`; one that leads out of the root is refused. */
function normal(path: string): string {
  const out: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') out.push(segment);
    else if (out.pop() === undefined) throw escapes(path);
  }
  return out.join('/') || '.';
}

function join(dir: string, name: string): string {
  return dir === '.' ? name : `${dir}/${name}`;
}

function escapes(path: string): MusterError {
  return new MusterError('invalid', `${path} leads out of the repository`, { where: path });
}

function tooMuch(where: string, message: string): MusterError {
  return new MusterError('limit', message, { where });
}
