import type { RolloutState } from '@muster/rollout';
import { LRUCache } from 'lru-cache';
import type { Owner } from '../releases/owner.ts';
import type { Content } from '../releases/targets.ts';
import type { RolloutLine, TargetRecord } from './rollouts.repository.ts';

/** A rollout as it stands in the database, locked. */
export interface LoadedRollout {
  row: RolloutLine;
  owner: Owner;
  state: RolloutState;
  records: Map<string, TargetRecord>;
  /** When all of its rows were compared with it, and nothing was left to be looked at again soon; 0: never. */
  comparedAt: number;
  /** What its release says of each target, by `keyOfTarget`: it never says anything else. Undefined: not read yet. */
  contents?: ReadonlyMap<string, Content>;
}

/** Targets of all rollouts that are kept. */
const MOST_TARGETS = 50_000;

/** Rollouts as the last step here left them, so that the next one need not read all of their targets. */
export class RolloutMemory {
  readonly #kept = new LRUCache<string, LoadedRollout>({
    maxSize: MOST_TARGETS,
    sizeCalculation: ({ records }) => records.size + 1,
  });

  /** What was kept, if nobody has written the rollout since: every step that changes something counts `entries` up. */
  take({ id, entries }: Pick<LoadedRollout['row'], 'id' | 'entries'>): LoadedRollout | undefined {
    const kept = this.#kept.get(id);
    // A step that fails leaves nothing behind.
    this.#kept.delete(id);
    return kept?.row.entries === entries ? kept : undefined;
  }

  /** To be called once the transaction of its step is committed. One that waits for its turn begins anew by then. */
  keep(loaded: LoadedRollout): void {
    if (loaded.state.rollout.phase !== 'pending' && !loaded.row.ended_at)
      this.#kept.set(loaded.row.id, loaded);
  }
}
