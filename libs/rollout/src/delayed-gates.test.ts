import { describe, expect, it } from 'vitest';
import { delayedGates, explain } from './explain.ts';
import { openMeasurements } from './gate-words.ts';
import { isMeasurable } from './gates.ts';
import { policyOf } from './testing/policies.ts';
import { MINUTE, fleet, phase, step } from './testing/stories.ts';
import { World } from './testing/world.ts';

/** One stage that soaks for ten minutes, measured from the sixth on; one target at a time. */
const delayed = (count: number, more: object = {}) => {
  const prometheus = { query: 'rate(errors[5m])', max: 1, initialDelay: '6m', interval: '1m' };
  const stage = { name: 'all', soak: '10m', maxConcurrent: 1, gates: [{ name: 'g', prometheus }], ...more };
  const world = new World(policyOf([stage]), fleet(count));
  world.feed();
  return world;
};
const open = (world: World) => openMeasurements(world.state.rollout).map(({ round }) => round);
const wakes = (world: World) => {
  const last = world.last.actions.at(-1);
  return last?.kind === 'wake' ? last.at : undefined;
};
const say = (world: World, verdict: 'ok' | 'bad') =>
  world.feed({ kind: 'gate', stage: 'all', gate: 'g', round: open(world)[0] ?? 0, verdict, detail: 'x' });

describe('a gate with an initial delay', () => {
  it('is not measured before something has been healthy for so long, says from when, and is woken then', () => {
    const world = delayed(1);
    expect(delayedGates(world.state, world.now)).toEqual(new Map());
    world.obey('c1');
    const from = world.now + 6 * MINUTE;
    expect([step(world), open(world), wakes(world)]).toEqual(['soaking', [], from]);
    expect(delayedGates(world.state, world.now)).toEqual(new Map([['g', from]]));
    expect(explain(world.state, world.now).lines).toContain(
      'waits for "g" (prometheus), which is measured from 2027-01-15T08:06:00Z on: needs rate(errors[5m]) <= 1',
    );
    world.pass(6 * MINUTE - 1);
    expect(open(world)).toEqual([]);
    world.pass(1);
    expect(open(world)).toEqual([1]);
    expect(delayedGates(world.state, world.now)).toEqual(new Map());
  });

  it('counts from the first target of the stage, also while others are still started', () => {
    const world = delayed(3);
    world.obey('c1');
    world.pass(4 * MINUTE);
    world.obey('c2');
    expect([step(world), open(world)]).toEqual(['rolling', []]);
    expect(explain(world.state, world.now).lines.join()).toContain('measured from 2027-01-15T08:06:00Z');
    world.pass(2 * MINUTE);
    expect(open(world)).toEqual([1]);
    const [gate] = world.state.rollout.policy.stages[0]!.gates;
    const asked = ['c1', 'c2'].filter((id) => isMeasurable(gate!, world.target(id), world.now));
    expect(asked).toEqual(['c1']);
    say(world, 'bad');
    expect(phase(world)).toBe('rolling-back');
  });

  it('begins anew with what breaks its soak, where nothing else is healthy', () => {
    const world = delayed(1);
    world.obey('c1');
    world.pass(5 * MINUTE);
    world.obey('c1', 'Progressing');
    world.pass(MINUTE);
    expect(open(world)).toEqual([]);
    world.obey('c1');
    expect(delayedGates(world.state, world.now)).toEqual(new Map([['g', world.now + 6 * MINUTE]]));
  });

  it('goes on where it was after a time without a hub', () => {
    const world = delayed(1);
    world.obey('c1');
    world.pass(2 * MINUTE);
    world.away(60 * MINUTE);
    expect(delayedGates(world.state, world.now)).toEqual(new Map([['g', world.now + 4 * MINUTE]]));
  });

  it('that is as long as the soak passes with what is measured of all of it, after the soak', () => {
    const gates = [{ name: 'g', prometheus: { query: 'q', max: 1, initialDelay: '10m', interval: '5m' } }];
    const world = delayed(2, { maxConcurrent: 2, gates });
    world.obey('c1');
    world.pass(2 * MINUTE);
    world.obey('c2');
    world.pass(8 * MINUTE);
    expect(open(world)).toEqual([1]);
    // That was asked of the first alone.
    say(world, 'ok');
    world.pass(2 * MINUTE - 1);
    expect(step(world)).toBe('soaking');
    world.pass(1);
    expect(step(world)).toBe('end');
    say(world, 'ok');
    expect(phase(world)).toBe('completed');
  });
});
