import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { overloadOf } from './overload.ts';
import { PoolClient } from './pool-client.ts';
import type { Schema } from './schema.ts';

/** Injection token of the pool-backed `Kysely<Schema>`. */
export const DATABASE = Symbol('database');
/** Injection token of the PostgreSQL connection string in use. */
export const DATABASE_URL = Symbol('database url');

export type Db = Kysely<Schema>;

const INT8 = 20;
const INT8_ARRAY = 1016;

/** bigint columns come back exact; other types as node-postgres reads them. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return (text: string) => BigInt(text);
    if (oid === INT8_ARRAY)
      return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(BigInt));
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** A pool that says of a connection that cannot be had why, and that trying again may help. */
class Pool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Parameters<pg.Pool['connect']>[0]): void;
  override connect(callback?: Parameters<pg.Pool['connect']>[0]): Promise<pg.PoolClient> | void {
    if (callback) return super.connect(callback);
    return super.connect().catch((thrown: unknown) => {
      throw overloadOf(thrown) ?? thrown;
    });
  }
}

/**
 * A pool of at most `max` connections; `onError` hears of idle connections that broke. Who waits for one longer than
 * `waitSeconds` gets Overloaded.
 */
export function openDatabase(
  url: string,
  options: { max?: number; waitSeconds?: number; onError?: (error: Error) => void } = {},
): Db {
  const pool = new Pool({
    Client: PoolClient,
    connectionString: url,
    max: options.max ?? 20,
    types,
    application_name: 'muster-hub',
    connectionTimeoutMillis: (options.waitSeconds ?? 10) * 1_000,
    keepAlive: true,
  });
  pool.on('error', options.onError ?? (() => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

/** Whether the database answers within `deadlineMs`. */
export async function databaseAnswers(db: Db, deadlineMs: number): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), deadlineMs).unref());
  const answer = sql`select 1`.execute(db).then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]);
}
