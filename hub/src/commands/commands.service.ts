import { MusterError } from '@muster/base';
import { type OfferedCommand, type Verb, commandRefusal, verbRefusal } from '@muster/link';
import type { CommandResult } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { Keys } from '../keys/keys.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { Notifications } from '../store/notifications.ts';
import type { NewRow, Row, Trx } from '../store/schema.ts';
import {
  boundedText,
  type CommandRequest,
  DEFAULT_TTL_SECONDS,
  encodeCommand,
  MAX_RESULT_BYTES,
  MAX_TTL_SECONDS,
  type Outcome,
  outcomeOf,
} from './command.ts';
import { CommandsRepository } from './commands.repository.ts';

/** NOTIFY channel; payload: cluster id. A session of that cluster fetches what is new. */
export const COMMANDS_CHANNEL = 'commands';
/** NOTIFY channel; payload: command id. It has an outcome now. */
const FINISHED_CHANNEL = 'commands_finished';
const UNANSWERED_GRACE_SECONDS = 3600;
const KEEP_DAYS = 30;
/** Verbs that agents name among their features. */
const NEW_VERBS: ReadonlySet<string> = new Set(['run-job']);

/** A command that was issued, or why it was not. */
export type Issued = { id: string; refusal?: never } | { id?: never; refusal: string };

/** Signed orders to clusters: rows with an expiry and one outcome. */
@Injectable()
export class CommandsService {
  readonly #repository: CommandsRepository;
  readonly #keys: Keys;
  readonly #recovery: RecoveryService;
  readonly #notifications: Notifications;
  readonly #events: Events;

