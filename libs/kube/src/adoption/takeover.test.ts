import { describe, expect, it } from 'vitest';
import { managedFieldsOf } from '../managed-fields.ts';
import type { KubeObject } from '../object.ts';
import { withTracking } from '../tracking.ts';
import { trackersOf } from './foreign.ts';
import { adoptedFromOf, fieldsThatGo, letGo, type MetadataPatch, takeover } from './takeover.ts';

const RECORD = 'kubectl.kubernetes.io/last-applied-configuration';
const desired = withTracking(
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'n' }, data: { a: '1' } },
  { namespace: 'argocd', name: 'shop' },
);

function live(metadata: object, managedFields: object[], data = { a: '1', b: '2', edited: 'x', other: 'y' }) {
  const base = { name: 'c', namespace: 'n', managedFields, ...metadata };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: base, data } as KubeObject;
}

const entry = (manager: string, operation: string, data: string[], more: object = {}) => ({
  manager,
  operation,
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:data': { '.': {}, ...Object.fromEntries(data.map((key) => [`f:${key}`, {}])) }, ...more },
});

const argocd = { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:n/c' };
const marks = {
  'f:metadata': {
    'f:annotations': { '.': {}, [`f:${Object.keys(argocd)[0]}`]: {}, [`f:${RECORD}`]: {} },
  },
};
const record = JSON.stringify({ data: { a: '1', b: '2', edited: 'z' } });

function take(object: KubeObject): MetadataPatch | undefined {
  return takeover(object, desired, trackersOf(object, desired), 'muster');
}

/** What the API server makes of a patch. */
function patched(object: KubeObject, patch: Partial<MetadataPatch>): KubeObject {
  const merged = (map: Record<string, string> = {}, change: Record<string, string | null> = {}) =>
    Object.fromEntries(
      Object.entries({ ...map, ...change }).filter((pair): pair is [string, string] => pair[1] !== null),
    );
  const { labels, annotations, managedFields } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: merged(labels, patch.labels),
      annotations: merged(annotations, patch.annotations),
      managedFields: patch.managedFields ?? managedFields,
    },
  };
}

const fieldsOf = (object: KubeObject, manager: string, operation: string) =>
  managedFieldsOf(object).find((each) => each.manager === manager && each.operation === operation)?.fieldsV1;

describe('taking over an object', () => {
  const tracked = live({ annotations: { ...argocd, [RECORD]: record } }, [
    entry('argocd-controller', 'Update', ['a', 'b'], marks),
    entry('kubectl-edit', 'Update', ['edited', 'other']),
    entry('some-operator', 'Update', ['b']),
    { ...entry('kube-controller-manager', 'Update', ['a']), subresource: 'scale' },
  ]);

  it('moves the fields of the tool’s managers and of its record, and leaves those of all others', () => {
    const after = patched(tracked, take(tracked)!);
    expect(fieldsOf(after, 'muster', 'Apply')).toEqual({
      'f:metadata': { 'f:annotations': { '.': {} } },
      'f:data': { '.': {}, 'f:a': {}, 'f:b': {}, 'f:edited': {} },
    });
    expect(fieldsOf(after, 'argocd-controller', 'Update')).toBeUndefined();
    expect(fieldsOf(after, 'kubectl-edit', 'Update')).toEqual({ 'f:data': { 'f:other': {} } });
    expect(managedFieldsOf(after)).toContainEqual(managedFieldsOf(tracked)[2]);
    expect(managedFieldsOf(after)).toContainEqual(managedFieldsOf(tracked)[3]);
  });

  it('takes the tool’s marks and its record off, and Muster’s marks on', () => {
    const { annotations = {}, labels } = patched(tracked, take(tracked)!).metadata;
    expect(Object.keys(annotations).sort()).toEqual(['muster.dev/adopted-from', 'muster.dev/tracking-id']);
    expect(labels).toEqual({ 'muster.dev/application': 'argocd.shop' });
  });

  it('takes over fields that were applied server-side, too, and adds them to its own', () => {
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'apps' };
    const object = live({ labels }, [
      entry('muster', 'Apply', ['a']),
      entry('kustomize-controller', 'Apply', ['a', 'b']),
    ]);
    const after = patched(object, take(object)!);
    expect(managedFieldsOf(after)).toHaveLength(1);
    expect(fieldsOf(after, 'muster', 'Apply')).toEqual({ 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } });
    expect(adoptedFromOf(after)).toEqual({
      by: 'Flux Kustomization apps',
      labels,
      annotations: {},
      manager: 'kustomize-controller',
      operation: 'Apply',
    });
  });

  it('never takes over a status', () => {
    const object = live({ annotations: argocd }, [
      entry('argocd-controller', 'Update', ['a'], { 'f:status': { 'f:phase': {} } }),
    ]);
    const after = patched(object, take(object)!);
    expect(fieldsOf(after, 'argocd-controller', 'Update')).toEqual({ 'f:status': { 'f:phase': {} } });
    expect(fieldsOf(after, 'muster', 'Apply')).toEqual({ 'f:data': { '.': {}, 'f:a': {} } });
  });

  it('moves what kubectl applied, without a note that it was foreign', () => {
    const object = live({ annotations: { [RECORD]: record } }, [
      entry('kubectl-client-side-apply', 'Update', ['a', 'b']),
      entry('some-operator', 'Update', ['other']),
    ]);
    const after = patched(object, take(object)!);
    expect(fieldsOf(after, 'muster', 'Apply')).toEqual({ 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } });
    expect(Object.keys(after.metadata.annotations!)).toEqual(['muster.dev/tracking-id']);
    expect(fieldsOf(after, 'some-operator', 'Update')).toBeDefined();
  });

  it('does nothing where nobody applied before', () => {
    expect(take(live({}, [entry('some-operator', 'Update', ['a'])]))).toBeUndefined();
    expect(take(live({ annotations: { [RECORD]: 'no JSON' } }, []))).toBeUndefined();
  });
});

