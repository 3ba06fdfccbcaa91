import { type KeyObject, X509Certificate, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** A new P-256 key: the agent's own, made where it is used and never sent. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/**
 * A PKCS#10 request (RFC 2986), DER, for the public half of an EC key: empty subject, no attributes, signed with
 * ECDSA and SHA-256. Written here because a library for it costs the agent 10 MB.
 */
export function certificateRequest(key: KeyObject): Buffer {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const version = tlv(0x02, Buffer.from([0]));
  const subject = tlv(0x30, Buffer.alloc(0));
  const attributes = tlv(0xa0, Buffer.alloc(0));
  const info = tlv(0x30, Buffer.concat([version, subject, publicKey, attributes]));
  const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const signature = sign('sha256', info, key);
  const bits = tlv(0x03, Buffer.concat([Buffer.from([0]), signature]));
  return tlv(0x30, Buffer.concat([info, ecdsaWithSha256, bits]));
}

/** PEM text of a DER certificate. */
export function pem(der: Uint8Array): string {
  return new X509Certificate(der).toString();
}

/** Tag, definite length, value. */
function tlv(tag: number, value: Buffer): Buffer {
  const size = value.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}
