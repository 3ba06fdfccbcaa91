import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import { CertificatesRepository } from './certificates.repository.ts';
import { type ClusterRow, ClustersRepository } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { type EnrollmentRow, EnrollmentsRepository } from './enrollments.repository.ts';

/** Lets clusters in: new ones, rejoining ones and those that an emptied database came to know again. */
@Injectable()
export class ApprovalService {
  readonly #clusters: ClustersRepository;
  readonly #registry: ClustersService;
  readonly #enrollments: EnrollmentsRepository;
  readonly #certificates: CertificatesRepository;
  readonly #audit: Audit;

  constructor(
    @Inject(ClustersRepository) clusters: ClustersRepository,
    @Inject(ClustersService) registry: ClustersService,
    @Inject(EnrollmentsRepository) enrollments: EnrollmentsRepository,
    @Inject(CertificatesRepository) certificates: CertificatesRepository,
    @Inject(Audit) audit: Audit,
  ) {
    this.#clusters = clusters;
    this.#registry = registry;
    this.#enrollments = enrollments;
    this.#certificates = certificates;
    this.#audit = audit;
  }

  /** @throws MusterError not-found; precondition when nothing of it waits. */
  async approve(name: string, actor: Actor, reason?: string): Promise<ClusterRow> {
    return this.#clusters.transaction(async (trx) => {
      const cluster = await this.#clusters.lockByName(trx, name);
      if (!cluster) throw new MusterError('not-found', `there is no cluster ${name}`);
      const enrollment = await this.#enrollments.newestWaiting(trx, cluster.id);
      if (cluster.state === 'removing' || (cluster.state === 'active' && !enrollment)) {
        throw new MusterError(
          'precondition',
          `cluster ${name} is ${cluster.state}: nothing of it waits for an approval`,
        );
      }
      await this.#audit.record(trx, {
        actor,
        action: 'cluster.approve',
        object: `cluster/${name}`,
        ...(reason ? { reason } : {}),
        details: {
          was: cluster.state,
          kubeSystemUid: enrollment?.kube_system_uid ?? cluster.kube_system_uid,
        },
      });
      if (enrollment) return this.approveEnrollment(trx, cluster, enrollment, actor.name);
      return this.#activate(trx, cluster, actor.name, cluster.kube_system_uid);
    });
  }

  /** Gives the cluster's name to the holder of an enrolment's key: certificates of a former holder end here. */
  async approveEnrollment(
    trx: Trx,
    cluster: ClusterRow,
    enrollment: EnrollmentRow,
    by: string,
  ): Promise<ClusterRow> {
    await this.#certificates.revokeAll(trx, cluster.id, 'the cluster joined again');
    await this.#enrollments.approveOnly(trx, cluster.id, enrollment.id);
    return this.#activate(trx, cluster, by, enrollment.kube_system_uid);
  }

  async #activate(
    trx: Trx,
    cluster: ClusterRow,
    by: string,
    kubeSystemUid: string | null,
  ): Promise<ClusterRow> {
    const activated = await this.#clusters.change(trx, cluster.id, {
      state: 'active',
      approved_at: new Date(),
      approved_by: by,
      kube_system_uid: kubeSystemUid,
      cloned_uid: null,
      cloned_at: null,
    });
    await this.#registry.announce(trx, activated, 'activated');
    return activated;
  }
}
