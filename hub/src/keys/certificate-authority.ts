import { createHash, type webcrypto } from 'node:crypto';
import { MusterError } from '@muster/base';
import * as x509 from './x509.ts';
import {
  exportKey,
  fingerprintOf,
  generateKeys,
  importKey,
  issueLeaf,
  type LeafTerms,
  normalSerial,
} from './certificates.ts';
import type { KeyMaterial } from './key-folder.ts';

type CryptoKey = webcrypto.CryptoKey;

const HOUR = 3_600_000;
/** Agents renew at two thirds of it, over the open link. */
export const AGENT_CERTIFICATE_LIFE_MS = 24 * HOUR;
export const SERVER_CERTIFICATE_LIFE_MS = 30 * 24 * HOUR;
/** An expired certificate that is not revoked may still renew for so long. */
export const RENEW_AFTER_EXPIRY_MS = 90 * 24 * HOUR;
const SPIFFE_PREFIX = 'muster://cluster/';

export interface IssuedCertificate {
  /** DER, leaf first, then the CA. */
  chain: Buffer[];
  serial: string;
  fingerprint: Buffer;
  notBefore: Date;
  notAfter: Date;
}

/** A certificate of ours, with the key it certifies (SPKI, DER). */
export interface KnownCertificate {
  clusterId: string;
  serial: string;
  fingerprint: Buffer;
  notBefore: Date;
  notAfter: Date;
  publicKey: Buffer;
}

/** Issues agent and server certificates under the hub's CA. */
export class CertificateAuthority {
  readonly #certificate: x509.X509Certificate;
  readonly #key: CryptoKey;
  readonly #now: () => number;
  /** Lower-case hex SHA-256 of the CA's DER: what the install command pins. */
  readonly sha256: string;
  readonly pem: string;

  private constructor(certificate: x509.X509Certificate, key: CryptoKey, now: () => number) {
    this.#certificate = certificate;
    this.#key = key;
    this.#now = now;
    this.sha256 = fingerprintOf(certificate);
    this.pem = certificate.toString('pem');
  }

  static async open(material: Pick<KeyMaterial, 'caCertificate' | 'caKey'>, now: () => number = Date.now) {
    const certificate = new x509.X509Certificate(material.caCertificate);
    return new CertificateAuthority(certificate, await importKey(material.caKey), now);
  }

  /** Certifies the key of a PKCS#10 request for a cluster; the request's subject is ignored. */
  async issue(
    csr: Uint8Array,
    clusterId: string,
    lifeMs = AGENT_CERTIFICATE_LIFE_MS,
  ): Promise<IssuedCertificate> {
    const request = await readCertificateRequest(csr);
    const leaf = await this.#leaf(request.publicKey, {
      commonName: clusterId,
      names: [{ type: 'url', value: SPIFFE_PREFIX + clusterId }],
      purpose: 'client',
      lifeMs,
    });
    return {
      chain: [Buffer.from(leaf.rawData), Buffer.from(this.#certificate.rawData)],
      serial: normalSerial(leaf.serialNumber),
      fingerprint: createHash('sha256').update(Buffer.from(leaf.rawData)).digest(),
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
    };
  }

  /** A new server key and certificate for the names and addresses agents dial. PEM; the chain ends with the CA, which agents pin. */
  async issueServer(hosts: string[]): Promise<{ certificate: string; key: string; notAfter: Date }> {
    const keys = await generateKeys();
    const names = [...new Set(hosts)].map((host) => ({
      type: isAddress(host) ? ('ip' as const) : ('dns' as const),
      value: host,
    }));
    const leaf = await this.#leaf(keys.publicKey, {
      commonName: 'muster-hub',
      names,
      purpose: 'server',
      lifeMs: SERVER_CERTIFICATE_LIFE_MS,
    });
    return {
      certificate: `${leaf.toString('pem')}\n${this.pem}\n`,
      key: await exportKey(keys.privateKey),
      notAfter: leaf.notAfter,
    };
  }

  /** Reads a certificate and proves that this CA made it; says nothing about its dates or revocation. */
  async recognise(der: Uint8Array): Promise<KnownCertificate> {
    const certificate = parse(() => new x509.X509Certificate(toArrayBuffer(der)), 'certificate');
    const ours = await certificate
      .verify({ publicKey: this.#certificate.publicKey, signatureOnly: true })
      .catch(() => false);
    const clusterId = clusterIdOf(certificate);
    if (!ours || clusterId === undefined)
      throw new MusterError('unauthenticated', 'the certificate was not issued by this hub to a cluster');
    return {
      clusterId,
      serial: normalSerial(certificate.serialNumber),
      fingerprint: createHash('sha256').update(der).digest(),
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      publicKey: Buffer.from(certificate.publicKey.rawData),
    };
  }

  #leaf(publicKey: x509.PublicKeyType, terms: Omit<LeafTerms, 'now'>): Promise<x509.X509Certificate> {
    const ca = { certificate: this.#certificate, key: this.#key };
    return issueLeaf(ca, publicKey, { ...terms, now: this.#now() });
  }
}

/** A PKCS#10 request whose signature proves that its sender holds the key. Only EC P-256 and bounded size are taken. */
export async function readCertificateRequest(
  csr: Uint8Array,
): Promise<{ publicKey: x509.PublicKey; spki: Buffer }> {
  if (csr.length === 0 || csr.length > 4096)
    throw new MusterError('invalid', 'the certificate request is empty or too large');
  const request = parse(() => new x509.Pkcs10CertificateRequest(toArrayBuffer(csr)), 'certificate request');
  const algorithm = request.publicKey.algorithm as { name?: string; namedCurve?: string };
  if (algorithm.name !== 'ECDSA' || algorithm.namedCurve !== 'P-256') {
    throw new MusterError('invalid', 'the key of a certificate request must be EC P-256');
  }
  if (!(await request.verify().catch(() => false))) {
    throw new MusterError('invalid', 'the certificate request is not signed by its own key');
  }
  return { publicKey: request.publicKey, spki: Buffer.from(request.publicKey.rawData) };
}

/** The cluster a peer certificate names, from TLS's `subjectaltname` text ("URI:muster://cluster/<id>"). */
export function clusterIdFromSubjectAltName(subjectAltName: string | undefined): string | undefined {
  const match = /^URI:muster:\/\/cluster\/([0-9a-f-]{36})$/.exec(subjectAltName ?? '');
  return match?.[1];
}

function clusterIdOf(certificate: x509.X509Certificate): string | undefined {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  if (names.length !== 1 || names[0]!.type !== 'url') return undefined;
  return clusterIdFromSubjectAltName(`URI:${names[0]!.value}`);
}

function parse<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (cause) {
    throw new MusterError('invalid', `not a readable ${what}`, { cause });
  }
}

function isAddress(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(':');
}

function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
