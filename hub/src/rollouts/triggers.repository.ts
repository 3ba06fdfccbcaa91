import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import { IS_CONNECTED } from '../store/lease.ts';
import type { Schema } from '../store/schema.ts';

/** Which rollouts something that happened concerns. All by the index over live targets: without rollouts it is empty. */
@Injectable()
export class TriggersRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Those that watch some of these targets, and which. */
  async watching(
    db: Kysely<Schema>,
    keys: readonly { clusterId: string; namespace: string; name: string }[],
  ): Promise<Map<string, string[]>> {
    if (keys.length === 0) return new Map();
    const { rows } = await sql<{ rollout_id: string; target_id: string }>`
      select t.rollout_id, t.target_id from unnest(${keys.map((one) => one.clusterId)}::uuid[],
        ${keys.map((one) => one.namespace)}::text[], ${keys.map((one) => one.name)}::text[]) as k (cluster_id, namespace, name)
      join rollout_targets t on t.live and t.cluster_id = k.cluster_id and t.application_namespace = k.namespace
        and t.application_name = k.name
      where t.state in ('assigned', 'applied', 'healthy', 'done', 'restoring')
    `.execute(db);
    const found = new Map<string, string[]>();
    for (const { rollout_id: rollout, target_id: target } of rows) {
      const targets = found.get(rollout);
      if (targets) targets.push(target);
      else found.set(rollout, [target]);
    }
    return found;
  }

  /** Those with targets in some clusters. */
  async inClusters(db: Kysely<Schema>, clusterIds: readonly string[]): Promise<string[]> {
    if (clusterIds.length === 0) return [];
    const { rows } = await sql<{ rollout_id: string }>`
      select distinct rollout_id from rollout_targets where live and cluster_id = any(${clusterIds}::uuid[])
    `.execute(db);
    return rows.map((row) => row.rollout_id);
  }

  /** Those with targets in a project. */
  async inProject(db: Kysely<Schema>, project: string): Promise<string[]> {
    const { rows } = await sql<{ rollout_id: string }>`
      select distinct t.rollout_id from rollout_targets t join applications a on a.id = t.application_id
      where t.live and a.project = ${project}
    `.execute(db);
    return rows.map((row) => row.rollout_id);
  }

  /** Those that do not know yet that an agent came or went, and those whose time has passed without a look. */
  async overdue(db: Kysely<Schema>): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select distinct t.rollout_id as id from rollout_targets t join clusters c on c.id = t.cluster_id
      where t.live and t.state <> 'gone' and t.connected <> coalesce(${IS_CONNECTED}, false)
      union
      select id from rollouts where ended_at is null and wake_at < now() - interval '30 seconds'
      union
      select id from rollouts r where ended_at is null and not exists (
        select from application_sets where id = r.owner_id union all select from applications where id = r.owner_id)
    `.execute(db);
    return rows.map((row) => row.id);
  }
}
