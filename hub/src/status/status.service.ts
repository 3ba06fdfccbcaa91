import type { FleetSummary } from '@muster/api';
import { Inject, Injectable } from '@nestjs/common';
import { connectionOf } from '../clusters/lease.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { PromotionsService } from '../promotion/promotions.service.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import type { Row } from '../store/schema.ts';
import type { StoredResource } from './bounds.ts';
import { StatusReadsRepository, type StatusRow } from './status-reads.repository.ts';

export interface TargetKey {
  clusterId: string;
  namespace: string;
  name: string;
}

/** A status as reported, and whether its cluster can still be heard. */
export interface TargetStatus extends StatusRow {
  connected: boolean;
  /** Unknown since, when not connected. */
  silentSince?: Date;
}

/** `clusterId/namespace/name`. */
export function targetKey(key: TargetKey): string {
  return `${key.clusterId}/${key.namespace}/${key.name}`;
}

/** What clusters reported, with the age of what they said. */
@Injectable()
export class StatusService {
  readonly #repository: StatusReadsRepository;
  readonly #clusters: ClustersService;
  readonly #recovery: RecoveryService;
  readonly #promotions: PromotionsService;

  constructor(
    @Inject(StatusReadsRepository) repository: StatusReadsRepository,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(PromotionsService) promotions: PromotionsService,
  ) {
    this.#repository = repository;
    this.#clusters = clusters;
    this.#recovery = recovery;
    this.#promotions = promotions;
  }

  /** Statuses by `targetKey`. An Application that was never reported is absent. */
  async forApplications(keys: readonly TargetKey[], now = new Date()): Promise<Map<string, TargetStatus>> {
    const rows = await this.#repository.forKeys(keys);
    const clusters = new Map(
      (await this.#clusters.byIds([...new Set(rows.map((row) => row.cluster_id))])).map((row) => [
        row.id,
        row,
      ]),
    );
    return new Map(
      rows.map((row) => {
        const cluster = clusters.get(row.cluster_id);
        const connection = cluster ? connectionOf(cluster, now) : { kind: 'never' as const };
        const key = {
          clusterId: row.cluster_id,
          namespace: row.application_namespace,
          name: row.application_name,
        };
        const status: TargetStatus = { ...row, connected: connection.kind === 'connected' };
        if (connection.kind === 'silent') status.silentSince = connection.since;
        return [targetKey(key), status];
      }),
    );
  }

  /** By `group/Kind/namespace/name`. */
  async resources(key: TargetKey): Promise<Record<string, StoredResource>> {
    return (await this.#repository.resources(key)) as unknown as Record<string, StoredResource>;
  }

  /** What was applied, newest first; `after` is the id of the last one seen. */
  history(
    namespace: string,
    name: string,
    page: { limit: number; after?: bigint },
  ): Promise<Row<'deployments'>[]> {
    return this.#repository.history(namespace, name, page);
  }

  lastReport(clusterId: string, instanceId: string): Promise<bigint> {
    return this.#repository.lastReport(clusterId, instanceId);
  }

  /** The fleet in numbers. */
  async summary(now = new Date()): Promise<FleetSummary> {
    const [clusters, applications, rollouts, asking, recovery, unclaimed] = await Promise.all([
      this.#clusters.counts(),
      this.#repository.applicationCounts(),
      this.#repository.rolloutCounts(),
      this.#promotions.asking(),
      this.#recovery.state(),
      this.#repository.unclaimedCount(),
    ]);
    const sum = (rows: { count: number }[]) => rows.reduce((total, row) => total + row.count, 0);
    return {
      clusters: {
        total: sum(clusters),
        byState: tally(clusters, (row) => row.state),
        connected: sum(clusters.filter((row) => row.connection === 'connected')),
        silent: sum(clusters.filter((row) => row.connection === 'silent')),
        never: sum(clusters.filter((row) => row.connection === 'never')),
      },
      applications: {
        total: sum(applications),
        bySync: tally(applications, (row) => row.sync),
        byHealth: tally(applications, (row) => row.health),
      },
      rollouts,
      promotions: { asking },
      recovering: recovery.recovering,
      unclaimed,
      at: now.toISOString(),
    };
  }
}

function tally<T extends { count: number }>(rows: T[], by: (row: T) => string): Record<string, number> {
  const out: Record<string, number> = {};
  for (const row of rows) out[by(row)] = (out[by(row)] ?? 0) + row.count;
  return out;
}
