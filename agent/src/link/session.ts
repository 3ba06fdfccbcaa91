import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import type { AgentEffect, AgentEvent, AgentLink, HeldAssignment, PersistedChange } from '@muster/link';
import type { AgentServiceClient, SessionRequest, SessionResponse, Welcome } from '@muster/proto';
import type { Ask, Command, Facts } from '@muster/proto/records';
import type { Log } from '../log.ts';
import { fromGrpc } from './channel.ts';

export interface SessionOptions {
  link: AgentLink;
  /** The current client; a new one after a renewal is used from the next connection on. */
  client(): AgentServiceClient;
  persist(change: PersistedChange): Promise<void>;
  agentVersion: string;
  kubeSystemUid: string;
  facts(): Promise<Facts>;
  /** Carried out outside of the session; must not throw. */
  reconcile(key: string, held: HeldAssignment): void;
  run(command: Command): void;
  /** Answered by a call of its own. */
  ask(ask: Ask): void;
  cancelAsk(id: string): void;
  /** The hub has welcomed the agent, or the session has ended. */
  connection(open: boolean): void;
  log: Log;
  signal: AbortSignal;
  /** This machine's clock, Unix milliseconds; a simulated machine's may be wrong. */
  now?(): number;
}

type Stream = ClientDuplexStream<SessionRequest, SessionResponse>;

const FACTS_EVERY_MS = 60_000;
const WELCOME_WITHIN_MS = 20_000;

/** Drives the pure link: one stream to the hub, opened again with a jittered pause; effects in order. */
export class Session {
  private readonly options: SessionOptions;
  private stream: Stream | undefined;
  private effects: Promise<void> = Promise.resolve();
  private welcome: Welcome | undefined;
  private lastFacts = '';
  private wake: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** The hub's last welcome; undefined while there is no session. */
  get connected(): Welcome | undefined {
    return this.welcome;
  }

  /** Tells the link what happened here, for example a status. */
  dispatch(event: AgentEvent): void {
    const effects = this.options.link.handle(event);
    if (effects.length === 0) return;
    const stream = this.stream;
    this.effects = this.effects.then(async () => {
      try {
        for (const effect of effects) await this.carryOut(effect, stream);
      } catch (thrown) {
        // Only a store that failed until the end: what was not stored was not acknowledged either.
        if (!this.options.signal.aborted) throw thrown;
      }
    });
  }

  /** Opens the session again at once when it waits to do so. */
  hurry(): void {
    this.wake?.();
  }

  /** Ends the stream, if there is one; `run` opens another. */
  disconnect(): void {
    this.stream?.cancel();
  }

  /** Keeps a session open until the signal ends it. */
  async run(allowed: () => boolean): Promise<void> {
    const { log, signal } = this.options;
    for (let failures = 0; !signal.aborted; ) {
      if (allowed()) {
        const ended = await this.once().catch((thrown: unknown) => fromGrpc(thrown));
        if (signal.aborted) break;
        failures = this.welcome ? 0 : failures + 1;
        this.welcome = undefined;
        if (failures < 2 || failures % 10 === 0)
          log.warn({ reason: ended?.describe() ?? 'ended' }, 'no session with the hub');
      }
      const pause = Math.min(250 * 2 ** Math.min(failures, 10), 20_000) * (0.5 + Math.random() / 2);
      await this.pause(pause);
    }
    await this.effects;
  }

  private async pause(milliseconds: number): Promise<void> {
    const { signal } = this.options;
    const hurried = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    await Promise.race([sleep(milliseconds, undefined, { signal }).catch(() => undefined), hurried]);
    this.wake = undefined;
  }

