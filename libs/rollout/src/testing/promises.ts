import { explain } from '../explain.ts';
import type { Window } from '../policy.ts';
import { shareOf, toleratedOf } from '../quantity.ts';
import type { Action, RolloutEvent, RolloutState, Step, Target, TargetInput, Version } from '../types.ts';
import { DeadlineClock } from './deadline-clock.ts';
import { GatePromises, demand, membersOf } from './gate-promises.ts';
import type { Heard, World } from './world.ts';

/**
 * What a rollout promises, checked from outside after each step: by what really happened in clusters and what the hub
 * heard of it, and by numbers worked out here anew. Throws an Error that says which promise is broken.
 */
export class Promises {
  readonly #sizes: number[];
  readonly #proven: Map<string, string | undefined>;
  readonly #restored = new Set<string>();
  /** What an override left targets at that nothing was assigned to since. */
  readonly #left = new Map<string, string | null>();
  readonly #advanced = new Set<string>();
  /** What they are to hold was given to them by an earlier rollout already. */
  readonly #given: ReadonlySet<string>;
  readonly #late = new Set<string>();
  readonly #byHand = new Set<string>();
  readonly #pruning: ReadonlySet<string>;
  readonly #gatePromises = new GatePromises();
  readonly #clock = new DeadlineClock();
  /** A budget was exceeded: nothing may be started before a person says so. */
  #spent: string | undefined;

