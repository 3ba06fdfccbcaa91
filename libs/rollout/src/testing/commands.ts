import fc from 'fast-check';
import type { Health, TargetInput, VerbEvent } from '../types.ts';
import { Promises } from './promises.ts';
import { World, targetInput } from './world.ts';
import type { RolloutPolicy } from '../policy.ts';

/** A world under watch: every step of it is checked. */
export interface Real {
  world: World;
  promises: Promises;
  joined: number;
  releases: number;
}

export type Model = Record<string, never>;

export function watched(
  policy: RolloutPolicy,
  inputs: readonly TargetInput[],
  skews: number[],
  seed: number,
): Real {
  const world = new World(policy, inputs, skews, seed);
  const real: Real = { world, promises: new Promises(world.state, inputs), joined: 0, releases: 0 };
  world.onStep = (...step) => real.promises.check(...step);
  world.feed();
  return real;
}

/** Something that happens; `pick` chooses among the targets that there are. */
class Happening implements fc.Command<Model, Real> {
  readonly #name: string;
  readonly #pick: number;
  readonly #run: (real: Real, id: string) => void;

  constructor(name: string, pick: number, run: (real: Real, id: string) => void) {
    this.#name = name;
    this.#pick = pick;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(_: Model, real: Real): void {
    const ids = [...real.world.state.targets.keys()];
    this.#run(real, ids[this.#pick % ids.length]!);
  }

  toString(): string {
    return `${this.#name}(${this.#pick})`;
  }
}

const by = { actor: 'ada', reason: 'because' };
type Run = (real: Real, id: string) => void;
const happens = (name: string, run: Run) => fc.nat(11).map((pick) => new Happening(name, pick, run));
const verb = (name: string, make: (id: string, real: Real) => VerbEvent): fc.Arbitrary<Happening> =>
  happens(name, ({ world }, id) => void world.feed(make(id, { world } as Real)));

const health = fc.constantFrom<Health[]>(
  'Healthy',
  'Healthy',
  'Healthy',
  'Progressing',
  'Degraded',
  'Unknown',
  'Suspended',
);

/** Time, agents and clusters. */
export const facts: fc.Arbitrary<Happening>[] = [
  fc
    .tuple(fc.nat(11), fc.integer({ min: 1, max: 400 }))
    .map(
      ([pick, seconds]) => new Happening(`pass ${seconds}s`, pick, ({ world }) => world.pass(seconds * 1000)),
    ),
  happens('wake', ({ world }) => {
    const wake = world.last.actions.at(-1);
    if (wake?.kind === 'wake' && wake.at !== null) world.pass(Math.max(0, wake.at - world.now));
  }),
  happens('receive', ({ world }, id) => world.receive(id)),
  happens('apply', ({ world }, id) => world.apply(id)),
  fc
    .tuple(fc.nat(11), health)
    .map(([pick, is]) => new Happening(`observe ${is}`, pick, ({ world }, id) => world.observe(id, is))),
  happens('report', ({ world }, id) => world.report(id)),
  happens('hear', ({ world }, id) => world.hear(id)),
  ...[0, 1, 2].map(() =>
    fc
      .tuple(fc.nat(11), health)
      .map(([pick, is]) => new Happening(`obey ${is}`, pick, ({ world }, id) => world.obey(id, is))),
  ),
  happens('everyone is well', ({ world }) => {
    for (const id of world.in('assigned', 'applied', 'restoring')) world.obey(id);
  }),
  happens('cut', ({ world }, id) => world.cut(id)),
  happens('hear late', ({ world }, id) => world.hearLate(id)),
  happens('dial', ({ world }, id) => world.dial(id)),
  happens('restart', ({ world }) => world.restart()),
  fc
    .tuple(fc.nat(11), fc.integer({ min: 1, max: 4000 }))
    .map(
      ([pick, seconds]) => new Happening(`away ${seconds}s`, pick, ({ world }) => world.away(seconds * 1000)),
    ),
  fc
    .tuple(fc.nat(11), fc.integer({ min: -600, max: 600 }))
    .map(
      ([pick, seconds]) =>
        new Happening(
          `clock ${seconds}s`,
          pick,
          ({ world }, id) => (world.agent(id).skewMs = seconds * 1000),
        ),
    ),
];

