import { type Outcome, done, failed, waiting } from '@muster/base';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type TestDatabase, startTestDatabase, PATIENCE } from '../testing/index.ts';
import type { JobHandler } from './jobs.ts';
import { Outbox } from './outbox.ts';
import {
  type Backend,
  type Hub,
  backends,
  freePort,
  hasRedis,
  startHub,
  startRedis,
  startVictim,
} from './queue.fixture.ts';

describe.each(backends.filter(({ name }) => hasRedis || name !== 'Redis'))(
  'the queue on $name',
  (backend) => {
    let database: TestDatabase;
    let running: Awaited<ReturnType<Backend['start']>>;
    const hubs: Hub[] = [];
    const start = async (handle: JobHandler['handle'], everySeconds?: number) => {
      const hub = await startHub(database.url, running.redisUrl, handle, everySeconds);
      hubs.push(hub);
      return hub;
    };
    const outboxKeys = async () =>
      (await database.db.selectFrom('outbox').select('key').orderBy('key').execute()).map(({ key }) => key);

    beforeAll(async () => {
      database = await startTestDatabase();
      running = await backend.start();
    });
    afterEach(async () => {
      await Promise.all(hubs.splice(0).map((hub) => hub.stop()));
      await database.db.deleteFrom('outbox').execute();
    });
    afterAll(async () => {
      await database.stop();
      await running.stop();
    });

    test('does what is asked for, with the payload, and deletes the row', async () => {
      const seen: unknown[] = [];
      const hub = await start(async (key, { payload }) => {
        seen.push([key, payload]);
        return done;
      });
      await hub.ask(['set:a', 'set:b'], { payload: { why: 'test' } });
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
      expect(seen.sort()).toEqual([
        ['set:a', { why: 'test' }],
        ['set:b', { why: 'test' }],
      ]);
    });

    test('does nothing for work whose transaction rolled back', async () => {
      const seen: string[] = [];
      const hub = await start(async (key) => {
        seen.push(key);
        return done;
      });
      await database.db
        .transaction()
        .execute(async (trx) => {
          await hub.outbox.add(trx, 'expand', ['set:rolled-back']);
          throw new Error('no');
        })
        .catch(() => undefined);
      await hub.ask(['set:after']);
      await vi.waitFor(() => expect(seen).toEqual(['set:after']), PATIENCE);
    });

    test('runs once more, not twice, for all that was asked while it ran', async () => {
      let runs = 0;
      const gate = Promise.withResolvers<void>();
      const hub = await start(async () => {
        runs++;
        if (runs === 1) await gate.promise;
        return done;
      });
      await hub.ask(['set:busy']);
      await vi.waitFor(() => expect(runs).toBe(1), PATIENCE);
      for (let again = 0; again < 5; again++) await hub.ask(['set:busy']);
      gate.resolve();
      // At once, not when a sweep finds the row, which is each 10 s.
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), { ...PATIENCE, timeout: 9000 });
      expect(runs).toBe(2);
    });

    test('completes in the transaction of the effect, and only what was asked before the run began', async () => {
      const order: string[] = [];
      const hub: Hub = await start(async (key, context) => {
        order.push('run');
        await database.db.transaction().execute(async (trx) => {
          if (order.length === 1) await hub.ask([key]); // asked again, from elsewhere, while it runs
          await context.complete(trx);
        });
        return done;
      });
      await hub.ask(['set:effect']);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
      expect(order).toEqual(['run', 'run']);
    });

    test('tries a transient failure again, and gives a terminal one up', async () => {
      const runs: string[] = [];
      const hub = await start(async (key) => {
        runs.push(key);
        if (key === 'set:broken') return failed('terminal', 'will never work');
        if (runs.filter((one) => one === key).length === 1) return failed('transient', 'not yet');
        if (runs.filter((one) => one === key).length === 2) throw new Error('not yet either');
        return done;
      });
      await hub.ask(['set:flaky', 'set:broken']);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
      expect(runs.sort()).toEqual(['set:broken', 'set:flaky', 'set:flaky', 'set:flaky']);
    });

    test('keeps what fails for long, and starts afresh when it is asked for again', async () => {
      let broken = true;
      let runs = 0;
      const hub = await start(async () => {
        runs++;
        return broken ? failed('transient', 'down') : done;
      });
      await hub.ask(['set:down']);
      await vi.waitFor(async () => {
        const row = await database.db.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
        expect(row.attempts).toBe(1);
        expect(row.not_before!.getTime()).toBeGreaterThan(Date.now());
      }, PATIENCE);
      expect(runs).toBe(4);
      broken = false;
      await hub.ask(['set:down']);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
    });

    test('waits until its time, or until it is asked for again', async () => {
      const runs = new Map<string, number>();
      const hub = await start(async (key) => {
        const count = (runs.get(key) ?? 0) + 1;
        runs.set(key, count);
        if (count > 1) return done;
        return waiting('for something', new Date(Date.now() + (key === 'set:soon' ? 300 : 3_600_000)));
      });
      await hub.ask(['set:soon', 'set:late']);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual(['set:late']), PATIENCE);
      expect(runs.get('set:late')).toBe(1);
      await hub.ask(['set:late']);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
    });

    test('starts at the time asked for', async () => {
      let ranAt = 0;
      const hub = await start(async () => {
        ranAt = Date.now();
        return done;
      });
      const notBefore = new Date(Date.now() + 400);
      await hub.ask(['set:timed'], { notBefore });
      await vi.waitFor(() => expect(ranAt).toBeGreaterThan(0), PATIENCE);
      expect(ranAt).toBeGreaterThanOrEqual(notBefore.getTime() - 50);
    });

    test('aborts what runs at shutdown and another replica does it', async () => {
      let aborted = false;
      const begun = Promise.withResolvers<void>();
      const first = await start(async (_key, { signal }) => {
        begun.resolve();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        aborted = true;
        throw signal.reason;
      });
      await first.ask(['set:long']);
      await begun.promise;
      await first.stop();
      expect(aborted).toBe(true);
      expect(await outboxKeys()).toEqual(['set:long']);
      await start(async () => done);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
    });

    test('does again what a killed replica was doing', async () => {
      const child = await startVictim(database.url, running.redisUrl);
      await database.db.transaction().execute((trx) => new Outbox().add(trx, 'expand', ['set:victim']));
      await child.line('working on set:victim');
      await child.kill();
      const seen: string[] = [];
      await start(async (key) => {
        seen.push(key);
        return done;
      });
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
      expect(seen).toContain('set:victim');
    });

    test('goes on after every connection to the database was cut', async () => {
      const hub = await start(async () => done);
      await hub.ask(['set:before']);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(database.db);
      await vi.waitFor(() => hub.ask(['set:after']), PATIENCE);
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
    });

    test('runs maintenance by the clock', async () => {
      let runs = 0;
      await start(async () => {
        runs++;
        return done;
      }, 1);
      await vi.waitFor(() => expect(runs).toBeGreaterThanOrEqual(2), PATIENCE);
    });

    test.runIf(backend.name === 'Redis')('loses nothing when Redis loses everything', async () => {
      let open = false;
      const seen = new Set<string>();
      const hub = await start(async (key) => {
        if (!open) return failed('transient', 'closed');
        seen.add(key);
        return done;
      });
      await hub.ask(Array.from({ length: 20 }, (_, index) => `set:${index}`));
      const redis = new Redis(running.redisUrl!);
      await vi.waitFor(async () => expect(await redis.dbsize()).toBeGreaterThan(20), PATIENCE);
      await redis.flushall();
      redis.disconnect();
      open = true;
      await vi.waitFor(async () => expect(await outboxKeys()).toEqual([]), PATIENCE);
      expect(seen.size).toBe(20);
    });
  },
);

