import { LRUCache } from 'lru-cache';
import type { LoadedRollout } from './rollout-runner.service.ts';

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
