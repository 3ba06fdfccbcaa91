import {
  type Action,
  type FactEvent,
  type Notice,
  type RolloutEvent,
  type RolloutState,
  type Target,
  decide,
  hasEnded,
} from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { Audit } from '../audit/audit.ts';
import { CommandsService } from '../commands/commands.service.ts';
import type { Owner } from '../releases/owner.ts';
import {
  type Content,
  type Hold,
  type ReleasedTarget,
  contentOf,
  keyOfTarget,
  withContent,
} from '../releases/targets.ts';
import type { Trx } from '../store/schema.ts';
import { FactsRepository, type TargetFacts } from './facts.repository.ts';
import { HoldsRepository } from './holds.repository.ts';
import { versionOf } from './rollout-events.ts';
import { type LoadedRollout, RolloutMemory } from './rollout-memory.ts';
import { type LoggedStep, RolloutsRepository, type TargetRecord } from './rollouts.repository.ts';

/** What is to be done after a step. */
export interface Ran {
  /** When to look again; null: not before something happens. */
  wake: number | null;
  /** Something was given what its agent holds already: what was said of it counts, and nobody says it again. */
  heldAlready: boolean;
}

type Assign = Extract<Action, { kind: 'assign' }>;

/** Rounds of one step: what is assigned is signed and told at once. */
const MAX_ROUNDS = 8;
const NEVER_AUDITED: ReadonlySet<Notice> = new Set(['target-failed', 'stage-passed']);

/** Lets the machine decide, and carries out what it says in the same transaction. */
@Injectable()
export class RolloutRunner {
  readonly #memory = new RolloutMemory();

  constructor(
    @Inject(RolloutsRepository) private readonly repository: RolloutsRepository,
    @Inject(FactsRepository) private readonly facts: FactsRepository,
    @Inject(HoldsRepository) private readonly holds: HoldsRepository,
    @Inject(AssignmentsService) private readonly assignments: AssignmentsService,
    @Inject(CommandsService) private readonly commands: CommandsService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** Whose it is; undefined: there is none. */
  async ownerOf(trx: Trx, id: string): Promise<Owner | undefined> {
    const row = await this.repository.find(id, trx);
    return row && { kind: row.owner_kind, id: row.owner_id };
  }

  /** Ends a rollout whose owner is gone, and all its Applications with it. */
  async orphaned(trx: Trx, { row, state }: LoadedRollout, now: number): Promise<void> {
    const rollout = { ...state.rollout, phase: 'aborted' as const, since: now };
    await this.repository.save(trx, rollout, true, [], row.entries, null);
    await this.events.publish('rollout', [row.id], { trx });
  }

  /** Locks a rollout; undefined: there is none. The caller holds its owner. */
  async load(trx: Trx, id: string): Promise<LoadedRollout | undefined> {
    const row = await this.repository.lock(trx, id);
    if (!row) return undefined;
    const kept = this.#memory.take(row);
    if (kept) return { ...kept, row };
    const records = await this.repository.targets(trx, id);
    const targets = new Map(records.map(({ target }) => [target.id, target]));
    return {
      row,
      owner: { kind: row.owner_kind, id: row.owner_id },
      state: { rollout: row.state as RolloutState['rollout'], targets },
      records: new Map(records.map((record) => [record.target.id, record])),
      comparedAt: 0,
    };
  }

  /** Keeps what a step has left, for the next one. Its transaction is committed. */
  keep(loaded: LoadedRollout): void {
    this.#memory.keep(loaded);
  }

  /**
   * Decides on events until nothing more follows from them, and writes what changed. `joining`: what the ids of targets
   * stand for that join now.
   */
  async run(
    trx: Trx,
    loaded: LoadedRollout,
    events: readonly RolloutEvent[],
    now: number,
    joining: readonly TargetRecord[] = [],
  ): Promise<Ran> {
    for (const record of joining) loaded.records.set(record.target.id, record);
    const changed = new Map<string, Target>();
    const steps: LoggedStep[] = [];
    const notices: Extract<Action, { kind: 'notify' }>[] = [];
    let wake: number | null = null;
    let heldAlready = false;
    let next = events;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = loaded.state;
      const step = decide(before, next, now);
      loaded.state = step.state;
      for (const target of step.changed) changed.set(target.id, target);
      if (step.entry) steps.push({ entry: step.entry, transitions: step.transitions });
      await this.#proven(trx, loaded, before, step.changed);
      const assigns: Assign[] = [];
      for (const action of step.actions) {
        if (action.kind === 'assign') assigns.push(action);
        else if (action.kind === 'notify') notices.push(action);
        else if (action.kind === 'wake') wake = action.at;
      }
      if (assigns.length === 0) break;
      const assigned = await this.#assign(trx, loaded, assigns);
      next = assigned.signed;
      heldAlready ||= assigned.heldAlready;
    }
    await this.#write(trx, loaded, changed, steps, wake);
    await this.#tell(trx, loaded, notices, steps.length > 0);
    return { wake, heldAlready };
  }

