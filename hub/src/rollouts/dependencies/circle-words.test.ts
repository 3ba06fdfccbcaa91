import type { Target } from '@muster/rollout';
import { expect, it } from 'vitest';
import { circleEnds, heldExamples } from './circle-words.ts';

const target = (name: string, state: Target['state'], reason?: string, by = 'dependency') => ({
  id: `argocd/${name}@eu`,
  state,
  blocked: reason === undefined ? null : { by, reason, since: 0 },
});

it('of targets that dependencies hold back one for each reason is looked at, and not too many', () => {
  const some = [
    target('a', 'waiting', 'db'),
    target('b', 'waiting', 'db'),
    target('c', 'deferred', 'queue'),
    target('d', 'waiting'),
    target('e', 'assigned', 'late'),
    target('f', 'waiting', 'broken', 'render'),
  ];
  expect(heldExamples(some)).toEqual([
    { namespace: 'argocd', name: 'a' },
    { namespace: 'argocd', name: 'c' },
  ]);
  const many = Array.from({ length: 50 }, (_, i) => target(`t${i}`, 'waiting', `reason ${i}`));
  expect(heldExamples(many)).toHaveLength(20);
});

it('what has to be taken away is named, the first ten', () => {
  const causes = Array.from({ length: 12 }, (_, i) => `c${i}`);
  expect(circleEnds({ causes })).toMatch(/^one of these is taken away: c0, .*, c9$/);
});
