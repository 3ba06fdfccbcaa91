import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HubClient } from '@muster/api/client';
import { Redis as RedisClient } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, type Redis, eventually, startHub, startRedis } from '../src/index.ts';
import type { Behaviour, Conduct } from './behaviour.ts';
import { type Edge, RolloutRows, type Rows, hasCome, outcomeOf } from './rollout-edges.ts';
import { HUB_ENV, RolloutScenario, clustersOf } from './rollout-scenario.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

/** A canary; two of the others one after another, when somebody has approved; the rest. */
const policy = {
  superseding: 'queue',
  defaults: { soak: '1500ms', deadline: '60s', maxConcurrent: 1 },
  stages: [
    { name: 'canary', take: 1 },
    { name: 'some', take: 2, gates: [{ name: 'go', approval: { count: 1 } }] },
    { name: 'rest' },
  ],
  rollback: { maxConcurrent: 1 },
};
/** What is rejected stops it, and nothing goes back. */
const stopping = {
  superseding: 'queue',
  defaults: { soak: '0s', deadline: '60s', onFailure: 'stop' },
  stages: [
    { name: 'canary', take: 1 },
    { name: 'rest', gates: [{ name: 'go', approval: { count: 1 } }] },
  ],
};
/** The deadline is short, and long enough for agents to come back in it. */
const SOAK_SECONDS = 4;
const timed = {
  superseding: 'queue',
  stages: [{ name: 'all', deadline: '10s', soak: `${SOAK_SECONDS}s` }],
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
/** What works everywhere; anything else is Degraded in the second cluster while `isBad`. */
const proven = new Set<string>();
let isBad = false;
/** Clusters that take their time. */
const slow = new Map<string, Partial<Conduct>>();
const AN_HOUR = 3_600_000;

/** Slow enough for each state to be seen in the rows. */
const behaviour: Behaviour = ({ cluster, digest }) => ({
  outcome: isBad && cluster === 'sim-0001' && !proven.has(digest) ? 'degraded' : 'healthy',
  applyMs: 500,
  settleMs: 800,
  awayMs: 0,
  ...slow.get(cluster),
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-edges-'));
  const isRedis = process.env.MUSTER_TEST_QUEUE === 'redis';
  redis = isRedis ? await startRedis({ dir: join(dir, 'redis') }) : undefined;
  env = { ...HUB_ENV, MUSTER_LEASE_SECONDS: '12', ...(redis ? { REDIS_URL: redis.url } : {}) };
  hub = await startHub({ dir: join(dir, 'hub'), env });
  fleet = await SimulatedFleet.start({ hub, clusters: clustersOf(AGENTS), behaviour, seed: 1 });
  scenario = await RolloutScenario.create(hub, fleet, { sets: 1, groups: 1 });
  rows = new RolloutRows(hub);
  await scenario.apply();
  await scenario.settled(AGENTS);
  remember();
  await scenario.apply(policy);
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

/** What agents hold now works, and goes on to. */
function remember(): void {
  for (const agent of fleet.agents.values())
    for (const { assignment } of agent.held.values()) proven.add(assignment.bundleDigest);
}

/** SIGKILL, an empty queue where that is Redis, and a new process on the same data once `away` is over. */
async function killHub(away?: () => Promise<unknown>): Promise<void> {
  await hub.kill();
  await away?.();
  if (redis) {
    const client = new RedisClient(redis.url);
    await client.flushall();
    client.disconnect();
  }
  hub = await startHub({ dir: hub.dir, env });
}

const asks =
  (verb: 'approve' | 'reject' | 'retry' | 'abort' | 'pause' | 'resume') =>
  (client: HubClient, { rollout }: Rows) =>
    client.rollouts.ask(rollout.id, { verb, reason: 'because' });
const approve = asks('approve');
const stageAtLeast = (stage: number): Edge => ({
  name: `${stage} of its stages have passed`,
  is: ({ rollout }) => rollout.stage >= stage,
});
const gate = ({ rollout }: Rows) => rollout.stages[1]!.gates[0]!.status;
const isAsking: Edge = { name: 'its gate waits', is: (at) => gate(at) !== 'pending', next: approve };
const isComplete: Edge = { name: 'it is complete', is: ({ rollout }) => rollout.phase === 'completed' };

/**
 * Every place that a release comes through on its way. Agents go on while the hub is away, so each target is caught in one of
 * its states.
 */
const forward: Edge[] = [
  hasCome('sim-0000', 'assigned'),
  {
    name: 'its first stage soaks',
    is: ({ rollout }) => ['soaking', 'end', 'passed'].includes(rollout.stages[0]!.step),
  },
  stageAtLeast(1),
  isAsking,
  { name: 'its gate has passed', is: (at) => gate(at) === 'passed' },
  hasCome('sim-0002', 'applied'),
  stageAtLeast(2),
  hasCome('sim-0003', 'healthy'),
  isComplete,
];
/** And back: by the second cluster, so that two of them go, one after the other. */
const back: Edge[] = [
  isAsking,
  hasCome('sim-0001', 'reverting'),
  hasCome('sim-0000', 'restored'),
  hasCome('sim-0001', 'restoring'),
  hasCome('sim-0001', 'restored'),
  { name: 'it is taken back', is: ({ rollout }) => rollout.phase === 'rolled-back' },
];

const isRejecting: Edge = { ...isAsking, next: asks('reject') };
const hasFailed: Edge = { name: 'it has stopped', is: ({ rollout }) => rollout.phase === 'failed' };
/** Held by hand, rejected, tried again. */
const stopped: Edge[] = [
  { ...isAsking, next: asks('pause') },
  { name: 'it is paused', is: ({ rollout }) => rollout.paused !== null, next: asks('resume') },
  { name: 'it goes on', is: ({ rollout }) => rollout.paused === null, next: asks('reject') },
  { ...hasFailed, next: asks('retry') },
  {
    name: 'its gate waits again',
    is: (at) => gate(at) === 'open' && at.rollout.phase === 'running',
    next: approve,
  },
  isComplete,
];
/** Rejected and given up. */
const givenUp: Edge[] = [
  isRejecting,
  { ...hasFailed, next: asks('abort') },
  { name: 'it is aborted', is: ({ rollout }) => rollout.phase === 'aborted' },
];

/** Follows a commit along edges, does at each what it takes to go on, and answers what became of it. */
async function follow(commit: string, edges: readonly Edge[], disturb?: () => Promise<void>): Promise<Rows> {
  for (const edge of disturb ? edges : edges.filter(({ next }) => next)) {
    const at = await rows.reach(OWNER, commit, edge);
    await disturb?.();
    await edge.next?.(fleet.client, at);
  }
  const ended = await rows.reach(OWNER, commit, edges.at(-1)!);
  await fleet.allConnected();
  return ended;
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

/** What each cluster holds. */
const held = () =>
  [...fleet.agents.values()].map((agent) => [...agent.held.values()][0]!.assignment.bundleDigest);

describe('a hub that is killed at every edge of a rollout', () => {
  it('comes to where it would have come, on the way and on the way back', async () => {
    const calm = await follow(await scenario.commit(), forward);
    remember();
    const disturbed = await follow(await scenario.commit(), forward, killHub);
    expect(outcomeOf(disturbed)).toEqual(outcomeOf(calm));
    await onceEach(disturbed);
    remember();

    isBad = true;
    const before = held();
    const calmBack = await follow(await scenario.commit(), back);
    expect(held()).toEqual(before);
    const disturbedBack = await follow(await scenario.commit(), back, killHub);
    expect(outcomeOf(disturbedBack)).toEqual(outcomeOf(calmBack));
    expect(outcomeOf(calmBack)).toMatchObject({ phase: 'rolled-back', headHeld: true });
    await onceEach(disturbedBack);
    expect(held()).toEqual(before);
    isBad = false;
  });

  it('also while a release waits for its turn', async () => {
    const first = await scenario.commit();
    const asking = await rows.reach(OWNER, first, isAsking);
    const second = await scenario.commit();
    await rows.reach(OWNER, second, { name: 'it waits', is: ({ rollout }) => rollout.phase === 'pending' });
    await killHub();
    await approve(fleet.client, asking);
    await onceEach(await rows.reach(OWNER, first, isComplete));
    await approve(fleet.client, await rows.reach(OWNER, second, isAsking));
    await onceEach(await rows.reach(OWNER, second, isComplete));
  });

  it('also where it stops, is held by hand, tried again or given up', async () => {
    await scenario.apply(stopping);
    for (const edges of [stopped, givenUp]) {
      const calm = await follow(await scenario.commit(), edges);
      const disturbed = await follow(await scenario.commit(), edges, killHub);
      expect(outcomeOf(disturbed)).toEqual(outcomeOf(calm));
      await onceEach(disturbed);
    }
  });

  it('also for longer than a deadline: nobody has missed it, and nothing has soaked', async () => {
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
    const ended = await rows.reach(OWNER, commit, isComplete);
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
