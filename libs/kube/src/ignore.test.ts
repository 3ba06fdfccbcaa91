import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePointer, removeAt, unsupportedIgnoreFields, withoutIgnored } from './ignore.ts';
import type { KubeObject } from './object.ts';

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'prod', annotations: { 'a/b': '1', 'c~d': '2' } },
  spec: { replicas: 3, list: [{ x: 1 }, { x: 2 }] },
};

describe('withoutIgnored', () => {
  const ignoring = (jsonPointers: string[], rule = {}) =>
    withoutIgnored(deployment, [{ group: 'apps', kind: 'Deployment', jsonPointers, ...rule }]);

  it('removes the field that a pointer names', () => {
    expect(ignoring(['/spec/replicas']).spec).toEqual({ list: [{ x: 1 }, { x: 2 }] });
    expect(ignoring(['/spec/list/1/x']).spec).toEqual({ replicas: 3, list: [{ x: 1 }, {}] });
    expect(ignoring(['/spec/list/0']).spec).toEqual({ replicas: 3, list: [{ x: 2 }] });
  });

  it('reads ~1 and ~0 in pointers', () => {
    expect(
      ignoring(['/metadata/annotations/a~1b', '/metadata/annotations/c~0d']).metadata.annotations,
    ).toEqual({});
  });

  it('leaves the object alone where the field or the object is another', () => {
    expect(ignoring(['/spec/nothing/here', '/spec/list/7', '/spec/list/-', 'spec'])).toBe(deployment);
    for (const rule of [{ group: '' }, { kind: 'StatefulSet' }, { name: 'api' }, { namespace: 'dev' }]) {
      expect(ignoring(['/spec/replicas'], rule)).toBe(deployment);
    }
  });

  it('takes globs', () => {
    for (const rule of [
      { group: '*', kind: '*' },
      { group: 'a?ps' },
      { name: 'w*' },
      { namespace: '{prod,dev}' },
    ]) {
      expect(ignoring(['/spec/replicas'], rule)).not.toBe(deployment);
    }
  });

  it('names what it does not obey', () => {
    expect(
      unsupportedIgnoreFields([
        { kind: 'X', jsonPointers: ['/a'] },
        { kind: 'X', jsonPointers: ['bad'], jqPathExpressions: ['.a'], managedFieldsManagers: ['m'] },
      ]),
    ).toEqual([
      'ignoreDifferences[1].jqPathExpressions',
      'ignoreDifferences[1].managedFieldsManagers',
      'ignoreDifferences[1].jsonPointers[0] "bad"',
    ]);
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
