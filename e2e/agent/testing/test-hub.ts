import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { canonicalJson, sha256 } from '@muster/base';
import {
  type DesiredAssignment,
  type HubEffect,
  HubSession,
  type OfferedCommand,
  payloadSha256,
} from '@muster/link';
import { applicationKey, mergeStatus } from '@muster/link';
import * as proto from '@muster/proto';
import {
  Action,
  type ApplicationGone,
  type ApplicationStatus,
  Ask,
  Assignment,
  Command,
  SyncCommand,
  type Signed,
  SyncPolicy,
} from '@muster/proto/records';
import { TestKeys } from './test-keys.ts';
import { TestPki } from './test-pki.ts';

const hour = 3_600_000;

type Stream = ServerDuplexStream<proto.SessionRequest, proto.SessionResponse>;

/** What came of an ask. */
export interface TestAnswer {
  readonly id: string;
  text: string;
  end: proto.AnswerEnd | undefined;
  /** The call is over, whoever ended it. */
  ended: boolean;
  /** Breaks the call off, as a hub where nobody waits any more. */
  close(): void;
}

/** What a test wants a cluster to hold. */
export interface Wanted {
  name: string;
  objects?: object[];
  namespace?: string;
  action?: Action;
  policy?: Partial<SyncPolicy>;
  extra?: Partial<Assignment>;
}

/**
 * The hub's end of the link without the hub: real gRPC, real certificates and signatures, and the real state
 * machine of `@muster/link`; only what the database would hold is in memory.
 */
export class TestHub {
  readonly token = randomUUID();
  readonly statuses = new Map<string, ApplicationStatus>();
  readonly gone: ApplicationGone[] = [];
  readonly results = new Map<string, proto.CommandResult>();
  readonly answers = new Map<string, TestAnswer>();
  readonly refused: string[] = [];
  readonly hellos: proto.Hello[] = [];
  /** All that agents have said in sessions, as it was on the wire. */
  readonly received: Buffer[] = [];
  /** Set: enrolments wait. */
  pending = false;
  /** How far this hub's clock is ahead of the agent's. */
  clockAheadMs = 0;
  certificateLifeMs = 24 * hour;
  enrolments = 0;
  renewals = 0;
  downloads = 0;
  /** Bytes after which a download is cut off, once. */
  cutDownloadAt = 0;
  /** Downloads fail as when the hub goes away. */
  withholdBundles = false;
  readonly hubId: string;
  readonly clusterId = randomUUID();
  address = '';

  private server = new Server();
  private readonly keys = new TestKeys();
  private pki!: TestPki;
  private serverKeys!: { key: Buffer; chain: Buffer };
  private readonly bundles = new Map<string, Buffer>();
  private readonly desired = new Map<string, DesiredAssignment>();
  private readonly commands: OfferedCommand[] = [];
  private session: { machine: HubSession; stream: Stream } | undefined;
  private cursor = { instance: '', sequence: 0n };
  private generation = 0n;

  constructor() {
    this.hubId = this.keys.hubId;
  }

  static async start(): Promise<TestHub> {
    const hub = new TestHub();
    hub.pki = await TestPki.create(`CN=${hub.clusterId}`);
    hub.serverKeys = await hub.pki.server();
    await hub.listen(0);
    return hub;
  }

  get caSha256(): string {
    return sha256(Buffer.from(this.pki.ca.rawData));
  }

  get connected(): boolean {
    return this.session !== undefined;
  }

  /** Environment of an agent that joins here. */
  environment(): Record<string, string> {
    return {
      MUSTER_AGENT_HUB: this.address,
      MUSTER_AGENT_ENROL: this.address,
      MUSTER_AGENT_CA_SHA256: this.caSha256,
      MUSTER_AGENT_TOKEN: this.token,
    };
  }

  /** Goes away as a killed hub would. */
  kill(): void {
    this.session = undefined;
    this.server.forceShutdown();
  }

  /** Comes back on the same address. */
  async restart(): Promise<void> {
    this.server = new Server();
    await this.listen(Number(this.address.split(':')[1]));
  }

