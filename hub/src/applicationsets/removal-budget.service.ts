import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { type Removal, type Scope, heldRemovals, overruns } from './deletion-budget.ts';

export type { Removal };

/** The deletion budget for those who remove Applications and are no set: the same clusters and projects, a scope of their own. */
@Injectable()
export class RemovalBudget {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** Answers which removals wait for an approval, and why. One at a time until the transaction ends. */
  async hold(
    trx: Trx,
    owner: { id: string; name: string },
    scopeOf: () => Promise<Scope>,
    removals: readonly Removal[],
  ): Promise<Map<string, string>> {
    if (removals.length === 0) return new Map();
    await this.repository.lockBudget(trx);
    const clusters = [...new Set(removals.flatMap((one) => one.clusterId ?? []))];
    const projects = [...new Set(removals.map((one) => one.project))];
    const facts = await this.repository.budgetScopes(trx, owner, clusters, projects);
    const found = overruns(removals, { ...facts, set: await scopeOf() }, owner.id);
    for (const { kind, key, reason } of found.filter((one) => one.exhausted && one.kind !== 'set')) {
      const others = await this.repository.holdPending(trx, kind, key, reason);
      await this.events.publish(
        'applicationset',
        others.map((one) => `${one.namespace}/${one.name}`),
        { trx },
      );
    }
    return heldRemovals(found);
  }
}
