import { describe, expect, it } from 'vitest';
import { Action } from '@muster/proto/records';
import { eventually, freePort } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, definition, deployment } from './testing/objects.ts';

const on = agentFixture('delivery');
const { joined, resource, settled } = on;

const widget = (name: string) => ({
  apiVersion: 'example.org/v1',
  kind: 'Widget',
  metadata: { name },
  spec: { size: 1 },
});

describe('a release on a real control plane', () => {
  it('enrols, verifies, fetches, applies and reports', async () => {
    const port = await freePort();
    await joined({ MUSTER_AGENT_HEALTH_PORT: String(port) });
    const row = await on.hub.assign({
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
    const live = await on.cluster.kube.get('v1/ConfigMap', 'web/settings');
    expect(live.metadata.annotations?.['muster.dev/tracking-id']).toBe('argocd/web:/ConfigMap:web/settings');
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, acting: true, connected: true }]);
    expect((await on.agent.stop()).code).toBe(0);
  });

  it('prunes what left the bundle, and uninstalls by tombstone only', async () => {
    await joined();
    await on.hub.assign({ name: 'prune', objects: [configMap('keep'), configMap('leave')] });
    await settled('prune');
    await on.hub.assign({ name: 'prune', objects: [configMap('keep')] });
    await eventually(async () => !(await on.cluster.kube.find('v1/ConfigMap', 'default/leave')), {
      what: 'the prune',
    });
    await settled('prune');
    await on.hub.assign({ name: 'prune', action: Action.UNINSTALL });
    await eventually(() => on.hub.gone.length > 0, { what: 'the Application to be gone' });
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/keep')).toBeUndefined();
  });

  it('applies CustomResourceDefinitions before what uses them', async () => {
    await joined();
    await on.hub.assign({
      name: 'crd',
      objects: [
        widget('one'),
        definition('Widget', {
          properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
        }),
      ],
    });
    await settled('crd');
    expect((await on.cluster.kube.get('example.org/v1/Widget', 'default/one')).spec.size).toBe(1);
    await on.hub.assign({ name: 'crd', action: Action.UNINSTALL });
    await eventually(() => on.hub.gone.length > 0, { what: 'the Application to be gone' });
    expect(
      await on.cluster.kube.find('apiextensions.k8s.io/v1/CustomResourceDefinition', 'widgets.example.org'),
    ).toBeUndefined();
  });

  it('applies at the first try what a definition that was made just before defines', async () => {
    await joined();
    const objects = [{ ...widget('one'), kind: 'Gadget' }];
    await on.hub.assign({ name: 'late', objects, policy: { automated: false } });
    await settled('late', 'OutOfSync');
    await on.cluster.kube.create(definition('Gadget', { 'x-kubernetes-preserve-unknown-fields': true }));
    const command = on.hub.sync('late');
    expect((await on.result(command)).message).toContain('applied');
    expect(on.operation('late')?.phase).not.toBe('Failed');
    await on.cluster.kube.get('example.org/v1/Gadget', 'default/one');
  });

  it('touches nothing when the dry run finds an error, and says which', async () => {
    await joined();
    await on.hub.assign({ name: 'bad', objects: [configMap('good')] });
    await settled('bad');
    const broken = { ...deployment('broken'), spec: { replicas: 'three' } };
    await on.hub.assign({
      name: 'bad',
      objects: [
        configMap('good', { a: 'new' }),
        broken,
        { apiVersion: 'no.such/v1', kind: 'Thing', metadata: { name: 'x' } },
      ],
    });
    const status = await eventually(
      (see) => {
        const at = see(on.hub.status('bad'));
        return at?.operation?.phase === 'Failed' && at;
      },
      { what: 'the failure' },
    );
    expect(status.operation?.message).toContain('no.such/v1');
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/good')).data.a).toBe('1');
    await on.hub.assign({ name: 'bad', objects: [configMap('good', { a: 'new' }), broken] });
    await eventually((see) => see(on.hub.status('bad')?.operation)?.message?.includes('broken'), {
      what: 'the other failure',
    });
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/good')).data.a).toBe('1');
    expect(on.hub.status('bad')?.conditions.map(({ type }) => type)).toContain('SyncError');
  });

  it('leaves an object of another Application alone, and names it', async () => {
    await joined();
    await on.hub.assign({ name: 'first', objects: [configMap('shared')] });
    await settled('first');
    await on.hub.assign({
      name: 'second',
      objects: [configMap('shared', { a: 'stolen' }), configMap('own')],
    });
    const status = await eventually(
      (see) => {
        const at = see(on.hub.status('second'));
        return at?.operation?.phase === 'Failed' && at;
      },
      { what: 'the conflict' },
    );
    expect(status.operation?.message).toContain('argocd/first');
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/shared')).data.a).toBe('1');
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/own')).toBeDefined();
    expect(on.hub.status('first')?.sync).toBe('Synced');
  });

  it('orphans: objects stay, without marks', async () => {
    await joined();
    await on.hub.assign({ name: 'orphan', objects: [configMap('left-alone')] });
    await settled('orphan');
    await on.hub.assign({ name: 'orphan', action: Action.ORPHAN });
    await eventually(() => on.hub.gone.length > 0, { what: 'the Application to be gone' });
    const live = await on.cluster.kube.get('v1/ConfigMap', 'default/left-alone');
    expect(live.metadata.annotations?.['muster.dev/tracking-id']).toBeUndefined();
    expect(live.metadata.labels?.['muster.dev/application']).toBeUndefined();
    expect(live.data.a).toBe('1');
  });

  it('prunes nothing for an empty bundle unless allowEmpty says so', async () => {
    await joined();
    await on.hub.assign({ name: 'empty', objects: [configMap('survivor')] });
    await settled('empty');
    await on.hub.assign({ name: 'empty', objects: [] });
    await settled('empty', 'OutOfSync');
    expect(resource('empty', 'survivor', 'ConfigMap')?.requiresPruning).toBe(true);
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/survivor')).toBeDefined();
    await on.hub.assign({ name: 'empty', objects: [], policy: { allowEmpty: true } });
    await eventually(async () => !(await on.cluster.kube.find('v1/ConfigMap', 'default/survivor')), {
      what: 'the prune',
    });
  });
});
