import { describe, expect, it } from 'vitest';
import {
  builtInScope,
  duplicatesOf,
  parseManifests,
  scopeWithDefinitions,
  withNamespace,
} from './manifest.ts';
import { identityOf, keyOf, keyString, parseKeyString } from './object.ts';

const parse = (content: string) => parseManifests([{ path: 'x.yaml', content }]);
const errorOf = (content: string) => parse(content).errors.map((error) => error.describe());

describe('parseManifests', () => {
  it('reads documents with their file and line', () => {
    const { manifests, errors } = parse(
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# none\n---\n{"apiVersion":"v1","kind":"Secret","metadata":{"name":"b"}}\n',
    );
    expect(errors).toEqual([]);
    expect(manifests.map(({ object, file, line }) => `${file}:${line} ${object.kind}`)).toEqual([
      'x.yaml:2 ConfigMap',
      'x.yaml:8 Secret',
    ]);
  });

  it('takes lists apart, also lists in lists and typed ones', () => {
    const { manifests, errors } = parse(`
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: a}}, {metadata: {name: b}}]}
- {apiVersion: v1, kind: Secret, metadata: {name: c}}
- {apiVersion: v1, kind: Secret}
`);
    expect(manifests.map(({ object }) => `${object.kind} ${object.metadata.name}`)).toEqual([
      'ConfigMap a',
      'ConfigMap b',
      'Secret c',
    ]);
    expect(errors.map((error) => error.describe())).toEqual([
      'x.yaml:2: items[2]: metadata of the Secret is missing',
    ]);
  });

  it.each([
    ['- 1', 'x.yaml:1: expected a Kubernetes object, found a list'],
    ['hello', 'x.yaml:1: expected a Kubernetes object, found string'],
    ['\napiVersion: v1', 'x.yaml:2: kind is missing'],
    ['kind: A', 'x.yaml:1: apiVersion of the A is missing'],
    [
      '{apiVersion: a/b/c, kind: A, metadata: {name: a}}',
      'x.yaml:1: apiVersion "a/b/c" is not group/version',
    ],
    ['{apiVersion: v1, kind: A, metadata: {}}', 'x.yaml:1: metadata.name of the A is missing'],
    [
      '{apiVersion: v1, kind: A, metadata: {name: 12}}',
      'x.yaml:1: metadata.name of the A must be a string, found 12',
    ],
    [
      '{apiVersion: v1, kind: A, metadata: {name: ../b}}',
      'x.yaml:1: metadata.name "../b" of the A may not be "." or ".." nor hold "/" or "%"',
    ],
    [
      '{apiVersion: v1, kind: A, metadata: {name: a, annotations: {x: yes}}}',
      'x.yaml:1: metadata.annotations["x"] of A "a" must be a string, found true (put it in quotes)',
    ],
    ['a: [', 'x.yaml:1: not valid YAML: unexpected end of the stream within a flow collection'],
  ])('says what is wrong with %s', (content, message) => {
    expect(errorOf(content)).toEqual([message]);
  });

  it('goes on after a bad file', () => {
    const { manifests, errors } = parseManifests([
      { path: 'bad.yaml', content: 'a: 1\na: 2' },
      { path: 'good.yaml', content: '{apiVersion: v1, kind: A, metadata: {generateName: a-}}' },
    ]);
    expect(manifests.length).toBe(1);
    expect(errors.map((error) => error.where)).toEqual(['bad.yaml:2']);
  });
});

describe('identity', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'prod' },
  };

  it('does not depend on the version', () => {
    expect(keyOf(deployment)).toMatchObject({ group: 'apps', version: 'v1' });
    expect(identityOf(deployment)).toBe('apps/Deployment/prod/web');
    expect(identityOf({ ...deployment, apiVersion: 'apps/v1beta1' })).toBe(identityOf(deployment));
    expect(keyString(parseKeyString(identityOf(deployment))!)).toBe(identityOf(deployment));
    expect(parseKeyString('nonsense')).toBeUndefined();
  });

  it('finds what is written twice', () => {
    const manifests = [1, 2].map((line) => ({ object: deployment, file: 'x', line }));
    expect([...duplicatesOf(manifests).keys()]).toEqual(['apps/Deployment/prod/web']);
  });
});

describe('withNamespace', () => {
  const named = (apiVersion: string, kind: string, namespace?: string) => ({
    apiVersion,
    kind,
    metadata: namespace ? { name: 'a', namespace } : { name: 'a' },
  });

  it('sets, keeps or takes away the namespace by the scope of the type', () => {
    expect(withNamespace(named('v1', 'Service'), 'd', builtInScope).metadata.namespace).toBe('d');
    expect(withNamespace(named('v1', 'Service', 'own'), 'd', builtInScope).metadata.namespace).toBe('own');
    expect(withNamespace(named('v1', 'Namespace', 'own'), 'd', builtInScope).metadata).toEqual({ name: 'a' });
    expect(withNamespace(named('acme.io/v1', 'Widget'), 'd', builtInScope).metadata).toEqual({ name: 'a' });
  });

  it('learns scopes from definitions', () => {
    const definition = (kind: string, scope: string) => ({
      ...named('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      spec: { group: 'acme.io', names: { kind }, scope },
    });
    const scopeOf = scopeWithDefinitions([
      definition('Widget', 'Namespaced'),
      definition('Fleet', 'Cluster'),
    ]);
    expect(withNamespace(named('acme.io/v1', 'Widget'), 'd', scopeOf).metadata.namespace).toBe('d');
    expect(withNamespace(named('acme.io/v1', 'Fleet', 'x'), 'd', scopeOf).metadata.namespace).toBeUndefined();
    expect(scopeOf({ group: 'batch', kind: 'Job' })).toBe('namespaced');
  });
});
