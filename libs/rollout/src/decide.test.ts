import { describe, expect, it } from 'vitest';
import { begin } from './begin.ts';
import { decide } from './decide.ts';
import { rollingSyncPolicy } from './rolling-sync.ts';
import { policyOf } from './testing/policies.ts';
import { World, targetInput } from './testing/world.ts';
import type { RolloutEvent, TargetInput, VerbEvent } from './types.ts';
import { undoPolicy } from './undo.ts';
import { refusal } from './verbs.ts';

const MINUTE = 60_000;
const by = { actor: 'ada', reason: 'because' };
const names = (count: number) => Array.from({ length: count }, (_, i) => `c${i + 1}`);
const fleet = (count: number, more: (name: string, i: number) => Partial<TargetInput> = () => ({})) =>
  names(count).map((name, i) => targetInput(name, more(name, i)));
const assigned = (world: World, purpose: 'advance' | 'restore' = 'advance') =>
  world.issued.flatMap(({ action }) =>
    action.kind === 'assign' && action.purpose === purpose ? [`${action.target}=${action.digest}`] : [],
  );
const phase = (world: World) => world.state.rollout.phase;
const step = (world: World) => world.state.rollout.stages[world.state.rollout.stage]?.step;

describe('a rollout', () => {
  const canary = policyOf([
    { name: 'canary', take: 1, soak: '10m' },
    { name: 'rest', maxConcurrent: 2 },
  ]);

  it('goes from stage to stage: each is applied, healthy and soaked before the next begins', () => {
    const world = new World(canary, fleet(4));
    world.feed();
    expect(assigned(world)).toEqual(['c1=b-c1']);
    world.obey('c1', 'Progressing');
    expect(world.target('c1').state).toBe('applied');
    world.obey('c1');
    expect([world.target('c1').state, step(world)]).toEqual(['healthy', 'soaking']);
    expect(world.last.actions.at(-1)).toEqual({ kind: 'wake', at: world.now + 10 * MINUTE });
    world.pass(10 * MINUTE - 1);
    expect(assigned(world)).toHaveLength(1);
    world.pass(1);
    expect(assigned(world)).toEqual(['c1=b-c1', 'c2=b-c2', 'c3=b-c3']);
    world.obey('c2');
    expect(assigned(world)).toHaveLength(4);
    world.obey('c3');
    world.obey('c4');
    expect(phase(world)).toBe('completed');
    expect(world.in('done')).toHaveLength(4);
    expect(world.state.rollout.headHeld).toBe(false);
  });

  it('begins its soak anew when a target is not healthy, or its agent is silent, for a moment', () => {
    const world = new World(canary, fleet(2));
    world.feed();
    world.obey('c1');
    world.pass(9 * MINUTE);
    world.obey('c1', 'Progressing');
    world.obey('c1');
    world.pass(9 * MINUTE);
    world.cut('c1');
    world.dial('c1');
    world.pass(9 * MINUTE);
    expect(assigned(world)).toHaveLength(1);
    world.pass(MINUTE);
    expect(assigned(world)).toHaveLength(2);
  });

  it('is moved by no report of an older assignment, not even one of the same digest', () => {
    const world = new World(policyOf([{ name: 'all' }]), fleet(1));
    world.agent('c1').applied = { digest: 'b-c1', version: { epoch: 1, generation: 0 }, byAgent: 0, step: 0 };
    world.feed();
    world.report('c1');
    world.hear('c1');
    expect(world.target('c1').state).toBe('assigned');
    world.obey('c1');
    expect(phase(world)).toBe('completed');
  });

  it('counts only health that was observed after the apply, whatever the clock of the agent says', () => {
    const world = new World(policyOf([{ name: 'all' }]), fleet(1), [-10 * MINUTE]);
    world.feed();
    world.observe('c1', 'Healthy');
    world.now += 1000;
    world.receive('c1');
    world.apply('c1');
    world.report('c1');
    world.hear('c1');
    expect(world.target('c1').state).toBe('applied');
    // The agent's clock is put back: every time it gives from now on is before that of the apply.
    world.agent('c1').skewMs = -20 * MINUTE;
    world.obey('c1');
    expect(phase(world)).toBe('completed');
  });

  it('holds targets that its stages have not reached at their old release, and leaves out what has the new one', () => {
    const world = new World(canary, [...fleet(2), targetInput('same', { to: 'a-same' })]);
    world.feed();
    expect(world.target('c2')).toMatchObject({ state: 'waiting', holds: 'a-c2' });
    expect(world.state.targets.has('same')).toBe(false);
  });

  it('freezes stages, order and percentages: by label, for each region, by name with numbers', () => {
    const regions = ['eu', 'us'];
    const policy = policyOf([
      { name: 'canary', take: { amount: 1, per: 'region' } },
      { name: 'some', take: '25%', order: { name: 'descending' } },
      {
        name: 'prod',
        clusters: { matchLabels: { env: 'prod' } },
        maxConcurrent: '30%',
        failureBudget: '40%',
      },
    ]);
    const labels = (i: number) => ({ region: regions[i % 2]!, env: i < 9 ? 'prod' : 'dev' });
    const { rollout, targets } = begin({
      id: 'r',
      kind: 'release',
      policy,
      from: null,
      to: { id: 'B', label: 'B' },
      targets: fleet(10, (_, i) => ({ clusterLabels: labels(i), pinned: i === 2 ? 'kept back' : null })),
      seed: 1,
      now: 0,
    });
    const stage = (i: number | null) =>
      [...targets.values()].filter((t) => t.stage === i).map(({ id }) => id);
    expect([stage(0), stage(1), stage(2), stage(null)]).toEqual([
      ['c1', 'c2'],
      ['c10'],
      ['c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9'],
      [],
    ]);
    expect(rollout.stages.map(({ size, slots, tolerated }) => [size, slots, tolerated])).toEqual([
      [2, 2, 0],
      [1, 1, 0],
      [6, 1, 2],
    ]);
    expect(targets.get('c3')).toMatchObject({ state: 'pinned', counted: false, note: 'kept back' });
  });

  it('begins with what an earlier rollout left on its way: no others are disturbed before', () => {
    const world = new World(
      policyOf([{ name: 'all', maxConcurrent: 1 }]),
      fleet(3, (_, i) => ({ unsettled: i === 1 })),
    );
    world.feed();
    world.obey('c2');
    expect(assigned(world)).toEqual(['c2=b-c2', 'c1=b-c1']);
  });

  it('sends only to connected agents, and keeps the slot of one that falls silent until its deadline', () => {
    const policy = policyOf([{ name: 'all', maxConcurrent: 1, deadline: '5m', failureBudget: 1 }]);
    const world = new World(
      policy,
      fleet(2, (_, i) => ({ connected: i === 1 })),
    );
    world.feed();
    expect(assigned(world)).toEqual(['c2=b-c2']);
    world.cut('c2');
    world.dial('c1');
    expect(assigned(world)).toHaveLength(1);
    world.pass(5 * MINUTE);
    expect(world.target('c2')).toMatchObject({
      state: 'failed',
      note: 'its agent was silent until the deadline',
    });
    expect(assigned(world)).toEqual(['c2=b-c2', 'c1=b-c1']);
    world.obey('c1');
    expect(phase(world)).toBe('completed');
  });

  it('starts so many a minute, and so many for each region at once', () => {
    const rate = { perMinute: 30, perLabel: { label: 'region', max: 1 } };
    const world = new World(
      policyOf([{ name: 'all', rate }]),
      fleet(6, (_, i) => ({ clusterLabels: { region: i < 4 ? 'eu' : 'us' } })),
    );
    world.feed();
    expect(assigned(world)).toEqual(['c1=b-c1']);
    expect(world.last.actions.at(-1)).toEqual({ kind: 'wake', at: world.now + 2000 });
    world.pass(1999);
    expect(assigned(world)).toHaveLength(1);
    world.pass(1);
    expect(assigned(world)).toEqual(['c1=b-c1', 'c5=b-c5']);
    world.obey('c1');
    world.pass(2000);
    expect(assigned(world)).toEqual(['c1=b-c1', 'c5=b-c5', 'c2=b-c2']);
  });
});

