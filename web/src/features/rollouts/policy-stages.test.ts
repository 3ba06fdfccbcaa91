import { expect, it } from 'vitest';
import { inOrder, policyStages } from './policy-stages.ts';

it('the stages of a policy are told in words, with what they have from the defaults', () => {
  const manifest = {
    spec: {
      defaults: { soak: '10m', onFailure: 'stop' },
      stages: [
        { name: 'canary', take: { amount: 1, per: 'region' }, clusters: { matchLabels: { tier: 'canary' } } },
        {
          name: 'rest',
          soak: '1h',
          maxConcurrent: 5,
          gates: [
            { name: 'go', approval: { count: 2, groups: ['sre', 'qa'] } },
            { name: 'ok', at: 'end', http: {} },
          ],
        },
      ],
    },
  };
  expect(policyStages({ manifest, stages: ['canary', 'rest'] })).toEqual([
    {
      name: 'canary',
      says: ['clusters tier=canary', 'takes 1 per region', 'soaks 10m', 'on failure: stop'],
      gates: [],
    },
    {
      name: 'rest',
      says: ['5 at once', 'soaks 1h', 'on failure: stop'],
      gates: ['go: approval by 2 of sre or qa', 'ok: http, at its end'],
    },
  ]);
});

it('a manifest that is not as expected breaks nothing', () => {
  expect(policyStages({ stages: ['a'] })).toEqual([{ name: 'a', says: [], gates: [] }]);
  expect(policyStages({ manifest: { spec: { stages: [7, null] } }, stages: ['a'] })).toMatchObject([
    { name: 'a' },
    { name: 'stage 2' },
  ]);
});

it('a manifest is shown in the order in which people write one', () => {
  expect(
    Object.keys(inOrder({ spec: {}, kind: 'RolloutPolicy', metadata: {}, apiVersion: 'v1', more: 1 })),
  ).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'more']);
});
