import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { APPLICATION_STATE_TABLES, HEALTH_NOW, SYNC_NOW } from '../store/application-state.ts';
import { SILENT_SINCE } from '../store/lease.ts';
import { DATABASE } from '../store/database.ts';
import type { ApplicationCondition, Schema, SetCondition } from '../store/schema.ts';

/** One target with all that is written about it. */
export interface WhyRow {
  id: string;
  namespace: string;
  name: string;
  project: string;
  set_id: string | null;
  set_name: string | null;
  set_conditions: SetCondition[] | null;
  /** Read where it is OutOfSync: what it says of syncs is asked then. */
  manifest_sealed: Buffer | null;
  conditions: ApplicationCondition[];
  bundle_digest: string | null;
  commit: string | null;
  destination: string;
  leaving_at: Date | null;
  leaving_action: string | null;
  held_reason: string | null;
  tombstoned_at: Date | null;
  is_root: boolean;
  cluster_name: string | null;
  cluster_state: 'pending' | 'active' | 'recovered' | 'removing' | null;
  cluster_created_at: Date | null;
  last_seen_at: Date | null;
  silent_since: Date | null;
  release_number: bigint | null;
  release_cause: string | null;
  problem: string | null;
  problem_since: Date | null;
  /** What the target is held at, where it is. */
  is_held: boolean;
  held_digest: string | null;
  held_since: Date | null;
  hold_reason: string | null;
  hold_rollout: string | null;
  held_number: bigint | null;
  held_cause: string | null;
  hold_phase: string | null;
  hold_label: string | null;
  hold_failure: string | null;
  pinned_by: string | null;
  pin_reason: string | null;
  pinned_at: Date | null;
  pin_expires_at: Date | null;
  /** What it depends on and is not healthy, as it was last judged. */
  waits: { on: string; reason: string }[] | null;
  waits_since: Date | null;
  wanted_digest: string | null;
  action: 'apply' | 'orphan' | 'uninstall' | null;
  assignment_digest: string | null;
  signed_at: Date | null;
  acked_at: Date | null;
  refused: string | null;
  reports_current: boolean;
  applied_current: boolean;
  sync_now: string;
  health_now: string;
  /** What the cluster said of what it holds, newer releases left aside. */
  said_sync: string | null;
  said_health: string | null;
  health_message: string | null;
  observed_at: Date | null;
  sync_since: Date | null;
  health_since: Date | null;
  status_conditions: ApplicationCondition[] | null;
  operation: Record<string, unknown> | null;
  unhealthy: { kind?: string; name?: string; health?: string; message?: string }[] | null;
}

export interface WhyFilter {
  projects: '*' | string[];
  /** One Application; without it `setId`. */
  one?: { namespace: string; name: string };
  /** All of a set. */
  setId?: string;
  cluster?: string | undefined;
  after?: { namespace: string; name: string } | undefined;
  limit: number;
}

export interface WhySet {
  id: string;
  namespace: string;
  name: string;
  project: string;
  conditions: SetCondition[];
  deleting_at: Date | null;
  problem: string | null;
  problem_since: Date | null;
}

/** What is answered of each as it is; the objects of an Application, and its manifest, stay in the database. */
const COLUMNS = sql.raw(`
  id, namespace, name, project, set_id, set_name, set_conditions, conditions, bundle_digest, "commit", destination, leaving_at,
  leaving_action, held_reason, tombstoned_at, is_root, cluster_name, cluster_state, cluster_created_at, last_seen_at,
  silent_since, release_number, release_cause, problem, problem_since, is_held, held_digest, held_since, hold_reason,
  hold_rollout, held_number, held_cause, hold_phase, hold_label, hold_failure, pinned_by, pin_reason, pinned_at, pin_expires_at,
  waits, waits_since, wanted_digest, action, assignment_digest, signed_at, acked_at, refused, reports_current, applied_current,
  sync_now, health_now, said_sync, said_health, health_message, observed_at, sync_since, health_since, status_conditions,
  operation`);

/**
 * Reads what all capabilities know of targets (sources, releases, holds, assignments, clusters, reports), a page of targets a
 * statement: what blocks one is spread over all of them.
 */
@Injectable()
export class WhyRepository {
  constructor(@Inject(DATABASE) private readonly db: Kysely<Schema>) {}

