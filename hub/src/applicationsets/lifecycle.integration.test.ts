import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { SetRemovals } from './set-removals.service.ts';
import { SetViews } from './set-views.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-lifecycle-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder, { MUSTER_DELETION_GRACE_SECONDS: '600' });
  for (const name of ['one', 'two', 'three', 'four', 'five']) await hub.cluster(name, { env: 'prod' });
  hub.commit({ 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Shape {
  names?: string[];
  revision?: string;
  annotations?: Record<string, string>;
  spec?: Record<string, unknown>;
}

const set = (name: string, { names, revision = 'main', annotations = {}, spec = {} }: Shape = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name },
  spec: {
    generators: [
      names
        ? { list: { elements: names.map((one) => ({ name: one })) } }
        : { clusters: { selector: { matchLabels: { env: 'prod' } } } },
    ],
    template: {
      metadata: { name: `${name}-{{name}}`, annotations },
      spec: {
        project: 'default',
        source: { repoURL: hub.url, path: 'app', targetRevision: revision },
        destination: { name: '{{name}}', namespace: name },
      },
    },
    ...spec,
  },
});
const removals = () => hub.running.app.get(SetRemovals, { strict: false });
const view = (name: string) =>
  hub.running.app.get(SetViews, { strict: false }).get(systemActor, 'argocd', name);
const manifest = async (name: string) => (await hub.app(name)).manifest as Record<string, never>;

/** Gives a cluster other labels, as `muster cluster label` does. */
async function label(name: string, labels: Record<string, string>): Promise<void> {
  const changes = hub.running.app.get(ClusterChanges, { strict: false });
  await hub.db.transaction().execute(async (trx) => {
    const { id } = await trx
      .updateTable('clusters')
      .set({ labels: JSON.stringify(labels) })
      .where('name', '=', name)
      .returning('id')
      .executeTakeFirstOrThrow();
    await changes.announce(trx, { ids: [id], kind: 'changed' });
  });
}

async function leaving() {
  const { rows } = await sql<{ leaving: number; held: number; tombstoned: number }>`
    select count(leaving_at)::int as leaving, count(held_reason)::int as held, count(tombstoned_at)::int as tombstoned
    from applications where name like 'fleet-%'`.execute(hub.db);
  return rows[0];
}

test('fifty sets that each lose one Application to one mistyped cluster label are held, all of them', async () => {
  await hub.apply(Array.from({ length: 50 }, (_, i) => set(`fleet-${i}`)));
  await hub.eventually(async () => {
    const { n } = await hub.db
      .selectFrom('applications')
      .select(sql<number>`count(*)::int`.as('n'))
      .where('name', 'like', 'fleet-%')
      .where('cluster_id', 'is not', null)
      .executeTakeFirstOrThrow();
    expect(n).toBe(250);
  });
  await hub.idle();
  await label('three', { env: 'prdo' });
  await hub.eventually(async () => expect((await leaving())?.leaving).toBe(50));
  await hub.idle();
  expect(await leaving()).toEqual({ leaving: 50, held: 50, tombstoned: 0 });
  expect((await hub.app('fleet-0-three')).leaving?.held).toMatch(
    /waits for an approval: 1 removals from cluster three, \d+ in the last 24 hours before them, more than its budget of 5/,
  );
  expect(await view('fleet-7')).toMatchObject({ applications: 5, leaving: 1, held: 1 });
});

test('an approval lets go what one set would lose; the label put right takes all others back', async () => {
  expect(await removals().approveDeletions(systemActor, 'argocd', 'fleet-0')).toEqual({ approved: 1 });
  await label('three', { env: 'prod' });
  await hub.eventually(async () => expect(await leaving()).toEqual({ leaving: 0, held: 0, tombstoned: 0 }));
  await hub.idle();
});

test('preserved and ignored fields stay when the set changes them', async () => {
  const spec = {
    preservedFields: { annotations: ['keep'] },
    ignoreApplicationDifferences: [{ jsonPointers: ['/spec/source/targetRevision'] }],
  };
  await hub.apply([set('kept', { names: ['one'], annotations: { keep: 'first' }, spec })]);
  await hub.assignment('one', 'kept-one');
  const changed = { names: ['one', 'two'], annotations: { keep: 'second', more: 'x' }, revision: 'gone' };
  await hub.apply([set('kept', { ...changed, spec })]);
  await hub.eventually(async () =>
    expect(await manifest('kept-one')).toMatchObject({
      metadata: { annotations: { keep: 'first', more: 'x' } },
      spec: { source: { targetRevision: 'main' } },
    }),
  );
  expect(await manifest('kept-two')).toMatchObject({
    metadata: { annotations: { keep: 'second' } },
    spec: { source: { targetRevision: 'gone' } },
  });
});

test('a deleted set whose policy deletes nothing leaves its Applications to themselves', async () => {
  const spec = { syncPolicy: { applicationsSync: 'create-update' } };
  await hub.apply([set('loose', { names: ['one', 'two'], spec })]);
  await hub.assignment('one', 'loose-one');
  await hub.assignment('two', 'loose-two');
  await hub.idle();
  await removals().remove(systemActor, 'argocd', 'loose', false);
  await hub.eventually(() => expect(view('loose')).rejects.toThrow('there is no ApplicationSet'));
  await hub.idle();
  expect((await hub.app('loose-one')).leaving).toBeUndefined();
  expect((await hub.assignment('one', 'loose-one')).action).toBe('apply');
});

test('the conditions carry the reasons of the reference', async () => {
  const reasons = async (name: string) =>
    Object.fromEntries(
      (await view(name)).conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]),
    );
  expect(await reasons('kept')).toEqual({
    ErrorOccurred: 'False ApplicationSetUpToDate',
    ParametersGenerated: 'True ParametersGenerated',
    ResourcesUpToDate: 'True ApplicationSetUpToDate',
  });
  await hub.apply([set('twice', { names: ['one', 'one'] })]);
  await hub.eventually(async () =>
    expect(await reasons('twice')).toEqual({
      ErrorOccurred: 'True ApplicationValidationError',
      ParametersGenerated: 'True ParametersGenerated',
      ResourcesUpToDate: 'False ApplicationValidationError',
    }),
  );
  const broken = {
    goTemplate: true,
    goTemplateOptions: ['missingkey=error'],
    templatePatch: '{{ .absent }}',
  };
  await hub.apply([set('broken', { names: ['one'], spec: broken })]);
  await hub.eventually(async () =>
    expect(await reasons('broken')).toEqual({
      ErrorOccurred: 'True RenderTemplateParamsError',
      ParametersGenerated: 'False ErrorOccurred',
      ResourcesUpToDate: 'False RenderTemplateParamsError',
    }),
  );
});
