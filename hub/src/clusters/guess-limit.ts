import { LRUCache } from 'lru-cache';

const WINDOW_MS = 60_000;
const PER_ADDRESS = 10;
const IN_ALL = 300;

/** Counts wrong join tokens: at most 10 a minute from one address and 300 from all, on this replica. */
export class GuessLimit {
  readonly #now: () => number;
  readonly #addresses = new LRUCache<string, Window>({ max: 10_000 });
  #all: Window = { since: 0, count: 0 };

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether another attempt from this address is looked at. */
  allows(address: string): boolean {
    return this.#count(this.#addresses.get(address)) < PER_ADDRESS && this.#count(this.#all) < IN_ALL;
  }

  failed(address: string): void {
    this.#all = this.#bump(this.#all);
    this.#addresses.set(address, this.#bump(this.#addresses.get(address)));
  }

  #count(window: Window | undefined): number {
    return window && this.#now() - window.since < WINDOW_MS ? window.count : 0;
  }

  #bump(window: Window | undefined): Window {
    const count = this.#count(window);
    return count === 0 || !window
      ? { since: this.#now(), count: 1 }
      : { since: window.since, count: count + 1 };
  }
}

interface Window {
  since: number;
  count: number;
}
