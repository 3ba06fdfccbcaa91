import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ControlPlane,
  type KubeClient,
  type KubeObject,
  eventually,
  renderChart,
  startControlPlane,
} from '../src/index.ts';
import { monitorDefinition, restricted, reviewer } from './testing.ts';

let work: string;
let plane: ControlPlane;
let kube: KubeClient;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'muster-charts-'));
  plane = await startControlPlane({ name: 'charts', dir: join(work, 'charts') });
  kube = plane.kube;
  await kube.apply(monitorDefinition);
  await eventually(() => kube.list('monitoring.coreos.com/v1/ServiceMonitor').catch(() => undefined), {
    what: 'the ServiceMonitor kind to be served',
  });
});

afterAll(async () => {
  await plane?.stop();
  await rm(work, { recursive: true, force: true });
});

const hub = { address: 'muster.example.org:7443', caSha256: 'ab'.repeat(32) };

/** Renders a chart into a namespace under the `restricted` standard, applies it, and answers what there is. */
async function install(chart: string, name: string, values: Record<string, unknown>): Promise<KubeObject[]> {
  await kube.apply(restricted(name));
  const objects = await renderChart(chart, values, { name: chart, namespace: name });
  return kube.apply(objects, { namespace: name });
}

const kinds = (objects: readonly KubeObject[]) => objects.map(({ kind }) => kind).sort();
const find = (objects: readonly KubeObject[], kind: string, suffix = '') =>
  objects.find((object) => object.kind === kind && object.metadata.name.endsWith(suffix))!;

/** Pods that the controllers were allowed to make. */
async function podsOf(namespace: string, count: number): Promise<KubeObject[]> {
  return eventually(
    async (see) => {
      const pods = see(await kube.list('v1/Pod', namespace));
      return pods.length === count && pods;
    },
    { what: `${count} pods in ${namespace}` },
  );
}

describe('muster-hub, applied to a real API server', () => {
  test('with defaults it is a trial of one replica, whose pod the restricted standard admits', async () => {
    const objects = await install('muster-hub', 'hub-trial', {});
    expect(kinds(objects)).toEqual([
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'ServiceAccount',
      'StatefulSet',
    ]);
    const [pod] = await podsOf('hub-trial', 1);
    expect(pod!.spec.initContainers).toBeUndefined();
    expect(pod!.spec.enableServiceLinks).toBe(false);
    expect(pod!.spec.automountServiceAccountToken).toBe(false);
    const names = pod!.spec.containers[0].env.map((variable: { name: string }) => variable.name);
    expect(names).not.toContain('DATABASE_URL');
    expect(names).not.toContain('MUSTER_GATEWAY_ADDRESS');
  });

  test('with a database, Redis and keys it runs replicas that take every secret from a Secret', async () => {
    const objects = await install('muster-hub', 'hub-fleet', {
      replicas: 3,
      database: { url: 'postgres://muster:secret@db.example.org/muster' },
      redis: { existingSecret: 'redis' },
      keys: { existingSecret: 'muster-keys' },
      admin: { existingSecret: 'admin' },
      webhooks: { existingSecret: 'webhooks' },
      gateway: { address: hub.address },
      settings: { trustedProxies: ['10.0.0.0/8', 'fd00::1'] },
    });
    expect(find(objects, 'Secret', '-connections')).toBeDefined();
    const [pod] = await podsOf('hub-fleet', 3);
    expect(JSON.stringify(pod!.spec)).not.toContain('secret@db');
    expect(pod!.spec.initContainers[0].command.at(-1)).toBe('/keys');
    const { env, volumeMounts } = pod!.spec.containers[0];
    expect(volumeMounts).toContainEqual({ name: 'keys', mountPath: '/keys', readOnly: true });
    expect(env).toContainEqual({ name: 'MUSTER_GATEWAY_ADDRESS', value: hub.address });
    expect(env).toContainEqual({ name: 'MUSTER_TRUSTED_PROXIES', value: '10.0.0.0/8,fd00::1' });
    expect(
      env.filter((each: { name: string }) => each.name.startsWith('MUSTER_WEBHOOK_SECRET_')),
    ).toHaveLength(4);
  });

  test('with an ingress and a ServiceMonitor it is reached at its public URL and scraped', async () => {
    const objects = await install('muster-hub', 'hub-public', {
      publicUrl: 'https://muster.example.org',
      ingress: { enabled: true, className: 'nginx', tlsSecret: 'muster-tls' },
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    });
    const { rules, tls } = find(objects, 'Ingress').spec;
    expect(rules[0].host).toBe('muster.example.org');
    expect(tls).toEqual([{ hosts: ['muster.example.org'], secretName: 'muster-tls' }]);
    const monitor = find(objects, 'ServiceMonitor');
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(monitor.spec.endpoints).toEqual([{ port: 'http', path: '/metrics' }]);
  });
});

