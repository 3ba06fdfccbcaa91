import type { RolloutReplay } from '@muster/api';
import { canonicalJson } from '@muster/base';
import { type Rollout, type RolloutState, type Target, decide } from '@muster/rollout';
import { transitionOf } from './rollout-views.ts';
import type { LoggedStep } from './rollouts.repository.ts';

const DIFFERENCES = 100;

/** Decides again what was decided, a step at a time, and keeps no more than the oldest `most` transitions. */
export class Replaying {
  #state: RolloutState;
  readonly #most: number;
  readonly #transitions: RolloutReplay['transitions'] = [];
  #entries = 0;
  #omitted = 0;

  constructor(begun: { rollout: Rollout; targets: readonly Target[] }, most: number) {
    this.#state = {
      rollout: begun.rollout,
      targets: new Map(begun.targets.map((one) => [one.id, one])),
    };
    this.#most = most;
  }

  add({ entry, transitions }: LoggedStep): void {
    this.#state = decide(this.#state, entry.events, entry.at).state;
    this.#entries += 1;
    const room = Math.max(0, this.#most - this.#transitions.length);
    this.#transitions.push(...transitions.slice(0, room).map(transitionOf));
    this.#omitted += Math.max(0, transitions.length - room);
  }

  /** Compared with what is kept. */
  result(id: string, now: RolloutState): RolloutReplay {
    const again = this.#state;
    const differences: string[] = [];
    if (again.rollout.phase !== now.rollout.phase)
      differences.push(`phase: ${again.rollout.phase}, not ${now.rollout.phase}`);
    for (const [targetId, target] of now.targets) {
      const other = again.targets.get(targetId);
      if (canonicalJson(other ?? null) !== canonicalJson(target))
        differences.push(`${targetId}: ${other?.state ?? 'unknown'}, not ${target.state}`);
    }
    return {
      id,
      same: differences.length === 0,
      differences: differences.slice(0, DIFFERENCES),
      entries: this.#entries,
      transitions: this.#transitions,
      ...(this.#omitted > 0 ? { omitted: this.#omitted } : {}),
    };
  }
}
