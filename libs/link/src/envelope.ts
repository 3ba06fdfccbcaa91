import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { MusterError } from '@muster/base';
import type { Signed } from '@muster/proto/records';

/** The record types that are signed. The domain is part of what is signed, so one never passes for another. */
export type Domain =
  | 'muster.assignment.v1'
  | 'muster.command.v1'
  | 'muster.ask.v1'
  | 'muster.keyset.v1'
  | 'muster.registration.v1';

/** Key id of the root key, which signs key sets and nothing else. */
export const ROOT_KEY_ID = 'root';

/** Signs the exact bytes of `payload` under `domain` with an Ed25519 private key. */
export function signRecord(domain: Domain, payload: Uint8Array, key: KeyObject, keyId: string): Signed {
  return { payload: Buffer.from(payload), signature: sign(null, signedBytes(domain, payload), key), keyId };
}

/**
 * Checks a record before anything of it is parsed.
 * @param publicKey raw 32 bytes, Ed25519.
 * @throws MusterError `forbidden` when the signature does not match.
 */
export function verifyRecord(domain: Domain, signed: Signed, publicKey: Uint8Array): void {
  if (!verify(null, signedBytes(domain, signed.payload), importKey(publicKey), signed.signature)) {
    throw new MusterError(
      'forbidden',
      `the signature of this ${domain} record does not match key ${signed.keyId}`,
    );
  }
}

/** SHA-256 of a signed payload: how both sides name a record that may not be parsed. */
export function payloadSha256(signed: Signed): Buffer {
  return createHash('sha256').update(signed.payload).digest();
}

/** The raw 32 bytes of an Ed25519 key (the public half of a private one). */
export function rawPublicKey(key: KeyObject): Buffer {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return Buffer.from(jwk.x as string, 'base64url');
}

const imported = new Map<string, KeyObject>();

function importKey(raw: Uint8Array): KeyObject {
  if (raw.byteLength !== 32) throw new MusterError('invalid', 'an Ed25519 public key has 32 bytes');
  const x = Buffer.from(raw).toString('base64url');
  let key = imported.get(x);
  if (!key) {
    key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    if (imported.size > 64) imported.clear();
    imported.set(x, key);
  }
  return key;
}

function signedBytes(domain: Domain, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${domain}\n`), payload]);
}
