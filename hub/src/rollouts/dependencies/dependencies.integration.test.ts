import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { application } from '../../applications/pipeline.fixture.ts';
import { WaitsRepository } from './waits.repository.ts';
import { RolloutReads } from '../reads/rollout-reads.service.ts';
import { RolloutFixture, configMap, policy, setOverClusters } from '../rollouts.fixture.ts';

const NAMES = ['a', 'b'];

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-dependencies-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  on.hub.commit({ 'web/a.yaml': configMap('one'), 'db/a.yaml': configMap('one') }, 'first');
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `NAME-CLUSTER` in each cluster, which waits for something. */
function set(
  name: string,
  dependsOn?: string,
  annotations: Record<string, string> = {},
  path = name === 'web' ? 'web' : 'db',
) {
  const made = setOverClusters(on.hub, annotations);
  made.metadata.name = name;
  const { metadata, spec } = made.spec.template;
  metadata.name = `${name}-{{name}}`;
  if (dependsOn !== undefined)
    Object.assign(metadata, { annotations: { 'muster.dev/depends-on': dependsOn } });
  spec.source.path = path;
  return made;
}

const db = (name: string, health = 'Healthy') => on.report(name, health, undefined, 'db');
const digest = async (name: string, of = 'web') => (await on.held(name, of))?.digest;

/** Why a target is not given what it is to hold. */
async function waits(name: string): Promise<string[]> {
  const row = await on.db
    .selectFrom('target_waits as w')
    .innerJoin('applications as a', 'a.id', 'w.application_id')
    .select('w.blockers')
    .where('a.name', '=', `web-${name}`)
    .executeTakeFirst();
  return (row?.blockers ?? []).map((one) => `${one.on}: ${one.reason}`);
}

/** A commit to both paths, once it is a release of both sets. */
async function commit(value: string): Promise<void> {
  on.hub.commit({ 'web/a.yaml': configMap(value), 'db/a.yaml': configMap(value) }, value);
  await on.hub.push();
  await on.hub.eventually(async () => {
    const rows = await on.db.selectFrom('releases').select('id').where('message', '=', value).execute();
    expect(rows).toHaveLength(2);
  });
  await on.settled();
}

test('without a policy a target is given its release once what it waits for is healthy on the same cluster', async () => {
  await on.hub.apply([set('web', 'db-{{name}}'), set('db')]);
  await on.hub.assignment('a', 'db-a');
  await on.hub.assignment('b', 'db-b');
  await on.settled();
  expect([await digest('a'), await digest('b')]).toEqual([undefined, undefined]);
  await db('a', 'Progressing');
  await on.hub.eventually(async () =>
    expect(await waits('a')).toEqual(['Application argocd/db-a on cluster a: Progressing']),
  );
  expect((await on.hub.app('web-a')).conditions).toEqual([
    expect.objectContaining({
      type: 'DependencyNotReady',
      message: 'waits for Application argocd/db-a on cluster a: Progressing',
    }),
  ]);
  await db('a');
  await on.hub.assignment('a', 'web-a');
  expect(await waits('a')).toEqual([]);
  expect(await digest('b')).toBeUndefined();
  await db('b');
  await on.hub.assignment('b', 'web-b');
  for (const name of NAMES) await on.report(name);
});

test('a newer commit waits for the newer release of what it waits for, and an agent that is silent is not healthy', async () => {
  await on.hub.apply([set('web', 'db-{{name}}'), set('db')]);
  for (const name of NAMES) {
    await on.hub.assignment(name, `db-${name}`);
    await db(name);
    await on.hub.assignment(name, `web-${name}`);
    await on.report(name);
  }
  const first = [await digest('a'), await digest('b')];
  const older = (await on.held('a', 'db'))!;
  await commit('two');
  expect([await digest('a'), await digest('b')]).toEqual(first);
  await on.report('a', 'Healthy', older, 'db');
  expect(await digest('a')).toBe(first[0]);
  // Whatever else looks at it signs nothing either.
  await on.assignAll();
  expect([await digest('a'), await digest('b')]).toEqual(first);
  await on.disconnect('b');
  await db('a');
  await on.hub.eventually(async () => expect(await digest('a')).not.toBe(first[0]));
  await on.settled();
  expect(await digest('b')).toBe(first[1]);
  await on.connect('b');
  await db('b');
  await on.hub.eventually(async () => expect(await digest('b')).not.toBe(first[1]));
});