  /** In the order of their names. */
  async targets(filter: WhyFilter): Promise<WhyRow[]> {
    const where: RawBuilder<unknown>[] = [sql`true`];
    const owner = filter.setId
      ? sql`${filter.setId}::uuid`
      : sql`(select coalesce(set_id, id) from applications where namespace = ${filter.one!.namespace} and name = ${filter.one!.name})`;
    if (filter.projects !== '*') where.push(sql`a.project = any(${filter.projects}::text[])`);
    if (filter.one) where.push(sql`a.namespace = ${filter.one.namespace} and a.name = ${filter.one.name}`);
    if (filter.setId) where.push(sql`a.set_id = ${filter.setId}`);
    if (filter.cluster) where.push(sql`c.name = ${filter.cluster}`);
    if (filter.after)
      where.push(sql`(a.namespace, a.name) > (${filter.after.namespace}, ${filter.after.name})`);
    const { rows } = await sql<WhyRow>`
      with ended as materialized (
        select id, phase, state -> 'to' ->> 'label' as label, state -> 'failure' ->> 'reason' as failure from rollouts
        where ended_at is not null and owner_id = ${owner})
      select ${COLUMNS}, case when 'OutOfSync' in (sync_now, said_sync) then sealed end as manifest_sealed,
        case when health_now <> 'Healthy' then (
          select jsonb_agg(jsonb_build_object('kind', o.value -> 'kind', 'name', o.value -> 'name', 'health', o.value -> 'health',
            'message', o.value -> 'message'))
          from (select value from jsonb_each(resources) where value ->> 'health' in ('Degraded', 'Missing', 'Progressing', 'Suspended')
            order by (value ->> 'health') <> 'Degraded', key limit 5) as o) end as unhealthy
      from (
        select a.id, a.namespace, a.name, a.project, a.set_id, s.namespace || '/' || s.name as set_name, s.conditions as set_conditions,
          a.manifest_sealed as sealed, a.conditions, a.bundle_digest, a.commit, a.destination, a.leaving_at, a.leaving_action, a.held_reason,
          a.tombstoned_at, hr.application_id is not null as is_root, c.name as cluster_name, c.state as cluster_state,
          c.created_at as cluster_created_at, c.last_seen_at,
          ${SILENT_SINCE} as silent_since,
          r.number as release_number, r.cause as release_cause, p.message as problem, p.since as problem_since,
          th.application_id is not null as is_held, th.assignment_digest as held_digest, th.held_at as held_since,
          th.reason as hold_reason, th.rollout_id as hold_rollout, hl.number as held_number, hl.cause as held_cause,
          ro.phase as hold_phase, ro.label as hold_label, ro.failure as hold_failure,
          w.blockers as waits, w.since as waits_since, tp.pinned_by, tp.reason as pin_reason, tp.pinned_at, tp.expires_at as pin_expires_at,
          case when th.application_id is null then rt.assignment_digest else th.assignment_digest end as wanted_digest,
          g.action, g.assignment_digest, g.created_at as signed_at, g.acked_at, g.refused,
          coalesce((t.epoch, t.generation) >= (g.epoch, g.generation), hr.application_id is not null) as reports_current,
          coalesce(t.applied_digest = g.bundle_digest, hr.application_id is not null) as applied_current,
          ${SYNC_NOW} as sync_now, ${HEALTH_NOW} as health_now, t.sync as said_sync, t.health as said_health,
          coalesce(nullif(t.health_message, ''), hr.health_message) as health_message,
          coalesce(t.observed_at, hr.observed_at) as observed_at, coalesce(t.sync_since, hr.sync_since) as sync_since,
          coalesce(t.health_since, hr.health_since) as health_since,
          coalesce(t.conditions, '[]') || coalesce(hr.conditions, '[]') as status_conditions,
          coalesce(hr.operation, t.operation) as operation, coalesce(t.resources, '{}') as resources
        from ${APPLICATION_STATE_TABLES}
        left join application_sets s on s.id = a.set_id
        left join releases r on r.id = a.release_id
        left join releases hl on hl.id = th.release_id
        left join ended ro on ro.id = th.rollout_id
        left join target_waits w on w.application_id = a.id and w.cluster_id = a.cluster_id
        left join rollout_problems p on p.owner_id = coalesce(a.set_id, a.id)
        where ${sql.join(where, sql` and `)}
        order by a.namespace, a.name limit ${filter.limit}
      ) as found
      order by namespace, name
    `.execute(this.db);
    return rows;
  }

  /** Sources of Applications that cannot be read now, or whose revision is not there. */
  async brokenSources(
    applicationIds: readonly string[],
  ): Promise<{ applicationId: string; url: string; revision: string; error: string }[]> {
    const { rows } = await sql<{ application_id: string; url: string; revision: string; error: string }>`
      select s.application_id, r.display_url as url, s.revision, coalesce(tr.error, r.last_fetch_error) as error
      from application_sources s
      join repositories r on r.id = s.repository_id
      left join tracked_revisions tr on tr.repository_id = s.repository_id and tr.revision = s.revision
      where s.application_id = any(${applicationIds}::uuid[]) and coalesce(tr.error, r.last_fetch_error) is not null
      order by s.application_id, s.position
    `.execute(this.db);
    return rows.map(({ application_id, ...rest }) => ({ applicationId: application_id, ...rest }));
  }

  /** What is to be done for an owner (`set:<id>`, `application:<id>`) and was not yet, oldest first. */
  async work(ownerKey: string): Promise<{ queue: string; since: Date; attempts: number }[]> {
    const rows = await this.db
      .selectFrom('outbox')
      .select(['queue', 'created_at', 'attempts'])
      .where('key', '=', ownerKey)
      .where('queue', 'in', ['expand', 'render', 'assign', 'rollout'])
      .where(sql<boolean>`(not_before is null or not_before <= now() or attempts > 0)`)
      .orderBy('created_at')
      .execute();
    return rows.map(({ queue, created_at, attempts }) => ({ queue, since: created_at, attempts }));
  }

  async set(namespace: string, name: string): Promise<WhySet | undefined> {
    return this.db
      .selectFrom('application_sets as s')
      .leftJoin('rollout_problems as p', 'p.owner_id', 's.id')
      .select(['s.id', 's.namespace', 's.name', 's.project', 's.conditions', 's.deleting_at'])
      .select(['p.message as problem', 'p.since as problem_since'])
      .where('s.namespace', '=', namespace)
      .where('s.name', '=', name)
      .executeTakeFirst();
  }
}
