import { randomUUID } from 'node:crypto';
import { payloadSha256 } from '@muster/link';
import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { Keys } from '../keys/keys.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { Notifications } from '../store/notifications.ts';
import type { Trx } from '../store/schema.ts';
import { accountKey, tombstonePayload } from './assignment-content.ts';
import { AssignmentsRepository, type NewAssignment } from './assignments.repository.ts';
import { ASSIGNMENTS_CHANNEL } from './assignments.service.ts';
import { DetachmentRepository, type HeldTarget } from './detachment.repository.ts';

export type TombstoneAction = 'orphan' | 'uninstall';

/** Tombstones that no release asks for: a cluster leaves the fleet, or something unclaimed is decided on. */
@Injectable()
export class DetachmentService {
  readonly #repository: AssignmentsRepository;
  readonly #detachments: DetachmentRepository;
  readonly #keys: Keys;
  readonly #recovery: RecoveryService;
  readonly #notifications: Notifications;
  readonly #events: Events;

  constructor(
    @Inject(AssignmentsRepository) repository: AssignmentsRepository,
    @Inject(DetachmentRepository) detachments: DetachmentRepository,
    @Inject(Keys) keys: Keys,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Events) events: Events,
  ) {
    this.#repository = repository;
    this.#detachments = detachments;
    this.#keys = keys;
    this.#recovery = recovery;
    this.#notifications = notifications;
    this.#events = events;
  }

  /**
   * Signs a tombstone for everything a cluster is assigned and takes its Applications out of their sets first, so
   * that the sets' shrinking makes no tombstone and counts in no budget. Returns how many there are.
   * @throws MusterError precondition in recovery.
   */
  async detach(trx: Trx, clusterId: string, action: TombstoneAction): Promise<number> {
    const held = await this.#detachments.held(trx, clusterId, action);
    await this.#detachments.release(trx, clusterId);
    await this.#tombstones(trx, clusterId, held, action);
    return held.length;
  }

  /** Drops all that is known of what a cluster holds; nothing is sent to it any more. */
  async forget(trx: Trx, clusterId: string): Promise<void> {
    const leaving = await this.#detachments.release(trx, clusterId);
    await this.#detachments.dropAssignments(trx, clusterId);
    const departed = await this.#repository.deleteDeparted(trx, leaving);
    await this.#detachments.unbind(trx, clusterId);
    await this.#events.publish(
      'application',
      departed.map((one) => `${one.namespace}/${one.name}`),
      { trx },
    );
  }

  /** A tombstone for something a cluster holds and this hub has no Application for. */
  async tombstoneUnclaimed(
    trx: Trx,
    target: { clusterId: string; namespace: string; name: string },
    action: TombstoneAction,
  ): Promise<void> {
    await this.#tombstones(
      trx,
      target.clusterId,
      [{ namespace: target.namespace, name: target.name, applicationId: randomUUID() }],
      action,
    );
  }

  async #tombstones(
    trx: Trx,
    clusterId: string,
    held: readonly HeldTarget[],
    action: TombstoneAction,
  ): Promise<void> {
    if (held.length === 0) return;
    const epoch = await this.#recovery.signingEpoch(trx);
    const accounts = await this.#repository.accounts(
      trx,
      held.map((target) => ({ ...target, clusterId })),
    );
    const generations = await this.#repository.generations(trx, held.length);
    const rows = held.map((target, i): NewAssignment => {
      const generation = generations[i]!;
      const header = { hubId: this.#keys.hubId, clusterId, epoch, generation, releaseId: '', revision: '' };
      const signed = this.#keys.sign(
        'muster.assignment.v1',
        tombstonePayload(target, action, header, null, accounts.get(accountKey({ ...target, clusterId }))),
        'assignment',
      );
      return {
        cluster_id: clusterId,
        application_namespace: target.namespace,
        application_name: target.name,
        application_id: target.applicationId,
        epoch,
        generation,
        action,
        payload: Buffer.from(signed.payload),
        signature: Buffer.from(signed.signature),
        key_id: signed.keyId,
        payload_sha256: payloadSha256(signed),
        assignment_digest: null,
        windows_digest: '',
        bundle_digest: null,
        release_id: null,
      };
    });
    await this.#repository.upsert(trx, rows);
    await this.#notifications.publish(trx, ASSIGNMENTS_CHANNEL, clusterId);
    await this.#events.publish(
      'application',
      rows.map((row) => `${row.application_namespace}/${row.application_name}`),
      { trx },
    );
  }
}
