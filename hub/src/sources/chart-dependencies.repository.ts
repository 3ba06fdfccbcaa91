import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { Schema, Trx } from '../store/schema.ts';
import type { DependedOn } from './depended-on.ts';

type Depending = { kind: 'set' | 'application'; id: string };

/** What the charts of owners depend on. */
@Injectable()
export class ChartDependenciesRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Follows what is followed by nobody yet, at its pin; answers the repositories of those without one. */
  async follow(trx: Trx, all: readonly DependedOn[]): Promise<string[]> {
    await sql`
      select from repositories where id = any(${[...new Set(all.map((one) => one.repositoryId))]}::uuid[]) order by id for key share
    `.execute(trx);
    const { rows } = await sql<{ repository_id: string }>`
      insert into tracked_revisions as tracked (repository_id, revision, commit, held)
      select distinct on (r, v) r, v, c, h from unnest(${all.map((one) => one.repositoryId)}::uuid[], ${all.map((one) => one.revision)}::text[],
        ${all.map((one) => one.commit ?? null)}::text[], ${all.map((one) => one.held)}::bool[]) as found (r, v, c, h)
      order by r, v
      on conflict (repository_id, revision) do update set commit = excluded.commit, error = null
        where tracked.commit is null and excluded.commit is not null
      returning repository_id
    `.execute(trx);
    return [...new Set(rows.map((row) => row.repository_id))];
  }

  /** Notes what an owner depends on; those of before are forgotten where `all` are known. */
  async depend(trx: Trx, owner: Depending, found: readonly DependedOn[], all: boolean): Promise<void> {
    const repositories = found.map((one) => one.repositoryId);
    const revisions = found.map((one) => one.revision);
    if (all) {
      await sql`
        delete from chart_dependencies as d where owner_kind = ${owner.kind} and owner_id = ${owner.id}
          and not exists (select from unnest(${repositories}::uuid[], ${revisions}::text[]) as found (r, v)
            where found.r = d.repository_id and found.v = d.revision)
      `.execute(trx);
    }
    if (found.length === 0) return;
    await sql`
      insert into chart_dependencies (owner_kind, owner_id, repository_id, revision)
      select distinct ${owner.kind}::text, ${owner.id}::uuid, r, v from unnest(${repositories}::uuid[], ${revisions}::text[]) as found (r, v)
      on conflict do nothing
    `.execute(trx);
  }

  /** Whether some of them are somewhere else by now. */
  async moved(trx: Trx, found: readonly DependedOn[]): Promise<boolean> {
    const { rows } = await sql`
      select from tracked_revisions as tracked join unnest(${found.map((one) => one.repositoryId)}::uuid[],
        ${found.map((one) => one.revision)}::text[], ${found.map((one) => one.commit ?? null)}::text[]) as found (r, v, c)
        on found.r = tracked.repository_id and found.v = tracked.revision
      where tracked.commit is distinct from found.c limit 1
    `.execute(trx);
    return rows.length > 0;
  }
}