  /** One stream, from hello to its end. Answers why it ended. */
  private async once(): Promise<MusterError | undefined> {
    const { client, agentVersion, kubeSystemUid, signal } = this.options;
    const facts = await this.options.facts();
    this.lastFacts = JSON.stringify(facts);
    const stream = client().session();
    this.stream = stream;
    const abort = () => stream.cancel();
    signal.addEventListener('abort', abort, { once: true });
    const timers = new AbortController();
    try {
      return await new Promise((resolve) => {
        stream.on('data', (response: SessionResponse) => this.received(response, stream, timers.signal));
        stream.on('error', (error) => resolve(fromGrpc(error)));
        stream.on('end', () => resolve(undefined));
        this.dispatch({ kind: 'connected', hello: { agentVersion, kubeSystemUid, facts } });
        const late = setTimeout(() => !this.welcome && stream.cancel(), WELCOME_WITHIN_MS);
        timers.signal.addEventListener('abort', () => clearTimeout(late));
      });
    } finally {
      timers.abort();
      signal.removeEventListener('abort', abort);
      stream.cancel();
      this.stream = undefined;
      this.dispatch({ kind: 'disconnected' });
      this.options.connection(false);
    }
  }

  private received(response: SessionResponse, stream: Stream, ended: AbortSignal): void {
    if (this.stream !== stream) return;
    if (response.message?.$case === 'welcome') {
      this.welcome = response.message.value;
      const beat = Math.max(1_000, ((response.message.value.leaseSeconds || 30) * 1_000) / 3);
      void this.heartbeats(beat, ended);
    }
    this.dispatch({ kind: 'received', message: response.message, nowMs: this.options.now?.() ?? Date.now() });
  }

  private async heartbeats(every: number, ended: AbortSignal): Promise<void> {
    let factsAt = Date.now();
    while (!ended.aborted) {
      await sleep(every, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) return;
      let changed: Facts | undefined;
      if (Date.now() - factsAt >= FACTS_EVERY_MS) {
        factsAt = Date.now();
        changed = await this.changedFacts();
      }
      if (!ended.aborted) this.dispatch({ kind: 'heartbeat', facts: changed });
    }
  }

  private async changedFacts(): Promise<Facts | undefined> {
    const facts = await this.options.facts().catch(() => undefined);
    if (!facts) return undefined;
    const text = JSON.stringify(facts);
    if (text === this.lastFacts) return undefined;
    this.lastFacts = text;
    return facts;
  }

  private async carryOut(effect: AgentEffect, stream: Stream | undefined): Promise<void> {
    const { log, reconcile, run } = this.options;
    switch (effect.kind) {
      case 'persist':
        return this.persist(effect.change);
      case 'send':
        return write(stream, { message: effect.message });
      case 'reconcile':
        return reconcile(effect.key, effect.held);
      case 'run':
        return run(effect.command);
      case 'ask':
        return this.options.ask(effect.ask);
      case 'ask-cancelled':
        return this.options.cancelAsk(effect.id);
      case 'refused':
        log.warn({ what: effect.what, reason: effect.reason }, 'refused what the hub sent');
        return;
      case 'reconnect':
        log.warn({ reason: effect.reason }, 'the session is opened again');
        return this.disconnect();
      case 'welcomed':
        this.options.connection(true);
        log.info(
          { holding: effect.welcome.holding ? effect.welcome.holdingReason : undefined },
          'session open',
        );
    }
  }

  /** Nothing that follows may happen before this is durable, so it is tried until it is. */
  private async persist(change: PersistedChange): Promise<void> {
    const { persist, log, signal } = this.options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        return await persist(change);
      } catch (thrown) {
        if (failures === 0)
          log.error({ what: change.kind, error: MusterError.from(thrown).message }, 'the store fails');
        const pause = Math.min(250 * 2 ** failures, 10_000);
        await sleep(pause, undefined, { signal }).catch(() => undefined);
      }
    }
    throw new MusterError('unavailable', 'stopped before it was stored');
  }
}

/** Writes and waits while the stream is full. What belongs to a stream that has ended is dropped: the link resends. */
function write(stream: Stream | undefined, message: SessionRequest): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed || stream.writableEnded) return resolve();
    if (stream.write(message)) return resolve();
    const events = ['drain', 'close', 'error', 'status', 'end'];
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
