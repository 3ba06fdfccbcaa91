import { MusterError } from '@muster/base';
import { PROTOCOL_VERSION, ZERO } from '@muster/link';
import type { Hello } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { CertificatesService } from '../clusters/certificates.service.ts';
import type { ClusterRow } from '../clusters/clusters.repository.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { RecoveredService } from '../clusters/recovered.service.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import type { Peer } from './peer.ts';

/** Who may have a session, and what a hello alone tells the hub. */
@Injectable()
export class SessionAdmission {
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;
  readonly #recovered: RecoveredService;
  readonly #registry: SessionsRegistry;
  readonly #recovery: RecoveryService;

  constructor(
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(RecoveredService) recovered: RecoveredService,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(RecoveryService) recovery: RecoveryService,
  ) {
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#recovered = recovered;
    this.#registry = registry;
    this.#recovery = recovery;
  }

  /**
   * Makes this session the cluster's. A cluster that the database does not know comes back as *recovered*; a version
   * that this hub never signed puts it into recovery.
   * @throws MusterError unauthenticated (revoked), precondition (cloned), unsupported (protocol).
   */
  async admit(peer: Peer, hello: Hello, sessionId: string): Promise<ClusterRow> {
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      const versions = `this hub speaks protocol ${PROTOCOL_VERSION}, the agent ${hello.protocolVersion}`;
      throw new MusterError('unsupported', versions);
    }
    await this.#certificates.requireUnrevoked(peer);
    const known =
      (await this.#clusters.byId(peer.clusterId)) ?? (await this.#recovered.recover(peer.clusterId, hello));
    await this.#registry.requireSameCluster(known, hello.kubeSystemUid);
    await this.#recovery.heard(hello.highest ?? ZERO, known.name);
    const cluster = await this.#registry.take(known, sessionId, hello.instanceId);
    if (hello.facts) {
      await this.#clusters.heardFacts(cluster.id, cluster.name, hello.facts, cluster.facts_hash);
    }
    return cluster;
  }
}
