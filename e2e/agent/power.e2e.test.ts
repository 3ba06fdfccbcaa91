import { Action, CommandOutcome } from '@muster/proto/records';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap } from './testing/objects.ts';

const agents = agentFixture('power', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { condition, find, joined, result, settled } = agents;

const says = (name: string, type: string, text: string) =>
  eventually((see) => see(condition(name, type))?.includes(text), { what: `${type} of ${name}: ${text}` });

/** Starts the agent again, as after a change of its settings. */
async function again(settings: Record<string, string>): Promise<void> {
  await agents.agent.stop();
  agents.agent = await agents.start(settings);
}

describe('an agent that deletes nothing', () => {
  it('prunes and uninstalls nothing, says so, and does both once it may', async () => {
    await joined({ MUSTER_AGENT_VERBS: 'no-delete' });
    const maps = ['k1', 'k2', 'k3'].map((name) => configMap(name));
    await agents.hub.assign({ name: 'keeps', objects: maps });
    await settled('keeps');
    expect(agents.hub.hellos[0]?.facts?.limits?.verbs).not.toContain('prune');
    await agents.hub.assign({ name: 'keeps', objects: maps.slice(1) });
    await says('keeps', 'VerbRefused', 'does not accept prune: it is set to no-delete');
    expect(agents.hub.status('keeps')?.sync).toBe('OutOfSync');
    const asked = await result(agents.hub.sync('keeps', { prune: true }));
    expect(asked).toMatchObject({ outcome: CommandOutcome.SUCCEEDED, message: '0 applied' });
    const confirm = await result(agents.hub.command('keeps', { $case: 'confirm', value: { resources: [] } }));
    expect(confirm).toMatchObject({ outcome: CommandOutcome.REFUSED });
    expect(confirm.message).toContain('does not accept confirm');
    expect(await find('v1/ConfigMap', 'k1')).toBeDefined();

    await agents.hub.assign({ name: 'keeps', action: Action.UNINSTALL });
    await eventually(
      (see) =>
        see(agents.hub.status('keeps')?.operation)?.message.includes(
          'nothing is removed, 3 objects stay as they are: the agent of this cluster does not accept uninstall',
        ),
      { what: 'the removal to be refused' },
    );
    expect(await find('v1/ConfigMap', 'k2')).toBeDefined();
    await again({});
    await eventually(() => agents.hub.gone.length === 1, { what: 'the removal' });
    for (const { metadata } of maps) expect(await find('v1/ConfigMap', metadata.name)).toBeUndefined();
  });

  it('makes nothing anew, though Force asks for it', async () => {
    await joined({ MUSTER_AGENT_VERBS: '-recreate' });
    const forced = (selector: string) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'forced', annotations: { 'argocd.argoproj.io/sync-options': 'Force=true' } },
      spec: {
        selector: { matchLabels: { app: selector } },
        template: {
          metadata: { labels: { app: selector } },
          spec: { containers: [{ name: 'main', image: 'main:1' }] },
        },
      },
    });
    await agents.hub.assign({ name: 'forced', objects: [forced('one')] });
    await settled('forced');
    const { uid } = (await find('apps/v1/Deployment', 'forced'))!.metadata;
    await agents.hub.assign({ name: 'forced', objects: [forced('two')] });
    await says('forced', 'SyncError', 'does not accept recreate');
    expect((await find('apps/v1/Deployment', 'forced'))!.metadata.uid).toBe(uid);
  });

  it('puts nothing back without heal, and says what it would', async () => {
    await joined({ MUSTER_AGENT_VERBS: 'all,-heal' });
    await agents.hub.assign({ name: 'sick', objects: [configMap('sick')] });
    await settled('sick');
    await agents.cluster.kube.patch('v1/ConfigMap', 'default/sick', { data: { a: '2' } });
    await says('sick', 'VerbRefused', 'does not accept heal');
    expect((await find('v1/ConfigMap', 'sick'))!.data.a).toBe('2');
    await again({});
    await eventually(async () => (await find('v1/ConfigMap', 'sick'))!.data.a === '1', { what: 'the heal' });
  });
});

describe('an agent limited to kinds and namespaces', () => {
  it('refuses others by name, whatever is signed', async () => {
    await joined({ MUSTER_AGENT_KINDS: '*,!Secret', MUSTER_AGENT_NAMESPACES: 'def*,power-made' });
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'no' } };
    await agents.hub.assign({ name: 'mixed', objects: [configMap('yes'), secret] });
    await says('mixed', 'KindDenied', 'Secret default/no is of a kind that this agent does not touch');
    expect(await find('v1/ConfigMap', 'yes')).toBeUndefined();
    const hook = {
      ...configMap('hooked'),
      metadata: {
        name: 'hooked',
        namespace: 'kube-public',
        annotations: { 'argocd.argoproj.io/hook': 'PreSync' },
      },
    };
    await agents.hub.assign({ name: 'hooked', objects: [hook, configMap('beside')] });
    await says('hooked', 'NamespaceDenied', 'kube-public/hooked is outside of the namespaces');
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'x' } };
    await agents.hub.assign({ name: 'wide', objects: [role] });
    await says('wide', 'NamespaceDenied', 'ClusterRole.rbac.authorization.k8s.io x belongs to no namespace');
  });

  it('makes the destination namespace only where it may', async () => {
    await joined({ MUSTER_AGENT_NAMESPACES: 'made-*' });
    const policy = { createNamespace: true };
    await agents.hub.assign({ name: 'inside', namespace: 'made-a', objects: [configMap('in')], policy });
    await settled('inside');
    expect(await agents.cluster.kube.find('v1/ConfigMap', 'made-a/in')).toBeDefined();
    await again({ MUSTER_AGENT_NAMESPACES: 'made-*', MUSTER_AGENT_CLUSTER_KINDS: 'StorageClass' });
    await agents.hub.assign({ name: 'kindless', namespace: 'made-b', objects: [configMap('in')], policy });
    await says('kindless', 'SyncError', 'Namespace made-b belongs to no namespace');
    expect(await agents.cluster.kube.find('v1/Namespace', 'made-b')).toBeUndefined();
  });

  it('prunes and removes nothing that it may not touch any more', async () => {
    await joined({});
    const maps = ['l1', 'l2', 'l3'].map((name) => configMap(name));
    await agents.hub.assign({ name: 'narrowed', objects: maps });
    await settled('narrowed');
    await again({ MUSTER_AGENT_KINDS: 'apps/*,Namespace' });
    await agents.hub.assign({ name: 'narrowed', objects: [], policy: { allowEmpty: true } });
    await says('narrowed', 'PruneConfirmation', 'of a kind that this agent does not touch');
    expect(await find('v1/ConfigMap', 'l1')).toBeDefined();
    await agents.hub.assign({ name: 'narrowed', action: Action.UNINSTALL });
    await eventually(
      (see) =>
        see(agents.hub.status('narrowed')?.operation)?.message.includes(
          'of a kind that this agent does not touch',
        ),
      { what: 'the removal to be refused' },
    );
    expect(await find('v1/ConfigMap', 'l2')).toBeDefined();
  });
});
