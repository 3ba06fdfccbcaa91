import { randomInt } from 'node:crypto';
import {
  type Admission,
  type BeginInput,
  type Phase,
  type ReleaseRef,
  type Rollout,
  type RolloutPolicy,
  type Standing,
  type TargetInput,
  admit,
  begin,
  enqueue,
  nextInTurn,
  undoPolicy,
} from '@muster/rollout';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { type Content, contentOf, type Hold, keyOfTarget, type Target } from '../releases/targets.ts';
import type { Owner } from '../releases/owner.ts';
import type { Trx } from '../store/schema.ts';
import { FactsRepository } from './facts.repository.ts';
import { HoldsRepository } from './holds.repository.ts';
import { type OwnerPolicy, PolicyChoices } from './policy-choices.service.ts';
import { ReleaseRemovals } from './release-removals.service.ts';
import { type Moving, givenMoves, releaseMoves } from './release-moves.ts';
import { RolloutClock } from './rollout-clock.ts';
import { RolloutRecords } from './rollout-records.service.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';
import { type RolloutLine, type TargetRecord } from './rollouts.repository.ts';

/** A release that was just written, and what was there before it. */
export interface WrittenRelease {
  owner: Owner;
  id: string;
  number: bigint;
  cause: string;
  previous: { id: string; targets: readonly Target[] } | undefined;
  next: readonly Target[];
  /** It came from another commit than the one before. */
  newCommit: boolean;
  /** What targets that join hold before their turn comes, by `keyOfTarget`. */
  earlier?: ReadonlyMap<string, Content>;
}

/** Begins rollouts: whatever runs `assign` afterwards, no target gets a release before its turn has come. */
@Injectable()
export class RolloutStarts {
  constructor(
    @Inject(RolloutRecords) private readonly records: RolloutRecords,
    @Inject(HoldsRepository) private readonly holds: HoldsRepository,
    @Inject(FactsRepository) private readonly facts: FactsRepository,
    @Inject(PolicyChoices) private readonly policies: PolicyChoices,
    @Inject(RolloutTriggers) private readonly triggers: RolloutTriggers,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
    @Inject(ReleaseRemovals) private readonly removals: ReleaseRemovals,
  ) {}

  /** In the transaction that writes a release, which holds its owner. Without a policy: every target gets it at once. */
  async released(trx: Trx, release: WrittenRelease): Promise<void> {
    const { owner, next, previous } = release;
    const policy = await this.policies.of(trx, owner);
    if (!policy) return;
    const { choice } = policy;
    await this.holds.problem(trx, owner.id, choice.kind === 'problem' ? choice.message : undefined);
    const applied = next.filter((target) => target.digest !== null);
    const holds = await this.holds.holds(trx, [...new Set(applied.map((target) => target.applicationId))]);
    const free = holds.filter(({ pinned }) => !pinned);
    const open = await this.records.open(trx, owner.id);
    if (choice.kind === 'none' && free.length === 0 && open.length === 0) return;
    const goes = open.some(({ phase }) => GOES.has(phase));
    const moves = releaseMoves({
      previous,
      next: applied,
      holds,
      again: release.newCommit || goes,
      ...(release.earlier ? { earlier: release.earlier } : {}),
    });
    await this.holds.drop(trx, moves.arrived);
    const goingBack = open.find(({ phase }) => phase === 'rolling-back');
    if (choice.kind === 'none' && !goingBack) {
      await this.records.supersede(trx, owner, open, release.id, this.clock.now());
      await this.holds.drop(trx, holds);
      return;
    }
    if (choice.kind !== 'policy') {
      const reason = choice.kind === 'problem' ? choice.message : 'the rollout before it is being taken back';
      await this.holds.hold(trx, holdsOf(moves.moving, null, reason));
      return;
    }
    if (moves.onlyNew) return this.#joined(trx, moves.moving, free, open);
    if (someMoves(moves.moving, holds))
      await this.#begin(trx, release, { ...policy, choice }, moves.moving, open);
  }

  /** Targets that hold what their newest release says, whatever was before. */
  free(trx: Trx, targets: readonly Target[]): Promise<void> {
    return this.holds.drop(trx, targets);
  }

