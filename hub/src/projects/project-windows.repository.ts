import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { TargetIds } from '../releases/targets.ts';
import { DATABASE } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';

/** A target of a project that has sync windows. */
export interface WindowedTarget extends TargetIds {
  project: string;
  application: { name: string; namespace: string };
  cluster: { name: string; server: string };
}

/** Reads which targets sync windows could hold. */
@Injectable()
export class ProjectWindowsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Those of the targets whose project has any window, and these projects as they were applied, by name. */
  async windowed(
    db: Kysely<Schema>,
    targets: readonly TargetIds[],
  ): Promise<{ targets: WindowedTarget[]; projects: Map<string, Record<string, unknown>> }> {
    if (targets.length === 0) return { targets: [], projects: new Map() };
    const { rows: projects } = await sql<{ name: string; manifest: Record<string, unknown> }>`
      select name, manifest from projects where jsonb_path_exists(manifest, '$.spec.syncWindows[0]')
    `.execute(db);
    if (projects.length === 0) return { targets: [], projects: new Map() };
    const { rows } = await sql<{
      application_id: string;
      cluster_id: string;
      project: string;
      name: string;
      destination_namespace: string;
      cluster: string;
      server: string;
    }>`
      select a.id as application_id, c.id as cluster_id, a.project, a.name, a.destination_namespace, c.name as cluster, c.server
      from unnest(${targets.map((one) => one.applicationId)}::uuid[], ${targets.map((one) => one.clusterId)}::uuid[]) as k (application_id, cluster_id)
      join applications a on a.id = k.application_id
      join clusters c on c.id = k.cluster_id
      where a.project = any(${projects.map(({ name }) => name)}::text[])
    `.execute(db);
    return {
      targets: rows.map((row) => ({
        applicationId: row.application_id,
        clusterId: row.cluster_id,
        project: row.project,
        application: { name: row.name, namespace: row.destination_namespace },
        cluster: { name: row.cluster, server: row.server },
      })),
      projects: new Map(projects.map(({ name, manifest }) => [name, manifest])),
    };
  }
}
