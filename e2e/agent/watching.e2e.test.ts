import { afterEach, expect, it } from 'vitest';
import { type KubeObject, eventually } from '../src/index.ts';
import { type ApiProxy, startApiProxy } from './testing/api-proxy.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, definition } from './testing/objects.ts';

const on = agentFixture('watching');
let proxy: ApiProxy;
afterEach(() => proxy.close());

const WIDGET = 'example.org/v1/Widget';

/** A kind whose status is written apart, as controllers do. */
async function widgets(): Promise<void> {
  const made = definition('Widget', { 'x-kubernetes-preserve-unknown-fields': true });
  Object.assign(made.spec.versions[0]!, { subresources: { status: {} } });
  await on.cluster.kube.apply(made);
  await eventually(() => on.cluster.kube.list(WIDGET, 'default').catch(() => undefined), { what: 'Widgets' });
}

async function throughProxy(): Promise<void> {
  proxy = await startApiProxy(on.cluster, on.dir);
  await on.joined({ KUBECONFIG: proxy.kubeconfig });
}

const isWatch = ({ query }: { query: URLSearchParams }) => query.get('watch') === 'true';
/** Requests about a resource that were no watches. */
const calls = (resource: string) =>
  proxy.requests.filter((each) => each.path.includes(`/${resource}`) && !isWatch(each)).length;

async function driftHealed(): Promise<void> {
  await on.cluster.kube.patch(WIDGET, 'default/one', { spec: { size: 2 } }, { fieldManager: 'kubectl-edit' });
  await eventually(async () => (await on.cluster.kube.get(WIDGET, 'default/one')).spec.size === 1, {
    what: 'the heal',
  });
  await on.settled('widgets');
}

it('makes no request for a status that changes, however often', async () => {
  await widgets();
  await throughProxy();
  const widget = {
    apiVersion: 'example.org/v1',
    kind: 'Widget',
    metadata: { name: 'one' },
    spec: { size: 1 },
  };
  await on.hub.assign({ name: 'widgets', objects: [widget] });
  await on.settled('widgets');
  let before = calls('widgets');
  await driftHealed();
  const ofOneDrift = calls('widgets') - before;
  expect(ofOneDrift).toBeGreaterThan(0);
  before = calls('widgets');
  for (let i = 0; i < 40; i++) {
    const conditions = [{ type: 'Ready', status: 'True', reason: `Beat${i}`, lastHeartbeatTime: String(i) }];
    await on.cluster.kube.patch(
      WIDGET,
      'default/one',
      { status: { count: i, conditions } },
      { subresource: 'status', fieldManager: 'widget-controller' },
    );
  }
  // What comes after these in the same watch has been seen: they have been, too.
  await driftHealed();
  expect(calls('widgets') - before).toBe(ofOneDrift);
});

it('watches what it manages, and hears nothing of what it does not', async () => {
  await throughProxy();
  await on.hub.assign({ name: 'ours', objects: [configMap('ours')] });
  await on.settled('ours');
  const watches = () => proxy.requests.filter(isWatch);
  const ofConfigMaps = () => watches().filter(({ path }) => path.endsWith('/configmaps'));
  expect(ofConfigMaps().length).toBeGreaterThan(0);
  for (const { query, path } of watches())
    expect(query.get('labelSelector') ?? query.get('fieldSelector'), path).toBeTruthy();
  const heard = () => ofConfigMaps().reduce((sum, { bytes }) => sum + bytes, 0);
  const before = { bytes: heard(), calls: calls('configmaps') };
  for (let i = 0; i < 50; i++) {
    const object = { ...configMap(`other-${i}`, { a: 'x'.repeat(10_000) }), apiVersion: 'v1' };
    await on.cluster.kube.create({
      ...object,
      metadata: { ...object.metadata, namespace: 'default' },
    } as KubeObject);
  }
  await on.cluster.kube.patch('v1/ConfigMap', 'default/ours', { data: { a: '2' } });
  await eventually(async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/ours')).data.a === '1', {
    what: 'the heal',
  });
  await on.settled('ours');
  expect(heard() - before.bytes).toBeLessThan(20_000);
  expect(calls('configmaps') - before.calls).toBeLessThan(10);
});
