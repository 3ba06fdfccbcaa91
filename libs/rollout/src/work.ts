import type { StagePolicy } from './policy.ts';
import type {
  Action,
  By,
  GateState,
  Notice,
  Phase,
  Rollout,
  RolloutState,
  StageState,
  StageStep,
  Target,
  TargetState,
  Transition,
} from './types.ts';

/** States that a deadline ends. */
const TIMED: ReadonlySet<TargetState> = new Set(['assigned', 'applied', 'restoring']);

/** How often a target may stop being healthy before it has failed. */
export const MAX_BREAKS = 5;

const ENDS: ReadonlySet<Phase> = new Set(['completed', 'rolled-back', 'aborted', 'superseded']);

/** Nothing changes any more. */
export function hasEnded(phase: Phase): boolean {
  return ENDS.has(phase);
}

/** It occupies a slot: it has the release and is not healthy at it yet. */
export function inFlight({ state }: Target): boolean {
  return state === 'assigned' || state === 'applied';
}

/** What a target of no stage goes by: it is waited for. */
const BY_HAND: Pick<StagePolicy, 'soakMs' | 'deadlineMs' | 'failOnDegraded'> = {
  soakMs: 0,
  deadlineMs: null,
  failOnDegraded: false,
};

/** A draft of the next state: the input stays as it is, what is edited is copied once, and every change is noted. */
export class Work {
  readonly now: number;
  readonly rollout: Rollout;
  readonly actions: Action[] = [];
  readonly transitions: Transition[] = [];
  /** Grows with every change. */
  revision = 0;
  readonly #before: RolloutState;
  readonly #changed = new Map<string, Target>();
  #stages: string[][] | undefined;

  constructor(state: RolloutState, now: number) {
    this.#before = state;
    this.now = Math.max(now, state.rollout.clock);
    const stages = state.rollout.stages.map((stage) => ({
      ...stage,
      gates: stage.gates.map((gate) => ({ ...gate })),
    }));
    this.rollout = { ...state.rollout, stages };
  }

  target(id: string): Target | undefined {
    return this.#changed.get(id) ?? this.#before.targets.get(id);
  }

  /** All targets, those of this draft as they are now. */
  *targets(): Iterable<Target> {
    for (const [id, target] of this.#before.targets) yield this.#changed.get(id) ?? target;
    for (const [id, target] of this.#changed) if (!this.#before.targets.has(id)) yield target;
  }

  /** Targets of a stage in their order. */
  members(stage: number): Target[] {
    this.#stages ??= this.#byStage();
    return (this.#stages[stage] ?? []).map((id) => this.target(id)!);
  }

  stage(index: number): StageState {
    return this.rollout.stages[index]!;
  }

  policy(index: number): StagePolicy {
    return this.rollout.policy.stages[index]!;
  }

  /** What a target goes by. */
  settings(target: Target): typeof BY_HAND {
    return target.stage === null ? BY_HAND : this.policy(target.stage);
  }

  /** Its stage has passed, so it moves on its own. */
  isLate(target: Target): boolean {
    return target.stage !== null && target.stage < this.rollout.stage;
  }

  patch(target: Target, patch: Partial<Target>): Target {
    const next = { ...target, ...patch };
    this.#changed.set(target.id, next);
    this.revision += 1;
    return next;
  }

  add(target: Target): void {
    this.#changed.set(target.id, target);
    this.#stages = undefined;
    this.revision += 1;
  }

  /** A deadline ends with what it is for, and so does health. */
  move(target: Target, to: TargetState, cause: string, patch: Partial<Target> = {}, by?: By): Target {
    this.#transition(`target/${target.id}`, target.state, to, cause, by);
    const ended: Partial<Target> = {};
    if (!TIMED.has(to)) ended.dueAt = null;
    if (to !== 'healthy' && to !== 'done') ended.healthySince = null;
    return this.patch(target, { ...patch, ...ended, state: to, since: this.now, note: cause });
  }

  movePhase(to: Phase, cause: string, by?: By): void {
    this.#transition('rollout', this.rollout.phase, to, cause, by);
    this.rollout.phase = to;
    this.rollout.since = this.now;
    if (hasEnded(to)) this.notify('ended', `${to}: ${cause}`);
  }

  moveStage(index: number, to: StageStep, cause: string): void {
    const stage = this.stage(index);
    this.#transition(`stage/${stage.name}`, stage.step, to, cause);
    stage.step = to;
    stage.since = this.now;
  }

  moveGate(index: number, gate: GateState, to: GateState['status'], cause: string, by?: By): void {
    this.#transition(`gate/${this.stage(index).name}/${gate.name}`, gate.status, to, cause, by);
    if (gate.status === 'open') {
      const { name: stage } = this.stage(index);
      this.actions.push({ kind: 'close-gate', stage, gate: gate.name, round: gate.round });
    }
    gate.status = to;
    gate.since = this.now;
  }

  /** A change that is none of the above. */
  note(subject: string, from: string, to: string, cause: string, by?: By): void {
    this.#transition(subject, from, to, cause, by);
  }

  notify(what: Notice, text: string): void {
    this.actions.push({ kind: 'notify', what, text });
  }

  touch(): void {
    this.revision += 1;
  }

  finish(): { state: RolloutState; changed: Target[] } {
    if (this.revision === 0) return { state: this.#before, changed: [] };
    this.rollout.clock = this.now;
    const changed = [...this.#changed.values()];
    if (changed.length === 0)
      return { state: { rollout: this.rollout, targets: this.#before.targets }, changed };
    const targets = new Map(this.#before.targets);
    for (const target of changed) targets.set(target.id, target);
    return { state: { rollout: this.rollout, targets }, changed };
  }

  #transition(subject: string, from: string, to: string, cause: string, by?: By): void {
    this.revision += 1;
    this.transitions.push({ at: this.now, subject, from, to, cause, ...by });
  }

  #byStage(): string[][] {
    const stages = this.rollout.stages.map((): Target[] => []);
    for (const target of this.targets()) if (target.stage !== null) stages[target.stage]!.push(target);
    return stages.map((members) => {
      const ordered = members.every((one, i) => i === 0 || members[i - 1]!.position <= one.position);
      if (!ordered) members.sort((a, b) => a.position - b.position);
      return members.map(({ id }) => id);
    });
  }
}
