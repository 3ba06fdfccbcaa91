import { GoTexts, pullRequestParameters, repositoryParameters } from '@muster/appset';
import { TemplateEngine, loadRenderer } from '@muster/renderer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gitea, giteaProblem, startGitea } from './gitea.fixture.ts';
import { scmHeaders, scmHost, scmTarget } from './scm-config.ts';
import { ScmHttp } from './scm-http.ts';

const problem = await giteaProblem();
if (problem) console.warn(`generators are not tested against Gitea: ${problem}`);
const BUILD_MS = 900_000;

describe.skipIf(problem)('of a real Gitea', () => {
  let gitea: Gitea;
  let engine: TemplateEngine;
  let outsider: { id: number; token: string };

  beforeAll(async () => {
    gitea = await startGitea();
    engine = new TemplateEngine(await loadRenderer({ memoryMb: 256 }));
    await gitea.organisation('acme');
    await gitea.repository('acme', 'shop', { 'deploy/prod/a.yaml': 'a: 1\n', 'README.txt': 'x' });
    await gitea.repository('acme', 'vault', { 'deploy/a.yaml': 'a: 1\n' }, { private: true });
    await gitea.repository('acme', 'old', {}, { default_branch: 'master' });
    await gitea.commit('acme/shop', { 'b.yaml': 'b: 1\n' }, { name: 'Feature/Größe_1', from: 'main' });
    await gitea.api('POST', 'repos/acme/shop/labels', { name: 'team-a', color: '#00aabb' });
    await gitea.api('PATCH', 'repos/acme/old', { archived: true });
    outsider = await gitea.reader('outsider');
  }, BUILD_MS);
  afterAll(async () => {
    await engine?.close();
    await gitea?.stop();
  });

  const hostOf = (settings: object, token?: string, more: object = {}) => {
    const target = scmTarget({ gitea: { api: gitea.url, ...settings }, ...more });
    const headers = scmHeaders(target, token === undefined ? undefined : { kind: 'token', token });
    return scmHost(
      target,
      new ScmHttp(target.api, headers, AbortSignal.timeout(60_000)),
      (more as { cloneProtocol?: string }).cloneProtocol,
    );
  };
  const texts = () => new GoTexts(engine.goTemplate);
  const names = (sets: Record<string, unknown>[]) =>
    sets.map((one) => `${String(one['repository'])} ${String(one['branch'])}`).sort();
  const repositories = (settings: object, generator: Record<string, unknown> = {}, token = gitea.token) =>
    repositoryParameters(hostOf({ owner: 'acme', ...settings }, token, generator), generator, {
      texts: texts(),
    });

  test('an organisation’s repositories come with what the generator gives of each', async () => {
    const found = await repositories(
      {},
      { cloneProtocol: 'https', filters: [{ repositoryMatch: '^shop$' }] },
    );
    const { commit } = await gitea.api('GET', 'repos/acme/shop/branches/main');
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      organization: 'acme',
      repository: 'shop',
      url: `${gitea.url}/acme/shop`,
      branch: 'main',
      sha: commit.id,
      short_sha_7: commit.id.slice(0, 7),
      labels: 'team-a',
      branchNormalized: 'main',
    });
    const [ssh] = await repositories({}, { filters: [{ repositoryMatch: '^shop$' }] });
    expect(ssh!['url']).toMatch(new RegExp(`^ssh://.*:${gitea.sshPort}/acme/shop.git$`));
  });

  test('filters take repositories by name, label, branch and path', async () => {
    const by = async (...filters: object[]) => names(await repositories({ allBranches: true }, { filters }));
    expect(await by({ labelMatch: '^team-' })).toEqual(['shop Feature/Größe_1', 'shop main']);
    expect(await by({ branchMatch: '^Feature' })).toEqual(['shop Feature/Größe_1']);
    expect(await by({ pathsExist: ['deploy/prod'] })).toEqual(['shop Feature/Größe_1', 'shop main']);
    expect(await by({ pathsExist: ['deploy/prod/a.yaml'], pathsDoNotExist: ['b.yaml'] })).toEqual([
      'shop main',
    ]);
    expect(await by({ repositoryMatch: 'vault', pathsDoNotExist: ['deploy'] })).toEqual([]);
  });

  test('archived repositories are left out where the set says so', async () => {
    expect(names(await repositories({}))).toEqual(['old master', 'shop main', 'vault main']);
    expect(names(await repositories({ excludeArchivedRepos: true }))).toEqual(['shop main', 'vault main']);
  });

  test('a private repository is seen with a token that may, and only with one', async () => {
    const seen = names(await repositories({ excludeArchivedRepos: true }, {}, outsider.token));
    expect(seen).toEqual(['shop main']);
    const vault = { owner: 'acme', repo: 'vault' };
    expect(await hostOf(vault, gitea.token).pullRequests()).toEqual([]);
    expect(await hostOf(vault, outsider.token).pullRequests()).toBeUndefined();
    expect(await hostOf(vault).pullRequests()).toBeUndefined();
  });

  test('a token that does not exist is refused, whatever could be seen without one', async () => {
    const wrong = hostOf({ owner: 'acme', repo: 'shop' }, 'f'.repeat(40));
    await expect(wrong.pullRequests()).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('answers 401'),
    });
  });

  test('an organisation that is not there is an error, and so is a repository without its default branch', async () => {
    await expect(repositories({ owner: 'nobody' })).rejects.toThrow('there is no organisation nobody');
    await gitea.repository('acme', 'blank', {}, { auto_init: false });
    await expect(repositories({})).rejects.toThrow('acme/blank has no default branch main');
    await gitea.api('DELETE', 'repos/acme/blank');
  });

  test('more repositories than a page holds are all found', async () => {
    await gitea.organisation('many');
    const all = Array.from({ length: 56 }, (_, i) => `r${String(i).padStart(2, '0')}`);
    for (const name of all) await gitea.repository('many', name, {}, { auto_init: false });
    const listed = await hostOf({ owner: 'many' }, gitea.token).repositories();
    expect(listed.map(({ repository }) => repository).sort()).toEqual(all);
  });

  test('pull requests are taken by label and filter, with the commit at their head', async () => {
    const first = await gitea.pullRequest('acme/shop', 'Feature/Größe_1', ['preview']);
    const sha = await gitea.commit('acme/shop', { 'c.yaml': 'c: 1\n' }, { name: 'fix/2', from: 'main' });
    await gitea.pullRequest('acme/shop', 'fix/2');
    const pulls = (settings: object = {}) =>
      hostOf({ owner: 'acme', repo: 'shop', ...settings }, gitea.token).pullRequests();
    expect((await pulls())?.map(({ branch }) => branch).sort()).toEqual(['Feature/Größe_1', 'fix/2']);
    const labelled = (await pulls({ labels: ['preview'] }))!;
    expect(labelled).toMatchObject([
      { number: first, targetBranch: 'main', author: 'owner', labels: ['preview'] },
    ]);
    const shape = { goTemplate: true, texts: texts() };
    const filters = [{ branchMatch: '^fix/' }];
    expect(await pullRequestParameters((await pulls())!, { filters }, shape)).toMatchObject([
      { branch: 'fix/2', branch_slug: 'fix-2', head_sha: sha, labels: [] },
    ]);
    expect(await pullRequestParameters(labelled, {}, shape)).toMatchObject([
      { branch_slug: 'feature-grosse-1' },
    ]);
    await gitea.label('acme/shop', first, 'preview', false);
    expect(await pulls({ labels: ['preview'] })).toEqual([]);
    await gitea.api('PATCH', `repos/acme/shop/pulls/${first}`, { state: 'closed' });
    expect((await pulls())?.map(({ branch }) => branch)).toEqual(['fix/2']);
  });
});
