import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { application, applicationSet, configMap, deployment } from './testing/documents.ts';
import type { Files } from './testing/repository.ts';

let fleet: Fleet;
const CLUSTERS = ['dev', 'staging', 'prod'];
const good: Files = { 'shop/settings.yaml': configMap('settings', { value: 'good' }) };

beforeAll(async () => {
  fleet = await startFleet({ env: { MUSTER_RENDER_TIMEOUT_SECONDS: '3' } });
  await fleet.repository.commit(good, 'good');
  await fleet.apply(
    applicationSet(fleet.repository.url, 'shop', {
      generators: [{ clusters: {} }],
      applicationName: 'shop-{{name}}',
      source: { path: 'shop' },
      destination: { name: '{{name}}', namespace: 'shop' },
      finalizer: true,
    }),
  );
  await fleet.synced(CLUSTERS.map((name) => `shop-${name}`));
});
afterAll(() => fleet?.stop());

const live = async (name: string, object = 'shop/settings') =>
  (await fleet.kube(name).find('v1/ConfigMap', object))?.data;

describe('a bad commit leaves everything as it was and says what is wrong:', () => {
  const changed = { 'shop/settings.yaml': configMap('settings', { value: 'bad' }) };
  const chart = { 'shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n' };
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
    .concat(
      [...'bcdefghi'].map((letter, i) => {
        const before = 'abcdefghi'[i];
        return `${letter}: &${letter} [${Array(10).fill(`*${before}`).join(',')}]`;
      }),
    )
    .join('\n');
  const cases: [string, Files, RegExp][] = [
    ['broken YAML, with file and line', { ...changed, 'shop/b.yaml': 'a: 1\nb: c: d\n' }, /shop\/b\.yaml:2/],
    [
      'a kind that the clusters do not know',
      { ...changed, 'shop/b.yaml': 'apiVersion: example.org/v1\nkind: Nothing\nmetadata: { name: no }\n' },
      /Nothing/,
    ],
    ['a path that is not there any more', { shop: null, 'other/a.yaml': configMap('a', {}) }, /path shop/],
    [
      'a kustomization that names a missing file',
      { ...changed, 'shop/kustomization.yaml': 'resources: [missing.yaml]\n' },
      /missing\.yaml/,
    ],
    [
      'a chart that does not render, with file and line',
      { ...changed, ...chart, 'shop/templates/a.yaml': 'a: 1\nb: {{ .Values.no.such.value }}\n' },
      /templates\/a\.yaml:2/,
    ],
    [
      'a template that never ends',
      {
        ...changed,
        ...chart,
        'shop/templates/a.yaml': '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}',
      },
      /3 s|took longer|time/,
    ],
    [
      'a symbolic link out of the repository',
      { ...changed, 'shop/b.yaml': { linkTo: '/etc/hostname' } },
      /out of the repository/,
    ],
    ['a YAML bomb', { ...changed, 'shop/b.yaml': bomb }, /alias|limit|memory|large|expands/i],
  ];

  it.each(cases)('%s', async (_what, files, message) => {
    const before = await Promise.all(CLUSTERS.map(resourceVersion));
    await fleet.push(files, 'bad');
    for (const name of CLUSTERS) await fleet.condition(`shop-${name}`, message);
    expect(await Promise.all(CLUSTERS.map(resourceVersion))).toEqual(before);
    await fleet.revert();
    for (const name of CLUSTERS) {
      await fleet.until(`shop-${name}`, 'to be well again', (app) => app.conditions.length === 0);
    }
    await fleet.synced(CLUSTERS.map((name) => `shop-${name}`));
  });

  const resourceVersion = async (name: string) =>
    (await fleet.kube(name).get('v1/ConfigMap', 'shop/settings')).metadata.resourceVersion;

  it('and so does a value file from outside of the repository', async () => {
    await fleet.repository.commit(
      {
        'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 0.1.0\n',
        'chart/templates/a.yaml': configMap('chart', { value: '{{ .Values.value | default "none" }}' }),
      },
      'a chart',
    );
    const withValues = (...valueFiles: string[]) =>
      application(fleet.repository.url, 'chart', { on: 'dev', source: { helm: { valueFiles } } });
    await fleet.apply(withValues());
    await fleet.synced('chart');
    await fleet.apply(withValues('../../../../../../etc/hostname'));
    await fleet.condition('chart', /out of the repository/);
    expect(await live('dev', 'chart/chart')).toEqual({ value: 'none' });
    await fleet.apply(withValues());
    await fleet.until('chart', 'to be well again', ({ conditions }) => conditions.length === 0);
  });

  it('and so do an unknown cluster, a repository that is not there, and one that wants a password', async () => {
    const closed = createServer((_request, answer) =>
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end(),
    );
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const { port } = closed.address() as AddressInfo;
    await fleet.apply(
      applicationSet(fleet.repository.url, 'nowhere', {
        generators: [{ list: { elements: [{ cluster: 'atlantis' }] } }],
        applicationName: 'in-{{cluster}}',
        source: { path: 'shop' },
        destination: { name: '{{cluster}}', namespace: 'shop' },
      }),
      application('file:///no/such/repository', 'no-source', { on: 'dev' }),
      application(`http://127.0.0.1:${port}/closed.git`, 'no-password', { on: 'dev' }),
    );
    await fleet.condition('in-atlantis', /atlantis/);
    await fleet.condition('no-source', /repository/);
    await fleet.condition('no-password', /password|credentials/);
    closed.close();
  });
});