describe('what goes when an object is taken over', () => {
  it('is what the tool wants and the manifest does not have, its marks too, but no default and nothing of others', () => {
    const object = live({ annotations: { ...argocd, [RECORD]: record } }, [
      entry('argocd-controller', 'Update', ['a', 'b', 'defaulted'], marks),
      entry('kubectl-edit', 'Update', ['edited', 'other']),
    ]);
    const going = fieldsThatGo(object, desired, trackersOf(object, desired));
    expect(going).toEqual([
      ['metadata', 'annotations', 'argocd.argoproj.io/tracking-id'],
      ['data', 'b'],
      ['data', 'edited'],
    ]);
  });

  it('is nothing that another manager owns too', () => {
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'apps' };
    const object = live({ labels }, [
      entry('kustomize-controller', 'Apply', ['a', 'b', 'c']),
      entry('some-operator', 'Update', ['c']),
    ]);
    expect(fieldsThatGo(object, desired, trackersOf(object, desired))).toEqual([
      ['metadata', 'labels', 'kustomize.toolkit.fluxcd.io/name'],
      ['data', 'b'],
    ]);
  });
});

describe('giving an object back', () => {
  it('restores the marks, the managers and the record, as of what Muster applied last', () => {
    const object = live({ annotations: { ...argocd, [RECORD]: record } }, [
      entry('argocd-controller', 'Update', ['a', 'b'], marks),
    ]);
    const adopted = patched(object, take(object)!);
    // Muster's apply: b left Git.
    adopted.data = { a: '1', other: 'y' };
    adopted.metadata.managedFields = [
      entry('muster', 'Apply', ['a'], {
        'f:metadata': { 'f:labels': { 'f:muster.dev/application': {} } },
      }),
      entry('kubectl-edit', 'Update', ['other']),
    ];
    const back = patched(adopted, letGo(adopted, 'muster'));
    expect(back.metadata.labels).toEqual({});
    expect(back.metadata.annotations).toEqual({
      ...argocd,
      [RECORD]: `${JSON.stringify({
        data: { a: '1' },
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { annotations: {}, name: 'c', namespace: 'n' },
      })}\n`,
    });
    expect(fieldsOf(back, 'argocd-controller', 'Update')).toEqual({
      'f:data': { '.': {}, 'f:a': {} },
      'f:metadata': { 'f:annotations': { 'f:argocd.argoproj.io/tracking-id': {} } },
    });
    expect(fieldsOf(back, 'muster', 'Apply')).toBeUndefined();
    expect(fieldsOf(back, 'kubectl-edit', 'Update')).toEqual({ 'f:data': { '.': {}, 'f:other': {} } });
  });

  it('only takes Muster’s marks off what was not adopted', () => {
    const object = live(desired.metadata, [entry('muster', 'Apply', ['a'])]);
    expect(letGo(object, 'muster')).toEqual({
      labels: { 'muster.dev/application': null },
      annotations: { 'muster.dev/tracking-id': null },
    });
  });
});
