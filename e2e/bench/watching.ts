import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient, type KubeObject, eventually, processMemory } from '../src/index.ts';
import { type AgentStage, settledMegabytes, startStage } from './agent-stage.ts';
import { type Bench, type BenchContext, type Figure, atMost, median, plain, quantile } from './figure.ts';
import { namespaceNamed } from './objects.ts';
import { processorSeconds } from './processor.ts';

const APPLICATIONS = 10;
const EACH = 500;
const DRIFTS = 30;
const UNMANAGED = 2_000;
const STATUS_PER_SECOND = 50;
const QUIET_SECONDS = 40;

const CERTIFICATES = 'cert-manager.io/v1/Certificate';

/** What it costs to watch 5,000 objects, and how soon a drift is healed. */
export const watching: Bench = {
  name: 'watching',
  about: '5,000 objects under watch: memory, processor time at rest and under status updates, drift to heal',
  run: async (context) => {
    const stage = await startStage(context);
    try {
      await stage.cluster.kube.apply(CERTIFICATE_DEFINITION);
      await eventually(() => stage.cluster.kube.list(CERTIFICATES).catch(() => undefined), {
        what: 'the kind Certificate',
      });
      for (let i = 0; i < APPLICATIONS; i++) await assign(stage, context, `many-${i}`);
      const memory = await settledMegabytes(stage.agent.pid);
      context.log('measuring the agent at rest');
      const quiet = await busy(stage.agent.pid, () => sleep(QUIET_SECONDS * 1_000));
      const updates = await underStatusUpdates(stage, context, () => 'True');
      const flaps = await underStatusUpdates(stage, context, (count) =>
        Math.floor(count / 1_000) % 2 ? 'True' : 'False',
      );
      const heals = await healTimes(stage, context);
      const grown = await besideUnmanaged(stage, context);
      return [
        atMost('watching: memory, 5,000 objects', memory, 'MB', 220),
        atMost('watching: processor, nothing happens', quiet, '%', 2),
        atMost(
          `watching: processor, ${STATUS_PER_SECOND} status updates a second`,
          updates.processor,
          '%',
          10,
        ),
        atMost('watching: requests because of status updates', updates.requests, '', 0),
        atMost('watching: memory after those', updates.memory, 'MB', 220),
        atMost(
          `watching: processor, ${STATUS_PER_SECOND} changes of health a second`,
          flaps.processor,
          '%',
          10,
        ),
        ...healFigures(heals),
        atMost(
          `watching: memory that ${UNMANAGED.toLocaleString('en')} objects of others add`,
          grown,
          'MB',
          10,
        ),
      ];
    } finally {
      await stage.stop();
    }
  },
};

function healFigures(times: readonly number[]): Figure[] {
  return [
    atMost('watching: drift to heal, median', median(times), 'ms', 1_000),
    plain('watching: drift to heal, p95', quantile(times, 0.95), 'ms'),
  ];
}

async function assign({ cluster, hub }: AgentStage, context: BenchContext, name: string): Promise<void> {
  context.log(`applying ${EACH} objects: ${name}`);
  await cluster.kube.apply(namespaceNamed(name));
  await hub.assign({ name, namespace: name, objects: manyObjects(name) });
  await eventually(
    () => {
      const status = hub.status(name);
      return status?.sync === 'Synced' && status.operation?.phase === 'Succeeded';
    },
    { what: `the Application ${name} to be synced`, timeout: 240_000 },
  );
}

/** Part of one core that a process uses meanwhile, in percent. */
async function busy(pid: number, meanwhile: () => Promise<unknown>): Promise<number> {
  const [before, from] = [await processorSeconds(pid), performance.now()];
  await meanwhile();
  const seconds = (performance.now() - from) / 1_000;
  return (((await processorSeconds(pid)) - before) / seconds) * 100;
}

/** Writes the status of one Certificate after the other, and nothing else. */
async function underStatusUpdates(
  { cluster, agent }: AgentStage,
  { log, signal }: BenchContext,
  ready: (count: number) => string,
) {
  log(`measuring the agent under ${STATUS_PER_SECOND} status updates a second`);
  const before = await certificateRequests(cluster.kube);
  let sent = 0;
  const processor = await busy(agent.pid, async () => {
    const started = performance.now();
    while (performance.now() - started < QUIET_SECONDS * 1_000) {
      signal.throwIfAborted();
      const due = Math.floor(((performance.now() - started) / 1_000) * STATUS_PER_SECOND);
      for (; sent < due; sent++) await touchStatus(cluster.kube, sent, ready(sent));
      await sleep(20);
    }
  });
  await sleep(2_000);
  const requests = (await certificateRequests(cluster.kube)) - before;
  log(`${Math.round(sent / QUIET_SECONDS)} status updates a second were written`);
  return { processor, requests, memory: (await processMemory(agent.pid)).rss / 1e6 };
}