  /** Nothing is on its way: new targets get what the others have. Else they wait with those that have it not yet. */
  async #joined(
    trx: Trx,
    moving: readonly Moving[],
    holds: readonly Hold[],
    open: readonly RolloutLine[],
  ): Promise<void> {
    const running = open.find(({ phase }) => phase === 'running');
    if (!running && open.length === 0 && holds.length === 0) return;
    const reason = running ? 'it joined while a rollout runs' : 'the newest release is held back';
    // What is held already waits as it did.
    const held = new Set(holds.map(keyOfTarget));
    const fresh = moving.filter(({ target }) => !held.has(keyOfTarget(target)));
    await this.holds.hold(trx, holdsOf(fresh, running?.id ?? holds[0]?.rolloutId ?? null, reason));
    if (running) await this.triggers.ask(trx, [running.id]);
  }

  async #begin(
    trx: Trx,
    release: Pick<WrittenRelease, 'owner' | 'id' | 'number' | 'cause'>,
    policy: OwnerPolicy & { choice: { policy: RolloutPolicy } },
    moving: readonly Moving[],
    open: readonly RolloutLine[],
    kind: 'release' | 'undo' = 'release',
  ): Promise<string> {
    const { owner } = release;
    const id = await this.records.newId(trx);
    const to = { id: release.id, label: labelOf(release) };
    const admission: Admission = admit(policy.choice.policy.superseding, open.map(standingOf));
    const now = this.clock.now();
    const taken = open.filter((row) => admission.supersede.includes(row.id));
    const left = await this.records.supersede(trx, owner, taken, id, now);
    const released = left.length > 0 ? await this.facts.releaseTargets(trx, release.id) : [];
    const all = [...moving, ...givenMoves(released, left, moving)];
    const input = {
      id,
      kind,
      policy: policy.choice.policy,
      from: await this.#from(trx, moving),
      to,
      seed: randomInt(2 ** 32),
      now,
    };
    const queued = admission.begin === 'queued';
    const reason = queued ? admission.reason : `the rollout of ${to.label} has not reached it`;
    if (queued) await this.records.insert(trx, { owner, policy, state: enqueue(input), targets: [] });
    else await this.#start(trx, owner, policy, input, all);
    await this.holds.hold(trx, holdsOf(moving, id, reason));
    return id;
  }

  async #start(
    trx: Trx,
    owner: Owner,
    policy: Pick<OwnerPolicy, 'name' | 'project'>,
    input: Omit<BeginInput, 'targets'>,
    moving: readonly Moving[],
  ): Promise<void> {
    const described = await this.#describe(trx, moving, input.policy);
    const state = begin({ ...input, targets: described.map(({ input: one }) => one) });
    const targets = described.flatMap(({ record, input: { id } }): TargetRecord[] => {
      const target = state.targets.get(id);
      return target ? [{ ...record, target }] : [];
    });
    await this.records.insert(trx, { owner, policy, state, targets });
    await this.triggers.ask(trx, [input.id]);
  }

  /** Whose turn it is, and owners whose policy was missing or broken and is not any more. The owner is held. */
  async look(trx: Trx, owner: Owner): Promise<void> {
    const policy = await this.policies.of(trx, owner);
    const newest = await this.facts.newest(trx, owner.id);
    if (!policy || !newest) return;
    const { choice } = policy;
    await this.holds.problem(trx, owner.id, choice.kind === 'problem' ? choice.message : undefined);
    const open = await this.records.open(trx, owner.id);
    const turn = nextInTurn(open.map(standingOf));
    if (turn) return this.#takeTurn(trx, owner, open, turn);
    if (open.length > 0 || choice.kind === 'problem') return;
    // What an ended rollout holds back stays so until there is a newer commit.
    const targets = await this.facts.releaseTargets(trx, newest.id);
    const holds = (await this.holds.holds(trx, applicationsOf(targets))).filter(
      (hold) => hold.rolloutId === null,
    );
    if (holds.every(({ pinned }) => pinned)) return;
    if (choice.kind === 'none') {
      await this.holds.drop(trx, holds);
      await this.triggers.askAssign(trx, [owner]);
      return;
    }
    const moving = movingOf(targets, holds);
    await this.#begin(trx, { owner, ...newest }, { ...policy, choice }, moving, []);
  }

  /** The newest release once more, where something is held back from it. Throws `precondition`. */
  async again(trx: Trx, owner: Owner): Promise<string> {
    const newest = await this.facts.newest(trx, owner.id);
    const targets = newest ? await this.facts.releaseTargets(trx, newest.id) : [];
    const holds = await this.holds.holds(trx, applicationsOf(targets));
    const moving = movingOf(targets, holds);
    if (!newest || !someMoves(moving, holds))
      throw new MusterError('precondition', 'nothing is held back from the newest release');
    const policy = await this.#policyFor(trx, owner);
    return this.#begin(trx, { owner, ...newest }, policy, moving, []);
  }

  /** An earlier release, as the policy goes back; what it changes stays so until there is a newer commit. Throws `precondition`. */
  async undo(trx: Trx, owner: Owner, number: number | undefined): Promise<string> {
    const release = await this.facts.releaseBefore(trx, owner.id, number);
    const newest = await this.facts.newest(trx, owner.id);
    if (!release || !newest)
      throw new MusterError(
        'precondition',
        `release ${number ?? 'before it'} is not in the history any more`,
        {
          hint: '`muster app history` shows the releases that are',
        },
      );
    const now = await this.facts.releaseTargets(trx, newest.id);
    const holds = await this.holds.holds(trx, applicationsOf(now));
    const current = new Map(now.map((one) => [keyOfTarget(one), contentOf(one, newest.id) ?? null]));
    for (const hold of holds) current.set(keyOfTarget(hold), hold.content);
    const moving = (await this.facts.releaseTargets(trx, release.id)).flatMap((target): Moving[] => {
      const from = current.get(keyOfTarget(target));
      return from === undefined || from?.digest === target.digest ? [] : [{ target, from }];
    });
    if (!someMoves(moving, holds))
      throw new MusterError('precondition', `everything holds ${labelOf(release)} already, or is pinned`);
    const policy = await this.#policyFor(trx, owner);
    const back = { ...policy, choice: { ...policy.choice, policy: undoPolicy(policy.choice.policy) } };
    return this.#begin(trx, { owner, ...release }, back, moving, [], 'undo');
  }

  /** Throws `precondition` where something of the owner is on its way, or no policy is in order. */
  async #policyFor(trx: Trx, owner: Owner) {
    const policy = await this.policies.of(trx, owner);
    const open = await this.records.open(trx, owner.id);
    if (open.length > 0)
      throw new MusterError('precondition', 'another rollout of it has not ended', {
        hint: 'muster rollout list --open',
      });
    if (policy?.choice.kind === 'policy') return { ...policy, choice: policy.choice };
    const why =
      policy?.choice.kind === 'problem' ? policy.choice.message : 'it has no rollout policy any more';
    throw new MusterError('precondition', why);
  }

  /** A rollout that waited begins with what its targets hold now, under the policy that it was made with. */
  async #takeTurn(
    trx: Trx,
    owner: Owner,
    open: readonly RolloutLine[],
    turn: { id: string; supersede: string[] },
  ): Promise<void> {
    const row = open.find(({ id }) => id === turn.id)!;
    const now = this.clock.now();
    await this.records.supersede(
      trx,
      owner,
      open.filter(({ id }) => turn.supersede.includes(id)),
      turn.id,
      now,
    );
    const { policy, to, paused } = row.state as Rollout;
    const newest = (await this.facts.newest(trx, owner.id))!;
    const targets = await this.facts.releaseTargets(trx, to.id);
    const released = await this.facts.releaseTargets(trx, newest.id);
    const current = new Set(released.map(keyOfTarget));
    const holds = await this.holds.holds(trx, applicationsOf(released));
    const moving = movingOf(
      targets.filter((target) => current.has(keyOfTarget(target))),
      holds,
    );
    const input = {
      id: row.id,
      kind: row.kind,
      policy,
      from: await this.#from(trx, moving),
      to,
      seed: randomInt(2 ** 32),
      now,
      paused,
    };
    await this.#start(trx, owner, { name: row.owner_name, project: row.project }, input, moving);
    await this.holds.hold(trx, holdsOf(moving, row.id, `the rollout of ${to.label} has not reached it`));
  }

  /** Targets that join a rollout: those that wait for nothing but it, and that it does not know. */
  async joining(
    trx: Trx,
    owner: Owner,
    rolloutId: string,
  ): Promise<{ input: TargetInput; record: Omit<TargetRecord, 'target'> }[]> {
    const held = await this.holds.outside(trx, rolloutId);
    if (held.length === 0) return [];
    const newest = await this.facts.newest(trx, owner.id);
    const targets = newest ? await this.facts.releaseTargets(trx, newest.id) : [];
    const moving = movingOf(targets, held).map((one) => ({ ...one, joined: true }));
    return this.#describe(trx, moving);
  }

  async #describe(
    trx: Trx,
    moving: readonly Moving[],
    policy?: RolloutPolicy,
  ): Promise<{ input: TargetInput; record: Omit<TargetRecord, 'target'> }[]> {
    const targets = moving.map(({ target }) => target);
    const names = new Map((await this.facts.names(trx, targets)).map((one) => [keyOfTarget(one), one]));
    const proofs = new Map(
      (await this.holds.proofs(trx, applicationsOf(targets))).map((one) => [keyOfTarget(one), one.content]),
    );
    const pinned = new Map(
      (await this.holds.pinned(trx, applicationsOf(targets))).map((one) => [keyOfTarget(one), one.pinned]),
    );
    const removed = await this.removals.of(trx, moving, policy);
    return moving.flatMap(({ target, from, joined, given }) => {
      const removes = removed.get(keyOfTarget(target));
      const known = names.get(keyOfTarget(target));
      if (!known) return [];
      // What joined goes back to what the others were proven good at.
      const proven = proofs.get(keyOfTarget(target)) ?? (joined ? from : null);
      const application = `${target.namespace}/${target.name}`;
      const input: TargetInput = {
        id: `${application}@${known.cluster}`,
        cluster: known.cluster,
        application,
        clusterLabels: known.clusterLabels,
        applicationLabels: known.applicationLabels,
        from: from?.digest ?? null,
        proven: proven && { release: proven.releaseId ?? '', digest: proven.digest },
        to: target.digest!,
        ...(given ? { unsettled: true, holds: target.digest! } : {}),
        connected: known.connected,
        pinned: pinned.get(keyOfTarget(target)) ?? null,
        ...(removes ? { removes } : {}),
      };
      const { applicationId, clusterId, namespace, name } = target;
      return [{ input, record: { applicationId, clusterId, namespace, name, proven } }];
    });
  }

  /** The release that most of the targets come from. */
  async #from(trx: Trx, moving: readonly Moving[]): Promise<ReleaseRef | null> {
    const counts = new Map<string, number>();
    for (const { from } of moving)
      if (from?.releaseId) counts.set(from.releaseId, (counts.get(from.releaseId) ?? 0) + 1);
    const [most] = [...counts].sort((a, b) => b[1] - a[1]);
    const release = most && (await this.facts.release(trx, most[0]));
    return release ? { id: release.id, label: labelOf(release) } : null;
  }
}

