import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Application, ApplicationSetSpec } from '../types.ts';
import { keepFields, keepRules, unsupportedIgnores } from './keep.ts';
import { type ExistingApplication, planApplications, type WantedApplication } from './plan.ts';
import { makesPreviews, requeueAfterSeconds } from './requeue.ts';

const generated = (name: string, hash = 'h', project = 'default'): WantedApplication<string> => ({
  namespace: 'argocd',
  name,
  hash,
  project,
  manifest: name,
});
const existing = (name: string, over: Partial<ExistingApplication> = {}): ExistingApplication => ({
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
    const plan = planApplications(
      [generated('a'), generated('b', 'new'), generated('c')],
      [existing('b'), existing('c'), existing('d')],
      rules,
    );
    expect(plan.write.map((one) => one.name)).toEqual(['a', 'b']);
    expect(plan.leave).toEqual(['id-d']);
    expect(plan.problems).toEqual([]);
  });

  test('what is wanted again stays; what is being removed waits', () => {
    const plan = planApplications(
      [generated('a'), generated('b')],
      [existing('a', { leaving: true }), existing('b', { tombstoned: true })],
      rules,
    );
    expect(plan.stay).toEqual(['id-a']);
    expect(plan.problems).toEqual([expect.stringContaining('its removal is being carried out')]);
  });

  test('what validation refused is neither written nor deleted', () => {
    const refused = { 'argocd/a': 'no such project', 'argocd/gone': 'twice' };
    const plan = planApplications([generated('a', 'new')], [existing('a'), existing('gone')], {
      ...rules,
      refused,
    });
    expect(plan).toEqual({
      write: [],
      stay: [],
      leave: [],
      detach: [],
      problems: ['argocd/a: no such project'],
    });
  });

  test.each([
    ['create-only', [], []],
    ['create-update', ['b'], []],
    ['create-delete', [], ['id-d']],
    ['sync', ['b'], ['id-d']],
  ] as const)('applicationsSync %s', (policy, updates, leave) => {
    const plan = planApplications([generated('b', 'new')], [existing('b'), existing('d')], {
      ...rules,
      policy,
    });
    expect(plan.write.map((one) => one.name)).toEqual(updates);
    expect(plan.leave).toEqual(leave);
  });

  test('another project than the set’s is refused; a set without one project may choose', () => {
    expect(planApplications([generated('a', 'h', 'other')], [], rules).problems).toEqual([
      expect.stringContaining('generated for project other'),
    ]);
    expect(
      planApplications([generated('a', 'h', 'other')], [], { ...rules, project: '' }).write,
    ).toHaveLength(1);
  });

  test('carrying a plan out leaves nothing to do', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(names, names, (wanted, there) => {
        const all = wanted.map((name) => generated(name));
        const plan = planApplications(
          all,
          there.map((name) => existing(name, { hash: 'old' })),
          rules,
        );
        const after = [
          ...plan.write.map((one) => existing(one.name)),
          ...plan.leave.map((id) => existing(id.slice(3), { leaving: true })),
        ];
        const again = planApplications(all, after, rules);
        expect([...again.write, ...again.leave, ...again.stay]).toEqual([]);
      }),
    );
  });

  test.each([
    ['create-only', [], ['id-a']],
    ['create-update', [], ['id-a']],
    ['create-delete', ['id-a'], []],
    ['sync', ['id-a'], []],
  ] as const)('a deleted set with %s', (policy, leave, detach) => {
    const plan = planApplications([], [existing('a'), existing('b', { leaving: true })], {
      ...rules,
      policy,
      deleting: true,
    });
    expect(plan).toMatchObject({ leave, detach });
  });
});

const app = (
  over: Partial<Application['metadata']> = {},
  spec: Record<string, unknown> = {},
): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'a', ...over },
  spec: { project: 'default', destination: { name: 'x' }, ...spec },
});
const rulesOf = (spec: Partial<ApplicationSetSpec>) => keepRules({ template: {}, ...spec });

