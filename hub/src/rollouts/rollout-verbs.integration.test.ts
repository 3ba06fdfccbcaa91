import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { RolloutReads } from './reads/rollout-reads.service.ts';
import { RolloutFixture, policy, setOverClusters } from './rollouts.fixture.ts';
import { RolloutsService } from './rollouts.service.ts';

const NAMES = ['a', 'b', 'c'];

let folder: string;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-verbs-'));
  on = await RolloutFixture.start(folder);
  for (const name of NAMES) await on.join(name, { tier: 'all' });
  await on.first(NAMES);
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const rollouts = () => on.get(RolloutsService);
const ask = async (verb: Record<string, unknown>, actor: Actor = systemActor) =>
  rollouts().ask(actor, (await on.rollout()).id, { reason: '', ...verb } as never);

async function goBy(spec: Record<string, unknown>): Promise<void> {
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
}

/** Somebody with a role, in some groups. */
async function person(
  name: string,
  role: 'approver' | 'operator' | 'admin',
  ...groups: string[]
): Promise<Actor> {
  const { id } = await on.db.insertInto('users').values({ name }).returning('id').executeTakeFirstOrThrow();
  for (const group of groups) {
    const made = await on.db
      .insertInto('groups')
      .values({ name: group })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ name: group }))
      .returning('id')
      .executeTakeFirstOrThrow();
    await on.db.insertInto('group_members').values({ group_id: made.id, user_id: id }).execute();
  }
  return { kind: 'user', name, userName: name, userId: id, grants: [{ role, project: '*' }] };
}

test('an approval takes the role and the group, once each, and is audited', async () => {
  const approval = { count: 2, groups: ['owners'], expires: '1h' };
  await goBy({ stages: [{ name: 'all', gates: [{ name: 'sign-off', at: 'entry', approval }] }] });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  expect(await on.digests(...NAMES)).toEqual(first);
  await expect(ask({ verb: 'approve' }, await person('op', 'operator', 'owners'))).rejects.toMatchObject({
    code: 'forbidden',
  });
  await expect(ask({ verb: 'approve' }, await person('guest', 'approver'))).rejects.toMatchObject({
    code: 'precondition',
    message: 'guest is in none of owners',
  });
  const ann = await person('ann', 'approver', 'owners');
  await ask({ verb: 'approve', reason: 'tested' }, ann);
  await expect(ask({ verb: 'approve' }, ann)).rejects.toMatchObject({ code: 'precondition' });
  expect(await on.digests(...NAMES)).toEqual(first);
  await ask({ verb: 'approve' }, await person('bob', 'approver', 'owners'));
  await on.settled();
  expect((await on.digests(...NAMES)).some((digest) => first.includes(digest))).toBe(false);
  const audited = await on.db
    .selectFrom('audit')
    .select(['actor', 'reason'])
    .where('action', '=', 'rollout.approve')
    .orderBy('id')
    .execute();
  expect(audited).toEqual([
    { actor: 'ann', reason: 'tested' },
    { actor: 'bob', reason: null },
  ]);
});

test('a pause holds every start until it is resumed; what is said and replayed agrees', async () => {
  await goBy({ stages: [{ name: 'all', maxConcurrent: 1 }] });
  await on.commit('second');
  expect(await on.states()).toEqual({ a: 'assigned', b: 'waiting', c: 'waiting' });
  await ask({ verb: 'pause', reason: 'lunch' });
  await on.report('a');
  expect(await on.states()).toMatchObject({ b: 'waiting', c: 'waiting' });
  const { id } = await on.rollout();
  const { lines, waitingFor } = await on.get(RolloutReads).get(systemActor, id, { targets: 10 });
  expect(lines.join('\n')).toContain('system to resume it (paused: lunch)');
  expect(waitingFor[0]).toMatchObject({ what: 'paused' });
  await ask({ verb: 'resume' });
  expect(await on.states()).toMatchObject({ b: 'assigned', c: 'waiting' });
  const replayed = await rollouts().replay(systemActor, id);
  expect(replayed).toMatchObject({ same: true, differences: [] });
  expect(replayed.transitions).toContainEqual(
    expect.objectContaining({ cause: 'paused by hand', reason: 'lunch' }),
  );
});

