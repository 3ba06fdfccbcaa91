import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { SetRemovals } from '../applicationsets/set-removals.service.ts';
import { LabellingService } from '../clusters/labelling.service.ts';
import { RolloutFixture, careful, configMap, setOverClusters } from './rollouts.fixture.ts';
import { RolloutsService } from './rollouts.service.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const MINUTE = 60_000;

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-rollouts-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  on.hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n' }, 'first');
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Every cluster is healthy at the first release. */
async function everywhere(annotations: Record<string, string> = { 'muster.dev/rollout-policy': 'careful' }) {
  await on.everywhere(NAMES);
  await on.hub.apply([careful, setOverClusters(on.hub, annotations)]);
  await on.settled();
}

test('a release reaches the canary, and after its soak the rest, two at a time', async () => {
  await everywhere();
  const first = await on.digests(...NAMES);
  await on.commit('second');
  const [canary, ...rest] = await on.digests(...NAMES);
  expect(canary).not.toBe(first[0]);
  expect(rest).toEqual(first.slice(1));
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting', c: 'waiting', d: 'waiting' });
  await on.report('a');
  expect(await on.states()).toMatchObject({ a: 'healthy', b: 'waiting' });
  await on.pass(9 * MINUTE);
  expect(await on.digests('b', 'c', 'd')).toEqual(first.slice(1));
  await on.pass(2 * MINUTE);
  expect(await on.states()).toEqual({ a: 'done', b: 'assigned', c: 'assigned', d: 'waiting' });
  for (const name of ['b', 'c']) await on.report(name);
  expect(await on.states()).toMatchObject({ b: 'healthy', c: 'healthy', d: 'assigned' });
  await on.report('d');
  await on.pass(11 * MINUTE);
  expect((await on.rollout()).phase).toBe('completed');
  expect(await on.db.selectFrom('target_holds').selectAll().execute()).toEqual([]);
  expect(new Set(await on.digests(...NAMES)).has(first[1])).toBe(false);
});

test('a release that does not become healthy is taken back to exactly the earlier digests', async () => {
  await everywhere();
  const first = await on.digests(...NAMES);
  await on.commit('broken');
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await on.states()).toMatchObject({ a: 'done', b: 'assigned', c: 'assigned', d: 'waiting' });
  await on.report('b', 'Degraded');
  expect((await on.rollout()).phase).toBe('rolling-back');
  expect(await on.digests(...NAMES)).toEqual(first);
  for (const name of ['a', 'b', 'c']) await on.report(name);
  expect((await on.rollout()).phase).toBe('rolled-back');
  // Whatever looks again signs nothing else: the Git head is held.
  await on.look();
  await on.hub.apply([setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful', other: 'x' })]);
  await on.settled();
  expect(await on.digests(...NAMES)).toEqual(first);
  expect(await on.rollouts()).toHaveLength(1);
  // A newer commit releases it.
  await on.commit('repaired');
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting', c: 'waiting', d: 'waiting' });
  const held = await on.digests(...NAMES);
  expect(held.slice(1)).toEqual(first.slice(1));
  expect(held[0]).not.toBe(first[0]);
});

test('what was healthy for its soak in a release that was taken back is not where a later one goes back to', async () => {
  await everywhere();
  const [first] = await on.digests('a');
  await on.commit('broken');
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await on.states()).toMatchObject({ a: 'done' });
  await on.report('b', 'Degraded');
  for (const name of ['a', 'b', 'c']) await on.report(name);
  expect((await on.rollout()).phase).toBe('rolled-back');
  await on.commit('worse');
  await on.report('a', 'Degraded');
  expect((await on.rollout()).phase).toBe('rolling-back');
  expect(await on.digests('a')).toEqual([first]);
});

test('nothing is gated on what an agent says of an older assignment', async () => {
  await everywhere();
  const older = (await on.held('a'))!;
  await on.commit('second');
  await on.report('a', 'Healthy', older);
  await on.report('a', 'Degraded', older);
  expect(await on.states()).toMatchObject({ a: 'assigned' });
  await on.pass(6 * MINUTE);
  expect((await on.rollout()).phase).toBe('rolling-back');
});

