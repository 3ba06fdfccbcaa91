import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PlanInput, PlanRequest, type PlanResult } from '@muster/api';
import { hubClient } from '@muster/api/client';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { Planner } from './planner.service.ts';
import { PlansService } from './plans.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-plans-'));
const CLUSTERS = 200;
let hub: TestHub;

const page = (colour: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: page\ndata:\n  colour: ${colour}\n`;
const chart = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'chart/values.yaml': 'password: hunter2222\nsize: small\n',
  'chart/templates/all.yaml': [
    'apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: {{ .Values.password }}\n  made: {{ randAlphaNum 20 | quote }}',
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-{{ .Release.Name }}\ndata:\n  size: {{ .Values.size }}\n  url: postgres://u:{{ .Values.password }}@db\n',
  ].join('\n---\n'),
};

const set = (name: string, source: Record<string, unknown>, spec: Record<string, unknown> = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name },
  spec: {
    generators: [{ clusters: { selector: { matchLabels: { env: 'prod' } } } }],
    template: {
      metadata: { name: `${name}-{{name}}` },
      spec: {
        project: 'default',
        source: { repoURL: hub.url, targetRevision: 'main', ...source },
        destination: { name: '{{name}}', namespace: name },
      },
    },
    ...spec,
  },
});
const viewerOf = (project: string): Actor => ({
  kind: 'user',
  name: `viewer of ${project}`,
  grants: [{ role: 'viewer', project }],
});

function plan(request: PlanInput, actor: Actor = systemActor): Promise<PlanResult> {
  const service = hub.running.app.get(PlansService, { strict: false });
  return service.plan(PlanRequest.parse(request), actor, () => undefined, new AbortController().signal);
}

/** What every table holds, but for what plans may write. */
async function contents(): Promise<Record<string, string>> {
  const free = [
    'audit',
    'renders',
    'bundles',
    'bundle_parts',
    'bundle_inventories',
    'hub_beats',
    'api_sessions',
    'sessions',
  ];
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'
  `.execute(hub.db);
  const found: Record<string, string> = {};
  for (const { name } of rows.filter((one) => !free.includes(one.name))) {
    const answer = await sql<{ hash: string }>`
      select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as hash from ${sql.table(name)} as t
    `.execute(hub.db);
    found[name] = answer.rows[0]!.hash;
  }
  return found;
}

beforeAll(async () => {
  hub = await startTestHub(folder, { MUSTER_ADMIN_PASSWORD: 'admin-password' });
  for (let i = 0; i < CLUSTERS; i++)
    await hub.cluster(`c${String(i).padStart(3, '0')}`, { env: i < 198 ? 'prod' : 'dev' });
  hub.commit({ 'app/page.yaml': page('blue'), ...chart }, 'first');
  await hub.apply([
    set('page', { path: 'app' }),
    application(hub, 'web', 'chart', { destination: { name: 'c000', namespace: 'web' } }),
  ]);
  await hub.assignment('c000', 'web');
  await hub.assignment('c197', 'page-c197');
  await hub.idle();
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a changed file of a branch is one group over all clusters of the set, rendered once, and nothing is written', async () => {
  hub.git('checkout', '-q', '-b', 'green');
  const green = hub.commit({ 'app/page.yaml': page('green') }, 'green');
  hub.git('checkout', '-q', 'main');
  hub.git('update-ref', 'refs/pull/7/head', green);
  const before = await contents();
  for (const revision of ['green', green, 'refs/pull/7/head']) {
    const found = await plan({ revisions: [{ repo: hub.url, revision }] });
    expect(found.summary).toMatchObject({
      added: 0,
      changed: 198,
      removed: 0,
      clusters: 198,
      errors: 0,
      unchanged: 1,
    });
    expect(found.summary.renders).toBe(revision === 'green' ? 1 : 0);
    expect(found.groups).toHaveLength(1);
    const [group] = found.groups;
    expect(group).toMatchObject({
      change: 'changed',
      alike: 'exactly',
      applications: 198,
      clusters: 198,
      added: 1,
      removed: 1,
      more: 188,
    });
    expect(group!.objects[0]!.text).toContain('-  colour: blue\n+  colour: green');
  }
  expect(await contents()).toEqual(before);
});

test('a change of an Application that meets objects of another tool says so', async () => {
  const message = 'not touched, as another tool tracks it: ConfigMap page/page (Argo CD Application page)';
  await sql`
    insert into target_status (cluster_id, application_namespace, application_name, epoch, generation, bundle_digest,
      sync, health, observed_at, sync_since, health_since, conditions)
    select id, 'argocd', 'page-c003', 1, 1, '', 'OutOfSync', 'Healthy', now(), now(), now(),
      ${JSON.stringify([{ type: 'ForeignResource', message, since: '2026-01-01T00:00:00Z' }])}::jsonb
    from clusters where name = 'c003'
  `.execute(hub.db);
  const found = await plan({ revisions: [{ repo: hub.url, revision: 'green' }] });
  expect(found.errors).toMatchObject([
    {
      type: 'ForeignResource',
      message,
      severity: 'warning',
      members: [{ name: 'page-c003', cluster: 'c003' }],
    },
  ]);
  expect(found.summary.errors).toBe(0);
});

