import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { ApplicationActions } from '../applications/application-actions.service.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import { ApplyService } from '../applications/apply.service.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { RootRemovals } from './root-removals.service.ts';
import { Roots } from './roots.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-roots-'));
let hub: TestHub;
let dev: string;

beforeAll(async () => {
  hub = await startTestHub(folder);
  dev = await hub.cluster('dev', { env: 'dev' });
  await heard();
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = <T>(type: new (...args: never[]) => T): T => hub.running.app.get(type, { strict: false });
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

/** The cluster is being heard. */
const heard = () =>
  hub.db
    .updateTable('clusters')
    .set({ last_seen_at: new Date(), lease_seconds: 3600 })
    .where('id', '=', dev)
    .execute();

/** A root over a folder of the repository. */
const root = (name: string, path: string, spec: Record<string, unknown> = {}, metadata: object = {}) => {
  const one = application(hub, name, path, {
    destination: { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
    ...spec,
  });
  return { ...one, metadata: { ...one.metadata, ...metadata } };
};

/** A child as YAML, deploying `workload` to dev. */
function child(
  name: string,
  {
    wave,
    path = 'workload',
    annotations = {},
    extra = '',
  }: {
    wave?: number;
    path?: string;
    annotations?: Record<string, string>;
    extra?: string;
  } = {},
): string {
  const all = {
    ...annotations,
    ...(wave === undefined ? {} : { 'argocd.argoproj.io/sync-wave': String(wave) }),
  };
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  annotations: ${JSON.stringify(all)}
spec:
  project: default
  source: {repoURL: "${hub.url}", path: ${path}, targetRevision: main}
  destination: {name: dev, namespace: shop}
  syncPolicy: {automated: {}}
${extra}`;
}

/** Says of an Application on dev what its agent would, about what is assigned now. */
async function report(name: string, health: string, sync = 'Synced'): Promise<void> {
  const assigned = await hub.assignment('dev', name);
  const row = {
    epoch: assigned.epoch,
    generation: assigned.generation,
    bundle_digest: assigned.bundle_digest!,
    sync,
    health,
    observed_at: new Date(),
    sync_since: new Date(),
    health_since: new Date(),
  };
  await hub.db
    .insertInto('target_status')
    .values({ cluster_id: dev, application_namespace: 'argocd', application_name: name, ...row })
    .onConflict((conflict) =>
      conflict.columns(['cluster_id', 'application_namespace', 'application_name']).doUpdateSet(row),
    )
    .execute();
  await get(Events).publish('application', [`argocd/${name}`]);
}

const names = async () =>
  (await hub.db.selectFrom('applications').select('name').orderBy('name').execute()).map((row) => row.name);
const resourcesOf = async (name: string) => {
  const { resources } = await get(ApplicationViews).resources(systemActor, 'argocd', name);
  return new Map(resources.map((one) => [`${String(one['kind'])} ${String(one['name'])}`, one]));
};
const conditionsOf = async (name: string) => (await hub.app(name)).conditions;

/** Says that the agent has removed an Application. */
async function removed(name: string): Promise<void> {
  await hub.eventually(async () => expect((await hub.assignment('dev', name)).action).not.toBe('apply'));
  const { epoch, generation } = await hub.assignment('dev', name);
  const gone = [{ namespace: 'argocd', name, epoch, generation }];
  await hub.db.transaction().execute((trx) => get(AssignmentsService).gone(trx, dev, gone));
}

/** Commits and has it read. */
async function push(files: Parameters<TestHub['commit']>[0], message = 'change'): Promise<string> {
  const commit = hub.commit(files, message);
  await hub.push();
  return commit;
}

const project = (name: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: ${name}}\nspec: {sourceRepos: ["*"], destinations: [{server: "*", namespace: "*"}]}\n`;

const set = (name: string, elements: string[]) => `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: ${name}}
spec:
  generators: [{list: {elements: [${elements.map((one) => `{n: ${one}}`).join(', ')}]}}]
  template:
    metadata: {name: '${name}-{{n}}'}
    spec:
      project: default
      source: {repoURL: "${hub.url}", path: workload, targetRevision: main}
      destination: {name: dev, namespace: shop}
      syncPolicy: {automated: {}}
`;

test('one root brings up what Git holds, and shows its children with their state', async () => {
  hub.commit(
    { 'workload/a.yaml': configMap, 'fleet/web.yaml': child('web'), 'fleet/project.yaml': project('team') },
    'fleet',
  );
  await hub.apply([root('fleet', 'fleet')]);
  await hub.assignment('dev', 'web');
  await hub.eventually(async () =>
    expect(await hub.app('fleet')).toMatchObject({ sync: 'Synced', health: 'Missing', ofHub: true }),
  );
  expect(await hub.app('web')).toMatchObject({ root: 'argocd/fleet' });
  await report('web', 'Healthy');
  await hub.eventually(async () =>
    expect(await hub.app('fleet')).toMatchObject({ sync: 'Synced', health: 'Healthy', conditions: [] }),
  );
  const resources = await resourcesOf('fleet');
  expect(resources.get('Application web')).toMatchObject({
    sync: 'Synced',
    health: 'Healthy',
    namespace: 'argocd',
  });
  expect(resources.get('AppProject team')).toMatchObject({ sync: 'Synced', health: 'Healthy' });
  const history = await get(ApplicationViews).history(systemActor, 'argocd', 'fleet');
  expect(history.deployments).toMatchObject([{ cluster: 'hub', commit: hub.git('rev-parse', 'HEAD') }]);
});

test('a child of a later wave comes once all before it are synced and healthy', async () => {
  await push({
    'waves/db.yaml': child('db', { wave: -1 }),
    'waves/cache.yaml': child('cache', { wave: -1 }),
    'waves/shop.yaml': child('shop', { wave: 2 }),
  });
  await hub.apply([root('waves', 'waves')]);
  await hub.assignment('dev', 'db');
  await hub.assignment('dev', 'cache');
  await report('db', 'Healthy');
  await report('cache', 'Progressing');
  await hub.eventually(async () =>
    expect(await hub.app('waves')).toMatchObject({
      sync: 'OutOfSync',
      healthMessage: 'wave 2 waits for Application argocd/cache (Synced, Progressing)',
      operation: { phase: 'Running' },
    }),
  );
  expect(await names()).not.toContain('shop');
  await report('cache', 'Healthy');
  await hub.assignment('dev', 'shop');
  await report('shop', 'Healthy');
  await hub.eventually(async () =>
    expect(await hub.app('waves')).toMatchObject({
      sync: 'Synced',
      health: 'Healthy',
      operation: { phase: 'Succeeded' },
    }),
  );
});

test('a bad child is a condition with its file; the others are applied, and nothing is removed meanwhile', async () => {
  await push({ 'bad/one.yaml': child('one'), 'bad/two.yaml': child('two') });
  await hub.apply([root('bad', 'bad', { syncPolicy: { automated: { prune: true } } })]);
  await hub.assignment('dev', 'two');
  const before = await hub.assignment('dev', 'two');
  await push({
    'bad/one.yaml': null,
    'bad/two.yaml': `${child('two')}  colour: blue\n`,
    'bad/deep/none.txt': 'x',
    'bad/three.yaml': child('three'),
    'bad/hook.yaml': child('hook', { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } }),
  });
  await hub.assignment('dev', 'three');
  await hub.eventually(async () =>
    expect(await conditionsOf('bad')).toMatchObject([
      {
        type: 'InvalidChild',
        message: expect.stringMatching(
          /^Application argocd\/hook: bad\/hook\.yaml:1: .*hooks cannot be applied/,
        ),
      },
      {
        type: 'InvalidChild',
        message: expect.stringMatching(/^Application argocd\/two: bad\/two\.yaml:1: .*colour/),
      },
    ]),
  );
  expect(await hub.assignment('dev', 'two')).toEqual(before);
  expect((await hub.app('one')).leaving).toBeUndefined();
  expect((await resourcesOf('bad')).get('Application one')).toMatchObject({
    requiresPruning: true,
    message: 'no longer in Git; kept while a document cannot be read',
  });
});

test('what somebody applied is refused where it differs, and taken over where it is the same', async () => {
  await push({ 'owned/mine.yaml': child('mine'), 'owned/same.yaml': child('same') });
  await hub.apply([application(hub, 'mine', 'workload', { project: 'default' })]);
  const same = application(hub, 'same', 'workload', { syncPolicy: { automated: {} } });
  await hub.apply([{ ...same, metadata: { name: 'same', annotations: {} } } as typeof same]);
  await hub.apply([root('owner', 'owned'), root('other', 'owned')]);
  const refusal = async (name: string) => (await conditionsOf(name)).map((one) => one.message);
  await hub.eventually(async () => {
    expect(await refusal('owner')).toContainEqual(
      'Application argocd/mine: it belongs to nobody: somebody applied it directly, and differently',
    );
    const holders = [await refusal('owner'), await refusal('other')].flat();
    expect(holders).toContainEqual(
      expect.stringMatching(/^Application argocd\/same: it belongs to the root argocd\/(owner|other)$/),
    );
  });
  expect((await hub.app('same')).root).toMatch(/owner|other/);
  expect((await hub.app('mine')).root).toBeUndefined();
});

test('a change by hand is shown, and put back where the root heals', async () => {
  await push({ 'heal/tended.yaml': child('tended') });
  await hub.apply([root('healer', 'heal', { syncPolicy: { automated: {} } })]);
  await hub.assignment('dev', 'tended');
  await hub.apply([application(hub, 'tended', 'elsewhere')]);
  await hub.eventually(async () =>
    expect((await resourcesOf('healer')).get('Application tended')).toMatchObject({ sync: 'OutOfSync' }),
  );
  expect((await hub.app('tended')).source.path).toBe('elsewhere');
  await hub.apply([root('healer', 'heal', { syncPolicy: { automated: { selfHeal: true } } })]);
  await hub.eventually(async () => expect((await hub.app('tended')).source.path).toBe('workload'));
});

test('without automation nothing happens until somebody syncs', async () => {
  await push({ 'manual/by-hand.yaml': child('by-hand') });
  await hub.apply([root('manual', 'manual', { syncPolicy: {} })]);
  await hub.eventually(async () =>
    expect((await resourcesOf('manual')).get('Application by-hand')).toMatchObject({
      sync: 'OutOfSync',
      health: 'Missing',
    }),
  );
  const sync = (dryRun: boolean) => get(ApplicationActions).sync(systemActor, 'argocd', 'manual', { dryRun });
  const ended = async ({ command }: { command: string }) =>
    get(CommandsService).wait(command, AbortSignal.timeout(60_000));
  expect(await ended(await sync(true))).toEqual({
    outcome: 'succeeded',
    message: 'would change Application by-hand',
  });
  expect(await names()).not.toContain('by-hand');
  expect(await ended(await sync(false))).toMatchObject({ outcome: 'succeeded' });
  expect(await names()).toContain('by-hand');
  await hub.eventually(async () => expect((await hub.app('manual')).sync).toBe('Synced'));
});

test('a child that Git drops leaves within the budget; more than half of them wait for an approval', async () => {
  const all = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'];
  await push(Object.fromEntries(all.map((name) => [`prune/${name}.yaml`, child(name)])));
  await hub.apply([root('pruner', 'prune', { syncPolicy: { automated: { prune: true } } })]);
  for (const name of all) await hub.assignment('dev', name);
  await push({ 'prune/p1.yaml': null });
  await removed('p1');
  await hub.eventually(async () => expect(await names()).not.toContain('p1'));
  await push({ 'prune/p2.yaml': null, 'prune/p3.yaml': null, 'prune/p4.yaml': null, 'prune/p5.yaml': null });
  await hub.eventually(async () => {
    expect((await hub.app('p2')).leaving).toMatchObject({ held: expect.stringContaining('4 of 6 children') });
  });
  await hub.eventually(async () =>
    expect((await resourcesOf('pruner')).get('Application p2')).toMatchObject({
      requiresPruning: true,
      message: expect.stringContaining('waits for an approval'),
    }),
  );
  // One is taken back: it stays, and is nobody's child any more.
  await get(ApplicationActions).restore(systemActor, 'argocd', 'p2');
  await hub.eventually(async () => expect(await hub.app('p2')).not.toHaveProperty('root'));
  expect((await hub.app('p2')).leaving).toBeUndefined();
  // Git takes another back.
  await push({ 'prune/p3.yaml': child('p3') });
  await hub.eventually(async () => expect((await hub.app('p3')).leaving).toBeUndefined());
  const { id } = await hub.db
    .selectFrom('applications')
    .select('id')
    .where('name', '=', 'pruner')
    .executeTakeFirstOrThrow();
  const pruner = { id, namespace: 'argocd', name: 'pruner', project: 'default' };
  expect(await get(RootRemovals).approve(systemActor, pruner, 'moved')).toEqual({ approved: 2 });
  await removed('p4');
  await removed('p5');
  await hub.eventually(async () => expect(await hub.app('pruner')).toMatchObject({ sync: 'Synced' }));
  await expect(get(RootRemovals).approve(systemActor, pruner)).rejects.toThrow(
    'no removal of argocd/pruner waits',
  );
});

test('a root that renders to nothing removes nothing, its sets neither', async () => {
  await push({ 'empty/e1.yaml': child('e1'), 'empty/set.yaml': set('es', ['a', 'b']) });
  await hub.apply([root('emptied', 'empty', { syncPolicy: { automated: { prune: true } } })]);
  for (const name of ['e1', 'es-a', 'es-b']) {
    await hub.assignment('dev', name);
    await report(name, 'Healthy');
  }
  await hub.eventually(async () =>
    expect(await hub.app('emptied')).toMatchObject({ sync: 'Synced', health: 'Healthy' }),
  );
  await push({ 'empty/e1.yaml': null, 'empty/set.yaml': null, 'empty/README.md': 'nothing' });
  await hub.eventually(async () => {
    const resources = await resourcesOf('emptied');
    for (const name of ['Application e1', 'ApplicationSet es'])
      expect(resources.get(name)).toMatchObject({
        message: expect.stringContaining('Git holds none of the children'),
      });
  });
  expect((await hub.app('es-a')).leaving).toBeUndefined();
  const { id } = await hub.db
    .selectFrom('applications')
    .select('id')
    .where('name', '=', 'emptied')
    .executeTakeFirstOrThrow();
  await get(RootRemovals).approve(systemActor, {
    id,
    namespace: 'argocd',
    name: 'emptied',
    project: 'default',
  });
  for (const name of ['e1', 'es-a', 'es-b']) await removed(name);
  await hub.eventually(async () => expect(await resourcesOf('emptied')).toEqual(new Map()));
});

test('a root writes what whoever applied it may write, and no more', async () => {
  await push({
    'rights/own.yaml': child('own'),
    'rights/foreign.yaml': child('foreign').replace('project: default', 'project: team'),
    'rights/project.yaml': project('grab'),
  });
  const bob = {
    kind: 'user' as const,
    name: 'bob',
    grants: [{ role: 'operator' as const, project: 'default' }],
  };
  const documents = [root('rights', 'rights')];
  await get(ApplyService).apply({ documents, dryRun: false }, bob);
  await hub.assignment('dev', 'own');
  await hub.eventually(async () =>
    expect((await conditionsOf('rights')).map((one) => `${one.type} ${one.message}`).sort()).toEqual([
      expect.stringMatching(
        /^ProjectDenied AppProject grab: AppProjects need the role admin: .* applied by bob/,
      ),
      expect.stringMatching(
        /^ProjectDenied Application argocd\/foreign: project team is not .* applied by bob/,
      ),
    ]),
  );
  expect(await names()).not.toContain('foreign');
  // The same document from somebody who may.
  await hub.apply(documents);
  await hub.assignment('dev', 'foreign');
  await hub.eventually(async () => expect(await conditionsOf('rights')).toEqual([]));
  const { rows } = await sql<{
    actor: string;
  }>`select actor from audit where object = 'application/argocd/foreign'`.execute(hub.db);
  expect(rows).toEqual([{ actor: 'root:argocd/rights' }]);
});

test('a root in a project that does not permit everything holds only children of that project', async () => {
  const team = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'narrow' },
    spec: {
      sourceRepos: ['*'],
      destinations: [
        { name: 'dev', namespace: 'shop' },
        { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
      ],
    },
  };
  await push({
    'narrow/n1.yaml': child('n1').replace('project: default', 'project: narrow'),
    'narrow/n2.yaml': child('n2'),
    'narrow/n3.yaml': child('n3')
      .replace('project: default', 'project: narrow')
      .replace('  name: n3', '  name: n3\n  namespace: kube-system'),
  });
  await hub.apply([team, root('narrow', 'narrow', { project: 'narrow' })]);
  await hub.assignment('dev', 'n1');
  await hub.eventually(async () => {
    const messages = (await conditionsOf('narrow')).map((one) => one.message).join('\n');
    expect(messages).toMatch(/n2: project default is not what a root of project narrow may write/);
    expect(messages).toMatch(/does not allow the namespace kube-system/);
  });
  expect(await names()).not.toContain('n2');
});

test('a root may hold itself and other roots, but not in circles', async () => {
  const file = (name: string, path: string) => JSON.stringify(root(name, path));
  await push({
    'self/top.yaml': file('top', 'self'),
    'self/below.yaml': file('below', 'below'),
    'below/leaf.yaml': child('leaf'),
    'below/top.yaml': file('top', 'self'),
  });
  await hub.apply([root('top', 'self')]);
  await hub.assignment('dev', 'leaf');
  await report('leaf', 'Healthy');
  await hub.eventually(async () => {
    expect(await conditionsOf('below')).toMatchObject([
      {
        type: 'ChildRefused',
        message: 'Application argocd/top: it is a root above this one: roots may not go in circles',
      },
    ]);
  });
  await push({ 'below/top.yaml': null });
  await hub.eventually(async () =>
    expect(await hub.app('top')).toMatchObject({ sync: 'Synced', health: 'Healthy' }),
  );
  expect((await hub.app('below')).root).toBe('argocd/top');
});

test('a set makes a root for each team, which holds what whoever applied the set may write', async () => {
  await push({
    'teams/red/red-app.yaml': child('red-app'),
    'teams/blue/blue-app.yaml': child('blue-app').replace('project: default', 'project: team'),
  });
  const elements = [{ team: 'red' }, { team: 'blue' }];
  const teams = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'teams' },
    spec: {
      generators: [{ list: { elements } }],
      template: {
        metadata: { name: 'team-{{team}}' },
        spec: {
          project: 'default',
          source: { repoURL: hub.url, path: 'teams/{{team}}', targetRevision: 'main' },
          destination: { server: 'muster://hub', namespace: 'argocd' },
          syncPolicy: { automated: { prune: true } },
        },
      },
    },
  };
  const carol = {
    kind: 'user' as const,
    name: 'carol',
    grants: [{ role: 'operator' as const, project: 'default' }],
  };
  await get(ApplyService).apply({ documents: [teams], dryRun: false }, carol);
  await hub.assignment('dev', 'red-app');
  await report('red-app', 'Healthy');
  await hub.eventually(async () =>
    expect(await hub.app('team-red')).toMatchObject({ ofHub: true, sync: 'Synced', health: 'Healthy' }),
  );
  expect(await hub.app('red-app')).toMatchObject({ root: 'argocd/team-red' });
  await hub.eventually(async () =>
    expect(await conditionsOf('team-blue')).toMatchObject([
      {
        type: 'ProjectDenied',
        message: expect.stringMatching(/blue-app: project team is not .* applied by carol/),
      },
    ]),
  );
  expect(await names()).not.toContain('blue-app');
});

