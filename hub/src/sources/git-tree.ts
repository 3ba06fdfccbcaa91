import { posix } from 'node:path';
import { MusterError, sha256 } from '@muster/base';
import type { GitObjects, TreeEntry } from './git-objects.ts';

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

  constructor(objects: GitObjects, commit: string, rootOid: string, limits: TreeLimits) {
    this.#objects = objects;
    this.commit = commit;
    this.rootOid = rootOid;
    this.#limits = limits;
  }

  /** Entries sorted by name, submodules and links into nothing left out; undefined when `path` is no folder. */
  async list(path: string): Promise<ListedEntry[] | undefined> {
    const found = await this.#find(path);
    if (found?.kind !== 'dir') return undefined;
    const listed: ListedEntry[] = [];
    for (const entry of await this.#objects.tree(found.oid)) {
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

  /** The object id of a file (links followed); undefined when there is none. */
  async fileOid(path: string): Promise<string | undefined> {
    const found = await this.#find(path);
    return found?.kind === 'file' ? found.oid : undefined;
  }

  /** A hash of a folder's names and their kinds, not of what they hold; undefined when there is none. */
  async listingHash(path: string): Promise<string | undefined> {
    const listed = await this.list(path);
    return listed && sha256(listed.map(({ name, kind }) => `${kind} ${name}\n`).join('')).slice(0, 32);
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
      if (!entry || entry.kind === 'submodule') return undefined;
      const here = posix.join(at.path, name);
      if (entry.kind === 'symlink') {
        if (++links > MAX_LINKS) throw new MusterError('invalid', 'too many symlinks', { where: path });
        const target = (await this.#objects.blob(entry.oid, 4096, here)).toString('utf8');
        if (target.startsWith('/')) throw leavesRepository(here, target);
        rest = [...split(posix.join(at.path, target), here, target), ...rest];
        at = { kind: 'dir', oid: this.rootOid, path: '' };
      } else if (entry.kind === 'dir') {
        at = { kind: 'dir', oid: entry.oid, path: here };
      } else {
        return rest.length === 0 ? { kind: 'file', oid: entry.oid, path: here } : undefined;
      }
    }
  }
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
