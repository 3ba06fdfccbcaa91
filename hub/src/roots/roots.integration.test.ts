import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { ApplicationActions } from '../applications/application-actions.service.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import { application } from '../applications/pipeline.fixture.ts';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { configMap, project, rootsFixture } from './roots.fixture.ts';
import { Roots } from './roots.service.ts';

const on = rootsFixture();
const { child, conditionsOf, get, names, push, report, resourcesOf, root } = on;

test('one root brings up what Git holds, and shows its children with their state', async () => {
  on.hub.commit({ 'fleet/web.yaml': child('web'), 'fleet/project.yaml': project('team') }, 'fleet');
  await on.hub.apply([root('fleet', 'fleet')]);
  await on.hub.assignment('dev', 'web');
  await on.hub.eventually(async () =>
    expect(await on.hub.app('fleet')).toMatchObject({ sync: 'Synced', health: 'Missing', ofHub: true }),
  );
  expect(await on.hub.app('web')).toMatchObject({ root: 'argocd/fleet' });
  await report('web', 'Healthy');
  await on.hub.eventually(async () =>
    expect(await on.hub.app('fleet')).toMatchObject({ sync: 'Synced', health: 'Healthy', conditions: [] }),
  );
  const resources = await resourcesOf('fleet');
  expect(resources.get('Application web')).toMatchObject({
    sync: 'Synced',
    health: 'Healthy',
    namespace: 'argocd',
  });
  expect(resources.get('AppProject team')).toMatchObject({ sync: 'Synced', health: 'Healthy' });
  const history = await get(ApplicationViews).history(systemActor, 'argocd', 'fleet');
  expect(history.deployments).toMatchObject([{ cluster: 'hub', commit: on.hub.git('rev-parse', 'HEAD') }]);
});

test('a child of a later wave comes once all before it are synced and healthy', async () => {
  await push({
    'waves/db.yaml': child('db', { wave: -1 }),
    'waves/cache.yaml': child('cache', { wave: -1 }),
    'waves/shop.yaml': child('shop', { wave: 2 }),
  });
  await on.hub.apply([root('waves', 'waves')]);
  await on.hub.assignment('dev', 'db');
  await on.hub.assignment('dev', 'cache');
  await report('db', 'Healthy');
  await report('cache', 'Progressing');
  await on.hub.eventually(async () =>
    expect(await on.hub.app('waves')).toMatchObject({
      sync: 'OutOfSync',
      healthMessage: 'wave 2 waits for Application argocd/cache (Synced, Progressing)',
      operation: { phase: 'Running' },
    }),
  );
  expect(await names()).not.toContain('shop');
  await report('cache', 'Healthy');
  await on.hub.assignment('dev', 'shop');
  await report('shop', 'Healthy');
  await on.hub.eventually(async () =>
    expect(await on.hub.app('waves')).toMatchObject({
      sync: 'Synced',
      health: 'Healthy',
      operation: { phase: 'Succeeded' },
    }),
  );
});

test('a bad child is a condition with its file; the others are applied, and nothing is removed meanwhile', async () => {
  await push({ 'bad/one.yaml': child('one'), 'bad/two.yaml': child('two') });
  await on.hub.apply([root('bad', 'bad', { syncPolicy: { automated: { prune: true } } })]);
  await on.hub.assignment('dev', 'two');
  const before = await on.hub.assignment('dev', 'two');
  await push({
    'bad/one.yaml': null,
    'bad/two.yaml': `${child('two')}  colour: blue\n`,
    'bad/deep/none.txt': 'x',
    'bad/three.yaml': child('three'),
    'bad/hook.yaml': child('hook', { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } }),
  });
  await on.hub.assignment('dev', 'three');
  await on.hub.eventually(async () =>
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
  expect(await on.hub.assignment('dev', 'two')).toEqual(before);
  expect((await on.hub.app('one')).leaving).toBeUndefined();
  expect((await resourcesOf('bad')).get('Application one')).toMatchObject({
    requiresPruning: true,
    message: 'no longer in Git; kept while a document cannot be read',
  });
});

