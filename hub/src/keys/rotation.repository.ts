import { Inject, Injectable } from '@nestjs/common';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';

/** Which clusters know which key set, and which keys signed what is assigned. */
@Injectable()
export class RotationRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }

  /** Names of clusters that have not acknowledged a version, in order, at most `limit`. */
  async behind(version: bigint, limit: number): Promise<string[]> {
    const rows = await this.#bound()
      .select('name')
      .where('key_set_version', '<', version)
      .orderBy('name')
      .limit(limit)
      .execute();
    return rows.map((row) => row.name);
  }

  async counts(version: bigint): Promise<{ acknowledged: number; waiting: number }> {
    const row = await this.#bound()
      .select(({ fn }) => [
        fn.countAll<bigint>().filterWhere('key_set_version', '>=', version).as('acknowledged'),
        fn.countAll<bigint>().filterWhere('key_set_version', '<', version).as('waiting'),
      ])
      .executeTakeFirstOrThrow();
    return { acknowledged: Number(row.acknowledged), waiting: Number(row.waiting) };
  }

  /** Keys whose signatures are still being delivered. */
  async keysInUse(): Promise<string[]> {
    const rows = await this.#db.selectFrom('assignments').select('key_id').distinct().execute();
    return rows.map((row) => row.key_id);
  }

  /** Clusters that are sent anything signed. */
  #bound() {
    return this.#db.selectFrom('clusters').where('state', 'in', ['active', 'removing']);
  }
}
