import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EDGES } from '@muster/rollout';
import { Redis as RedisClient } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Hub, type Redis, startHub, startRedis } from '../src/index.ts';
import { STORIES } from './edge-stories.ts';
import { EdgeWatch } from './edge-watch.ts';
import { HUB_ENV } from './rollout-scenario.ts';
import { StoryFleet } from './story-fleet.ts';
import { StoryRun } from './story-run.ts';

// Many restarts: minutes on a machine that is busy with others.
vi.setConfig({ testTimeout: 600_000 });

let dir: string;
let env: Record<string, string>;
let hub: Hub;
let redis: Redis | undefined;
let on: StoryFleet;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-edges-'));
  const isRedis = process.env.MUSTER_TEST_QUEUE === 'redis';
  redis = isRedis ? await startRedis({ dir: join(dir, 'redis') }) : undefined;
  env = {
    ...HUB_ENV,
    // Nobody is given up while a hub starts: who is away has said so.
    MUSTER_LEASE_SECONDS: '120',
    MUSTER_DELETION_GRACE_SECONDS: '0',
    ...(redis ? { REDIS_URL: redis.url } : {}),
  };
  hub = await startHub({ dir: join(dir, 'hub'), env });
  // Never healthy, so that nothing is proven there.
  on = await StoryFleet.start(hub, STORIES, new Map([['failing-k', 'stuck']]));
});
afterAll(async () => {
  await on?.close();
  await hub?.stop();
  await redis?.stop();
  if (process.env.MUSTER_E2E_KEEP !== '1') await rm(dir, { recursive: true, force: true });
});

/** SIGKILL, and an empty queue where that is Redis. */
async function killHub(): Promise<void> {
  await hub.kill();
  if (!redis) return;
  const client = new RedisClient(redis.url);
  await client.flushall();
  client.disconnect();
}

/** A new process on the same data. */
async function startAgain(): Promise<void> {
  await on.withoutHub(async () => {
    hub = await startHub({ dir: hub.dir, env });
  });
}

/** Plays all of them side by side. */
async function play(): Promise<StoryRun[]> {
  return Promise.all(
    STORIES.map(async (story) => {
      const run = new StoryRun(on, story.name);
      await story.play(run);
      return run;
    }),
  );
}

const outcomes = async (runs: readonly StoryRun[]) =>
  Object.fromEntries(await Promise.all(runs.map(async (run) => [run.name, await run.outcomes()] as const)));

describe('a hub that is killed at every edge of rollouts', () => {
  it('comes to where it would have come, by the same way', async () => {
    const calm = await outcomes(await play());
    const watch = await EdgeWatch.start(on.database, { kill: killHub, start: startAgain });
    const failed = watch.over.then(() => Promise.reject(new Error('the watch has ended')));
    failed.catch(() => undefined);
    const runs = await Promise.race([play(), failed]);
    await watch.stop();
    const disturbed = await outcomes(runs);
    for (const { name } of STORIES) expect(disturbed[name], name).toEqual(calm[name]);
    await on.agreed();
    for (const id of runs.flatMap(({ rollouts }) => rollouts))
      expect(await on.fleet.client.rollouts.replay(id)).toMatchObject({ same: true, differences: [] });
    // A new kind of transition needs a story that comes over it.
    expect(EDGES.filter((edge) => !watch.killedAt.has(edge))).toEqual([]);
  });
});
