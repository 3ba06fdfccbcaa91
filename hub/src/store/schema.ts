/**
 * The tables of `migrations/*.sql` as Kysely sees them, by hand. bigint columns are JavaScript bigints (as on the
 * wire), jsonb is written as text (`JSON.stringify`), timestamps are Dates.
 */
import type { ColumnType, Generated, Insertable, Selectable, Transaction, Updateable } from 'kysely';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;
type DefaultedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>;
type Bigint = ColumnType<bigint, bigint | number, bigint | number>;
type DefaultedBigint = ColumnType<bigint, bigint | number | undefined, bigint | number>;
/** Written as JSON text, because node-postgres would turn an array into a PostgreSQL array. */
type Json<T> = ColumnType<T, string, string>;
type DefaultedJson<T> = ColumnType<T, string | undefined, string>;
type NullableJson<T> = ColumnType<T | null, string | null | undefined, string | null>;
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;

export type Labels = Record<string, string>;

/** A condition of an ApplicationSet, as Argo CD shows it. */
export interface SetCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
}
/** A condition of an Application. `since` is RFC 3339. */
export interface ApplicationCondition {
  type: string;
  message: string;
  since: string;
}

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
export interface UsersTable {
  id: Generated<string>;
  name: string;
  password_hash: Nullable<string>;
  disabled_at: NullableTimestamp;
  created_at: DefaultedTimestamp;
}
export interface GroupsTable {
  id: Generated<string>;
  name: string;
  created_at: DefaultedTimestamp;
}
export interface GroupMembersTable {
  group_id: string;
  user_id: string;
}
export interface RoleBindingsTable {
  id: Generated<string>;
  user_id: Nullable<string>;
  group_id: Nullable<string>;
  role: string;
  project: Defaulted<string>;
}
export interface ApiTokensTable {
  id: Generated<string>;
  user_id: string;
  name: string;
  token_hash: Buffer;
  role: Nullable<string>;
  project: Nullable<string>;
  expires_at: NullableTimestamp;
  last_used_at: NullableTimestamp;
  created_at: DefaultedTimestamp;
}
export interface LoginSessionsTable {
  id: Generated<string>;
  user_id: string;
  token_hash: Buffer;
  created_at: DefaultedTimestamp;
  expires_at: Timestamp;
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
export interface RepositoriesTable {
  id: Generated<string>;
  kind: Defaulted<'git' | 'helm' | 'oci' | 'credentials'>;
  name: Nullable<string>;
  ca: Nullable<string>;
  plain_http: Defaulted<boolean>;
  pass_credentials: Defaulted<boolean>;
  url: string;
  display_url: string;
  credentials_sealed: Nullable<Buffer>;
  known_hosts: Nullable<string>;
  insecure: Defaulted<boolean>;
  project: Nullable<string>;
  registered: Defaulted<boolean>;
  created_at: DefaultedTimestamp;
  last_fetch_at: NullableTimestamp;
  last_fetch_error: Nullable<string>;
  next_poll_at: DefaultedTimestamp;
  version: DefaultedBigint;
}
export interface TrackedRevisionsTable {
  repository_id: string;
  revision: string;
  commit: Nullable<string>;
  committed_at: NullableTimestamp;
  message: Nullable<string>;
  author: Nullable<string>;
  resolved_at: NullableTimestamp;
  error: Nullable<string>;
  held: Defaulted<boolean>;
  offered: Nullable<string>;
  accepted: Nullable<string>;
}
export interface ChartDependenciesTable {
  owner_kind: 'set' | 'application';
  owner_id: string;
  repository_id: string;
  revision: string;
}
export interface ProjectsTable {
  id: Generated<string>;
  name: string;
  manifest: Json<Record<string, unknown>>;
  version: DefaultedBigint;
  updated_at: DefaultedTimestamp;
  mac: Nullable<Buffer>;
}
export interface SystemSettingsTable {
  name: string;
  manifest: Json<Record<string, unknown>>;
  version: DefaultedBigint;
  updated_at: DefaultedTimestamp;
  updated_by: string;
  mac: Nullable<Buffer>;
}
export interface AcceptedDriftsTable {
  id: Generated<string>;
  application_id: string;
  resource: string;
  field: string;
  rule: Json<Record<string, unknown>>;
  accepted_by: string;
  reason: Nullable<string>;
  accepted_at: DefaultedTimestamp;
  mac: Nullable<Buffer>;
}
export interface ApplicationSetsTable {
  id: Generated<string>;
  namespace: string;
  name: string;
  project: string;
  manifest_sealed: Buffer;
  manifest_hash: string;
  depends_on_clusters: boolean;
  version: DefaultedBigint;
  expanded_version: DefaultedBigint;
  conditions: DefaultedJson<SetCondition[]>;
  deleting_at: NullableTimestamp;
  deleting_approved: Defaulted<boolean>;
  created_at: DefaultedTimestamp;
  updated_at: DefaultedTimestamp;
  mac: Nullable<Buffer>;
}
export interface ApplicationSetRepositoriesTable {
  set_id: string;
  repository_id: string;
  revision: string;
}
export interface ApplicationsTable {
  id: Generated<string>;
  namespace: string;
  name: string;
  set_id: Nullable<string>;
  project: string;
  manifest_sealed: Buffer;
  manifest_hash: string;
  labels: DefaultedJson<Labels>;
  cluster_id: Nullable<string>;
  destination_namespace: Defaulted<string>;
  destination: Defaulted<string>;
  version: DefaultedBigint;
  render_key: Nullable<string>;
  bundle_digest: Nullable<string>;
  commit: Nullable<string>;
  /** Of each source where there are several; `commit` is the first one's. */
  commits: NullableJson<string[]>;
  release_id: Nullable<string>;
  conditions: DefaultedJson<ApplicationCondition[]>;
  leaving_at: NullableTimestamp;
  leaving_action: Nullable<'orphan' | 'uninstall'>;
  held_reason: Nullable<string>;
  leaving_counted: Defaulted<boolean>;
  tombstoned_at: NullableTimestamp;
  restored_from: Nullable<string>;
  /** The transaction of the last change of what decides on it; kept by a trigger. */
  changed: Generated<string>;
  created_at: DefaultedTimestamp;
  updated_at: DefaultedTimestamp;
  mac: Nullable<Buffer>;
}
export interface ApplicationSourcesTable {
  application_id: string;
  position: number;
  repository_id: Nullable<string>;
  revision: string;
}
export interface DepartedApplicationsTable {
  id: string;
  namespace: string;
  name: string;
  set_id: Nullable<string>;
  set_name: Nullable<string>;
  project: string;
  cluster_id: Nullable<string>;
  manifest_sealed: Buffer;
  assignment_digest: Nullable<string>;
  bundle_digest: Nullable<string>;
  render_key: Nullable<string>;
  commit: Nullable<string>;
  commits: NullableJson<string[]>;
  action: 'orphan' | 'uninstall';
  counted: boolean;
  decided_at: DefaultedTimestamp;
  gone_at: NullableTimestamp;
}
export interface BundlesTable {
  digest: string;
  plain_size: Bigint;
  stored_sealed: Buffer;
  stored_size: Bigint;
  object_count: number;
  created_at: DefaultedTimestamp;
  referenced_at: DefaultedTimestamp;
}
/** A bundle was combined from others. */
export interface BundlePartsTable {
  bundle_digest: string;
  part_digest: string;
}
/** What a render read: a later commit that touched none of it need not be rendered. */
export interface RenderReads {
  files: Record<string, string>;
  dirs: Record<string, string>;
  absent: string[];
}
/** What templates asked for besides files; each is an input of the render then. */
export interface RenderAsked {
  /** Unix seconds. */
  clock?: number;
  /** `namespace/name` whose keyed seed was used. */
  random?: string;
  /** Hash of the cluster's version and APIs. */
  capabilities?: string;
  /** The destination's namespace, where it decides which of several sources an object comes from. */
  namespace?: string;
}
export interface RendersTable {
  input_key: string;
  base_key: string;
  bundle_digest: string;
  reads: Json<RenderReads>;
  asked: DefaultedJson<RenderAsked>;
  notices: DefaultedJson<unknown[]>;
  created_at: DefaultedTimestamp;
}
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
  bundle_digest: Nullable<string>;
  release_id: Nullable<string>;
  created_at: DefaultedTimestamp;
  acked_at: NullableTimestamp;
  refused: Nullable<string>;
}
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
export interface CommandsTable {
  id: Generated<string>;
  cluster_id: string;
  application_namespace: Defaulted<string>;
  application_name: Defaulted<string>;
  verb: string;
  payload: Buffer;
  signature: Buffer;
  key_id: string;
  actor: string;
  reason: Nullable<string>;
  created_at: DefaultedTimestamp;
  expires_at: Timestamp;
  sent_at: NullableTimestamp;
  outcome: Nullable<'succeeded' | 'failed' | 'refused' | 'unknown' | 'expired'>;
  message: Nullable<string>;
  finished_at: NullableTimestamp;
}
export interface OutboxTable {
  queue: string;
  key: string;
  requested: ColumnType<bigint, never, never>;
  payload: DefaultedJson<Record<string, unknown>>;
  attempts: Defaulted<number>;
  created_at: DefaultedTimestamp;
  handed_at: NullableTimestamp;
  not_before: NullableTimestamp;
}

