import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Discovery,
  FolderStore,
  KubeClient,
  type ReflectorSink,
  SecretStore,
  type Store,
  kubeAccess,
  reflect,
} from '@muster/agent/parts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, eventually, startControlPlane } from '../src/index.ts';

let cluster: ControlPlane;
let client: KubeClient;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-agent-parts-'));
  cluster = await startControlPlane({ name: 'parts', dir: join(dir, 'cluster') });
  client = new KubeClient(kubeAccess({ kubeconfig: cluster.kubeconfig }, false));
  await cluster.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'store' } });
});

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
});

const stores: Record<string, () => Promise<Store>> = {
  'a folder': () => FolderStore.open(join(dir, 'records')),
  Secrets: async () => new SecretStore(client, 'store'),
};

for (const [name, open] of Object.entries(stores)) {
  describe(`the store in ${name}`, () => {
    it('gives back what was written, also to a new process', async () => {
      await (await open()).write('record.a', Buffer.from('one'));
      expect((await (await open()).read('record.a'))?.toString()).toBe('one');
      await (await open()).write('record.a', Buffer.from('two'));
      expect((await (await open()).read('record.a'))?.toString()).toBe('two');
    });

    it('knows nothing of what was never written or was removed', async () => {
      const store = await open();
      expect(await store.read('nothing')).toBeUndefined();
      await store.remove('nothing');
      await store.write('record.b', Buffer.from('x'));
      await store.remove('record.b');
      expect(await store.read('record.b')).toBeUndefined();
    });

    it('lists by prefix, sorted', async () => {
      const store = await open();
      for (const each of ['list.b', 'list.a', 'other']) await store.write(each, Buffer.from(each));
      expect(await store.list('list.')).toEqual(['list.a', 'list.b']);
    });

    it('holds records larger than one Secret, and empty ones', async () => {
      const store = await open();
      const large = randomBytes(2_500_000);
      await store.write('large', large);
      expect((await store.read('large'))?.equals(large)).toBe(true);
      await store.write('large', Buffer.from('small now'));
      expect((await store.read('large'))?.toString()).toBe('small now');
      await store.write('void', Buffer.alloc(0));
      expect((await store.read('void'))?.length).toBe(0);
    });

    it('takes an immutable record twice, and removes it', async () => {
      const store = await open();
      const bytes = randomBytes(1_000_000);
      await store.write('bundle.abc', bytes, { immutable: true });
      await store.write('bundle.abc', bytes, { immutable: true });
      expect((await store.read('bundle.abc'))?.equals(bytes)).toBe(true);
      await store.remove('bundle.abc');
      expect(await store.read('bundle.abc')).toBeUndefined();
    });

    it('refuses names that would leave it', async () => {
      const store = await open();
      await expect(store.write('../x', Buffer.from('x'))).rejects.toThrow();
      await expect(store.read('a/b')).rejects.toThrow();
    });
  });
}

it('keeps the folder for its owner alone', async () => {
  await FolderStore.open(join(dir, 'private'));
  const store = await FolderStore.open(join(dir, 'private'));
  await store.write('key', Buffer.from('secret'));
  expect((await stat(join(dir, 'private'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(dir, 'private', 'key'))).mode & 0o777).toBe(0o600);
  expect(await readdir(join(dir, 'private'))).toEqual(['key']);
});

it('leaves no part of a large record behind in Secrets', async () => {
  const store = new SecretStore(client, 'store');
  await store.write('parts', randomBytes(2_000_000));
  await store.write('parts', randomBytes(2_000_000));
  await store.remove('parts');
  const secrets = await cluster.kube.list('v1/Secret', 'store');
  expect(secrets.filter(({ metadata }) => metadata.name.startsWith('muster-part.'))).toEqual([]);
});

/** What a reflector told, as a list of names. */
function recorder() {
  const names = new Set<string>();
  const seen = { names, syncs: 0, failures: 0, managed: 0 };
  const sink: ReflectorSink = {
    changed: ({ metadata }) => void names.add(metadata.name!),
    removed: ({ metadata }) => void names.delete(metadata.name!),
    synced: () => void seen.syncs++,
    failed: () => void seen.failures++,
  };
  return { seen, sink };
}

describe('the reflector', () => {
  const path = '/api/v1/namespaces/default/configmaps';
  const configMap = (name: string, labels: Record<string, string> = { watch: 'me' }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels },
  });

  for (const streamLists of [true, false]) {
    it(`lists ${streamLists ? 'by streaming' : 'in pages'}, then follows what matches its selector`, async () => {
      const tag = streamLists ? 'stream' : 'page';
      const mine = { watch: tag };
      for (let i = 0; i < 5; i++) await cluster.kube.apply(configMap(`${tag}-${i}`, mine));
      await cluster.kube.apply(configMap(`${tag}-other`, {}));
      const stop = new AbortController();
      const { seen, sink } = recorder();
      const done = reflect({
        client,
        path,
        labelSelector: `watch=${tag}`,
        sink,
        signal: stop.signal,
        pageSize: 2,
        streamLists,
      });
      await eventually(() => seen.syncs === 1, { what: 'the list' });
      expect(seen.names.size).toBe(5);
      await cluster.kube.apply(configMap(`${tag}-new`, mine));
      await eventually(() => seen.names.has(`${tag}-new`), { what: 'the new one' });
      await cluster.kube.delete('v1/ConfigMap', `default/${tag}-0`);
      await cluster.kube.patch('v1/ConfigMap', `default/${tag}-1`, { metadata: { labels: { watch: null } } });
      await eventually(() => !seen.names.has(`${tag}-0`) && !seen.names.has(`${tag}-1`), {
        what: 'both to go',
      });
      expect(seen.failures).toBe(0);
      stop.abort();
      await done;
    });
  }

  it('goes on after the API server was away, and misses nothing', async () => {
    const stop = new AbortController();
    const { seen, sink } = recorder();
    const done = reflect({
      client,
      path,
      labelSelector: 'watch=restart',
      sink,
      signal: stop.signal,
      maxBackoff: 500,
    });
    await eventually(() => seen.syncs === 1, { what: 'the list' });
    await cluster.stop();
    await eventually(() => seen.failures > 0, { what: 'a failure' });
    cluster = await startControlPlane({ name: 'parts', dir: join(dir, 'cluster') });
    await cluster.kube.apply(configMap('restarted', { watch: 'restart' }));
    await eventually(() => seen.names.has('restarted'), { what: 'the new one', timeout: 60_000 });
    stop.abort();
    await done;
  });
});

it('discovers kinds, and asks again when one appears', async () => {
  const discovery = new Discovery(client);
  expect(await discovery.resolve('apps/v1', 'Deployment')).toMatchObject({
    plural: 'deployments',
    namespaced: true,
  });
  expect(await discovery.resolve('example.org/v1', 'Late')).toBeUndefined();
  expect(await discovery.apiVersions()).toEqual(
    expect.arrayContaining(['v1', 'v1/Pod', 'apps/v1', 'apps/v1/Deployment']),
  );
  const versions = [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
  ];
  const names = { kind: 'Late', plural: 'lates', singular: 'late' };
  await cluster.kube.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'lates.example.org' },
    spec: { group: 'example.org', scope: 'Cluster', names, versions },
  });
  await eventually(async () => (await discovery.resolve('example.org/v1', 'Late'))?.namespaced === false, {
    what: 'the kind',
  });
});
