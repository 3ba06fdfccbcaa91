import { describe, expect, it } from 'vitest';
import {
  type AwaitedStage,
  type AwaitedTarget,
  blockerText,
  verdictOfStage,
  verdictOfTarget,
  verdictOfTargets,
} from './dependency-verdict.ts';

const healthy: AwaitedTarget = {
  namespace: 'argocd',
  name: 'db',
  cluster: 'a',
  elsewhere: null,
  going: false,
  pending: false,
  expected: 'new',
  held: false,
  assigned: 'new',
  applied: true,
  connected: true,
  silentSince: null,
  heard: true,
  health: 'Healthy',
  healthSince: new Date('2026-11-01T10:00:00Z'),
  observed: true,
};
const said = (more: Partial<AwaitedTarget>) => {
  const verdict = verdictOfTarget({ ...healthy, ...more });
  return verdict && blockerText(verdict);
};

describe('what is waited for in a cluster', () => {
  it('is there when it is healthy at what it is to hold', () => {
    expect(said({})).toBeUndefined();
    // Held at an earlier release: that is what it is to hold.
    expect(said({ held: true, expected: 'old', assigned: 'old' })).toBeUndefined();
  });

  it.each<[string, Partial<AwaitedTarget>]>([
    ['Progressing since 2026-11-01T10:00:00Z', { health: 'Progressing' }],
    ['it has not been given its release yet', { assigned: 'old' }],
    ['it has not been given its release yet', { assigned: null }],
    ['it has not applied its release yet', { applied: false }],
    ['it has no release there yet', { expected: null }],
    ['it waits for its own turn', { expected: null, held: true }],
    ['its health was not observed since it was applied', { observed: false }],
    [
      'its agent is silent since 2026-11-01T09:00:00Z',
      { connected: false, silentSince: new Date('2026-11-01T09:00:00Z') },
    ],
    ['its agent has come back, and has said nothing yet', { heard: false }],
    ['its newest commit is being rendered', { pending: true }],
    ['it is being removed', { going: true }],
    ['it is on cluster b', { elsewhere: { cluster: 'b' }, assigned: null }],
    ['it is on no cluster', { elsewhere: { cluster: null }, assigned: null }],
  ])('is waited for: %s', (reason, more) => {
    expect(said(more)).toBe(`Application argocd/db on cluster a: ${reason}`);
  });
});

describe('a stage that is waited for', () => {
  const dependency = { kind: 'stage', namespace: 'argocd', name: 'platform', stage: 'canary' } as const;
  const stage = (
    rollout: Record<string, unknown> | null,
    more: Partial<AwaitedStage> = {},
  ): AwaitedStage => ({
    pending: false,
    released: true,
    rollout: rollout && {
      id: 'r',
      index: 0,
      rollout: {
        kind: 'release',
        phase: 'running',
        stage: 0,
        stages: [{ name: 'canary', step: 'rolling', since: 0 }],
        to: { id: 'r', label: 'release 7' },
        since: 0,
        createdAt: 0,
        ...rollout,
      } as never,
    },
    ...more,
  });
  const verdict = (of: AwaitedStage | undefined) => {
    const found = verdictOfStage(dependency, of);
    return typeof found === 'string' ? found : found.reason;
  };

  it('has passed with the newest release of its set, or is told by its targets where its rollout ended early', () => {
    expect(verdict(stage({ stage: 1 }))).toBe('passed');
    expect(verdict(stage({ phase: 'completed' }))).toBe('passed');
    expect(verdict(stage({ phase: 'rolled-back' }))).toBe('look');
    expect(verdict(stage({ phase: 'aborted' }))).toBe('look');
    expect(verdict(stage(null))).toBe('look');
  });

  it('is waited for with a reason before that', () => {
    expect(verdict(stage({}))).toBe('rolling with release 7');
    expect(verdict(stage({ phase: 'pending' }))).toBe('release 7 waits for its turn');
    expect(verdict(stage({ phase: 'failed' }))).toBe('release 7 is failed');
    expect(verdict(stage({ phase: 'rolling-back' }))).toBe('release 7 is rolling-back');
    expect(verdict(stage({}, { pending: true }))).toBe('its newest commit is being rendered');
    expect(verdict(undefined)).toBe('there is no ApplicationSet argocd/platform');
    const other = stage({});
    other.rollout!.index = -1;
    expect(verdict(other)).toBe('the rollout of release 7 has no such stage');
  });

  it('names the first of its targets that are not healthy', () => {
    expect(verdictOfTargets(dependency, [healthy])).toBeUndefined();
    expect(
      verdictOfTargets(dependency, [healthy, { ...healthy, name: 'x', health: 'Degraded' }])?.reason,
    ).toBe('1 of 2 are not healthy at their release; Application argocd/x on cluster a: Degraded');
  });
});
