import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { isOtherRef, nameOfRef } from './refs.ts';
import { SourcesRepository } from './sources.repository.ts';
import { type RevisionState, SourcesService, resolveOne } from './sources.service.ts';

/** Looks at repositories for those who ask “what if”: follows nothing and records nothing. */
@Injectable()
export class LookUps {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
  ) {}

  /**
   * As `ensure`, for as long as something is looked at: what the hub did not know before is forgotten again by
   * `giveBack`, with its mirror, unless something has begun to follow it.
   */
  async borrow(urls: readonly string[]): Promise<{ ids: Map<string, string>; giveBack(): Promise<void> }> {
    const before = new Set((await this.sources.known(urls)).values());
    const ids = await this.sources.ensure(this.repository.db, urls);
    const made = [...new Set(ids.values())].filter((id) => !before.has(id));
    return {
      ids,
      giveBack: async () => {
        for (const id of made) {
          const row = await this.repository.byId(id);
          if (row && (await this.repository.forgetUnused(id))) await this.sources.forget(row.url);
        }
      },
    };
  }

  /**
   * Where a revision of a repository points now, asked of its remote: also one that nothing follows, and refs such as
   * `refs/pull/7/head`. Records nothing. Throws in words.
   */
  async lookUp(
    repositoryId: string,
    revision: string,
    signal: AbortSignal,
  ): Promise<RevisionState & { commit: string }> {
    const row = await this.repository.byId(repositoryId);
    if (row && row.kind !== 'git')
      return { commit: await this.sources.pointOf(repositoryId, revision, signal) };
    const { url, access, mirror, refs } = await this.sources.fetched(repositoryId, signal);
    if (isOtherRef(revision)) {
      const commit = await mirror.fetchRef(access, revision, url, signal);
      return stateOf(await mirror.resolve(commit, refs));
    }
    const found = await resolveOne(mirror, revision, () => mirror.resolve(revision, refs), access, signal);
    if (found.error !== null || found.commit === null)
      throw new MusterError('not-found', `${found.error ?? `there is no revision ${revision}`}`);
    return stateOf({
      ...found,
      commit: found.commit,
      subject: found.message ?? '',
      author: found.author ?? '',
    });
  }

  /** Which of the followed revisions of a repository mean the same ref as `base` does, `HEAD` for the default branch. */
  async meaning(
    repositoryId: string,
    base: string,
    signal: AbortSignal,
  ): Promise<{ name: string; revisions: string[] }> {
    const { refs } = await this.sources.fetched(repositoryId, signal);
    const wanted = nameOfRef(base, refs);
    const followed = await this.repository.revisions(this.repository.db, [repositoryId]);
    const revisions = followed.map((one) => one.revision);
    return {
      name: wanted.replace(/^refs\/heads\//, ''),
      revisions: revisions.filter((one) => one === base || nameOfRef(one, refs) === wanted),
    };
  }

  /** Whether a commit has another one among its ancestors, or is it. Both were looked up before. */
  async contains(
    repositoryId: string,
    commit: string,
    ancestor: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { mirror } = await this.sources.fetched(repositoryId, signal);
    return mirror.contains(commit, ancestor, signal);
  }

  /** Those of the repositories that belong to one of the projects, or that an Application of one reads. */
  async visible(ids: string[], projects: '*' | string[]): Promise<string[]> {
    return projects === '*' ? ids : this.repository.visible(ids, projects);
  }
}

function stateOf(found: {
  commit: string;
  committedAt: Date | null;
  subject: string;
  author: string;
}): RevisionState & { commit: string } {
  const { commit, committedAt, subject, author } = found;
  return { commit, ...(committedAt ? { committedAt } : {}), message: subject, author };
}
