import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { NewRow, Row, Trx } from '../store/schema.ts';

/** SQL over `asks` and `answers`, which no crash needs to survive. */
@Injectable()
export class AsksRepository {
  readonly db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.db = db;
  }

  async insert(trx: Trx, row: Omit<NewRow<'asks'>, 'alive_until'>, aliveSeconds: number): Promise<void> {
    await trx
      .insertInto('asks')
      .values({ ...row, alive_until: after(aliveSeconds) })
      .execute();
  }

  /** Takes what was not handed to a session yet, and somebody waits for; each is taken once. */
  deliver(clusterId: string): Promise<Pick<Row<'asks'>, 'id' | 'payload' | 'signature' | 'key_id'>[]> {
    return this.db
      .updateTable('asks')
      .set({ delivered_at: sql<Date>`now()` })
      .where('cluster_id', '=', clusterId)
      .where('delivered_at', 'is', null)
      .where('alive_until', '>', sql<Date>`now()`)
      .returning(['id', 'payload', 'signature', 'key_id'])
      .execute();
  }

  /** Begins an answer; false when nobody waits for it, it is another cluster's, or it was begun before. */
  async begin(clusterId: string, id: string): Promise<boolean> {
    const row = await this.db
      .updateTable('asks')
      .set({ answered_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('cluster_id', '=', clusterId)
      .where('answered_at', 'is', null)
      .where('alive_until', '>', sql<Date>`now()`)
      .returning('id')
      .executeTakeFirst();
    return row !== undefined;
  }

  /** The ask whose bytes an agent refused. */
  async byPayload(clusterId: string, payloadSha256: Uint8Array): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('asks')
      .select('id')
      .where('cluster_id', '=', clusterId)
      .where('payload_sha256', '=', Buffer.from(payloadSha256))
      .executeTakeFirst();
    return row?.id;
  }

  /** Keeps a piece for the replica that waits; false when nobody waits any more. */
  async keep(askId: string, sequence: number, sealed: Buffer): Promise<boolean> {
    const kept = await sql<{ ask_id: string }>`
      insert into answers (ask_id, sequence, data_sealed)
      select id, ${sequence}::int, ${sealed}::bytea from asks where id = ${askId}::uuid and alive_until > now()
      on conflict do nothing
      returning ask_id`.execute(this.db);
    return kept.rows.length > 0;
  }

  /** Takes the pieces that have come, in order. */
  async take(askId: string): Promise<{ sequence: number; data_sealed: Buffer }[]> {
    const taken = await this.db
      .deleteFrom('answers')
      .where('ask_id', '=', askId)
      .returning(['sequence', 'data_sealed'])
      .execute();
    return taken.sort((a, b) => a.sequence - b.sequence);
  }

  /** Pieces that wait to be taken; undefined when nobody waits any more. */
  async waiting(askId: string): Promise<number | undefined> {
    const row = await this.db
      .selectFrom('asks')
      .select((eb) =>
        eb
          .selectFrom('answers')
          .whereRef('answers.ask_id', '=', 'asks.id')
          .select((of) => of.fn.countAll<bigint>().as('count'))
          .as('count'),
      )
      .where('id', '=', askId)
      .where('alive_until', '>', sql<Date>`now()`)
      .executeTakeFirst();
    return row ? Number(row.count) : undefined;
  }

  async keepAlive(ids: string[], aliveSeconds: number): Promise<void> {
    if (ids.length === 0) return;
    await this.db
      .updateTable('asks')
      .set({ alive_until: after(aliveSeconds) })
      .where('id', 'in', ids)
      .execute();
  }

  async remove(id: string): Promise<void> {
    await this.db.deleteFrom('asks').where('id', '=', id).execute();
  }

  async sweep(): Promise<void> {
    await this.db.deleteFrom('asks').where('alive_until', '<', sql<Date>`now()`).execute();
  }
}

const after = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds}::int)`;
