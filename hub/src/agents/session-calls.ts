import { MusterError } from '@muster/base';
import type { AgentServiceServer } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { AnswerCalls } from './answer-calls.ts';
import { BundleDownloads } from './bundle-downloads.ts';
import { peerOf } from './peer.ts';
import { Sessions } from './sessions.ts';
import { unary } from './unary.ts';

/** AgentService: every call is scoped by the peer's certificate. */
@Injectable()
export class SessionCalls {
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;
  readonly #sessions: Sessions;
  readonly #downloads: BundleDownloads;
  readonly #answers: AnswerCalls;
  readonly #logger: Logger;

  constructor(
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(Sessions) sessions: Sessions,
    @Inject(BundleDownloads) downloads: BundleDownloads,
    @Inject(AnswerCalls) answers: AnswerCalls,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#sessions = sessions;
    this.#downloads = downloads;
    this.#answers = answers;
    this.#logger = logger.child({ part: 'gateway' });
  }

  handlers(): AgentServiceServer {
    return {
      renew: unary(this.#logger, async (call) => {
        const peer = peerOf(call);
        await this.#certificates.requireUnrevoked(peer);
        if (!(await this.#clusters.byId(peer.clusterId))) {
          throw new MusterError('unauthenticated', 'the hub does not know this cluster');
        }
        return { certificateChain: await this.#certificates.issue(call.request.csr, peer.clusterId) };
      }),
      session: (stream) => this.#sessions.accept(stream),
      getBundle: (call) => void this.#downloads.send(call),
      answer: (call, answered) => void this.#answers.take(call, answered),
    };
  }

  /** Ends all sessions, so that agents dial another replica. */
  stop(): Promise<void> {
    return this.#sessions.stop();
  }
}
