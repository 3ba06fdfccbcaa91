import type { Rollout } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { Owner } from '../../releases/owner.ts';
import { DATABASE } from '../../store/database.ts';
import type { Schema, Trx } from '../../store/schema.ts';
import type { RolledOut } from './missing-approval.ts';
import type { Content, TargetIds } from '../../releases/targets.ts';

/** A pin as it is kept. */
export interface PinRow {
  by: string;
  reason: string;
  since: Date;
  until: Date | null;
  release: { id: string; number: number; cause: string } | null;
}

/** A pin whose time is over. */
export interface ExpiredPin extends TargetIds {
  owner: Owner;
  namespace: string;
  name: string;
  project: string;
}

interface ContentRow {
  release_id: string | null;
  digest: string;
  bundle_digest: string | null;
  commit: string | null;
  commits: string[] | null;
}

/** SQL over `target_pins`, and over the holds that they keep. The caller holds the owner. */
@Injectable()
export class PinsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** What a target is assigned now; undefined: nothing, or its removal. */
  async current(trx: Trx, { applicationId, clusterId }: TargetIds): Promise<Content | undefined> {
    const { rows } = await sql<ContentRow>`
      select g.release_id, g.assignment_digest as digest, g.bundle_digest, coalesce(h.commit, t.commit) as commit,
        coalesce(h.commits, t.commits) as commits
      from assignments g
      left join target_holds h on h.application_id = g.application_id and h.cluster_id = g.cluster_id
        and h.assignment_digest = g.assignment_digest
      left join release_targets t on t.release_id = g.release_id and t.application_id = g.application_id
        and t.cluster_id = g.cluster_id and t.assignment_digest = g.assignment_digest
      where g.application_id = ${applicationId} and g.cluster_id = ${clusterId} and g.action = 'apply'
        and g.assignment_digest is not null
    `.execute(trx);
    return contentOf(rows[0]);
  }

  /** The rollouts that gave a release out, the newest first, with the stage of a target in each. */
  async rolloutsTo(trx: Trx, releaseId: string, target: TargetIds): Promise<RolledOut[]> {
    const { rows } = await sql<{ state: unknown; stage: number | null }>`
      select r.state, (select t.stage from rollout_targets t where t.rollout_id = r.id
        and t.application_id = ${target.applicationId} and t.cluster_id = ${target.clusterId} limit 1) as stage
      from rollouts r where r.to_release = ${releaseId} and r.kind = 'release' order by r.created_at desc, r.id desc
    `.execute(trx);
    return rows.map(({ state, stage }) => ({ rollout: state as Rollout, stage }));
  }

  /** What a release of an owner says of a target; undefined: there is no such release any more, or it was not in it. */
  async ofRelease(
    trx: Trx,
    ownerId: string,
    number: number,
    { applicationId, clusterId }: TargetIds,
  ): Promise<Content | undefined> {
    const { rows } = await sql<ContentRow>`
      select r.id as release_id, t.assignment_digest as digest, t.bundle_digest, t.commit, t.commits
      from releases r join release_targets t on t.release_id = r.id
      where r.owner_id = ${ownerId} and r.number = ${number} and t.application_id = ${applicationId}
        and t.cluster_id = ${clusterId} and t.assignment_digest is not null
    `.execute(trx);
    return contentOf(rows[0]);
  }

  /** What the newest release of an owner says of a target. */
  async newest(trx: Trx, ownerId: string, ids: TargetIds): Promise<{ digest: string | null } | undefined> {
    const { rows } = await sql<{ digest: string | null }>`
      select t.assignment_digest as digest
      from (select id from releases where owner_id = ${ownerId} order by number desc limit 1) r
      join release_targets t on t.release_id = r.id
      where t.application_id = ${ids.applicationId} and t.cluster_id = ${ids.clusterId}
    `.execute(trx);
    return rows[0];
  }

  async find(db: Kysely<Schema>, { applicationId, clusterId }: TargetIds): Promise<PinRow | undefined> {
    const row = await db
      .selectFrom('target_pins as p')
      .innerJoin('target_holds as h', (join) =>
        join.onRef('h.application_id', '=', 'p.application_id').onRef('h.cluster_id', '=', 'p.cluster_id'),
      )
      .leftJoin('releases as r', 'r.id', 'h.release_id')
      .select(['p.pinned_by', 'p.reason', 'p.pinned_at', 'p.expires_at', 'r.id', 'r.number', 'r.cause'])
      .where('p.application_id', '=', applicationId)
      .where('p.cluster_id', '=', clusterId)
      .executeTakeFirst();
    if (!row) return undefined;
    const { pinned_by: by, reason, pinned_at: since, expires_at: until, id, number, cause } = row;
    const release = id === null ? null : { id, number: Number(number), cause: cause! };
    return { by, reason, since, until, release };
  }

  /** Has a target hold content whatever comes; an earlier pin of it is written over. */
  async pin(
    trx: Trx,
    { applicationId, clusterId }: TargetIds,
    content: Content,
    by: { name: string; reason: string; forSeconds: number | null },
  ): Promise<void> {
    const { releaseId, digest, bundleDigest, commit, commits } = content;
    await sql`
      insert into target_holds (application_id, cluster_id, release_id, assignment_digest, bundle_digest, commit, commits, reason)
      values (${applicationId}, ${clusterId}, ${releaseId}, ${digest}, ${bundleDigest}, ${commit},
        ${commits && JSON.stringify(commits)}::jsonb, ${`pinned by ${by.name}: ${by.reason}`})
      on conflict (application_id, cluster_id) do update set release_id = excluded.release_id,
        assignment_digest = excluded.assignment_digest, bundle_digest = excluded.bundle_digest, commit = excluded.commit,
        commits = excluded.commits, rollout_id = null, reason = excluded.reason, despite_windows = false, held_at = now()
    `.execute(trx);
    await sql`
      insert into target_pins (application_id, cluster_id, pinned_by, reason, expires_at)
      values (${applicationId}, ${clusterId}, ${by.name}, ${by.reason}, now() + make_interval(secs => ${by.forSeconds}))
      on conflict (application_id, cluster_id) do update set pinned_by = excluded.pinned_by, reason = excluded.reason,
        pinned_at = now(), expires_at = excluded.expires_at
    `.execute(trx);
  }

  /** Lets go of a target: its hold stays as it is. Answers what it held; undefined: it was not pinned. */
  async unpin(trx: Trx, { applicationId, clusterId }: TargetIds): Promise<{ digest: string } | undefined> {
    const { rows } = await sql<{ digest: string }>`
      with gone as (delete from target_pins where application_id = ${applicationId} and cluster_id = ${clusterId}
        returning application_id, cluster_id)
      select h.assignment_digest as digest from gone join target_holds h using (application_id, cluster_id)
    `.execute(trx);
    return rows[0];
  }

  /** Says whom a target waits for that is pinned no longer. */
  async heldBy(
    trx: Trx,
    { applicationId, clusterId }: TargetIds,
    rolloutId: string | null,
    reason: string,
  ): Promise<void> {
    await sql`
      update target_holds set rollout_id = ${rolloutId}, reason = ${reason}, held_at = now()
      where application_id = ${applicationId} and cluster_id = ${clusterId}
    `.execute(trx);
  }

  /** What holds others of an owner back that nobody pinned; undefined: nothing. */
  async othersHeld(
    trx: Trx,
    owner: Owner,
    { applicationId, clusterId }: TargetIds,
  ): Promise<{ rolloutId: string | null; reason: string } | undefined> {
    const { rows } = await sql<{ rollout_id: string | null; reason: string }>`
      select h.rollout_id, h.reason from applications a join target_holds h on h.application_id = a.id
      where ${owner.kind === 'set' ? sql`a.set_id` : sql`a.id`} = ${owner.id}
        and (h.application_id, h.cluster_id) <> (${applicationId}::uuid, ${clusterId}::uuid)
        and not exists (select from target_pins p where p.application_id = h.application_id and p.cluster_id = h.cluster_id)
      order by h.rollout_id nulls last limit 1
    `.execute(trx);
    return rows[0] && { rolloutId: rows[0].rollout_id, reason: rows[0].reason };
  }

  /** Open rollouts that a target takes part in. */
  async rolloutsOf(trx: Trx, { applicationId, clusterId }: TargetIds): Promise<string[]> {
    const rows = await trx
      .selectFrom('rollout_targets')
      .select('rollout_id')
      .where('live', '=', true)
      .where('application_id', '=', applicationId)
      .where('cluster_id', '=', clusterId)
      .where('state', '<>', 'gone')
      .execute();
    return rows.map((row) => row.rollout_id);
  }

  async expired(): Promise<ExpiredPin[]> {
    const { rows } = await sql<{
      application_id: string;
      cluster_id: string;
      set_id: string | null;
      namespace: string;
      name: string;
      project: string;
    }>`
      select p.application_id, p.cluster_id, a.set_id, a.namespace, a.name, a.project
      from target_pins p join applications a on a.id = p.application_id
      where p.expires_at <= now() order by p.expires_at limit 1000
    `.execute(this.db);
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      owner: row.set_id ? { kind: 'set', id: row.set_id } : { kind: 'application', id: row.application_id },
      namespace: row.namespace,
      name: row.name,
      project: row.project,
    }));
  }
}

function contentOf(row: ContentRow | undefined): Content | undefined {
  if (!row) return undefined;
  const { release_id: releaseId, digest, bundle_digest: bundleDigest, commit, commits } = row;
  return { releaseId, digest, bundleDigest, commit, commits };
}
