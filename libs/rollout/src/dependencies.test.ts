import { describe, expect, it } from 'vitest';
import { findCycle } from './cycles.ts';
import { dependenciesOf, dependencyText, inNamespace, parseDependsOn } from './dependencies.ts';
import { parseRolloutPolicy } from './policy-manifest.ts';

const texts = (written: string) => parseDependsOn(written, 'argocd').map(dependencyText);

describe('the annotation muster.dev/depends-on', () => {
  it('names Applications with commas or spaces between them, in the own namespace or in another', () => {
    expect(texts('db-a, other/cache\nqueue'.replace('\n', ' '))).toEqual([
      'Application argocd/db-a',
      'Application other/cache',
      'Application argocd/queue',
    ]);
  });

  it('is a list of YAML or JSON that may name sets and their stages', () => {
    const list =
      '- db-a\n- application: cache\n- applicationSet: platform\n- { applicationSet: x/y, stage: canary }\n';
    const expected = [
      'Application argocd/db-a',
      'Application argocd/cache',
      'ApplicationSet argocd/platform',
      'stage canary of ApplicationSet x/y',
    ];
    expect(texts(list)).toEqual(expected);
    expect(
      texts(
        '["db-a", {"application": "cache"}, {"applicationSet": "platform"}, {"applicationSet": "x/y", "stage": "canary"}]',
      ),
    ).toEqual(expected);
    expect(texts('{ applicationSet: platform }')).toEqual(['ApplicationSet argocd/platform']);
  });

  it('says each thing once, and nothing where it is empty', () => {
    expect(texts('db, db, argocd/db')).toEqual(['Application argocd/db']);
    expect(dependenciesOf({ annotations: { 'muster.dev/depends-on': ' ' } }, 'argocd')).toEqual([]);
    expect(dependenciesOf({ annotations: null }, 'argocd')).toEqual([]);
  });

  it.each([
    ['Db', 'entry 1: '],
    ['db, a/b/c', 'entry 2: '],
    ['[{"stage": "canary"}]', 'entry 1: is neither a name, nor application: NAME'],
    ['[{"application": "db", "stage": "canary"}]', 'entry 1: '],
    ['[db', 'is no list'],
    [Array.from({ length: 51 }, (_, i) => `db-${i}`).join(','), 'more than 50'],
  ])('%s is refused', (written, message) => {
    expect(() => parseDependsOn(written, 'argocd')).toThrow(message);
  });
});

describe('dependsOn of a policy', () => {
  const policy = (spec: Record<string, unknown>) =>
    parseRolloutPolicy({
      apiVersion: 'muster.dev/v1alpha1',
      kind: 'RolloutPolicy',
      metadata: { name: 'careful' },
      spec,
    });

  it('counts for its stage, or for all of them, in the namespace of the set', () => {
    const { stages } = policy({
      dependsOn: [{ applicationSet: 'database' }],
      stages: [
        { name: 'canary', take: 1 },
        { name: 'rest', dependsOn: [{ applicationSet: 'x/platform', stage: 'canary' }] },
      ],
    });
    expect(stages.map(({ dependsOn }) => inNamespace(dependsOn, 'argocd').map(dependencyText))).toEqual([
      ['ApplicationSet argocd/database'],
      ['ApplicationSet argocd/database', 'stage canary of ApplicationSet x/platform'],
    ]);
  });

  it('names Applications as annotations do, which are waited for where they are', () => {
    const { stages } = policy({
      dependsOn: ['registry', 'registry'],
      stages: [{ name: 'all', dependsOn: [{ application: 'x/queue' }] }],
    });
    expect(inNamespace(stages[0]!.dependsOn, 'argocd')).toEqual([
      { kind: 'application', namespace: 'argocd', name: 'registry', anywhere: true },
      { kind: 'application', namespace: 'x', name: 'queue', anywhere: true },
    ]);
  });

  it.each([
    [{ dependsOn: ['Not/a/name'], stages: [{ name: 'all' }] }, 'spec.dependsOn[0]'],
    [
      { stages: [{ name: 'all', dependsOn: [{ application: 'db', stage: 'one' }] }] },
      'spec.stages[0].dependsOn[0]',
    ],
  ])('what can be no name is refused where it is written', (spec, where) => {
    expect(() => policy(spec)).toThrow(where);
  });
});

describe('findCycle', () => {
  const edges = (written: Record<string, string[]>) => new Map(Object.entries(written));

  it('spells out the cycle, without what only leads to it', () => {
    expect(findCycle(edges({ x: ['a'], a: ['b'], b: ['c', 'd'], c: [], d: ['a'] }), ['x'])).toEqual([
      'a',
      'b',
      'd',
      'a',
    ]);
    expect(findCycle(edges({ a: ['a'] }), ['a'])).toEqual(['a', 'a']);
  });

  it('finds none where things only share what they wait for, and none that was not asked about', () => {
    const shared = edges({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [], x: ['y'], y: ['x'] });
    expect(findCycle(shared, ['a', 'b', 'c'])).toBeUndefined();
  });

  it('goes as deep as it has to', () => {
    const chain = new Map(Array.from({ length: 100_000 }, (_, i) => [`n${i}`, [`n${i + 1}`]]));
    expect(findCycle(chain, ['n0'])).toBeUndefined();
    chain.set('n100000', ['n99999']);
    expect(findCycle(chain, ['n0'])).toEqual(['n99999', 'n100000', 'n99999']);
  });
});
