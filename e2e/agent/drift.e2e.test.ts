import { createServer, type Server } from 'node:https';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type KubeObject, eventually, freePort } from '../src/index.ts';
import { ensurePki } from '../src/pki.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap, deployment } from './testing/objects.ts';

const on = agentFixture('drift');
const { joined, resource, settled } = on;

const both = { a: '1', b: '1' };

const twoContainers = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          { name: 'main', image: 'main:1' },
          { name: 'side', image: 'side:1' },
        ],
      },
    },
  },
});

const secret = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData: { password: 'first-secret' },
});

const rule = (fields: object) => ({
  group: '*',
  kind: '*',
  name: '',
  namespace: '',
  jsonPointers: [],
  jqPathExpressions: [],
  managedFieldsManagers: [],
  ...fields,
});

const drifted = (app: string, name: string) =>
  eventually((see) => see(resource(app, name))?.drift, { what: `the drift of ${name}` });
const patch = (kind: string, name: string, body: object, fieldManager?: string) =>
  on.cluster.kube.patch(kind, `default/${name}`, body, fieldManager ? { fieldManager } : {});

describe('drift on a real control plane', () => {
  it('says whose change it is', async () => {
    await joined();
    const objects = [configMap('by-hand'), configMap('by-machine'), configMap('gone')];
    await on.hub.assign({ name: 'whose', policy: { selfHeal: false }, objects });
    await settled('whose');
    await patch('v1/ConfigMap', 'by-hand', { data: { a: '2' } }, 'kubectl-edit');
    await patch('v1/ConfigMap', 'by-machine', { data: { a: '2' } }, 'some-operator');
    await on.cluster.kube.delete('v1/ConfigMap', 'default/gone');
    expect(await drifted('whose', 'by-hand')).toMatchObject({
      driftClass: 'person',
      manager: 'kubectl-edit',
      operation: 'Update',
    });
    expect(await drifted('whose', 'by-machine')).toMatchObject({ driftClass: 'controller' });
    expect(await drifted('whose', 'gone')).toMatchObject({ driftClass: 'deleted', deleted: true });
    const changed = objects.slice(0, 1).map((each) => ({ ...each, data: { a: '3', b: '1' } }));
    await on.hub.assign({ name: 'whose', policy: { automated: false }, objects: changed });
    await eventually(() => resource('whose', 'by-hand')?.drift?.driftClass === 'pending', {
      what: 'the drift to be called pending',
    });
  });

  it('ignores what jq programs, trusted managers and annotations name, and heals the rest', async () => {
    await joined();
    const program = '.spec.template.spec.containers[] | select(.name == "side") | .image';
    const ignoreDifferences = [
      rule({ kind: 'Deployment', jqPathExpressions: [program, '.broken['] }),
      rule({ kind: 'ConfigMap', managedFieldsManagers: ['some-operator'] }),
    ];
    const annotation = { 'argocd.argoproj.io/ignore-differences': 'jsonPointers: ["/data/b"]' };
    const objects = [
      twoContainers('jq'),
      configMap('trusted', both),
      configMap('annotated', both, annotation),
    ];
    await on.hub.assign({ name: 'ignoring', extra: { ignoreDifferences }, objects });
    await settled('ignoring');
    const sideImage = async () => {
      const live = await on.cluster.kube.get('apps/v1/Deployment', 'default/jq');
      return live.spec.template.spec.containers[1].image;
    };
    const images = (main: string, side: string) => ({
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'main', image: main },
              { name: 'side', image: side },
            ],
          },
        },
      },
    });
    await patch('apps/v1/Deployment', 'jq', images('main:1', 'side:2'));
    await patch('v1/ConfigMap', 'trusted', { data: { a: '2' } }, 'some-operator');
    await patch('v1/ConfigMap', 'annotated', { data: { b: '2' } });
    await settled('ignoring');
    await patch('v1/ConfigMap', 'annotated', { data: { b: '3' } });
    await eventually((see) => see(on.hub.status('ignoring'))?.sync === 'Synced', {
      what: 'all to be Synced',
    });
    expect(await sideImage()).toBe('side:2');
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/trusted')).data.a).toBe('2');
    await patch('apps/v1/Deployment', 'jq', images('main:2', 'side:2'));
    await patch('v1/ConfigMap', 'trusted', { data: { b: '2' } }, 'kubectl');
    await patch('v1/ConfigMap', 'annotated', { data: { a: '2' } });
    const healed = async () => {
      const { containers } = (await on.cluster.kube.get('apps/v1/Deployment', 'default/jq')).spec.template
        .spec;
      const main = containers.find(({ name }: { name: string }) => name === 'main');
      const trusted = await on.cluster.kube.get('v1/ConfigMap', 'default/trusted');
      const annotated = await on.cluster.kube.get('v1/ConfigMap', 'default/annotated');
      return main.image === 'main:1' && trusted.data.b === '1' && annotated.data.a === '1';
    };
    await eventually(healed, { what: 'the heals' });
    await settled('ignoring');
    const problem = await eventually(
      (see) => see(on.hub.status('ignoring'))?.conditions.find(({ type }) => type === 'IgnoreDifferences'),
      { what: 'the condition that names the broken program' },
    );
    expect(problem.message).toContain('.broken[');
  });

  it('keeps what a trusted manager wrote through a sync that respects it', async () => {
    await joined();
    const ignoreDifferences = [rule({ kind: 'ConfigMap', jqPathExpressions: ['.data.a'] })];
    const policy = { options: ['RespectIgnoreDifferences=true'] };
    await on.hub.assign({
      name: 'respect',
      policy,
      extra: { ignoreDifferences },
      objects: [configMap('kept')],
    });
    await settled('respect');
    await patch('v1/ConfigMap', 'kept', { data: { a: 'theirs' } });
    const next = { ...configMap('kept'), data: { a: '1', b: '2' } };
    await on.hub.assign({ name: 'respect', policy, extra: { ignoreDifferences }, objects: [next] });
    await eventually(async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/kept')).data.b === '2', {
      what: 'the next bundle',
    });
    expect((await on.cluster.kube.get('v1/ConfigMap', 'default/kept')).data).toEqual({ a: 'theirs', b: '2' });
  });

  it('judges health by the checks of users, and again when they change', async () => {
    await joined();
    const check = (lua: string) => ({
      healthChecks: [{ kind: 'ConfigMap', lua, useOpenLibs: false, cel: {} }],
    });
    const lua =
      'if obj.data.a == "bad" then return {status = "Degraded", message = "a is bad"} end return {status = "Healthy"}';
    const policy = { selfHeal: false };
    await on.hub.assign({ name: 'checked', policy, extra: check(lua), objects: [configMap('checked')] });
    await settled('checked');
    const healthIs = (health: string) =>
      eventually((see) => see(resource('checked', 'checked'))?.health === health, {
        what: `the ConfigMap to be ${health}`,
      });
    await healthIs('Healthy');
    await patch('v1/ConfigMap', 'checked', { data: { a: 'bad' } });
    await healthIs('Degraded');
    expect(resource('checked', 'checked')?.message).toBe('a is bad');
    const extra = check('return {status = "Suspended"}');
    await on.hub.assign({
      name: 'checked',
      policy: { automated: false },
      extra,
      objects: [configMap('checked')],
    });
    await healthIs('Suspended');
  });

  it('judges by the owners of fields where admission refuses dry runs', async () => {
    await joined();
    const admission = await refusingDryRuns();
    try {
      await on.hub.assign({ name: 'refused', objects: [configMap('guarded')] });
      await settled('refused');
      await on.cluster.kube.apply(admission.configuration);
      await eventually(
        async () => {
          await patch('v1/ConfigMap', 'guarded', { data: { a: '2' } }, 'kubectl-edit');
          return on.hub.status('refused')?.conditions.some(({ type }) => type === 'DryRunRefused');
        },
        { what: 'the condition', timeout: 60_000 },
      );
      await eventually(
        async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/guarded')).data.a === '1',
        { what: 'the heal' },
      );
      await settled('refused');
    } finally {
      await on.cluster.kube.delete(
        'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration',
        'no-dry-runs',
      );
      admission.server.close();
    }
  });

  it('finds drift, says who and what, and puts it back', async () => {
    await joined();
    await on.hub.assign({ name: 'drift', objects: [configMap('drifting'), deployment('scaled')] });
    await settled('drift');
    await on.cluster.kube.patch(
      'apps/v1/Deployment',
      'default/scaled',
      { spec: { replicas: 5 } },
      { fieldManager: 'someone' },
    );
    const drift = await eventually((see) => see(resource('drift', 'scaled', 'Deployment'))?.drift, {
      what: 'the drift',
    });
    await eventually((see) => see(resource('drift', 'scaled', 'Deployment')?.drift)?.healedAtMs, {
      what: 'the heal',
    });
    expect(drift.fields).toEqual([{ path: 'spec.replicas', expected: '2', actual: '5' }]);
    expect(drift.manager).toBe('someone');
    expect((await on.cluster.kube.get('apps/v1/Deployment', 'default/scaled')).spec.replicas).toBe(2);

    await on.cluster.kube.delete('v1/ConfigMap', 'default/drifting');
    await eventually(() => on.cluster.kube.find('v1/ConfigMap', 'default/drifting'), {
      what: 'the ConfigMap to be back',
    });
    await eventually((see) => see(resource('drift', 'drifting', 'ConfigMap'))?.drift?.deleted, {
      what: 'the report',
    });
    await settled('drift');
  });

  it('reports drift and leaves it where the policy does not say selfHeal', async () => {
    await joined();
    await on.hub.assign({
      name: 'watching',
      policy: { selfHeal: false },
      objects: [configMap('watched'), secret('hidden')],
    });
    await settled('watching');
    await on.cluster.kube.patch('v1/ConfigMap', 'default/watched', { data: { a: '2' } });
    await on.cluster.kube.patch('v1/Secret', 'default/hidden', {
      stringData: { password: 'another-secret' },
    });
    const status = await settled('watching', 'OutOfSync');
    await eventually((see) => see(resource('watching', 'hidden', 'Secret'))?.drift, {
      what: 'drift of the Secret',
    });
    expect(status.resources.length).toBeGreaterThan(0);
    expect(resource('watching', 'watched', 'ConfigMap')?.drift?.fields[0]).toMatchObject({
      expected: '"1"',
      actual: '"2"',
    });
    const everything = JSON.stringify([...on.hub.statuses.values()], (_k, v) =>
      typeof v === 'bigint' ? String(v) : v,
    );
    const log = await readFile(on.agent.log, 'utf8');
    for (const text of ['first-secret', 'another-secret']) {
      for (const form of [text, Buffer.from(text).toString('base64')]) {
        expect(everything).not.toContain(form);
        expect(log).not.toContain(form);
      }
    }
  });

  it('ignores what ignoreDifferences names', async () => {
    await joined();
    const extra = {
      ignoreDifferences: [
        {
          group: 'apps',
          kind: 'Deployment',
          name: '',
          namespace: '',
          jsonPointers: ['/spec/replicas'],
          jqPathExpressions: [],
          managedFieldsManagers: [],
        },
      ],
    };
    await on.hub.assign({ name: 'ignore', extra, objects: [deployment('free'), configMap('bound')] });
    await settled('ignore');
    await on.cluster.kube.patch('apps/v1/Deployment', 'default/free', { spec: { replicas: 4 } });
    await on.cluster.kube.patch('v1/ConfigMap', 'default/bound', { data: { a: 'x' } });
    await eventually(
      async () => (await on.cluster.kube.get('v1/ConfigMap', 'default/bound')).data.a === '1',
      {
        what: 'the heal',
      },
    );
    await settled('ignore');
    expect((await on.cluster.kube.get('apps/v1/Deployment', 'default/free')).spec.replicas).toBe(4);
  });
});

/** An admission webhook that refuses every dry run of a ConfigMap in the namespace `default`. */
async function refusingDryRuns(): Promise<{ server: Server; configuration: KubeObject }> {
  const pki = await ensurePki(join(on.dir, 'webhook'), { dns: [], ips: ['127.0.0.1'] });
  const [cert, key, ca] = await Promise.all(
    [pki.serverCert, pki.serverKey, pki.caCert].map((file) => readFile(file)),
  );
  const port = await freePort();
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const { uid, dryRun } = review.request;
      const status = { message: 'dry runs are not supported here' };
      review.response = { uid, allowed: !dryRun, ...(dryRun && { status }) };
      response.end(JSON.stringify({ ...review, request: undefined }));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'no-dry-runs' },
    webhooks: [
      {
        name: 'no-dry-runs.example.org',
        admissionReviewVersions: ['v1'],
        sideEffects: 'NoneOnDryRun',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['*'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: ca!.toString('base64'),
        },
      },
    ],
  };
  return { server, configuration };
}
