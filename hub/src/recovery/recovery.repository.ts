import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { Row, Trx } from '../store/schema.ts';

/** SQL over `hub_state` and the hub-wide generation sequence. */
@Injectable()
export class RecoveryRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  /** Makes the one row of a new database. A row that is there stays as it is. */
  async ensure(hubId: string): Promise<Row<'hub_state'>> {
    await this.#db
      .insertInto('hub_state')
      .values({ hub_id: hubId })
      .onConflict((c) => c.column('one').doNothing())
      .execute();
    return this.load();
  }

  load(): Promise<Row<'hub_state'>> {
    return this.#db.selectFrom('hub_state').selectAll().executeTakeFirstOrThrow();
  }

  /** Holds the row until the transaction ends: recovery cannot begin while something is being signed. */
  lockShared(trx: Trx): Promise<Row<'hub_state'>> {
    return trx.selectFrom('hub_state').selectAll().forShare().executeTakeFirstOrThrow();
  }

  lock(trx: Trx): Promise<Row<'hub_state'>> {
    return trx.selectFrom('hub_state').selectAll().forUpdate().executeTakeFirstOrThrow();
  }

  /** The newest generation ever handed out here; 0n: none. */
  async lastGeneration(trx?: Trx): Promise<bigint> {
    const found = await sql<{ last: bigint }>`
      select case when is_called then last_value else 0 end as last from assignment_generation`.execute(
      trx ?? this.#db,
    );
    return found.rows[0]!.last;
  }

  async beginRecovery(trx: Trx, reason: string, heard: { epoch: bigint; generation: bigint }): Promise<void> {
    await sql`
      update hub_state set
        recovery_since = coalesce(recovery_since, now()),
        recovery_reason = coalesce(recovery_reason, ${reason}),
        highest_generation_heard = case
          when ${heard.epoch} > highest_epoch_heard then ${heard.generation}::bigint
          when ${heard.epoch} = highest_epoch_heard then greatest(highest_generation_heard, ${heard.generation}::bigint)
          else highest_generation_heard end,
        highest_epoch_heard = greatest(highest_epoch_heard, ${heard.epoch}::bigint)`.execute(trx);
  }

  async endRecovery(trx: Trx, epoch: bigint, actor: string): Promise<void> {
    await trx
      .updateTable('hub_state')
      .set({
        epoch,
        recovery_since: null,
        recovery_reason: null,
        confirmed_at: sql<Date>`now()`,
        confirmed_by: actor,
      })
      .execute();
  }

  /** Keys of the `assign` jobs of everything that owns Applications. */
  async owners(trx: Trx): Promise<string[]> {
    const found = await sql<{ key: string }>`
      select distinct case when set_id is null then 'application:' || id else 'set:' || set_id end as key
      from applications`.execute(trx);
    return found.rows.map((row) => row.key);
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }
}
