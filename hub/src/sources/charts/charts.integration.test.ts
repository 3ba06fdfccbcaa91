import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  pushArtifact,
  startHelmServer,
  startRegistry,
  tarOf,
  tool,
} from './registry.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-charts-'));
const site = join(folder, 'site');
let hub: TestHub;
let helm: Helm;
let web: HelmServer;
let registry: Registry;
let withTokens: Registry;
let repositories: RepositoriesService;
let broken: string | undefined;

beforeAll(async () => {
  mkdirSync(site);
  helm = new Helm(await tool('helm'), join(folder, 'helm'));
  [hub, registry, withTokens, web] = await Promise.all([
    startTestHub(folder),
    startRegistry(join(folder, 'registry'), 'password'),
    startRegistry(join(folder, 'tokens'), 'token'),
    startHelmServer(site, {
      closed: true,
      answer: (path, response) => {
        if (broken === undefined || !path.includes(broken)) return false;
        response.writeHead(200).end('not the archive');
        return true;
      },
    }),
  ]);
  await hub.cluster('dev');
  repositories = hub.running.app.get(RepositoriesService, { strict: false });
  for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) await publish('web', version);
}, 600_000);
afterAll(async () => {
  await hub?.stop();
  await Promise.all([registry?.stop(), withTokens?.stop(), web?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function publish(name: string, version: string, files: Record<string, string> = {}): Promise<void> {
  await helm.pack(site, name, version, files);
  await helm.run('repo', 'index', site);
}

const plain = { insecure: false, skipCheck: false };
const chart = (name: string, repoURL: string, targetRevision: string, more: Record<string, unknown> = {}) =>
  application(hub, name, '', {
    source: { repoURL, chart: 'web', targetRevision, ...more },
    destination: { name: 'dev', namespace: 'shop' },
  });
type Made = { metadata: { name: string }; data: Record<string, string> }[];
const made = async (name: string) =>
  (await hub.objects(
    Assignment.decode((await hub.assignment('dev', name)).payload).bundleDigest,
  )) as unknown as Made;
const conditionOf = async (name: string) => (await hub.app(name)).conditions[0]?.message;
const read = async (url: string, accept = false) => {
  const all = (await repositories.list(systemActor, 500)).items;
  const found = all.find((one) => one.url.replace(/\/$/, '') === url)!;
  await repositories.refresh(found.id, systemActor, accept);
  await hub.idle();
  return (await repositories.list(systemActor, 500)).items.find((one) => one.id === found.id)!;
};

test('a Helm repository that asks for a password is added only with the right one', async () => {
  const add = (password?: string) =>
    repositories.add(
      {
        ...plain,
        url: web.url,
        kind: 'helm',
        ...(password ? { credentials: { username: 'ada', password } } : {}),
      },
      systemActor,
    );
  await expect(add()).rejects.toMatchObject({ code: 'forbidden', hint: expect.stringContaining('register') });
  await expect(add('wrong')).rejects.toMatchObject({
    code: 'forbidden',
    hint: expect.stringContaining('check'),
  });
  await expect(
    repositories.add({ ...plain, url: `${web.url}/none`, kind: 'helm', credentials: USER }, systemActor),
  ).rejects.toMatchObject({ code: 'not-found' });
  expect(await add(USER.password)).toMatchObject({ kind: 'helm', credentials: 'password', registered: true });
});

test('the highest version of a range is deployed, pinned by its digest, as helm renders it', async () => {
  const values = { color: 'blue' };
  await hub.apply([chart('ranged', web.url, '1.x', { helm: { releaseName: 'shop', valuesObject: values } })]);
  const objects = await made('ranged');
  const view = await hub.app('ranged');
  expect(view.conditions).toEqual([]);
  expect(view.revision?.commit).toMatch(/^web:1\.1\.0@sha256:[0-9a-f]{64}$/);
  const printed = await helm.run(
    'template',
    'shop',
    join(site, 'web-1.1.0.tgz'),
    '--namespace',
    'shop',
    '--set',
    'color=blue',
  );
  expect(objects).toEqual(parseDocuments(printed).map(({ value }) => value as Json));
});

test('a chart from a repository takes its values from a Git repository, by ref', async () => {
  hub.commit({ 'env/dev.yaml': 'color: green\n' }, 'values of dev');
  const sources = [
    {
      repoURL: web.url,
      chart: 'web',
      targetRevision: '1.0.0',
      helm: { valueFiles: ['$values/env/dev.yaml'] },
    },
    { repoURL: hub.url, targetRevision: 'main', ref: 'values' },
  ];
  await hub.apply([application(hub, 'with-values', '', { source: undefined, sources })]);
  expect((await made('with-values'))[0]!.data).toMatchObject({ version: '1.0.0', color: 'green' });
});

test('a new version that the range takes is deployed at the next poll, and its release says so', async () => {
  await publish('web', '1.2.0');
  const after = await read(web.url);
  expect(after.error).toBeUndefined();
  expect(after.revisions.find(({ revision }) => revision === 'web@1.x')).toMatchObject({
    message: 'web 1.2.0 (app version 9)',
  });
  await hub.eventually(async () => expect((await made('ranged'))[0]!.data['version']).toBe('1.2.0'));
  const releases = await hub.db.selectFrom('releases').select('cause').orderBy('number').execute();
  expect(releases.map(({ cause }) => cause)).toContain('web:1.2.0 on web@1.x');
  const fetched = () => web.asked.filter(({ path }) => path.endsWith('.tgz')).length;
  const before = fetched();
  await read(web.url);
  expect(web.asked.at(-1)).toMatchObject({ path: '/index.yaml', status: 304 });
  expect(fetched()).toBe(before);
});

test('a version that was overwritten stays as it was, is reported, and is taken when that is accepted', async () => {
  await hub.apply([chart('exact', web.url, '1.1.0')]);
  const [before] = await made('exact');
  await publish('web', '1.1.0', {
    'templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: changed\n',
  });
  const { revisions } = await read(web.url);
  const exact = revisions.find(({ revision }) => revision === 'web@1.1.0')!;
  expect(exact.error).toMatch(/web 1\.1\.0 was overwritten .* it was sha256:.* and is sha256:/);
  expect(exact.offered).toMatch(/^web:1\.1\.0@sha256:/);
  await hub.eventually(async () => expect(await conditionOf('exact')).toMatch('was overwritten'));
  expect((await made('exact'))[0]).toEqual(before);
  await read(web.url, true);
  await hub.eventually(async () => expect((await made('exact'))[0]!.metadata.name).toBe('changed'));
  await hub.eventually(async () => expect((await hub.app('exact')).conditions).toEqual([]));
  const audited = await hub.db.selectFrom('audit').select('action').execute();
  expect(audited.map(({ action }) => action)).toContain('repository.accept');
});

test('an archive that is not what the index says is not deployed: the last good one stays', async () => {
  const before = await hub.assignment('dev', 'ranged');
  await publish('web', '1.3.0');
  broken = 'web-1.3.0.tgz';
  const { revisions } = await read(web.url);
  expect(revisions.find(({ revision }) => revision === 'web@1.x')).toMatchObject({
    commit: expect.stringContaining('web:1.2.0@'),
    error: expect.stringMatching(/the archive of web 1\.3\.0 has the digest sha256:.* instead of sha256:/),
  });
  await hub.eventually(async () => expect(await conditionOf('ranged')).toMatch('has the digest'));
  expect(await hub.assignment('dev', 'ranged')).toEqual(before);
  broken = undefined;
  await read(web.url);
  await hub.eventually(async () => expect((await made('ranged'))[0]!.data['version']).toBe('1.3.0'));
});

test('an archive that leads out of its folder is not deployed', async () => {
  const archive = await tarOf([
    { name: 'evil/Chart.yaml', content: 'x' },
    { name: 'evil/../../x', content: 'x' },
  ]);
  writeFileSync(join(site, 'evil-1.0.0.tgz'), archive);
  const index = readFileSync(join(site, 'index.yaml'), 'utf8');
  writeFileSync(
    join(site, 'index.yaml'),
    index.replace('entries:', 'entries:\n  evil:\n  - {name: evil, version: 1.0.0, urls: [evil-1.0.0.tgz]}'),
  );
  await hub.apply([chart('evil', web.url, '*', { chart: 'evil' })]);
  await hub.eventually(async () => expect(await conditionOf('evil')).toMatch('leads out of it'));
  expect(await hub.app('evil')).not.toHaveProperty('revision.commit');
  rmSync(join(site, 'evil-1.0.0.tgz'));
  await helm.run('repo', 'index', site);
});

test('what is not there is named, with what is', async () => {
  await hub.apply([chart('none', web.url, '9.x'), chart('other', web.url, '', { chart: 'webs' })]);
  await hub.eventually(async () =>
    expect(await conditionOf('none')).toMatch('web has no version 9.x (the highest is 1.3.0'),
  );
  await hub.eventually(async () =>
    expect(await conditionOf('other')).toMatch('has no chart webs (it has web)'),
  );
});

test('an empty cache is filled again, and a repository that is down keeps what is deployed', async () => {
  rmSync(join(folder, 'data', 'charts'), { recursive: true, force: true });
  await hub.apply([chart('again', web.url, '1.3.0', { helm: { releaseName: 'again' } })]);
  expect((await made('again'))[0]!.metadata.name).toBe('again-web');
  const before = await hub.assignment('dev', 'again');
  const url = web.url;
  await web.stop();
  expect((await read(url)).error).toMatch(/cannot be reached: ECONNREFUSED/);
  await hub.eventually(async () => expect(await conditionOf('again')).toMatch('cannot be reached'));
  expect(await hub.assignment('dev', 'again')).toEqual(before);
});

test.each([
  ['a password', () => registry],
  ['tokens', () => withTokens],
])('a chart from a registry that asks for %s', async (what, at) => {
  const { host } = at();
  const url = `oci://${host}/charts`;
  const name = what.replaceAll(' ', '-');
  for (const version of ['1.0.0', '1.1.0+build.7'])
    await helm.push(await helm.pack(folder, 'web', version), url);
  await hub.apply([chart(name, url, '1.x')]);
  await hub.eventually(async () => expect(await conditionOf(name)).toBeTruthy());
  const add = (password: string) =>
    repositories.add(
      { ...plain, url, plainHttp: true, credentials: { username: 'ada', password } },
      systemActor,
    );
  await expect(add('wrong')).rejects.toMatchObject({ code: 'forbidden' });
  // Registered for all charts below it; the one that is followed is another row.
  expect(await add(USER.password)).toMatchObject({ kind: 'oci', credentials: 'password' });
  await read(`${url}/web`);
  expect((await made(name))[0]!.data['version']).toBe('1.1.0+build.7');
  expect((await hub.app(name)).revision?.commit).toMatch(/^web:1\.1\.0\+build\.7@sha256:/);
  await helm.push(await helm.pack(folder, 'web', '1.2.0'), url);
  await read(`${url}/web`);
  await hub.eventually(async () => expect((await made(name))[0]!.data['version']).toBe('1.2.0'));
  const printed = await helm.run('template', name, join(folder, 'web-1.2.0.tgz'), '--namespace', 'shop');
  expect(await made(name)).toEqual(parseDocuments(printed).map(({ value }) => value));
});

test('a chart without a scheme comes from a registry; a tag that was overwritten is reported', async () => {
  const url = `oci://${registry.host}/charts`;
  await hub.apply([chart('schemeless', `${registry.host}/charts`, '1.2.0')]);
  await made('schemeless');
  await helm.push(await helm.pack(folder, 'web', '1.2.0', { 'templates/b.yaml': '' }), url);
  const { revisions } = await read(`${url}/web`);
  expect(revisions.find(({ revision }) => revision === '1.2.0')?.error).toMatch('was overwritten');
  // Two replicas: this one has nothing and gets the manifest by the digest that is pinned.
  rmSync(join(folder, 'data', 'charts'), { recursive: true, force: true });
  await hub.apply([
    chart('by-digest', `${registry.host}/charts`, '1.2.0', { helm: { values: 'color: red' } }),
  ]);
  expect((await made('by-digest'))[0]!.data['color']).toBe('red');
});

test('an artifact of plain manifests is followed by its tag', async () => {
  const repository = `${registry.host}/charts/manifests`;
  const config = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
  await pushArtifact(repository, 'latest', await tarOf([{ name: 'apps/a.yaml', content: config('one') }]));
  const source = { repoURL: `oci://${repository}`, path: 'apps', targetRevision: 'latest' };
  await hub.apply([application(hub, 'artifact', 'apps', { source })]);
  expect((await made('artifact'))[0]!.metadata.name).toBe('one');
  await pushArtifact(
    repository,
    'latest',
    await tarOf([{ name: './apps/a.yaml', content: config('two') }], false),
    'application/vnd.oci.image.layer.v1.tar',
  );
  await read(`oci://${repository}`);
  await hub.eventually(async () => expect((await made('artifact'))[0]!.metadata.name).toBe('two'));
  const digest = await pushArtifact(repository, 'other', Buffer.from('{}'), 'application/json');
  const wrong = application(hub, 'no-files', 'apps', { source: { ...source, targetRevision: digest } });
  await hub.apply([wrong]);
  await hub.eventually(async () =>
    expect(await conditionOf('no-files')).toMatch('must have one layer that is a tar'),
  );
});

test('no password is in what is shown or kept', async () => {
  const rows = await hub.db.selectFrom('repositories').selectAll().execute();
  const audit = await hub.db.selectFrom('audit').selectAll().execute();
  const shown = await repositories.list(systemActor, 500);
  const all = JSON.stringify(
    [rows, audit.map((one) => ({ ...one, id: '' })), shown],
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
  expect(all).not.toContain(USER.password);
  expect(rows.every((row) => !row.credentials_sealed?.includes(USER.password))).toBe(true);
});
