import type { Facts, Version } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { ClustersService } from '../clusters/clusters.service.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { RotationService } from '../keys/rotation.service.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { LastSeen } from './last-seen.ts';

/** What agents tell of themselves between their reports. */
@Injectable()
export class Hearing {
  readonly #lastSeen: LastSeen;
  readonly #recovery: RecoveryService;
  readonly #clusters: ClustersService;
  readonly #registry: SessionsRegistry;
  readonly #rotation: RotationService;

  constructor(
    @Inject(LastSeen) lastSeen: LastSeen,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(RotationService) rotation: RotationService,
  ) {
    this.#lastSeen = lastSeen;
    this.#recovery = recovery;
    this.#clusters = clusters;
    this.#registry = registry;
    this.#rotation = rotation;
  }

  /** Alive, with the highest version verified; facts when they changed. */
  async heartbeat(
    cluster: { id: string; name: string },
    sessionId: string,
    highest: Version,
    { facts, clockOffsetMs }: { facts?: Facts; clockOffsetMs?: number },
  ): Promise<void> {
    this.#lastSeen.heard(cluster.id, { sessionId, clockOffsetMs });
    await this.#recovery.heard(highest, cluster.name);
    if (facts) await this.#clusters.heardFacts(cluster.id, cluster.name, facts);
  }

  /** Took a key set, or refused it: what was refused waits for somebody to look. */
  async keySet(clusterId: string, version: bigint, refused: string): Promise<void> {
    if (refused) return;
    await this.#registry.keySetAcknowledged(clusterId, version);
    await this.#rotation.acknowledged();
  }
}