test('a newer commit takes the place of the one on its way, and begins at the first stage', async () => {
  await everywhere();
  const first = await on.digests(...NAMES);
  await on.commit('second');
  const [second] = await on.digests('a');
  await on.commit('third');
  const [old, now] = await on.rollouts();
  expect([old!.phase, now!.phase]).toEqual(['superseded', 'running']);
  const digests = await on.digests(...NAMES);
  expect(digests.slice(1)).toEqual(first.slice(1));
  expect(digests[0]).not.toBe(second);
  await on.report('a');
  expect(await on.states()).toMatchObject({ a: 'healthy', b: 'waiting' });
});

test('with superseding queue each release has its turn', async () => {
  await everywhere();
  await on.hub.apply([{ ...careful, spec: { ...careful.spec, superseding: 'queue' } }]);
  const first = await on.digests(...NAMES);
  await on.commit('second');
  const [second] = await on.digests('a');
  await on.commit('third');
  expect((await on.rollouts()).map(({ phase }) => phase)).toEqual(['running', 'pending']);
  await on.report('a');
  await on.pass(11 * MINUTE);
  for (const name of ['b', 'c', 'd']) await on.report(name);
  await on.pass(11 * MINUTE);
  expect((await on.rollouts()).map(({ phase }) => phase)).toEqual(['completed', 'running']);
  const [third, ...rest] = await on.digests(...NAMES);
  expect(third).not.toBe(second);
  expect(rest.some((digest) => first.includes(digest))).toBe(false);
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting', c: 'waiting', d: 'waiting' });
});

test('what was paused while it waited for its turn is paused when that comes, and its log leads to it', async () => {
  await everywhere();
  await on.hub.apply([{ ...careful, spec: { ...careful.spec, superseding: 'queue' } }]);
  await on.commit('second');
  await on.commit('third');
  const [running, waiting] = (await on.rollouts()).map(({ id }) => id);
  const rollouts = on.get(RolloutsService);
  await rollouts.ask(systemActor, waiting!, { verb: 'pause', reason: 'not today' });
  await rollouts.ask(systemActor, running!, { verb: 'abort', reason: 'not at all' });
  await on.settled();
  expect(await on.states()).toEqual({ a: 'waiting', b: 'waiting', c: 'waiting', d: 'waiting' });
  expect((await on.rollout()).paused).toMatchObject({ reason: 'not today' });
  await rollouts.ask(systemActor, waiting!, { verb: 'resume', reason: 'now' });
  await on.settled();
  expect(await on.states()).toMatchObject({ a: 'assigned', b: 'waiting' });
  expect(await rollouts.replay(systemActor, waiting!)).toMatchObject({ same: true });
});

test('with superseding batch only the newest of those that wait has its turn', async () => {
  await everywhere();
  await on.hub.apply([{ ...careful, spec: { ...careful.spec, superseding: 'batch' } }]);
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await on.commit('third');
  await on.commit('fourth');
  const phases = async () => (await on.rollouts()).map(({ phase }) => phase);
  expect(await phases()).toEqual(['running', 'superseded', 'pending']);
  // What is on its way is not disturbed by what waits.
  expect((await on.digests(...NAMES)).slice(1)).toEqual(first.slice(1));
  await on.report('a');
  await on.pass(11 * MINUTE);
  for (const name of ['b', 'c', 'd']) await on.report(name);
  await on.pass(11 * MINUTE);
  expect(await phases()).toEqual(['completed', 'superseded', 'running']);
  const at = async () => (await on.rollouts()).at(-1)!.stage;
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await at()).toBe(1);
  for (const name of ['b', 'c', 'd']) await on.report(name);
  await on.pass(11 * MINUTE);
  expect(await phases()).toEqual(['completed', 'superseded', 'completed']);
});

