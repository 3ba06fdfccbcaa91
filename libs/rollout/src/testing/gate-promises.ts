import { openMeasurements } from '../gate-words.ts';
import { isOverSoak, isProving } from '../gates.ts';
import type { RolloutEvent, RolloutState, Step, Target } from '../types.ts';

/** Whether a target was heard to be healthy at the release for so long by now, without a break. */
type HealthyFor = (target: string, ms: number) => boolean;

const UNDER_WAY: ReadonlySet<string> = new Set(['rolling', 'soaking']);

/** What is promised of gates that are measured: by what was said of them, counted here anew. Throws as `Promises` does. */
export class GatePromises {
  readonly #measuring = new Set<string>();
  readonly #results = new Map<string, { good: number; bad: number }>();

  /** `started`: the stages in which something was started. */
  check(
    step: Step,
    before: RolloutState,
    events: readonly RolloutEvent[],
    started: ReadonlySet<number>,
    healthyFor: HealthyFor,
  ): void {
    for (const event of events) if (event.kind === 'gate') this.#hear(event, before);
    this.#measured(step);
    this.#soaks(step, started, before);
    this.#delays(step, healthyFor);
    this.#passedOver(step, before, events);
  }

  /** Counts what was said of a gate in its round, while it was measured. */
  #hear(event: RolloutEvent & { kind: 'gate' }, { rollout }: RolloutState): void {
    const stage = rollout.stages.find(({ name }) => name === event.stage);
    const gate = stage?.gates.find(({ name }) => name === event.gate);
    if (gate?.status !== 'open' || gate.round !== event.round) return;
    const key = `${event.stage}/${event.gate}/${event.round}`;
    const { good, bad } = this.#results.get(key) ?? { good: 0, bad: 0 };
    if (event.verdict === 'ok') this.#results.set(key, { good: good + 1, bad });
    if (event.verdict === 'bad') this.#results.set(key, { good: 0, bad: bad + 1 });
  }

  /** What is to be measured is what it was said to begin with and not to end; what passed was measured well enough. */
  #measured({ state, actions, transitions }: Step): void {
    const { rollout } = state;
    for (const action of actions) {
      if (action.kind !== 'evaluate-gate' && action.kind !== 'close-gate') continue;
      const key = `${action.stage}/${action.gate}/${action.round}`;
      if (action.kind === 'evaluate-gate') this.#measuring.add(key);
      else this.#measuring.delete(key);
    }
    const open = openMeasurements(rollout).map(({ stage, gate, round }) => `${stage}/${gate.name}/${round}`);
    demand(
      open.length === this.#measuring.size && open.every((key) => this.#measuring.has(key)),
      `measured is ${[...this.#measuring].join()}, not ${open.join()}`,
    );
    for (const { subject, from, to } of transitions) {
      const [what, stage, name] = subject.split('/');
      if (what !== 'gate' || from !== 'open' || to !== 'passed') continue;
      const index = rollout.stages.findIndex((one) => one.name === stage);
      const gate = rollout.policy.stages[index]!.gates.find((one) => one.name === name)!;
      if (!('timeoutMs' in gate)) continue;
      const { round } = rollout.stages[index]!.gates.find((one) => one.name === name)!;
      const { good, bad } = this.#results.get(`${stage}/${name}/${round}`) ?? { good: 0, bad: 0 };
      const [needed, tolerated] = 'failures' in gate ? [gate.successes, gate.failures] : [1, 0];
      demand(good >= needed && bad <= tolerated, `"${name}" passed with ${good} good and ${bad} bad`);
    }
    if (rollout.paused || rollout.phase !== 'running') return;
    for (const { gates } of rollout.stages)
      for (const { name, status, until } of gates)
        demand(status !== 'open' || until === null || until > rollout.clock, `"${name}" waits for too long`);
  }

  /**
   * What is measured over the soak is measured as soon as something of the stage proves itself, nothing more is started in it once
   * that is bad, and what it passed with is of the end of the soak.
   */
  #soaks({ state, transitions }: Step, started: ReadonlySet<number>, before: RolloutState): void {
    const { rollout } = state;
    for (const [index, { name: stage, step: is, gates }] of rollout.stages.entries()) {
      const members = membersOf(state, index);
      const goes = rollout.phase === 'running' && !rollout.paused && index === rollout.stage;
      for (const [i, gate] of rollout.policy.stages[index]!.gates.entries()) {
        if (!isOverSoak(gate)) continue;
        const { status, round, last, name } = gates[i]!;
        const since = (one: Target) => one.healthySince! + (gate.initialDelayMs ?? 0) <= rollout.clock;
        if (goes && members.some((one) => isProving(one) && since(one)) && UNDER_WAY.has(is))
          demand(status !== 'pending', `"${name}" is not measured while ${stage} is ${is}`);
        const { bad } = this.#results.get(`${stage}/${name}/${round}`) ?? { bad: 0 };
        const more = started.has(index);
        demand(
          status === 'skipped' || !more || bad <= gate.failures,
          `a start while "${name}" has ${bad} bad`,
        );
        const passed = transitions.some(
          (one) => one.subject === `gate/${stage}/${name}` && one.to === 'passed',
        );
        const was = before.rollout.stages[index]!;
        const soaked = was.step === 'end' ? was.since : rollout.clock;
        if (passed)
          demand(last!.at >= soaked - gate.intervalMs, `"${name}" passed with what was measured too early`);
      }
    }
  }

  /** Before something of the stage was really healthy for as long as a gate waits, nothing is measured. */
  #delays({ state: { rollout, targets }, actions }: Step, healthyFor: HealthyFor): void {
    for (const action of actions) {
      if (action.kind !== 'evaluate-gate') continue;
      const index = rollout.stages.findIndex(({ name }) => name === action.stage);
      const gate = rollout.policy.stages[index]!.gates.find(({ name }) => name === action.gate)!;
      if (!isOverSoak(gate) || !gate.initialDelayMs) continue;
      const proving = membersOf({ rollout, targets }, index).filter(isProving);
      demand(
        proving.length === 0 || proving.some(({ id }) => healthyFor(id, gate.initialDelayMs!)),
        `"${gate.name}" is measured before anything was healthy for ${gate.initialDelayMs} ms`,
      );
    }
  }

  /** A gate that failed is passed over in one step, and nothing else is forgiven by that. */
  #passedOver({ state }: Step, { rollout: before }: RolloutState, events: readonly RolloutEvent[]): void {
    const [event] = events;
    if (events.length !== 1 || event?.kind !== 'skip' || !('gate' in event.what)) return;
    if (before.phase !== 'failed' || before.rollback || before.failure?.kind === 'rollback') return;
    const failed = before.stages.flatMap(({ gates }) => gates.filter(({ status }) => status === 'failed'));
    if (failed.length !== 1) return;
    const { phase, failure } = state.rollout;
    const stays = before.failure?.kind === 'budget';
    // What has to wait until it goes on may fail then, but not by that gate.
    demand(
      stays ? phase === 'failed' : phase !== 'failed' || failure !== before.failure,
      `${failed[0]!.name} was passed over after ${before.failure?.reason}, and the rollout is ${phase}`,
    );
  }
}

export function membersOf(state: RolloutState, stage: number): Target[] {
  return [...state.targets.values()].filter((target) => target.stage === stage);
}

export function demand(holds: boolean | undefined, message: string): asserts holds {
  if (!holds) throw new Error(message);
}
