import { MusterError } from '@muster/base';
import type { AgentServiceClient } from '@muster/proto';
import { openBundle } from '../state/records.ts';
import { fromGrpc } from './channel.ts';

/** Stored (compressed) bytes of a bundle at most. */
const MAX_STORED = 64 * 1024 * 1024;
/** Plaintext bytes of a bundle at most, whatever an assignment says. */
const MAX_PLAIN = 256 * 1024 * 1024;

/** Bytes of downloads that were cut off, so that the next try goes on from there. */
export class BundleDownloads {
  private readonly partial = new Map<string, Buffer[]>();

  /**
   * Downloads a bundle and answers its stored bytes, after its plaintext has been checked against the digest and
   * the size that was assigned. Throws MusterError; `unavailable` keeps what came so far.
   */
  async fetch(
    client: AgentServiceClient,
    digest: string,
    size: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const chunks = this.partial.get(digest) ?? [];
    this.partial.set(digest, chunks);
    try {
      await receive(client, digest, chunks, signal);
    } catch (thrown) {
      const error = fromGrpc(thrown);
      if (error.code !== 'unavailable') this.partial.delete(digest);
      throw error;
    }
    this.partial.delete(digest);
    const stored = Buffer.concat(chunks);
    await openBundle(stored, digest, Math.min(size, MAX_PLAIN));
    return stored;
  }
}

function receive(
  client: AgentServiceClient,
  digest: string,
  chunks: Buffer[],
  signal: AbortSignal,
): Promise<void> {
  let received = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return new Promise((resolve, reject) => {
    const stream = client.getBundle({ digest, offset: BigInt(received) });
    let total = -1n;
    const cancel = () => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const settle = (error?: Error) => {
      signal.removeEventListener('abort', cancel);
      if (error) reject(error);
      else resolve();
    };
    const stop = (error: MusterError) => {
      stream.cancel();
      settle(error);
    };
    stream.on('data', (part: { offset: bigint; data: Buffer; storedSize: bigint; encoding: string }) => {
      total = part.storedSize;
      if (part.encoding !== 'zstd')
        return stop(new MusterError('unsupported', `bundles in "${part.encoding}" are not known`));
      if (total > MAX_STORED)
        return stop(new MusterError('limit', `the bundle is larger than ${MAX_STORED} bytes`));
      if (part.offset !== BigInt(received) || BigInt(received + part.data.length) > total) {
        return stop(new MusterError('invalid', 'the hub sent a part of the bundle that does not fit'));
      }
      chunks.push(part.data);
      received += part.data.length;
    });
    stream.on('error', settle);
    stream.on('end', () => {
      if (BigInt(received) === total) settle();
      else settle(new MusterError('unavailable', `the download ended after ${received} of ${total} bytes`));
    });
  });
}