test('a policy that is not there holds every release, says so, and lets it go once it is', async () => {
  await everywhere({ 'muster.dev/rollout-policy': 'missing' });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  expect(await on.digests(...NAMES)).toEqual(first);
  expect(await on.rollouts()).toEqual([]);
  expect(await on.db.selectFrom('rollout_problems').select('message').execute()).toEqual([
    { message: 'there is no RolloutPolicy "missing", which muster.dev/rollout-policy names' },
  ]);
  await on.hub.apply([{ ...careful, metadata: { name: 'missing' } }]);
  await on.settled();
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting', c: 'waiting', d: 'waiting' });
});

test('a rollout goes on by the policy that it began with', async () => {
  await everywhere();
  await on.commit('second');
  await on.db.deleteFrom('rollout_policies').execute();
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await on.states()).toMatchObject({ a: 'done', b: 'assigned', d: 'waiting' });
});

test('a release is sent to a connected agent only, and one that returns is known by what it says then', async () => {
  await everywhere();
  const [first] = await on.digests('a');
  await on.disconnect('a');
  await on.commit('second');
  expect(await on.digests('a')).toEqual([first]);
  await on.connect('a');
  await on.settled();
  expect(await on.states()).toMatchObject({ a: 'assigned' });
  await on.report('a');
  expect(await on.states()).toMatchObject({ a: 'healthy' });
  await on.disconnect('a');
  await on.settled();
  expect(await on.states()).toMatchObject({ a: 'applied' });
});

test('labels that change meanwhile, and a commit that changes no target, leave a rollout as it is', async () => {
  await everywhere();
  await on.commit('second');
  const { id } = await on.rollout();
  const before = await on.states();
  const label = (selector: string, tier: string) =>
    on.get(LabellingService).label(selector, { set: { tier }, remove: [] }, systemActor);
  await label('tier=rest', 'canary');
  await on.settled();
  const labels = await on.db.selectFrom('applications').select('labels').execute();
  expect(labels.map((row) => row.labels['tier'])).toEqual(['canary', 'canary', 'canary', 'canary']);
  on.hub.commit({ 'README.md': 'words' }, 'words');
  await on.hub.push();
  await on.hub.eventually(async () => {
    const rows = await on.db.selectFrom('tracked_revisions').select('message').execute();
    expect(rows.map((row) => row.message)).toContain('words');
  });
  await on.settled();
  expect((await on.rollouts()).map((one) => [one.id, one.phase])).toEqual([[id, 'running']]);
  expect(await on.states()).toEqual(before);
  await on.report('a');
  await on.pass(11 * MINUTE);
  expect(await on.states()).toMatchObject({ a: 'done', b: 'assigned', d: 'waiting' });
});

test('a cluster that leaves the set meanwhile drops out, and the others go on', async () => {
  await everywhere();
  const set = setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' });
  Object.assign(set.spec, {
    generators: [{ clusters: { selector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] } } }],
  });
  await on.hub.apply([set]);
  await on.settled();
  await on.commit('second');
  const { id } = await on.rollout();
  const cluster = await on.db
    .selectFrom('clusters')
    .select('id')
    .where('name', '=', 'd')
    .executeTakeFirstOrThrow();
  await on.db.updateTable('clusters').set({ labels: '{}' }).where('id', '=', cluster.id).execute();
  await on.expandAll();
  // All that the cluster has of it: that waits for an approval.
  await on.get(SetRemovals).approveDeletions(systemActor, 'argocd', 'web');
  await on.hub.eventually(async () => {
    await on.look();
    expect(await on.states()).toMatchObject({ a: 'assigned', b: 'waiting', c: 'waiting', d: 'gone' });
  });
  expect((await on.rollouts()).map((one) => [one.id, one.phase])).toEqual([[id, 'running']]);
  const holds = await on.db.selectFrom('target_holds').select('reason').execute();
  expect(holds.map(({ reason }) => reason).filter((reason) => reason.includes('joined'))).toEqual([]);
});

