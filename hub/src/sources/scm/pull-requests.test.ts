import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bitbucketServerPulls, githubPulls, gitlabPulls } from './pull-requests.ts';
import { type RepositoryHostSetting, targetOf } from './pull-requests.service.ts';
import { type ScmTarget, scmHeaders } from './scm-config.ts';
import { ScmHttp } from './scm-http.ts';
import { type ScmServer, startScmServer } from './scm-server.fixture.ts';

let server: ScmServer;
beforeAll(async () => {
  server = await startScmServer();
});
beforeEach(() => {
  server.answers = {};
  server.asked.length = 0;
});
afterAll(() => server.stop());

const text = { title: 'Promote', body: 'what is different' };
const changed = () =>
  server.asked.filter(({ method }) => method !== 'GET').map(({ method, path, body }) => [method, path, body]);

function targetAt(path: string, kind: NonNullable<RepositoryHostSetting>['kind']): ScmTarget {
  return targetOf(`${server.url}/${path}`, { kind, api: null });
}

function http(target: ScmTarget): ScmHttp {
  const headers = scmHeaders(target, { kind: 'token', token: 'secret' });
  return new ScmHttp(target.api, headers, new AbortController().signal);
}

test('the host is told by the address, or has to be said', () => {
  expect(targetOf('https://github.com/acme/fleet.git', null)).toMatchObject({
    kind: 'github',
    api: 'https://api.github.com',
    settings: { owner: 'acme', repo: 'fleet' },
  });
  expect(targetOf('git@gitlab.com:acme/apps/fleet.git', null)).toMatchObject({
    kind: 'gitlab',
    api: 'https://gitlab.com/api/v4',
    settings: { project: 'acme/apps/fleet' },
  });
  expect(
    targetOf('https://git.example.com/scm/ACME/fleet.git', { kind: 'bitbucketServer', api: null }),
  ).toMatchObject({
    api: 'https://git.example.com/rest/api/1.0',
    settings: { project: 'ACME', repo: 'fleet' },
  });
  expect(() => targetOf('https://git.example.com/acme/fleet.git', null)).toThrow(/is not known/);
});

test('GitHub: found by its branches, opened, changed, and merged or closed', async () => {
  const target = targetAt('acme/fleet.git', 'github');
  const pulls = githubPulls('github', target.settings, http(target));
  const path = '/api/v3/repos/acme/fleet/pulls';
  const pull = { number: 7, html_url: 'u', state: 'open', head: { ref: 'muster/x' }, base: { ref: 'main' } };
  server.answers[`${path}?state=open&page=1&head=acme%3Amuster%2Fx&base=main&per_page=100`] = [pull];
  expect(await pulls.find('muster/x', 'main')).toMatchObject({ number: 7, url: 'u', state: 'open' });
  server.answers[`POST ${path}`] = { status: 201, body: pull };
  expect(await pulls.open('muster/x', 'main', text)).toMatchObject({ number: 7 });
  server.answers[`PATCH ${path}/7`] = { body: pull };
  await pulls.change(7, text);
  expect(changed()).toEqual([
    ['POST', path, { head: 'muster/x', base: 'main', ...text }],
    ['PATCH', `${path}/7`, text],
  ]);
  server.answers[`${path}/7`] = { body: { ...pull, state: 'closed', merged: true, merge_commit_sha: 'abc' } };
  expect(await pulls.get(7)).toMatchObject({ state: 'merged', merged: 'abc' });
  server.answers[`${path}/7`] = { body: { ...pull, state: 'closed', merged: false } };
  expect(await pulls.get(7)).toMatchObject({ state: 'closed' });
  expect(await pulls.get(8)).toBeUndefined();
});

test('GitLab: merge requests', async () => {
  const target = targetAt('acme/apps/fleet.git', 'gitlab');
  const pulls = gitlabPulls(target.settings, http(target));
  const path = '/api/v4/projects/acme%2Fapps%2Ffleet/merge_requests';
  const request = { iid: 3, web_url: 'u', state: 'opened', source_branch: 'muster/x', target_branch: 'main' };
  server.answers[`${path}?source_branch=muster%2Fx&target_branch=main&state=opened`] = [request];
  expect(await pulls.find('muster/x', 'main')).toMatchObject({ number: 3, state: 'open' });
  server.answers[`POST ${path}`] = { status: 201, body: request };
  await pulls.open('muster/x', 'main', text);
  server.answers[`PUT ${path}/3`] = { body: request };
  await pulls.change(3, text);
  expect(changed()).toEqual([
    [
      'POST',
      path,
      {
        source_branch: 'muster/x',
        target_branch: 'main',
        title: 'Promote',
        description: 'what is different',
      },
    ],
    ['PUT', `${path}/3`, { title: 'Promote', description: 'what is different' }],
  ]);
  server.answers[`${path}/3`] = { body: { ...request, state: 'merged', merge_commit_sha: 'abc' } };
  expect(await pulls.get(3)).toMatchObject({ state: 'merged', merged: 'abc' });
});

test('Bitbucket Server: changed at the version that it has', async () => {
  const target = targetAt('scm/ACME/fleet.git', 'bitbucketServer');
  const pulls = bitbucketServerPulls(target.settings, http(target));
  const path = '/rest/api/1.0/projects/acme/repos/fleet/pull-requests'.replace('acme', 'ACME');
  const pull = {
    id: 5,
    version: 2,
    state: 'OPEN',
    fromRef: { displayId: 'muster/x' },
    toRef: { displayId: 'main' },
    links: { self: [{ href: 'u' }] },
  };
  server.answers[`${path}?at=refs%2Fheads%2Fmuster%2Fx&direction=OUTGOING&state=OPEN&limit=100`] = {
    body: { values: [pull] },
  };
  expect(await pulls.find('muster/x', 'main')).toMatchObject({ number: 5, url: 'u', state: 'open' });
  server.answers[`POST ${path}`] = { status: 201, body: pull };
  await pulls.open('muster/x', 'main', text);
  server.answers[`${path}/5`] = { body: pull };
  server.answers[`PUT ${path}/5`] = { body: pull };
  await pulls.change(5, text);
  expect(changed()).toEqual([
    [
      'POST',
      path,
      {
        title: 'Promote',
        description: 'what is different',
        fromRef: { id: 'refs/heads/muster/x' },
        toRef: { id: 'refs/heads/main' },
      },
    ],
    ['PUT', `${path}/5`, { title: 'Promote', description: 'what is different', version: 2 }],
  ]);
  server.answers[`${path}/5`] = { body: { ...pull, state: 'DECLINED' } };
  expect(await pulls.get(5)).toMatchObject({ state: 'closed' });
});

test('what a host refuses is said in its own words, and never with the token', async () => {
  const target = targetAt('acme/fleet.git', 'gitea');
  const pulls = githubPulls('gitea', target.settings, http(target));
  server.answers['POST /api/v1/repos/acme/fleet/pulls'] = {
    status: 422,
    body: { message: 'no commits between' },
  };
  await expect(pulls.open('x', 'main', text)).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining('answers 422: {"message":"no commits between"}'),
  });
  server.answers['POST /api/v1/repos/acme/fleet/pulls'] = { status: 403 };
  await expect(pulls.open('x', 'main', text)).rejects.toMatchObject({ code: 'forbidden' });
  await expect(pulls.open('x', 'main', text)).rejects.not.toMatchObject({
    message: expect.stringContaining('secret'),
  });
});
