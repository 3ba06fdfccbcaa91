import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { holdingReason } from '../clusters/holding.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { Batched } from './batched.ts';
import type { Peer } from './peer.ts';

/** Downloads that are judged by one look at the database. */
const BATCH_DOWNLOADS = 500;
const DIGEST = /^[0-9a-f]{64}$/;

interface Download {
  peer: Peer;
  digest: string;
}

/** What one look at the database has found of some downloads. */
interface Findings {
  unrevoked: ReadonlySet<string>;
  /** Why nothing may be sent, by cluster; those to which everything may are absent. */
  held: ReadonlyMap<string, string>;
  assigned: ReadonlySet<string>;
}

/** Who may have which bundle now. The clusters of a stage ask for theirs within a moment: one look for all of them. */
@Injectable()
export class DownloadPermits {
  readonly #bundles: BundlesService;
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;
  readonly #recovery: RecoveryService;
  readonly #looks = new Batched<Download, Findings>((batch) => this.#look(batch), BATCH_DOWNLOADS);

  constructor(
    @Inject(BundlesService) bundles: BundlesService,
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(RecoveryService) recovery: RecoveryService,
  ) {
    this.#bundles = bundles;
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#recovery = recovery;
  }

  /**
   * Throws `unauthenticated` for a revoked peer, `precondition` where nothing may be sent to its cluster, and `not-found`
   * for what is not assigned to it: a digest of another cluster and one that does not exist are the same answer.
   */
  async require(peer: Peer, digest: string): Promise<void> {
    // What is no digest stays out of a statement that others share.
    const wanted = DIGEST.test(digest) ? digest : '';
    const found = await this.#looks.add({ peer, digest: wanted });
    if (!found.unrevoked.has(peer.serial)) await this.#certificates.requireUnrevoked(peer);
    const held = found.held.get(peer.clusterId);
    if (held !== undefined) throw new MusterError('precondition', held);
    if (!found.assigned.has(keyOf(peer.clusterId, wanted)))
      throw new MusterError('not-found', 'no bundle with this digest is assigned to this cluster');
  }

  async #look(batch: readonly Download[]): Promise<Findings> {
    const clusterIds = [...new Set(batch.map(({ peer }) => peer.clusterId))];
    const [unrevoked, clusters, hub, assigned] = await Promise.all([
      this.#certificates.unrevokedAmong(batch.map(({ peer }) => peer.serial)),
      this.#clusters.byIds(clusterIds),
      this.#recovery.state(),
      this.#bundles.assignedAmong(batch.map(({ peer, digest }) => ({ clusterId: peer.clusterId, digest }))),
    ]);
    const known = new Map(clusters.map((cluster) => [cluster.id, cluster]));
    const held = clusterIds.flatMap((id): [string, string][] => {
      const cluster = known.get(id);
      const reason = cluster ? holdingReason(cluster, hub) : 'the hub does not know this cluster';
      return reason === undefined ? [] : [[id, reason]];
    });
    const pairs = assigned.map(({ clusterId, digest }) => keyOf(clusterId, digest));
    return { unrevoked, held: new Map(held), assigned: new Set(pairs) };
  }
}

function keyOf(clusterId: string, digest: string): string {
  return `${clusterId} ${digest}`;
}
