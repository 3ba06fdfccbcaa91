import { describe, expect, it } from 'vitest';
import { begin } from './begin.ts';
import { policyOf } from './testing/policies.ts';
import { MINUTE, assigned, by, fleet, phase, step } from './testing/stories.ts';
import { World, targetInput } from './testing/world.ts';
import { refusal } from './verbs.ts';

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
