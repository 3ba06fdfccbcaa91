import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Action, Signed } from '@muster/proto/records';
import {
  type ControlPlane,
  type Running,
  eventually,
  freePort,
  startControlPlane,
  writeKubeconfig,
} from '../src/index.ts';
import { startAgent } from './agent-process.ts';
import { TestHub } from './testing/test-hub.ts';

let cluster: ControlPlane;
let dir: string;
let hub: TestHub;
let agent: Running | undefined;
let store = 0;

const configMap = (name: string, data: Record<string, string> = { a: '1' }) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

const secret = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { password: 'first-secret' },
});

const widget = (name: string) => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name },
  spec: { size: 1 },
});

const definition = () => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.org' },
  spec: {
    group: 'example.org',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
});

const deployment = (name: string, image = 'nginx:1') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image }] },
    },
  },
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-agent-'));
  cluster = await startControlPlane({ name: 'agent', dir: join(dir, 'cluster') });
});

afterAll(async () => {
  await cluster?.stop();
});

afterEach(async () => {
  await agent?.stop();
  hub?.kill();
});

async function join_(env: Record<string, string | undefined> = {}) {
  hub = await TestHub.start();
  store++;
  agent = await start(env);
}

function start(env: Record<string, string | undefined> = {}) {
  return startAgent({
    log: join(dir, `agent-${store}.log`),
    env: {
      ...hub.environment(),
      KUBECONFIG: cluster.kubeconfig,
      MUSTER_AGENT_STORE: 'folder',
      MUSTER_AGENT_STATE_DIR: join(dir, `state-${store}`),
      MUSTER_AGENT_NAMESPACE: `agent-${store}`,
      MUSTER_AGENT_LOG_LEVEL: 'debug',
      ...env,
    },
  });
}

async function settled(name: string, sync = 'Synced', health = 'Healthy') {
  await eventually(
    (see) => {
      const status = see(hub.status(name));
      return status?.sync === sync && status.health === health && status.operation?.phase !== 'Running';
    },
    { what: `${name} to be ${sync} and ${health}`, timeout: 60_000 },
  );
  return hub.status(name)!;
}