describe('a failure', () => {
  const policy = (more: object) => policyOf([{ name: 'all', maxConcurrent: 2, deadline: '1m', ...more }]);

  it('within the budget stops nothing', () => {
    const world = new World(policy({ failureBudget: 1 }), fleet(3));
    world.feed();
    world.obey('c1', 'Degraded');
    world.obey('c2');
    world.obey('c3');
    expect([phase(world), world.target('c1').state]).toEqual(['completed', 'failed']);
  });

  it('beyond it takes back everything that was touched to what was proven good there', () => {
    const proven = (name: string) => ({ release: 'old', digest: `old-${name}` });
    const world = new World(
      policy({}),
      fleet(5, (name) => ({ proven: name === 'c3' ? null : proven(name) })),
    );
    world.feed();
    world.obey('c1');
    world.obey('c2', 'Degraded');
    expect(phase(world)).toBe('rolling-back');
    expect(assigned(world, 'restore')).toEqual(['c1=old-c1', 'c2=old-c2']);
    expect(world.target('c3')).toMatchObject({ state: 'kept', holds: 'b-c3' });
    world.obey('c1');
    world.obey('c2', 'Degraded');
    expect(phase(world)).toBe('rolling-back');
    world.obey('c2');
    expect(phase(world)).toBe('rolled-back');
    expect(world.state.rollout).toMatchObject({ headHeld: true, failure: { kind: 'budget', stage: 'all' } });
    expect(world.target('c4')).toMatchObject({ state: 'waiting', holds: 'a-c4' });
    expect(assigned(world)).toHaveLength(3);
  });

  it('takes back only what failed where the policy says so, also what fails meanwhile', () => {
    const world = new World(policy({ onFailure: 'rollback-failed' }), fleet(4));
    world.feed();
    world.obey('c1', 'Degraded');
    expect(assigned(world, 'restore')).toEqual(['c1=a-c1']);
    world.obey('c1');
    expect(phase(world)).toBe('rolling-back');
    world.pass(MINUTE);
    expect(assigned(world, 'restore')).toEqual(['c1=a-c1', 'c2=a-c2']);
    world.obey('c2');
    expect(phase(world)).toBe('rolled-back');
  });

  it('stops where the policy says so, until someone tries it again', () => {
    const world = new World(policy({ onFailure: 'stop' }), fleet(3));
    world.feed();
    world.obey('c1', 'Degraded');
    world.obey('c2');
    expect([phase(world), world.state.rollout.headHeld]).toEqual(['failed', true]);
    expect(assigned(world)).toHaveLength(2);
    world.feed({ kind: 'retry', ...by });
    expect([phase(world), world.state.rollout.headHeld, world.target('c1').state]).toEqual([
      'running',
      false,
      'assigned',
    ]);
    world.obey('c1');
    world.obey('c3');
    expect(phase(world)).toBe('completed');
  });

  it('of the rollback ends it, and says so', () => {
    const world = new World(policy({}), fleet(3));
    world.feed();
    world.cut('c1');
    world.obey('c2', 'Degraded');
    world.pass(10 * MINUTE);
    expect([world.target('c1').state, world.target('c2').state]).toEqual(['unproven', 'restore-failed']);
    expect([phase(world), world.state.rollout.failure?.kind]).toEqual(['failed', 'rollback']);
    expect(refusal(world.state, { kind: 'undo', ...by })).toBe('it was taken back already');
    expect(refusal(world.state, { kind: 'retry', ...by })).toContain('begin a new rollout');
    // What was silent holds the earlier release when it returns.
    expect(world.agent('c1').assigned.digest).toBe('a-c1');
    expect(assigned(world, 'restore')).toHaveLength(2);
  });

  it('is a target that is healthy and then not again and again', () => {
    const world = new World(
      policyOf([{ name: 'all', soak: '10m', deadline: '1m', onFailure: 'stop' }]),
      fleet(1),
    );
    world.feed();
    for (let i = 0; i < 6; i++) {
      world.obey('c1');
      world.obey('c1', 'Progressing');
    }
    expect(world.target('c1')).toMatchObject({
      state: 'failed',
      note: 'Progressing, the 6th time after it was healthy',
    });
  });

  it('is not a bad line, however often it breaks the soak', () => {
    const world = new World(
      policyOf([{ name: 'all', soak: '10m', deadline: '1m', onFailure: 'stop' }]),
      fleet(1),
    );
    world.feed();
    for (let i = 0; i < 20; i++) {
      world.obey('c1');
      world.cut('c1');
      world.dial('c1');
    }
    expect(world.target('c1')).toMatchObject({ state: 'healthy', breaks: 0 });
  });

  it('of one that was done counts as long as its stage goes on', () => {
    const world = new World(policy({ maxConcurrent: 1 }), fleet(2));
    world.feed();
    world.obey('c1');
    world.obey('c1', 'Degraded');
    expect(phase(world)).toBe('rolling-back');
  });
});

