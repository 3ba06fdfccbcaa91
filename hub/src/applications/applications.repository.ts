import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Dependency } from '@muster/rollout';
import type { Owner } from '../releases/owner.ts';
import { DATABASE } from '../store/database.ts';
import type { ApplicationCondition, ApplicationsTable, Schema, Trx } from '../store/schema.ts';

export type ApplicationRow = Selectable<ApplicationsTable>;

/** What is written when an Application is made or its specification changes. */
export interface ApplicationSpecRow {
  namespace: string;
  name: string;
  setId: string | null;
  project: string;
  sealed: Buffer;
  hash: string;
  labels: Record<string, string>;
  destinationNamespace: string;
  destination: string;
  /** In the order of the specification. */
  sources: FollowedSource[];
  /** What it waits for. */
  dependencies: Dependency[];
}

/** A source of an Application, as something that moves. */
export interface FollowedSource {
  /** Null: not a repository that the hub can read. */
  repositoryId: string | null;
  revision: string;
}

/** What rendering found; written only where it differs. */
export interface RenderedRow {
  id: string;
  clusterId: string | null;
  renderKey: string | null;
  bundleDigest: string | null;
  commit: string | null;
  commits: string[] | null;
  releaseId: string | null;
  conditions: ApplicationCondition[];
}

