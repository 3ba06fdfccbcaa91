import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { NewRow, Row, Trx } from '../store/schema.ts';

/** A statement has at most 65,535 parameters. */
const ROWS_A_STATEMENT = 1000;

/** SQL over `commands`. */
@Injectable()
export class CommandsRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  /** Ids made by the database, so that they are in the order of issue. */
  async newIds(trx: Trx, count: number): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select uuidv7() as id from generate_series(1, ${count}::int)
    `.execute(trx);
    return rows.map(({ id }) => id);
  }

  /** What the agents of clusters last said they accept; those that are absent accept everything. */
  async accepted(
    db: Trx | undefined,
    clusterIds: readonly string[],
  ): Promise<Map<string, ReadonlySet<string>>> {
    const rows = await (db ?? this.#db)
      .selectFrom('clusters')
      .select(['id', sql<string[] | null>`facts #> '{limits,verbs}'`.as('verbs')])
      .where(sql<boolean>`id = any(${clusterIds}::uuid[])`)
      .execute();
    return new Map(rows.flatMap(({ id, verbs }) => (verbs?.length ? [[id, new Set(verbs)]] : [])));
  }

  async insert(trx: Trx, rows: readonly NewRow<'commands'>[]): Promise<void> {
    for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT)
      await trx
        .insertInto('commands')
        .values(rows.slice(at, at + ROWS_A_STATEMENT))
        .execute();
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
