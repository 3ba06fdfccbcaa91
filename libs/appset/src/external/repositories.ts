import { GoInt, normalizeName, type Params } from '../params.ts';
import type { ExternalGenerator } from '../types.ts';
import type { ListedRepository, RepositoryFacts, RepositoryHost } from './facts.ts';
import { type Filter, filtersOf, type Looks, matching, takenByOne } from './filters.ts';
import type { GoTexts } from './texts.ts';

const OF_REPOSITORIES: Looks<ListedRepository> = {
  repositoryMatch: ({ repository }) => [repository],
  labelMatch: ({ labels }) => labels,
};
const OF_BRANCHES: Looks<RepositoryFacts> = { ...OF_REPOSITORIES, branchMatch: ({ branch }) => [branch] };

/**
 * Parameters of the scmProvider generator. Filters are taken in two rounds, as by the reference: first those that speak
 * of repositories alone, then, with the branches known, those that speak of branches or paths, with all that they say.
 * In each round one filter suffices. Repositories that no filter can take any more are not asked for branches.
 */
export async function repositoryParameters(
  host: RepositoryHost,
  generator: ExternalGenerator,
  { texts, signal }: { texts: GoTexts; signal?: AbortSignal | undefined },
): Promise<Params[]> {
  const filters = filtersOf(generator, Object.keys(OF_BRANCHES), ['pathsExist', 'pathsDoNotExist']);
  const ofBranches = filters.filter(speaksOfBranches);
  const ofRepositories = filters.filter((one) => !ofBranches.includes(one) && speaksOfRepositories(one));
  const take = (some: readonly ListedRepository[], filter: Filter) =>
    matching(some, filter, OF_REPOSITORIES, texts, signal);
  let listed = await takenByOne(await host.repositories(signal), ofRepositories, take);
  listed = await takenByOne(listed, ofBranches, take);
  const branches: RepositoryFacts[] = [];
  for (const repository of listed) branches.push(...(await host.branches(repository, signal)));
  const found = await takenByOne(branches, ofBranches, async (some, filter) => {
    const named = await matching(some, filter, OF_BRANCHES, texts, signal);
    const kept: RepositoryFacts[] = [];
    for (const one of named) if (await pathsHold(host, one, filter, signal)) kept.push(one);
    return kept;
  });
  return found.map(parametersOf);
}

function speaksOfBranches({ patterns, paths }: Filter): boolean {
  return patterns['branchMatch'] !== undefined || Object.keys(paths).length > 0;
}

function speaksOfRepositories({ patterns }: Filter): boolean {
  return Object.keys(OF_REPOSITORIES).some((field) => patterns[field] !== undefined);
}

async function pathsHold(
  host: RepositoryHost,
  repository: RepositoryFacts,
  { paths }: Filter,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (const path of paths['pathsExist'] ?? [])
    if (!(await host.hasPath(repository, path, signal))) return false;
  for (const path of paths['pathsDoNotExist'] ?? [])
    if (await host.hasPath(repository, path, signal)) return false;
  return true;
}

function parametersOf(found: RepositoryFacts): Params {
  const { organization, repository, repositoryId, url, branch, sha, labels } = found;
  return {
    organization,
    repository,
    repository_id: new GoInt(repositoryId),
    url,
    branch,
    sha,
    short_sha: sha.slice(0, 8),
    short_sha_7: sha.slice(0, 7),
    labels: labels.join(','),
    branchNormalized: normalizeName(branch),
  };
}
