import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, type Running, eventually, startControlPlane } from '../src/index.ts';
import { startAgent } from './agent-process.ts';
import { TestHub } from './testing/test-hub.ts';

let cluster: ControlPlane;
let dir: string;
let hub: TestHub;
let agent: Running | undefined;
let store = 0;

/** Jobs of kwok's stages: `ok` succeeds, `failing` fails, `broken` never ends. */
const job = (name: string, hook: string, tag = 'ok', annotations: Record<string, string> = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations: { 'argocd.argoproj.io/hook': hook, ...annotations } },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: `job:${tag}` }] } },
  },
});

const configMap = (name: string, wave = 0, data = 'a') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, annotations: { 'argocd.argoproj.io/sync-wave': String(wave) } },
  data: { data },
});

const deployment = (name: string, tag: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'main', image: `web:${tag}` }] },
    },
  },
});

const find = (kind: string, name: string) => cluster.kube.find(kind, `default/${name}`);
const operation = (name: string) => hub.status(name)?.operation;
const ended = (name: string, phase: string) =>
  eventually((see) => see(operation(name))?.phase === phase, { what: `${name} to be ${phase}` });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-hooks-'));
  cluster = await startControlPlane({ name: 'hooks', dir: join(dir, 'cluster') });
});

afterAll(async () => {
  await cluster?.stop();
});

afterEach(async () => {
  await agent?.stop();
  hub?.kill();
});

function start(): Promise<Running> {
  return startAgent({
    log: join(dir, `agent-${store}.log`),
    env: {
      ...hub.environment(),
      KUBECONFIG: cluster.kubeconfig,
      MUSTER_AGENT_STORE: 'folder',
      MUSTER_AGENT_STATE_DIR: join(dir, `state-${store}`),
      MUSTER_AGENT_NAMESPACE: `hooks-${store}`,
      MUSTER_AGENT_WAVE_PAUSE: '0',
    },
  });
}

async function joined() {
  hub = await TestHub.start();
  store++;
  agent = await start();
}

