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

const configMap = (name: string, options = '') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(options && { annotations: { [OPTIONS]: options } }) },
  data: { a: '1' },
});

const maps = (...names: string[]) => names.map((name) => configMap(name));

const claim = (name: string, options = '') => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, ...(options && { annotations: { [OPTIONS]: options } }) },
  spec: { accessModes: ['ReadWriteOnce'], volumeName: 'v1', resources: { requests: { storage: '1Gi' } } },
});

const find = (kind: string, name: string) => cluster.kube.find(kind, `default/${name}`);
const result = (id: string) => eventually(() => hub.results.get(id), { what: `an answer to ${id}` });
const condition = (name: string, type: string) =>
  hub.status(name)?.conditions.find((each) => each.type === type)?.message;
const kept = (name: string) =>
  Object.fromEntries(
    (hub.status(name)?.resources ?? []).flatMap(({ name: of, held }) => (held ? [[of, held]] : [])),
  );
const held = (name: string, count: number) =>
  eventually((see) => Object.keys(see(kept(name))).length === count, { what: `${count} kept of ${name}` });
const synced = (name: string) =>
  eventually((see) => see(hub.status(name))?.sync === 'Synced', { what: `${name} to be Synced` });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-guards-'));
  cluster = await startControlPlane({ name: 'guards', dir: join(dir, 'cluster') });
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
  agent = await start();
}

function start(): Promise<Running> {
  return startAgent({
    log: join(dir, `agent-${store}.log`),
    env: {
      ...hub.environment(),
      KUBECONFIG: cluster.kubeconfig,
      MUSTER_AGENT_STORE: 'folder',
      MUSTER_AGENT_STATE_DIR: join(dir, `state-${store}`),
      MUSTER_AGENT_NAMESPACE: `guards-${store}`,
      MUSTER_AGENT_WAVE_PAUSE: '0',
    },
  });
}

describe('a prune', () => {
  it('of more than half waits for someone to confirm it, over a restart, and then goes', async () => {
    await joined();
    await hub.assign({ name: 'many', objects: maps('m1', 'm2', 'm3', 'm4', 'm5') });
    await synced('many');
    await hub.assign({ name: 'many', objects: maps('m1', 'new') });
    await held('many', 4);
    expect(condition('many', 'PruneConfirmation')).toContain('4 of 5 objects would go');
    expect(await find('v1/ConfigMap', 'new')).toBeDefined();
    expect(await find('v1/ConfigMap', 'm2')).toBeDefined();
    await agent!.stop();
    const hellos = hub.hellos.length;
    agent = await start();
    await eventually(() => hub.hellos.length > hellos, { what: 'the agent to come back' });
    await held('many', 4);
    const one = hub.command('many', { $case: 'confirm', value: { resources: [':ConfigMap:m2'] } });
    expect((await result(one)).outcome).toBe(CommandOutcome.SUCCEEDED);
    expect(await find('v1/ConfigMap', 'm2')).toBeUndefined();
    expect(await find('v1/ConfigMap', 'm3')).toBeDefined();
    const rest = hub.command('many', { $case: 'confirm', value: { resources: [] } });
    expect((await result(rest)).message).toContain('3 pruned');
    await synced('many');
    expect(condition('many', 'PruneConfirmation')).toBeUndefined();
    const none = await result(hub.command('many', { $case: 'confirm', value: { resources: [] } }));
    expect(none.message).toContain('nothing waits for a confirmation');
  });

  it('of all, for an empty release, waits as well; allowEmpty lets it go', async () => {
    await joined();
    await hub.assign({ name: 'empty', objects: maps('e1') });
    await synced('empty');
    await hub.assign({ name: 'empty', objects: [] });
    await held('empty', 1);
    expect(kept('empty')['e1']).toContain('the release is empty');
    await hub.assign({ name: 'empty', objects: [], policy: { allowEmpty: true } });
    await eventually(async () => !(await find('v1/ConfigMap', 'e1')), { what: 'e1 to be gone' });
  });

  it('keeps a claim that holds data, unless it says PruneData=true', async () => {
    await joined();
    const rest = maps('c1', 'c2', 'c3');
    await hub.assign({ name: 'claims', objects: [claim('keep'), claim('drop', 'PruneData=true'), ...rest] });
    await eventually(() => find('v1/PersistentVolumeClaim', 'keep'), { what: 'the claim' });
    await hub.assign({ name: 'claims', objects: rest });
    await held('claims', 1);
    expect(kept('claims')['keep']).toContain('volume v1');
    await eventually(
      async () => {
        const drop = await find('v1/PersistentVolumeClaim', 'drop');
        return !drop || drop.metadata['deletionTimestamp'] !== undefined;
      },
      { what: 'the other claim to go' },
    );
    expect((await find('v1/PersistentVolumeClaim', 'keep'))?.metadata['deletionTimestamp']).toBeUndefined();
  });

  it('keeps a Namespace and a CustomResourceDefinition while others use them', async () => {
    await joined();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'used' } };
    const unused = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'unused' } };
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gadgets.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Namespaced',
        names: { kind: 'Gadget', plural: 'gadgets', singular: 'gadget' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    };
    const rest = maps('n1', 'n2', 'n3', 'n4');
    await hub.assign({ name: 'places', objects: [namespace, unused, definition, ...rest] });
    await synced('places');
    await cluster.kube.create({
      ...configMap('foreign'),
      metadata: { name: 'foreign', namespace: 'used' },
    });
    const gadget = {
      apiVersion: 'example.org/v1',
      kind: 'Gadget',
      metadata: { name: 'g', namespace: 'default' },
    };
    await cluster.kube.create(gadget);
    await hub.assign({ name: 'places', objects: rest });
    await held('places', 2);
    expect(kept('places')['used']).toContain('ConfigMap used/foreign');
    expect(kept('places')['gadgets.example.org']).toContain('Gadget.example.org default/g would go with it');
    await eventually(
      async () => {
        const gone = await cluster.kube.find('v1/Namespace', 'unused');
        return !gone || gone.metadata['deletionTimestamp'] !== undefined;
      },
      { what: 'the Namespace that nobody uses to go' },
    );
  });

  it('that says Prune=confirm waits, and an approval by annotation lets it go', async () => {
    await joined();
    const rest = maps('p1', 'p2', 'p3');
    await hub.assign({ name: 'asks', objects: [configMap('ask', 'Prune=confirm'), ...rest] });
    await synced('asks');
    await hub.assign({ name: 'asks', objects: rest, extra: { deletionApprovedMs: 1_000n } });
    await held('asks', 1);
    expect(kept('asks')['ask']).toContain('Prune=confirm');
    await hub.assign({ name: 'asks', objects: rest, extra: { deletionApprovedMs: BigInt(Date.now()) } });
    await eventually(async () => !(await find('v1/ConfigMap', 'ask')), { what: 'ask to be gone' });
  });
});