test('a change by hand is shown, and put back where the root heals', async () => {
  await push({ 'heal/tended.yaml': child('tended') });
  await on.hub.apply([root('healer', 'heal', { syncPolicy: { automated: {} } })]);
  await on.hub.assignment('dev', 'tended');
  await on.hub.apply([application(on.hub, 'tended', 'elsewhere')]);
  await on.hub.eventually(async () =>
    expect((await resourcesOf('healer')).get('Application tended')).toMatchObject({ sync: 'OutOfSync' }),
  );
  expect((await on.hub.app('tended')).source.path).toBe('elsewhere');
  await on.hub.apply([root('healer', 'heal', { syncPolicy: { automated: { selfHeal: true } } })]);
  await on.hub.eventually(async () => expect((await on.hub.app('tended')).source.path).toBe('workload'));
});

test('without automation nothing happens until somebody syncs', async () => {
  await push({ 'manual/by-hand.yaml': child('by-hand') });
  await on.hub.apply([root('manual', 'manual', { syncPolicy: {} })]);
  await on.hub.eventually(async () =>
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
  await on.hub.eventually(async () => expect((await on.hub.app('manual')).sync).toBe('Synced'));
});

test('a failed sync of a root is over once Git is repaired, though nothing is left to apply', async () => {
  await push({ 'mended/m1.yaml': child('m1') });
  await on.hub.apply([root('mended', 'mended')]);
  await on.hub.assignment('dev', 'm1');
  await push({ 'mended/m1.yaml': `${child('m1')}  colour: blue\n`, 'mended/m2.yaml': child('m2') });
  await on.hub.assignment('dev', 'm2');
  await on.hub.eventually(async () =>
    expect(await on.hub.app('mended')).toMatchObject({ operation: { phase: 'Failed' } }),
  );
  await push({ 'mended/m1.yaml': child('m1') });
  await on.hub.eventually(async () =>
    expect(await on.hub.app('mended')).toMatchObject({
      sync: 'Synced',
      conditions: [],
      operation: { phase: 'Succeeded' },
    }),
  );
});

test('what is no child goes to the local cluster, and without one is a condition', async () => {
  await push({ 'mixed/app.yaml': child('mixed-child'), 'mixed/map.yaml': configMap });
  await on.hub.apply([root('mixed', 'mixed')]);
  await on.hub.eventually(async () =>
    expect(await conditionsOf('mixed')).toMatchObject([
      {
        type: 'NoLocalCluster',
        message: expect.stringContaining('no cluster is registered as the local one'),
      },
    ]),
  );
  const local = await on.hub.cluster('home');
  await on.hub.db.updateTable('clusters').set({ local: true }).where('id', '=', local).execute();
  await on.hub.db
    .transaction()
    .execute((trx) => get(ClusterChanges).announce(trx, { ids: [local], kind: 'changed' }));
  const assigned = await on.hub.assignment('home', 'mixed');
  expect(await on.hub.objects(assigned.bundle_digest!)).toMatchObject([{ kind: 'ConfigMap' }]);
  await on.hub.eventually(async () => expect(await conditionsOf('mixed')).toEqual([]));
  expect((await on.hub.app('mixed-child')).root).toBe('argocd/mixed');
});

test('a root in which nothing changes writes nothing', async () => {
  await report('web', 'Healthy');
  await on.hub.eventually(async () => expect((await on.hub.app('fleet')).health).toBe('Healthy'));
  const id = await on.idOf('fleet');
  const versions = async () =>
    (
      await sql`select xmin::text, application_id::text from roots where application_id = ${id} union all select xmin::text, name from root_children where root_id = ${id}`.execute(
        on.hub.db,
      )
    ).rows;
  const before = await versions();
  await on.hub.db.transaction().execute((trx) => get(Roots).ask(trx, [id]));
  await on.hub.eventually(async () =>
    expect(
      await on.hub.db.selectFrom('outbox').select('key').where('key', '=', `root:${id}`).execute(),
    ).toEqual([]),
  );
  expect(await versions()).toEqual(before);
});
