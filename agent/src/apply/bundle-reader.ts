import { MusterError } from '@muster/base';
import type { HeldAssignment } from '@muster/link';
import type { Records } from '../state/records.ts';
import type { Cluster } from './cluster.ts';
import { type DesiredState, readDesired } from './desired.ts';

/** A bundle as it was read. `mark` tells one reading from another: the assignment's payload, kinds not served, the digest. */
export interface ReadBundle {
  mark: string;
  digest: string;
  desired: DesiredState;
  /** Why it is not the assigned one, in words; '' when it is. */
  instead: string;
}

export interface BundleReaderOptions {
  cluster: Cluster;
  records: Records;
  /** Brings a bundle into the store. Throws `unavailable` while the hub is away. */
  fetchBundle(digest: string, size: number, signal: AbortSignal): Promise<void>;
}

/** How long a bundle stays read: events come in bursts, and memory is dear. */
const KEEP_MS = 20_000;

/** Reads the bundle of an assignment from the store, after fetching it where it is not there yet. */
export class BundleReader {
  private readonly options: BundleReaderOptions;
  private cached: (ReadBundle & { payload: string }) | undefined;
  private forgetting: NodeJS.Timeout | undefined;

  constructor(options: BundleReaderOptions) {
    this.options = options;
  }

  /** The assigned bundle, else the one of `appliedDigest` while it cannot be had. Throws MusterError without either. */
  async read(held: HeldAssignment, appliedDigest: string, signal: AbortSignal): Promise<ReadBundle> {
    const { cluster } = this.options;
    const { assignment, payloadSha256 } = held;
    const payload = payloadSha256.toString('hex');
    if (this.cached?.payload === payload && this.cached.digest === assignment.bundleDigest)
      return this.cached;
    const { plain, digest, instead } = await this.plaintext(held, appliedDigest, signal);
    const { discovery, power } = cluster;
    const desired = await readDesired(plain, { assignment, discovery, power });
    const unserved = desired.unserved.map(({ apiVersion, kind }) => `${apiVersion}/${kind} `);
    const read = { mark: `${payload} ${unserved.sort().join('')}${digest}`, digest, desired, instead };
    this.keep(read, payload);
    return read;
  }

  /** Reads anew the next time, for example because a kind may be known by then. */
  forget(): void {
    this.cached = undefined;
    clearTimeout(this.forgetting);
  }

  private keep(read: ReadBundle, payload: string): void {
    this.forget();
    if (read.instead) return;
    this.cached = { ...read, payload };
    this.forgetting = setTimeout(() => this.forget(), KEEP_MS).unref();
  }

  private async plaintext({ assignment }: HeldAssignment, appliedDigest: string, signal: AbortSignal) {
    const { records, fetchBundle } = this.options;
    const digest = assignment.bundleDigest;
    const stored = await records.bundle(digest);
    if (stored) return { plain: stored, digest, instead: '' };
    try {
      await fetchBundle(digest, Number(assignment.bundleSize), signal);
      const fetched = await records.bundle(digest);
      if (!fetched) throw new MusterError('unavailable', 'the bundle could not be stored');
      return { plain: fetched, digest, instead: '' };
    } catch (thrown) {
      const earlier = appliedDigest ? await records.bundle(appliedDigest) : undefined;
      if (!earlier) throw thrown;
      return { plain: earlier, digest: appliedDigest, instead: MusterError.from(thrown).message };
    }
  }
}
