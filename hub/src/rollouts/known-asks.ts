import { LRUCache } from 'lru-cache';
import type { Asked } from '../queue/outbox.ts';

const MOST_ROLLOUTS = 10_000;
/** A step has taken what was asked; nothing came since. */
const TAKEN: ReadonlySet<string> = new Set();

/**
 * Why rollouts are to be stepped, as far as this process knows all of it. Work in the outbox is one row however often it
 * is asked for, so a step may look at less than everything only where each ask since the last step is known here: asks
 * are numbered, and each tells which one it was added to. In a busy rollout that is the one that a step answers just now.
 */
export class KnownAsks {
  readonly #known = new LRUCache<string, { requested: bigint; targets: ReadonlySet<string> | undefined }>({
    max: MOST_ROLLOUTS,
  });

  /** A transaction that asked has been committed; `targets`: all that it asked because of; undefined: something else. */
  note(rollout: string, { before, requested }: Asked, targets: readonly string[] | undefined): void {
    const known = this.#known.get(rollout);
    // Where nothing was asked for, everything before has been looked at.
    if (!targets) this.#known.set(rollout, { requested, targets });
    else if (before === null) this.#known.set(rollout, { requested, targets: new Set(targets) });
    else if (known?.requested === before && known.targets)
      this.#known.set(rollout, { requested, targets: new Set([...known.targets, ...targets]) });
    else this.#known.set(rollout, { requested, targets: undefined });
  }

  /**
   * The targets to look at in the step that answers this ask; undefined: all of them. What is asked from now on is on top
   * of that, so a step that fails has to say so.
   */
  take(rollout: string, requested: bigint): ReadonlySet<string> | undefined {
    const known = this.#known.get(rollout);
    this.#known.set(rollout, { requested, targets: TAKEN });
    return known?.requested === requested && known.targets !== TAKEN ? known.targets : undefined;
  }

  /** A step failed: what it was to look at is looked at with everything else. */
  failed(rollout: string): void {
    const known = this.#known.get(rollout);
    if (known) this.#known.set(rollout, { ...known, targets: undefined });
  }
}
