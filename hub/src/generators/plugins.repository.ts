import { Inject, Injectable } from '@nestjs/common';
import type { Kysely, Selectable } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { PluginsTable, Schema, Trx } from '../store/schema.ts';

export type PluginRow = Selectable<PluginsTable>;

@Injectable()
export class PluginsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  all(): Promise<PluginRow[]> {
    return this.db.selectFrom('plugins').selectAll().orderBy('name').execute();
  }

  byName(name: string, db: Kysely<Schema> = this.db): Promise<PluginRow | undefined> {
    return db.selectFrom('plugins').selectAll().where('name', '=', name).executeTakeFirst();
  }

  async write(trx: Trx, row: Omit<PluginRow, 'created_at' | 'updated_at'>): Promise<PluginRow> {
    const { name: _, ...rest } = row;
    return trx
      .insertInto('plugins')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...rest, updated_at: new Date() }))
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async remove(trx: Trx, name: string): Promise<boolean> {
    const { numDeletedRows } = await trx.deleteFrom('plugins').where('name', '=', name).executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
