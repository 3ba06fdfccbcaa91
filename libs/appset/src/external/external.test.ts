import { describe, expect, test } from 'vitest';
import { realEngines } from '../testing/engines.ts';
import { GoInt } from '../params.ts';
import type { PullRequestFacts, RepositoryFacts, RepositoryHost } from './facts.ts';
import { pullRequestParameters } from './pull-requests.ts';
import { repositoryParameters } from './repositories.ts';
import { GoTexts } from './texts.ts';

const engines = realEngines();
const texts = new GoTexts(engines.goTemplate);

const pull = (number: number, branch: string, targetBranch = 'main'): PullRequestFacts => ({
  number,
  title: `Change ${number}`,
  branch,
  targetBranch,
  headSha: '0123456789abcdef',
  author: 'ada',
  labels: ['preview'],
});

describe('parameters of pull requests', () => {
  test('are named as the reference names them; labels only for Go templates', async () => {
    const [given] = await pullRequestParameters(
      [pull(12, 'Feature/Ünï_code')],
      {},
      { goTemplate: false, texts },
    );
    expect(given).toEqual({
      number: '12',
      title: 'Change 12',
      branch: 'Feature/Ünï_code',
      branch_slug: 'feature-uni-code',
      target_branch: 'main',
      target_branch_slug: 'main',
      head_sha: '0123456789abcdef',
      head_short_sha: '01234567',
      head_short_sha_7: '0123456',
      author: 'ada',
    });
    const [typed] = await pullRequestParameters([pull(12, 'x')], {}, { goTemplate: true, texts });
    expect(typed).toMatchObject({ labels: ['preview'] });
  });

  test.each([
    ["it's_R&D@v1.2", 'its-randdatv1-2'],
    ['-Fix--me-', 'fix-me'],
    ['вѣтвь/北京', 'vetv-bei-jing'],
    ['Äpfel_und_Öl', 'apfel-und-ol'],
  ])('the branch %s has the slug %s', async (branch, slug) => {
    const [given] = await pullRequestParameters([pull(1, branch)], {}, { goTemplate: false, texts });
    expect(given!['branch_slug']).toBe(slug);
  });

  test('slugs are cut at a word', async () => {
    const branch = `${'word-'.repeat(12)}end`;
    const [given] = await pullRequestParameters([pull(1, branch)], {}, { goTemplate: false, texts });
    expect(given!['branch_slug']).toBe('word-word-word-word-word-word-word-word-word-word');
  });

  test('one filter that holds as a whole suffices', async () => {
    const pulls = [pull(1, 'feature/a'), pull(2, 'feature/b', 'release'), pull(3, 'fix/c'), pull(4, 'x')];
    const filters = [
      { branchMatch: '^feature/', targetBranchMatch: '^main$', titleMatch: '1$' },
      { branchMatch: 'fix' },
    ];
    const found = await pullRequestParameters(pulls, { filters }, { goTemplate: false, texts });
    expect(found.map((one) => one['number'])).toEqual(['1', '3']);
  });

  test('a pattern that Go does not know is an error, even without pull requests', async () => {
    const filters = [{ branchMatch: '(?=x)' }];
    await expect(pullRequestParameters([], { filters }, { goTemplate: false, texts })).rejects.toThrow(
      'invalid or unsupported Perl syntax',
    );
  });
});

describe('parameters of repositories', () => {
  const asked: string[] = [];
  const repo = (repository: string, labels: string[] = []): RepositoryFacts => ({
    organization: 'acme',
    repository,
    repositoryId: 1234567,
    url: `git@host:acme/${repository}.git`,
    branch: 'main',
    sha: 'fedcba9876543210',
    labels,
  });
  const host: RepositoryHost = {
    repositories: () => Promise.resolve([repo('shop', ['go', 'web']), repo('docs'), repo('tool', ['go'])]),
    branches(found) {
      asked.push(found.repository);
      return Promise.resolve([
        repo(found.repository, found.labels),
        { ...repo(found.repository), branch: 'Next/1' },
      ]);
    },
    hasPath: (found, path) => Promise.resolve(found.branch === 'main' && path === 'deploy'),
  };
  const run = (filters: Record<string, unknown>[] = []) => repositoryParameters(host, { filters }, { texts });

  test('are named as the reference names them', async () => {
    const [first, second] = await run();
    expect(first).toEqual({
      organization: 'acme',
      repository: 'shop',
      repository_id: new GoInt(1234567),
      url: 'git@host:acme/shop.git',
      branch: 'main',
      sha: 'fedcba9876543210',
      short_sha: 'fedcba98',
      short_sha_7: 'fedcba9',
      labels: 'go,web',
      branchNormalized: 'main',
    });
    expect(second).toMatchObject({ branchNormalized: 'next-1' });
  });

  test('only repositories that a filter takes are asked for branches', async () => {
    asked.length = 0;
    const found = await run([{ labelMatch: '^go$', repositoryMatch: 'sh' }, { repositoryMatch: '^docs$' }]);
    expect(asked).toEqual(['shop', 'docs']);
    expect(found).toHaveLength(4);
  });

  test('a filter that speaks of branches is taken as a whole', async () => {
    const filters = [
      { repositoryMatch: '^shop$', branchMatch: '^main$' },
      { repositoryMatch: '^docs$', branchMatch: '^Next' },
    ];
    asked.length = 0;
    const found = await run(filters);
    expect(found.map((one) => `${String(one['repository'])} ${String(one['branch'])}`)).toEqual([
      'shop main',
      'docs Next/1',
    ]);
    expect(asked).toEqual(['shop', 'docs']);
  });

  test('branches and paths are filtered; a slash at the end does not count', async () => {
    const names = (found: Record<string, unknown>[]) =>
      found.map((one) => `${String(one['repository'])} ${String(one['branch'])}`);
    expect(names(await run([{ pathsExist: ['deploy/'] }]))).toEqual(['shop main', 'docs main', 'tool main']);
    expect(names(await run([{ repositoryMatch: 'shop', pathsDoNotExist: ['deploy'] }]))).toContain(
      'shop Next/1',
    );
    expect(names(await run([{ branchMatch: '^N' }, { repositoryMatch: 'docs' }]))).toEqual(['docs Next/1']);
  });
});