test('what the plan says is what a merge does', async () => {
  const said = await plan({ revisions: [{ repo: hub.url, revision: 'green' }], members: 1000 });
  hub.git('merge', '-q', '--ff-only', 'green');
  await hub.push();
  await hub.eventually(async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from applications where commit = ${hub.git('rev-parse', 'HEAD')}
    `.execute(hub.db);
    expect(rows[0]!.n).toBe(said.groups[0]!.members.length);
  });
  await hub.idle();
  expect((await plan({ revisions: [{ repo: hub.url, revision: 'green' }] })).summary).toMatchObject({
    changed: 0,
    errors: 0,
  });
});

test('a branch that lacks commits of its base is said to', async () => {
  hub.git('branch', '-q', '-f', 'old', 'HEAD~1');
  const found = await plan({ revisions: [{ repo: hub.url, revision: 'old' }] });
  expect(found.notices.join()).toMatch(/old does not contain [0-9a-f]{7}, where main is/);
});

test('a cluster that is labelled gets its Applications, one that loses its label loses them within the budget', async () => {
  const before = await contents();
  const found = await plan({
    labels: [
      { cluster: 'c199', set: { env: 'prod' } },
      { cluster: 'c001', remove: ['env'] },
    ],
  });
  expect(found.summary).toMatchObject({ added: 1, removed: 1, held: 1, clusters: 2, unchanged: 197 });
  expect(found.groups[0]).toMatchObject({
    change: 'added',
    members: [{ name: 'page-c199', cluster: 'c199', set: 'argocd/page' }],
  });
  expect(found.removals[0]).toMatchObject({
    action: 'uninstall',
    members: [{ name: 'page-c001', cluster: 'c001' }],
  });
  expect(found.removals[0]!.held).toContain('all 1 Applications of cluster c001 would be removed');
  expect(await contents()).toEqual(before);
  await expect(plan({ labels: [{ cluster: 'nowhere', remove: ['env'] }] })).rejects.toThrow(
    'no active cluster nowhere',
  );
});

test('documents are planned as they would be applied; removals beyond the budget would wait', async () => {
  const before = await contents();
  const dev = { generators: [{ clusters: { selector: { matchLabels: { env: 'dev' } } } }] };
  const found = await plan({
    documents: [set('page', { path: 'app' }, dev), set('more', { path: 'app' }, dev)],
  });
  expect(found.summary).toMatchObject({ added: 4, removed: 198, held: 198, errors: 0 });
  expect(found.removals[0]!.held).toContain('waits for an approval');
  // The same but for their own names.
  expect(found.groups.map(({ alike, applications }) => [alike, applications])).toContainEqual([
    'but for names',
    2,
  ]);
  expect(await contents()).toEqual(before);
});

test('a set that cannot be expanded, a chart that fails and a name that is taken are errors; what there is stays', async () => {
  hub.git('checkout', '-q', '-b', 'broken');
  hub.commit(
    { 'chart/templates/all.yaml': 'a: {{ required "size is needed" .Values.nothing }}\n' },
    'broken',
  );
  hub.git('checkout', '-q', 'main');
  const failing = await plan({ revisions: [{ repo: hub.url, revision: 'broken' }] });
  expect(failing.summary).toMatchObject({ changed: 0, errors: 1 });
  expect(failing.errors[0]).toMatchObject({
    type: 'RenderError',
    severity: 'error',
    already: false,
    members: [{ name: 'web' }],
  });
  expect(failing.errors[0]!.message).toContain('size is needed');
  const taken = { ...set('page', { path: 'app' }), metadata: { name: 'other' } };
  const wrong = set(
    'wrong',
    {},
    { generators: [{ git: { repoURL: hub.url, revision: 'nowhere', files: [{ path: 'x' }] } }] },
  );
  const found = await plan({ documents: [taken, wrong] });
  expect(found.errors.map(({ object, type }) => [object, type])).toEqual(
    expect.arrayContaining([
      ['applicationset/argocd/other', 'ApplicationValidationError'],
      ['applicationset/argocd/wrong', expect.any(String)],
    ]),
  );
  expect(found.summary.changed).toBe(0);
});

test('secrets are masked on both sides and said to change; what a template makes up does not count as a change', async () => {
  hub.git('checkout', '-q', '-b', 'secret');
  hub.commit({ 'chart/values.yaml': 'password: tr0ub4dor3\nsize: small\n' }, 'secret');
  hub.git('checkout', '-q', 'main');
  const before = await contents();
  const found = await plan({ revisions: [{ repo: hub.url, revision: 'secret' }] });
  const shown = JSON.stringify(found);
  expect(found.summary.changed).toBe(1);
  const secret = found.groups[0]!.objects.find(({ kind }) => kind === 'Secret')!;
  expect(secret.text).toContain('-  password: •••••••• (before)\n+  password: •••••••• (after)');
  expect(secret).toMatchObject({ added: 1, removed: 1 });
  expect(shown).toContain('postgres://u:••••••••@db (after)');
  expect(shown).not.toMatch(/hunter2222|tr0ub4dor3/);
  expect(await contents()).toEqual(before);
});

test('a supposed template does not print what a real one made of the seed of its Application', async () => {
  const row = await hub.app('web');
  const detail = await sql<{
    bundle_digest: string;
  }>`select bundle_digest from applications where name = 'web'`.execute(hub.db);
  const made = (await hub.objects(detail.rows[0]!.bundle_digest)).find(({ kind }) => kind === 'Secret')!;
  const value = (made.stringData as Record<string, string>).made!;
  expect(row.name).toBe('web');
  hub.git('checkout', '-q', '-b', 'curious');
  hub.commit(
    {
      'chart/templates/all.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  made: {{ randAlphaNum 20 | quote }}\n',
    },
    'curious',
  );
  hub.git('checkout', '-q', 'main');
  const found = await plan({ revisions: [{ repo: hub.url, revision: 'curious' }] });
  expect(found.summary.changed).toBe(1);
  expect(JSON.stringify(found)).not.toContain(value);
});

test('a viewer sees a plan of their projects only, supposes no documents and reads no new sources', async () => {
  await hub.apply([
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'team' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] },
    },
  ]);
  await hub.apply([
    application(hub, 'team', 'app', { project: 'team', destination: { name: 'c000', namespace: 'team' } }),
  ]);
  await hub.assignment('c000', 'team');
  await hub.idle();
  hub.git('checkout', '-q', '-b', 'red');
  hub.commit({ 'app/page.yaml': page('red') }, 'red');
  hub.git('checkout', '-q', 'main');
  const found = await plan({ revisions: [{ repo: hub.url, revision: 'red' }] }, viewerOf('team'));
  expect(found.summary).toMatchObject({ changed: 1, unchanged: 0, sets: 0 });
  expect(found.groups[0]!.members).toMatchObject([{ name: 'team', project: 'team' }]);
  expect(JSON.stringify(found)).not.toContain('page-c0');
  const elsewhere = application(hub, 'team', 'chart', { project: 'team' });
  await expect(plan({ documents: [elsewhere] }, viewerOf('team'))).rejects.toThrow(
    'role operator for project team',
  );
  await expect(plan({ revisions: [{ repo: hub.url, revision: 'red' }] }, viewerOf('none'))).rejects.toThrow(
    'nothing that you may see follows',
  );
  await expect(
    plan({ revisions: [{ repo: 'https://git.example/none.git', revision: 'red' }] }, viewerOf('none')),
  ).rejects.toThrow('nothing that you may see follows');
});

test('a repository that the hub does not know is read for the plan and forgotten again', async () => {
  const copy = join(folder, 'copy');
  hub.git('clone', '-q', hub.work, copy);
  const before = await contents();
  const found = await plan({
    documents: [
      application({ url: `file://${copy}` }, 'copy', 'app', {
        destination: { name: 'c000', namespace: 'x' },
      }),
    ],
  });
  expect(found.summary).toMatchObject({ added: 1, errors: 0 });
  expect(await contents()).toEqual(before);
});

