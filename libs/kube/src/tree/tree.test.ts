import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../object.ts';
import { childKinds, kindsBelow } from './child-kinds.ts';
import { factsOf } from './object-facts.ts';
import { type RootNode, claimOf, impliedOwners, linkTree, liveNode } from './tree.ts';

const object = (kind: string, name: string, owners: string[] = [], more: object = {}): KubeObject => ({
  apiVersion: kind === 'Pod' || kind.endsWith('Claim') ? 'v1' : 'apps/v1',
  kind,
  metadata: {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ownerReferences: owners.map((uid) => ({ uid: `uid-${uid}` })),
  },
  ...more,
});
const live = (...args: Parameters<typeof object>) => liveNode(object(...args), null);

const root = (kind: string, name: string): RootNode => {
  const { owners: _owners, ownerKeys: _keys, ...node } = live(kind, name);
  return { ...node, managed: true, hook: false, sync: 'Synced' };
};

describe('a tree', () => {
  test('holds what is owned by what Git names, however far, and nothing else', () => {
    const found = [
      live('Pod', 'web-1-a', ['web-1']),
      live('ReplicaSet', 'web-1', ['web']),
      live('Pod', 'stray', ['nobody']),
      live('Pod', 'alone'),
    ];
    const { nodes, truncated } = linkTree([root('Deployment', 'web')], found, 100);
    expect(nodes.map(({ key, parents, managed }) => [key, parents, managed])).toEqual([
      ['apps/Deployment/shop/web', [], true],
      ['apps/ReplicaSet/shop/web-1', ['apps/Deployment/shop/web'], false],
      ['/Pod/shop/web-1-a', ['apps/ReplicaSet/shop/web-1'], false],
    ]);
    expect(truncated).toBe(false);
  });

  test('ends where owners go round in a circle, and names several owners', () => {
    const found = [live('ReplicaSet', 'a', ['web', 'b']), live('ReplicaSet', 'b', ['a', 'web'])];
    const { nodes } = linkTree([root('Deployment', 'web')], found, 100);
    expect(nodes).toHaveLength(3);
    expect(nodes[1]!.parents.toSorted()).toEqual(['apps/Deployment/shop/web', 'apps/ReplicaSet/shop/b']);
  });

  test('is bounded', () => {
    const found = Array.from({ length: 10 }, (_, i) => live('ReplicaSet', `r${i}`, ['web']));
    const { nodes, truncated } = linkTree([root('Deployment', 'web')], found, 5);
    expect([nodes.length, truncated]).toEqual([5, true]);
  });

  test('knows the claims of a StatefulSet, which do not name it', () => {
    expect(impliedOwners(object('PersistentVolumeClaim', 'data-my-db-0'))).toEqual([
      'apps/StatefulSet/shop/my-db',
      'apps/StatefulSet/shop/db',
    ]);
    expect(impliedOwners(object('PersistentVolumeClaim', 'data'))).toEqual([]);
    const set = object('StatefulSet', 'my-db', [], {
      spec: { volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
    });
    expect(claimOf('data-my-db-0', set)).toBe(true);
    expect(claimOf('logs-my-db-0', set)).toBe(false);
    expect(claimOf('data-my-db-x', set)).toBe(false);
    const { nodes } = linkTree(
      [root('StatefulSet', 'my-db')],
      [live('PersistentVolumeClaim', 'data-my-db-0')],
      9,
    );
    expect(nodes[1]).toMatchObject({ name: 'data-my-db-0', parents: ['apps/StatefulSet/shop/my-db'] });
  });
});

describe('kinds to look for', () => {
  const served = [
    { group: 'example.org', kind: 'Widget' },
    { group: 'example.org', kind: 'Part' },
    { group: 'other.org', kind: 'Thing' },
  ];
  const names = (kinds: { group: string; kind: string }[]) => kinds.map(({ kind }) => kind);

  test('are few for workloads, and none for what owns nothing', () => {
    const below = kindsBelow([{ group: 'apps', kind: 'Deployment' }], served, 60);
    expect(names(below)).toEqual(['ReplicaSet', 'Pod']);
    expect(
      kindsBelow(
        [
          { group: '', kind: 'ConfigMap' },
          { group: 'rbac.authorization.k8s.io', kind: 'Role' },
        ],
        served,
        60,
      ),
    ).toEqual([]);
    expect(names(kindsBelow([{ group: 'batch', kind: 'CronJob' }], served, 60))).toEqual(['Job', 'Pod']);
  });

  test('of a custom resource are those of its group, and what operators make', () => {
    const children = names(childKinds({ group: 'example.org', kind: 'Widget' }, served));
    expect(children).toEqual(expect.arrayContaining(['Widget', 'Part', 'StatefulSet', 'Pod', 'Secret']));
    expect(children).not.toContain('Thing');
    expect(kindsBelow([{ group: 'example.org', kind: 'Widget' }], served, 3)).toHaveLength(3);
  });
});

test('facts of a Pod are as kubectl words them', () => {
  const pod = object('Pod', 'web', [], {
    spec: { containers: [{ name: 'main' }, { name: 'side' }], nodeName: 'n1' },
    status: {
      phase: 'Running',
      containerStatuses: [
        { ready: true, restartCount: 1, state: { running: {} } },
        { ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      ],
    },
  });
  expect(Object.fromEntries(factsOf(pod).map(({ name, value }) => [name, value]))).toEqual({
    status: 'CrashLoopBackOff',
    ready: '1/2',
    restarts: '5',
    node: 'n1',
    containers: 'main,side',
  });
});
