import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CommandOutcome } from '@muster/proto/records';
import { type ControlPlane, type Running, eventually, startControlPlane } from '../src/index.ts';
import { startAgent } from './agent-process.ts';
import { TestHub } from './testing/test-hub.ts';

let cluster: ControlPlane;
let dir: string;
let hub: TestHub;
let agent: Running | undefined;
let store = 0;

const OPTIONS = 'argocd.argoproj.io/sync-options';

const configMap = (name: string, data: Record<string, string>, options = '', annotations = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, annotations: { ...(options && { [OPTIONS]: options }), ...annotations } },
  data,
});

const job = (name: string, image: string, options = '') => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, ...(options && { annotations: { [OPTIONS]: options } }) },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } },
  },
});

const find = (kind: string, name: string) => cluster.kube.find(kind, `default/${name}`);
const uidOf = async (kind: string, name: string) => (await find(kind, name))?.metadata.uid;
const operation = (name: string) => hub.status(name)?.operation;
const ended = (name: string, phase: string) =>
  eventually((see) => see(operation(name))?.phase === phase, { what: `${name} to be ${phase}` });
const result = (id: string) => eventually(() => hub.results.get(id), { what: `an answer to ${id}` });

/** The release of this generation has been applied. */
const synced = (name: string) =>
  eventually((see) => see(hub.status(name))?.sync === 'Synced' && operation(name)?.phase === 'Succeeded', {
    what: `${name} to be Synced`,
  });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-options-'));
  cluster = await startControlPlane({ name: 'options', dir: join(dir, 'cluster') });
});

afterAll(async () => {
  await cluster?.stop();
});

afterEach(async () => {
  await agent?.stop();
  hub?.kill();
});

async function joined() {
  hub = await TestHub.start();
  store++;
  agent = await startAgent({
    log: join(dir, `agent-${store}.log`),
    env: {
      ...hub.environment(),
      KUBECONFIG: cluster.kubeconfig,
      MUSTER_AGENT_STORE: 'folder',
      MUSTER_AGENT_STATE_DIR: join(dir, `state-${store}`),
      MUSTER_AGENT_NAMESPACE: `options-${store}`,
      MUSTER_AGENT_WAVE_PAUSE: '0',
    },
  });
}

