import {
  type Explanation,
  type Rollout,
  type TargetBlocker,
  explain,
  targetExplainer,
} from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { RolloutClock } from './rollout-clock.ts';
import { RolloutsRepository } from './rollouts.repository.ts';

export type LabelledBlocker = TargetBlocker & { label: string };

/** What the open rollouts of one owner say. */
export interface OpenRollouts {
  /** The one that goes, or has stopped. */
  going: { id: string; label: string; explanation: Explanation } | null;
  /** What keeps a target, by `namespace/name@cluster`, from its release. `heldBy`: the rollout that holds it. */
  blockersOf(target: string, heldBy: string | null): LabelledBlocker[];
}

/** Explains to others what rollouts wait for. */
@Injectable()
export class OpenRolloutsReads {
  constructor(
    @Inject(RolloutsRepository) private readonly repository: RolloutsRepository,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
  ) {}

  /** Two statements, whatever the number of targets; a rollout of ten thousand is read as a whole. */
  async of(ownerId: string): Promise<OpenRollouts> {
    const { db } = this.repository;
    const now = this.clock.now();
    const rows = await this.repository.open(db, ownerId);
    const row = rows.find(({ phase }) => phase !== 'pending');
    const pending = new Map(
      rows.filter(({ phase }) => phase === 'pending').map(({ id, state }) => [id, state as Rollout]),
    );
    if (!row) return { going: null, blockersOf: (_, heldBy) => turnOf(pending.get(heldBy ?? ''), null) };
    const records = await this.repository.targets(db, row.id);
    const rollout = row.state as Rollout;
    const state = { rollout, targets: new Map(records.map(({ target }) => [target.id, target])) };
    const explainer = targetExplainer(state, now);
    const { label } = rollout.to;
    return {
      going: { id: row.id, label, explanation: explain(state, now) },
      blockersOf: (target, heldBy) => [
        ...explainer(target).map((one) => ({ ...one, label })),
        ...turnOf(pending.get(heldBy ?? ''), label),
      ],
    };
  }
}

function turnOf(waiting: Rollout | undefined, before: string | null): LabelledBlocker[] {
  if (!waiting) return [];
  const text = `it waits for its turn${before === null ? '' : ` behind ${before}`}`;
  const { label } = waiting.to;
  return [{ what: 'turn', who: [], count: 1, text, since: waiting.since, until: null, label }];
}
