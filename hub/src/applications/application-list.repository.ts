import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { APPLICATION_STATE_TABLES, HEALTH_NOW, SYNC_NOW } from '../store/application-state.ts';
import { SILENT_SINCE } from '../store/lease.ts';
import { DATABASE } from '../store/database.ts';
import type { ApplicationCondition, Row, Schema } from '../store/schema.ts';
import type { ApplicationRow } from './applications.repository.ts';

/** An Application with what is shown beside it: set, cluster, release, commit and what its cluster reported. */
export interface ListedRow extends ApplicationRow {
  set_name: string | null;
  root_name: string | null;
  /** The hub itself holds some or all of it. */
  is_root: boolean;
  cluster_name: string | null;
  cluster_server: string | null;
  last_seen_at: Date | null;
  silent_since: Date | null;
  release_number: bigint | null;
  release_message: string | null;
  release_author: string | null;
  release_at: Date | null;
  /** Where the revision of each source points now. */
  latest_commits: (string | null)[];
  sync_now: string;
  health_now: string;
  health_message: string | null;
  status_since: Date | null;
  observed_at: Date | null;
  operation: Record<string, unknown> | null;
  status_conditions: ApplicationCondition[] | null;
  assigned_generation: bigint | null;
  pin: StoredPin | null;
  /** It is to be rendered (again), and was not yet. */
  rendering: boolean;
  /** Why nothing newer is rolled out of one that was applied directly. */
  rollout_problem: string | null;
  rollout_problem_since: Date | null;
  refused: string | null;
  /** It is kept from its newest release. */
  held: StoredHold | null;
  /** What it waits for before it is given what it is to hold. */
  waits: Row<'target_waits'>['blockers'] | null;
  /** What the newest rollout that goes on says of it. */
  rolling: StoredTarget | null;
}

export interface StoredHold {
  rollout: string | null;
  phase: string | null;
  reason: string;
  since: string;
  /** What it holds meanwhile; null: nothing, or of a release that is forgotten. */
  release: number | null;
  commit: string | null;
  commits: string[] | null;
  message: string | null;
  author: string | null;
  released_at: string | null;
}

export interface StoredTarget {
  id: string;
  phase: string;
  paused: boolean;
  state: string;
  note: string | null;
  /** Unix milliseconds. */
  since: number;
}

/** As the database writes it. */
export interface StoredPin {
  by: string;
  reason: string;
  since: string;
  until: string | null;
  release: { id: string; number: number; cause: string } | null;
}

export interface ListFilter {
  projects: '*' | string[];
  project?: string | undefined;
  cluster?: string | undefined;
  set?: string | undefined;
  sync?: string | undefined;
  health?: string | undefined;
  labels?: { key: string; value?: string }[];
  search?: string | undefined;
  namespace?: string;
  name?: string;
  after?: [string, string] | undefined;
  limit: number;
}

/**
 * Reads Applications joined with other capabilities' tables (clusters, releases, tracked_revisions, assignments,
 * target_status), because filters on sync and health must be decided in SQL.
 */
@Injectable()
export class ApplicationList {
  constructor(@Inject(DATABASE) private readonly db: Kysely<Schema>) {}

