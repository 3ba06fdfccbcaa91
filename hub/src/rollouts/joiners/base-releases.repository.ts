import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { Content, TargetIds } from '../../releases/targets.ts';

/** What most of a fleet holds while something newer is on its way, or held back. */
export interface BaseRelease {
  id: string;
  /** The commit that it came from. */
  commit: string | null;
  targets: (TargetIds & { content: Content & { digest: string } })[];
}

/** The repository and the revision of each source of an Application, in their order. */
export type FollowedRevisions = { repositoryId: string; revision: string }[];

/** Reads for targets that join while something newer is on its way. */
@Injectable()
export class BaseReleases {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /**
   * The release that an owner's last completed rollout went to, or, where none was completed, the one that its newest came
   * from. Undefined where nothing is on its way or held back: what joins then gets the newest release.
   */
  async of(ownerId: string): Promise<BaseRelease | undefined> {
    const { rows } = await sql<{ id: string; commit: string | null }>`
      select r.id, r.commit from releases r where r.id = coalesce(
        (select to_release from rollouts where owner_id = ${ownerId} and phase = 'completed' order by created_at desc, id desc limit 1),
        (select from_release from rollouts where owner_id = ${ownerId} order by created_at desc, id desc limit 1))
      and (exists (select from rollouts where owner_id = ${ownerId} and ended_at is null)
        or exists (select from target_holds h join applications a on a.id = h.application_id where coalesce(a.set_id, a.id) = ${ownerId}))
    `.execute(this.db);
    const [release] = rows;
    if (!release) return undefined;
    const targets = await this.db
      .selectFrom('release_targets')
      .selectAll()
      .where('release_id', '=', release.id)
      .where('assignment_digest', 'is not', null)
      .execute();
    return {
      ...release,
      targets: targets.map((row) => ({
        applicationId: row.application_id,
        clusterId: row.cluster_id,
        content: {
          releaseId: release.id,
          digest: row.assignment_digest!,
          bundleDigest: row.bundle_digest,
          commit: row.commit,
          commits: row.commits,
        },
      })),
    };
  }

  /** What Applications follow, by id; those of which a source cannot be read are left out. */
  async followed(applicationIds: readonly string[]): Promise<Map<string, FollowedRevisions>> {
    const rows = await this.db
      .selectFrom('application_sources')
      .selectAll()
      .where(sql<boolean>`application_id = any(${applicationIds}::uuid[])`)
      .orderBy('application_id')
      .orderBy('position')
      .execute();
    const out = new Map<string, FollowedRevisions>();
    const unreadable = new Set<string>();
    for (const { application_id: id, repository_id: repositoryId, revision } of rows) {
      if (repositoryId === null) unreadable.add(id);
      else out.set(id, [...(out.get(id) ?? []), { repositoryId, revision }]);
    }
    for (const id of unreadable) out.delete(id);
    return out;
  }
}
