import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RolloutFixture, careful, setOverClusters } from '../rollouts.fixture.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const MINUTE = 60_000;

let folder: string;
let on: RolloutFixture;

/** Every cluster is healthy at the first release; `a` is the canary. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-joiners-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  await on.first(NAMES);
  await on.hub.apply([careful, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' })]);
  await on.settled();
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a cluster that joins meanwhile holds what the others come from, and follows after its stage', async () => {
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await on.join('e', { tier: 'rest' });
  await on.hub.eventually(async () => expect(await on.states()).toMatchObject({ e: 'deferred' }));
  await on.hub.assignment('e', 'web-e');
  // The same objects, in a cluster of its own.
  const [a, b, e] = [await on.held('a'), await on.held('b'), await on.held('e')];
  expect(e?.bundle).toBe(b?.bundle);
  expect(e?.bundle).not.toBe(a?.bundle);
  expect(await on.rollouts()).toHaveLength(1);
  await on.report('e');
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await on.digests('b', 'c', 'd')).not.toEqual(first.slice(1));
  for (const name of ['b', 'c', 'd']) await on.report(name);
  expect((await on.held('e'))?.bundle).toBe(b?.bundle);
  await on.pass(11 * MINUTE);
  expect((await on.rollout()).phase).toBe('completed');
  await on.settled();
  expect((await on.held('e'))?.bundle).toBe(a?.bundle);
});

test('a cluster that joins while a release is held back holds what the others went back to', async () => {
  await on.commit('broken');
  await on.report('a', 'Degraded');
  await on.report('a');
  expect((await on.rollout()).phase).toBe('rolled-back');
  await on.join('e', { tier: 'rest' });
  await on.hub.assignment('e', 'web-e');
  await on.settled();
  expect((await on.held('e'))?.bundle).toBe((await on.held('b'))?.bundle);
});

test('a cluster that joins holds nothing where nobody knows what it would have held', async () => {
  // Another specification, which each target gets in its turn.
  const other = setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' });
  Object.assign(other.spec.template.spec.syncPolicy, { syncOptions: ['PruneLast=true'] });
  await on.hub.apply([other]);
  await on.hub.eventually(async () =>
    expect(await on.states()).toMatchObject({ a: 'assigned', b: 'waiting' }),
  );
  await on.join('e', { tier: 'rest' });
  await on.hub.eventually(async () => expect(await on.states()).toMatchObject({ e: 'deferred' }));
  await on.settled();
  expect(await on.held('e')).toBeUndefined();
});
