import type { Trx } from '../store/schema.ts';

export type SessionListener = (trx: Trx, clusterId: string) => Promise<void>;

/**
 * Tells that the agent of a cluster came or went, inside the transaction that writes it. A lease that ends is written by
 * nobody: whoever cares looks by the clock too.
 */
export class SessionChanges {
  readonly #listeners: SessionListener[] = [];

  on(listener: SessionListener): void {
    this.#listeners.push(listener);
  }

  async announce(trx: Trx, clusterId: string): Promise<void> {
    for (const listener of this.#listeners) await listener(trx, clusterId);
  }
}
