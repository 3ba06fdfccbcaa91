import { planSync } from '@muster/kube';
import { expect, it } from 'vitest';
import { groupsOf } from './ordering.ts';

const object = (kind: string, name: string, wave?: string) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...(wave ? { annotations: { 'argocd.argoproj.io/sync-wave': wave } } : {}) },
});

it('applies neighbours of one phase, wave and kind together, and nothing else', () => {
  const objects = [
    object('ConfigMap', 'b'),
    object('ConfigMap', 'late', '5'),
    object('Namespace', 'n'),
    object('ConfigMap', 'a'),
    object('Secret', 's'),
  ];
  const groups = groupsOf(planSync(objects, [], { namespace: '', skipHooks: true }));
  expect(groups.map((group) => group.map(({ target }) => target!.metadata.name))).toEqual([
    ['n'],
    ['s'],
    ['a', 'b'],
    ['late'],
  ]);
});
