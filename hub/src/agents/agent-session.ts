import type { ServerDuplexStream } from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import {
  type DesiredAssignment,
  type HeldLine,
  type HubEffect,
  type HubEvent,
  HubSession,
  type OfferedCommand,
  payloadSha256,
  type SessionOpening,
} from '@muster/link';
import type {
  AnswerRequest,
  AskRefused,
  CommandResult,
  Facts,
  Held,
  Hello,
  Report,
  SessionRequest,
  SessionResponse,
  Signed,
  Version,
} from '@muster/proto';
import { Ask } from '@muster/proto';
import { refusal } from '../asks/ask.ts';
import { toServiceError } from './grpc-status.ts';
import type { Peer } from './peer.ts';

export type AgentStream = ServerDuplexStream<SessionRequest, SessionResponse>;

/** What a session has done in the rest of the hub. All of it is scoped by the peer's cluster. */
export interface SessionWork {
  desired(): Promise<HeldLine[]>;
  /** Of these Applications, or (undefined) all that the agent has not acknowledged. */
  assignments(keys?: readonly string[]): Promise<DesiredAssignment[]>;
  acknowledged(lines: readonly HeldLine[]): Promise<void>;
  refused(payloadSha256: Uint8Array, reason: string): Promise<void>;
  unclaimed(held: readonly Held[]): Promise<void>;
  storeReport(report: Report): Promise<{ instanceId: string; sequence: bigint; gap: boolean }>;
  storeCommandResult(result: CommandResult): Promise<void>;
  heard(highest: Version, told: { facts?: Facts; clockOffsetMs?: number }): Promise<void>;
  /** Answers an ask in place of the agent. */
  refuseAsk(askId: string, why: AnswerRequest): Promise<void>;
  askRefused(refused: AskRefused): Promise<void>;
  keySetAcknowledged(version: bigint, refused: string): Promise<void>;
}

/** Events and messages that may wait before the stream is no longer read. */
const MAX_WAITING = 64;
/** Reports of one session that may wait for their batch; a well-behaved agent has four. */
const MAX_STORING = 16;

/** Carries out what the link machine decides for one stream: one event at a time, in order. */
export class AgentSession {
  readonly id: string;
  readonly peer: Peer;
  readonly clusterName: string;
  /** When the newest certificate of the peer that is known ends. */
  expiresAt: Date;
  holding: string | undefined;
  registrationRevision: bigint;
  /** Of the hello: what this agent can do, and which version it is. */
  agent: { features: readonly string[]; version: string } = { features: [], version: '' };
  readonly #stream: AgentStream;
  readonly #work: SessionWork;
  readonly #machine = new HubSession();
  readonly #inFlight = new Set<string>();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #storing = 0;
  #closed = false;
  #assignmentsAsked = false;
  #onDrain: (() => void) | undefined;

  constructor(
    stream: AgentStream,
    work: SessionWork,
    about: {
      id: string;
      peer: Peer;
      clusterName: string;
      holding: string | undefined;
      registrationRevision: bigint;
    },
  ) {
    this.#stream = stream;
    this.#work = work;
    this.id = about.id;
    this.peer = about.peer;
    this.clusterName = about.clusterName;
    this.expiresAt = about.peer.notAfter;
    this.holding = about.holding;
    this.registrationRevision = about.registrationRevision;
    stream.on('drain', () => this.#onDrain?.());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Answers the hello. What comes after it is handled behind it. */
  open(hello: Hello, opening: SessionOpening): void {
    this.agent = { features: hello.features, version: hello.agentVersion };
    this.#run(() => this.#machine.open(hello, opening));
  }

  /** A message of the agent; stops reading the stream while too many wait. */
  received(message: SessionRequest): void {
    this.dispatch({ kind: 'received', message: message.message, nowMs: Date.now() });
    if (this.#waiting > MAX_WAITING) this.#stream.pause();
  }

  dispatch(event: HubEvent): void {
    this.#run(() => this.#machine.handle(event));
  }

  /** Something new is assigned. Several calls while one waits are one load. */
  assignmentsChanged(): void {
    if (this.#assignmentsAsked) return;
    this.#assignmentsAsked = true;
    this.#enqueue(async () => {
      this.#assignmentsAsked = false;
      await this.#offer(await this.#work.assignments());
    });
  }

  /** What the agent has not answered, as it was read just now. */
  offered(rows: readonly DesiredAssignment[]): void {
    if (rows.length > 0) this.#enqueue(() => this.#offer(rows));
  }

  #offer(rows: readonly DesiredAssignment[]): Promise<void> {
    const rest = rows.filter((row) => !this.#inFlight.has(hex(row.payloadSha256)));
    return this.#carryOut(this.#machine.handle({ kind: 'assignments', rows: rest }));
  }

  commandsChanged(load: () => Promise<OfferedCommand[]>): void {
    this.#enqueue(async () => {
      if (this.holding !== undefined) return;
      await this.#carryOut(this.#machine.handle({ kind: 'commands', commands: await load() }));
    });
  }

