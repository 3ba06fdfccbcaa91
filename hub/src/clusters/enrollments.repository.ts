import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { NewRow, Row, Trx } from '../store/schema.ts';

export type EnrollmentRow = Row<'enrollments'>;

/** SQL over `enrollments`. */
@Injectable()
export class EnrollmentsRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }

  find(id: string): Promise<EnrollmentRow | undefined> {
    return this.#db.selectFrom('enrollments').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** The same key with the same token: a repeated request, not another use. */
  findRepeated(trx: Trx, tokenId: string, publicKeyHash: Buffer): Promise<EnrollmentRow | undefined> {
    return trx
      .selectFrom('enrollments')
      .selectAll()
      .where('token_id', '=', tokenId)
      .where('public_key_hash', '=', publicKeyHash)
      .executeTakeFirst();
  }

  insert(trx: Trx, row: NewRow<'enrollments'>): Promise<EnrollmentRow> {
    return trx.insertInto('enrollments').values(row).returningAll().executeTakeFirstOrThrow();
  }

  /** The newest that waits, of each of these clusters. */
  waiting(clusterIds: string[]): Promise<EnrollmentRow[]> {
    if (clusterIds.length === 0) return Promise.resolve([]);
    return this.#db
      .selectFrom('enrollments')
      .distinctOn('cluster_id')
      .selectAll()
      .where('cluster_id', '=', sql<string>`any(${clusterIds}::uuid[])`)
      .where('state', '=', 'pending')
      .orderBy('cluster_id')
      .orderBy('id', 'desc')
      .execute();
  }

  newestWaiting(trx: Trx, clusterId: string): Promise<EnrollmentRow | undefined> {
    return trx
      .selectFrom('enrollments')
      .selectAll()
      .where('cluster_id', '=', clusterId)
      .where('state', '=', 'pending')
      .orderBy('id', 'desc')
      .executeTakeFirst();
  }

  /** Approves one, and refuses everything else that waits or could still fetch a certificate for the cluster. */
  async approveOnly(trx: Trx, clusterId: string, id: string): Promise<void> {
    await this.refuseAll(trx, clusterId, 'another enrolment of this cluster was approved', id);
    await trx
      .updateTable('enrollments')
      .set({ state: 'approved', message: '', decided_at: sql<Date>`now()` })
      .where('id', '=', id)
      .execute();
  }

  async refuseAll(trx: Trx, clusterId: string, message: string, exceptId?: string): Promise<void> {
    await trx
      .updateTable('enrollments')
      .set({ state: 'refused', message, decided_at: sql<Date>`now()` })
      .where('cluster_id', '=', clusterId)
      .where('state', '!=', 'refused')
      .$if(exceptId !== undefined, (query) => query.where('id', '!=', exceptId!))
      .execute();
  }
}
