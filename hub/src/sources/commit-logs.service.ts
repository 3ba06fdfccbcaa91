import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { LoggedCommit } from './mirror.ts';
import { SourcesService } from './sources.service.ts';

export type { LoggedCommit };

/** Commits that one side has and the other has not. */
export interface CommitsApart {
  /** Of `from` only, newest first. */
  behind: LoggedCommit[];
  /** Of `to` only, newest first. */
  ahead: LoggedCommit[];
}

/** What happened between two commits of a repository. */
@Injectable()
export class CommitLogs {
  constructor(@Inject(SourcesService) private readonly sources: SourcesService) {}

  /**
   * Whether `tip` is `commit` (which may be abbreviated), or comes after it. Undefined: the repository has no such commit
   * as of its last fetch. Throws in words where `tip` cannot be had.
   */
  async contains(
    repositoryId: string,
    tip: string,
    commit: string,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const mirror = await this.sources.mirrorWith(repositoryId, tip, signal);
    const found = await mirror.objects.info(`${commit}^{commit}`);
    return found && mirror.contains(tip, found.oid, signal);
  }

  /** At most `limit` of each side. Throws in words where a commit cannot be had. */
  async between(
    repositoryId: string,
    from: string,
    to: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<CommitsApart> {
    const mirror = await this.sources.mirrorWith(repositoryId, to, signal);
    if (!(await mirror.has(from))) {
      await this.sources.mirrorWith(repositoryId, from, signal);
      if (!(await mirror.has(from)))
        throw new MusterError('not-found', `the repository has no commit ${from.slice(0, 7)} any more`);
    }
    const [ahead, behind] = await Promise.all([
      mirror.log(from, to, limit, signal),
      mirror.log(to, from, limit, signal),
    ]);
    return { ahead, behind };
  }
}
