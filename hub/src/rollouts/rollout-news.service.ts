import type { FactEvent, TargetInput } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Trx } from '../store/schema.ts';
import { RolloutDependencies } from './dependencies/rollout-dependencies.service.ts';
import { FactsRepository, type TargetFacts } from './facts.repository.ts';
import { takeMeasured } from './gates/gates.repository.ts';
import { Outages } from './outages/outages.service.ts';
import { factEvents, isUnheard } from './rollout-events.ts';
import type { LoadedRollout } from './rollout-memory.ts';
import type { TargetIds } from '../releases/targets.ts';
import { RolloutWindows } from './windows/rollout-windows.service.ts';

/** How soon agents that came back are looked at again, until something was heard of them. */
const UNHEARD_MS = 1_000;

/** What a rollout does not know yet. */
export interface News {
  events: FactEvent[];
  facts: TargetFacts[];
  /** Look again after so many milliseconds, whatever happens; undefined: something tells. */
  againMs(loaded: LoadedRollout): number | undefined;
}

/** Compares rows that others write with what a rollout knows. */
@Injectable()
export class RolloutNews {
  constructor(
    @Inject(FactsRepository) private readonly facts: FactsRepository,
    @Inject(RolloutDependencies) private readonly dependencies: RolloutDependencies,
    @Inject(RolloutWindows) private readonly windows: RolloutWindows,
    @Inject(Outages) private readonly outages: Outages,
  ) {}

  /**
   * Repeated, it tells nothing twice. `joining`: targets that the rollout hears of now. `some`: the targets of which
   * something was heard; undefined: look at all of them.
   */
  async of(
    trx: Trx,
    { row, state, records }: LoadedRollout,
    joining: readonly { input: TargetInput; record: TargetIds }[],
    some: ReadonlySet<string> | undefined,
  ): Promise<News> {
    const facts = await this.facts.facts(trx, row.id, some);
    const known = factEvents(
      state,
      facts,
      joining.map(({ input }) => input),
    );
    const waits = await this.dependencies.news(trx, { ownerName: row.owner_name, state, records, joining });
    const windows = await this.windows.news(trx, state, records);
    const again = [waits.againMs, windows.againMs].filter((ms) => ms !== undefined);
    const later = again.length > 0 ? Math.min(...again) : undefined;
    return {
      events: [
        ...(await this.outages.news(trx, state.rollout)),
        ...known,
        ...waits.events,
        ...windows.events,
        ...(await takeMeasured(trx, row.id)),
      ],
      facts,
      againMs: (after) => (isUnheard(after.state, facts) ? UNHEARD_MS : later),
    };
  }
}
