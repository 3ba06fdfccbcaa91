import { readdirSync, readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, startTestDatabase } from '../testing/index.ts';
import { migrate } from './migrations.ts';
import { Notifications } from './notifications.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

test('bigint columns come back as bigint', async () => {
  const { epoch } = await database.db
    .insertInto('hub_state')
    .values({ hub_id: 'a', epoch: 2n ** 62n })
    .returning('epoch')
    .executeTakeFirstOrThrow();
  expect(epoch).toBe(2n ** 62n);
});

test('a notification is delivered when its transaction commits, and none when it rolls back', async () => {
  const notifications = new Notifications(database.url);
  const { promise, resolve } = Promise.withResolvers<string>();
  await notifications.subscribe('colour', resolve);
  await database.db
    .transaction()
    .execute(async (trx) => {
      await notifications.publish(trx, 'colour', 'red');
      throw new Error('no');
    })
    .catch(() => undefined);
  await database.db.transaction().execute((trx) => notifications.publish(trx, 'colour', 'blue'));
  expect(await promise).toBe('blue');
  await notifications.close();
});

test('schema.ts names the columns there are', async () => {
  const folder = new URL('./schema/', import.meta.url);
  const source = readdirSync(folder)
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
  const tables = new Map(
    [...source.matchAll(/^ {2}(\w+): (\w+Table);$/gm)].map(([, table, type]) => [type!, table!] as const),
  );
  const declared = [...source.matchAll(/^export interface (\w+Table) \{\n([\s\S]*?)^\}/gm)].flatMap(
    ([, type, body]) =>
      [...body!.matchAll(/^ {2}(\w+)\??:/gm)].map(([, column]) => `${tables.get(type!)}.${column}`),
  );
  const { rows } = await sql<{ column: string }>`
    select table_name || '.' || column_name as column from information_schema.columns
    where table_schema = 'public' and table_name <> 'schema_migrations'`.execute(database.db);
  expect(declared.sort()).toEqual(rows.map(({ column }) => column).sort());
});

test('migrating again changes nothing, also from several replicas at once', async () => {
  expect(await Promise.all([migrate(database.url), migrate(database.url)])).toEqual([[], []]);
});
