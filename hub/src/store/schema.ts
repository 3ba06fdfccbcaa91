/**
 * The tables of `migrations/*.sql` as Kysely sees them, by hand, one file of `schema/` for each group. bigint columns are
 * JavaScript bigints (as on the wire), jsonb is written as text (`JSON.stringify`), timestamps are Dates.
 */
import type { Insertable, Selectable, Transaction, Updateable } from 'kysely';
import type { AccessTables } from './schema/access.ts';
import type { ApplicationsTables } from './schema/applications.ts';
import type { BundlesTables } from './schema/bundles.ts';
import type { ClustersTables } from './schema/clusters.ts';
import type { HubTables } from './schema/hub.ts';
import type { PromotionsTables } from './schema/promotions.ts';
import type { ReleasesTables } from './schema/releases.ts';
import type { RolloutsTables } from './schema/rollouts.ts';
import type { RootsTables } from './schema/roots.ts';
import type { SourcesTables } from './schema/sources.ts';
import type { StatusTables } from './schema/status.ts';
import type { WorkTables } from './schema/work.ts';

export type { Labels } from './schema/columns.ts';
export type * from './schema/access.ts';
export type * from './schema/applications.ts';
export type * from './schema/bundles.ts';
export type * from './schema/clusters.ts';
export type * from './schema/hub.ts';
export type * from './schema/promotions.ts';
export type * from './schema/releases.ts';
export type * from './schema/rollouts.ts';
export type * from './schema/roots.ts';
export type * from './schema/sources.ts';
export type * from './schema/status.ts';
export type * from './schema/work.ts';

/** Every table of the system of record. */
export interface Schema
  extends HubTables,
    AccessTables,
    ClustersTables,
    SourcesTables,
    ApplicationsTables,
    BundlesTables,
    ReleasesTables,
    StatusTables,
    WorkTables,
    RootsTables,
    RolloutsTables,
    PromotionsTables {}

/** An open transaction: what commits an effect also deletes its outbox row. */
export type Trx = Transaction<Schema>;
export type Row<T extends keyof Schema> = Selectable<Schema[T]>;
export type NewRow<T extends keyof Schema> = Insertable<Schema[T]>;
export type RowChange<T extends keyof Schema> = Updateable<Schema[T]>;
