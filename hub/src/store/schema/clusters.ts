/** The registry of clusters, and how they join. */
import type {
  Timestamp,
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  DefaultedBigint,
  DefaultedJson,
  Nullable,
  Labels,
  Generated,
} from './columns.ts';

export interface ClustersTable {
  id: Generated<string>;
  name: string;
  server: string;
  labels: DefaultedJson<Labels>;
  annotations: DefaultedJson<Labels>;
  local: Defaulted<boolean>;
  state: 'pending' | 'active' | 'recovered' | 'removing';
  version: DefaultedBigint;
  kube_system_uid: Nullable<string>;
  cloned_uid: Nullable<string>;
  cloned_at: NullableTimestamp;
  facts: DefaultedJson<Record<string, unknown>>;
  facts_hash: Nullable<string>;
  registration_revision: DefaultedBigint;
  session_id: Nullable<string>;
  replica_id: Nullable<string>;
  instance_id: Nullable<string>;
  connected_at: NullableTimestamp;
  last_seen_at: NullableTimestamp;
  lease_seconds: Defaulted<number>;
  clock_offset_ms: Nullable<bigint>;
  key_set_version: DefaultedBigint;
  certificates_revoked_at: NullableTimestamp;
  remove_mode: Nullable<'keep' | 'uninstall' | 'forget'>;
  removal_requested_at: NullableTimestamp;
  removal_held_at: NullableTimestamp;
  created_at: DefaultedTimestamp;
  approved_at: NullableTimestamp;
  approved_by: Nullable<string>;
  mac: Nullable<Buffer>;
}

/** Kept by a trigger of `clusters`. */
export interface ClusterChangesTable {
  cluster_id: string;
  changed: Generated<string>;
  gone_at: NullableTimestamp;
}

export interface JoinTokensTable {
  id: Generated<string>;
  token_hash: Buffer;
  cluster_name: string;
  labels: DefaultedJson<Labels>;
  annotations: DefaultedJson<Labels>;
  server: Nullable<string>;
  local: Defaulted<boolean>;
  auto_approve: Defaulted<boolean>;
  max_uses: Defaulted<number>;
  uses: Defaulted<number>;
  expires_at: Timestamp;
  revoked_at: NullableTimestamp;
  created_by: string;
  created_at: DefaultedTimestamp;
}

export interface EnrollmentsTable {
  id: Generated<string>;
  token_id: Nullable<string>;
  cluster_id: string;
  public_key_hash: Buffer;
  csr: Buffer;
  kube_system_uid: string;
  state: 'pending' | 'approved' | 'refused';
  message: Defaulted<string>;
  created_at: DefaultedTimestamp;
  decided_at: NullableTimestamp;
}

export interface CertificatesTable {
  serial: string;
  cluster_id: string;
  fingerprint: Buffer;
  not_before: Timestamp;
  not_after: Timestamp;
  revoked_at: NullableTimestamp;
  revoked_reason: Nullable<string>;
  issued_at: DefaultedTimestamp;
}

export interface ClustersTables {
  clusters: ClustersTable;
  cluster_changes: ClusterChangesTable;
  join_tokens: JoinTokensTable;
  enrollments: EnrollmentsTable;
  certificates: CertificatesTable;
}
