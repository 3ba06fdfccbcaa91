import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RolloutFixture, policy, setOverClusters } from './rollouts.fixture.ts';

const NAMES = ['a', 'b', 'c'];
const MINUTE = 60_000;

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-rollout-syncs-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name);
  on.hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n' }, 'first');
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A set whose agents sync nothing by themselves, rolled out by stages. */
async function byHand(stages: Record<string, unknown>[]): Promise<void> {
  const set = setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'staged' });
  set.spec.template.spec.syncPolicy = {} as never;
  await on.hub.apply([policy('staged', { defaults: { soak: '10m', deadline: '5m' }, stages }), set]);
  await on.hub.assignment('a', 'web-a');
  await on.settled();
}

function commands() {
  return on.db
    .selectFrom('commands')
    .select(['verb', 'actor', 'application_name'])
    .orderBy('application_name')
    .execute();
}

const ofWeb = (name: string) => ({ verb: 'sync', actor: 'rollout', application_name: `web-${name}` });

test('its turn is the sync of a target whose agent syncs nothing by itself', async () => {
  await byHand([{ name: 'canary', take: 1 }, { name: 'rest' }]);
  expect(await commands()).toEqual([]);
  await on.holds('a');
  await on.look();
  expect(await commands()).toEqual([ofWeb('a')]);
  await on.report('a');
  expect(await on.states()).toMatchObject({ a: 'healthy', b: 'waiting' });
});

test('an agent that accepts no syncs holds up nobody but itself, and fails at its deadline', async () => {
  await sql`update clusters set facts = '{"limits": {"verbs": ["diff"]}}' where name = 'b'`.execute(on.db);
  await byHand([{ name: 'all', failureBudget: 1 }]);
  for (const name of NAMES) await on.holds(name);
  await on.look();
  expect(await commands()).toEqual([ofWeb('a'), ofWeb('c')]);
  for (const name of ['a', 'c']) await on.report(name);
  expect(await on.states()).toEqual({ a: 'healthy', b: 'assigned', c: 'healthy' });
  await on.pass(6 * MINUTE);
  expect(await on.states()).toMatchObject({ b: 'failed' });
});
