import { X509Certificate } from 'node:crypto';
import { MusterError } from '@muster/base';
import { beforeAll, describe, expect, it } from 'vitest';
import { CertificateAuthority, clusterIdFromSubjectAltName } from './certificate-authority.ts';
import { createCa } from './certificates.ts';
import { makeRequest } from './testing.ts';

const CLUSTER = '0199a1b2-0000-7000-8000-000000000001';

describe('the certificate authority', () => {
  let authority: CertificateAuthority;
  beforeAll(async () => {
    const ca = await createCa('hub');
    authority = await CertificateAuthority.open({ caCertificate: ca.certificate, caKey: ca.key });
  });

  it('certifies the key of a request under the name that the hub decides', async () => {
    const { csr, publicKey } = await makeRequest('CN=somebody-else');
    const issued = await authority.issue(csr, CLUSTER);
    const leaf = new X509Certificate(issued.chain[0]!);
    expect(leaf.subject).toBe(`CN=${CLUSTER}`);
    expect(clusterIdFromSubjectAltName(leaf.subjectAltName)).toBe(CLUSTER);
    expect(leaf.publicKey.equals(publicKey)).toBe(true);
    expect(leaf.verify(new X509Certificate(issued.chain[1]!).publicKey)).toBe(true);
    expect(leaf.serialNumber.toLowerCase()).toBe(issued.serial);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it('refuses a request that was changed after it was signed', async () => {
    const { csr } = await makeRequest('CN=a');
    csr[csr.length - 3]! ^= 1;
    await expect(authority.issue(csr, CLUSTER)).rejects.toThrow(MusterError);
  });

  it('refuses bytes that are no request', async () => {
    await expect(authority.issue(Buffer.from('hello'), CLUSTER)).rejects.toThrow(
      'not a readable certificate request',
    );
  });

  it('recognises its own certificates, and no others', async () => {
    const { csr } = await makeRequest('CN=a');
    const issued = await authority.issue(csr, CLUSTER);
    expect(await authority.recognise(issued.chain[0]!)).toMatchObject({
      clusterId: CLUSTER,
      serial: issued.serial,
    });
    const otherCa = await createCa('hub');
    const other = await CertificateAuthority.open({ caCertificate: otherCa.certificate, caKey: otherCa.key });
    const forged = await other.issue(csr, CLUSTER);
    await expect(authority.recognise(forged.chain[0]!)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('never takes a server certificate for a cluster', async () => {
    const server = await authority.issueServer(['localhost', '127.0.0.1']);
    const leaf = new X509Certificate(server.certificate);
    expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    await expect(authority.recognise(leaf.raw)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('reads one cluster name and nothing beside it', () => {
    expect(clusterIdFromSubjectAltName(`URI:muster://cluster/${CLUSTER}, DNS:x`)).toBeUndefined();
    expect(clusterIdFromSubjectAltName(undefined)).toBeUndefined();
  });
});
