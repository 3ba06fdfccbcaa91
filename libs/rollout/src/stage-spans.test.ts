import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { begin } from './begin.ts';
import { findCycle } from './cycles.ts';
import { parseRolloutPolicy } from './policy-manifest.ts';
import { stageSpans } from './stage-spans.ts';
import type { TargetInput } from './types.ts';

const policy = (stages: Record<string, unknown>[]) =>
  parseRolloutPolicy({
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'RolloutPolicy',
    metadata: { name: 'p' },
    spec: { stages: stages.map((stage, i) => ({ name: `s${i}`, ...stage })) },
  });

const target = (i: number, region: string): TargetInput => ({
  id: `t${i}`,
  cluster: `c${i}`,
  application: `argocd/t${i}`,
  clusterLabels: { region },
  applicationLabels: {},
  from: null,
  proven: null,
  to: 'new',
  connected: true,
});

const stage = fc.record({
  take: fc.option(fc.constantFrom<unknown>(1, 2, '25%', { amount: 1, per: 'region' }), { nil: undefined }),
  order: fc.constantFrom('name', 'random', { label: 'region', descending: true }),
  clusters: fc.constantFrom({ matchLabels: { region: 'a' } }, { matchLabels: { region: 'b' } }),
});

test('targets are in the stages that a rollout of all of them freezes, or in one of those that chance may give them', () => {
  fc.assert(
    fc.property(
      fc.array(stage, { minLength: 1, maxLength: 4 }),
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }),
      fc.nat(1000),
      (stages, regions, seed) => {
        const made = policy(stages);
        const targets = regions.map((region, i) => target(i, region));
        const spans = stageSpans(made.stages, targets);
        const to = { id: '1', number: 1, label: 'x' } as never;
        const begun = begin({
          id: 'r',
          kind: 'release',
          policy: made,
          from: null,
          to,
          targets,
          seed,
          now: 0,
        });
        for (const { id, stage: frozen } of begun.targets.values()) {
          const span = spans.get(id);
          if (frozen === null) expect(span?.latest ?? null).toBeNull();
          else if (span?.latest != null) expect(frozen).toBeGreaterThanOrEqual(span.earliest);
          if (frozen !== null && span?.latest != null) expect(frozen).toBeLessThanOrEqual(span.latest);
          if (frozen !== null) expect(span?.earliest).toBeLessThanOrEqual(frozen);
          const chance = stages.some(({ take, order }) => take !== undefined && order === 'random');
          if (!chance) expect(span?.latest ?? null).toBe(frozen);
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe('findCycle', () => {
  const graphs = fc
    .integer({ min: 1, max: 9 })
    .chain((size) =>
      fc.tuple(
        fc.constant(size),
        fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size)), { maxLength: 24 }),
        fc.array(fc.nat(size - 1), { maxLength: 3 }),
      ),
    );

  it('finds a cycle exactly where the closure of the edges has one that can be reached, and spells out one of its own edges', () => {
    fc.assert(
      fc.property(graphs, ([size, pairs, from]) => {
        const edges = new Map<string, string[]>();
        for (const [a, b] of pairs) edges.set(`${a}`, [...(edges.get(`${a}`) ?? []), `${b}`]);
        // Warshall's closure: what can be reached in one step or more.
        const reach = Array.from({ length: size + 1 }, (_, a) =>
          Array.from({ length: size + 1 }, (__, b) => edges.get(`${a}`)?.includes(`${b}`) ?? false),
        );
        for (let k = 0; k <= size; k++)
          for (let a = 0; a <= size; a++)
            for (let b = 0; b <= size; b++) reach[a]![b] ||= reach[a]![k]! && reach[k]![b]!;
        const expected = from.some((start) =>
          reach.some((row, node) => row[node] && (node === start || reach[start]![node])),
        );
        const found = findCycle(edges, from.map(String));
        expect(found !== undefined).toBe(expected);
        if (!found) return;
        expect(found.length).toBeGreaterThan(1);
        expect(found[0]).toBe(found.at(-1));
        expect(new Set(found).size).toBe(found.length - 1);
        for (let i = 1; i < found.length; i++) expect(edges.get(found[i - 1]!)).toContain(found[i]);
        expect(from.some((start) => `${start}` === found[0] || reach[start]![Number(found[0])])).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});
