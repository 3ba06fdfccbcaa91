import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { type AgentEffect, type AgentEvent, AgentLink, type PersistedChange } from '@muster/link';
import {
  AgentServiceClient,
  type AnswerRequest,
  type ApplicationStatus,
  type Ask,
  type Command,
  EnrollmentServiceClient,
  EnrollmentState,
  type EnrollResponse,
  Facts,
  type GetBundleRequest,
  type GetBundleResponse,
  type Identity,
  type SessionRequest,
  type SessionResponse,
  type Signed,
  type Version,
  type Welcome,
} from '@muster/proto';
import { makeRequest } from '../../keys/testing.ts';

export interface HubAddress {
  session: string;
  enrol: string;
  /** PEM. */
  ca: string;
}

/** What a test agent holds after it was accepted. */
export interface TestIdentity {
  key: string;
  identity: Identity;
}

export const FACTS = Facts.fromPartial({
  kubernetesVersion: 'v1.34.0',
  apiVersions: ['v1', 'apps/v1', 'apps/v1/Deployment'],
  nodeCount: 3,
  agentVersion: 'test',
  platform: 'linux/amd64',
});

/** Enrols like an agent: its own key, a request, the token. */
export class TestEnrolment {
  readonly #client: EnrollmentServiceClient;
  readonly token: string;
  readonly kubeSystemUid: string;
  #request: { csr: Buffer; key: string } | undefined;

  constructor(hub: HubAddress, token: string, kubeSystemUid: string = randomUUID()) {
    this.#client = new EnrollmentServiceClient(hub.enrol, credentials.createSsl(Buffer.from(hub.ca)));
    this.token = token;
    this.kubeSystemUid = kubeSystemUid;
  }

  async enroll(): Promise<EnrollResponse> {
    this.#request ??= await makeRequest();
    const { csr } = this.#request;
    return unary((done) =>
      this.#client.enroll({ token: this.token, csr, kubeSystemUid: this.kubeSystemUid, facts: FACTS }, done),
    );
  }

