import { Action, CommandOutcome } from '@muster/proto/records';
import { describe, expect, it } from 'vitest';
import { reviewer } from '../charts/testing.ts';
import { type KubeObject, eventually, installAgent, renderChart } from '../src/index.ts';
import { versionsOf } from './testing/audit.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment, HOOK } from './testing/objects.ts';

const agents = agentFixture('observe', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { condition, find, operation, resource, result, settled } = agents;
const OWN = 'muster-agent';

const inDefault = <T extends KubeObject | object>(object: T) => {
  const { metadata, ...rest } = object as KubeObject;
  return { ...rest, metadata: { ...metadata, namespace: 'default' } } as KubeObject;
};

/** Installs the chart with these limits and starts the agent with what its ServiceAccount may do. */
async function install(verbs: string[]): Promise<void> {
  const { cluster, dir, hub } = agents;
  const invitation = {
    token: hub.joining.token,
    gateway: hub.address,
    enrol: hub.address,
    caSha256: hub.caSha256,
  };
  const { env } = await installAgent({ kube: cluster.kube, dir, invitation, values: { limits: { verbs } } });
  agents.agent = await agents.start({ MUSTER_AGENT_VERBS: '', ...env, MUSTER_AGENT_STORE: 'folder' });
}

/** All versions in the cluster, once nobody writes any more. */
function quiet(): Promise<Record<string, string>> {
  let last = '';
  return eventually(
    async () => {
      const versions = await versionsOf(agents.cluster.kube, OWN);
      const before = last;
      last = JSON.stringify(versions);
      return before === last && versions;
    },
    { what: 'the cluster to be quiet', interval: 500, timeout: 60_000 },
  );
}

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'there-secret' },
  stringData: { password: 'canary-4711' },
};

