import { createHash } from 'node:crypto';
import { MusterError } from '@muster/base';
import {
  type EnrollRequest,
  type EnrollResponse,
  EnrollmentState,
  type GetEnrollmentRequest,
  type Identity,
} from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { Audit } from '../audit/audit.ts';
import { readCertificateRequest } from '../keys/certificate-authority.ts';
import type { Row, Trx } from '../store/schema.ts';
import { ApprovalService } from './approval.service.ts';
import { type ClusterRow, ClustersRepository } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { type EnrollmentRow, EnrollmentsRepository } from './enrollments.repository.ts';
import { boundFacts } from './facts.ts';
import { GuessLimit } from './guess-limit.ts';
import { IdentityService } from './identity.service.ts';
import { hashJoinToken, looksLikeJoinToken, sameHash, tokenProblem } from './join-token.ts';
import { JoinTokensRepository } from './join-tokens.repository.ts';
import { requireProof } from './proof.ts';
import { defaultServer } from './registration.ts';

type Token = Row<'join_tokens'>;

const RETRY_AFTER_SECONDS = 5;
/** How long after its approval an enrolment still gives its certificate. */
const COLLECT_MS = 24 * 3_600_000;
const UID = /^[0-9A-Za-z-]{1,64}$/;

/** How clusters come in: a token and a request, then an approval, then an identity. */
@Injectable()
export class EnrolmentService {
  readonly #tokens: JoinTokensRepository;
  readonly #enrollments: EnrollmentsRepository;
  readonly #clusters: ClustersRepository;
  readonly #registry: ClustersService;
  readonly #approval: ApprovalService;
  readonly #identities: IdentityService;
  readonly #audit: Audit;
  readonly #guesses = new GuessLimit();

  constructor(
    @Inject(JoinTokensRepository) tokens: JoinTokensRepository,
    @Inject(EnrollmentsRepository) enrollments: EnrollmentsRepository,
    @Inject(ClustersRepository) clusters: ClustersRepository,
    @Inject(ClustersService) registry: ClustersService,
    @Inject(ApprovalService) approval: ApprovalService,
    @Inject(IdentityService) identities: IdentityService,
    @Inject(Audit) audit: Audit,
  ) {
    this.#tokens = tokens;
    this.#enrollments = enrollments;
    this.#clusters = clusters;
    this.#registry = registry;
    this.#approval = approval;
    this.#identities = identities;
    this.#audit = audit;
  }