describe('a change by hand', () => {
  beforeAll(async () => {
    await fleet.repository.commit(
      {
        'drift/web.yaml': deployment('web', 'nginx:1', 2),
        'drift/settings.yaml': configMap('settings', { value: 'git' }),
      },
      'drift',
    );
    const { url } = fleet.repository;
    await fleet.apply(
      application(url, 'healed', { on: 'prod', path: 'drift' }),
      application(url, 'watched', {
        on: 'staging',
        path: 'drift',
        syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] },
      }),
    );
    await fleet.synced(['healed', 'watched']);
  });

  interface Drift {
    manager?: string;
    timeMs?: number;
    detectedAtMs?: number;
    deleted?: boolean;
    healedAtMs?: number;
    fields: { path: string; expected: string; actual: string }[];
  }
  const driftOf = async (app: string, kind: string) => {
    const { resources } = await fleet.client.applications.resources('argocd', app);
    return (resources as { key: string; drift?: Drift }[]).find(({ key }) => key.includes(`/${kind}/`))
      ?.drift;
  };

  it('is put back, and told with who, when and which field', async () => {
    const started = Date.now() - 2_000;
    const prod = fleet.kube('prod');
    await prod.scale('apps/v1/Deployment', 'healed/web', 7);
    await eventually(async () => (await prod.get('apps/v1/Deployment', 'healed/web')).spec.replicas === 2, {
      what: 'the Deployment to have 2 replicas again',
    });
    const drift = await eventually(
      async (see) => {
        const found = see(await driftOf('healed', 'Deployment'));
        return found?.healedAtMs && found;
      },
      { what: 'the drift to be told' },
    );
    expect(drift.manager).toBe('kubectl');
    // Kubernetes notes no time for a write through the scale subresource: then it is when it was seen.
    expect(drift.timeMs ?? drift.detectedAtMs).toBeGreaterThan(started);
    expect(drift.fields).toContainEqual({ path: 'spec.replicas', expected: '2', actual: '7' });
    await fleet.synced('healed');
  });

  it('is put back also when the object was deleted', async () => {
    const prod = fleet.kube('prod');
    const before = (await prod.get('v1/ConfigMap', 'healed/settings')).metadata.uid;
    await prod.delete('v1/ConfigMap', 'healed/settings');
    await eventually(
      async () => {
        const found = await prod.find('v1/ConfigMap', 'healed/settings');
        return found && found.metadata.uid !== before;
      },
      { what: 'the ConfigMap to be back' },
    );
    await fleet.synced('healed');
    expect(await live('prod', 'healed/settings')).toEqual({ value: 'git' });
  });

  it('stays without selfHeal, is told, and a sync puts it back', async () => {
    const started = Date.now() - 2_000;
    await fleet
      .kube('staging')
      .patch(
        'v1/ConfigMap',
        'watched/settings',
        { data: { value: 'hand' } },
        { fieldManager: 'kubectl-edit' },
      );
    await fleet.until('watched', 'to be OutOfSync', ({ sync }) => sync === 'OutOfSync');
    const drift = await eventually(() => driftOf('watched', 'ConfigMap'), { what: 'the drift to be told' });
    expect(drift.manager).toBe('kubectl-edit');
    expect(drift.timeMs).toBeGreaterThan(started);
    expect(drift.fields).toContainEqual({ path: 'data.value', expected: '"git"', actual: '"hand"' });
    expect(await live('staging', 'watched/settings')).toEqual({ value: 'hand' });
    const diff = await fleet.client.applications.diff('argocd', 'watched');
    expect(JSON.stringify(diff.resources)).toContain('hand');
    const { command } = await fleet.client.applications.sync('argocd', 'watched');
    expect(await fleet.client.command(command, 30)).toMatchObject({ outcome: 'succeeded' });
    await fleet.synced('watched');
    expect(await live('staging', 'watched/settings')).toEqual({ value: 'git' });
  });
});

