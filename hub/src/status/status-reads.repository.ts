import type { FleetSummary } from '@muster/api';
import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { APPLICATION_STATE_TABLES, HEALTH_NOW, SYNC_NOW } from '../store/application-state.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Row } from '../store/schema.ts';
import { STATUS_COLUMNS } from './status.repository.ts';

export type StatusRow = Omit<Row<'target_status'>, 'resources'>;

/** Reads of what clusters reported. */
@Injectable()
export class StatusReadsRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  /** Statuses by key, without resources unless asked. */
  forKeys(keys: readonly { clusterId: string; namespace: string; name: string }[]): Promise<StatusRow[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return sql<StatusRow>`
      select ${STATUS_COLUMNS}, sync_since, health_since, received_at from target_status
      where (cluster_id, application_namespace, application_name) in (
        select * from unnest(${keys.map((each) => each.clusterId)}::uuid[], ${keys.map((each) => each.namespace)}::text[], ${keys.map((each) => each.name)}::text[]))`
      .execute(this.#db)
      .then((found) => found.rows);
  }

  async resources(key: {
    clusterId: string;
    namespace: string;
    name: string;
  }): Promise<Row<'target_status'>['resources']> {
    const row = await this.#db
      .selectFrom('target_status')
      .select('resources')
      .where('cluster_id', '=', key.clusterId)
      .where('application_namespace', '=', key.namespace)
      .where('application_name', '=', key.name)
      .executeTakeFirst();
    return row?.resources ?? {};
  }

  /** Newest first. `after`: the id of the last one seen. */
  history(
    namespace: string,
    name: string,
    page: { limit: number; after?: bigint },
  ): Promise<Row<'deployments'>[]> {
    return this.#db
      .selectFrom('deployments')
      .selectAll()
      .where('application_namespace', '=', namespace)
      .where('application_name', '=', name)
      .$if(page.after !== undefined, (query) => query.where('id', '<', page.after!))
      .orderBy('id', 'desc')
      .limit(page.limit)
      .execute();
  }

  /** Applications by sync and health, as their list shows them. */
  async applicationCounts(): Promise<{ sync: string; health: string; count: number }[]> {
    const found = await sql<{ sync: string; health: string; count: number }>`
      select ${SYNC_NOW} as sync, ${HEALTH_NOW} as health, count(*)::int as count
      from ${APPLICATION_STATE_TABLES} group by 1, 2`.execute(this.#db);
    return found.rows;
  }

  /** Rollouts that somebody may have to look at; those that ended well or were ended by hand are none. */
  async rolloutCounts(): Promise<FleetSummary['rollouts']> {
    const { rows } = await sql<FleetSummary['rollouts']>`
      select count(*) filter (where phase in ('pending', 'running') and not paused)::int as moving,
        count(*) filter (where ended_at is null and (phase = 'failed' or paused))::int as stopped,
        count(*) filter (where phase = 'rolling-back' and not paused)::int as "goingBack",
        count(*) filter (where phase = 'rolled-back')::int as "takenBack"
      from (select r.phase, r.ended_at, coalesce(r.state->'paused' <> 'null'::jsonb, false) as paused from rollouts r
        where r.ended_at is null or (r.phase = 'rolled-back' and not exists (
          select from rollouts newer where newer.owner_id = r.owner_id and newer.created_at > r.created_at))) as shown
    `.execute(this.#db);
    return rows[0]!;
  }

  async unclaimedCount(): Promise<number> {
    const row = await this.#db
      .selectFrom('unclaimed')
      .select(({ fn }) => fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** The last stored report of an agent instance; 0n when another one reported last. */
  async lastReport(clusterId: string, instanceId: string): Promise<bigint> {
    const row = await this.#db
      .selectFrom('report_cursors')
      .select('sequence')
      .where('cluster_id', '=', clusterId)
      .where('instance_id', '=', instanceId)
      .executeTakeFirst();
    return row?.sequence ?? 0n;
  }
}
