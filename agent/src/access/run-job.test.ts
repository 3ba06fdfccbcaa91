import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '@muster/kube';
import { Command, CommandOutcome, ProjectLimits } from '@muster/proto/records';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { FULL_POWER, type Power } from '../apply/power.ts';
import { KubeClient } from '../kube/client.ts';
import { maskingOf } from './masking.ts';
import { runJob } from './run-job.ts';

// What a real API server does not do when it is asked to: lose its answer, or fail in between.
let live: KubeObject | undefined;
let made: (response: ServerResponse, job: KubeObject) => void;
let read: ((response: ServerResponse) => void) | undefined;
let calls: { method: string; path: string; account: string | undefined }[];
let client: KubeClient;
const server = createServer((request, response) => void handle(request, response));

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const method = request.method!;
  calls.push({
    method,
    path: request.url!,
    account: request.headers['impersonate-user'] as string | undefined,
  });
  if (request.url!.includes('/pods')) return send(response, 200, { items: [pod] });
  if (method === 'POST') return made(response, JSON.parse(Buffer.concat(chunks).toString()) as KubeObject);
  if (method === 'GET' && read) return read(response);
  if (method === 'DELETE') live = undefined;
  send(response, live || method === 'DELETE' ? 200 : 404, live ?? { kind: 'Status', reason: 'NotFound' });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const terminated = { exitCode: 1, reason: 'Error', message: 'password hunter2 is wrong' };
const pod = {
  metadata: { creationTimestamp: '2027-01-01T00:00:00Z' },
  status: { containerStatuses: [{ name: 'main', state: { terminated } }] },
};
const ended = (type: 'Complete' | 'Failed') => (response: ServerResponse, job: KubeObject) => {
  const metadata = { ...job.metadata, uid: 'u1' };
  live = { ...job, metadata, status: { conditions: [{ type, status: 'True', message: 'it ended' }] } };
  send(response, 201, live);
};

beforeEach(async () => {
  live = undefined;
  read = undefined;
  calls = [];
  made = ended('Complete');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client = new KubeClient({
    server: url,
    credentials: () => Promise.resolve({ headers: {}, tls: {}, tlsKey: '' }),
  });
});
afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const everything = ProjectLimits.fromPartial({ name: 'default', namespaces: ['*'] });
const type = { group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true };

function run(
  more: { resume?: string; namespace?: string } = {},
  { project = everything, power = FULL_POWER }: { project?: ProjectLimits; power?: Power } = {},
) {
  const metadata = more.namespace ? { namespace: more.namespace } : {};
  const manifest = JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: {} } });
  const value = { manifest, deadlineSeconds: 60, resume: more.resume ?? '' };
  const command = Command.fromPartial({ id: 'c1', verb: { $case: 'runJob', value } });
  const cluster = {
    client,
    discovery: { resolveKind: () => Promise.resolve(type) },
    power,
    log: pino({ level: 'silent' }),
    now: Date.now,
  } as unknown as Cluster;
  const assignment = { impersonate: 'shop/deployer', destinationNamespace: 'shop', project };
  const app = { key: 'argocd/web', assignment } as unknown as Application;
  const masking = () => Promise.resolve(maskingOf({ mask: (text) => text.replace('hunter2', '***') }));
  return runJob(cluster, app, command, masking, new AbortController().signal);
}

test('a Job is made as the account of the Application, told how it ended, and deleted', async () => {
  expect(await run()).toEqual({
    outcome: CommandOutcome.SUCCEEDED,
    message: '{"job":"succeeded","detail":"the Job succeeded"}',
  });
  expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /apis/batch/v1/namespaces/shop/jobs',
    'GET /apis/batch/v1/namespaces/shop/jobs/muster-gate-c1',
    'DELETE /apis/batch/v1/namespaces/shop/jobs/muster-gate-c1',
  ]);
  expect(new Set(calls.map(({ account }) => account))).toEqual(
    new Set(['system:serviceaccount:shop:deployer']),
  );
});

test('one that failed tells its last words, without what is known to be secret', async () => {
  made = ended('Failed');
  const { message } = await run();
  expect(JSON.parse(message)).toEqual({
    job: 'failed',
    detail: 'it ended; container main ended with 1 (Error): password *** is wrong',
  });
});

test('what the project or the agent does not allow is refused, and nothing is sent', async () => {
  const project = ProjectLimits.fromPartial({ name: 'shop', namespaces: ['shop'] });
  expect(await run({ namespace: 'kube-system' }, { project })).toMatchObject({
    outcome: CommandOutcome.REFUSED,
    message: expect.stringContaining('project shop does not allow namespace kube-system'),
  });
  const none = ProjectLimits.fromPartial({
    ...everything,
    namespaceResourceDeny: [{ group: 'batch', kind: 'Job' }],
  });
  expect(await run({}, { project: none })).toMatchObject({ outcome: CommandOutcome.REFUSED });
  const power = { ...FULL_POWER, kinds: ['*', '!batch/Job'] };
  expect(await run({}, { power })).toMatchObject({
    outcome: CommandOutcome.REFUSED,
    message: expect.stringContaining('MUSTER_AGENT_KINDS'),
  });
  expect(calls).toEqual([]);
});

test('a refusal of the API server has made nothing; an answer that was lost may have', async () => {
  made = (response) => send(response, 403, { kind: 'Status', reason: 'Forbidden', message: 'no' });
  expect(await run()).toMatchObject({ outcome: CommandOutcome.FAILED });
  made = (response) => response.destroy();
  expect(await run()).toMatchObject({ outcome: CommandOutcome.UNKNOWN });
  // Once it is made, nothing that goes wrong later is an end of it.
  made = ended('Complete');
  read = (response) => send(response, 403, { kind: 'Status', reason: 'Forbidden', message: 'no' });
  expect(await run()).toMatchObject({ outcome: CommandOutcome.UNKNOWN });
});

test('one that is there already is followed; one that is to be found again is never made', async () => {
  made = (response, job) => {
    ended('Complete')({ writeHead: () => ({ end: () => undefined }) } as never, job);
    send(response, 409, { kind: 'Status', reason: 'AlreadyExists' });
  };
  expect(JSON.parse((await run()).message)).toMatchObject({ job: 'succeeded' });
  calls = [];
  const { outcome, message } = await run({ resume: 'c0' });
  expect([outcome, JSON.parse(message).job]).toEqual([CommandOutcome.SUCCEEDED, 'lost']);
  expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /apis/batch/v1/namespaces/shop/jobs/muster-gate-c0',
  ]);
});
