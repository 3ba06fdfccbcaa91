import { canonicalJson } from '@muster/base';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { EDGES, edgeOf } from './edges.ts';
import { rollingSyncPolicy } from './rolling-sync.ts';
import { type Model, calm, changes, decisions, endings, facts, isOver, watched } from './testing/commands.ts';
import { policyOf } from './testing/policies.ts';
import { Promises } from './testing/promises.ts';
import { targetInput } from './testing/world.ts';
import type { RolloutState, Target } from './types.ts';

const MAX_COMMANDS = 50;
const quantity = fc.constantFrom<(number | string)[]>(1, 2, 3, '25%', '50%', '100%');
const JOB = { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: {} } } };
const gates: fc.Arbitrary<object[]> = fc.constantFrom<object[][]>(
  [],
  [],
  [],
  [{ name: 'go', approval: { groups: ['sre'], count: 2, expires: '1h' } }],
  [{ name: 'errors', prometheus: { query: 'q', condition: '< 1', failures: 1 } }],
  [{ name: 'ok', at: 'entry', http: { url: 'https://example.org' } }],
  [
    { name: 'page', http: { url: 'https://example.org', successes: 2, failures: 1, interval: '10s' } },
    { name: 'once', http: { url: 'https://example.org', over: 'once', deadline: '3m' } },
  ],
  [
    { name: 'job', job: { manifest: JOB } },
    { name: 'last', at: 'end', approval: {} },
  ],
  [
    {
      name: 'hours',
      windows: [{ kind: 'deny', from: '2027-01-15T08:02:00Z', until: '2027-01-15T08:12:00Z' }],
    },
  ],
);
/** Half of what is measured over a soak begins later: after half a minute, with the end of a short soak, or somewhere in a long one. */
const delay = fc.constantFrom(undefined, undefined, '30s', '1m');
const plainSettings = fc.record({
  maxConcurrent: quantity,
  order: fc.constantFrom('name', 'random'),
  soak: fc.constantFrom('0s', '1m', '10m'),
  deadline: fc.constantFrom('1m', '5m'),
  failureBudget: fc.constantFrom<(number | string)[]>(0, 0, 1, '50%'),
  offline: fc.constantFrom('wait', 'skip', 'catch-up'),
  onFailure: fc.constantFrom('stop', 'rollback-failed', 'rollback-all'),
  gates,
  rate: fc.constantFrom(undefined, undefined, undefined, { perMinute: 20, jitter: 0.5 }),
});
const settings = fc.tuple(plainSettings, delay).map(([{ gates: all, ...rest }, initialDelay]) => ({
  ...rest,
  gates: rest.soak === '0s' || !initialDelay ? all : all.map((gate) => delayed(gate, initialDelay)),
}));
function delayed(gate: object, initialDelay: string): object {
  if ('prometheus' in gate) return { ...gate, prometheus: { ...(gate.prometheus as object), initialDelay } };
  const http = 'http' in gate ? (gate.http as { over?: string }) : undefined;
  return http && !('at' in gate) && !http.over ? { ...gate, http: { ...http, initialDelay } } : gate;
}
const region = { matchLabels: { region: 'eu' } };
const policy = fc
  .tuple(settings, settings, settings, fc.constantFrom('100%', 1), fc.boolean())
  .map(([a, b, c, maxConcurrent, windowsHold]) =>
    policyOf(
      [
        { name: 'canary', take: { amount: 1, per: 'region' }, ...a },
        { name: 'some', ...(windowsHold ? { take: '50%' } : { clusters: region }), ...b },
        { name: 'rest', production: maxConcurrent === 1, ...c },
      ],
      {
        rollback: { maxConcurrent, deadline: '5m', windowsHold },
        windows: windowsHold
          ? [{ kind: 'deny', from: '2027-01-15T08:05:00Z', until: '2027-01-15T08:20:00Z' }]
          : [],
      },
    ),
  );