describe('an agent with a real control plane', () => {
  it('enrols, verifies, fetches, applies and reports', async () => {
    const port = await freePort();
    await join_({ MUSTER_AGENT_HEALTH_PORT: String(port) });
    const row = await hub.assign({
      name: 'web',
      namespace: 'web',
      policy: { createNamespace: true },
      objects: [configMap('settings'), deployment('web')],
    });
    const status = await settled('web');
    expect(status.version).toEqual(row.version);
    expect(status.appliedVersion).toEqual(row.version);
    expect(status.operation?.phase).toBe('Succeeded');
    expect(status.resources.map((each) => `${each.kind}/${each.name} ${each.sync}`).sort()).toEqual([
      'ConfigMap/settings Synced',
      'Deployment/web Synced',
    ]);
    const live = await cluster.kube.get('v1/ConfigMap', 'web/settings');
    expect(live.metadata.annotations?.['muster.dev/tracking-id']).toBe('argocd/web:/ConfigMap:web/settings');
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, acting: true, connected: true }]);
    expect((await agent!.stop()).code).toBe(0);
  });

  it('prunes what left the bundle, and uninstalls by tombstone only', async () => {
    await join_();
    await hub.assign({ name: 'prune', objects: [configMap('keep'), configMap('leave')] });
    await settled('prune');
    await hub.assign({ name: 'prune', objects: [configMap('keep')] });
    await eventually(async () => !(await cluster.kube.find('v1/ConfigMap', 'default/leave')), {
      what: 'the prune',
    });
    await settled('prune');
    await hub.assign({ name: 'prune', action: Action.UNINSTALL });
    await eventually(() => hub.gone.length > 0, { what: 'the Application to be gone' });
    expect(await cluster.kube.find('v1/ConfigMap', 'default/keep')).toBeUndefined();
  });

  it('finds drift, says who and what, and puts it back', async () => {
    await join_();
    await hub.assign({ name: 'drift', objects: [configMap('drifting'), deployment('scaled')] });
    await settled('drift');
    await cluster.kube.patch(
      'apps/v1/Deployment',
      'default/scaled',
      { spec: { replicas: 5 } },
      { fieldManager: 'someone' },
    );
    const drift = await eventually((see) => see(resource('drift', 'Deployment', 'scaled'))?.drift, {
      what: 'the drift',
    });
    await eventually((see) => see(resource('drift', 'Deployment', 'scaled')?.drift)?.healedAtMs, {
      what: 'the heal',
    });
    expect(drift.fields).toEqual([{ path: 'spec.replicas', expected: '2', actual: '5' }]);
    expect(drift.manager).toBe('someone');
    expect((await cluster.kube.get('apps/v1/Deployment', 'default/scaled')).spec.replicas).toBe(2);

    await cluster.kube.delete('v1/ConfigMap', 'default/drifting');
    await eventually(() => cluster.kube.find('v1/ConfigMap', 'default/drifting'), {
      what: 'the ConfigMap to be back',
    });
    await eventually((see) => see(resource('drift', 'ConfigMap', 'drifting'))?.drift?.deleted, {
      what: 'the report',
    });
    await settled('drift');
  });

  it('reports drift and leaves it where the policy does not say selfHeal', async () => {
    await join_();
    await hub.assign({
      name: 'watching',
      policy: { selfHeal: false },
      objects: [configMap('watched'), secret('hidden')],
    });
    await settled('watching');
    await cluster.kube.patch('v1/ConfigMap', 'default/watched', { data: { a: '2' } });
    await cluster.kube.patch('v1/Secret', 'default/hidden', { stringData: { password: 'another-secret' } });
    const status = await settled('watching', 'OutOfSync');
    await eventually((see) => see(resource('watching', 'Secret', 'hidden'))?.drift, {
      what: 'drift of the Secret',
    });
    expect(status.resources.length).toBeGreaterThan(0);
    expect(resource('watching', 'ConfigMap', 'watched')?.drift?.fields[0]).toMatchObject({
      expected: '"1"',
      actual: '"2"',
    });
    const everything = JSON.stringify([...hub.statuses.values()], (_k, v) =>
      typeof v === 'bigint' ? String(v) : v,
    );
    const log = await readFile(agent!.log, 'utf8');
    for (const text of ['first-secret', 'another-secret']) {
      for (const form of [text, Buffer.from(text).toString('base64')]) {
        expect(everything).not.toContain(form);
        expect(log).not.toContain(form);
      }
    }
  });

  it('ignores what ignoreDifferences names', async () => {
    await join_();
    const extra = {
      ignoreDifferences: [
        {
          group: 'apps',
          kind: 'Deployment',
          name: '',
          namespace: '',
          jsonPointers: ['/spec/replicas'],
          jqPathExpressions: [],
          managedFieldsManagers: [],
        },
      ],
    };
    await hub.assign({ name: 'ignore', extra, objects: [deployment('free'), configMap('bound')] });
    await settled('ignore');
    await cluster.kube.patch('apps/v1/Deployment', 'default/free', { spec: { replicas: 4 } });
    await cluster.kube.patch('v1/ConfigMap', 'default/bound', { data: { a: 'x' } });
    await eventually(async () => (await cluster.kube.get('v1/ConfigMap', 'default/bound')).data.a === '1', {
      what: 'the heal',
    });
    await settled('ignore');
    expect((await cluster.kube.get('apps/v1/Deployment', 'default/free')).spec.replicas).toBe(4);
  });

  it('heals without a hub, from what it stored, also as a new process', async () => {
    await join_();
    await hub.assign({ name: 'offline', objects: [configMap('offline')] });
    await settled('offline');
    hub.kill();
    await agent!.kill();
    await cluster.kube.patch('v1/ConfigMap', 'default/offline', { data: { a: 'changed' } });
    agent = await start();
    await eventually(async () => (await cluster.kube.get('v1/ConfigMap', 'default/offline')).data.a === '1', {
      what: 'the heal',
    });
    await cluster.kube.delete('v1/ConfigMap', 'default/offline');
    await eventually(() => cluster.kube.find('v1/ConfigMap', 'default/offline'), {
      what: 'the ConfigMap to be back',
    });
    await hub.restart();
    await settled('offline');
    expect(hub.enrolments).toBe(1);
  });

  it('keeps healing what it applied while the next bundle cannot be had', async () => {
    await join_();
    await hub.assign({ name: 'between', objects: [configMap('between')] });
    await settled('between');
    hub.withholdBundles = true;
    await hub.assign({ name: 'between', objects: [configMap('between', { a: 'next' })] });
    await eventually(
      (see) => see(hub.status('between'))?.conditions.some(({ type }) => type === 'BundleUnavailable'),
      { what: 'the condition' },
    );
    await cluster.kube.patch('v1/ConfigMap', 'default/between', { data: { a: 'drift' } });
    await eventually(async () => (await cluster.kube.get('v1/ConfigMap', 'default/between')).data.a === '1', {
      what: 'the heal',
    });
    expect(hub.status('between')?.sync).not.toBe('Synced');
    hub.withholdBundles = false;
    await eventually(
      async () => (await cluster.kube.get('v1/ConfigMap', 'default/between')).data.a === 'next',
      { what: 'the next' },
    );
    expect((await settled('between')).conditions).toEqual([]);
  });

  it('keeps all of it in Secrets, and survives the loss of its folder', async () => {
    await join_({ MUSTER_AGENT_STORE: 'secrets' });
    await hub.assign({ name: 'secrets', objects: [configMap('in-secrets')] });
    await settled('secrets');
    hub.kill();
    await agent!.kill();
    await cluster.kube.delete('v1/ConfigMap', 'default/in-secrets');
    agent = await start({ MUSTER_AGENT_STORE: 'secrets', MUSTER_AGENT_TOKEN: undefined });
    await eventually(() => cluster.kube.find('v1/ConfigMap', 'default/in-secrets'), {
      what: 'the ConfigMap to be back',
    });
  });

  it('applies CustomResourceDefinitions before what uses them', async () => {
    await join_();
    await hub.assign({ name: 'crd', objects: [widget('one'), definition()] });
    await settled('crd');
    expect((await cluster.kube.get('example.org/v1/Widget', 'default/one')).spec.size).toBe(1);
    await hub.assign({ name: 'crd', action: Action.UNINSTALL });
    await eventually(() => hub.gone.length > 0, { what: 'the Application to be gone' });
    expect(
      await cluster.kube.find('apiextensions.k8s.io/v1/CustomResourceDefinition', 'widgets.example.org'),
    ).toBeUndefined();
  });

  it('touches nothing when the dry run finds an error, and says which', async () => {
    await join_();
    await hub.assign({ name: 'bad', objects: [configMap('good')] });
    await settled('bad');
    const broken = { ...deployment('broken'), spec: { replicas: 'three' } };
    await hub.assign({
      name: 'bad',
      objects: [
        configMap('good', { a: 'new' }),
        broken,
        { apiVersion: 'no.such/v1', kind: 'Thing', metadata: { name: 'x' } },
      ],
    });
    const status = await eventually(
      (see) => {
        const at = see(hub.status('bad'));
        return at?.operation?.phase === 'Failed' && at;
      },
      { what: 'the failure' },
    );
    expect(status.operation?.message).toContain('no.such/v1');
    expect((await cluster.kube.get('v1/ConfigMap', 'default/good')).data.a).toBe('1');
    await hub.assign({ name: 'bad', objects: [configMap('good', { a: 'new' }), broken] });
    await eventually((see) => see(hub.status('bad')?.operation)?.message?.includes('broken'), {
      what: 'the other failure',
    });
    expect((await cluster.kube.get('v1/ConfigMap', 'default/good')).data.a).toBe('1');
    expect(hub.status('bad')?.conditions.map(({ type }) => type)).toContain('SyncError');
  });

  it('leaves an object of another Application alone, and names it', async () => {
    await join_();
    await hub.assign({ name: 'first', objects: [configMap('shared')] });
    await settled('first');
    await hub.assign({ name: 'second', objects: [configMap('shared', { a: 'stolen' }), configMap('own')] });
    const status = await eventually(
      (see) => {
        const at = see(hub.status('second'));
        return at?.operation?.phase === 'Failed' && at;
      },
      { what: 'the conflict' },
    );
    expect(status.operation?.message).toContain('argocd/first');
    expect((await cluster.kube.get('v1/ConfigMap', 'default/shared')).data.a).toBe('1');
    expect(await cluster.kube.find('v1/ConfigMap', 'default/own')).toBeDefined();
    expect(hub.status('first')?.sync).toBe('Synced');
  });

  it('uninstalls all of it also when its record was lost', async () => {
    await join_();
    await hub.assign({ name: 'lost', objects: [configMap('lost'), deployment('lost')] });
    await settled('lost');
    await agent!.stop();
    const state = join(dir, `state-${store}`);
    for (const name of await readdir(state)) if (name.startsWith('applied.')) await rm(join(state, name));
    // Also before the new process has looked at what it held.
    const { signed } = await hub.assign({ name: 'lost', action: Action.UNINSTALL });
    const held = (await readdir(state)).find((name) => name.startsWith('assignment.'))!;
    await writeFile(join(state, held), Signed.encode(signed).finish());
    agent = await start();
    await eventually(() => hub.gone.length > 0, { what: 'the Application to be gone' });
    expect(await cluster.kube.find('v1/ConfigMap', 'default/lost')).toBeUndefined();
    expect(await cluster.kube.find('apps/v1/Deployment', 'default/lost')).toBeUndefined();
  });

  it('orphans: objects stay, without marks', async () => {
    await join_();
    await hub.assign({ name: 'orphan', objects: [configMap('left-alone')] });
    await settled('orphan');
    await hub.assign({ name: 'orphan', action: Action.ORPHAN });
    await eventually(() => hub.gone.length > 0, { what: 'the Application to be gone' });
    const live = await cluster.kube.get('v1/ConfigMap', 'default/left-alone');
    expect(live.metadata.annotations?.['muster.dev/tracking-id']).toBeUndefined();
    expect(live.metadata.labels?.['muster.dev/application']).toBeUndefined();
    expect(live.data.a).toBe('1');
  });

  it('refuses what is altered, meant for another cluster, or not newer', async () => {
    await join_();
    await hub.assign({ name: 'trust', objects: [configMap('trusted')] });
    await settled('trust');
    const old = await hub.sign({ name: 'trust', objects: [configMap('trusted', { a: 'old' })] });
    await hub.assign({ name: 'trust', objects: [configMap('trusted', { a: 'new' })] });
    await eventually(
      async () => (await cluster.kube.get('v1/ConfigMap', 'default/trusted')).data.a === 'new',
      { what: 'the new one' },
    );
    hub.sendRaw({ $case: 'assignment', value: old });
    const altered = { ...old, payload: Buffer.concat([old.payload, Buffer.from([0x82, 0x01, 0x01, 0x41])]) };
    hub.sendRaw({ $case: 'assignment', value: altered });
    const other = await hub.sign({
      name: 'evil',
      objects: [configMap('evil')],
      extra: { clusterId: 'another' },
    });
    hub.sendRaw({ $case: 'assignment', value: other });
    await eventually((see) => see(hub.refused).length >= 3, { what: 'three refusals' });
    expect(hub.refused.join('\n')).toMatch(/not newer[^]*signature[^]*another/);
    expect((await cluster.kube.get('v1/ConfigMap', 'default/trusted')).data.a).toBe('new');
    expect(await cluster.kube.find('v1/ConfigMap', 'default/evil')).toBeUndefined();
  });

  it('carries out commands: sync where nothing is automated, diff, dry run, refresh', async () => {
    await join_();
    await hub.assign({ name: 'manual', policy: { automated: false }, objects: [configMap('manual')] });
    await settled('manual', 'OutOfSync', 'Missing');
    expect(await cluster.kube.find('v1/ConfigMap', 'default/manual')).toBeUndefined();
    const diff = await result(hub.command('manual', { $case: 'diff', value: {} }));
    expect(JSON.parse(diff.message).resources).toMatchObject([
      { kind: 'ConfigMap', name: 'manual', state: 'missing' },
    ]);
    const dry = hub.sync('manual', { dryRun: true });
    expect((await result(dry)).outcome).toBe(1);
    expect(await cluster.kube.find('v1/ConfigMap', 'default/manual')).toBeUndefined();
    const sync = hub.sync('manual');
    expect((await result(sync)).outcome).toBe(1);
    expect((await settled('manual')).operation?.commandId).toBe(sync);
    expect((await result(hub.command('manual', { $case: 'refresh', value: {} }))).outcome).toBe(1);
    expect((await result(hub.command('nobody', { $case: 'refresh', value: {} }))).outcome).toBe(2);
    const expired = hub.command('manual', { $case: 'refresh', value: {} }, { expiresAtMs: 1n });
    expect((await result(expired)).outcome).toBe(5);
  });

  it('refuses by name what it or the project is not allowed, hooks as well', async () => {
    await join_({ MUSTER_AGENT_NAMESPACES: 'default' });
    const hook = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'a-hook',
        namespace: 'elsewhere',
        annotations: { 'argocd.argoproj.io/hook': 'PreSync' },
      },
    };
    await hub.assign({ name: 'hooks', objects: [hook, configMap('no-hook')] });
    await eventually(
      (see) =>
        see(hub.status('hooks'))?.conditions.some(
          ({ type, message }) => type === 'NamespaceDenied' && message.includes('a-hook'),
        ),
      { what: 'the refusal of the hook' },
    );
    expect(await cluster.kube.find('v1/ConfigMap', 'default/no-hook')).toBeUndefined();
    await hub.assign({
      name: 'wide',
      objects: [configMap('fine'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'too-much' } }],
    });
    await eventually(
      (see) =>
        see(hub.status('wide'))?.conditions.some(
          ({ type, message }) => type === 'NamespaceDenied' && message.includes('too-much'),
        ),
      { what: 'the refusal' },
    );
    await hub.assign({
      name: 'project',
      objects: [configMap('denied')],
      extra: {
        project: {
          name: 'strict',
          namespaces: ['other-*'],
          clusterResourceAllow: [],
          clusterResourceDeny: [],
          namespaceResourceAllow: [],
          namespaceResourceDeny: [],
          namespaceAllowListed: false,
          windows: [],
        },
      },
    });
    await eventually(
      (see) =>
        see(hub.status('project'))?.conditions.some(
          ({ type, message }) => type === 'ProjectDenied' && message.includes('strict'),
        ),
      { what: 'the refusal' },
    );
    expect(await cluster.kube.find('v1/ConfigMap', 'default/fine')).toBeUndefined();
    expect(await cluster.kube.find('v1/ConfigMap', 'default/denied')).toBeUndefined();
  });

  it('waits for approval, renews without dropping its stream, resumes a cut download', async () => {
    hub = await TestHub.start();
    hub.pending = true;
    hub.certificateLifeMs = 12_000;
    store++;
    agent = await start();
    await eventually(() => hub.enrolments === 1, { what: 'the enrolment' });
    hub.pending = false;
    await eventually(() => hub.connected, { what: 'the session' });
    hub.cutDownloadAt = 32 * 1024;
    const objects = Array.from({ length: 40 }, (_, i) =>
      configMap(`big-${i}`, { noise: randomBytes(3000).toString('base64') }),
    );
    await hub.assign({ name: 'big', objects });
    await settled('big');
    expect(hub.downloads).toBe(2);
    await eventually(() => hub.renewals > 0, { what: 'a renewal' });
    expect(hub.hellos.length).toBe(1);
  });

  it('reports the outcome of a command as unknown when it was killed in the middle', async () => {
    await join_();
    await hub.assign({ name: 'cut', policy: { automated: false }, objects: [configMap('cut')] });
    await settled('cut', 'OutOfSync', 'Missing');
    const api = cluster.pids['kube-apiserver'];
    process.kill(api, 'SIGSTOP');
    const id = hub.sync('cut');
    await eventually(async () => (await agent!.tail(50)).includes('"command"'), {
      what: 'the command to begin',
    });
    await agent!.kill();
    process.kill(api, 'SIGCONT');
    agent = await start();
    const outcome = await result(id);
    expect(outcome.outcome).toBe(4);
    expect(await cluster.kube.find('v1/ConfigMap', 'default/cut')).toBeUndefined();
  });

  it('ends a sync by command, and goes back to what was applied when the assignment does', async () => {
    await join_();
    const good = [configMap('back'), deployment('back')];
    await hub.assign({ name: 'back', objects: good });
    await settled('back');
    await hub.assign({
      name: 'back',
      objects: [configMap('back', { a: '2' }), { ...deployment('back'), spec: { replicas: 'x' } }],
    });
    await eventually((see) => see(hub.status('back')?.operation)?.phase === 'Failed', {
      what: 'the failure',
    });
    await hub.assign({ name: 'back', objects: good });
    const status = await settled('back');
    expect(status.operation?.phase).toBe('Succeeded');
    expect(status.conditions).toEqual([]);
    expect((await result(hub.command('back', { $case: 'terminate', value: {} }))).outcome).toBe(2);
  });

  it('says what is wrong with a join token, a pin or a setting, and exits 1', async () => {
    hub = await TestHub.start();
    const cases: [Record<string, string | undefined>, string][] = [
      [{ MUSTER_AGENT_TOKEN: 'guess' }, 'join token is not known'],
      [{ MUSTER_AGENT_CA_SHA256: '0'.repeat(64) }, 'does not show the pinned CA'],
      [{ MUSTER_AGENT_CA_SHA256: 'abc' }, 'MUSTER_AGENT_CA_SHA256'],
      [{ MUSTER_AGENT_TOKEN: undefined }, 'MUSTER_AGENT_TOKEN'],
      [{ MUSTER_AGENT_CONTEXT: 'nowhere' }, 'has no context "nowhere"'],
    ];
    for (const [env, message] of cases) {
      store++;
      const process = await start(env);
      const exit = await process.exited;
      expect(exit.code, message).toBe(1);
      expect(await process.tail(5)).toContain(message);
    }
  });

  it('works with nothing but the rights of the narrow preset', async () => {
    hub = await TestHub.start();
    store++;
    const own = `agent-${store}`;
    const meta = (name: string, namespace?: string) => ({ metadata: { name, namespace } });
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
    const all = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
    const subjects = [{ kind: 'ServiceAccount', name: 'narrow', namespace: own }];
    const bind = (kind: string, role: string, namespace?: string) => ({
      ...rbac,
      kind,
      ...meta(role, namespace),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: kind.replace('Binding', ''), name: role },
      subjects,
    });
    await cluster.kube.apply([
      { apiVersion: 'v1', kind: 'Namespace', ...meta(own) },
      { apiVersion: 'v1', kind: 'Namespace', ...meta('narrow') },
      { apiVersion: 'v1', kind: 'ServiceAccount', ...meta('narrow', own) },
      {
        ...rbac,
        kind: 'Role',
        ...meta('own', own),
        rules: [
          { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'create', 'update', 'delete'] },
          { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
        ],
      },
      bind('RoleBinding', 'own', own),
      {
        ...rbac,
        kind: 'ClusterRole',
        ...meta('narrow-agent'),
        rules: [
          {
            apiGroups: [''],
            resources: ['namespaces'],
            resourceNames: ['kube-system', 'narrow'],
            verbs: ['get'],
          },
        ],
      },
      bind('ClusterRoleBinding', 'narrow-agent'),
      { ...rbac, kind: 'Role', ...meta('work', 'narrow'), rules: [all] },
      bind('RoleBinding', 'work', 'narrow'),
    ]);
    const token = await cluster.kube.createToken(`${own}/narrow`);
    const kubeconfig = join(dir, 'narrow.kubeconfig');
    await writeKubeconfig(kubeconfig, 'narrow', { server: cluster.server, ca: cluster.access.ca, token });
    agent = await start({
      KUBECONFIG: kubeconfig,
      MUSTER_AGENT_STORE: 'secrets',
      MUSTER_AGENT_NAMESPACES: 'narrow',
    });
    await hub.assign({
      name: 'narrow',
      namespace: 'narrow',
      policy: { createNamespace: true },
      objects: [configMap('inside'), deployment('inside')],
    });
    await settled('narrow');
    expect(hub.hellos[0]?.facts).toMatchObject({ namespaces: ['narrow'], nodeCount: 0 });
    await cluster.kube.patch('v1/ConfigMap', 'narrow/inside', { data: { a: '9' } });
    await eventually(async () => (await cluster.kube.get('v1/ConfigMap', 'narrow/inside')).data.a === '1', {
      what: 'the heal',
    });
    await hub.assign({ name: 'outside', namespace: 'default', objects: [configMap('outside')] });
    await eventually(
      (see) => see(hub.status('outside'))?.conditions.some(({ type }) => type === 'NamespaceDenied'),
      { what: 'the refusal' },
    );
    await hub.assign({ name: 'narrow', action: Action.UNINSTALL });
    await eventually(() => hub.gone.length > 0, { what: 'the Application to be gone' });
  });

  it('lets one agent act in a cluster', async () => {
    await join_();
    await hub.assign({ name: 'one', objects: [configMap('one')] });
    await settled('one');
    const hellos = hub.hellos.length;
    const second = await start({ MUSTER_AGENT_LOG_LEVEL: 'info' });
    await eventually(async () => (await second.tail(50)).includes('another agent holds the Lease'), {
      what: 'the second to wait',
    });
    expect(hub.hellos.length).toBe(hellos);
    // What the second one would have read at its start is old by now.
    const newest = await hub.assign({ name: 'one', objects: [configMap('one', { a: 'newest' })] });
    await eventually(
      async () => (await cluster.kube.get('v1/ConfigMap', 'default/one')).data.a === 'newest',
      {
        what: 'the newest',
      },
    );
    await agent!.stop();
    await eventually(() => hub.hellos.length > hellos, { what: 'the second to take over' });
    expect(hub.hellos.at(-1)?.highest).toEqual(newest.version);
    expect((await cluster.kube.get('v1/ConfigMap', 'default/one')).data.a).toBe('newest');
    await second.stop();
  });

  it('prunes nothing for an empty bundle unless allowEmpty says so', async () => {
    await join_();
    await hub.assign({ name: 'empty', objects: [configMap('survivor')] });
    await settled('empty');
    await hub.assign({ name: 'empty', objects: [] });
    await settled('empty', 'OutOfSync');
    expect(resource('empty', 'ConfigMap', 'survivor')?.requiresPruning).toBe(true);
    expect(await cluster.kube.find('v1/ConfigMap', 'default/survivor')).toBeDefined();
    await hub.assign({ name: 'empty', objects: [], policy: { allowEmpty: true } });
    await eventually(async () => !(await cluster.kube.find('v1/ConfigMap', 'default/survivor')), {
      what: 'the prune',
    });
  });
});

function resource(application: string, kind: string, name: string) {
  return hub.status(application)?.resources.find((each) => each.kind === kind && each.name === name);
}

function result(id: string) {
  return eventually(() => hub.results.get(id), { what: 'the result of a command' });
}
