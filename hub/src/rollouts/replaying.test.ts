import { type RolloutState, type Transition, begin, decide, parseRolloutPolicy } from '@muster/rollout';
import { expect, test } from 'vitest';
import { fitting } from './reads/rollout-reads.service.ts';
import { Replaying } from './replaying.ts';
import type { LoggedStep } from './rollouts.repository.ts';

const policy = parseRolloutPolicy({
  apiVersion: 'muster.dev/v1alpha1',
  kind: 'RolloutPolicy',
  metadata: { name: 'p' },
  spec: { stages: [{ name: 'one', take: 1 }, { name: 'rest' }] },
});
const targets = ['a', 'b', 'c'].map((cluster) => ({
  id: `argocd/web-${cluster}@${cluster}`,
  cluster,
  application: `argocd/web-${cluster}`,
  clusterLabels: {},
  applicationLabels: {},
  from: 'old',
  proven: null,
  to: 'new',
  connected: true,
}));
const to = { id: '2', label: 'release 2' } as Parameters<typeof begin>[0]['to'];

/** A rollout that was begun, paused and resumed, with its log. */
function story(): { begun: RolloutState; log: LoggedStep[]; now: RolloutState } {
  const begun = begin({ id: 'r', kind: 'release', policy, from: null, to, targets, seed: 1, now: 0 });
  const log: LoggedStep[] = [];
  let now = begun;
  for (const [at, event] of [
    [1, undefined],
    [2, { kind: 'pause', actor: 'ada', reason: 'lunch' }],
    [3, { kind: 'resume', actor: 'ada', reason: '' }],
  ] as const) {
    const step = decide(now, event ? [event as never] : [], at);
    now = step.state;
    if (step.entry) log.push({ entry: step.entry, transitions: step.transitions as Transition[] });
  }
  return { begun, log, now };
}

function replayed(most: number, change: (now: RolloutState) => RolloutState = (now) => now) {
  const { begun, log, now } = story();
  const replaying = new Replaying({ rollout: begun.rollout, targets: [...begun.targets.values()] }, most);
  for (const step of log) replaying.add(step);
  return { found: replaying.result('r', change(now)), all: log.flatMap(({ transitions }) => transitions) };
}

test('what was decided again is compared as a whole, however little of it is named', () => {
  const { found, all } = replayed(100);
  expect(all.length).toBeGreaterThan(2);
  expect(found).toMatchObject({ same: true, differences: [], entries: 3 });
  expect(found.transitions).toHaveLength(all.length);
  expect(found).not.toHaveProperty('omitted');
  const { found: short } = replayed(2);
  expect(short).toMatchObject({ same: true, entries: 3, omitted: all.length - 2 });
  expect(short.transitions).toEqual(found.transitions.slice(0, 2));
  expect(replayed(0).found).toMatchObject({ same: true, transitions: [], omitted: all.length });
});

test('another state than the kept one is told, target by target', () => {
  const { found } = replayed(0, (now) => {
    const [[id, target]] = [...now.targets] as [[string, never]];
    return {
      ...now,
      targets: new Map([...now.targets, [id, { ...(target as object), state: 'done' } as never]]),
    };
  });
  expect(found).toMatchObject({
    same: false,
    differences: [expect.stringMatching(/^argocd\/web-a@a: .*, not done$/)],
  });
});

test('a page of the log ends where it is full of changes, and holds one step at least', () => {
  const steps = (...sizes: number[]) => sizes.map((length) => ({ transitions: Array.from({ length }) }));
  expect(fitting(steps(1, 1, 1), 2)).toBe(2);
  expect(fitting(steps(10_000, 1, 1), 100)).toBe(1);
  expect(fitting(steps(3_000, 3_000, 3_000), 100)).toBe(2);
});
