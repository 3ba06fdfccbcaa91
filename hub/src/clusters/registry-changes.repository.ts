import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { ActiveCluster } from './clusters.repository.ts';

/** A cluster that may have changed; without facts it is not active any more. */
export interface ChangedCluster {
  id: string;
  cluster: ActiveCluster | undefined;
}

/** SQL over `cluster_changes`; migration 0007 says how its numbers are read. */
@Injectable()
export class RegistryChangesRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  /** Where to read on from after a read that begins now. */
  async position(): Promise<string> {
    const { rows } = await sql<{ at: string }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as at`.execute(this.#db);
    return rows[0]!.at;
  }

  /** What may have changed since a position, at most `limit` clusters in name order, and where to read on. */
  async since(position: string, limit: number): Promise<{ at: string; changed: ChangedCluster[] }> {
    const { rows } = await sql<{ at: string; cluster_id: string | null } & Partial<ActiveCluster>>`
      with changed as (
        select cluster_id from cluster_changes
        where changed >= ${position}::xid8 and changed < pg_snapshot_xmax(pg_current_snapshot()) limit ${limit}
      )
      select pg_snapshot_xmin(pg_current_snapshot())::text as at, changed.cluster_id,
        c.id, c.name, c.server, c.labels, c.annotations, c.local, c.version
      from (select) as one left join changed on true
      left join clusters c on c.id = changed.cluster_id and c.state = 'active'
      order by c.name
    `.execute(this.#db);
    return {
      at: rows[0]!.at,
      changed: rows.flatMap(({ at: _, cluster_id: id, ...cluster }) =>
        id === null ? [] : [{ id, cluster: cluster.id ? (cluster as ActiveCluster) : undefined }],
      ),
    };
  }

  /** Forgets clusters that are gone for a day: nobody reads on from before. */
  async forgetGone(): Promise<void> {
    await sql`delete from cluster_changes where gone_at < now() - interval '1 day'`.execute(this.#db);
  }
}
