import { Action, CommandOutcome, type ProjectLimits } from '@muster/proto/records';
import { describe, expect, it } from 'vitest';
import { type KubeObject, eventually, installAgent } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment, hookJob } from './testing/objects.ts';

const agents = agentFixture('acts', { MUSTER_AGENT_WAVE_PAUSE: '0' });
const { condition, resource, result, settled } = agents;

const rbac = 'rbac.authorization.k8s.io/v1';
const ACCOUNT = 'tenant/maps';
const find = (kind: string, name: string, namespace = 'tenant') =>
  agents.cluster.kube.find(kind, `${namespace}/${name}`);

/** An account that may write ConfigMaps, and what `more` says, in one namespace. */
async function tenant(name: string, more: object[] = []): Promise<void> {
  const metadata = { name, namespace: 'tenant' };
  const verbs = ['get', 'list', 'create', 'patch', 'update', 'delete'];
  await agents.cluster.kube.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tenant' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: rbac,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }, ...more],
    },
    {
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
  ] as KubeObject[]);
}

/** Installs the chart so that the agent writes nothing as itself, and starts it with what its account may do. */
async function install(serviceAccounts: string[] = [ACCOUNT]): Promise<void> {
  const { cluster, dir, hub } = agents;
  const invitation = {
    token: hub.joining.token,
    gateway: hub.address,
    enrol: hub.address,
    caSha256: hub.caSha256,
  };
  const values = { impersonation: { required: true, serviceAccounts } };
  const { env } = await installAgent({ kube: cluster.kube, dir, invitation, values });
  agents.agent = await agents.start({ ...env, MUSTER_AGENT_STORE: 'folder', MUSTER_AGENT_WAVE_PAUSE: '0' });
}

const project = (serviceAccounts: string[]): ProjectLimits => ({
  name: 'shop',
  namespaces: ['*'],
  clusterResourceAllow: [{ group: '*', kind: '*' }],
  clusterResourceDeny: [],
  namespaceResourceAllow: [],
  namespaceResourceDeny: [],
  namespaceAllowListed: false,
  windows: [],
  serviceAccounts,
  needsServiceAccount: serviceAccounts.length > 0,
});

const as = (account: string, name: string, objects: object[], more: object = {}) =>
  agents.hub.assign({
    name,
    namespace: 'tenant',
    objects,
    extra: { impersonate: account, project: project([account]) },
    ...more,
  });

const says = (name: string, type: string, text: string) =>
  eventually((see) => see(condition(name, type))?.includes(text), { what: `${type} of ${name}: ${text}` });