const inputs = fc
  .array(fc.record({ pinned: fc.nat(12), proven: fc.nat(8), connected: fc.nat(6), prunes: fc.nat(6) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((all) =>
    all.map((one, i) =>
      targetInput(`t${i}`, {
        clusterLabels: { region: i % 2 ? 'us' : 'eu' },
        proven:
          one.proven === 0 ? null : { release: 'old', digest: one.proven < 3 ? `old-t${i}` : `a-t${i}` },
        pinned: one.pinned === 0 ? 'kept' : null,
        connected: one.connected > 0,
        ...(one.prunes === 0 ? { removes: { count: 1, names: [`/ConfigMap/shop/t${i}`] } } : {}),
      }),
    ),
  );
const skews = fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 1, maxLength: 8 });
const world = fc.record({ policy, inputs, skews, seed: fc.nat() });

type Happenings = (typeof facts)[number][];
const some = (...groups: Happenings[]) => fc.commands(groups.flat(), { maxCommands: MAX_COMMANDS });

/** Kinds of transitions that some run came over. */
const crossed = new Set<string>();

function run(made: ReturnType<typeof watched>, commands: Iterable<fc.Command<Model, typeof made>>): void {
  const { onStep } = made.world;
  made.world.onStep = (...step) => {
    for (const transition of step[1].transitions) crossed.add(edgeOf(transition));
    onStep(...step);
  };
  fc.modelRun(() => ({ model: {}, real: made }), commands);
}

// Twelve thousand runs: seconds on a machine that is free, far more beside others.
vi.setConfig({ testTimeout: 180_000 });

describe('a rollout, whatever happens in whatever order', () => {
  it('keeps its limits, its order and its word, ends or says what it waits for, and is what its log says', () => {
    fc.assert(
      fc.property(world, some(facts, facts, changes, decisions, endings), (of, commands) => {
        const made = watched(of.policy, of.inputs, of.skews, of.seed);
        run(made, commands);
        expect(textOf(made.world.replayed())).toBe(textOf(made.world.state));
        made.world.restart();
        expect(textOf(made.world.replayed())).toBe(textOf(made.world.state));
      }),
      { numRuns: 3500 },
    );
  });

  it('ends once nothing stands in its way', () => {
    fc.assert(
      fc.property(world, some(facts, changes, decisions), (of, commands) => {
        const made = watched(of.policy, of.inputs, of.skews, of.seed);
        run(made, commands);
        calm(made);
        expect(isOver(made.world)).toBe(true);
      }),
      { numRuns: 2500 },
    );
  });

  it('without people ends, with every target that was reached at the release or where it was proven good', () => {
    const automatic = world.map((of) => ({ ...of, policy: withoutPeople(of.policy) }));
    fc.assert(
      fc.property(automatic, some(facts), fc.array(fc.nat(7), { maxLength: 3 }), (of, commands, ill) => {
        const made = watched(of.policy, of.inputs, of.skews, of.seed);
        run(made, commands);
        calm(made, new Set(ill.map((i) => `t${i}`)));
        const { rollout, targets } = made.world.state;
        const all = [...targets.values()];
        if (rollout.phase === 'completed') expect(all.filter(({ state }) => !AT_REST.has(state))).toEqual([]);
        if (rollout.phase === 'rolled-back' && rollout.rollback!.scope === 'all') {
          for (const { state, touched, holds, proven, to } of all)
            if (touched && state !== 'pinned') expect(holds).toBe(state === 'kept' ? to : proven!.digest);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('takes back everything, once and to what was proven, when it is told to', () => {
    fc.assert(
      fc.property(world, some(facts, changes), some(facts, facts, changes), (of, before, after) => {
        const made = watched(of.policy, of.inputs, of.skews, of.seed);
        run(made, before);
        made.world.feed({ kind: 'undo', actor: 'ada', reason: 'because' });
        run(made, after);
        calm(made);
        const { rollout, targets } = made.world.state;
        if (!rollout.rollback || rollout.rollback.scope === 'failed') return;
        for (const { id, touched, holds, proven, state, to } of targets.values()) {
          if (!touched || state === 'pinned' || state === 'gone') continue;
          // Its override went after the rollback had ended: nobody looked at it any more.
          if (rollout.phase === 'failed' && (state === 'waiting' || state === 'deferred')) continue;
          expect(holds).toBe(proven?.digest ?? to);
          expect(made.world.agent(id).assigned.digest).toBe(holds);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('gives way to a newer release, which begins from what each target holds', () => {
    fc.assert(
      fc.property(world, some(facts, changes, decisions), some(facts, decisions), (of, before, after) => {
        const made = watched(of.policy, of.inputs, of.skews, of.seed);
        run(made, before);
        const old = made.world;
        old.feed({ kind: 'superseded', by: 'r2' });
        if (old.state.rollout.phase === 'rolling-back') return;
        const next = [...old.state.targets.values()]
          .filter(({ state }) => state !== 'gone')
          .map((target) => {
            const { id, holds, proven, stage } = target;
            // For some the newer release is what they were given and did not prove yet.
            const kept = isUnproven(target) && Number(id.slice(1)) % 2 === 0;
            return targetInput(id, {
              clusterLabels: { region: stage === 1 ? 'eu' : 'us' },
              ...(kept
                ? { from: target.from, to: target.to, holds: target.to }
                : { from: holds, to: `c-${id}` }),
              proven,
              connected: old.agent(id).connected,
              unsettled: kept || old.in('assigned', 'applied').includes(id),
            });
          });
        if (next.length === 0) return;
        old.beginNext('r2', 'C', next);
        made.promises = new Promises(old.state, next);
        old.feed();
        run(made, after);
        calm(made);
      }),
      { numRuns: 1000 },
    );
  });

  it('as rollingSync starts nothing beyond maxUpdate, and no step before the one before is healthy', () => {
    const envs = ['dev', 'qa', 'prod', 'none'];
    const maxUpdate = fc.constantFrom<(number | string | undefined)[]>(
      undefined,
      0,
      1,
      2,
      '0%',
      '10%',
      '50%',
    );
    const step = (env: string) =>
      maxUpdate.map((max) => ({
        matchExpressions: [{ key: 'env', operator: 'In', values: [env] }],
        ...(max === undefined ? {} : { maxUpdate: max }),
      }));
    const rolling = fc.tuple(step('dev'), step('qa'), step('prod'));
    const apps = fc
      .array(fc.nat(3), { minLength: 1, maxLength: 10 })
      .map((all) => all.map((env, i) => targetInput(`t${i}`, { applicationLabels: { env: envs[env]! } })));
    fc.assert(
      fc.property(rolling, apps, skews, some(facts, decisions), (steps, targets, clocks, commands) => {
        const made = watched(
          rollingSyncPolicy({ type: 'RollingSync', rollingSync: { steps } })!,
          targets,
          clocks,
          1,
        );
        run(made, commands);
        calm(made);
        expect(made.world.state.rollout.phase).toBe('completed');
      }),
      { numRuns: 1000 },
    );
  });

  it('changes its state only in ways that are listed, and most of them were seen', () => {
    expect([...crossed].filter((edge) => !EDGES.includes(edge))).toEqual([]);
    // Not every run draws what is rare.
    expect(crossed.size).toBeGreaterThan(EDGES.length * 0.8);
  });
});

function textOf({ rollout, targets }: RolloutState): string {
  return canonicalJson({ rollout, targets: Object.fromEntries(targets) });
}

const AT_REST = new Set([
  'done',
  'failed',
  'skipped',
  'pinned',
  'gone',
  'deferred',
  'manual',
  'assigned',
  'applied',
  'healthy',
]);

function isUnproven({ touched, holds, to, state }: Target): boolean {
  return touched && holds === to && ['waiting', 'assigned', 'applied', 'healthy', 'failed'].includes(state);
}

function withoutPeople(of: ReturnType<typeof policyOf>): typeof of {
  return { ...of, stages: of.stages.map((stage) => ({ ...stage, gates: [] })) };
}

describe('a rate', () => {
  it('is never exceeded in any minute, whatever the jitter and however late it is woken', () => {
    const rate = fc.record({
      perMinute: fc.integer({ min: 1, max: 300 }),
      jitter: fc.constantFrom(0, 0.5, 1),
    });
    fc.assert(
      fc.property(
        rate,
        fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 60 }),
        fc.nat(),
        (of, waits, seed) => {
          const all = Array.from({ length: 100 }, (_, i) => targetInput(`t${i}`));
          const made = watched(policyOf([{ name: 'all', rate: of }]), all, [0], seed);
          for (const ms of waits) made.world.pass(ms);
          const starts = made.world.issued.flatMap(({ at, action }) =>
            action.kind === 'assign' ? [at] : [],
          );
          // Pauses differ by the jitter, and a second may be caught up.
          const most = Math.ceil((of.perMinute * 61) / 60 / (1 - Math.min(of.jitter, 0.5))) + 1;
          if (of.jitter <= 0.5)
            for (const from of starts)
              expect(starts.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(
                most,
              );
        },
      ),
      { numRuns: 300 },
    );
  });
});
