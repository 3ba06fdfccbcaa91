import { expect, it } from 'vitest';
import { violations } from './promises.ts';
import type { Seen } from './simulated-agent.ts';

const rules = { digest: 'new', slots: [1, 2], soakMs: 100, deadlineMs: 1_000 };
const target = (cluster: string, stage: number) => ({ application: 'argocd/web', cluster, stage });
const targets = [target('a', 0), target('b', 1), target('c', 1), target('d', 1)];
const assigned = (agent: string, at: number) =>
  ({
    kind: 'assigned',
    agent,
    application: 'argocd/web',
    at,
    held: { assignment: { bundleDigest: 'new' } },
  }) as Seen;
const reported = (agent: string, health: string, at: number) =>
  ({
    kind: 'reported',
    agent,
    at,
    status: {
      applicationNamespace: 'argocd',
      applicationName: 'web',
      health,
      bundleDigest: 'new',
      appliedDigest: 'new',
    },
  }) as Seen;

it('finds nothing in a rollout that waits for soak and slots', () => {
  const seen = [
    assigned('a', 0),
    reported('a', 'Healthy', 50),
    assigned('b', 150),
    assigned('c', 150),
    reported('b', 'Healthy', 200),
    assigned('d', 210),
  ];
  expect(violations(seen, targets, rules)).toEqual([]);
});

it('lets a failure and a deadline take the place of a soak, and free the slot', () => {
  const seen = [
    assigned('a', 0),
    assigned('b', 1_000),
    assigned('c', 1_000),
    reported('b', 'Degraded', 1_100),
  ];
  expect(violations([...seen, assigned('d', 1_101)], targets, rules)).toEqual([]);
});

it('finds a stage that begins before the soak of the one before is over', () => {
  const seen = [assigned('a', 0), reported('a', 'Healthy', 50), assigned('b', 149)];
  expect(violations(seen, targets, rules)).toEqual([
    'b argocd/web was given it before a argocd/web of stage 0 was through',
  ]);
});

it('finds more on their way than there are slots', () => {
  const seen = [
    assigned('a', 0),
    reported('a', 'Healthy', 50),
    ...['b', 'c', 'd'].map((name) => assigned(name, 200)),
  ];
  expect(violations(seen, targets, rules)).toEqual(['3 of stage 1 were on their way, 2 may be']);
});
