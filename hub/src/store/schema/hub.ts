/** The hub itself: its identity, settings and audit log. */
import type {
  NullableTimestamp,
  DefaultedTimestamp,
  DefaultedBigint,
  Json,
  DefaultedJson,
  Nullable,
  ColumnType,
  Generated,
} from './columns.ts';

export interface HubStateTable {
  one: Generated<boolean>;
  hub_id: string;
  epoch: DefaultedBigint;
  recovery_since: NullableTimestamp;
  recovery_reason: Nullable<string>;
  highest_epoch_heard: DefaultedBigint;
  highest_generation_heard: DefaultedBigint;
  confirmed_at: NullableTimestamp;
  confirmed_by: Nullable<string>;
}

export interface InstallationTable {
  one: Generated<boolean>;
  id: Generated<string>;
}

export interface SystemSettingsTable {
  name: string;
  manifest: Json<Record<string, unknown>>;
  version: DefaultedBigint;
  updated_at: DefaultedTimestamp;
  updated_by: string;
  mac: Nullable<Buffer>;
}

export interface AuditTable {
  id: ColumnType<bigint, never, never>;
  at: DefaultedTimestamp;
  actor: string;
  action: string;
  object: string;
  project: Nullable<string>;
  reason: Nullable<string>;
  details: DefaultedJson<Record<string, unknown>>;
  remote_address: Nullable<string>;
}

export interface HubTables {
  hub_state: HubStateTable;
  installation: InstallationTable;
  system_settings: SystemSettingsTable;
  audit: AuditTable;
}
