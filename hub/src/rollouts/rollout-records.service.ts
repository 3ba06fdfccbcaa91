import { type RolloutState, type Target, decide, hasEnded } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';
import { Events } from '../api/events.ts';
import type { Owner } from '../releases/owner.ts';
import type { Trx } from '../store/schema.ts';
import { DependencyWaits } from './dependencies/waits.service.ts';
import { type RolloutLine, RolloutsRepository, type TargetRecord } from './rollouts.repository.ts';

/** Rollouts as rows, for those that begin them. */
@Injectable()
export class RolloutRecords {
  constructor(
    @Inject(RolloutsRepository) private readonly repository: RolloutsRepository,
    @Inject(DependencyWaits) private readonly waits: DependencyWaits,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  newId(trx: Trx): Promise<string> {
    return this.repository.newId(trx);
  }

  /** Those of an owner that have not ended, oldest first. */
  open(trx: Trx, ownerId: string): Promise<RolloutLine[]> {
    return this.repository.open(trx, ownerId);
  }

  /** Writes a new rollout, or one whose turn has come; the oldest ended ones of its owner are forgotten. */
  async insert(
    trx: Trx,
    begun: {
      owner: Owner;
      policy: { name: string; project: string };
      state: RolloutState;
      targets: readonly TargetRecord[];
    },
  ): Promise<void> {
    const { owner, policy, state, targets } = begun;
    const { name: ownerName, project } = policy;
    await this.repository.begin(trx, { owner, ownerName, project, state, targets });
    await this.waits.begun(trx, state.rollout, ownerName);
    await this.repository.trim(trx, owner.id, this.config.rolloutHistory);
    await this.events.publish('rollout', [state.rollout.id], { trx });
    const kept = targets.map(({ namespace, name }) => `${namespace}/${name}`);
    await this.events.publish('application', kept, { trx });
  }

  /**
   * Newer ones take the place of some; those that cannot be superseded stay. The owner is held. Answers the targets that were
   * given what these were for, and did not prove it.
   */
  async supersede(
    trx: Trx,
    owner: Owner,
    rows: readonly RolloutLine[],
    by: string,
    now: number,
  ): Promise<TargetRecord[]> {
    const unproven: TargetRecord[] = [];
    for (const { id } of rows) {
      const row = await this.repository.lock(trx, id);
      if (!row || row.owner_id !== owner.id || row.ended_at) continue;
      const records = await this.repository.targets(trx, id);
      const rollout = row.state as RolloutState['rollout'];
      const state = { rollout, targets: new Map(records.map(({ target }) => [target.id, target])) };
      const step = decide(state, [{ kind: 'superseded', by }], now);
      if (!step.entry) continue;
      // What it wanted to assign with its last breath is not assigned: the newer one decides.
      if (!hasEnded(step.state.rollout.phase)) continue;
      unproven.push(...records.filter(({ target }) => isUnproven(target)));
      const known = new Map(records.map((record) => [record.target.id, record]));
      await this.repository.writeTargets(
        trx,
        id,
        step.changed.map((target) => ({ ...known.get(target.id)!, target })),
      );
      const logged = [{ entry: step.entry, transitions: step.transitions }];
      await this.repository.save(trx, step.state.rollout, true, logged, row.entries, null);
      await this.events.publish('rollout', [id], { trx });
    }
    return unproven;
  }
}

const UNPROVEN: ReadonlySet<Target['state']> = new Set([
  'waiting',
  'assigned',
  'applied',
  'healthy',
  'failed',
]);

function isUnproven({ state, touched, holds, to }: Target): boolean {
  return touched && holds === to && UNPROVEN.has(state);
}
