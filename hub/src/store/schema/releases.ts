/** What targets should hold, and what they held. */
import type {
  Timestamp,
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  Bigint,
  NullableJson,
  Nullable,
  ColumnType,
  Generated,
} from './columns.ts';

export interface ReleasesTable {
  id: Generated<string>;
  owner_kind: 'set' | 'application';
  owner_id: string;
  number: Bigint;
  cause: string;
  commit: Nullable<string>;
  message: Nullable<string>;
  author: Nullable<string>;
  created_at: DefaultedTimestamp;
}

export interface ReleaseTargetsTable {
  release_id: string;
  application_id: string;
  application_namespace: string;
  application_name: string;
  cluster_id: string;
  assignment_digest: Nullable<string>;
  bundle_digest: Nullable<string>;
  commit: Nullable<string>;
  commits: NullableJson<string[]>;
  removed_action: Nullable<'orphan' | 'uninstall'>;
}

export interface AssignmentContentsTable {
  digest: string;
  content: Buffer;
  created_at: DefaultedTimestamp;
}

export interface AssignmentsTable {
  cluster_id: string;
  application_namespace: string;
  application_name: string;
  application_id: string;
  epoch: Bigint;
  generation: Bigint;
  action: 'apply' | 'orphan' | 'uninstall';
  payload: Buffer;
  signature: Buffer;
  key_id: string;
  payload_sha256: Buffer;
  assignment_digest: Nullable<string>;
  windows_digest: Defaulted<string>;
  bundle_digest: Nullable<string>;
  release_id: Nullable<string>;
  created_at: DefaultedTimestamp;
  acked_at: NullableTimestamp;
  refused: Nullable<string>;
}

export interface DeploymentsTable {
  id: ColumnType<bigint, never, never>;
  cluster_id: string;
  application_namespace: string;
  application_name: string;
  epoch: Bigint;
  generation: Bigint;
  bundle_digest: string;
  release_id: Nullable<string>;
  commit: Nullable<string>;
  commits: NullableJson<string[]>;
  applied_at: Timestamp;
  healthy_at: NullableTimestamp;
}

export interface ReleasesTables {
  releases: ReleasesTable;
  release_targets: ReleaseTargetsTable;
  assignment_contents: AssignmentContentsTable;
  assignments: AssignmentsTable;
  deployments: DeploymentsTable;
}
