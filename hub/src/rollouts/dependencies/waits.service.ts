import { type Rollout, inNamespace } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Owner, ownerKey } from '../../releases/owner.ts';
import { Outbox } from '../../queue/outbox.ts';
import type { Trx } from '../../store/schema.ts';
import { type TargetIds, keyOfTarget } from '../target-content.ts';
import { DependenciesService } from './dependencies.service.ts';
import { type Wait, WaitsRepository } from './waits.repository.ts';

/** A target by the names that agents use. */
interface Reported {
  clusterId: string;
  namespace: string;
  name: string;
}

/** Targets that are not given what they are to hold before what they wait for is healthy: whoever signs asks here. */
@Injectable()
export class DependencyWaits {
  constructor(
    @Inject(WaitsRepository) private readonly repository: WaitsRepository,
    @Inject(DependenciesService) private readonly dependencies: DependenciesService,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Of targets of one owner, which is held: those among `moving` that have to wait, by `keyOfTarget`. They are noted, and
   * judged again when something happens to what they wait for; the others wait no longer.
   */
  async admit(trx: Trx, targets: readonly TargetIds[], moving: readonly TargetIds[]): Promise<Set<string>> {
    if (targets.length === 0) return new Set();
    const blockers = moving.length > 0 ? await this.dependencies.blockersOf(trx, moving) : new Map();
    const waiting = moving.flatMap(({ applicationId, clusterId }): Wait[] => {
      const found = blockers.get(keyOfTarget({ applicationId, clusterId }));
      return found ? [{ applicationId, clusterId, blockers: found }] : [];
    });
    await this.repository.write(trx, targets, waiting);
    return new Set(waiting.map(keyOfTarget));
  }

  /** Notes what the frozen policy of a rollout waits for. `ownerName`: `namespace/name`. */
  async begun(trx: Trx, rollout: Rollout, ownerName: string): Promise<void> {
    const all = rollout.policy.stages.flatMap(({ dependsOn }) => dependsOn ?? []);
    await this.repository.noteRollout(trx, rollout.id, inNamespace(all, ownerName.split('/')[0]!));
  }

  /** Applications of an owner of which targets are to be judged again; until the transaction ends nobody else wakes them. */
  woken(trx: Trx, owner: Owner): Promise<string[]> {
    return this.repository.woken(trx, owner);
  }

  /** Those that were woken and are not to be given anything any more wait no longer. */
  settled(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    return this.repository.settled(trx, applicationIds);
  }

  /** Agents reported on these targets. Answers the rollouts that wait for them. */
  async reported(trx: Trx, targets: readonly Reported[]): Promise<{ rollouts: string[]; owners: Owner[] }> {
    return this.repository.dependents(trx, targets);
  }

  /** A set's rollout has come further. Answers the rollouts that wait for its stages. */
  async advanced(trx: Trx, owner: Owner): Promise<{ rollouts: string[]; owners: Owner[] }> {
    if (owner.kind !== 'set') return { rollouts: [], owners: [] };
    return this.repository.dependentsOfSet(trx, owner.id);
  }

  inClusters(trx: Trx, clusterIds: readonly string[]): Promise<Owner[]> {
    return this.repository.inClusters(trx, clusterIds);
  }

  /** What no transaction told. */
  async overlooked(): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      await this.ask(trx, await this.repository.overlooked(trx));
    });
  }

  /** Has what was woken of owners judged again. After everything that wakes: rows of the outbox come last. */
  async ask(trx: Trx, owners: readonly Owner[]): Promise<void> {
    await this.outbox.add(
      trx,
      'assign',
      owners.map((owner) => `waits:${ownerKey(owner)}`),
    );
  }
}