@Injectable()
export class ApplicationsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  ofOwner(db: Kysely<Schema>, owner: Owner): Promise<ApplicationRow[]> {
    return db
      .selectFrom('applications')
      .selectAll()
      .where(owner.kind === 'set' ? 'set_id' : 'id', '=', owner.id)
      .orderBy('namespace')
      .orderBy('name')
      .execute();
  }

  async versions(db: Kysely<Schema>, owner: Owner): Promise<Map<string, bigint>> {
    const rows = await db
      .selectFrom('applications')
      .select(['id', 'version'])
      .where(owner.kind === 'set' ? 'set_id' : 'id', '=', owner.id)
      .execute();
    return new Map(rows.map((row) => [row.id, row.version]));
  }

  byName(db: Kysely<Schema>, namespace: string, name: string): Promise<ApplicationRow | undefined> {
    return db
      .selectFrom('applications')
      .selectAll()
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .executeTakeFirst();
  }

  async byNames(
    db: Kysely<Schema>,
    names: readonly { namespace: string; name: string }[],
  ): Promise<ApplicationRow[]> {
    if (names.length === 0) return [];
    return db
      .selectFrom('applications')
      .selectAll()
      .where(
        sql<boolean>`(namespace, name) in (select * from unnest(${names.map((one) => one.namespace)}::text[], ${names.map((one) => one.name)}::text[]))`,
      )
      .execute();
  }

  /** Makes or changes Applications in bulk; answers their ids, but not of those that another owner made meanwhile. */
  async write(trx: Trx, rows: readonly ApplicationSpecRow[]): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < rows.length; at += 1000) {
      const batch = rows.slice(at, at + 1000);
      const column = <K extends keyof ApplicationSpecRow>(name: K) => batch.map((row) => row[name]);
      const written = await sql<{ id: string; namespace: string; name: string }>`
        insert into applications (namespace, name, set_id, project, manifest_sealed, manifest_hash, labels,
          destination_namespace, destination)
        select * from unnest(${column('namespace')}::text[], ${column('name')}::text[], ${column('setId')}::uuid[],
          ${column('project')}::text[], ${column('sealed')}::bytea[], ${column('hash')}::text[],
          ${batch.map((row) => JSON.stringify(row.labels))}::jsonb[], ${column('destinationNamespace')}::text[],
          ${column('destination')}::text[])
        on conflict (namespace, name) do update set
          set_id = excluded.set_id, project = excluded.project, manifest_sealed = excluded.manifest_sealed,
          manifest_hash = excluded.manifest_hash, labels = excluded.labels,
          destination_namespace = excluded.destination_namespace, destination = excluded.destination,
          version = applications.version + 1, updated_at = now(),
          leaving_at = null, leaving_action = null, held_reason = null, leaving_counted = false, tombstoned_at = null,
          deletion_approved_at = null,
          restored_from = null
        -- Another owner may have made it since the caller looked.
        where applications.set_id is not distinct from excluded.set_id
          or (applications.set_id is null and applications.restored_from = excluded.set_id)
        returning id, namespace, name
      `.execute(trx);
      const given = new Map(batch.map((row) => [`${row.namespace}/${row.name}`, row]));
      await writeSources(
        trx,
        written.rows.map((row) => ({
          id: row.id,
          sources: given.get(`${row.namespace}/${row.name}`)!.sources,
        })),
      );
      await writeDependencies(
        trx,
        written.rows.map((row) => ({
          id: row.id,
          dependencies: given.get(`${row.namespace}/${row.name}`)!.dependencies,
        })),
      );
      ids.push(...written.rows.map((row) => row.id));
    }
    return ids;
  }

  /** The repositories that an Application's sources are in. */
  async repositoriesOf(db: Kysely<Schema>, id: string): Promise<string[]> {
    const rows = await db
      .selectFrom('application_sources')
      .select('repository_id')
      .distinct()
      .where('application_id', '=', id)
      .execute();
    return rows.flatMap((row) => row.repository_id ?? []);
  }

  /** Marks Applications that are no longer wanted; `heldReason` makes them wait for an approval. */
  async leave(
    trx: Trx,
    rows: readonly {
      id: string;
      action: 'orphan' | 'uninstall';
      heldReason: string | null;
      counted: boolean;
    }[],
    at: Date,
  ): Promise<void> {
    if (rows.length === 0) return;
    await sql`
      update applications set leaving_at = ${at}, leaving_action = gone.action, held_reason = gone.held,
        leaving_counted = gone.counted, version = version + 1, updated_at = now()
      from unnest(${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.action)}::text[],
        ${rows.map((row) => row.heldReason)}::text[], ${rows.map((row) => row.counted)}::boolean[])
        as gone (id, action, held, counted)
      where applications.id = gone.id and applications.tombstoned_at is null
    `.execute(trx);
  }

  /** Takes leaving Applications back. */
  async stay(trx: Trx, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await sql`
      update applications set leaving_at = null, leaving_action = null, held_reason = null, tombstoned_at = null, deletion_approved_at = null, version = version + 1,
        updated_at = now()
      where id = any(${ids}::uuid[]) and leaving_at is not null
    `.execute(trx);
  }

  /** Writes what rendering found, in one statement. */
  async rendered(trx: Trx, rows: readonly RenderedRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += 1000) {
      const batch = rows.slice(at, at + 1000);
      const column = <K extends keyof RenderedRow>(name: K) => batch.map((row) => row[name]);
      await sql`
        update applications set cluster_id = found.cluster_id, render_key = found.render_key, bundle_digest = found.bundle_digest,
          commit = found.commit, commits = found.commits, release_id = found.release_id, conditions = found.conditions
        from unnest(${column('id')}::uuid[], ${column('clusterId')}::uuid[], ${column('renderKey')}::text[],
          ${column('bundleDigest')}::text[], ${column('commit')}::text[],
          ${batch.map((row) => row.commits && JSON.stringify(row.commits))}::jsonb[], ${column('releaseId')}::uuid[],
          ${batch.map((row) => JSON.stringify(row.conditions))}::jsonb[])
          as found (id, cluster_id, render_key, bundle_digest, commit, commits, release_id, conditions)
        where applications.id = found.id
      `.execute(trx);
    }
  }

  /** Lets held removals of a set go on; answers how many. */
  async approve(trx: Trx, setId: string): Promise<number> {
    const { numAffectedRows } = await sql`
      update applications set held_reason = null, leaving_counted = false, version = version + 1, updated_at = now()
      where set_id = ${setId} and held_reason is not null
    `.execute(trx);
    return Number(numAffectedRows ?? 0n);
  }

  async approveOnes(trx: Trx, ids: readonly string[]): Promise<void> {
    await sql`
      update applications set held_reason = null, leaving_counted = false, version = version + 1, updated_at = now()
      where id = any(${ids}::uuid[]) and held_reason is not null
    `.execute(trx);
  }

  /** Notes that the deletion of a leaving Application was approved, under a manifest that says so. */
  async approveDeletion(trx: Trx, id: string, manifest: { sealed: Buffer; hash: string }): Promise<void> {
    // Whoever signs holds the row: what was signed before this is older than the approval.
    await sql`select from applications where id = ${id} for update`.execute(trx);
    await sql`
      update applications set manifest_sealed = ${manifest.sealed}, manifest_hash = ${manifest.hash},
        deletion_approved_at = clock_timestamp(), updated_at = now() where id = ${id}
    `.execute(trx);
  }

  async projectOf(namespace: string, name: string): Promise<string | undefined> {
    const { rows } = await sql<{ project: string }>`
      select project from applications where namespace = ${namespace} and name = ${name}
      union all
      (select project from departed_applications where namespace = ${namespace} and name = ${name}
        and decided_at > now() - interval '7 days' order by decided_at desc limit 1)
      limit 1
    `.execute(this.db);
    return rows[0]?.project;
  }

  /** Stops an Application from leaving, and makes it nobody's but its own; its set may take it back. */
  async detach(trx: Trx, id: string): Promise<void> {
    await sql`
      update applications set restored_from = set_id, set_id = null, leaving_at = null, leaving_action = null, held_reason = null,
        deletion_approved_at = null,
        leaving_counted = false, version = version + 1, updated_at = now() where id = ${id}
    `.execute(trx);
  }

  /** What an Application is assigned now; undefined: nothing, or its removal. */
  async assignedDigest(
    trx: Trx,
    id: string,
  ): Promise<{ digest: string; bundleDigest: string | null; clusterId: string } | undefined> {
    const row = await trx
      .selectFrom('assignments')
      .select(['assignment_digest', 'bundle_digest', 'cluster_id'])
      .where('application_id', '=', id)
      .where('action', '=', 'apply')
      .executeTakeFirst();
    if (!row?.assignment_digest) return undefined;
    return { digest: row.assignment_digest, bundleDigest: row.bundle_digest, clusterId: row.cluster_id };
  }

  /** The newest of what left under a name within a week. */
  departed(trx: Trx, namespace: string, name: string) {
    return trx
      .selectFrom('departed_applications')
      .selectAll()
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .where('gone_at', 'is not', null)
      .where(sql<boolean>`decided_at > now() - interval '7 days'`)
      .orderBy('decided_at', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** Gives a restored Application what was rendered for it last, so that it is applied again even if its source is gone. */
  async revive(trx: Trx, id: string, departedId: string): Promise<void> {
    await sql`
      update applications set restored_from = d.set_id, bundle_digest = d.bundle_digest, render_key = d.render_key, commit = d.commit, commits = d.commits
      from departed_applications d where d.id = ${departedId} and applications.id = ${id}
    `.execute(trx);
    await sql`delete from departed_applications where id = ${departedId}`.execute(trx);
  }

  async tombstoned(trx: Trx, ids: readonly string[]): Promise<void> {
    await sql`
      update applications set tombstoned_at = now() where id = any(${ids}::uuid[]) and leaving_at is not null and tombstoned_at is null
    `.execute(trx);
  }

  /** Those of `namespace/name` keys that belong to one of the projects. */
  async visible(keys: string[], projects: string[]): Promise<string[]> {
    const { rows } = await sql<{ key: string }>`
      select namespace || '/' || name as key from applications
      where namespace || '/' || name = any(${keys}::text[]) and project = any(${projects}::text[])
    `.execute(this.db);
    return rows.map((row) => row.key);
  }

  /** Owners of the Applications that follow revisions of a repository. */
  async ownersFollowing(
    db: Kysely<Schema>,
    repositoryId: string,
    revisions: readonly string[],
  ): Promise<Owner[]> {
    const { rows } = await sql<Owner>`
      select distinct case when a.set_id is null then 'application' else 'set' end as kind, coalesce(a.set_id, a.id) as id
      from application_sources s join applications a on a.id = s.application_id
      where s.repository_id = ${repositoryId} and s.revision = any(${revisions}::text[])
      union
      select owner_kind, owner_id from chart_dependencies
      where repository_id = ${repositoryId} and revision = any(${revisions}::text[])
    `.execute(db);
    return rows;
  }

  /** Owners of the Applications on some clusters, and of those whose destination is not known. */
  async ownersOn(trx: Trx, clusterIds: readonly string[]): Promise<Owner[]> {
    const { rows } = await sql<Owner>`
      select distinct case when set_id is null then 'application' else 'set' end as kind, coalesce(set_id, id) as id
      from applications where cluster_id = any(${clusterIds}::uuid[]) or cluster_id is null
    `.execute(trx);
    return rows;
  }

  async owners(trx: Trx): Promise<Owner[]> {
    const { rows } = await sql<Owner>`
      select distinct case when set_id is null then 'application' else 'set' end as kind, coalesce(set_id, id) as id
      from applications
    `.execute(trx);
    return rows;
  }

  async ownersInProject(db: Kysely<Schema>, project: string): Promise<Owner[]> {
    const { rows } = await sql<Owner>`
      select distinct case when set_id is null then 'application' else 'set' end as kind, coalesce(set_id, id) as id
      from applications where project = ${project}
    `.execute(db);
    return rows;
  }

  /** Owners of Applications whose grace is over and whose removal is not signed yet. */
  async ownersDue(trx: Trx): Promise<Owner[]> {
    const { rows } = await sql<Owner>`
      select distinct case when set_id is null then 'application' else 'set' end as kind, coalesce(set_id, id) as id
      from applications where leaving_at <= now() and held_reason is null and tombstoned_at is null
    `.execute(trx);
    return rows;
  }
}

/** Writes what Applications follow, where that is different. */
async function writeSources(
  trx: Trx,
  written: readonly { id: string; sources: readonly FollowedSource[] }[],
): Promise<void> {
  if (written.length === 0) return;
  const rows = written.flatMap(({ id, sources }) =>
    sources.map((one, position) => ({ id, position, ...one })),
  );
  await sql`
    insert into application_sources as known (application_id, position, repository_id, revision)
    select * from unnest(${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.position)}::integer[],
      ${rows.map((row) => row.repositoryId)}::uuid[], ${rows.map((row) => row.revision)}::text[])
    on conflict (application_id, position) do update set repository_id = excluded.repository_id, revision = excluded.revision
      where (known.repository_id, known.revision) is distinct from (excluded.repository_id, excluded.revision)
  `.execute(trx);
  await sql`
    delete from application_sources as known
    using unnest(${written.map((one) => one.id)}::uuid[], ${written.map((one) => one.sources.length)}::integer[]) as wanted (id, sources)
    where known.application_id = wanted.id and known.position >= wanted.sources
  `.execute(trx);
}

async function writeDependencies(
  trx: Trx,
  written: readonly { id: string; dependencies: readonly Dependency[] }[],
): Promise<void> {
  if (written.length === 0) return;
  const rows = written.flatMap(({ id, dependencies }) => dependencies.map((one) => ({ id, ...one })));
  const wanted = sql`select * from unnest(${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.kind)}::text[],
    ${rows.map((row) => row.namespace)}::text[], ${rows.map((row) => row.name)}::text[],
    ${rows.map((row) => (row.kind === 'stage' ? row.stage : ''))}::text[])`;
  await sql`
    delete from application_dependencies where application_id = any(${written.map((one) => one.id)}::uuid[])
      and (application_id, kind, namespace, name, stage) not in (${wanted})
  `.execute(trx);
  // Whoever waits by what was written before is looked at soon.
  await sql`
    update target_waits set looked_at = 'epoch' where (application_id, cluster_id) in (
      select application_id, cluster_id from target_waits where application_id = any(${written.map((one) => one.id)}::uuid[])
      order by 1, 2 for update)
  `.execute(trx);
  if (rows.length > 0)
    await sql`
      insert into application_dependencies (application_id, kind, namespace, name, stage) ${wanted} on conflict do nothing
    `.execute(trx);
}
