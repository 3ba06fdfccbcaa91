import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import type { KubeObject } from './objects.ts';

/** What a reflector tells. Objects arrive whole and are not kept by the reflector. */
export interface ReflectorSink {
  /** An object was seen for the first time since the last `synced`, or has changed. */
  changed(object: KubeObject): void;
  /** An object was deleted, or no longer matches the selector. */
  removed(object: KubeObject): void;
  /** A complete list has been told through `changed`; what is not among these UIDs and is not newer is gone. */
  synced(uids: ReadonlySet<string>, version: string): void;
  /** A list or watch failed; it is tried again after a pause. */
  failed(error: Error): void;
}

export interface ReflectorOptions {
  client: KubeClient;
  /** Path of the collection. */
  path: string;
  labelSelector?: string;
  sink: ReflectorSink;
  signal: AbortSignal;
  /** Objects a page of a list holds; default 250. */
  pageSize?: number;
  /** Longest pause after failures, in milliseconds; default 30 000. */
  maxBackoff?: number;
  /** False: begin with pages even where the server can stream its list. */
  streamLists?: boolean;
}

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject & { code?: number; reason?: string; message?: string };
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';
const MAX_LINE = 16 * 1024 * 1024;

/**
 * Follows one collection until the signal ends it: a list (streamed where the server can, else in pages), then
 * watches with bookmarks from where the last one ended. 410 lists again; every failure pauses with jitter.
 */
export async function reflect(options: ReflectorOptions): Promise<void> {
  const { sink, signal, maxBackoff = 30_000 } = options;
  const state: State = { options, version: undefined, streams: options.streamLists ?? true };
  for (let failures = 0; !signal.aborted; ) {
    try {
      await round(state);
      failures = 0;
    } catch (thrown) {
      if (signal.aborted) return;
      if (gone(thrown)) state.version = undefined;
      else if (state.streams && state.version === undefined && refusesStreaming(thrown))
        state.streams = false;
      else {
        failures++;
        sink.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
      const pause = Math.min(250 * 2 ** failures, maxBackoff) * (0.5 + Math.random() / 2);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

interface State {
  options: ReflectorOptions;
  /** Where the next watch begins; undefined: list first. */
  version: string | undefined;
  streams: boolean;
}

async function round(state: State): Promise<void> {
  if (state.version !== undefined) return watch(state, undefined);
  if (state.streams) return watch(state, new Set());
  const seen = await listPages(state);
  state.options.sink.synced(seen, state.version ?? '');
  await watch(state, undefined);
}

async function listPages(state: State): Promise<Set<string>> {
  const { client, path, labelSelector, sink, signal, pageSize = 250 } = state.options;
  const seen = new Set<string>();
  let next: string | undefined;
  do {
    const page = await client.call<{
      kind: string;
      apiVersion: string;
      metadata: { resourceVersion: string; continue?: string };
      items: KubeObject[];
    }>(path, { query: { labelSelector, limit: pageSize, continue: next }, signal });
    const kind = page.kind.replace(/List$/, '');
    for (const item of page.items) {
      // Items of a typed list come without their own kind.
      item.kind ??= kind;
      item.apiVersion ??= page.apiVersion;
      seen.add(item.metadata.uid ?? '');
      sink.changed(item);
    }
    next = page.metadata.continue || undefined;
    state.version = next ? undefined : page.metadata.resourceVersion;
  } while (next);
  return seen;
}

/** One watch, until the server ends it. `initial` set: the list is streamed first, and its UIDs are collected there. */
async function watch(state: State, initial: Set<string> | undefined): Promise<void> {
  const { client, path, labelSelector, signal } = state.options;
  const query = {
    watch: true,
    allowWatchBookmarks: true,
    labelSelector,
    timeoutSeconds: 240 + Math.floor(Math.random() * 240),
    ...(initial
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion: state.version }),
  };
  const body = await client.openWatch(path, query, signal);
  let listing = initial;
  try {
    for await (const line of lines(body)) {
      if (signal.aborted) return;
      listing = tell(state, parseEvent(line), listing);
    }
  } finally {
    body.destroy();
  }
  if (listing) throw new Error('the watch ended before its list was complete');
}

/** What JavaScript says of a text that is no JSON quotes it. */
function parseEvent(line: string): WatchEvent {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch {
    throw new Error('an event of a watch is no JSON');
  }
}

/** Returns the UIDs of the list that is still being streamed; undefined when there is none. */
function tell(state: State, event: WatchEvent, listing: Set<string> | undefined): Set<string> | undefined {
  const { sink } = state.options;
  const { object } = event;
  switch (event.type) {
    case 'ERROR':
      throw new KubeError(object.code ?? 500, object as never, 'the watch failed');
    case 'BOOKMARK': {
      const ends = object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true';
      if (listing && !ends) return listing;
      if (listing) sink.synced(listing, object.metadata.resourceVersion ?? '');
      state.version = object.metadata.resourceVersion;
      return undefined;
    }
    case 'ADDED':
    case 'MODIFIED':
      listing?.add(object.metadata.uid ?? '');
      sink.changed(object);
      break;
    case 'DELETED':
      listing?.delete(object.metadata.uid ?? '');
      sink.removed(object);
      break;
  }
  if (!listing) state.version = object.metadata.resourceVersion;
  return listing;
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const part = chunk.subarray(start, end);
      yield pending.length === 0 ? part.toString('utf8') : Buffer.concat([...pending, part]).toString('utf8');
      pending = [];
      size = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    const rest = chunk.subarray(start);
    size += rest.length;
    if (size > MAX_LINE) throw new Error(`an event of a watch is larger than ${MAX_LINE} bytes`);
    pending.push(rest);
  }
}

/** The version to go on from is too old: etcd compacted it, or the server's cache forgot it. */
function gone(thrown: unknown): boolean {
  return thrown instanceof KubeError && (thrown.status === 410 || thrown.reason === 'Expired');
}

/** API servers without WatchList answer 422 or 400 to its parameters. */
function refusesStreaming(thrown: unknown): boolean {
  return thrown instanceof KubeError && (thrown.status === 422 || thrown.status === 400);
}
