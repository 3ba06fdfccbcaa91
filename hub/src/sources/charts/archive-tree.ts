import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { MusterError, sha256 } from '@muster/base';
import { type Header, extract } from 'tar-stream';
import { SourceTree, type TreeEntry, type TreeObjects } from '../source-tree.ts';

/** Bounds of one archive. */
export interface ArchiveLimits {
  maxFiles: number;
  /** Of all files together, unpacked. */
  maxBytes: number;
  maxFileBytes: number;
  /** Unpacked bytes for each packed one, beyond the first megabyte. */
  maxRatio: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  maxFiles: 20_000,
  maxBytes: 100 * 1024 * 1024,
  maxFileBytes: 16 * 1024 * 1024,
  maxRatio: 200,
};

/** An archive as a tree, with the newest of the times that its files carry. */
export interface ArchiveTree {
  tree: SourceTree;
  bytes: number;
  modifiedAt: Date;
}

export interface UnpackOptions {
  /** What the tree is pinned to. */
  pin: string;
  /** A chart's archive holds one folder, which is left out of the paths. */
  isChart: boolean;
  limits?: ArchiveLimits;
}

interface Unpacked {
  files: Map<string, Buffer>;
  bytes: number;
  modifiedAt: Date;
}

/** Unpacks a tar, compressed by gzip or not, into memory. Throws `invalid` or `limit` for what is not to be unpacked. */
export async function unpackArchive(packed: Buffer, options: UnpackOptions): Promise<ArchiveTree> {
  const limits = options.limits ?? ARCHIVE_LIMITS;
  const { files, bytes, modifiedAt } = await read(packed, options.isChart, limits, options.pin);
  if (files.size === 0)
    throw new MusterError('invalid', 'the archive holds no files', { where: options.pin });
  const objects = new ArchiveObjects();
  const root = objects.add(files);
  const tree = new SourceTree(objects, options.pin, root, { maxFileBytes: limits.maxFileBytes });
  return { tree, bytes, modifiedAt };
}

async function read(
  packed: Buffer,
  isChart: boolean,
  limits: ArchiveLimits,
  where: string,
): Promise<Unpacked> {
  const out: Unpacked = { files: new Map(), bytes: 0, modifiedAt: new Date(0) };
  const refuse = (code: 'invalid' | 'limit', message: string) => new MusterError(code, message, { where });
  const most = Math.min(limits.maxBytes, 1024 * 1024 + packed.length * limits.maxRatio);
  let seen = 0;
  const parser = extract();
  const entries = (async () => {
    for await (const entry of parser) {
      const { header } = entry;
      if (++seen > limits.maxFiles)
        throw refuse('limit', `the archive holds more than ${limits.maxFiles} files`);
      const path = pathOf(header, isChart, refuse);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limits.maxFileBytes)
          throw refuse('limit', `${header.name} has more than ${limits.maxFileBytes} bytes`);
        if (out.bytes + size > most)
          throw refuse('limit', `the archive unpacks to more than ${most} bytes, from ${packed.length}`);
        chunks.push(chunk);
      }
      out.bytes += size;
      if (path === undefined) continue;
      out.files.set(path, Buffer.concat(chunks));
      if (header.mtime && header.mtime > out.modifiedAt) out.modifiedAt = header.mtime;
    }
  })();
  const zipped = packed[0] === 0x1f && packed[1] === 0x8b;
  const source = Readable.from(slices(packed));
  // Headers are held in memory until they are whole, so what passes is counted before it is read.
  const bounded = countedTo(most + limits.maxFiles * 2048, () =>
    refuse('limit', `the archive unpacks to more than ${most} bytes, from ${packed.length}`),
  );
  const piped = zipped
    ? pipeline(source, createGunzip(), bounded, parser)
    : pipeline(source, bounded, parser);
  const failures = (await Promise.allSettled([entries, piped])).flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const own = failures.find((thrown) => thrown instanceof MusterError);
  if (own) throw own;
  if (failures.length > 0) {
    throw new MusterError('invalid', `the archive cannot be read: ${(failures[0] as Error).message}`, {
      where,
      cause: failures[0],
    });
  }
  return out;
}

