/** People, groups, roles and tokens. */
import type {
  Timestamp,
  NullableTimestamp,
  Defaulted,
  DefaultedTimestamp,
  Nullable,
  Generated,
} from './columns.ts';

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

export interface AccessTables {
  users: UsersTable;
  groups: GroupsTable;
  group_members: GroupMembersTable;
  role_bindings: RoleBindingsTable;
  api_tokens: ApiTokensTable;
  login_sessions: LoginSessionsTable;
}
