import type { HubClient } from '@muster/api/client';
import { expect, test } from 'vitest';
import { resolveSelectors } from './app-objects.ts';

const web = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'reader' };
const client = {
  applications: {
    resources: () => Promise.resolve({ resources: [web, role] }),
    tree: () => Promise.resolve({ nodes: [] }),
  },
} as unknown as HubClient;
const application = { namespace: 'argocd', name: 'web' };

test('objects of a sync are named as everywhere else, and selectors stay as they are', async () => {
  const given = ['deploy/web', 'ClusterRole/reader', ':ConfigMap:settings-*', '!apps:*:shop/*'];
  expect(await resolveSelectors(client, application, given)).toEqual([
    'apps:Deployment:shop/web',
    'rbac.authorization.k8s.io:ClusterRole:reader',
    ':ConfigMap:settings-*',
    '!apps:*:shop/*',
  ]);
  expect(await resolveSelectors(client, application, undefined)).toBeUndefined();
});

test('an object that is not there is an error before anything is synced', async () => {
  await expect(resolveSelectors(client, application, ['Deployment/none'])).rejects.toThrow(
    'the Application has no Deployment/none',
  );
});
