import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { MusterError } from '@muster/base';
import { LRUCache } from 'lru-cache';
import { type GitEnvironment, startGit } from './git-process.ts';
import type { TreeEntry, TreeObjects } from './source-tree.ts';

export interface CommitObject {
  tree: string;
  parents: string[];
  committedAt: Date;
  author: string;
  /** First line of the message. */
  subject: string;
}

interface Request {
  line: string;
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}
type Answer = { type: string; size: number; oid: string; content?: Buffer } | undefined;

const IDLE_MS = 120_000;

/**
 * Reads objects of one bare repository by id through one long-lived `git cat-file --batch-command`. Objects never
 * change, so what is cached stays true. The process ends by itself after two minutes without a question.
 */
export class GitObjects implements TreeObjects {
  #git: GitEnvironment;
  #dir: string;
  #child: ChildProcessWithoutNullStreams | undefined;
  #waiting: Request[] = [];
  #buffer: Buffer[] = [];
  #buffered = 0;
  #header: { type: string; size: number; oid: string } | undefined;
  #idle: NodeJS.Timeout | undefined;
  readonly #cache: LRUCache<string, { value: TreeEntry[] | Buffer }>;

  /** `cache` is shared between repositories: object ids are content hashes. */
  constructor(git: GitEnvironment, dir: string, cache: LRUCache<string, { value: TreeEntry[] | Buffer }>) {
    this.#git = git;
    this.#dir = dir;
    this.#cache = cache;
  }

  /** A cache for `GitObjects`, bounded in bytes. */
  static cache(maxBytes: number): LRUCache<string, { value: TreeEntry[] | Buffer }> {
    return new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ value }) => (Array.isArray(value) ? 64 + value.length * 160 : value.length + 64),
    });
  }

  /** Type and size of an object; undefined when this repository does not have it. */
  async info(name: string): Promise<{ oid: string; type: string; size: number } | undefined> {
    return this.#ask(`info ${name}`);
  }

  /** Entries of a tree in git's order. */
  async tree(oid: string): Promise<TreeEntry[]> {
    const cached = this.#cache.get(`t${oid}`);
    if (cached) return cached.value as TreeEntry[];
    const answer = await this.#ask(`contents ${oid}`);
    if (answer?.type !== 'tree') throw missing(oid, 'tree');
    const entries = parseTree(answer.content!, oid.length / 2);
    this.#cache.set(`t${oid}`, { value: entries });
    return entries;
  }

  /** A blob's bytes; throws `limit` (named by `path`) when it is larger than `maxBytes`, before reading it. */
  async blob(oid: string, maxBytes: number, path: string): Promise<Buffer> {
    const cached = this.#cache.get(`b${oid}`);
    if (cached && (cached.value as Buffer).length <= maxBytes) return cached.value as Buffer;
    const info = await this.#ask(`info ${oid}`);
    if (info?.type !== 'blob') throw missing(oid, 'file');
    if (info.size > maxBytes) {
      throw new MusterError('limit', `the file has ${info.size} bytes, more than the ${maxBytes} allowed`, {
        where: path,
      });
    }
    const answer = await this.#ask(`contents ${oid}`);
    const content = answer?.content;
    if (!content) throw missing(oid, 'file');
    if (content.length < 1024 * 1024) this.#cache.set(`b${oid}`, { value: content });
    return content;
  }

  /** A commit's header, or undefined when this repository does not have it. */
  async commit(oid: string): Promise<CommitObject | undefined> {
    const answer = await this.#ask(`contents ${oid}`);
    return answer?.type === 'commit' ? parseCommit(answer.content!) : undefined;
  }

  /** Ends the process; questions that wait are refused. */
  close(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
    child?.kill();
    this.#fail(new MusterError('unavailable', 'the repository was closed'));
  }

  #ask(line: string): Promise<Answer> {
    if (/[\n\0]/.test(line)) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const child = (this.#child ??= this.#start());
      this.#waiting.push({ line, resolve, reject });
      child.stdin.write(`${line}\n`);
      clearTimeout(this.#idle);
    });
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = startGit(this.#git, ['cat-file', '--batch-command'], this.#dir);
    child.stdin.on('error', () => {});
    child.stderr.resume();
    child.stdout.on('data', (chunk: Buffer) => {
      this.#buffer.push(chunk);
      this.#buffered += chunk.length;
      this.#read();
    });
    child.on('error', (cause) =>
      this.#fail(new MusterError('unavailable', 'git cannot be started', { cause })),
    );
    child.on('close', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#fail(new MusterError('unavailable', 'git cat-file ended'));
    });
    return child;
  }

  #read(): void {
    while (this.#waiting.length > 0) {
      if (!this.#header) {
        const head =
          this.#buffer.length > 1 ? Buffer.concat(this.#buffer) : (this.#buffer[0] ?? Buffer.alloc(0));
        this.#buffer = [head];
        const end = head.indexOf(10);
        if (end < 0) return;
        this.#buffer = [head.subarray(end + 1)];
        this.#buffered -= end + 1;
        const [oid, type, size] = head.toString('latin1', 0, end).split(' ');
        if (size === undefined || !/^\d+$/.test(size)) {
          this.#next()?.resolve(undefined); // "<name> missing", "<name> ambiguous"
          continue;
        }
        this.#header = { oid: oid!, type: type!, size: Number(size) };
        if (this.#waiting[0]!.line.startsWith('info ')) {
          this.#finish({ ...this.#header });
          continue;
        }
      }
      if (this.#buffered < this.#header.size + 1) return;
      const all = Buffer.concat(this.#buffer);
      const content = Buffer.from(all.subarray(0, this.#header.size));
      this.#buffer = [all.subarray(this.#header.size + 1)];
      this.#buffered -= this.#header.size + 1;
      this.#finish({ ...this.#header, content });
    }
  }

  #finish(answer: Answer): void {
    this.#header = undefined;
    this.#next()?.resolve(answer);
  }

  #next(): Request | undefined {
    const request = this.#waiting.shift();
    if (this.#waiting.length === 0) {
      this.#idle = setTimeout(() => this.close(), IDLE_MS);
      this.#idle.unref();
    }
    return request;
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#buffer = [];
    this.#buffered = 0;
    this.#header = undefined;
    for (const request of waiting) request.reject(error);
  }
}

