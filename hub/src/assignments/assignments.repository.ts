import { Assignment } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { Schema, Trx } from '../store/schema.ts';
import type { Owner } from '../releases/owner.ts';
import type { Target } from '../releases/targets.ts';
import type { Assigned } from './assignment-plan.ts';

/** A signed assignment as it is stored and relayed. */
export interface AssignmentRow {
  cluster_id: string;
  application_namespace: string;
  application_name: string;
  epoch: bigint;
  generation: bigint;
  action: 'apply' | 'orphan' | 'uninstall';
  payload: Buffer;
  signature: Buffer;
  key_id: string;
  payload_sha256: Buffer;
  bundle_digest: string | null;
  release_id: string | null;
  acked_at: Date | null;
  refused: string | null;
}

/** What is known of an assignment without the bytes to send. */
export type AssignmentLine = Omit<AssignmentRow, 'payload' | 'signature'>;

/** Which assignments of a cluster; all of them without a filter. */
export interface AssignmentFilter {
  afterGeneration?: bigint;
  /** Not answered by the agent yet. */
  unanswered?: boolean;
  /** `namespace/name` of Applications. */
  applications?: readonly string[];
}

export interface NewAssignment extends Omit<AssignmentRow, 'acked_at' | 'refused'> {
  application_id: string;
  assignment_digest: string | null;
  windows_digest: string;
}

