import { begin } from '../begin.ts';
import { decide, replay } from '../decide.ts';
import type { RolloutPolicy } from '../policy.ts';
import type {
  Action,
  Health,
  LogEntry,
  Report,
  RolloutEvent,
  RolloutState,
  Step,
  Target,
  TargetInput,
  Transition,
  Version,
} from '../types.ts';

/** What the hub heard of a target, as it really was: the world knows what the machine has to find out. */
export interface Heard {
  at: number;
  silent?: true;
  version?: Version;
  health?: Health;
  /** The cluster was looked at after the apply. */
  after?: boolean;
}

/** An agent with a clock of its own, and a cluster behind it. */
class Agent {
  connected = true;
  skewMs: number;
  /** What the hub's row says. */
  assigned: { digest: string | null; version: Version };
  received: { digest: string | null; version: Version };
  applied: { digest: string | null; version: Version; byAgent: number; step: number };
  health: Health = 'Healthy';
  observed = { byAgent: 0, step: 0, health: 'Healthy' as Health };
  readonly outbox: { report: Report; after: boolean }[] = [];

  constructor(digest: string | null, skewMs: number) {
    this.skewMs = skewMs;
    const version = { epoch: 1, generation: 0 };
    this.assigned = { digest, version };
    this.received = { digest, version };
    this.applied = { digest, version, byAgent: 0, step: 0 };
  }
}

export interface Issued {
  at: number;
  action: Action;
  /** Targets as they were after the step. */
  state: RolloutState;
}

/** A hub that keeps its promises around one rollout at a time, and a fleet. */
export class World {
  now = 1_800_000_000_000;
  state: RolloutState;
  initial: RolloutState;
  log: LogEntry[] = [];
  issued: Issued[] = [];
  transitions: Transition[] = [];
  last!: Step;
  readonly agents = new Map<string, Agent>();
  readonly heard = new Map<string, Heard[]>();
  /** Assignments of the running rollout, first version by target. */
  readonly signed = new Map<string, { at: number; version: Version; purpose: 'advance' | 'restore' }>();
  onStep: (world: World, step: Step, before: RolloutState, events: readonly RolloutEvent[]) => void =
    () => {};
  #generation = 1;
  /** Grows with everything that happens in clusters: order without clocks. */
  #order = 1;

  constructor(
    policy: RolloutPolicy,
    targets: readonly TargetInput[],
    skews: readonly number[] = [],
    seed = 1,
  ) {
    for (const [i, target] of targets.entries()) {
      const agent = new Agent(target.from, skews[i % Math.max(1, skews.length)] ?? 0);
      agent.connected = target.connected;
      this.agents.set(target.id, agent);
      this.heard.set(target.id, []);
    }
    this.initial = this.#begun(policy, 'r1', 'A', 'B', targets, seed);
    this.state = this.initial;
  }

