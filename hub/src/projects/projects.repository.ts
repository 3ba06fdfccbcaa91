import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { ProjectsTable, Schema, Trx } from '../store/schema.ts';

export type ProjectRow = Selectable<ProjectsTable>;

@Injectable()
export class ProjectsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  all(db: Kysely<Schema> = this.db): Promise<ProjectRow[]> {
    return db.selectFrom('projects').selectAll().orderBy('name').execute();
  }

  byName(name: string, db: Kysely<Schema> = this.db): Promise<ProjectRow | undefined> {
    return db.selectFrom('projects').selectAll().where('name', '=', name).executeTakeFirst();
  }

  async counts(): Promise<Map<string, number>> {
    const rows = await this.db
      .selectFrom('applications')
      .select(['project', sql<number>`count(*)::int`.as('count')])
      .groupBy('project')
      .execute();
    return new Map(rows.map((row) => [row.project, row.count]));
  }

  async ensure(name: string, manifest: unknown): Promise<void> {
    await this.db
      .insertInto('projects')
      .values({ name, manifest: JSON.stringify(manifest) })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }

  async write(trx: Trx, name: string, manifest: unknown): Promise<void> {
    const text = JSON.stringify(manifest);
    await sql`
      insert into projects (name, manifest) values (${name}, ${text}::jsonb)
      on conflict (name) do update set manifest = excluded.manifest, version = projects.version + 1, updated_at = now()
    `.execute(trx);
  }

  /** False: something still belongs to it. */
  async remove(trx: Trx, name: string): Promise<boolean> {
    const { numAffectedRows } = await sql`
      delete from projects where name = ${name} and not exists (select from applications where project = ${name})
        and not exists (select from application_sets where project = ${name})
    `.execute(trx);
    return (numAffectedRows ?? 0n) > 0n;
  }
}
