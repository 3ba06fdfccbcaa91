import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Json, parseDocuments } from '@muster/base';
import { Assignment } from '@muster/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { type TestHub, application, startTestHub } from '../../applications/pipeline.fixture.ts';
import { RepositoriesService } from '../repositories.service.ts';
import {
  Helm,
  type HelmServer,
  type Registry,
  USER,
  chartYaml,
  startHelmServer,
  startRegistry,
  tarOf,
  tool,
} from './registry.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-dependencies-'));
const site = join(folder, 'site');
let hub: TestHub;
let helm: Helm;
let web: HelmServer;
let named: HelmServer;
let closed: HelmServer;
let registry: Registry;
let repositories: RepositoriesService;

beforeAll(async () => {
  mkdirSync(site);
  helm = new Helm(await tool('helm'), join(folder, 'helm'));
  [hub, registry, web, named, closed] = await Promise.all([
    startTestHub(folder),
    startRegistry(join(folder, 'registry'), 'password'),
    startHelmServer(site),
    startHelmServer(site),
    startHelmServer(site, { closed: true }),
  ]);
  await hub.cluster('dev');
  repositories = hub.running.app.get(RepositoriesService, { strict: false });
  for (const name of ['web', 'cache', 'extra']) await publish(name, '1.1.0');
  await helm.push(await helm.pack(folder, 'queue', '2.0.0'), `oci://${registry.host}/charts`);
  await helm.run('repo', 'add', 'web', web.url);
  await helm.run('repo', 'add', 'shop', named.url);
  const add = { insecure: false, skipCheck: false };
  await repositories.add({ ...add, url: named.url, kind: 'helm', name: 'shop' }, systemActor);
  const credentials = { username: USER.username, password: USER.password };
  const url = `oci://${registry.host}/charts`;
  await repositories.add({ ...add, url, plainHttp: true, credentials }, systemActor);
}, 600_000);
afterAll(async () => {
  await hub?.stop();
  await Promise.all([registry?.stop(), web?.stop(), named?.stop(), closed?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function publish(name: string, version: string): Promise<void> {
  await helm.pack(site, name, version);
  await helm.run('repo', 'index', site);
}

type Dependency = Record<string, Json>;
const umbrella = (name: string, dependencies: Dependency[]) =>
  chartYaml(name, '0.1.0', `dependencies: ${JSON.stringify(dependencies)}\n`);
const app = (name: string, more: Record<string, unknown> = {}) => application(hub, name, name, more);
const conditionOf = async (name: string) =>
  (await hub.app(name)).conditions.map((one) => one.message).join('; ');
const made = async (name: string) =>
  (await hub.objects(
    Assignment.decode((await hub.assignment('dev', name)).payload).bundleDigest,
  )) as unknown as {
    metadata: { name: string };
    data: Record<string, string>;
  }[];
const versionIn = async (name: string) => (await made(name))[0]!.data['version'];

/** The chart with what helm fetches for it, its lock, and what helm then renders. */
async function asHelm(name: string, files: Record<string, string>) {
  const root = join(folder, 'as-helm', name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const chart = join(root, name);
  await helm.run('dependency', 'update', chart, '--plain-http');
  await helm.run('dependency', 'build', chart, '--plain-http');
  const printed = await helm.run('template', name, chart, '--namespace', 'shop');
  return {
    lock: readFileSync(join(chart, 'Chart.lock'), 'utf8'),
    objects: parseDocuments(printed).map(({ value }) => value),
  };
}

/** In the order of their names: helm and the hub order kinds alike, but not always within one. */
const sorted = (objects: unknown[]) =>
  (objects as { metadata: { name: string } }[]).toSorted((a, b) =>
    a.metadata.name < b.metadata.name ? -1 : 1,
  );

test('a locked chart gets its dependencies from everywhere, as helm dependency build and helm template do', async () => {
  const dependencies: Dependency[] = [
    { name: 'web', version: '1.x', repository: web.url },
    { name: 'web', version: '1.x', repository: web.url, alias: 'second' },
    { name: 'cache', version: '>=1', repository: '@shop' },
    { name: 'queue', version: '^2.0.0', repository: `oci://${registry.host}/charts` },
    { name: 'extra', version: '1.1.0', repository: 'alias:shop', condition: 'extra.enabled' },
    { name: 'near', version: '0.3.0', repository: 'file://../near' },
  ];
  const files = {
    'locked/Chart.yaml': umbrella('locked', dependencies),
    'locked/values.yaml': 'extra:\n  enabled: false\nweb:\n  color: red\n',
    'near/Chart.yaml': chartYaml('near', '0.3.0'),
    'near/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: near\ndata:\n  a: {{ .Chart.Name }}\n',
  };
  const wanted = await asHelm('locked', files);
  await publish('web', '1.2.0');
  hub.commit({ ...files, 'locked/Chart.lock': wanted.lock }, 'an umbrella with a lock');
  await hub.apply([app('locked')]);
  const objects = await made('locked');
  expect(sorted(objects)).toEqual(sorted(wanted.objects));
  expect(objects.map((one) => one.metadata.name)).toContain('locked-second');
  expect(objects.map((one) => one.metadata.name)).not.toContain('locked-extra');
  expect(await conditionOf('locked')).toBe('');
});

test('a range without a lock stays at what it was found to be until somebody accepts what is newer', async () => {
  hub.commit(
    { 'ranged/Chart.yaml': umbrella('ranged', [{ name: 'web', version: '^1', repository: web.url }]) },
    'no lock',
  );
  await hub.apply([app('ranged')]);
  expect(await versionIn('ranged')).toBe('1.2.0');
  await publish('web', '1.3.0');
  const { id } = (await repositories.list(systemActor, 500)).items.find(
    (one) => one.url.replace(/\/$/, '') === web.url,
  )!;
  await repositories.refresh(id, systemActor, false);
  await hub.idle();
  hub.commit({ 'ranged/values.yaml': 'web:\n  color: pink\n' }, 'values only');
  await hub.push();
  await hub.eventually(async () => expect((await made('ranged'))[0]!.data['color']).toBe('pink'));
  expect(await versionIn('ranged')).toBe('1.2.0');
  const revisions = (await repositories.list(systemActor, 500)).items.find((one) => one.id === id)!.revisions;
  expect(revisions.find(({ revision }) => revision === 'web@^1')?.offered).toMatch(/^web:1\.3\.0@/);
  await repositories.refresh(id, systemActor, true);
  await hub.eventually(async () => expect(await versionIn('ranged')).toBe('1.3.0'));
});

test('a chart from a repository gets what its archive does not bring along', async () => {
  await publishBare('bare', [{ name: 'cache', version: '1.1.0', repository: web.url }]);
  await hub.apply([
    application(hub, 'bare', '', { source: { repoURL: web.url, chart: 'bare', targetRevision: '*' } }),
  ]);
  expect((await made('bare')).map((one) => one.metadata.name)).toContain('bare-cache');
});

/** Packs a chart without its dependencies, which helm package refuses to do. */
async function publishBare(name: string, dependencies: Dependency[]): Promise<void> {
  const archive = await tarOf([{ name: `${name}/Chart.yaml`, content: umbrella(name, dependencies) }]);
  writeFileSync(join(site, `${name}-0.1.0.tgz`), archive);
  await helm.run('repo', 'index', site);
}

test('what cannot be fetched is named, with what to do', async () => {
  const one = (repository: string, version = '1.x', name = 'web') => [{ name, version, repository }];
  const lock =
    'dependencies:\n- name: web\n  repository: x\n  version: 1.0.0\ndigest: sha256:0\ngenerated: "2026-01-01T00:00:00Z"\n';
  const wrong: Record<string, [Dependency[], RegExp]> = {
    'no-alias': [
      one('@nobody'),
      /the dependency web 1\.x from @nobody: no repository of charts .* nobody .*muster repo add/,
    ],
    'no-version': [one(web.url, '9.x'), /the dependency web 9\.x from http.*: .*web has no version 9\.x/],
    'no-chart': [one(web.url, '1.x', 'webs'), /the dependency webs 1\.x from http.*: .*has no chart webs/],
    'no-password': [one(closed.url), /the dependency web 1\.x from http.*: .*muster repo add/],
    'no-folder': [
      one('file://../gone'),
      /the dependency web 1\.x from file:\/\/\.\.\/gone: .*no such folder/,
    ],
    outside: [one('file://../../etc'), /not in the same repository/],
    'other-version': [one('file://../near', '9.x', 'near'), /its version 0\.3\.0 is not 9\.x/],
    git: [one('git+https://example.com/x'), /charts are not fetched from git\+https/],
    stale: [one(web.url), /out of step with the dependencies in stale\/Chart\.yaml .*helm dependency update/],
  };
  const files: Record<string, string> = { 'stale/Chart.lock': lock };
  for (const [name, [dependencies]] of Object.entries(wrong))
    files[`${name}/Chart.yaml`] = umbrella(name, dependencies);
  hub.commit(files, 'charts that cannot be');
  await hub.apply(Object.keys(wrong).map((name) => app(name)));
  await hub.push();
  for (const [name, [, message]] of Object.entries(wrong))
    await hub.eventually(async () => expect(await conditionOf(name)).toMatch(message));
});

test('a dependency that asks for a password is fetched once its repository is registered', async () => {
  await hub.eventually(async () => expect(await conditionOf('no-password')).not.toBe(''));
  await repositories.add(
    { insecure: false, skipCheck: false, url: closed.url, kind: 'helm', credentials: { ...USER } },
    systemActor,
  );
  expect(await versionIn('no-password')).toBe('1.3.0');
  await hub.eventually(async () => expect(await conditionOf('no-password')).toBe(''));
});

test('a repository that the project does not allow is not asked', async () => {
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'narrow' },
    spec: { sourceRepos: [hub.url], destinations: [{ name: '*', namespace: '*', server: '*' }] },
  };
  await hub.apply([project]);
  await hub.apply([
    { ...app('denied', { project: 'narrow' }), spec: { ...app('ranged').spec, project: 'narrow' } },
  ]);
  await hub.eventually(async () =>
    expect(await conditionOf('denied')).toMatch(/the dependency web \^1 .* does not allow the repository/),
  );
});

test('a repository that is down keeps what is deployed, and says so', async () => {
  rmSync(join(folder, 'data', 'charts'), { recursive: true, force: true });
  const before = await hub.assignment('dev', 'ranged');
  const { id } = (await repositories.list(systemActor, 500)).items.find(
    (one) => one.url.replace(/\/$/, '') === web.url,
  )!;
  await web.stop();
  await repositories.refresh(id, systemActor, false);
  await hub.eventually(async () =>
    expect(await conditionOf('ranged')).toMatch(/the dependency web .*cannot be reached/),
  );
  expect(await hub.assignment('dev', 'ranged')).toEqual(before);
});
