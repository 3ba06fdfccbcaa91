import { MusterError } from '@muster/base';
import type { UnclaimedAct } from '@muster/api';
import type { Held } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { ASSIGNMENTS_CHANNEL } from '../assignments/assignments.service.ts';
import { DetachmentService } from '../assignments/detachment.service.ts';
import { Audit } from '../audit/audit.ts';
import { Notifications } from '../store/notifications.ts';
import { UnclaimedRepository, type UnclaimedRow } from './unclaimed.repository.ts';

/** What clusters hold and this hub does not know. Nothing happens to it until somebody says what should. */
@Injectable()
export class UnclaimedService {
  readonly #repository: UnclaimedRepository;
  readonly #detachment: DetachmentService;
  readonly #notifications: Notifications;
  readonly #events: Events;
  readonly #audit: Audit;

  constructor(
    @Inject(UnclaimedRepository) repository: UnclaimedRepository,
    @Inject(DetachmentService) detachment: DetachmentService,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Events) events: Events,
    @Inject(Audit) audit: Audit,
  ) {
    this.#repository = repository;
    this.#detachment = detachment;
    this.#notifications = notifications;
    this.#events = events;
    this.#audit = audit;
  }

  list(query: {
    cluster?: string;
    after?: [string, string, string];
    limit: number;
  }): Promise<UnclaimedRow[]> {
    return this.#repository.list(query);
  }

  count(): Promise<number> {
    return this.#repository.count();
  }

  /** Exactly this is unclaimed in a cluster now. */
  async replace(clusterId: string, clusterName: string, held: readonly Held[]): Promise<void> {
    const rows = held.slice(0, 10_000).map((each) => ({
      namespace: each.applicationNamespace.slice(0, 253),
      name: each.applicationName.slice(0, 253),
      epoch: each.version?.epoch ?? 0n,
      generation: each.version?.generation ?? 0n,
    }));
    if (await this.#repository.replace(clusterId, rows)) await this.#events.publish('cluster', [clusterName]);
  }

  /**
   * Adopts (an Application of that name is destined for the cluster: its assignment takes over), or sends a tombstone
   * that orphans or uninstalls. @throws MusterError not-found; precondition when there is nothing to adopt it.
   */
  async act(
    key: { cluster: string; namespace: string; name: string },
    act: UnclaimedAct,
    actor: Actor,
    reason?: string,
  ): Promise<void> {
    const row = await this.#repository.find(key.cluster, key.namespace, key.name);
    const object = `application/${key.namespace}/${key.name}`;
    if (!row)
      throw new MusterError(
        'not-found',
        `cluster ${key.cluster} holds no unclaimed ${key.namespace}/${key.name}`,
      );
    if (act === 'adopt' && !row.known) {
      throw new MusterError(
        'precondition',
        `no Application ${key.namespace}/${key.name} is destined for cluster ${key.cluster}`,
        {
          hint: 'apply the Application or its ApplicationSet first, with the same namespace and name',
        },
      );
    }
    if (act !== 'adopt' && row.known) {
      throw new MusterError(
        'precondition',
        `the Application ${key.namespace}/${key.name} is destined for this cluster: remove it instead`,
      );
    }
    const target = { clusterId: row.cluster_id, namespace: key.namespace, name: key.name };
    await this.#repository.transaction(async (trx) => {
      // Adopted is what is assigned: the session compares once more and sends the assignment over what is held.
      if (act === 'adopt') await this.#notifications.publish(trx, ASSIGNMENTS_CHANNEL, row.cluster_id);
      else await this.#detachment.tombstoneUnclaimed(trx, target, act);
      await this.#repository.delete(trx, target);
      await this.#audit.record(trx, {
        actor,
        action: `unclaimed.${act}`,
        object,
        ...(reason ? { reason } : {}),
        details: { cluster: key.cluster },
      });
      await this.#events.publish('cluster', [key.cluster], { trx });
    });
  }
}