describe('muster-agent, applied to a real API server', () => {
  test('with defaults its pod is admitted and its account may do in the cluster what Git may ask', async () => {
    const objects = await install('muster-agent', 'agent-all', { hub, token: 'mjt_x' });
    expect(find(objects, 'Secret', '-join-token')).toBeDefined();
    await podsOf('agent-all', 1);
    const may = await reviewer(kube, 'agent-all/muster-agent');
    for (const group of ['', 'apps', 'rbac.authorization.k8s.io', 'apiextensions.k8s.io', 'example.org']) {
      expect(await may.do('create', { group, resource: 'anything', namespace: 'default' })).toBe(true);
      expect(await may.do('delete', { group, resource: 'anything' })).toBe(true);
    }
    const applied = await may.kube.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'made-by-the-agent' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    });
    expect(applied).toHaveLength(1);
    await may.kube.close();
  });

  test('limited to namespaces it may do all there, keep its own things, and nothing else', async () => {
    await kube.apply([restricted('team-a'), restricted('team-b')]);
    await install('muster-agent', 'agent-some', { hub, token: 'mjt_x', namespaces: ['team-a', 'team-b'] });
    const [pod] = await podsOf('agent-some', 1);
    expect(pod!.spec.containers[0].env).toContainEqual({
      name: 'MUSTER_AGENT_NAMESPACES',
      value: 'team-a,team-b',
    });
    const may = await reviewer(kube, 'agent-some/muster-agent');
    const configMap = (namespace: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'mine', namespace },
      data: { a: '1' },
    });
    await eventually(() => may.kube.apply(configMap('team-a')).catch(() => undefined), {
      what: 'the roles to be in force',
    });
    await may.kube.apply(configMap('team-b'));
    expect((await may.kube.get('v1/Namespace', 'kube-system')).metadata.uid).toMatch(/-/);
    const own = (resource: string, group = '') => ({ group, resource, namespace: 'agent-some' });
    for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'])
      expect(await may.do(verb, own('secrets'))).toBe(true);
    for (const verb of ['get', 'create', 'update'])
      expect(await may.do(verb, own('leases', 'coordination.k8s.io'))).toBe(true);

    const forbidden = { status: 403, reason: 'Forbidden' };
    await expect(may.kube.apply(configMap('default'))).rejects.toMatchObject(forbidden);
    await expect(may.kube.apply(configMap('agent-some'))).rejects.toMatchObject(forbidden);
    await expect(may.kube.list('v1/Secret', 'kube-system')).rejects.toMatchObject(forbidden);
    await expect(may.kube.list('v1/Secret')).rejects.toMatchObject(forbidden);
    await expect(may.kube.get('v1/Namespace', 'default')).rejects.toMatchObject(forbidden);
    await expect(may.kube.apply(restricted('new'))).rejects.toMatchObject(forbidden);
    for (const resource of ['clusterroles', 'clusterrolebindings', 'roles'])
      expect(
        await may.do('create', { group: 'rbac.authorization.k8s.io', resource, namespace: 'default' }),
      ).toBe(false);
    await may.kube.close();
  });

  test('that only observes may read everything and write only its own things', async () => {
    const limits = { verbs: ['observe-only'], kinds: ['*', '!Secret'], namespaces: ['!kube-*'] };
    await install('muster-agent', 'agent-observes', { hub, token: 'mjt_x', limits });
    const [pod] = await podsOf('agent-observes', 1);
    const { env } = pod!.spec.containers[0];
    expect(env).toContainEqual({ name: 'MUSTER_AGENT_VERBS', value: 'observe-only' });
    expect(env).toContainEqual({ name: 'MUSTER_AGENT_KINDS', value: '*,!Secret' });
    expect(env).toContainEqual({ name: 'MUSTER_AGENT_NAMESPACES', value: '!kube-*' });
    const may = await reviewer(kube, 'agent-observes/muster-agent');
    for (const group of ['', 'apps', 'rbac.authorization.k8s.io', 'example.org']) {
      for (const verb of ['get', 'list', 'watch'])
        expect(await may.do(verb, { group, resource: 'anything' })).toBe(true);
      for (const verb of ['create', 'update', 'patch', 'delete', 'deletecollection', 'impersonate', 'bind'])
        expect(await may.do(verb, { group, resource: 'anything', namespace: 'default' })).toBe(false);
    }
    expect(await may.do('create', { group: '', resource: 'secrets', namespace: 'agent-observes' })).toBe(
      true,
    );
    await may.kube.close();
  });

  test('that writes nothing as itself reads, and acts as the accounts that are listed', async () => {
    await kube.apply([restricted('tenant')]);
    const impersonation = { required: true, serviceAccounts: ['tenant/deployer'] };
    await install('muster-agent', 'agent-acts', { hub, token: 'mjt_x', impersonation });
    const may = await reviewer(kube, 'agent-acts/muster-agent');
    const accounts = { group: '', resource: 'serviceaccounts', namespace: 'tenant' };
    expect(await may.do('impersonate', { ...accounts, name: 'deployer' })).toBe(true);
    expect(await may.do('impersonate', { ...accounts, name: 'other' })).toBe(false);
    expect(await may.do('impersonate', { ...accounts, namespace: 'kube-system', name: 'deployer' })).toBe(
      false,
    );
    expect(await may.do('impersonate', { group: '', resource: 'users' })).toBe(false);
    expect(await may.do('list', { group: 'apps', resource: 'deployments' })).toBe(true);
    expect(await may.do('patch', { group: 'apps', resource: 'deployments', namespace: 'tenant' })).toBe(
      false,
    );
    await may.kube.close();
  });

  test('with a ServiceMonitor it has a Service, and lets a scraper in and nobody else', async () => {
    const open = await install('muster-agent', 'agent-seen', { hub, serviceMonitor: { enabled: true } });
    expect(find(open, 'NetworkPolicy').spec.ingress).toEqual([
      { ports: [{ port: 'health', protocol: 'TCP' }] },
    ]);
    expect(find(open, 'ServiceMonitor').spec.endpoints).toEqual([{ port: 'health', path: '/metrics' }]);
    const closed = await install('muster-agent', 'agent-unseen', { hub });
    expect(find(closed, 'NetworkPolicy').spec).toMatchObject({ policyTypes: ['Ingress'] });
    expect(find(closed, 'NetworkPolicy').spec.ingress).toBeUndefined();
    expect(kinds(closed)).not.toContain('Service');
  });
});