describe('an offline target', () => {
  const of = (offline: string) =>
    new World(
      policyOf([{ name: 'one', take: 2, offline }, { name: 'two' }]),
      fleet(3, (_, i) => ({ connected: i !== 0 })),
    );

  it('is waited for', () => {
    const world = of('wait');
    world.feed();
    world.obey('c2');
    world.pass(24 * 60 * MINUTE);
    expect([phase(world), world.target('c1').state]).toEqual(['running', 'waiting']);
    world.dial('c1');
    world.obey('c1');
    world.obey('c3');
    expect(phase(world)).toBe('completed');
  });

  it('is passed over once it has been away for a minute', () => {
    const world = of('skip');
    world.feed();
    world.obey('c2');
    expect(world.last.actions.at(-1)).toEqual({ kind: 'wake', at: world.initial.rollout.createdAt + MINUTE });
    world.pass(MINUTE);
    expect(world.target('c1').state).toBe('skipped');
    world.dial('c1');
    world.obey('c3');
    expect([phase(world), world.target('c1').holds]).toEqual(['completed', 'a-c1']);
  });

  it('follows after its stage, or when it returns after the end', () => {
    const early = of('catch-up');
    early.feed();
    early.obey('c2');
    early.pass(MINUTE);
    expect(early.target('c1').state).toBe('deferred');
    early.dial('c1');
    expect(assigned(early)).toEqual(['c2=b-c2', 'c3=b-c3', 'c1=b-c1']);
    early.obey('c1', 'Degraded');
    expect(phase(early)).toBe('rolling-back');

    const late = of('catch-up');
    late.feed();
    late.obey('c2');
    late.pass(MINUTE);
    late.obey('c3');
    expect([phase(late), late.target('c1').holds]).toEqual(['completed', 'b-c1']);
  });
});

