import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetOf, heldRemovals } from './deletion-budget.ts';
import { type Existing, type Generated, planExpansion } from './expansion-plan.ts';
import { checkApplicationSet } from './set-manifest.ts';

const generated = (name: string, hash = 'h', project = 'default'): Generated<string> => ({
  namespace: 'argocd',
  name,
  hash,
  project,
  manifest: name,
});
const existing = (name: string, over: Partial<Existing> = {}): Existing => ({
  id: `id-${name}`,
  namespace: 'argocd',
  name,
  hash: 'h',
  owner: { mine: true },
  leaving: false,
  tombstoned: false,
  ...over,
});
const rules = { set: 'argocd/s', project: 'default', policy: 'sync' as const, refused: {} };

describe('what an expansion changes', () => {
  test('new and different ones are written, equal ones are not, missing ones leave', () => {
    const plan = planExpansion(
      [generated('a'), generated('b', 'new'), generated('c')],
      [existing('b'), existing('c'), existing('d')],
      rules,
    );
    expect(plan.write.map((one) => one.name)).toEqual(['a', 'b']);
    expect(plan.leave).toEqual(['id-d']);
    expect(plan.problems).toEqual([]);
  });

  test('what is wanted again stays; what is being removed waits', () => {
    const plan = planExpansion(
      [generated('a'), generated('b')],
      [existing('a', { leaving: true }), existing('b', { tombstoned: true })],
      rules,
    );
    expect(plan.stay).toEqual(['id-a']);
    expect(plan.problems).toEqual([expect.stringContaining('its removal is being carried out')]);
  });

  test('what validation refused is neither written nor deleted', () => {
    const refused = { 'argocd/a': 'no such project', 'argocd/gone': 'twice' };
    const plan = planExpansion([generated('a', 'new')], [existing('a'), existing('gone')], {
      ...rules,
      refused,
    });
    expect(plan).toEqual({ write: [], stay: [], leave: [], problems: ['argocd/a: no such project'] });
  });

  test.each([
    ['create-only', [], []],
    ['create-update', ['b'], []],
    ['create-delete', [], ['id-d']],
    ['sync', ['b'], ['id-d']],
  ] as const)('applicationsSync %s', (policy, updates, leave) => {
    const plan = planExpansion([generated('b', 'new')], [existing('b'), existing('d')], { ...rules, policy });
    expect(plan.write.map((one) => one.name)).toEqual(updates);
    expect(plan.leave).toEqual(leave);
  });

  test('another project than the set’s is refused; a set without one project may choose', () => {
    expect(planExpansion([generated('a', 'h', 'other')], [], rules).problems).toEqual([
      expect.stringContaining('generated for project other'),
    ]);
    expect(planExpansion([generated('a', 'h', 'other')], [], { ...rules, project: '' }).write).toHaveLength(
      1,
    );
  });

  test('carrying a plan out leaves nothing to do', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(names, names, (wanted, there) => {
        const all = wanted.map((name) => generated(name));
        const plan = planExpansion(
          all,
          there.map((name) => existing(name, { hash: 'old' })),
          rules,
        );
        const after = [
          ...plan.write.map((one) => existing(one.name)),
          ...plan.leave.map((id) => existing(id.slice(3), { leaving: true })),
        ];
        const again = planExpansion(all, after, rules);
        expect([...again.write, ...again.leave, ...again.stay]).toEqual([]);
      }),
    );
  });
});

describe('the deletion budget', () => {
  const removal = (id: string, clusterId = 'c') => ({ id, clusterId, project: 'p' });
  const facts = (total: number, removed = 0) => ({
    set: { what: 'ApplicationSet s', total, removed },
    clusters: new Map([['c', { what: 'cluster c', total: 1000, removed: 0 }]]),
    projects: new Map(),
  });

  test('is 3 or 10 %', () => {
    expect([0, 10, 30, 50, 1000].map(budgetOf)).toEqual([3, 3, 3, 5, 100]);
  });

  test('removals within it go on, beyond it they all wait, and what left before counts', () => {
    const three = ['1', '2', '3'].map((id) => removal(id));
    expect(heldRemovals(three, facts(10)).size).toBe(0);
    expect(heldRemovals([...three, removal('4')], facts(10)).size).toBe(4);
    expect(heldRemovals([removal('4')], facts(10, 3)).get('4')).toMatch(
      /1 removals from ApplicationSet s, 3 in the last 24 hours/,
    );
  });

  test('the last ones of a set or a cluster always wait', () => {
    expect(heldRemovals([removal('1')], facts(1)).get('1')).toMatch(/all 1 Applications of ApplicationSet s/);
    const last = { ...facts(10), clusters: new Map([['c', { what: 'cluster c', total: 1, removed: 0 }]]) };
    expect(heldRemovals([removal('1')], last).get('1')).toMatch(/all 1 Applications of cluster c/);
  });
});

describe('ApplicationSet documents', () => {
  const set = (spec: Record<string, unknown>) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 's' },
    spec: { generators: [{ list: { elements: [] } }], template: { spec: { project: 'team' } }, ...spec },
  });

  test.each([
    [
      { generators: [{ scmProvider: {} }] },
      'spec.generators[0].scmProvider: this generator is not supported yet',
    ],
    [
      { generators: [{ matrix: { generators: [{ plugin: {} }] } }] },
      'spec.generators[0].matrix.generators[0].plugin',
    ],
    [{ strategy: { type: 'RollingSync' } }, 'spec.strategy.type: RollingSync is not supported yet'],
    [{ generator: [] }, 'spec.generator: unknown field'],
    [{ generators: [] }, 'spec.generators: at least one generator is needed'],
  ])('%j is refused by name', (spec, message) => {
    expect(() => checkApplicationSet(set(spec), 'ApplicationSet s')).toThrow(message);
  });

  test('the project is that of the template, unless a template may choose another', () => {
    expect(checkApplicationSet(set({}), '').project).toBe('team');
    expect(checkApplicationSet(set({ templatePatch: 'x' }), '').project).toBe('');
    expect(checkApplicationSet(set({ template: { spec: { project: '{{p}}' } } }), '').project).toBe('');
    expect(
      checkApplicationSet(set({ generators: [{ clusters: { template: { spec: {} } } }] }), ''),
    ).toMatchObject({ project: '', dependsOnClusters: true });
  });
});
