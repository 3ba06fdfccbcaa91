import { Inject, Injectable } from '@nestjs/common';
import type { Kysely, Selectable } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { DecisionDocumentsTable, Schema, Trx } from '../store/schema.ts';

export type DecisionRow = Selectable<DecisionDocumentsTable>;
export type DecisionPlace = Pick<DecisionRow, 'api_version' | 'resource' | 'name'>;

@Injectable()
export class DecisionsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  all(): Promise<Omit<DecisionRow, 'document_sealed'>[]> {
    return this.db
      .selectFrom('decision_documents')
      .select(['api_version', 'resource', 'name', 'kind', 'document_hash', 'updated_at'])
      .orderBy('api_version')
      .orderBy('resource')
      .orderBy('name')
      .execute();
  }

  /** Those of one resource, by name. */
  of(apiVersion: string, resource: string): Promise<DecisionRow[]> {
    return this.db
      .selectFrom('decision_documents')
      .selectAll()
      .where('api_version', '=', apiVersion)
      .where('resource', '=', resource)
      .orderBy('name')
      .execute();
  }

  at({ api_version, resource, name }: DecisionPlace, db: Kysely<Schema> = this.db) {
    return db
      .selectFrom('decision_documents')
      .selectAll()
      .where('api_version', '=', api_version)
      .where('resource', '=', resource)
      .where('name', '=', name)
      .executeTakeFirst();
  }

  async count(trx: Trx): Promise<number> {
    const { count } = await trx
      .selectFrom('decision_documents')
      .select((each) => each.fn.countAll().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async write(trx: Trx, row: Omit<DecisionRow, 'updated_at'>): Promise<void> {
    const { api_version: _a, resource: _r, name: _n, ...rest } = row;
    await trx
      .insertInto('decision_documents')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['api_version', 'resource', 'name'])
          .doUpdateSet({ ...rest, updated_at: new Date() }),
      )
      .execute();
  }

  async remove(trx: Trx, { api_version, resource, name }: DecisionPlace): Promise<boolean> {
    const { numDeletedRows } = await trx
      .deleteFrom('decision_documents')
      .where('api_version', '=', api_version)
      .where('resource', '=', resource)
      .where('name', '=', name)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
