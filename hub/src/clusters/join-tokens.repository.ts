import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { NewRow, Row, Trx } from '../store/schema.ts';

/** SQL over `join_tokens`. */
@Injectable()
export class JoinTokensRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }

  /** Newest first; those long past their end are not shown. */
  list(): Promise<Row<'join_tokens'>[]> {
    return this.#db
      .selectFrom('join_tokens')
      .selectAll()
      .where('expires_at', '>', sql<Date>`now() - interval '30 days'`)
      .orderBy('id', 'desc')
      .limit(1000)
      .execute();
  }

  insert(trx: Trx, row: NewRow<'join_tokens'>): Promise<Row<'join_tokens'>> {
    return trx.insertInto('join_tokens').values(row).returningAll().executeTakeFirstOrThrow();
  }

  /** Held until the transaction ends, so that a token's last use is given once. */
  lockByHash(trx: Trx, hash: Buffer): Promise<Row<'join_tokens'> | undefined> {
    return trx
      .selectFrom('join_tokens')
      .selectAll()
      .where('token_hash', '=', hash)
      .forUpdate()
      .executeTakeFirst();
  }

  async use(trx: Trx, id: string): Promise<void> {
    await trx.updateTable('join_tokens').set({ uses: sql<number>`uses + 1` }).where('id', '=', id).execute();
  }

  revoke(trx: Trx, id: string): Promise<Row<'join_tokens'> | undefined> {
    return trx
      .updateTable('join_tokens')
      .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
  }
}
