import { posix } from 'node:path';
import { MusterError, sha256 } from '@muster/base';

/** A member of a folder, as it is kept: `oid` is a hash of its content. */
export interface TreeEntry {
  name: string;
  oid: string;
  kind: 'file' | 'dir' | 'symlink' | 'submodule';
  /** Where it and everything below it is kept; unset: where its folder is. */
  objects?: TreeObjects;
  /** The root of a tree that was mounted here: links below may not lead out of it. */
  root?: true;
}

/** Folders and files by a hash of their content. Whatever has been answered stays true. */
export interface TreeObjects {
  /** Entries of a folder, in an order that depends on them alone. */
  tree(oid: string): Promise<TreeEntry[]>;
  /** A file's bytes, or a link's target; throws `limit` (named by `path`) when it is larger than `maxBytes`. */
  blob(oid: string, maxBytes: number, path: string): Promise<Buffer>;
}

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

/** A place in the tree: `bounds` is the path that links from here may not leave. */
interface Place {
  path: string;
  oid: string;
  objects: TreeObjects;
  bounds: string;
}

type Found = Place & { kind: 'file' | 'dir' };
type RawFound = Place & { entry: TreeEntry };

export interface TreeLimits {
  /** Largest file read, bytes. */
  maxFileBytes: number;
}

const MAX_LINKS = 40;

/**
 * The files that something is rendered from: of one commit, of one chart, or of several such trees mounted into each
 * other. Paths are relative to the root with `/` and no leading slash; '' is the root. Symlinks are followed inside the
 * tree only: one that leads out of it, and a path with `..` above the root, throw `invalid`.
 */
export class SourceTree {
  /** What the tree is pinned to: a commit of Git, or a chart's version and digest. */
  readonly commit: string;
  readonly rootOid: string;
  readonly objects: TreeObjects;
  readonly limits: TreeLimits;
  readonly #reads: TreeReads | undefined;

  /** Everything looked at is noted in `reads` when it is given. */
  constructor(objects: TreeObjects, commit: string, rootOid: string, limits: TreeLimits, reads?: TreeReads) {
    this.objects = objects;
    this.commit = commit;
    this.rootOid = rootOid;
    this.limits = limits;
    this.#reads = reads;
  }

  /** The same files, noting what is looked at. */
  recording(reads: TreeReads): SourceTree {
    return new SourceTree(this.objects, this.commit, this.rootOid, this.limits, reads);
  }

  /** Entries sorted by name, submodules and links into nothing left out; undefined when `path` is no folder. */
  async list(path: string): Promise<ListedEntry[] | undefined> {
    const found = await this.#find(path);
    if (found?.kind !== 'dir') return undefined;
    const listed: ListedEntry[] = [];
    const entries = await found.objects.tree(found.oid);
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
    return found.objects.blob(found.oid, this.limits.maxFileBytes, path);
  }

  /** What stands at a path: 'file', 'dir', or undefined. */
  async kind(path: string): Promise<'file' | 'dir' | undefined> {
    return (await this.#find(path))?.kind;
  }

  /** What stands at a path without following links: how reads are compared with another tree. */
  async raw(path: string): Promise<TreeEntry | undefined> {
    return (await this.#rawFind(path))?.entry;
  }

  /** Entries of a folder as they are, links not followed; undefined when there is none. */
  async rawList(path: string): Promise<TreeEntry[] | undefined> {
    const found = await this.#rawFind(path);
    return found?.entry.kind === 'dir' ? found.objects.tree(found.oid) : undefined;
  }

  /** A folder as it is kept, links not followed; undefined when nothing is there; throws `invalid` for what is no folder. */
  async folder(
    path: string,
  ): Promise<{ entries: TreeEntry[]; objects: TreeObjects; root?: true } | undefined> {
    const found = await this.#rawFind(path);
    if (!found || found.entry.kind === 'submodule') return undefined;
    const { entry, objects } = found;
    if (entry.kind !== 'dir') {
      const what = entry.kind === 'file' ? 'a file' : 'a link';
      throw new MusterError('invalid', `${what} stands where a folder is needed`, { where: path });
    }
    return {
      entries: await objects.tree(found.oid),
      objects,
      ...(entry.root ? { root: entry.root } : {}),
    };
  }

  /** The bytes of a file, or the target of a symlink, not followed. */
  async rawRead(path: string): Promise<Buffer | undefined> {
    const found = await this.#rawFind(path);
    if (found?.entry.kind !== 'file' && found?.entry.kind !== 'symlink') return undefined;
    const content = await found.objects.blob(found.oid, this.limits.maxFileBytes, path);
    if (found.entry.kind === 'symlink' && found.bounds !== '') linkTarget(found, content.toString('utf8'));
    return content;
  }

  /** Notes what another reader looked at by name, as this tree has it. */
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

  /** Whether looking again at this tree would find exactly what was noted. */
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

  #root(): Place {
    return { path: '', oid: this.rootOid, objects: this.objects, bounds: '' };
  }

  async #rawFind(path: string): Promise<RawFound | undefined> {
    let at: RawFound = { ...this.#root(), entry: { name: '', oid: this.rootOid, kind: 'dir' } };
    for (const name of split(path, path)) {
      const entry: TreeEntry | undefined = at.entry.kind === 'dir' ? await entryOf(at, name) : undefined;
      if (!entry) return undefined;
      at = { ...below(at, entry), entry };
    }
    return at;
  }

  async #find(path: string): Promise<Found | undefined> {
    let rest = split(path, path);
    let at: Place = this.#root();
    for (let links = 0; ; ) {
      const name = rest.shift();
      if (name === undefined) return { ...at, kind: 'dir' };
      const entry = await entryOf(at, name);
      if (!entry || entry.kind === 'submodule') {
        this.#reads?.absent.push(posix.join(at.path, name));
        return undefined;
      }
      const here = below(at, entry);
      if (entry.kind === 'symlink') {
        if (this.#reads) this.#reads.files[here.path] = entry.oid;
        if (++links > MAX_LINKS) throw new MusterError('invalid', 'too many symlinks', { where: path });
        const target = (await here.objects.blob(here.oid, 4096, here.path)).toString('utf8');
        rest = [...linkTarget(here, target), ...rest];
        at = this.#root();
      } else if (entry.kind === 'dir') {
        at = here;
      } else {
        if (this.#reads) this.#reads.files[here.path] = entry.oid;
        return rest.length === 0 ? { ...here, kind: 'file' } : undefined;
      }
    }
  }
}

async function entryOf(folder: Place, name: string): Promise<TreeEntry | undefined> {
  return (await folder.objects.tree(folder.oid)).find((entry) => entry.name === name);
}

function below(folder: Place, entry: TreeEntry): Place {
  const path = posix.join(folder.path, entry.name);
  const bounds = entry.root ? path : folder.bounds;
  return { path, oid: entry.oid, objects: entry.objects ?? folder.objects, bounds };
}

/** The parts of the path that a link means. */
function linkTarget(link: Place, target: string): string[] {
  if (target.startsWith('/')) throw leavesRepository(link.path, target);
  const parts = split(posix.join(posix.dirname(link.path), target), link.path, target);
  const path = parts.join('/');
  if (link.bounds !== '' && path !== link.bounds && !path.startsWith(`${link.bounds}/`))
    throw leavesRepository(link.path, target);
  return parts;
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
