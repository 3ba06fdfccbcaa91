import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HttpCheck, parseRolloutPolicy } from '@muster/rollout';
import { measureHttp } from './http-gate.ts';

let server: Server;
let port: number;
const open = new AbortController().signal;

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') return;
    if (request.url === '/long') response.write(`{"ok":true,"more":"${'x'.repeat(200_000)}`);
    response.end(request.url === '/long' ? '"}' : '{"ok":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function check(url: string, more: object = {}): HttpCheck {
  const gates = [{ name: 'g', http: { url, timeout: '1s', ...more } }];
  const { stages } = parseRolloutPolicy({
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'RolloutPolicy',
    metadata: { name: 'p' },
    spec: { stages: [{ name: 'a', gates }] },
  });
  return stages[0]!.gates[0] as unknown as HttpCheck;
}
const measure = async (of: HttpCheck, ...gateHosts: string[]) => {
  const { verdict, detail } = await measureHttp(of, { gateHosts, gateHeadersDir: undefined }, open);
  return `${verdict}: ${detail}`;
};

it('asks what is listed, by address or by a name whose address is listed too', async () => {
  expect(await measure(check(`http://127.0.0.1:${port}/`), '127.0.0.1')).toBe('ok: it answered 200');
  expect(await measure(check(`http://localhost:${port}/`), 'localhost', '127.0.0.0/8', '::1')).toBe(
    'ok: it answered 200',
  );
});

it('what it may not ask is unknown: the host, what its name resolves to, headers that are not there', async () => {
  expect(await measure(check(`http://127.0.0.1:${port}/`), 'example.org')).toMatch(
    /^unknown: 127.0.0.1 is no host/,
  );
  expect(await measure(check(`http://localhost:${port}/`), 'localhost')).toMatch(
    /^unknown: it resolves to (127\.0\.0\.1|::1), which MUSTER_GATE_HOSTS does not list/,
  );
  expect(await measure(check(`http://127.0.0.1:${port}/`, { headersFrom: 'x' }), '127.0.0.1')).toMatch(
    /^unknown: headers "x" are not there/,
  );
  expect(await measure(check('http://nobody.invalid/'), 'nobody.invalid')).toMatch(
    /^unknown: its name does not resolve/,
  );
});

it('who is not there, or does not answer in time, is bad', async () => {
  expect(await measure(check('http://127.0.0.1:1/'), '127.0.0.1')).toBe('bad: no connection (ECONNREFUSED)');
  expect(await measure(check(`http://127.0.0.1:${port}/slow`), '127.0.0.1')).toBe(
    'bad: no answer within 1 s',
  );
});

it('reads no more of an answer than it needs', async () => {
  const body = { json: '$.ok', equals: true };
  expect(await measure(check(`http://127.0.0.1:${port}/long`, { body }), '127.0.0.1')).toBe(
    'bad: it answered 200, but its body is too long to be read as JSON',
  );
  expect(
    await measure(check(`http://127.0.0.1:${port}/long`, { body: { matches: '"ok":true' } }), '127.0.0.1'),
  ).toBe('ok: it answered 200');
});
