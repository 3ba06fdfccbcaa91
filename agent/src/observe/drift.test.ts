import { expect, it } from 'vitest';
import { difference, lostFields } from './drift.ts';
import { isNewer, liveHash, liveObject, newestWriter } from './live-object.ts';

const entry = (manager: string, time: string, fieldsV1: object, subresource?: string) => ({
  manager,
  time,
  fieldsV1,
  operation: 'Update',
  subresource,
});

const deployment = (replicas: number, image: string, managedFields: object[] = []) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'n', uid: 'u', resourceVersion: '7', generation: 1, managedFields },
  spec: { replicas, template: { spec: { containers: [{ name: 'main', image }] } } },
  status: { readyReplicas: replicas },
});

const byScaler = entry('scaler', '2026-01-01T00:00:00Z', { 'f:spec': { 'f:replicas': {} } }, 'scale');
const byEditor = entry('editor', '2026-01-02T00:00:00Z', {
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { 'f:image': {} } } } } },
});
const byController = entry('kube-controller-manager', '2026-01-03T00:00:00Z', { 'f:status': {} }, 'status');

const around = {
  jq: { paths: async () => [] },
  signal: new AbortController().signal,
};

it('names the writer of the field that differs, not the newest one', async () => {
  const live = deployment(5, 'a', [byScaler, byEditor, byController]);
  const { difference: found } = await difference(deployment(2, 'a'), live, [], around);
  expect(found?.fields).toEqual([{ path: 'spec.replicas', expected: '2', actual: '5' }]);
  expect(found?.writer?.manager).toBe('scaler');
  const { difference: edited } = await difference(deployment(5, 'b'), live, [], around);
  expect(edited?.fields[0]?.path).toBe('spec.template.spec.containers[name=main].image');
  expect(edited?.writer?.manager).toBe('editor');
});

it('sees no difference in status, versions and ignored fields', async () => {
  const live = {
    ...deployment(5, 'a'),
    status: {},
    metadata: { ...deployment(5, 'a').metadata, resourceVersion: '9' },
  };
  const rule = { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] };
  expect((await difference(deployment(2, 'a'), live, [rule], around)).difference).toBeUndefined();
  expect(liveHash(deployment(5, 'a'))).toBe(liveHash(live));
  expect(liveHash(deployment(5, 'b'))).not.toBe(liveHash(live));
});

it('judges by the owners of fields where the server would not', async () => {
  const own = {
    manager: 'muster',
    operation: 'Apply',
    fieldsV1: {
      'f:spec': {
        'f:template': {
          'f:spec': { 'f:containers': { 'k:{"name":"main"}': { 'f:name': {}, 'f:image': {} } } },
        },
      },
    },
  };
  const { difference: found } = await lostFields(
    deployment(2, 'a'),
    deployment(5, 'a', [own, byScaler]),
    [],
    around,
  );
  expect(found?.fields).toEqual([{ path: 'spec.replicas', expected: '2', actual: '5' }]);
  expect(found?.writer).toMatchObject({ manager: 'scaler', operation: 'Update' });
  const rule = { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] };
  const ignoring = await lostFields(deployment(2, 'a'), deployment(5, 'a', [own, byScaler]), [rule], around);
  expect(ignoring.difference).toBeUndefined();
});

it('masks what is secret', async () => {
  const secret = (data: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data });
  const { difference: found } = await difference(
    secret({ a: 'aGlkZGVu' }),
    secret({ a: 'c3RvbGVu' }),
    [],
    around,
  );
  expect(found?.fields.length).toBe(1);
  expect(JSON.stringify(found)).not.toMatch(/aGlkZGVu|c3RvbGVu/);
});

it('keeps of an object who wrote it last, whose it is and how it is', () => {
  const live = liveObject({
    ...deployment(1, 'a', [byScaler, byEditor, byController]),
    metadata: {
      ...deployment(1, 'a', [byScaler, byEditor, byController]).metadata,
      annotations: { 'muster.dev/tracking-id': 'argocd/app:apps/Deployment:n/d' },
    },
  });
  expect(live).toMatchObject({ key: 'apps/Deployment/n/d', owner: 'argocd/app', uid: 'u', deleting: false });
  expect(live.writer?.manager).toBe('editor');
  expect(newestWriter(deployment(1, 'a', [entry('muster', '2026-01-01T00:00:00Z', {})]))).toBeUndefined();
});

it('orders resource versions as numbers', () => {
  expect(isNewer('10', '9')).toBe(true);
  expect(isNewer('9', '10')).toBe(false);
  expect(isNewer('9', '9')).toBe(false);
});
