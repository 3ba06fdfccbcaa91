import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { Target, TargetIds } from '../releases/targets.ts';
import { DATABASE } from '../store/database.ts';
import { IS_CONNECTED } from '../store/lease.ts';
import type { Labels, Schema, Trx } from '../store/schema.ts';
import { PINNED } from './holds.repository.ts';

/** Whether the cluster `c` or the Application `a` of a target is gone, or going. */
const HAS_LEFT = sql<boolean>`(c.id is null or c.state = 'removing' or a.id is null or a.tombstoned_at is not null)`;

/** What is known of a target of a rollout, apart from what the rollout knows. */
export interface TargetFacts extends TargetIds {
  targetId: string;
  /** Its cluster or its Application is gone, or going. */
  gone: boolean;
  connected: boolean;
  /** Something was heard in the session of now that came after its hello. */
  heard: boolean;
  /** Who pinned it and why, in words. */
  pinned: string | null;
  /** The digest that it is to hold now. */
  holds: string | null;
  /** The agent holds what it is assigned, and nobody has asked it to apply that. */
  unsynced: boolean;
  assigned: { digest: string | null; bundleDigest: string | null; epoch: bigint; generation: bigint } | null;
  status: {
    health: string;
    message: string;
    observedAt: Date;
    appliedAt: Date;
    appliedDigest: string;
    epoch: bigint;
    generation: bigint;
  } | null;
}

/** What a rollout has to know of a target when it begins. */
export interface TargetNames extends TargetIds {
  cluster: string;
  clusterLabels: Labels;
  applicationLabels: Labels;
  connected: boolean;
}

