import type { Trx } from '../store/schema.ts';

/** A followed revision that points elsewhere now, or whose state (readable or not) changed. */
export interface SourceChange {
  repositoryId: string;
  revisions: string[];
}

export type SourceListener = (trx: Trx, change: SourceChange) => Promise<void>;

/** Tells those who expand and render about commits, inside the transaction that records them. */
export class SourceChanges {
  readonly #listeners: SourceListener[] = [];

  on(listener: SourceListener): void {
    this.#listeners.push(listener);
  }

  async announce(trx: Trx, change: SourceChange): Promise<void> {
    if (change.revisions.length === 0) return;
    for (const listener of this.#listeners) await listener(trx, change);
  }
}
