/** Releases that reach their targets in stages. */
import type {
  Bigint,
  Defaulted,
  DefaultedBigint,
  DefaultedTimestamp,
  Generated,
  Json,
  Nullable,
  NullableJson,
  NullableTimestamp,
  Timestamp,
} from './columns.ts';

export interface RolloutPoliciesTable {
  id: Generated<string>;
  name: string;
  manifest: Json<Record<string, unknown>>;
  version: DefaultedBigint;
  created_at: DefaultedTimestamp;
  updated_at: DefaultedTimestamp;
  updated_by: string;
  mac: Nullable<Buffer>;
}

export interface RolloutsTable {
  id: Generated<string>;
  owner_kind: 'set' | 'application';
  owner_id: string;
  owner_name: string;
  project: string;
  kind: 'release' | 'undo';
  policy: string;
  phase: string;
  state: Json<unknown>;
  begun: Json<unknown>;
  from_release: Nullable<string>;
  to_release: string;
  entries: DefaultedBigint;
  wake_at: NullableTimestamp;
  created_at: DefaultedTimestamp;
  ended_at: NullableTimestamp;
}

export interface RolloutTargetsTable {
  rollout_id: string;
  target_id: string;
  application_id: string;
  cluster_id: string;
  application_namespace: string;
  application_name: string;
  state: string;
  stage: Nullable<number>;
  connected: boolean;
  data: Json<unknown>;
  proven_release: Nullable<string>;
  proven_digest: Nullable<string>;
  proven_bundle: Nullable<string>;
  proven_commit: Nullable<string>;
  proven_commits: NullableJson<string[]>;
  live: Defaulted<boolean>;
}

export interface RolloutLogTable {
  rollout_id: string;
  seq: Bigint;
  at: Timestamp;
  events: Json<unknown[]>;
  transitions: Json<unknown[]>;
}

export interface TargetHoldsTable {
  application_id: string;
  cluster_id: string;
  release_id: Nullable<string>;
  assignment_digest: Nullable<string>;
  bundle_digest: Nullable<string>;
  commit: Nullable<string>;
  commits: NullableJson<string[]>;
  rollout_id: Nullable<string>;
  reason: string;
  despite_windows: Defaulted<boolean>;
  held_at: DefaultedTimestamp;
}

export interface TargetPinsTable {
  application_id: string;
  cluster_id: string;
  pinned_by: string;
  reason: string;
  pinned_at: DefaultedTimestamp;
  expires_at: NullableTimestamp;
  mac: Nullable<Buffer>;
}

export interface TargetProofsTable {
  application_id: string;
  cluster_id: string;
  release_id: Nullable<string>;
  assignment_digest: string;
  bundle_digest: string;
  commit: Nullable<string>;
  commits: NullableJson<string[]>;
  proven_at: DefaultedTimestamp;
}

export interface RolloutProblemsTable {
  owner_id: string;
  message: string;
  since: DefaultedTimestamp;
}

export interface ApplicationDependenciesTable {
  application_id: string;
  kind: 'application' | 'set' | 'stage';
  namespace: string;
  name: string;
  stage: Defaulted<string>;
}

export interface RolloutDependenciesTable {
  rollout_id: string;
  kind: 'application' | 'set' | 'stage';
  namespace: string;
  name: string;
}

export interface TargetWaitsTable {
  application_id: string;
  cluster_id: string;
  blockers: Json<{ on: string; reason: string; since: string | null; soon: boolean }[]>;
  soon: boolean;
  woken: Defaulted<boolean>;
  since: DefaultedTimestamp;
  looked_at: DefaultedTimestamp;
}

export interface GateMeasurementsTable {
  id: Generated<string>;
  rollout_id: string;
  stage: string;
  gate: string;
  round: number;
  due_at: DefaultedTimestamp;
  claim: Nullable<string>;
  claimed_until: NullableTimestamp;
  verdict: Nullable<'ok' | 'bad' | 'unknown'>;
  detail: Nullable<string>;
  progress: Json<Record<string, unknown>>;
  created_at: DefaultedTimestamp;
}

export interface HubBeatsTable {
  kind: 'hub' | 'queue';
  beat_at: DefaultedTimestamp;
}

export interface HubOutagesTable {
  kind: 'hub' | 'queue';
  from_at: Timestamp;
  until_at: Timestamp;
}

export interface RolloutsTables {
  hub_beats: HubBeatsTable;
  hub_outages: HubOutagesTable;
  gate_measurements: GateMeasurementsTable;
  application_dependencies: ApplicationDependenciesTable;
  rollout_dependencies: RolloutDependenciesTable;
  target_waits: TargetWaitsTable;
  rollout_policies: RolloutPoliciesTable;
  rollouts: RolloutsTable;
  rollout_targets: RolloutTargetsTable;
  rollout_log: RolloutLogTable;
  target_holds: TargetHoldsTable;
  target_pins: TargetPinsTable;
  target_proofs: TargetProofsTable;
  rollout_problems: RolloutProblemsTable;
}
