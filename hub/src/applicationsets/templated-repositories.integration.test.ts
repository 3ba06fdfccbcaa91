import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { type TestRepository, makeRepository } from '../sources/repository.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-templated-'));
let hub: TestHub;
let teams: Record<'red' | 'blue', TestRepository>;

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

beforeAll(async () => {
  hub = await startTestHub(folder);
  await hub.cluster('dev');
  teams = { red: makeRepository(folder, 'red'), blue: makeRepository(folder, 'blue') };
  teams.red.commit({ 'apps/one/a.yaml': configMap }, 'one');
  teams.blue.commit({ 'apps/two/a.yaml': configMap }, 'two');
  teams.blue.git('branch', 'stable');
}, 120_000);
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const set = (elements: Record<string, string>[]) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'teams' },
  spec: {
    generators: [
      {
        matrix: {
          generators: [
            { list: { elements } },
            { git: { repoURL: '{{url}}', revision: '{{revision}}', directories: [{ path: 'apps/*' }] } },
          ],
        },
      },
    ],
    template: {
      metadata: { name: '{{team}}-{{path.basename}}' },
      spec: {
        project: 'default',
        source: { repoURL: '{{url}}', targetRevision: '{{revision}}', path: '{{path}}' },
        destination: { name: 'dev', namespace: 'shop' },
      },
    },
  },
});
const red = (over: Record<string, string> = {}) => ({
  team: 'red',
  url: teams.red.url,
  revision: 'main',
  ...over,
});
const blue = () => ({ team: 'blue', url: teams.blue.url, revision: 'stable' });

const names = async () =>
  (
    await hub.db
      .selectFrom('applications')
      .select('name')
      .where('leaving_at', 'is', null)
      .orderBy('name')
      .execute()
  ).map((row) => row.name);
const followed = async () =>
  (
    await hub.db
      .selectFrom('application_set_repositories as s')
      .innerJoin('repositories as r', 'r.id', 's.repository_id')
      .select(['r.url', 's.revision'])
      .orderBy('r.url')
      .execute()
  ).map(({ url, revision }) => `${url.split('/').at(-1)}@${revision}`);
const conditions = async () =>
  (await hub.db.selectFrom('application_sets').select('conditions').executeTakeFirstOrThrow()).conditions;

test('a git generator reads the repositories that other parameters name', async () => {
  await hub.apply([set([red(), blue()])]);
  await hub.eventually(async () => expect(await names()).toEqual(['blue-two', 'red-one']));
  await hub.idle();
  expect(await followed()).toEqual(['blue@stable', 'red@main']);
});

test('commits there expand again, at the revision that is followed', async () => {
  teams.red.commit({ 'apps/three/a.yaml': configMap }, 'three');
  await hub.push(teams.red.url);
  await hub.eventually(async () => expect(await names()).toEqual(['blue-two', 'red-one', 'red-three']));
  teams.blue.commit({ 'apps/four/a.yaml': configMap }, 'four');
  await hub.push(teams.blue.url);
  await hub.idle();
  expect(await names()).toEqual(['blue-two', 'red-one', 'red-three']);
  teams.blue.git('branch', '-f', 'stable');
  await hub.push(teams.blue.url);
  await hub.eventually(async () =>
    expect(await names()).toEqual(['blue-four', 'blue-two', 'red-one', 'red-three']),
  );
});

test('a repository that cannot be read keeps what there is, and is followed until it can', async () => {
  await hub.apply([set([red(), blue(), red({ team: 'green', revision: 'green' })])]);
  await hub.eventually(async () =>
    expect(await conditions()).toContainEqual(
      expect.objectContaining({
        type: 'ErrorOccurred',
        status: 'True',
        message: expect.stringContaining('the revision green is not a branch'),
      }),
    ),
  );
  expect(await names()).toHaveLength(4);
  teams.red.git('branch', 'green', 'main~1');
  await hub.push(teams.red.url);
  await hub.eventually(async () =>
    expect(await names()).toEqual(['blue-four', 'blue-two', 'green-one', 'red-one', 'red-three']),
  );
});

test('what the last expansion did not read is not followed any more', async () => {
  await hub.apply([set([red()])]);
  await hub.idle();
  expect(await followed()).toEqual(['red@main']);
});
