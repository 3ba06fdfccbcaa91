import {
  experimental,
  Server,
  type ServerCredentials,
  type ServerOptions,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import {
  AgentServiceService,
  EnrollmentServiceService,
  type GetBundleRequest,
  type GetBundleResponse,
} from '@muster/proto';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Listening, Readiness } from '../api/readiness.ts';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { EnrolmentService } from '../clusters/enrolment.service.ts';
import { gatewayNames } from '../clusters/gateway.ts';
import { CONFIG, type Config } from '../config.ts';
import { Keys } from '../keys/keys.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import type { AgentStream } from './agent-session.ts';
import { BundleDownloads } from './bundle-downloads.ts';
import { GatewayCertificate } from './gateway-certificate.ts';
import { toServiceError } from './grpc-status.ts';
import { peerOf } from './peer.ts';
import { Sessions } from './sessions.ts';

const KEEPALIVE: ServerOptions = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_concurrent_streams': 32,
};
const SESSION_OPTIONS: ServerOptions = { ...KEEPALIVE, 'grpc.max_receive_message_length': 16 * 1024 * 1024 };
/** Anyone may connect here: small messages, and no connection kept for nothing. */
const ENROL_OPTIONS: ServerOptions = {
  ...KEEPALIVE,
  'grpc.max_receive_message_length': 2 * 1024 * 1024,
  'grpc.max_connection_idle_ms': 60_000,
};
const STOP_WITHIN_MS = 3_000;

/** The two gRPC servers that agents talk to: enrolment with TLS, sessions with mutual TLS. */
@Injectable()
export class Gateway implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #config: Config;
  readonly #keys: Keys;
  readonly #enrolment: EnrolmentService;
  readonly #certificates: CertificatesService;
  readonly #clusters: ClustersService;
  readonly #sessions: Sessions;
  readonly #downloads: BundleDownloads;
  readonly #listening: Listening;
  readonly #readiness: Readiness;
  readonly #logger: Logger;
  readonly #servers: Server[] = [];
  #certificate: GatewayCertificate | undefined;

  // biome-ignore lint/complexity/useMaxParams: injected
  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(Keys) keys: Keys,
    @Inject(EnrolmentService) enrolment: EnrolmentService,
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(Sessions) sessions: Sessions,
    @Inject(BundleDownloads) downloads: BundleDownloads,
    @Inject(Listening) listening: Listening,
    @Inject(Readiness) readiness: Readiness,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#config = config;
    this.#keys = keys;
    this.#enrolment = enrolment;
    this.#certificates = certificates;
    this.#clusters = clusters;
    this.#sessions = sessions;
    this.#downloads = downloads;
    this.#listening = listening;
    this.#readiness = readiness;
    this.#logger = logger.child({ part: 'gateway' });
    readiness.expect('gateway');
  }

  async onApplicationBootstrap(): Promise<void> {
    const { gatewayHost, sessionPort, enrolPort } = this.#config;
    const certificate = new GatewayCertificate(this.#keys.authority, gatewayNames(this.#config));
    this.#certificate = certificate;
    await certificate.start((error) =>
      this.#logger.error({ err: error }, 'the gateway certificate could not be renewed'),
    );
    // Its parameters are named in the wrong order in grpc-js 1.14: the first is the identity, the second the CA.
    const credentials = experimental.createCertificateProviderServerCredentials;
    const enrol = await this.#listen(
      this.#enrolmentServer(),
      gatewayHost,
      enrolPort,
      credentials(certificate, null, false),
    );
    const session = await this.#listen(
      this.#sessionServer(),
      gatewayHost,
      sessionPort,
      credentials(certificate, certificate, true),
    );
    this.#listening.session = `${bracketed(gatewayHost)}:${session}`;
    this.#listening.enrol = `${bracketed(gatewayHost)}:${enrol}`;
    this.#listening.caSha256 = this.#keys.caSha256;
    this.#readiness.set('gateway', true);
    this.#logger.info(
      { session: this.#listening.session, enrol: this.#listening.enrol },
      'the gateway listens',
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#readiness.set('gateway', false);
    this.#certificate?.stop();
    await this.#sessions.stop();
    await Promise.all(this.#servers.map(stop));
  }

  /** A new certificate for new connections; open streams live on. */
  async renewCertificate(): Promise<void> {
    await this.#certificate?.reissue();
  }

  #enrolmentServer(): Server {
    const server = new Server(ENROL_OPTIONS);
    server.addService(EnrollmentServiceService, {
      enroll: this.#unary((call) => this.#enrolment.enroll(call.request, addressOf(call))),
      getEnrollment: this.#unary((call) => this.#enrolment.status(call.request)),
      renewExpired: this.#unary(async (call) => ({
        certificateChain: await this.#certificates.renewExpired(call.request),
      })),
    });
    return server;
  }

  #sessionServer(): Server {
    const server = new Server(SESSION_OPTIONS);
    server.addService(AgentServiceService, {
      renew: this.#unary(async (call) => {
        const peer = peerOf(call);
        await this.#certificates.requireUnrevoked(peer);
        if (!(await this.#clusters.byId(peer.clusterId)))
          throw new MusterError('unauthenticated', 'the hub does not know this cluster');
        return { certificateChain: await this.#certificates.issue(call.request.csr, peer.clusterId) };
      }),
      session: (stream: AgentStream) => this.#sessions.accept(stream),
      getBundle: (call: ServerWritableStream<GetBundleRequest, GetBundleResponse>) =>
        void this.#downloads.send(call),
    });
    return server;
  }

  #unary<Request, Response>(answer: (call: ServerUnaryCall<Request, Response>) => Promise<Response>) {
    return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      answer(call).then(
        (response) => callback(null, response),
        (error: unknown) => {
          const { code } = MusterError.from(error);
          if (code === 'internal')
            this.#logger.error({ err: error, call: call.getPath() }, 'a call of an agent failed');
          callback(toServiceError(error));
        },
      );
    };
  }

  #listen(server: Server, host: string, port: number, credentials: ServerCredentials): Promise<number> {
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.bindAsync(`${bracketed(host)}:${port}`, credentials, (error, bound) => {
        if (!error) return resolve(bound);
        reject(
          new MusterError('unavailable', `cannot listen on ${host}:${port}: ${error.message}`, {
            where: 'MUSTER_GATEWAY_HOST',
          }),
        );
      });
    });
  }
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, STOP_WITHIN_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The peer's address without its port: guesses are counted by it. */
function addressOf(call: { getPeer(): string }): string {
  return call.getPeer().replace(/:\d+$/, '');
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
