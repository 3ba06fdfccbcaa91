import type { ResourceTree } from '@muster/api';
import { expect, test } from 'vitest';
import { treeText } from './tree-text.ts';

type Node = ResourceTree['nodes'][number];

const node = (key: string, more: Partial<Node> = {}): Node => {
  const [group = '', kind = '', namespace = '', name = ''] = key.split('/');
  const at = { version: 'v1', uid: key, createdAt: '2026-01-01T00:00:00Z', facts: [], actions: [] };
  const state = { parents: [], managed: false, hook: false, sync: '', health: '', message: '' };
  return { key, group, kind, namespace, name, ...at, ...state, ...more };
};

const nodes = [
  node('apps/Deployment/shop/web', { managed: true, sync: 'Synced', health: 'Degraded', message: 'stuck' }),
  node('/ConfigMap/shop/settings', { managed: true, sync: 'OutOfSync', uid: '', createdAt: '' }),
  node('apps/ReplicaSet/shop/web-1', {
    parents: ['apps/Deployment/shop/web'],
    facts: [
      { name: 'revision', value: '1' },
      { name: 'ready', value: '0/1' },
    ],
  }),
  node('apps/ReplicaSet/shop/web-0', { parents: ['apps/Deployment/shop/web'], health: 'Healthy' }),
  node('/Pod/shop/web-1-x', {
    parents: ['apps/ReplicaSet/shop/web-1'],
    health: 'Degraded',
    message: 'back-off \u001b[2J pulling',
    facts: [{ name: 'status', value: 'ImagePullBackOff' }],
  }),
];

test('shows what owns what, with what is wrong', () => {
  const tree = { cluster: 'dev', at: '2026-01-01T00:05:00Z', nodes, notes: ['no Secrets'], truncated: false };
  const now = Date.parse('2026-01-01T00:05:00Z');
  expect(`\n${treeText(tree, { now, colour: false, wide: false })}\n`).toBe(`
RESOURCE              SYNC        HEALTH     AGE   STATUS
ConfigMap/settings    OutOfSync   -          -     not in the cluster
Deployment/web        Synced      Degraded   5m    stuck
├─ ReplicaSet/web-0   -           Healthy    5m    -
└─ ReplicaSet/web-1   -           -          5m    revision 1, ready 0/1
   └─ Pod/web-1-x     -           Degraded   5m    ImagePullBackOff, back-off  [2J pulling

note: no Secrets
`);
});