test('an approval is passed over by nobody but an admin', async () => {
  const approval = { count: 2, groups: ['owners'], expires: '1h' };
  await goBy({ stages: [{ name: 'all', gates: [{ name: 'sign-off', at: 'entry', approval }] }] });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  const skip = { verb: 'skip', stage: 'all', gate: 'sign-off', reason: 'in a hurry' };
  await expect(ask(skip, await person('op', 'operator', 'owners'))).rejects.toMatchObject({
    code: 'forbidden',
    message: '"sign-off" asks for an approval: only admins may pass it over',
  });
  await expect(ask(skip, await person('ann', 'approver', 'owners'))).rejects.toMatchObject({
    code: 'forbidden',
  });
  expect(await on.digests(...NAMES)).toEqual(first);
  await ask(skip, await person('root', 'admin'));
  await on.settled();
  expect((await on.digests(...NAMES)).some((digest) => first.includes(digest))).toBe(false);
});

test('an approval that nobody gave in time stops the rollout; retry asks for it anew', async () => {
  const approval = { count: 2, expires: '1h' };
  await goBy({ stages: [{ name: 'all', gates: [{ name: 'sign-off', at: 'entry', approval }] }] });
  await on.commit('second');
  const [ann, bob] = [await person('ann', 'approver'), await person('bob', 'approver')];
  await ask({ verb: 'approve' }, ann);
  await on.pass(61 * 60_000);
  expect(await on.rollout()).toMatchObject({ phase: 'failed', failure: { kind: 'expired' }, rollback: null });
  await expect(ask({ verb: 'approve' }, bob)).rejects.toMatchObject({
    code: 'precondition',
    message: 'no approval is asked for any more: "sign-off" of stage all has failed',
    hint: 'muster rollout retry asks for it anew',
  });
  await ask({ verb: 'retry', reason: 'back from lunch' });
  // What was approved before was approved in time for another decision.
  await ask({ verb: 'approve' }, bob);
  expect((await on.states()).a).toBe('waiting');
  await ask({ verb: 'approve' }, ann);
  await on.settled();
  expect((await on.states()).a).toBe('assigned');
});

test('a rollout is undone on what it touched, and can be tried again by hand', async () => {
  await goBy({ stages: [{ name: 'all', maxConcurrent: 2 }] });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await on.report('a');
  await ask({ verb: 'undo', reason: 'errors' });
  await on.settled();
  expect(await on.digests(...NAMES)).toEqual(first);
  for (const name of NAMES) await on.report(name);
  expect((await on.rollout()).phase).toBe('rolled-back');
  await expect(ask({ verb: 'pause' })).rejects.toMatchObject({ code: 'precondition' });
  await ask({ verb: 'retry', reason: 'repaired' });
  await on.settled();
  expect(await on.rollouts()).toHaveLength(2);
  expect(await on.states()).toMatchObject({ c: 'waiting' });
  expect((await on.digests(...NAMES)).filter((digest) => first.includes(digest))).toHaveLength(1);
});

test('an earlier release is rolled out by its number, and stays until there is a newer commit', async () => {
  await goBy({ stages: [{ name: 'all' }] });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  for (const name of NAMES) await on.report(name);
  expect((await on.rollout()).phase).toBe('completed');
  await ask({ verb: 'undo', reason: 'worse' });
  await on.settled();
  expect(await on.digests(...NAMES)).toEqual(first);
  for (const name of NAMES) await on.report(name);
  expect((await on.rollout()).phase).toBe('completed');
  await on.hub.apply([policy('q', { stages: [{ name: 'all' }] })]);
  await on.assignAll();
  expect(await on.digests(...NAMES)).toEqual(first);
  await on.commit('third');
  expect((await on.digests(...NAMES)).some((digest) => first.includes(digest))).toBe(false);
});
