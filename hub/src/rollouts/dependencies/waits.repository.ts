import type { Dependency } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Owner } from '../../releases/owner.ts';
import { DATABASE } from '../../store/database.ts';
import type { Row, Schema, Trx } from '../../store/schema.ts';
import type { TargetIds } from '../../releases/targets.ts';
import type { DependencyBlocker } from './dependency-verdict.ts';

export interface Wait extends TargetIds {
  blockers: DependencyBlocker[];
}

/** A target by the names that agents use. */
export interface TargetKey {
  clusterId: string;
  namespace: string;
  name: string;
}

/** Something that happened to what others wait for, of which they are told apart from what told it. */
export type Later =
  | ({ kind: 'application' } & TargetKey)
  | { kind: 'stages'; setId: string }
  | { kind: 'cluster'; clusterId: string };

/** Who has to look again. */
export interface Woken {
  owners: Owner[];
  rollouts: string[];
  later: Later[];
}

const NONE: Woken = { owners: [], rollouts: [], later: [] };
/** So many targets are woken by whoever tells; more by a job. */
const INLINE = 100;

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

  /**
   * Of some targets, the ones in `waiting` wait from now on, and the others do not. What was told between their judgement and the
   * commit found nobody to wake, so those that begin to wait are looked at once more in a few seconds.
   */
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
      insert into target_waits (application_id, cluster_id, blockers, soon, looked_at)
      select w.*, now() - interval '55 seconds' from unnest(${waiting.map((one) => one.applicationId)}::uuid[], ${waiting.map((one) => one.clusterId)}::uuid[],
        ${waiting.map((one) => JSON.stringify(one.blockers.map(written)))}::jsonb[],
        ${waiting.map((one) => one.blockers.some(({ soon }) => soon))}::boolean[]) as w (application_id, cluster_id, blockers, soon)
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
   * and the rollouts of targets that are not started. Whoever reports waits for nobody here and pays for few rows:
   * what more than `INLINE` targets wait for, or what is being judged now, is answered as `later`.
   */
  async dependents(trx: Trx, keys: readonly TargetKey[]): Promise<Woken> {
    if (keys.length === 0) return NONE;
    const { rows } = await sql<{ at: number; application_id: string }>`
      with k as materialized (select * from ${numbered(keys)}),
      hit as materialized (
        select k.* from k where exists (select from application_dependencies d
          where d.kind = 'application' and d.namespace = k.namespace and d.name = k.name)
        union
        select k.* from k join applications o on o.namespace = k.namespace and o.name = k.name
        join application_sets s on s.id = o.set_id where exists (select from application_dependencies d
          where d.kind = 'set' and d.namespace = s.namespace and d.name = s.name))
      select k.at::int as at, d.application_id from hit k cross join lateral (
        select application_id from (${DEPENDENTS}) d limit ${INLINE + 1}) d
    `.execute(trx);
    const byKey = Map.groupBy(rows, ({ at }) => at);
    const few = [...byKey].filter(([, all]) => all.length <= INLINE);
    const targets = few.flatMap(([at, all]) =>
      all.map((row) => ({ applicationId: row.application_id, clusterId: keys[at]!.clusterId })),
    );
    const { owners, missed } = await this.#wake(trx, selected(targets), false);
    const later = [...byKey].filter(([, all]) => missed || all.length > INLINE).map(([at]) => keys[at]!);
    const byPolicy = await this.#rolloutsWaitingByPolicy(trx, keys);
    return {
      owners,
      rollouts: [...(await this.#rolloutsOf(trx, selected(targets))), ...byPolicy],
      later: later.map((key) => ({ kind: 'application', ...key })),
    };
  }

  /** The same of a whole set, whose stages are waited for wherever they are. */
  async dependentsOfSet(trx: Trx, setId: string): Promise<Woken> {
    const later: Later = { kind: 'stages', setId };
    if (await this.#isMuch(trx, later)) return { ...NONE, later: [later] };
    return this.wakeAll(trx, later, false);
  }

  /** Targets that wait in some clusters: their agents came or went. */
  async inClusters(trx: Trx, clusterIds: readonly string[]): Promise<Woken> {
    if (clusterIds.length === 0) return NONE;
    const { rows } = await sql<{ cluster_id: string; n: number }>`
      select cluster_id, count(*)::int as n from target_waits where cluster_id = any(${clusterIds}::uuid[]) group by cluster_id
    `.execute(trx);
    const few = rows.filter(({ n }) => n <= INLINE).map((row) => row.cluster_id);
    const { owners, missed } = await this.#wake(trx, waitingIn(few), false);
    const later = rows.filter(({ n }) => missed || n > INLINE);
    return {
      owners,
      rollouts: [],
      later: later.map((row): Later => ({ kind: 'cluster', clusterId: row.cluster_id })),
    };
  }

  /** All that was left for later, whatever the number. `patient`: what is being judged is waited for, and nothing is left again. */
  async wakeAll(trx: Trx, one: Later, patient: boolean): Promise<Woken> {
    const { owners, missed } = await this.#wake(trx, waiting(one), patient);
    const rollouts =
      one.kind === 'stages'
        ? await this.#rolloutsWaitingForStages(trx, one.setId)
        : one.kind === 'application'
          ? await this.#rolloutsOf(trx, dependentsOf(one))
          : [];
    return { owners, rollouts, later: missed ? [one] : [] };
  }

  /** What no transaction told, and what has not been looked at for a minute. */
  async overlooked(trx: Trx): Promise<Owner[]> {
    const { owners } = await this.#wake(
      trx,
      sql`select application_id, cluster_id from target_waits where soon or looked_at < now() - interval '1 minute'`,
      true,
    );
    return owners;
  }

  /** Whether so many targets wait that somebody else has to wake them. */
  async #isMuch(trx: Trx, one: Later): Promise<boolean> {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from (${waiting(one)} limit ${INLINE + 1}) w
    `.execute(trx);
    return rows[0]!.n > INLINE;
  }

  /**
   * Has waiting ones among some targets judged again; answers their owners. `patient`: in the order of their keys, so that nobody
   * waits in a circle; else `missed` says that somebody judges some of them now, and may have looked before this.
   */
  async #wake(
    trx: Trx,
    targets: RawBuilder<unknown>,
    patient: boolean,
  ): Promise<{ owners: Owner[]; missed: boolean }> {
    const { rows } = await sql<{ owners: Owner[]; missed: boolean }>`
      with wanted as materialized (${targets}),
      mine as materialized (
        select w.application_id, w.cluster_id from target_waits w join wanted using (application_id, cluster_id)
        ${patient ? sql`where not w.woken` : sql``}
        order by 1, 2 for update of w ${patient ? sql`` : sql`skip locked`}),
      marked as (update target_waits w set woken = true from mine
        where w.application_id = mine.application_id and w.cluster_id = mine.cluster_id and not w.woken),
      owned as (select distinct case when a.set_id is null then 'application' else 'set' end as kind, coalesce(a.set_id, a.id) as id
        from mine join applications a on a.id = mine.application_id)
      select coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'id', id)) from owned), '[]') as owners,
        ${patient ? sql`false` : sql`(select count(*) from mine) < (select count(*) from target_waits join wanted using (application_id, cluster_id))`} as missed
    `.execute(trx);
    return rows[0]!;
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

  async #rolloutsOf(trx: Trx, targets: RawBuilder<unknown>): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select distinct t.rollout_id as id from (${targets}) as k (application_id, cluster_id)
      join applications a on a.id = k.application_id
      join rollout_targets t on t.live and t.cluster_id = k.cluster_id and t.application_namespace = a.namespace
        and t.application_name = a.name
      where t.state in ${MAY_START}
    `.execute(trx);
    return rows.map((row) => row.id);
  }

  async #rolloutsWaitingForStages(trx: Trx, setId: string): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
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
    return rows.map((row) => row.id);
  }

  async #rolloutsWaitingByPolicy(trx: Trx, keys: readonly TargetKey[]): Promise<string[]> {
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

