import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, type Redis, startHub, startRedis } from '../src/index.ts';
import { type Behaviour, behaviourOf } from './behaviour.ts';
import { violations } from './promises.ts';
import { HUB_ENV, RolloutScenario, clustersOf } from './rollout-scenario.ts';
import type { Seen } from './simulated-agent.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

const AGENTS = 24;
/** One set each: what goes wrong in it is drawn by its number. */
const SEEDS = 5;
const SLOTS = [2, 4, 6];
const SOAK_MS = 400;
const DEADLINE_MS = 25_000;

const policy = {
  defaults: { soak: `${SOAK_MS}ms`, deadline: `${DEADLINE_MS}ms`, onFailure: 'rollback-all' },
  stages: [
    { name: 'canary', take: '10%', maxConcurrent: SLOTS[0] },
    { name: 'some', take: '40%', maxConcurrent: SLOTS[1], failureBudget: 1 },
    { name: 'rest', maxConcurrent: SLOTS[2], failureBudget: 1 },
  ],
};

let dir: string;
let hub: Hub;
let redis: Redis | undefined;
let fleet: SimulatedFleet;
let scenario: RolloutScenario;
/** What was seen since the commit, in order. */
const seen: Seen[] = [];
const proven = new Set<string>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-simulator-'));
  const isRedis = process.env.MUSTER_TEST_QUEUE === 'redis';
  redis = isRedis ? await startRedis({ dir: join(dir, 'redis') }) : undefined;
  const env = { ...HUB_ENV, MUSTER_LEASE_SECONDS: '3', ...(redis ? { REDIS_URL: redis.url } : {}) };
  hub = await startHub({ dir: join(dir, 'hub'), env });
  fleet = await SimulatedFleet.start({
    hub,
    clusters: clustersOf(AGENTS),
    behaviour: bySeed,
    seed: 1,
    skewMs: 10 * 60_000,
    observe: (one) => seen.push(one),
  });
  scenario = await RolloutScenario.create(hub, fleet, { sets: SEEDS, groups: 1 });
});
afterAll(async () => {
  await fleet?.stop();
  await scenario?.close();
  await hub?.stop();
  await redis?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Whatever was proven works again; of what is new, some of it does not, and agents fall silent with it. */
const bySeed: Behaviour = (trial) => {
  if (proven.size === 0 || proven.has(trial.digest)) return behaviourOf(0)(trial);
  const number = Number(/app-(\d+)-/.exec(trial.application)![1]);
  // Two sets in which nothing is broken for good, and three in which some targets are.
  const broken = number < 2 ? 0 : 0.04;
  return behaviourOf(number, { silent: 0.1, flapping: 0.1, degraded: broken, stuck: broken })(trial);
};

/** By `cluster application`. */
const digests = () =>
  new Map<string, string>(
    [...fleet.agents.values()].flatMap((agent) =>
      [...agent.held].map(
        ([key, { assignment }]) => [`${agent.name} ${key}`, assignment.bundleDigest] as const,
      ),
    ),
  );

describe('rollouts over agents that fail, fall silent and reconnect, seen from the clusters', () => {
  it('keep their promises for every seed', async () => {
    await scenario.apply();
    await scenario.settled(AGENTS * SEEDS);
    const before = digests();
    for (const digest of before.values()) proven.add(digest);
    await scenario.apply(policy);
    await scenario.settled(AGENTS * SEEDS);
    expect(digests()).toEqual(before);
    seen.length = 0;
    const commit = await scenario.commit();
    const over = new AbortController();
    const trouble = disturb(over.signal);
    const ended = await scenario.ended(commit);
    over.abort();
    await trouble;
    expect(seen.filter((one) => one.kind === 'refused')).toEqual([]);
    expect(ended).toHaveLength(SEEDS);
    for (const { id, phase, digest } of ended) await promised(id, phase, digest, before);
    // Seeds were chosen so that both ends are seen.
    expect(new Set(ended.map(({ phase }) => phase))).toEqual(new Set(['completed', 'rolled-back']));
  });
});

/** Cuts connections and restarts agents until the signal. */
async function disturb(signal: AbortSignal): Promise<void> {
  const names = [...fleet.agents.keys()];
  for (let round = 0; !signal.aborted; round++) {
    await sleep(1_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    fleet.storm(`storm ${round}`, 0.2, 500);
    await fleet.agent(names[(7 * round) % names.length]!).restart();
  }
}

/** Nothing was too early or too much, and every cluster ends with exactly what it should hold. */
async function promised(id: string, phase: string, digest: string, before: Map<string, string>) {
  const targets = await scenario.targets(id);
  const rules = { digest, slots: SLOTS, soakMs: SOAK_MS, deadlineMs: DEADLINE_MS };
  expect(violations(seen, targets, rules)).toEqual([]);
  const keys = targets.map(({ cluster, application }) => `${cluster} ${application}`);
  const after = digests();
  expect(['completed', 'rolled-back']).toContain(phase);
  expect(keys.map((key) => [key, after.get(key)])).toEqual(
    keys.map((key) => [key, phase === 'completed' ? digest : before.get(key)]),
  );
}