  async assign(wanted: Wanted): Promise<DesiredAssignment> {
    const signed = await this.sign(wanted);
    const row = this.row(signed);
    this.desired.set(applicationKey(row), row);
    if (this.session) this.carryOut(this.session.machine.handle({ kind: 'assignments', rows: [row] }));
    return row;
  }

  /** Sends bytes as they are, for example bytes that were altered. */
  sendRaw(message: NonNullable<proto.SessionResponse['message']>): void {
    this.session?.stream.write({ message });
  }

  async sign({
    name,
    objects = [],
    namespace = 'default',
    action = Action.APPLY,
    policy,
    extra,
  }: Wanted): Promise<Signed> {
    const plain = Buffer.from(canonicalJson({ objects }));
    const bundleDigest = sha256(plain);
    this.bundles.set(bundleDigest, await promisify(zstdCompress)(plain));
    this.generation += 1n;
    const assignment = Assignment.fromPartial({
      hubId: this.hubId,
      version: { epoch: 1n, generation: this.generation },
      clusterId: this.clusterId,
      applicationNamespace: 'argocd',
      applicationName: name,
      action,
      ...(action === Action.APPLY
        ? { bundleDigest, bundleSize: BigInt(plain.length), destinationNamespace: namespace }
        : {}),
      syncPolicy: { automated: true, prune: true, selfHeal: true, ...policy },
      project: {
        name: 'default',
        namespaces: ['*'],
        clusterResourceAllow: [{ group: '*', kind: '*' }],
      },
      ...extra,
    } as never);
    return this.keys.sign('muster.assignment.v1', Assignment.encode(assignment).finish());
  }

  /** Asks for a sync; answers the command's id. */
  sync(application: string, asked: Partial<SyncCommand> = {}): string {
    return this.command(application, { $case: 'sync', value: SyncCommand.fromPartial(asked) });
  }

  command(application: string, verb: Command['verb'], more: Partial<Command> = {}): string {
    const id = randomUUID();
    const command = Command.fromPartial({
      hubId: this.hubId,
      clusterId: this.clusterId,
      id,
      epoch: 1n,
      actor: 'test',
      issuedAtMs: BigInt(Date.now()),
      expiresAtMs: BigInt(Date.now() + 600_000),
      applicationNamespace: 'argocd',
      applicationName: application,
      verb,
      ...more,
    } as never);
    const offered = { ...this.keys.sign('muster.command.v1', Command.encode(command).finish()), id };
    this.commands.push(offered);
    if (this.session) this.carryOut(this.session.machine.handle({ kind: 'commands', commands: [offered] }));
    return id;
  }

  /** Asks about an Application; what comes back is in `answers`. */
  ask(application: string, query: Ask['query'], more: Partial<Ask> = {}): TestAnswer {
    const id = randomUUID();
    const ask = Ask.fromPartial({
      hubId: this.hubId,
      clusterId: this.clusterId,
      id,
      epoch: 1n,
      actor: 'test',
      issuedAtMs: BigInt(Date.now()),
      expiresAtMs: BigInt(Date.now() + 30_000),
      applicationNamespace: 'argocd',
      applicationName: application,
      maxSeconds: 60,
      maxBytes: 8n * 1024n * 1024n,
      query,
      ...more,
    } as never);
    const answer: TestAnswer = { id, text: '', end: undefined, ended: false, close: () => undefined };
    this.answers.set(id, answer);
    const signed = this.keys.sign('muster.ask.v1', Ask.encode(ask).finish());
    if (this.session) this.carryOut(this.session.machine.handle({ kind: 'ask', signed }));
    return answer;
  }

  cancelAsk(id: string): void {
    if (this.session) this.carryOut(this.session.machine.handle({ kind: 'ask-cancel', id }));
  }

