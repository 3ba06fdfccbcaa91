import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, startTestDatabase } from '../testing/index.ts';
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
