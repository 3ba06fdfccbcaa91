import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askPrometheus } from './prometheus.ts';

/** Played: tokens, endless answers and answers of others are what a real one does not have; for that see the integration test. */
let server: Server;
let folder: string;
let answer: { status: number; body: string; headers?: Record<string, string> };
let asked: { url: string; body: string; authorization: string | undefined }[];

beforeEach(async () => {
  asked = [];
  answer = {
    status: 200,
    body: '{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["x"]}',
  };
  folder = mkdtempSync(join(tmpdir(), 'muster-agent-prometheus-'));
  server = createServer(async (request, response) => {
    asked.push({
      url: request.url!,
      body: await text(request),
      authorization: request.headers.authorization,
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function text(request: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of request) all += String(chunk);
  return all;
}

const access = (more: object = {}) => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prom/`,
  tokenFile: '',
  services: [],
  ...more,
});
const query = { query: 'up{a="b"}', service: '', timeoutMs: 5_000 };
const signal = new AbortController().signal;

it('asks the address that it is set to, with its token, and tells only the result', async () => {
  writeFileSync(join(folder, 'token'), 'abc\n');
  const told = await askPrometheus(access({ tokenFile: join(folder, 'token') }), query, signal);
  expect(told).toEqual({ status: 'success', data: { resultType: 'vector', result: [] } });
  expect(asked).toEqual([
    {
      url: '/prom/api/v1/query',
      body: 'query=up%7Ba%3D%22b%22%7D&timeout=5000ms',
      authorization: 'Bearer abc',
    },
  ]);
});

it('tells a refusal of the query, and names what is no answer', async () => {
  answer = { status: 400, body: '{"status":"error","errorType":"bad_data","error":"parse error"}' };
  expect(await askPrometheus(access(), query, signal)).toEqual({ status: 'error', error: 'parse error' });
  answer = { status: 502, body: '<html>' };
  await expect(askPrometheus(access(), query, signal)).rejects.toThrow(
    'Prometheus answered 502, and no JSON',
  );
  answer = { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } };
  await expect(askPrometheus(access(), query, signal)).rejects.toThrow(
    'Prometheus answered 302, and no JSON',
  );
  answer = { status: 200, body: 'x'.repeat(2 * 1024 * 1024) };
  await expect(askPrometheus(access(), query, signal)).rejects.toMatchObject({ code: 'limit' });
  await expect(askPrometheus(access({ url: 'http://127.0.0.1:1' }), query, signal)).rejects.toThrow(
    'Prometheus cannot be asked: ECONNREFUSED',
  );
});

it('asks nothing that whoever installed it has not allowed', async () => {
  await expect(askPrometheus(access({ url: '' }), query, signal)).rejects.toMatchObject({
    code: 'precondition',
    message: 'the agent of this cluster is set to no Prometheus',
  });
  const service = { ...query, service: 'monitoring/prometheus:9090' };
  for (const services of [[], ['monitoring/other:*'], ['monitoring/prometheus:9091']])
    await expect(askPrometheus(access({ services }), service, signal)).rejects.toMatchObject({
      code: 'forbidden',
    });
  for (const wrong of ['a/b', 'a.evil.net/b:1', '../b:1', 'a/b:1/../../x'])
    await expect(
      askPrometheus(access({ services: ['*'] }), { ...query, service: wrong }, signal),
    ).rejects.toMatchObject({
      code: 'forbidden',
    });
  expect(asked).toEqual([]);
});
