import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { Row, Schema, Trx } from '../store/schema.ts';
import type { Content, Hold, Proof, TargetIds } from '../releases/targets.ts';

/** Of pins `p`: `pinned by ada: an incident`. */
export const PINNED = sql<string | null>`'pinned by ' || p.pinned_by || ': ' || p.reason`;

interface ContentColumns {
  application_id: string;
  cluster_id: string;
  release_id: string | null;
  assignment_digest: string | null;
  bundle_digest: string | null;
  commit: string | null;
  commits: string[] | null;
}

/** SQL over `target_holds`, `target_proofs` and `rollout_problems`. */
@Injectable()
export class HoldsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  async holds(db: Kysely<Schema>, applicationIds: readonly string[]): Promise<Hold[]> {
    if (applicationIds.length === 0) return [];
    const rows = await db
      .selectFrom('target_holds as h')
      .leftJoin('target_pins as p', (join) =>
        join.onRef('p.application_id', '=', 'h.application_id').onRef('p.cluster_id', '=', 'h.cluster_id'),
      )
      .selectAll('h')
      .select(PINNED.as('pinned'))
      .where(sql<boolean>`h.application_id = any(${applicationIds}::uuid[])`)
      .execute();
    return rows.map((row) => ({ ...holdOf(row), pinned: row.pinned }));
  }

  /** Those of Applications that somebody pinned. */
  async pinned(db: Kysely<Schema>, applicationIds: readonly string[]): Promise<Hold[]> {
    if (applicationIds.length === 0) return [];
    const rows = await db
      .selectFrom('target_pins as p')
      .innerJoin('target_holds as h', (join) =>
        join.onRef('p.application_id', '=', 'h.application_id').onRef('p.cluster_id', '=', 'h.cluster_id'),
      )
      .selectAll('h')
      .select(PINNED.as('pinned'))
      .where(sql<boolean>`p.application_id = any(${applicationIds}::uuid[])`)
      .execute();
    return rows.map((row) => ({ ...holdOf(row), pinned: row.pinned }));
  }

  /** Of targets that wait for a rollout and are none of it: they joined its owner later. */
  async outside(db: Kysely<Schema>, rolloutId: string): Promise<Hold[]> {
    const { rows } = await sql<Row<'target_holds'>>`
      select h.* from target_holds h where h.rollout_id = ${rolloutId} and not exists (
        select from rollout_targets t where t.rollout_id = h.rollout_id and t.application_id = h.application_id
          and t.cluster_id = h.cluster_id)
    `.execute(db);
    return rows.map(holdOf);
  }

  /** What is pinned stays as it is. */
  async hold(trx: Trx, holds: readonly Hold[]): Promise<void> {
    if (holds.length === 0) return;
    await sql`
      insert into target_holds (application_id, cluster_id, release_id, assignment_digest, bundle_digest, commit, commits, rollout_id, reason, despite_windows)
      select * from unnest(${contentColumns(holds)}, ${holds.map((one) => one.rolloutId)}::uuid[], ${holds.map((one) => one.reason)}::text[],
        ${holds.map((one) => one.despiteWindows ?? false)}::boolean[])
        as k (application_id, cluster_id, release_id, assignment_digest, bundle_digest, commit, commits, rollout_id, reason, despite_windows)
      where not exists (select from target_pins p where p.application_id = k.application_id and p.cluster_id = k.cluster_id)
      on conflict (application_id, cluster_id) do update set release_id = excluded.release_id,
        assignment_digest = excluded.assignment_digest, bundle_digest = excluded.bundle_digest, commit = excluded.commit,
        commits = excluded.commits, rollout_id = excluded.rollout_id, reason = excluded.reason,
        despite_windows = excluded.despite_windows, held_at = now()
    `.execute(trx);
  }

  /** What is pinned stays. */
  async drop(trx: Trx, targets: readonly TargetIds[]): Promise<void> {
    if (targets.length === 0) return;
    await sql`
      delete from target_holds using unnest(${targets.map((one) => one.applicationId)}::uuid[],
        ${targets.map((one) => one.clusterId)}::uuid[]) as gone (application_id, cluster_id)
      where target_holds.application_id = gone.application_id and target_holds.cluster_id = gone.cluster_id
        and not exists (select from target_pins p where p.application_id = gone.application_id and p.cluster_id = gone.cluster_id)
    `.execute(trx);
  }

  async proofs(db: Kysely<Schema>, applicationIds: readonly string[]): Promise<Proof[]> {
    if (applicationIds.length === 0) return [];
    const rows = await db
      .selectFrom('target_proofs')
      .selectAll()
      .where(sql<boolean>`application_id = any(${applicationIds}::uuid[])`)
      .execute();
    return rows.map((row) => ({ ...idsOf(row), content: contentOfRow(row)! }));
  }

  async prove(trx: Trx, proofs: readonly Proof[]): Promise<void> {
    const whole = proofs.filter(({ content }) => content.bundleDigest !== null);
    if (whole.length === 0) return;
    await sql`
      insert into target_proofs (application_id, cluster_id, release_id, assignment_digest, bundle_digest, commit, commits)
      select * from unnest(${contentColumns(whole)})
      on conflict (application_id, cluster_id) do update set release_id = excluded.release_id,
        assignment_digest = excluded.assignment_digest, bundle_digest = excluded.bundle_digest, commit = excluded.commit,
        commits = excluded.commits, proven_at = now()
      where target_proofs.assignment_digest <> excluded.assignment_digest
    `.execute(trx);
  }

  /** Targets that became healthy at what they are assigned, and that no rollout watches. */
  async proveReported(
    trx: Trx,
    keys: readonly { clusterId: string; namespace: string; name: string }[],
  ): Promise<void> {
    if (keys.length === 0) return;
    await sql`
      insert into target_proofs (application_id, cluster_id, release_id, assignment_digest, bundle_digest, commit, commits)
      select a.application_id, a.cluster_id, a.release_id, a.assignment_digest, a.bundle_digest, d.commit, d.commits
      from unnest(${keys.map((one) => one.clusterId)}::uuid[], ${keys.map((one) => one.namespace)}::text[],
        ${keys.map((one) => one.name)}::text[]) as k (cluster_id, application_namespace, application_name)
      join assignments a using (cluster_id, application_namespace, application_name)
      join deployments d using (cluster_id, application_namespace, application_name, epoch, generation)
      where a.action = 'apply' and a.assignment_digest is not null and a.bundle_digest is not null and d.healthy_at is not null
        and exists (select from applications where id = a.application_id)
        and not exists (select from rollout_targets t where t.live and t.cluster_id = a.cluster_id
          and t.application_namespace = a.application_namespace and t.application_name = a.application_name)
      order by a.application_id, a.cluster_id
      on conflict (application_id, cluster_id) do update set release_id = excluded.release_id,
        assignment_digest = excluded.assignment_digest, bundle_digest = excluded.bundle_digest, commit = excluded.commit,
        commits = excluded.commits, proven_at = now()
      where target_proofs.assignment_digest <> excluded.assignment_digest
    `.execute(trx);
  }

  /** Notes why nothing newer is rolled out for an owner; undefined: there is no problem any more. */
  async problem(trx: Trx, ownerId: string, message: string | undefined): Promise<void> {
    if (message === undefined) {
      await sql`delete from rollout_problems where owner_id = ${ownerId}`.execute(trx);
      return;
    }
    await sql`
      insert into rollout_problems (owner_id, message) values (${ownerId}, ${message})
      on conflict (owner_id) do update set message = excluded.message, since = now()
      where rollout_problems.message <> excluded.message
    `.execute(trx);
  }
}

