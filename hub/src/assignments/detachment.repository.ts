import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Trx } from '../store/schema.ts';

/** Something that a cluster is assigned. */
export interface HeldTarget {
  namespace: string;
  name: string;
  applicationId: string;
}

/** SQL for clusters that leave the fleet. */
@Injectable()
export class DetachmentRepository {
  /** What a cluster is assigned and not yet told to let go of in this way. */
  async held(trx: Trx, clusterId: string, action: 'orphan' | 'uninstall'): Promise<HeldTarget[]> {
    const found = await sql<HeldTarget>`
      select application_namespace as namespace, application_name as name, application_id as "applicationId"
      from assignments where cluster_id = ${clusterId} and action <> ${action}`.execute(trx);
    return found.rows;
  }

  /** Applications of sets leave with the cluster; those applied directly stay, without a cluster. Returns those that leave. */
  async release(trx: Trx, clusterId: string): Promise<string[]> {
    const leaving = await sql<{ id: string }>`
      update applications set tombstoned_at = coalesce(tombstoned_at, now()), leaving_at = null, held_reason = null
      where cluster_id = ${clusterId} and set_id is not null returning id`.execute(trx);
    await sql`
      update applications set cluster_id = null, version = version + 1
      where cluster_id = ${clusterId} and set_id is null`.execute(trx);
    return leaving.rows.map((row) => row.id);
  }

  /** An Application that is still assigned elsewhere, or that could not be deleted, must not hold the cluster's row. */
  async unbind(trx: Trx, clusterId: string): Promise<void> {
    await sql`update applications set cluster_id = null where cluster_id = ${clusterId}`.execute(trx);
  }

  async dropAssignments(trx: Trx, clusterId: string): Promise<void> {
    await sql`delete from assignments where cluster_id = ${clusterId}`.execute(trx);
  }
}
