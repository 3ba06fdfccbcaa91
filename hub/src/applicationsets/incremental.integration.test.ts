import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplicationSet, Generator } from '@muster/appset';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TestHub } from '../applications/pipeline.fixture.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { type Replica, outcome, replica, settled, startQuietHub } from './incremental.fixture.ts';
import { checkApplicationSet } from './set-manifest.ts';
import { SetManifests } from './set-manifests.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-incremental-'));
let warm: TestHub;
let cold: TestHub;

beforeAll(async () => {
  [warm, cold] = await Promise.all([startQuietHub(folder, 'warm'), startQuietHub(folder, 'cold')]);
});
afterAll(async () => {
  await Promise.all([warm?.stop(), cold?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => Promise.all([empty(warm), empty(cold)]));

const LABELS = ['a', 'b', 'c'];
const CLUSTERS = Array.from({ length: 8 }, (_, i) => `cluster-${i}`);

const empty = async ({ db }: TestHub) => {
  await sql`truncate application_sets, applications, clusters, cluster_changes, departed_applications, outbox cascade`.execute(
    db,
  );
  await sql`delete from projects where name <> 'default'`.execute(db);
};

function setOf(
  generators: Generator[],
  name: string,
  template: object = {},
  spec: object = {},
): ApplicationSet {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'set' },
    spec: {
      generators,
      template: {
        metadata: { name, labels: { tier: '{{metadata.labels.tier}}' } },
        spec: {
          project: 'default',
          source: { repoURL: 'https://git.example.test/r.git', path: 'p' },
          destination: { name: '{{name}}', namespace: 'n' },
          ...template,
        },
      },
      ...spec,
    },
  };
}

const some: Generator = {
  clusters: { selector: { matchExpressions: [{ key: 'env', operator: 'In', values: ['a', 'b'] }] } },
};
const apps: Generator = {
  list: {
    elements: [
      { app: 'x', env: 'a' },
      { app: 'y', env: 'b' },
    ],
  },
};
const sets: Record<string, ApplicationSet> = {
  clusters: setOf([some], '{{name}}'),
  'every cluster, made and changed only': setOf(
    [{ clusters: {} }],
    '{{name}}',
    {},
    { syncPolicy: { applicationsSync: 'create-update' } },
  ),
  'made only': setOf([some], '{{name}}', {}, { syncPolicy: { applicationsSync: 'create-only' } }),
  'a matrix': setOf([{ matrix: { generators: [apps, some] } }], '{{name}}-{{app}}'),
  'a matrix whose clusters come from the list': setOf(
    [{ matrix: { generators: [apps, { clusters: { selector: { matchLabels: { env: '{{env}}' } } } }] } }],
    '{{name}}-{{app}}',
  ),
  'names that collide': setOf(
    [some, { list: { elements: [{ name: 'cluster-1', 'metadata.labels.tier': 'a' }] } }],
    '{{name}}',
  ),
  'names of labels': setOf([some], 'tier-{{metadata.labels.tier}}'),
  'projects of labels': setOf([some], '{{name}}', { project: '{{metadata.labels.tier}}' }),
  'goTemplate that fails without a label': JSON.parse(
    JSON.stringify(
      setOf(
        [{ clusters: {} }],
        '{{name}}',
        {},
        { goTemplate: true, goTemplateOptions: ['missingkey=error'] },
      ),
    ).replaceAll('{{', '{{.'),
  ) as ApplicationSet,
  'what is ignored': setOf(
    [some],
    '{{name}}',
    { revisionHistoryLimit: 3 },
    { ignoreApplicationDifferences: [{ jsonPointers: ['/metadata/labels/tier'] }] },
  ),
  'clusters by clusters': setOf([{ merge: { mergeKeys: ['name'], generators: [some, some] } }], '{{name}}'),
};

async function write(hub: TestHub, set: ApplicationSet): Promise<string> {
  const checked = checkApplicationSet(set, '');
  const { sealed, hash } = hub.running.app.get(SetManifests, { strict: false }).seal(checked.set, 'argocd');
  const repository = hub.running.app.get(ApplicationSetsRepository, { strict: false });
  const { project, dependsOnClusters } = checked;
  return hub.db
    .transaction()
    .execute((trx) =>
      repository.write(trx, { namespace: 'argocd', name: 'set', project, sealed, hash, dependsOnClusters }),
    );
}

type Step = (hub: TestHub) => Promise<unknown>;

const label =
  (name: string, labels: Record<string, string>): Step =>
  ({ db }) =>
    sql`insert into clusters (name, server, labels, state) values (${name}, ${`https://${name}`}, ${JSON.stringify(labels)}::jsonb, 'active')
      on conflict (name) do update set labels = excluded.labels, state = 'active'`.execute(db);
const leaving: Step = ({ db }) =>
  sql`update clusters set state = 'pending' where name = 'cluster-2'`.execute(db);
const gone =
  (name: string): Step =>
  async ({ db }) => {
    await sql`update applications set cluster_id = null where destination = ${name}`.execute(db);
    await sql`delete from clusters where name = ${name}`.execute(db);
  };
/** Restored by a user: it belongs to no set then. */
const restored: Step = ({ db }) =>
  sql`update applications set restored_from = set_id, set_id = null, leaving_at = null, leaving_action = null, held_reason = null,
    leaving_counted = false, version = version + 1 where id = (select id from applications where leaving_at is not null and set_id is not null order by name limit 1)`.execute(
    db,
  );
const removed: Step = ({ db }) =>
  sql`delete from applications where leaving_at is not null and name like '%1'`.execute(db);
const signed: Step = ({ db }) =>
  sql`update applications set tombstoned_at = now() where leaving_at is not null and name like '%3'`.execute(
    db,
  );
const taken: Step = ({ db }) =>
  sql`update applications set set_id = null where name = 'cluster-4'`.execute(db);
const project: Step = ({ db }) =>
  sql`insert into projects (name, manifest) select 'a', manifest from projects where name = 'default' on conflict do nothing`.execute(
    db,
  );

const labels = fc.record(
  { env: fc.constantFrom(...LABELS), tier: fc.constantFrom(...LABELS) },
  { requiredKeys: ['env'] },
);
const step: fc.Arbitrary<[string, Step]> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...CLUSTERS), labels)
      .map(([name, of]) => [`${name} ${JSON.stringify(of)}`, label(name, of)] as [string, Step]),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...CLUSTERS).map((name) => [`${name} is gone`, gone(name)] as [string, Step]),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<[string, Step]>(
      ['a cluster leaves', leaving],
      ['one is restored', restored],
      ['removals end', removed],
      ['removals are signed', signed],
      ['one is taken', taken],
      ['a project is made', project],
    ),
  },
);

/** What rendering notes, which the deletion budget counts by. */
const resolve: Step = ({ db }) =>
  sql`update applications a set cluster_id = c.id from clusters c where c.name = a.destination and a.cluster_id is distinct from c.id`.execute(
    db,
  );

test.each(Object.entries(sets))(
  'a replica that remembers does what one does that begins anew: %s',
  async (_, set) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(labels, { minLength: CLUSTERS.length, maxLength: CLUSTERS.length }),
        fc.array(fc.array(step, { maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        async (first, rounds) => {
          await Promise.all([empty(warm), empty(cold)]);
          const remembering = replica(warm);
          const both = async (work: Step) => void (await Promise.all([work(warm), work(cold)]));
          const [warmId, coldId] = await Promise.all([write(warm, set), write(cold, set)]);
          for (const [i, of] of first.entries()) await both(label(CLUSTERS[i]!, of));
          for (const round of [[], ...rounds]) {
            for (const [, work] of round) await both(work);
            await Promise.all([remembering.expand(warmId), replica(cold).expand(coldId)]);
            await both(resolve);
            expect(await outcome(warm, 'set'), round.map(([what]) => what).join(', ')).toEqual(
              await outcome(cold, 'set'),
            );
          }
        },
      ),
      { numRuns: Number(process.env['TEST_RUNS'] ?? 15) },
    );
  },
  240_000,
);

/** The place of every row on the disk: another one means that it was written. */
async function places({ db }: TestHub): Promise<Map<string, string>> {
  const { rows } = await sql<{ name: string; at: string }>`
    select name, xmin::text || ctid::text as at from applications union all
    select 'set ' || name, xmin::text || ctid::text from application_sets`.execute(db);
  return new Map(rows.map(({ name, at }) => [name, at]));
}

const written = (before: Map<string, string>, after: Map<string, string>) =>
  [...after].filter(([name, at]) => before.get(name) !== at).map(([name]) => name);

/** Twenty clusters and the set over them, expanded by a replica. */
async function expanded(hub: TestHub): Promise<{ id: string; first: Replica }> {
  for (let i = 0; i < 20; i++) await label(`cluster-${i}`, { env: 'a', tier: 'a' })(hub);
  const id = await write(hub, sets['clusters']!);
  const first = replica(hub);
  await settled(hub);
  await first.expand(id);
  await settled(hub);
  return { id, first };
}

/** Transactions of others that are open make it read later changes again; never all. */
function expectPartsOnly({ over: [whole, ...parts] }: Replica): void {
  expect(whole).toBe(20);
  expect(Math.max(...parts)).toBeLessThan(20);
}

test('where nothing changed no row is written, by the replica that ran before nor by another one', async () => {
  const { id, first } = await expanded(warm);
  const before = await places(warm);
  expect(before.size).toBe(21);
  await first.expand(id);
  await replica(warm).expand(id);
  expect(written(before, await places(warm))).toEqual([]);
  expect(first.over).toEqual([20]);
});

test('a label changes the Application of its cluster only, and only that cluster is expanded', async () => {
  const { id, first } = await expanded(warm);
  const before = await places(warm);
  await label('cluster-7', { env: 'a', tier: 'b' })(warm);
  await first.expand(id);
  expect(written(before, await places(warm))).toEqual(['cluster-7']);
  await label('cluster-8', { env: 'c', tier: 'b' })(warm);
  await label('cluster-new', { env: 'b', tier: 'b' })(warm);
  await first.expand(id);
  expect(written(before, await places(warm)).sort()).toEqual(['cluster-7', 'cluster-8', 'cluster-new']);
  expectPartsOnly(first);
});

test('a replica takes up what another one did', async () => {
  const { id, first } = await expanded(warm);
  const second = replica(warm);
  await second.expand(id);
  for (let i = 0; i < 4; i++) {
    await label(`cluster-${i}`, { env: 'a', tier: 'c' })(warm);
    await (i % 2 === 0 ? first : second).expand(id);
  }
  const { rows } = await sql<{
    n: number;
  }>`select count(*)::int as n from applications where labels ->> 'tier' = 'c'`.execute(warm.db);
  expect(rows[0]!.n).toBe(4);
  expectPartsOnly(first);
  expectPartsOnly(second);
});

test('a change that is committed late, by a transaction that began early, is not passed over', async () => {
  const { id, first } = await expanded(warm);
  const late = await warm.db.startTransaction().execute();
  await sql`update clusters set labels = '{"env": "a", "tier": "late"}' where name = 'cluster-3'`.execute(
    late,
  );
  await label('cluster-4', { env: 'a', tier: 'soon' })(warm);
  await first.expand(id);
  await late.commit().execute();
  await label('cluster-5', { env: 'a', tier: 'soon' })(warm);
  await first.expand(id);
  const found = await warm.db
    .selectFrom('applications')
    .select(['name', 'labels'])
    .where('name', 'in', ['cluster-3', 'cluster-4', 'cluster-5'])
    .orderBy('name')
    .execute();
  expect(found.map((row) => row.labels['tier'])).toEqual(['late', 'soon', 'soon']);
  expectPartsOnly(first);
});

test('a set that changes while its changed clusters are expanded is left to the next run', async () => {
  const { id, first } = await expanded(warm);
  await label('cluster-7', { env: 'a', tier: 'b' })(warm);
  const before = await places(warm);
  const other = await warm.db.startTransaction().execute();
  await sql`update application_sets set version = version + 1 where id = ${id}`.execute(other);
  const running = first.expand(id);
  await warm.eventually(async () => {
    const { rows } =
      await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`.execute(
        warm.db,
      );
    expect(rows).toHaveLength(1);
  });
  await other.commit().execute();
  await running;
  expect(written(before, await places(warm))).toEqual(['set set']);
  await first.expand(id);
  expect(written(before, await places(warm)).sort()).toEqual(['cluster-7', 'set set']);
});

test('a held removal stays held while other clusters change', async () => {
  const { id, first } = await expanded(warm);
  await resolve(warm);
  for (let i = 0; i < 5; i++) await label(`cluster-${i}`, { env: 'c' })(warm);
  await first.expand(id);
  const held = () =>
    warm.db
      .selectFrom('applications')
      .select(['name', 'held_reason', 'leaving_at'])
      .where('leaving_at', 'is not', null)
      .orderBy('name')
      .execute();
  const before = await held();
  expect(before.map((row) => row.name)).toEqual(CLUSTERS.slice(0, 5));
  expect(before[0]!.held_reason).toMatch(
    /5 removals from ApplicationSet argocd\/set|all 1 Applications of cluster/,
  );
  await label('cluster-9', { env: 'a', tier: 'b' })(warm);
  await first.expand(id);
  expect(await held()).toEqual(before);
  await label('cluster-0', { env: 'a', tier: 'a' })(warm);
  await first.expand(id);
  expect(await held()).toEqual(before.slice(1));
  expectPartsOnly(first);
});
