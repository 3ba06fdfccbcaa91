import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import { payloadSha256 } from '@muster/link';
import { AnswerRequest, type Signed } from '@muster/proto';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Keys } from '../keys/keys.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { Notifications } from '../store/notifications.ts';
import { Sealer } from '../store/sealer.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import {
  ANSWER_WITHIN_MS,
  type AnswerEnded,
  type AskRequest,
  MAX_PIECE,
  MAX_WAITING,
  encodeAsk,
  refusal,
} from './ask.ts';
import { AsksRepository } from './asks.repository.ts';
import { WaitingAnswer } from './waiting-answer.ts';

/** NOTIFY channel; payload: cluster id. A session of that cluster fetches what is asked. */
export const ASKS_CHANNEL = 'asks';
/** NOTIFY channel; payload: `<cluster id> <ask id>`. Nobody waits any more. */
export const ASKS_OVER_CHANNEL = 'asks_over';
/** NOTIFY channel; payload: ask id. A piece of the answer is in the table. */
const ANSWERS_CHANNEL = 'answers';
/** NOTIFY channel; payload: ask id. Pieces were taken out of the table. */
const TAKEN_CHANNEL = 'answers_taken';

const ALIVE_SECONDS = 20;
const ALIVE_EVERY_MS = 5_000;
/** Asks that this replica waits for at once; and of those, for one cluster. */
const MAX_OPEN = 500;
const MAX_OPEN_OF_A_CLUSTER = 24;

interface Open {
  answer: WaitingAnswer;
  clusterId: string;
  /** Pieces are taken out of the table one time after the other. */
  fetching: Promise<void>;
}

/** An answer that a cluster brings here. */
export interface Arrival {
  /** Hands a piece on; resolves when the next may come. @throws MusterError when nobody waits any more. */
  put(piece: AnswerRequest): Promise<void>;
  /** Aborted when nobody waits any more. */
  readonly over: AbortSignal;
  close(): void;
}

/**
 * Signed questions to clusters, and their answers. The one that waits, the session and the call that brings the answer may
 * each be at another replica: questions go by table and NOTIFY; answers are handed over in memory where they arrive at
 * the one that waits, else sealed through a table. docs/decisions/0050.
 */
@Injectable()
export class AsksService implements OnModuleInit, OnModuleDestroy {
  readonly #repository: AsksRepository;
  readonly #keys: Keys;
  readonly #recovery: RecoveryService;
  readonly #notifications: Notifications;
  readonly #sealer: Sealer;
  readonly #logger: Logger;
  readonly #open = new Map<string, Open>();
  readonly #relays = new Map<string, { wake: () => void; over: AbortController }>();
  readonly #stops: (() => void)[] = [];
  #alive: NodeJS.Timeout | undefined;

  constructor(
    @Inject(AsksRepository) repository: AsksRepository,
    @Inject(Keys) keys: Keys,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Sealer) sealer: Sealer,
    @Inject(LOGGER) logger: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#repository = repository;
    this.#keys = keys;
    this.#recovery = recovery;
    this.#notifications = notifications;
    this.#sealer = sealer;
    this.#logger = logger.child({ part: 'asks' });
    metrics.gauge('muster_asks', 'Questions to clusters that this replica waits for', () => this.#open.size);
  }

