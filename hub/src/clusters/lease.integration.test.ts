import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONNECTION, IS_CONNECTED, IS_SILENT, SILENT_SINCE, endedWithin } from '../store/lease.ts';
import { type TestDatabase, startTestDatabase } from '../testing/index.ts';
import { type Connection, connectionOf } from './lease.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

interface LeaseRow {
  name: string;
  last_seen_at: Date | null;
  lease_seconds: number;
  connection: Connection['kind'];
  connected: boolean;
  silent: boolean;
  since: Date | null;
  lately: boolean | null;
  at: Date;
}

test('the database and the hub mean the same by a lease that goes on, has ended or never began', async () => {
  await sql`
    insert into clusters (name, server, state, session_id, lease_seconds, last_seen_at) values
      ('never', 's1', 'active', null, 30, null),
      ('here', 's2', 'active', 'one', 30, now()),
      ('without a session', 's3', 'active', null, 30, now()),
      ('silent lately', 's4', 'active', 'two', 30, now() - interval '90 seconds'),
      ('silent for long', 's5', 'active', 'three', 30, now() - interval '2 hours')
  `.execute(database.db);
  const { rows } = await sql<LeaseRow>`
    select c.name, c.last_seen_at, c.lease_seconds, ${CONNECTION} as connection, coalesce(${IS_CONNECTED}, false) as connected,
      ${IS_SILENT} as silent, ${SILENT_SINCE} as since, ${endedWithin(600)} as lately, now() as at
    from clusters c order by c.server
  `.execute(database.db);
  for (const row of rows) {
    const said = connectionOf(row, row.at);
    expect([row.name, row.connection]).toEqual([row.name, said.kind]);
    expect(row.since).toEqual(said.kind === 'silent' ? said.since : null);
    expect(row.silent).toBe(said.kind !== 'connected');
  }
  const named = (of: (row: LeaseRow) => boolean | null) => rows.filter(of).map(({ name }) => name);
  expect(named(({ connected }) => connected)).toEqual(['here']);
  expect(named(({ lately }) => lately)).toEqual(['silent lately']);
});
