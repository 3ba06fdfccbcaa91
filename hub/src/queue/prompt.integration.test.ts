import { done, waiting } from '@muster/base';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { pino } from 'pino';
import { type TestDatabase, startTestDatabase } from '../testing/database.ts';
import type { JobContext } from './jobs.ts';
import { OutboxRepository } from './outbox.repository.ts';
import { Outbox } from './outbox.ts';
import { Prompt } from './prompt.ts';
import { JobRegistry } from './registry.ts';
import { PATIENCE } from '../testing/index.ts';

const METRICS = { job: () => undefined } as never;

let database: TestDatabase;
let repository: OutboxRepository;
let prompt: Prompt;
let handle: (key: string, context: JobContext) => Promise<ReturnType<typeof waiting> | typeof done>;
const outbox = new Outbox();

beforeAll(async () => {
  database = await startTestDatabase();
  repository = new OutboxRepository(database.db);
});
afterAll(() => database?.stop());
beforeEach(async () => {
  await database.db.deleteFrom('outbox').execute();
  const registry = new JobRegistry();
  registry.add([{ queue: 'rollout', prefix: 'rollout', handle: (key, context) => handle(key, context) }]);
  prompt = new Prompt(repository, registry, METRICS, pino({ level: 'silent' }));
});

const ask = (...keys: string[]) =>
  database.db.transaction().execute((trx) => outbox.add(trx, 'rollout', keys, { promptly: true }));
const rows = () => database.db.selectFrom('outbox').select(['key', 'handed_at']).execute();

test('work is done once, and nothing is left of it for the queue', async () => {
  const seen: unknown[] = [];
  handle = async (key, { requested, complete }) => {
    seen.push([key, requested]);
    await database.db.transaction().execute((trx) => complete(trx));
    return done;
  };
  const [asked] = await ask('rollout:a');
  expect(asked).toMatchObject({ key: 'rollout:a', before: null });
  expect(await repository.claim()).toEqual([]);
  prompt.run('rollout', ['rollout:a']);
  prompt.run('rollout', ['rollout:a']);
  await vi.waitFor(async () => expect(await rows()).toEqual([]), PATIENCE);
  await prompt.stop();
  expect(seen).toEqual([['rollout:a', asked!.requested]]);
});

test('what is asked while it is done is done again, and says which ask it was added to', async () => {
  const [first] = await ask('rollout:a');
  const seen: unknown[] = [];
  let second: Awaited<ReturnType<typeof ask>> = [];
  handle = async (_, { requested, complete }) => {
    seen.push(requested);
    if (seen.length === 1) {
      second = await ask('rollout:a');
      prompt.run('rollout', ['rollout:a']);
    }
    await database.db.transaction().execute((trx) => complete(trx));
    return done;
  };
  prompt.run('rollout', ['rollout:a']);
  await vi.waitFor(async () => expect(await rows()).toEqual([]), PATIENCE);
  expect(second[0]!.before).toBe(first!.requested);
  expect(seen).toEqual([first!.requested, second[0]!.requested]);
});

test('what fails, waits or is not begun before the end is given to the queue at once', async () => {
  handle = async (key) => {
    if (key === 'rollout:fails') throw new Error('no');
    return waiting('recovery', new Date(Date.now() + 60_000));
  };
  await ask('rollout:fails', 'rollout:waits', 'rollout:late');
  expect((await rows()).every(({ handed_at: handed }) => handed !== null)).toBe(true);
  prompt.run('rollout', ['rollout:fails', 'rollout:waits']);
  await vi.waitFor(async () => {
    const free = (await rows()).filter(({ handed_at: handed }) => handed === null).map(({ key }) => key);
    expect(free.sort()).toEqual(['rollout:fails', 'rollout:waits']);
  }, PATIENCE);
  const stopped = prompt.stop();
  prompt.run('rollout', ['rollout:late']);
  await stopped;
  await prompt.stop();
  expect((await repository.claim()).map(({ key }) => key).sort()).toEqual([
    'rollout:fails',
    'rollout:late',
    'rollout:waits',
  ]);
});

test('what is asked for later while it waits here is not given to the queue as well', async () => {
  const later = { notBefore: new Date(Date.now() + 60_000), joins: true };
  const askLater = () =>
    database.db.transaction().execute((trx) => outbox.add(trx, 'rollout', ['rollout:a'], later));
  await ask('rollout:a');
  const [added] = await askLater();
  expect(await repository.claim()).toEqual([]);
  const seen: unknown[] = [];
  handle = async (_, { requested, complete }) => {
    seen.push(requested);
    await database.db.transaction().execute((trx) => complete(trx));
    return done;
  };
  prompt.run('rollout', ['rollout:a']);
  await vi.waitFor(async () => expect(await rows()).toEqual([]), PATIENCE);
  expect(seen).toEqual([added!.requested]);
  // What the queue was not told of yet, it is told of still.
  await database.db.transaction().execute((trx) => outbox.add(trx, 'rollout', ['rollout:a']));
  await askLater();
  expect(await repository.claim()).toEqual([{ queue: 'rollout', key: 'rollout:a' }]);
});