  constructor(
    @Inject(CommandsRepository) repository: CommandsRepository,
    @Inject(Keys) keys: Keys,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Events) events: Events,
  ) {
    this.#repository = repository;
    this.#keys = keys;
    this.#recovery = recovery;
    this.#notifications = notifications;
    this.#events = events;
  }

  /**
   * Signs a command and stores it in the caller's transaction; sessions deliver it after the commit.
   * @throws MusterError precondition in recovery or where the agent does not accept it, invalid for a time to live out of bounds.
   */
  async issue(trx: Trx, request: CommandRequest): Promise<string> {
    const [issued] = await this.issueAll(trx, [request]);
    if (issued!.id !== undefined) return issued!.id;
    throw new MusterError('precondition', issued!.refusal, {
      hint: '`muster cluster get` shows what the agent accepts; only who installed it can change that',
    });
  }

  /**
   * The same of many, in their order: what an agent does not accept is answered with the reason, and not issued.
   * @throws MusterError precondition in recovery, invalid for a time to live out of bounds.
   */
  async issueAll(trx: Trx, requests: readonly CommandRequest[]): Promise<Issued[]> {
    if (requests.length === 0) return [];
    for (const { ttlSeconds } of requests) requireTtl(ttlSeconds);
    const accepted = await this.#repository.accepted(trx, [...new Set(requests.map((one) => one.clusterId))]);
    const epoch = await this.#recovery.signingEpoch(trx);
    const ids = await this.#repository.newIds(trx, requests.length);
    const rows: NewRow<'commands'>[] = [];
    const issued = requests.map((request, i): Issued => {
      const asked = request.verb.kind === 'sync' || request.verb.kind === 'act' ? request.verb : {};
      const refusal = commandRefusal(accepted.get(request.clusterId), request.verb.kind, asked);
      if (refusal) return { refusal };
      rows.push(this.#signed(request, ids[i]!, epoch));
      return { id: ids[i]! };
    });
    await this.#repository.insert(trx, rows);
    const clusters = [...new Set(rows.map((row) => row.cluster_id))];
    await this.#notifications.publishAll(trx, COMMANDS_CHANNEL, clusters);
    return issued;
  }

  #signed(request: CommandRequest, id: string, epoch: bigint): NewRow<'commands'> {
    const issuedAtMs = Date.now();
    const expiresAtMs = issuedAtMs + (request.ttlSeconds ?? DEFAULT_TTL_SECONDS) * 1000;
    const payload = encodeCommand(request, { hubId: this.#keys.hubId, id, epoch, issuedAtMs, expiresAtMs });
    const signed = this.#keys.sign('muster.command.v1', payload, 'command');
    return {
      id,
      cluster_id: request.clusterId,
      application_namespace: request.application?.namespace ?? '',
      application_name: request.application?.name ?? '',
      verb: request.verb.kind,
      payload: signed.payload,
      signature: signed.signature,
      key_id: signed.keyId,
      actor: request.actor,
      reason: request.reason ?? null,
      expires_at: new Date(expiresAtMs),
    };
  }

  /** Why the agent of a cluster does not accept a verb, as it said itself; undefined: it does. */
  async refusal(clusterId: string, verb: Verb): Promise<string | undefined> {
    const accepted = await this.#repository.accepted(undefined, [clusterId]);
    return verbRefusal(accepted.get(clusterId), verb);
  }

  /** @throws MusterError not-found. */
  async get(id: string): Promise<Row<'commands'>> {
    const row = isUuid(id) ? await this.#repository.find(id) : undefined;
    if (!row) throw new MusterError('not-found', `there is no command ${id}`);
    return row;
  }

  /** The project of the command's Application; undefined for a whole cluster. @throws MusterError not-found. */
  async projectOf(id: string): Promise<string | undefined> {
    const row = await this.get(id);
    return this.#repository.project(row.application_namespace, row.application_name);
  }

  /** Waits until the command has an outcome. @throws MusterError not-found, unavailable when aborted first. */
  async wait(id: string, signal: AbortSignal): Promise<{ outcome: Outcome; message: string }> {
    const aborted = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    let wake: () => void = () => undefined;
    const stop = await this.#notifications.subscribe(
      FINISHED_CHANNEL,
      (finished) => finished === id && wake(),
      () => wake(),
    );
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const row = await this.get(id);
        if (row.outcome) return { outcome: row.outcome, message: row.message ?? '' };
        await Promise.race([woken, aborted]);
        if (signal.aborted)
          throw new MusterError('unavailable', `command ${id} has no outcome yet`, {
            hint: `GET /api/v1/commands/${id}`,
          });
      }
    } finally {
      stop();
    }
  }

  /** What a session delivers: everything open when it begins, later only what no session has had. What the agent does not know is refused. */
  async toDeliver(
    clusterId: string,
    when: 'opening' | 'later',
    agent: { features: readonly string[]; version: string },
  ): Promise<OfferedCommand[]> {
    const rows = await this.#repository.open(clusterId, when === 'later');
    const known = rows.filter(({ verb }) => !NEW_VERBS.has(verb) || agent.features.includes(verb));
    for (const { id, verb } of rows.filter((row) => !known.includes(row))) {
      const message = `the agent (${agent.version}) is too old for ${verb}: update its chart`;
      const row = await this.#repository.finish(clusterId, id, {
        outcome: 'refused',
        message,
        finishedAt: new Date(),
      });
      if (row) await this.#announce([row.id]);
    }
    await this.#repository.markSent(known.map((row) => row.id));
    return known.map(({ id, payload, signature, key_id: keyId }) => ({ id, payload, signature, keyId }));
  }

  /** Stores an agent's result. Repeated or unknown ones are accepted and change nothing. */
  async finish(clusterId: string, result: CommandResult): Promise<void> {
    if (!isUuid(result.commandId)) return;
    const finishedAt = new Date(Math.min(Number(result.finishedAtMs) || Date.now(), Date.now()));
    const row = await this.#repository.finish(clusterId, result.commandId, {
      outcome: outcomeOf(result.outcome),
      message: boundedText(result.message, MAX_RESULT_BYTES),
      finishedAt,
    });
    if (row) await this.#announce([row.id]);
  }

  /** Gives an outcome to what has expired, and forgets what is old. */
  async sweep(): Promise<void> {
    const ended = await this.#repository.sweep(UNANSWERED_GRACE_SECONDS);
    await this.#announce(ended.map((row) => row.id));
    await this.#repository.deleteOlderThan(KEEP_DAYS);
  }

  async #announce(ids: string[]): Promise<void> {
    await this.#repository.announce(FINISHED_CHANNEL, ids);
    if (ids.length > 0) await this.#events.publish('command', ids);
  }
}

function requireTtl(seconds: number = DEFAULT_TTL_SECONDS): void {
  if (seconds >= 1 && seconds <= MAX_TTL_SECONDS) return;
  throw new MusterError('invalid', `a command lives 1 to ${MAX_TTL_SECONDS} seconds`, {
    where: 'ttlSeconds',
  });
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}