  private take(
    call: ServerReadableStream<proto.AnswerRequest, proto.AnswerResponse>,
    done: sendUnaryData<proto.AnswerResponse>,
  ): void {
    let answer: TestAnswer | undefined;
    call.on('data', (message: proto.AnswerRequest) => {
      answer ??= this.answers.get(message.askId);
      if (!answer) return call.emit('error', Object.assign(new Error('nobody waits'), { code: 5 }));
      answer.close = () => call.emit('error', Object.assign(new Error('nobody waits'), { code: 1 }));
      answer.text += Buffer.from(message.data).toString('utf8');
      if (message.end) answer.end = message.end;
    });
    const over = () => {
      if (answer) answer.ended = true;
    };
    call.on('end', () => {
      over();
      done(null, {});
    });
    call.on('cancelled', over);
    call.on('error', over);
  }

  status(name: string): ApplicationStatus | undefined {
    return this.statuses.get(`argocd/${name}`);
  }

  private async listen(port: number): Promise<void> {
    const services = this.server;
    services.addService(proto.EnrollmentServiceService, {
      enroll: (call, answer) => void this.enroll(call.request).then((r) => answer(null, r), answer),
      getEnrollment: (call, answer) =>
        void this.getEnrollment(call.request).then((r) => answer(null, r), answer),
      renewExpired: (call, answer) =>
        void this.issueFor(call.request.csr).then(
          (certificateChain) => answer(null, { certificateChain }),
          answer,
        ),
    } satisfies proto.EnrollmentServiceServer);
    services.addService(proto.AgentServiceService, {
      renew: (call, answer) => {
        this.renewals++;
        void this.issueFor(call.request.csr).then(
          (certificateChain) => answer(null, { certificateChain }),
          answer,
        );
      },
      session: (stream) => this.open(stream),
      getBundle: (call) => this.bundle(call),
      answer: (call, done) => this.take(call, done),
    } satisfies proto.AgentServiceServer);
    const ca = Buffer.from(this.pki.ca.toString('pem'));
    const pair = { private_key: this.serverKeys.key, cert_chain: this.serverKeys.chain };
    // One port for both services, so the client certificate is asked for and checked only where it is there.
    const tls = ServerCredentials.createSsl(ca, [pair], false);
    const bound = await promisify(services.bindAsync.bind(services))(`127.0.0.1:${port}`, tls);
    this.address = `127.0.0.1:${bound}`;
  }

  private csr: Buffer = Buffer.alloc(0);

  private issueFor(csr: Buffer): Promise<Buffer[]> {
    return this.pki.issueFor(csr, this.certificateLifeMs);
  }

  private async enroll(request: proto.EnrollRequest): Promise<proto.EnrollResponse> {
    if (request.token !== this.token)
      throw Object.assign(new Error('the join token is not known'), { code: 16 });
    this.enrolments++;
    this.csr = request.csr;
    return { enrollmentId: 'e1', ...(await this.enrolment()) };
  }

  private async getEnrollment(request: proto.GetEnrollmentRequest): Promise<proto.GetEnrollmentResponse> {
    if (request.enrollmentId !== 'e1') throw Object.assign(new Error('no such enrolment'), { code: 5 });
    return this.enrolment();
  }

  private async enrolment(): Promise<proto.GetEnrollmentResponse> {
    if (this.pending)
      return { state: 1, identity: undefined, message: 'waits for approval', retryAfterSeconds: 1 };
    const identity: proto.Identity = {
      hubId: this.hubId,
      clusterId: this.clusterId,
      clusterName: 'test',
      certificateChain: await this.issueFor(this.csr),
      rootPublicKey: this.keys.rootPublicKey,
      keySet: this.keys.keySet(),
      registration: this.keys.registration(this.clusterId),
    };
    return { state: 2, identity, message: '', retryAfterSeconds: 0 };
  }

  private row(signed: Signed): DesiredAssignment {
    const { applicationNamespace, applicationName, version, action } = Assignment.decode(signed.payload);
    const line = { applicationNamespace, applicationName, version: version!, action };
    return { ...line, payloadSha256: payloadSha256(signed), signed };
  }

  private now(): number {
    return Date.now() + this.clockAheadMs;
  }

