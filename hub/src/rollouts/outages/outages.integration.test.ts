import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rollout, Target } from '@muster/rollout';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningHub, startHub } from '../../hub.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { OutagesRepository } from './outages.repository.ts';
import { RolloutsService } from '../rollouts.service.ts';
import { systemActor } from '../../access/actor.ts';

const NAMES = ['a', 'b'];
const MINUTE = 60_000;

let folder: string;
let on: RolloutFixture;
let again: RunningHub | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-outages-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: 'all' });
  await on.first(NAMES);
});
afterEach(async () => {
  await again?.stop();
  again = undefined;
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function goBy(stage: Record<string, unknown>): Promise<void> {
  const spec = { stages: [{ name: 'all', ...stage }] };
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
}

/** The target of a cluster, of the newest rollout. */
async function target(cluster: string): Promise<Target> {
  const { id } = await on.rollout();
  const rows = await on.db
    .selectFrom('rollout_targets')
    .select('data')
    .where('rollout_id', '=', id)
    .execute();
  return rows.map((row) => row.data as Target).find((one) => one.cluster === cluster)!;
}

/** The hub is stopped, so much time passes, and it is started again: what is written moves back by that time. */
async function away(ms: number): Promise<RolloutFixture> {
  const { db, config } = on.hub;
  const { id } = await on.rollout();
  await on.hub.running.stop();
  const ago = sql`make_interval(secs => ${ms / 1000}::float8)`;
  await sql`update hub_beats set beat_at = beat_at - ${ago}`.execute(db);
  await sql`update rollouts set wake_at = wake_at - ${ago}`.execute(db);
  await sql`update outbox set not_before = not_before - ${ago}, created_at = created_at - ${ago}`.execute(db);
  await sql`update rollout_log set at = at - ${ago}`.execute(db);
  const rollout = await db.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const earlier = (value: unknown) =>
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'number' && one > 1e12 ? one - ms : one));
  await db
    .updateTable('rollouts')
    .set({ state: earlier(rollout.state), begun: earlier(rollout.begun) })
    .where('id', '=', id)
    .execute();
  for (const row of await db.selectFrom('rollout_log').selectAll().where('rollout_id', '=', id).execute())
    await db
      .updateTable('rollout_log')
      .set({ events: earlier(row.events) })
      .where('rollout_id', '=', id)
      .where('seq', '=', row.seq)
      .execute();
  for (const row of await db.selectFrom('rollout_targets').selectAll().where('rollout_id', '=', id).execute())
    await db
      .updateTable('rollout_targets')
      .set({ data: earlier(row.data) })
      .where('rollout_id', '=', id)
      .where('target_id', '=', row.target_id)
      .execute();
  again = await startHub(config, pino({ level: 'fatal' }));
  return new RolloutFixture({ ...on.hub, running: again });
}

const rolloutOf = async (fixture: RolloutFixture): Promise<Rollout> => fixture.rollout();

test('a deadline that passed while no hub was there is not missed: the target has the time that was left', async () => {
  await goBy({ deadline: '10m' });
  await on.commit('second');
  const before = (await target('a')).dueAt!;
  const hub = await away(60 * MINUTE);
  await hub.look();
  expect(await hub.states()).toEqual({ a: 'assigned', b: 'assigned' });
  // Before, its time ended 10 minutes after the start; an hour of which nothing counts has passed since.
  const shift = async () => Math.abs((await target('a')).dueAt! - before);
  expect(await shift()).toBeLessThan(MINUTE);
  await hub.look();
  expect(await shift()).toBeLessThan(MINUTE);
  await hub.pass(11 * MINUTE);
  expect((await rolloutOf(hub)).phase).toBe('rolling-back');
  const { id } = await hub.rollout();
  const replay = await hub.get(RolloutsService).replay(systemActor, id);
  expect(replay).toMatchObject({ same: true });
});

test('a soak is not over because nobody was there to see it broken: the time counts for nothing', async () => {
  await goBy({ soak: '30m' });
  await on.commit('second');
  for (const name of NAMES) await on.report(name);
  await on.pass(20 * MINUTE);
  const hub = await away(60 * MINUTE);
  await hub.look();
  expect(await hub.states()).toEqual({ a: 'healthy', b: 'healthy' });
  await hub.pass(31 * MINUTE);
  expect((await rolloutOf(hub)).phase).toBe('completed');
});

test('a short restart costs nobody its time either', async () => {
  await goBy({ deadline: '10m' });
  await on.commit('second');
  const before = (await target('a')).dueAt!;
  // As long as it may take before it is an outage for a hub that is there.
  const hub = await away(10_000);
  await hub.look();
  expect((await target('a')).dueAt! - before).toBeGreaterThan(-5_000);
});

test('a hub that joins others ends no outage: there was none', async () => {
  const repository = on.get(OutagesRepository);
  const outages = () => on.db.selectFrom('hub_outages').selectAll().execute();
  expect(await repository.begin('hub', 0)).toBe(false);
  expect(await outages()).toEqual([]);
  // Made before the one that runs has listened: as if that were itself.
  expect(await repository.begin('hub', 60 * MINUTE)).toBe(true);
  expect(await outages()).toMatchObject([{ kind: 'hub' }]);
});
