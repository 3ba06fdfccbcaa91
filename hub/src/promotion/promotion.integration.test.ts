import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { type ChangeEvent, Events } from '../api/events.ts';
import { RepositoryPushes } from '../sources/pushes/repository-pushes.service.ts';
import { sshdProblem, startSshServer } from '../sources/sshd.fixture.ts';
import { ENVIRONMENTS, PromotionFixture, manifests } from './promotions.fixture.ts';
import { PromotionsRepository } from './promotions.repository.ts';
import { PATIENCE } from '../testing/index.ts';

const approver: Actor = { kind: 'user', name: 'ada', grants: [{ role: 'approver', project: '*' }] };

const sshProblem = sshdProblem();
if (sshProblem) console.warn(`promotions over SSH are not tested: ${sshProblem}`);

let folder: string;
let fixture: PromotionFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-promotion-'));
  fixture = await PromotionFixture.start(folder);
  fixture.on.hub.git('config', 'receive.denyCurrentBranch', 'updateInstead');
});
afterEach(async () => {
  await fixture?.on.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = () => fixture.on.hub.url;
const read = (path: string) => readFileSync(join(fixture.on.hub.work, path), 'utf8');
const head = (branch = 'main') => fixture.on.hub.git('rev-parse', branch);

/** What open pages are told of promotions from now on. */
function promotionEvents() {
  let told: ChangeEvent[] = [];
  const events = fixture.on.get(Events);
  events.listen((event) => {
    if (event !== 'resync' && event.kind === 'promotion') told.push(event);
  });
  return {
    /** All since the last call: they come in the order of their commits, so those before a mark are there with it. */
    async until(mark: string): Promise<ChangeEvent[]> {
      await events.publish('promotion', [mark]);
      await vi.waitFor(() => expect(told.at(-1)?.keys).toEqual([mark]), PATIENCE);
      const found = told.slice(0, -1);
      told = [];
      return found;
    },
  };
}

/** All environments in folders of one branch. */
async function folders(): Promise<void> {
  const { hub } = fixture.on;
  hub.commit(
    Object.fromEntries(
      ENVIRONMENTS.flatMap((name) => [
        [`envs/${name}/web.yaml`, manifests(name, 'web:1')],
        [`envs/${name}/own.txt`, `of ${name}\n`],
      ]),
    ),
    'first',
  );
  await fixture.register(url());
  await fixture.deploy(url(), (name) => ({ path: `envs/${name}`, targetRevision: 'main' }));
}

const copying = (more: object = {}, prod: object = {}) => ({
  repository: url(),
  environments: ENVIRONMENTS.map((name, i) => ({
    name,
    application: `web-${name}`,
    path: `envs/${name}`,
    ...(i === 0 ? {} : { change: { mode: 'commit', copy: { exclude: ['own.txt'] } } }),
    ...(name === 'staging' ? more : {}),
    ...(name === 'prod' ? { production: true, ...prod } : {}),
  })),
});

async function release(image: string, ...configMaps: string[]): Promise<string> {
  const commit = fixture.on.hub.commit(
    { 'envs/dev/web.yaml': manifests('dev', image, ...configMaps) },
    `web ${image}`,
  );
  await fixture.pulled(url());
  return commit;
}

test('what is healthy in one environment is committed to the next, and to production after an approval', async () => {
  const told = promotionEvents();
  await folders();
  await fixture.apply(copying());
  expect((await fixture.change('staging')).state).toBe('done');
  const before = head();
  const commit = await release('web:2');
  await fixture.look();
  expect(head()).toBe(commit);
  expect((await fixture.environment('dev')).standing).toContain(
    'healthy on 0 of 1 targets so far, such as web-dev (dev)',
  );
  await fixture.healthy('dev');
  expect(head()).not.toBe(commit);
  const change = await fixture.change('staging');
  expect(change).toMatchObject({ state: 'done', result: head(), release: 2, commit });
  expect(read('envs/staging/web.yaml')).toBe(read('envs/dev/web.yaml'));
  expect(read('envs/staging/own.txt')).toBe('of staging\n');
  expect(fixture.on.hub.git('log', '-1', '--format=%an%n%B')).toMatch(
    new RegExp(
      `^Muster\nPromote web from dev to staging \\(release 2\\): web web:2\n[^]*Muster-Promotion: ${change.id}`,
    ),
  );
  expect(fixture.on.hub.git('merge-base', '--is-ancestor', before, 'main')).toBe('');
  await fixture.on.settled();
  await told.until('staging has it');
  await fixture.healthy('staging');
  expect(await fixture.change('prod')).toMatchObject({ state: 'waiting', asks: { count: 1, yours: true } });
  expect(await fixture.environment('staging')).toMatchObject({ release: { number: 2 } });
  // Pages that show it are told of what is new, and not of a look that found nothing new.
  expect(await told.until('prod waits')).toContainEqual(
    expect.objectContaining({ keys: ['web'], project: 'default' }),
  );
  await fixture.look();
  expect(await told.until('nothing')).toEqual([]);
  expect(read('envs/prod/web.yaml')).toContain('web:1');
  await fixture.promotions.ask(approver, 'web', { verb: 'approve', reason: 'looks good' });
  await fixture.on.settled();
  expect(await fixture.change('prod')).toMatchObject({
    state: 'done',
    approvals: [{ actor: 'ada', reason: 'looks good' }],
  });
  expect(read('envs/prod/web.yaml')).toBe(read('envs/dev/web.yaml'));
  expect(fixture.on.hub.git('log', '-1', '--format=%B')).toContain('Approved by ada: looks good');
  const audit = await fixture.on.db
    .selectFrom('audit')
    .select(['action', 'actor'])
    .where('object', '=', 'promotion/web')
    .execute();
  expect(audit.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['promotion.create', 'promotion.begin', 'promotion.make', 'promotion.approve']),
  );
  // Nothing comes back to where it began.
  const last = head();
  await fixture.look();
  expect(head()).toBe(last);
});

test('a hub that is killed between its push and its row knows its own commit again', async () => {
  await folders();
  await fixture.apply(copying());
  await release('web:2');
  await fixture.healthy('dev');
  const made = head();
  const { id } = await fixture.change('staging');
  await fixture.on.db
    .updateTable('promotion_changes')
    .set({ state: 'waiting', ended_at: null, result: null })
    .where('id', '=', id)
    .execute();
  // Somebody else went on from there meanwhile.
  fixture.on.hub.commit({ 'envs/staging/web.yaml': manifests('staging', 'web:3') }, 'by hand');
  const theirs = head();
  await fixture.look();
  expect(await fixture.change('staging')).toMatchObject({ id, state: 'done', result: made });
  expect(head()).toBe(theirs);
});

test('a push that comes too late forces nothing, says so and is tried again', async () => {
  await folders();
  await fixture.apply(copying());
  const writable = fixture.on.get(RepositoryPushes);
  const open = writable.open.bind(writable);
  let hasty = true;
  writable.open = async (...given) => {
    const repository = await open(...given);
    if (hasty) fixture.on.hub.commit({ 'README.md': 'x' }, 'in between');
    return repository;
  };
  await release('web:2');
  await fixture.healthy('dev');
  const theirs = head();
  expect(await fixture.change('staging')).toMatchObject({ state: 'conflict', why: 'main moved meanwhile' });
  hasty = false;
  await fixture.look();
  expect(head()).toBe(theirs);
  await fixture.promotions.ask(systemActor, 'web', { verb: 'retry', environment: 'staging', reason: '' });
  await fixture.on.settled();
  expect(await fixture.change('staging')).toMatchObject({ state: 'done', result: head() });
  expect(fixture.on.hub.git('rev-parse', 'main^')).toBe(theirs);
});

test('without a registration for writing nothing is pushed, and it is said what is missing', async () => {
  await folders();
  await fixture.register(url(), { write: false });
  await fixture.apply(copying());
  const commit = await release('web:2');
  await fixture.healthy('dev');
  expect(await fixture.change('staging')).toMatchObject({
    state: 'failed',
    why: expect.stringContaining('is not registered for writing'),
  });
  expect(head()).toBe(commit);
  await fixture.register(url());
  await fixture.promotions.ask(systemActor, 'web', { verb: 'retry', reason: '' });
  await fixture.on.settled();
  expect((await fixture.change('staging')).state).toBe('done');
});

test('a newer release takes the place of one that waits; a pause and a rejection hold', async () => {
  await folders();
  await fixture.apply(copying({ approval: {} }));
  await release('web:2');
  await fixture.healthy('dev');
  const first = await fixture.change('staging');
  expect(first).toMatchObject({ state: 'waiting', release: 2 });
  await release('web:3');
  await fixture.healthy('dev');
  const second = await fixture.change('staging');
  expect(second).toMatchObject({ state: 'waiting', release: 3 });
  expect((await fixture.promotions.get(systemActor, 'web')).history).toContainEqual(
    expect.objectContaining({ id: first.id, state: 'superseded' }),
  );
  await expect(
    fixture.promotions.ask({ ...approver, grants: [{ role: 'operator', project: '*' }] }, 'web', {
      verb: 'approve',
      reason: '',
    }),
  ).rejects.toMatchObject({ code: 'forbidden' });
  // An environment that is taken out takes its change along, and comes back with a fresh one.
  const whole = copying({ approval: {} });
  await fixture.apply({
    ...whole,
    environments: whole.environments.filter((one) => one.name !== 'staging'),
  });
  await fixture.apply(whole);
  const third = await fixture.change('staging');
  expect(third).toMatchObject({ state: 'waiting', release: 3 });
  expect(third.id).not.toBe(second.id);
  await fixture.promotions.ask(systemActor, 'web', { verb: 'pause', reason: 'lunch' });
  await fixture.promotions.ask(approver, 'web', { verb: 'approve', environment: 'staging', reason: '' });
  await fixture.on.settled();
  expect(await fixture.change('staging')).toMatchObject({
    state: 'waiting',
    why: expect.stringContaining('(paused: lunch)'),
  });
  await fixture.promotions.ask(systemActor, 'web', { verb: 'resume', reason: '' });
  await fixture.on.settled();
  expect((await fixture.change('staging')).state).toBe('done');
  await release('web:4');
  await fixture.healthy('dev');
  await fixture.promotions.ask(approver, 'web', {
    verb: 'reject',
    environment: 'staging',
    reason: 'too hasty',
  });
  await fixture.look();
  expect(await fixture.change('staging')).toMatchObject({
    state: 'rejected',
    why: 'rejected by ada: too hasty',
  });
  expect(read('envs/staging/web.yaml')).toContain('web:3');
});

test('production that waived its approval is asked all the same where it would lose objects', async () => {
  await folders();
  fixture.on.hub.commit({ 'envs/prod/web.yaml': manifests('prod', 'web:1', 'old') }, 'prod has more');
  await fixture.pulled(url());
  await fixture.on.report('prod');
  await fixture.apply(copying({}, { approval: 'waived' }));
  await release('web:2');
  await fixture.healthy('dev');
  await fixture.on.settled();
  await fixture.healthy('staging');
  expect(await fixture.change('prod')).toMatchObject({
    state: 'waiting',
    removes: { count: 1, names: ['ConfigMap prod/old'] },
    why: expect.stringContaining('removes 1 object: ConfigMap prod/old'),
  });
});

test('fields are set from the environment before, and everything else of the file stays to the letter', async () => {
  await folders();
  const spec = copying();
  const change = {
    mode: 'commit',
    set: [{ file: 'web.yaml', field: 'spec.template.spec.containers[name=web].image' }],
  };
  await fixture.apply({
    ...spec,
    environments: spec.environments.map((one) => (one.name === 'staging' ? { ...one, change } : one)),
  });
  const before = read('envs/staging/web.yaml');
  await release('web:2', 'more');
  await fixture.healthy('dev');
  expect((await fixture.change('staging')).state).toBe('done');
  expect(read('envs/staging/web.yaml')).toBe(before.replace('web:1', 'web:2'));
});

test('fields that are kept stay as they are in a file that is copied', async () => {
  await folders();
  fixture.on.hub.commit(
    {
      'envs/staging/web.yaml': manifests('staging', 'web:1').replace('replicas: 1', 'replicas: 5 # its own'),
    },
    'more of it',
  );
  await fixture.pulled(url());
  await fixture.on.report('staging');
  const spec = copying();
  const copy = { keep: [{ file: 'web.yaml', fields: ['spec.replicas'] }], exclude: ['own.txt'] };
  const change = { mode: 'commit', copy };
  await fixture.apply({
    ...spec,
    environments: spec.environments.map((one) => (one.name === 'staging' ? { ...one, change } : one)),
  });
  await release('web:2');
  await fixture.healthy('dev');
  expect((await fixture.change('staging')).state).toBe('done');
  expect(read('envs/staging/web.yaml')).toBe(read('envs/dev/web.yaml').replace('replicas: 1', 'replicas: 5'));
});

test.skipIf(sshProblem)(
  'a repository that is read by SSH is pushed to by SSH, with the key that may write',
  async () => {
    const { hub } = fixture.on;
    const server = await startSshServer(join(folder, 'sshd'), 'host');
    try {
      const url = `ssh://${server.user}@127.0.0.1:${server.port}${hub.work}`;
      const files = ENVIRONMENTS.map((name) => [`envs/${name}/web.yaml`, manifests(name, 'web:1')] as const);
      hub.commit(Object.fromEntries(files), 'first');
      const { knownHosts, accepted, refused } = server;
      await fixture.register(url, { credentials: { sshPrivateKey: accepted }, knownHosts });
      await fixture.deploy(url, (name) => ({ path: `envs/${name}`, targetRevision: 'main' }));
      await fixture.apply({ ...copying(), repository: url });
      const pulled = async (image: string) => {
        hub.commit({ 'envs/dev/web.yaml': manifests('dev', image) }, image);
        await fixture.pulled(url);
      };
      await pulled('web:2');
      await fixture.healthy('dev');
      expect(await fixture.change('staging')).toMatchObject({ state: 'done', result: head() });
      expect(read('envs/staging/web.yaml')).toContain('web:2');
      await pulled('web:3');
      await fixture.register(url, { credentials: { sshPrivateKey: refused }, knownHosts });
      await fixture.healthy('dev');
      const change = await fixture.change('staging');
      expect(change).toMatchObject({ state: 'failed', why: expect.stringContaining('refused the SSH key') });
      expect(JSON.stringify(change)).not.toContain('PRIVATE KEY');
      expect(read('envs/staging/web.yaml')).toContain('web:2');
    } finally {
      await server.stop();
    }
  },
);

test('what would come back to where it began is refused when it is applied', async () => {
  await folders();
  await fixture.apply(copying());
  const back = {
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'Promotion',
    metadata: { name: 'back' },
    spec: {
      repository: url(),
      environments: [
        { name: 'a', application: 'web-prod', path: 'envs/prod' },
        { name: 'b', application: 'web-dev', path: 'envs/dev', change: { mode: 'commit' } },
      ],
    },
  };
  await expect(fixture.on.hub.apply([back])).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('come back to where they began'),
  });
  expect(await fixture.on.get(PromotionsRepository).byName('back')).toBeUndefined();
});
