/** Where definitions come from: repositories, revisions, plugins, decision documents. */
import type {
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  DefaultedBigint,
  Nullable,
  Generated,
} from './columns.ts';

export interface RepositoriesTable {
  id: Generated<string>;
  kind: Defaulted<'git' | 'helm' | 'oci' | 'credentials'>;
  name: Nullable<string>;
  ca: Nullable<string>;
  plain_http: Defaulted<boolean>;
  pass_credentials: Defaulted<boolean>;
  may_push: Defaulted<boolean>;
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

export interface SourcesTables {
  repositories: RepositoriesTable;
  tracked_revisions: TrackedRevisionsTable;
  chart_dependencies: ChartDependenciesTable;
  plugins: PluginsTable;
  decision_documents: DecisionDocumentsTable;
}
