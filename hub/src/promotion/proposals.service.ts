import type { ReleaseDiff } from '@muster/api';
import { MusterError } from '@muster/base';
import { type Environment, type Promotion, type PromotionChange } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { systemActor } from '../access/actor.ts';
import { Comparisons } from '../comparisons/comparisons.service.ts';
import { RepositoryPushes, type WritableRepository } from '../sources/pushes/repository-pushes.service.ts';
import type { PullRequest, PullRequests } from '../sources/scm/pull-requests.ts';
import { PullRequestsService } from '../sources/scm/pull-requests.service.ts';
import { type Promoted, promotedContent } from './promoted-content.ts';
import { type Told, bodyOf, branchFor, messageOf, ownerName, titleOf } from './promotion-text.ts';
import type { ChangeRow } from './promotions.repository.ts';

/** What became of a change. */
export interface Outcome {
  state: Extract<PromotionChange['state'], 'done' | 'open' | 'conflict' | 'closed'>;
  why: string;
  /** The commit that was made for it. */
  result?: string | undefined;
  pull?: { branch: string; number: number; url: string };
  /** A commit was pushed, or a pull request opened or changed: by this call, or by one that was killed before it was written down. */
  made?: string;
}

export interface Proposed {
  promotion: Promotion;
  before: Environment;
  environment: Environment;
  change: ChangeRow;
  subject: string | undefined;
}

const DIFF = { members: 10, groups: 50, stat: false };

/**
 * Makes the changes of promotions in Git. Whatever was made before a crash is recognised: commits by their trailer, a pull request
 * by its branch. So everything may be asked for again.
 */
@Injectable()
export class Proposals {
  constructor(
    @Inject(RepositoryPushes) private readonly pushes: RepositoryPushes,
    @Inject(PullRequestsService) private readonly pulls: PullRequestsService,
    @Inject(Comparisons) private readonly comparisons: Comparisons,
  ) {}

  /** Whether an environment has already what is promoted to it: nobody is asked for an approval of nothing. */
  async isThere(
    promotion: Promotion,
    before: Environment,
    environment: Environment,
    commit: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const repository = await this.pushes.open(promotion.repository, promotion.project, signal);
    const base = repository.head(environment.branch);
    if (base === undefined || !(await repository.has(commit))) return false;
    return (await promotedContent(repository, before, environment, commit, base)).kind === 'same';
  }

  /** Makes a change, or sees that it is made. Throws in words for what may pass or has to be mended. */
  async make(proposed: Proposed, now: Date, signal: AbortSignal): Promise<Outcome> {
    const { promotion, before, environment, change } = proposed;
    const repository = await this.pushes.open(promotion.repository, promotion.project, signal);
    const base = repository.head(environment.branch);
    if (base === undefined)
      return { state: 'conflict', why: `the repository has no branch ${environment.branch}` };
    if (!(await repository.has(change.commit)))
      return { state: 'conflict', why: `the repository has no commit ${change.commit.slice(0, 7)} any more` };
    const made = await repository.git.made(base, change.id);
    if (made) {
      const why = `commit ${made.slice(0, 7)} on ${environment.branch}`;
      // Whoever pushed it did not come to say so. A pull request that somebody merged was told when it was opened.
      const told = change.pull_number !== null;
      return { state: 'done', why, result: made, ...(told ? {} : { made: why }) };
    }
    const promoted = await promotedContent(repository, before, environment, change.commit, base);
    if (promoted.kind === 'conflict') return { state: 'conflict', why: promoted.why };
    if (environment.change!.mode === 'commit') return this.#commit(repository, proposed, promoted, now);
    const pulls = await this.pulls.of(promotion.repository, promotion.host, promotion.project, signal);
    return this.#propose(repository, pulls, proposed, promoted, base, now, signal);
  }

  /** What became of the pull request of a change; while it is open it is kept as it has to be. */
  async watch(proposed: Proposed, now: Date, signal: AbortSignal): Promise<Outcome> {
    const { promotion, environment, change } = proposed;
    const pulls = await this.pulls.of(promotion.repository, promotion.host, promotion.project, signal);
    const number = Number(change.pull_number);
    const pull = await pulls.get(number);
    if (!pull) return { state: 'closed', why: `there is no pull request ${number} any more` };
    if (pull.state === 'open') {
      if (pull.base === environment.branch) return this.make(proposed, now, signal);
      return open(pull, `it goes into ${pull.base} now, not into ${environment.branch}: it is left alone`);
    }
    if (pull.state === 'closed') return { state: 'closed', why: `pull request ${number} was closed` };
    if (pull.base !== environment.branch)
      return {
        state: 'closed',
        why: `pull request ${number} was merged into ${pull.base}, not into ${environment.branch}`,
      };
    return { state: 'done', why: `pull request ${number} was merged`, result: pull.merged };
  }