  constructor(state: RolloutState, inputs: readonly TargetInput[]) {
    const { stages } = state.rollout.policy;
    const all = [...state.targets.values()];
    this.#sizes = stages.map(
      (_, i) => all.filter(({ stage, state: is }) => stage === i && is !== 'pinned').length,
    );
    this.#pruning = new Set(inputs.flatMap(({ id, removes }) => (removes ? [id] : [])));
    this.#proven = new Map(inputs.map(({ id, proven }) => [id, proven?.digest]));
    this.#given = new Set(inputs.flatMap(({ id, holds, to }) => (holds === to ? [id] : [])));
  }

  /** Also of those that joined. */
  know(input: TargetInput): void {
    this.#proven.set(input.id, input.proven?.digest);
    this.#restored.delete(input.id);
    this.#left.delete(input.id);
    this.#late.add(input.id);
  }

  check(world: World, step: Step, before: RolloutState, events: readonly RolloutEvent[]): void {
    const { rollout, targets } = step.state;
    for (const { subject, to } of step.transitions)
      if (to === 'deferred' && subject.startsWith('target/')) this.#late.add(subject.slice('target/'.length));
    for (const event of events) this.#hands(event, before, step);
    this.#deadlines(world, step, before, events);
    for (const event of events) this.#unpinned(event, before);
    const advances = step.actions.filter(
      (action) => action.kind === 'assign' && action.purpose === 'advance',
    ) as Assign[];
    const restores = step.actions.filter(
      (action) => action.kind === 'assign' && action.purpose === 'restore',
    ) as Assign[];
    if (rollout.phase !== 'completed') {
      this.#slots(step, advances);
      this.#budget(step, advances);
      this.#connected(world, advances);
    }
    this.#gates(world, step, advances);
    this.#prunes(step, advances);
    const more = new Set(advances.map(({ target }) => this.#stageOf(step.state, target)));
    this.#gatePromises.check(step, before, events, more, (id, ms) => {
      const signed = world.signed.get(id);
      return signed !== undefined && soakedFor(world.heard.get(id)!, signed.version, ms, world.now);
    });
    this.#order(world, step, advances);
    for (const { target } of advances) {
      this.#advanced.add(target);
      this.#left.delete(target);
    }
    this.#restores(step, restores);
    for (const { target } of restores) this.#left.delete(target);
    this.#health(world, step);
    this.#quiet(before, step);
    this.#explained(world, step);
    for (const target of targets.values()) this.#holds(target);
  }

  #hands(event: RolloutEvent, before: RolloutState, step: Step): void {
    if (event.kind === 'retry' && before.rollout.phase !== step.state.rollout.phase) this.#spent = undefined;
    if (event.kind === 'retry') for (const target of step.changed) this.#byHand.delete(target.id);
    if (event.kind === 'start') for (const id of event.targets) this.#byHand.add(id);
  }

  /** What was left at the release by an override may be taken back, also where that was done once before. */
  #unpinned(event: RolloutEvent, before: RolloutState): void {
    if (event.kind !== 'unpinned' || event.holds === undefined) return;
    const target = before.targets.get(event.target);
    const over = ['completed', 'rolled-back', 'aborted', 'superseded'].includes(before.rollout.phase);
    if (over || target?.state !== 'pinned' || target.holds === event.holds) return;
    this.#left.set(event.target, event.holds);
    this.#restored.delete(event.target);
  }

  #slots({ state }: Step, advances: readonly Assign[]): void {
    const stages = new Set(advances.map(({ target }) => state.targets.get(target)!.stage));
    for (const stage of stages) {
      if (stage === null) continue;
      const started = advances.filter((one) => state.targets.get(one.target)!.stage === stage);
      if (started.every(({ target }) => this.#byHand.has(target))) continue;
      const { maxConcurrent } = state.rollout.policy.stages[stage]!;
      const limit = shareOf(maxConcurrent, this.#sizes[stage]!);
      const flying = membersOf(state, stage).filter(isFlying).length;
      demand(flying <= limit, `maxConcurrent: ${flying} of stage ${stage} are on their way, ${limit} may be`);
    }
  }

  /** What prunes in production has somebody to ask; that nothing starts before they are heard is for all gates alike. */
  #prunes({ state }: Step, advances: readonly Assign[]): void {
    const { stages, pruneApproval } = state.rollout.policy;
    for (const { target } of advances) {
      const index = state.targets.get(target)!.stage;
      if (index === null || !stages[index]!.production || !pruneApproval) continue;
      const prunes = membersOf(state, index).some(({ id }) => this.#pruning.has(id) && !this.#late.has(id));
      const asked = stages[index]!.gates.some(({ kind, at }) => kind === 'approval' && at === 'entry');
      demand(!prunes || asked, `prune: ${target} loses objects in production and nobody is asked`);
    }
  }

  #budget({ state }: Step, advances: readonly Assign[]): void {
    demand(advances.length === 0 || !this.#spent, `budget: a start after ${this.#spent}`);
    for (const [i, { failureBudget, name }] of state.rollout.policy.stages.entries()) {
      const failed = membersOf(state, i).filter(
        ({ counted, state: is }) => counted && is === 'failed',
      ).length;
      if (failed <= toleratedOf(failureBudget, this.#sizes[i]!)) continue;
      demand(advances.length === 0, `budget: a start while ${failed} of stage ${name} have failed`);
      if (!state.rollout.paused) this.#spent = `${failed} of stage ${name} failed`;
    }
  }

  #connected(world: World, advances: readonly Assign[]): void {
    for (const { target } of advances)
      demand(world.agent(target).connected, `${target} was sent to while not connected`);
  }

  /** Windows are open, who has to approve has approved, and what was measured was good: here and in every stage before. */
  #gates(world: World, { state }: Step, advances: readonly Assign[]): void {
    const closed = (windows: readonly Window[]) =>
      windows.some(
        (one) => 'fromMs' in one && one.deny && one.fromMs <= world.now && world.now < one.untilMs,
      );
    const { policy, stages } = state.rollout;
    demand(
      advances.length === 0 || !closed(policy.windows),
      'a start while the windows of the policy are closed',
    );
    for (const { target } of advances) {
      const own = this.#stageOf(state, target);
      for (let stage = 0; stage <= own; stage++) {
        for (const [i, gate] of policy.stages[stage]!.gates.entries()) {
          const { status, approvals, last } = stages[stage]!.gates[i]!;
          if (status === 'skipped' || (stage === own && gate.at === 'end')) continue;
          // A stage in which nothing moves is passed with its gates untouched.
          if (stage < own && status === 'pending' && gate.kind !== 'windows') {
            demand(!this.#moved(state, stage), `${gate.name} of stage ${stage} was never asked`);
          } else if (gate.kind === 'windows') {
            demand(stage < own || !closed(gate.windows), `a start while "${gate.name}" is closed`);
          } else if (gate.kind === 'approval') {
            const people = new Set(approvals.map(({ actor }) => actor)).size;
            demand(status === 'passed' && people >= gate.count, `"${gate.name}" has ${people} approvals`);
          } else {
            demand(
              status === 'passed' && last?.verdict === 'ok',
              `"${gate.name}" was measured ${last?.verdict}`,
            );
          }
        }
      }
    }
  }

  /** Something of a stage was started in its turn. */
  #moved(state: RolloutState, stage: number): boolean {
    return membersOf(state, stage).some(({ id }) => this.#advanced.has(id) && !this.#late.has(id));
  }

  /** Whatever starts in a stage, all that counts in those before it was really healthy for the whole soak. */
  #order(world: World, { state }: Step, advances: readonly Assign[]): void {
    for (const { target } of advances) {
      const { stage } = state.targets.get(target)!;
      const passed = stage === null || state.rollout.stages[stage]!.step === 'passed';
      demand(
        passed || !this.#late.has(target),
        `order: ${target} is late, and starts before its stage has passed`,
      );
    }
    const first = Math.max(-1, ...advances.map(({ target }) => this.#stageOf(state, target)));
    for (let stage = 0; stage < first; stage++) {
      const { soakMs, name } = state.rollout.policy.stages[stage]!;
      for (const target of membersOf(state, stage)) {
        if (!target.counted || EXCUSED.has(target.state) || this.#late.has(target.id)) continue;
        const signed = world.signed.get(target.id);
        const soaked = signed && soakedFor(world.heard.get(target.id)!, signed.version, soakMs, world.now);
        demand(
          soaked,
          `order: stage ${first} starts, and ${target.id} of ${name} is ${target.state} without its soak`,
        );
      }
    }
  }

  /** By hand anything may be started, and what is late belongs to a stage that has passed. */
  #stageOf(state: RolloutState, id: string): number {
    const { stage } = state.targets.get(id)!;
    return stage === null || this.#late.has(id) ? -1 : stage;
  }

  #restores({ state }: Step, restores: readonly Assign[]): void {
    for (const { target, digest } of restores) {
      demand(
        digest === this.#proven.get(target),
        `${target} is taken back to ${digest}, not to what was proven`,
      );
      demand(!this.#restored.has(target), `${target} is taken back twice`);
      const left = this.#left.get(target) === state.targets.get(target)!.to;
      const touched = this.#advanced.has(target) || this.#given.has(target) || left;
      demand(touched, `${target} is taken back and was never touched`);
      demand(state.rollout.rollback !== null, `${target} is taken back without a rollback`);
      this.#restored.add(target);
    }
  }

  /** Healthy, done and restored are states that were really heard of. */
  #health(world: World, { transitions, state }: Step): void {
    for (const { subject, to, from } of transitions) {
      if (!subject.startsWith('target/')) continue;
      const id = subject.slice('target/'.length);
      const target = state.targets.get(id)!;
      const signed = world.signed.get(id);
      const heard = world.heard.get(id)!;
      if (to === 'healthy' || to === 'restored')
        demand(
          signed && soakedFor(heard, signed.version, 0, world.now),
          `${id} is ${to} and was not heard to be`,
        );
      if (to === 'done' && from === 'healthy') {
        const soakMs = target.stage === null ? 0 : state.rollout.policy.stages[target.stage]!.soakMs;
        demand(
          signed && soakedFor(heard, signed.version, soakMs, world.now),
          `${id} is done without its soak`,
        );
      }
    }
  }

  #quiet(before: RolloutState, step: Step): void {
    const over = ['completed', 'rolled-back', 'aborted', 'superseded'].includes(before.rollout.phase);
    demand(
      !over || (step.changed.length === 0 && step.actions.length === 1),
      'something happens after the end',
    );
    demand(!over || step.state === before, 'the state changes after the end');
  }

  /** Nobody fails by a deadline that passed while no hub was there, or while a window held its sync. */
  #deadlines(
    world: World,
    { transitions, state }: Step,
    before: RolloutState,
    events: readonly RolloutEvent[],
  ): void {
    this.#clock.note(world.now, events);
    for (const { subject, from, to } of transitions) {
      const id = subject.slice('target/'.length);
      // What goes back is not held by what held the release.
      if (to === 'restoring') this.#clock.open(id, world.now);
      const late = to === 'failed' || to === 'restore-failed' || to === 'unproven';
      if (!subject.startsWith('target/') || !late || (from !== 'assigned' && from !== 'restoring')) continue;
      const { stage, assignedAt } = before.targets.get(id)!;
      const { policy } = state.rollout;
      const deadlineMs =
        from === 'restoring' ? policy.rollback.deadlineMs : policy.stages[stage!]!.deadlineMs!;
      const had = this.#clock.passed(id, assignedAt!, world.now);
      demand(
        had >= deadlineMs,
        `${id} is ${to} after ${had} ms of ${deadlineMs} in which it could have gone`,
      );
      demand(!this.#clock.isHeld(id), `${id} is ${to} while a window holds it`);
      demand(
        this.#clock.sinceOutage(world.now) >= Math.min(deadlineMs, 60_000),
        `${id} had no time to say how it is after its hub came back`,
      );
    }
  }

  /** It ends, or says what it waits for; nobody is left to wonder. */
  #explained(world: World, { state }: Step): void {
    const { waitingFor, phase, lines } = explain(state, world.now);
    const over = ['completed', 'rolled-back', 'aborted', 'superseded'].includes(phase);
    demand(
      over || waitingFor.length > 0,
      `${phase}, and waits for nothing that it could name: ${lines.join('; ')}`,
    );
  }

  #holds(target: Target): void {
    const { id, holds, from, to } = target;
    const given = this.#advanced.has(id) || this.#given.has(id);
    const own = this.#restored.has(id) ? this.#proven.get(id) : given ? to : from;
    const expected = this.#left.has(id) ? this.#left.get(id) : own;
    demand(holds === expected, `${id} holds ${holds}, not ${expected}`);
  }
}

type Assign = Action & { kind: 'assign' };

const EXCUSED = new Set<Target['state']>(['pinned', 'gone', 'skipped', 'failed']);

function isFlying({ state }: Target): boolean {
  return state === 'assigned' || state === 'applied';
}

/** Whether it was heard to be healthy at this assignment, observed after the apply, for so long without a break. */
export function soakedFor(heard: readonly Heard[], version: Version, soakMs: number, now: number): boolean {
  let since: number | undefined;
  for (const one of heard) {
    if (since !== undefined && one.at >= since + soakMs) return true;
    if (one.silent) since = undefined;
    else if (one.version!.generation < version.generation) continue;
    else if (one.health !== 'Healthy') since = undefined;
    else if (one.after) since ??= one.at;
  }
  return since !== undefined && now >= since + soakMs;
}
