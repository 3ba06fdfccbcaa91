import type { EnvironmentOwner } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import { IS_CONNECTED } from '../store/lease.ts';
import type { Schema } from '../store/schema.ts';

/** What is known of the newest release of an environment. */
export interface StandingFacts {
  releaseId: string;
  number: number;
  cause: string;
  message: string | null;
  /** Applications in their clusters. */
  targets: number;
  /** Proven good at this release, and held at no other. */
  proven: number;
  healthy: number;
  /** When the last of them was proven. */
  provenAt: Date | null;
  /** Of the repository, each once. */
  commits: string[];
  /** Targets that have no commit of the repository. */
  foreign: number;
  /** Some that are not proven, or not healthy: `name (cluster)`. */
  behind: string[];
  /** Of its rollout; null: there was none. */
  phase: string | null;
}

/** Reads how far releases have come. */
@Injectable()
export class StandingsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** The owner's id, and the Application where it is not all of the owner's; undefined: there is none. */
  async owner({
    kind,
    namespace,
    name,
  }: EnvironmentOwner): Promise<{ ownerId: string; applicationId: string | null } | undefined> {
    if (kind === 'ApplicationSet') {
      const row = await this.db
        .selectFrom('application_sets')
        .select('id')
        .where('namespace', '=', namespace)
        .where('name', '=', name)
        .executeTakeFirst();
      return row && { ownerId: row.id, applicationId: null };
    }
    const row = await this.db
      .selectFrom('applications')
      .select(['id', 'set_id'])
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .executeTakeFirst();
    return row && { ownerId: row.set_id ?? row.id, applicationId: row.id };
  }

  /** Undefined: it has no release. */
  async facts(
    ownerId: string,
    applicationId: string | null,
    repositoryId: string,
  ): Promise<StandingFacts | undefined> {
    const { rows } = await sql<{
      id: string;
      number: bigint;
      cause: string;
      message: string | null;
      targets: number;
      proven: number;
      healthy: number;
      proven_at: Date | null;
      commits: string[] | null;
      foreign: number;
      behind: string[] | null;
      phase: string | null;
    }>`
      with newest as (select * from releases where owner_id = ${ownerId} order by number desc limit 1),
      target as (
        select t.application_name || ' (' || c.name || ')' as name, p.proven_at,
          h.application_id is null and p.assignment_digest is not distinct from t.assignment_digest as proven,
          coalesce(s.health = 'Healthy', false) and coalesce(${IS_CONNECTED}, false) as healthy,
          case when src.position = 0 then coalesce(t.commits ->> 0, t.commit) else t.commits ->> src.position end as commit
        from newest r
        join release_targets t on t.release_id = r.id and t.assignment_digest is not null
          and ${applicationId === null ? sql`true` : sql`t.application_id = ${applicationId}::uuid`}
        join clusters c on c.id = t.cluster_id
        left join target_holds h on h.application_id = t.application_id and h.cluster_id = t.cluster_id
        left join target_proofs p on p.application_id = t.application_id and p.cluster_id = t.cluster_id
        left join target_status s on s.cluster_id = t.cluster_id and s.application_namespace = t.application_namespace
          and s.application_name = t.application_name
        left join lateral (
          select min(position) as position from application_sources
          where application_id = t.application_id and repository_id = ${repositoryId}
        ) as src on true
      )
      select r.id, r.number, r.cause, r.message,
        count(target)::int as targets,
        count(*) filter (where proven)::int as proven,
        count(*) filter (where healthy)::int as healthy,
        count(*) filter (where target is not null and target.commit is null)::int as "foreign",
        max(proven_at) as proven_at,
        array_agg(distinct target.commit) filter (where target.commit is not null) as commits,
        (array_agg(name order by name) filter (where not (proven and healthy)))[1:3] as behind,
        (select phase from rollouts where owner_id = ${ownerId} and (ended_at is null or to_release = r.id)
          order by ended_at is null desc, created_at desc limit 1) as phase
      from newest r left join target on true
      group by r.id, r.number, r.cause, r.message
    `.execute(this.db);
    const [row] = rows;
    return (
      row && {
        releaseId: row.id,
        number: Number(row.number),
        cause: row.cause,
        message: row.message,
        targets: row.targets,
        proven: row.proven,
        healthy: row.healthy,
        provenAt: row.proven_at,
        commits: row.commits ?? [],
        foreign: row.foreign,
        behind: row.behind ?? [],
        phase: row.phase,
      }
    );
  }

  async message(releaseId: string): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('releases')
      .select('message')
      .where('id', '=', releaseId)
      .executeTakeFirst();
    return row?.message ?? undefined;
  }

  /** The bundles of an owner's newest release. */
  async bundles(ownerId: string, applicationId: string | null): Promise<string[]> {
    const { rows } = await sql<{ bundle_digest: string }>`
      select distinct bundle_digest from release_targets where bundle_digest is not null
        and release_id = (select id from releases where owner_id = ${ownerId} order by number desc limit 1)
        and ${applicationId === null ? sql`true` : sql`application_id = ${applicationId}::uuid`}
      limit 1000
    `.execute(this.db);
    return rows.map((row) => row.bundle_digest);
  }
}
