import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { ApplicationViews } from '../../applications/application-views.service.ts';
import { StatusService } from '../../status/status.service.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { RolloutsService } from '../rollouts.service.ts';
import { RolloutReads } from './rollout-reads.service.ts';

const NAMES = ['a', 'b', 'c'];

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-reads-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  await on.first(NAMES);
  const approval = { count: 2, groups: ['owners'], expires: '1h' };
  const stages = [
    { name: 'canary', soak: '10m', clusters: { matchLabels: { tier: 'canary' } } },
    { name: 'rest', maxConcurrent: 1, gates: [{ name: 'sign-off', at: 'entry', approval }] },
  ];
  await on.hub.apply([
    policy('careful', { stages }),
    setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' }),
  ]);
  await on.settled();
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const reads = () => on.get(RolloutReads);
const list = async (query: Record<string, unknown> = {}) =>
  (await reads().list(systemActor, { limit: 10, open: false, order: 'urgent', ...query })).items;
const ask = async (verb: Record<string, unknown>) =>
  on.get(RolloutsService).ask(systemActor, (await on.rollout()).id, { reason: 'because', ...verb } as never);
const application = (name: string) => on.get(ApplicationViews).get(systemActor, 'argocd', `web-${name}`);

test('the list says at a glance where each rollout is and what it waits for', async () => {
  await on.commit('second');
  const [going] = await list();
  expect(going).toMatchObject({
    owner: 'argocd/web',
    phase: 'running',
    to: { number: 2, message: 'second' },
    from: { number: 1 },
    progress: [
      { name: 'canary', step: 'rolling', size: 1, states: { assigned: 1 } },
      { name: 'rest', step: 'waiting', size: 2, states: { waiting: 2 } },
    ],
    waitsFor: ['1 to apply it'],
  });
  await on.report('a');
  expect((await list())[0]!.waitsFor).toEqual(['1 to pass the soak']);
  await on.pass(11 * 60_000);
  expect((await list())[0]!.waitsFor.join()).toMatch(/^2 approvals of owners at "sign-off" until/);
  await ask({ verb: 'pause' });
  expect((await list())[0]!.waitsFor[0]).toBe('system to resume it (paused: because)');
});

test('what goes on comes before what has ended, however old it is; pages and filters agree with it', async () => {
  await on.commit('second');
  await ask({ verb: 'abort' });
  await on.commit('third');
  await on.db
    .updateTable('rollouts')
    .set({ created_at: new Date(0) })
    .where('ended_at', 'is', null)
    .execute();
  const query = { limit: 1, open: false, order: 'urgent' } as const;
  const first = await reads().list(systemActor, query);
  expect(first.items.map(({ phase }) => phase)).toEqual(['running']);
  const second = await reads().list(systemActor, { ...query, after: first.next });
  expect(second.items).toMatchObject([{ phase: 'aborted', progress: [{ states: {} }, {}], waitsFor: [] }]);
  expect(second.next).toBeUndefined();
  expect((await list({ order: 'newest' })).map(({ phase }) => phase)).toEqual(['aborted', 'running']);
  expect(await list({ phase: 'aborted' })).toHaveLength(1);
  expect(await list({ search: 'GOCD/W' })).toHaveLength(2);
  expect(await list({ search: 'other' })).toEqual([]);
  expect(await list({ project: 'default' })).toHaveLength(2);
  expect(await list({ project: 'other' })).toEqual([]);
});