  /** Something is asked of this cluster. An agent that cannot answer is not asked. */
  asked(load: () => Promise<(Signed & { id: string })[]>): void {
    this.#enqueue(async () => {
      for (const { id, ...signed } of await load()) {
        const why = this.#cannotAnswer(signed);
        if (why) await this.#work.refuseAsk(id, why);
        else await this.#carryOut(this.#machine.handle({ kind: 'ask', signed }));
      }
    });
  }

  #cannotAnswer({ payload }: Signed): AnswerRequest | undefined {
    if (this.holding !== undefined) return refusal('precondition', this.holding);
    const { features, version } = this.agent;
    const old = `the agent of ${this.clusterName} (${version}) is too old to be asked about`;
    if (!features.includes('ask')) return refusal('unsupported', `${old} objects`, 'update its chart');
    // What this hub signed itself.
    const query = features.includes('query-prometheus') ? undefined : Ask.decode(payload).query;
    return query?.$case === 'prometheus'
      ? refusal('unsupported', `${old} metrics`, 'update its chart')
      : undefined;
  }

  /** Ends the stream with a reason the agent can show. */
  close(error: unknown): void {
    if (this.#closed) return;
    this.ended();
    this.#stream.emit('error', toServiceError(error));
  }

  /** The stream is over: nothing is sent or carried out any more. */
  ended(): void {
    this.#closed = true;
    this.#onDrain?.();
  }

  #run(decide: () => HubEffect[]): void {
    this.#enqueue(() => this.#carryOut(decide()));
  }

  #enqueue(task: () => Promise<void>): void {
    this.#waiting++;
    this.#tail = this.#tail.then(async () => {
      try {
        if (!this.#closed) await task();
      } catch (error) {
        this.close(error);
      }
      if (--this.#waiting <= MAX_WAITING / 2 && this.#stream.isPaused()) this.#stream.resume();
    });
  }

  async #carryOut(effects: readonly HubEffect[]): Promise<void> {
    for (const effect of effects) {
      if (this.#closed) return;
      await this.#one(effect);
    }
  }

  async #one(effect: HubEffect): Promise<void> {
    const work = this.#work;
    switch (effect.kind) {
      case 'send':
        return this.#send(effect.message);
      case 'acknowledged':
        for (const line of effect.lines) this.#inFlight.delete(hex(line.payloadSha256));
        return work.acknowledged(effect.lines);
      case 'refused':
        this.#inFlight.delete(hex(effect.payloadSha256));
        return work.refused(effect.payloadSha256, effect.reason);
      case 'unclaimed':
        return work.unclaimed(effect.held);
      case 'load-desired':
        return this.#carryOut(
          this.#machine.handle({ kind: 'desired', for: effect.for, lines: await work.desired() }),
        );
      case 'load-assignments':
        return this.#carryOut(
          this.#machine.handle({ kind: 'assignments', rows: await work.assignments(effect.keys) }),
        );
      case 'store-report':
        return this.#store(effect.report);
      case 'store-command-result':
        await work.storeCommandResult(effect.result);
        return this.#carryOut(
          this.#machine.handle({ kind: 'command-result-stored', commandId: effect.result.commandId }),
        );
      case 'ask-refused':
        return work.askRefused(effect.refused);
      case 'heard':
        return work.heard(effect.highest, effect);
      case 'key-set-acknowledged':
        return work.keySetAcknowledged(effect.version, effect.refused);
      default:
        effect satisfies never;
    }
  }

  /** Not waited for, unless too many are on their way: the next messages need not stand behind a batch. */
  async #store(report: Report): Promise<void> {
    const stored = this.#work.storeReport(report).then(
      (answer) => this.dispatch({ kind: 'report-stored', ...answer }),
      (error: unknown) => this.close(error),
    );
    this.#storing++;
    const settled = stored.finally(() => {
      this.#storing--;
    });
    if (this.#storing > MAX_STORING) await settled;
  }

  /** Honours back-pressure: grpc-js buffers without bound for whoever does not wait. */
  async #send(message: NonNullable<SessionResponse['message']>): Promise<void> {
    if (message.$case === 'assignment') this.#inFlight.add(hex(payloadSha256(message.value)));
    if (this.#stream.write({ message })) return;
    await new Promise<void>((resolve) => {
      this.#onDrain = resolve;
    });
    this.#onDrain = undefined;
    if (this.#closed) throw new MusterError('unavailable', 'the stream ended');
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
