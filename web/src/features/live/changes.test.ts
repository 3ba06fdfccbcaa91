import { describe, expect, it } from 'vitest';
import { EVERYTHING, NOTHING, addChange, isNothing, planReading } from './changes.ts';

describe('changes that arrive', () => {
  it('are gathered by key, each once', () => {
    let pending = addChange(NOTHING, { kind: 'application', keys: ['a/x', 'a/y'] });
    pending = addChange(pending, { kind: 'application', keys: ['a/x'] });
    pending = addChange(pending, { kind: 'cluster', keys: ['prod'] });
    for (const keys of [['1'], ['2', '1']]) pending = addChange(pending, { kind: 'rollout', keys });
    expect(planReading(pending)).toEqual({
      kind: 'some',
      applications: ['a/x', 'a/y'],
      clusters: ['prod'],
      sets: false,
      rollouts: ['1', '2'],
      promotions: false,
    });
  });

  it('that the page does not show make it read nothing', () => {
    expect(isNothing(addChange(NOTHING, { kind: 'repository', keys: ['1'] }))).toBe(true);
  });

  it('of promotions make them read again, and those of kinds to come nothing', () => {
    expect(planReading(addChange(NOTHING, { kind: 'promotion', keys: ['web'] }))).toMatchObject({
      promotions: true,
    });
    expect(isNothing(addChange(NOTHING, { kind: 'moon' as never, keys: ['1'] }))).toBe(true);
  });

  it('are read as lists when there are many', () => {
    const keys = Array.from({ length: 61 }, (_, i) => `a/${i}`);
    expect(planReading(addChange(NOTHING, { kind: 'application', keys }))).toEqual({ kind: 'all' });
  });

  it('add nothing to a resync', () => {
    expect(planReading(addChange(EVERYTHING, { kind: 'cluster', keys: ['a'] }))).toEqual({ kind: 'all' });
  });
});
