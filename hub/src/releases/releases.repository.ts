import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { Target } from './targets.ts';
import { DATABASE } from '../store/database.ts';
import type { Schema, Trx } from '../store/schema.ts';
import type { Owner } from './owner.ts';

export interface NewRelease {
  owner: Owner;
  cause: string;
  commit: string | null;
  message: string | null;
  author: string | null;
}

@Injectable()
export class ReleasesRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Writes a release with all its targets; answers its id and number. The caller holds the owner's row. */
  async insert(
    trx: Trx,
    release: NewRelease,
    targets: readonly Target[],
  ): Promise<{ id: string; number: bigint }> {
    const { rows } = await sql<{ id: string; number: bigint }>`
      insert into releases (owner_kind, owner_id, number, cause, commit, message, author)
      select ${release.owner.kind}, ${release.owner.id}::uuid,
        coalesce((select max(number) from releases where owner_id = ${release.owner.id}), 0) + 1,
        ${release.cause}, ${release.commit}, ${release.message}, ${release.author}
      returning id, number
    `.execute(trx);
    const { id } = rows[0]!;
    const column = <K extends keyof Target>(name: K) => targets.map((target) => target[name]);
    await sql`
      insert into release_targets (release_id, application_id, application_namespace, application_name, cluster_id,
        assignment_digest, bundle_digest, commit, commits, removed_action)
      select ${id}::uuid, * from unnest(${column('applicationId')}::uuid[], ${column('namespace')}::text[], ${column('name')}::text[],
        ${column('clusterId')}::uuid[], ${column('digest')}::text[], ${column('bundleDigest')}::text[],
        ${column('commit')}::text[], ${targets.map((target) => target.commits && JSON.stringify(target.commits))}::jsonb[],
        ${column('removed')}::text[])
    `.execute(trx);
    return rows[0]!;
  }

  /** Keeps assignment contents by digest. */
  async storeContents(trx: Trx, contents: ReadonlyMap<string, Buffer>): Promise<void> {
    if (contents.size === 0) return;
    await sql`
      insert into assignment_contents (digest, content)
      select * from unnest(${[...contents.keys()]}::text[], ${[...contents.values()]}::bytea[])
      on conflict (digest) do nothing
    `.execute(trx);
  }

  /** Notes what leaves, for the deletion budget and for restore. */
  async depart(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    if (applicationIds.length === 0) return;
    await sql`
      insert into departed_applications (id, namespace, name, set_id, set_name, project, cluster_id, manifest_sealed,
        assignment_digest, bundle_digest, render_key, commit, commits, action, counted)
      select a.id, a.namespace, a.name, a.set_id, s.namespace || '/' || s.name, a.project, a.cluster_id, a.manifest_sealed,
        g.assignment_digest, coalesce(g.bundle_digest, a.bundle_digest), a.render_key, a.commit, a.commits, coalesce(a.leaving_action, 'orphan'), a.leaving_counted
      from applications a
      left join application_sets s on s.id = a.set_id
      left join assignments g on g.cluster_id = a.cluster_id and g.application_id = a.id and g.action = 'apply'
      where a.id = any(${applicationIds}::uuid[])
      on conflict (id) do nothing
    `.execute(trx);
  }

  /** Releases that an Application was part of, newest first. */
  async history(applicationId: string, limit: number) {
    return this.db
      .selectFrom('release_targets as t')
      .innerJoin('releases as r', 'r.id', 't.release_id')
      .select([
        'r.id',
        'r.number',
        'r.cause',
        'r.message',
        'r.author',
        'r.created_at',
        't.commit',
        't.commits',
        't.bundle_digest',
        't.removed_action',
        't.assignment_digest',
      ])
      .where('t.application_id', '=', applicationId)
      .orderBy('r.created_at', 'desc')
      .limit(limit)
      .execute();
  }
}