  status(enrollmentId: string, options: { key?: string; timeMs?: number } = {}) {
    const timeMs = BigInt(options.timeMs ?? Date.now());
    const text = `muster.enrollment-proof.v1\n${enrollmentId}\n${timeMs}`;
    const proof = sign('sha256', Buffer.from(text), createPrivateKey(options.key ?? this.#request!.key));
    return unary<Omit<EnrollResponse, 'enrollmentId'>>((done) =>
      this.#client.getEnrollment({ enrollmentId, timeMs, proof }, done),
    );
  }

  async renewExpired(certificate: Buffer, key: string): Promise<Buffer[]> {
    const { csr } = await makeRequest();
    const timeMs = BigInt(Date.now());
    const text = `muster.renew-expired.v1\n${createHash('sha256').update(csr).digest('hex')}\n${timeMs}`;
    const proof = sign('sha256', Buffer.from(text), createPrivateKey(key));
    const answer = await unary<{ certificateChain: Buffer[] }>((done) =>
      this.#client.renewExpired({ certificate, csr, timeMs, proof }, done),
    );
    return answer.certificateChain;
  }

  accepted(answer: Omit<EnrollResponse, 'enrollmentId'>): TestIdentity {
    if (answer.state !== EnrollmentState.APPROVED || !answer.identity)
      throw new Error(`not approved: ${answer.message}`);
    return { key: this.#request!.key, identity: answer.identity };
  }

  close(): void {
    this.#client.close();
  }
}

/** An agent without a cluster: the real link machine, a real gRPC stream, memory for a store. */
export class TestAgent {
  #hub: HubAddress;
  readonly #identity: TestIdentity;
  readonly #held = new Map<string, Signed>();
  readonly #gone = new Map<string, Version>();
  readonly #statuses = new Map<string, ApplicationStatus>();
  #keySet: Signed | undefined;
  #registration: Signed | undefined;
  #client: AgentServiceClient | undefined;
  #stream: ReturnType<AgentServiceClient['session']> | undefined;
  link!: AgentLink;
  readonly kubeSystemUid: string;
  readonly refused: string[] = [];
  readonly commands: Command[] = [];
  readonly received: NonNullable<SessionResponse['message']>[] = [];
  welcome: Welcome | undefined;
  /** Why the last stream ended. */
  ended: ServiceError | undefined;
  /** Runs a command; undefined: never answers. */
  onCommand: ((command: Command) => void) | undefined;
  readonly asks: Ask[] = [];
  readonly cancelled: string[] = [];
  onAsk: ((ask: Ask) => void) | undefined;
  /** Set: the hello tells these instead. */
  features: string[] | undefined;

  constructor(hub: HubAddress, identity: TestIdentity, kubeSystemUid: string) {
    this.#hub = hub;
    this.#identity = identity;
    this.kubeSystemUid = kubeSystemUid;
    this.#keySet = identity.identity.keySet;
    this.#registration = identity.identity.registration;
    this.restart();
  }

  /** A new process: another instance, with what was persisted. */
  restart(): void {
    const { hubId, clusterId, rootPublicKey } = this.#identity.identity;
    const memory = {
      ...(this.#keySet ? { keySet: this.#keySet } : {}),
      ...(this.#registration ? { registration: this.#registration } : {}),
      held: [...this.#held.values()],
      gone: this.#gone,
      commands: [],
    };
    this.link = new AgentLink({ hubId, clusterId, rootPublicKey }, memory, randomUUID(), Date.now(), () => [
      ...this.#statuses.values(),
    ]);
  }

  connect(): void {
    const chain = this.#identity.identity.certificateChain.map(toPem).join('');
    const tls = credentials.createSsl(
      Buffer.from(this.#hub.ca),
      Buffer.from(this.#identity.key),
      Buffer.from(chain),
    );
    this.#client = new AgentServiceClient(this.#hub.session, tls, { 'grpc.use_local_subchannel_pool': 1 });
    const stream = this.#client.session();
    this.#stream = stream;
    this.welcome = undefined;
    this.ended = undefined;
    stream.on('data', (message: SessionResponse) => {
      if (message.message) this.received.push(message.message);
      this.dispatch({ kind: 'received', message: message.message, nowMs: Date.now() });
    });
    stream.on('error', (error: ServiceError) => {
      if (this.#stream !== stream) return;
      this.ended = error;
      this.dispatch({ kind: 'disconnected' });
    });
    this.dispatch({
      kind: 'connected',
      hello: { agentVersion: 'test', kubeSystemUid: this.kubeSystemUid, facts: FACTS },
    });
  }

  /** Dials another hub from now on, with what it holds. */
  moveTo(hub: HubAddress): void {
    this.#hub = hub;
  }

  /** Uses another certificate (DER, leaf first) from the next connection on. */
  useCertificate(chain: Buffer[], key: string): void {
    this.#identity.identity.certificateChain = chain;
    this.#identity.key = key;
  }

  get identity(): TestIdentity {
    return this.#identity;
  }

  /** Cuts the stream like a network would. */
  disconnect(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#client?.close();
    this.dispatch({ kind: 'disconnected' });
  }

  dispatch(event: AgentEvent): void {
    for (const effect of this.link.handle(event)) this.#carryOut(effect);
  }

  heartbeat(): void {
    this.dispatch({ kind: 'heartbeat' });
  }

  report(status: ApplicationStatus): void {
    this.#statuses.set(`${status.applicationNamespace}/${status.applicationName}`, {
      ...status,
      resourcesComplete: true,
      removedResources: [],
    });
    this.dispatch({ kind: 'status', statuses: [status] });
  }

  /** Sends what a well-behaved agent would not. */
  sendRaw(message: NonNullable<SessionRequest['message']>): void {
    this.#stream?.write({ message });
  }

  /** Carries out the tombstone of an Application. */
  finish(key: string): void {
    const version = this.link.held.get(key)?.assignment.version;
    this.#statuses.delete(key);
    if (version) this.dispatch({ kind: 'finished', key, version, nowMs: Date.now() });
  }

  async renew(): Promise<{ chain: Buffer[]; key: string }> {
    const { csr, key } = await makeRequest();
    const answer = await unary<{ certificateChain: Buffer[] }>((done) => this.#client!.renew({ csr }, done));
    return { chain: answer.certificateChain, key };
  }

  /** Opens the call that answers an ask; `ended` tells how the hub ended it. */
  answer(...messages: Partial<AnswerRequest>[]) {
    const ended = Promise.withResolvers<ServiceError | null>();
    const stream = this.#client!.answer((error) => ended.resolve(error));
    stream.on('error', () => undefined);
    const write = (message: Partial<AnswerRequest>) =>
      stream.write({ askId: '', data: Buffer.alloc(0), end: undefined, ...message });
    messages.forEach(write);
    return { write, end: () => stream.end(), ended: ended.promise };
  }

  download(request: GetBundleRequest): Promise<Buffer> {
    const stream = this.#client!.getBundle(request);
    const chunks: Buffer[] = [];
    return new Promise((resolve, reject) => {
      stream.on('data', (chunk: GetBundleResponse) => chunks.push(chunk.data));
      stream.on('error', reject);
      stream.on('end', () => resolve(Buffer.concat(chunks)));
    });
  }

  #carryOut(effect: AgentEffect): void {
    switch (effect.kind) {
      case 'send': {
        const { message } = effect;
        if (message.$case === 'hello' && this.features) message.value.features = this.features;
        this.#stream?.write({ message } as SessionRequest);
        return;
      }
      case 'persist':
        return this.#persist(effect.change);
      case 'refused':
        this.refused.push(`${effect.what}: ${effect.reason}`);
        return;
      case 'run':
        this.commands.push(effect.command);
        this.onCommand?.(effect.command);
        return;
      case 'welcomed':
        this.welcome = effect.welcome;
        return;
      case 'ask':
        this.asks.push(effect.ask);
        this.onAsk?.(effect.ask);
        return;
      case 'ask-cancelled':
        this.cancelled.push(effect.id);
        return;
      case 'reconcile':
        return;
    }
  }

  #persist(change: PersistedChange): void {
    switch (change.kind) {
      case 'assignment':
        this.#held.set(change.key, change.held.signed);
        return;
      case 'gone':
        this.#held.delete(change.key);
        this.#gone.set(change.key, change.version);
        return;
      case 'key-set':
        this.#keySet = change.signed;
        return;
      case 'registration':
        this.#registration = change.signed;
        return;
      case 'command':
      case 'forget-commands':
        return;
    }
  }
}

export function toPem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

export function unary<T>(call: (done: (error: ServiceError | null, answer: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer))));
}
