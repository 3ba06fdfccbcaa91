import type { Dependency, Rollout, StageState } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../../store/database.ts';
import { IS_CONNECTED } from '../../store/lease.ts';
import type { Schema } from '../../store/schema.ts';
import type { TargetIds } from '../../releases/targets.ts';
import type { AwaitedStage, AwaitedTarget } from './dependency-verdict.ts';

/** Something that is waited for in a cluster. */
export interface Wanted {
  dependency: Extract<Dependency, { kind: 'application' | 'set' }>;
  /** Null: wherever it is. */
  clusterId: string | null;
}

/** What was found of one `Wanted`, in its order: the Applications that are meant. */
export interface Found {
  /** Its name; undefined: the cluster is gone, or it is on none. */
  cluster: string | undefined;
  /** The set is there; of an Application: itself. */
  there: boolean;
  targets: AwaitedTarget[];
}

/** Whatever has an owner expanded or rendered now: its newest release may be another one in a moment. */
const IS_PENDING = sql<boolean>`exists (
  select from outbox o where o.queue in ('expand', 'render') and o.key in ('set:' || b.owner_id, 'application:' || b.owner_id)
    and (o.not_before is null or o.not_before <= now()))`;

interface FactsRow {
  at: number;
  cluster: string | null;
  there: boolean;
  id: string | null;
  namespace: string;
  name: string;
  elsewhere: string | null;
  is_elsewhere: boolean;
  going: boolean;
  pending: boolean;
  held: boolean;
  expected: string | null;
  assigned: string | null;
  applied: boolean;
  connected: boolean;
  silent_since: Date | null;
  heard: boolean;
  health: string | null;
  health_since: Date | null;
  observed: boolean;
}

/** Reads of what is waited for: one statement each, whatever the size. */
@Injectable()
export class DependencyFacts {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** What Applications say that they wait for. */
  async declared(db: Kysely<Schema>, applicationIds: readonly string[]): Promise<Map<string, Dependency[]>> {
    const out = new Map<string, Dependency[]>();
    if (applicationIds.length === 0) return out;
    const rows = await db
      .selectFrom('application_dependencies')
      .selectAll()
      .where(sql<boolean>`application_id = any(${[...new Set(applicationIds)]}::uuid[])`)
      .orderBy('application_id')
      .orderBy('kind')
      .orderBy('namespace')
      .orderBy('name')
      .orderBy('stage')
      .execute();
    for (const { application_id: id, kind, namespace, name, stage } of rows) {
      const known = out.get(id) ?? [];
      known.push(kind === 'stage' ? { kind, namespace, name, stage } : { kind, namespace, name });
      out.set(id, known);
    }
    return out;
  }

  /** The Applications that are meant, and how they are. */
  async find(db: Kysely<Schema>, wanted: readonly Wanted[]): Promise<Found[]> {
    if (wanted.length === 0) return [];
    const column = (name: 'kind' | 'namespace' | 'name') => wanted.map(({ dependency }) => dependency[name]);
    const { rows } = await sql<FactsRow>`
      select w.at::int as at, c.name as cluster, s.id is not null or b.id is not null as there, b.id, b.namespace, b.name,
        e.name as elsewhere, w.cluster_id is null or b.cluster_id is distinct from w.cluster_id as is_elsewhere, b.going,
        ${IS_PENDING} as pending, ${COLUMNS}
      from (select k.at, k.kind, k.namespace, k.name, coalesce(k.cluster_id, o.cluster_id) as cluster_id
        from unnest(${wanted.map((_, i) => i)}::int[], ${column('kind')}::text[], ${column('namespace')}::text[],
          ${column('name')}::text[], ${wanted.map(({ clusterId }) => clusterId)}::uuid[]) as k (at, kind, namespace, name, cluster_id)
        left join applications o on k.cluster_id is null and o.namespace = k.namespace and o.name = k.name) as w
      left join clusters c on c.id = w.cluster_id
      left join application_sets s on w.kind = 'set' and s.namespace = w.namespace and s.name = w.name
      left join lateral (
        select ${APPLICATION} from applications a where w.kind = 'application' and a.namespace = w.namespace and a.name = w.name
        union all
        select ${APPLICATION} from applications a where a.set_id = s.id and a.cluster_id = w.cluster_id
      ) b on true
      ${STATE}
      left join clusters e on e.id = b.cluster_id
      order by w.at, b.namespace, b.name
    `.execute(db);
    const found = wanted.map((): Found => ({ cluster: undefined, there: false, targets: [] }));
    for (const row of rows) {
      const one = found[row.at]!;
      one.cluster = row.cluster ?? undefined;
      one.there = row.there;
      if (row.id !== null) one.targets.push(targetOf(row));
    }
    return found;
  }

