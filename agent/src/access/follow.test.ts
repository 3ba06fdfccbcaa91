import type { KubeObject } from '@muster/kube';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { FULL_POWER } from '../apply/power.ts';
import { KubeError } from '../kube/errors.ts';
import { type Follow, type From, type Source, followPods } from './follow.ts';

const app = {
  key: 'argocd/shop',
  assignment: {},
  inventory: new Map(),
} as unknown as Application;
const KINDS: Record<string, [string, string]> = {
  Pod: ['', 'pods'],
  ReplicaSet: ['apps', 'replicasets'],
  Deployment: ['apps', 'deployments'],
  Job: ['batch', 'jobs'],
};
const owner = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'web-uid' };

let objects: Map<string, KubeObject>;
let said: string[];
let open: Map<string, { from: From; end(last?: string): void; fail(error: Error): void }>;
let reads: string[];
let stop: AbortController;

beforeEach(() => {
  objects = new Map();
  said = [];
  open = new Map();
  reads = [];
  stop = new AbortController();
  put('Deployment', 'web', undefined, { 'muster.dev/tracking-id': 'argocd/shop:apps/Deployment:shop/web' });
  put('ReplicaSet', 'web-1', ['Deployment', 'web']);
  pod('web-1-a', 'web-1');
});
afterEach(() => stop.abort());

function put(kind: string, name: string, by?: [string, string], annotations = {}, more = {}): void {
  const [group, plural] = KINDS[kind]!;
  const apiVersion = group ? `${group}/v1` : 'v1';
  const ownerReferences = by && [
    { apiVersion: `${KINDS[by[0]]![0]}/v1`, kind: by[0], name: by[1], uid: `${by[1]}-uid` },
  ];
  const metadata = { name, namespace: 'shop', uid: `${name}-uid`, annotations, ownerReferences };
  const path = `/${group ? `apis/${group}` : 'api'}/v1/namespaces/shop/${plural}/${name}`;
  objects.set(path, { apiVersion, kind, metadata, ...more });
}

/** A Pod of one container. */
function pod(name: string, by: string, state: object = { running: {} }, run = 'run-1', phase = 'Running') {
  const containerStatuses = [{ name: 'main', containerID: run, state }];
  const more = { spec: { containers: [{ name: 'main' }] }, status: { phase, containerStatuses } };
  put('Pod', name, [by === 'migrate' ? 'Job' : 'ReplicaSet', by], {}, more);
}

function start(more: Partial<Follow> = {}): Promise<string> {
  const cluster = {
    power: FULL_POWER,
    client: {
      find: async (path: string) => objects.get(path),
      call: async () => ({
        metadata: {},
        items: [...objects.values()].filter(({ kind }) => kind === 'Pod'),
      }),
    },
    discovery: {
      resolveKind: async (group: string, kind: string) =>
        ({ group, version: 'v1', kind, plural: KINDS[kind]![1], namespaced: true, verbs: [] }) as never,
    },
  } as unknown as Cluster;
  const follow = { owner, namespaces: ['shop'], most: 20, everyMs: 1, ...more };
  const following = followPods(cluster, app, follow, {
    signal: stop.signal,
    containersOf: ({ metadata: { name = '' } }) => [{ namespace: 'shop', pod: name, container: 'main' }],
    say: async ({ pod: name }: Source, text) => void said.push(`${name} ${text}`),
    read: ({ pod: name }, from, signal) => {
      reads.push(name);
      return new Promise((resolve, reject) => {
        const over = () => void open.delete(name);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        open.set(name, {
          from,
          end: (last = '') => (over(), resolve(last)),
          fail: (error) => (over(), reject(error)),
        });
        signal.addEventListener('abort', over);
      });
    },
  });
  following.catch(() => undefined);
  return following;
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 25_000, interval: 5 });

