import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { ApplicationSetsTable, Schema, SetCondition, Trx } from '../store/schema.ts';
import type { Scope } from './deletion-budget.ts';

export type SetRow = Selectable<ApplicationSetsTable>;

@Injectable()
export class ApplicationSetsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  byId(id: string, db: Kysely<Schema> = this.db): Promise<SetRow | undefined> {
    return db.selectFrom('application_sets').selectAll().where('id', '=', id).executeTakeFirst();
  }

  lock(trx: Trx, id: string): Promise<SetRow | undefined> {
    return trx.selectFrom('application_sets').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  }

  byName(namespace: string, name: string, db: Kysely<Schema> = this.db): Promise<SetRow | undefined> {
    return db
      .selectFrom('application_sets')
      .selectAll()
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .executeTakeFirst();
  }

  async page(projects: '*' | string[], limit: number, after?: [string, string]): Promise<SetRow[]> {
    let query = this.db
      .selectFrom('application_sets')
      .selectAll()
      .orderBy('namespace')
      .orderBy('name')
      .limit(limit);
    if (projects !== '*') query = query.where(sql<boolean>`project = any(${projects}::text[])`);
    if (after) query = query.where(sql<boolean>`(namespace, name) > (${after[0]}, ${after[1]})`);
    return query.execute();
  }

  /** Those of `namespace/name` keys that belong to one of the projects. */
  async visible(keys: string[], projects: string[]): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
      select namespace || '/' || name as key from application_sets
      where namespace || '/' || name = any(${keys}::text[]) and project = any(${projects}::text[])
    `.execute(this.db);
    return rows.map((row) => row.key);
  }

  async counts(ids: readonly string[]) {
    if (ids.length === 0) return new Map<string, { applications: number; leaving: number; held: number }>();
    const { rows } = await sql<{ set_id: string; applications: number; leaving: number; held: number }>`
      select set_id, count(*)::int as applications, count(leaving_at)::int as leaving, count(held_reason)::int as held
      from applications where set_id = any(${ids}::uuid[]) group by set_id
    `.execute(this.db);
    return new Map(rows.map((row) => [row.set_id, row]));
  }

  /** Why nothing newer is rolled out, by set. */
  async rolloutProblems(ids: readonly string[]): Promise<Map<string, { message: string; since: Date }>> {
    const rows = await this.db
      .selectFrom('rollout_problems')
      .selectAll()
      .where(sql<boolean>`owner_id = any(${ids}::uuid[])`)
      .execute();
    return new Map(rows.map(({ owner_id, message, since }) => [owner_id, { message, since }]));
  }

  async latestReleases(ids: readonly string[]) {
    if (ids.length === 0)
      return new Map<string, { id: string; number: bigint; cause: string; created_at: Date }>();
    const { rows } = await sql<{
      owner_id: string;
      id: string;
      number: bigint;
      cause: string;
      created_at: Date;
    }>`
      select distinct on (owner_id) owner_id, id, number, cause, created_at from releases
      where owner_id = any(${ids}::uuid[]) order by owner_id, number desc
    `.execute(this.db);
    return new Map(rows.map((row) => [row.owner_id, row]));
  }

  async write(
    trx: Trx,
    row: {
      namespace: string;
      name: string;
      project: string;
      sealed: Buffer;
      hash: string;
      dependsOnClusters: boolean;
    },
  ): Promise<string> {
    const { rows } = await sql<{ id: string }>`
      insert into application_sets (namespace, name, project, manifest_sealed, manifest_hash, depends_on_clusters)
      values (${row.namespace}, ${row.name}, ${row.project}, ${row.sealed}, ${row.hash}, ${row.dependsOnClusters})
      on conflict (namespace, name) do update set project = excluded.project, manifest_sealed = excluded.manifest_sealed,
        manifest_hash = excluded.manifest_hash, depends_on_clusters = excluded.depends_on_clusters,
        version = application_sets.version + 1, updated_at = now(), deleting_at = null, deleting_approved = false
      returning id
    `.execute(trx);
    return rows[0]!.id;
  }

  /** What a set follows. */
  followed(db: Kysely<Schema>, setId: string): Promise<{ repositoryId: string; revision: string }[]> {
    return db
      .selectFrom('application_set_repositories')
      .select(['repository_id as repositoryId', 'revision'])
      .where('set_id', '=', setId)
      .execute();
  }

  async repositories(
    trx: Trx,
    setId: string,
    found: readonly { repositoryId: string; revision: string }[],
  ): Promise<void> {
    await sql`delete from application_set_repositories where set_id = ${setId}`.execute(trx);
    if (found.length === 0) return;
    await sql`
      insert into application_set_repositories (set_id, repository_id, revision)
      select distinct ${setId}::uuid, * from unnest(${found.map((one) => one.repositoryId)}::uuid[], ${found.map((one) => one.revision)}::text[])
    `.execute(trx);
  }

  /** Where what a set reads points now, and what keeps it from being read: equal texts, equal files. */
  async revisions(setId: string): Promise<string> {
    const { rows } = await sql<{ state: string }>`
      select coalesce(jsonb_agg(jsonb_build_array(r.repository_id, r.revision, t.commit, t.error, s.last_fetch_error)
        order by r.repository_id, r.revision), '[]')::text as state
      from application_set_repositories r join repositories s on s.id = r.repository_id
      left join tracked_revisions t on t.repository_id = r.repository_id and t.revision = r.revision
      where r.set_id = ${setId}
    `.execute(this.db);
    return rows[0]!.state;
  }

  async expanded(trx: Trx, id: string, version: bigint, conditions: SetCondition[]): Promise<void> {
    await trx
      .updateTable('application_sets')
      .set({ expanded_version: version, conditions: JSON.stringify(conditions) })
      .where('id', '=', id)
      .execute();
  }

  async deleting(trx: Trx, id: string): Promise<void> {
    await sql`update application_sets set deleting_at = coalesce(deleting_at, now()), version = version + 1 where id = ${id}`.execute(
      trx,
    );
  }

  /** A set that is being deleted needs no further approval, for what it holds now. */
  async approveAll(trx: Trx, id: string): Promise<void> {
    await sql`update application_sets set deleting_approved = true where id = ${id}`.execute(trx);
    await sql`update applications set held_reason = null, leaving_counted = false where set_id = ${id} and held_reason is not null`.execute(
      trx,
    );
  }

  /** Deletes a set that is being deleted once it has no Applications. */
  async deleteIfEmpty(trx: Trx, id: string): Promise<void> {
    await sql`
      delete from application_sets where id = ${id} and deleting_at is not null
        and not exists (select from applications where set_id = ${id})
    `.execute(trx);
  }

  async dependingOnClusters(db: Kysely<Schema>): Promise<string[]> {
    const rows = await db
      .selectFrom('application_sets')
      .select('id')
      .where('depends_on_clusters', '=', true)
      .execute();
    return rows.map((row) => row.id);
  }

  async reading(db: Kysely<Schema>, repositoryId: string, revisions: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ set_id: string }>`
      select distinct set_id from application_set_repositories where repository_id = ${repositoryId} and revision = any(${revisions}::text[])
    `.execute(db);
    return rows.map((row) => row.set_id);
  }

  async inProject(db: Kysely<Schema>, project: string): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from application_sets where project = ${project} or project = ''
    `.execute(db);
    return rows.map((row) => row.id);
  }

  /** One transaction at a time decides on removals: each sees what the others decided. Taken before any row of an Application. */
  async lockBudget(trx: Trx): Promise<void> {
    await sql`select pg_advisory_xact_lock(hashtextextended('muster deletion budget', 0))`.execute(trx);
  }

  /** Holds removals that were within a budget and are still in their grace; answers the sets they belong to. */
  async holdPending(
    trx: Trx,
    kind: 'set' | 'cluster' | 'project',
    key: string,
    reason: string,
  ): Promise<{ namespace: string; name: string }[]> {
    const scope = {
      set: sql<boolean>`set_id::text = ${key}`,
      cluster: sql<boolean>`cluster_id::text = ${key}`,
      project: sql<boolean>`project = ${key}`,
    }[kind];
    const { rows } = await sql<{ namespace: string; name: string }>`
      with held as (
        update applications set held_reason = ${reason}
        where ${scope} and leaving_at > now() and leaving_counted and held_reason is null and tombstoned_at is null
        returning set_id
      )
      select distinct namespace, name from application_sets where id in (select set_id from held)
    `.execute(trx);
    return rows;
  }

  /** Applications now and removals that counted in the last 24 hours, those that are held among them, for one set and some clusters and projects. */
  async budgetScopes(
    db: Kysely<Schema>,
    set: { id: string; name: string },
    clusterIds: readonly string[],
    projects: readonly string[],
  ) {
    const { rows } = await sql<{ kind: string; key: string; what: string; total: number; removed: number }>`
      select 'set' as kind, ${set.id} as key, 'ApplicationSet ' || ${set.name}::text as what,
        (select count(*)::int from applications where set_id = ${set.id}::uuid and leaving_at is null) as total,
        (select count(*)::int from departed_applications where set_id = ${set.id}::uuid and counted and decided_at > now() - interval '24 hours')
        + (select count(*)::int from applications where set_id = ${set.id}::uuid and leaving_at is not null and leaving_counted and tombstoned_at is null) as removed
      union all
      select 'cluster', id::text, 'cluster ' || name,
        (select count(*)::int from applications where cluster_id = clusters.id and leaving_at is null),
        (select count(*)::int from departed_applications where cluster_id = clusters.id and counted and decided_at > now() - interval '24 hours')
        + (select count(*)::int from applications where cluster_id = clusters.id and leaving_at is not null and leaving_counted and tombstoned_at is null)
      from clusters where id = any(${clusterIds}::uuid[])
      union all
      select 'project', name, 'project ' || name,
        (select count(*)::int from applications where project = wanted.name and leaving_at is null),
        (select count(*)::int from departed_applications where project = wanted.name and counted and decided_at > now() - interval '24 hours')
        + (select count(*)::int from applications where project = wanted.name and leaving_at is not null and leaving_counted and tombstoned_at is null)
      from unnest(${projects}::text[]) as wanted (name)
    `.execute(db);
    const scopes = (kind: string) =>
      new Map<string, Scope>(rows.filter((row) => row.kind === kind).map((row) => [row.key, row]));
    return { set: scopes('set').get(set.id)!, clusters: scopes('cluster'), projects: scopes('project') };
  }
}
