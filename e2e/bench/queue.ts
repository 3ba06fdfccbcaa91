import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { startHub, startRedis } from '../src/index.ts';
import { buildHubAndAgent } from './bundles.ts';
import { type Bench, type BenchContext, type Figure, plain } from './figure.ts';
import { connectDatabase } from './hub-database.ts';

const JOBS = 2000;
const PATIENCE_MS = 120_000;

/** Rows of the outbox that a hub does away with in a second, on both backends. */
export const queue: Bench = {
  name: 'queue',
  about: 'jobs a second from the outbox through BullMQ to done, on PostgreSQL and on Redis',
  run: async (context) => {
    await buildHubAndAgent(context.signal);
    const onPostgres = await measure(context, 'postgres', {});
    const redis = await startRedis({ dir: join(context.dir, 'redis') });
    try {
      const onRedis = await measure(context, 'redis', { REDIS_URL: redis.url });
      return [
        plain('queue: jobs on PostgreSQL', onPostgres, '1/s'),
        {
          ...plain('queue: jobs on Redis', onRedis, '1/s'),
          against: `PostgreSQL ${Number(onPostgres.toPrecision(3))} 1/s`,
          ratio: Number((onRedis / onPostgres).toPrecision(3)),
        } satisfies Figure,
      ];
    } finally {
      await redis.stop();
    }
  },
};

async function measure(
  { dir, log, signal }: BenchContext,
  name: string,
  env: Record<string, string>,
): Promise<number> {
  log(`starting a hub on ${name}`);
  const hub = await startHub({ dir: join(dir, `hub-${name}`), env, signal });
  const database = await connectDatabase(hub);
  try {
    await drain(database, 200, signal); // warms connections and code
    const started = performance.now();
    await drain(database, JOBS, signal);
    return (JOBS * 1000) / (performance.now() - started);
  } finally {
    await database.end();
    await hub.stop();
  }
}

/** Asks for work on sets that do not exist, the least that a job can be, and waits until no row is left. */
async function drain(database: Client, count: number, signal: AbortSignal): Promise<void> {
  await database.query('begin');
  await database.query(
    `insert into outbox (queue, key) select 'expand', 'set:' || gen_random_uuid() from generate_series(1, $1::int)`,
    [count],
  );
  await database.query(`select pg_notify('outbox', 'expand')`);
  await database.query('commit');
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(10, undefined, { signal })) {
    const { rows } = await database.query(
      `select count(*)::int as left, max(attempts) as attempts from outbox where queue = 'expand'`,
    );
    const { left, attempts } = rows[0] as { left: number; attempts: number | null };
    if (left === 0) return;
    if (attempts) throw new Error('a job that has nothing to do has failed; see the log of the hub');
    if (Date.now() > deadline) throw new Error(`${left} of ${count} jobs are left after two minutes`);
  }
}
