import { MusterError } from '@muster/base';
import { PROTOCOL_VERSION, ZERO } from '@muster/link';
import type { Hello } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { type ClusterRow, ClustersService } from '../clusters/clusters.service.ts';
import { RecoveredService } from '../clusters/recovered.service.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { Keys } from '../keys/keys.ts';
import { RotationService } from '../keys/rotation.service.ts';
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
  readonly #keys: Keys;
  readonly #rotation: RotationService;

  constructor(
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(RecoveredService) recovered: RecoveredService,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(Keys) keys: Keys,
    @Inject(RotationService) rotation: RotationService,
  ) {
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#recovered = recovered;
    this.#registry = registry;
    this.#recovery = recovery;
    this.#keys = keys;
    this.#rotation = rotation;
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
    const ours = this.#keys.keySetVersion;
    const keySetVersion = hello.keySetVersion < ours ? hello.keySetVersion : ours;
    const cluster = await this.#registry.take(known, sessionId, {
      instanceId: hello.instanceId,
      keySetVersion,
    });
    if (known.key_set_version < keySetVersion) await this.#rotation.acknowledged();
    if (hello.facts) {
      await this.#clusters.heardFacts(cluster.id, cluster.name, hello.facts, cluster.facts_hash);
    }
    return cluster;
  }
}
