import type { ChangeState, PromotionChange } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, type Selectable, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { PromotionChangesTable, PromotionsTable, RowChange, Schema, Trx } from '../store/schema.ts';

export type PromotionRow = Selectable<PromotionsTable>;
export type ChangeRow = Selectable<PromotionChangesTable>;

const KEPT_CHANGES = 20;

/** SQL over `promotions` and `promotion_changes`. */
@Injectable()
export class PromotionsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  all(db: Kysely<Schema> = this.db): Promise<PromotionRow[]> {
    return db.selectFrom('promotions').selectAll().orderBy('name').execute();
  }

  byName(name: string, db: Kysely<Schema> = this.db): Promise<PromotionRow | undefined> {
    return db.selectFrom('promotions').selectAll().where('name', '=', name).executeTakeFirst();
  }

  find(id: string): Promise<PromotionRow | undefined> {
    return this.db.selectFrom('promotions').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Holds a promotion for the length of the transaction; undefined: it is gone. */
  lock(trx: Trx, id: string): Promise<PromotionRow | undefined> {
    return trx.selectFrom('promotions').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  }

  async write(
    trx: Trx,
    promotion: { name: string; project: string; manifest: unknown; by: string },
  ): Promise<string> {
    const { name, project, manifest, by } = promotion;
    const { rows } = await sql<{ id: string }>`
      insert into promotions (name, project, manifest, updated_by) values (${name}, ${project}, ${JSON.stringify(manifest)}::jsonb, ${by})
      on conflict (name) do update set project = excluded.project, manifest = excluded.manifest, version = promotions.version + 1,
        updated_at = now(), updated_by = excluded.updated_by, look_at = now()
      returning id
    `.execute(trx);
    return rows[0]!.id;
  }

  /** Ends changes of environments that a promotion does not lead to any more. */
  async endOthers(trx: Trx, id: string, environments: readonly string[]): Promise<void> {
    await sql`
      update promotion_changes set state = 'superseded', why = 'the Promotion does not lead there any more', since = now(), ended_at = now()
      where promotion_id = ${id} and ended_at is null and environment <> all(${environments}::text[])
    `.execute(trx);
  }

  async remove(trx: Trx, id: string): Promise<void> {
    await trx.deleteFrom('promotions').where('id', '=', id).execute();
  }

  async update(trx: Kysely<Schema>, id: string, change: RowChange<'promotions'>): Promise<void> {
    await trx.updateTable('promotions').set(change).where('id', '=', id).execute();
  }

  /** Those whose time has come. */
  async due(): Promise<string[]> {
    const rows = await this.db
      .selectFrom('promotions')
      .select('id')
      .where('look_at', '<=', sql<Date>`now()`)
      .execute();
    return rows.map(({ id }) => id);
  }

  /** Of each environment the change that has not ended, and the newest that has. */
  async newest(
    db: Kysely<Schema>,
    promotionId: string,
  ): Promise<Map<string, { current?: ChangeRow; last?: ChangeRow }>> {
    const { rows } = await sql<ChangeRow>`
      select distinct on (environment, ended_at is null) * from promotion_changes where promotion_id = ${promotionId}
      order by environment, ended_at is null, created_at desc, id desc
    `.execute(db);
    const found = new Map<string, { current?: ChangeRow; last?: ChangeRow }>();
    for (const row of rows) {
      const known = found.get(row.environment) ?? {};
      found.set(row.environment, { ...known, [row.ended_at ? 'last' : 'current']: row });
    }
    return found;
  }

  /** Changes that wait for something, each with the Promotion that it is of. */
  async waiting(): Promise<{ manifest: PromotionRow['manifest']; change: ChangeRow }[]> {
    const rows = await this.db
      .selectFrom('promotion_changes as c')
      .innerJoin('promotions as p', 'p.id', 'c.promotion_id')
      .selectAll('c')
      .select('p.manifest')
      .where('c.ended_at', 'is', null)
      .where('c.state', '=', 'waiting')
      .execute();
    return rows.map(({ manifest, ...change }) => ({ manifest, change }));
  }

  /** Newest first. */
  async history(promotionId: string, limit: number): Promise<ChangeRow[]> {
    return this.db
      .selectFrom('promotion_changes')
      .selectAll()
      .where('promotion_id', '=', promotionId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
  }

  /** Equal as long as nothing is different that is shown of its changes. */
  async stateOf(db: Kysely<Schema>, promotionId: string): Promise<string> {
    const { rows } = await sql<{ state: string }>`
      select coalesce(md5(string_agg(concat_ws('|', id, state, why, retry_at, pull_number, result), ',' order by id)), '') as state
      from promotion_changes where promotion_id = ${promotionId}
    `.execute(db);
    return rows[0]!.state;
  }

  async begin(
    trx: Trx,
    promotionId: string,
    environment: string,
    change: {
      release: string;
      number: number;
      commit: string;
      removals: PromotionChange['removals'];
      pull?: Pick<ChangeRow, 'branch' | 'pull_number' | 'pull_url'>;
    },
  ): Promise<ChangeRow> {
    const { release, number, commit, removals, pull } = change;
    const row = await trx
      .insertInto('promotion_changes')
      .values({
        promotion_id: promotionId,
        environment,
        state: 'waiting',
        release_id: release,
        release_number: number,
        commit,
        removals: removals && JSON.stringify(removals),
        ...(pull ? { branch: pull.branch, pull_number: pull.pull_number, pull_url: pull.pull_url } : {}),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await sql`
      delete from promotion_changes where promotion_id = ${promotionId} and environment = ${environment} and ended_at is not null
        and id not in (select id from promotion_changes where promotion_id = ${promotionId} and environment = ${environment}
          order by created_at desc, id desc limit ${KEPT_CHANGES})
    `.execute(trx);
    return row;
  }

  /** Moves a change that has not ended; false: it has, or is gone. `since` moves with the state alone. */
  async move(
    db: Kysely<Schema>,
    id: string,
    state: ChangeState,
    change: Omit<RowChange<'promotion_changes'>, 'state' | 'since' | 'ended_at'>,
  ): Promise<boolean> {
    const ends = !OPEN.has(state);
    const { numUpdatedRows } = await db
      .updateTable('promotion_changes')
      .set({
        ...change,
        state,
        since: sql<Date>`case when state = ${state} then since else now() end`,
        ...(ends ? { ended_at: sql<Date>`now()` } : {}),
      })
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }
}

const OPEN: ReadonlySet<ChangeState> = new Set<ChangeState>(['waiting', 'open', 'conflict', 'failed']);

/** A row as the deciding functions read it. */
export function changeOf(row: ChangeRow): PromotionChange {
  return {
    id: row.id,
    state: row.state as ChangeState,
    since: row.since.getTime(),
    createdAt: row.created_at.getTime(),
    release: row.release_id,
    number: Number(row.release_number),
    commit: row.commit,
    removals: row.removals,
    approvals: row.approvals,
    retryAt: row.retry_at?.getTime() ?? null,
  };
}
