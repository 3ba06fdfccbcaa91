/** What agents report. */
import type {
  Timestamp,
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  Bigint,
  DefaultedJson,
  NullableJson,
  Nullable,
} from './columns.ts';

export interface TargetStatusTable {
  cluster_id: string;
  application_namespace: string;
  application_name: string;
  epoch: Bigint;
  generation: Bigint;
  bundle_digest: string;
  sync: string;
  health: string;
  health_message: Defaulted<string>;
  observed_at: Timestamp;
  operation: NullableJson<Record<string, unknown>>;
  applied_digest: Nullable<string>;
  applied_at: NullableTimestamp;
  applied_epoch: Nullable<bigint>;
  applied_generation: Nullable<bigint>;
  conditions: DefaultedJson<Record<string, unknown>[]>;
  resources: DefaultedJson<Record<string, Record<string, unknown>>>;
  sync_since: Timestamp;
  health_since: Timestamp;
  received_at: DefaultedTimestamp;
}

export interface ReportCursorsTable {
  cluster_id: string;
  instance_id: string;
  sequence: Bigint;
}

export interface UnclaimedTable {
  cluster_id: string;
  application_namespace: string;
  application_name: string;
  epoch: Bigint;
  generation: Bigint;
  seen_at: DefaultedTimestamp;
}

export interface StatusTables {
  target_status: TargetStatusTable;
  report_cursors: ReportCursorsTable;
  unclaimed: UnclaimedTable;
}
