import type { JsonObject } from '@muster/base';
import { normalizeName } from '../params.ts';
import type { ExternalGenerator } from '../types.ts';
import type { ListedRepository, RepositoryFacts, RepositoryHost } from './facts.ts';
import { type Filter, filtersOf, type Looks, matching, takenByOne } from './filters.ts';
import type { GoTexts } from './texts.ts';

const OF_REPOSITORIES: Looks<ListedRepository> = {
  repositoryMatch: ({ repository }) => [repository],
  labelMatch: ({ labels }) => labels,
};
const OF_BRANCHES: Looks<RepositoryFacts> = { branchMatch: ({ branch }) => [branch] };

/**
 * Parameters of the scmProvider generator. Filters are taken in two rounds, as by the reference: first what they say
 * of repositories, so that only these are asked for branches, then what they say of branches and paths; in each round
 * one filter that says something suffices.
 */
export async function repositoryParameters(
  host: RepositoryHost,
  generator: ExternalGenerator,
  { goTemplate, texts, signal }: { goTemplate: boolean; texts: GoTexts; signal?: AbortSignal | undefined },
): Promise<JsonObject[]> {
  const filters = filtersOf(
    generator,
    [...Object.keys(OF_REPOSITORIES), ...Object.keys(OF_BRANCHES)],
    ['pathsExist', 'pathsDoNotExist'],
  );
  const listed = await takenByOne(
    await host.repositories(signal),
    filters.filter((filter) => speaksOf(filter, OF_REPOSITORIES)),
    (some, filter) => matching(some, filter, OF_REPOSITORIES, texts, signal),
  );
  const branches: RepositoryFacts[] = [];
  for (const repository of listed) branches.push(...(await host.branches(repository, signal)));
  const found = await takenByOne(
    branches,
    filters.filter(
      (filter) =>
        speaksOf(filter, OF_BRANCHES) || Object.values(filter.paths).some((paths) => paths.length > 0),
    ),
    async (some, filter) => {
      const named = await matching(some, filter, OF_BRANCHES, texts, signal);
      const kept: RepositoryFacts[] = [];
      for (const one of named) if (await pathsHold(host, one, filter, signal)) kept.push(one);
      return kept;
    },
  );
  return found.map((one) => parametersOf(one, goTemplate));
}

function speaksOf<T>(filter: Filter, looks: Looks<T>): boolean {
  return Object.keys(looks).some((field) => filter.patterns[field] !== undefined);
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

function parametersOf(found: RepositoryFacts, goTemplate: boolean): JsonObject {
  const { organization, repository, repositoryId, url, branch, sha, labels } = found;
  return {
    organization,
    repository,
    // Go has an integer here: it prints as digits, where a JSON number would print as 1e+06; fasttemplate ignores it.
    repository_id: goTemplate ? String(repositoryId) : repositoryId,
    url,
    branch,
    sha,
    short_sha: sha.slice(0, 8),
    short_sha_7: sha.slice(0, 7),
    labels: labels.join(','),
    branchNormalized: normalizeName(branch),
  };
}
