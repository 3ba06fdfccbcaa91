import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import type { BoundedStatus } from './bounds.ts';
import type { Cursor } from './report-plan.ts';

/** A status and the cluster it came from. */
export interface ClusterStatus extends BoundedStatus {
  clusterId: string;
}

/** What a cluster's ingest needs to know before it writes. */
export interface IngestState {
  sessionId: string | null;
  cursor: Cursor | undefined;
}

export const STATUS_COLUMNS = sql`
  cluster_id, application_namespace, application_name, epoch, generation, bundle_digest, sync, health, health_message,
  observed_at, operation, applied_digest, applied_at, applied_epoch, applied_generation, conditions`;

/** SQL over `target_status`, `report_cursors` and `deployments`: a few statements a batch, whatever its size. */
@Injectable()
export class StatusRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }

  /** Makes and locks the cursors, in id order, so that two replicas cannot wait for each other. */
  async lockCursors(trx: Trx, clusterIds: string[]): Promise<Map<string, IngestState>> {
    const ids = [...clusterIds].sort();
    await sql`
      insert into report_cursors (cluster_id, instance_id, sequence)
      select id, '', 0 from unnest(${ids}::uuid[]) as id order by id on conflict do nothing`.execute(trx);
    const found = await sql<{
      cluster_id: string;
      instance_id: string;
      sequence: bigint;
      session_id: string | null;
    }>`
      select r.cluster_id, r.instance_id, r.sequence, c.session_id
      from report_cursors r left join clusters c on c.id = r.cluster_id
      where r.cluster_id = any(${ids}::uuid[]) order by r.cluster_id for update of r`.execute(trx);
    return new Map(
      found.rows.map((row) => [
        row.cluster_id,
        {
          sessionId: row.session_id,
          cursor:
            row.instance_id === '' ? undefined : { instanceId: row.instance_id, sequence: row.sequence },
        },
      ]),
    );
  }

  async storeCursors(trx: Trx, cursors: (Cursor & { clusterId: string })[]): Promise<void> {
    await sql`
      update report_cursors set instance_id = c.instance_id, sequence = c.sequence
      from unnest(${cursors.map((each) => each.clusterId)}::uuid[], ${cursors.map((each) => each.instanceId)}::text[],
        ${cursors.map((each) => String(each.sequence))}::bigint[]) as c(cluster_id, instance_id, sequence)
      where report_cursors.cluster_id = c.cluster_id`.execute(trx);
  }

  /**
   * Writes statuses of what is assigned to the very cluster that reports; the rest is left out. Since-times stay while
   * sync and health stay. Returns the Applications written.
   */
  async store(trx: Trx, statuses: readonly ClusterStatus[]): Promise<{ key: string; changed: boolean }[]> {
    const column = <K extends keyof ClusterStatus>(name: K) => statuses.map((each) => each[name]);
    const json = (values: unknown[]) =>
      values.map((value) => (value === null ? null : JSON.stringify(value)));
    const texts = (values: (bigint | null)[]) =>
      values.map((value) => (value === null ? null : String(value)));
    const found = await sql<{ key: string; changed: boolean }>`
      with incoming as (
        select * from unnest(
          ${column('clusterId')}::uuid[], ${column('namespace')}::text[], ${column('name')}::text[], ${texts(column('epoch'))}::bigint[],
          ${texts(column('generation'))}::bigint[], ${column('bundleDigest')}::text[], ${column('sync')}::text[], ${column('health')}::text[],
          ${column('healthMessage')}::text[], ${column('observedAt')}::timestamptz[], ${json(column('operation'))}::jsonb[],
          ${column('appliedDigest')}::text[], ${column('appliedAt')}::timestamptz[], ${texts(column('appliedEpoch'))}::bigint[],
          ${texts(column('appliedGeneration'))}::bigint[], ${json(column('conditions'))}::jsonb[], ${json(column('resources'))}::jsonb[],
          ${column('complete')}::boolean[], ${json(column('removed'))}::jsonb[]
        ) as i(${STATUS_COLUMNS}, resources, complete, removed)
      ), merged as (
        select i.*,
          case when i.complete or t.cluster_id is null then i.resources
               else (t.resources - array(select jsonb_array_elements_text(i.removed))) || i.resources end as merged_resources,
          case when t.sync = i.sync then t.sync_since else i.observed_at end as sync_since,
          case when t.health = i.health then t.health_since else i.observed_at end as health_since,
          (t.sync, t.health, t.health_message, t.operation ->> 'phase', t.operation ->> 'step', t.operation ->> 'wave',
            t.operation ->> 'waitsForTotal', jsonb_array_length(t.operation -> 'hooks'), t.epoch, t.generation, t.applied_digest)
            is distinct from (i.sync, i.health, i.health_message, i.operation ->> 'phase', i.operation ->> 'step', i.operation ->> 'wave',
            i.operation ->> 'waitsForTotal', jsonb_array_length(i.operation -> 'hooks'), i.epoch, i.generation, i.applied_digest) as changed
        from incoming i
        join assignments a using (cluster_id, application_namespace, application_name)
        left join target_status t using (cluster_id, application_namespace, application_name)
      ), written as (
        insert into target_status (${STATUS_COLUMNS}, resources, sync_since, health_since, received_at)
        select ${STATUS_COLUMNS}, merged_resources, sync_since, health_since, now() from merged
        on conflict (cluster_id, application_namespace, application_name) do update set
          epoch = excluded.epoch, generation = excluded.generation, bundle_digest = excluded.bundle_digest, sync = excluded.sync,
          health = excluded.health, health_message = excluded.health_message, observed_at = excluded.observed_at,
          operation = excluded.operation, applied_digest = excluded.applied_digest, applied_at = excluded.applied_at,
          applied_epoch = excluded.applied_epoch, applied_generation = excluded.applied_generation,
          conditions = excluded.conditions, resources = excluded.resources, sync_since = excluded.sync_since,
          health_since = excluded.health_since, received_at = excluded.received_at
      )
      select application_namespace || '/' || application_name as key, changed from merged`.execute(trx);
    return found.rows;
  }

  /** After a snapshot: what it did not name is no longer held. */
  async keepOnly(
    trx: Trx,
    clusterId: string,
    named: readonly { namespace: string; name: string }[],
  ): Promise<void> {
    await sql`
      delete from target_status t where cluster_id = ${clusterId} and not exists (
        select from unnest(${named.map((each) => each.namespace)}::text[], ${named.map((each) => each.name)}::text[]) as n(namespace, name)
        where n.namespace = t.application_namespace and n.name = t.application_name)`.execute(trx);
  }

  /** Applications that a cluster no longer holds: their status and their place among the unclaimed go. */
  async forget(
    trx: Trx,
    clusterId: string,
    gone: readonly { namespace: string; name: string }[],
  ): Promise<void> {
    const namespaces = gone.map((each) => each.namespace);
    const names = gone.map((each) => each.name);
    for (const table of ['target_status', 'unclaimed'] as const) {
      await sql`
        delete from ${sql.table(table)} where cluster_id = ${clusterId} and (application_namespace, application_name) in (
          select * from unnest(${namespaces}::text[], ${names}::text[]))`.execute(trx);
    }
  }

  /**
   * Records versions that were applied, once each, and when each was first seen healthy at a time after its apply.
   * What release and commit it was is known while that version is the assigned one. Answers those that became healthy.
   */
  async recordDeployments(
    trx: Trx,
    statuses: readonly ClusterStatus[],
  ): Promise<{ clusterId: string; namespace: string; name: string }[]> {
    const applied = statuses.filter(
      (each) => each.appliedGeneration !== null && each.appliedDigest && each.appliedAt,
    );
    if (applied.length === 0) return [];
    const healthy = (each: ClusterStatus) => each.health === 'Healthy' && each.observedAt >= each.appliedAt!;
    const { rows } = await sql<{
      cluster_id: string;
      application_namespace: string;
      application_name: string;
      healthy: boolean;
    }>`
      insert into deployments (cluster_id, application_namespace, application_name, epoch, generation, bundle_digest, release_id, commit, commits,
        applied_at, healthy_at)
      select d.cluster_id, d.namespace, d.name, d.epoch, d.generation, d.digest, a.release_id, rt.commit, rt.commits, d.applied_at, d.healthy_at
      from unnest(
        ${applied.map((each) => each.clusterId)}::uuid[], ${applied.map((each) => each.namespace)}::text[], ${applied.map((each) => each.name)}::text[],
        ${applied.map((each) => String(each.appliedEpoch ?? 0n))}::bigint[], ${applied.map((each) => String(each.appliedGeneration))}::bigint[],
        ${applied.map((each) => each.appliedDigest)}::text[], ${applied.map((each) => each.appliedAt)}::timestamptz[],
        ${applied.map((each) => (healthy(each) ? each.observedAt : null))}::timestamptz[]
      ) as d(cluster_id, namespace, name, epoch, generation, digest, applied_at, healthy_at)
      join assignments a on a.cluster_id = d.cluster_id and a.application_namespace = d.namespace and a.application_name = d.name
        and a.epoch = d.epoch and a.generation = d.generation
      left join release_targets rt on rt.release_id = a.release_id and rt.application_id = a.application_id and rt.cluster_id = a.cluster_id
      on conflict (cluster_id, application_namespace, application_name, epoch, generation) do update
        set healthy_at = excluded.healthy_at
        where deployments.healthy_at is null and excluded.healthy_at is not null
      returning cluster_id, application_namespace, application_name, healthy_at is not null as healthy`.execute(
      trx,
    );
    return rows
      .filter((row) => row.healthy)
      .map((row) => ({
        clusterId: row.cluster_id,
        namespace: row.application_namespace,
        name: row.application_name,
      }));
  }
}
