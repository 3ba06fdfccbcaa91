import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Action } from '@muster/proto/records';
import { type ControlPlane, type Running, eventually, startControlPlane } from '../src/index.ts';
import { startAgent } from './agent-process.ts';
import { TestHub } from './test-hub.ts';

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
    await join_();
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
});
