import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ApplicationSet, type ClusterFacts, type Generator, expand } from '../index.ts';
import { realEngines } from '../testing/engines.ts';
import { isSeparable, ofClustersOnly } from './separable.ts';

const engines = realEngines();

const setOf = (generators: Generator[], name: string, spec: object = {}): ApplicationSet => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'set', namespace: 'argocd' },
  spec: {
    generators,
    template: {
      metadata: { name },
      spec: { project: 'default', source: { repoURL: 'r', path: 'p' }, destination: { name: '{{name}}' } },
    },
    ...spec,
  },
});

describe('whether Applications are of one cluster each', () => {
  const list = { list: { elements: [{ a: 'x' }] } };
  const git = { git: { repoURL: 'r', directories: [{ path: '*' }] } };
  const both = (...generators: Generator[]) => ({ matrix: { generators } });
  test.each<[string, Generator[], boolean]>([
    ['clusters', [{ clusters: {} }], true],
    ['clusters and a list', [{ clusters: {} }, list], true],
    ['a matrix of files and clusters', [both(git, { clusters: {} })], true],
    ['a matrix in a matrix', [both(both(list, { clusters: {} }), list)], true],
    ['a merge beside clusters', [{ clusters: {} }, { merge: { generators: [list, list] } }], true],
    [
      'files of repositories that labels name',
      [both({ clusters: {} }, { git: { repoURL: '{{metadata.labels.repo}}', files: [{ path: '*' }] } })],
      false,
    ],
    ['one flat list of clusters', [{ clusters: { flatList: true } }], false],
    ['clusters by clusters', [both({ clusters: {} }, { clusters: {} })], false],
    ['a merge of clusters', [{ merge: { generators: [{ clusters: {} }, list], mergeKeys: ['a'] } }], false],
    ['pull requests beside clusters', [{ clusters: {} }, { pullRequest: {} }], false],
    ['repositories by clusters', [both({ scmProvider: {} }, { clusters: {} })], false],
    ['a kind that is not known', [both({ other: {} } as Generator, { clusters: {} })], false],
  ])('%s: %s', (_, generators, expected) => {
    expect(isSeparable(setOf(generators, '{{name}}'))).toBe(expected);
  });

  test('a template that asks for the time or for chance is not', () => {
    expect(isSeparable(setOf([{ clusters: {} }], 'a-{{ now | unixEpoch }}'))).toBe(false);
    expect(isSeparable(setOf([{ clusters: {} }], 'a', { templatePatch: '{{ randAlpha 3 }}' }))).toBe(false);
  });
});

const label = fc.constantFrom('a', 'b', 'c');
const cluster = fc.record({ env: label, tier: label });
const fleet = fc.dictionary(fc.constantFrom('one', 'two', 'three', 'four', 'five'), cluster);
const text = fc.constantFrom(
  '{{name}}',
  '{{metadata.labels.env}}',
  '{{app}}',
  '{{name}}-{{app}}',
  'x',
  '{{none}}',
);
const selector = fc.option(fc.record({ matchLabels: fc.record({ env: label }) }), { nil: undefined });
const clusters = fc.record({
  clusters: fc.record({ selector, values: fc.dictionary(fc.constantFrom('app', 'v'), text) }),
});
const list = fc.record({
  list: fc.record({
    elements: fc.array(fc.record({ app: fc.constantFrom('x', 'y', '{{name}}'), env: label }), {
      maxLength: 3,
    }),
  }),
});
const matrix = fc
  .tuple(fc.oneof(clusters, list), fc.oneof(clusters, list))
  .map((generators) => ({ matrix: { generators: generators as Generator[] } }));
const generator: fc.Arbitrary<Generator> = fc.oneof(
  clusters,
  list,
  matrix,
  fc.tuple(matrix, list).map((generators) => ({ matrix: { generators: generators as Generator[] } })),
) as fc.Arbitrary<Generator>;

const facts = (all: Record<string, { env: string; tier: string }>): ClusterFacts[] =>
  Object.keys(all)
    .sort()
    .map((name) => ({ name, server: `https://${name}`, labels: { ...all[name] } }));

async function applicationsOf(set: ApplicationSet, over: ClusterFacts[]) {
  const options = { implicitLocalCluster: false };
  const { applications, origins } = await expand({ applicationSet: set, clusters: over, options }, engines);
  return applications.map((application, i) => ({ origin: origins![i], text: JSON.stringify(application) }));
}

const inOrder = (all: { origin: string | undefined; text: string }[]) =>
  all.map(({ origin, text: what }) => `${origin} ${what}`).sort();

test.each([false, true])(
  'an expansion over the changed clusters is that part of the whole (goTemplate: %s)',
  async (goTemplate) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(generator, { minLength: 1, maxLength: 3 }),
        text,
        fleet,
        fleet,
        async (generators, name, before, after) => {
          const written = setOf(generators, name);
          const set = goTemplate
            ? (JSON.parse(
                JSON.stringify({ ...written, spec: { ...written.spec, goTemplate } }).replaceAll('{{', '{{.'),
              ) as ApplicationSet)
            : written;
          fc.pre(isSeparable(set));
          const whole = await applicationsOf(set, facts(before)).catch(() => undefined);
          fc.pre(whole !== undefined);
          const names = new Set([...Object.keys(before), ...Object.keys(after)]);
          const changed = new Set(
            [...names].filter((one) => JSON.stringify(before[one]) !== JSON.stringify(after[one])),
          );
          const there = facts(after).filter((one) => changed.has(one.name));
          const wanted = await applicationsOf(set, facts(after)).catch(() => undefined);
          const part = await applicationsOf(ofClustersOnly(set), there).catch(() => undefined);
          // What fails over all clusters fails over the changed ones, and nothing else does.
          expect(part === undefined).toBe(wanted === undefined);
          const rest = whole.filter(({ origin }) => origin === undefined || !changed.has(origin));
          const renewed = (part ?? []).filter(({ origin }) => origin !== undefined);
          if (wanted) expect(inOrder([...rest, ...renewed])).toEqual(inOrder(wanted));
        },
      ),
      { numRuns: goTemplate ? 100 : 400 },
    );
  },
);
