import { type Dependency, dependenciesOf, parseRolloutPolicy } from '@muster/rollout';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { CircleSearch, type GraphNode, type GraphReads, keyOf } from './circle-search.ts';

const policyOf = (name: string, spec: Record<string, unknown>) =>
  parseRolloutPolicy({
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'RolloutPolicy',
    metadata: { name },
    spec,
  });
const on = (applicationSet: string, stage?: string) => ({
  dependsOn: [{ applicationSet, ...(stage ? { stage } : {}) }],
});

/** `SET-CLUSTER`, with the tier of its cluster. */
function app(set: string, cluster: string, dependsOn = ''): GraphNode {
  const annotations = { 'muster.dev/depends-on': dependsOn };
  return {
    namespace: 'argocd',
    name: `${set}-${cluster}`,
    set: `argocd/${set}`,
    destination: cluster,
    labels: {},
    clusterLabels: { tier: cluster === 'a' ? 'canary' : 'rest' },
    dependencies: dependenciesOf({ annotations }, 'argocd'),
  };
}

function stored(all: readonly GraphNode[]): GraphReads {
  return {
    nodes: async (names) => all.filter((node) => names.includes(keyOf(node))),
    membersOf: async (sets) => all.filter(({ set }) => set !== null && sets.includes(set)),
    ofSets: async (asked) =>
      asked.map((one) =>
        all
          .filter(({ set, destination }) => set === keyOf(one) && destination === one.destination)
          .map(({ namespace, name }): Dependency => ({ kind: 'application', namespace, name })),
      ),
  };
}

/** The circle that begins with all that there is, in words. */
async function circle(
  apps: readonly GraphNode[],
  specs: Record<string, Record<string, unknown>>,
  supposed: readonly GraphNode[] = [],
) {
  const policies = new Map(
    Object.entries(specs).map(([set, spec]) => [`argocd/${set}`, policyOf(`of-${set}`, spec)]),
  );
  const roots: Dependency[] = [...supposed, ...apps].map(({ namespace, name }) => ({
    kind: 'application',
    namespace,
    name,
  }));
  for (const [set, { stages }] of policies) {
    const [namespace, name] = set.split('/') as [string, string];
    for (const stage of stages) roots.push({ kind: 'stage', namespace, name, stage: stage.name });
  }
  return new CircleSearch(stored(apps), supposed, policies).from(roots);
}

describe('stages', () => {
  it('may wait for earlier stages of each other', async () => {
    const a = {
      stages: [
        { name: 'one', take: 1 },
        { name: 'two', ...on('b', 'one') },
      ],
    };
    const b = {
      stages: [
        { name: 'one', take: 1, ...on('a', 'one') },
        { name: 'two', ...on('a', 'two') },
      ],
    };
    expect(await circle([], { a, b })).toBeUndefined();
  });

  it('that wait for each other by way of the order of stages are named one after another', async () => {
    const a = { stages: [{ name: 'one', take: 1, ...on('b', 'two') }, { name: 'two' }] };
    const b = { stages: [{ name: 'one', take: 1, ...on('a', 'one') }, { name: 'two' }] };
    expect(await circle([], { a, b })).toEqual({
      text: 'stage one of ApplicationSet argocd/a waits for stage two of ApplicationSet argocd/b, which waits for stage one of ApplicationSet argocd/b, which waits for stage one of ApplicationSet argocd/a',
      causes: [
        'dependsOn of RolloutPolicy of-a',
        'the order of the stages of ApplicationSet argocd/b',
        'dependsOn of RolloutPolicy of-b',
      ],
    });
  });

  it('that wait for all of a set in each cluster, or for themselves, are found', async () => {
    const a = { ...on('b'), stages: [{ name: 'all' }] };
    const b = { stages: [{ name: 'one', take: 1, ...on('a') }, { name: 'two' }] };
    expect((await circle([], { a, b }))?.text).toBe(
      'ApplicationSet argocd/b waits for ApplicationSet argocd/a, which waits for ApplicationSet argocd/b',
    );
    expect((await circle([], { a: { stages: [{ name: 'all', ...on('a', 'all') }] } }))?.text).toBe(
      'stage all of ApplicationSet argocd/a waits for stage all of ApplicationSet argocd/a',
    );
  });
});