describe('options of a sync', () => {
  it('Replace puts the whole object in the place of what is there', async () => {
    await joined();
    await hub.assign({ name: 'replaced', objects: [configMap('replaced', { a: '1' })] });
    await synced('replaced');
    const uid = await uidOf('v1/ConfigMap', 'replaced');
    await cluster.kube.patch('v1/ConfigMap', 'default/replaced', { data: { stray: 'x' } });
    await hub.assign({ name: 'replaced', objects: [configMap('replaced', { a: '2' }, 'Replace=true')] });
    await eventually(async () => (await find('v1/ConfigMap', 'replaced'))?.data?.a === '2', { what: 'a: 2' });
    const after = (await find('v1/ConfigMap', 'replaced'))!;
    expect(after.data).toEqual({ a: '2' });
    expect(after.metadata.uid).toBe(uid);
    await synced('replaced');
  });

  it('Force makes anew what cannot be changed, but nothing that holds data', async () => {
    await joined();
    await hub.assign({ name: 'forced', objects: [job('forced', 'job:1')] });
    await synced('forced');
    const uid = await uidOf('batch/v1/Job', 'forced');
    await hub.assign({ name: 'forced', objects: [job('forced', 'job:2')] });
    await ended('forced', 'Failed');
    expect(operation('forced')!.message).toContain('immutable');
    await hub.assign({ name: 'forced', objects: [job('forced', 'job:2', 'Force=true')] });
    await ended('forced', 'Succeeded');
    expect(await uidOf('batch/v1/Job', 'forced')).not.toBe(uid);
    const claim = (storage: string) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'held', annotations: { [OPTIONS]: 'Force=true' } },
      spec: { accessModes: [storage], resources: { requests: { storage: '1Gi' } } },
    });
    await hub.assign({ name: 'claims', objects: [claim('ReadWriteOnce')] });
    const claimed = await eventually(() => uidOf('v1/PersistentVolumeClaim', 'held'), { what: 'the claim' });
    await hub.assign({ name: 'claims', objects: [claim('ReadWriteMany')] });
    await ended('claims', 'Failed');
    expect(operation('claims')!.message).toContain('Force makes no PersistentVolumeClaim anew');
    expect(await uidOf('v1/PersistentVolumeClaim', 'held')).toBe(claimed);
  });

  it('Replace with Force makes an object anew at each sync', async () => {
    await joined();
    await hub.assign({ name: 'anew', objects: [job('anew', 'job:1', 'Replace=true,Force=true')] });
    await ended('anew', 'Succeeded');
    const uid = await uidOf('batch/v1/Job', 'anew');
    expect((await result(hub.sync('anew'))).outcome).toBe(CommandOutcome.SUCCEEDED);
    expect(await uidOf('batch/v1/Job', 'anew')).not.toBe(uid);
  });

  it('Validate=false leaves out fields that a type does not have, where else they are an error', async () => {
    await joined();
    const odd = (options: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'odd', annotations: { [OPTIONS]: options } },
      spec: { ports: [{ port: 80, protocol: 'TCP', colour: 'red' }], shape: 'round' },
    });
    await hub.assign({ name: 'odd', objects: [odd('Validate=true')] });
    await ended('odd', 'Failed');
    expect(operation('odd')!.message).toContain('not declared in schema');
    await hub.assign({ name: 'odd', objects: [odd('Validate=false')] });
    await synced('odd');
    expect((await find('v1/Service', 'odd'))?.spec).toMatchObject({ ports: [{ port: 80 }] });
  });

  it('a retry policy is obeyed: so many tries, hooks included, then no more', async () => {
    await joined();
    const hook = job('tried', 'job:failing');
    const annotations = { 'argocd.argoproj.io/hook': 'PreSync' };
    await hub.assign({
      name: 'retried',
      policy: { retry: { limit: 2, firstMs: 200n, factor: 1, longestMs: 1_000n } },
      objects: [{ ...hook, metadata: { ...hook.metadata, annotations } }, configMap('retried', {})],
    });
    await eventually(() => operation('retried')?.message.includes('tried 3 times'), {
      what: 'the retries to end',
    });
    expect(operation('retried')!.retries).toBe(2);
    const uid = await uidOf('batch/v1/Job', 'tried');
    await hub.assign({ name: 'other', objects: [configMap('other', {})] });
    await ended('other', 'Succeeded');
    expect(await uidOf('batch/v1/Job', 'tried')).toBe(uid);
    expect(await find('v1/ConfigMap', 'retried')).toBeUndefined();
  });

  it('a policy that only says when to sync begins no sync, so runs no hook again', async () => {
    await joined();
    const hook = { ...job('once', 'job:ok') };
    const annotations = { 'argocd.argoproj.io/hook': 'PreSync' };
    const objects = [{ ...hook, metadata: { ...hook.metadata, annotations } }, configMap('once', { a: '1' })];
    await hub.assign({ name: 'once', objects });
    await synced('once');
    const uid = await uidOf('batch/v1/Job', 'once');
    const retry = { limit: 1, firstMs: 1_000n, factor: 2, longestMs: 1_000n };
    const { version } = await hub.assign({ name: 'once', objects, policy: { retry, selfHeal: false } });
    await eventually(() => hub.status('once')?.version?.generation === version.generation, {
      what: 'a report of the new assignment',
    });
    await result(hub.command('once', { $case: 'refresh', value: {} }));
    expect(await uidOf('batch/v1/Job', 'once')).toBe(uid);
  });

  it('a sync of some resources leaves the others, and hooks, alone', async () => {
    await joined();
    const annotations = { 'argocd.argoproj.io/hook': 'PreSync' };
    const hook = { ...job('chosen-hook', 'job:ok') };
    await hub.assign({
      name: 'chosen',
      policy: { automated: false },
      objects: [
        { ...hook, metadata: { ...hook.metadata, annotations } },
        configMap('chosen', { a: '1' }),
        configMap('unchosen', { a: '1' }),
      ],
    });
    await eventually(() => hub.status('chosen')?.sync === 'OutOfSync', { what: 'OutOfSync' });
    const misspelt = await result(hub.sync('chosen', { resources: [':ConfigMap:choosen'] }));
    expect(misspelt.outcome).toBe(CommandOutcome.FAILED);
    expect(misspelt.message).toContain('no resource of the Application is :ConfigMap:choosen');
    expect((await result(hub.sync('chosen', { resources: [':ConfigMap:chosen'] }))).outcome).toBe(
      CommandOutcome.SUCCEEDED,
    );
    expect(await find('v1/ConfigMap', 'chosen')).toBeDefined();
    expect(await find('v1/ConfigMap', 'unchosen')).toBeUndefined();
    expect(await find('batch/v1/Job', 'chosen-hook')).toBeUndefined();
    expect(hub.status('chosen')?.sync).toBe('OutOfSync');
  });

  it('a sync window that is closed holds syncs and self-heal back; manualSync lets a command through', async () => {
    await joined();
    const window = {
      deny: true,
      schedule: '* * * * *',
      timeZone: 'Europe/Berlin',
      durationMs: 3_600_000n,
      manualSync: false,
    };
    const limits = (windows: (typeof window)[]) => ({
      project: {
        name: 'default',
        namespaces: ['*'],
        clusterResourceAllow: [{ group: '*', kind: '*' }],
        clusterResourceDeny: [],
        namespaceResourceAllow: [],
        namespaceResourceDeny: [],
        namespaceAllowListed: false,
        windows,
      },
    });
    const open = [configMap('windowed', { a: '1' })];
    await hub.assign({ name: 'windowed', objects: open, extra: limits([window]) });
    const condition = await eventually(
      () => hub.status('windowed')?.conditions.find(({ type }) => type === 'SyncWindow'),
      { what: 'the condition' },
    );
    expect(condition.message).toContain('no sync begins by itself until');
    const refused = await result(hub.sync('windowed'));
    expect(refused.outcome).toBe(CommandOutcome.FAILED);
    expect(refused.message).toContain('a deny window is open ("* * * * *" Europe/Berlin for 1h)');
    expect(await find('v1/ConfigMap', 'windowed')).toBeUndefined();
    expect((await result(hub.sync('windowed', { dryRun: true }))).message).toContain('1 to apply');
    await hub.assign({ name: 'windowed', objects: open, extra: limits([{ ...window, manualSync: true }]) });
    expect((await result(hub.sync('windowed'))).outcome).toBe(CommandOutcome.SUCCEEDED);
    await synced('windowed');
    await cluster.kube.patch('v1/ConfigMap', 'default/windowed', { data: { a: '2' } });
    await eventually(() => hub.status('windowed')?.sync === 'OutOfSync', { what: 'the drift to be seen' });
    expect((await find('v1/ConfigMap', 'windowed'))?.data?.a).toBe('2');
    await hub.assign({ name: 'windowed', objects: open, extra: limits([]) });
    await eventually(async () => (await find('v1/ConfigMap', 'windowed'))?.data?.a === '1', {
      what: 'the drift to be healed',
    });
    await eventually(() => !hub.status('windowed')!.conditions.some(({ type }) => type === 'SyncWindow'), {
      what: 'the condition to go',
    });
  });

  it('a dry run says what a sync would do, and terminating ends what is tried again', async () => {
    await joined();
    const broken = { ...configMap('stuck', {}), data: 'not a map' } as never;
    await hub.assign({
      name: 'stuck',
      policy: { retry: { limit: -1, firstMs: 300_000n, factor: 1, longestMs: 300_000n } },
      objects: [broken],
    });
    await ended('stuck', 'Failed');
    const answer = await result(hub.command('stuck', { $case: 'terminate', value: {} }));
    expect(answer.outcome).toBe(CommandOutcome.SUCCEEDED);
    const again = await result(hub.command('stuck', { $case: 'terminate', value: {} }));
    expect(again.outcome).toBe(CommandOutcome.FAILED);
  });
});