test('one of them says what its stages go by, how far its gates are, and what happened, newest first', async () => {
  await on.commit('second');
  await on.report('a');
  await on.pass(11 * 60_000);
  const { id } = await on.rollout();
  const found = await reads().get(systemActor, id, { targets: 0 });
  expect(found.targets).toEqual([]);
  expect(found.progress[0]).toMatchObject({ step: 'passed', soakSeconds: 600, gates: [] });
  expect(found.progress[1]).toMatchObject({
    step: 'entry',
    slots: 1,
    gates: [
      { name: 'sign-off', kind: 'approval', status: 'open', count: 2, groups: ['owners'], yours: false },
    ],
  });
  const log = await reads().log(systemActor, id, { limit: 2 });
  expect(log.items[0]).toMatchObject({ subject: 'gate/rest/sign-off', to: 'open' });
  const rest = await reads().log(systemActor, id, { limit: 100, after: log.next });
  expect(rest.items.at(-1)).toMatchObject({ subject: 'stage/canary', from: 'waiting' });
  const { items } = await reads().releases(systemActor, id);
  expect(items.map(({ number, message }) => [number, message])).toEqual([
    [2, 'second'],
    [1, 'first'],
  ]);
});

test('the summary of the fleet counts what goes on, what waits for somebody, and what was taken back', async () => {
  const counts = async () => (await on.get(StatusService).summary()).rollouts;
  const none = { moving: 0, stopped: 0, goingBack: 0, takenBack: 0 };
  expect(await counts()).toEqual(none);
  await on.commit('second');
  expect(await counts()).toEqual({ ...none, moving: 1 });
  await ask({ verb: 'pause' });
  expect(await counts()).toEqual({ ...none, stopped: 1 });
  await ask({ verb: 'resume' });
  await on.report('a', 'Degraded');
  expect(await counts()).toEqual({ ...none, goingBack: 1 });
  await on.report('a');
  expect(await counts()).toEqual({ ...none, takenBack: 1 });
  // A newer one takes its place in what there is to look at.
  await on.commit('third');
  expect(await counts()).toEqual({ ...none, moving: 1 });
});

test('targets come with what failed first, a page at a time, by stage, group and name', async () => {
  await on.commit('second');
  await on.report('a', 'Degraded');
  const { id } = await on.rollout();
  const read = (query: Record<string, unknown>) => reads().targets(systemActor, id, { limit: 10, ...query });
  const { items } = await read({});
  expect(items.map(({ cluster, stage }) => [cluster, stage])).toEqual([
    ['a', 'canary'],
    ['b', 'rest'],
    ['c', 'rest'],
  ]);
  const first = await read({ limit: 2 });
  expect((await read({ limit: 2, after: first.next })).items.map(({ cluster }) => cluster)).toEqual(['c']);
  expect((await read({ group: 'waiting' })).items).toHaveLength(2);
  expect((await read({ search: 'WEB-B' })).items.map(({ cluster }) => cluster)).toEqual(['b']);
  expect((await read({ stage: 'canary' })).items).toHaveLength(1);
  await expect(read({ stage: 'x' })).rejects.toMatchObject({ code: 'not-found' });
});

test('an Application says that its turn has not come, that it is on its way, and that its release is held back', async () => {
  expect((await application('a')).rollout).toBeUndefined();
  const first = (await application('b')).revision!.commit;
  await on.commit('second');
  const { id } = await on.rollout();
  expect((await application('a')).rollout).toMatchObject({ id, phase: 'running', state: 'assigned' });
  const waiting = await application('b');
  expect(waiting.rollout).toMatchObject({ id, state: 'waiting', holds: { release: 1 } });
  // What is said to be assigned is what it holds; the newer commit is told beside it.
  expect(waiting.revision).toMatchObject({ commit: first, message: 'first' });
  expect(waiting.latestCommit).toBe((await application('a')).revision?.commit);
  await on.report('a');
  await on.pass(11 * 60_000);
  expect((await application('a')).rollout).toBeUndefined();
  await ask({ verb: 'reject', stage: 'rest', gate: 'sign-off' }).catch(() => undefined);
  await ask({ verb: 'undo' });
  expect((await application('a')).rollout).toMatchObject({ id, phase: 'rolling-back', state: 'restoring' });
  await on.report('a');
  expect((await application('a')).rollout).toMatchObject({
    id,
    phase: 'rolled-back',
    state: 'held',
    holds: { release: 1 },
  });
});
