import { MusterError } from '@muster/base';
import type { Environment, EnvironmentStanding, Promotion, PromotionChange } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { BundlesService } from '../releases/bundles.service.ts';
import { SourcesService } from '../sources/sources.service.ts';
import { ownerName } from './promotion-text.ts';
import { standingOf } from './standing.ts';
import { StandingsRepository } from './standings.repository.ts';

/** What environments are at. */
@Injectable()
export class PromotionStandings {
  constructor(
    @Inject(StandingsRepository) private readonly repository: StandingsRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(BundlesService) private readonly bundles: BundlesService,
  ) {}

  async of(
    { repository }: Promotion,
    environment: Environment,
    signal: AbortSignal,
  ): Promise<EnvironmentStanding> {
    const { owner } = environment;
    const found = await this.repository.owner(owner);
    if (!found) return { kind: 'not-yet', why: `there is no ${owner.kind} ${ownerName(environment)}` };
    const row = await this.sources.rowOf(repository);
    if (!row) return { kind: 'not-yet', why: `the hub does not know the repository ${repository}` };
    const facts = await this.repository.facts(found.ownerId, found.applicationId, row.id);
    const standing = standingOf(ownerName(environment), facts);
    if (standing.kind === 'not-yet') return standing;
    const { commits, ...rest } = standing;
    if (commits.length === 1) return { ...rest, commit: commits[0]! };
    return this.#newest(row.id, rest, commits, signal);
  }

  /** Targets that a commit did not touch have an earlier one: the one that all others led to stands for all. */
  async #newest(
    repositoryId: string,
    rest: Omit<Extract<EnvironmentStanding, { kind: 'passed' }>, 'commit'>,
    commits: readonly string[],
    signal: AbortSignal,
  ): Promise<EnvironmentStanding> {
    try {
      let newest = commits[0]!;
      const mirror = await this.sources.mirrorWith(repositoryId, newest, signal);
      for (const commit of commits) {
        await this.sources.mirrorWith(repositoryId, commit, signal);
        if (!(await mirror.contains(newest, commit, signal))) newest = commit;
      }
      for (const commit of commits)
        if (!(await mirror.contains(newest, commit, signal)))
          return { kind: 'not-yet', why: 'its targets are at commits of which none follows from all others' };
      return { ...rest, commit: newest };
    } catch (thrown) {
      signal.throwIfAborted();
      return { kind: 'not-yet', why: MusterError.from(thrown).message };
    }
  }

  /** The first line of the message of a release's commit. */
  async subject(releaseId: string | undefined): Promise<string | undefined> {
    return releaseId === undefined ? undefined : this.repository.message(releaseId);
  }

  /** What an environment would lose; null: that cannot be told. */
  async removals(before: Environment, environment: Environment): Promise<PromotionChange['removals']> {
    if (environment.change?.kind === 'set') return null;
    const [source, target] = [
      await this.repository.owner(before.owner),
      await this.repository.owner(environment.owner),
    ];
    if (!source || !target) return null;
    const [to, from] = [
      await this.repository.bundles(source.ownerId, source.applicationId),
      await this.repository.bundles(target.ownerId, target.applicationId),
    ];
    return to.length === 0 || from.length === 0 ? null : this.bundles.missing(from, to);
  }
}
