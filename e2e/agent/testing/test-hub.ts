import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { sha256 } from '@muster/base';
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
  type Ask,
  Assignment,
  Command,
  SyncCommand,
  type Signed,
  SyncPolicy,
} from '@muster/proto/records';
import { type TestAnswer, TestAsks } from './test-asks.ts';
import { TestBundles } from './test-bundles.ts';
import { TestJoining } from './test-joining.ts';
import { TestKeys } from './test-keys.ts';
import { TestPki } from './test-pki.ts';

type Stream = ServerDuplexStream<proto.SessionRequest, proto.SessionResponse>;

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
  readonly statuses = new Map<string, ApplicationStatus>();
  readonly gone: ApplicationGone[] = [];
  readonly results = new Map<string, proto.CommandResult>();
  readonly refused: string[] = [];
  readonly hellos: proto.Hello[] = [];
  /** All that agents have said in sessions, as it was on the wire. */
  readonly received: Buffer[] = [];
  /** How far this hub's clock is ahead of the agent's. */
  clockAheadMs = 0;
  renewals = 0;
  readonly hubId: string;
  readonly clusterId = randomUUID();
  address = '';
  readonly bundles = new TestBundles();
  joining!: TestJoining;

  private server = new Server();
  private readonly keys = new TestKeys();
  private readonly asks = new TestAsks(this.keys);
  private pki!: TestPki;
  private serverKeys!: { key: Buffer; chain: Buffer };
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
    hub.joining = new TestJoining(hub.keys, hub.pki, hub.clusterId);
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
      MUSTER_AGENT_TOKEN: this.joining.token,
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
    const { digest: bundleDigest, plainSize } = await this.bundles.add(objects);
    this.generation += 1n;
    const assignment = Assignment.fromPartial({
      hubId: this.hubId,
      version: { epoch: 1n, generation: this.generation },
      clusterId: this.clusterId,
      applicationNamespace: 'argocd',
      applicationName: name,
      action,
      ...(action === Action.APPLY
        ? { bundleDigest, bundleSize: BigInt(plainSize), destinationNamespace: namespace }
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

  /** Asks about an Application; what comes back is in the answer. */
  ask(application: string, query: Ask['query'], more: Partial<Ask> = {}): TestAnswer {
    const { hubId, clusterId } = this;
    const { answer, signed } = this.asks.ask({
      hubId,
      clusterId,
      applicationName: application,
      query,
      ...more,
    });
    if (this.session) this.carryOut(this.session.machine.handle({ kind: 'ask', signed }));
    return answer;
  }

  cancelAsk(id: string): void {
    if (this.session) this.carryOut(this.session.machine.handle({ kind: 'ask-cancel', id }));
  }

  status(name: string): ApplicationStatus | undefined {
    return this.statuses.get(`argocd/${name}`);
  }

  private async listen(port: number): Promise<void> {
    const services = this.server;
    services.addService(proto.EnrollmentServiceService, this.joining.service());
    services.addService(proto.AgentServiceService, {
      renew: (call, answer) => {
        this.renewals++;
        void this.joining.renew(call.request).then((renewed) => answer(null, renewed), answer);
      },
      session: (stream) => this.open(stream),
      getBundle: (call) => this.bundles.send(call),
      answer: (call, done) => this.asks.take(call, done),
    } satisfies proto.AgentServiceServer);
    const ca = Buffer.from(this.pki.ca.toString('pem'));
    const pair = { private_key: this.serverKeys.key, cert_chain: this.serverKeys.chain };
    // One port for both services, so the client certificate is asked for and checked only where it is there.
    const tls = ServerCredentials.createSsl(ca, [pair], false);
    const bound = await promisify(services.bindAsync.bind(services))(`127.0.0.1:${port}`, tls);
    this.address = `127.0.0.1:${bound}`;
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
}