  async onModuleInit(): Promise<void> {
    const fetchAll = () => [...this.#open.keys()].forEach((id) => this.#fetch(id));
    const wakeAll = () => [...this.#relays.values()].forEach(({ wake }) => wake());
    this.#stops.push(
      await this.#notifications.subscribe(ANSWERS_CHANNEL, (id) => this.#fetch(id), fetchAll),
      await this.#notifications.subscribe(TAKEN_CHANNEL, (id) => this.#relays.get(id)?.wake(), wakeAll),
      await this.#notifications.subscribe(ASKS_OVER_CHANNEL, (payload) => {
        this.#relays.get(payload.split(' ')[1] ?? '')?.over.abort(nobodyWaits());
      }),
    );
    this.#alive = setInterval(() => void this.#keepAlive(), ALIVE_EVERY_MS);
    this.#alive.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#alive);
    for (const stop of this.#stops) stop();
    for (const { answer } of this.#open.values()) answer.close();
    for (const { over } of this.#relays.values()) over.abort(nobodyWaits());
  }

  /**
   * Asks a cluster and tells its answer, piece by piece, as fast as it is read; returns how it ended. Whoever stops
   * reading ends it, in the cluster too.
   * @throws MusterError of the agent's words, unavailable when the agent says nothing in time, limit, precondition.
   */
  async *ask(request: AskRequest, signal: AbortSignal): AsyncGenerator<Buffer, AnswerEnded, undefined> {
    signal.throwIfAborted();
    this.#requireRoom(request.cluster);
    const id = randomUUID();
    const answer = new WaitingAnswer(request.maxBytes);
    this.#open.set(id, { answer, clusterId: request.cluster.id, fetching: Promise.resolve() });
    let said = false;
    try {
      await this.#send(id, request);
      const silent = {
        withinMs: ANSWER_WITHIN_MS,
        error: () =>
          new MusterError('unavailable', `the agent of ${request.cluster.name} did not answer in time`, {
            hint: 'is it connected? `muster cluster get` tells',
          }),
      };
      const ended = yield* answer.read(silent, signal);
      said = true;
      return ended;
    } finally {
      answer.close();
      this.#open.delete(id);
      await this.#over(request.cluster.id, id, said);
    }
  }

  /** The whole answer, at most `maxBytes` of it. */
  async whole(request: AskRequest, signal: AbortSignal): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.ask(request, signal)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** What a session delivers now; each ask is handed out once. */
  async toDeliver(clusterId: string): Promise<(Signed & { id: string })[]> {
    const rows = await this.#repository.deliver(clusterId);
    return rows.map(({ id, payload, signature, key_id: keyId }) => ({ id, payload, signature, keyId }));
  }

  /** An answer arrives from a cluster. @throws MusterError not-found when nobody waits for it there. */
  async arrive(clusterId: string, askId: string): Promise<Arrival> {
    if (!/^[0-9a-f-]{36}$/.test(askId) || !(await this.#repository.begin(clusterId, askId)))
      throw nobodyWaits();
    const here = this.#open.get(askId);
    if (here?.clusterId === clusterId) {
      here.answer.begun();
      return {
        put: (piece) => here.answer.put(checked(piece)),
        over: here.answer.over,
        close: () => undefined,
      };
    }
    return this.#relay(askId);
  }

  /** Answers in place of an agent that cannot: it is too old, or it refused. */
  async refuse(clusterId: string, askId: string, why: AnswerRequest): Promise<void> {
    const arrival = await this.arrive(clusterId, askId).catch(() => undefined);
    await arrival?.put(why).catch(() => undefined);
    arrival?.close();
  }

  /** An agent did not take an ask. */
  async refusedBytes(clusterId: string, payload: Uint8Array, reason: string): Promise<void> {
    const id = await this.#repository.byPayload(clusterId, payload);
    if (id)
      await this.refuse(clusterId, id, refusal('forbidden', `the agent refused the question: ${reason}`));
  }

  sweep(): Promise<void> {
    return this.#repository.sweep();
  }

  #requireRoom({ id, name }: { id: string; name: string }): void {
    const ofCluster = [...this.#open.values()].filter(({ clusterId }) => clusterId === id).length;
    if (ofCluster < MAX_OPEN_OF_A_CLUSTER && this.#open.size < MAX_OPEN) return;
    throw new MusterError(
      'limit',
      `too many look into ${ofCluster < MAX_OPEN_OF_A_CLUSTER ? 'clusters' : name} now`,
      {
        hint: 'end a log that is followed, or try again',
      },
    );
  }

  async #send(id: string, request: AskRequest): Promise<void> {
    await this.#repository.db.transaction().execute(async (trx) => {
      const epoch = await this.#recovery.signingEpoch(trx);
      const stamp = { hubId: this.#keys.hubId, id, epoch, nowMs: Date.now() };
      const signed = this.#keys.sign('muster.ask.v1', encodeAsk(request, stamp), 'command');
      const row = {
        id,
        cluster_id: request.cluster.id,
        payload: signed.payload,
        signature: signed.signature,
        key_id: signed.keyId,
        payload_sha256: payloadSha256(signed),
      };
      await this.#repository.insert(trx, row, ALIVE_SECONDS);
      await this.#notifications.publish(trx, ASKS_CHANNEL, request.cluster.id);
    });
  }

  /** The row goes; whoever still works for it is told. */
  async #over(clusterId: string, id: string, said: boolean): Promise<void> {
    try {
      await this.#repository.remove(id);
      if (!said)
        await this.#notifications.publish(this.#repository.db, ASKS_OVER_CHANNEL, `${clusterId} ${id}`);
    } catch (error) {
      // It ends by itself when nobody keeps it alive.
      this.#logger.warn({ err: error, ask: id }, 'an ask could not be ended');
    }
  }

  /** Takes pieces that came at another replica. */
  #fetch(id: string): void {
    const open = this.#open.get(id);
    if (!open) return;
    open.fetching = open.fetching
      .then(async () => {
        if (open.answer.over.aborted) return;
        const pieces = await this.#repository.take(id);
        for (const { sequence, data_sealed: sealed } of pieces) {
          const plain = this.#sealer.open(sealed, context(id, sequence));
          await open.answer.put(AnswerRequest.decode(plain));
        }
        if (pieces.length > 0) await this.#notifications.publish(this.#repository.db, TAKEN_CHANNEL, id);
      })
      .catch((error: unknown) => {
        if (!open.answer.over.aborted)
          this.#logger.warn({ err: error, ask: id }, 'an answer could not be read');
      });
  }

  /** Carries an answer to the replica that waits for it. */
  #relay(id: string): Arrival {
    const over = new AbortController();
    const relay = { wake: () => undefined as void, over };
    over.signal.addEventListener('abort', () => relay.wake(), { once: true });
    this.#relays.set(id, relay);
    let sequence = 0;
    // The replica that waits may have died, and then nobody tells.
    const look = setInterval(() => {
      this.#repository.waiting(id).then(
        (count) => count === undefined && over.abort(nobodyWaits()),
        () => undefined,
      );
    }, ALIVE_EVERY_MS);
    look.unref();
    return {
      over: over.signal,
      close: () => {
        clearInterval(look);
        this.#relays.delete(id);
      },
      put: async (piece) => {
        over.signal.throwIfAborted();
        const plain = AnswerRequest.encode(checked(piece)).finish();
        const sealed = this.#sealer.seal(plain, context(id, sequence));
        if (!(await this.#repository.keep(id, sequence++, sealed))) throw nobodyWaits();
        await this.#notifications.publish(this.#repository.db, ANSWERS_CHANNEL, id);
        await this.#room(id, relay);
      },
    };
  }

  /** Waits until the replica that reads has taken enough. */
  async #room(id: string, relay: { wake: () => void; over: AbortController }): Promise<void> {
    for (;;) {
      relay.over.signal.throwIfAborted();
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        relay.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const waiting = await this.#repository.waiting(id);
      if (waiting === undefined) throw nobodyWaits();
      if (waiting <= MAX_WAITING) return relay.wake();
      await woken;
    }
  }

  async #keepAlive(): Promise<void> {
    try {
      await this.#repository.keepAlive([...this.#open.keys()], ALIVE_SECONDS);
    } catch (error) {
      this.#logger.warn({ err: error }, 'asks could not be kept alive');
    }
  }
}

function nobodyWaits(): MusterError {
  return new MusterError('not-found', 'nobody waits for this answer');
}

function checked(piece: AnswerRequest): AnswerRequest {
  if (piece.data.length > MAX_PIECE)
    throw new MusterError('limit', `a piece of an answer has at most ${MAX_PIECE} bytes`);
  return piece;
}

const context = (id: string, sequence: number) => `answers/data/${id}/${sequence}`;