describe('what Applications keep when their set changes', () => {
  test('nothing, where nothing says so: it is the generated one itself', () => {
    const next = app({ annotations: { b: '2' } });
    expect(keepFields(app({ annotations: { a: '1' }, labels: { l: '1' } }), next, rulesOf({}))).toBe(next);
  });

  test('preserved labels and annotations, those of notifications, finalizers of post-delete hooks', () => {
    const hook = 'post-delete-finalizer.argocd.argoproj.io/cleanup';
    const there = app({
      annotations: { keep: 'old', drop: 'x', 'notified.notifications.argoproj.io': 'n' },
      labels: { team: 'a', other: 'b' },
      finalizers: ['f', hook],
    });
    const next = app({ annotations: { keep: 'new' }, finalizers: ['g'] });
    const rule = rulesOf({ preservedFields: { annotations: ['keep', 'absent'], labels: ['team'] } });
    expect(keepFields(there, next, rule).metadata).toEqual({
      name: 'a',
      annotations: { keep: 'old', 'notified.notifications.argoproj.io': 'n' },
      labels: { team: 'a' },
      finalizers: ['g', hook],
    });
  });

  test.each([
    { jsonPointers: ['/spec/source/targetRevision'] },
    { jqPathExpressions: ['.spec.source.targetRevision'] },
    { jqPathExpressions: ['.spec["source"].targetRevision'] },
    { name: 'a', jsonPointers: ['/spec/source/targetRevision'] },
  ])('ignored fields stay as they are and the rest follows: %j', (ignored) => {
    const there = app({}, { source: { repoURL: 'r', targetRevision: 'pinned', path: 'old' }, extra: 1 });
    const next = app({}, { source: { repoURL: 'r', targetRevision: 'main', path: 'new' } });
    const rule = rulesOf({ ignoreApplicationDifferences: [ignored] });
    expect(keepFields(there, next, rule).spec).toMatchObject({
      source: { repoURL: 'r', targetRevision: 'pinned', path: 'new' },
    });
    expect(keepFields(there, next, rule).spec).not.toHaveProperty('extra');
  });

  test('a rule for another name does not count; a field that is absent stays absent', () => {
    const there = app();
    const next = app({}, { revisionHistoryLimit: 3 });
    const pointers = ['/spec/revisionHistoryLimit'];
    const other = rulesOf({ ignoreApplicationDifferences: [{ name: 'b', jsonPointers: pointers }] });
    expect(keepFields(there, next, other)).toBe(next);
    const own = rulesOf({ ignoreApplicationDifferences: [{ jsonPointers: pointers }] });
    expect(keepFields(there, next, own)).toEqual(there);
  });

  test('programs of jq that are no path are named', () => {
    const spec = {
      template: {},
      ignoreApplicationDifferences: [{ jqPathExpressions: ['.a.b', '.a[] | select(.b)'] }],
    };
    expect(unsupportedIgnores(spec)).toEqual([
      'spec.ignoreApplicationDifferences[0].jqPathExpressions[1] ".a[] | select(.b)"',
    ]);
  });
});

test.each([
  [[{ clusters: {} }], undefined],
  [[{ pullRequest: {} }], 1800],
  [[{ plugin: { requeueAfterSeconds: 60 } }, { scmProvider: { requeueAfterSeconds: 90 } }], 60],
  [[{ matrix: { generators: [{ list: {} }, { scmProvider: { requeueAfterSeconds: 5 } }] } }], 5],
  [[{ plugin: { requeueAfterSeconds: 0 } }], undefined],
])('%j is asked again after %s s', (generators, seconds) => {
  const set = { apiVersion: '', kind: '', metadata: { name: 's' }, spec: { generators, template: {} } };
  expect(requeueAfterSeconds(set)).toBe(seconds);
});

test.each([
  [[{ pullRequest: {} }], true],
  [[{ matrix: { generators: [{ pullRequest: {} }, { clusters: {} }] } }], true],
  [[{ pullRequest: {} }, { clusters: {} }], false],
  [[], false],
])('whether %j makes previews only: %s', (generators, previews) => {
  const set = { apiVersion: '', kind: '', metadata: { name: 's' }, spec: { generators, template: {} } };
  expect(makesPreviews(set)).toBe(previews);
});
