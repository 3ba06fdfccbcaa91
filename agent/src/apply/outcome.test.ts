import { planSync } from '@muster/kube';
import { expect, it } from 'vitest';
import { describeDryRun } from './outcome.ts';

const map = (name: string, annotations = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', annotations },
});

it('says what a sync would do, by name', () => {
  const hook = map('hook', { 'argocd.argoproj.io/hook': 'PreSync' });
  const tasks = planSync([map('a'), map('same'), hook], [map('old')], { namespace: '' });
  expect(describeDryRun(tasks, new Set(['/ConfigMap/shop/a']), 2)).toBe(
    'dry run: 1 to apply (ConfigMap shop/a), 1 to prune (ConfigMap shop/old), 1 hook to run (ConfigMap shop/hook), ' +
      '2 kept until someone confirms',
  );
  expect(describeDryRun([], new Set(), 0)).toBe('dry run: nothing to do');
});
