import type { Trx } from '../store/schema.ts';

/**
 * `activated`: may be assigned to from now on. `labelled`: labels or annotations differ, which generators see and nothing
 * that is rendered. `changed`: name, server or capabilities differ, and maybe labels. `left`: gone or going.
 */
export interface ClusterChange {
  ids: string[];
  kind: 'activated' | 'labelled' | 'changed' | 'left';
}

export type ClusterListener = (trx: Trx, change: ClusterChange) => Promise<void>;

/**
 * Tells the capabilities that expand and render about clusters, inside the transaction that changes them.
 * They register here, so that the registry knows none of them.
 */
export class ClusterChanges {
  readonly #listeners: ClusterListener[] = [];

  on(listener: ClusterListener): void {
    this.#listeners.push(listener);
  }

  async announce(trx: Trx, change: ClusterChange): Promise<void> {
    if (change.ids.length === 0) return;
    for (const listener of this.#listeners) await listener(trx, change);
  }
}