test.runIf(hasRedis)('a hub serves while Redis is away, says so, and works when it comes', async () => {
  const port = await freePort();
  const { startTestHub } = await import('../testing/hub.ts');
  const hub = await startTestHub({ REDIS_URL: `redis://127.0.0.1:${port}` });
  const ready = async () =>
    (await hub.request('GET', '/readyz', { anonymous: true })).body as { missing: string[] };
  await vi.waitFor(async () => expect((await ready()).missing).toEqual(['queue']), PATIENCE);
  expect((await hub.request('GET', '/api/v1/session')).status).toBe(200);
  const redis = await startRedis(port);
  await vi.waitFor(async () => expect((await ready()).missing).toEqual([]), PATIENCE);
  await hub.stop();
  await redis.stop();
});

test('the app refuses to start when a job has no handler or two', async () => {
  const { JobRegistry } = await import('./registry.ts');
  const handle = async (): Promise<Outcome> => done;
  const registry = new JobRegistry();
  registry.add([{ queue: 'expand', prefix: 'set', handle }]);
  registry.add([{ queue: 'expand', prefix: 'set', handle }]);
  registry.add([{ queue: 'render', prefix: 'unheard-of', handle }]);
  expect(() =>
    registry.verify([
      { queue: 'expand', prefix: 'set' },
      { queue: 'sources', prefix: 'repository' },
    ]),
  ).toThrow(
    'jobs: sources/repository has no handler; expand/set has two handlers; render/unheard-of is not listed',
  );
});
