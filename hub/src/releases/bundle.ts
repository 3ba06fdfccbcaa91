import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import { canonicalJson, sha256 } from '@muster/base';
import { type KubeObject, hooksOf, identityOf, syncOption } from '@muster/kube';

/** Rendered objects as agents fetch them. `digest`: SHA-256 of the canonical plaintext. */
export interface Bundle {
  digest: string;
  plainSize: number;
  /** zstd level 3 of the plaintext. */
  stored: Buffer;
  objectCount: number;
  /** Identities of the objects that are pruned where a later bundle leaves them out. */
  inventory: string[];
}

/** The same objects in any order make the same bundle. */
export function makeBundle(objects: readonly KubeObject[]): Bundle {
  const keyed = objects.map((object) => ({
    key: `${identityOf(object)}/${object.apiVersion}`,
    text: canonicalJson(object),
  }));
  keyed.sort((a, b) =>
    a.key !== b.key ? (a.key < b.key ? -1 : 1) : a.text < b.text ? -1 : a.text > b.text ? 1 : 0,
  );
  const plain = Buffer.from(`{"objects":[${keyed.map((one) => one.text).join(',')}]}`);
  return {
    digest: sha256(plain),
    plainSize: plain.length,
    stored: zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
    objectCount: objects.length,
    inventory: inventoryOf(objects),
  };
}

/** Hooks come and go by themselves, and what asks to stay is never pruned. */
export function inventoryOf(objects: readonly KubeObject[]): string[] {
  const pruned = objects.filter(
    (object) => hooksOf(object) === null && syncOption(object, 'Prune') !== 'false',
  );
  return [...new Set(pruned.map(identityOf))].sort();
}

/** The objects of a stored bundle; `plainSize` bounds the decompression. */
export function readBundle(stored: Uint8Array, plainSize: number): KubeObject[] {
  const plain = zstdDecompressSync(stored, { maxOutputLength: plainSize });
  return (JSON.parse(plain.toString('utf8')) as { objects: KubeObject[] }).objects;
}
