import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Action } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { ApplicationRevisions } from './application-revisions.service.ts';
import { ApplicationViews } from './application-views.service.ts';
import { ApplyService } from './apply.service.ts';
import { type TestHub, application, configMap, startTestHub } from './pipeline.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-pipeline-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev', { env: 'dev' });
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const contentOf = (name: string) => hub.assigned('dev', name);
const conditionsOf = async (name: string) => (await hub.app(name)).conditions;

test('an Application that is applied becomes a bundle, a release and a signed assignment', async () => {
  hub.commit({ 'plain/a.yaml': configMap('a', 'one') }, 'first');
  const applied = await hub.apply([application(hub, 'plain', 'plain')]);
  expect(applied.results).toEqual([
    { kind: 'Application', namespace: 'argocd', name: 'plain', result: 'created', conditions: [] },
  ]);
  const assignment = await contentOf('plain');
  expect(assignment).toMatchObject({
    applicationName: 'plain',
    action: Action.APPLY,
    destinationNamespace: 'shop',
    syncPolicy: { automated: true, prune: true, selfHeal: true },
  });
  expect(assignment.project?.namespaces).toEqual(['*']);
  expect(await hub.objects(assignment.bundleDigest)).toMatchObject([
    { kind: 'ConfigMap', data: { key: 'one' } },
  ]);
});

test('applying the same again changes nothing, and a dry run leaves no trace', async () => {
  const again = await hub.apply([application(hub, 'plain', 'plain')]);
  expect(again.results[0]!.result).toBe('unchanged');
  const dry = await hub.apply([application(hub, 'dry', 'plain')], true);
  expect(dry).toMatchObject({ dryRun: true, results: [{ result: 'created' }] });
  await expect(hub.app('dry')).rejects.toThrow('there is no Application argocd/dry');
});

test('a commit moves the assignment, one that touched nothing that was read writes nothing', async () => {
  await hub.idle();
  const before = await hub.assignment('dev', 'plain');
  const commit = hub.commit({ 'plain/a.yaml': configMap('a', 'two') }, 'second');
  await hub.push();
  await hub.eventually(async () =>
    expect((await hub.assignment('dev', 'plain')).generation).toBeGreaterThan(before.generation),
  );
  expect(await hub.objects((await contentOf('plain')).bundleDigest)).toMatchObject([
    { data: { key: 'two' } },
  ]);
  expect((await hub.app('plain')).revision).toMatchObject({ commit, message: 'second' });
  await hub.idle();
  const settled = await hub.db.selectFrom('applications').select(sql<string>`xmin::text`.as('x')).execute();
  const renders = await hub.db.selectFrom('renders').select('input_key').execute();
  const assigned = await hub.assignment('dev', 'plain');
  hub.commit({ 'elsewhere/b.yaml': 'b: 1\n' }, 'third');
  await hub.push();
  await hub.eventually(async () => {
    expect((await hub.app('plain')).latestCommit).toBe(hub.git('rev-parse', 'HEAD'));
  });
  await hub.idle();
  // It is known that the commit changes nothing of it: whoever waits for the commit waits no longer.
  expect((await hub.app('plain')).revision).toMatchObject({
    commit,
    unchangedBy: [hub.git('rev-parse', 'HEAD')],
  });
  expect(await hub.db.selectFrom('renders').select('input_key').execute()).toEqual(renders);
  expect(await hub.assignment('dev', 'plain')).toEqual(assigned);
  expect(await hub.db.selectFrom('applications').select(sql<string>`xmin::text`.as('x')).execute()).toEqual(
    settled,
  );
});

