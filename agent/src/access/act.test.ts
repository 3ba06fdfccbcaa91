import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '@muster/kube';
import { ActCommand, Command, CommandOutcome } from '@muster/proto/records';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { FULL_POWER } from '../apply/power.ts';
import { KubeClient } from '../kube/client.ts';
import { act } from './act.ts';

// What a real API server does not do when it is asked to: lose its answer, or be written to in between.
type Answer = (request: { method: string; body: KubeObject }, response: ServerResponse) => void;
let answer: Answer;
let live: KubeObject | undefined;
let writes: { method: string; path: string; body: KubeObject }[];
const client = { current: undefined as KubeClient | undefined };
const server = createServer((request, response) => void handle(request, response));

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const method = request.method!;
  if (method === 'GET')
    return send(response, live ? 200 : 404, live ?? { kind: 'Status', reason: 'NotFound' });
  const body = JSON.parse(Buffer.concat(chunks).toString()) as KubeObject;
  writes.push({ method, path: request.url!, body });
  answer({ method, body }, response);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** As the API server applies a patch, as far as it matters here. */
function apply(body: KubeObject): void {
  const version = String(Number(live!.metadata.resourceVersion) + 1);
  live = { ...live!, ...body, metadata: { ...live!.metadata, resourceVersion: version } };
}

const conflict = (response: ServerResponse) => send(response, 409, { kind: 'Status', reason: 'Conflict' });

beforeEach(async () => {
  writes = [];
  live = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u1',
      resourceVersion: '7',
      annotations: { 'muster.dev/tracking-id': 'argocd/shop:apps/Deployment:shop/web' },
    },
    spec: {},
  };
  answer = ({ body }, response) => {
    apply(body);
    send(response, 200, live!);
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.current = new KubeClient({
    server: url,
    credentials: () => Promise.resolve({ headers: {}, tls: {}, tlsKey: '' }),
  });
});
afterEach(async () => {
  await client.current?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function run(action: string, parameters: Record<string, string> = {}, uid = '') {
  const type = {
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
    verbs: [],
  };
  const cluster = {
    client: client.current!,
    discovery: { resolveKind: () => Promise.resolve(type) },
    power: FULL_POWER,
    now: () => 0,
  } as unknown as Cluster;
  const app = {
    key: 'argocd/shop',
    assignment: {},
    inventory: new Map(),
    selfHeal: false,
  } as unknown as Application;
  const object = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web', uid };
  const value = ActCommand.fromPartial({ object, action, parameters });
  const command = Command.fromPartial({ id: 'operation-1', verb: { $case: 'act', value } });
  const desired = () => Promise.reject(new Error('not needed'));
  return act(cluster, app, command, desired, AbortSignal.timeout(20_000));
}

test('a write carries the UID and the version that were looked at, and is sent once', async () => {
  expect(await run('restart')).toMatchObject({ outcome: CommandOutcome.SUCCEEDED });
  expect(writes).toMatchObject([
    {
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=muster-action',
      body: { metadata: { uid: 'u1', resourceVersion: '7' } },
    },
  ]);
});

test('after a conflict it is decided again on what is there', async () => {
  let tries = 0;
  answer = ({ body }, response) => {
    if (tries++ === 0) {
      live!.metadata.resourceVersion = '8';
      return conflict(response);
    }
    apply(body);
    send(response, 200, live!);
  };
  expect(await run('restart')).toMatchObject({ outcome: CommandOutcome.SUCCEEDED });
  expect(writes.map(({ body }) => body.metadata.resourceVersion)).toEqual(['7', '8']);
});

test('a lost answer is no failure where the effect is there to see', async () => {
  answer = ({ body }, response) => {
    apply(body);
    response.destroy();
  };
  expect(await run('restart')).toMatchObject({ outcome: CommandOutcome.SUCCEEDED });
  expect(writes).toHaveLength(1);
});

test.each([
  ['restart', {}],
  ['scale', { replicas: '3' }],
  ['pause', {}],
])(
  'a %s whose answer is lost and cannot be seen is unknown, and not tried again',
  async (action, parameters) => {
    answer = (_request, response) => void response.destroy();
    expect(await run(action, parameters)).toMatchObject({
      outcome: CommandOutcome.UNKNOWN,
      message: expect.stringContaining('nobody can say'),
    });
    expect(writes).toHaveLength(1);
  },
);

test('a deletion names exactly the object, and counts as done once it is gone', async () => {
  answer = (_request, response) => {
    live = undefined;
    response.destroy();
  };
  expect(await run('delete')).toMatchObject({ outcome: CommandOutcome.SUCCEEDED });
  expect(writes).toMatchObject([
    { method: 'DELETE', body: { preconditions: { uid: 'u1', resourceVersion: '7' } } },
  ]);
});

test('another object of the name is left alone', async () => {
  expect(await run('delete', {}, 'u0')).toMatchObject({ outcome: CommandOutcome.REFUSED });
  live!.metadata.annotations = {};
  expect(await run('restart')).toMatchObject({
    outcome: CommandOutcome.REFUSED,
    message: expect.stringContaining('does not belong'),
  });
  expect(writes).toEqual([]);
});

test('what the API server refuses failed', async () => {
  answer = (_request, response) => send(response, 422, { kind: 'Status', reason: 'Invalid', message: 'no' });
  expect(await run('restart')).toMatchObject({ outcome: CommandOutcome.FAILED, message: 'no' });
});
