import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Actor, systemActor } from '../../access/actor.ts';
import { SetRemovals } from '../../applicationsets/set-removals.service.ts';
import { BundlesService } from '../../releases/bundles.service.ts';
import { WhyService } from '../../why/why.service.ts';
import { RolloutReads } from '../reads/rollout-reads.service.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { RolloutsService } from '../rollouts.service.ts';
import { PinsService } from './pins.service.ts';

const NAMES = ['a', 'b', 'c'];
const MINUTE = 60_000;

const careful = policy('careful', {
  defaults: { soak: '10m', deadline: '5m' },
  stages: [{ name: 'canary', clusters: { matchLabels: { tier: 'canary' } } }, { name: 'rest' }],
});

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-pins-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  await on.first(NAMES);
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ada: Actor = { ...systemActor, name: 'ada' };
const pin = async (name: string, more: Record<string, unknown> = {}, actor = ada) => {
  const pinned = await on
    .get(PinsService)
    .pin(actor, 'argocd', `web-${name}`, { reason: 'an incident', ...more });
  await on.settled();
  return pinned;
};
const unpin = async (name: string) => {
  const { next } = await on.get(PinsService).unpin(ada, 'argocd', `web-${name}`, { reason: 'it is over' });
  await on.settled();
  return next;
};
const goBy = async () => {
  await on.hub.apply([careful, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' })]);
  await on.settled();
};
/** Whatever may sign once more. */
const sweep = async () => {
  await on.expandAll();
  await on.assignAll();
  await on.look();
};

test('without a policy a pinned target stays at what it holds, whatever is newer, and gets the newest when it is let go of', async () => {
  const [first] = await on.digests('b');
  const { pin: made, synced } = await pin('b');
  expect([made.by, made.reason, made.release?.number, synced]).toEqual([
    'ada',
    'an incident',
    1,
    'automated',
  ]);
  await on.commit('second');
  await sweep();
  expect(await on.digests('b')).toEqual([first]);
  expect(await on.digests('a')).not.toEqual([first]);
  await on.report('b');
  const shown = await on.hub.app('web-b');
  expect([shown.sync, shown.health]).toEqual(['Synced', 'Healthy']);
  expect(shown.pinned).toMatchObject({ by: 'ada', reason: 'an incident', release: { number: 1 } });
  await on.db.updateTable('assignments').set({ acked_at: new Date() }).execute();
  const why = await on.get(WhyService).why(systemActor, 'argocd', 'web-b', {});
  expect(why.links).toMatchObject([
    { kind: 'pinned', text: expect.stringMatching(/^ada pinned it at release 1 .*: an incident$/) },
  ]);
  expect(await unpin('b')).toBe('it gets its newest release');
  expect(await on.digests('b')).toEqual(await on.digests('b'));
  expect(await on.digests('b')).not.toEqual([first]);
  expect(await on.db.selectFrom('target_holds').selectAll().execute()).toEqual([]);
  await expect(unpin('b')).rejects.toThrow('argocd/web-b is not pinned');
  const audit = await on.db
    .selectFrom('audit')
    .select(['actor', 'action', 'reason'])
    .where('action', 'like', '%pin')
    .execute();
  expect(audit).toEqual([
    { actor: 'ada', action: 'application.pin', reason: 'an incident' },
    { actor: 'ada', action: 'application.unpin', reason: 'it is over' },
  ]);
});

test('an earlier release of the history is taken, its content is kept, and what is not there is refused', async () => {
  const [first] = await on.digests('a');
  const bundle = (await on.held('a'))!.bundle!;
  await on.commit('second');
  expect(await on.digests('a')).not.toEqual([first]);
  await pin('a', { release: 1 });
  expect(await on.digests('a')).toEqual([first]);
  // Nothing else refers to it any more, and it is old.
  await on.db.deleteFrom('releases').where('number', '=', 1n).execute();
  await on.db.deleteFrom('target_proofs').execute();
  await on.db
    .updateTable('bundles')
    .set({ referenced_at: new Date(0) })
    .execute();
  await on.db
    .updateTable('assignment_contents')
    .set({ created_at: new Date(0) })
    .execute();
  await on.db.deleteFrom('assignments').where('application_name', '=', 'web-a').execute();
  await on.get(BundlesService).sweep();
  await on.assignAll();
  expect(await on.digests('a')).toEqual([first]);
  expect(await on.hub.objects(bundle)).toHaveLength(1);
  await expect(pin('b', { release: 9 })).rejects.toThrow(
    'release 9 of argocd/web-b in this cluster is not in the history',
  );
  await expect(pin('b', { cluster: 'c' })).rejects.toThrow('is not in cluster c: it is in b');
  const viewer: Actor = { kind: 'user', name: 'v', grants: [{ role: 'viewer', project: '*' }] } as never;
  await expect(pin('b', {}, viewer)).rejects.toMatchObject({ code: 'forbidden' });
});

test('a rollout shows what is pinned, counts it nowhere and never moves it; afterwards it gets the release', async () => {
  await goBy();
  const first = await on.digests(...NAMES);
  await pin('b');
  await on.commit('second');
  expect(await on.states()).toEqual({ a: 'assigned', b: 'pinned', c: 'waiting' });
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await on.states()).toEqual({ a: 'done', b: 'pinned', c: 'assigned' });
  await on.report('c');
  await on.pass(11 * MINUTE);
  const { id, phase } = await on.rollout();
  expect(phase).toBe('completed');
  await sweep();
  expect(await on.digests('b')).toEqual(first.slice(1, 2));
  const { done, total } = await on.get(RolloutReads).get(systemActor, id, { targets: 10 });
  expect([done, total]).toEqual([2, 2]);
  expect(await unpin('b')).toBe('it gets its newest release');
  expect(new Set(await on.digests(...NAMES)).size).toBe(3);
  expect((await on.digests('b'))[0]).not.toBe(first[1]);
  expect(await on.rollouts()).toHaveLength(1);
});

test('what is pinned while a rollout runs is left alone by it and by its rollback; let go of, it waits for its turn', async () => {
  await goBy();
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await pin('a');
  expect(await on.states()).toMatchObject({ a: 'pinned', b: 'assigned', c: 'assigned' });
  const second = await on.digests('a');
  expect(second).not.toEqual(first.slice(0, 1));
  await on.report('b', 'Degraded');
  for (const name of ['b', 'c']) await on.report(name);
  expect((await on.rollout()).phase).toBe('rolled-back');
  await sweep();
  expect(await on.digests(...NAMES)).toEqual([...second, ...first.slice(1)]);
  // The next release: let go of before its stage it is started in its turn.
  await pin('b', { release: 1 });
  await on.commit('third');
  expect(await on.states()).toEqual({ a: 'pinned', b: 'pinned', c: 'assigned' });
  expect(await unpin('b')).toContain('its turn in the rollout of release 3');
  expect(await on.states()).toMatchObject({ b: 'deferred' });
  expect((await on.digests('b'))[0]).toBe(first[1]);
  // Its stage has passed without it: it follows at once.
  expect(await unpin('a')).toContain('its turn in the rollout of release 3');
  expect(await on.states()).toMatchObject({ a: 'assigned' });
  expect(await on.digests('a')).not.toEqual(second);
  for (const name of ['a', 'c']) await on.report(name);
  await on.pass(11 * MINUTE);
  expect((await on.rollout()).phase).toBe('completed');
  expect((await on.digests('b'))[0]).not.toBe(first[1]);
  expect(await on.db.selectFrom('target_holds').selectAll().execute()).toEqual([]);
  const replay = await on.get(RolloutsService).replay(systemActor, (await on.rollout()).id);
  expect(replay).toMatchObject({ same: true, differences: [] });
});

test('nothing but what is pinned moves: no rollout begins, and one that joins is not held back', async () => {
  await goBy();
  for (const name of NAMES) await pin(name);
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await sweep();
  expect(await on.rollouts()).toEqual([]);
  expect(await on.digests(...NAMES)).toEqual(first);
  await on.join('d', { tier: 'rest' });
  await on.hub.assignment('d', 'web-d');
  expect(await on.db.selectFrom('target_holds').select('reason').execute()).toHaveLength(3);
});

test('a pin ends when its time is over, and does not keep an Application or its cluster from going', async () => {
  const [first] = await on.digests('a');
  expect((await pin('a', { forSeconds: 3600 })).pin.until).toBeDefined();
  await on.commit('second');
  await on.get(PinsService).expire();
  await on.settled();
  expect(await on.digests('a')).toEqual([first]);
  await on.db
    .updateTable('target_pins')
    .set({ expires_at: new Date(Date.now() - 1000) })
    .execute();
  await on.get(PinsService).expire();
  await on.settled();
  expect(await on.digests('a')).not.toEqual([first]);
  const [entry] = await on.db
    .selectFrom('audit')
    .selectAll()
    .where('action', '=', 'application.unpin')
    .execute();
  expect(entry).toMatchObject({ actor: 'system', reason: expect.stringContaining('its time is over') });
  await pin('b');
  const others = { matchLabels: { tier: 'canary' } };
  await on.hub.apply([setOverClusters(on.hub, {}, { generators: [{ clusters: { selector: others } }] })]);
  await on.hub.eventually(() => on.get(SetRemovals).approveDeletions(systemActor, 'argocd', 'web'));
  await on.hub.eventually(async () => {
    const rows = await on.db
      .selectFrom('assignments')
      .select('action')
      .where('application_name', '=', 'web-b')
      .execute();
    expect(rows).toEqual([{ action: 'uninstall' }]);
  });
  await on.db.deleteFrom('assignments').where('application_name', '=', 'web-b').execute();
  await on.db.deleteFrom('applications').where('name', '=', 'web-b').execute();
  expect(await on.db.selectFrom('target_pins').selectAll().execute()).toEqual([]);
});

test('a pin is no way around an approval: a release that lacks one takes an admin', async () => {
  const approved = policy('careful', {
    defaults: { soak: '0s', deadline: '5m' },
    stages: [
      { name: 'canary', clusters: { matchLabels: { tier: 'canary' } } },
      { name: 'rest', gates: [{ name: 'release-managers', approval: { count: 1, groups: ['managers'] } }] },
    ],
  });
  await on.hub.apply([approved, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' })]);
  await on.settled();
  await on.commit('second');
  const { id, number } = await on.db
    .selectFrom('releases')
    .select(['id', 'number'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  expect((await on.rollout()).to.id).toBe(id);
  const operator: Actor = {
    kind: 'user',
    name: 'bea',
    grants: [{ role: 'operator', project: 'default' }],
  };
  await expect(pin('b', { release: Number(number) }, operator)).rejects.toMatchObject({
    code: 'forbidden',
    message: 'this release waits for an approval: "release-managers" of stage rest',
  });
  // What its stage asks for nobody's approval of, and what it holds, is an operator's.
  await pin('a', { release: Number(number) }, operator);
  await pin('c', {}, operator);
  await pin('b', { release: Number(number) });
  expect(await on.states()).toMatchObject({ a: 'pinned', b: 'pinned', c: 'pinned' });
});
