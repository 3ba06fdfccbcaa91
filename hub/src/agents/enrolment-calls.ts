import type { EnrollmentServiceServer } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { EnrolmentService } from '../clusters/enrolment.service.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { unary } from './unary.ts';

/** EnrollmentService: anyone may call it, and nothing of it gives access to a cluster's data. */
@Injectable()
export class EnrolmentCalls {
  readonly #enrolment: EnrolmentService;
  readonly #certificates: CertificatesService;
  readonly #logger: Logger;

  constructor(
    @Inject(EnrolmentService) enrolment: EnrolmentService,
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#enrolment = enrolment;
    this.#certificates = certificates;
    this.#logger = logger.child({ part: 'gateway' });
  }

  handlers(): EnrollmentServiceServer {
    return {
      enroll: unary(this.#logger, (call) => this.#enrolment.enroll(call.request, addressOf(call))),
      getEnrollment: unary(this.#logger, (call) => this.#enrolment.status(call.request)),
      renewExpired: unary(this.#logger, async (call) => ({
        certificateChain: await this.#certificates.renewExpired(call.request),
      })),
    };
  }
}

/** The peer's address without its port: guesses are counted by it. */
function addressOf(call: { getPeer(): string }): string {
  return call.getPeer().replace(/:\d+$/, '');
}
