import { Inject, Injectable } from '@nestjs/common';
import {
  effectiveTargets,
  keyOfTarget,
  type ReleasedTarget,
  type Target,
  type TargetIds,
  withContent,
} from '../releases/targets.ts';
import type { Trx } from '../store/schema.ts';
import type { Owner } from '../releases/owner.ts';
import { DependencyWaits } from './dependencies/waits.service.ts';
import { HoldsRepository } from './holds.repository.ts';

/** Which targets are kept from their owner's newest release. */
@Injectable()
export class Holds {
  constructor(
    @Inject(HoldsRepository) private readonly repository: HoldsRepository,
    @Inject(DependencyWaits) private readonly waits: DependencyWaits,
  ) {}

  /** What the targets of an owner's newest release are to hold now. */
  async effective(trx: Trx, release: { id: string; targets: readonly Target[] }): Promise<ReleasedTarget[]> {
    const applicationIds = release.targets.map((target) => target.applicationId);
    return effectiveTargets(release, await this.repository.holds(trx, [...new Set(applicationIds)]));
  }

  /** They hold their newest release from now on; what is pinned stays. */
  release(trx: Trx, targets: readonly TargetIds[]): Promise<void> {
    return this.repository.drop(trx, targets);
  }

  /** Targets with what they are pinned at, where somebody pinned them: whoever signs asks, whatever it was given. Removals stay. */
  async pinned<T extends Target>(trx: Trx, targets: readonly T[]): Promise<(T | ReleasedTarget)[]> {
    const applicationIds = targets.map((target) => target.applicationId);
    const holds = await this.repository.pinned(trx, [...new Set(applicationIds)]);
    const pinned = new Map(holds.map((hold) => [keyOfTarget(hold), hold.content]));
    return targets.map((target) => {
      const content = target.digest === null ? undefined : pinned.get(keyOfTarget(target));
      return content && content.digest !== target.digest ? withContent(target, content) : target;
    });
  }

  /** Those among `moving` that wait for what they depend on, by `keyOfTarget`; of `targets` the others wait no longer. */
  waiting(trx: Trx, targets: readonly TargetIds[], moving: readonly TargetIds[]): Promise<Set<string>> {
    return this.waits.admit(trx, targets, moving);
  }

  /** Applications of an owner that waited, and are to be judged again. */
  woken(trx: Trx, owner: Owner): Promise<string[]> {
    return this.waits.woken(trx, owner);
  }

  /** They were judged: what is not noted anew waits no longer. */
  settled(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    return this.waits.settled(trx, applicationIds);
  }
}
