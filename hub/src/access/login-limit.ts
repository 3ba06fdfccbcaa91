import { MusterError } from '@muster/base';
import { LRUCache } from 'lru-cache';

const WINDOW_MS = 5 * 60_000;
const PER_ACCOUNT = 10;
const PER_ADDRESS = 50;

/** Too many tries; answered with 429 and Retry-After. */
export class RateLimited extends MusterError {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super('limit', message, { hint: `Try again in ${retryAfterSeconds} seconds.` });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Bounds wrong passwords: 10 in five minutes for one account from one address, 50 from one address. Counted by
 * replica; never for an account alone, or anyone could lock it.
 */
export class LoginLimit {
  readonly #failures = new LRUCache<string, number>({ max: 100_000, ttl: WINDOW_MS, noUpdateTTL: true });

  check(address: string, name: string): void {
    for (const [key, limit] of this.#keys(address, name)) {
      if ((this.#failures.get(key) ?? 0) >= limit) {
        const seconds = Math.max(1, Math.ceil(this.#failures.getRemainingTTL(key) / 1000));
        throw new RateLimited('too many wrong passwords', seconds);
      }
    }
  }

  failed(address: string, name: string): void {
    for (const [key] of this.#keys(address, name))
      this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
  }

  succeeded(address: string, name: string): void {
    this.#failures.delete(`${address} ${name}`);
  }

  #keys(address: string, name: string): [string, number][] {
    return [
      [`${address} ${name}`, PER_ACCOUNT],
      [address, PER_ADDRESS],
    ];
  }
}
