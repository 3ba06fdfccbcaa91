import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { type RemoteAccess, withCredentials } from '../credentials.ts';
import { explainGitError } from '../git-error.ts';
import { type GitEnvironment, GitFailure, runGit } from '../git-process.ts';

/** A file of a tree; submodules are none. */
export interface TreeFile {
  mode: '100644' | '100755' | '120000';
  oid: string;
}

/** What becomes of a path; null: it goes. */
export type FileEdits = ReadonlyMap<string, TreeFile | null>;

export interface NewCommit {
  tree: string;
  parents: readonly string[];
  message: string;
  at: Date;
}

/** Names the change that a commit was made for. */
export const TRAILER = 'Muster-Promotion';

const AUTHOR = { name: 'Muster', email: 'muster@localhost' };
const MAX_FILES = 20_000;
const MODES = new Set(['100644', '100755', '120000']);

/** Makes trees and commits in a bare repository, and pushes them; never by force. Nothing is ever checked out. */
export class GitWriter {
  readonly #git: GitEnvironment;
  readonly #dir: string;
  readonly #signal: AbortSignal;

  constructor(git: GitEnvironment, dir: string, signal: AbortSignal) {
    this.#git = git;
    this.#dir = dir;
    this.#signal = signal;
  }

  /** The files below a path of a commit, by their path in the repository. Throws `limit` beyond 20,000. */
  async files(commit: string, path: string): Promise<Map<string, TreeFile>> {
    const below = path === '' ? [] : ['--', `${path}/`];
    const listed = await this.#run([
      '--literal-pathspecs',
      'ls-tree',
      '-r',
      '-z',
      '--full-tree',
      commit,
      ...below,
    ]);
    const found = new Map<string, TreeFile>();
    for (const line of listed.toString('utf8').split('\0')) {
      const [about = '', file = ''] = line.split('\t');
      const [mode = '', , oid = ''] = about.split(' ');
      if (file === '' || !MODES.has(mode)) continue;
      if (found.size === MAX_FILES)
        throw new MusterError('limit', `${path || 'the repository'} holds more than ${MAX_FILES} files`);
      found.set(file, { mode: mode as TreeFile['mode'], oid });
    }
    return found;
  }

  treeOf(commit: string): Promise<string> {
    return this.#word(['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`]);
  }

  writeBlob(content: string): Promise<string> {
    return this.#word(['hash-object', '-w', '--stdin'], { input: content });
  }

  /** The tree of a commit with some files changed. */
  async treeWith(commit: string, edits: FileEdits): Promise<string> {
    if (edits.size === 0) return this.treeOf(commit);
    const index = join(this.#dir, `muster-index-${randomUUID()}`);
    const env = { GIT_INDEX_FILE: index };
    try {
      await this.#run(['read-tree', `${commit}^{tree}`], { env });
      const gone = `0 ${'0'.repeat(commit.length)}`;
      // What goes goes first: a folder may stand where a file was.
      const lines = [...edits].sort(([, a], [, b]) => Number(a !== null) - Number(b !== null));
      const input = lines
        .map(([path, file]) => `${file ? `${file.mode} ${file.oid}` : gone}\t${path}\0`)
        .join('');
      await this.#run(['update-index', '-z', '--index-info'], { env, input });
      return await this.#word(['write-tree'], { env });
    } finally {
      for (const file of [index, `${index}.lock`]) await rm(file, { force: true });
    }
  }

  /** The tree of both commits merged, or the files that conflict. Throws `unsupported` for a git older than 2.38. */
  async merge(ours: string, theirs: string): Promise<{ tree: string } | { conflicts: string[] }> {
    const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', ours, theirs];
    try {
      return { tree: (await this.#run(args)).toString('utf8').trim() };
    } catch (thrown) {
      if (!(thrown instanceof GitFailure)) throw thrown;
      if (/usage: git merge-tree|unknown option/.test(thrown.stderr))
        throw new MusterError('unsupported', 'merging branches needs git 2.38 or newer on the hub');
      if (thrown.exitCode !== 1) throw thrown;
      const files = thrown.output.toString('utf8').trim().split('\n').slice(1);
      return { conflicts: [...new Set(files)] };
    }
  }

  async isAncestor(ancestor: string, commit: string): Promise<boolean> {
    const output = await this.#run(['rev-list', '--max-count=1', ancestor, `^${commit}`, '--']);
    return output.toString('utf8').trim() === '';
  }

  /** The commit among the newest 1000 of a history whose trailer names a change; undefined: none does. */
  async made(head: string, change: string): Promise<string | undefined> {
    const format = `--format=%H %(trailers:key=${TRAILER},valueonly,separator=%x2C)`;
    const listed = await this.#run(['log', '-1000', format, head, '--']);
    const line = listed
      .toString('utf8')
      .split('\n')
      .find((one) =>
        one
          .slice(one.indexOf(' ') + 1)
          .split(',')
          .includes(change),
      );
    return line?.split(' ')[0];
  }

  /** Whether a commit was made for any change. */
  async hasTrailer(commit: string): Promise<boolean> {
    const format = `--format=%(trailers:key=${TRAILER},valueonly)`;
    return (await this.#word(['log', '-1', format, commit, '--'])) !== '';
  }

  commit({ tree, parents, message, at }: NewCommit): Promise<string> {
    const date = `${Math.floor(at.getTime() / 1000)} +0000`;
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, AUTHOR.name],
        [`GIT_${who}_EMAIL`, AUTHOR.email],
        [`GIT_${who}_DATE`, date],
      ]),
    );
    const args = ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-F', '-'];
    return this.#word(args, { env, input: message });
  }

  /** Has a branch point at a commit that follows from what it points at now; `moved`: it does not follow from it. */
  async push(
    access: RemoteAccess,
    displayUrl: string,
    commit: string,
    branch: string,
  ): Promise<'pushed' | 'moved'> {
    const args = ['push', '--no-verify', '--', access.remote.url, `${commit}:refs/heads/${branch}`];
    try {
      await withCredentials(access, this.#git.home, (env) => this.#run(args, { env }));
      return 'pushed';
    } catch (thrown) {
      if (!(thrown instanceof GitFailure)) throw thrown;
      if (
        /\[rejected\]|fetch first|non-fast-forward|failed to update ref|cannot lock ref/.test(thrown.stderr)
      )
        return 'moved';
      throw explainPush(thrown, displayUrl, branch);
    }
  }

  async #word(args: string[], more: { env?: Record<string, string>; input?: string } = {}): Promise<string> {
    return (await this.#run(args, more)).toString('utf8').trim();
  }

  #run(args: string[], more: { env?: Record<string, string>; input?: string } = {}): Promise<Buffer> {
    return runGit(this.#git, args, { cwd: this.#dir, signal: this.#signal, ...more });
  }
}

function explainPush(failure: GitFailure, displayUrl: string, branch: string): MusterError {
  const refused = /remote rejected\][^(]*\(([^)]*)\)/.exec(failure.stderr)?.[1];
  if (refused)
    return new MusterError(
      'forbidden',
      `${displayUrl} does not take a push to ${branch}: ${refused.slice(0, 200)}`,
      {
        hint: 'the branch may be protected: use mode pull-request, or let these credentials push to it',
        cause: failure,
      },
    );
  const error = explainGitError(failure, displayUrl);
  if (error.code !== 'forbidden') return error;
  return new MusterError('forbidden', error.message, {
    hint: 'the credentials of the repository have to be allowed to push to it',
    cause: failure,
  });
}