it('lets the Pods of a rollout join, and says of those before that they are gone', async () => {
  put('ReplicaSet', 'other-1');
  pod('other-1-a', 'other-1');
  start();
  await until(() => expect([...open.keys()]).toEqual(['web-1-a']));
  expect(open.get('web-1-a')!.from).toEqual({ whole: false, after: '' });
  put('ReplicaSet', 'web-2', ['Deployment', 'web']);
  pod('web-2-a', 'web-2', { waiting: { reason: 'ContainerCreating' } }, '', 'Pending');
  objects.delete('/api/v1/namespaces/shop/pods/web-1-a');
  await until(() => expect(said).toEqual(['web-1-a is gone']));
  expect([...open.keys()]).toEqual([]);
  pod('web-2-a', 'web-2');
  await until(() => expect([...open.keys()]).toEqual(['web-2-a']));
  expect(open.get('web-2-a')!.from).toEqual({ whole: true, after: '' });
  expect(said).toEqual(['web-1-a is gone', 'web-2-a joined']);
  expect(reads).toEqual(['web-1-a', 'web-2-a']);
});

it('goes on with the next run of a container, and with a stream that broke off', async () => {
  start();
  await until(() => expect(open.size).toBe(1));
  open.get('web-1-a')!.end('2026-01-01T00:00:01Z');
  await until(() =>
    expect(open.get('web-1-a')?.from).toEqual({ whole: false, after: '2026-01-01T00:00:01Z' }),
  );
  pod('web-1-a', 'web-1', { terminated: { reason: 'Error', exitCode: 1 } });
  open.get('web-1-a')!.end();
  await until(() => expect(said).toEqual(['web-1-a ended (Error, exit code 1)']));
  pod('web-1-a', 'web-1', { running: {} }, 'run-2');
  await until(() => expect(open.get('web-1-a')?.from).toEqual({ whole: true, after: '' }));
  expect(said.at(-1)).toBe('web-1-a started again');
});

it('ends when what owns the Pods is gone, or when the Job has ended', async () => {
  const following = start();
  await until(() => expect(open.size).toBe(1));
  objects.clear();
  expect(await following).toBe('the Deployment web is gone');

  const marks = { 'muster.dev/tracking-id': 'argocd/shop:batch/Job:shop/migrate' };
  put('Job', 'migrate', undefined, marks);
  pod('migrate-a', 'migrate');
  const job = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate', uid: 'migrate-uid' };
  const ending = start({ owner: job });
  await until(() => expect(open.has('migrate-a')).toBe(true));
  pod('migrate-a', 'migrate', { terminated: { reason: 'Completed', exitCode: 0 } }, 'run-1', 'Succeeded');
  put('Job', 'migrate', undefined, marks, {
    status: { conditions: [{ type: 'Complete', status: 'True' }] },
  });
  open.get('migrate-a')!.end();
  expect(await ending).toBe('the Job migrate has ended');
  expect(said).toContain('migrate-a ended (Completed, exit code 0)');
});

it('follows no more containers at once than it may, and says so', async () => {
  start({ most: 1 });
  await until(() => expect(open.size).toBe(1));
  pod('web-1-b', 'web-1');
  await until(() => expect(said).toEqual([expect.stringMatching(/^web-1-b waits: only 1 containers/)]));
  objects.delete('/api/v1/namespaces/shop/pods/web-1-a');
  await until(() => expect([...open.keys()]).toEqual(['web-1-b']));
});

it('ends where logs may not be read, and tries again what cannot be read now', async () => {
  const following = start();
  await until(() => expect(open.size).toBe(1));
  open.get('web-1-a')!.fail(new KubeError(500, undefined, 'no kubelet'));
  await until(() => expect(open.size).toBe(1));
  expect(said).toEqual(['web-1-a cannot be read now: no kubelet']);
  open.get('web-1-a')!.fail(new KubeError(403, undefined, 'may not'));
  await expect(following).rejects.toThrow('may not');
});
