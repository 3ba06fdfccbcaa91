import { type Kysely, sql } from 'kysely';
import type { Db } from '../store/database.ts';
import type { Schema, Trx } from '../store/schema.ts';
import type { QueueName } from './jobs.ts';

/** The channel that tells the relays of all replicas that rows wait. */
export const OUTBOX_CHANNEL = 'outbox';

/** What a job finds when it starts. */
export interface OutboxRow {
  requested: bigint;
  payload: Record<string, unknown>;
  attempts: number;
}

/** An ask for work on a key. */
export interface Asked {
  key: string;
  requested: bigint;
  /** The ask that it was added to, which nobody has answered; null: there was none. */
  before: bigint | null;
}

/** `OutboxOptions` with everything said. */
export interface RequestOptions {
  /** JSON. */
  payload: string;
  notBefore: Date | null;
  promptly: boolean;
  joins: boolean;
}

/** Asks for work on each key; see `Outbox.add`. */
export async function requestWork(
  trx: Trx,
  queue: QueueName,
  keys: readonly string[],
  { payload, notBefore, promptly, joins }: RequestOptions,
): Promise<Asked[]> {
  // What is done here counts as handed over: where it is not done, it is handed over again like any lost job.
  const handedAt = promptly ? sql`now()` : sql`null`;
  const { rows } = await sql<Asked>`
    insert into outbox (queue, key, payload, not_before, handed_at)
    select ${queue}, key, ${payload}::jsonb, ${notBefore}::timestamptz, ${handedAt}::timestamptz
    from unnest(${keys}::text[]) as key
    on conflict (queue, key) do update set
      requested = default,
      payload = excluded.payload,
      attempts = 0,
      handed_at = case when ${joins} and outbox.not_before is null then outbox.handed_at else excluded.handed_at end,
      -- The earlier of both; null is now.
      not_before = case when outbox.not_before is null or excluded.not_before is null then null
                        else least(outbox.not_before, excluded.not_before) end
    returning outbox.key, new.requested, old.requested as before
  `.execute(trx);
  if (!promptly) await sql`select pg_notify(${OUTBOX_CHANNEL}, ${queue})`.execute(trx);
  return rows;
}

/** A row that was handed over and not finished is handed over again after this long. */
export const HAND_AGAIN_SECONDS = 30;
const BATCH = 500;

/** The SQL of relay and workers over the outbox. */
export class OutboxRepository {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Marks up to 500 due rows as handed over and returns them; a row goes to one replica only. */
  async claim(): Promise<{ queue: QueueName; key: string }[]> {
    const { rows } = await sql<{ queue: QueueName; key: string }>`
      with due as (
        select queue, key from outbox
        where (handed_at is null or handed_at < now() - make_interval(secs => ${HAND_AGAIN_SECONDS}))
          and (not_before is null or not_before <= now())
        order by created_at limit ${BATCH} for update skip locked
      )
      update outbox set handed_at = now() from due
      where outbox.queue = due.queue and outbox.key = due.key
      returning outbox.queue, outbox.key`.execute(this.#db);
    return rows;
  }

  /** Gives back rows that could not be handed over. */
  async unclaim(rows: readonly { queue: string; key: string }[]): Promise<void> {
    await sql`
      update outbox set handed_at = null
      from unnest(${rows.map(({ queue }) => queue)}::text[], ${rows.map(({ key }) => key)}::text[]) as given(queue, key)
      where outbox.queue = given.queue and outbox.key = given.key`.execute(this.#db);
  }

  /** The queues that have rows handed over longer ago than `seconds`. */
  async handedQueues(seconds: number): Promise<string[]> {
    const { rows } = await sql<{ queue: string }>`
      select distinct queue from outbox where handed_at < now() - make_interval(secs => ${seconds})`.execute(
      this.#db,
    );
    return rows.map(({ queue }) => queue);
  }

  /** Hands over anew what went to a queue longer ago than `seconds`: the queue was emptied. */
  async unclaimQueue(queue: QueueName, seconds: number): Promise<void> {
    await sql`
      update outbox set handed_at = null
      where queue = ${queue} and handed_at < now() - make_interval(secs => ${seconds})`.execute(this.#db);
  }

  /** Milliseconds until the next row that waits for its time is due; undefined when none waits. */
  async nextDueMs(): Promise<number | undefined> {
    const { rows } = await sql<{ ms: number | null }>`
      select ceil(extract(epoch from min(not_before) - clock_timestamp()) * 1000)::float8 as ms
      from outbox where handed_at is null and not_before is not null`.execute(this.#db);
    return rows[0]?.ms ?? undefined;
  }

  /** The row of a job that may run now. */
  async find(queue: QueueName, key: string): Promise<OutboxRow | undefined> {
    return this.#db
      .selectFrom('outbox')
      .select(['requested', 'payload', 'attempts'])
      .where('queue', '=', queue)
      .where('key', '=', key)
      .where((eb) => eb.or([eb('not_before', 'is', null), eb('not_before', '<=', sql<Date>`now()`)]))
      .executeTakeFirst();
  }

  /** Hands over at once what was to be done promptly. */
  async giveBack(queue: QueueName, keys: readonly string[]): Promise<void> {
    await sql`
      with given as (update outbox set handed_at = null where queue = ${queue} and key = any(${keys}::text[]) returning 1)
      select pg_notify(${OUTBOX_CHANNEL}, ${queue}) from given limit 1`.execute(this.#db);
  }

  /** Deletes the row unless it was asked for again since `requested` was read. */
  async complete(db: Kysely<Schema>, queue: QueueName, key: string, requested: bigint): Promise<void> {
    await db
      .deleteFrom('outbox')
      .where('queue', '=', queue)
      .where('key', '=', key)
      .where('requested', '=', requested as never)
      .execute();
  }

  async completeAny(queue: QueueName, key: string, requested: bigint): Promise<void> {
    await this.complete(this.#db, queue, key, requested);
  }

  /** Keeps the row for later, unless it was asked for again. `attempts` counts rounds of retries. */
  async postpone(
    queue: QueueName,
    key: string,
    requested: bigint,
    until: Date,
    attempts: number,
  ): Promise<void> {
    await sql`
      update outbox set not_before = ${until}, handed_at = null, attempts = ${attempts}
      where queue = ${queue} and key = ${key} and requested = ${requested}`.execute(this.#db);
  }

  /** Rows by queue. */
  async depths(): Promise<{ queue: string; depth: number; oldestSeconds: number }[]> {
    const { rows } = await sql<{ queue: string; depth: number; oldestSeconds: number }>`
      select queue, count(*)::int as depth,
        greatest(0, extract(epoch from now() - min(created_at)))::float8 as "oldestSeconds"
      from outbox group by queue`.execute(this.#db);
    return rows;
  }
}
