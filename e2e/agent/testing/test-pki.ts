import 'reflect-metadata'; // the certificate library's container needs it
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const crypto = webcrypto as never;
const hour = 3_600_000;

const newKeys = () =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

/** The certificate authority of a test's hub. */
export class TestPki {
  readonly ca: x509.X509Certificate;
  private readonly caKeys: webcrypto.CryptoKeyPair;
  private readonly subject: string;

  private constructor(ca: x509.X509Certificate, caKeys: webcrypto.CryptoKeyPair, subject: string) {
    this.ca = ca;
    this.caKeys = caKeys;
    this.subject = subject;
  }

  /** `subject` is that of everything it issues. */
  static async create(subject: string): Promise<TestPki> {
    const keys = await newKeys();
    const ca = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: 'CN=test hub',
        notBefore: new Date(Date.now() - hour),
        notAfter: new Date(Date.now() + 24 * hour),
        keys,
        signingAlgorithm: algorithm,
        extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
      },
      crypto,
    );
    return new TestPki(ca, keys, subject);
  }

  /** Key and chain, PEM, of a server on this machine. */
  async server(): Promise<{ key: Buffer; chain: Buffer }> {
    const keys = await newKeys();
    const names = new x509.SubjectAlternativeNameExtension([
      { type: 'ip', value: '127.0.0.1' },
      { type: 'dns', value: 'localhost' },
    ]);
    const leaf = await this.issue(keys.publicKey, 24 * hour, [names]);
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    return {
      key: Buffer.from(`-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`),
      chain: Buffer.from(`${leaf.toString('pem')}\n${this.ca.toString('pem')}\n`),
    };
  }

  /** The chain, DER, for a request that is signed by its key. */
  async issueFor(csr: Buffer, lifeMs: number): Promise<Buffer[]> {
    const request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify(crypto))) throw new Error('the request is not signed by its key');
    const key = await request.publicKey.export(algorithm, ['verify'], crypto);
    const leaf = await this.issue(key, lifeMs, []);
    return [Buffer.from(leaf.rawData), Buffer.from(this.ca.rawData)];
  }

  private issue(
    publicKey: webcrypto.CryptoKey,
    life: number,
    extensions: x509.Extension[],
  ): Promise<x509.X509Certificate> {
    return x509.X509CertificateGenerator.create(
      {
        subject: this.subject,
        issuer: this.ca.subject,
        notBefore: new Date(Date.now() - 1_000),
        notAfter: new Date(Date.now() + life),
        publicKey,
        signingKey: this.caKeys.privateKey,
        signingAlgorithm: algorithm,
        extensions,
      },
      crypto,
    );
  }
}
