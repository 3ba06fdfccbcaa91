import { Inject, Injectable } from '@nestjs/common';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import { CONNECTION } from '../store/lease.ts';
import type { NewRow, Row, RowChange, Schema, Trx } from '../store/schema.ts';
import type { Requirement } from './label-selector.ts';

export type ClusterRow = Row<'clusters'>;

/** An active cluster as generators and destinations see it. */
export type ActiveCluster = Pick<
  ClusterRow,
  'id' | 'name' | 'server' | 'labels' | 'annotations' | 'local' | 'version'
>;

/** Labels to set, and keys of labels to remove. */
export interface LabelChange {
  set: Record<string, string>;
  remove: readonly string[];
}

export interface ClusterQuery {
  selector: Requirement[];
  state?: ClusterRow['state'];
  search?: string;
  /** Name of the last one seen. */
  after?: string;
  limit: number;
}

/** SQL over `clusters`. */
@Injectable()
export class ClustersRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }

  list(query: ClusterQuery): Promise<ClusterRow[]> {
    return this.#db
      .selectFrom('clusters')
      .selectAll()
      .where((where) => where.and(query.selector.map((each) => requirement(where, each))))
      .$if(query.state !== undefined, (select) => select.where('state', '=', query.state!))
      .$if(!!query.search, (select) => select.where('name', 'ilike', `%${escapeLike(query.search!)}%`))
      .$if(query.after !== undefined, (select) => select.where('name', '>', query.after!))
      .orderBy('name')
      .limit(query.limit)
      .execute();
  }

  /** Active clusters, in name order. */
  active(): Promise<ActiveCluster[]> {
    return this.#active().execute();
  }

  /** The active clusters with one of the names or one of the servers, in name order. */
  async activeAt(names: readonly string[], servers: readonly string[]): Promise<ActiveCluster[]> {
    if (names.length + servers.length === 0) return [];
    return this.#active()
      .where(sql<boolean>`(name = any(${names}::text[]) or server = any(${servers}::text[]))`)
      .execute();
  }

  async activeAmong(trx: Trx, ids: readonly string[]): Promise<{ id: string }[]> {
    if (ids.length === 0) return [];
    return trx
      .selectFrom('clusters')
      .select('id')
      .where('state', '=', 'active')
      .where(sql<boolean>`id = any(${ids}::uuid[])`)
      .execute();
  }

  #active() {
    return this.#db
      .selectFrom('clusters')
      .select(['id', 'name', 'server', 'labels', 'annotations', 'local', 'version'])
      .where('state', '=', 'active')
      .orderBy('name');
  }

  /** What clusters can do, with those that can do just the same. */
  async capabilities(
    ids: readonly string[],
  ): Promise<{ version: string | null; apis: string[] | null; ids: string[] }[]> {
    if (ids.length === 0) return [];
    const { rows } = await sql<{ version: string | null; apis: string[] | null; ids: string[] }>`
      select facts ->> 'kubernetesVersion' as version, facts -> 'apiVersions' as apis, array_agg(id::text) as ids
      from clusters where id = any(${ids}::uuid[]) group by 1, 2
    `.execute(this.#db);
    return rows;
  }

  byName(name: string, trx?: Trx): Promise<ClusterRow | undefined> {
    return (trx ?? this.#db).selectFrom('clusters').selectAll().where('name', '=', name).executeTakeFirst();
  }

  byId(id: string): Promise<ClusterRow | undefined> {
    return this.#db.selectFrom('clusters').selectAll().where('id', '=', id).executeTakeFirst();
  }

  byIds(ids: string[]): Promise<ClusterRow[]> {
    if (ids.length === 0) return Promise.resolve([]);
    return this.#db
      .selectFrom('clusters')
      .selectAll()
      .where('id', '=', sql<string>`any(${ids}::uuid[])`)
      .execute();
  }

  byServer(server: string): Promise<ClusterRow | undefined> {
    return this.#db
      .selectFrom('clusters')
      .selectAll()
      .where('server', '=', server)
      .where('state', '=', 'active')
      .orderBy('name')
      .executeTakeFirst();
  }

  local(): Promise<ClusterRow | undefined> {
    return this.#db
      .selectFrom('clusters')
      .selectAll()
      .where('local', '=', true)
      .where('state', '=', 'active')
      .executeTakeFirst();
  }

  async anyLocal(trx: Trx): Promise<boolean> {
    return (
      (await trx.selectFrom('clusters').select('id').where('local', '=', true).executeTakeFirst()) !==
      undefined
    );
  }

  lockByName(trx: Trx, name: string): Promise<ClusterRow | undefined> {
    return trx.selectFrom('clusters').selectAll().where('name', '=', name).forUpdate().executeTakeFirst();
  }

  lockById(trx: Trx, id: string): Promise<ClusterRow | undefined> {
    return trx.selectFrom('clusters').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  }

  insert(trx: Trx, row: NewRow<'clusters'>): Promise<ClusterRow> {
    return trx.insertInto('clusters').values(row).returningAll().executeTakeFirstOrThrow();
  }

  /** Changes what others depend on: version and registration grow with it. */
  change(trx: Trx, id: string, change: RowChange<'clusters'>): Promise<ClusterRow> {
    return trx
      .updateTable('clusters')
      .set({
        ...change,
        version: sql<bigint>`version + 1`,
        registration_revision: sql<bigint>`registration_revision + 1`,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** Holds the clusters that a selector takes; in the order of their ids, as everyone who holds several. */
  async lockSelected(trx: Trx, selector: readonly Requirement[]): Promise<string[]> {
    const rows = await trx
      .selectFrom('clusters')
      .select('id')
      .where((where) => where.and(selector.map((each) => requirement(where, each))))
      .orderBy('id')
      .forUpdate()
      .execute();
    return rows.map((row) => row.id);
  }

  /** Sets and removes labels; answers the clusters whose labels are others now. */
  async label(
    trx: Trx,
    ids: readonly string[],
    { set, remove }: LabelChange,
  ): Promise<{ id: string; name: string }[]> {
    const { rows } = await sql<{ id: string; name: string }>`
      update clusters set labels = (labels - ${remove}::text[]) || ${JSON.stringify(set)}::jsonb, version = version + 1,
        registration_revision = registration_revision + 1
      where id = any(${ids}::uuid[]) and labels <> (labels - ${remove}::text[]) || ${JSON.stringify(set)}::jsonb
      returning id, name
    `.execute(trx);
    return rows;
  }

  /** Changes what nothing is computed from. */
  async note(trx: Trx | undefined, id: string, change: RowChange<'clusters'>): Promise<void> {
    await (trx ?? this.#db).updateTable('clusters').set(change).where('id', '=', id).execute();
  }

  /** Stores facts when their hash differs; says whether what templates may see (versions, APIs) differs too. */
  async storeFacts(
    trx: Trx,
    id: string,
    facts: Record<string, unknown>,
    hash: string,
  ): Promise<{ capabilities: boolean } | undefined> {
    const before = await trx
      .selectFrom('clusters')
      .select(['facts', 'facts_hash'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (!before || before.facts_hash === hash) return undefined;
    await this.note(trx, id, { facts: JSON.stringify(facts), facts_hash: hash });
    const seen = (all: Record<string, unknown>) =>
      JSON.stringify([all.kubernetesVersion ?? '', all.apiVersions ?? []]);
    return { capabilities: seen(before.facts) !== seen(facts) };
  }

  /** The row and all that was reported of it. */
  async deleteAll(trx: Trx, id: string): Promise<void> {
    for (const table of ['target_status', 'report_cursors', 'unclaimed'] as const) {
      await trx.deleteFrom(table).where('cluster_id', '=', id).execute();
    }
    await trx
      .updateTable('commands')
      .set({ outcome: 'expired', message: 'the cluster was removed', finished_at: sql<Date>`now()` })
      .where('cluster_id', '=', id)
      .where('outcome', 'is', null)
      .execute();
    await trx.deleteFrom('clusters').where('id', '=', id).execute();
  }

  /** Clusters being removed whose last assignment is gone. */
  emptied(): Promise<{ id: string; name: string }[]> {
    return this.#db
      .selectFrom('clusters')
      .select(['id', 'name'])
      .where('state', '=', 'removing')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('assignments')
              .select('assignments.cluster_id')
              .whereRef('assignments.cluster_id', '=', 'clusters.id'),
          ),
        ),
      )
      .execute();
  }

  /** Counts for the fleet page. */
  async counts(): Promise<ClusterCount[]> {
    const found = await sql<ClusterCount>`
      select state, count(*)::int as count, ${CONNECTION} as connection from clusters c group by 1, 3`.execute(
      this.#db,
    );
    return found.rows;
  }
}

export interface ClusterCount {
  state: ClusterRow['state'];
  connection: 'never' | 'connected' | 'silent';
  count: number;
}

function requirement(where: ExpressionBuilder<Schema, 'clusters'>, each: Requirement): Expression<SqlBool> {
  const value = sql<string | null>`labels ->> ${each.key}`;
  switch (each.kind) {
    case 'in': // containment, because the index on labels answers it
      return where.or(
        each.values.map((one) => sql<boolean>`labels @> ${JSON.stringify({ [each.key]: one })}::jsonb`),
      );
    case 'not-in':
      return where.or([where(value, 'is', null), where(value, 'not in', each.values)]);
    case 'exists':
      return where(value, 'is not', null);
    case 'not-exists':
      return where(value, 'is', null);
  }
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
