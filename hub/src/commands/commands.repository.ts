import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { NewRow, Row, Trx } from '../store/schema.ts';

/** SQL over `commands`. */
@Injectable()
export class CommandsRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  /** An id made by the database, so that ids are in the order of issue. */
  async newId(trx: Trx): Promise<string> {
    const found = await sql<{ id: string }>`select uuidv7() as id`.execute(trx);
    return found.rows[0]!.id;
  }

  /** What the agent of a cluster last said it accepts; undefined: everything. */
  async accepted(trx: Trx | undefined, clusterId: string): Promise<ReadonlySet<string> | undefined> {
    const row = await (trx ?? this.#db)
      .selectFrom('clusters')
      .select(sql<string[] | null>`facts #> '{limits,verbs}'`.as('verbs'))
      .where('id', '=', clusterId)
      .executeTakeFirst();
    return row?.verbs?.length ? new Set(row.verbs) : undefined;
  }

  async insert(trx: Trx, row: NewRow<'commands'>): Promise<void> {
    await trx.insertInto('commands').values(row).execute();
  }

  find(id: string): Promise<Row<'commands'> | undefined> {
    return this.#db.selectFrom('commands').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async project(namespace: string, name: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('applications')
      .select('project')
      .where('namespace', '=', namespace)
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.project;
  }

  /** Signed, without an outcome, not expired; oldest first. `unsentOnly`: never handed to a session before. */
  open(
    clusterId: string,
    unsentOnly: boolean,
  ): Promise<Pick<Row<'commands'>, 'id' | 'verb' | 'payload' | 'signature' | 'key_id'>[]> {
    return this.#db
      .selectFrom('commands')
      .select(['id', 'verb', 'payload', 'signature', 'key_id'])
      .where('cluster_id', '=', clusterId)
      .where('outcome', 'is', null)
      .where('expires_at', '>', sql<Date>`now()`)
      .$if(unsentOnly, (query) => query.where('sent_at', 'is', null))
      .orderBy('id')
      .limit(1000)
      .execute();
  }

  async markSent(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#db
      .updateTable('commands')
      .set({ sent_at: sql<Date>`now()` })
      .where('id', 'in', ids)
      .where('sent_at', 'is', null)
      .execute();
  }

  /** Records the first outcome, of the cluster's own commands only; undefined when there was one already. */
  finish(
    clusterId: string,
    id: string,
    result: { outcome: NonNullable<Row<'commands'>['outcome']>; message: string; finishedAt: Date },
  ): Promise<Row<'commands'> | undefined> {
    return (
      this.#db
        .updateTable('commands')
        .set({ outcome: result.outcome, message: result.message, finished_at: result.finishedAt })
        .where('id', '=', id)
        .where('cluster_id', '=', clusterId)
        // A late answer is worth more than our own guess that it had expired or was lost.
        .where((where) =>
          where.or([where('outcome', 'is', null), where('outcome', 'in', ['expired', 'unknown'])]),
        )
        .returningAll()
        .executeTakeFirst()
    );
  }

  /**
   * Ends what has passed its expiry: never handed out is `expired`; handed out and unanswered for `graceSeconds`
   * more is `unknown`, because nobody can say what it did.
   */
  sweep(graceSeconds: number): Promise<{ id: string; cluster_id: string }[]> {
    return this.#db
      .updateTable('commands')
      .set({
        outcome: sql<'expired'>`case when sent_at is null then 'expired' else 'unknown' end`,
        message: sql<string>`case when sent_at is null then 'the cluster was not connected before it expired'
          else 'the cluster received it and has not answered' end`,
        finished_at: sql<Date>`now()`,
      })
      .where('outcome', 'is', null)
      .where(
        sql<boolean>`expires_at < now() - make_interval(secs => case when sent_at is null then 0 else ${graceSeconds}::int end)`,
      )
      .returning(['id', 'cluster_id'])
      .execute();
  }

  /** One NOTIFY for each id. */
  async announce(channel: string, ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    await sql`select pg_notify(${channel}, id) from unnest(${ids}::text[]) as id`.execute(this.#db);
  }

  async deleteOlderThan(days: number): Promise<void> {
    await this.#db
      .deleteFrom('commands')
      .where('outcome', 'is not', null)
      .where('created_at', '<', sql<Date>`now() - make_interval(days => ${days}::int)`)
      .execute();
  }
}
