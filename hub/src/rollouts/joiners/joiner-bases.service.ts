import { Inject, Injectable } from '@nestjs/common';
import { type BaseRelease, BaseReleases, type FollowedRevisions } from './base-releases.repository.ts';

export type { BaseRelease, FollowedRevisions };

/** What those who render know of the release that targets which join are to hold first. */
@Injectable()
export class JoinerBases {
  constructor(@Inject(BaseReleases) private readonly repository: BaseReleases) {}

  /** Undefined where nothing is on its way or held back: what joins then gets the newest release. */
  of(ownerId: string): Promise<BaseRelease | undefined> {
    return this.repository.of(ownerId);
  }

  /** What Applications follow, by id; those of which a source cannot be read are left out. */
  followed(applicationIds: readonly string[]): Promise<Map<string, FollowedRevisions>> {
    return this.repository.followed(applicationIds);
  }
}