test('what nobody knows is waited for with a reason, and no longer once the annotation is gone', async () => {
  await on.hub.apply([set('web', 'nothing-{{name}}')]);
  await on.hub.eventually(async () =>
    expect(await waits('a')).toEqual([
      'Application argocd/nothing-a on cluster a: there is no Application argocd/nothing-a',
    ]),
  );
  expect(await digest('a')).toBeUndefined();
  await on.hub.apply([set('web', 'db-b'), set('db')]);
  await on.hub.eventually(async () =>
    expect(await waits('a')).toEqual(['Application argocd/db-b on cluster a: it is on cluster b']),
  );
  await on.hub.apply([set('web')]);
  await on.hub.assignment('a', 'web-a');
});

test('in a rollout a target is not started before that, and the rollout says what it waits for', async () => {
  const careful = policy('careful', { stages: [{ name: 'all', deadline: '5m' }] });
  const annotations = { 'muster.dev/rollout-policy': 'careful' };
  await on.hub.apply([set('db')]);
  for (const name of NAMES) {
    await on.hub.assignment(name, `db-${name}`);
    await db(name);
  }
  await on.hub.apply([careful, set('web', '{ applicationSet: db }', annotations)]);
  for (const name of NAMES) await on.hub.assignment(name, `web-${name}`);
  await on.settled();
  for (const name of NAMES) await on.report(name);
  expect((await on.rollout()).phase).toBe('completed');
  await commit('two');
  await on.look();
  expect(await on.states()).toEqual({ a: 'waiting', b: 'waiting' });
  await db('a', 'Progressing');
  const { id } = await on.rollout();
  const { waitingFor } = await on.get(RolloutReads).get(systemActor, id, { targets: 100 });
  expect(waitingFor.map(({ what, text }) => `${what}: ${text}`)).toEqual([
    expect.stringMatching(
      /^dependency: Application argocd\/db-a on cluster a: Progressing since \S+ \(it holds back argocd\/web-a in a\)$/,
    ),
    expect.stringMatching(
      /^dependency: Application argocd\/db-b on cluster b: .*\(it holds back argocd\/web-b in b\)$/,
    ),
  ]);
  // Its deadline has not begun: it was not given anything.
  await on.pass(600_000);
  expect(await on.states()).toEqual({ a: 'waiting', b: 'waiting' });
  await db('a');
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting' });
  await on.report('a');
  await db('b');
  expect(await on.states()).toEqual({ a: 'done', b: 'assigned' });
  await on.report('b');
  expect((await on.rollout()).phase).toBe('completed');
});

test('a stage waits for a stage of another set, and goes on when that has passed', async () => {
  const two = {
    stages: [{ name: 'canary', clusters: { matchLabels: { tier: 'canary' } } }, { name: 'rest' }],
  };
  const platform = policy('platform', two);
  const site = policy('site', {
    stages: [{ ...two.stages[0], dependsOn: [{ applicationSet: 'db', stage: 'canary' }] }, two.stages[1]],
  });
  await on.hub.apply([
    platform,
    site,
    set('db', undefined, { 'muster.dev/rollout-policy': 'platform' }),
    set('web', undefined, { 'muster.dev/rollout-policy': 'site' }),
  ]);
  const state = async (name: string) => {
    const rows = await on.db
      .selectFrom('rollout_targets')
      .select(['state'])
      .where('application_name', '=', name)
      .orderBy('rollout_id', 'desc')
      .execute();
    return rows[0]?.state;
  };
  await on.hub.assignment('a', 'db-a');
  await on.hub.eventually(async () => expect(await state('web-a')).toBe('waiting'));
  await on.settled();
  expect(await digest('a')).toBeUndefined();
  await db('a');
  await on.hub.assignment('a', 'web-a');
  await on.report('a');
  await on.hub.assignment('b', 'web-b');
});

