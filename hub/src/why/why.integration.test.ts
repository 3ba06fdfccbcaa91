import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WhyView } from '@muster/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { ApplicationActions } from '../applications/application-actions.service.ts';
import { application } from '../applications/pipeline.fixture.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts/rollouts.fixture.ts';
import { RolloutsService } from '../rollouts/rollouts.service.ts';
import { WhyService } from './why.service.ts';

const NAMES = ['a', 'b', 'c'];
const MINUTE = 60_000;

const careful = policy('careful', {
  defaults: { soak: '10m', deadline: '5m' },
  stages: [
    { name: 'canary', clusters: { matchLabels: { tier: 'canary' } } },
    {
      name: 'rest',
      gates: [{ name: 'sign-off', at: 'entry', approval: { count: 1, groups: ['owners'], expires: '1h' } }],
    },
  ],
});

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-why-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  on.hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n' }, 'first');
  await on.hub.apply([setOverClusters(on.hub, {})]);
  for (const name of NAMES) await on.hub.assignment(name, `web-${name}`);
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const why = (name: string, cluster?: string, actor: Actor = systemActor): Promise<WhyView> =>
  on.get(WhyService).why(actor, 'argocd', name, cluster === undefined ? {} : { cluster });
const kinds = ({ links }: WhyView) => links.map(({ kind }) => kind);

async function acknowledge(): Promise<void> {
  await on.db
    .updateTable('assignments')
    .set({ acked_at: new Date() })
    .where('acked_at', 'is', null)
    .execute();
}

async function everywhere(): Promise<void> {
  await acknowledge();
  for (const name of NAMES) await on.report(name);
}

test('nothing blocks what is synced and healthy: it says at which release and since when', async () => {
  expect(kinds(await why('web-a'))).toEqual(['delivery']);
  await everywhere();
  const well = await why('web-a');
  expect(well).toMatchObject({ blocked: false, links: [], cluster: 'a', set: 'argocd/web' });
  expect(well.headline).toMatch(/^nothing: synced and healthy at release 1 \(.*\).*, since .*Z$/);
  expect(await why('web')).toMatchObject({
    kind: 'set',
    blocked: false,
    headline: 'nothing: all 3 are synced and healthy',
    targets: { total: 3, blocked: 0, groups: [] },
  });
  // The one of a set in a cluster, and what is not there.
  expect(await why('web', 'b')).toMatchObject({ kind: 'application', of: 'argocd/web-b' });
  await expect(why('web', 'else')).rejects.toMatchObject({ code: 'not-found' });
  await expect(why('web-a', 'b')).rejects.toThrow('it is in a');
  await expect(why('else')).rejects.toMatchObject({ code: 'not-found' });
  const elsewhere: Actor = {
    kind: 'user',
    name: 'eve',
    grants: [{ role: 'viewer', project: 'shop' }],
  } as never;
  await expect(why('web-a', undefined, elsewhere)).rejects.toMatchObject({ code: 'not-found' });
  await expect(why('web', undefined, elsewhere)).rejects.toMatchObject({ code: 'not-found' });
});

test('a target of a later stage waits for the stage before it, then for its own approval', async () => {
  await everywhere();
  await on.hub.apply([careful, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' })]);
  await on.settled();
  await on.commit('second');
  const waiting = await why('web-b');
  expect(kinds(waiting)).toEqual(['delivery', 'stage']);
  expect(waiting.links[0]!.text).toMatch(/^release 2 \(.*\): argocd\/web-a in a to apply it$/);
  expect(waiting.links[1]!.text).toContain('stage canary goes before its stage rest');
  await acknowledge();
  await on.report('a');
  expect(kinds(await why('web-a'))).toEqual(['soak']);
  await on.pass(11 * MINUTE);
  const asked = await why('web-b');
  expect(kinds(asked)).toEqual(['approval']);
  expect(asked.links[0]).toMatchObject({
    command: 'muster rollout approve argocd/web --reason "…"',
    who: 'an approver of project default in owners',
  });
  expect(asked.links[0]!.until).toBeDefined();
  const set = await why('web');
  expect(kinds(set)).toEqual(['approval']);
  expect(set.targets).toMatchObject({ total: 3, blocked: 2, groups: [{ kind: 'approval', count: 2 }] });
  // An agent that is away as well is named after what has to happen first.
  await on.db
    .updateTable('clusters')
    .set({ last_seen_at: new Date(Date.now() - 2 * 3_600_000) })
    .where('name', '=', 'b')
    .execute();
  expect(kinds(await why('web-b'))).toEqual(['approval', 'agent']);
  // Who orders something of it is told that nobody hears it.
  const ordered = await on.get(ApplicationActions).terminate(systemActor, 'argocd', 'web-b');
  expect(ordered).toMatchObject({ silent: { cluster: 'b' } });
  expect(await on.get(ApplicationActions).terminate(systemActor, 'argocd', 'web-c')).not.toHaveProperty(
    'silent',
  );
  await on.get(RolloutsService).ask(systemActor, (await on.rollout()).id, { verb: 'pause', reason: 'lunch' });
  expect(kinds(await why('web-c'))).toEqual(['paused', 'approval']);
});

test('a release that was taken back is held, and says how it is tried again', async () => {
  await everywhere();
  await on.hub.apply([careful, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'careful' })]);
  await on.settled();
  await on.commit('broken');
  await acknowledge();
  await on.report('a', 'Degraded');
  await acknowledge();
  await on.report('a');
  expect((await on.rollout()).phase).toBe('rolled-back');
  const held = await why('web-a');
  expect(kinds(held)).toEqual(['held']);
  expect(held.links[0]).toMatchObject({ command: 'muster rollout retry argocd/web --reason "…"' });
  expect(held.links[0]!.text).toMatch(/^release 2 .* is held back, its rollout is rolled-back/);
});

test('a missing policy, a source that cannot be read, a render error and a set that cannot be expanded say so', async () => {
  await everywhere();
  await on.hub.apply([setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'missing' })]);
  await on.settled();
  await on.commit('second');
  expect(kinds(await why('web-a'))).toEqual(['policy']);
  expect(kinds(await why('web'))).toEqual(['policy']);
  await on.hub.apply([setOverClusters(on.hub, {})]);
  on.hub.commit({ 'web/a.yaml': 'kind: {{ nonsense' }, 'broken');
  await on.hub.push();
  await on.hub.eventually(async () => expect(kinds(await why('web-b'))).toContain('render'));
  await on.db.updateTable('tracked_revisions').set({ error: 'no such branch' }).execute();
  expect((await why('web-b')).links[0]).toMatchObject({ kind: 'source' });
  const broken = setOverClusters(
    on.hub,
    {},
    {
      generators: [
        { git: { repoURL: `${on.hub.url}-none`, revision: 'main', directories: [{ path: '*' }] } },
      ],
    },
  );
  await on.hub.apply([broken]);
  await on.hub.eventually(async () => expect(kinds(await why('web-b'))[0]).toBe('expansion'));
});

test('an Application that was applied directly says itself that its policy is missing', async () => {
  const alone = application(on.hub, 'alone', 'web', { destination: { name: 'a', namespace: 'alone' } });
  const annotations = { 'muster.dev/rollout-policy': 'missing' };
  await on.hub.apply([{ ...alone, metadata: { name: 'alone', annotations } }]);
  await on.hub.eventually(async () => {
    const { conditions } = await on.hub.app('alone');
    expect(conditions.map(({ type }) => type)).toContain('RolloutPolicy');
  });
  expect(kinds(await why('alone'))).toEqual(['policy']);
});