describe('values that cannot work', () => {
  const at = { name: 'x', namespace: 'x' };
  const cases: [chart: string, what: string, values: Record<string, unknown>, message: RegExp][] = [
    ['muster-hub', 'a misspelt value', { databse: { url: 'x' } }, /databse/],
    ['muster-hub', 'an address without a port', { gateway: { address: 'muster' } }, /gateway.*address/],
    ['muster-hub', 'a database that is not PostgreSQL', { database: { url: 'mysql://db' } }, /database.*url/],
    ['muster-hub', 'a poll of no time', { settings: { pollSeconds: 0 } }, /pollSeconds/],
    ['muster-hub', 'replicas on an embedded database', { replicas: 2 }, /replicas: .*database\.url/],
    ['muster-hub', 'an ingress without a URL', { ingress: { enabled: true } }, /publicUrl: /],
    [
      'muster-hub',
      'a database without keys',
      { database: { existingSecret: 'db' } },
      /keys\.existingSecret: [^]*keys init --out[^]*create secret generic muster-keys --from-file/,
    ],
    ['muster-agent', 'no hub', {}, /address/],
    ['muster-agent', 'a short fingerprint', { hub: { ...hub, caSha256: 'ab' } }, /caSha256/],
    ['muster-agent', 'a namespace that is none', { hub, namespaces: ['Team A'] }, /namespaces/],
    ['muster-agent', 'the hub’s values', { hub, gateway: {} }, /gateway/],
    ['muster-agent', 'a verb that is none', { hub, limits: { verbs: ['Observe'] } }, /verbs/],
  ];
  // Side by side they share one renderer.
  test.concurrent.each(cases)('%s refuses %s', async (chart, _what, values, message) => {
    await expect(renderChart(chart, values, at)).rejects.toThrow(message);
  });
});
