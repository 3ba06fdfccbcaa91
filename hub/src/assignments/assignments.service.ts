import type { Outcome } from '@muster/base';
import { MusterError, done, waiting } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { type Owner, ownerKey } from '../releases/owner.ts';
import { Holds } from '../rollouts/holds.service.ts';
import { keyOfTarget, type ReleasedTarget, type Target } from '../releases/targets.ts';
import { Outbox } from '../queue/outbox.ts';
import type { JobContext } from '../queue/jobs.ts';
import { Notifications } from '../store/notifications.ts';
import type { Trx } from '../store/schema.ts';
import { isAutomated } from './assignment-content.ts';
import { type Assigned, type Signing, planAssignments } from './assignment-plan.ts';
import { AssignmentSigner } from './assignment-signer.service.ts';
import {
  type Ack,
  type AssignmentFilter,
  type AssignmentLine,
  type AssignmentRow,
  AssignmentsRepository,
  type Departed,
  type Gone,
  type NewAssignment,
} from './assignments.repository.ts';

/** NOTIFY channel; payload: comma-separated cluster ids whose assignments changed, or `*`. */
export const ASSIGNMENTS_CHANNEL = 'assignments';
const CLUSTERS_A_MESSAGE = 100;

/** At which version a target is assigned something; `anew`: nobody was assigned that before. */
export interface AssignedVersion {
  epoch: bigint;
  generation: bigint;
  anew: boolean;
}

