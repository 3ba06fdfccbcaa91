import { hubClient } from '@muster/api/client';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DATABASE, type Db } from '../store/database.ts';
import { type TestHub, startTestHub } from '../testing/hub.ts';

const CONNECTIONS = 3;
let hub: TestHub;
let db: Db;
let letGo: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  hub = await startTestHub({
    MUSTER_DATABASE_CONNECTIONS: String(CONNECTIONS),
    MUSTER_DATABASE_WAIT_SECONDS: '1',
  });
  db = hub.app.get(DATABASE, { strict: false });
});
afterEach(() => letGo());
afterAll(() => hub?.stop());

/** Takes all connections of the hub, until it is let go. */
async function takeAll(): Promise<void> {
  const release = Promise.withResolvers<void>();
  const taken: Promise<void>[] = [];
  const held: Promise<void>[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const has = Promise.withResolvers<void>();
    taken.push(has.promise);
    held.push(
      db.connection().execute(async () => {
        has.resolve();
        await release.promise;
      }),
    );
    await has.promise;
  }
  letGo = async () => {
    release.resolve();
    await Promise.all(held);
  };
}

const paths = ['/api/v1/applications', '/api/v1/summary', '/api/v1/clusters', '/api/v1/applicationsets'];
const ask = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => hub.request('GET', paths[i % paths.length]!)));

test('requests that no connection is free for are told when to come back', async () => {
  await takeAll();
  const answers = await ask(40);
  for (const { status, headers, body } of answers) {
    expect(status, JSON.stringify(body)).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body).toMatchObject({ code: 'unavailable', detail: expect.stringContaining('busy') as string });
  }
  // The client comes back by itself.
  const told: string[] = [];
  const client = hubClient({
    hub: hub.url,
    cookie: hub.adminCookie,
    onRetry: (_, message) => {
      told.push(message);
      void letGo();
    },
  });
  expect(await client.applications.list()).toEqual({ items: [] });
  expect(told).toEqual([expect.stringContaining('busy')]);
});

test('many requests at once are answered, or told to come back, and nothing else', async () => {
  const statuses = new Set((await ask(150)).map(({ status }) => status));
  expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
  expect((await ask(4)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

test('a database that cuts connections, as one that is restarted, is told as that', async () => {
  await takeAll();
  const waiting = ask(8);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'muster-hub' and datname = current_database() and pid <> pg_backend_pid()`.execute(
    hub.database.db,
  );
  await letGo();
  for (const { status, headers } of await waiting) {
    expect([200, 503]).toContain(status);
    if (status === 503) expect(headers.has('retry-after')).toBe(true);
  }
});
