/** Projects, ApplicationSets and Applications. */
import type {
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  DefaultedBigint,
  Json,
  DefaultedJson,
  NullableJson,
  Nullable,
  Labels,
  Generated,
} from './columns.ts';

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

export interface ProjectsTable {
  id: Generated<string>;
  name: string;
  manifest: Json<Record<string, unknown>>;
  version: DefaultedBigint;
  updated_at: DefaultedTimestamp;
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

export interface ApplicationSetTopicsTable {
  set_id: string;
  topic: string;
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
  deletion_approved_at: NullableTimestamp;
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

export interface ApplicationsTables {
  projects: ProjectsTable;
  application_sets: ApplicationSetsTable;
  application_set_repositories: ApplicationSetRepositoriesTable;
  application_set_topics: ApplicationSetTopicsTable;
  applications: ApplicationsTable;
  application_sources: ApplicationSourcesTable;
  departed_applications: DepartedApplicationsTable;
  accepted_drifts: AcceptedDriftsTable;
}
