import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { RepositoryKind } from './followed-source.ts';
import type { RepositoriesTable, Schema, TrackedRevisionsTable, Trx } from '../store/schema.ts';

export type RepositoryRow = Selectable<RepositoriesTable>;
export type RevisionRow = Selectable<TrackedRevisionsTable>;

/** A revision of a repository that something follows. */
export interface Followed {
  repositoryId: string;
  revision: string;
}

/** What a repository is registered with, besides its address and credentials. */
export type RepositorySettings = Pick<
  RepositoryRow,
  | 'kind'
  | 'name'
  | 'known_hosts'
  | 'ca'
  | 'insecure'
  | 'plain_http'
  | 'pass_credentials'
  | 'may_push'
  | 'project'
>;

export interface ResolvedRow {
  revision: string;
  /** Null with an error: the last good commit stays. */
  commit: string | null;
  committedAt: Date | null;
  message: string | null;
  author: string | null;
  error: string | null;
  /** What is there instead of what is held; of charts only. */
  offered?: string | null;
}

@Injectable()
export class SourcesRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  byId(id: string): Promise<RepositoryRow | undefined> {
    return this.db.selectFrom('repositories').selectAll().where('id', '=', id).executeTakeFirst();
  }

  byUrls(db: Kysely<Schema>, urls: readonly string[]): Promise<RepositoryRow[]> {
    return db
      .selectFrom('repositories')
      .selectAll()
      .where(sql<boolean>`url = any(${urls}::text[])`)
      .execute();
  }

  /** The projects of those that belong to one, by id. */
  async projectsOf(ids: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.db
      .selectFrom('repositories')
      .select(['id', 'project'])
      .where(sql<boolean>`id = any(${ids}::uuid[])`)
      .where('project', 'is not', null)
      .execute();
    return new Map(rows.map((row) => [row.id, row.project!]));
  }

  byName(db: Kysely<Schema>, name: string): Promise<RepositoryRow | undefined> {
    return db.selectFrom('repositories').selectAll().where('name', '=', name).executeTakeFirst();
  }

  /** Repositories below an address that could not be read. */
  async failingBelow(db: Kysely<Schema>, url: string): Promise<string[]> {
    const below = `${url.replace(/\/+$/, '')}/`;
    const { rows } = await sql<{ id: string }>`
      select id from repositories where kind <> 'credentials' and starts_with(display_url, ${below})
        and (last_fetch_error is not null
          or exists (select from tracked_revisions where repository_id = repositories.id and error is not null))
      limit 5000
    `.execute(db);
    return rows.map((row) => row.id);
  }

  all(): Promise<RepositoryRow[]> {
    return this.db.selectFrom('repositories').selectAll().orderBy('url').execute();
  }

  async page(projects: '*' | string[], limit: number, after?: string): Promise<RepositoryRow[]> {
    let query = this.db.selectFrom('repositories').selectAll().orderBy('url').limit(limit);
    if (after !== undefined) query = query.where('url', '>', after);
    if (projects !== '*') {
      query = query.where(sql<boolean>`(project = any(${projects}::text[]) or exists (
        select from application_sources s join applications a on a.id = s.application_id
        where s.repository_id = repositories.id and a.project = any(${projects}::text[])))`);
    }
    return query.execute();
  }

  /** Those of the repositories that belong to one of the projects, or that an Application of one reads. */
  async visible(ids: string[], projects: string[]): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from repositories where id = any(${ids}::uuid[]) and (project = any(${projects}::text[])
        or exists (select from application_sources s join applications a on a.id = s.application_id
          where s.repository_id = repositories.id and a.project = any(${projects}::text[])))
    `.execute(this.db);
    return rows.map((row) => row.id);
  }

  /** Makes rows for repositories seen for the first time. */
  async ensure(
    trx: Kysely<Schema>,
    found: readonly { url: string; displayUrl: string; kind: RepositoryKind }[],
  ): Promise<void> {
    if (found.length === 0) return;
    await sql`
      insert into repositories (url, display_url, kind)
      select * from unnest(${found.map((one) => one.url)}::text[], ${found.map((one) => one.displayUrl)}::text[],
        ${found.map((one) => one.kind)}::text[])
      on conflict (url) do nothing
    `.execute(trx);
  }

  /**
   * Holds a repository while what moved in it is recorded and announced. Whoever begins to follow it (`follow`) is
   * either seen by the announcement or sees what was recorded: nobody is left behind at an old commit.
   */
  async hold(trx: Trx, id: string): Promise<void> {
    await trx.selectFrom('repositories').select('id').where('id', '=', id).forUpdate().execute();
  }

  /** Follows revisions; answers the repositories of those that nothing followed before. */
  async follow(trx: Trx, followed: readonly Followed[]): Promise<string[]> {
    if (followed.length === 0) return [];
    await sql`
      select from repositories where id = any(${[...new Set(followed.map((one) => one.repositoryId))]}::uuid[]) order by id for key share
    `.execute(trx);
    const { rows } = await sql<{ repository_id: string }>`
      insert into tracked_revisions (repository_id, revision)
      select distinct * from unnest(${followed.map((one) => one.repositoryId)}::uuid[], ${followed.map((one) => one.revision)}::text[])
      -- Held for a chart that depends on it, but followed by somebody now.
      on conflict (repository_id, revision) do update set held = false where tracked_revisions.held
      returning repository_id
    `.execute(trx);
    return [...new Set(rows.map((row) => row.repository_id))];
  }

  async revisions(db: Kysely<Schema>, repositoryIds: readonly string[]): Promise<RevisionRow[]> {
    if (repositoryIds.length === 0) return [];
    return db
      .selectFrom('tracked_revisions')
      .selectAll()
      .where(sql<boolean>`repository_id = any(${[...new Set(repositoryIds)]}::uuid[])`)
      .orderBy('revision')
      .execute();
  }

  /** Writes where revisions point; answers those whose commit or error changed. Unchanged ones are not written. */
  async resolved(trx: Trx, repositoryId: string, rows: readonly ResolvedRow[]): Promise<string[]> {
    if (rows.length === 0) return [];
    const column = <K extends keyof ResolvedRow>(name: K) => rows.map((row) => row[name] ?? null);
    const written = await sql<{ revision: string }>`
      update tracked_revisions as tracked set
        commit = coalesce(found.commit, tracked.commit),
        committed_at = coalesce(found.committed_at, tracked.committed_at),
        message = coalesce(found.message, tracked.message),
        author = coalesce(found.author, tracked.author),
        error = found.error,
        offered = found.offered,
        accepted = case when found.offered is null then null else tracked.accepted end,
        resolved_at = now()
      from unnest(${column('revision')}::text[], ${column('commit')}::text[], ${column('committedAt')}::timestamptz[],
        ${column('message')}::text[], ${column('author')}::text[], ${column('error')}::text[], ${column('offered')}::text[])
        as found (revision, commit, committed_at, message, author, error, offered)
      where tracked.repository_id = ${repositoryId} and tracked.revision = found.revision
        and (tracked.commit is distinct from coalesce(found.commit, tracked.commit) or tracked.error is distinct from found.error
          or tracked.offered is distinct from found.offered)
      returning tracked.revision
    `.execute(trx);
    return written.rows.map((row) => row.revision);
  }

  /** Notes a fetch; answers whether its error is another one than before. */
  async fetched(trx: Trx, id: string, error: string | null, nextPollAt: Date): Promise<boolean> {
    const { rows } = await sql<{ changed: boolean }>`
      update repositories set last_fetch_at = now(), last_fetch_error = ${error}, next_poll_at = ${nextPollAt}
      from (select last_fetch_error as before from repositories where id = ${id} for update) as old
      where id = ${id}
      returning old.before is distinct from ${error}::text as changed
    `.execute(trx);
    return rows[0]?.changed ?? false;
  }

  /** Repositories whose poll is due; moves their next poll on, so that one replica takes each. */
  async due(trx: Trx, seconds: number): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      update repositories set next_poll_at = now() + (${seconds} * (0.9 + 0.2 * random())) * interval '1 second'
      where id in (select id from repositories where next_poll_at <= now() order by next_poll_at limit 5000 for update skip locked)
        and exists (select from tracked_revisions where repository_id = repositories.id)
      returning id
    `.execute(trx);
    return rows.map((row) => row.id);
  }

  /** Accepts what upstream has in place of what revisions of a repository are held at; answers what was accepted. */
  async accept(trx: Trx, repositoryId: string): Promise<{ revision: string; offered: string }[]> {
    const { rows } = await sql<{ revision: string; offered: string }>`
      update tracked_revisions set accepted = substring(offered from 'sha256:[0-9a-f]{64}$')
      where repository_id = ${repositoryId} and offered is not null
      returning revision, offered
    `.execute(trx);
    return rows;
  }

  /** Forgets revisions that no Application and no set follows any more. */
  async forgetUnfollowed(): Promise<void> {
    await sql`
      delete from chart_dependencies as d
        where not exists (select from application_sets where d.owner_kind = 'set' and id = d.owner_id)
        and not exists (select from applications where d.owner_kind = 'application' and id = d.owner_id)
    `.execute(this.db);
    await sql`
      delete from tracked_revisions as tracked where resolved_at < now() - interval '1 hour'
        and not exists (select from application_sources as s where s.repository_id = tracked.repository_id and s.revision = tracked.revision)
        and not exists (select from application_set_repositories as r where r.repository_id = tracked.repository_id and r.revision = tracked.revision)
        and not exists (select from chart_dependencies as d where d.repository_id = tracked.repository_id and d.revision = tracked.revision)
    `.execute(this.db);
  }

  /** Deletes a repository that nobody registered and nothing follows; answers whether it is gone. */
  async forgetUnused(id: string): Promise<boolean> {
    const { numAffectedRows } = await sql`
      delete from repositories where id = ${id} and not registered
        and not exists (select from tracked_revisions where repository_id = ${id})
        and not exists (select from application_sources where repository_id = ${id})
        and not exists (select from application_set_repositories where repository_id = ${id})
    `.execute(this.db);
    return (numAffectedRows ?? 0n) > 0n;
  }

  async upsert(
    trx: Trx,
    row: {
      url: string;
      displayUrl: string;
      sealed: (id: string) => Buffer | null;
      settings: RepositorySettings;
    },
  ): Promise<RepositoryRow> {
    const { id } = await trx
      .insertInto('repositories')
      .values({ url: row.url, display_url: row.displayUrl, kind: row.settings.kind, registered: true })
      .onConflict((conflict) =>
        conflict.column('url').doUpdateSet({ display_url: row.displayUrl, registered: true }),
      )
      .returning('id')
      .executeTakeFirstOrThrow();
    return trx
      .updateTable('repositories')
      .set({
        credentials_sealed: row.sealed(id),
        ...row.settings,
        next_poll_at: sql<Date>`now()`,
        version: sql<bigint>`version + 1`,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** Deletes a repository that nothing follows; else forgets its registration and credentials. */
  async remove(trx: Trx, id: string): Promise<void> {
    await sql`
      update repositories set registered = false, credentials_sealed = null, known_hosts = null, insecure = false, project = null,
        name = null, ca = null, plain_http = false, pass_credentials = false, may_push = false,
        version = version + 1 where id = ${id}
    `.execute(trx);
    await sql`
      delete from repositories where id = ${id} and not exists (select from application_sources where repository_id = ${id})
        and not exists (select from application_set_repositories where repository_id = ${id})
        and not exists (select from chart_dependencies where repository_id = ${id})
    `.execute(trx);
  }
}
