import { Inject, Injectable } from '@nestjs/common';
import type { Target } from '../assignments/assignment-plan.ts';
import type { Trx } from '../store/schema.ts';
import { HoldsRepository } from './holds.repository.ts';
import { type ReleasedTarget, effectiveTargets } from './target-content.ts';

/** Which targets are kept from their owner's newest release. */
@Injectable()
export class Holds {
  constructor(@Inject(HoldsRepository) private readonly repository: HoldsRepository) {}

  /** What the targets of an owner's newest release are to hold now. */
  async effective(trx: Trx, release: { id: string; targets: readonly Target[] }): Promise<ReleasedTarget[]> {
    const applicationIds = release.targets.map((target) => target.applicationId);
    return effectiveTargets(release, await this.repository.holds(trx, [...new Set(applicationIds)]));
  }
}
