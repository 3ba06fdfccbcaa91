import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { DetachmentService } from '../assignments/detachment.service.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import { CertificatesRepository } from './certificates.repository.ts';
import { type ClusterRow, ClustersRepository } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { EnrollmentsRepository } from './enrollments.repository.ts';

export type RemoveMode = 'keep' | 'uninstall' | 'forget';

/** How clusters leave: workloads kept, uninstalled first, or a dead cluster forgotten. */
@Injectable()
export class RemovalService {
  readonly #clusters: ClustersRepository;
  readonly #registry: ClustersService;
  readonly #detachment: DetachmentService;
  readonly #certificates: CertificatesRepository;
  readonly #enrollments: EnrollmentsRepository;
  readonly #audit: Audit;

  constructor(
    @Inject(ClustersRepository) clusters: ClustersRepository,
    @Inject(ClustersService) registry: ClustersService,
    @Inject(DetachmentService) detachment: DetachmentService,
    @Inject(CertificatesRepository) certificates: CertificatesRepository,
    @Inject(EnrollmentsRepository) enrollments: EnrollmentsRepository,
    @Inject(Audit) audit: Audit,
  ) {
    this.#clusters = clusters;
    this.#registry = registry;
    this.#detachment = detachment;
    this.#certificates = certificates;
    this.#enrollments = enrollments;
    this.#audit = audit;
  }

  /**
   * Begins to remove a cluster; asked again it changes the mode, and confirms an uninstall that is held. Gone at
   * once when there is nothing to wait for. @throws MusterError not-found; precondition in recovery unless forgotten.
   */
  async remove(name: string, mode: RemoveMode, actor: Actor): Promise<'gone' | 'removing'> {
    return this.#clusters.transaction(async (trx) => {
      const cluster = await this.#clusters.lockByName(trx, name);
      if (!cluster) throw new MusterError('not-found', `there is no cluster ${name}`);
      await this.#audit.record(trx, {
        actor,
        action: 'cluster.remove',
        object: `cluster/${name}`,
        details: { mode, was: cluster.state },
      });
      if (mode === 'forget' || cluster.state === 'pending' || cluster.state === 'recovered') {
        await this.#finish(trx, cluster, 'the cluster was removed');
        return 'gone';
      }
      const changed = await this.#clusters.change(trx, cluster.id, {
        state: 'removing',
        remove_mode: mode,
        removal_requested_at: new Date(),
        removal_held_at: null,
        local: false,
      });
      await this.#detachment.detach(trx, cluster.id, mode === 'keep' ? 'orphan' : 'uninstall');
      await this.#registry.announce(trx, changed, 'left');
      return 'removing';
    });
  }

  /** Removes the rows of clusters that have confirmed all their tombstones. */
  async finishEmptied(): Promise<void> {
    for (const { name } of await this.#clusters.emptied()) {
      await this.#clusters.transaction(async (trx) => {
        const cluster = await this.#clusters.lockByName(trx, name);
        if (cluster?.state !== 'removing') return;
        await this.#audit.record(trx, {
          actor: 'system',
          action: 'cluster.removed',
          object: `cluster/${name}`,
          details: { mode: cluster.remove_mode },
        });
        await this.#finish(trx, cluster, 'the cluster was removed');
      });
    }
  }

  async #finish(trx: Trx, cluster: ClusterRow, reason: string): Promise<void> {
    await this.#detachment.forget(trx, cluster.id);
    await this.#certificates.revokeAll(trx, cluster.id, reason);
    await this.#enrollments.refuseAll(trx, cluster.id, reason);
    await this.#clusters.deleteAll(trx, cluster.id);
    await this.#registry.announce(trx, cluster, 'left');
  }
}
