import { expect, it } from 'vitest';
import { fieldsNotOwned, ownsPath, pathsOfFields } from './managed-fields.ts';
import type { KubeObject } from './object.ts';

const fields = {
  'f:metadata': { 'f:labels': { 'f:app': {} }, 'f:finalizers': { '.': {}, 'v:"keep"': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"main"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      },
    },
  },
};

const object = (spec: object, labels = { app: 'a' }): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'n', labels, finalizers: ['keep'] },
  spec,
});
const spec = (container: object, replicas = 2) => ({
  replicas,
  template: { spec: { containers: [container] } },
});
const main = { name: 'main', image: 'x', ports: [{ containerPort: 80 }] };

it('lists the fields of a set', () => {
  const container = ['spec', 'template', 'spec', 'containers', { keys: { name: 'main' } }];
  expect(pathsOfFields(fields)).toEqual([
    ['metadata', 'labels', 'app'],
    ['spec', 'replicas'],
    [...container, 'name'],
    [...container, 'image'],
    [...container, 'ports', { keys: { containerPort: 80, protocol: 'TCP' } }, 'containerPort'],
  ]);
  for (const path of pathsOfFields(fields)) expect(ownsPath(fields, path)).toBe(true);
  expect(ownsPath(fields, ['spec', 'paused'])).toBe(false);
});

it('finds nothing lost while the manager owns all that it applied', () => {
  expect(fieldsNotOwned(object(spec(main)), fields)).toEqual([]);
});

it('finds what others took, and what was never taken', () => {
  const taken = structuredClone(fields) as { 'f:spec': { 'f:replicas'?: object } };
  delete taken['f:spec']['f:replicas'];
  expect(fieldsNotOwned(object(spec(main)), taken)).toEqual([['spec', 'replicas']]);
  expect(fieldsNotOwned(object(spec({ ...main, name: 'other' })), fields)).toEqual([
    ['spec', 'template', 'spec', 'containers', 0],
  ]);
  expect(fieldsNotOwned(object(spec(main), { app: 'a', tier: 'b' } as never), fields)).toEqual([
    ['metadata', 'labels', 'tier'],
  ]);
});
