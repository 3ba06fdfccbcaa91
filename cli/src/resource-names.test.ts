import { expect, test } from 'vitest';
import { matching, objectName, parseObjectName, theOne } from './resource-names.ts';

const objects = [
  { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
  { group: '', kind: 'Service', namespace: 'shop', name: 'web' },
  { group: '', kind: 'Pod', namespace: 'shop', name: 'web-1' },
  { group: '', kind: 'Pod', namespace: 'bank', name: 'web-1' },
  { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'system:view' },
];
const found = (text: string) => matching(parseObjectName(text), objects).map(objectName);

test.each([
  ['Deployment/web', ['Deployment.apps/shop/web']],
  ['deploy/web', ['Deployment.apps/shop/web']],
  ['deployments.apps/web', ['Deployment.apps/shop/web']],
  ['Deployment.extensions/web', []],
  ['apps:Deployment:web', ['Deployment.apps/shop/web']],
  [':Service:shop/web', ['Service/shop/web']],
  ['Pod/web-1', ['Pod/shop/web-1', 'Pod/bank/web-1']],
  ['pod/bank/web-1', ['Pod/bank/web-1']],
  ['/Pod/bank/web-1', ['Pod/bank/web-1']],
  [
    'rbac.authorization.k8s.io/ClusterRole//system:view',
    ['ClusterRole.rbac.authorization.k8s.io/system:view'],
  ],
  [
    'rbac.authorization.k8s.io:ClusterRole:system:view',
    ['ClusterRole.rbac.authorization.k8s.io/system:view'],
  ],
])('%s names what people mean', (text, names) => {
  expect(found(text)).toEqual(names);
});

test.each(['web', 'Pod/', '/web', ':Pod:', 'a/b/c/d/e'])('%s names nothing', (text) => {
  expect(() => parseObjectName(text)).toThrow('names no object');
});

test('what may be several is not guessed', () => {
  const pods = matching(parseObjectName('Pod/web-1'), objects);
  expect(() => theOne('Pod/web-1', pods)).toThrow('Pod/shop/web-1 or Pod/bank/web-1');
  expect(() => theOne('Pod/none', [])).toThrow('the Application has no Pod/none');
});
