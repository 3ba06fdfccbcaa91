import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callPlugin, pluginEndpoint } from './plugin-call.ts';

let server: Server;
let baseUrl: string;
let answer: { status?: number; headers?: Record<string, string>; body?: string; never?: true };
const asked: { url: string; headers: IncomingMessage['headers']; body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      asked.push({ url: request.url!, headers: request.headers, body });
      if (answer.never) return;
      response.writeHead(answer.status ?? 200, answer.headers);
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const call = (timeoutSeconds = 30, url = baseUrl) =>
  callPlugin(
    { name: 'mine', baseUrl: url, token: 'a-token', timeoutSeconds },
    { applicationSetName: 'shop', input: { parameters: { a: 1 } } },
    AbortSignal.timeout(20_000),
  );

test('a plugin is asked as Argo CD asks it', async () => {
  answer = { body: '{"output":{"parameters":[{"a":{"b":1}},null]}}' };
  expect(await call()).toEqual([{ a: { b: 1 } }, {}]);
  expect(asked.at(-1)).toMatchObject({
    url: '/base/api/v1/getparams.execute',
    headers: { authorization: 'Bearer a-token', 'content-type': 'application/json' },
    body: '{"applicationSetName":"shop","input":{"parameters":{"a":1}}}',
  });
  expect(pluginEndpoint('https://x')).toBe('https://x/api/v1/getparams.execute');
});

test.each(['', '{}', '{"output":{}}', '{"output":null}', '{"output":{"parameters":null}}'])(
  'the answer %j is no parameters, as in the reference',
  async (body) => {
    answer = { body };
    expect(await call()).toEqual([]);
  },
);

test.each([
  [{ status: 500, body: '{"message":"broken"}' }, 'unavailable', 'API error with status code 500: broken'],
  [{ status: 401, body: '{"error":"who?"}' }, 'forbidden', 'API error with status code 401: who?'],
  [{ status: 404, body: '<html>' }, 'invalid', 'API error with status code 404'],
  [{ status: 302, headers: { location: 'http://169.254.169.254/' } }, 'invalid', 'status code 302'],
  [{ body: 'no json' }, 'invalid', 'not a JSON object'],
  [{ body: '[]' }, 'invalid', 'not a JSON object'],
  [{ body: '{"output":[]}' }, 'invalid', 'must answer'],
  [{ body: '{"output":{"parameters":["x"]}}' }, 'invalid', 'must answer'],
  [{ body: `"${'x'.repeat(11 * 1024 * 1024)}"` }, 'limit', 'more than 10 MiB'],
])('%j is an error, never an empty answer', async (given, code, message) => {
  answer = given;
  const before = asked.length;
  await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  expect(asked).toHaveLength(before + 1);
});

test('a plugin that does not answer, or is not there, is asked again later', async () => {
  answer = { never: true };
  await expect(call(1)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('within 1 s'),
  });
  await expect(call(1, 'http://127.0.0.1:1')).rejects.toMatchObject({ code: 'unavailable' });
});