describe('an agent that only observes, with a role that only reads', () => {
  it('reports what is and what would be, and changes nothing; with full power it takes over', async () => {
    const { kube } = agents.cluster;
    await agents.openHub();
    const there = [configMap('there'), configMap('drifted'), deployment('there'), secret].map(inDefault);
    const trackedBy = { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:default/tracked' };
    await kube.apply(inDefault(configMap('tracked', { a: '1' }, trackedBy)));
    await kube.apply(there, { fieldManager: 'kubectl-client-side-apply' });
    await eventually(async () => (await find('apps/v1/Deployment', 'there'))?.status?.readyReplicas === 2, {
      what: 'the Deployment to be ready',
      timeout: 60_000,
    });
    await install(['observe-only']);
    const before = await quiet();
    const hook = { ...configMap('hook'), metadata: { name: 'hook', annotations: { [HOOK]: 'PreSync' } } };
    const objects = [
      configMap('there'),
      configMap('drifted', { a: '2' }),
      deployment('there'),
      secret,
      configMap('absent'),
      hook,
    ];
    await agents.hub.assign({ name: 'beside', objects });
    await agents.hub.assign({
      name: 'elsewhere',
      namespace: 'not-there',
      policy: { createNamespace: true },
      objects: [configMap('x')],
    });
    const status = await settled('beside', 'OutOfSync');
    await settled('elsewhere', 'OutOfSync');
    expect(status.health).toBe('Missing');
    expect(condition('beside', 'ObserveOnly')).toContain('reports and changes nothing');
    expect(condition('beside', 'ObserveOnly')).toContain('compared with their manifests, field by field');
    expect(resource('beside', 'there', 'ConfigMap')?.sync).toBe('Synced');
    expect(resource('beside', 'there', 'Deployment')).toMatchObject({ sync: 'Synced', health: 'Healthy' });
    expect(resource('beside', 'there-secret')?.sync).toBe('Synced');
    expect(resource('beside', 'absent')).toMatchObject({ sync: 'OutOfSync', health: 'Missing' });
    expect(resource('beside', 'drifted')?.drift).toMatchObject({
      fields: [{ path: 'data.a', expected: '"2"', actual: '"1"' }],
      manager: 'kubectl-client-side-apply',
      driftClass: 'pending',
    });

    const dry = await result(agents.hub.sync('beside', { dryRun: true }));
    expect(dry).toMatchObject({ outcome: CommandOutcome.SUCCEEDED });
    expect(dry.message).toContain(
      'dry run: 2 to apply (ConfigMap default/absent, ConfigMap default/drifted), 1 hook',
    );
    const diff = await result(agents.hub.command('beside', { $case: 'diff', value: {} }));
    expect(diff.message).toContain('"path":"data.a"');
    const sync = await result(agents.hub.sync('beside'));
    expect(sync).toMatchObject({ outcome: CommandOutcome.REFUSED });
    expect(sync.message).toContain('does not accept sync: it is set to observe-only');

    await agents.hub.assign({ name: 'argos', objects: [configMap('tracked', { a: '2' })] });
    await settled('argos', 'OutOfSync');
    expect(resource('argos', 'tracked')).toMatchObject({
      drift: { fields: [{ path: 'data.a', expected: '"2"', actual: '"1"' }] },
      foreign: { tool: 'argocd' },
    });
    await agents.hub.assign({ name: 'argos', action: Action.ORPHAN });
    await agents.reportedGone('argos');

    // It held nothing, so there is nothing to keep.
    await agents.hub.assign({ name: 'elsewhere', action: Action.UNINSTALL });
    await agents.reportedGone('elsewhere');
    expect(await quiet()).toEqual(before);
    await expectNoPower();

    await kube.patch('v1/ConfigMap', 'default/there', { data: { a: '9' } }, { fieldManager: 'kubectl-edit' });
    await eventually((see) => see(resource('beside', 'there', 'ConfigMap'))?.sync === 'OutOfSync', {
      what: 'the change of an object without a mark to be seen',
    });
    await kube.apply(inDefault(configMap('absent')));
    await eventually((see) => see(resource('beside', 'absent'))?.sync === 'Synced', {
      what: 'an object that came to be seen',
    });

    await agents.agent.stop();
    await install([]);
    await settled('beside');
    expect(condition('beside', 'ObserveOnly')).toBeUndefined();
    expect((await find('v1/ConfigMap', 'drifted'))!.data.a).toBe('2');
    expect((await find('v1/ConfigMap', 'there'))!.data.a).toBe('1');
    expect((await find('v1/ConfigMap', 'there'))!.metadata.labels).toMatchObject({
      'muster.dev/application': 'argocd.beside',
    });
    expect(await kube.find('v1/Namespace', 'not-there')).toBeUndefined();

    await agents.agent.stop();
    await install(['observe-only']);
    const frozen = await quiet();
    await agents.hub.assign({ name: 'beside', action: Action.UNINSTALL });
    await eventually(
      (see) => see(operation('beside'))?.message.includes('nothing is removed, 6 objects stay as they are'),
      { what: 'the removal to be refused' },
    );
    expect(await quiet()).toEqual(frozen);
  });

  it('finds nothing to change in what the API server made of the charts', async () => {
    const { kube } = agents.cluster;
    await agents.openHub();
    const hub = { address: 'muster.example.org:7443', caSha256: 'ab'.repeat(32) };
    const at = (name: string) => ({ name, namespace: 'made' });
    const ingress = { publicUrl: 'https://muster.example.org', ingress: { enabled: true } };
    const objects = [
      ...(await renderChart('muster-hub', ingress, at('one'))),
      ...(await renderChart(
        'muster-agent',
        { hub, token: 'x', limits: { kinds: ['*', '!Secret'] } },
        at('two'),
      )),
    ];
    await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'made' } });
    await kube.apply(objects, { namespace: 'made' });
    await install(['observe-only']);
    await agents.hub.assign({ name: 'made', namespace: 'made', objects });
    await settled('made');
    const wrong = agents.hub.status('made')!.resources.filter(({ sync }) => sync !== 'Synced');
    expect(wrong).toEqual([]);
  });
});

async function expectNoPower(): Promise<void> {
  const may = await reviewer(agents.cluster.kube, `${OWN}/muster-agent`);
  for (const verb of ['create', 'patch', 'update', 'delete'])
    expect(await may.do(verb, { group: '', resource: 'configmaps', namespace: 'default' })).toBe(false);
  await expect(may.kube.apply(inDefault(configMap('drifted')))).rejects.toMatchObject({ status: 403 });
  await may.kube.close();
}