describe('a fleet that changes', () => {
  const two = policyOf([
    { name: 'dev', clusters: { matchLabels: { env: 'dev' } } },
    { name: 'prod', clusters: { matchLabels: { env: 'prod' } } },
  ]);
  const dev = { clusterLabels: { env: 'dev' } };
  const prod = { clusterLabels: { env: 'prod' } };

  it('gives one that joins the new release after its own stage has passed', () => {
    const world = new World(two, [targetInput('d1', dev), targetInput('p1', prod)]);
    world.feed();
    world.join(targetInput('d2', dev), 0);
    world.join(targetInput('p2', prod), 0);
    expect(world.in('deferred')).toEqual(['d2', 'p2']);
    world.obey('d1');
    expect(assigned(world)).toEqual(['d1=b-d1', 'd2=b-d2', 'p1=b-p1']);
    // It is in no denominator.
    world.obey('d2', 'Degraded');
    expect(phase(world)).toBe('running');
    world.obey('p1');
    expect([phase(world), world.target('p2').holds]).toEqual(['completed', 'b-p2']);
  });

  it('drops what leaves, and leaves alone what an override pins', () => {
    const world = new World(two, [targetInput('d1', dev), targetInput('d2', dev), targetInput('p1', prod)]);
    world.feed();
    world.feed({ kind: 'left', target: 'd1' });
    world.feed({ kind: 'pinned', target: 'd2', reason: 'held by ada' });
    expect(assigned(world)).toEqual(['d1=b-d1', 'd2=b-d2', 'p1=b-p1']);
    world.feed({ kind: 'unpinned', target: 'd2' });
    expect(assigned(world).at(-1)).toBe('d2=b-d2');
    world.feed({ kind: 'pinned', target: 'd2', reason: 'held by ada' });
    world.obey('p1', 'Degraded');
    expect(assigned(world, 'restore')).toEqual(['p1=a-p1']);
  });

  it('starts nothing that is held back from outside, and says by what', () => {
    const world = new World(two, [targetInput('d1', dev)]);
    world.feed({ kind: 'blocked', target: 'd1', by: 'dependency', reason: 'db is not healthy' });
    expect(assigned(world)).toEqual([]);
    world.feed({ kind: 'unblocked', target: 'd1' });
    expect(assigned(world)).toEqual(['d1=b-d1']);
  });
});