describe('an annotation one way and a policy the other', () => {
  const all = { stages: [{ name: 'all' }] };

  it('is a circle of Applications where the policy waits for a set in each cluster', async () => {
    const apps = [app('db', 'a'), app('web', 'a', 'db-a')];
    expect(await circle(apps, { db: { ...all, ...on('web') } })).toEqual({
      text: 'Application argocd/db-a waits for Application argocd/web-a, which waits for Application argocd/db-a',
      causes: ['dependsOn of RolloutPolicy of-db', 'muster.dev/depends-on of Application argocd/web-a'],
    });
    expect(await circle(apps, { db: { ...all, ...on('other') } })).toBeUndefined();
  });

  it('is found where the policy waits for a stage, and where it names the Application', async () => {
    const apps = [app('db', 'a'), app('web', 'a', 'db-a')];
    const stage = await circle(apps, { db: { ...all, ...on('web', 'all') }, web: all });
    expect(stage?.text).toBe(
      'Application argocd/db-a waits for stage all of ApplicationSet argocd/web, which waits for Application argocd/web-a, which waits for Application argocd/db-a',
    );
    expect((await circle(apps, { db: { ...all, dependsOn: ['web-a'] } }))?.text).toBe(
      'Application argocd/db-a waits for Application argocd/web-a, which waits for Application argocd/db-a',
    );
  });

  it('is none where the stage that is waited for is passed without who waits', async () => {
    const staged = {
      stages: [{ name: 'canary', clusters: { matchLabels: { tier: 'canary' } } }, { name: 'rest' }],
    };
    const apps = [app('db', 'b'), app('web', 'a'), app('web', 'b', 'db-b')];
    expect(await circle(apps, { db: { ...all, ...on('web', 'canary') }, web: staged })).toBeUndefined();
    expect((await circle(apps, { db: { ...all, ...on('web', 'rest') }, web: staged }))?.text).toBe(
      'Application argocd/db-b waits for stage rest of ApplicationSet argocd/web, which waits for Application argocd/web-b, which waits for Application argocd/db-b',
    );
  });

  it('is found where an Application waits for one of a later stage of its own set', async () => {
    const staged = {
      stages: [{ name: 'canary', clusters: { matchLabels: { tier: 'canary' } } }, { name: 'rest' }],
    };
    expect((await circle([app('web', 'a', 'web-b'), app('web', 'b')], { web: staged }))?.text).toBe(
      'Application argocd/web-a waits for Application argocd/web-b, which waits for stage canary of ApplicationSet argocd/web, which waits for Application argocd/web-a',
    );
    expect(await circle([app('web', 'a'), app('web', 'b', 'web-a')], { web: staged })).toBeUndefined();
  });

  it('is judged by what is supposed, not by what there is', async () => {
    const before = [app('db', 'a'), app('web', 'a', 'db-a')];
    expect(await circle(before, { db: { ...all, ...on('web') } }, [app('web', 'a')])).toBeUndefined();
    expect(
      (await circle([], { db: { ...all, ...on('web') } }, [app('db', 'a'), app('web', 'a', 'db-a')]))?.text,
    ).toContain('Application argocd/db-a waits for Application argocd/web-a');
  });
});