function contentColumns(rows: readonly (TargetIds & { content: Content | null })[]) {
  const column = <K extends keyof Content>(name: K) => rows.map(({ content }) => content?.[name] ?? null);
  const commits = rows.map(({ content }) => (content?.commits ? JSON.stringify(content.commits) : null));
  return sql`${rows.map((one) => one.applicationId)}::uuid[], ${rows.map((one) => one.clusterId)}::uuid[],
    ${column('releaseId')}::uuid[], ${column('digest')}::text[], ${column('bundleDigest')}::text[],
    ${column('commit')}::text[], ${commits}::jsonb[]`;
}

function idsOf(row: ContentColumns): TargetIds {
  return { applicationId: row.application_id, clusterId: row.cluster_id };
}

function holdOf(row: Row<'target_holds'>): Hold {
  const { rollout_id: rolloutId, reason, despite_windows: despiteWindows } = row;
  return { ...idsOf(row), content: contentOfRow(row), rolloutId, reason, despiteWindows };
}

function contentOfRow(row: ContentColumns): Content | null {
  if (row.assignment_digest === null) return null;
  return {
    releaseId: row.release_id,
    digest: row.assignment_digest,
    bundleDigest: row.bundle_digest,
    commit: row.commit,
    commits: row.commits,
  };
}
