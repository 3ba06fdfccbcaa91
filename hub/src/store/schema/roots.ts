/** Apps of apps. */
import type {
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  Bigint,
  DefaultedJson,
  NullableJson,
  Nullable,
} from './columns.ts';
import type { ApplicationCondition } from './applications.ts';

/** A sync of a root that somebody asked for. */
export interface RootSyncRequest {
  command: string;
  prune: boolean;
  dryRun: boolean;
}

export interface RootsTable {
  application_id: string;
  bundle_digest: string;
  commit: Nullable<string>;
  spec_version: Bigint;
  synced_digest: Nullable<string>;
  sync: Defaulted<string>;
  health: Defaulted<string>;
  health_message: Defaulted<string>;
  sync_since: DefaultedTimestamp;
  health_since: DefaultedTimestamp;
  observed_at: NullableTimestamp;
  operation: NullableJson<Record<string, unknown>>;
  conditions: DefaultedJson<ApplicationCondition[]>;
  resources: DefaultedJson<Record<string, unknown>>;
  sync_request: NullableJson<RootSyncRequest>;
  removing: Defaulted<boolean>;
}

export interface RootChildrenTable {
  kind: 'Application' | 'ApplicationSet' | 'AppProject';
  namespace: string;
  name: string;
  root_id: string;
  applied_hash: string;
  wave: Defaulted<number>;
  options: Defaulted<string[]>;
  applied_at: DefaultedTimestamp;
  leaving_at: NullableTimestamp;
  counted: Defaulted<number>;
  held_reason: Nullable<string>;
  detached: Defaulted<boolean>;
  gone_at: NullableTimestamp;
}

export interface RootAuthoritiesTable {
  owner_id: string;
  actor: string;
  operator_in: string[];
  admin: boolean;
  recorded_at: DefaultedTimestamp;
}

export interface RootsTables {
  roots: RootsTable;
  root_children: RootChildrenTable;
  root_authorities: RootAuthoritiesTable;
}
