import { randomUUID } from 'node:crypto';
import type * as proto from '@muster/proto';
import type { TestKeys } from './test-keys.ts';
import type { TestPki } from './test-pki.ts';

const HOUR_MS = 3_600_000;
const ENROLMENT = 'e1';

/** How agents join: a token for a certificate, and a certificate for a newer one. */
export class TestJoining {
  readonly token = randomUUID();
  /** Set: enrolments wait. */
  pending = false;
  certificateLifeMs = 24 * HOUR_MS;
  enrolments = 0;
  private csr: Buffer = Buffer.alloc(0);
  private readonly keys: TestKeys;
  private readonly pki: TestPki;
  private readonly clusterId: string;

  constructor(keys: TestKeys, pki: TestPki, clusterId: string) {
    this.keys = keys;
    this.pki = pki;
    this.clusterId = clusterId;
  }

  service(): proto.EnrollmentServiceServer {
    return {
      enroll: (call, answer) => void this.enroll(call.request).then((r) => answer(null, r), answer),
      getEnrollment: (call, answer) =>
        void this.getEnrollment(call.request).then((r) => answer(null, r), answer),
      renewExpired: (call, answer) => void this.renew(call.request).then((r) => answer(null, r), answer),
    };
  }

  async renew({ csr }: { csr: Buffer }): Promise<{ certificateChain: Buffer[] }> {
    return { certificateChain: await this.pki.issueFor(csr, this.certificateLifeMs) };
  }

  private async enroll(request: proto.EnrollRequest): Promise<proto.EnrollResponse> {
    if (request.token !== this.token)
      throw Object.assign(new Error('the join token is not known'), { code: 16 });
    this.enrolments++;
    this.csr = request.csr;
    return { enrollmentId: ENROLMENT, ...(await this.enrolment()) };
  }

  private async getEnrollment(request: proto.GetEnrollmentRequest): Promise<proto.GetEnrollmentResponse> {
    if (request.enrollmentId !== ENROLMENT) throw Object.assign(new Error('no such enrolment'), { code: 5 });
    return this.enrolment();
  }

  private async enrolment(): Promise<proto.GetEnrollmentResponse> {
    if (this.pending)
      return { state: 1, identity: undefined, message: 'waits for approval', retryAfterSeconds: 1 };
    const identity: proto.Identity = {
      hubId: this.keys.hubId,
      clusterId: this.clusterId,
      clusterName: 'test',
      ...(await this.renew({ csr: this.csr })),
      rootPublicKey: this.keys.rootPublicKey,
      keySet: this.keys.keySet(),
      registration: this.keys.registration(this.clusterId),
    };
    return { state: 2, identity, message: '', retryAfterSeconds: 0 };
  }
}
