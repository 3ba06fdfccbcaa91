/** Work to be done: commands and the outbox. */
import type {
  Timestamp,
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  DefaultedJson,
  Nullable,
  ColumnType,
  Generated,
} from './columns.ts';

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

export interface AsksTable {
  id: string;
  cluster_id: string;
  payload: Buffer;
  signature: Buffer;
  key_id: string;
  payload_sha256: Buffer;
  delivered_at: NullableTimestamp;
  answered_at: NullableTimestamp;
  alive_until: Timestamp;
  created_at: DefaultedTimestamp;
}
export interface AnswersTable {
  ask_id: string;
  sequence: number;
  data_sealed: Buffer;
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

export interface WorkTables {
  commands: CommandsTable;
  asks: AsksTable;
  answers: AnswersTable;
  outbox: OutboxTable;
}
