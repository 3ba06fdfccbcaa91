import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { RolloutsService } from '../rollouts.service.ts';

const NAMES = ['a', 'b'];

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-windows-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: 'all' });
  await on.first(NAMES);
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const goBy = async (rollback: Record<string, unknown>) => {
  const spec = { stages: [{ name: 'all' }], rollback };
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
};

const despite = async () => Promise.all(NAMES.map(async (name) => (await on.signed(name)).despiteWindows));

test('what a rollout takes back is signed to pass windows; what it gives, and what follows, is not', async () => {
  await goBy({});
  const first = await on.digests(...NAMES);
  await on.commit('broken');
  expect(await despite()).toEqual([false, false]);
  await on.report('a', 'Degraded');
  expect(await on.digests(...NAMES)).toEqual(first);
  expect(await despite()).toEqual([true, true]);
  // Under a new epoch it is signed again, and still goes back.
  await on.db.updateTable('hub_state').set({ epoch: 2n }).execute();
  await on.assignAll();
  expect((await on.signed('a')).version?.epoch).toBe(2n);
  expect(await despite()).toEqual([true, true]);
  for (const name of NAMES) await on.report(name);
  await on.commit('repaired');
  expect(await despite()).toEqual([false, false]);
});

test('an undo by hand passes windows as well', async () => {
  await goBy({});
  await on.commit('second');
  for (const name of NAMES) await on.report(name);
  const { id } = await on.rollout();
  await on.get(RolloutsService).ask(systemActor, id, { verb: 'undo', reason: 'worse' } as never);
  await on.settled();
  expect(await despite()).toEqual([true, true]);
});

test('a policy whose windows hold rollbacks leaves it to them', async () => {
  await goBy({ windowsHold: true });
  await on.commit('broken');
  await on.report('a', 'Degraded');
  expect((await on.rollout()).phase).toBe('rolling-back');
  expect(await despite()).toEqual([false, false]);
});
