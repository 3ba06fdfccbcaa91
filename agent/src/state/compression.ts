import { promisify } from 'node:util';
import { constants, createZstdDecompress, zstdCompress } from 'node:zlib';
import { MusterError } from '@muster/base';

const compressAsync = promisify(zstdCompress);

/** Zstandard, level 3. */
export function compress(bytes: Uint8Array): Promise<Buffer> {
  return compressAsync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
}

/** Throws MusterError `limit` as soon as more than `maxBytes` come out, `invalid` for what is not Zstandard. */
export async function decompress(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
  // The stream stops at the bound; the one-shot call has no bound of its own.
  const stream = createZstdDecompress();
  const chunks: Buffer[] = [];
  let size = 0;
  stream.end(bytes);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw new MusterError('invalid', 'the compressed bytes cannot be read', { cause: thrown });
  } finally {
    stream.destroy();
  }
  if (size > maxBytes) throw new MusterError('limit', `more than ${maxBytes} bytes after decompression`);
  return Buffer.concat(chunks, size);
}