/** A raw tree object: `mode SP name NUL id`, repeated. `idBytes`: 20 (SHA-1) or 32 (SHA-256). */
export function parseTree(content: Buffer, idBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(32, at);
    const nul = content.indexOf(0, space);
    const mode = content.toString('latin1', at, space);
    const name = content.toString('utf8', space + 1, nul);
    const oid = content.toString('hex', nul + 1, nul + 1 + idBytes);
    at = nul + 1 + idBytes;
    entries.push({ name, oid, kind: kindOf(mode) });
  }
  return entries;
}

function kindOf(mode: string): TreeEntry['kind'] {
  if (mode === '40000' || mode === '040000') return 'dir';
  if (mode === '120000') return 'symlink';
  return mode === '160000' ? 'submodule' : 'file';
}

function parseCommit(content: Buffer): CommitObject {
  const text = content.toString('utf8');
  const split = text.indexOf('\n\n');
  const header = split < 0 ? text : text.slice(0, split);
  const fields = header.split('\n');
  const value = (key: string) =>
    fields.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? '';
  const committed = /> (-?\d+) [+-]\d{4}$/.exec(value('committer'));
  return {
    tree: value('tree'),
    parents: fields.filter((line) => line.startsWith('parent ')).map((line) => line.slice(7)),
    committedAt: new Date(Number(committed?.[1] ?? 0) * 1000),
    author: value('author')
      .replace(/ -?\d+ [+-]\d{4}$/, '')
      .slice(0, 200),
    subject: (split < 0 ? '' : text.slice(split + 2)).trimStart().split('\n')[0]!.slice(0, 300),
  };
}

function missing(oid: string, what: string): MusterError {
  return new MusterError('unavailable', `the ${what} ${oid} is not in the mirror`);
}