@Injectable()
export class AssignmentsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** The newest release of an owner with its targets (or those of some Applications) in active clusters; undefined before the first. */
  async latest(
    trx: Kysely<Schema>,
    ownerId: string,
    applicationIds?: readonly string[],
  ): Promise<{ id: string; targets: Target[] } | undefined> {
    const release = await trx
      .selectFrom('releases')
      .select('id')
      .where('owner_id', '=', ownerId)
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!release) return undefined;
    // Clusters that wait for an approval get nothing; those that are being removed have their tombstones already.
    const rows = await trx
      .selectFrom('release_targets')
      .innerJoin('clusters', 'clusters.id', 'release_targets.cluster_id')
      .leftJoin('applications', 'applications.id', 'release_targets.application_id')
      .selectAll('release_targets')
      .select('applications.deletion_approved_at')
      .where('release_targets.release_id', '=', release.id)
      .$if(applicationIds !== undefined, (all) =>
        all.where(sql<boolean>`release_targets.application_id = any(${applicationIds}::uuid[])`),
      )
      .where('clusters.state', '=', 'active')
      .execute();
    const targets = rows.map((row) => ({
      applicationId: row.application_id,
      namespace: row.application_namespace,
      name: row.application_name,
      clusterId: row.cluster_id,
      digest: row.assignment_digest,
      bundleDigest: row.bundle_digest,
      commit: row.commit,
      commits: row.commits,
      removed: row.removed_action,
      approvedAt: row.deletion_approved_at,
    }));
    return { id: release.id, targets };
  }

  async assigned(
    trx: Kysely<Schema>,
    applicationIds: readonly string[],
  ): Promise<(Assigned & { applicationId: string })[]> {
    if (applicationIds.length === 0) return [];
    const rows = await trx
      .selectFrom('assignments')
      .select([
        'cluster_id',
        'application_id',
        'application_namespace',
        'application_name',
        'action',
        'assignment_digest',
        'windows_digest',
        'epoch',
        'created_at',
        'generation',
      ])
      .where(sql<boolean>`application_id = any(${applicationIds}::uuid[])`)
      .execute();
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      namespace: row.application_namespace,
      name: row.application_name,
      action: row.action,
      digest: row.assignment_digest,
      windowsDigest: row.windows_digest,
      epoch: row.epoch,
      signedAt: row.created_at,
      generation: row.generation,
    }));
  }

  /** Those of the clusters that may be assigned to: a cluster that is leaving is told nothing new. */
  async assignable(trx: Kysely<Schema>, clusterIds: readonly string[]): Promise<Set<string>> {
    const rows = await trx
      .selectFrom('clusters')
      .select('id')
      .where(sql<boolean>`id = any(${[...new Set(clusterIds)]}::uuid[]) and state <> 'removing'`)
      .execute();
    return new Set(rows.map((row) => row.id));
  }

  async contents(trx: Kysely<Schema>, digests: readonly string[]): Promise<Map<string, Buffer>> {
    const rows = await trx
      .selectFrom('assignment_contents')
      .select(['digest', 'content'])
      .where(sql<boolean>`digest = any(${[...new Set(digests)]}::text[])`)
      .execute();
    return new Map(rows.map((row) => [row.digest, row.content]));
  }

  /** The ServiceAccounts of what is assigned now, by `cluster namespace/name`; what has none is left out. */
  async accounts(
    trx: Kysely<Schema>,
    targets: readonly { clusterId: string; namespace: string; name: string }[],
  ): Promise<Map<string, string>> {
    if (targets.length === 0) return new Map();
    const { rows } = await sql<{ id: string; payload: Buffer }>`
      select cluster_id || ' ' || application_namespace || '/' || application_name as id, payload from assignments
      where (cluster_id, application_namespace, application_name) in (select * from unnest(
        ${targets.map((one) => one.clusterId)}::uuid[], ${targets.map((one) => one.namespace)}::text[],
        ${targets.map((one) => one.name)}::text[]))
    `.execute(trx);
    return new Map(
      rows.flatMap(({ id, payload }): [string, string][] => {
        const { impersonate } = Assignment.decode(payload);
        return impersonate ? [[id, impersonate]] : [];
      }),
    );
  }

  /** The next `count` numbers of the hub-wide sequence. */
  async generations(trx: Trx, count: number): Promise<bigint[]> {
    const { rows } = await sql<{ generation: bigint }>`
      select nextval('assignment_generation') as generation from generate_series(1, ${count}::int)
    `.execute(trx);
    return rows.map((row) => row.generation);
  }

  /** One signer of an owner at a time: holds its row until the transaction ends. False: the owner is gone. */
  async lockOwner(trx: Trx, owner: Owner): Promise<boolean> {
    const table = owner.kind === 'set' ? ('application_sets' as const) : ('applications' as const);
    const row = await trx
      .selectFrom(table)
      .select('id')
      .where('id', '=', owner.id)
      .forUpdate()
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Writes signed assignments; a newer one that is there already stays. */
  async upsert(trx: Trx, rows: readonly NewAssignment[]): Promise<void> {
    for (let at = 0; at < rows.length; at += 1000) {
      const batch = rows.slice(at, at + 1000);
      const column = <K extends keyof NewAssignment>(name: K) => batch.map((row) => row[name]);
      await sql`
        insert into assignments (cluster_id, application_namespace, application_name, application_id, epoch, generation, action,
          payload, signature, key_id, payload_sha256, assignment_digest, windows_digest, bundle_digest, release_id)
        select * from unnest(
          ${column('cluster_id')}::uuid[], ${column('application_namespace')}::text[], ${column('application_name')}::text[],
          ${column('application_id')}::uuid[], ${column('epoch').map(String)}::bigint[], ${column('generation').map(String)}::bigint[],
          ${column('action')}::text[], ${column('payload')}::bytea[], ${column('signature')}::bytea[], ${column('key_id')}::text[],
          ${column('payload_sha256')}::bytea[], ${column('assignment_digest')}::text[], ${column('windows_digest')}::text[],
          ${column('bundle_digest')}::text[], ${column('release_id')}::uuid[])
        on conflict (cluster_id, application_namespace, application_name) do update set
          application_id = excluded.application_id, epoch = excluded.epoch, generation = excluded.generation,
          action = excluded.action, payload = excluded.payload, signature = excluded.signature, key_id = excluded.key_id,
          payload_sha256 = excluded.payload_sha256, assignment_digest = excluded.assignment_digest, windows_digest = excluded.windows_digest,
          bundle_digest = excluded.bundle_digest, release_id = excluded.release_id, created_at = now(),
          acked_at = null, refused = null
        where (assignments.epoch, assignments.generation) < (excluded.epoch, excluded.generation)
      `.execute(trx);
    }
  }

  async listFor(clusterId: string, filter: AssignmentFilter = {}): Promise<AssignmentRow[]> {
    const { afterGeneration, unanswered, applications } = filter;
    return this.db
      .selectFrom('assignments')
      .selectAll()
      .where('cluster_id', '=', clusterId)
      .$if(afterGeneration !== undefined, (rows) => rows.where('generation', '>', afterGeneration!))
      .$if(unanswered === true, (rows) => rows.where('acked_at', 'is', null))
      .$if(applications !== undefined, (rows) =>
        rows.where(
          sql<boolean>`application_namespace || '/' || application_name = any(${applications}::text[])`,
        ),
      )
      .orderBy('generation')
      .execute();
  }

  /** What these clusters have not answered, in generation order. */
  unanswered(clusterIds: readonly string[]): Promise<AssignmentRow[]> {
    return this.db
      .selectFrom('assignments')
      .selectAll()
      .where(sql<boolean>`cluster_id = any(${clusterIds}::uuid[])`)
      .where('acked_at', 'is', null)
      .orderBy('generation')
      .execute();
  }

  /** All of these clusters without the bytes to send: fleets reconnect and compare at once. */
  async lines(clusterIds: readonly string[]): Promise<AssignmentLine[]> {
    return this.db
      .selectFrom('assignments')
      .select([
        'cluster_id',
        'application_namespace',
        'application_name',
        'epoch',
        'generation',
        'action',
        'key_id',
        'payload_sha256',
        'bundle_digest',
        'release_id',
        'acked_at',
        'refused',
      ])
      .where(sql<boolean>`cluster_id = any(${clusterIds}::uuid[])`)
      .orderBy('generation')
      .execute();
  }

  async acked(trx: Kysely<Schema>, clusterId: string, acks: readonly Ack[]): Promise<void> {
    await sql`
      update assignments set acked_at = now(), refused = nullif(ack.refused, '')
      from unnest(${acks.map((ack) => ack.namespace)}::text[], ${acks.map((ack) => ack.name)}::text[],
        ${acks.map((ack) => String(ack.epoch))}::bigint[], ${acks.map((ack) => String(ack.generation))}::bigint[],
        ${acks.map((ack) => ack.refused)}::text[]) as ack (namespace, name, epoch, generation, refused)
      where assignments.cluster_id = ${clusterId} and application_namespace = ack.namespace
        and application_name = ack.name and assignments.epoch = ack.epoch and assignments.generation = ack.generation
    `.execute(trx);
  }

  /** Rows that somebody else writes just now are left out: they are signed anew, or the next heartbeat says it again. */
  async taken(payloads: readonly { clusterId: string; payloadSha256: Uint8Array }[]): Promise<void> {
    await sql`
      with open as (
        select a.cluster_id, a.application_namespace, a.application_name, a.payload_sha256 from assignments a
        join unnest(${payloads.map((one) => one.clusterId)}::uuid[], ${payloads.map((one) => Buffer.from(one.payloadSha256))}::bytea[])
          as k (cluster_id, payload_sha256) using (cluster_id, payload_sha256)
        where a.acked_at is null or a.refused is not null
        for update of a skip locked
      )
      update assignments set acked_at = now(), refused = null from open
      where (assignments.cluster_id, assignments.application_namespace, assignments.application_name, assignments.payload_sha256)
        = (open.cluster_id, open.application_namespace, open.application_name, open.payload_sha256)
    `.execute(this.db);
  }

  /**
   * Deletes finished tombstones, then the leaving Applications that nothing is assigned for any more and the deleted
   * sets that are empty. Answers what went.
   */
  async gone(trx: Trx, clusterId: string, gone: readonly Gone[]): Promise<Departed[]> {
    // In the order of those who sign: the Application first, then what is assigned.
    await sql`
      select from applications where id in (select application_id from assignments where cluster_id = ${clusterId}
        and action <> 'apply' and application_name = any(${gone.map((one) => one.name)}::text[])) order by id for update
    `.execute(trx);
    const deleted = await sql<{ application_id: string }>`
      delete from assignments using unnest(${gone.map((one) => one.namespace)}::text[], ${gone.map((one) => one.name)}::text[],
        ${gone.map((one) => String(one.epoch))}::bigint[], ${gone.map((one) => String(one.generation))}::bigint[])
        as one (namespace, name, epoch, generation)
      where assignments.cluster_id = ${clusterId} and application_namespace = one.namespace and application_name = one.name
        and action <> 'apply' and (assignments.epoch, assignments.generation) <= (one.epoch, one.generation)
      returning application_id
    `.execute(trx);
    return this.deleteDeparted(
      trx,
      deleted.rows.map((row) => row.application_id),
    );
  }

  /** Deletes those of the Applications whose removal is finished everywhere. */
  async deleteDeparted(trx: Trx, applicationIds: readonly string[]): Promise<Departed[]> {
    if (applicationIds.length === 0) return [];
    const { rows } = await sql<{
      id: string;
      namespace: string;
      name: string;
      project: string;
      set_id: string | null;
    }>`
      delete from applications where id = any(${applicationIds}::uuid[]) and tombstoned_at is not null
        and not exists (select from assignments where application_id = applications.id)
      returning id, namespace, name, project, set_id
    `.execute(trx);
    if (rows.length === 0) return [];
    await sql`update departed_applications set gone_at = now() where id = any(${rows.map((row) => row.id)}::uuid[])`.execute(
      trx,
    );
    return rows.map(({ namespace, name, project, set_id: setId }) => ({ namespace, name, project, setId }));
  }

  /** Applications whose removal has nothing left to wait for. */
  async unassignedTombstones(trx: Trx): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from applications where tombstoned_at is not null and not exists (select from assignments where application_id = applications.id)
    `.execute(trx);
    return rows.map((row) => row.id);
  }

  /** Sets that are being deleted and hold no Application any more. */
  async deleteEmptySets(trx: Trx): Promise<void> {
    await sql`
      delete from application_sets where deleting_at is not null
        and not exists (select from applications where set_id = application_sets.id)
    `.execute(trx);
  }
}

/** An Application that is no more. */
export interface Departed {
  namespace: string;
  name: string;
  project: string;
  setId: string | null;
}

export interface Ack {
  namespace: string;
  name: string;
  epoch: bigint;
  generation: bigint;
  /** Empty: verified and stored. */
  refused: string;
}

export interface Gone {
  namespace: string;
  name: string;
  epoch: bigint;
  generation: bigint;
}
