import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FactsRepository } from './facts.repository.ts';
import { RolloutsService } from './rollouts.service.ts';
import { systemActor } from '../access/actor.ts';
import { RolloutFixture, policy, setOverClusters } from './rollouts.fixture.ts';

const NAMES = ['a', 'b', 'c'];
/** All at once, and healthy for a while. */
const together = policy('together', {
  defaults: { soak: '10m', deadline: '1h' },
  stages: [{ name: 'all' }],
});

let folder: string;
let on: RolloutFixture;
/** The targets that each step looked at; undefined: all of them. */
let looked: (string[] | undefined)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-rollout-news-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, {});
  await on.first(NAMES);
  await on.hub.apply([together, setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'together' })]);
  await on.commit('second');
  const facts = on.get(FactsRepository);
  const whole = facts.facts.bind(facts);
  looked = [];
  vi.spyOn(facts, 'facts').mockImplementation((trx, id, some) => {
    looked.push(some && [...some]);
    return whole(trx, id, some);
  });
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a step looks at the targets of which something was heard, and at all of them for any other reason', async () => {
  await on.look();
  expect(looked).toEqual([undefined]);
  await on.report('a', 'Progressing');
  await on.report('b');
  expect(looked.slice(1)).toEqual([['argocd/web-a@a'], ['argocd/web-b@b']]);
  expect(await on.states()).toEqual({ a: 'applied', b: 'healthy', c: 'assigned' });
  await on.disconnect('c');
  await on.settled();
  expect(looked.at(-1)).toBeUndefined();
  looked.length = 0;
  await on.report('a');
  await on.pass(11 * 60_000);
  expect(looked).toEqual([['argocd/web-a@a'], undefined]);
  expect(await on.states()).toEqual({ a: 'done', b: 'done', c: 'assigned' });
});

test('an agent that went without a word is noticed by whatever step comes next', async () => {
  await on.look();
  await on.report('b');
  await sql`update clusters set last_seen_at = now() - interval '2 hours' where name = 'b'`.execute(on.db);
  await on.report('a');
  expect(looked.at(-1)).toEqual(['argocd/web-a@a']);
  const rows = await on.db
    .selectFrom('rollout_targets')
    .select(['target_id', 'connected'])
    .where('live', '=', true)
    .execute();
  expect(rows.find((row) => row.target_id === 'argocd/web-b@b')?.connected).toBe(false);
});

test('what was heard while a step ran is all that the next one looks at', async () => {
  await on.look();
  looked.length = 0;
  const locked = Promise.withResolvers<void>();
  const free = Promise.withResolvers<void>();
  const holding = on.db.transaction().execute(async (trx) => {
    await sql`select from application_sets for update`.execute(trx);
    locked.resolve();
    await free.promise;
  });
  await locked.promise;
  const reports = [on.report('a')];
  await on.hub.eventually(async () => {
    const { rows } = await sql`select from pg_stat_activity
      where wait_event_type = 'Lock' and query like '%application_sets%' and datname = current_database()`.execute(
      on.db,
    );
    expect(rows).toHaveLength(1);
  });
  reports.push(on.report('b'));
  const { generation } = (await on.held('b'))!;
  await on.hub.eventually(async () => {
    const stored = await on.db.selectFrom('target_status').select('applied_generation').execute();
    expect(stored).toContainEqual({ applied_generation: generation });
  });
  free.resolve();
  await Promise.all([holding, ...reports]);
  expect(looked).toEqual([['argocd/web-a@a'], ['argocd/web-b@b']]);
});

test('what an agent said of what it holds counts when its target is tried again: it does not say so twice', async () => {
  const stop = policy('together', {
    defaults: { soak: '10m', deadline: '1h', onFailure: 'stop' },
    stages: [{ name: 'all' }],
  });
  await on.hub.apply([stop]);
  await on.commit('third');
  for (const name of ['b', 'c']) await on.report(name);
  await on.report('a', 'Degraded');
  expect((await on.rollout()).phase).toBe('failed');
  const before = await on.held('a');
  await on.report('a');
  expect(await on.states()).toMatchObject({ a: 'failed' });
  const { id } = await on.rollout();
  await on.get(RolloutsService).ask(systemActor, id, { verb: 'retry', reason: 'it was cured' });
  await on.settled();
  expect((await on.held('a'))?.generation).toBe(before?.generation);
  expect(await on.states()).toEqual({ a: 'healthy', b: 'healthy', c: 'healthy' });
});
