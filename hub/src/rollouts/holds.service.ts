import { Inject, Injectable } from '@nestjs/common';
import type { Target } from '../assignments/assignment-plan.ts';
import type { Trx } from '../store/schema.ts';
import type { Owner } from '../releases/owner.ts';
import { DependencyWaits } from './dependencies/waits.service.ts';
import { HoldsRepository } from './holds.repository.ts';
import { type ReleasedTarget, type TargetIds, effectiveTargets } from './target-content.ts';

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
