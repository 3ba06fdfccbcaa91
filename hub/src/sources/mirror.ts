import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { type RemoteAccess, withCredentials } from './credentials.ts';
import { explainGitError } from './git-error.ts';
import { type CommitObject, GitObjects } from './git-objects.ts';
import { type GitEnvironment, runGit } from './git-process.ts';
import { GitWriter } from './pushes/git-writer.ts';
import { type Refs, parseLsRemote, resolveRevision, sameRefs } from './refs.ts';
import { SourceTree, type TreeEntry, type TreeLimits } from './source-tree.ts';
import type { LRUCache } from 'lru-cache';

export interface MirrorLimits extends TreeLimits {
  fetchTimeoutMs: number;
  /** Largest growth of a mirror by one fetch, bytes. */
  maxFetchBytes: number;
}

export interface ResolvedCommit extends CommitObject {
  commit: string;
}

export interface LoggedCommit {
  commit: string;
  committedAt: Date;
  author: string;
  /** First line of the message. */
  subject: string;
}

/** Packs from this number on are joined into one after a fetch. */
const MANY_PACKS = 40;

/** A bare mirror of one repository on this replica's disk: a cache, made again whenever it is not usable. */
export class Mirror {
  readonly objects: GitObjects;
  readonly #git: GitEnvironment;
  readonly #dir: string;
  readonly #limits: MirrorLimits;
  #refs: Refs | undefined;
  #fetching: Promise<Refs> | undefined;
  #ready = false;

  constructor(
    git: GitEnvironment,
    dir: string,
    limits: MirrorLimits,
    cache: LRUCache<string, { value: TreeEntry[] | Buffer }>,
  ) {
    this.#git = git;
    this.#dir = dir;
    this.#limits = limits;
    this.objects = new GitObjects(git, dir, cache);
  }