describe('gates', () => {
  const gated = (gate: object, more: object = {}) =>
    new World(policyOf([{ name: 'all', soak: '10m', gates: [{ name: 'g', ...gate }], ...more }]), fleet(1));
  const vote = (kind: 'approve' | 'reject', actor: string, groups: string[]): VerbEvent => ({
    ...by,
    kind,
    actor,
    stage: 'all',
    gate: 'g',
    groups,
  });
  const measured = (verdict: 'ok' | 'bad' | 'unknown', round = 1): RolloutEvent => ({
    kind: 'gate',
    stage: 'all',
    gate: 'g',
    round,
    verdict,
    detail: 'x',
  });

  it('of approval let through when enough different people of the groups have approved', () => {
    const world = gated({ approval: { groups: ['sre'], count: 2, expires: '1h' } });
    world.feed();
    expect(world.issued.map(({ action }) => action)).toEqual([
      {
        kind: 'request-approval',
        stage: 'all',
        gate: 'g',
        groups: ['sre'],
        count: 2,
        until: world.now + 60 * MINUTE,
      },
    ]);
    expect(refusal(world.state, vote('approve', 'eve', ['dev']))).toBe('eve is in none of sre');
    for (const actor of ['ada', 'ada']) world.feed(vote('approve', actor, ['sre']));
    world.feed(vote('approve', 'eve', ['dev']));
    expect(assigned(world)).toEqual([]);
    world.feed(vote('approve', 'bob', ['qa', 'sre']));
    expect(assigned(world)).toEqual(['c1=b-c1']);
  });

  it('of approval stop the rollout when nobody decides in time, also one that comes too late', () => {
    const world = gated({ approval: { count: 1, expires: '1h' } });
    world.feed();
    world.now += 60 * MINUTE;
    world.feed(vote('approve', 'ada', []));
    expect([phase(world), world.state.rollout.failure?.kind]).toEqual(['failed', 'expired']);
    world.feed({ kind: 'retry', ...by });
    world.feed(vote('approve', 'ada', []));
    expect(assigned(world)).toEqual(['c1=b-c1']);
  });

  it('of approval take the release back when someone rejects it', () => {
    const world = gated({ at: 'end', approval: {} });
    world.feed();
    world.obey('c1');
    world.pass(10 * MINUTE);
    world.feed(vote('reject', 'ada', []));
    expect([phase(world), assigned(world, 'restore')]).toEqual(['rolling-back', ['c1=a-c1']]);
    expect(world.transitions.find(({ to }) => to === 'failed')).toMatchObject({
      actor: 'ada',
      reason: 'because',
    });
  });

  it('of windows hold every start while they are closed', () => {
    const at = Date.UTC(2027, 0, 15, 8, 0, 0);
    const world = gated({ windows: [{ kind: 'allow', schedule: '0 12 * * *', duration: '1h' }] });
    expect(world.now).toBe(at);
    world.feed();
    expect(world.last.actions).toEqual([{ kind: 'wake', at: at + 4 * 60 * MINUTE }]);
    world.pass(4 * 60 * MINUTE);
    expect(assigned(world)).toHaveLength(1);
  });

  it('of prometheus are measured over the soak, from its beginning when that breaks', () => {
    const world = gated({ prometheus: { query: 'q', condition: '< 1', failures: 1 } });
    world.feed();
    world.obey('c1');
    expect(world.issued.at(-1)!.action).toEqual({ kind: 'evaluate-gate', stage: 'all', gate: 'g', round: 1 });
    world.feed(measured('bad'));
    world.obey('c1', 'Progressing');
    expect(world.issued.at(-1)!.action).toEqual({ kind: 'close-gate', stage: 'all', gate: 'g', round: 1 });
    world.obey('c1');
    world.feed(measured('bad', 1), measured('bad', 2));
    world.pass(5 * MINUTE);
    world.feed(measured('ok', 2));
    world.pass(5 * MINUTE);
    expect([phase(world), step(world)]).toEqual(['running', 'end']);
    world.feed(measured('ok', 2));
    expect(phase(world)).toBe('completed');
  });

  it('that measure badly, or nothing at all, fail the stage', () => {
    const bad = gated({ prometheus: { query: 'q', condition: '< 1' } });
    bad.feed();
    bad.obey('c1');
    bad.feed(measured('bad'));
    expect([phase(bad), bad.state.rollout.failure?.reason]).toEqual(['rolling-back', '"g" is not met: x']);
    const nothing = gated({ http: { url: 'https://example.org' } }, { onFailure: 'stop' });
    nothing.feed();
    nothing.obey('c1');
    nothing.pass(10 * MINUTE);
    nothing.feed(measured('unknown'));
    nothing.pass(10 * MINUTE);
    expect([phase(nothing), nothing.state.rollout.failure?.kind]).toEqual(['failed', 'gate']);
  });

  it('ask before a production stage where the release prunes, unless that is waived', () => {
    const of = (spec: object, prunes: boolean) => {
      const policy = policyOf([{ name: 'prod', production: true }], spec);
      const world = new World(
        policy,
        fleet(1, () => ({ prunes })),
      );
      world.feed();
      return world.issued[0]?.action.kind;
    };
    expect(of({}, true)).toBe('request-approval');
    expect(of({}, false)).toBe('assign');
    expect(of({ pruneApproval: 'waived' }, true)).toBe('assign');
  });
});