  private open(stream: Stream): void {
    const machine = new HubSession();
    stream.on('error', () => undefined);
    stream.on('end', () => {
      if (this.session?.stream === stream) this.session = undefined;
      stream.end();
    });
    stream.on('data', (request: proto.SessionRequest) => {
      this.received.push(Buffer.from(proto.SessionRequest.encode(request).finish()));
      if (request.message?.$case === 'hello') {
        const hello = request.message.value;
        this.hellos.push(hello);
        this.session = { machine, stream };
        const unanswered = this.commands.filter((each) => !this.results.has(each.id));
        this.carryOut(
          machine.open(hello, {
            sessionId: randomUUID(),
            hubId: this.hubId,
            nowMs: this.now(),
            leaseSeconds: 3,
            lastReport: this.cursor.instance === hello.instanceId ? this.cursor.sequence : 0n,
            desired: [...this.desired.values()],
            keySet: this.keys.keySet(),
            keySetVersion: 1n,
            registration: this.keys.registration(this.clusterId),
            commands: unanswered,
          }),
        );
      } else if (this.session?.stream === stream) {
        this.carryOut(machine.handle({ kind: 'received', message: request.message, nowMs: this.now() }));
      }
    });
  }

  private carryOut(effects: HubEffect[]): void {
    const { machine, stream } = this.session!;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          stream.write({ message: effect.message });
          break;
        case 'refused':
          this.refused.push(effect.reason);
          break;
        case 'ask-refused':
          this.refused.push(effect.refused.reason);
          break;
        case 'load-desired':
          this.carryOut(
            machine.handle({ kind: 'desired', for: effect.for, lines: [...this.desired.values()] }),
          );
          break;
        case 'load-assignments': {
          const rows = effect.keys.flatMap((key) => this.desired.get(key) ?? []);
          this.carryOut(machine.handle({ kind: 'assignments', rows }));
          break;
        }
        case 'store-report':
          this.carryOut(machine.handle(this.store(effect.report)));
          break;
        case 'store-command-result':
          this.results.set(effect.result.commandId, effect.result);
          this.carryOut(
            machine.handle({ kind: 'command-result-stored', commandId: effect.result.commandId }),
          );
      }
    }
  }

  private store(report: proto.Report): Parameters<HubSession['handle']>[0] {
    const { instanceId, sequence } = report;
    if (this.cursor.instance !== instanceId) this.cursor = { instance: instanceId, sequence: 0n };
    const follows = sequence === this.cursor.sequence + 1n || report.snapshot;
    if (follows) {
      this.cursor.sequence = sequence;
      if (report.snapshot) this.statuses.clear();
      for (const status of report.applications) {
        const key = applicationKey(status);
        const known = this.statuses.get(key);
        this.statuses.set(key, known ? mergeStatus(known, status) : status);
      }
      for (const gone of report.gone) {
        this.gone.push(gone);
        this.statuses.delete(applicationKey(gone));
        this.desired.delete(applicationKey(gone));
      }
    }
    return { kind: 'report-stored', instanceId, sequence: this.cursor.sequence, gap: !follows };
  }

  private bundle(call: ServerWritableStream<proto.GetBundleRequest, proto.GetBundleResponse>): void {
    this.downloads++;
    const stored = this.bundles.get(call.request.digest);
    if (this.withholdBundles) {
      call.emit('error', Object.assign(new Error('away'), { code: 14 }));
      return;
    }
    if (!stored) {
      call.emit('error', Object.assign(new Error('no such bundle'), { code: 5 }));
      return;
    }
    const size = BigInt(stored.length);
    for (let at = Number(call.request.offset); at < stored.length; at += 32 * 1024) {
      if (this.cutDownloadAt > 0 && at >= this.cutDownloadAt) {
        this.cutDownloadAt = 0;
        call.emit('error', Object.assign(new Error('cut'), { code: 14 }));
        return;
      }
      call.write({
        offset: BigInt(at),
        data: stored.subarray(at, at + 32 * 1024),
        storedSize: size,
        encoding: 'zstd',
      });
    }
    call.end();
  }
}
