import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Assignment } from '@muster/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-tools-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder, { MUSTER_RENDER_TIMEOUT_SECONDS: '3' });
  await hub.cluster('dev', { env: 'dev' });
  await hub.cluster('prod', { env: 'prod' });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const rendered = async (name: string, cluster = 'dev') =>
  hub.objects(Assignment.decode((await hub.assignment(cluster, name)).payload).bundleDigest);
const conditionOf = async (name: string) => (await hub.app(name)).conditions[0]?.message;

test('a kustomization with a base beside it and images from the Application', async () => {
  hub.commit(
    {
      'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
      'base/deployment.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: web:1\n',
      'overlays/dev/kustomization.yaml': 'resources: [../../base]\nnamePrefix: dev-\n',
    },
    'kustomize',
  );
  const source = {
    repoURL: hub.url,
    path: 'overlays/dev',
    targetRevision: 'main',
    kustomize: { images: ['web=registry/web:2'] },
  };
  await hub.apply([application(hub, 'kustomized', 'overlays/dev', { source })]);
  expect(await rendered('kustomized')).toMatchObject([
    {
      metadata: { name: 'dev-web' },
      spec: { template: { spec: { containers: [{ image: 'registry/web:2' }] } } },
    },
  ]);
});

test('a chart: values, random passwords that stay, and one render each for what is asked of a cluster', async () => {
  hub.commit(
    {
      'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
      'chart/values.yaml': 'replicas: 1\n',
      'chart/values-prod.yaml': 'replicas: 3\n',
      'chart/templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  replicas: "{{ .Values.replicas }}"\n  password: {{ randAlphaNum 8 }}\n  kube: {{ .Capabilities.KubeVersion.Version }}\n  now: {{ now | date "2006-01-02" | quote }}\n',
    },
    'chart',
  );
  const chart = (helm: Record<string, unknown>, name: string) => ({
    source: { repoURL: hub.url, path: 'chart', targetRevision: 'main', helm },
    destination: { name, namespace: 'shop' },
  });
  await hub.apply([
    application(hub, 'chart-dev', 'chart', chart({ parameters: [{ name: 'replicas', value: '2' }] }, 'dev')),
    application(
      hub,
      'chart-prod',
      'chart',
      chart({ valueFiles: ['values-prod.yaml'], releaseName: 'shop' }, 'prod'),
    ),
  ]);
  const [dev] = (await rendered('chart-dev')) as unknown as { data: Record<string, string> }[];
  expect(dev).toMatchObject({
    metadata: { name: 'chart-dev', namespace: 'shop' },
    data: { replicas: '2', kube: 'v1.34.0' },
  });
  expect(dev!.data['now']).toBe(
    new Date(hub.git('log', '-1', '--format=%cI', '--', 'chart')).toISOString().slice(0, 10),
  );
  expect(await rendered('chart-prod', 'prod')).toMatchObject([
    { metadata: { name: 'shop' }, data: { replicas: '3' } },
  ]);
  const password = dev!.data['password'];
  await hub.db.deleteFrom('renders').execute();
  hub.commit({ 'chart/values.yaml': 'replicas: 1\nmore: 1\n' }, 'values');
  const before = (await hub.assignment('dev', 'chart-dev')).bundle_digest;
  await hub.push();
  await hub.eventually(async () => expect((await hub.app('chart-dev')).latestCommit).toBeUndefined());
  await hub.idle();
  expect(
    ((await rendered('chart-dev')) as unknown as { data: Record<string, string> }[])[0]!.data['password'],
  ).toBe(password);
  expect((await hub.assignment('dev', 'chart-dev')).bundle_digest).toBe(before);
});

test.each([
  [
    'a value file out of the repository',
    { valueFiles: ['../../../etc/passwd'] },
    /leads out of the repository|outside/,
  ],
  ['a value file that is not there', { valueFiles: ['none.yaml'] }, /none\.yaml/],
])('%s is refused', async (_what, helm, message) => {
  const name = `refused-${message.source.length}`;
  await hub.apply([
    application(hub, name, 'chart', {
      source: { repoURL: hub.url, path: 'chart', targetRevision: 'main', helm },
    }),
  ]);
  await hub.eventually(async () => expect(await conditionOf(name)).toMatch(message));
});

test('a template that fails names its file and line, one that never ends is ended', async () => {
  hub.commit(
    {
      'wrong/Chart.yaml': 'apiVersion: v2\nname: wrong\nversion: 1.0.0\n',
      'wrong/templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ fail "no such thing" }}\n',
      'endless/Chart.yaml': 'apiVersion: v2\nname: endless\nversion: 1.0.0\n',
      'endless/templates/a.yaml':
        '{{- define "a" }}{{ include "b" . }}{{ end }}{{- define "b" }}{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}{{ end }}{{ include "a" . }}\n',
    },
    'wrong',
  );
  await hub.apply([application(hub, 'wrong', 'wrong'), application(hub, 'endless', 'endless')]);
  await hub.eventually(async () =>
    expect(await conditionOf('wrong')).toMatch(/wrong\/templates\/a\.yaml:4.*no such thing/),
  );
  await hub.eventually(async () => expect(await conditionOf('endless')).toMatch(/second|time|limit/i));
  expect((await hub.app('kustomized')).conditions).toEqual([]);
}, 90_000);

test('files in the source change its settings: for all Applications of it, and for one', async () => {
  const chart = {
    'overridden/Chart.yaml': 'apiVersion: v2\nname: overridden\nversion: 1.0.0\n',
    'overridden/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: {{ .Values.a }}\n  b: {{ .Values.b }}\n',
    'overridden/values.yaml': 'a: chart\nb: chart\n',
    'overridden/.argocd-source.yaml': 'helm:\n  valuesObject: {a: all}\n',
    'overridden/.argocd-source-second.yaml':
      'path: elsewhere\nhelm:\n  releaseName: other\n  valuesObject: {b: second}\n',
  };
  hub.commit(chart, 'overrides');
  const source = {
    repoURL: hub.url,
    path: 'overridden',
    targetRevision: 'main',
    helm: { valuesObject: { a: 'spec', b: 'spec' } },
  };
  await hub.apply([application(hub, 'first', '', { source }), application(hub, 'second', '', { source })]);
  expect(await rendered('first')).toMatchObject([
    { metadata: { name: 'first' }, data: { a: 'all', b: 'spec' } },
  ]);
  expect(await rendered('second')).toMatchObject([
    { metadata: { name: 'other' }, data: { a: 'all', b: 'second' } },
  ]);
  const file = 'overridden/.argocd-source-second.yaml';
  hub.commit({ [file]: 'helm:\n  valuesObject: {b: again}\n' }, 'another');
  await hub.push();
  await hub.eventually(async () =>
    expect(await rendered('second')).toMatchObject([
      { metadata: { name: 'second' }, data: { a: 'all', b: 'again' } },
    ]),
  );
  for (const [content, message] of [
    ['helm: {releasename: x}\n', `${file}: helm.releasename: unknown field`],
    ['- a\n', `${file}: is not a mapping of fields`],
    ['a: b: c\n', `${file}:1: not valid YAML`],
    ['kustomize: {namePrefix: x}\n', `${file}: helm and kustomize exclude each other`],
  ]) {
    hub.commit({ [file]: content! }, 'wrong');
    await hub.push();
    await hub.eventually(async () => expect(await conditionOf('second')).toContain(message));
  }
  expect((await hub.app('first')).conditions).toEqual([]);
  hub.commit({ [file]: '' }, 'nothing');
  await hub.push();
  await hub.eventually(async () => expect((await hub.app('second')).conditions).toEqual([]));
});
