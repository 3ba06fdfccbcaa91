import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, type Redis, eventually, startHub, startRedis } from '../src/index.ts';
import type { Behaviour, Conduct } from './behaviour.ts';
import { RolloutRows } from './rollout-rows.ts';
import { HUB_ENV, RolloutScenario, clustersOf } from './rollout-scenario.ts';
import { SimulatedFleet } from './simulated-fleet.ts';
import type { Rows } from './story-outcome.ts';

/** Short, as it is waited for, and long enough for a busy machine to get from a release to the kill within it. */
const SOAK_SECONDS = 10;
const timed = {
  superseding: 'queue',
  stages: [{ name: 'all', deadline: '15s', soak: `${SOAK_SECONDS}s` }],
};
const AGENTS = 4;
const OWNER = 'argocd/app-0';

let dir: string;
let env: Record<string, string>;
let hub: Hub;
let redis: Redis | undefined;
let fleet: SimulatedFleet;
let scenario: RolloutScenario;
let rows: RolloutRows;
/** Clusters that take their time. */
const slow = new Map<string, Partial<Conduct>>();
const AN_HOUR = 3_600_000;

const behaviour: Behaviour = ({ cluster }) => ({
  outcome: 'healthy',
  applyMs: 500,
  settleMs: 800,
  awayMs: 0,
  ...slow.get(cluster),
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-outages-'));
  const isRedis = process.env.MUSTER_TEST_QUEUE === 'redis';
  redis = isRedis ? await startRedis({ dir: join(dir, 'redis') }) : undefined;
  env = { ...HUB_ENV, MUSTER_LEASE_SECONDS: '12', ...(redis ? { REDIS_URL: redis.url } : {}) };
  hub = await startHub({ dir: join(dir, 'hub'), env });
  fleet = await SimulatedFleet.start({ hub, clusters: clustersOf(AGENTS), behaviour, seed: 1 });
  scenario = await RolloutScenario.create(hub, fleet, { sets: 1, groups: 1 });
  rows = new RolloutRows(hub);
  await scenario.apply();
  await scenario.settled(AGENTS);
  await scenario.close();
});
afterAll(async () => {
  await fleet?.stop();
  await rows?.close();
  await hub?.stop();
  await redis?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** SIGKILL, and a new process on the same data once `away` is over. */
async function killHub(away: () => Promise<unknown>): Promise<void> {
  await hub.kill();
  await away();
  hub = await startHub({ dir: hub.dir, env });
}

/** Decided again it comes to the same, and nobody was given anything twice. */
async function onceEach({ rollout }: Rows): Promise<void> {
  const replay = await fleet.client.rollouts.replay(rollout.id);
  expect(replay).toMatchObject({ same: true, differences: [] });
  for (const state of ['assigned', 'restoring']) {
    const came = replay.transitions.filter(
      ({ subject, to }) => subject.startsWith('target/') && to === state,
    );
    expect(new Set(came.map(({ subject }) => subject)).size, state).toBe(came.length);
  }
}

describe('a hub that is away for longer than a deadline', () => {
  it('makes nobody miss it, and nothing soak', async () => {
    await scenario.apply(timed);
    slow.set('sim-0000', { applyMs: AN_HOUR });
    slow.set('sim-0001', { settleMs: AN_HOUR });
    const commit = await scenario.commit();
    const wanted = ['assigned', 'applied', 'healthy', 'healthy'];
    const statesOf = ({ targets }: Rows) => targets.map(({ state }) => state as string);
    const busy = await rows.reach(OWNER, commit, {
      name: 'its targets are busy',
      is: (at) => String(statesOf(at)) === String(wanted),
    });
    const due = Math.max(...busy.targets.map(({ dueAt }) => dueAt ?? 0));
    let [from, until] = [0, 0];
    await killHub(async () => {
      from = Date.now();
      await eventually(() => Date.now() > due, { what: 'the deadlines to pass' });
      until = Date.now();
    });
    // As new processes they dial at once.
    await Promise.all([...fleet.agents.values()].map((agent) => agent.restart()));
    const told = await rows.reach(OWNER, commit, {
      name: 'it knows of the outage',
      is: ({ targets }) => targets.every(({ dueAt }) => dueAt === null || dueAt > due),
    });
    expect(statesOf(told).slice(0, 2)).toEqual(wanted.slice(0, 2));
    slow.clear();
    for (const name of ['sim-0000', 'sim-0001']) {
      const { held: assigned, cluster } = fleet.agent(name);
      for (const [key, one] of assigned) cluster.reconcile(key, one);
    }
    const ended = await rows.reach(OWNER, commit, {
      name: 'it is complete',
      is: ({ rollout }) => rollout.phase === 'completed',
    });
    await onceEach(ended);
    const { transitions } = await fleet.client.rollouts.replay(ended.rollout.id);
    expect(transitions.filter(({ to }) => to === 'failed')).toEqual([]);
    for (const { id } of busy.targets) {
      const last = (state: string) =>
        Date.parse(transitions.findLast(({ subject, to }) => subject === `target/${id}` && to === state)!.at);
      const [healthy, done] = [last('healthy'), last('done')];
      const away = healthy < from ? until - from : 0;
      expect(done - healthy - away, id).toBeGreaterThanOrEqual(SOAK_SECONDS * 1000);
    }
  });
});