test('an Application is at or beyond a commit that changes nothing of it, also when others follow', async () => {
  const state = async (commit: string) =>
    hub.running.app
      .get(ApplicationRevisions, { strict: false })
      .of(systemActor, 'argocd', 'plain', commit, AbortSignal.timeout(30_000));
  await hub.idle();
  const { commit: assigned } = (await hub.app('plain')).revision!;
  const nothing = hub.commit({ 'elsewhere/c.yaml': 'c: 1\n' }, 'nothing here');
  expect(await state(nothing)).toMatchObject({ reached: false, how: 'unseen', at: assigned });
  hub.commit({ 'elsewhere/c.yaml': 'c: 2\n' }, 'nothing here again');
  await hub.push();
  await hub.eventually(async () => expect(await state(nothing)).toMatchObject({ how: 'unchanged' }));
  expect(await state(nothing.slice(0, 8))).toMatchObject({ reached: true, at: assigned });
  const changed = hub.commit({ 'plain/a.yaml': configMap('a', 'beyond') }, 'beyond');
  await hub.push();
  await hub.eventually(async () => expect(await state(changed)).toMatchObject({ how: 'assigned' }));
  expect(await state(nothing)).toMatchObject({ reached: true, how: 'contained', at: changed });
  hub.git('checkout', '-q', '-b', 'side');
  const aside = hub.commit({ 'plain/a.yaml': configMap('a', 'aside') }, 'aside');
  hub.git('checkout', '-q', 'main');
  await hub.push();
  await hub.eventually(async () => expect(await state(aside)).toMatchObject({ how: 'elsewhere' }));
});

test('a commit that does not render keeps the last good release and says where it is wrong', async () => {
  await hub.idle();
  const before = await hub.assignment('dev', 'plain');
  hub.commit({ 'plain/a.yaml': 'a: b: c\n' }, 'broken');
  await hub.push();
  await hub.eventually(async () =>
    expect(await conditionsOf('plain')).toMatchObject([
      { type: 'RenderError', message: expect.stringMatching(/^plain\/a\.yaml:1: not valid YAML/) },
    ]),
  );
  expect(await hub.assignment('dev', 'plain')).toEqual(before);
  hub.commit({ 'plain/a.yaml': configMap('a', 'three') }, 'mended');
  await hub.push();
  await hub.eventually(async () => expect(await conditionsOf('plain')).toEqual([]));
});

test.each([
  ['a path that does not exist', 'nowhere', {}, /the path nowhere does not exist at commit/],
  ['an unknown kind of file', 'bad', { 'bad/a.yaml': 'hello: world\n' }, /bad\/a\.yaml:1: kind is missing/],
  ['a YAML bomb', 'bomb', { 'bomb/a.yaml': bomb() }, /bomb\/a\.yaml/],
  ['a path out of the repository', '../etc', {}, /the path leads out of the repository/],
])('%s is refused with a condition', async (_name, path, files, message) => {
  const name = `refused-${path.replaceAll(/[^a-z]/g, '')}`;
  hub.commit(files, 'refused');
  await hub.push();
  await hub.idle();
  await hub.apply([application(hub, name, path)]);
  await hub.eventually(async () => {
    const [condition] = await conditionsOf(name);
    expect(condition?.message).toMatch(message);
  });
});

test('a large file and a symlink out of the repository are refused, and the hub goes on', async () => {
  hub.commit({ 'large/a.yaml': Buffer.alloc(200 * 1024 * 1024, 'a: b\n') }, 'large');
  hub.commit({ 'link/ok.yaml': configMap('ok', 'x') }, 'ok');
  symlinkSync('/etc/passwd', join(hub.work, 'link', 'passwd.yaml'));
  hub.commit({}, 'link');
  await hub.push();
  await hub.idle();
  await hub.apply([application(hub, 'large', 'large'), application(hub, 'link', 'link')]);
  await hub.eventually(async () => {
    expect((await conditionsOf('large'))[0]?.message).toMatch(
      /large\/a\.yaml: the file has 209715200 bytes, more than/,
    );
    expect((await conditionsOf('link'))[0]?.message).toMatch(
      /link\/passwd\.yaml: the symlink points out of the repository/,
    );
  });
  hub.git('rm', '-q', '-r', 'large', 'link');
  hub.commit({}, 'without them');
});