  /** Stages of sets, by the order in which they were asked for; those of sets that there are not are undefined. */
  async stages(
    db: Kysely<Schema>,
    wanted: readonly Extract<Dependency, { kind: 'stage' }>[],
  ): Promise<(AwaitedStage | undefined)[]> {
    if (wanted.length === 0) return [];
    const { rows } = await sql<{
      at: number;
      pending: boolean;
      released: boolean;
      rollout_id: string | null;
      state: unknown;
    }>`
      select w.at::int as at, ${IS_PENDING} as pending, exists (select from releases where owner_id = b.owner_id) as released,
        r.id as rollout_id, r.state
      from unnest(${wanted.map((_, i) => i)}::int[], ${wanted.map((one) => one.namespace)}::text[],
        ${wanted.map((one) => one.name)}::text[]) as w (at, namespace, name)
      join lateral (select id as owner_id from application_sets s where s.namespace = w.namespace and s.name = w.name
        and s.deleting_at is null) b on true
      left join lateral (select id, state from rollouts where owner_id = b.owner_id
        order by created_at desc, id desc limit 1) r on true
    `.execute(db);
    const out: (AwaitedStage | undefined)[] = wanted.map(() => undefined);
    for (const row of rows) {
      const rollout = row.state as Rollout | null;
      const stages = rollout?.stages ?? [];
      const index = stages.findIndex((stage: StageState) => stage.name === wanted[row.at]!.stage);
      out[row.at] = {
        pending: row.pending,
        released: row.released,
        rollout: rollout && { id: row.rollout_id!, rollout, index },
      };
    }
    return out;
  }

  /** Targets of a stage of a rollout that take part in it, as they are now; -1: of all stages. */
  async ofStage(db: Kysely<Schema>, rolloutId: string, index: number): Promise<AwaitedTarget[]> {
    const rows = await db
      .selectFrom('rollout_targets')
      .select(['application_id', 'cluster_id'])
      .where('rollout_id', '=', rolloutId)
      .$if(index >= 0, (all) => all.where('stage', '=', index))
      .where(sql<boolean>`state not in ('gone', 'pinned', 'skipped', 'deferred')`)
      .execute();
    return this.#now(
      db,
      rows.map((row) => ({ applicationId: row.application_id, clusterId: row.cluster_id })),
    );
  }

  /** All that a set has in clusters. */
  async ofSet(db: Kysely<Schema>, set: { namespace: string; name: string }): Promise<AwaitedTarget[]> {
    const rows = await db
      .selectFrom('applications as a')
      .innerJoin('application_sets as s', 's.id', 'a.set_id')
      .select(['a.id', 'a.cluster_id'])
      .where('s.namespace', '=', set.namespace)
      .where('s.name', '=', set.name)
      .where('a.cluster_id', 'is not', null)
      .execute();
    return this.#now(
      db,
      rows.map((row) => ({ applicationId: row.id, clusterId: row.cluster_id! })),
    );
  }

  async #now(db: Kysely<Schema>, targets: readonly TargetIds[]): Promise<AwaitedTarget[]> {
    if (targets.length === 0) return [];
    const { rows } = await sql<FactsRow>`
      select 0 as at, c.name as cluster, true as there, b.id, b.namespace, b.name,
        null as elsewhere, b.cluster_id is distinct from w.cluster_id as is_elsewhere, b.going, false as pending,
        ${COLUMNS}
      from unnest(${targets.map((one) => one.applicationId)}::uuid[], ${targets.map((one) => one.clusterId)}::uuid[])
        as w (application_id, cluster_id)
      join clusters c on c.id = w.cluster_id
      join lateral (select ${APPLICATION} from applications a where a.id = w.application_id) b on true
      ${STATE}
    `.execute(db);
    return rows.map(targetOf);
  }
}

const APPLICATION = sql`a.id, a.namespace, a.name, a.cluster_id, coalesce(a.set_id, a.id) as owner_id,
  a.leaving_at is not null or a.tombstoned_at is not null as going`;

/** What the Application `b` is to hold in the cluster of `w`, what it is assigned there, and what its agent says. */
const STATE = sql`
  left join target_holds h on h.application_id = b.id and h.cluster_id = w.cluster_id
  left join lateral (select id from releases where owner_id = b.owner_id order by number desc limit 1) r on true
  left join release_targets t on t.release_id = r.id and t.application_id = b.id and t.cluster_id = w.cluster_id
  left join assignments g on g.cluster_id = w.cluster_id and g.application_namespace = b.namespace
    and g.application_name = b.name and g.application_id = b.id
  left join target_status st on st.cluster_id = w.cluster_id and st.application_namespace = b.namespace
    and st.application_name = b.name
  left join deployments d on d.cluster_id = g.cluster_id and d.application_namespace = g.application_namespace
    and d.application_name = g.application_name and d.epoch = g.epoch and d.generation = g.generation`;

const COLUMNS = sql`h.application_id is not null as held,
  case when h.application_id is null then t.assignment_digest else h.assignment_digest end as expected,
  case when g.action = 'apply' then g.assignment_digest end as assigned,
  coalesce(st.applied_digest = g.bundle_digest
    and (st.applied_epoch, st.applied_generation) >= (g.epoch, g.generation), false) as applied,
  coalesce(${IS_CONNECTED}, false) as connected, c.last_seen_at as silent_since,
  coalesce(c.last_seen_at > c.connected_at or st.received_at > c.connected_at, false) as heard,
  st.health, st.health_since, coalesce(st.observed_at >= st.applied_at or d.healthy_at is not null, false) as observed`;

function targetOf(row: FactsRow): AwaitedTarget {
  return {
    namespace: row.namespace,
    name: row.name,
    cluster: row.cluster ?? '',
    elsewhere: row.is_elsewhere ? { cluster: row.elsewhere } : null,
    going: row.going,
    pending: row.pending,
    expected: row.expected,
    held: row.held,
    assigned: row.assigned,
    applied: row.applied,
    connected: row.connected,
    silentSince: row.silent_since,
    heard: row.heard,
    health: row.health,
    healthSince: row.health_since,
    observed: row.observed,
  };
}
