import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { RolloutFixture, configMap, policy, setOverClusters } from './rollouts.fixture.ts';
import { RolloutReads } from './reads/rollout-reads.service.ts';
import { RolloutsService } from './rollouts.service.ts';

const NAMES = ['dev', 'staging', 'prod'];

/** dev, staging and prod as stages over one branch. */
const environments = (more: object = {}, prod: object = {}) =>
  policy('environments', {
    stages: NAMES.map((name) => ({
      name,
      clusters: { matchLabels: { env: name } },
      ...(name === 'prod' ? { production: true, ...prod } : {}),
    })),
    ...more,
  });

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-environments-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { env: name });
  on.hub.commit({ 'web/a.yaml': configMap('first'), 'web/old.yaml': other('old') }, 'first');
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

function other(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop }\n`;
}

async function everywhere(applied: ReturnType<typeof policy>) {
  await on.everywhere(NAMES);
  await on.hub.apply([applied, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'environments' })]);
  await on.settled();
}

async function detail() {
  return on.get(RolloutReads).get(systemActor, (await on.rollout()).id, { targets: 100 });
}

const approver: Actor = { kind: 'user', name: 'ada', grants: [{ role: 'approver', project: '*' }] };

test('environments are stages of one policy, with an approval before production', async () => {
  await everywhere(environments({}, { gates: [{ name: 'sign-off', at: 'entry', approval: {} }] }));
  await on.commit('second');
  expect(await on.states()).toEqual({ dev: 'assigned', staging: 'waiting', prod: 'waiting' });
  await on.report('dev');
  expect(await on.states()).toMatchObject({ dev: 'done', staging: 'assigned', prod: 'waiting' });
  await on.report('staging');
  expect((await detail()).waitingFor).toMatchObject([{ what: 'approval' }]);
  const { id } = await on.rollout();
  await on.get(RolloutsService).ask(approver, id, { verb: 'approve', reason: 'looks good' });
  await on.settled();
  expect(await on.states()).toMatchObject({ prod: 'assigned' });
  await on.report('prod');
  expect((await on.rollout()).phase).toBe('completed');
});

test('a release that prunes waits before production, also where the policy has no gate, and says what goes', async () => {
  await everywhere(environments());
  on.hub.commit({ 'web/old.yaml': null }, 'without old');
  await on.commit('second');
  await on.report('dev');
  await on.report('staging');
  expect(await on.states()).toMatchObject({ staging: 'done', prod: 'waiting' });
  const { lines, progress } = await detail();
  expect(lines.join('\n')).toContain('in prod it removes 1 object: ConfigMap shop/old');
  expect(progress[2]).toMatchObject({ removes: { count: 1, names: ['/ConfigMap/shop/old'] } });
  await on.get(RolloutsService).ask(approver, (await on.rollout()).id, { verb: 'approve', reason: 'known' });
  await on.settled();
  expect(await on.states()).toMatchObject({ prod: 'assigned' });
});

test('nobody is asked where nothing goes, or where the policy waives it', async () => {
  await everywhere(environments());
  await on.commit('second');
  for (const name of NAMES) await on.report(name);
  expect((await on.rollout()).phase).toBe('completed');
  await on.hub.apply([environments({ pruneApproval: 'waived' })]);
  on.hub.commit({ 'web/old.yaml': null }, 'without old');
  await on.commit('third');
  for (const name of NAMES) await on.report(name);
  expect((await on.rollout()).phase).toBe('completed');
});

test('what earlier versions of the hub rendered is looked into', async () => {
  await everywhere(environments());
  await on.db.deleteFrom('bundle_inventories').execute();
  on.hub.commit({ 'web/old.yaml': null }, 'without old');
  await on.commit('second');
  await on.report('dev');
  await on.report('staging');
  expect(await on.states()).toMatchObject({ prod: 'waiting' });
});
