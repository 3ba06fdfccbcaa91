import { describe, expect, it } from 'vitest';
import { explain } from './explain.ts';
import { decide } from './decide.ts';
import { rollingSyncPolicy } from './rolling-sync.ts';
import { policyOf } from './testing/policies.ts';
import { MINUTE, assigned, by, fleet, phase, step } from './testing/stories.ts';
import { World, targetInput } from './testing/world.ts';
import type { RolloutEvent, VerbEvent } from './types.ts';
import { undoPolicy } from './undo.ts';
import { refusal } from './verbs.ts';

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

  it('of prometheus are measured over the soak, go on when that breaks, and have to be good at its end', () => {
    const world = gated({ prometheus: { query: 'q', condition: '< 1', failures: 1 } });
    world.feed();
    world.obey('c1');
    expect(world.issued.at(-1)!.action).toEqual({ kind: 'evaluate-gate', stage: 'all', gate: 'g', round: 1 });
    world.feed(measured('bad'));
    world.obey('c1', 'Progressing');
    expect(step(world)).toBe('rolling');
    world.obey('c1');
    world.pass(5 * MINUTE);
    world.feed(measured('ok'));
    expect(world.state.rollout.stages[0]!.gates[0]).toMatchObject({ status: 'open', round: 1, bad: 1 });
    world.pass(5 * MINUTE);
    expect([phase(world), step(world)]).toEqual(['running', 'end']);
    world.feed(measured('ok'));
    expect(phase(world)).toBe('completed');
  });

  it('that ask for approvals say who gave one, and advise nobody to pass them over', () => {
    const world = gated({ approval: { count: 2 }, at: 'entry' }, { onFailure: 'stop' });
    world.feed();
    const vote = { stage: 'all', gate: 'g', groups: [], reason: '' };
    world.feed({ kind: 'approve', actor: 'ann', ...vote });
    expect(explain(world.state, world.now).lines.join()).toMatch(
      /waits for 1 approval at "g" until [^,]+, approved by ann so far/,
    );
    world.feed({ kind: 'reject', actor: 'bob', ...vote });
    expect(explain(world.state, world.now).lines.join()).toContain(
      'waits for a newer release, or retry, undo or abort: bob rejected "g"',
    );
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
        fleet(1, () => (prunes ? { removes: { count: 1, names: ['apps/Deployment/shop/old'] } } : {})),
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

  it('gives agents a minute to come back, or the deadline where that is shorter, however little was left of it', () => {
    const left = (deadline: string, passed: number) => {
      const world = new World(policyOf([{ name: 'all', deadline }]), fleet(1));
      world.feed();
      world.pass(passed);
      world.away(5 * MINUTE);
      return world.target('c1').dueAt! - world.now;
    };
    expect(left('10m', 10 * MINUTE - 1)).toBe(MINUTE);
    expect(left('10m', 8 * MINUTE)).toBe(2 * MINUTE);
    expect(left('20s', 19_000)).toBe(20_000);
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