describe('people', () => {
  const world = (more: object = {}) => {
    const made = new World(policyOf([{ name: 'all', maxConcurrent: 1, ...more }]), fleet(3));
    made.feed();
    return made;
  };

  it('pause it: nothing is sent, not even back, but what happens is seen', () => {
    const paused = world();
    paused.feed({ kind: 'pause', ...by });
    paused.obey('c1', 'Degraded');
    expect([phase(paused), paused.target('c1').state]).toEqual(['running', 'failed']);
    expect(assigned(paused, 'restore')).toEqual([]);
    paused.feed({ kind: 'resume', ...by });
    expect(assigned(paused, 'restore')).toEqual(['c1=a-c1']);
  });

  it('pass over targets and stages, and end it', () => {
    const skipped = world();
    skipped.feed({ kind: 'skip', what: { target: 'c1' }, ...by });
    expect(assigned(skipped)).toEqual(['c1=b-c1', 'c2=b-c2']);
    skipped.feed({ kind: 'skip', what: { stage: 'all' }, ...by });
    skipped.obey('c2');
    expect(phase(skipped)).toBe('completed');
    const aborted = world();
    aborted.feed({ kind: 'abort', ...by });
    expect([phase(aborted), aborted.state.rollout.headHeld]).toEqual(['aborted', true]);
    expect(refusal(aborted.state, { kind: 'pause', ...by })).toBe('the rollout has ended (aborted)');
  });

  it('take it back', () => {
    const undone = world();
    undone.obey('c1');
    undone.feed({ kind: 'undo', ...by });
    expect(assigned(undone, 'restore')).toEqual(['c1=a-c1', 'c2=a-c2']);
    expect(undone.transitions.find(({ to }) => to === 'rolling-back')).toMatchObject(by);
  });

  it('hold a rollback back by windows only where the policy says so', () => {
    const freeze = { windows: [{ kind: 'deny', schedule: '5 8 * * *', duration: '1h' }] };
    const of = (windowsHold: boolean) => {
      const made = new World(policyOf([{ name: 'all' }], { ...freeze, rollback: { windowsHold } }), fleet(2));
      made.feed();
      made.pass(5 * MINUTE);
      made.obey('c1', 'Degraded');
      return made;
    };
    expect(assigned(of(false), 'restore')).toHaveLength(2);
    const held = of(true);
    expect(assigned(held, 'restore')).toHaveLength(0);
    held.pass(60 * MINUTE);
    expect(assigned(held, 'restore')).toHaveLength(2);
  });
});

describe('a hub that was away', () => {
  it('counts no deadline and no soak for as long as nobody could be heard', () => {
    const world = new World(policyOf([{ name: 'all', soak: '10m', deadline: '1m' }]), fleet(2));
    world.feed();
    world.obey('c1');
    world.now += 60 * MINUTE;
    world.feed({ kind: 'outage', ms: 60 * MINUTE });
    expect([world.target('c1').state, world.target('c2').state]).toEqual(['healthy', 'assigned']);
    world.obey('c2');
    world.pass(9 * MINUTE);
    expect(phase(world)).toBe('running');
    world.pass(MINUTE);
    expect(phase(world)).toBe('completed');
  });
});

