import type { Trx } from '../store/schema.ts';
import type { QueueName } from './jobs.ts';
import { type Asked, requestWork } from './outbox.repository.ts';

export type { Asked };

export interface OutboxOptions {
  /** Not before this time; a run that is asked for without it comes first and does both. */
  notBefore?: Date;
  /** It is done here, by `Prompt`, once the transaction is committed: the queue is not told. */
  promptly?: boolean;
  /** Where work is to be done now already, this is part of it: whoever was handed that does both, and nobody else is told. */
  joins?: boolean;
  /** Handed to the handler; the last one asked with wins. Small: ids and hints, never secrets. */
  payload?: Record<string, unknown>;
}

/** Writes what is to be done in the transaction that makes it necessary. */
export class Outbox {
  /**
   * Asks for work on each key (`<prefix>:<id>`). Asking again while it waits or runs makes it run once more. Answers the
   * numbers of the asks, which count once the transaction is committed.
   */
  async add(
    trx: Trx,
    queue: QueueName,
    keys: readonly string[],
    options: OutboxOptions = {},
  ): Promise<Asked[]> {
    if (keys.length === 0) return [];
    // Sorted, so that two transactions that ask for the same keys cannot wait for each other.
    const distinct = [...new Set(keys)].sort();
    const { payload = {}, notBefore = null, promptly = false, joins = false } = options;
    return requestWork(trx, queue, distinct, {
      payload: JSON.stringify(payload),
      notBefore,
      promptly,
      joins,
    });
  }
}
