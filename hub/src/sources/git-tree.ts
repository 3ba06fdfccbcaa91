import { posix } from 'node:path';
import { MusterError, sha256 } from '@muster/base';
import type { GitObjects, TreeEntry } from './git-objects.ts';

/** What was looked at: files and symlinks by object id, folders by a hash of their names, and paths where nothing was. */
export interface TreeReads {
  files: Record<string, string>;
  dirs: Record<string, string>;
  absent: string[];
}

/** A name in a folder; a symlink is shown as what it points at. */
export interface ListedEntry {
  name: string;
  kind: 'file' | 'dir';
}

type Found = { kind: 'file' | 'dir'; oid: string; path: string };

export interface TreeLimits {
  /** Largest file read, bytes. */
  maxFileBytes: number;
}

const MAX_LINKS = 40;

/**
 * The files of one commit, read by object id, without a checkout. Paths are relative to the repository's root with
 * `/` and no leading slash; '' is the root. Symlinks are followed inside the repository only: one that leads out of
 * it, and a path with `..` above the root, throw `invalid`.
 */
export class GitTree {
  readonly commit: string;
  readonly rootOid: string;
  readonly #objects: GitObjects;
  readonly #limits: TreeLimits;
  readonly #reads: TreeReads | undefined;

  /** Everything looked at is noted in `reads` when it is given. */
  constructor(objects: GitObjects, commit: string, rootOid: string, limits: TreeLimits, reads?: TreeReads) {
    this.#objects = objects;
    this.commit = commit;
    this.rootOid = rootOid;
    this.#limits = limits;
    this.#reads = reads;
  }

  /** The same files, noting what is looked at. */
  recording(reads: TreeReads): GitTree {
    return new GitTree(this.#objects, this.commit, this.rootOid, this.#limits, reads);
  }

  /** Entries sorted by name, submodules and links into nothing left out; undefined when `path` is no folder. */
  async list(path: string): Promise<ListedEntry[] | undefined> {
    const found = await this.#find(path);
    if (found?.kind !== 'dir') return undefined;
    const listed: ListedEntry[] = [];
    const entries = await this.#objects.tree(found.oid);
    if (this.#reads) this.#reads.dirs[found.path] = listingHash(entries);
    for (const entry of entries) {
      if (entry.kind === 'file' || entry.kind === 'dir') listed.push({ name: entry.name, kind: entry.kind });
      else if (entry.kind === 'symlink') {
        const target = await this.#find(posix.join(found.path, entry.name));
        if (target) listed.push({ name: entry.name, kind: target.kind });
      }
    }
    return listed.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** The bytes of a file; undefined when there is none; throws `limit` when it is too large. */
  async read(path: string): Promise<Buffer | undefined> {
    const found = await this.#find(path);
    if (found?.kind !== 'file') return undefined;
    return this.#objects.blob(found.oid, this.#limits.maxFileBytes, path);
  }

  /** What stands at a path: 'file', 'dir', or undefined. */
  async kind(path: string): Promise<'file' | 'dir' | undefined> {
    return (await this.#find(path))?.kind;
  }

  /** What stands at a path without following links: how reads are compared with another commit. */
  async raw(path: string): Promise<TreeEntry | undefined> {
    let at: TreeEntry = { name: '', oid: this.rootOid, kind: 'dir' };
    for (const name of split(path, path)) {
      const next: TreeEntry | undefined =
        at.kind === 'dir'
          ? (await this.#objects.tree(at.oid)).find((entry) => entry.name === name)
          : undefined;
      if (!next) return undefined;
      at = next;
    }
    return at;
  }

  /** Entries of a folder as they are, links not followed; undefined when there is none. */
  async rawList(path: string): Promise<TreeEntry[] | undefined> {
    const found = await this.raw(path);
    return found?.kind === 'dir' ? this.#objects.tree(found.oid) : undefined;
  }

  /** The bytes of a file, or the target of a symlink, not followed. */
  async rawRead(path: string): Promise<Buffer | undefined> {
    const found = await this.raw(path);
    if (found?.kind !== 'file' && found?.kind !== 'symlink') return undefined;
    return this.#objects.blob(found.oid, this.#limits.maxFileBytes, path);
  }

  /** Notes what another reader looked at by name, as this commit has it. */
  async note(names: {
    files: readonly string[];
    dirs: readonly string[];
    absent: readonly string[];
  }): Promise<TreeReads> {
    const reads: TreeReads = { files: {}, dirs: {}, absent: [...names.absent] };
    for (const path of names.files) reads.files[path] = (await this.raw(path))?.oid ?? '';
    for (const path of names.dirs) {
      const entries = await this.rawList(path);
      reads.dirs[path] = entries ? listingHash(entries) : '';
    }
    return reads;
  }

  /** Whether looking again at this commit would find exactly what was noted. */
  async holds(reads: TreeReads): Promise<boolean> {
    try {
      for (const [path, oid] of Object.entries(reads.files))
        if ((await this.raw(path))?.oid !== oid) return false;
      for (const [path, hash] of Object.entries(reads.dirs)) {
        const entries = await this.rawList(path);
        if (!entries || listingHash(entries) !== hash) return false;
      }
      for (const path of reads.absent) if (await this.kind(path)) return false;
      return true;
    } catch {
      return false;
    }
  }

  async #find(path: string): Promise<Found | undefined> {
    let rest = split(path, path);
    let at: Found & { kind: 'dir' } = { kind: 'dir', oid: this.rootOid, path: '' };
    for (let links = 0; ; ) {
      const name = rest.shift();
      if (name === undefined) return at;
      const entry: TreeEntry | undefined = (await this.#objects.tree(at.oid)).find(
        (candidate) => candidate.name === name,
      );
      const here = posix.join(at.path, name);
      if (!entry || entry.kind === 'submodule') {
        this.#reads?.absent.push(here);
        return undefined;
      }
      if (entry.kind === 'symlink') {
        if (this.#reads) this.#reads.files[here] = entry.oid;
        if (++links > MAX_LINKS) throw new MusterError('invalid', 'too many symlinks', { where: path });
        const target = (await this.#objects.blob(entry.oid, 4096, here)).toString('utf8');
        if (target.startsWith('/')) throw leavesRepository(here, target);
        rest = [...split(posix.join(at.path, target), here, target), ...rest];
        at = { kind: 'dir', oid: this.rootOid, path: '' };
      } else if (entry.kind === 'dir') {
        at = { kind: 'dir', oid: entry.oid, path: here };
      } else {
        if (this.#reads) this.#reads.files[here] = entry.oid;
        return rest.length === 0 ? { kind: 'file', oid: entry.oid, path: here } : undefined;
      }
    }
  }
}

function listingHash(entries: readonly TreeEntry[]): string {
  return sha256(entries.map(({ name, kind }) => `${kind} ${name}\n`).join('')).slice(0, 32);
}

function split(path: string, where: string, target?: string): string[] {
  if (path.includes('\0')) throw new MusterError('invalid', 'a path holds a NUL character', { where });
  const normal = posix.normalize(path === '' ? '.' : path).replace(/\/$/, '');
  if (normal === '..' || normal.startsWith('../')) throw leavesRepository(where, target);
  return normal === '.' ? [] : normal.split('/').filter((part) => part !== '');
}

function leavesRepository(where: string, target?: string): MusterError {
  return target === undefined
    ? new MusterError('invalid', 'the path leads out of the repository', { where })
    : new MusterError('invalid', `the symlink points out of the repository (${target})`, { where });
}
