import {
  CompareReleases,
  GetRelease,
  ListReleases,
  ReleaseDetail,
  ReleaseDiff,
  ReleaseList,
} from '@muster/api';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { Comparisons } from './comparisons.service.ts';

const MOST_MS = 60_000;

@Controller('api/v1/releases')
export class ReleasesController {
  constructor(@Inject(Comparisons) private readonly comparisons: Comparisons) {}

  /** Of one ApplicationSet or Application, newest first. */
  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(ReleaseList)
  list(
    @Query({ schema: ListReleases }) query: ListReleases,
    @CurrentActor() actor: Actor,
  ): Promise<ReleaseList> {
    return this.comparisons.list(actor, query);
  }

  /** What a release says of its targets; without a number: what they hold now. */
  @Get('detail')
  @Allow('viewer', { project: 'any' })
  @Answers(ReleaseDetail)
  get(
    @Query({ schema: GetRelease }) { of }: GetRelease,
    @CurrentActor() actor: Actor,
  ): Promise<ReleaseDetail> {
    return this.comparisons.get(actor, of, AbortSignal.timeout(MOST_MS));
  }

  /** What is different between two releases, clusters or environments: commits, images and manifests, secrets masked. */
  @Get('diff')
  @Allow('viewer', { project: 'any' })
  @Answers(ReleaseDiff)
  diff(
    @Query({ schema: CompareReleases }) query: CompareReleases,
    @CurrentActor() actor: Actor,
  ): Promise<ReleaseDiff> {
    return this.comparisons.diff(actor, query, AbortSignal.timeout(MOST_MS));
  }
}
