import { createHash, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from './x509.ts';

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
/** Clocks of clusters run apart; a certificate is valid from this long before it is made. */
const BACKDATE = 5 * 60_000;
const CA_LIFE = 3650 * DAY;

// The ambient WebCrypto: the library wants to be told which one.
x509.cryptoProvider.set(webcrypto as unknown as typeof globalThis.crypto);

/** A new CA: EC P-256, ten years, may sign leaves only. PEM both. */
export async function createCa(hubId: string): Promise<{ certificate: string; key: string }> {
  const keys = await generateKeys();
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=Muster hub ${hubId}`,
    notBefore: new Date(now - BACKDATE),
    notAfter: new Date(now + CA_LIFE),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

export function generateKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
}

/** PKCS#8 PEM. */
export async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key as webcrypto.CryptoKey));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

/** A private EC P-256 key in PEM as WebCrypto uses it. */
export function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']) as Promise<CryptoKey>;
}

/** What a leaf certificate says besides its key. */
export interface LeafTerms {
  commonName: string;
  names: x509.JsonGeneralNames;
  purpose: 'server' | 'client';
  lifeMs: number;
  now: number;
}

/** Signs a leaf for a public key. Serial: 128 random bits. */
export async function issueLeaf(
  ca: { certificate: x509.X509Certificate; key: CryptoKey },
  publicKey: x509.PublicKeyType,
  terms: LeafTerms,
): Promise<x509.X509Certificate> {
  const usage =
    terms.purpose === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  return x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [terms.commonName] }],
    issuer: ca.certificate.subjectName,
    notBefore: new Date(terms.now - BACKDATE),
    notAfter: new Date(Math.min(terms.now + terms.lifeMs, ca.certificate.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: ca.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage], false),
      new x509.SubjectAlternativeNameExtension(terms.names, false),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
    ],
  });
}

/** Lower-case hex SHA-256 of a certificate's DER. */
export function fingerprintOf(certificate: x509.X509Certificate): string {
  return createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex');
}

/** Lower-case hex without leading zeros, as the certificates table and Node's TLS both can be brought to. */
export function normalSerial(serial: string): string {
  return serial.toLowerCase().replace(/^0+(?=.)/, '');
}

/** Positive (top bit clear) and never with a leading zero byte, so that all readers print it alike. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}
