import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { Schema, SystemSettingsTable, Trx } from '../store/schema.ts';

export type SettingsRow = Selectable<SystemSettingsTable>;

@Injectable()
export class SettingsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  get(name: string, db: Kysely<Schema> = this.db): Promise<SettingsRow | undefined> {
    return db.selectFrom('system_settings').selectAll().where('name', '=', name).executeTakeFirst();
  }

  async write(trx: Trx, name: string, manifest: unknown, by: string): Promise<void> {
    const text = JSON.stringify(manifest);
    await sql`
      insert into system_settings (name, manifest, updated_by) values (${name}, ${text}::jsonb, ${by})
      on conflict (name) do update set manifest = excluded.manifest, version = system_settings.version + 1,
        updated_at = now(), updated_by = excluded.updated_by
    `.execute(trx);
  }

  /** False: there was none. */
  async remove(trx: Trx, name: string): Promise<boolean> {
    const { numDeletedRows } = await trx
      .deleteFrom('system_settings')
      .where('name', '=', name)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
