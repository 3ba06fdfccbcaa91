import { describe, expect, it } from 'vitest';
import { parseEvents, readEvents } from './client-events.ts';
import { queryText, Transport } from './client-transport.ts';
import { allItems, type HubEvent, hubClient } from './client.ts';

function bodyOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

/** A server of canned answers that remembers what it was asked. */
function answering(...answers: (() => Response | Promise<Response>)[]) {
  const requests: { url: string; init: RequestInit }[] = [];
  const send = ((url: string, init: RequestInit) => {
    requests.push({ url, init });
    return Promise.resolve().then(
      answers[requests.length - 1] ?? (() => Promise.reject(new TypeError('refused'))),
    );
  }) as typeof fetch;
  return { send, requests };
}

describe('the API client', () => {
  it('sends the token, escapes names and leaves out what is not given', async () => {
    const { send, requests } = answering(
      () => Response.json({ items: [] }),
      () => Response.json({}),
    );
    const client = hubClient({ hub: 'http://hub/', token: 'mst_x', fetch: send });
    await client.applications.list({ project: 'a b', cluster: undefined });
    await client.applications.get('ns', '../x');
    expect(requests.map(({ url }) => url)).toEqual([
      'http://hub/api/v1/applications?project=a+b',
      'http://hub/api/v1/applications/ns/..%2Fx',
    ]);
    expect(requests[0]!.init.headers).toMatchObject({ authorization: 'Bearer mst_x' });
    expect(queryText({})).toBe('');
  });

  it('sends what only reads again when the hub is overloaded, and never what writes', async () => {
    const busy = () =>
      Response.json(
        { status: 503, code: 'unavailable', detail: 'the hub is busy' },
        { status: 503, headers: { 'retry-after': '0' } },
      );
    const { send, requests } = answering(busy, busy, () => Response.json({ items: [] }), busy);
    const told: string[] = [];
    const onRetry = (_: number, message: string) => void told.push(message);
    const client = hubClient({ hub: 'http://hub', fetch: send, onRetry });
    expect(await client.applications.list()).toEqual({ items: [] });
    expect(told).toEqual(['the hub is busy', 'the hub is busy']);
    await expect(client.applications.sync('ns', 'web')).rejects.toMatchObject({ code: 'unavailable' });
    expect(requests).toHaveLength(4);
    const stop = new AbortController();
    stop.abort(new Error('interrupted'));
    const again = hubClient({ hub: 'http://hub', fetch: answering(busy).send, signal: stop.signal });
    await expect(again.applications.list()).rejects.toThrow('interrupted');
  });

  it('turns problem+json into a MusterError, and anything else into one by its status', async () => {
    const problem = { status: 412, code: 'precondition', detail: 'not now', where: 'x', hint: 'later' };
    const { send } = answering(
      () => Response.json(problem, { status: 412 }),
      () => new Response('<html>', { status: 502 }),
    );
    const client = hubClient({ hub: 'http://hub', fetch: send });
    await expect(client.summary()).rejects.toMatchObject({
      code: 'precondition',
      message: 'not now',
      where: 'x',
    });
    await expect(client.summary()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(client.summary()).rejects.toThrow('the hub at http://hub is not reachable');
  });

  it('reads all pages, and no more than asked for', async () => {
    const page = (after: string | undefined) =>
      Promise.resolve(after ? { items: [3] } : { items: [1, 2], next: 'c' });
    expect(await allItems(page)).toEqual([1, 2, 3]);
    expect(await allItems(page, 1)).toEqual([1]);
  });
});

describe('logs', () => {
  it('that a hub breaks off say so', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (stream) =>
        pulled++ === 0
          ? stream.enqueue(new TextEncoder().encode('{"line":{"text":"one"}}\n'))
          : stream.error(new TypeError('terminated')),
    });
    const { send } = answering(() => new Response(body));
    const client = hubClient({ hub: 'http://hub', fetch: send });
    const lines: string[] = [];
    const read = async () => {
      for await (const event of client.applications.logs('argocd', 'web'))
        if (event.type === 'line') lines.push(event.line.text);
    };
    await expect(read()).rejects.toThrow('the hub at http://hub broke the log off');
    expect(lines).toEqual(['one']);
  });
});

describe('live events', () => {
  it('are taken apart wherever the stream is cut, comments left out', async () => {
    const events = [];
    const body = bodyOf(': muster\n\nid: 1\nevent: ch', 'ange\ndata: {"a":', '\ndata: 1}\n\n', ': beat\n\n');
    for await (const event of parseEvents(body)) events.push(event);
    expect(events).toEqual([{ id: '1', event: 'change', data: '{"a":\n1}' }]);
  });

  it('are resumed after a cut from the last id that was seen', async () => {
    const stream = (text: string) => () => new Response(bodyOf(text));
    const change = (id: number, key: string) =>
      `id: ${id}\nevent: change\ndata: {"kind":"application","keys":["${key}"]}\n\n`;
    const { send, requests } = answering(
      stream(change(1, 'a')),
      () => Promise.reject(new TypeError('refused')),
      stream(change(2, 'b')),
      () => Response.json({ code: 'unauthenticated', detail: 'expired' }, { status: 401 }),
    );
    const transport = new Transport({ hub: 'http://hub', fetch: send });
    const seen: HubEvent[] = [];
    const read = async () => {
      for await (const event of readEvents(transport, { delay: () => Promise.resolve() })) seen.push(event);
    };
    await expect(read()).rejects.toThrow('expired');
    expect(seen.map((event) => (event.type === 'change' ? event.keys : event.type))).toEqual([
      'open',
      ['a'],
      'open',
      ['b'],
    ]);
    expect(requests[2]!.init.headers).toMatchObject({ 'last-event-id': '1' });
  });
});
