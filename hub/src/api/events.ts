import type { EventKind } from '@muster/api';
import type { Notifications } from '../store/notifications.ts';
import type { Db } from '../store/database.ts';

export type { EventKind };

/** A change as it reached this replica. `id` is of this replica and this run of it. */
export interface ChangeEvent {
  id: string;
  kind: EventKind;
  keys: string[];
  /** The project it belongs to; undefined: see the visibility of its kind. */
  project: string | undefined;
}

/** Narrows the keys of a kind to those in some projects. */
export type Visibility = (keys: string[], projects: string[]) => Promise<string[]>;

/** A channel name of its own, and payloads well below PostgreSQL's 8000 bytes. */
const CHANNEL = 'events';
const MAX_KEYS_BYTES = 7000;
const BUFFERED = 1000;

/** Tells open browsers and CLIs, on any replica, that something changed. Hints only: readers fetch what is named. */
export class Events {
  readonly #notifications: Notifications;
  readonly #db: Db;
  readonly #boot: string;
  readonly #buffer: ChangeEvent[] = [];
  readonly #listeners = new Set<(event: ChangeEvent | 'resync') => void>();
  readonly #visibility = new Map<EventKind, Visibility>();
  #count = 0;

  constructor(notifications: Notifications, db: Db, boot: string) {
    this.#notifications = notifications;
    this.#db = db;
    this.#boot = boot;
  }

  /**
   * Announces changed objects: `namespace/name` of applications and sets, names of clusters, projects and promotions, ids of
   * commands and repositories. With `trx` it is sent at commit.
   */
  async publish(
    kind: EventKind,
    keys: readonly string[],
    options: { trx?: Db; project?: string } = {},
  ): Promise<void> {
    for (const batch of batches(keys)) {
      const payload = JSON.stringify({ kind, keys: batch, project: options.project });
      await this.#notifications.publish(options.trx ?? this.#db, CHANNEL, payload);
    }
  }

  /** Says how actors who do not see all projects see a kind whose events name no project. Without one they get none. */
  visibility(kind: EventKind, narrow: Visibility): void {
    this.#visibility.set(kind, narrow);
  }

  async start(): Promise<void> {
    await this.#notifications.subscribe(
      CHANNEL,
      (payload) => this.#receive(JSON.parse(payload) as Omit<ChangeEvent, 'id'>),
      () => this.#gap(),
    );
  }

  /** Events after `lastId`, or undefined when they are no longer known here. */
  since(lastId: string): ChangeEvent[] | undefined {
    const [boot, number] = lastId.split('-');
    if (boot !== this.#boot || !/^\d+$/.test(number ?? '')) return undefined;
    const missed = this.#count - Number(number);
    if (missed < 0 || missed > this.#buffer.length) return undefined;
    return missed === 0 ? [] : this.#buffer.slice(-missed);
  }

  get lastId(): string {
    return `${this.#boot}-${this.#count}`;
  }

  listen(listener: (event: ChangeEvent | 'resync') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The part of an event that someone with access to `projects` may see; undefined when nothing is left. */
  async narrow(event: ChangeEvent, projects: '*' | string[]): Promise<ChangeEvent | undefined> {
    if (projects === '*') return event;
    if (event.project !== undefined) return projects.includes(event.project) ? event : undefined;
    const keys = (await this.#visibility.get(event.kind)?.(event.keys, projects)) ?? [];
    return keys.length > 0 ? { ...event, keys } : undefined;
  }

  #receive(change: Omit<ChangeEvent, 'id'>): void {
    this.#count++;
    const event = { ...change, id: this.lastId };
    this.#buffer.push(event);
    if (this.#buffer.length > BUFFERED) this.#buffer.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** Notifications may have been missed: nobody can resume from before, and everybody should read again. */
  #gap(): void {
    this.#count++;
    this.#buffer.length = 0;
    for (const listener of this.#listeners) listener('resync');
  }
}

function batches(keys: readonly string[]): string[][] {
  const out: string[][] = [];
  let bytes = MAX_KEYS_BYTES;
  for (const key of new Set(keys)) {
    const size = Buffer.byteLength(JSON.stringify(key)) + 1;
    if (bytes + size > MAX_KEYS_BYTES) {
      out.push([]);
      bytes = 0;
    }
    out.at(-1)!.push(key);
    bytes += size;
  }
  return out;
}