  /**
   * Takes a join token and a certificate request. Repeating it with the same key and token changes nothing.
   * @throws MusterError unauthenticated for a token that is wrong, used up or expired; limit after too many guesses.
   */
  async enroll(request: EnrollRequest, address: string, now = new Date()): Promise<EnrollResponse> {
    if (!this.#guesses.allows(address))
      throw new MusterError('limit', 'too many wrong join tokens; wait a minute');
    const { spki } = await readCertificateRequest(request.csr);
    if (!UID.test(request.kubeSystemUid))
      throw new MusterError('invalid', 'the UID of kube-system is missing or malformed');
    const publicKeyHash = createHash('sha256').update(spki).digest();
    try {
      const enrollment = await this.#tokens.transaction((trx) =>
        this.#admit(trx, request, publicKeyHash, now),
      );
      return { enrollmentId: enrollment.id, ...(await this.#answer(enrollment, now)) };
    } catch (error) {
      if (error instanceof MusterError && error.code === 'unauthenticated') this.#guesses.failed(address);
      throw error;
    }
  }

  /** How an enrolment stands; for the holder of its key only. */
  async status(
    request: GetEnrollmentRequest,
    now = new Date(),
  ): Promise<Omit<EnrollResponse, 'enrollmentId'>> {
    const { enrollmentId, timeMs } = request;
    const enrollment = /^[0-9a-f-]{36}$/.test(enrollmentId)
      ? await this.#enrollments.find(enrollmentId)
      : undefined;
    if (!enrollment) throw new MusterError('not-found', 'there is no such enrolment');
    const { spki } = await readCertificateRequest(enrollment.csr);
    const text = `muster.enrollment-proof.v1\n${enrollmentId}\n${timeMs}`;
    requireProof(spki, text, timeMs, request.proof, now.getTime());
    return this.#answer(enrollment, now);
  }

  async #admit(trx: Trx, request: EnrollRequest, publicKeyHash: Buffer, now: Date): Promise<EnrollmentRow> {
    const token = await this.#findToken(trx, request.token);
    const repeated = await this.#enrollments.findRepeated(trx, token.id, publicKeyHash);
    if (repeated) return repeated;
    const problem = tokenProblem(token, now);
    if (problem)
      throw new MusterError('unauthenticated', problem, {
        hint: 'make a new one with `muster cluster join-token create`',
      });
    const cluster = await this.#clusterFor(trx, token, request);
    await this.#tokens.use(trx, token.id);
    const enrollment = await this.#enrollments.insert(trx, {
      token_id: token.id,
      cluster_id: cluster.id,
      public_key_hash: publicKeyHash,
      csr: Buffer.from(request.csr),
      kube_system_uid: request.kubeSystemUid,
      state: 'pending',
    });
    const action = cluster.approved_at ? 'cluster.rejoin' : 'cluster.join';
    const details = { token: token.id, kubeSystemUid: request.kubeSystemUid };
    await this.#audit.record(trx, {
      actor: `cluster:${cluster.name}`,
      action,
      object: `cluster/${cluster.name}`,
      details,
    });
    if (!token.auto_approve) {
      await this.#registry.announce(trx, cluster, 'changed');
      return enrollment;
    }
    await this.#approval.approveEnrollment(trx, cluster, enrollment, `join token of ${token.created_by}`);
    return { ...enrollment, state: 'approved', decided_at: now };
  }

  async #findToken(trx: Trx, secret: string): Promise<Token> {
    const hash = hashJoinToken(secret);
    const token = looksLikeJoinToken(secret) ? await this.#tokens.lockByHash(trx, hash) : undefined;
    if (!token || !sameHash(token.token_hash, hash))
      throw new MusterError('unauthenticated', 'this is not a join token of this hub');
    return token;
  }

  /** The row of the token's cluster; a name that exists keeps its row, and with it its assignments. */
  async #clusterFor(trx: Trx, token: Token, request: EnrollRequest): Promise<ClusterRow> {
    const existing = await this.#clusters.lockByName(trx, token.cluster_name);
    if (existing?.state === 'removing') {
      throw new MusterError('conflict', `cluster ${existing.name} is being removed`, {
        hint: 'wait until it is gone, or forget it',
      });
    }
    if (existing) return existing;
    const facts = request.facts ? { ...boundFacts(request.facts) } : {};
    return this.#clusters.insert(trx, {
      name: token.cluster_name,
      server: token.server ?? defaultServer(token.cluster_name),
      labels: JSON.stringify(token.labels),
      annotations: JSON.stringify(token.annotations),
      local: token.local && !(await this.#clusters.anyLocal(trx)),
      state: 'pending',
      kube_system_uid: request.kubeSystemUid,
      facts: JSON.stringify(facts),
      registration_revision: 1n,
    });
  }

  async #answer(enrollment: EnrollmentRow, now: Date): Promise<Omit<EnrollResponse, 'enrollmentId'>> {
    switch (enrollment.state) {
      case 'pending':
        return { ...waiting, message: 'waits for an approval: `muster cluster approve`' };
      case 'refused':
        return {
          ...waiting,
          state: EnrollmentState.REFUSED,
          message: enrollment.message,
          retryAfterSeconds: 0,
        };
      case 'approved': {
        const late = now.getTime() - (enrollment.decided_at ?? now).getTime() > COLLECT_MS;
        if (late)
          return {
            ...waiting,
            state: EnrollmentState.REFUSED,
            message: 'the approved enrolment was not collected in time',
            retryAfterSeconds: 0,
          };
        return {
          ...waiting,
          state: EnrollmentState.APPROVED,
          identity: await this.#identities.issue(enrollment),
          retryAfterSeconds: 0,
        };
      }
    }
  }
}

const waiting = {
  state: EnrollmentState.PENDING as EnrollmentState,
  identity: undefined as Identity | undefined,
  message: '',
  retryAfterSeconds: RETRY_AFTER_SECONDS,
};
