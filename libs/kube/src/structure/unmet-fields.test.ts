import { describe, expect, it } from 'vitest';
import { MASK } from '../redact.ts';
import { sameQuantity } from './quantity.ts';
import { unmetFields } from './unmet-fields.ts';

const object = (kind: string, apiVersion: string, fields: object) => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'n' },
  ...fields,
});
const paths = (manifest: ReturnType<typeof object>, live: ReturnType<typeof object>) =>
  unmetFields(manifest, live).map(({ path }) => path);
const pod = (container: object, spec: object = {}) =>
  object('Pod', 'v1', { spec: { ...spec, containers: [{ name: 'main', ...container }] } });
const service = (spec: object) => object('Service', 'v1', { spec });
const config = (data: object) => object('ConfigMap', 'v1', { data });
const custom = (spec: object) => object('Widget', 'example.org/v1', { spec });

describe('what a manifest does not name', () => {
  it('is defaulted, injected or written by others without a difference', () => {
    const live = {
      ...pod({ image: 'a', imagePullPolicy: 'Always', ports: [{ containerPort: 80, protocol: 'TCP' }] }),
      status: { phase: 'Running' },
    };
    (live as unknown as { spec: { containers: object[] } }).spec.containers.unshift({
      name: 'injected',
      image: 'i',
    });
    live.metadata = { ...live.metadata, uid: 'u', labels: { team: 'a' } } as never;
    expect(paths(pod({ image: 'a', ports: [{ containerPort: 80 }] }), live)).toEqual([]);
  });

  it('does not hide what it names', () => {
    expect(unmetFields(pod({ image: 'b' }), pod({ image: 'a' }))).toMatchObject([
      { kind: 'changed', path: 'spec.containers[name=main].image', from: 'b', to: 'a' },
    ]);
    expect(paths(pod({ image: 'a', command: ['x'] }), pod({ image: 'a' }))).toEqual([
      'spec.containers[name=main].command',
    ]);
    expect(paths(config({ a: '1' }), config({}))).toEqual(['data.a']);
    expect(paths(config({ a: '1' }), object('ConfigMap', 'v1', {}))).toEqual(['data']);
  });
});

describe('values that mean the same', () => {
  it.each([
    ['0.5', '500m'],
    ['1Gi', '1024Mi'],
    [1, '1'],
    ['1e3', '1k'],
    ['100M', '100000000'],
  ])('%s and %s', (a, b) => {
    expect(sameQuantity(a, b)).toBe(true);
    expect(
      paths(pod({ resources: { limits: { cpu: a } } }), pod({ resources: { limits: { cpu: b } } })),
    ).toEqual([]);
  });

  it('amounts differ, and texts that look like amounts are texts', () => {
    expect(
      paths(pod({ resources: { limits: { cpu: '1' } } }), pod({ resources: { limits: { cpu: '2' } } })),
    ).toHaveLength(1);
    expect(paths(config({ requests: '1' }), config({ requests: '1000m' }))).toHaveLength(1);
    const env = (value: string) => pod({ env: [{ name: 'A', value }] });
    expect(paths(env('1'), env('1000m'))).toEqual(['spec.containers[name=main].env[name=A].value']);
  });

  it('zero values and empty members may be left out, where leaving them out means the same', () => {
    expect(
      paths(
        pod({ stdin: false, resources: {}, env: [] }, { hostNetwork: false, securityContext: {} }),
        pod({}),
      ),
    ).toEqual([]);
    expect(paths(pod({}, { automountServiceAccountToken: false }), pod({}))).toEqual([
      'spec.automountServiceAccountToken',
    ]);
    expect(paths(pod({ securityContext: { runAsUser: 0 } }), pod({ securityContext: {} }))).toHaveLength(1);
    expect(paths(config({ a: '' }), config({}))).toEqual(['data.a']);
    expect(paths(service({ clusterIP: '' }), service({ clusterIP: '10.0.0.1' }))).toEqual([]);
    expect(paths(service({ clusterIP: 'None' }), service({ clusterIP: '10.0.0.1' }))).toHaveLength(1);
  });

  it('in a custom resource nothing is guessed', () => {
    expect(paths(custom({ on: false }), custom({}))).toEqual(['spec.on']);
    expect(paths(custom({ limits: { cpu: '0.5' } }), custom({ limits: { cpu: '500m' } }))).toHaveLength(1);
    expect(
      paths(custom({ containers: [{ name: 'a' }] }), custom({ containers: [{ name: 'b' }, { name: 'a' }] })),
    ).toEqual(['spec.containers']);
    expect(paths(custom({ a: { b: null } }), custom({ a: {} }))).toEqual([]);
  });
});

describe('what is one value', () => {
  it('a selector with more in it is another one', () => {
    expect(
      paths(service({ selector: { app: 'a' } }), service({ selector: { app: 'a', tier: 'b' } })),
    ).toEqual(['spec.selector.tier']);
    const policy = (podSelector: object) =>
      object('NetworkPolicy', 'networking.k8s.io/v1', { spec: { podSelector } });
    expect(paths(policy({}), policy({ matchLabels: { app: 'a' } }))).toEqual([
      'spec.podSelector.matchLabels',
    ]);
    expect(paths(policy({ matchLabels: { app: 'a' } }), policy({ matchLabels: { app: 'a' } }))).toEqual([]);
  });

  it('a list without keys has to have the same elements in the same order', () => {
    const role = (rules: object[]) => object('Role', 'rbac.authorization.k8s.io/v1', { rules });
    const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
    expect(paths(role([rule]), role([rule, rule]))).toEqual(['rules']);
    expect(paths(role([rule]), role([{ ...rule, verbs: ['get', 'list'] }]))).toEqual(['rules[0].verbs']);
    expect(paths(pod({ args: ['a', 'b'] }), pod({ args: ['b', 'a'] }))).toHaveLength(2);
  });

  it('finalizers and owners of others are theirs', () => {
    const with_ = (finalizers: string[]) => ({ ...config({}), metadata: { name: 'x', finalizers } });
    expect(unmetFields(with_(['a']), with_(['b', 'a']))).toEqual([]);
    expect(unmetFields(with_(['a']), with_(['b']))).toHaveLength(1);
  });
});

describe('what is not of the manifest’s author', () => {
  it('are Muster’s marks', () => {
    const marked = {
      ...config({ a: '1' }),
      metadata: {
        name: 'x',
        labels: { 'muster.dev/application': 'argocd.web', team: 'a' },
        annotations: { 'muster.dev/tracking-id': 't' },
      },
    };
    const live = { ...config({ a: '1' }), metadata: { name: 'x', labels: { team: 'a' } } };
    expect(unmetFields(marked, live)).toEqual([]);
  });

  it('secret values are compared as they are stored, and masked', () => {
    const secret = (fields: object) => object('Secret', 'v1', fields);
    const live = secret({ type: 'Opaque', data: { a: 'aGVsbG8=', b: 'eA==' } });
    expect(paths(secret({ stringData: { a: 'hello' } }), live)).toEqual([]);
    expect(unmetFields(secret({ stringData: { a: 'other' } }), live)).toMatchObject([
      { path: 'data.a', from: MASK, to: MASK, masked: true },
    ]);
  });
});
