import type { Removals, RolloutPolicy } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Content, keyOfTarget, type Target } from '../releases/targets.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import type { Trx } from '../store/schema.ts';

/** What a release would prune, told by the identities of the objects in its bundles. */
@Injectable()
export class ReleaseRemovals {
  constructor(@Inject(BundlesService) private readonly bundles: BundlesService) {}

  /** By target (`keyOfTarget`), those that lose something. Only policies with a stage in production ask. */
  async of(
    trx: Trx,
    moving: readonly { target: Target; from: Content | null }[],
    policy: RolloutPolicy | undefined,
  ): Promise<Map<string, Removals>> {
    if (!policy?.stages.some(({ production }) => production)) return new Map();
    const pairs = moving.flatMap(({ target, from }) => {
      const [before, after] = [from?.bundleDigest, target.bundleDigest];
      return before && after && before !== after
        ? [{ key: keyOfTarget(target), from: before, to: after }]
        : [];
    });
    const distinct = [...new Map(pairs.map(({ from, to }) => [`${from} ${to}`, { from, to }])).values()];
    const found = await this.bundles.removals(trx, distinct);
    const known = new Map(found.map(({ from, to, ...removals }) => [`${from} ${to}`, removals]));
    return new Map(
      pairs.flatMap(({ key, from, to }) => {
        const removals = known.get(`${from} ${to}`);
        return removals && removals.count > 0 ? [[key, removals] as const] : [];
      }),
    );
  }
}
