import { MusterError } from '@muster/base';
import type { Identity } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { Keys } from '../keys/keys.ts';
import { CertificatesService } from './certificates.service.ts';
import { ClustersService } from './clusters.service.ts';
import type { EnrollmentRow } from './enrollments.repository.ts';

/** What an agent holds once it is accepted. */
@Injectable()
export class IdentityService {
  readonly #keys: Keys;
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;

  constructor(
    @Inject(Keys) keys: Keys,
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
  ) {
    this.#keys = keys;
    this.#certificates = certificates;
    this.#clusters = clusters;
  }

  /** A certificate for the key of an approved enrolment, and all that the agent pins. */
  async issue(enrollment: EnrollmentRow): Promise<Identity> {
    const cluster = await this.#clusters.byId(enrollment.cluster_id);
    if (!cluster) throw new MusterError('not-found', 'the cluster of this enrolment is gone');
    return {
      hubId: this.#keys.hubId,
      clusterId: cluster.id,
      clusterName: cluster.name,
      certificateChain: await this.#certificates.issue(enrollment.csr, cluster.id),
      rootPublicKey: this.#keys.rootPublicKey,
      keySet: this.#keys.keySet(),
      registration: this.#clusters.registration(cluster),
    };
  }
}
