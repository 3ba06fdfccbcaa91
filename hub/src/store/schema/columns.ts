/** How columns look to Kysely; see `../schema.ts`. */
import type { ColumnType, Generated } from 'kysely';

export type { ColumnType, Generated };

export type Timestamp = ColumnType<Date, Date | string, Date | string>;
export type NullableTimestamp = ColumnType<
  Date | null,
  Date | string | null | undefined,
  Date | string | null
>;
export type Defaulted<T> = ColumnType<T, T | undefined, T>;
export type DefaultedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>;
export type Bigint = ColumnType<bigint, bigint | number, bigint | number>;
export type DefaultedBigint = ColumnType<bigint, bigint | number | undefined, bigint | number>;
/** Written as JSON text, because node-postgres would turn an array into a PostgreSQL array. */
export type Json<T> = ColumnType<T, string, string>;
export type DefaultedJson<T> = ColumnType<T, string | undefined, string>;
export type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
export type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;

export type Labels = Record<string, string>;
