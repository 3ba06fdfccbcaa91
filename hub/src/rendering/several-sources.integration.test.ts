import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '@muster/kube';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { type TestRepository, makeRepository } from '../sources/repository.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-several-'));
let hub: TestHub;
let values: TestRepository;

beforeAll(async () => {
  hub = await startTestHub(folder);
  values = makeRepository(folder, 'values');
  await hub.cluster('dev');
  hub.commit(
    {
      'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
      'chart/values.yaml': 'greeting: hello\nfile: none\n',
      'chart/templates/a.yaml': `${configMap('{{ .Release.Name }}', '{{ .Values.greeting }}')}  file: {{ .Values.file }}\n`,
      'clock/Chart.yaml': 'apiVersion: v2\nname: clock\nversion: 1.0.0\n',
      'clock/templates/a.yaml': `${configMap('clock', '{{ now | unixEpoch | quote }}')}  greeting: {{ .Values.greeting }}\n`,
      'plain/a.yaml': configMap('plain', 'one'),
      'extra/a.yaml': configMap('extra', 'one'),
    },
    'first',
  );
  values.commit(
    {
      'env/dev.yaml': 'greeting: from-values\n',
      'env/web-app.yaml': 'greeting: for-web-app\n',
      'text/motd': 'of-the-day',
      'manifests/b.yaml': configMap('of-values', 'two'),
    },
    'values',
  );
}, 120_000);
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: ${value}\n`;
}

type Sources = Record<string, unknown>[];

function several(name: string, sources: Sources, spec: Record<string, unknown> = {}) {
  const { source: _source, ...rest } = application(hub, name, '').spec;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name },
    spec: { ...rest, sources, ...spec },
  };
}

const chart = (helm: Record<string, unknown>, path = 'chart') => ({
  repoURL: hub.url,
  path,
  targetRevision: 'main',
  helm,
});
const ref = (over: Record<string, unknown> = {}) => ({
  repoURL: values.url,
  targetRevision: 'main',
  ref: 'values',
  ...over,
});
const plain = (path: string, over: Record<string, unknown> = {}) => ({
  repoURL: hub.url,
  path,
  targetRevision: 'main',
  ...over,
});

async function dataOf(name: string): Promise<Record<string, unknown>> {
  const { bundle_digest: digest } = await hub.assignment('dev', name);
  const objects = await hub.objects(digest!);
  return Object.fromEntries(
    objects.map((one: KubeObject) => [one.metadata.name!, (one as { data?: unknown }).data]),
  );
}

/** Waits for an Application's objects. */
async function eventuallyData(name: string, data: Record<string, unknown>): Promise<void> {
  await hub.assignment('dev', name);
  await hub.eventually(async () => expect(await dataOf(name)).toEqual(data));
}

test('a chart takes values and files from another repository, by ref', async () => {
  await hub.apply([
    several('by-ref', [
      chart({
        valueFiles: ['$values/env/dev.yaml'],
        fileParameters: [{ name: 'file', path: '$values/text/motd' }],
      }),
      ref(),
    ]),
  ]);
  await eventuallyData('by-ref', { 'by-ref': { key: 'from-values', file: 'of-the-day' } });
  const view = await hub.app('by-ref');
  expect(view.sources).toEqual([
    { repoURL: hub.url, path: 'chart', targetRevision: 'main', commit: hub.git('rev-parse', 'HEAD') },
    { repoURL: values.url, targetRevision: 'main', ref: 'values', commit: values.git('rev-parse', 'HEAD') },
  ]);
  expect(view.conditions).toEqual([]);
});

test('a commit to the repository of values renders again, one that touched nothing that was read writes nothing', async () => {
  const commit = values.commit({ 'env/dev.yaml': 'greeting: changed\n' }, 'another greeting');
  await hub.push(values.url);
  await eventuallyData('by-ref', { 'by-ref': { key: 'changed', file: 'of-the-day' } });
  await hub.eventually(async () => {
    const view = await hub.app('by-ref');
    expect(view.sources?.map((one) => one.commit)).toEqual([hub.git('rev-parse', 'HEAD'), commit]);
    expect(view.revision?.message).toBe('another greeting');
  });
  const releases = await hub.db
    .selectFrom('releases')
    .select('cause')
    .orderBy('created_at', 'desc')
    .execute();
  expect(releases[0]!.cause).toBe(`commit ${commit.slice(0, 7)} on main`);
  await hub.idle();
  const rows = () => hub.db.selectFrom('applications').select(sql<string>`xmin::text`.as('x')).execute();
  const renders = () => hub.db.selectFrom('renders').select('input_key').execute();
  const before = [await rows(), await renders(), await hub.assignment('dev', 'by-ref')];
  const later = values.commit({ 'elsewhere/x.yaml': 'a: 1\n' }, 'elsewhere');
  await hub.push(values.url);
  await hub.eventually(async () =>
    expect((await hub.app('by-ref')).sources?.[1]).toMatchObject({ commit, latestCommit: later }),
  );
  await hub.idle();
  expect([await rows(), await renders(), await hub.assignment('dev', 'by-ref')]).toEqual(before);
});

test('each source has its own tool and revision; a ref with a path renders too; all are one bundle', async () => {
  hub.git('branch', 'old');
  hub.commit({ 'extra/a.yaml': configMap('extra', 'newer') }, 'newer');
  await hub.apply([
    several('mixed', [
      chart({ valueFiles: ['$values/env/$ARGOCD_APP_NAME.yaml'], ignoreMissingValueFiles: true }),
      plain('extra', { targetRevision: 'old', name: 'extras' }),
      ref({ path: 'manifests' }),
    ]),
    several('web-app', [chart({ valueFiles: ['$values/env/$ARGOCD_APP_NAME.yaml'] }), ref()]),
  ]);
  await eventuallyData('mixed', {
    mixed: { key: 'hello', file: 'none' },
    extra: { key: 'one' },
    'of-values': { key: 'two' },
  });
  await eventuallyData('web-app', { 'web-app': { key: 'for-web-app', file: 'none' } });
  const { sources } = await hub.app('mixed');
  expect(sources?.[1]).toMatchObject({ name: 'extras', commit: hub.git('rev-parse', 'old') });
});

test('of an object in two sources the later one counts, with a warning', async () => {
  hub.commit({ 'override/a.yaml': configMap('plain', 'overridden') }, 'override');
  await hub.apply([several('twice', [plain('plain'), plain('override')])]);
  await eventuallyData('twice', { plain: { key: 'overridden' } });
  expect((await hub.app('twice')).conditions).toMatchObject([
    {
      type: 'RepeatedResourceWarning',
      message: expect.stringContaining(
        'Resource /ConfigMap//plain appeared 2 times among application resources',
      ),
    },
  ]);
  await hub.apply([several('twice', [plain('override'), plain('plain')])]);
  await eventuallyData('twice', { plain: { key: 'one' } });
});

test('the clock stands where a file that was read changed last, in whichever repository', async () => {
  await hub.apply([several('clock', [chart({ valueFiles: ['$values/env/dev.yaml'] }, 'clock'), ref()])]);
  const touched = values.git('log', '-1', '--format=%ct', '--', 'env/dev.yaml');
  await eventuallyData('clock', { clock: { key: touched, greeting: 'changed' } });
});

test('a chart in the root of its repository does not see what it refers to', async () => {
  const root = makeRepository(folder, 'root');
  root.commit(
    {
      'Chart.yaml': 'apiVersion: v2\nname: root\nversion: 1.0.0\n',
      'templates/a.yaml': configMap(
        'root',
        '{{ .Values.greeting }}-{{ range $path, $_ := .Files.Glob "**" }}{{ $path }}{{ end }}',
      ),
    },
    'root',
  );
  await hub.apply([
    several('root', [
      { repoURL: root.url, path: '.', helm: { valueFiles: ['$values/env/dev.yaml'] } },
      ref(),
    ]),
  ]);
  await eventuallyData('root', { root: { key: 'changed-' } });
});

test('sources of one repository may refer to each other at different revisions', async () => {
  hub.commit({ 'chart/extra.yaml': 'greeting: newest\n' }, 'extra values');
  hub.git('branch', '-f', 'pinned', 'main~1');
  await hub.apply([
    several('circle', [
      {
        ...chart({ valueFiles: ['$b/chart/extra.yaml'], releaseName: 'one' }),
        targetRevision: 'pinned',
        ref: 'a',
      },
      { ...chart({ valueFiles: ['$a/chart/values.yaml'], releaseName: 'two' }), ref: 'b' },
    ]),
  ]);
  await eventuallyData('circle', {
    one: { key: 'newest', file: 'none' },
    two: { key: 'hello', file: 'none' },
  });
});

test('what is wrong with one source keeps the last good release, and says which', async () => {
  const good = [chart({ valueFiles: ['$values/env/dev.yaml'] }), ref()];
  await hub.apply([several('wrong', good)]);
  await eventuallyData('wrong', { wrong: { key: 'changed', file: 'none' } });
  const before = await hub.assignment('dev', 'wrong');
  const condition = async (sources: Sources) => {
    await hub.apply([several('wrong', sources)]);
    await hub.idle();
    expect(await hub.assignment('dev', 'wrong')).toEqual(before);
    const [found, ...more] = (await hub.app('wrong')).conditions;
    expect(more).toEqual([]);
    return `${found?.type}: ${found?.message}`;
  };
  expect(await condition([chart({ valueFiles: ['$values/env/none.yaml'] }), ref()])).toMatch(
    /^RenderError: spec\.sources\[0\]: \$values\/env\/none\.yaml: value file \$values\/env\/none\.yaml does not exist/,
  );
  expect(await condition([...good, plain('nowhere', { name: 'third' })])).toMatch(
    /^RenderError: spec\.sources\[2\]\.path: the path nowhere does not exist/,
  );
  expect(await condition([good[0]!, ref({ targetRevision: 'none' })])).toMatch(
    /^SourceError: spec\.sources\[1\]: .*the revision none is not a branch/,
  );
  expect(await condition([chart({ valueFiles: ['$values/../x'] }), ref()])).toMatch(
    /^RenderError: spec\.sources\[0\]\.helm\.valueFiles\[0\]: the path leads out of the repository/,
  );
  symlinkSync('../../work/chart/values.yaml', join(values.work, 'env', 'link.yaml'));
  values.commit({}, 'a link');
  await hub.push(values.url);
  await hub.idle();
  expect(await condition([chart({ valueFiles: ['$values/env/link.yaml'] }), ref()])).toMatch(
    /^RenderError: spec\.sources\[0\]: .*the symlink points out of the repository/,
  );
  await expect(hub.apply([several('wrong', [chart({ valueFiles: ['$val/x'] }), ref()])])).rejects.toThrow(
    'spec.sources[0].helm.valueFiles[0]: $val is not the ref of a source (there is $values)',
  );
  await hub.apply([several('wrong', good)]);
  await hub.eventually(async () => expect((await hub.app('wrong')).conditions).toEqual([]));
});

test('a project has to allow the repository of each source', async () => {
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'narrow' },
    spec: { sourceRepos: [hub.url], destinations: [{ server: '*', namespace: '*' }] },
  };
  await hub.apply([project]);
  const sources = [chart({ valueFiles: ['$values/env/dev.yaml'] }), ref()];
  await expect(hub.apply([several('denied', sources, { project: 'narrow' })])).rejects.toMatchObject({
    code: 'forbidden',
    where: 'spec.sources[1]',
  });
  await hub.apply([several('denied', sources)]);
  await eventuallyData('denied', { denied: { key: 'changed', file: 'none' } });
  const { spec } = project;
  await hub.apply([
    { ...project, metadata: { name: 'default' }, spec: { ...spec, clusterResourceWhitelist: [] } },
  ]);
  await hub.eventually(async () =>
    expect((await hub.app('denied')).conditions[0]).toMatchObject({
      type: 'ProjectDenied',
      message: expect.stringMatching(/^spec\.sources\[1\]: project "default" does not allow the repository/),
    }),
  );
  await hub.apply([{ ...project, metadata: { name: 'default' }, spec: { ...spec, sourceRepos: ['*'] } }]);
  await hub.idle();
});

test('a thousand Applications of two sources share the renders of each', async () => {
  hub.commit({ 'bulk/a.yaml': configMap('bulk', 'one') }, 'bulk');
  await hub.push();
  await hub.idle();
  const count = async (table: 'renders' | 'bundles') =>
    Number(
      (await hub.db.selectFrom(table).select(sql<bigint>`count(*)`.as('n')).executeTakeFirstOrThrow()).n,
    );
  const before = { renders: await count('renders'), bundles: await count('bundles') };
  await hub.apply([
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: 'bulk' },
      spec: {
        generators: [{ list: { elements: Array.from({ length: 1000 }, (_, i) => ({ n: String(i) })) } }],
        template: {
          metadata: { name: 'bulk-{{n}}' },
          spec: {
            project: 'default',
            sources: [chart({ releaseName: 'same' }), plain('bulk')],
            destination: { name: 'dev', namespace: 'shop' },
          },
        },
      },
    },
  ]);
  const assigned = async () =>
    hub.db
      .selectFrom('assignments')
      .select(sql<bigint>`count(*)`.as('n'))
      .select(sql<bigint>`count(distinct bundle_digest)`.as('digests'))
      .where('application_name', 'like', 'bulk-%')
      .executeTakeFirstOrThrow();
  await hub.eventually(async () => expect(await assigned()).toEqual({ n: 1000n, digests: 1n }));
  expect(await count('bundles')).toBe(before.bundles + 3);
  expect(await count('renders')).toBe(before.renders + 3);
  await hub.idle();
  const settled = { renders: await count('renders'), bundles: await count('bundles') };
  hub.commit({ 'bulk/a.yaml': configMap('bulk', 'two') }, 'bulk changes');
  await hub.push();
  await hub.eventually(async () => {
    const { bundle_digest: digest } = await hub.assignment('dev', 'bulk-999');
    expect(await hub.objects(digest!)).toMatchObject([
      { data: { key: 'two' } },
      { metadata: { name: 'same' } },
    ]);
  });
  await hub.eventually(async () => expect(await assigned()).toEqual({ n: 1000n, digests: 1n }));
  expect(await count('bundles')).toBe(settled.bundles + 2);
  expect(await count('renders')).toBe(settled.renders + 2);
});