async function touchStatus(kube: KubeClient, count: number, ready: string): Promise<void> {
  const namespace = `many-${count % APPLICATIONS}`;
  const name = `certificate-${Math.floor(count / APPLICATIONS) % 100}`;
  const heartbeat = {
    type: 'Ready',
    status: ready,
    reason: `Seen${count}`,
    lastHeartbeatTime: new Date().toISOString(),
  };
  await kube.patch(
    CERTIFICATES,
    `${namespace}/${name}`,
    { status: { revision: count, conditions: [heartbeat] } },
    { subresource: 'status', fieldManager: 'certificate-controller' },
  );
}

/** Requests about Certificates that were no watches and not of their status: only the agent makes such. */
async function certificateRequests(kube: KubeClient): Promise<number> {
  const text = String(await kube.raw('GET', '/metrics'));
  const lines = text.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  const theirs = lines.filter(
    (line) =>
      line.includes('resource="certificates"') &&
      !line.includes('verb="WATCH"') &&
      !line.includes('subresource="status"'),
  );
  return theirs.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** From the answer to a change by hand to the end of the heal, by the clock of this machine, in milliseconds. */
async function healTimes({ cluster, hub }: AgentStage, { log }: BenchContext): Promise<number[]> {
  log(`${DRIFTS} drifts, one after the other`);
  const times: number[] = [];
  for (let i = 0; i < DRIFTS; i++) {
    const [app, name] = [`many-${i % APPLICATIONS}`, `settings-${i}`];
    await cluster.kube.patch(
      'v1/ConfigMap',
      `${app}/${name}`,
      { data: { number: 'drifted' } },
      { fieldManager: 'kubectl-edit' },
    );
    const changed = Date.now();
    const healed = await eventually(
      () => {
        const drift = hub.status(app)?.resources.find((each) => each.name === name)?.drift;
        return drift && drift.healedAtMs > 0n ? Number(drift.healedAtMs) : undefined;
      },
      { what: `the heal of ${app}/${name}`, timeout: 60_000, interval: 20 },
    );
    const { data } = await cluster.kube.get('v1/ConfigMap', `${app}/${name}`);
    if (data.number === 'drifted') throw new Error(`${app}/${name} was called healed and is not`);
    times.push(healed - changed);
  }
  return times;
}

/** Megabytes by which the agent grows while objects of its kinds are made that are not its own. */
async function besideUnmanaged({ cluster, agent }: AgentStage, { log }: BenchContext): Promise<number> {
  log(`making ${UNMANAGED} objects that are not the agent's`);
  const before = await settledMegabytes(agent.pid);
  await cluster.kube.apply(namespaceNamed('others'));
  for (let i = 0; i < UNMANAGED; i++)
    await cluster.kube.create(configMap(`others-${i}`, 'others') as KubeObject);
  return Math.max(0, (await settledMegabytes(agent.pid)) - before);
}

const configMap = (name: string, namespace: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { text: 'x'.repeat(1_000), number: name },
});

/** Of 500: 300 ConfigMaps, 100 Deployments without Pods, 100 objects of a kind whose status changes often. */
function manyObjects(namespace: string): object[] {
  const some = (count: number, make: (i: number) => object) =>
    Array.from({ length: count }, (_, i) => make(i));
  return [
    ...some(300, (i) => configMap(`settings-${i}`, namespace)),
    ...some(100, (i) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `web-${i}`, namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: `web-${i}` } },
        template: {
          metadata: { labels: { app: `web-${i}` } },
          spec: {
            containers: [{ name: 'main', image: 'nginx:1', env: [{ name: 'NUMBER', value: String(i) }] }],
          },
        },
      },
    })),
    ...some(100, (i) => ({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: `certificate-${i}`, namespace },
      spec: { size: i, text: 'x'.repeat(200) },
    })),
  ];
}

const CERTIFICATE_DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'certificates.cert-manager.io' },
  spec: {
    group: 'cert-manager.io',
    scope: 'Namespaced',
    names: {
      kind: 'Certificate',
      plural: 'certificates',
      singular: 'certificate',
      listKind: 'CertificateList',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};
