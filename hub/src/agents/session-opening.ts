import { MusterError } from '@muster/base';
import { PROTOCOL_VERSION, type SessionOpening, ZERO } from '@muster/link';
import type { Hello } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { CertificatesService } from '../clusters/certificates.service.ts';
import type { ClusterRow } from '../clusters/clusters.repository.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { holdingReason } from '../clusters/holding.ts';
import { RecoveredService } from '../clusters/recovered.service.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { Keys } from '../keys/keys.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { StatusService } from '../status/status.service.ts';
import { heldLine } from './held-line.ts';
import type { Peer } from './peer.ts';

export interface Opened {
  cluster: ClusterRow;
  opening: SessionOpening;
}

/** What happens between a hello and its welcome. */
@Injectable()
export class SessionOpenings {
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;
  readonly #recovered: RecoveredService;
  readonly #registry: SessionsRegistry;
  readonly #recovery: RecoveryService;
  readonly #assignments: AssignmentsService;
  readonly #commands: CommandsService;
  readonly #status: StatusService;
  readonly #keys: Keys;

  constructor(
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(RecoveredService) recovered: RecoveredService,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(AssignmentsService) assignments: AssignmentsService,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(StatusService) status: StatusService,
    @Inject(Keys) keys: Keys,
  ) {
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#recovered = recovered;
    this.#registry = registry;
    this.#recovery = recovery;
    this.#assignments = assignments;
    this.#commands = commands;
    this.#status = status;
    this.#keys = keys;
  }

  /**
   * Checks who calls, makes this the cluster's session, and gathers what the link machine needs to answer.
   * @throws MusterError unauthenticated (revoked), precondition (cloned, protocol).
   */
  async open(peer: Peer, hello: Hello, sessionId: string): Promise<Opened> {
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      throw new MusterError(
        'unsupported',
        `this hub speaks protocol ${PROTOCOL_VERSION}, the agent ${hello.protocolVersion}`,
      );
    }
    await this.#certificates.requireUnrevoked(peer);
    const known =
      (await this.#clusters.byId(peer.clusterId)) ?? (await this.#recovered.recover(peer.clusterId, hello));
    await this.#registry.requireSameCluster(known, hello.kubeSystemUid);
    await this.#recovery.heard(hello.highest ?? ZERO, known.name);
    const cluster = await this.#registry.take(known, sessionId, hello.instanceId);
    if (hello.facts)
      await this.#clusters.heardFacts(cluster.id, cluster.name, hello.facts, cluster.facts_hash);
    const holding = holdingReason(cluster, await this.#recovery.state());
    const [desired, lastReport, commands] = await Promise.all([
      this.#assignments.inventory(cluster.id),
      this.#status.lastReport(cluster.id, hello.instanceId),
      holding === undefined ? this.#commands.toDeliver(cluster.id, 'opening') : [],
    ]);
    const opening: SessionOpening = {
      sessionId,
      hubId: this.#keys.hubId,
      nowMs: Date.now(),
      leaseSeconds: cluster.lease_seconds,
      ...(holding === undefined ? {} : { holding }),
      lastReport,
      desired: desired.map(heldLine),
      keySet: this.#keys.keySet(),
      keySetVersion: this.#keys.keySetVersion,
      ...(cluster.state === 'pending' || cluster.state === 'recovered'
        ? {}
        : { registration: this.#clusters.registration(cluster) }),
      commands,
    };
    return { cluster, opening };
  }
}
