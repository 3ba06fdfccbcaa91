import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { RolloutPoliciesTable, Schema, Trx } from '../store/schema.ts';
import type { Owner } from '../releases/owner.ts';

export type PolicyRow = Selectable<RolloutPoliciesTable>;

/** The row of an ApplicationSet or an Application, as far as rollouts look at it. */
export interface OwnerRow {
  namespace: string;
  name: string;
  project: string;
  manifest_sealed: Buffer;
}

/** SQL over `rollout_policies`, and over what they are for. */
@Injectable()
export class PoliciesRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  all(db: Kysely<Schema> = this.db): Promise<PolicyRow[]> {
    return db.selectFrom('rollout_policies').selectAll().orderBy('name').execute();
  }

  find(name: string, db: Kysely<Schema> = this.db): Promise<PolicyRow | undefined> {
    return db.selectFrom('rollout_policies').selectAll().where('name', '=', name).executeTakeFirst();
  }

  async write(trx: Trx, name: string, manifest: unknown, by: string): Promise<void> {
    await sql`
      insert into rollout_policies (name, manifest, updated_by) values (${name}, ${JSON.stringify(manifest)}::jsonb, ${by})
      on conflict (name) do update set manifest = excluded.manifest, version = rollout_policies.version + 1,
        updated_at = now(), updated_by = excluded.updated_by
    `.execute(trx);
  }

  /** False: there was none. */
  async remove(trx: Trx, name: string): Promise<boolean> {
    const { numDeletedRows } = await trx
      .deleteFrom('rollout_policies')
      .where('name', '=', name)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  owner(db: Kysely<Schema>, { kind, id }: Owner): Promise<OwnerRow | undefined> {
    const columns = ['namespace', 'name', 'project', 'manifest_sealed'] as const;
    if (kind === 'set')
      return db.selectFrom('application_sets').select(columns).where('id', '=', id).executeTakeFirst();
    return db.selectFrom('applications').select(columns).where('id', '=', id).executeTakeFirst();
  }

  /** All sets that are not being deleted. */
  sets(db: Kysely<Schema>): Promise<OwnerRow[]> {
    return db
      .selectFrom('application_sets')
      .select(['namespace', 'name', 'project', 'manifest_sealed'])
      .where('deleting_at', 'is', null)
      .orderBy('namespace')
      .orderBy('name')
      .execute();
  }

  /** Owners for which no rollout could begin. */
  async troubled(db: Kysely<Schema>): Promise<Owner[]> {
    const { rows } = await sql<Owner>`
      select case when exists (select from application_sets where id = owner_id) then 'set' else 'application' end as kind,
        owner_id as id from rollout_problems
    `.execute(db);
    return rows;
  }
}