describe('an operation with hooks and waves', () => {
  it('runs the phases in order; a hook is released when it ends, and deleted where it says so', async () => {
    await joined();
    const policy = { 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' };
    await hub.assign({
      name: 'ordered',
      objects: [
        job('ordered-pre', 'PreSync'),
        configMap('ordered-config'),
        job('ordered-post', 'PostSync', 'ok', policy),
      ],
    });
    await ended('ordered', 'Succeeded');
    const pre = (await find('batch/v1/Job', 'ordered-pre'))!;
    expect(pre.metadata.finalizers ?? []).toEqual([]);
    const config = (await find('v1/ConfigMap', 'ordered-config'))!;
    const done = (pre.status as { completionTime: string }).completionTime;
    expect(Date.parse(config.metadata.creationTimestamp as string)).toBeGreaterThanOrEqual(Date.parse(done));
    await eventually(async () => !(await find('batch/v1/Job', 'ordered-post')), { what: 'the hook to go' });
    await eventually(() => hub.status('ordered')?.sync === 'Synced', { what: 'Synced' });
    expect(hub.status('ordered')!.resources.map(({ name }) => name)).toEqual(['ordered-config']);
    // Another release runs them anew.
    await hub.assign({
      name: 'ordered',
      objects: [job('ordered-pre', 'PreSync'), configMap('ordered-config', 0, 'b')],
    });
    await eventually(
      async () => {
        const now = await find('batch/v1/Job', 'ordered-pre');
        return now !== undefined && now.metadata.uid !== pre.metadata.uid;
      },
      { what: 'a new Job in place of the old one' },
    );
    await ended('ordered', 'Succeeded');
  });

  it('stops at a failed PreSync hook, runs SyncFail hooks, and does not begin again by itself', async () => {
    await joined();
    await hub.assign({
      name: 'failing',
      objects: [
        job('failing-pre', 'PreSync', 'failing'),
        configMap('failing-config'),
        job('failing-alarm', 'SyncFail'),
      ],
    });
    await ended('failing', 'Failed');
    expect(operation('failing')!.message).toContain('failing-pre');
    expect(await find('v1/ConfigMap', 'failing-config')).toBeUndefined();
    const alarm = (await find('batch/v1/Job', 'failing-alarm'))!;
    expect((alarm.status as { succeeded?: number }).succeeded).toBe(1);
    const { uid } = (await find('batch/v1/Job', 'failing-pre'))!.metadata;
    // Nor does an agent that starts anew.
    await agent!.stop();
    const hellos = hub.hellos.length;
    agent = await start();
    await eventually(() => hub.hellos.length > hellos, { what: 'the agent to come back' });
    await hub.assign({ name: 'beside', objects: [configMap('beside')] });
    await ended('beside', 'Succeeded');
    expect((await find('batch/v1/Job', 'failing-pre'))!.metadata.uid).toBe(uid);
    expect(await find('v1/ConfigMap', 'failing-config')).toBeUndefined();
  });

  it('goes on with a hook after a restart, and never runs it twice', async () => {
    await joined();
    await hub.assign({
      name: 'restarted',
      objects: [job('restarted-pre', 'PreSync', 'broken'), configMap('restarted-config')],
    });
    const before = await eventually(() => find('batch/v1/Job', 'restarted-pre'), { what: 'the hook' });
    await ended('restarted', 'Running');
    await agent!.kill();
    agent = await start();
    await eventually(() => operation('restarted')?.message.includes('completion of hook'), {
      what: 'the operation to go on',
    });
    const { uid } = (await find('batch/v1/Job', 'restarted-pre'))!.metadata;
    expect(uid).toBe(before.metadata.uid);
    const pod = await eventually(
      async () =>
        (await cluster.kube.list('v1/Pod', 'default')).find(({ metadata }) =>
          metadata.name?.startsWith('restarted-pre'),
        ),
      { what: 'the Pod of the hook' },
    );
    const terminated = { exitCode: 0, reason: 'Completed' };
    const status = {
      phase: 'Succeeded',
      containerStatuses: [
        {
          name: 'main',
          ready: false,
          restartCount: 0,
          image: 'job:broken',
          imageID: '',
          state: { terminated },
        },
      ],
    };
    await cluster.kube.patch('v1/Pod', `default/${pod.metadata.name}`, { status }, { subresource: 'status' });
    await ended('restarted', 'Succeeded');
    expect((await find('batch/v1/Job', 'restarted-pre'))!.metadata.uid).toBe(uid);
    expect(await find('v1/ConfigMap', 'restarted-config')).toBeDefined();
  });

  it('ends a hook that never does: by the deadline, and at once when someone terminates it', async () => {
    await joined();
    await hub.assign({
      name: 'late',
      policy: { options: ['SyncDeadline=3s'] },
      objects: [job('late-pre', 'PreSync', 'broken'), configMap('late-config')],
    });
    await ended('late', 'Failed');
    expect(operation('late')!.message).toContain('deadline of 3 s');
    await eventually(async () => !(await find('batch/v1/Job', 'late-pre')), { what: 'the hook to be gone' });
    await hub.assign({ name: 'endless', objects: [job('endless-pre', 'PreSync', 'broken')] });
    await eventually(() => operation('endless')?.message.includes('fails at'), {
      what: 'the deadline shown',
    });
    hub.command('endless', { $case: 'terminate', value: {} });
    await ended('endless', 'Terminated');
    await eventually(async () => !(await find('batch/v1/Job', 'endless-pre')), {
      what: 'the hook to be gone',
    });
    expect(await find('v1/ConfigMap', 'late-config')).toBeUndefined();
  });

  it('waits for the health of a wave; a wave that cannot become healthy gives way to a new release', async () => {
    await joined();
    const objects = (tag: string) => [deployment('waves', tag), configMap('waves-config', 1)];
    await hub.assign({ name: 'waves', objects: objects('broken') });
    await eventually(() => operation('waves')?.message.includes('healthy state of apps/Deployment/waves'), {
      what: 'the wave to be waited for',
    });
    expect(await find('v1/ConfigMap', 'waves-config')).toBeUndefined();
    // Meanwhile other Applications have their turn.
    await hub.assign({ name: 'others', objects: [configMap('others')] });
    await ended('others', 'Succeeded');
    await hub.assign({ name: 'waves', objects: objects('fine') });
    await ended('waves', 'Succeeded');
    expect(await find('v1/ConfigMap', 'waves-config')).toBeDefined();
  });
});
