import { describe, expect, test } from 'vitest';
import {
  type BudgetFacts,
  budgetOf,
  heldPreviews,
  heldRemovals,
  overruns,
  type Removal,
} from './deletion-budget.ts';
import { checkApplicationSet } from './set-manifest.ts';

describe('the deletion budget', () => {
  const heldBy = (removals: Removal[], known: BudgetFacts) => heldRemovals(overruns(removals, known));
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
    expect(heldBy(three, facts(10)).size).toBe(0);
    expect(heldBy([...three, removal('4')], facts(10)).size).toBe(4);
    expect(heldBy([removal('4')], facts(10, 3)).get('4')).toMatch(
      /1 removals from ApplicationSet s, 3 in the last 24 hours/,
    );
  });

  test('a budget that is used up is named with all that draws on it', () => {
    const facts: BudgetFacts = {
      set: { what: 'ApplicationSet s', total: 5, removed: 0 },
      clusters: new Map([['c', { what: 'cluster c', total: 45, removed: 5 }]]),
      projects: new Map([['p', { what: 'project p', total: 500, removed: 5 }]]),
    };
    expect(overruns([removal('1')], facts)).toEqual([
      expect.objectContaining({ kind: 'cluster', key: 'c', exhausted: true }),
    ]);
  });

  test('previews come and go; only very many at once wait', () => {
    const some = (count: number) => Array.from({ length: count }, (_, i) => removal(String(i)));
    expect(heldPreviews(some(20), 20).size).toBe(0);
    expect(heldPreviews(some(21), 30).get('0')).toMatch(/21 previews would be removed at once, more than 20/);
    expect(heldPreviews(some(50), 100).size).toBe(0);
  });

  test('the last ones of a set or a cluster always wait', () => {
    expect(heldBy([removal('1')], facts(1)).get('1')).toMatch(/all 1 Applications of ApplicationSet s/);
    const last = { ...facts(10), clusters: new Map([['c', { what: 'cluster c', total: 1, removed: 0 }]]) };
    expect(heldBy([removal('1')], last).get('1')).toMatch(/all 1 Applications of cluster c/);
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
    [{ generators: [{ oci: {} }] }, 'spec.generators[0].oci: this generator is not supported yet'],
    [
      { generators: [{ pullRequest: { azuredevops: {} } }] },
      'spec.generators[0].pullRequest.azuredevops: this host is not supported yet',
    ],
    [
      { generators: [{ scmProvider: { github: { organization: 'x', appSecretName: 'y' } } }] },
      'spec.generators[0].scmProvider.github.appSecretName: GitHub Apps are not supported yet',
    ],
    [
      { generators: [{ matrix: { generators: [{ oci: {} }] } }] },
      'spec.generators[0].matrix.generators[0].oci',
    ],
    [{ strategy: { type: 'RollingSync' } }, 'RollingSync has no steps'],
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