  /** That its turn has come is a target's sync, also where its agent does not sync by itself. */
  async sync(trx: Trx, { state, records }: LoadedRollout, facts: readonly TargetFacts[]): Promise<void> {
    const waiting = facts.flatMap(({ targetId, unsynced, assigned }) => {
      const target = state.targets.get(targetId);
      const sent = target?.state === 'assigned' || target?.state === 'restoring';
      return unsynced && sent && assigned?.digest === target.holds && assigned?.digest
        ? [{ record: records.get(targetId)!, digest: assigned.digest, bundle: assigned.bundleDigest }]
        : [];
    });
    if (waiting.length === 0) return;
    const byHand = await this.assignments.syncedByHand(
      trx,
      waiting.map(({ digest }) => digest),
    );
    // An agent that accepts no syncs holds up nobody but itself: its deadline passes.
    await this.commands.issueAll(
      trx,
      waiting
        .filter(({ digest }) => byHand.has(digest))
        .map(({ record, bundle }) => ({
          clusterId: record.clusterId,
          application: { namespace: record.namespace, name: record.name },
          verb: { kind: 'sync', ...(bundle ? { bundleDigest: bundle } : {}) },
          actor: 'rollout',
          reason: state.rollout.to.label,
        })),
    );
  }

  async #write(
    trx: Trx,
    loaded: LoadedRollout,
    changed: ReadonlyMap<string, Target>,
    steps: readonly LoggedStep[],
    wake: number | null,
  ): Promise<void> {
    const { row, state, records } = loaded;
    const written = [...changed.values()].map((target) => ({ ...records.get(target.id)!, target }));
    const moved = written.filter(({ target }) => records.get(target.id)!.target.state !== target.state);
    await this.events.publish('application', moved.map(applicationOf), { trx });
    for (const record of written) records.set(record.target.id, record);
    await this.repository.writeTargets(trx, row.id, written);
    const ended = hasEnded(state.rollout.phase);
    const wakeAt = wake === null ? null : new Date(wake);
    if (steps.length > 0 || wakeAt?.getTime() !== row.wake_at?.getTime())
      await this.repository.save(trx, state.rollout, ended, steps, row.entries, wakeAt);
    // A verb follows what has happened before it, in the same transaction.
    loaded.row = {
      ...row,
      state: state.rollout,
      entries: row.entries + BigInt(steps.length),
      wake_at: wakeAt,
      ended_at: ended ? new Date(state.rollout.since) : null,
    };
  }

  /** What has passed its soak is where a later rollback goes back to; once it is taken back, what was proven before. */
  async #proven(
    trx: Trx,
    loaded: LoadedRollout,
    before: RolloutState,
    changed: readonly Target[],
  ): Promise<void> {
    const { records } = loaded;
    const came = (to: Target['state']) =>
      changed.filter(({ id, state: now }) => now === to && before.targets.get(id)?.state !== to);
    const [done, restoring] = [came('done'), came('restoring')];
    const contents = done.length > 0 ? await this.#contents(trx, loaded) : new Map<string, Content>();
    const proofs = [...done, ...restoring].flatMap((target) => {
      const { applicationId, clusterId, proven } = records.get(target.id)!;
      const content: Content | null | undefined =
        target.state === 'done' ? contents.get(keyOfTarget({ applicationId, clusterId })) : proven;
      return content && content.digest === target.holds ? [{ applicationId, clusterId, content }] : [];
    });
    await this.holds.prove(trx, proofs);
  }

  /** Has targets hold other content, signs it, and answers the versions. */
  async #assign(
    trx: Trx,
    loaded: LoadedRollout,
    assigns: readonly Assign[],
  ): Promise<{ signed: FactEvent[]; heldAlready: boolean }> {
    const { owner, state, records } = loaded;
    const applicationIds = assigns.map(({ target }) => records.get(target)!.applicationId);
    const newest = await this.assignments.latestRelease(trx, owner, applicationIds);
    if (!newest) return { signed: [], heldAlready: false };
    const released = new Map(newest.targets.map((target) => [keyOfTarget(target), target]));
    const contents = await this.#contents(trx, loaded);
    const held: Hold[] = [];
    const dropped: TargetRecord[] = [];
    const wanted: { action: Assign; target: ReleasedTarget }[] = [];
    for (const action of assigns) {
      const record = records.get(action.target)!;
      const key = keyOfTarget(record);
      const target = released.get(key);
      // It is being removed, or its cluster may not be assigned to.
      if (target?.digest == null) continue;
      const content = [record.proven, contents.get(key), contentOf(target, newest.id)].find(
        (one) => one?.digest === action.digest,
      );
      if (!content) continue;
      const despiteWindows = passesWindows(action, state);
      wanted.push({ action, target: { ...withContent(target, content), despiteWindows } });
      if (content.digest === target.digest) dropped.push(record);
      else held.push({ ...idsOf(record), content, despiteWindows, ...heldBy(action, state) });
    }
    await this.holds.drop(trx, dropped);
    await this.holds.hold(trx, held);
    const versions = await this.assignments.signTargets(
      trx,
      wanted.map(({ target }) => target),
      { waits: state.rollout.kind !== 'undo' && assigns.some(({ purpose }) => purpose === 'advance') },
    );
    const signed = wanted.flatMap(({ action: { target: id, digest }, target }): FactEvent[] => {
      const version = versions.get(keyOfTarget(target));
      return version ? [{ kind: 'signed', target: id, digest, version: versionOf(version) }] : [];
    });
    const heldAlready = wanted.some(({ target }) => versions.get(keyOfTarget(target))?.anew === false);
    return { signed, heldAlready };
  }

  /** What its release says of each target, by `keyOfTarget`: read by the first step that needs it. */
  async #contents(trx: Trx, loaded: LoadedRollout): Promise<ReadonlyMap<string, Content>> {
    const { id } = loaded.state.rollout.to;
    const read = async () => {
      const targets = await this.facts.releaseTargets(trx, id);
      return new Map(targets.map((target) => [keyOfTarget(target), contentOf(target, id)!]));
    };
    loaded.contents ??= await read();
    return loaded.contents;
  }

  async #tell(
    trx: Trx,
    { row, state }: LoadedRollout,
    notices: readonly Extract<Action, { kind: 'notify' }>[],
    changed: boolean,
  ): Promise<void> {
    for (const { what, text } of notices) {
      if (NEVER_AUDITED.has(what)) continue;
      await this.audit.record(trx, {
        actor: 'system',
        action: `rollout.${what}`,
        object: `rollout/${row.id}`,
        project: row.project || '*',
        reason: text.slice(0, 1000),
        details: { owner: row.owner_name, release: state.rollout.to.label },
      });
    }
    if (changed) await this.events.publish('rollout', [row.id], { trx });
  }
}

function applicationOf({ namespace, name }: TargetRecord): string {
  return `${namespace}/${name}`;
}

function idsOf({ applicationId, clusterId }: TargetRecord) {
  return { applicationId, clusterId };
}

/** What goes back is held by no window, unless the policy says so. */
function passesWindows({ purpose }: Assign, { rollout }: RolloutState): boolean {
  return (purpose === 'restore' || rollout.kind === 'undo') && !rollout.policy.rollback.windowsHold;
}

/** What was taken back waits for a newer commit; what was given waits for the release after it. */
function heldBy({ purpose }: Assign, { rollout }: RolloutState): Pick<Hold, 'rolloutId' | 'reason'> {
  const { label } = rollout.to;
  if (rollout.kind === 'undo') return { rolloutId: rollout.id, reason: `it was taken back to ${label}` };
  if (purpose === 'restore') return { rolloutId: rollout.id, reason: `${label} was taken back` };
  return { rolloutId: null, reason: `it was given ${label}; a newer release waits for its turn` };
}
