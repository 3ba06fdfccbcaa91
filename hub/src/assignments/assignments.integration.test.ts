import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, startTestDatabase } from '../testing/index.ts';
import { AssignmentsRepository } from './assignments.repository.ts';

let database: TestDatabase;
let repository: AssignmentsRepository;
let cluster: string;

beforeAll(async () => {
  database = await startTestDatabase();
  repository = new AssignmentsRepository(database.db);
  const clusters = await database.db
    .insertInto('clusters')
    .values(['dev', 'prod'].map((name) => ({ name, server: `muster://${name}`, state: 'active' as const })))
    .returning('id')
    .execute();
  cluster = clusters[0]!.id;
  const rows = clusters.flatMap(({ id }) =>
    [1n, 2n, 3n].map((generation) => ({
      cluster_id: id,
      application_namespace: 'argocd',
      application_name: `app-${generation}`,
      application_id: crypto.randomUUID(),
      epoch: 1n,
      generation,
      action: 'apply' as const,
      payload: Buffer.from('payload'),
      signature: Buffer.from('signature'),
      key_id: 'k',
      payload_sha256: Buffer.alloc(32, Number(generation)),
      acked_at: generation === 1n ? new Date() : null,
    })),
  );
  await database.db.insertInto('assignments').values(rows).execute();
});
afterAll(() => database?.stop());

const names = (rows: { application_name: string }[]) => rows.map((row) => row.application_name);

test('of a cluster only those are read that are asked for', async () => {
  expect(names(await repository.listFor(cluster))).toEqual(['app-1', 'app-2', 'app-3']);
  expect(names(await repository.listFor(cluster, { afterGeneration: 2n }))).toEqual(['app-3']);
  expect(names(await repository.listFor(cluster, { unanswered: true }))).toEqual(['app-2', 'app-3']);
  expect(names(await repository.listFor(cluster, { applications: ['argocd/app-2', 'other/app-3'] }))).toEqual(
    ['app-2'],
  );
  expect(await repository.listFor(cluster, { applications: [] })).toEqual([]);
});

test('lines are compared without loading what would be sent', async () => {
  const lines = await repository.lines([cluster]);
  expect(names(lines)).toEqual(['app-1', 'app-2', 'app-3']);
  expect(lines[0]).not.toHaveProperty('payload');
});