test('a repository, a cluster and a project that are not there are conditions, not crashes', async () => {
  const source = { repoURL: `file://${folder}/none`, path: 'x' };
  await hub.apply([
    application(hub, 'no-repository', 'x', { source }),
    application(hub, 'no-cluster', 'plain', { destination: { name: 'mars', namespace: 'x' } }),
    application(hub, 'no-project', 'plain', { project: 'ghost' }),
  ]);
  await hub.eventually(async () => {
    expect((await conditionsOf('no-repository'))[0]).toMatchObject({
      type: 'SourceError',
      message: expect.stringContaining('was not found'),
    });
    expect((await conditionsOf('no-cluster'))[0]).toMatchObject({
      type: 'InvalidSpec',
      message: expect.stringContaining('named mars'),
    });
    expect((await conditionsOf('no-project'))[0]).toMatchObject({
      type: 'InvalidSpec',
      message: expect.stringContaining('no project ghost'),
    });
  });
});

test('documents that are wrong are refused together, and nothing of the request stays', async () => {
  const wrong = application(hub, 'wrong', 'plain', {
    sources: [{ repoURL: 'a' }, { repoURL: 'b' }],
    source: undefined,
  });
  await expect(hub.apply([application(hub, 'right', 'plain'), wrong])).rejects.toThrow(
    'spec.sources[0]: path, chart or ref is missing',
  );
  await expect(hub.app('right')).rejects.toThrow('there is no Application');
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'p' },
    spec: { syncWindows: [{ kind: 'deny' }] },
  };
  await expect(hub.apply([project])).rejects.toThrow('spec.syncWindows');
});

test('a project limits repositories, destinations and kinds', async () => {
  hub.commit(
    {
      'rbac/role.yaml':
        'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: all\n',
    },
    'rbac',
  );
  await hub.push();
  await hub.idle();
  const project = (spec: Record<string, unknown>) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'team' },
    spec,
  });
  const destinations = [{ name: 'dev', namespace: 'shop' }];
  await hub.apply([
    project({ sourceRepos: ['*'], destinations }),
    application(hub, 'rbac', 'rbac', { project: 'team' }),
  ]);
  await hub.eventually(async () =>
    expect((await conditionsOf('rbac'))[0]).toMatchObject({
      type: 'ProjectDenied',
      message: expect.stringContaining('ClusterRole'),
    }),
  );
  const clusterResourceWhitelist = [{ group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' }];
  await hub.apply([project({ sourceRepos: ['*'], destinations, clusterResourceWhitelist })]);
  const { project: limits } = await contentOf('rbac');
  expect(limits).toMatchObject({
    name: 'team',
    namespaces: ['shop'],
    clusterResourceAllow: clusterResourceWhitelist,
  });
  await expect(
    hub.apply([
      application(hub, 'rbac', 'rbac', {
        project: 'team',
        destination: { server: 'muster://dev', namespace: 'kube-system' },
      }),
    ]),
  ).rejects.toThrow('does not allow');
});

test('who operates one project applies Applications of it and nothing else', async () => {
  const actor: Actor = { kind: 'user', name: 'bea', grants: [{ role: 'operator', project: 'team' }] };
  const documents = hub.running.app.get(ApplyService, { strict: false });
  const apply = (document: Record<string, unknown>) =>
    documents.apply({ documents: [document], dryRun: true }, actor);
  await apply(application(hub, 'mine', 'rbac', { project: 'team' }));
  await expect(apply(application(hub, 'theirs', 'plain'))).rejects.toMatchObject({ code: 'forbidden' });
  // Not by taking over what belongs to another project either.
  await expect(apply(application(hub, 'plain', 'plain', { project: 'team' }))).rejects.toMatchObject({
    code: 'forbidden',
  });
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'team' },
    spec: { sourceRepos: ['*'] },
  };
  await expect(apply(project)).rejects.toMatchObject({ code: 'forbidden' });
  const name = { name: 'argocd-cm', namespace: 'argocd' };
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: name, data: {} };
  await expect(apply(settings)).rejects.toMatchObject({ code: 'forbidden' });
});