test('a newer commit that leaves the canary as it is has it proven all the same, before the rest follows', async () => {
  const set = setOverClusters(on.hub, {});
  set.spec.template.spec.source.path = 'web/{{metadata.labels.tier}}';
  const commit = async (files: Record<string, string>, message: string) => {
    on.hub.commit(files, message);
    await on.hub.push();
    await on.hub.eventually(async () => {
      const rows = await on.db.selectFrom('releases').select('message').execute();
      expect(rows.map((row) => row.message)).toContain(message);
    });
    await on.settled();
  };
  on.hub.commit({ 'web/canary/a.yaml': configMap('1'), 'web/rest/a.yaml': configMap('1') }, 'first of both');
  await on.hub.apply([set]);
  for (const name of NAMES) await on.hub.assignment(name, `web-${name}`);
  for (const name of NAMES) await on.report(name);
  set.metadata.annotations = { 'muster.dev/rollout-policy': 'careful' };
  await on.hub.apply([careful, set]);
  await on.settled();
  const [proven, ...rest] = await on.digests(...NAMES);
  await commit({ 'web/canary/a.yaml': configMap('2'), 'web/rest/a.yaml': configMap('2') }, 'second');
  await on.report('a');
  await on.pass(5 * MINUTE);
  const [canary] = await on.digests('a');
  await commit({ 'web/rest/a.yaml': configMap('3') }, 'only the rest');
  expect((await on.rollouts()).map(({ phase }) => phase)).toEqual(['superseded', 'running']);
  // Nobody reports it again: what is known counts, and its soak begins anew.
  await on.hub.eventually(async () =>
    expect(await on.states()).toMatchObject({ a: 'healthy', b: 'waiting' }),
  );
  expect(await on.digests(...NAMES)).toEqual([canary, ...rest]);
  await on.pass(9 * MINUTE);
  expect(await on.digests('b', 'c', 'd')).toEqual(rest);
  await on.pass(2 * MINUTE);
  expect(await on.states()).toEqual({ a: 'done', b: 'assigned', c: 'assigned', d: 'waiting' });
  await on.report('b', 'Degraded');
  expect((await on.rollout()).phase).toBe('rolling-back');
  await on.settled();
  expect(await on.digests('b', 'c', 'd')).toEqual(rest);
  expect(await on.digests('a')).toEqual([proven]);
});

test('a set that is deleted meanwhile ends its rollout', async () => {
  await everywhere();
  await on.commit('second');
  await on.db
    .updateTable('application_sets')
    .set({ deleting_at: new Date(), deleting_approved: true })
    .execute();
  await on.expandAll();
  await on.hub.eventually(async () => expect((await on.rollout()).phase).not.toBe('running'));
});

test('RollingSync of a set goes the same way', async () => {
  await on.hub.apply([
    setOverClusters(
      on.hub,
      {},
      {
        strategy: {
          type: 'RollingSync',
          rollingSync: {
            steps: [
              { matchExpressions: [{ key: 'tier', operator: 'In', values: ['canary'] }] },
              { matchExpressions: [{ key: 'tier', operator: 'In', values: ['rest'] }], maxUpdate: '40%' },
            ],
          },
        },
      },
    ),
  ]);
  await on.hub.assignment('a', 'web-a');
  await on.settled();
  expect(await on.digests('b', 'c', 'd')).toEqual([undefined, undefined, undefined]);
  await on.report('a', 'Degraded');
  expect(await on.states()).toMatchObject({ a: 'applied', b: 'waiting' });
  await on.report('a');
  expect(await on.states()).toEqual({ a: 'done', b: 'assigned', c: 'waiting', d: 'waiting' });
});

test('a step that is repeated changes nothing, and a newer epoch holds what was held', async () => {
  await everywhere();
  const first = await on.digests(...NAMES);
  await on.commit('second');
  const digests = await on.digests(...NAMES);
  const log = () => on.db.selectFrom('rollout_log').select(['rollout_id', 'seq']).execute();
  const before = await log();
  for (let again = 0; again < 3; again++) await on.look();
  expect(await log()).toEqual(before);
  await on.db.updateTable('hub_state').set({ epoch: 7 }).execute();
  await on.assignAll();
  await on.settled();
  expect(await on.digests(...NAMES)).toEqual(digests);
  expect((await on.held('b'))?.epoch).toBe(7n);
  expect(digests.slice(1)).toEqual(first.slice(1));
  await on.report('a');
  expect(await on.states()).toMatchObject({ a: 'healthy' });
});
