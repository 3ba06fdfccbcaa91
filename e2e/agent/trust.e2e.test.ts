import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Action } from '@muster/proto/records';
import { eventually, writeKubeconfig } from '../src/index.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment } from './testing/objects.ts';

const on = agentFixture('trust');
const { joined, newStore, openHub, settled, start } = on;

describe('what an agent trusts and may do', () => {
  it('refuses what is altered, meant for another cluster, or not newer', async () => {
    await joined();
    await on.hub.assign({ name: 'trust', objects: [configMap('trusted')] });
    await settled('trust');
    const old = await on.hub.sign({ name: 'trust', objects: [configMap('trusted', { a: 'old' })] });
    await on.hub.assign({ name: 'trust', objects: [configMap('trusted', { a: 'new' })] });
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/trusted')).data.a === 'new',
      { what: 'the new one' },
    );
    on.hub.sendRaw({ $case: 'assignment', value: old });
    const altered = { ...old, payload: Buffer.concat([old.payload, Buffer.from([0x82, 0x01, 0x01, 0x41])]) };
    on.hub.sendRaw({ $case: 'assignment', value: altered });
    const other = await on.hub.sign({
      name: 'evil',
      objects: [configMap('evil')],
      extra: { clusterId: 'another' },
    });
    on.hub.sendRaw({ $case: 'assignment', value: other });
    await eventually((see) => see(on.hub.refused).length >= 3, { what: 'three refusals' });
    expect(on.hub.refused.join('\n')).toMatch(/not newer[^]*signature[^]*another/);
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/trusted')).data.a).toBe('new');
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/evil')).toBeUndefined();
  });

  it('refuses by name what it or the project is not allowed, hooks as well', async () => {
    await joined({ MUSTER_AGENT_NAMESPACES: 'default' });
    const hook = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'a-hook',
        namespace: 'elsewhere',
        annotations: { 'argocd.argoproj.io/hook': 'PreSync' },
      },
    };
    await on.hub.assign({ name: 'hooks', objects: [hook, configMap('no-hook')] });
    await eventually(
      (see) =>
        see(on.hub.status('hooks'))?.conditions.some(
          ({ type, message }) => type === 'NamespaceDenied' && message.includes('a-hook'),
        ),
      { what: 'the refusal of the hook' },
    );
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/no-hook')).toBeUndefined();
    await on.hub.assign({
      name: 'wide',
      objects: [configMap('fine'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'too-much' } }],
    });
    await eventually(
      (see) =>
        see(on.hub.status('wide'))?.conditions.some(
          ({ type, message }) => type === 'NamespaceDenied' && message.includes('too-much'),
        ),
      { what: 'the refusal' },
    );
    await on.hub.assign({
      name: 'project',
      objects: [configMap('denied')],
      extra: {
        project: {
          name: 'strict',
          namespaces: ['other-*'],
          clusterResourceAllow: [],
          clusterResourceDeny: [],
          namespaceResourceAllow: [],
          namespaceResourceDeny: [],
          namespaceAllowListed: false,
          serviceAccounts: [],
          needsServiceAccount: false,
          windows: [],
        },
      },
    });
    await eventually(
      (see) =>
        see(on.hub.status('project'))?.conditions.some(
          ({ type, message }) => type === 'ProjectDenied' && message.includes('strict'),
        ),
      { what: 'the refusal' },
    );
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/fine')).toBeUndefined();
    expect(await on.cluster.kube.find('v1/ConfigMap', 'default/denied')).toBeUndefined();
  });

  it('waits for approval, renews without dropping its stream, resumes a cut download', async () => {
    await openHub();
    on.hub.joining.pending = true;
    on.hub.joining.certificateLifeMs = 12_000;
    on.agent = await start();
    await eventually(() => on.hub.joining.enrolments === 1, { what: 'the enrolment' });
    on.hub.joining.pending = false;
    await eventually(() => on.hub.connected, { what: 'the session' });
    on.hub.bundles.cutAt = 32 * 1024;
    const objects = Array.from({ length: 40 }, (_, i) =>
      configMap(`big-${i}`, { noise: randomBytes(3000).toString('base64') }),
    );
    await on.hub.assign({ name: 'big', objects });
    await settled('big');
    expect(on.hub.bundles.downloads).toBe(2);
    await eventually(() => on.hub.renewals > 0, { what: 'a renewal' });
    expect(on.hub.hellos.length).toBe(1);
  });

  it('says what is wrong with a join token, a pin or a setting, and exits 1', async () => {
    await openHub();
    const cases: [Record<string, string | undefined>, string][] = [
      [{ MUSTER_AGENT_TOKEN: 'guess' }, 'join token is not known'],
      [{ MUSTER_AGENT_CA_SHA256: '0'.repeat(64) }, 'does not show the pinned CA'],
      [{ MUSTER_AGENT_CA_SHA256: 'abc' }, 'MUSTER_AGENT_CA_SHA256'],
      [{ MUSTER_AGENT_TOKEN: undefined }, 'MUSTER_AGENT_TOKEN'],
      [{ MUSTER_AGENT_CONTEXT: 'nowhere' }, 'has no context "nowhere"'],
    ];
    for (const [env, message] of cases) {
      newStore();
      const process = await start(env);
      const exit = await process.exited;
      expect(exit.code, message).toBe(1);
      expect(await process.tail(5)).toContain(message);
    }
  });

  it('works with nothing but the rights of the narrow preset', async () => {
    await openHub();
    const own = on.agentNamespace;
    const meta = (name: string, namespace?: string) => ({ metadata: { name, namespace } });
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
    const all = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
    const subjects = [{ kind: 'ServiceAccount', name: 'narrow', namespace: own }];
    const bind = (kind: string, role: string, namespace?: string) => ({
      ...rbac,
      kind,
      ...meta(role, namespace),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: kind.replace('Binding', ''), name: role },
      subjects,
    });
    await on.cluster.kube.apply([
      { apiVersion: 'v1', kind: 'Namespace', ...meta(own) },
      { apiVersion: 'v1', kind: 'Namespace', ...meta('narrow') },
      { apiVersion: 'v1', kind: 'ServiceAccount', ...meta('narrow', own) },
      {
        ...rbac,
        kind: 'Role',
        ...meta('own', own),
        rules: [
          { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'create', 'update', 'delete'] },
          { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
        ],
      },
      bind('RoleBinding', 'own', own),
      {
        ...rbac,
        kind: 'ClusterRole',
        ...meta('narrow-agent'),
        rules: [
          {
            apiGroups: [''],
            resources: ['namespaces'],
            resourceNames: ['kube-system', 'narrow'],
            verbs: ['get'],
          },
        ],
      },
      bind('ClusterRoleBinding', 'narrow-agent'),
      { ...rbac, kind: 'Role', ...meta('work', 'narrow'), rules: [all] },
      bind('RoleBinding', 'work', 'narrow'),
    ]);
    const token = await on.cluster.kube.createToken(`${own}/narrow`);
    const kubeconfig = join(on.dir, 'narrow.kubeconfig');
    await writeKubeconfig(kubeconfig, 'narrow', {
      server: on.cluster.server,
      ca: on.cluster.access.ca,
      token,
    });
    on.agent = await start({
      KUBECONFIG: kubeconfig,
      MUSTER_AGENT_STORE: 'secrets',
      MUSTER_AGENT_NAMESPACES: 'narrow',
    });
    await on.hub.assign({
      name: 'narrow',
      namespace: 'narrow',
      policy: { createNamespace: true },
      objects: [configMap('inside'), deployment('inside')],
    });
    await settled('narrow');
    expect(on.hub.hellos[0]?.facts).toMatchObject({ namespaces: ['narrow'], nodeCount: 0 });
    await on.cluster.kube.patch('v1/ConfigMap', 'narrow/inside', { data: { a: '9' } });
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'narrow/inside')).data.a === '1',
      {
        what: 'the heal',
      },
    );
    await on.hub.assign({ name: 'outside', namespace: 'default', objects: [configMap('outside')] });
    await eventually(
      (see) => see(on.hub.status('outside'))?.conditions.some(({ type }) => type === 'NamespaceDenied'),
      { what: 'the refusal' },
    );
    await on.hub.assign({ name: 'narrow', action: Action.UNINSTALL });
    await eventually(() => on.hub.gone.length > 0, { what: 'the Application to be gone' });
  });
});
