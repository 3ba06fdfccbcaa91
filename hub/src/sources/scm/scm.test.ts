import type { ListedRepository } from '@muster/appset';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scmHeaders, scmHost, scmTarget } from './scm-config.ts';
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

function hostOf(kind: string, settings: Record<string, unknown>, cloneProtocol?: string) {
  const target = scmTarget({ [kind]: { api: server.url, ...settings } });
  const headers = scmHeaders(target, { kind: 'token', token: 'secret' });
  return scmHost(target, new ScmHttp(target.api, headers, new AbortController().signal), cloneProtocol);
}

const pull = (number: number, ...labels: string[]) => ({
  number,
  title: `Change ${number}`,
  head: { ref: `feature/${number}`, sha: `sha${number}` },
  base: { ref: 'main' },
  user: { login: 'ada' },
  labels: labels.map((name) => ({ name })),
});

describe('GitHub', () => {
  const at = '/api/v3/repos/acme/shop/pulls?per_page=100&page=';
  const settings = { owner: 'acme', repo: 'shop' };

  test('pull requests come from all pages; labels must all be there', async () => {
    server.answers[`${at}1&state=open`] = Array.from({ length: 100 }, (_, i) => pull(i, 'preview'));
    server.answers[`${at}2&state=open`] = [
      pull(100, 'preview', 'ready'),
      pull(101),
      { ...pull(102), user: null, labels: null },
    ];
    expect(await hostOf('github', settings).pullRequests()).toHaveLength(103);
    const found = await hostOf('github', { ...settings, labels: ['preview', 'ready'] }).pullRequests();
    expect(found).toEqual([
      {
        number: 100,
        title: 'Change 100',
        branch: 'feature/100',
        targetBranch: 'main',
        headSha: 'sha100',
        author: 'ada',
        labels: ['preview', 'ready'],
      },
    ]);
    expect(server.asked[0]!.headers.authorization).toBe('Bearer secret');
  });

  test('a repository that is not there is told from one without pull requests', async () => {
    expect(await hostOf('github', settings).pullRequests()).toBeUndefined();
    server.answers[`${at}1&state=open`] = [];
    expect(await hostOf('github', settings).pullRequests()).toEqual([]);
  });

  test.each([
    [
      { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1893456000' } },
      'unavailable',
      'the rate limit is used up until 2030-01-01',
    ],
    [{ status: 429, headers: { 'retry-after': '7' } }, 'unavailable', 'for 7 s'],
    [{ status: 401 }, 'forbidden', 'answers 401'],
    [{ status: 502 }, 'unavailable', 'answers 502'],
    [{ body: 'no json' }, 'invalid', 'not JSON'],
    [{ body: [{ number: 'x' }] }, 'invalid', 'has another shape: 0.number'],
    [
      { status: 302, headers: { location: 'http://127.0.0.2:9/x' } },
      'invalid',
      'redirects to http://127.0.0.2:9',
    ],
    [{ body: `"${'x'.repeat(11 * 1024 * 1024)}"` }, 'limit', 'more than 10 MiB'],
  ])('%j is an error, never an empty answer', async (answer, code, message) => {
    server.answers[`${at}1&state=open`] = answer;
    await expect(hostOf('github', settings).pullRequests()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('repositories with their default branch, or with all; one without any branch is left out', async () => {
    const repository = {
      id: 7,
      name: 'shop',
      owner: { login: 'acme' },
      default_branch: 'main',
      ssh_url: 'git@host:acme/shop.git',
      clone_url: 'https://host/acme/shop.git',
      topics: ['go'],
    };
    server.answers['/api/v3/orgs/acme/repos?per_page=100&page=1'] = [
      repository,
      { ...repository, name: 'empty' },
    ];
    server.answers['/api/v3/repos/acme/shop/branches/main'] = {
      body: { name: 'main', commit: { sha: 'abc' } },
    };
    server.answers['/api/v3/repos/acme/shop/branches?per_page=100&page=1'] = [
      { name: 'main', commit: { sha: 'abc' } },
      { name: 'next', commit: { sha: 'def' } },
    ];
    server.answers['/api/v3/repos/acme/shop/contents/deploy/a%20b?ref=main'] = [];
    const host = hostOf('github', { organization: 'acme' }, 'https');
    const [shop, empty] = (await host.repositories()) as [ListedRepository, ListedRepository];
    expect(shop).toMatchObject({
      organization: 'acme',
      repositoryId: 7,
      url: 'https://host/acme/shop.git',
      labels: ['go'],
    });
    const [main] = await host.branches(shop);
    expect(main).toMatchObject({ branch: 'main', sha: 'abc' });
    expect(await host.branches(empty)).toEqual([]);
    expect(await hostOf('github', { organization: 'acme', allBranches: true }).branches(shop)).toHaveLength(
      2,
    );
    expect(await host.hasPath(main!, 'deploy/a b')).toBe(true);
    expect(await host.hasPath(main!, 'other')).toBe(false);
    await expect(hostOf('github', { organization: 'acme' }, 'ftp').repositories()).rejects.toThrow(
      'clone protocol ftp',
    );
    await expect(hostOf('github', { organization: 'gone' }).repositories()).rejects.toThrow(
      'no organisation gone',
    );
  });
});

test('GitLab: merge requests by state and labels, following its pages', async () => {
  const at = '/api/v4/projects/acme%2Fshop/merge_requests?per_page=100&labels=a%2Cb';
  const one = (iid: number) => ({
    iid,
    title: 't',
    source_branch: 'feature',
    target_branch: 'main',
    sha: 'abc',
    author: { username: 'ada' },
    labels: ['a', 'b'],
  });
  server.answers[at] = { headers: { 'x-next-page': '2' }, body: [one(1)] };
  server.answers[`${at}&page=2`] = { headers: { 'x-next-page': '' }, body: [one(2)] };
  const found = await hostOf('gitlab', { project: 'acme/shop', labels: ['a', 'b'] }).pullRequests();
  expect(found?.map(({ number }) => number)).toEqual([1, 2]);
  expect(server.asked[0]!.headers['private-token']).toBe('secret');
});

test('GitLab: projects of a group, their branches, files and folders', async () => {
  server.answers[
    '/api/v4/groups/acme%2Fteam/projects?per_page=100&include_subgroups=true&with_shared=false&topic=x'
  ] = [
    {
      id: 3,
      path: 'shop',
      namespace: { full_path: 'acme/team' },
      default_branch: 'release/1',
      ssh_url_to_repo: 'git@host:acme/team/shop.git',
      http_url_to_repo: 'https://host/acme/team/shop.git',
      topics: ['x'],
    },
  ];
  server.answers['/api/v4/projects/3/repository/branches/release%2F1'] = {
    body: { name: 'release/1', commit: { id: 'abc' } },
  };
  server.answers['/api/v4/projects/3/repository/tree?per_page=100&path=deploy&ref=release%2F1'] = [
    { path: 'deploy/prod' },
  ];
  const host = hostOf('gitlab', {
    group: 'acme/team',
    includeSubgroups: true,
    includeSharedProjects: false,
    topic: 'x',
  });
  const [shop] = await host.repositories();
  expect(shop).toMatchObject({
    organization: 'acme/team',
    repository: 'shop',
    url: 'git@host:acme/team/shop.git',
  });
  const [branch] = await host.branches(shop!);
  expect(branch).toMatchObject({ sha: 'abc' });
  expect(await host.hasPath(branch!, 'deploy/prod')).toBe(true);
  expect(await host.hasPath(branch!, 'deploy/dev')).toBe(false);
});

test('Gitea: pull requests, and repositories with their labels', async () => {
  server.answers['/api/v1/repos/acme/shop/pulls?limit=50&page=1&state=open'] = [pull(4, 'preview')];
  server.answers['/api/v1/orgs/acme/repos?limit=50&page=1'] = [
    {
      id: 1,
      name: 'shop',
      owner: { login: 'acme' },
      default_branch: 'main',
      ssh_url: 'git@h:a/s',
      clone_url: 'https://h/a/s.git',
      html_url: 'https://h/a/s',
    },
  ];
  server.answers['/api/v1/repos/acme/shop/labels?limit=50&page=1'] = [{ name: 'bug' }];
  server.answers['/api/v1/repos/acme/shop/branches/main'] = { body: { name: 'main', commit: { id: 'abc' } } };
  const host = hostOf('gitea', { owner: 'acme', repo: 'shop' });
  expect(await host.pullRequests()).toMatchObject([{ number: 4, branch: 'feature/4', headSha: 'sha4' }]);
  const [shop] = await host.repositories();
  expect(shop).toMatchObject({ labels: ['bug'] });
  expect(await host.branches(shop!)).toMatchObject([{ branch: 'main', sha: 'abc' }]);
  expect(server.asked[0]!.headers.authorization).toBe('token secret');
});

test('Bitbucket Server: pull requests and repositories, following its pages', async () => {
  const at = '/rest/api/1.0/projects/AC/repos/shop/pull-requests?limit=100';
  const one = (id: number) => ({
    id,
    title: 't',
    fromRef: { displayId: 'feature', latestCommit: 'abc' },
    toRef: { displayId: 'main' },
    author: { user: { name: 'ada' } },
  });
  server.answers[at] = { body: { values: [one(1)], isLastPage: false, nextPageStart: 100 } };
  server.answers[`${at}&start=100`] = { body: { values: [one(2)], isLastPage: true } };
  server.answers['/rest/api/1.0/projects/AC/repos?limit=100'] = {
    body: {
      isLastPage: true,
      values: [
        {
          id: 9,
          slug: 'shop',
          name: 'shop',
          project: { key: 'AC' },
          links: {
            clone: [
              { name: 'ssh', href: 'ssh://h/ac/shop' },
              { name: 'http', href: 'https://h/ac/shop' },
            ],
          },
        },
      ],
    },
  };
  server.answers['/rest/api/1.0/projects/AC/repos/shop/branches/default'] = {
    body: { displayId: 'main', latestCommit: 'abc' },
  };
  const host = hostOf('bitbucketServer', { project: 'AC', repo: 'shop', basicAuth: { username: 'bot' } });
  expect((await host.pullRequests())?.map(({ number }) => number)).toEqual([1, 2]);
  const [shop] = await host.repositories();
  expect(shop).toMatchObject({ organization: 'AC', url: 'ssh://h/ac/shop' });
  expect(await host.branches(shop!)).toMatchObject([{ branch: 'main', sha: 'abc' }]);
  server.answers['/rest/api/1.0/projects/AC/repos/shop/branches/default'] = { status: 204 };
  expect(await host.branches(shop!)).toEqual([]);
  expect(server.asked[0]!.headers.authorization).toBe(
    `Basic ${Buffer.from('bot:secret').toString('base64')}`,
  );
});

test('credentials are looked for at the host, the owner and the repository; never sent in the clear', () => {
  const target = scmTarget({
    github: { owner: 'acme', repo: 'shop', tokenRef: { secretName: 's', key: 'k' } },
  });
  expect(target).toMatchObject({
    api: 'https://api.github.com',
    needsCredentials: true,
    credentialUrls: ['https://github.com', 'https://github.com/acme', 'https://github.com/acme/shop'],
  });
  const clear = scmTarget({ gitlab: { api: 'http://git.example', group: 'a/b' } });
  expect(clear.credentialUrls).toEqual([
    'http://git.example',
    'http://git.example/a',
    'http://git.example/a/b',
  ]);
  expect(() => scmHeaders(clear, { kind: 'token', token: 'x' })).toThrow('not sent over http');
  expect(() => scmTarget({ gitea: { owner: 'a' } })).toThrow('must be the http or https address');
});
