import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from '@muster/rollout';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { RolloutRunner } from '../rollout-runner.service.ts';

const NAMES = ['a', 'b'];
const MINUTE = 60_000;

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-windows-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: 'all' });
  on.hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n' }, 'first');
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Minutes from now. */
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE);

/** Denies every sync on a cluster for an hour that begins so many minutes from now. */
function closedFor(cluster: string, minutes: number) {
  const from = inMinutes(minutes);
  const schedule = `${from.getUTCMinutes()} ${from.getUTCHours()} * * *`;
  return projectWith([{ kind: 'deny', schedule, duration: '1h', clusters: [cluster] }]);
}

function projectWith(syncWindows: Record<string, unknown>[]) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      syncWindows,
    },
  };
}

async function goBy(spec: Record<string, unknown>, ...documents: Record<string, unknown>[]): Promise<void> {
  await on.hub.apply([...documents, setOverClusters(on.hub, {})]);
  for (const name of NAMES) await on.hub.assignment(name, `web-${name}`);
  for (const name of NAMES) await on.report(name);
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
}

/** What it waits for, in words. */
async function waitsFor(): Promise<string> {
  const { id } = await on.rollout();
  const loaded = await on.db.transaction().execute((trx) => on.get(RolloutRunner).load(trx, id));
  return explain(loaded!.state, Date.now()).lines.join('\n');
}

test('a target whose sync window is closed is not assigned, takes no slot, and is started when the window opens', async () => {
  await goBy({ stages: [{ name: 'all', maxConcurrent: 1, deadline: '5m' }] }, closedFor('a', -30));
  const first = await on.digests('a');
  await on.commit('second');
  expect(await on.states()).toEqual({ a: 'waiting', b: 'assigned' });
  await on.report('b');
  expect(await on.states()).toEqual({ a: 'waiting', b: 'done' });
  expect(await waitsFor()).toContain(
    'web-a in a: a sync window of its project is closed: a deny window is open',
  );
  await on.pass(20 * MINUTE);
  expect(await on.digests('a')).toEqual(first);
  await on.pass(11 * MINUTE);
  expect(await on.states()).toEqual({ a: 'assigned', b: 'done' });
  await on.report('a');
  expect((await on.rollout()).phase).toBe('completed');
});

test('a window that closes on a target that was sent its release holds its deadline, too', async () => {
  await goBy({ stages: [{ name: 'all', deadline: '20m' }] }, closedFor('a', 10));
  await on.commit('second');
  await on.report('b');
  await on.pass(11 * MINUTE);
  await on.pass(15 * MINUTE);
  expect(await on.states()).toEqual({ a: 'assigned', b: 'done' });
  expect(await waitsFor()).toContain('a sync window of its project is closed');
  await on.pass(45 * MINUTE);
  // 71 minutes have passed; for 60 of them nobody could have begun.
  expect(await on.states()).toEqual({ a: 'assigned', b: 'done' });
  await on.pass(10 * MINUTE);
  expect((await on.rollout()).phase).toBe('rolling-back');
});

test('what is taken back passes windows, unless the policy says that they hold it', async () => {
  await goBy(
    { stages: [{ name: 'all', deadline: '1h' }], rollback: { windowsHold: true } },
    closedFor('a', 10),
  );
  const first = await on.digests(...NAMES);
  await on.commit('broken');
  await on.pass(11 * MINUTE);
  await on.report('b', 'Degraded');
  expect(await on.states()).toEqual({ a: 'reverting', b: 'restoring' });
  expect(await on.digests('b')).toEqual(first.slice(1));
  expect(await waitsFor()).toContain('web-a in a: a sync window of its project is closed');
  await on.pass(60 * MINUTE);
  expect(await on.digests(...NAMES)).toEqual(first);
});

test('a freeze that begins while a stage goes on starts nothing more, says why, and holds no rollback', async () => {
  const freeze = { kind: 'deny', from: inMinutes(10), until: inMinutes(60), reason: 'inventory' };
  const windows = [JSON.parse(JSON.stringify(freeze))];
  await goBy({ stages: [{ name: 'all', maxConcurrent: 1, deadline: '2h' }], windows });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await on.pass(11 * MINUTE);
  await on.report('a');
  expect(await on.states()).toEqual({ a: 'done', b: 'waiting' });
  expect(await waitsFor()).toMatch(/a window, frozen by .+ \(inventory\), until /);
  await on.report('a', 'Degraded');
  expect((await on.rollout()).phase).toBe('rolling-back');
  expect(await on.digests(...NAMES)).toEqual(first);
  expect((await on.signed('a')).despiteWindows).toBe(true);
});

test('windows that somebody closes are no release: agents get them at once, whatever they hold, and a rollout goes on', async () => {
  await goBy({ stages: [{ name: 'one', take: 1 }, { name: 'rest' }] });
  const first = await on.digests(...NAMES);
  await on.commit('broken');
  const given = await on.digests(...NAMES);
  const signed = () =>
    Promise.all(NAMES.map(async (name) => (await on.signed(name)).project?.windows.length));
  expect(await signed()).toEqual([0, 0]);
  await on.hub.apply([
    projectWith([{ kind: 'deny', schedule: '* * * * *', duration: '1h', clusters: ['*'] }]),
  ]);
  await on.settled();
  expect(await signed()).toEqual([1, 1]);
  expect(await on.digests(...NAMES)).toEqual(given);
  expect(await waitsFor()).toContain('web-a in a: a sync window of its project is closed');
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting' });
  // It had begun before.
  await on.report('a', 'Degraded');
  expect(await on.digests(...NAMES)).toEqual(first);
  expect(await on.signed('a')).toMatchObject({
    despiteWindows: true,
    project: { windows: [{ deny: true }] },
  });
  await on.report('a');
  expect((await on.rollouts()).map(({ phase }) => phase)).toEqual(['rolled-back']);
  await on.hub.apply([projectWith([])]);
  await on.settled();
  expect(await signed()).toEqual([0, 0]);
  expect(await on.digests(...NAMES)).toEqual(first);
});