export interface ApplicationSetTopicsTable {
  set_id: string;
  topic: string;
}
export interface PluginsTable {
  name: string;
  base_url: string;
  token_sealed: Buffer;
  timeout_seconds: number;
  created_at: DefaultedTimestamp;
  updated_at: DefaultedTimestamp;
}
export interface DecisionDocumentsTable {
  api_version: string;
  resource: string;
  name: string;
  kind: string;
  document_sealed: Buffer;
  document_hash: string;
  updated_at: DefaultedTimestamp;
}

/** Every table of the system of record. */
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

export interface Schema {
  hub_state: HubStateTable;
  installation: InstallationTable;
  users: UsersTable;
  groups: GroupsTable;
  group_members: GroupMembersTable;
  role_bindings: RoleBindingsTable;
  api_tokens: ApiTokensTable;
  login_sessions: LoginSessionsTable;
  audit: AuditTable;
  clusters: ClustersTable;
  cluster_changes: ClusterChangesTable;
  join_tokens: JoinTokensTable;
  enrollments: EnrollmentsTable;
  certificates: CertificatesTable;
  repositories: RepositoriesTable;
  tracked_revisions: TrackedRevisionsTable;
  chart_dependencies: ChartDependenciesTable;
  projects: ProjectsTable;
  system_settings: SystemSettingsTable;
  accepted_drifts: AcceptedDriftsTable;
  application_sets: ApplicationSetsTable;
  application_set_repositories: ApplicationSetRepositoriesTable;
  application_set_topics: ApplicationSetTopicsTable;
  plugins: PluginsTable;
  decision_documents: DecisionDocumentsTable;
  applications: ApplicationsTable;
  application_sources: ApplicationSourcesTable;
  departed_applications: DepartedApplicationsTable;
  bundles: BundlesTable;
  bundle_parts: BundlePartsTable;
  renders: RendersTable;
  releases: ReleasesTable;
  release_targets: ReleaseTargetsTable;
  assignment_contents: AssignmentContentsTable;
  assignments: AssignmentsTable;
  target_status: TargetStatusTable;
  report_cursors: ReportCursorsTable;
  unclaimed: UnclaimedTable;
  deployments: DeploymentsTable;
  commands: CommandsTable;
  outbox: OutboxTable;
  roots: RootsTable;
  root_children: RootChildrenTable;
  root_authorities: RootAuthoritiesTable;
}

/** An open transaction: what commits an effect also deletes its outbox row. */
export type Trx = Transaction<Schema>;
export type Row<T extends keyof Schema> = Selectable<Schema[T]>;
export type NewRow<T extends keyof Schema> = Insertable<Schema[T]>;
export type RowChange<T extends keyof Schema> = Updateable<Schema[T]>;
