import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type ControlPlane,
  eventually,
  kubectlPath,
  processMemory,
  startControlPlane,
} from '../src/index.ts';
import { startAgent } from './agent-process.ts';
import { TestHub } from './testing/test-hub.ts';

/** What the bench shows of the agent: milliseconds and bytes. */
export interface AgentFigures {
  /** `kubectl apply --server-side` of the same objects in another namespace of the same control plane. */
  kubectlMs: number;
  applyMs: number;
  /** The server-side dry run before it. */
  dryRunMs: number;
  idleRss: number;
  loadedRss: number;
}

/** Applies 500 ConfigMaps and 50 Deployments with kubectl and with an agent, and reads the agent's memory before and after. */
export async function measureAgent(dir: string): Promise<AgentFigures> {
  await mkdir(dir, { recursive: true });
  const cluster = await startControlPlane({ name: 'bench-agent', dir: join(dir, 'cluster') });
  const hub = await TestHub.start();
  const log = join(dir, 'agent.log');
  const env = {
    ...hub.environment(),
    KUBECONFIG: cluster.kubeconfig,
    MUSTER_AGENT_STORE: 'folder',
    MUSTER_AGENT_STATE_DIR: join(dir, 'state'),
  };
  const agent = await startAgent({ log, env });
  try {
    await eventually(() => hub.connected, { what: 'the session of the agent' });
    const idleRss = await steadyRss(agent.pid);
    const kubectlMs = await applyWithKubectl(cluster, dir);
    await cluster.kube.apply(namespace('agent'));
    await hub.assign({ name: 'bench', namespace: 'agent', objects: objectsIn('agent') });
    await eventually(() => hub.status('bench')?.health === 'Healthy', {
      what: 'the bench Application',
      timeout: 180_000,
    });
    const { dryRunMs, applyMs } = await timesFrom(log);
    return { kubectlMs, applyMs, dryRunMs, idleRss, loadedRss: await steadyRss(agent.pid) };
  } finally {
    await agent.stop();
    hub.kill();
    await cluster.stop();
  }
}

async function applyWithKubectl(cluster: ControlPlane, dir: string): Promise<number> {
  await cluster.kube.apply(namespace('kubectl'));
  const file = join(dir, 'objects.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsIn('kubectl') }));
  const kubectl = await kubectlPath();
  const args = ['--kubeconfig', cluster.kubeconfig, 'apply', '--server-side', '-f', file];
  const started = performance.now();
  await promisify(execFile)(kubectl, args, { maxBuffer: 64 * 1024 * 1024 });
  const took = performance.now() - started;
  // Its Deployments are rolled out before the agent's turn, which is measured alone.
  await eventually(
    async () => {
      const deployments = await cluster.kube.list('apps/v1/Deployment', 'kubectl');
      return deployments.every(({ status }) => status?.readyReplicas === 1);
    },
    { what: "kubectl's Deployments", timeout: 120_000, interval: 500 },
  );
  return took;
}

/** The agent logs how long the parts of a sync took. */
async function timesFrom(log: string): Promise<{ dryRunMs: number; applyMs: number }> {
  const lines = (await readFile(log, 'utf8')).split('\n');
  return JSON.parse(lines.find((line) => line.includes('"sync ended"'))!) as {
    dryRunMs: number;
    applyMs: number;
  };
}

/** Resident memory once it has not grown for some seconds. */
async function steadyRss(pid: number): Promise<number> {
  let last = 0;
  for (let round = 0; round < 20; round++) {
    await sleep(2_000);
    const { rss } = await processMemory(pid);
    if (rss <= last * 1.01) return rss;
    last = rss;
  }
  return last;
}

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

function objectsIn(inNamespace: string): object[] {
  const configMaps = Array.from({ length: 500 }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `settings-${i}`, namespace: inNamespace },
    data: { text: 'x'.repeat(200), number: String(i) },
  }));
  const deployments = Array.from({ length: 50 }, (_, i) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `web-${i}`, namespace: inNamespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: `web-${i}` } },
      template: {
        metadata: { labels: { app: `web-${i}` } },
        spec: { containers: [{ name: 'main', image: 'nginx:1' }] },
      },
    },
  }));
  return [...configMaps, ...deployments];
}
