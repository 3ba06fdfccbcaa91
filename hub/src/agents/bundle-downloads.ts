import { MusterError } from '@muster/base';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { GetBundleRequest, GetBundleResponse } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { holdingReason } from '../clusters/holding.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { toServiceError } from './grpc-status.ts';
import { peerOf } from './peer.ts';

const CHUNK_BYTES = 256 * 1024;
const CACHE_BYTES = 64 * 1024 * 1024;
const ENCODING = 'zstd';

/** Bundles by digest, to clusters that are assigned them. */
@Injectable()
export class BundleDownloads {
  readonly #bundles: BundlesService;
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;
  readonly #recovery: RecoveryService;
  /** A fleet that shares a bundle asks for it within seconds. */
  readonly #cache = new LRUCache<string, Buffer>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });

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

  /** Sends the stored bytes from an offset on, as fast as the peer takes them. */
  async send(call: ServerWritableStream<GetBundleRequest, GetBundleResponse>): Promise<void> {
    try {
      const stored = await this.#allowed(call);
      const storedSize = BigInt(stored.length);
      if (call.request.offset > storedSize)
        throw new MusterError('invalid', 'the offset is behind the end of the bundle');
      let offset = Number(call.request.offset);
      do {
        const data = stored.subarray(offset, offset + CHUNK_BYTES);
        const message = { offset: BigInt(offset), data, storedSize, encoding: ENCODING };
        offset += data.length;
        if (!call.write(message)) await drained(call);
      } while (offset < stored.length && !call.cancelled);
      call.end();
    } catch (error) {
      call.emit('error', toServiceError(error));
    }
  }

  /** A digest of another cluster and one that does not exist are the same answer. */
  async #allowed(call: ServerWritableStream<GetBundleRequest, GetBundleResponse>): Promise<Buffer> {
    const peer = peerOf(call);
    const { digest } = call.request;
    await this.#certificates.requireUnrevoked(peer);
    const cluster = await this.#clusters.byId(peer.clusterId);
    const holding = cluster
      ? holdingReason(cluster, await this.#recovery.state())
      : 'the hub does not know this cluster';
    if (holding !== undefined) throw new MusterError('precondition', holding);
    if (!/^[0-9a-f]{64}$/.test(digest) || !(await this.#bundles.isAssigned(peer.clusterId, digest))) {
      throw new MusterError('not-found', 'no bundle with this digest is assigned to this cluster');
    }
    const cached = this.#cache.get(digest);
    if (cached) return cached;
    const stored = await this.#bundles.openStored(digest);
    this.#cache.set(digest, stored);
    return stored;
  }
}

function drained(call: ServerWritableStream<unknown, unknown>): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      call.off('drain', go);
      call.off('close', go);
      call.off('cancelled', go);
      resolve();
    };
    call.on('drain', go);
    call.on('close', go);
    call.on('cancelled', go);
  });
}
