import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { type Gitea, giteaProblem, startGitea } from '../sources/scm/gitea.fixture.ts';
import { PullRequestsService } from '../sources/scm/pull-requests.service.ts';
import { ENVIRONMENTS, PromotionFixture, manifests } from './promotions.fixture.ts';

const problem = await giteaProblem();
if (problem) console.warn(`promotions are not tested against Gitea: ${problem}`);
const BUILD_MS = 900_000;
const approver: Actor = { kind: 'user', name: 'ada', grants: [{ role: 'approver', project: '*' }] };
const BRANCH = 'muster/promote/web/staging';

describe.skipIf(problem)('with a real Gitea', { timeout: 120_000 }, () => {
  let folder: string;
  let fixture: PromotionFixture;
  let gitea: Gitea;
  let url: string;
  let writer: { id: number; token: string };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-promotion-gitea-'));
    gitea = await startGitea();
    await gitea.organisation('acme');
    await gitea.repository('acme', 'fleet', first());
    writer = await gitea.reader('bot', ['write:repository', 'write:issue']);
    await gitea.api('PUT', 'repos/acme/fleet/collaborators/bot', { permission: 'write' });
    url = `${gitea.url}/acme/fleet.git`;
    fixture = await PromotionFixture.start(folder);
    await fixture.register(url, { credentials: { token: writer.token } });
    await fixture.deploy(url, (name) => ({ path: `envs/${name}`, targetRevision: 'main' }));
    await fixture.apply(spec());
  }, BUILD_MS);
  afterAll(async () => {
    await fixture?.on.hub.stop();
    await gitea?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const first = () =>
    Object.fromEntries(ENVIRONMENTS.map((name) => [`envs/${name}/web.yaml`, manifests(name, 'web:1')]));
  const spec = () => ({
    repository: url,
    host: { kind: 'gitea' },
    environments: ENVIRONMENTS.map((name) => ({
      name,
      application: `web-${name}`,
      path: `envs/${name}`,
      ...(name === 'staging' ? { change: { mode: 'pull-request', copy: {} } } : {}),
      ...(name === 'prod' ? { production: true, change: { mode: 'commit', copy: {} } } : {}),
    })),
  });
  const pulls = (state = 'open') => gitea.api('GET', `repos/acme/fleet/pulls?state=${state}`);
  const file = async (path: string, ref = 'main') => {
    const found = await gitea.api('GET', `repos/acme/fleet/contents/${path}?ref=${ref}`);
    return Buffer.from(found.content, 'base64').toString('utf8');
  };
  const release = async (image: string) => {
    const commit = await gitea.commit('acme/fleet', { 'envs/dev/web.yaml': manifests('dev', image) });
    await fixture.pulled(url);
    await fixture.healthy('dev');
    return commit;
  };
  const merge = async (number: number) => {
    // Gitea looks into its own time whether a pull request may be merged.
    await fixture.on.hub.eventually(() =>
      gitea.api('POST', `repos/acme/fleet/pulls/${number}/merge`, { Do: 'merge' }),
    );
    await fixture.look();
    await fixture.pulled(url);
  };

  test('a pull request opens for the next environment, is merged, and production is committed after an approval', async () => {
    const commit = await release('web:2');
    const [pull, ...more] = await pulls();
    expect(more).toEqual([]);
    expect(pull).toMatchObject({
      title: 'Promote web from dev to staging (release 2): a change',
      user: { login: 'bot' },
      head: { ref: BRANCH },
      base: { ref: 'main' },
    });
    expect(pull.body).toContain('argocd/web-staging → argocd/web-dev\\#2');
    expect(pull.body).toContain('-        - image: web:1');
    expect(pull.body).toContain('Secret');
    expect(pull.body).not.toContain('hunter2');
    expect(pull.body).toContain('| Deployment shop/web, web | web:1 | web:2 |');
    expect(await file('envs/staging/web.yaml', BRANCH)).toBe(await file('envs/dev/web.yaml'));
    expect(await file('envs/staging/web.yaml')).toContain('web:1');
    expect(await fixture.change('staging')).toMatchObject({
      state: 'open',
      commit,
      pullRequest: { number: pull.number, url: pull.html_url },
    });
    const looked = await gitea.api('GET', `repos/acme/fleet/branches/${encodeURIComponent(BRANCH)}`);
    await fixture.look();
    expect(await gitea.api('GET', `repos/acme/fleet/branches/${encodeURIComponent(BRANCH)}`)).toEqual(looked);
    await merge(pull.number);
    expect(await fixture.change('staging')).toMatchObject({ state: 'done' });
    await fixture.healthy('staging');
    expect(await fixture.change('prod')).toMatchObject({ state: 'waiting', asks: { count: 1 } });
    await fixture.promotions.ask(approver, 'web', { verb: 'approve', reason: 'go' });
    await fixture.on.settled();
    expect(await fixture.change('prod')).toMatchObject({ state: 'done' });
    expect(await file('envs/prod/web.yaml')).toBe(await file('envs/dev/web.yaml'));
    await fixture.pulled(url);
    await fixture.on.report('prod');
  });

  test('a newer release updates the pull request, and so does a base that changed; there is never a second one', async () => {
    await release('web:3');
    const [pull] = await pulls();
    await release('web:4');
    expect(await pulls()).toMatchObject([
      { number: pull.number, title: expect.stringContaining('(release 4)') },
    ]);
    expect(await file('envs/staging/web.yaml', BRANCH)).toContain('web:4');
    // Somebody changes the same file on the base: merging would conflict.
    await gitea.commit('acme/fleet', { 'envs/staging/web.yaml': manifests('staging', 'web:other') });
    await fixture.look();
    expect((await fixture.change('staging')).state).toBe('open');
    expect(await file('envs/staging/web.yaml', BRANCH)).toContain('web:4');
    await merge(pull.number);
    expect(await file('envs/staging/web.yaml')).toContain('web:4');
    expect((await fixture.change('staging')).state).toBe('done');
  });

  test('a hub that is killed before it wrote down its pull request finds it again', async () => {
    await release('web:5');
    const [pull] = await pulls();
    const { id } = await fixture.change('staging');
    await fixture.on.db
      .updateTable('promotion_changes')
      .set({ state: 'waiting', branch: null, pull_number: null, pull_url: null })
      .where('id', '=', id)
      .execute();
    await fixture.look();
    expect(await pulls()).toMatchObject([{ number: pull.number }]);
    expect(await fixture.change('staging')).toMatchObject({
      id,
      state: 'open',
      pullRequest: { number: pull.number },
    });
  });

  test('a host that is away between the push and the pull request gets it later, on the same commit', async () => {
    for (const { number } of await pulls())
      await gitea.api('PATCH', `repos/acme/fleet/pulls/${number}`, { state: 'closed' });
    await fixture.look();
    const service = fixture.on.get(PullRequestsService);
    const of = service.of.bind(service);
    service.of = async (...given) => ({
      ...(await of(...given)),
      open: () => Promise.reject(new MusterError('unavailable', 'the host is away')),
    });
    const head = async () =>
      (await gitea.api('GET', `repos/acme/fleet/branches/${encodeURIComponent(BRANCH)}`)).commit.id;
    await gitea.commit('acme/fleet', { 'envs/dev/web.yaml': manifests('dev', 'web:5b') });
    await fixture.pulled(url);
    await fixture.healthy('dev');
    expect(await fixture.change('staging')).toMatchObject({ state: 'failed', why: 'the host is away' });
    expect(await pulls()).toEqual([]);
    const pushed = await head();
    service.of = of;
    await fixture.promotions.ask(systemActor, 'web', { verb: 'retry', environment: 'staging', reason: '' });
    await fixture.on.settled();
    expect(await fixture.change('staging')).toMatchObject({ state: 'open' });
    expect(await pulls()).toHaveLength(1);
    expect(await head()).toBe(pushed);
  });

  test('what others committed to its branch is left alone; a pull request that was closed stays closed until retry', async () => {
    const [pull] = await pulls();
    await gitea.commit('acme/fleet', { 'envs/staging/note.txt': 'mine\n' }, { name: BRANCH });
    await gitea.commit('acme/fleet', { 'envs/staging/web.yaml': manifests('staging', 'web:base') });
    await fixture.look();
    expect(await fixture.change('staging')).toMatchObject({
      state: 'open',
      why: 'others have committed to its branch: it is not updated',
    });
    expect(await file('envs/staging/note.txt', BRANCH)).toBe('mine\n');
    await gitea.api('PATCH', `repos/acme/fleet/pulls/${pull.number}`, { state: 'closed' });
    await fixture.look();
    expect(await fixture.change('staging')).toMatchObject({
      state: 'closed',
      why: `pull request ${pull.number} was closed`,
    });
    await fixture.look();
    expect(await pulls()).toEqual([]);
    await fixture.promotions.ask(systemActor, 'web', {
      verb: 'retry',
      environment: 'staging',
      reason: 'once more',
    });
    await fixture.on.settled();
    const [again] = await pulls();
    expect(again.number).toBeGreaterThan(pull.number);
    expect(await file('envs/staging/web.yaml', BRANCH)).toContain('web:5b');
    await gitea.api('PATCH', `repos/acme/fleet/pulls/${again.number}`, { state: 'closed' });
    await fixture.look();
  });

  test('a pull request that somebody points at another branch is left alone, and merged there it counts for nothing', async () => {
    await gitea.commit('acme/fleet', { 'other.txt': 'x' }, { name: 'other', from: 'main' });
    await release('web:5c');
    const [{ number }] = await pulls();
    await gitea.api('PATCH', `repos/acme/fleet/pulls/${number}`, { base: 'other' });
    await fixture.look();
    expect(await fixture.change('staging')).toMatchObject({
      state: 'open',
      why: 'it goes into other now, not into main: it is left alone',
    });
    await fixture.on.hub.eventually(() =>
      gitea.api('POST', `repos/acme/fleet/pulls/${number}/merge`, { Do: 'merge' }),
    );
    await fixture.look();
    expect(await fixture.change('staging')).toMatchObject({
      state: 'closed',
      why: `pull request ${number} was merged into other, not into main`,
    });
    expect(await file('envs/staging/web.yaml')).not.toContain('web:5c');
  });

  test('credentials that may not push are said to be, without a word of what they are, and are tried again', async () => {
    await gitea.revoke('bot', writer.id);
    const reader = await gitea.reader('reader', ['read:repository']);
    await fixture.register(url, { credentials: { token: reader.token } });
    await release('web:6');
    const change = await fixture.change('staging');
    expect(change).toMatchObject({ state: 'failed', retryAt: expect.any(String) });
    expect(change.why).toMatch(/refused|does not take|answers 403/);
    expect(JSON.stringify(change)).not.toContain(reader.token);
    const next = await gitea.reader('bot', ['write:repository', 'write:issue']);
    await fixture.register(url, { credentials: { token: next.token } });
    await fixture.promotions.ask(systemActor, 'web', { verb: 'retry', reason: '' });
    await fixture.on.settled();
    expect(await fixture.change('staging')).toMatchObject({ state: 'open' });
    expect(await file('envs/staging/web.yaml', BRANCH)).toContain('web:6');
  });
});
