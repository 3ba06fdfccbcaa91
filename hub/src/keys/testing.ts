import { createPublicKey, type KeyObject } from 'node:crypto';
import * as x509 from './x509.ts';
import { exportKey, generateKeys } from './certificates.ts';

/** A key and a PKCS#10 request for it, as an agent makes them. For tests. */
export async function makeRequest(
  name = 'CN=agent',
): Promise<{ csr: Buffer; key: string; publicKey: KeyObject }> {
  const keys = await generateKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  });
  const key = await exportKey(keys.privateKey);
  return { csr: Buffer.from(request.rawData), key, publicKey: createPublicKey(key) };
}