describe('an Application with a ServiceAccount of its own', () => {
  it('is applied, healed, pruned and uninstalled with the power of that account', async () => {
    await agents.openHub();
    await tenant('maps');
    await install();
    await as(ACCOUNT, 'own', [configMap('m1'), configMap('m2'), configMap('m3')]);
    await settled('own');
    const managers = (await find('v1/ConfigMap', 'm1'))!.metadata['managedFields'] as { manager: string }[];
    expect(managers[0]!.manager).toBe('muster');
    await agents.cluster.kube.patch('v1/ConfigMap', 'tenant/m1', { data: { a: '9' } });
    await eventually(async () => (await find('v1/ConfigMap', 'm1'))!.data.a === '1', { what: 'the heal' });
    await as(ACCOUNT, 'own', [configMap('m1'), configMap('m2')]);
    await eventually(async () => !(await find('v1/ConfigMap', 'm3')), { what: 'the prune' });
    await agents.hub.assign({ name: 'own', action: Action.UNINSTALL });
    await agents.reportedGone('own');
    expect(await find('v1/ConfigMap', 'm1')).toBeUndefined();
  });

  it('is refused what the account may not do, by name, and nothing is done with the power of the agent', async () => {
    await agents.openHub();
    await tenant('maps', [
      { apiGroups: ['apps', 'batch'], resources: ['deployments', 'jobs'], verbs: ['get'] },
    ]);
    await install();
    await as(ACCOUNT, 'more', [configMap('m1'), deployment('web')]);
    await says(
      'more',
      'SyncError',
      'ServiceAccount tenant/maps may not patch deployments.apps in namespace tenant (web): give it that by a Role and a RoleBinding there',
    );
    expect(resource('more', 'web')?.message).toContain('ServiceAccount tenant/maps may not');
    expect(await find('v1/ConfigMap', 'm1')).toBeUndefined();
    expect(await find('apps/v1/Deployment', 'web')).toBeUndefined();
    await as(ACCOUNT, 'hooked', [configMap('m1'), hookJob('before', 'PreSync')]);
    await says('hooked', 'SyncError', 'ServiceAccount tenant/maps may not patch jobs.batch');
    await as(ACCOUNT, 'elsewhere', [{ ...configMap('m1'), metadata: { name: 'm1', namespace: 'default' } }]);
    await says('elsewhere', 'SyncError', 'in namespace default');
    expect(await find('v1/ConfigMap', 'm1', 'default')).toBeUndefined();
    const sync = await result(agents.hub.sync('more'));
    expect(sync).toMatchObject({ outcome: CommandOutcome.FAILED });
    expect(sync.message).toContain('ServiceAccount tenant/maps may not patch deployments.apps');

    await tenant('maps', [
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'create', 'patch', 'delete'] },
    ]);
    await settled('more');
    expect(await find('apps/v1/Deployment', 'web')).toBeDefined();
  });

  it('goes nowhere once its account has lost its rights, and says so until it has them again', async () => {
    await agents.openHub();
    await tenant('maps');
    await install();
    await as(ACCOUNT, 'left', [configMap('m1')]);
    await settled('left');
    await agents.cluster.kube.delete(`${rbac}/RoleBinding`, 'tenant/maps');
    await agents.cluster.kube.delete('v1/ServiceAccount', 'tenant/maps');
    await as(ACCOUNT, 'left', [configMap('m1', { a: '2' })]);
    await eventually(
      (see) => see(resource('left', 'm1'))?.message.includes('ServiceAccount tenant/maps may not'),
      {
        what: 'the refusal',
      },
    );
    expect((await find('v1/ConfigMap', 'm1'))!.data.a).toBe('1');
    await agents.hub.assign({ name: 'left', action: Action.UNINSTALL });
    await eventually(
      (see) =>
        see(agents.operation('left'))?.message.includes('ServiceAccount tenant/maps may not get configmaps'),
      { what: 'the removal to be refused' },
    );
    expect(await find('v1/ConfigMap', 'm1')).toBeDefined();
    await tenant('maps');
    await eventually(() => agents.hub.gone.length > 0, { what: 'the removal', timeout: 60_000 });
    expect(await find('v1/ConfigMap', 'm1')).toBeUndefined();
  });

  it('gets no account that the agent does not act as, and no write without one', async () => {
    await agents.openHub();
    await tenant('maps');
    await tenant('other');
    await install();
    await as('tenant/other', 'other', [configMap('o1')]);
    await says('other', 'AccountDenied', 'this agent does not act as ServiceAccount tenant/other');
    await agents.hub.assign({ name: 'none', namespace: 'tenant', objects: [configMap('n1')] });
    await says('none', 'AccountDenied', 'this agent writes nothing as itself');
    const extra = { impersonate: ACCOUNT, project: project(['tenant/other']) };
    await agents.hub.assign({ name: 'stolen', namespace: 'tenant', objects: [configMap('s1')], extra });
    await says('stolen', 'AccountDenied', 'project shop does not allow ServiceAccount tenant/maps');
    for (const name of ['o1', 'n1', 's1']) expect(await find('v1/ConfigMap', name)).toBeUndefined();
  });

  it('says so where the cluster does not let the agent act as the account', async () => {
    await agents.openHub();
    await tenant('maps');
    await install();
    await agents.cluster.kube.delete(`${rbac}/RoleBinding`, 'tenant/muster-agent-muster-agent-as-maps');
    await as(ACCOUNT, 'unbound', [configMap('u1')]);
    await eventually(
      (see) =>
        see(condition('unbound', 'SyncError'))?.includes(
          'may not act as ServiceAccount tenant/maps: list it among impersonation.serviceAccounts of its chart',
        ),
      { what: 'the refusal of the cluster' },
    );
  });
});