  #begun(
    policy: RolloutPolicy,
    id: string,
    from: string,
    to: string,
    targets: readonly TargetInput[],
    seed: number,
  ): RolloutState {
    const input = { id, kind: 'release' as const, policy, targets, seed, now: this.now };
    return begin({ ...input, from: { id: from, label: from }, to: { id: to, label: to } });
  }

  /** Another rollout takes over the fleet as it is. */
  beginNext(id: string, to: string, targets: readonly TargetInput[]): void {
    const { policy } = this.state.rollout;
    this.initial = this.#begun(policy, id, this.state.rollout.to.id, to, targets, 7);
    this.state = this.initial;
    this.log = [];
    this.issued = [];
    this.transitions = [];
    this.signed.clear();
    for (const heard of this.heard.values()) heard.length = 0;
  }

  target(id: string): Target {
    return this.state.targets.get(id)!;
  }

  agent(id: string): Agent {
    return this.agents.get(id)!;
  }

  /** Decides, and carries out what comes of it in the same transaction. */
  feed(...events: RolloutEvent[]): Step {
    const before = this.state;
    const step = decide(before, events, this.now);
    this.#keep(step);
    this.onStep(this, step, before, events);
    const signed = step.actions.flatMap((action) => (action.kind === 'assign' ? [this.#sign(action)] : []));
    if (signed.length > 0) this.#keep(decide(this.state, signed, this.now));
    this.last = step;
    return step;
  }

  #keep(step: Step): void {
    this.state = step.state;
    this.transitions.push(...step.transitions);
    if (step.entry) this.log.push(step.entry);
    for (const action of step.actions)
      if (action.kind !== 'wake') this.issued.push({ at: this.now, action, state: step.state });
  }

  #sign(action: Action & { kind: 'assign' }): RolloutEvent {
    const { target, digest, purpose } = action;
    // What it is assigned already is not signed again.
    const known = this.agent(target).assigned;
    const version = known.digest === digest ? known.version : { epoch: 1, generation: ++this.#generation };
    this.agent(target).assigned = { digest, version };
    this.signed.set(target, { at: this.now, version, purpose });
    return { kind: 'signed', target, digest, version };
  }

  /** The hub is stopped and started: what is not in its rows is lost. */
  restart(): void {
    const { rollout, targets } = JSON.parse(
      JSON.stringify({ rollout: this.state.rollout, targets: [...this.state.targets.values()] }),
    );
    this.state = { rollout, targets: new Map(targets.map((target: Target) => [target.id, target])) };
    this.feed();
  }

  /** The hub is gone for so long, with agents that go on by themselves. */
  away(ms: number): void {
    this.now += ms;
    this.feed({ kind: 'outage', ms, until: this.now });
  }

  pass(ms: number): void {
    this.now += ms;
    this.feed();
  }

  receive(id: string): void {
    const agent = this.agent(id);
    if (agent.connected) agent.received = agent.assigned;
  }

  apply(id: string): void {
    const agent = this.agent(id);
    if (agent.received.version === agent.applied.version) return;
    // An apply takes time: what was observed before it was so at an earlier millisecond.
    const byAgent = ++this.now + agent.skewMs;
    agent.applied = { ...agent.received, byAgent, step: ++this.#order };
  }

  observe(id: string, health: Health): void {
    const agent = this.agent(id);
    agent.health = health;
    agent.observed = { byAgent: this.now + agent.skewMs, step: ++this.#order, health };
  }

  report(id: string): void {
    const { applied, observed, outbox } = this.agent(id);
    if (applied.digest === null) return;
    const report: Report = {
      kind: 'report',
      target: id,
      version: applied.version,
      digest: applied.digest,
      health: observed.health,
      appliedAt: applied.byAgent,
      observedAt: observed.byAgent,
    };
    outbox.push({ report, after: observed.step > applied.step });
  }

  hear(id: string): void {
    const agent = this.agent(id);
    const next = agent.connected ? agent.outbox.shift() : undefined;
    if (!next) return;
    const { version, health } = next.report;
    this.heard.get(id)!.push({ at: this.now, version, health, after: next.after });
    this.feed(next.report);
  }

  /** What was on the wire when the agent fell silent is handled after that was noticed. It proves nothing of now. */
  hearLate(id: string): void {
    const agent = this.agent(id);
    const next = agent.connected ? undefined : agent.outbox.shift();
    if (!next) return;
    this.heard.get(id)!.push({ at: this.now, silent: true });
    this.feed(next.report);
  }

  cut(id: string): void {
    const agent = this.agent(id);
    if (!agent.connected) return;
    agent.connected = false;
    this.heard.get(id)!.push({ at: this.now, silent: true });
    this.feed({ kind: 'disconnected', target: id });
  }

  /** It says hello, hands in what was missed, and then what is known. */
  dial(id: string): void {
    const agent = this.agent(id);
    if (agent.connected) return;
    agent.connected = true;
    this.feed({ kind: 'connected', target: id });
    this.report(id);
    while (agent.outbox.length > 0) this.hear(id);
  }

  /** All that an agent does with an assignment, told at once. */
  obey(id: string, health: Health = 'Healthy'): void {
    this.receive(id);
    this.apply(id);
    this.observe(id, health);
    this.report(id);
    while (this.agent(id).connected && this.agent(id).outbox.length > 0) this.hear(id);
  }

  /** An override ends that had the target hold something else meanwhile; undefined: what it held. */
  unpin(id: string, holds: string | null | undefined): void {
    if (this.target(id)?.state === 'pinned' && holds !== undefined)
      this.agent(id).assigned = { digest: holds, version: { epoch: 1, generation: ++this.#generation } };
    this.feed({ kind: 'unpinned', target: id, ...(holds === undefined ? {} : { holds }) });
  }

  join(input: TargetInput, skewMs: number): void {
    const agent = new Agent(input.from, skewMs);
    agent.connected = input.connected;
    this.agents.set(input.id, agent);
    this.heard.set(input.id, []);
    this.signed.delete(input.id);
    this.feed({ kind: 'joined', target: input });
  }

  /** Of targets in a state. */
  in(...states: Target['state'][]): string[] {
    return [...this.state.targets.values()].filter(({ state }) => states.includes(state)).map(({ id }) => id);
  }

  replayed(): RolloutState {
    return replay(this.initial, this.log);
  }
}

/** A target `NAME` at digest `a-NAME` that is to move to `b-NAME`. */
export function targetInput(name: string, more: Partial<TargetInput> = {}): TargetInput {
  return {
    id: name,
    cluster: name,
    application: 'web',
    clusterLabels: {},
    applicationLabels: {},
    from: `a-${name}`,
    proven: { release: 'A', digest: `a-${name}` },
    to: `b-${name}`,
    connected: true,
    ...more,
  };
}