  async read(filter: ListFilter): Promise<ListedRow[]> {
    const inner: RawBuilder<unknown>[] = [sql`true`];
    if (filter.projects !== '*') inner.push(sql`a.project = any(${filter.projects}::text[])`);
    if (filter.project) inner.push(sql`a.project = ${filter.project}`);
    if (filter.cluster) inner.push(sql`c.name = ${filter.cluster}`);
    if (filter.set)
      inner.push(
        filter.set.includes('/')
          ? sql`s.namespace || '/' || s.name = ${filter.set}`
          : sql`s.name = ${filter.set}`,
      );
    if (filter.namespace) inner.push(sql`a.namespace = ${filter.namespace}`);
    if (filter.name) inner.push(sql`a.name = ${filter.name}`);
    if (filter.search) inner.push(sql`position(lower(${filter.search}) in lower(a.name)) > 0`);
    for (const { key, value } of filter.labels ?? []) {
      inner.push(
        value === undefined
          ? sql`a.labels ? ${key}`
          : sql`a.labels @> ${JSON.stringify({ [key]: value })}::jsonb`,
      );
    }
    if (filter.after) inner.push(sql`(a.namespace, a.name) > (${filter.after[0]}, ${filter.after[1]})`);
    const outer: RawBuilder<unknown>[] = [sql`true`];
    if (filter.sync) outer.push(sql`sync_now = ${filter.sync}`);
    if (filter.health) outer.push(sql`health_now = ${filter.health}`);
    const { rows } = await sql<ListedRow>`
      select *, coalesce((
          select jsonb_agg(tr.commit order by s.position) from application_sources s
          left join tracked_revisions tr on tr.repository_id = s.repository_id and tr.revision = s.revision
          where s.application_id = listed.id
        ), '[]') as latest_commits,
        (select jsonb_build_object('id', ro.id, 'phase', ro.phase, 'paused', ro.state->'paused' <> 'null'::jsonb,
            'state', l.state, 'note', l.data->'note', 'since', l.data->'since')
          from rollout_targets l join rollouts ro on ro.id = l.rollout_id
          where l.live and l.cluster_id = listed.cluster_id and l.application_namespace = listed.namespace
            and l.application_name = listed.name
          order by ro.created_at desc limit 1) as rolling
      from (
        select a.*, s.namespace || '/' || s.name as set_name, ra.namespace || '/' || ra.name as root_name,
          hr.application_id is not null as is_root, c.name as cluster_name, c.server as cluster_server, c.last_seen_at,
          ${SILENT_SINCE} as silent_since,
          r.number as release_number, r.message as release_message, r.author as release_author, r.created_at as release_at,
          exists (select from outbox o where o.queue in ('expand', 'render')
            and o.key = case when a.set_id is null then 'application:' || a.id else 'set:' || a.set_id end) as rendering,
          g.generation as assigned_generation, g.refused, p.message as rollout_problem, p.since as rollout_problem_since,
          case when tp.application_id is not null then jsonb_build_object('by', tp.pinned_by, 'reason', tp.reason,
            'since', tp.pinned_at, 'until', tp.expires_at, 'release', (select jsonb_build_object('id', id, 'number', number,
              'cause', cause) from releases where id = th.release_id)) end as pin,
          case when th.application_id is not null and th.assignment_digest is distinct from rt.assignment_digest then (
            select jsonb_build_object('rollout', th.rollout_id, 'phase', (select phase from rollouts where id = th.rollout_id),
              'reason', th.reason, 'since', th.held_at, 'commit', th.commit, 'commits', th.commits, 'release', kr.number,
              'message', kr.message, 'author', kr.author, 'released_at', kr.created_at)
            from (values (1)) as one left join releases kr on kr.id = th.release_id) end as held,
          tw.blockers as waits,
          ${SYNC_NOW} as sync_now, ${HEALTH_NOW} as health_now,
          coalesce(nullif(t.health_message, ''), hr.health_message) as health_message,
          greatest(t.sync_since, t.health_since, hr.sync_since, hr.health_since) as status_since,
          coalesce(t.observed_at, hr.observed_at) as observed_at, coalesce(hr.operation, t.operation) as operation,
          coalesce(t.conditions, '[]') || coalesce(hr.conditions, '[]') as status_conditions
        from ${APPLICATION_STATE_TABLES}
        left join application_sets s on s.id = a.set_id
        left join root_children rc on rc.kind = 'Application' and rc.namespace = a.namespace and rc.name = a.name
          and not rc.detached and rc.gone_at is null
        left join applications ra on ra.id = rc.root_id
        left join releases r on r.id = a.release_id
        left join rollout_problems p on p.owner_id = a.id
        left join target_waits tw on tw.application_id = a.id and tw.cluster_id = a.cluster_id
        where ${sql.join(inner, sql` and `)}
      ) as listed
      where ${sql.join(outer, sql` and `)}
      order by namespace, name limit ${filter.limit}
    `.execute(this.db);
    return rows;
  }
}
