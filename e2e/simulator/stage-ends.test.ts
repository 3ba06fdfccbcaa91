import { expect, it } from 'vitest';
import { stageEnds } from './stage-ends.ts';

const target = (cluster: string, stage: number | null) => ({ application: 'argocd/web', cluster, stage });
const watched = (times: Record<string, { assigned: number; healthy?: number }>) => ({
  times: ({ cluster }: { cluster: string }) => times[cluster],
});

it('counts from the last report of a stage to the assignments that the next one has slots for', () => {
  const watch = watched({
    a: { assigned: 0, healthy: 100 },
    b: { assigned: 0, healthy: 120 },
    c: { assigned: 130, healthy: 300 },
    d: { assigned: 150, healthy: 310 },
    e: { assigned: 320, healthy: 400 },
  });
  const targets = [target('a', 0), target('b', 0), target('c', 1), target('d', 1), target('e', 1)];
  expect(stageEnds(watch, targets, 'x', 2)).toEqual([{ stage: 0, assignments: 2, firstMs: 10, lastMs: 30 }]);
  expect(stageEnds(watch, targets, 'x')).toEqual([{ stage: 0, assignments: 3, firstMs: 10, lastMs: 200 }]);
});

it('refuses to measure what did not become healthy', () => {
  const watch = watched({ a: { assigned: 0, healthy: 1 }, b: { assigned: 2 } });
  expect(() => stageEnds(watch, [target('a', 0), target('b', 1)], 'x')).toThrow('b was never healthy');
});
