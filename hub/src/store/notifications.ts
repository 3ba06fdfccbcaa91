import { MusterError } from '@muster/base';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import type { Schema } from './schema.ts';

/** Called with a notification's payload. */
export type Listener = (payload: string) => void;

const MAX_PAYLOAD_BYTES = 7900; // PostgreSQL refuses 8000 and more

/** What the one connection of a hub is called that is there for as long as it is. */
export const LISTENS = 'muster-hub listen';

/**
 * Messages between replicas over LISTEN/NOTIFY. Delivered at commit, at most once: a subscriber must be able to find
 * everything in the tables, and is told with `onGap` when messages may have been missed.
 */
export class Notifications {
  readonly #url: string;
  readonly #subscriptions = new Map<string, Set<{ listener: Listener; onGap: (() => void) | undefined }>>();
  readonly #onError: (error: Error) => void;
  #client: pg.Client | undefined;
  #connecting: Promise<void> | undefined;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(url: string, onError: (error: Error) => void = () => undefined) {
    this.#url = url;
    this.#onError = onError;
  }

  /** Sends when `db`, usually the open transaction, commits. The payload holds at most 7900 bytes. */
  async publish(db: Kysely<Schema>, channel: string, payload: string): Promise<void> {
    await this.publishAll(db, channel, [payload]);
  }

  /** As `publish`, several at once. */
  async publishAll(db: Kysely<Schema>, channel: string, payloads: readonly string[]): Promise<void> {
    if (payloads.some((payload) => Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES)) {
      throw new MusterError('internal', 'a notification is longer than 7900 bytes', { where: channel });
    }
    await sql`select pg_notify(${channel}, payload) from unnest(${payloads}::text[]) as payload`.execute(db);
  }

  /** Listens until the returned function is called. Resolves once the first message can arrive. */
  async subscribe(channel: string, listener: Listener, onGap?: () => void): Promise<() => void> {
    const entry = { listener, onGap };
    const existing = this.#subscriptions.get(channel);
    if (existing) existing.add(entry);
    else this.#subscriptions.set(channel, new Set([entry]));
    await this.#connect();
    if (!existing && this.#client) await this.#client.query(`listen ${pg.escapeIdentifier(channel)}`);
    return () => {
      this.#subscriptions.get(channel)?.delete(entry);
    };
  }

  /** Whether the listening connection is up. */
  get connected(): boolean {
    return this.#client !== undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#connecting?.catch(() => undefined);
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }

  #connect(): Promise<void> {
    if (this.#client || this.#closed) return Promise.resolve();
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: LISTENS,
      keepAlive: true,
    });
    client.on('notification', (message) => this.#deliver(message.channel, message.payload ?? ''));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client));
    await client.connect();
    for (const channel of this.#subscriptions.keys()) {
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    }
    this.#client = client;
  }

  #deliver(channel: string, payload: string): void {
    for (const { listener } of this.#subscriptions.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        this.#onError(error as Error);
      }
    }
  }

  #lost(client: pg.Client, error?: Error): void {
    if (this.#client !== client || this.#closed) return;
    this.#client = undefined;
    client.end().catch(() => undefined);
    this.#onError(error ?? new Error('the listening connection ended'));
    this.#reconnect(100);
  }

  #reconnect(delayMs: number): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#connect().then(
        () => {
          for (const entries of this.#subscriptions.values()) for (const { onGap } of entries) onGap?.();
        },
        (error: Error) => {
          this.#onError(error);
          this.#reconnect(Math.min(delayMs * 2, 5000));
        },
      );
    }, delayMs);
    this.#retry.unref();
  }
}