describe('an undo by hand', () => {
  it('is a rollout of one stage that catches up silent agents, and stops for nothing', () => {
    const policy = undoPolicy(
      policyOf([{ name: 'a', take: 1 }, { name: 'b' }], { rollback: { maxConcurrent: 2 } }),
    );
    const world = new World(
      policy,
      fleet(3, (_, i) => ({ connected: i > 0 })),
    );
    world.feed();
    expect(assigned(world)).toEqual(['c2=b-c2', 'c3=b-c3']);
    world.obey('c2', 'Degraded');
    world.obey('c3');
    world.pass(10 * MINUTE);
    expect([phase(world), world.in('failed'), world.target('c1').holds]).toEqual([
      'completed',
      ['c2'],
      'b-c1',
    ]);
  });
});

describe('rollingSync', () => {
  const step1 = { matchExpressions: [{ key: 'env', operator: 'In', values: ['dev'] }] };
  const step2 = { matchExpressions: [{ key: 'env', operator: 'In', values: ['qa'] }], maxUpdate: 0 };
  const step3 = { matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }], maxUpdate: '10%' };
  const policy = rollingSyncPolicy({ type: 'RollingSync', rollingSync: { steps: [step1, step2, step3] } })!;
  const env = (value: string) => ({ applicationLabels: { env: value } });

  it('waits for a step to be healthy, for hands where maxUpdate is 0, and leaves alone what no step selects', () => {
    const world = new World(policy, [
      targetInput('d1', env('dev')),
      targetInput('d2', env('dev')),
      targetInput('q1', env('qa')),
      targetInput('p1', env('prod')),
      targetInput('p2', env('prod')),
      targetInput('x1', env('else')),
    ]);
    world.feed();
    world.obey('d1');
    world.obey('d2', 'Degraded');
    world.pass(24 * 60 * MINUTE);
    expect([phase(world), world.target('d2').state]).toEqual(['running', 'applied']);
    world.obey('d2');
    expect(step(world)).toBe('rolling');
    expect(assigned(world)).toHaveLength(2);
    expect(refusal(world.state, { kind: 'start', targets: ['p1'], ...by })).toBe(
      '"p1" is waiting; its stage starts it',
    );
    world.feed({ kind: 'start', targets: ['q1', 'x1'], ...by });
    world.obey('q1');
    expect(assigned(world)).toEqual(['d1=b-d1', 'd2=b-d2', 'q1=b-q1', 'x1=b-x1', 'p1=b-p1']);
    world.obey('p1');
    world.obey('p2');
    expect(phase(world)).toBe('completed');
  });
});

describe('a step', () => {
  it('leaves its input as it was, answers only what changed, and nothing where nothing did', () => {
    const world = new World(policyOf([{ name: 'all', maxConcurrent: 1 }]), fleet(3));
    const before = JSON.stringify([world.initial.rollout, [...world.initial.targets]]);
    const first = decide(world.initial, [], world.now);
    expect(JSON.stringify([world.initial.rollout, [...world.initial.targets]])).toBe(before);
    expect(first.changed.map(({ id }) => id)).toEqual(['c1']);
    const again = decide(first.state, [{ kind: 'connected', target: 'c1' }], world.now + 1);
    expect(again.state).toBe(first.state);
    expect([again.changed, again.transitions, again.entry]).toEqual([[], [], null]);
    // The hub's clock never goes back.
    expect(decide(first.state, [{ kind: 'left', target: 'c2' }], 0).state.rollout.clock).toBe(world.now);
  });

  it('over ten thousand targets takes milliseconds', () => {
    const stages = [
      { name: 'canary', take: 1 },
      { name: 's5', take: '5%' },
      { name: 's25', take: '25%' },
      { name: 'rest' },
    ];
    const world = new World(policyOf(stages), fleet(10_000));
    world.feed();
    world.obey('c1');
    const began = performance.now();
    for (let i = 0; i < 10; i++) decide(world.state, [{ kind: 'disconnected', target: 'c2' }], world.now);
    // A bound against work that grows with the square of the fleet, not a measurement.
    expect((performance.now() - began) / 10).toBeLessThan(500);
    expect(world.in('assigned')).toHaveLength(499);
  });
});
