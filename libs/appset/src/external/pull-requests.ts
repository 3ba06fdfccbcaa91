import type { Params } from '../params.ts';
import type { ExternalGenerator } from '../types.ts';
import type { PullRequestFacts } from './facts.ts';
import { filtersOf, type Looks, matching, takenByOne } from './filters.ts';
import type { GoTexts } from './texts.ts';

const LOOKS: Looks<PullRequestFacts> = {
  branchMatch: ({ branch }) => [branch],
  targetBranchMatch: ({ targetBranch }) => [targetBranch],
  titleMatch: ({ title }) => [title],
};

/** Parameters of the pullRequest generator: requests that one of the filters takes, in the host's order. */
export async function pullRequestParameters(
  found: readonly PullRequestFacts[],
  generator: ExternalGenerator,
  { goTemplate, texts, signal }: { goTemplate: boolean; texts: GoTexts; signal?: AbortSignal | undefined },
): Promise<Params[]> {
  const filters = filtersOf(generator, Object.keys(LOOKS), []);
  const pulls = await takenByOne(found, filters, (some, filter) =>
    matching(some, filter, LOOKS, texts, signal),
  );
  const slugs = await texts.slugs(
    pulls.flatMap((pull) => [pull.branch, pull.targetBranch]),
    signal,
  );
  return pulls.map((pull, i) => ({
    number: String(pull.number),
    title: pull.title,
    branch: pull.branch,
    branch_slug: slugs[2 * i]!,
    target_branch: pull.targetBranch,
    target_branch_slug: slugs[2 * i + 1]!,
    head_sha: pull.headSha,
    head_short_sha: pull.headSha.slice(0, 8),
    head_short_sha_7: pull.headSha.slice(0, 7),
    author: pull.author,
    ...(goTemplate ? { labels: pull.labels } : {}),
  }));
}