test('a whole list is paged and filtered in SQL', async () => {
  const views = hub.running.app.get(ApplicationViews, { strict: false });
  const all = await views.list(systemActor, { limit: 1000 });
  const first = await views.list(systemActor, { limit: 2 });
  const second = await views.list(systemActor, { limit: 1000, after: first.next });
  expect([...first.items, ...second.items].map((one) => one.name)).toEqual(all.items.map((one) => one.name));
  const names = async (query: Record<string, string>) =>
    (await views.list(systemActor, { limit: 100, ...query })).items.map((one) => one.name);
  expect(await names({ project: 'team' })).toEqual(['rbac']);
  expect(await names({ cluster: 'dev', search: 'LAI' })).toEqual(['plain']);
  expect(await names({ sync: 'Synced' })).toEqual([]);
  expect(await names({ sync: 'Unknown', search: 'plain' })).toEqual(['plain']);
  const bea: Actor = { kind: 'user', name: 'bea', grants: [{ role: 'viewer', project: 'team' }] };
  expect((await views.list(bea, { limit: 100 })).items.map((one) => one.name)).toEqual(['rbac']);
});

test('hooks are part of the bundle and of what the project allows; one whose phase does not exist is named', async () => {
  const job = (name: string, hook: string) =>
    `apiVersion: batch/v1\nkind: Job\nmetadata:\n  ${name}\n  annotations:\n    ${hook}\n`;
  hub.commit(
    {
      'hooked/migrate.yaml': job('name: migrate', 'argocd.argoproj.io/hook: PreSync'),
      'hooked/seed.yaml': job('generateName: seed-', 'argocd.argoproj.io/hook: PostSync'),
      'hooked/sown.yaml': job('generateName: seed-', 'argocd.argoproj.io/hook: SyncFail'),
      'hooked/test.yaml': job('name: test', 'helm.sh/hook: test'),
      'hooked/typo.yaml': job('name: typo', 'argocd.argoproj.io/hook: presync'),
      'hooked/a.yaml': configMap('a', 'x'),
    },
    'hooks',
  );
  await hub.push();
  await hub.idle();
  await hub.apply([application(hub, 'hooked', 'hooked')]);
  const assignment = await contentOf('hooked');
  const notice = 'hook left out: Job.batch typo ("presync" is no phase)';
  expect(assignment.notices).toEqual([notice]);
  const objects = await hub.objects(assignment.bundleDigest);
  expect(objects.map(({ metadata }) => metadata.name ?? metadata.generateName).sort()).toEqual([
    'a',
    'migrate',
    'seed-',
    'seed-',
  ]);
  expect(await conditionsOf('hooked')).toMatchObject([{ type: 'HookIgnored', message: notice }]);
  // A notice keeps nothing from being rendered: a commit that changes nothing is known as such.
  const nothing = hub.commit({ 'elsewhere/d.yaml': 'd: 1\n' }, 'nothing of it');
  await hub.push();
  await hub.eventually(async () =>
    expect((await hub.app('hooked')).revision).toMatchObject({ unchangedBy: [nothing] }),
  );
  const project = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'jobless' },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      namespaceResourceBlacklist: [{ group: 'batch', kind: 'Job' }],
    },
  };
  await hub.apply([project, application(hub, 'denied', 'hooked', { project: 'jobless' })]);
  await hub.idle();
  expect(await conditionsOf('denied')).toContainEqual(
    expect.objectContaining({ type: 'ProjectDenied', message: expect.stringContaining('Job') as string }),
  );
});

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 10; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  return `${lines.join('\n')}\n`;
}