/** On its way, or waiting for its turn. */
const GOES: ReadonlySet<string> = new Set<Phase>(['pending', 'running', 'rolling-back']);

export function labelOf({ number, cause }: { number: bigint; cause: string }): string {
  return `release ${number} (${cause})`;
}

function standingOf(row: RolloutLine): Standing {
  const { phase, paused, to } = row.state as Rollout;
  return { id: row.id, phase, paused: paused !== null, to };
}

function holdsOf(moving: readonly Moving[], rolloutId: string | null, reason: string): Hold[] {
  return moving.map(({ target: { applicationId, clusterId }, from }) => ({
    applicationId,
    clusterId,
    content: from,
    rolloutId,
    reason,
  }));
}

function movingOf(targets: readonly Target[], holds: readonly Hold[]): Moving[] {
  const held = new Map(holds.map((hold) => [keyOfTarget(hold), hold]));
  return targets.flatMap((target): Moving[] => {
    const hold = held.get(keyOfTarget(target));
    return hold && hold.content?.digest !== target.digest ? [{ target, from: hold.content }] : [];
  });
}

/** Whether a rollout has something to do: what is pinned takes part in it, and is not moved by it. */
function someMoves(moving: readonly Moving[], holds: readonly Hold[]): boolean {
  const pinned = new Set(holds.filter((hold) => hold.pinned).map(keyOfTarget));
  return moving.some(({ target }) => !pinned.has(keyOfTarget(target)));
}

function applicationsOf(targets: readonly Target[]): string[] {
  return [...new Set(targets.map((target) => target.applicationId))];
}