describe('an Application that is removed', () => {
  beforeAll(async () => {
    await fleet.repository.commit({ 'going/a.yaml': configMap('going', { a: '1' }) }, 'going');
    const { url } = fleet.repository;
    const on = { on: 'dev', path: 'going' };
    await fleet.apply(
      application(url, 'restored', { ...on, finalizer: true }),
      application(url, 'uninstalled', { ...on, finalizer: true }),
      application(url, 'orphaned', on),
    );
    await fleet.synced(['restored', 'uninstalled', 'orphaned']);
  });
  const gone = (name: string) =>
    eventually(async () => !(await fleet.findApp(name)), { what: `${name} to be gone`, timeout: 60_000 });

  it('is shown as leaving, and stays when it is restored in time', async () => {
    await fleet.client.applications.remove('argocd', 'restored');
    const { leaving } = await fleet.app('restored');
    expect(leaving).toMatchObject({ action: 'uninstall', signed: false });
    await fleet.client.applications.restore('argocd', 'restored');
    expect((await fleet.app('restored')).leaving).toBeUndefined();
    await eventually(() => Date.now() > Date.parse(leaving!.at) + 1_000, { what: 'its time to pass' });
    await fleet.synced('restored');
    expect(await live('dev', 'restored/going')).toEqual({ a: '1' });
  });

  it('is uninstalled after its grace when it has the finalizer', async () => {
    await fleet.client.applications.remove('argocd', 'uninstalled');
    await gone('uninstalled');
    expect(await live('dev', 'uninstalled/going')).toBeUndefined();
  });

  it('leaves its objects without the finalizer', async () => {
    await fleet.client.applications.remove('argocd', 'orphaned');
    await gone('orphaned');
    expect(await live('dev', 'orphaned/going')).toEqual({ a: '1' });
  });

  it('comes back with its objects when it is restored after the uninstall', async () => {
    await fleet.client.applications.restore('argocd', 'uninstalled');
    await fleet.synced('uninstalled');
    expect(await live('dev', 'uninstalled/going')).toEqual({ a: '1' });
  });

  it('because its set generates it no more, leaves the same way', async () => {
    const set = (...clusters: string[]) =>
      applicationSet(fleet.repository.url, 'listed', {
        generators: [{ list: { elements: clusters.map((cluster) => ({ cluster })) } }],
        applicationName: 'listed-{{cluster}}',
        source: { path: 'going' },
        destination: { name: '{{cluster}}', namespace: 'listed' },
        finalizer: true,
      });
    await fleet.apply(set(...CLUSTERS));
    await fleet.synced(CLUSTERS.map((name) => `listed-${name}`));
    await fleet.apply(set('staging', 'prod'));
    await gone('listed-dev');
    expect(await live('dev', 'listed/going')).toBeUndefined();
    await fleet.synced(['listed-staging', 'listed-prod']);
  });
});

describe('a cluster that is removed', () => {
  const left = (name: string) =>
    eventually(async () => !(await fleet.client.clusters.list()).items.some((one) => one.name === name), {
      what: `the cluster ${name} to be gone`,
      timeout: 60_000,
    });

  it('keeps its workloads when told so', async () => {
    await fleet.client.clusters.remove('dev', { mode: 'keep' });
    await left('dev');
    expect(await live('dev')).toEqual({ value: 'good' });
    const object = await fleet.kube('dev').get('v1/ConfigMap', 'shop/settings');
    expect(JSON.stringify(object.metadata.labels ?? {})).not.toContain('muster');
  });

  it('has them uninstalled first when told so', async () => {
    await fleet.client.clusters.remove('staging', { mode: 'uninstall' });
    await left('staging');
    expect(await live('staging')).toBeUndefined();
  });

  it('is forgotten at once when it is dead, and its certificate no longer counts', async () => {
    await fleet.member('prod').agent.kill();
    await fleet.client.clusters.remove('prod', { mode: 'forget' });
    expect((await fleet.client.clusters.list()).items.map(({ name }) => name)).not.toContain('prod');
    expect(await live('prod')).toEqual({ value: 'good' });
  });
});