function countedTo(most: number, tooMuch: () => Error): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      passed += chunk.length;
      if (passed > most) pass(tooMuch());
      else pass(null, chunk);
    },
  });
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** The path of a file in the tree; undefined for folders. Throws for what must not be unpacked. */
function pathOf(
  { name, type }: Header,
  isChart: boolean,
  refuse: (code: 'invalid', message: string) => MusterError,
): string | undefined {
  // Helm packs on Windows with \.
  const parts = name.replaceAll('\\', '/').split('/');
  if (name.length > 4096) throw refuse('invalid', 'the archive holds a path of more than 4096 characters');
  if (parts[0] === '' || /^[a-zA-Z]:/.test(name) || parts.includes('..') || name.includes('\0'))
    throw refuse('invalid', `the archive holds ${JSON.stringify(name)}, a path that leads out of it`);
  if (type === 'directory') return undefined;
  if (type === 'symlink' || type === 'link')
    throw refuse('invalid', `the archive holds the link ${name}; links are not unpacked`);
  if (type !== 'file' && type !== 'contiguous-file')
    throw refuse('invalid', `the archive holds ${name}, which is no file (${type ?? 'unknown'})`);
  const clean = parts.filter((part) => part !== '' && part !== '.');
  const inside = isChart ? clean.slice(1) : clean;
  if (inside.length === 0)
    throw refuse('invalid', `the archive holds ${name} beside the chart’s folder, where no file may be`);
  return inside.join('/');
}

interface Folder extends Map<string, Folder | Buffer> {}

/** Files and folders of an archive by the hash of their content. */
class ArchiveObjects implements TreeObjects {
  readonly #trees = new Map<string, TreeEntry[]>();
  readonly #blobs = new Map<string, Buffer>();

  /** Answers the root. */
  add(files: ReadonlyMap<string, Buffer>): string {
    const root: Folder = new Map();
    for (const [path, content] of files) {
      const parts = path.split('/');
      const name = parts.pop()!;
      let folder = root;
      for (const part of parts) {
        const next: Folder | Buffer = folder.get(part) ?? new Map<string, Folder | Buffer>();
        if (Buffer.isBuffer(next)) throw twice(path);
        folder.set(part, next);
        folder = next;
      }
      if (folder.get(name) instanceof Map) throw twice(path);
      folder.set(name, content);
    }
    const write = (folder: Folder): string => {
      const entries: TreeEntry[] = [...folder]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) =>
          Buffer.isBuffer(member)
            ? { name, kind: 'file', oid: this.#blob(member) }
            : { name, kind: 'dir', oid: write(member) },
        );
      const oid = sha256(
        entries.map(({ name, kind, oid: member }) => `${kind} ${name}\0${member}\n`).join(''),
      );
      this.#trees.set(oid, entries);
      return oid;
    };
    return write(root);
  }

  tree(oid: string): Promise<TreeEntry[]> {
    const found = this.#trees.get(oid);
    return found ? Promise.resolve(found) : Promise.reject(missing(oid));
  }

  blob(oid: string, maxBytes: number, path: string): Promise<Buffer> {
    const found = this.#blobs.get(oid);
    if (!found) return Promise.reject(missing(oid));
    if (found.length <= maxBytes) return Promise.resolve(found);
    const message = `the file has ${found.length} bytes, more than the ${maxBytes} allowed`;
    return Promise.reject(new MusterError('limit', message, { where: path }));
  }

  #blob(content: Buffer): string {
    const oid = sha256(content);
    this.#blobs.set(oid, content);
    return oid;
  }
}

function twice(path: string): MusterError {
  return new MusterError('invalid', `the archive holds ${path} as a file and as a folder`);
}

function missing(oid: string): MusterError {
  return new MusterError('unavailable', `${oid} is not in the archive`);
}
