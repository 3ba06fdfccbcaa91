import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { canonicalJson, sha256 } from '@muster/base';
import type * as proto from '@muster/proto';

const CHUNK_BYTES = 32 * 1024;

/** Bundles that agents download. */
export class TestBundles {
  downloads = 0;
  /** Bytes after which a download is cut off, once. */
  cutAt = 0;
  /** Downloads fail as when the hub goes away. */
  withheld = false;
  private readonly stored = new Map<string, Buffer>();

  async add(objects: readonly object[]): Promise<{ digest: string; plainSize: number }> {
    const plain = Buffer.from(canonicalJson({ objects }));
    const digest = sha256(plain);
    this.stored.set(digest, await promisify(zstdCompress)(plain));
    return { digest, plainSize: plain.length };
  }

  /** The call in which an agent downloads one. */
  send(call: ServerWritableStream<proto.GetBundleRequest, proto.GetBundleResponse>): void {
    this.downloads++;
    const fail = (what: string, code: number) =>
      void call.emit('error', Object.assign(new Error(what), { code }));
    const stored = this.stored.get(call.request.digest);
    if (this.withheld) return fail('away', 14);
    if (!stored) return fail('no such bundle', 5);
    const storedSize = BigInt(stored.length);
    for (let at = Number(call.request.offset); at < stored.length; at += CHUNK_BYTES) {
      if (this.cutAt > 0 && at >= this.cutAt) {
        this.cutAt = 0;
        return fail('cut', 14);
      }
      const data = stored.subarray(at, at + CHUNK_BYTES);
      call.write({ offset: BigInt(at), data, storedSize, encoding: 'zstd' });
    }
    call.end();
  }
}
