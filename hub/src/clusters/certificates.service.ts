import { createHash } from 'node:crypto';
import { MusterError } from '@muster/base';
import type { RenewExpiredRequest } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { RENEW_AFTER_EXPIRY_MS, readCertificateRequest } from '../keys/certificate-authority.ts';
import { Keys } from '../keys/keys.ts';
import { CertificatesRepository, type PresentedCertificate } from './certificates.repository.ts';
import { ClustersRepository } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { EnrollmentsRepository } from './enrollments.repository.ts';
import { requireProof } from './proof.ts';

/** Certificates of agents: renewed, checked, revoked. */
@Injectable()
export class CertificatesService {
  readonly #certificates: CertificatesRepository;
  readonly #clusters: ClustersRepository;
  readonly #registry: ClustersService;
  readonly #enrollments: EnrollmentsRepository;
  readonly #keys: Keys;
  readonly #audit: Audit;

  constructor(
    @Inject(CertificatesRepository) certificates: CertificatesRepository,
    @Inject(ClustersRepository) clusters: ClustersRepository,
    @Inject(ClustersService) registry: ClustersService,
    @Inject(EnrollmentsRepository) enrollments: EnrollmentsRepository,
    @Inject(Keys) keys: Keys,
    @Inject(Audit) audit: Audit,
  ) {
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#registry = registry;
    this.#enrollments = enrollments;
    this.#keys = keys;
    this.#audit = audit;
  }

  /** A new certificate for a cluster whose identity the caller has established. DER, leaf first. */
  async issue(csr: Uint8Array, clusterId: string): Promise<Buffer[]> {
    const issued = await this.#keys.authority.issue(csr, clusterId);
    await this.#certificates.record(clusterId, issued);
    return issued.chain;
  }

  /**
   * Refuses a certificate that was revoked. One that the database does not know was issued before it was lost or set
   * back: it counts, and is known from now on, unless its cluster's certificates were revoked after it was made.
   */
  async requireUnrevoked(certificate: PresentedCertificate): Promise<void> {
    const row = await this.#certificates.find(certificate.serial);
    if (row && !row.revoked_at) return;
    const cluster = row ? undefined : await this.#clusters.byId(certificate.clusterId);
    const cutAt = cluster?.certificates_revoked_at?.getTime() ?? 0;
    const revoked = row
      ? row.revoked_reason
      : certificate.notBefore.getTime() < cutAt
        ? 'with all of its cluster'
        : undefined;
    if (revoked === undefined) return this.#certificates.remember(certificate);
    throw new MusterError('unauthenticated', `this certificate was revoked: ${revoked}`, {
      hint: 'the cluster can join again with a join token made for its name',
    });
  }

  /** Renews a certificate that has ended at most 90 days ago, for whoever holds its key. */
  async renewExpired(request: RenewExpiredRequest, nowMs = Date.now()): Promise<Buffer[]> {
    const known = await this.#keys.authority.recognise(request.certificate);
    if (nowMs - known.notAfter.getTime() > RENEW_AFTER_EXPIRY_MS) {
      throw new MusterError(
        'unauthenticated',
        `the certificate ended on ${known.notAfter.toISOString()}, more than 90 days ago`,
        {
          hint: 'join again with a join token made for this cluster',
        },
      );
    }
    const csrHash = createHash('sha256').update(request.csr).digest('hex');
    const text = `muster.renew-expired.v1\n${csrHash}\n${request.timeMs}`;
    requireProof(known.publicKey, text, request.timeMs, request.proof, nowMs);
    await this.requireUnrevoked(known);
    await readCertificateRequest(request.csr);
    return this.issue(request.csr, known.clusterId);
  }

  /** Cuts a cluster off now: no certificate of it counts any more and no approved enrolment gives a new one. */
  async revokeOf(name: string, actor: Actor, reason = 'revoked by an operator'): Promise<number> {
    return this.#clusters.transaction(async (trx) => {
      const row = await this.#clusters.lockByName(trx, name);
      if (!row) throw new MusterError('not-found', `there is no cluster ${name}`);
      const count = await this.#certificates.revokeAll(trx, row.id, reason);
      await this.#enrollments.refuseAll(trx, row.id, reason);
      await this.#audit.record(trx, {
        actor,
        action: 'cluster.revoke-certificates',
        object: `cluster/${name}`,
        reason,
        details: { count },
      });
      await this.#registry.announce(trx, row, 'changed');
      return count;
    });
  }

  /** Those of these serials that are known and not revoked. Of others `requireUnrevoked` says what they are. */
  unrevokedAmong(serials: readonly string[]): Promise<Set<string>> {
    return this.#certificates.unrevokedAmong(serials);
  }

  /** Why each of these serials was revoked; those that were not are absent. */
  revokedAmong(serials: string[]): Promise<Map<string, string>> {
    return this.#certificates.revokedAmong(serials);
  }

  latestExpiry(clusterIds: string[]): Promise<Map<string, Date>> {
    return this.#certificates.latestExpiry(clusterIds);
  }

  forgetEnded(): Promise<void> {
    return this.#certificates.forgetEnded(RENEW_AFTER_EXPIRY_MS);
  }
}