const SETS = ['x', 'y', 'z'];
const CLUSTERS = ['a', 'b'];
const STAGES = ['canary', 'rest'];
const annotation = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.tuple(fc.constantFrom(...SETS), fc.constantFrom(...CLUSTERS)).map(([set, at]) => `${set}-${at}`),
  fc.constantFrom(...SETS).map((set) => `{ applicationSet: ${set} }`),
  fc
    .tuple(fc.constantFrom(...SETS), fc.constantFrom(...STAGES))
    .map(([set, stage]) => `{ applicationSet: ${set}, stage: ${stage} }`),
);
const byPolicy = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.tuple(fc.constantFrom(...SETS), fc.constantFrom(...CLUSTERS)).map(([set, at]) => [`${set}-${at}`]),
  fc.constantFrom(...SETS).map((applicationSet) => [{ applicationSet }]),
  fc
    .tuple(fc.constantFrom(...SETS), fc.constantFrom(...STAGES))
    .map(([applicationSet, stage]) => [{ applicationSet, stage }]),
);
const world = fc.record({
  annotations: fc.array(annotation, { minLength: 6, maxLength: 6 }),
  policies: fc.array(fc.option(fc.tuple(byPolicy, byPolicy)), { minLength: 3, maxLength: 3 }),
});

/**
 * The same by brute force: every fact a node of its own (an Application is healthy, a stage has passed), and what cannot come true
 * however often one goes round, because something that it needs never does.
 */
function neverComesTrue(
  apps: readonly GraphNode[],
  policies: Record<string, readonly [readonly unknown[], readonly unknown[]] | null>,
): boolean {
  const healthy = new Set<string>();
  const passed = new Set<string>();
  const known = new Set(apps.map(({ name }) => name));
  const stageOf = (node: GraphNode) => (node.destination === 'a' ? 0 : 1);
  const members = (set: string) => apps.filter((node) => node.set === `argocd/${set}`);
  const isMet = (written: unknown, at: string | undefined): boolean => {
    if (typeof written === 'string') return !known.has(written) || healthy.has(written);
    const { applicationSet: set, stage } = written as { applicationSet: string; stage?: string };
    if (stage === undefined)
      return members(set).every((node) => node.destination !== at || healthy.has(node.name));
    if (policies[set]) return passed.has(`${set}/${STAGES.indexOf(stage)}`);
    return members(set).every(({ name }) => healthy.has(name));
  };
  const writtenOf = ({ kind, name, ...more }: Dependency): unknown =>
    kind === 'application'
      ? name
      : { applicationSet: name, ...('stage' in more ? { stage: more.stage } : {}) };
  for (let before = -1; before !== healthy.size + passed.size; ) {
    before = healthy.size + passed.size;
    for (const node of apps) {
      const set = node.set!.split('/')[1]!;
      const needs = [...node.dependencies.map(writtenOf), ...(policies[set]?.[stageOf(node)] ?? [])];
      const turn = !policies[set] || stageOf(node) === 0 || passed.has(`${set}/0`);
      if (turn && needs.every((one) => isMet(one, node.destination))) healthy.add(node.name);
    }
    for (const set of SETS)
      for (const index of [0, 1])
        if (
          policies[set] &&
          (index === 0 || passed.has(`${set}/0`)) &&
          members(set).every((node) => stageOf(node) !== index || healthy.has(node.name))
        )
          passed.add(`${set}/${index}`);
  }
  return healthy.size < apps.length;
}

test('a circle is found exactly where going round and round leaves something that never comes true', async () => {
  const seen = { circles: 0, none: 0 };
  await fc.assert(
    fc.asyncProperty(world, async ({ annotations, policies }) => {
      const apps = SETS.flatMap((set, i) => CLUSTERS.map((at, k) => app(set, at, annotations[i * 2 + k])));
      const written = Object.fromEntries(SETS.map((set, i) => [set, policies[i] ?? null]));
      const specs = Object.fromEntries(
        Object.entries(written).flatMap(([set, both]) =>
          both
            ? [
                [
                  set,
                  {
                    stages: STAGES.map((name, i) => ({
                      name,
                      dependsOn: both[i],
                      ...(i === 0 ? { clusters: { matchLabels: { tier: 'canary' } } } : {}),
                    })),
                  },
                ],
              ]
            : [],
        ),
      );
      const found = await circle(apps, specs);
      expect(found !== undefined).toBe(neverComesTrue(apps, written));
      seen[found ? 'circles' : 'none']++;
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(seen.circles, seen.none)).toBeGreaterThan(300);
});
