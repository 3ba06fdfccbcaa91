import { MusterError } from '@muster/base/errors';
import type { RequestOptions, Transport } from './client-transport.ts';
import type { Change } from './events.ts';

/** `open`: the stream stands (again). `resync`: something may have been missed, read everything again. */
export type HubEvent = { type: 'open' } | { type: 'resync' } | ({ type: 'change' } & Change);

/** A server-sent event as it comes over the wire. */
export interface WireEvent {
  id?: string;
  event: string;
  data: string;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/**
 * Follows `GET /api/v1/events` until the signal ends it; a cut stream is resumed where it stopped. The first attempt
 * throws when it is refused or nothing answers; later ones wait and try again, unless the login has ended.
 */
export async function* readEvents(
  transport: Transport,
  {
    signal,
    delay = wait,
  }: RequestOptions & { delay?: (ms: number, signal?: AbortSignal) => Promise<void> } = {},
): AsyncGenerator<HubEvent, void, undefined> {
  let lastId: string | undefined;
  let opened = false;
  let delayMs = FIRST_DELAY_MS;
  while (!signal?.aborted) {
    try {
      for await (const event of connect(transport, lastId, signal)) {
        if (event.event === '') {
          // What happened between the last stream and this one is only known where an id was.
          yield opened && lastId === undefined ? { type: 'resync' } : { type: 'open' };
          [opened, delayMs] = [true, FIRST_DELAY_MS];
          continue;
        }
        if (event.id !== undefined) lastId = event.id;
        const known = hubEvent(event);
        if (known) yield known;
      }
    } catch (thrown) {
      if (signal?.aborted || transport.options.signal?.aborted) return;
      if (!opened || isFinal(thrown)) throw thrown;
    }
    if (signal?.aborted) return;
    await delay(delayMs, signal);
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
  }
}

/** One stream: an event with an empty name when it stands, then what the hub sends. */
async function* connect(
  transport: Transport,
  lastId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<WireEvent, void, undefined> {
  const response = await transport.send('GET', '/api/v1/events', {
    headers: { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) },
    ...(signal && { signal }),
  });
  if (!response.body) throw new MusterError('unavailable', 'the hub sent no stream of events');
  yield { event: '', data: '' };
  yield* parseEvents(response.body);
}

/** Takes a byte stream of server-sent events apart. */
export async function* parseEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<WireEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop()!;
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseBlock(block: string): WireEvent | undefined {
  const event: WireEvent = { event: 'message', data: '' };
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const at = line.indexOf(':');
    if (at === 0) continue;
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
    if (field === 'id') event.id = value;
    else if (field === 'event') event.event = value;
    else if (field === 'data') data.push(value);
  }
  if (data.length === 0 && event.id === undefined) return undefined;
  return { ...event, data: data.join('\n') };
}

function hubEvent({ event, data }: WireEvent): HubEvent | undefined {
  if (event === 'resync') return { type: 'resync' };
  if (event !== 'change') return undefined;
  return { type: 'change', ...(JSON.parse(data) as Change) };
}

function isFinal(thrown: unknown): boolean {
  return thrown instanceof MusterError && ['unauthenticated', 'forbidden'].includes(thrown.code);
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}
