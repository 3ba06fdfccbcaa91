import { MusterError } from '@muster/base';
import type { KubeObject } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import type { Db } from '../store/database.ts';
import { Sealer } from '../store/sealer.ts';
import type { Bundle } from './bundle.ts';
import { inventoryOf, readBundle } from './bundle.ts';
import { BundlesRepository, type NewRender, type StoredRender } from './bundles.repository.ts';

export type { NewRender, StoredRender };

/** Releases that each owner keeps. */
const KEEP_RELEASES = 10;
/** Earlier renders looked at for one that still holds. */
const CANDIDATES = 5;

/** So many objects of a removal are named. */
const NAMED_REMOVALS = 20;

/** Objects that go; at most 20 are named, by their identity. */
export interface Removals {
  count: number;
  names: string[];
}

/** Rendered manifests by digest: sealed at rest, shared by all clusters that are assigned them. */
@Injectable()
export class BundlesService {
  constructor(
    @Inject(BundlesRepository) private readonly repository: BundlesRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
  ) {}

  /** `parts`: the bundles that it was combined from, kept as long as it is. */
  async store(bundle: Bundle, render: NewRender, parts: readonly string[] = []): Promise<void> {
    const { digest, plainSize, objectCount, inventory } = bundle;
    const sealed = this.sealer.seal(bundle.stored, contextOf(digest));
    await this.repository.store(
      { digest, plainSize, objectCount, inventory, sealed, storedSize: bundle.stored.length },
      render,
      // One that is the same as its part keeps itself.
      parts.filter((part) => part !== digest),
    );
  }

  /** Earlier renders with these base keys, newest first. */
  renders(baseKeys: readonly string[]): Promise<StoredRender[]> {
    return this.repository.renders(baseKeys, CANDIDATES);
  }

  /** The zstd bytes of a bundle, as agents download them. Throws `not-found`. */
  async openStored(digest: string): Promise<Buffer> {
    return (await this.#open(digest)).stored;
  }

  /** The objects of a bundle. Throws `not-found`. */
  async objects(digest: string): Promise<KubeObject[]> {
    const { stored, plainSize } = await this.#open(digest);
    return readBundle(stored, Number(plainSize));
  }

  /** Objects that each first bundle has and the second has not. Bundles that are gone are left out. */
  async removals(
    trx: Db,
    pairs: readonly { from: string; to: string }[],
  ): Promise<(Removals & { from: string; to: string })[]> {
    await this.#takeStock(
      trx,
      pairs.flatMap(({ from, to }) => [from, to]),
    );
    return this.repository.removals(trx, pairs, NAMED_REMOVALS);
  }

  /** Objects of some bundles that are in none of the others, by kind and name: environments have namespaces of their own. */
  async missing(from: readonly string[], to: readonly string[]): Promise<Removals> {
    await this.#takeStock(this.repository.db, [...from, ...to]);
    return this.repository.missing(from, to, NAMED_REMOVALS);
  }

  /** Bundles of earlier versions of the hub were stored without a list of what they hold. */
  async #takeStock(db: Db, digests: readonly string[]): Promise<void> {
    for (const digest of await this.repository.withoutInventory(db, [...new Set(digests)]))
      await this.repository.keepInventory(digest, inventoryOf(await this.objects(digest)), db);
  }

  /** Those of bundles and clusters of which one is assigned the other. */
  assignedAmong(
    wanted: readonly { clusterId: string; digest: string }[],
  ): Promise<{ clusterId: string; digest: string }[]> {
    return this.repository.assignedAmong(wanted);
  }

  /** Forgets what nothing refers to any more. */
  sweep(): Promise<number> {
    return this.repository.sweep(KEEP_RELEASES);
  }

  async #open(digest: string): Promise<{ stored: Buffer; plainSize: bigint }> {
    const row = await this.repository.find(digest);
    if (!row) throw new MusterError('not-found', `there is no bundle ${digest}`);
    return { stored: this.#unseal(row.sealed, digest), plainSize: row.plainSize };
  }

  #unseal(sealed: Buffer, digest: string): Buffer {
    try {
      return this.sealer.open(sealed, contextOf(digest));
    } catch (cause) {
      // `internal` would be hidden from the agent, and with it from whoever asks why nothing is applied.
      const reason = MusterError.from(cause).message;
      throw new MusterError('unavailable', `the stored bundle ${digest} does not open: ${reason}`, {
        hint: 'it was altered, or its key is missing; a commit that changes it makes another',
        cause,
      });
    }
  }
}

function contextOf(digest: string): string {
  return `bundles/stored/${digest}`;
}
