import { describe, expect, it } from 'vitest';
import { explain } from './explain.ts';
import { needsText, openMeasurements } from './gate-words.ts';
import { policyOf } from './testing/policies.ts';
import { MINUTE, by, fleet, phase, step } from './testing/stories.ts';
import { World } from './testing/world.ts';

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