/** Reads of what others write: clusters, assignments, statuses, releases. One statement each, whatever the size. */
@Injectable()
export class FactsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Of all targets of a rollout; or of some, and of those whose agents came, went or are gone. */
  async facts(trx: Kysely<Schema>, rolloutId: string, some?: ReadonlySet<string>): Promise<TargetFacts[]> {
    const looked = some && new Set([...some, ...(await this.#changed(trx, rolloutId))]);
    if (looked?.size === 0) return [];
    const wanted = looked ? sql`and t.target_id = any(${[...looked]}::text[])` : sql``;
    const { rows } = await sql<{
      application_id: string;
      cluster_id: string;
      target_id: string;
      gone: boolean;
      connected: boolean;
      heard: boolean;
      unsynced: boolean;
      pinned: string | null;
      holds: string | null;
      assignment_digest: string | null;
      bundle_digest: string | null;
      epoch: bigint | null;
      generation: bigint | null;
      health: string | null;
      health_message: string | null;
      observed_at: Date;
      applied_at: Date | null;
      applied_digest: string | null;
      applied_epoch: bigint | null;
      applied_generation: bigint | null;
    }>`
      select t.application_id, t.cluster_id, t.target_id,
        ${HAS_LEFT} or coalesce(g.action <> 'apply', false) as gone,
        coalesce(${IS_CONNECTED}, false) as connected,
        coalesce(c.last_seen_at > c.connected_at or s.received_at > c.connected_at, false) as heard,
        coalesce((s.epoch, s.generation) >= (g.epoch, g.generation)
          and (s.applied_epoch is null or (s.applied_epoch, s.applied_generation) < (g.epoch, g.generation)), false)
          and not exists (select from commands k where k.cluster_id = t.cluster_id and k.verb = 'sync' and k.created_at >= g.created_at
            and k.application_namespace = t.application_namespace and k.application_name = t.application_name) as unsynced,
        ${PINNED} as pinned, case when h.application_id is null then g.assignment_digest else h.assignment_digest end as holds,
        g.assignment_digest, g.bundle_digest, g.epoch, g.generation,
        s.health, s.health_message, s.observed_at, s.applied_at, s.applied_digest, s.applied_epoch, s.applied_generation
      from rollout_targets t
      left join clusters c on c.id = t.cluster_id
      left join applications a on a.id = t.application_id
      left join assignments g on g.cluster_id = t.cluster_id and g.application_namespace = t.application_namespace
        and g.application_name = t.application_name and g.application_id = t.application_id
      left join target_status s on s.cluster_id = t.cluster_id and s.application_namespace = t.application_namespace
        and s.application_name = t.application_name
      left join target_holds h on h.application_id = t.application_id and h.cluster_id = t.cluster_id
      left join target_pins p on p.application_id = t.application_id and p.cluster_id = t.cluster_id
      where t.rollout_id = ${rolloutId} and t.state <> 'gone' ${wanted}
    `.execute(trx);
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      targetId: row.target_id,
      gone: row.gone,
      connected: row.connected,
      heard: row.heard,
      unsynced: row.unsynced,
      pinned: row.pinned,
      holds: row.holds,
      assigned:
        row.generation === null
          ? null
          : {
              digest: row.assignment_digest,
              bundleDigest: row.bundle_digest,
              epoch: row.epoch!,
              generation: row.generation,
            },
      status:
        row.health === null ||
        row.applied_at === null ||
        row.applied_generation === null ||
        !row.applied_digest
          ? null
          : {
              health: row.health,
              message: row.health_message ?? '',
              observedAt: row.observed_at,
              appliedAt: row.applied_at,
              appliedDigest: row.applied_digest,
              epoch: row.applied_epoch ?? 0n,
              generation: row.applied_generation,
            },
    }));
  }

  /** Targets whose agents came or went, or that are going, as the rollout does not know yet. */
  async #changed(trx: Kysely<Schema>, rolloutId: string): Promise<string[]> {
    const { rows } = await sql<{ target_id: string }>`
      select t.target_id from rollout_targets t
      left join clusters c on c.id = t.cluster_id
      left join applications a on a.id = t.application_id
      where t.rollout_id = ${rolloutId} and t.state <> 'gone' and (t.connected <> coalesce(${IS_CONNECTED}, false)
        or ${HAS_LEFT})
    `.execute(trx);
    return rows.map((row) => row.target_id);
  }

  async names(trx: Kysely<Schema>, targets: readonly TargetIds[]): Promise<TargetNames[]> {
    if (targets.length === 0) return [];
    const { rows } = await sql<{
      application_id: string;
      cluster_id: string;
      cluster: string;
      cluster_labels: Labels;
      application_labels: Labels;
      connected: boolean;
    }>`
      select a.id as application_id, c.id as cluster_id, c.name as cluster, c.labels as cluster_labels, a.labels as application_labels,
        coalesce(${IS_CONNECTED}, false) as connected
      from unnest(${targets.map((one) => one.applicationId)}::uuid[], ${targets.map((one) => one.clusterId)}::uuid[]) as k (application_id, cluster_id)
      join applications a on a.id = k.application_id
      join clusters c on c.id = k.cluster_id
    `.execute(trx);
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      cluster: row.cluster,
      clusterLabels: row.cluster_labels,
      applicationLabels: row.application_labels,
      connected: row.connected,
    }));
  }

  /** The applied targets of a release, of all clusters; empty once it is forgotten. */
  async releaseTargets(trx: Kysely<Schema>, releaseId: string): Promise<Target[]> {
    const rows = await trx
      .selectFrom('release_targets')
      .selectAll()
      .where('release_id', '=', releaseId)
      .where('assignment_digest', 'is not', null)
      .execute();
    return rows.map((row) => ({
      applicationId: row.application_id,
      namespace: row.application_namespace,
      name: row.application_name,
      clusterId: row.cluster_id,
      digest: row.assignment_digest,
      bundleDigest: row.bundle_digest,
      commit: row.commit,
      commits: row.commits,
      removed: null,
    }));
  }

  /** What a release is called. */
  async release(
    trx: Kysely<Schema>,
    id: string,
  ): Promise<{ id: string; number: bigint; cause: string } | undefined> {
    return trx
      .selectFrom('releases')
      .select(['id', 'number', 'cause'])
      .where('id', '=', id)
      .executeTakeFirst();
  }

  async newest(
    trx: Trx,
    ownerId: string,
  ): Promise<{ id: string; number: bigint; cause: string } | undefined> {
    return trx
      .selectFrom('releases')
      .select(['id', 'number', 'cause'])
      .where('owner_id', '=', ownerId)
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  /** A release of an owner by its number; without one, the newest but one. */
  async releaseBefore(
    trx: Trx,
    ownerId: string,
    number: number | undefined,
  ): Promise<{ id: string; number: bigint; cause: string } | undefined> {
    return trx
      .selectFrom('releases')
      .select(['id', 'number', 'cause'])
      .where('owner_id', '=', ownerId)
      .$if(number !== undefined, (rows) => rows.where('number', '=', BigInt(number!)))
      .orderBy('number', 'desc')
      .offset(number === undefined ? 1 : 0)
      .limit(1)
      .executeTakeFirst();
  }
}
