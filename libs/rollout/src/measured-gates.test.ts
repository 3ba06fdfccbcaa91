import { describe, expect, it } from 'vitest';
import { explain } from './explain.ts';
import { needsText, openMeasurements } from './gate-words.ts';
import { policyOf } from './testing/policies.ts';
import { MINUTE, assigned, by, fleet, phase, step } from './testing/stories.ts';
import { World } from './testing/world.ts';
import { refusal } from './verbs.ts';

const JOB = { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: {} } } };
const gated = (gate: object, more: object = {}) => {
  const world = new World(
    policyOf([{ name: 'all', soak: '10m', gates: [{ name: 'g', ...gate }], ...more }]),
    fleet(1),
  );
  world.feed();
  return world;
};
const say = (world: World, verdict: 'ok' | 'bad' | 'unknown', detail = 'x') => {
  const [open] = openMeasurements(world.state.rollout);
  world.feed({ kind: 'gate', stage: 'all', gate: 'g', round: open?.round ?? 0, verdict, detail });
};
const url = 'https://example.org/up?token=secret';

describe('a gate that is measured', () => {
  it('over HTTP is asked during the soak, and fails it early when more is bad than tolerated', () => {
    const world = gated({ http: { url, failures: 1 } });
    expect(openMeasurements(world.state.rollout)).toEqual([]);
    world.obey('c1');
    expect(step(world)).toBe('soaking');
    expect(openMeasurements(world.state.rollout)).toMatchObject([{ stage: 'all', round: 1 }]);
    say(world, 'bad');
    expect(phase(world)).toBe('running');
    say(world, 'bad', 'it answered 500, not 200');
    expect(world.state.rollout.failure).toMatchObject({
      kind: 'gate',
      reason: '"g" is not met: it answered 500, not 200',
    });
    expect(phase(world)).toBe('rolling-back');
    expect(openMeasurements(world.state.rollout)).toEqual([]);
  });

  it('once is asked when everything else has passed, and as often in a row as it says', () => {
    const world = gated({ http: { url, over: 'once', successes: 3, failures: 5 } });
    world.obey('c1');
    expect(openMeasurements(world.state.rollout)).toEqual([]);
    world.pass(10 * MINUTE);
    for (const verdict of ['ok', 'ok', 'bad', 'ok', 'unknown', 'ok'] as const) say(world, verdict);
    expect(step(world)).toBe('end');
    say(world, 'ok');
    expect(phase(world)).toBe('completed');
  });

  it('waits while nobody can measure it, says why and since when, and fails at its deadline', () => {
    const world = gated(
      { prometheus: { query: 'q', condition: '< 1', deadline: '5m' } },
      { onFailure: 'stop' },
    );
    world.obey('c1');
    say(world, 'unknown', 'no answer');
    expect(explain(world.state, world.now).lines).toContain(
      'waits for "g" (prometheus), which cannot be measured: no answer, since 2027-01-15T08:00:00Z; needs q < 1',
    );
    world.pass(10 * MINUTE);
    say(world, 'unknown', 'still no answer');
    expect(explain(world.state, world.now).waitingFor).toMatchObject([
      {
        what: 'gate',
        until: world.now + 5 * MINUTE,
        text: expect.stringContaining('since 2027-01-15T08:00:00Z'),
      },
    ]);
    world.pass(5 * MINUTE);
    expect(world.state.rollout.failure?.reason).toBe(
      '"g" had no good result in time: it could not be measured, still no answer',
    );
    expect(phase(world)).toBe('failed');
  });

  it('over the soak is measured from the first target that is healthy, and ends the stage before more of it gets the release', () => {
    const policy = policyOf([
      {
        name: 'all',
        soak: '10m',
        maxConcurrent: 1,
        gates: [{ name: 'g', prometheus: { query: 'q', max: 1 } }],
      },
    ]);
    const world = new World(policy, fleet(3));
    world.feed();
    expect(openMeasurements(world.state.rollout)).toEqual([]);
    world.obey('c1');
    expect(step(world)).toBe('rolling');
    expect(openMeasurements(world.state.rollout)).toMatchObject([{ stage: 'all', round: 1 }]);
    expect(assigned(world)).toEqual(['c1=b-c1', 'c2=b-c2']);
    expect(explain(world.state, world.now).lines.join()).toContain(
      'waits for "g" (prometheus): the first measurement',
    );
    say(world, 'bad', '7, not <= 1');
    expect(phase(world)).toBe('rolling-back');
    world.obey('c1');
    world.obey('c2');
    expect(phase(world)).toBe('rolled-back');
    expect(assigned(world)).toEqual(['c1=b-c1', 'c2=b-c2']);
  });

  it('that turns bad in the same breath as the next turn comes holds that turn back', () => {
    const policy = policyOf([
      {
        name: 'all',
        soak: '10m',
        maxConcurrent: 1,
        gates: [{ name: 'g', prometheus: { query: 'q', max: 1 } }],
      },
    ]);
    const world = new World(policy, fleet(3));
    world.feed();
    world.obey('c1');
    world.receive('c2');
    world.apply('c2');
    world.observe('c2', 'Healthy');
    world.report('c2');
    const { report } = world.agent('c2').outbox.shift()!;
    world.feed(report, { kind: 'gate', stage: 'all', gate: 'g', round: 1, verdict: 'bad', detail: '7' });
    expect([phase(world), assigned(world)]).toEqual(['rolling-back', ['c1=b-c1', 'c2=b-c2']]);
  });

  it('that failed is passed over in one step, and the rollout goes on', () => {
    const world = gated({ job: { manifest: JOB } }, { onFailure: 'stop', soak: '0s' });
    world.obey('c1');
    say(world, 'bad', 'no such table');
    expect([phase(world), world.state.rollout.headHeld]).toEqual(['failed', true]);
    expect(explain(world.state, world.now).lines).toContain(
      'waits for a newer release, or retry, skip of its gate, undo or abort: "g" is not met: no such table',
    );
    world.feed({ kind: 'skip', what: { stage: 'all', gate: 'g' }, ...by });
    const { headHeld, failure, stages } = world.state.rollout;
    expect([phase(world), headHeld, failure, stages[0]!.gates[0]!.status]).toEqual([
      'completed',
      false,
      null,
      'skipped',
    ]);
  });

  it('that failed is no way round what else has failed, nor round a rollback', () => {
    const world = new World(
      policyOf([{ name: 'all', onFailure: 'stop', gates: [{ name: 'g', job: { manifest: JOB } }] }]),
      fleet(2),
    );
    const skip = { kind: 'skip', what: { stage: 'all', gate: 'g' }, ...by } as const;
    world.feed();
    world.obey('c1', 'Degraded');
    expect(phase(world)).toBe('failed');
    world.feed(skip);
    expect([phase(world), world.state.rollout.failure?.kind]).toEqual(['failed', 'budget']);
    const back = gated({ job: { manifest: JOB } }, { soak: '0s' });
    back.obey('c1');
    say(back, 'bad');
    expect(refusal(back.state, skip)).toBe('it was taken back: its gates decide nothing any more');
  });

  it('keeps what was said of it until it is asked anew, and the newest few results', () => {
    const world = gated({ http: { url, failures: 9 } }, { onFailure: 'stop' });
    const its = () => world.state.rollout.stages[0]!.gates[0]!;
    world.obey('c1');
    for (let i = 1; i <= 7; i++) say(world, i % 2 ? 'bad' : 'ok', `${i}`);
    expect(its().recent!.map(({ detail }) => detail)).toEqual(['3', '4', '5', '6', '7']);
    world.feed({ kind: 'abort', ...by });
    expect(its()).toMatchObject({ status: 'pending', round: 1, last: { verdict: 'bad', detail: '7' } });
    const again = gated({ job: { manifest: JOB } }, { onFailure: 'stop', soak: '0s' });
    again.obey('c1');
    say(again, 'bad');
    again.feed({ kind: 'retry', ...by });
    expect(again.state.rollout.stages[0]!.gates[0]).toMatchObject({
      status: 'open',
      round: 2,
      last: null,
      bad: 0,
    });
  });

  it('is measured anew by retry, and passed over by skip', () => {
    const world = gated({ job: { manifest: JOB } }, { onFailure: 'stop', soak: '0s' });
    world.obey('c1');
    say(world, 'bad');
    expect([phase(world), openMeasurements(world.state.rollout)]).toEqual(['failed', []]);
    world.feed({ kind: 'retry', ...by });
    expect(openMeasurements(world.state.rollout)).toMatchObject([{ round: 2 }]);
    world.feed({ kind: 'gate', stage: 'all', gate: 'g', round: 1, verdict: 'bad', detail: 'late' });
    expect(phase(world)).toBe('running');
    world.feed({ kind: 'skip', what: { stage: 'all', gate: 'g' }, ...by });
    expect([phase(world), openMeasurements(world.state.rollout)]).toEqual(['completed', []]);
  });

  it('is explained: what it needs, what it last was and when, without what may be secret', () => {
    const world = gated({
      http: { url, statuses: ['2xx'], body: { json: '$.status', equals: 'ok' }, failures: 2 },
    });
    world.obey('c1');
    say(world, 'bad', 'it answered 500');
    expect(needsText(world.state.rollout.policy.stages[0]!.gates[0]!)).toBe(
      'GET https://example.org/up?… 200-299 whose $.status is "ok"',
    );
    expect(explain(world.state, world.now).lines.join()).toContain(
      '"g" (http): now bad, it answered 500 (2027-01-15T08:00:00Z, 1 bad of 2 tolerated)',
    );
  });
});
