import { parseRolloutPolicy } from '@muster/rollout';
import { expect, test } from 'vitest';
import { stageCycle } from './stage-cycles.ts';

const set = (name: string, spec: Record<string, unknown>) => ({
  namespace: 'argocd',
  name,
  policy: parseRolloutPolicy({
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'RolloutPolicy',
    metadata: { name },
    spec,
  }),
});
const on = (applicationSet: string, stage?: string) => ({
  dependsOn: [{ applicationSet, ...(stage ? { stage } : {}) }],
});

test('stages of sets may wait for earlier stages of each other', () => {
  const a = set('a', {
    stages: [
      { name: 'one', take: 1 },
      { name: 'two', ...on('b', 'one') },
    ],
  });
  const b = set('b', {
    stages: [
      { name: 'one', take: 1, ...on('a', 'one') },
      { name: 'two', ...on('a', 'two') },
    ],
  });
  expect(stageCycle([a, b])).toBeUndefined();
});

test('stages that wait for each other by way of the order of stages are named one after another', () => {
  const a = set('a', { stages: [{ name: 'one', take: 1, ...on('b', 'two') }, { name: 'two' }] });
  const b = set('b', { stages: [{ name: 'one', take: 1, ...on('a', 'one') }, { name: 'two' }] });
  expect(stageCycle([a, b])).toBe(
    'stage one of ApplicationSet argocd/a waits for stage two of ApplicationSet argocd/b, which waits for stage one of ApplicationSet argocd/b, which waits for stage one of ApplicationSet argocd/a',
  );
});

test('sets whose first stages wait for each other in each cluster, and a stage that waits for itself, are found', () => {
  const a = set('a', { ...on('b'), stages: [{ name: 'all' }] });
  const b = set('b', { stages: [{ name: 'one', take: 1, ...on('a') }, { name: 'two' }] });
  expect(stageCycle([a, b])).toBe(
    'ApplicationSet argocd/b waits for ApplicationSet argocd/a, which waits for ApplicationSet argocd/b',
  );
  expect(stageCycle([set('a', { stages: [{ name: 'all', ...on('a', 'all') }] })])).toBe(
    'stage all of ApplicationSet argocd/a waits for stage all of ApplicationSet argocd/a',
  );
});
