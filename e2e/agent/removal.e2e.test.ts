import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Action, CommandOutcome } from '@muster/proto/records';
import { type ControlPlane, type Running, eventually, startControlPlane } from '../src/index.ts';
import { startAgent } from './agent-process.ts';
import { TestHub } from './testing/test-hub.ts';

let cluster: ControlPlane;
let dir: string;
let hub: TestHub;
let agent: Running | undefined;
let store = 0;

/** Jobs of kwok's stages: `ok` succeeds, `failing` fails, `broken` never ends. */
const job = (name: string, hook: string, tag = 'ok') => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations: { 'argocd.argoproj.io/hook': hook } },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: `job:${tag}` }] } },
  },
});

const configMap = (name: string, annotations: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, annotations },
  data: { a: '1' },
});

const find = (kind: string, name: string) => cluster.kube.find(kind, `default/${name}`);
const operation = (name: string) => hub.status(name)?.operation;
const synced = (name: string) =>
  eventually((see) => see(operation(name))?.phase === 'Succeeded', { what: `${name} to be Synced` });
const gone = (kind: string, name: string) =>
  eventually(async () => !(await find(kind, name)), { what: `${kind} ${name} to be gone` });
const reportedGone = (name: string) =>
  eventually(() => hub.gone.some(({ applicationName }) => applicationName === name), {
    what: `${name} to be reported gone`,
  });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-removal-'));
  cluster = await startControlPlane({ name: 'removal', dir: join(dir, 'cluster') });
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
      MUSTER_AGENT_NAMESPACE: `removal-${store}`,
      MUSTER_AGENT_WAVE_PAUSE: '0',
    },
  });
}

async function joined() {
  hub = await TestHub.start();
  store++;
  agent = await start();
}

describe('an Application that is uninstalled', () => {
  it('runs PreDelete hooks while its objects are there, and PostDelete hooks after', async () => {
    await joined();
    await hub.assign({
      name: 'hooked',
      objects: [
        job('hooked-pre', 'PreDelete', 'broken'),
        job('hooked-post', 'PostDelete'),
        configMap('hooked'),
      ],
    });
    await synced('hooked');
    expect(hub.status('hooked')!.conditions).toEqual([]);
    expect(await find('batch/v1/Job', 'hooked-pre')).toBeUndefined();
    await hub.assign({ name: 'hooked', action: Action.UNINSTALL });
    const hook = await eventually(() => find('batch/v1/Job', 'hooked-pre'), { what: 'the PreDelete hook' });
    await eventually(() => operation('hooked')?.message.includes('completion of hook'), {
      what: 'the removal to say what it waits for',
    });
    // Another process goes on with the same hook.
    await agent!.kill();
    const hellos = hub.hellos.length;
    agent = await start();
    await eventually(() => hub.hellos.length > hellos, { what: 'the agent to come back' });
    expect(await find('v1/ConfigMap', 'hooked')).toBeDefined();
    expect((await find('batch/v1/Job', 'hooked-pre'))?.metadata.uid).toBe(hook.metadata.uid);
    await succeed('hooked-pre');
    await gone('v1/ConfigMap', 'hooked');
    await reportedGone('hooked');
    const post = (await find('batch/v1/Job', 'hooked-post'))!;
    expect((post.status as { succeeded?: number }).succeeded).toBe(1);
    expect(post.metadata.finalizers ?? []).toEqual([]);
  });

  it('keeps everything while a PreDelete hook fails, and says so', async () => {
    await joined();
    await hub.assign({
      name: 'guarded',
      objects: [job('guarded-pre', 'PreDelete', 'failing'), configMap('guarded')],
    });
    await synced('guarded');
    await hub.assign({ name: 'guarded', action: Action.UNINSTALL });
    await eventually(() => operation('guarded')?.message.includes('nothing was deleted'), {
      what: 'the failure to be shown',
    });
    expect(operation('guarded')!.message).toContain('guarded-pre');
    expect(operation('guarded')!.phase).toBe('Error');
    expect(await find('v1/ConfigMap', 'guarded')).toBeDefined();
    // Assigned again, it stays.
    await hub.assign({ name: 'guarded', objects: [configMap('guarded')] });
    await synced('guarded');
    expect(await find('v1/ConfigMap', 'guarded')).toBeDefined();
  });

  it('waits for someone to confirm what says Delete=confirm, and deletes nothing before', async () => {
    await joined();
    const confirm = { 'argocd.argoproj.io/sync-options': 'Delete=confirm' };
    await hub.assign({ name: 'asking', objects: [configMap('asking', confirm), configMap('beside')] });
    await synced('asking');
    await hub.assign({ name: 'asking', action: Action.UNINSTALL });
    await eventually(
      () => hub.status('asking')?.conditions.find(({ type }) => type === 'DeleteConfirmation'),
      { what: 'the condition' },
    );
    expect(operation('asking')!.message).toContain('nothing is deleted until someone confirms');
    expect(await find('v1/ConfigMap', 'beside')).toBeDefined();
    const id = hub.command('asking', { $case: 'confirm', value: { resources: [] } });
    expect((await eventually(() => hub.results.get(id), { what: 'an answer' })).outcome).toBe(
      CommandOutcome.SUCCEEDED,
    );
    await gone('v1/ConfigMap', 'asking');
    await gone('v1/ConfigMap', 'beside');
  });

  it('deletes wave by wave from the last to the first, the next when the one before is gone', async () => {
    await joined();
    const wave = (text: string) => ({ 'argocd.argoproj.io/sync-wave': text });
    await hub.assign({
      name: 'waves',
      objects: [configMap('wave-first', wave('-1')), configMap('wave-last', wave('3'))],
    });
    await synced('waves');
    const finalizers = ['example.org/held'];
    await cluster.kube.patch('v1/ConfigMap', 'default/wave-last', { metadata: { finalizers } });
    await hub.assign({ name: 'waves', action: Action.UNINSTALL });
    await eventually(
      async () => (await find('v1/ConfigMap', 'wave-last'))?.metadata['deletionTimestamp'] !== undefined,
      { what: 'the last wave to be deleted' },
    );
    expect((await find('v1/ConfigMap', 'wave-first'))?.metadata['deletionTimestamp']).toBeUndefined();
    await cluster.kube.patch('v1/ConfigMap', 'default/wave-last', { metadata: { finalizers: null } });
    await reportedGone('waves');
    expect(await find('v1/ConfigMap', 'wave-first')).toBeUndefined();
  });

  it('obeys the options that were assigned before, though its tombstone does not say them', async () => {
    await joined();
    await hub.assign({
      name: 'kept',
      policy: { options: ['Delete=false'] },
      objects: [configMap('kept')],
    });
    await synced('kept');
    await hub.assign({ name: 'kept', action: Action.UNINSTALL });
    await reportedGone('kept');
    expect((await find('v1/ConfigMap', 'kept'))?.metadata.annotations ?? {}).toEqual({});
  });
});

/** Ends the Pod of a Job that would never end. */
async function succeed(name: string): Promise<void> {
  const pod = await eventually(
    async () =>
      (await cluster.kube.list('v1/Pod', 'default')).find(({ metadata }) => metadata.name?.startsWith(name)),
    { what: 'the Pod of the hook' },
  );
  const terminated = { exitCode: 0, reason: 'Completed' };
  const container = { name: 'main', ready: false, restartCount: 0, image: 'job:broken', imageID: '' };
  const status = {
    phase: 'Succeeded',
    containerStatuses: [{ ...container, state: { terminated } }],
  };
  await cluster.kube.patch('v1/Pod', `default/${pod.metadata.name}`, { status }, { subresource: 'status' });
}
