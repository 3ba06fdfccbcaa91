import { MusterError } from '@muster/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeAt, withoutPaths } from './field-path.ts';
import { ignoredIn, keptPaths, parsePointer, unsupportedIgnoreFields, withoutIgnored } from './ignore.ts';
import type { KubeObject } from './object.ts';

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'prod', annotations: { 'a/b': '1', 'c~d': '2' } },
  spec: { replicas: 3, list: [{ x: 1 }, { x: 2 }] },
};

it('keeps what Argo Rollouts adds to the selector of a Service, in no other kind or group', () => {
  const of = (apiVersion: string, kind: string) => keptPaths({ ...deployment, apiVersion, kind });
  expect(of('v1', 'Service')).toEqual([['spec', 'selector', 'rollouts-pod-template-hash']]);
  expect(of('v1', 'ConfigMap')).toEqual([]);
  expect(of('serving.knative.dev/v1', 'Service')).toEqual([]);
});

describe('withoutIgnored', () => {
  const ignoring = async (jsonPointers: string[], rule = {}) => {
    const rules = [{ group: 'apps', kind: 'Deployment', jsonPointers, ...rule }];
    return (await withoutIgnored(deployment, deployment, rules)).is;
  };

  it('removes the field that a pointer names', async () => {
    expect((await ignoring(['/spec/replicas']))['spec']).toEqual({ list: [{ x: 1 }, { x: 2 }] });
    expect((await ignoring(['/spec/list/1/x']))['spec']).toEqual({ replicas: 3, list: [{ x: 1 }, {}] });
    expect((await ignoring(['/spec/list/0']))['spec']).toEqual({ replicas: 3, list: [{ x: 2 }] });
    expect((await ignoring(['/spec/list/0', '/spec/list/1']))['spec']).toEqual({ replicas: 3, list: [] });
  });

  it('reads ~1 and ~0 in pointers, and leaves no map behind that it emptied', async () => {
    const rest = await ignoring(['/metadata/annotations/a~1b', '/metadata/annotations/c~0d']);
    expect(rest.metadata).toEqual({ name: 'web', namespace: 'prod' });
  });

  it('leaves the object alone where the field or the object is another', async () => {
    expect(await ignoring(['/spec/nothing/here', '/spec/list/7', '/spec/list/-', 'spec'])).toBe(deployment);
    for (const rule of [{ group: '' }, { kind: 'StatefulSet' }, { name: 'api' }, { namespace: 'dev' }]) {
      expect(await ignoring(['/spec/replicas'], rule)).toBe(deployment);
    }
  });

  it('takes globs', async () => {
    for (const rule of [
      { group: '*', kind: '*' },
      { group: 'a?ps' },
      { name: 'w*' },
      { namespace: '{prod,dev}' },
    ]) {
      expect(await ignoring(['/spec/replicas'], rule)).not.toBe(deployment);
    }
  });

  it('ignores what trusted managers own, on both sides', async () => {
    const managedFields = [
      { manager: 'scaler', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      { manager: 'scaler', subresource: 'status', fieldsV1: { 'f:status': {} } },
      { manager: 'other', fieldsV1: { 'f:spec': { 'f:list': {} } } },
    ];
    const live = { ...deployment, metadata: { ...deployment.metadata, managedFields } } as KubeObject;
    const rules = [{ group: 'apps', kind: 'Deployment', managedFieldsManagers: ['scaler'] }];
    const { should, is } = await withoutIgnored(deployment, live, rules, { live });
    expect(should['spec']).toEqual({ list: [{ x: 1 }, { x: 2 }] });
    expect(is['spec']).toEqual({ list: [{ x: 1 }, { x: 2 }] });
  });

  it('asks jq for the fields of a program, and names a program that fails', async () => {
    const jq = {
      paths: async (expression: string) => {
        if (expression === '.bad[') throw new Error('syntax error');
        return [['spec', 'list', 1, 'x']];
      },
    };
    const rules = [{ group: '*', kind: '*', jqPathExpressions: ['.spec.list[1].x', '.bad['] }];
    const { is, problems } = await withoutIgnored(deployment, deployment, rules, { jq });
    expect(is['spec']).toEqual({ replicas: 3, list: [{ x: 1 }, {}] });
    expect(problems).toEqual(['jqPathExpressions ".bad[": syntax error']);
  });

  it('says nothing of an object where a program does not end in time', async () => {
    const jq = { paths: () => Promise.reject(new MusterError('limit', 'takes too long')) };
    const rules = [{ group: '*', kind: '*', jqPathExpressions: ['.spec'] }];
    await expect(withoutIgnored(deployment, deployment, rules, { jq })).rejects.toMatchObject({
      code: 'limit',
    });
  });

  it('obeys what an object says of itself', async () => {
    const annotated = (annotations: Record<string, string>) =>
      ({ ...deployment, metadata: { name: 'web', annotations } }) as KubeObject;
    const yaml = annotated({
      'argocd.argoproj.io/ignore-differences': 'jsonPointers:\n- /spec/replicas\n- bad\n',
    });
    expect(await ignoredIn(yaml, [], {})).toEqual({
      paths: [['spec', 'replicas']],
      problems: ['"bad" is no JSON pointer'],
    });
    const listed = annotated({
      'argocd.argoproj.io/ignore-differences-json-pointers': '/spec/replicas, /spec/list',
    });
    expect((await ignoredIn(listed, [], {})).paths).toEqual([
      ['spec', 'replicas'],
      ['spec', 'list'],
    ]);
    expect(await ignoredIn(annotated({ 'argocd.argoproj.io/ignore-differences': '{[' }), [], {})).toEqual({
      paths: [],
      problems: [],
    });
  });

  it('means the named element of a list in either version of an object', async () => {
    const pods = (...containers: object[]) =>
      ({ ...deployment, spec: { containers } }) as unknown as KubeObject;
    const [a, b] = [
      { name: 'a', image: '1' },
      { name: 'b', image: '2' },
    ];
    const rules = [{ group: 'apps', kind: '*', jsonPointers: ['/spec/containers/0/image'] }];
    const { paths } = await ignoredIn(pods(a, b), rules, {});
    expect(withoutPaths(pods(b, a), paths)['spec']).toEqual({ containers: [b, { name: 'a' }] });
  });

  it('names what it does not obey', () => {
    expect(
      unsupportedIgnoreFields([
        { kind: 'X', jsonPointers: ['/a'] },
        { kind: 'X', jsonPointers: ['bad'], jqPathExpressions: ['.a'], managedFieldsManagers: ['m'] },
      ]),
    ).toEqual(['ignoreDifferences[1].jsonPointers[0] "bad"']);
  });

  it('removes exactly one member whatever its name, and changes no input', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (map, pick) => {
        const keys = Object.keys(map);
        const key = keys[pick % keys.length]!;
        const before = structuredClone(map);
        const path = parsePointer(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)!;
        const rest = removeAt(map, path) as object;
        expect(path).toEqual([key]);
        expect(Object.keys(rest)).toEqual(keys.filter((other) => other !== key));
        expect(map).toEqual(before);
      }),
    );
  });
});

it('shows the keys of a Secret to a jq program, not its values', async () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { password: 'aHVudGVy' },
  };
  const seen: string[] = [];
  const jq = {
    paths: async (_: string, object: unknown) => {
      seen.push(JSON.stringify(object));
      return [['data', 'password']];
    },
  };
  const { paths } = await ignoredIn(secret, [{ kind: 'Secret', jqPathExpressions: ['.data[]'] }], { jq });
  expect(paths).toEqual([['data', 'password']]);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toContain('password');
  expect(seen[0]).not.toContain('aHVudGVy');
});