test('a stage waits for an Application that its policy names, on whatever cluster that is', async () => {
  const { hub } = on;
  hub.commit({ 'registry/a.yaml': configMap('one') }, 'registry');
  await hub.apply([
    application(hub, 'registry-b', 'registry', { destination: { name: 'b', namespace: 'shop' } }),
    policy('careful', {
      stages: [
        { name: 'canary', clusters: { matchLabels: { tier: 'canary' } }, dependsOn: ['registry-b'] },
        { name: 'rest', dependsOn: [{ application: 'other/nobody' }] },
      ],
    }),
    set('web', undefined, { 'muster.dev/rollout-policy': 'careful' }),
  ]);
  await hub.assignment('b', 'registry-b');
  await on.settled();
  await on.report('b', 'Progressing', undefined, 'registry');
  const reasons = async () => {
    const { id } = await on.rollout();
    const { waitingFor } = await on.get(RolloutReads).get(systemActor, id, { targets: 100 });
    return waitingFor.filter(({ what }) => what === 'dependency').map(({ text }) => text);
  };
  await hub.eventually(async () =>
    expect(await reasons()).toEqual([
      expect.stringMatching(/^Application argocd\/registry-b on cluster b: Progressing since /),
    ]),
  );
  expect(await digest('a')).toBeUndefined();
  // The report of another cluster's agent is what the stage was waiting for: nobody looks at the clock.
  await on.report('b', 'Healthy', undefined, 'registry');
  await hub.assignment('a', 'web-a');
  await on.report('a');
  await hub.eventually(async () =>
    expect(await reasons()).toEqual([
      expect.stringContaining('Application other/nobody: there is no Application other/nobody'),
    ]),
  );
  expect(await digest('b')).toBeUndefined();
  await expect(
    hub.apply([policy('odd', { stages: [{ name: 'all', dependsOn: ['a/b/c'] }] })]),
  ).rejects.toThrow('spec.stages[0].dependsOn[0]');
});

test.each([1, 120])(
  'a report that lets %i Applications go is stored while others judge them, and all of them are given their release',
  async (count) => {
    const made = set('web', 'db-a');
    const elements = Array.from({ length: count }, (_, i) => ({ n: `n${i}`, name: 'a' }));
    made.spec.generators = [{ list: { elements } }] as never;
    made.spec.template.metadata = {
      name: 'web-{{n}}',
      annotations: { 'muster.dev/depends-on': 'db-a' },
    } as never;
    await on.hub.apply([made, set('db')]);
    await on.hub.assignment('a', 'db-a');
    const rows = () => on.db.selectFrom('target_waits').select(['woken', 'looked_at']).execute();
    await on.hub.eventually(async () => expect(await rows()).toHaveLength(count));
    await on.settled();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const judging = new Promise<void>((resolve, reject) => {
      on.db
        .transaction()
        .execute(async (trx) => {
          await trx.selectFrom('target_waits').select('application_id').forUpdate().execute();
          resolve();
          await released;
        })
        .catch(reject);
    });
    await judging;
    const reported = db('a');
    try {
      await on.hub.eventually(async () => {
        const { health } = await on.db
          .selectFrom('target_status')
          .select('health')
          .where('application_name', '=', 'db-a')
          .executeTakeFirstOrThrow();
        expect(health).toBe('Healthy');
      });
    } finally {
      release();
    }
    await reported;
    await on.hub.eventually(async () => {
      const { n } = await on.db
        .selectFrom('assignments')
        .select(({ fn }) => fn.countAll<string>().as('n'))
        .where('application_name', 'like', 'web-%')
        .executeTakeFirstOrThrow();
      expect(Number(n)).toBe(count);
    });
    expect(await rows()).toEqual([]);
  },
);

test('what begins to wait is looked at once more soon: what was told while it was judged found nobody to wake', async () => {
  await on.hub.apply([set('web', 'db-{{name}}')]);
  await on.hub.eventually(async () => expect(await waits('a')).toHaveLength(1));
  const { application_id: applicationId, cluster_id: clusterId } = await on.db
    .selectFrom('target_waits')
    .selectAll()
    .executeTakeFirstOrThrow();
  const ids = { applicationId, clusterId };
  const wait = { ...ids, blockers: [{ on: 'x', reason: 'y', since: null, soon: false }] };
  class Enough extends Error {}
  const ages: number[] = [];
  const trial = on.db.transaction().execute(async (trx) => {
    const age = async () => {
      const { rows } = await sql<{ seconds: number }>`
        select extract(epoch from now() - looked_at)::int as seconds from target_waits where application_id = ${applicationId}
      `.execute(trx);
      ages.push(rows[0]!.seconds);
    };
    await trx.deleteFrom('target_waits').execute();
    await on.get(WaitsRepository).write(trx, [ids], [wait]);
    await age();
    await on.get(WaitsRepository).write(trx, [ids], [wait]);
    await age();
    throw new Enough();
  });
  await expect(trial).rejects.toThrow(Enough);
  // Everything is looked at that was not for a minute.
  expect(ages).toEqual([55, 0]);
});
