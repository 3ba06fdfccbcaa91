import { sql } from 'kysely';
import type { Trx } from '../store/schema.ts';
import type { QueueName } from './jobs.ts';

/** The channel that tells the relays of all replicas that rows wait. */
export const OUTBOX_CHANNEL = 'outbox';

export interface OutboxOptions {
  /** Not before this time; a run that is asked for without it comes first and does both. */
  notBefore?: Date;
  /** Handed to the handler; the last one asked with wins. Small: ids and hints, never secrets. */
  payload?: Record<string, unknown>;
}

/** Writes what is to be done in the transaction that makes it necessary. */
export class Outbox {
  /** Asks for work on each key (`<prefix>:<id>`). Asking again while it waits or runs makes it run once more. */
  async add(trx: Trx, queue: QueueName, keys: readonly string[], options: OutboxOptions = {}): Promise<void> {
    if (keys.length === 0) return;
    // Sorted, so that two transactions that ask for the same keys cannot wait for each other.
    const distinct = [...new Set(keys)].sort();
    const payload = JSON.stringify(options.payload ?? {});
    await sql`
      insert into outbox (queue, key, payload, not_before)
      select ${queue}, key, ${payload}::jsonb, ${options.notBefore ?? null}::timestamptz
      from unnest(${distinct}::text[]) as key
      on conflict (queue, key) do update set
        requested = default,
        payload = excluded.payload,
        attempts = 0,
        handed_at = null,
        -- The earlier of both; null is now.
        not_before = case when outbox.not_before is null or excluded.not_before is null then null
                          else least(outbox.not_before, excluded.not_before) end
    `.execute(trx);
    await sql`select pg_notify(${OUTBOX_CHANNEL}, ${queue})`.execute(trx);
  }
}
