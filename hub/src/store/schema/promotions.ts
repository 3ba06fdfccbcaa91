/** What passed one environment is proposed to the next. */
import type {
  Bigint,
  Defaulted,
  DefaultedBigint,
  DefaultedJson,
  DefaultedTimestamp,
  Generated,
  Json,
  Nullable,
  NullableJson,
  NullableTimestamp,
} from './columns.ts';

export interface PromotionsTable {
  id: Generated<string>;
  name: string;
  project: string;
  manifest: Json<Record<string, unknown>>;
  version: DefaultedBigint;
  paused: NullableJson<{ actor: string; reason: string; at: string }>;
  standings: DefaultedJson<Record<string, unknown>>;
  looked_at: NullableTimestamp;
  look_at: DefaultedTimestamp;
  created_at: DefaultedTimestamp;
  updated_at: DefaultedTimestamp;
  updated_by: string;
  mac: Nullable<Buffer>;
}

export interface PromotionChangesTable {
  id: Generated<string>;
  promotion_id: string;
  environment: string;
  state: string;
  since: DefaultedTimestamp;
  why: Defaulted<string>;
  release_id: string;
  release_number: Bigint;
  commit: string;
  removals: NullableJson<{ count: number; names: string[] }>;
  approvals: DefaultedJson<{ actor: string; reason: string; at: string }[]>;
  retry_at: NullableTimestamp;
  attempts: Defaulted<number>;
  branch: Nullable<string>;
  pull_number: Nullable<bigint>;
  pull_url: Nullable<string>;
  result: Nullable<string>;
  created_at: DefaultedTimestamp;
  ended_at: NullableTimestamp;
}

export interface PromotionsTables {
  promotions: PromotionsTable;
  promotion_changes: PromotionChangesTable;
}
