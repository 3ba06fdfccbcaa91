import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import { DATABASE, type Db } from '../store/database.ts';
import type { Row, Trx } from '../store/schema.ts';

export interface UnclaimedRow extends Row<'unclaimed'> {
  cluster: string;
  /** An Application of this name is destined for the cluster. */
  known: boolean;
}

export interface UnclaimedKey {
  clusterId: string;
  namespace: string;
  name: string;
}

/** SQL over `unclaimed`. */
@Injectable()
export class UnclaimedRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(work);
  }

  /** What a cluster holds and the hub does not know is exactly this. True when it differs from before. */
  async replace(
    clusterId: string,
    held: readonly { namespace: string; name: string; epoch: bigint; generation: bigint }[],
  ): Promise<boolean> {
    const columns = [
      held.map((each) => each.namespace),
      held.map((each) => each.name),
      held.map((each) => String(each.epoch)),
      held.map((each) => String(each.generation)),
    ];
    const found = await sql<{ changes: number }>`
      with held as (
        select * from unnest(${columns[0]}::text[], ${columns[1]}::text[], ${columns[2]}::bigint[], ${columns[3]}::bigint[])
          as h(namespace, name, epoch, generation)
      ), gone as (
        delete from unclaimed u where cluster_id = ${clusterId} and not exists (
          select from held h where h.namespace = u.application_namespace and h.name = u.application_name) returning 1
      ), kept as (
        insert into unclaimed (cluster_id, application_namespace, application_name, epoch, generation)
        select ${clusterId}::uuid, namespace, name, epoch, generation from held
        on conflict (cluster_id, application_namespace, application_name) do update
          set epoch = excluded.epoch, generation = excluded.generation
          where (unclaimed.epoch, unclaimed.generation) is distinct from (excluded.epoch, excluded.generation)
        returning 1
      )
      select (select count(*) from gone)::int + (select count(*) from kept)::int as changes`.execute(
      this.#db,
    );
    return found.rows[0]!.changes > 0;
  }

  /** In order of cluster, namespace and name; `after` is that of the last one seen. */
  async list(query: {
    cluster?: string;
    after?: [string, string, string];
    limit: number;
  }): Promise<UnclaimedRow[]> {
    const after = query.after ?? ['', '', ''];
    const found = await sql<UnclaimedRow>`
      select u.*, c.name as cluster,
        exists (select from applications a where a.cluster_id = u.cluster_id and a.namespace = u.application_namespace
          and a.name = u.application_name) as known
      from unclaimed u join clusters c on c.id = u.cluster_id
      where (${query.cluster ?? null}::text is null or c.name = ${query.cluster ?? null})
        and (c.name, u.application_namespace, u.application_name) > (${after[0]}, ${after[1]}, ${after[2]})
      order by c.name, u.application_namespace, u.application_name limit ${query.limit}`.execute(this.#db);
    return found.rows;
  }

  async find(cluster: string, namespace: string, name: string): Promise<UnclaimedRow | undefined> {
    const found = await sql<UnclaimedRow>`
      select u.*, c.name as cluster,
        exists (select from applications a where a.cluster_id = u.cluster_id and a.namespace = u.application_namespace
          and a.name = u.application_name) as known
      from unclaimed u join clusters c on c.id = u.cluster_id
      where c.name = ${cluster} and u.application_namespace = ${namespace} and u.application_name = ${name}`.execute(
      this.#db,
    );
    return found.rows[0];
  }

  async delete(trx: Trx, key: UnclaimedKey): Promise<void> {
    await trx
      .deleteFrom('unclaimed')
      .where('cluster_id', '=', key.clusterId)
      .where('application_namespace', '=', key.namespace)
      .where('application_name', '=', key.name)
      .execute();
  }

  async count(): Promise<number> {
    const row = await this.#db
      .selectFrom('unclaimed')
      .select(({ fn }) => fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }
}
