import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Action, Assignment } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationRemovals } from '../applications/application-removals.service.ts';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { SetRemovals } from './set-removals.service.ts';
import { SetViews } from './set-views.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-sets-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  for (const name of ['dev', 'staging', 'prod']) await hub.cluster(name, { env: name });
  hub.commit({ 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const set = (
  name: string,
  generators: unknown[],
  template: Record<string, unknown> = {},
  spec: Record<string, unknown> = {},
) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name },
  spec: {
    generators,
    template: {
      metadata: { name: `${name}-{{name}}` },
      spec: {
        project: 'default',
        source: { repoURL: hub.url, path: 'app', targetRevision: 'main' },
        destination: { name: '{{name}}', namespace: name },
        ...template,
      },
    },
    ...spec,
  },
});
const removals = () => hub.running.app.get(SetRemovals, { strict: false });
const view = (name: string) =>
  hub.running.app.get(SetViews, { strict: false }).get(systemActor, 'argocd', name);
const gone = async (cluster: string, name: string) => {
  const row = await hub.assignment(cluster, name);
  await hub.db
    .transaction()
    .execute((trx) =>
      hub.running.app
        .get(AssignmentsService, { strict: false })
        .gone(trx, row.cluster_id, [
          { namespace: 'argocd', name, epoch: row.epoch, generation: row.generation },
        ]),
    );
};

test('a set with a clusters generator follows the clusters', async () => {
  await hub.apply([
    set('shop', [
      {
        clusters: {
          selector: {
            matchExpressions: [{ key: 'env', operator: 'In', values: ['dev', 'staging', 'late'] }],
          },
        },
      },
    ]),
  ]);
  await hub.assignment('dev', 'shop-dev');
  await hub.assignment('staging', 'shop-staging');
  await expect(hub.app('shop-prod')).rejects.toThrow('there is no Application');
  await hub.cluster('late', { env: 'late' });
  await hub.assignment('late', 'shop-late');
  await hub.idle();
  expect(await view('shop')).toMatchObject({
    applications: 3,
    held: 0,
    release: { number: expect.any(Number) },
  });
  expect((await view('shop')).conditions).toContainEqual(
    expect.objectContaining({ type: 'ErrorOccurred', status: 'False' }),
  );
  const bundles = await hub.db.selectFrom('assignments').select('bundle_digest').distinct().execute();
  expect(bundles).toHaveLength(1);
});

test('an error keeps the last good expansion', async () => {
  await hub.idle();
  const before = await hub.db.selectFrom('applications').select('name').orderBy('name').execute();
  await hub.apply([
    set(
      'shop',
      [{ clusters: {} }],
      {},
      { goTemplate: true, templatePatch: '{{ .nothing.here }}', goTemplateOptions: ['missingkey=error'] },
    ),
  ]);
  await hub.eventually(async () =>
    expect((await view('shop')).conditions).toContainEqual(
      expect.objectContaining({ type: 'ErrorOccurred', status: 'True' }),
    ),
  );
  expect(await hub.db.selectFrom('applications').select('name').orderBy('name').execute()).toEqual(before);
});

test('an Application that is no longer generated leaves by a tombstone and is gone once the agent says so', async () => {
  const list = (...names: string[]) => [{ list: { elements: names.map((name) => ({ name })) } }];
  await hub.apply([set('few', list('dev', 'staging', 'prod'))]);
  for (const name of ['dev', 'staging', 'prod']) await hub.assignment(name, `few-${name}`);
  await hub.idle();
  // Another set keeps the cluster busy: removing all that a cluster has would wait for an approval.
  await hub.apply([set('other', list('dev', 'staging', 'prod'))]);
  for (const name of ['dev', 'staging', 'prod']) await hub.assignment(name, `other-${name}`);
  await hub.apply([set('few', list('dev', 'staging'))]);
  await hub.eventually(async () =>
    expect((await hub.assignment('prod', 'few-prod')).action).toBe('uninstall'),
  );
  const tombstone = Assignment.decode((await hub.assignment('prod', 'few-prod')).payload);
  expect(tombstone).toMatchObject({
    action: Action.UNINSTALL,
    bundleDigest: '',
    applicationName: 'few-prod',
  });
  expect(await hub.app('few-prod')).toMatchObject({ leaving: { action: 'uninstall', signed: true } });
  await gone('prod', 'few-prod');
  await expect(hub.app('few-prod')).rejects.toThrow('there is no Application');
});

