import { MusterError } from '@muster/base';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { GetBundleRequest, GetBundleResponse } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { BundlesService } from '../releases/bundles.service.ts';
import { DownloadPermits } from './download-permits.ts';
import { toServiceError } from './grpc-status.ts';
import { peerOf } from './peer.ts';

const CHUNK_BYTES = 256 * 1024;
const CACHE_BYTES = 64 * 1024 * 1024;
const ENCODING = 'zstd';

/** Bundles by digest, to clusters that are assigned them. */
@Injectable()
export class BundleDownloads {
  readonly #bundles: BundlesService;
  readonly #permits: DownloadPermits;
  /** A fleet that shares a bundle asks for it within seconds. */
  readonly #cache = new LRUCache<string, Buffer>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });

  constructor(
    @Inject(BundlesService) bundles: BundlesService,
    @Inject(DownloadPermits) permits: DownloadPermits,
  ) {
    this.#bundles = bundles;
    this.#permits = permits;
  }

  /** Sends the stored bytes from an offset on, as fast as the peer takes them. */
  async send(call: ServerWritableStream<GetBundleRequest, GetBundleResponse>): Promise<void> {
    try {
      const { digest } = call.request;
      await this.#permits.require(peerOf(call), digest);
      const stored = await this.#stored(digest);
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

  async #stored(digest: string): Promise<Buffer> {
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
