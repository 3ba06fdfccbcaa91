import { type Hello, Registration } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/audit.ts';
import { Keys } from '../keys/keys.ts';
import { type ClusterRow, ClustersRepository } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { defaultServer } from './registration.ts';

/** Clusters with a certificate of ours that this database does not know. */
@Injectable()
export class RecoveredService {
  readonly #clusters: ClustersRepository;
  readonly #registry: ClustersService;
  readonly #keys: Keys;
  readonly #audit: Audit;

  constructor(
    @Inject(ClustersRepository) clusters: ClustersRepository,
    @Inject(ClustersService) registry: ClustersService,
    @Inject(Keys) keys: Keys,
    @Inject(Audit) audit: Audit,
  ) {
    this.#clusters = clusters;
    this.#registry = registry;
    this.#keys = keys;
    this.#audit = audit;
  }

  /**
   * Makes a row under the id of the certificate, as the registration it presents says, when that is one of ours.
   * It is assigned nothing until somebody approves it.
   */
  async recover(clusterId: string, hello: Hello): Promise<ClusterRow> {
    const presented = this.#verified(clusterId, hello);
    return this.#clusters.transaction(async (trx) => {
      const existing = await this.#clusters.lockById(trx, clusterId);
      if (existing) return existing;
      const short = clusterId.slice(-8);
      const wanted = presented?.name || `recovered-${short}`;
      const taken = await this.#clusters.byName(wanted, trx);
      const name = taken ? `${wanted}-recovered-${short}` : wanted;
      const row = await this.#clusters.insert(trx, {
        id: clusterId,
        name,
        server: (taken ? undefined : presented?.server) || defaultServer(name),
        labels: JSON.stringify(presented?.labels ?? {}),
        annotations: JSON.stringify(presented?.annotations ?? {}),
        local: (presented?.local ?? false) && !(await this.#clusters.anyLocal(trx)),
        state: 'recovered',
        kube_system_uid: presented?.kubeSystemUid || hello.kubeSystemUid,
        registration_revision: presented?.revision ?? 1n,
      });
      const reason = presented
        ? 'it presented a registration that this hub signed'
        : 'it presented no registration that this hub signed';
      await this.#audit.record(trx, {
        actor: `cluster:${name}`,
        action: 'cluster.recovered',
        object: `cluster/${name}`,
        reason,
      });
      await this.#registry.announce(trx, row, 'changed');
      return row;
    });
  }

  #verified(clusterId: string, hello: Hello): Registration | undefined {
    const signed = hello.registration;
    if (!signed || !this.#keys.isOurs('muster.registration.v1', signed)) return undefined;
    const registration = Registration.decode(signed.payload);
    return registration.clusterId === clusterId && registration.hubId === this.#keys.hubId
      ? registration
      : undefined;
  }
}
