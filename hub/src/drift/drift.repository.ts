import type { IgnoreRule } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { AcceptedDriftsTable, Schema, Trx } from '../store/schema.ts';

export type AcceptedRow = Selectable<AcceptedDriftsTable>;

@Injectable()
export class DriftRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  of(db: Db, applicationId: string): Promise<AcceptedRow[]> {
    return db
      .selectFrom('accepted_drifts')
      .selectAll()
      .where('application_id', '=', applicationId)
      .orderBy('resource')
      .orderBy('field')
      .execute();
  }

  /** The rules of many Applications, by id; Applications without any are not in it. */
  async rulesOf(db: Db, applicationIds: readonly string[]): Promise<Map<string, IgnoreRule[]>> {
    const { rows } = await sql<{ application_id: string; rules: IgnoreRule[] }>`
      select application_id, jsonb_agg(rule order by resource, field) as rules from accepted_drifts
      where application_id = any(${applicationIds}::uuid[]) group by application_id
    `.execute(db);
    return new Map(rows.map((row) => [row.application_id, row.rules]));
  }

  async accept(
    trx: Trx,
    applicationId: string,
    rules: readonly { resource: string; field: string; rule: IgnoreRule }[],
    by: { actor: string; reason: string | null },
  ): Promise<void> {
    await sql`
      insert into accepted_drifts (application_id, resource, field, rule, accepted_by, reason)
      select ${applicationId}, resource, field, rule::jsonb, ${by.actor}, ${by.reason}
      from unnest(${rules.map((each) => each.resource)}::text[], ${rules.map((each) => each.field)}::text[],
        ${rules.map((each) => JSON.stringify(each.rule))}::text[]) as given (resource, field, rule)
      on conflict (application_id, resource, field) do nothing
    `.execute(trx);
  }

  /** How many were forgotten. */
  async forget(trx: Trx, applicationId: string, resource?: string, field?: string): Promise<number> {
    let query = trx.deleteFrom('accepted_drifts').where('application_id', '=', applicationId);
    if (resource !== undefined) query = query.where('resource', '=', resource);
    if (field !== undefined) query = query.where('field', '=', field);
    return Number((await query.executeTakeFirst()).numDeletedRows);
  }
}
