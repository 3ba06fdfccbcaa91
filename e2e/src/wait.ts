import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface EventuallyOptions {
  /** What is waited for, as the end of "waited 30 s for …". */
  what: string;
  /** Milliseconds; 30 000 unless told. */
  timeout?: number;
  /** Milliseconds between looks; 100 unless told. */
  interval?: number;
  signal?: AbortSignal;
}

/** Notes a value for the message should the wait fail, and hands it on. */
export type See = <T>(value: T) => T;

type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

/**
 * Calls `look` until it answers something truthy, and answers that; a throw counts as "not yet".
 * After `timeout` it throws, saying what was waited for and what was last seen: the value given to
 * `see`, else what `look` answered or threw.
 */
export async function eventually<T>(
  look: (see: See) => T | Promise<T>,
  options: EventuallyOptions,
): Promise<Truthy<T>> {
  const { what, timeout = 30_000, interval = 100, signal } = options;
  const deadline = Date.now() + timeout;
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    let seen = false;
    const see: See = (value) => {
      seen = true;
      last = value;
      return value;
    };
    try {
      const value = await look(see);
      if (value) return value as Truthy<T>;
      if (!seen) last = value;
    } catch (error) {
      if (!seen) last = error instanceof Error ? `${error.name}: ${error.message}` : error;
    }
    if (Date.now() >= deadline) {
      const text = typeof last === 'string' ? last : inspect(last, { depth: 8, breakLength: 110 });
      throw new Error(`waited ${Math.round(timeout / 1000)} s for ${what}; last saw ${text.slice(0, 4_000)}`);
    }
    await sleep(Math.min(interval, Math.max(1, deadline - Date.now())), undefined, { signal });
  }
}