  async #commit(
    repository: WritableRepository,
    proposed: Proposed,
    promoted: Exclude<Promoted, { kind: 'conflict' }>,
    at: Date,
  ): Promise<Outcome> {
    const { branch, name } = proposed.environment;
    if (promoted.kind === 'same') return { state: 'done', why: `${name} has it already` };
    const commit =
      promoted.kind === 'forward'
        ? promoted.commit
        : await repository.git.commit({ ...promoted, message: messageOf(proposed), at });
    if ((await repository.push(commit, branch)) === 'moved')
      return { state: 'conflict', why: `${branch} moved meanwhile` };
    const why = `commit ${commit.slice(0, 7)} on ${branch}`;
    return { state: 'done', why, result: commit, made: why };
  }

  async #propose(
    repository: WritableRepository,
    pulls: PullRequests,
    proposed: Proposed,
    promoted: Exclude<Promoted, { kind: 'conflict' }>,
    base: string,
    at: Date,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { promotion, environment, change } = proposed;
    const branch = branchFor(promotion, environment);
    const known = await pulls.find(branch, environment.branch);
    if (promoted.kind === 'same')
      return known
        ? open(known, `${environment.branch} has it already: the pull request can be closed`, branch)
        : { state: 'done', why: `${environment.name} has it already` };
    const head = repository.head(branch);
    const parents = await this.#parents(repository, promoted, base, head);
    if (parents && known && head !== undefined && !(await isOurs(repository, head, change)))
      return open(known, 'others have committed to its branch: it is not updated', branch);
    if (parents) {
      const { git } = repository;
      const commit =
        parents === 'forward' && promoted.kind === 'forward'
          ? promoted.commit
          : await git.commit({
              tree: promoted.kind === 'tree' ? promoted.tree : await git.treeOf(promoted.commit),
              parents: parents as string[],
              message: messageOf(proposed),
              at,
            });
      if ((await repository.push(commit, branch)) === 'moved')
        return { state: 'conflict', why: `${branch} moved meanwhile` };
    }
    if (known && !parents && Number(change.pull_number) === known.number && change.state === 'open')
      return open(known, `pull request ${known.number} is open`, branch);
    const text = {
      title: titleOf(proposed),
      body: bodyOf(proposed, await this.#difference(proposed, signal)),
    };
    if (known) await pulls.change(known.number, text);
    const pull = known ?? (await pulls.open(branch, environment.branch, text));
    const why = `pull request ${pull.number} is open`;
    return {
      ...open(pull, why, branch),
      made: `pull request ${pull.number} ${known ? 'updated' : 'opened'}`,
    };
  }

  /** What the next commit of the branch follows from; undefined: the branch is as it has to be. */
  async #parents(
    { git }: WritableRepository,
    promoted: Exclude<Promoted, { kind: 'conflict' | 'same' }>,
    base: string,
    head: string | undefined,
  ): Promise<string[] | 'forward' | undefined> {
    const others = promoted.kind === 'tree' ? promoted.parents : [base, promoted.commit];
    if (head === undefined) return promoted.kind === 'forward' ? 'forward' : others;
    if (promoted.kind === 'forward') {
      if (head === promoted.commit) return undefined;
      if (await git.isAncestor(head, promoted.commit)) return 'forward';
    }
    const wanted = promoted.kind === 'tree' ? promoted.tree : await git.treeOf(promoted.commit);
    const merged = (await git.isAncestor(base, head))
      ? { tree: await git.treeOf(head) }
      : await git.merge(base, head);
    if ('tree' in merged && merged.tree === wanted) return undefined;
    const parents = [head];
    for (const other of others) if (!(await git.isAncestor(other, head))) parents.push(other);
    return parents;
  }

  async #difference(
    { before, environment, change }: Told,
    signal: AbortSignal,
  ): Promise<ReleaseDiff | string> {
    const [a, b] = [ownerName(environment), `${ownerName(before)}#${change.release_number}`];
    try {
      return await this.comparisons.diff(systemActor, { a, b, ...DIFF }, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      return `the difference cannot be shown: ${MusterError.from(thrown).message}`;
    }
  }
}

function open(pull: PullRequest, why: string, branch = pull.head): Outcome {
  return { state: 'open', why, pull: { branch, number: pull.number, url: pull.url } };
}

/** The branch ends in a commit that the hub made, or in the very commit that it forwarded it to. */
async function isOurs({ git }: WritableRepository, head: string, { commit }: ChangeRow): Promise<boolean> {
  return (await git.isAncestor(head, commit)) || (await git.hasTrailer(head));
}
