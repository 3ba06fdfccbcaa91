import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { Owner } from '../releases/owner.ts';
import { DATABASE } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import type { SideTarget } from './sides.ts';

/** What is called so: an owner, or one Application of it. */
export interface NamedOwner {
  owner: Owner;
  /** `namespace/name` of the ApplicationSet, or of the Application. */
  ownerName: string;
  project: string;
  /** Only this Application of it. */
  applicationId: string | undefined;
}

export interface ReleaseRow {
  id: string;
  number: bigint;
  cause: string;
  commit: string | null;
  message: string | null;
  author: string | null;
  created_at: Date;
  targets: number;
  clusters: number;
  assigned: number;
  removed: number;
}

interface TargetRow {
  application_id: string;
  cluster_id: string;
  namespace: string;
  name: string;
  project: string;
  cluster: string;
  release: bigint | null;
  bundle: string | null;
  commits: string[];
  removed: 'orphan' | 'uninstall' | null;
}

/** A source of an Application that is a Git repository. */
export interface GitSource {
  applicationId: string;
  position: number;
  repositoryId: string;
  url: string;
}

/** Reads of releases and of what targets hold. */
@Injectable()
export class ComparisonsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** An ApplicationSet comes before an Application that is called like it. */
  async named(namespace: string, name: string): Promise<NamedOwner | undefined> {
    const { rows } = await sql<{
      kind: 'set' | 'application';
      id: string;
      owner_name: string;
      project: string;
      application_id: string | null;
    }>`
      select 'set' as kind, id, namespace || '/' || name as owner_name, project, null as application_id, 0 as rank
      from application_sets where namespace = ${namespace} and name = ${name}
      union all
      select case when a.set_id is null then 'application' else 'set' end, coalesce(a.set_id, a.id),
        coalesce(s.namespace || '/' || s.name, a.namespace || '/' || a.name), a.project, a.id, 1
      from applications a left join application_sets s on s.id = a.set_id
      where a.namespace = ${namespace} and a.name = ${name}
      order by rank limit 1
    `.execute(this.db);
    const [row] = rows;
    return (
      row && {
        owner: { kind: row.kind, id: row.id },
        ownerName: row.owner_name,
        project: row.project,
        applicationId: row.application_id ?? undefined,
      }
    );
  }

  /** Newest first, of numbers below `before`; with counts over targets in these projects. */
  async releases(
    { owner, applicationId }: NamedOwner,
    projects: '*' | string[],
    limit: number,
    before: number | undefined,
    only?: number,
  ): Promise<ReleaseRow[]> {
    const { rows } = await sql<ReleaseRow>`
      select r.id, r.number, r.cause, r.commit, r.message, r.author, r.created_at, t.*
      from (
        select * from releases where owner_id = ${owner.id} and number < ${before ?? Number.MAX_SAFE_INTEGER}
          and ${only === undefined ? sql`true` : sql`number = ${only}`}
        order by number desc limit ${limit}
      ) as r
      cross join lateral (
        select count(*) filter (where t.assignment_digest is not null)::int as targets,
          count(distinct t.cluster_id) filter (where t.assignment_digest is not null)::int as clusters,
          count(*) filter (where t.removed_action is not null)::int as removed,
          count(g.release_id)::int as assigned
        from release_targets t
        left join applications a on a.id = t.application_id
        left join departed_applications d on d.id = t.application_id
        left join assignments g on g.release_id = r.id and g.cluster_id = t.cluster_id and g.application_id = t.application_id and g.action = 'apply'
        where t.release_id = r.id and ${applicationId === undefined ? sql`true` : sql`t.application_id = ${applicationId}::uuid`}
          and ${inProjects(projects)}
      ) as t order by r.number desc
    `.execute(this.db);
    return rows;
  }

  /** What a release says of its targets. */
  async targetsOf(
    releaseId: string,
    { project, applicationId }: NamedOwner,
    projects: '*' | string[],
    cluster: string | undefined,
  ): Promise<SideTarget[]> {
    return this.#targets(
      sql`t.release_id = ${releaseId}`,
      sql`r.number, t.bundle_digest as bundle, coalesce(t.commits, case when t.commit is null then '[]' else jsonb_build_array(t.commit) end) as commits`,
      sql``,
      { project, applicationId, projects, cluster },
    );
  }

  /** What targets hold now: what they are held at, else what the newest release says. */
  async targetsNow(
    { owner, project, applicationId }: NamedOwner,
    projects: '*' | string[],
    cluster: string | undefined,
  ): Promise<SideTarget[]> {
    return this.#targets(
      sql`t.release_id = (select id from releases where owner_id = ${owner.id} order by number desc limit 1)`,
      sql`case when h.application_id is null then r.number else hr.number end as number,
        case when h.application_id is null then t.bundle_digest else h.bundle_digest end as bundle,
        case when h.application_id is null then coalesce(t.commits, case when t.commit is null then '[]' else jsonb_build_array(t.commit) end)
          else coalesce(h.commits, case when h.commit is null then '[]' else jsonb_build_array(h.commit) end) end as commits`,
      sql`left join target_holds h on h.application_id = t.application_id and h.cluster_id = t.cluster_id and t.assignment_digest is not null
        left join releases hr on hr.id = h.release_id`,
      { project, applicationId, projects, cluster },
    );
  }

  async #targets(
    which: ReturnType<typeof sql>,
    what: ReturnType<typeof sql>,
    joined: ReturnType<typeof sql>,
    of: {
      project: string;
      applicationId: string | undefined;
      projects: '*' | string[];
      cluster: string | undefined;
    },
  ): Promise<SideTarget[]> {
    const { rows } = await sql<TargetRow & { number: bigint | null }>`
      select t.application_id, t.cluster_id, t.application_namespace as namespace, t.application_name as name,
        coalesce(a.project, d.project, ${of.project}) as project, coalesce(c.name, t.cluster_id::text) as cluster,
        t.removed_action as removed, ${what}
      from release_targets t
      join releases r on r.id = t.release_id
      ${joined}
      left join applications a on a.id = t.application_id
      left join departed_applications d on d.id = t.application_id
      left join clusters c on c.id = t.cluster_id
      where ${which} and ${inProjects(of.projects)}
        and ${of.applicationId === undefined ? sql`true` : sql`t.application_id = ${of.applicationId}::uuid`}
        and ${of.cluster === undefined ? sql`true` : sql`c.name = ${of.cluster}`}
      order by t.application_namespace, t.application_name, cluster
    `.execute(this.db);
    return rows.map((row) => ({
      applicationId: row.application_id,
      clusterId: row.cluster_id,
      namespace: row.namespace,
      name: row.name,
      project: row.project,
      cluster: row.cluster,
      release: row.number === null ? undefined : Number(row.number),
      bundle: row.bundle ?? undefined,
      commits: row.commits,
      ...(row.removed ? { removed: row.removed } : {}),
    }));
  }

  /** The Git repositories that Applications are read from. */
  async gitSources(applicationIds: readonly string[]): Promise<GitSource[]> {
    if (applicationIds.length === 0) return [];
    const { rows } = await sql<{
      application_id: string;
      position: number;
      repository_id: string;
      url: string;
    }>`
      select s.application_id, s.position, s.repository_id, r.display_url as url
      from application_sources s join repositories r on r.id = s.repository_id
      where r.kind = 'git' and s.application_id = any(${applicationIds}::uuid[])
    `.execute(this.db);
    return rows.map((row) => ({
      applicationId: row.application_id,
      position: row.position,
      repositoryId: row.repository_id,
      url: row.url,
    }));
  }
}

function inProjects(projects: '*' | string[]) {
  return projects === '*'
    ? sql<boolean>`true`
    : sql<boolean>`coalesce(a.project, d.project) = any(${projects}::text[])`;
}
