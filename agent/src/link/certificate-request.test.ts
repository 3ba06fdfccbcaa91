import 'reflect-metadata'; // the certificate library's container needs it
import { createPublicKey, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { expect, it } from 'vitest';
import { certificateRequest, newKey } from './certificate-request.ts';

it('makes a request that another implementation reads and verifies', async () => {
  const key = newKey();
  const request = new Pkcs10CertificateRequest(certificateRequest(key));
  expect(await request.verify(webcrypto as never)).toBe(true);
  expect(request.subject).toBe('');
  const written = createPublicKey(key).export({ type: 'spki', format: 'der' });
  expect(Buffer.from(request.publicKey.rawData).equals(written)).toBe(true);
});

it('does not verify once it was changed', async () => {
  const der = certificateRequest(newKey());
  const at = der.indexOf(Buffer.from('034200', 'hex')) + 10; // inside of the public key
  der[at]! ^= 1;
  const verified = await new Pkcs10CertificateRequest(der).verify(webcrypto as never).catch(() => false);
  expect(verified).toBe(false);
});