/** The fleet around it. */
export const changes: fc.Arbitrary<Happening>[] = [
  happens('pin', ({ world }, id) => void world.feed({ kind: 'pinned', target: id, reason: 'kept' })),
  happens('unpin', ({ world }, id) => world.unpin(id, undefined)),
  happens('unpin at the release', ({ world }, id) => world.unpin(id, world.target(id)?.to)),
  happens('unpin elsewhere', ({ world }, id) => world.unpin(id, `p-${id}`)),
  happens(
    'block',
    ({ world }, id) => void world.feed({ kind: 'blocked', target: id, by: 'dependency', reason: 'db' }),
  ),
  happens('unblock', ({ world }, id) => void world.feed({ kind: 'unblocked', target: id })),
  happens(
    'close window',
    ({ world }, id) =>
      void world.feed({ kind: 'window-closed', target: id, reason: 'nightly', until: world.now + 300_000 }),
  ),
  happens('open window', ({ world }, id) => void world.feed({ kind: 'window-opened', target: id })),
  happens('leave', ({ world }, id) => void world.feed({ kind: 'left', target: id })),
  happens('join', (real) => {
    const region = real.joined % 2 ? 'eu' : 'us';
    const input = targetInput(`j${++real.joined}`, { clusterLabels: { region }, proven: null });
    real.promises.know(input);
    real.world.join(input, real.joined * 60_000);
  }),
];

/** What people and measurements say. */
export const decisions: fc.Arbitrary<Happening>[] = [
  verb('pause', () => ({ kind: 'pause', ...by })),
  verb('resume', () => ({ kind: 'resume', ...by })),
  verb('skip', (target) => ({ kind: 'skip', what: { target }, ...by })),
  happens('skip gate', skipGate),
  verb('retry', () => ({ kind: 'retry', ...by })),
  verb('retry one', (target) => ({ kind: 'retry', targets: [target], ...by })),
  verb('start', (target) => ({ kind: 'start', targets: [target], ...by })),
  ...['ada', 'bob', 'eve'].map((actor) =>
    happens(`${actor} approves`, (real) => vote(real, actor, 'approve')),
  ),
  ...(['ok', 'ok', 'bad', 'unknown'] as const).map((verdict) =>
    happens(verdict, (real) => measure(real, verdict)),
  ),
];

export const endings: fc.Arbitrary<Happening>[] = [
  verb('abort', () => ({ kind: 'abort', ...by })),
  verb('undo', () => ({ kind: 'undo', ...by })),
  happens('reject', (real) => vote(real, 'ada', 'reject')),
];

function vote({ world }: Real, actor: string, kind: 'approve' | 'reject'): void {
  for (const { name, gates } of world.state.rollout.stages)
    for (const gate of gates)
      if (gate.status === 'open')
        world.feed({ kind, actor, reason: 'because', stage: name, gate: gate.name, groups: ['sre'] });
}

/** One that has failed, else one that is asked now. */
function skipGate({ world }: Real): void {
  const all = world.state.rollout.stages.flatMap(({ name, gates }) =>
    gates.map(({ name: gate, status }) => ({ stage: name, gate, status })),
  );
  const chosen = all.find(({ status }) => status === 'failed') ?? all.find(({ status }) => status === 'open');
  if (chosen) world.feed({ kind: 'skip', what: { stage: chosen.stage, gate: chosen.gate }, ...by });
}

function measure({ world }: Real, verdict: 'ok' | 'bad' | 'unknown'): void {
  for (const { name, gates } of world.state.rollout.stages)
    for (const { name: gate, status, round } of gates)
      if (status === 'open') world.feed({ kind: 'gate', stage: name, gate, round, verdict, detail: verdict });
}

/** From now on nothing stands in its way, but that some clusters stay ill: it must end, or stop. */
export function calm(real: Real, ill: ReadonlySet<string> = new Set()): void {
  const { world } = real;
  for (let round = 0; round < 200; round++) {
    if (world.state.rollout.paused) world.feed({ kind: 'resume', ...by });
    for (const [id, target] of world.state.targets) {
      world.dial(id);
      if (target.blocked) world.feed({ kind: 'unblocked', target: id });
      if (target.window) world.feed({ kind: 'window-opened', target: id });
      world.obey(id, ill.has(id) ? 'Degraded' : 'Healthy');
    }
    for (const actor of ['ada', 'bob']) vote(real, actor, 'approve');
    measure(real, 'ok');
    const { stage, stages } = world.state.rollout;
    const byHand = stages[stage]?.slots === 0 ? world.in('waiting') : [];
    const hand = byHand.filter((id) => world.target(id).stage === stage);
    if (hand.length > 0) world.feed({ kind: 'start', targets: hand, ...by });
    if (isOver(world)) return;
    const wake = world.last.actions.at(-1);
    const at = wake?.kind === 'wake' ? wake.at : null;
    world.pass(at === null ? 1000 : Math.max(1, at - world.now));
  }
  throw new Error(`it does not end: ${JSON.stringify(world.state.rollout.stages.map(({ step }) => step))}`);
}

export function isOver({ state }: World): boolean {
  return ['completed', 'rolled-back', 'aborted', 'superseded', 'failed'].includes(state.rollout.phase);
}
