import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { APPLICATION_STATE_TABLES, HEALTH_NOW, SYNC_NOW } from '../store/application-state.ts';
import { DATABASE } from '../store/database.ts';
import { endedWithin } from '../store/lease.ts';
import type { ApplicationCondition, Schema, SetCondition, Trx } from '../store/schema.ts';
import type { ChildName } from './child.ts';

export interface LiveApplication {
  id: string;
  namespace: string;
  name: string;
  project: string;
  hash: string;
  set_name: string | null;
  root_id: string | null;
  root_name: string | null;
  sync: string;
  health: string;
  message: string | null;
  conditions: ApplicationCondition[];
  busy: boolean;
  leaving: boolean;
  held: string | null;
  tombstoned: boolean;
}

export interface LiveSet {
  id: string;
  namespace: string;
  name: string;
  project: string;
  hash: string;
  root_id: string | null;
  root_name: string | null;
  conditions: SetCondition[];
  deleting: boolean;
  busy: boolean;
  total: number;
  ready: number;
  held: number;
  /** The worst health of its Applications, by name. */
  healths: Record<string, number>;
}

export interface LiveProject {
  name: string;
  manifest: Record<string, unknown>;
  root_id: string | null;
  root_name: string | null;
}

/** Work that is due now: what is asked for later does not keep anybody from being ready. */
const DUE = sql`(o.not_before is null or o.not_before <= now())`;
const OWNED = sql`not rc.detached and rc.gone_at is null`;

/**
 * Reads what there is under the names of a root's children, joined with other capabilities' tables (outbox, statuses,
 * sets), because readiness is decided over thousands of Applications at once.
 */