test('a failed sync of a root is over once Git is repaired, though nothing is left to apply', async () => {
  await push({ 'mended/m1.yaml': child('m1') });
  await hub.apply([root('mended', 'mended')]);
  await hub.assignment('dev', 'm1');
  await push({ 'mended/m1.yaml': `${child('m1')}  colour: blue\n`, 'mended/m2.yaml': child('m2') });
  await hub.assignment('dev', 'm2');
  await hub.eventually(async () =>
    expect(await hub.app('mended')).toMatchObject({ operation: { phase: 'Failed' } }),
  );
  await push({ 'mended/m1.yaml': child('m1') });
  await hub.eventually(async () =>
    expect(await hub.app('mended')).toMatchObject({
      sync: 'Synced',
      conditions: [],
      operation: { phase: 'Succeeded' },
    }),
  );
});

test('deleting a root leaves its children where they are, or takes them along once that is approved', async () => {
  await push({
    'gone/g1.yaml': child('g1'),
    'gone/g2.yaml': child('g2', { annotations: { 'argocd.argoproj.io/sync-options': 'Delete=false' } }),
  });
  await hub.apply([root('kept', 'gone')]);
  await hub.assignment('dev', 'g1');
  await hub.assignment('dev', 'g2');
  await get(ApplicationActions).remove(systemActor, 'argocd', 'kept');
  await hub.eventually(async () => expect(await names()).not.toContain('kept'));
  expect(await hub.app('g1')).not.toHaveProperty('root');
  // What is the same is taken over again.
  await hub.apply([root('taken', 'gone', {}, { finalizers: ['resources-finalizer.argocd.argoproj.io'] })]);
  await hub.eventually(async () => expect((await hub.app('g2')).root).toBe('argocd/taken'));
  await get(ApplicationActions).remove(systemActor, 'argocd', 'taken');
  await hub.eventually(async () => {
    expect((await hub.app('g1')).leaving).toMatchObject({
      held: expect.stringContaining('all 2 children of the root'),
    });
    expect((await hub.app('taken')).leaving).toMatchObject({ held: 'its children leave first' });
  });
  const { id } = await hub.db
    .selectFrom('applications')
    .select('id')
    .where('name', '=', 'taken')
    .executeTakeFirstOrThrow();
  await get(RootRemovals).approve(systemActor, {
    id,
    namespace: 'argocd',
    name: 'taken',
    project: 'default',
  });
  await removed('g1');
  await hub.eventually(async () => expect(await names()).not.toContain('taken'));
  expect((await hub.app('g2')).leaving).toBeUndefined();
});

