import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@muster/base';
import type { LRUCache } from 'lru-cache';
import { type RemoteAccess, withCredentials } from './credentials.ts';
import { explainGitError } from './git-error.ts';
import { GitObjects } from './git-objects.ts';
import { type GitEnvironment, prepareGit } from './git-process.ts';
import { Mirror, type MirrorLimits, listRemote } from './mirror.ts';
import type { TreeEntry } from './source-tree.ts';

const LIMITS: MirrorLimits = {
  maxFileBytes: 16 * 1024 * 1024,
  fetchTimeoutMs: 300_000,
  maxFetchBytes: 4 * 1024 * 1024 * 1024,
};
const CACHE_BYTES = 64 * 1024 * 1024;

/** The mirrors on this replica's disk, one a repository. */
export class Mirrors {
  readonly #folder: string;
  readonly #git: Promise<GitEnvironment>;
  readonly #open = new Map<string, Promise<Mirror>>();
  readonly #cache: LRUCache<string, { value: TreeEntry[] | Buffer }> = GitObjects.cache(CACHE_BYTES);

  /** Mirrors live under `folder`; `allowFile`: whether folders of this machine may be repositories. */
  constructor(folder: string, allowFile: boolean) {
    this.#folder = folder;
    this.#git = prepareGit(join(folder, 'home'), allowFile);
    // Reported where it is awaited; nobody may await it before the process ends.
    this.#git.catch(() => undefined);
  }

  /** The mirror of a repository by its normalised URL. */
  of(url: string): Promise<Mirror> {
    let mirror = this.#open.get(url);
    if (!mirror) {
      const dir = join(this.#folder, `${sha256(url).slice(0, 32)}.git`);
      mirror = this.#git.then((git) => new Mirror(git, dir, LIMITS, this.#cache));
      this.#open.set(url, mirror);
    }
    return mirror;
  }

  /** Throws in words when the remote cannot be read with these credentials. */
  async check(access: RemoteAccess, displayUrl: string, signal?: AbortSignal): Promise<void> {
    const git = await this.#git;
    try {
      await withCredentials(access, git.home, (env) => listRemote(git, access, env, signal));
    } catch (thrown) {
      throw explainGitError(thrown, displayUrl);
    }
  }

  /** Deletes the mirror of a repository that is not needed any more. */
  async remove(url: string): Promise<void> {
    const mirror = await this.of(url);
    this.#open.delete(url);
    await mirror.remove();
  }

  /** Number of mirrors on disk. */
  async count(): Promise<number> {
    return (await readdir(this.#folder)).filter((name) => name.endsWith('.git')).length;
  }

  async close(): Promise<void> {
    for (const mirror of this.#open.values()) (await mirror.catch(() => undefined))?.close();
  }
}