@Injectable()
export class RootWorldRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  async applications(names: readonly ChildName[]): Promise<LiveApplication[]> {
    if (names.length === 0) return [];
    const { rows } = await sql<LiveApplication>`
      select a.id, a.namespace, a.name, a.project, a.manifest_hash as hash, s.namespace || '/' || s.name as set_name,
        rc.root_id, ra.namespace || '/' || ra.name as root_name,
        ${SYNC_NOW} as sync, ${HEALTH_NOW} as health, coalesce(nullif(t.health_message, ''), hr.health_message) as message,
        a.conditions, a.leaving_at is not null as leaving, a.held_reason as held, a.tombstoned_at is not null as tombstoned,
        exists (select from outbox o where ${DUE} and ((o.queue in ('render', 'assign') and o.key = 'application:' || a.id)
          or (o.queue = 'expand' and o.key = 'root:' || a.id))) as busy
      from ${APPLICATION_STATE_TABLES}
      left join application_sets s on s.id = a.set_id
      left join root_children rc on rc.kind = 'Application' and rc.namespace = a.namespace and rc.name = a.name and ${OWNED}
      left join applications ra on ra.id = rc.root_id
      where (a.namespace, a.name) in (select * from unnest(${names.map((one) => one.namespace)}::text[], ${names.map((one) => one.name)}::text[]))
    `.execute(this.db);
    return rows;
  }

  async sets(names: readonly ChildName[]): Promise<LiveSet[]> {
    if (names.length === 0) return [];
    const { rows } = await sql<LiveSet>`
      with wanted as (
        select * from application_sets
        where (namespace, name) in (select * from unnest(${names.map((one) => one.namespace)}::text[], ${names.map((one) => one.name)}::text[]))
      ), states as (
        select a.set_id, ${SYNC_NOW} as sync, ${HEALTH_NOW} as health, a.held_reason is not null as held
        from ${APPLICATION_STATE_TABLES} where a.set_id in (select id from wanted)
      ), counts as (
        select set_id, sum(number)::int as total, sum(number) filter (where sync = 'Synced' and health = 'Healthy')::int as ready,
          sum(held)::int as held, jsonb_object_agg(sync || ' ' || health, number) as healths
        from (select set_id, sync, health, count(*)::int as number, count(*) filter (where held)::int as held
          from states group by 1, 2, 3) as grouped group by set_id
      )
      select s.id, s.namespace, s.name, s.project, s.manifest_hash as hash, rc.root_id, ra.namespace || '/' || ra.name as root_name,
        s.conditions, s.deleting_at is not null as deleting, coalesce(counts.total, 0) as total, coalesce(counts.ready, 0) as ready,
        coalesce(counts.held, 0) as held, coalesce(counts.healths, '{}') as healths,
        s.expanded_version <> s.version or exists (select from outbox o
          where ${DUE} and o.queue in ('expand', 'render', 'assign') and o.key = 'set:' || s.id) as busy
      from wanted s
      left join counts on counts.set_id = s.id
      left join root_children rc on rc.kind = 'ApplicationSet' and rc.namespace = s.namespace and rc.name = s.name and ${OWNED}
      left join applications ra on ra.id = rc.root_id
    `.execute(this.db);
    return rows;
  }

  async projects(names: readonly string[]): Promise<LiveProject[]> {
    if (names.length === 0) return [];
    const { rows } = await sql<LiveProject>`
      select p.name, p.manifest, rc.root_id, ra.namespace || '/' || ra.name as root_name
      from projects p
      left join root_children rc on rc.kind = 'AppProject' and rc.name = p.name and ${OWNED}
      left join applications ra on ra.id = rc.root_id
      where p.name = any(${names}::text[])
    `.execute(this.db);
    return rows;
  }

  /** Roots that something was said of which they show: their children, the Applications of their sets. */
  async concerned(
    kind: 'application' | 'applicationset' | 'project',
    keys: readonly string[],
  ): Promise<string[]> {
    const split = keys.map((key) => key.split('/'));
    const namespaces = split.map((parts) => (parts.length > 1 ? parts[0]! : ''));
    const names = split.map((parts) => parts.at(-1)!);
    const childKind = { application: 'Application', applicationset: 'ApplicationSet', project: 'AppProject' }[
      kind
    ];
    const { rows } = await sql<{ root_id: string }>`
      with said as (select * from unnest(${namespaces}::text[], ${names}::text[]) as said (namespace, name))
      select rc.root_id from root_children rc join said using (namespace, name) where rc.kind = ${childKind} and ${OWNED}
      union
      select rc.root_id from said
      join applications a on ${kind} = 'application' and a.namespace = said.namespace and a.name = said.name
      join application_sets s on s.id = a.set_id
      join root_children rc on rc.kind = 'ApplicationSet' and rc.namespace = s.namespace and rc.name = s.name and ${OWNED}
    `.execute(this.db);
    return rows.map((row) => row.root_id);
  }

  async hasChildren(): Promise<boolean> {
    const { rows } = await sql`select from root_children limit 1`.execute(this.db);
    return rows.length > 0;
  }

  /** Roots with an Application on a cluster that fell silent, or was heard again, within some seconds: no report says so. */
  async onClustersTurned(trx: Trx, seconds: number): Promise<string[]> {
    const { rows } = await sql<{ root_id: string }>`
      with turned as (
        select id from clusters c where ${endedWithin(seconds)} or connected_at > now() - make_interval(secs => ${seconds})
      )
      select distinct rc.root_id from turned
      join applications a on a.cluster_id = turned.id
      left join application_sets s on s.id = a.set_id
      join root_children rc on ((rc.kind = 'Application' and rc.namespace = a.namespace and rc.name = a.name)
        or (rc.kind = 'ApplicationSet' and rc.namespace = s.namespace and rc.name = s.name)) and ${OWNED}
    `.execute(trx);
    return rows.map((row) => row.root_id);
  }

  /** Applications that a root made, itself or through its sets, and those whose removal drew on its budget within a day. */
  async budget(trx: Trx, rootId: string): Promise<{ total: number; removed: number }> {
    const { rows } = await sql<{ total: number; removed: number }>`
      select
        (select count(*)::int from root_children rc join applications a on a.namespace = rc.namespace and a.name = rc.name
          where rc.root_id = ${rootId} and rc.kind = 'Application' and ${OWNED} and a.leaving_at is null)
        + (select count(*)::int from root_children rc join application_sets s on s.namespace = rc.namespace and s.name = rc.name
          join applications a on a.set_id = s.id
          where rc.root_id = ${rootId} and rc.kind = 'ApplicationSet' and ${OWNED} and a.leaving_at is null) as total,
        (select coalesce(sum(counted), 0)::int from root_children
          where root_id = ${rootId} and leaving_at > now() - interval '24 hours') as removed
    `.execute(trx);
    return rows[0]!;
  }
}