test('restore applies the last release again after the uninstall, even when its source is gone', async () => {
  await hub.idle();
  const lost = `${folder}/work-lost`;
  renameSync(hub.work, lost);
  await hub.running.app
    .get(ApplicationRemovals, { strict: false })
    .restore(systemActor, 'argocd', 'few-prod');
  expect((await hub.assignment('prod', 'few-prod')).action).toBe('apply');
  expect((await hub.app('few-prod')).leaving).toBeUndefined();
  renameSync(lost, hub.work);
  await hub.idle();
});

test('removing all Applications of a set waits for an approval', async () => {
  await hub.idle();
  await removals().remove(systemActor, 'argocd', 'few', false);
  await hub.eventually(async () => expect(await view('few')).toMatchObject({ deleting: true, held: 2 }));
  await hub.idle();
  expect((await hub.assignment('dev', 'few-dev')).action).toBe('apply');
  expect((await hub.app('few-dev')).leaving?.held).toMatch(
    /waits for an approval: all 2 Applications of ApplicationSet argocd\/few/,
  );
  expect(await removals().approveDeletions(systemActor, 'argocd', 'few')).toEqual({ approved: 2 });
  await hub.eventually(async () => expect((await hub.assignment('dev', 'few-dev')).action).toBe('uninstall'));
  await hub.eventually(async () =>
    expect((await hub.assignment('staging', 'few-staging')).action).toBe('uninstall'),
  );
  await gone('dev', 'few-dev');
  await gone('staging', 'few-staging');
  await hub.eventually(() => expect(view('few')).rejects.toThrow('there is no ApplicationSet'));
});

test('a git generator follows the files of a repository', async () => {
  hub.commit({ 'apps/one/config.json': '{"name": "dev"}' }, 'one');
  const generators = [
    { git: { repoURL: hub.url, revision: 'main', files: [{ path: 'apps/*/config.json' }] } },
  ];
  await hub.apply([set('files', generators)]);
  await hub.assignment('dev', 'files-dev');
  hub.commit({ 'apps/two/config.json': '{"name": "prod"}' }, 'two');
  await hub.push();
  await hub.assignment('prod', 'files-prod');
});

test('a name that someone else holds is refused with both origins', async () => {
  await hub.apply([set('twin', [{ list: { elements: [{ name: 'dev' }] } }], {}, {})]);
  await hub.assignment('dev', 'twin-dev');
  const copy = set('thief', [{ list: { elements: [{ name: 'dev' }] } }]);
  copy.spec.template.metadata.name = 'twin-{{name}}';
  await hub.apply([copy]);
  await hub.eventually(async () => {
    const [condition] = (await view('thief')).conditions;
    expect(condition?.message).toContain(
      'ApplicationSet argocd/thief generates an Application that exists already, made by ApplicationSet argocd/twin',
    );
  });
});

test('a thousand Applications of one render are rendered once, and not written again for nothing', async () => {
  await hub.idle();
  const renders = await hub.db
    .selectFrom('renders')
    .select(sql<number>`count(*)::int`.as('n'))
    .executeTakeFirstOrThrow();
  hub.commit({ 'many/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: many\n' }, 'many');
  const elements = Array.from({ length: 1000 }, (_, i) => ({
    name: ['dev', 'staging', 'prod'][i % 3]!,
    i: String(i),
  }));
  const many = set('many', [{ list: { elements } }], {
    source: { repoURL: hub.url, path: 'many', targetRevision: 'main' },
  });
  many.spec.template.metadata.name = 'many-{{i}}';
  await hub.apply([many]);
  await hub.eventually(async () => {
    const rows = await hub.db
      .selectFrom('assignments')
      .select('application_name')
      .where('application_name', 'like', 'many-%')
      .execute();
    expect(rows).toHaveLength(1000);
  });
  const after = await hub.db
    .selectFrom('renders')
    .select(sql<number>`count(*)::int`.as('n'))
    .executeTakeFirstOrThrow();
  expect(after.n - renders.n).toBe(1);
  await hub.idle();
  const rows = () =>
    hub.db.selectFrom('applications').select(sql<string>`xmin::text`.as('x')).orderBy('id').execute();
  const settled = await rows();
  await hub.cluster('unrelated', { env: 'none' });
  await hub.idle();
  expect(await rows()).toEqual(settled);
});