test('the client hears how far a plan is and gets its result; plans are audited', async () => {
  const login = hubClient({ hub: hub.running.listening.http! });
  const { cookie } = await login.session.login({ name: 'admin', password: 'admin-password' });
  const client = hubClient({ hub: hub.running.listening.http!, cookie: cookie! });
  const heard: string[] = [];
  const found = await client.plan({ labels: [{ cluster: 'c199', set: { env: 'prod' } }] }, (text) =>
    heard.push(text),
  );
  expect(found.summary.added).toBe(1);
  expect(heard).toContain('expanding argocd/page (1 of 1)');
  await expect(client.plan({})).rejects.toThrow('nothing is supposed');
  const { items } = await client.audit({});
  expect(items[0]).toMatchObject({ action: 'plan', actor: 'admin', details: { labels: ['c199'] } });
});

test('a client that hangs up ends its plan', async () => {
  const planner = hub.running.app.get(Planner, { strict: false });
  const planning = vi.spyOn(planner, 'plan');
  const http = hub.running.listening.http!;
  const { cookie } = await hubClient({ hub: http }).session.login({
    name: 'admin',
    password: 'admin-password',
  });
  const client = hubClient({ hub: http, cookie: cookie! });
  const gone = new AbortController();
  const asked = client.plan(
    { revisions: [{ repo: hub.url, revision: 'red' }] },
    () => gone.abort(new Error('hung up')),
    { signal: gone.signal },
  );
  await expect(asked).rejects.toThrow('hung up');
  await expect(planning.mock.results[0]!.value).rejects.toThrow();
  expect(planning.mock.calls[0]![3].aborted).toBe(true);
  planning.mockRestore();
});
