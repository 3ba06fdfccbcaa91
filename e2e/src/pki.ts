import 'reflect-metadata'; // the certificate library's container needs it
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;

/** Paths of a control plane's keys and certificates, all PEM. */
export interface Pki {
  caCert: string;
  caKey: string;
  serverCert: string;
  serverKey: string;
  /** CN=muster-e2e-admin, O=system:masters. */
  adminCert: string;
  adminKey: string;
  /** Signs ServiceAccount tokens. */
  serviceAccountKey: string;
  /** Verifies them; the API server does not take the private key in PKCS #8 for this. */
  serviceAccountPublicKey: string;
}

/** The keys and certificates of a control plane in `dir`, made when absent; valid for ten years on this machine only. */
export async function ensurePki(dir: string, serverNames: { dns: string[]; ips: string[] }): Promise<Pki> {
  const file = (name: string) => join(dir, name);
  const pki: Pki = {
    caCert: file('ca.crt'),
    caKey: file('ca.key'),
    serverCert: file('apiserver.crt'),
    serverKey: file('apiserver.key'),
    adminCert: file('admin.crt'),
    adminKey: file('admin.key'),
    serviceAccountKey: file('service-account.key'),
    serviceAccountPublicKey: file('service-account.pub'),
  };
  if (existsSync(dir)) return pki;
  const making = `${dir}.making`;
  await mkdir(making, { recursive: true, mode: 0o700 });
  const write = (path: string, pem: string) =>
    writeFile(join(making, path.slice(dir.length + 1)), `${pem}\n`, { mode: 0o600 });

  const ca = await newKey();
  const caCert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(),
      name: 'CN=muster-e2e',
      keys: ca,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
          true,
        ),
      ],
    },
    webcrypto as never,
  );
  await write(pki.caCert, caCert.toString('pem'));
  await write(pki.caKey, await privatePem(ca));

  const leaf = async (subject: string, certPath: string, keyPath: string, extensions: x509.Extension[]) => {
    const keys = await newKey();
    const cert = await x509.X509CertificateGenerator.create(
      {
        ...validity(),
        subject,
        issuer: caCert.subject,
        publicKey: keys.publicKey,
        signingKey: ca.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true), ...extensions],
      },
      webcrypto as never,
    );
    await write(certPath, cert.toString('pem'));
    await write(keyPath, await privatePem(keys));
  };
  await leaf('CN=kube-apiserver', pki.serverCert, pki.serverKey, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...serverNames.dns.map((value) => ({ type: 'dns' as const, value })),
      ...serverNames.ips.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ]);
  await leaf('CN=muster-e2e-admin, O=system:masters', pki.adminCert, pki.adminKey, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
  const tokens = await newKey();
  await write(pki.serviceAccountKey, await privatePem(tokens));
  await write(pki.serviceAccountPublicKey, await publicPem(tokens));
  await rename(making, dir);
  return pki;
}

function newKey(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

async function publicPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('spki', keys.publicKey), 'PUBLIC KEY');
}

function validity() {
  const serialNumber = Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex');
  // An hour of grace for a clock that is set back between two runs of the demo.
  return {
    serialNumber: `01${serialNumber}`,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_650 * day),
  };
}
