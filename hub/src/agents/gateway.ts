import { experimental, Server, type ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import { AgentServiceService, EnrollmentServiceService } from '@muster/proto';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Listening, Readiness } from '../api/readiness.ts';
import { gatewayNames } from '../clusters/gateway.ts';
import { CONFIG, type Config } from '../config.ts';
import { Keys } from '../keys/keys.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { EnrolmentCalls } from './enrolment-calls.ts';
import { GatewayCertificate } from './gateway-certificate.ts';
import { SessionCalls } from './session-calls.ts';

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
  readonly #enrolment: EnrolmentCalls;
  readonly #sessions: SessionCalls;
  readonly #listening: Listening;
  readonly #readiness: Readiness;
  readonly #logger: Logger;
  readonly #servers: Server[] = [];
  #certificate: GatewayCertificate | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(Keys) keys: Keys,
    @Inject(EnrolmentCalls) enrolment: EnrolmentCalls,
    @Inject(SessionCalls) sessions: SessionCalls,
    @Inject(Listening) listening: Listening,
    @Inject(Readiness) readiness: Readiness,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#config = config;
    this.#keys = keys;
    this.#enrolment = enrolment;
    this.#sessions = sessions;
    this.#listening = listening;
    this.#readiness = readiness;
    this.#logger = logger.child({ part: 'gateway' });
    readiness.expect('gateway');
  }

  async onApplicationBootstrap(): Promise<void> {
    const { sessionPort, enrolPort } = this.#config;
    const certificate = new GatewayCertificate(this.#keys.authority, gatewayNames(this.#config));
    this.#certificate = certificate;
    await certificate.start((error) =>
      this.#logger.error({ err: error }, 'the gateway certificate could not be renewed'),
    );
    // Its parameters are named in the wrong order in grpc-js 1.14: the first is the identity, the second the CA.
    const credentials = experimental.createCertificateProviderServerCredentials;
    const enrol = new Server(ENROL_OPTIONS);
    enrol.addService(EnrollmentServiceService, this.#enrolment.handlers());
    const session = new Server(SESSION_OPTIONS);
    session.addService(AgentServiceService, this.#sessions.handlers());
    this.#listening.enrol = await this.#listen(enrol, enrolPort, credentials(certificate, null, false));
    this.#listening.session = await this.#listen(
      session,
      sessionPort,
      credentials(certificate, certificate, true),
    );
    this.#listening.caSha256 = this.#keys.caSha256;
    this.#readiness.set('gateway', true);
    const { session: sessions, enrol: enrolment } = this.#listening;
    this.#logger.info({ sessions, enrolment }, 'the gateway listens');
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

  /** Resolves with HOST:PORT. */
  #listen(server: Server, port: number, credentials: ServerCredentials): Promise<string> {
    const { gatewayHost } = this.#config;
    const host = gatewayHost.includes(':') ? `[${gatewayHost}]` : gatewayHost;
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.bindAsync(`${host}:${port}`, credentials, (error, bound) => {
        if (!error) return resolve(`${host}:${bound}`);
        const where = 'MUSTER_GATEWAY_HOST';
        reject(
          new MusterError('unavailable', `cannot listen on ${host}:${port}: ${error.message}`, { where }),
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