function numbered(keys: readonly TargetKey[]): RawBuilder<unknown> {
  return sql`unnest(${keys.map((_, i) => i)}::int[], ${keys.map((one) => one.clusterId)}::uuid[],
    ${keys.map((one) => one.namespace)}::text[], ${keys.map((one) => one.name)}::text[]) as k (at, cluster_id, namespace, name)`;
}

/** Applications in the cluster of `k` that wait for the Application `k`, or for all of its set. */
const DEPENDENTS = sql`
  select d.application_id, k.cluster_id from application_dependencies d join applications a on a.id = d.application_id
  where d.kind = 'application' and d.namespace = k.namespace and d.name = k.name and a.cluster_id = k.cluster_id
  union all
  select d.application_id, k.cluster_id from applications o join application_sets s on s.id = o.set_id
  join application_dependencies d on d.kind = 'set' and d.namespace = s.namespace and d.name = s.name
  join applications a on a.id = d.application_id and a.cluster_id = k.cluster_id
  where o.namespace = k.namespace and o.name = k.name`;

function dependentsOf(key: TargetKey): RawBuilder<unknown> {
  return sql`select distinct d.application_id, d.cluster_id from ${numbered([key])} cross join lateral (${DEPENDENTS}) d`;
}

function selected(targets: readonly TargetIds[]): RawBuilder<unknown> {
  return sql`select distinct * from unnest(${targets.map((one) => one.applicationId)}::uuid[],
    ${targets.map((one) => one.clusterId)}::uuid[]) as t (application_id, cluster_id)`;
}

/** The targets that wait for it. */
function waiting(one: Later): RawBuilder<unknown> {
  switch (one.kind) {
    case 'application':
      return dependentsOf(one);
    case 'stages':
      return sql`select distinct w.application_id, w.cluster_id from application_sets s
        join application_dependencies d on d.kind = 'stage' and d.namespace = s.namespace and d.name = s.name
        join target_waits w on w.application_id = d.application_id where s.id = ${one.setId}`;
    case 'cluster':
      return waitingIn([one.clusterId]);
  }
}

function waitingIn(clusterIds: readonly string[]): RawBuilder<unknown> {
  return sql`select application_id, cluster_id from target_waits where cluster_id = any(${clusterIds}::uuid[])`;
}

function written({ on, reason, since, soon }: DependencyBlocker) {
  return { on, reason, since: since === null ? null : new Date(since).toISOString(), soon };
}

function readBlocker(row: Row<'target_waits'>['blockers'][number]): DependencyBlocker {
  return { ...row, since: row.since === null ? null : Date.parse(row.since) };
}