  /** Brings the mirror to what the remote has now. Calls while one runs share its result. Throws in words for the owner. */
  fetch(access: RemoteAccess, displayUrl: string, signal?: AbortSignal): Promise<Refs> {
    this.#fetching ??= this.#fetch(access, signal)
      .catch((thrown: unknown) => {
        throw explainGitError(thrown, displayUrl);
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }

  /** The refs as of the last fetch of this process; undefined before the first. */
  get refs(): Refs | undefined {
    return this.#refs;
  }

  /** The commit that a revision means now. Throws `not-found` in words. */
  async resolve(revision: string, refs: Refs): Promise<ResolvedCommit> {
    const resolution = resolveRevision(revision, refs);
    const unknown = () =>
      new MusterError(
        'not-found',
        `the revision ${revision || 'HEAD'} is not a branch, tag or commit of the repository`,
        {
          hint: refs.commits.size === 0 ? 'the repository is empty' : 'check targetRevision',
        },
      );
    if (resolution.kind === 'unknown') throw unknown();
    const name = resolution.kind === 'resolved' ? resolution.commit : resolution.id;
    const info = await this.objects.info(`${name}^{commit}`);
    const commit = info && (await this.objects.commit(info.oid));
    if (!info || !commit) throw unknown();
    return { commit: info.oid, ...commit };
  }

  /** True when the commit is in the mirror. */
  async has(commit: string): Promise<boolean> {
    return existsSync(join(this.#dir, 'HEAD')) && (await this.objects.info(commit))?.type === 'commit';
  }

  /** Fetches one commit that no branch or tag of the remote leads to (servers may refuse that). */
  async fetchCommit(access: RemoteAccess, commit: string, signal?: AbortSignal): Promise<void> {
    await this.#prepare();
    await withCredentials(access, this.#git.home, (env) => this.#fetchInto(access, env, [commit], signal));
  }

  /** Fetches what a ref that is neither branch nor tag points at; answers its commit. Throws in words. */
  async fetchRef(
    access: RemoteAccess,
    ref: string,
    displayUrl: string,
    signal?: AbortSignal,
  ): Promise<string> {
    await this.#prepare();
    return withCredentials(access, this.#git.home, async (env) => {
      const args = ['ls-remote', '--', access.remote.url, ref];
      const bounds = { env, cwd: this.#git.home, timeoutMs: 30_000, ...(signal ? { signal } : {}) };
      const listed = (await runGit(this.#git, args, bounds)).toString('utf8');
      const line = listed.split('\n').find((one) => one.split('\t')[1] === ref);
      const commit = line?.split('\t')[0];
      if (!commit || !/^[0-9a-f]{40,64}$/.test(commit))
        throw new MusterError('not-found', `the repository has no ref ${ref}`);
      await this.#fetchInto(access, env, [ref], signal);
      return commit;
    }).catch((thrown: unknown) => {
      throw explainGitError(thrown, displayUrl);
    });
  }

  /** Whether `ancestor` is `commit` or one that led to it. */
  async contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean> {
    const args = ['rev-list', '--max-count=1', ancestor, `^${commit}`, '--'];
    const output = await runGit(this.#git, args, { cwd: this.#dir, ...(signal ? { signal } : {}) });
    return output.toString().trim() === '';
  }

  /** Commits that `to` has and `from` has not, newest first. */
  async log(from: string, to: string, limit: number, signal?: AbortSignal): Promise<LoggedCommit[]> {
    const args = ['log', `-${limit}`, '--format=%H%x00%ct%x00%an%x00%s', to, `^${from}`, '--'];
    const output = await runGit(this.#git, args, { cwd: this.#dir, ...(signal ? { signal } : {}) });
    return output
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [commit = '', seconds, author = '', subject = ''] = line.split('\0');
        const committedAt = new Date(Number(seconds) * 1000);
        return { commit, committedAt, author: author.slice(0, 200), subject: subject.slice(0, 300) };
      });
  }

  /** The files at a commit that the mirror has. */
  async tree(commit: string): Promise<SourceTree> {
    const found = await this.objects.commit(commit);
    if (!found) throw new MusterError('unavailable', `the commit ${commit} is not in the mirror`);
    return new SourceTree(this.objects, commit, found.tree, this.#limits);
  }

  /** Committer time of the last commit up to `commit` that touched one of the paths; undefined when none did. */
  async lastTouched(commit: string, paths: string[], signal?: AbortSignal): Promise<Date | undefined> {
    const args = ['--literal-pathspecs', 'log', '-1', '--format=%ct', commit, '--', ...paths];
    const output = await runGit(this.#git, args, { cwd: this.#dir, ...(signal ? { signal } : {}) });
    const seconds = output.toString().trim();
    return seconds === '' ? undefined : new Date(Number(seconds) * 1000);
  }

  /** Makes commits in the mirror; what is not pushed is forgotten with it. */
  writer(signal: AbortSignal): GitWriter {
    return new GitWriter(this.#git, this.#dir, signal);
  }

  close(): void {
    this.objects.close();
  }

  /** Ends everything that reads the mirror and deletes it. */
  async remove(): Promise<void> {
    this.close();
    this.#ready = false;
    this.#refs = undefined;
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #fetch(access: RemoteAccess, signal?: AbortSignal): Promise<Refs> {
    await this.#prepare();
    return withCredentials(access, this.#git.home, async (env) => {
      const remote = await listRemote(this.#git, access, env, signal);
      if (this.#refs && sameRefs(this.#refs, remote)) return remote;
      try {
        await this.#fetchInto(
          access,
          env,
          ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'],
          signal,
        );
      } catch (thrown) {
        if (!isBroken(thrown)) throw thrown;
        await this.remove();
        await this.#prepare();
        await this.#fetchInto(
          access,
          env,
          ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'],
          signal,
        );
      }
      await this.#joinPacks(signal);
      // Refs that moved between the two calls are found by the next one: what is recorded is what is here.
      this.#refs = await this.#present(remote);
      return this.#refs;
    });
  }

  /** Leaves out refs whose commits did not come (deleted or moved meanwhile). */
  async #present(remote: Refs): Promise<Refs> {
    const commits = new Map<string, string>();
    for (const [name, commit] of remote.commits)
      if (await this.objects.info(commit)) commits.set(name, commit);
    return { head: remote.head, commits };
  }

  async #prepare(): Promise<void> {
    if (this.#ready) return;
    if (!existsSync(join(this.#dir, 'HEAD'))) {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      await runGit(this.#git, ['init', '--quiet', '--bare', '--template=', this.#dir]);
    }
    // A process that was killed left its locks; nobody else writes here.
    for (const lock of await locks(this.#dir)) await rm(lock, { force: true });
    this.#ready = true;
  }

  async #fetchInto(
    access: RemoteAccess,
    env: Record<string, string>,
    refspecs: string[],
    signal?: AbortSignal,
  ): Promise<void> {
    const packs = join(this.#dir, 'objects', 'pack');
    const before = await folderBytes(packs);
    const tooLarge = new AbortController();
    const watch = setInterval(() => {
      void folderBytes(packs).then((now) => {
        if (now - before > this.#limits.maxFetchBytes) tooLarge.abort();
      });
    }, 250);
    try {
      await runGit(
        this.#git,
        [
          'fetch',
          '--quiet',
          '--prune',
          '--no-tags',
          '--no-write-fetch-head',
          '--force',
          '--no-recurse-submodules',
          '--',
          access.remote.url,
          ...refspecs,
        ],
        {
          cwd: this.#dir,
          env,
          timeoutMs: this.#limits.fetchTimeoutMs,
          signal: signal ? AbortSignal.any([signal, tooLarge.signal]) : tooLarge.signal,
        },
      );
    } catch (thrown) {
      if (!tooLarge.signal.aborted) throw thrown;
      throw new MusterError(
        'limit',
        `the repository sends more than ${this.#limits.maxFetchBytes} bytes in one fetch`,
      );
    } finally {
      clearInterval(watch);
    }
  }

  async #joinPacks(signal?: AbortSignal): Promise<void> {
    const packs = (await readdir(join(this.#dir, 'objects', 'pack'))).filter((name) =>
      name.endsWith('.pack'),
    );
    if (packs.length < MANY_PACKS) return;
    await runGit(this.#git, ['repack', '-a', '-d', '-q', '-k'], {
      cwd: this.#dir,
      timeoutMs: 600_000,
      ...(signal ? { signal } : {}),
    });
  }
}

/** The refs of a remote, without fetching anything. */
export async function listRemote(
  git: GitEnvironment,
  access: RemoteAccess,
  env: Record<string, string>,
  signal?: AbortSignal,
): Promise<Refs> {
  const output = await runGit(
    git,
    ['ls-remote', '--symref', '--', access.remote.url, 'HEAD', 'refs/heads/*', 'refs/tags/*'],
    { env, cwd: git.home, timeoutMs: 30_000, ...(signal ? { signal } : {}) },
  );
  return parseLsRemote(output.toString('utf8'));
}

function isBroken(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    'stderr' in thrown &&
    /\.lock': File exists|bad object|is corrupt|not a git repository: '?\.|object file .* is empty|did not receive expected object/i.test(
      String(thrown.stderr),
    )
  );
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function locks(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.lock'))
    .map((entry) => join(entry.parentPath, entry.name));
}