/** What each cluster should hold, signed. */
@Injectable()
export class AssignmentsService {
  constructor(
    @Inject(AssignmentsRepository) private readonly repository: AssignmentsRepository,
    @Inject(Holds) private readonly holds: Holds,
    @Inject(AssignmentSigner) private readonly signer: AssignmentSigner,
    @Inject(RecoveryService) private readonly recovery: RecoveryService,
    @Inject(Notifications) private readonly notifications: Notifications,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** Brings the assignments of an owner to what its targets should hold now. Writes only what differs. */
  async assign(owner: Owner, context: Pick<JobContext, 'complete'>): Promise<Outcome> {
    return this.#when(context, (trx) => this.#assignIn(trx, owner));
  }

  /** The same for targets that waited for others, of which something was heard. */
  async assignWaiting(owner: Owner, context: Pick<JobContext, 'complete'>): Promise<Outcome> {
    return this.#when(context, async (trx) => {
      if (!(await this.repository.lockOwner(trx, owner))) return;
      const ids = await this.holds.woken(trx, owner);
      if (ids.length === 0) return;
      const release = await this.repository.latest(trx, owner.id, ids);
      if (release) await this.signTargets(trx, await this.holds.effective(trx, release));
      await this.holds.settled(trx, ids);
    });
  }

  /** While nothing may be signed it waits. */
  async #when(context: Pick<JobContext, 'complete'>, work: (trx: Trx) => Promise<void>): Promise<Outcome> {
    try {
      await this.repository.db.transaction().execute(async (trx) => {
        await work(trx);
        await context.complete(trx);
      });
      return done;
    } catch (thrown) {
      const error = MusterError.from(thrown);
      if (error.code === 'precondition') return waiting(error.message, new Date(Date.now() + 30_000));
      throw thrown;
    }
  }

  async #assignIn(trx: Trx, owner: Owner): Promise<void> {
    if (!(await this.repository.lockOwner(trx, owner))) return;
    const release = await this.repository.latest(trx, owner.id);
    if (release) await this.signTargets(trx, await this.holds.effective(trx, release));
  }

  /**
   * Signs what differs from what targets of active clusters are assigned. The caller holds their owner. Answers by
   * `keyOfTarget` the version at which each is assigned what it asks for, and whether it was signed just now; with `waits`
   * (the default) not those that wait for what they depend on. Throws `precondition` in recovery.
   */
  async signTargets(
    trx: Trx,
    wanted: readonly ReleasedTarget[],
    { waits }: { waits: boolean } = { waits: true },
  ): Promise<Map<string, AssignedVersion>> {
    const clusters = await this.repository.assignable(
      trx,
      wanted.map((target) => target.clusterId),
    );
    const allowed = wanted.filter((target) => clusters.has(target.clusterId));
    const targets = await this.holds.pinned(trx, allowed);
    const assigned = await this.repository.assigned(
      trx,
      targets.map((target) => target.applicationId),
    );
    const epoch = await this.recovery.signingEpoch(trx);
    const windows = await this.signer.windows(trx, targets);
    const planned = planAssignments(targets, assigned, epoch, (target) => windows.of(target).digest);
    const waiting = await this.#waiting(trx, targets, planned, assigned, waits);
    const signings = planned.filter(({ target }) => !waiting.has(keyOfTarget(target)));
    const versions = new Map(
      assigned.map(({ epoch: of, generation, ...row }) => [
        keyOfTarget(row),
        { epoch: of, generation, anew: false },
      ]),
    );
    for (const key of waiting) versions.delete(key);
    if (signings.length === 0) return versions;
    const rows = await this.signer.sign(trx, signings, { epoch, windows });
    await this.repository.upsert(trx, rows);
    await this.#announce(trx, rows);
    for (const { application_id: applicationId, cluster_id: clusterId, generation } of rows)
      versions.set(keyOfTarget({ applicationId, clusterId }), { epoch, generation, anew: true });
    return versions;
  }

  /** Those that would be given something else than they have, and wait for others. What is only signed again waits for nobody. */
  #waiting(
    trx: Trx,
    targets: readonly ReleasedTarget[],
    planned: readonly Signing<ReleasedTarget>[],
    assigned: readonly (Assigned & { applicationId: string })[],
    waits: boolean,
  ): Promise<Set<string>> {
    const held = new Map(assigned.map((row) => [keyOfTarget(row), row]));
    const moving = planned.flatMap((signing) => {
      if (!waits || signing.kind !== 'apply') return [];
      const row = held.get(keyOfTarget(signing.target));
      return row?.action === 'apply' && row.digest === signing.digest ? [] : [signing.target];
    });
    return this.holds.waiting(trx, targets, moving);
  }

  /** Those of some assignment digests that agents do not sync by themselves. */
  async syncedByHand(trx: Trx, digests: readonly string[]): Promise<Set<string>> {
    const contents = await this.repository.contents(trx, digests);
    return new Set([...contents].flatMap(([digest, content]) => (isAutomated(content) ? [] : [digest])));
  }

  async #announce(trx: Trx, rows: readonly NewAssignment[]): Promise<void> {
    const clusters = [...new Set(rows.map((row) => row.cluster_id))];
    const messages: string[] = [];
    for (let at = 0; at < clusters.length; at += CLUSTERS_A_MESSAGE)
      messages.push(clusters.slice(at, at + CLUSTERS_A_MESSAGE).join(','));
    await this.notifications.publishAll(trx, ASSIGNMENTS_CHANNEL, messages);
    await this.events.publish(
      'application',
      rows.map((row) => `${row.application_namespace}/${row.application_name}`),
      { trx },
    );
  }

  /** Signed assignments of a cluster in generation order, tombstones that are not finished among them. */
  listFor(clusterId: string, filter?: AssignmentFilter): Promise<AssignmentRow[]> {
    return this.repository.listFor(clusterId, filter);
  }

  /** What is on its way to clusters, in generation order. */
  async unanswered(clusterIds: readonly string[]): Promise<Map<string, AssignmentRow[]>> {
    return Map.groupBy(await this.repository.unanswered(clusterIds), (row) => row.cluster_id);
  }

  /** What the cluster should hold, without the bytes to send. */
  inventory(clusterId: string): Promise<AssignmentLine[]> {
    return this.repository.lines([clusterId]);
  }

  /** The same of several clusters, by id; those that should hold nothing are absent. */
  async inventories(clusterIds: readonly string[]): Promise<Map<string, AssignmentLine[]>> {
    return Map.groupBy(await this.repository.lines(clusterIds), (line) => line.cluster_id);
  }

  /** Stores what an agent says of assignments it received; acks of older versions change nothing. */
  async acked(trx: Trx, clusterId: string, acks: readonly Ack[]): Promise<void> {
    if (acks.length > 0) await this.repository.acked(trx, clusterId, acks);
  }

  /** Agents have verified and stored exactly these payloads. What was said before, or is being signed anew, stays as it is. */
  taken(payloads: readonly { clusterId: string; payloadSha256: Uint8Array }[]): Promise<void> {
    return this.repository.taken(payloads);
  }

  /** Removals that an agent has finished: their tombstones and Applications go. */
  async gone(trx: Trx, clusterId: string, gone: readonly Gone[]): Promise<void> {
    if (gone.length === 0) return;
    await this.#announceDeparted(trx, await this.repository.gone(trx, clusterId, gone));
  }

  /** Ends removals of Applications that nothing is assigned for any more, and of sets that are empty. */
  async finishRemovals(): Promise<void> {
    await this.repository.db
      .transaction()
      .execute(async (trx) => this.endRemovals(trx, await this.repository.unassignedTombstones(trx)));
    await this.repository.db.transaction().execute((trx) => this.repository.deleteEmptySets(trx));
  }

  /** Deletes those of the Applications whose tombstones are signed and that nothing is assigned for any more. */
  async endRemovals(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    await this.#announceDeparted(trx, await this.repository.deleteDeparted(trx, applicationIds));
  }

  /** Their sets are expanded again: what they generate under the same name may be made now, and an empty one may go. */
  async #announceDeparted(trx: Trx, departed: readonly Departed[]): Promise<void> {
    const sets = new Set(departed.flatMap((one) => (one.setId ? [`set:${one.setId}`] : [])));
    await this.outbox.add(trx, 'expand', [...sets]);
    await this.events.publish(
      'application',
      departed.map((one) => `${one.namespace}/${one.name}`),
      { trx },
    );
  }

  /** One signer of an owner at a time, until the transaction ends; false: the owner is gone. */
  hold(trx: Trx, owner: Owner): Promise<boolean> {
    return this.repository.lockOwner(trx, owner);
  }

  /** The newest release of an owner with its targets, or those of some Applications. */
  latestRelease(
    trx: Trx,
    owner: Owner,
    applicationIds?: readonly string[],
  ): Promise<{ id: string; targets: Target[] } | undefined> {
    return this.repository.latest(trx, owner.id, applicationIds);
  }

  /** What is assigned now for Applications. */
  assignedFor(
    trx: Trx,
    applicationIds: readonly string[],
  ): Promise<(Assigned & { applicationId: string })[]> {
    return this.repository.assigned(trx, applicationIds);
  }

  /** Those of the clusters that may be assigned to. */
  assignable(trx: Trx, clusterIds: readonly string[]): Promise<Set<string>> {
    return this.repository.assignable(trx, clusterIds);
  }

  /** Asks for the assignments of owners to be compared with their releases again. */
  async ask(trx: Trx, owners: readonly Owner[]): Promise<void> {
    await this.outbox.add(trx, 'assign', owners.map(ownerKey));
  }
}