test('what is no child goes to the local cluster, and without one is a condition', async () => {
  await push({ 'mixed/app.yaml': child('mixed-child'), 'mixed/map.yaml': configMap });
  await hub.apply([root('mixed', 'mixed')]);
  await hub.eventually(async () =>
    expect(await conditionsOf('mixed')).toMatchObject([
      {
        type: 'NoLocalCluster',
        message: expect.stringContaining('no cluster is registered as the local one'),
      },
    ]),
  );
  const local = await hub.cluster('home');
  await hub.db.updateTable('clusters').set({ local: true }).where('id', '=', local).execute();
  await hub.db
    .transaction()
    .execute((trx) => get(ClusterChanges).announce(trx, { ids: [local], kind: 'changed' }));
  const assigned = await hub.assignment('home', 'mixed');
  expect(await hub.objects(assigned.bundle_digest!)).toMatchObject([{ kind: 'ConfigMap' }]);
  await hub.eventually(async () => expect(await conditionsOf('mixed')).toEqual([]));
  expect((await hub.app('mixed-child')).root).toBe('argocd/mixed');
});

test('a root in which nothing changes writes nothing', async () => {
  await report('web', 'Healthy');
  await hub.eventually(async () => expect((await hub.app('fleet')).health).toBe('Healthy'));
  const { id } = await hub.db
    .selectFrom('applications')
    .select('id')
    .where('name', '=', 'fleet')
    .executeTakeFirstOrThrow();
  const versions = async () =>
    (
      await sql`select xmin::text, application_id::text from roots where application_id = ${id} union all select xmin::text, name from root_children where root_id = ${id}`.execute(
        hub.db,
      )
    ).rows;
  const before = await versions();
  await hub.db.transaction().execute((trx) => get(Roots).ask(trx, [id]));
  await hub.eventually(async () =>
    expect(await hub.db.selectFrom('outbox').select('key').where('key', '=', `root:${id}`).execute()).toEqual(
      [],
    ),
  );
  expect(await versions()).toEqual(before);
});
