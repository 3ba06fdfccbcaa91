import { describe, expect, it } from 'vitest';
import { decodeStruct } from './decode.ts';
import { compileFast, replaceFast } from './fasttemplate.ts';
import { mergeDeep, mergeKey } from './merge-params.ts';
import { fillTemplate } from './override.ts';
import { flatten, goPrint, normalizeName, StringList, StringMap } from './params.ts';
import { applicationShape, templateShape } from './schema.ts';
import { compileSelector, parameterRules } from './selector.ts';
import { strategicMerge } from './strategic-merge.ts';

describe('values in Go', () => {
  it.each([
    [1000000, '1e+06'],
    [999999, '999999'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [123456789, '1.23456789e+08'],
    [null, '<nil>'],
    [['a', 1, null], '[a 1 <nil>]'],
    [{ b: 1, a: new StringMap({ x: 'y' }) }, 'map[a:map[x:y] b:1]'],
    [new StringList(['p', 'q']), '[p q]'],
  ])('%j prints as %s', (value, text) => expect(goPrint(value)).toBe(text));

  it('flatten by dots and indices, without empty maps and lists', () => {
    const set = { a: { b: [1, { c: true }], e: {}, l: [] }, s: new StringList(['x', 'y']) };
    expect(flatten(set, true)).toEqual({ 'a.b.0': '1', 'a.b.1.c': 'true', s: '[x y]' });
  });

  it('make names of at most 253 characters that begin and end well', () => {
    expect(normalizeName('--My_App.Name!')).toBe('my-app.name');
    expect(normalizeName(`${'a'.repeat(252)}.b`)).toBe('a'.repeat(252));
  });
});

describe('fasttemplate', () => {
  it.each([
    ['{{ a }}', '1'],
    ['{{a}}{{ nope }}', '1{{ nope }}'],
    ['{{\na\n}}', '{{\na\n}}'],
    ['{{\na\n}}{{a}}', '11'],
    ['{{{a}}}', '{{{a}}}'],
    ['{{n}}', '{{n}}'],
    ['{{}}', '{{}}'],
    ['}}{{', '}}{{'],
  ])('%j becomes %j', (text, expected) => expect(replaceFast(text, { a: '1', n: 5 })).toBe(expected));

  it('refuses a tag that is not closed, but only after one that is', () => {
    expect(() => compileFast('{{a}} {{')).toThrow('Cannot find end tag');
    expect(replaceFast('{{ a', {})).toBe('{{ a');
  });
});

describe('parameters of two generators', () => {
  it('merge in depth, the second winning with empty values too', () => {
    const merged = mergeDeep({ m: { a: 1, b: 2 }, l: [1], s: 's' }, { m: { b: null, c: '' }, l: [], s: {} });
    expect(merged).toEqual({ m: { a: 1, b: null, c: '' }, l: [], s: {} });
  });

  it('cannot merge a map of anything into labels', () => {
    expect(() => mergeDeep({ values: new StringMap({ a: 'b' }) }, { values: { c: 'd' } })).toThrow(
      /panic: values/,
    );
  });

  it('are the same to a merge only where their types are', () => {
    expect(mergeKey(['b', 'a', 'b'], { a: 1 })).toBe('{"a":1,"b":null}');
    expect(mergeKey(['a'], { a: '<1>' })).toBe('{"a":"\\u003c1\\u003e"}');
  });
});

describe('a selector beside a generator', () => {
  it('takes free values and an absent key for NotIn', () => {
    const matches = compileSelector(
      {
        matchLabels: { url: 'https://x y' },
        matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }],
      },
      parameterRules,
    );
    expect(matches({ url: 'https://x y' })).toBe(true);
    expect(matches({ url: 'https://x y', env: 'prod' })).toBe(false);
  });
});

describe('the template of a generator', () => {
  it('is filled up from the common one, which nothing empty overrides', () => {
    const own = decodeStruct(
      { metadata: { labels: { a: 'own', e: '' } }, spec: { source: { repoURL: '', path: 'own' } } },
      templateShape,
    );
    const common = decodeStruct(
      {
        metadata: { name: 'n', labels: { a: 'x', b: 'y', e: 'z' } },
        spec: { project: 'p', source: { repoURL: 'r', path: 'x' } },
      },
      templateShape,
    );
    expect(fillTemplate(own, common, templateShape)).toEqual({
      metadata: { name: 'n', labels: { a: 'own', b: 'y', e: 'z' } },
      spec: { project: 'p', destination: {}, source: { repoURL: 'r', path: 'own' } },
    });
  });
});

describe('a strategic merge', () => {
  const merge = (original: object, patch: object) =>
    strategicMerge(original as never, patch as never, applicationShape) as never;

  it('unites finalizers, the patch first, but keeps an order that both know', () => {
    const finalizers = (own: string[], patch: string[]) =>
      (merge({ metadata: { finalizers: own } }, { metadata: { finalizers: patch } }) as any).metadata
        .finalizers; // any: of a test's own making
    expect(finalizers(['a'], ['x'])).toEqual(['x', 'a']);
    expect(finalizers(['a', 'b'], ['b', 'x'])).toEqual(['a', 'b', 'x']);
  });

  it('replaces other lists, deletes by null and drops null in what is new', () => {
    const spec = { info: [{ name: 'a', value: 'b' }], syncPolicy: { syncOptions: ['A'] }, project: 'p' };
    expect(
      merge({ spec }, { spec: { info: [], syncPolicy: null, source: { path: null, repoURL: 'r' } } }),
    ).toEqual({
      spec: { info: [], project: 'p', source: { repoURL: 'r' } },
    });
  });

  it('obeys $patch, $retainKeys and $setElementOrder', () => {
    expect(merge({ spec: { a: 1 } }, { spec: { $patch: 'replace', project: 'q' } })).toEqual({
      spec: { project: 'q' },
    });
    expect(merge({ spec: { project: 'p', info: [] } }, { spec: { $retainKeys: ['project'] } })).toEqual({
      spec: { project: 'p' },
    });
    const metadata = { $setElementOrder: 0, '$setElementOrder/finalizers': ['x', 'a'], finalizers: ['x'] };
    expect(
      merge({ metadata: { finalizers: ['a'] } }, { metadata: { ...metadata, $setElementOrder: null } }),
    ).toEqual({
      metadata: { finalizers: ['x', 'a'] },
    });
    expect(() => merge({}, { $patch: 'merge' })).toThrow('unknown patch type');
  });

  it('does not merge below valuesObject', () => {
    const source = (a: unknown) => ({ spec: { source: { helm: { valuesObject: { a } } } } });
    expect(() => merge(source({ x: 1 }), source({ y: 2 }))).toThrow(
      'unable to find api field in struct RawExtension',
    );
  });
});
