import type { experimental } from '@grpc/grpc-js';
import type { CertificateAuthority } from '../keys/certificate-authority.ts';
import { SERVER_CERTIFICATE_LIFE_MS } from '../keys/certificate-authority.ts';

type Provider = experimental.CertificateProvider;
type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

const CHECK_MS = 3_600_000;

/**
 * The gateway's certificate, made in memory at each start (so changed names are in it) and again at two thirds of its
 * life. New handshakes get the new one; open streams live on. Its key is never on a disk: agents trust the CA.
 * grpc-js takes it through its experimental certificate providers, which is why its minor version is pinned.
 */
export class GatewayCertificate implements Provider {
  readonly #authority: CertificateAuthority;
  readonly #names: string[];
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #current: { certificate: Buffer; privateKey: Buffer } | undefined;
  #issuedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(authority: CertificateAuthority, names: string[]) {
    this.#authority = authority;
    this.#names = names;
  }

  /** Resolves once there is a certificate: only then may a server be bound. */
  async start(onError: (error: unknown) => void): Promise<void> {
    await this.reissue();
    this.#timer = setInterval(() => {
      if (Date.now() - this.#issuedAt > (SERVER_CERTIFICATE_LIFE_MS * 2) / 3) this.reissue().catch(onError);
    }, CHECK_MS);
    this.#timer.unref();
  }

  async reissue(): Promise<void> {
    const issued = await this.#authority.issueServer(this.#names);
    this.#issuedAt = Date.now();
    this.#current = { certificate: Buffer.from(issued.certificate), privateKey: Buffer.from(issued.key) };
    for (const listener of this.#identityListeners) listener(this.#current);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    // Later, because grpc-js registers its own watcher after it asks.
    process.nextTick(listener, { caCertificate: Buffer.from(this.#authority.pem) });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    if (this.#current) process.nextTick(listener, this.#current);
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }
}
