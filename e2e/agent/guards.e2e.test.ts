import { describe, expect, it } from 'vitest';
import { CommandOutcome } from '@muster/proto/records';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, definition, SYNC_OPTIONS } from './testing/objects.ts';

const on = agentFixture('guards', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { condition, find, joined, result, start } = on;

const maps = (...names: string[]) => names.map((name) => configMap(name));

const claim = (name: string, options = '') => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, ...(options && { annotations: { [SYNC_OPTIONS]: options } }) },
  spec: { accessModes: ['ReadWriteOnce'], volumeName: 'v1', resources: { requests: { storage: '1Gi' } } },
});

const kept = (name: string) =>
  Object.fromEntries(
    (on.hub.status(name)?.resources ?? []).flatMap(({ name: of, held }) => (held ? [[of, held]] : [])),
  );
const held = (name: string, count: number) =>
  eventually((see) => Object.keys(see(kept(name))).length === count, { what: `${count} kept of ${name}` });
const synced = (name: string) =>
  eventually((see) => see(on.hub.status(name))?.sync === 'Synced', { what: `${name} to be Synced` });

describe('a prune', () => {
  it('of more than half waits for someone to confirm it, over a restart, and then goes', async () => {
    await joined();
    await on.hub.assign({ name: 'many', objects: maps('m1', 'm2', 'm3', 'm4', 'm5') });
    await synced('many');
    await on.hub.assign({ name: 'many', objects: maps('m1', 'new') });
    await held('many', 4);
    expect(condition('many', 'PruneConfirmation')).toContain('4 of 5 objects would go');
    expect(await find('v1/ConfigMap', 'new')).toBeDefined();
    expect(await find('v1/ConfigMap', 'm2')).toBeDefined();
    await on.agent.stop();
    const hellos = on.hub.hellos.length;
    on.agent = await start();
    await eventually(() => on.hub.hellos.length > hellos, { what: 'the agent to come back' });
    await held('many', 4);
    const one = on.hub.command('many', { $case: 'confirm', value: { resources: [':ConfigMap:m2'] } });
    expect((await result(one)).outcome).toBe(CommandOutcome.SUCCEEDED);
    expect(await find('v1/ConfigMap', 'm2')).toBeUndefined();
    expect(await find('v1/ConfigMap', 'm3')).toBeDefined();
    const rest = on.hub.command('many', { $case: 'confirm', value: { resources: [] } });
    expect((await result(rest)).message).toContain('3 pruned');
    await synced('many');
    expect(condition('many', 'PruneConfirmation')).toBeUndefined();
    const none = await result(on.hub.command('many', { $case: 'confirm', value: { resources: [] } }));
    expect(none.message).toContain('nothing waits for a confirmation');
  });

  it('of all, for an empty release, waits as well; allowEmpty lets it go', async () => {
    await joined();
    await on.hub.assign({ name: 'empty', objects: maps('e1') });
    await synced('empty');
    await on.hub.assign({ name: 'empty', objects: [] });
    await held('empty', 1);
    expect(kept('empty')['e1']).toContain('the release is empty');
    await on.hub.assign({ name: 'empty', objects: [], policy: { allowEmpty: true } });
    await eventually(async () => !(await find('v1/ConfigMap', 'e1')), { what: 'e1 to be gone' });
  });

  it('keeps a claim that holds data, unless it says PruneData=true', async () => {
    await joined();
    const rest = maps('c1', 'c2', 'c3');
    await on.hub.assign({
      name: 'claims',
      objects: [claim('keep'), claim('drop', 'PruneData=true'), ...rest],
    });
    await eventually(() => find('v1/PersistentVolumeClaim', 'keep'), { what: 'the claim' });
    await on.hub.assign({ name: 'claims', objects: rest });
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
    const gadgets = definition('Gadget');
    const rest = maps('n1', 'n2', 'n3', 'n4');
    await on.hub.assign({ name: 'places', objects: [namespace, unused, gadgets, ...rest] });
    await synced('places');
    await on.cluster.kube.create({
      ...configMap('foreign'),
      metadata: { name: 'foreign', namespace: 'used' },
    });
    const gadget = {
      apiVersion: 'example.org/v1',
      kind: 'Gadget',
      metadata: { name: 'g', namespace: 'default' },
    };
    await on.cluster.kube.create(gadget);
    await on.hub.assign({ name: 'places', objects: rest });
    await held('places', 2);
    expect(kept('places')['used']).toContain('ConfigMap used/foreign');
    expect(kept('places')['gadgets.example.org']).toContain('Gadget.example.org default/g would go with it');
    await eventually(
      async () => {
        const gone = await on.cluster.kube.find('v1/Namespace', 'unused');
        return !gone || gone.metadata['deletionTimestamp'] !== undefined;
      },
      { what: 'the Namespace that nobody uses to go' },
    );
  });

  it('that says Prune=confirm waits, and an approval by annotation lets it go', async () => {
    await joined();
    const rest = maps('p1', 'p2', 'p3');
    await on.hub.assign({
      name: 'asks',
      objects: [configMap('ask', { a: '1' }, { [SYNC_OPTIONS]: 'Prune=confirm' }), ...rest],
    });
    await synced('asks');
    await on.hub.assign({ name: 'asks', objects: rest, extra: { deletionApprovedMs: 1_000n } });
    await held('asks', 1);
    expect(kept('asks')['ask']).toContain('Prune=confirm');
    await on.hub.assign({ name: 'asks', objects: rest, extra: { deletionApprovedMs: BigInt(Date.now()) } });
    await eventually(async () => !(await find('v1/ConfigMap', 'ask')), { what: 'ask to be gone' });
  });
});
