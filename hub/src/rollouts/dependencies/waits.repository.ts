import type { Dependency } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { Owner } from '../../releases/owner.ts';
import { DATABASE } from '../../store/database.ts';
import type { Row, Schema, Trx } from '../../store/schema.ts';
import type { TargetIds } from '../target-content.ts';
import type { DependencyBlocker } from './dependency-verdict.ts';

export interface Wait extends TargetIds {
  blockers: DependencyBlocker[];
}

/** States of a rollout's target in which it may be started yet. */
const MAY_START = sql`('waiting', 'deferred', 'manual', 'pinned', 'failed')`;

/** SQL over `target_waits`, and over who waits for whom. Without dependencies all of it is empty. */
@Injectable()
export class WaitsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Notes what the policy of a rollout waits for, to be found by. */
  async noteRollout(trx: Trx, rolloutId: string, dependencies: readonly Dependency[]): Promise<void> {
    if (dependencies.length === 0) return;
    const column = (name: 'kind' | 'namespace' | 'name') => dependencies.map((one) => one[name]);
    await sql`
      insert into rollout_dependencies (rollout_id, kind, namespace, name)
      select ${rolloutId}::uuid, * from unnest(${column('kind')}::text[], ${column('namespace')}::text[], ${column('name')}::text[])
      on conflict do nothing
    `.execute(trx);
  }

  /** Of some targets, the ones in `waiting` wait from now on, and the others do not. */
  async write(trx: Trx, targets: readonly TargetIds[], waiting: readonly Wait[]): Promise<void> {
    await sql`
      delete from target_waits where (application_id, cluster_id) in (
        select w.application_id, w.cluster_id from target_waits w
        join unnest(${targets.map((one) => one.applicationId)}::uuid[], ${targets.map((one) => one.clusterId)}::uuid[])
          as k (application_id, cluster_id) using (application_id, cluster_id)
        where (w.application_id, w.cluster_id) not in (select * from unnest(
          ${waiting.map((one) => one.applicationId)}::uuid[], ${waiting.map((one) => one.clusterId)}::uuid[]))
        order by 1, 2 for update of w)
    `.execute(trx);
    if (waiting.length === 0) return;
    await sql`
      insert into target_waits (application_id, cluster_id, blockers, soon)
      select * from unnest(${waiting.map((one) => one.applicationId)}::uuid[], ${waiting.map((one) => one.clusterId)}::uuid[],
        ${waiting.map((one) => JSON.stringify(one.blockers.map(written)))}::jsonb[],
        ${waiting.map((one) => one.blockers.some(({ soon }) => soon))}::boolean[]) as w (application_id, cluster_id)
      order by 1, 2
      on conflict (application_id, cluster_id) do update set blockers = excluded.blockers, soon = excluded.soon, woken = false,
        looked_at = now()
    `.execute(trx);
  }

  /** Applications of an owner that wait, and of which something was heard that they wait for. */
  async woken(trx: Trx, owner: Owner): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select w.application_id as id from target_waits w join applications a on a.id = w.application_id
      where w.woken and ${owner.kind === 'set' ? sql`a.set_id` : sql`a.id`} = ${owner.id}
      order by w.application_id, w.cluster_id for update of w
    `.execute(trx);
    return [...new Set(rows.map((row) => row.id))];
  }

  /** Forgets those that are still marked after they were judged: they are to be given nothing. */
  async settled(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    await sql`delete from target_waits where woken and application_id = any(${applicationIds}::uuid[])`.execute(
      trx,
    );
  }

  /**
   * Wakes what waits for Applications in clusters: answers the owners of targets that are not given what they are to hold,
   * and the rollouts of targets that are not started.
   */
  async dependents(
    trx: Trx,
    keys: readonly { clusterId: string; namespace: string; name: string }[],
  ): Promise<{ owners: Owner[]; rollouts: string[] }> {
    if (keys.length === 0) return { owners: [], rollouts: [] };
    const { rows } = await sql<{ application_id: string; cluster_id: string }>`
      select distinct d.application_id, k.cluster_id
      from unnest(${keys.map((one) => one.clusterId)}::uuid[], ${keys.map((one) => one.namespace)}::text[],
        ${keys.map((one) => one.name)}::text[]) as k (cluster_id, namespace, name)
      join application_dependencies d on d.kind = 'application' and d.namespace = k.namespace and d.name = k.name
      union
      select d.application_id, k.cluster_id
      from unnest(${keys.map((one) => one.clusterId)}::uuid[], ${keys.map((one) => one.namespace)}::text[],
        ${keys.map((one) => one.name)}::text[]) as k (cluster_id, namespace, name)
      join applications a on a.namespace = k.namespace and a.name = k.name
      join application_sets s on s.id = a.set_id
      join application_dependencies d on d.kind = 'set' and d.namespace = s.namespace and d.name = s.name
    `.execute(trx);
    const targets = rows.map((row) => ({ applicationId: row.application_id, clusterId: row.cluster_id }));
    const policies = await this.#rolloutsWaitingByPolicy(trx, keys);
    return {
      owners: await this.wake(trx, targets),
      rollouts: [...(await this.#rolloutsOf(trx, targets)), ...policies],
    };
  }

  /** The same of a whole set, whose stages are waited for wherever they are. */
  async dependentsOfSet(trx: Trx, setId: string): Promise<{ owners: Owner[]; rollouts: string[] }> {
    const { rows } = await sql<{ application_id: string; cluster_id: string }>`
      select w.application_id, w.cluster_id from application_sets s
      join application_dependencies d on d.kind = 'stage' and d.namespace = s.namespace and d.name = s.name
      join target_waits w on w.application_id = d.application_id
      where s.id = ${setId}
    `.execute(trx);
    const targets = rows.map((row) => ({ applicationId: row.application_id, clusterId: row.cluster_id }));
    const { rows: rollouts } = await sql<{ id: string }>`
      select distinct t.rollout_id as id from application_sets s
      join application_dependencies d on d.kind = 'stage' and d.namespace = s.namespace and d.name = s.name
      join applications a on a.id = d.application_id
      join rollout_targets t on t.live and t.cluster_id = a.cluster_id and t.application_namespace = a.namespace
        and t.application_name = a.name and t.state in ${MAY_START}
      where s.id = ${setId}
      union
      select d.rollout_id from application_sets s
      join rollout_dependencies d on d.kind = 'stage' and d.namespace = s.namespace and d.name = s.name
      join rollouts r on r.id = d.rollout_id and r.ended_at is null
      where s.id = ${setId}
    `.execute(trx);
    return { owners: await this.wake(trx, targets), rollouts: rollouts.map((row) => row.id) };
  }

  /** Targets that wait in some clusters: their agents came or went. */
  async inClusters(trx: Trx, clusterIds: readonly string[]): Promise<Owner[]> {
    if (clusterIds.length === 0) return [];
    const { rows } = await sql<{ application_id: string; cluster_id: string }>`
      select application_id, cluster_id from target_waits where cluster_id = any(${clusterIds}::uuid[])
    `.execute(trx);
    return this.wake(
      trx,
      rows.map((row) => ({ applicationId: row.application_id, clusterId: row.cluster_id })),
    );
  }

  /** What no transaction told, and what has not been looked at for a minute. */
  async overlooked(trx: Trx): Promise<Owner[]> {
    const { rows } = await sql<{ application_id: string; cluster_id: string }>`
      select application_id, cluster_id from target_waits where soon or looked_at < now() - interval '1 minute'
    `.execute(trx);
    return this.wake(
      trx,
      rows.map((row) => ({ applicationId: row.application_id, clusterId: row.cluster_id })),
    );
  }

  /** Has waiting ones among some targets judged again; answers their owners. In the order of their keys: nobody waits in a circle. */
  async wake(trx: Trx, targets: readonly TargetIds[]): Promise<Owner[]> {
    if (targets.length === 0) return [];
    const { rows } = await sql<{ kind: Owner['kind']; id: string }>`
      with mine as materialized (
        select w.application_id, w.cluster_id from target_waits w
        join (select distinct * from unnest(${targets.map((one) => one.applicationId)}::uuid[],
          ${targets.map((one) => one.clusterId)}::uuid[]) as k (application_id, cluster_id)) k using (application_id, cluster_id)
        order by 1, 2 for update of w),
      marked as (update target_waits w set woken = true from mine
        where w.application_id = mine.application_id and w.cluster_id = mine.cluster_id returning w.application_id)
      select distinct case when a.set_id is null then 'application' else 'set' end as kind, coalesce(a.set_id, a.id) as id
      from marked join applications a on a.id = marked.application_id
    `.execute(trx);
    return rows;
  }

  /** What targets wait for, as it was last judged; those that do not wait are left out. */
  async waits(
    db: Kysely<Schema>,
    applicationIds: readonly string[],
  ): Promise<(TargetIds & { blockers: DependencyBlocker[]; since: Date })[]> {
    if (applicationIds.length === 0) return [];
    const rows = await db
      .selectFrom('target_waits')
      .selectAll()
      .where(sql<boolean>`application_id = any(${applicationIds}::uuid[])`)
      .execute();
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      since: row.since,
      blockers: row.blockers.map(readBlocker),
    }));
  }

  async #rolloutsOf(trx: Trx, targets: readonly TargetIds[]): Promise<string[]> {
    if (targets.length === 0) return [];
    const { rows } = await sql<{ id: string }>`
      select distinct t.rollout_id as id from unnest(${targets.map((one) => one.applicationId)}::uuid[],
        ${targets.map((one) => one.clusterId)}::uuid[]) as k (application_id, cluster_id)
      join applications a on a.id = k.application_id
      join rollout_targets t on t.live and t.cluster_id = k.cluster_id and t.application_namespace = a.namespace
        and t.application_name = a.name
      where t.state in ${MAY_START}
    `.execute(trx);
    return rows.map((row) => row.id);
  }

  async #rolloutsWaitingByPolicy(
    trx: Trx,
    keys: readonly { clusterId: string; namespace: string; name: string }[],
  ): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select distinct d.rollout_id as id
      from unnest(${keys.map((one) => one.clusterId)}::uuid[], ${keys.map((one) => one.namespace)}::text[],
        ${keys.map((one) => one.name)}::text[]) as k (cluster_id, namespace, name)
      join applications a on a.namespace = k.namespace and a.name = k.name
      left join application_sets s on s.id = a.set_id
      join rollout_dependencies d on (d.kind = 'application' and d.namespace = k.namespace and d.name = k.name)
        or (d.kind <> 'application' and d.namespace = s.namespace and d.name = s.name)
      join rollouts r on r.id = d.rollout_id and r.ended_at is null
      where exists (select from rollout_targets t where t.rollout_id = d.rollout_id and t.live and t.state in ${MAY_START}
        and (d.kind <> 'set' or t.cluster_id = k.cluster_id))
    `.execute(trx);
    return rows.map((row) => row.id);
  }
}

function written({ on, reason, since, soon }: DependencyBlocker) {
  return { on, reason, since: since === null ? null : new Date(since).toISOString(), soon };
}

function readBlocker(row: Row<'target_waits'>['blockers'][number]): DependencyBlocker {
  return { ...row, since: row.since === null ? null : Date.parse(row.since) };
}
