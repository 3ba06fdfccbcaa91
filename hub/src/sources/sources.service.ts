import { join } from 'node:path';
import { MusterError, type Outcome, done } from '@muster/base';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { CONFIG, type Config } from '../config.ts';
import type { JobContext } from '../queue/jobs.ts';
import { Outbox } from '../queue/outbox.ts';
import type { Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import type { FollowedChart } from './charts/chart-sources.ts';
import { ChartsService } from './charts/charts.service.ts';
import type { RemoteAccess } from './credentials.ts';
import { type RepositoryAddress, addressOf } from './followed-source.ts';
import type { Mirror } from './mirror.ts';
import { Mirrors } from './mirrors.ts';
import { RepositoryAccess } from './repository-access.service.ts';
import { SourceChanges } from './source-changes.ts';
import type { SourceTree } from './source-tree.ts';
import {
  type Followed,
  type RepositoryRow,
  type ResolvedRow,
  SourcesRepository,
} from './sources.repository.ts';

/** Where a followed revision points, as far as it is known. */
export interface RevisionState {
  commit?: string;
  committedAt?: Date;
  message?: string;
  author?: string;
  /** Why it cannot be read now, in words; what was read before stays. */
  error?: string;
}

/** Repositories: fetches, followed revisions, and trees by commit. */
@Injectable()
export class SourcesService implements OnApplicationShutdown {
  readonly #mirrors: Mirrors;

  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(SourceChanges) private readonly changes: SourceChanges,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(RepositoryAccess) private readonly access: RepositoryAccess,
    @Inject(ChartsService) private readonly charts: ChartsService,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#mirrors = new Mirrors(join(config.dataDir, 'mirrors'), config.allowFileRepositories);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#mirrors.close();
  }

  /** Fetches a repository and records where its followed revisions point; those that moved are announced. */
  async refresh(id: string, context: Pick<JobContext, 'complete' | 'signal'>): Promise<Outcome> {
    const row = await this.repository.byId(id);
    if (!row) return done;
    const followed = await this.repository.revisions(this.repository.db, [id]);
    const { error, rows } = await this.#read(row, followed, context.signal);
    context.signal.throwIfAborted();
    await this.repository.db.transaction().execute(async (trx) => {
      await this.repository.hold(trx, id);
      const moved = await this.repository.resolved(trx, id, rows);
      const errorChanged = await this.repository.fetched(trx, id, error, this.#nextPoll());
      const affected = errorChanged ? followed.map((one) => one.revision) : moved;
      await this.changes.announce(trx, { repositoryId: id, revisions: affected });
      if (affected.length > 0 || errorChanged) await this.events.publish('repository', [id], { trx });
      await context.complete(trx);
    });
    return done;
  }

  /** Never throws for what is wrong with the repository: that is in the answer. */
  async #read(
    row: RepositoryRow,
    followed: readonly FollowedChart[],
    signal: AbortSignal,
  ): Promise<{ error: string | null; rows: ResolvedRow[] }> {
    try {
      if (row.kind !== 'git') {
        const found = followed.length > 0 ? await this.charts.read(row, followed, signal) : [];
        return { error: null, rows: found };
      }
      const mirror = await this.#mirrors.of(row.url);
      const access = await this.access.git(row);
      const refs = await mirror.fetch(access, row.display_url, signal);
      const rows: ResolvedRow[] = [];
      for (const { revision } of followed) {
        rows.push(await resolveOne(mirror, revision, () => mirror.resolve(revision, refs), access, signal));
      }
      return { error: null, rows };
    } catch (thrown) {
      signal.throwIfAborted();
      return { error: MusterError.from(thrown).describe(), rows: [] };
    }
  }

  #nextPoll(): Date {
    // Jitter: repositories added together are not asked together for ever.
    return new Date(Date.now() + this.config.pollSeconds * 1000 * (0.9 + 0.2 * Math.random()));
  }

  /** Asks for fetches of the repositories whose poll is due. */
  async poll(): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      await this.ask(trx, await this.repository.due(trx, this.config.pollSeconds));
    });
    await this.repository.forgetUnfollowed();
  }

  /** Asks for repositories to be fetched. */
  async ask(trx: Trx, repositoryIds: readonly string[]): Promise<void> {
    await this.outbox.add(
      trx,
      'sources',
      repositoryIds.map((id) => `repository:${id}`),
    );
  }

  /** Asks for a repository to be fetched, by its URL as written; one that is not known is none. */
  async askUrl(trx: Trx, url: string): Promise<void> {
    const row = await this.rowOf(url);
    if (row) await this.ask(trx, [row.id]);
  }

  /**
   * The ids of repositories by URL as written, made where they are new. URLs that are none are left out.
   * Repositories of the hub's own machine are left out too where the setting forbids them.
   */
  async ensure(trx: Db, urls: readonly string[]): Promise<Map<string, string>> {
    const parsed = this.#readable(urls);
    const wanted = [...new Map([...parsed.values()].map((one) => [one.normalised, one])).values()];
    const addresses = wanted.map((one) => one.normalised);
    const known = await this.repository.byUrls(trx, addresses);
    const missing = wanted.filter((one) => !known.some((row) => row.url === one.normalised));
    await this.repository.ensure(
      trx,
      missing.map(({ normalised, url, kind }) => ({ url: normalised, displayUrl: url, kind })),
    );
    const rows = missing.length > 0 ? await this.repository.byUrls(trx, addresses) : known;
    const ids = new Map(rows.map((row) => [row.url, row.id]));
    return new Map([...parsed].map(([url, one]) => [url, ids.get(one.normalised)!]));
  }

  /** As `ensure`, but makes nothing: repositories that the hub does not know yet are left out too. */
  async known(urls: readonly string[]): Promise<Map<string, string>> {
    const parsed = this.#readable(urls);
    const rows = await this.repository.byUrls(this.repository.db, [
      ...new Set([...parsed.values()].map((one) => one.normalised)),
    ]);
    const ids = new Map(rows.map((row) => [row.url, row.id]));
    return new Map(
      [...parsed].flatMap(([url, one]) => {
        const id = ids.get(one.normalised);
        return id ? [[url, id] as const] : [];
      }),
    );
  }

  /** Repositories that belong to one project and are nobody else's to read, by id: a missing one is anybody's. */
  projectsOf(ids: readonly string[]): Promise<Map<string, string>> {
    return this.repository.projectsOf(ids);
  }

  #readable(urls: readonly string[]): Map<string, RepositoryAddress> {
    const parsed = new Map<string, RepositoryAddress>();
    for (const url of new Set(urls)) {
      const found = tryParse(url);
      if (!found || found.kind === 'credentials') continue;
      if (found.git?.protocol !== 'file' || this.config.allowFileRepositories) parsed.set(url, found);
    }
    return parsed;
  }

  /** Follows revisions from now on; new ones are fetched at once. */
  async follow(trx: Trx, followed: readonly Followed[]): Promise<void> {
    await this.ask(trx, await this.repository.follow(trx, followed));
  }

  /** Where revisions of repositories point, by `stateKey`. */
  async states(repositoryIds: readonly string[]): Promise<Map<string, RevisionState>> {
    const [rows, repositories] = await Promise.all([
      this.repository.revisions(this.repository.db, repositoryIds),
      Promise.all([...new Set(repositoryIds)].map((id) => this.repository.byId(id))),
    ]);
    const errors = new Map(
      repositories.flatMap((row) => (row?.last_fetch_error ? [[row.id, row.last_fetch_error] as const] : [])),
    );
    return new Map(
      rows.map((row) => {
        const error = errors.get(row.repository_id) ?? row.error;
        const state: RevisionState = {
          ...(row.commit ? { commit: row.commit } : {}),
          ...(row.committed_at ? { committedAt: row.committed_at } : {}),
          ...(row.message === null ? {} : { message: row.message }),
          ...(row.author === null ? {} : { author: row.author }),
          ...(error ? { error } : {}),
        };
        return [stateKey(row.repository_id, row.revision), state];
      }),
    );
  }

  /** Where a revision points that nothing follows yet: the repository is fetched now. Throws in words. */
  async pointOf(repositoryId: string, revision: string, signal: AbortSignal): Promise<string> {
    const followed = { revision, commit: null, accepted: null, held: false };
    const { error, rows } = await this.#read(await this.#row(repositoryId), [followed], signal);
    const problem = error ?? rows[0]?.error;
    if (problem) throw new MusterError('unavailable', problem);
    return rows[0]!.commit!;
  }

  /** The files at a commit or of a chart; fetched when this replica does not have them yet. */
  async tree(repositoryId: string, commit: string, signal?: AbortSignal): Promise<SourceTree> {
    const row = await this.#row(repositoryId);
    if (row.kind !== 'git') return this.charts.tree(row, commit, signal);
    return (await this.#mirrorWith(row, commit, signal)).tree(commit);
  }

  /** Committer time of the last commit up to `commit` that touched one of the paths. */
  async lastTouched(
    repositoryId: string,
    commit: string,
    paths: string[],
    signal?: AbortSignal,
  ): Promise<Date | undefined> {
    const row = await this.#row(repositoryId);
    if (row.kind !== 'git') return this.charts.modifiedAt(row, commit, signal);
    return (await this.#mirrorWith(row, commit, signal)).lastTouched(commit, paths, signal);
  }

  /** A Git repository by its URL as written; undefined: the hub does not know it. */
  async rowOf(url: string): Promise<RepositoryRow | undefined> {
    const [address] = this.#readable([url]).values();
    const [row] = address ? await this.repository.byUrls(this.repository.db, [address.normalised]) : [];
    return row?.kind === 'git' ? row : undefined;
  }

  /** A repository's mirror as its remote is now. Throws in words. */
  async fetched(repositoryId: string, signal: AbortSignal) {
    const row = await this.#row(repositoryId);
    if (row.kind !== 'git')
      throw new MusterError('unsupported', `${row.display_url} is not a Git repository`);
    const mirror = await this.#mirrors.of(row.url);
    const access = await this.access.git(row);
    return {
      url: row.display_url,
      access,
      mirror,
      refs: await mirror.fetch(access, row.display_url, signal),
    };
  }

  /** A Git repository's mirror with a commit in it; fetched where this replica does not have it. Throws in words. */
  async mirrorWith(repositoryId: string, commit: string, signal?: AbortSignal): Promise<Mirror> {
    const row = await this.#row(repositoryId);
    if (row.kind !== 'git')
      throw new MusterError('unsupported', `${row.display_url} is not a Git repository`);
    return this.#mirrorWith(row, commit, signal);
  }

  async #row(repositoryId: string): Promise<RepositoryRow> {
    const row = await this.repository.byId(repositoryId);
    if (!row) throw new MusterError('not-found', 'the repository was removed');
    return row;
  }

  async #mirrorWith(row: RepositoryRow, commit: string, signal?: AbortSignal): Promise<Mirror> {
    const mirror = await this.#mirrors.of(row.url);
    if (await mirror.has(commit)) return mirror;
    const access = await this.access.git(row);
    await mirror.fetch(access, row.display_url, signal);
    if (!(await mirror.has(commit))) await mirror.fetchCommit(access, commit, signal);
    return mirror;
  }

  /** Throws in words when a repository cannot be read. */
  check(access: RemoteAccess, displayUrl: string): Promise<void> {
    if (access.remote.protocol === 'file' && !this.config.allowFileRepositories) {
      throw new MusterError('forbidden', 'file repositories are not allowed on this hub', {
        hint: 'use https or ssh',
      });
    }
    return this.#mirrors.check(access, displayUrl);
  }

  async forget(url: string): Promise<void> {
    await this.#mirrors.remove(url);
  }
}

/** Names a followed revision in maps. */
export function stateKey(repositoryId: string, revision: string): string {
  return `${repositoryId} ${revision}`;
}

/** Where one revision points; an error is part of the answer. */
export async function resolveOne(
  mirror: Mirror,
  revision: string,
  resolve: () => ReturnType<Mirror['resolve']>,
  access: RemoteAccess,
  signal: AbortSignal,
): Promise<ResolvedRow> {
  const nothing = { revision, commit: null, committedAt: null, message: null, author: null };
  try {
    const found = await resolve().catch(async (thrown: unknown) => {
      // A whole commit id that no branch leads to: many servers hand it out all the same.
      if (!/^[0-9a-f]{40}$/.test(revision)) throw thrown;
      await mirror.fetchCommit(access, revision, signal).catch(() => undefined);
      return resolve();
    });
    return {
      revision,
      commit: found.commit,
      committedAt: found.committedAt,
      message: found.subject,
      author: found.author,
      error: null,
    };
  } catch (thrown) {
    return { ...nothing, error: MusterError.from(thrown).describe() };
  }
}

function tryParse(url: string): RepositoryAddress | undefined {
  try {
    return addressOf(url);
  } catch {
    return undefined;
  }
}
