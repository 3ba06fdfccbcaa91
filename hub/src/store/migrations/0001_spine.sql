-- The spine: everything that intent, work and status are kept in. PostgreSQL 18.
-- Columns named *_sealed hold AEAD ciphertext (store/sealer.ts); their key id is inside the blob's header.
-- Room for MACs over rows that state intent: column `mac`, null until a later release fills it.

create table hub_state (
  one boolean primary key default true check (one),
  hub_id text not null,
  epoch bigint not null default 1,
  -- Recovery: an agent presented a higher (epoch, generation) than ours. No assignment, tombstone or command leaves.
  recovery_since timestamptz,
  recovery_reason text,
  highest_epoch_heard bigint not null default 0,
  highest_generation_heard bigint not null default 0,
  confirmed_at timestamptz,                 -- the last `recover confirm`
  confirmed_by text
);
-- One hub-wide sequence, never per row.
create sequence assignment_generation as bigint;

-- ---- access ------------------------------------------------------------------------------------
create table users (
  id uuid primary key default uuidv7(),
  name text not null unique,
  password_hash text,              -- scrypt; null: cannot log in with a password
  disabled_at timestamptz,
  created_at timestamptz not null default now()
);
create table groups (
  id uuid primary key default uuidv7(),
  name text not null unique,
  created_at timestamptz not null default now()
);
create table group_members (
  group_id uuid not null references groups on delete cascade,
  user_id uuid not null references users on delete cascade,
  primary key (group_id, user_id)
);
create table role_bindings (
  id uuid primary key default uuidv7(),
  user_id uuid references users on delete cascade,
  group_id uuid references groups on delete cascade,
  role text not null check (role in ('viewer', 'operator', 'approver', 'admin')),
  project text not null default '*',        -- '*': all projects and hub-wide things
  check ((user_id is null) <> (group_id is null)),
  unique nulls not distinct (user_id, group_id, role, project)
);
create table api_tokens (
  id uuid primary key default uuidv7(),
  user_id uuid not null references users on delete cascade,
  name text not null,
  token_hash bytea not null unique,         -- SHA-256 of the secret
  role text,                                -- caps the user's role; null: the user's own
  project text,
  expires_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  unique (user_id, name)
);
create table login_sessions (
  id uuid primary key default uuidv7(),
  user_id uuid not null references users on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,                      -- user name, 'token:<name>', 'cluster:<name>', 'system'
  action text not null,                     -- 'cluster.approve', 'application.sync' …
  object text not null,                     -- 'cluster/prod-eu-1', 'application/argocd/web-prod'
  project text,
  reason text,
  details jsonb not null default '{}',      -- never secrets
  remote_address text
);
create index audit_at on audit (at desc);
create index audit_object on audit (object, id desc);

-- ---- clusters -----------------------------------------------------------------------------------
create table clusters (
  id uuid primary key default uuidv7(),
  name text not null unique,
  server text not null,                     -- what {{server}} says; default muster://NAME
  labels jsonb not null default '{}',
  annotations jsonb not null default '{}',
  local boolean not null default false,     -- the cluster the hub itself runs in
  -- pending: enrolled, waits for approval. recovered: valid certificate without a row, waits for approval.
  -- removing: uninstalling first. cloned: a second kube-system UID presented the identity.
  state text not null check (state in ('pending', 'active', 'recovered', 'removing')),
  version bigint not null default 1,        -- grows with every change of name, server, labels, annotations, state
  kube_system_uid text,
  cloned_uid text,                          -- the second UID that was refused, and when
  cloned_at timestamptz,
  facts jsonb not null default '{}',        -- kubernetesVersion, apiVersions, nodeCount, agentVersion, platform, namespaces
  facts_hash text,
  registration_revision bigint not null default 0,
  -- Session and lease. silent since last_seen_at once now() > last_seen_at + lease_seconds.
  session_id text,
  replica_id text,
  instance_id text,
  connected_at timestamptz,
  last_seen_at timestamptz,
  lease_seconds integer not null default 30,
  key_set_version bigint not null default 0, -- acknowledged by the agent
  certificates_revoked_at timestamptz,      -- certificates made before, and not known here, do not count either
  remove_mode text check (remove_mode in ('keep', 'uninstall', 'forget')),
  removal_requested_at timestamptz,         -- last asked for or confirmed
  removal_held_at timestamptz,              -- came back after a long silence: not uninstalled without a new confirmation
  created_at timestamptz not null default now(),
  approved_at timestamptz,
  approved_by text,
  mac bytea
);
create index clusters_labels on clusters using gin (labels jsonb_path_ops);
create unique index clusters_one_local on clusters (local) where local;
create table join_tokens (
  id uuid primary key default uuidv7(),
  token_hash bytea not null unique,
  cluster_name text not null,
  labels jsonb not null default '{}',
  annotations jsonb not null default '{}',
  server text,
  local boolean not null default false,
  auto_approve boolean not null default false,
  max_uses integer not null default 1,
  uses integer not null default 0,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_by text not null,
  created_at timestamptz not null default now()
);
create table enrollments (
  id uuid primary key default uuidv7(),
  token_id uuid references join_tokens on delete set null,
  cluster_id uuid not null references clusters on delete cascade,
  public_key_hash bytea not null,
  csr bytea not null,
  kube_system_uid text not null,
  state text not null check (state in ('pending', 'approved', 'refused')),
  message text not null default '',
  created_at timestamptz not null default now(),
  decided_at timestamptz,
  unique (token_id, public_key_hash)
);
create table certificates (
  serial text primary key,                  -- lower-case hex
  cluster_id uuid not null,                 -- no foreign key: outlives the cluster, so that it stays revoked
  fingerprint bytea not null,               -- SHA-256 of the DER
  not_before timestamptz not null,
  not_after timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text,
  issued_at timestamptz not null default now()
);
create index certificates_cluster on certificates (cluster_id);

-- ---- sources ------------------------------------------------------------------------------------
create table repositories (
  id uuid primary key default uuidv7(),
  url text not null unique,                 -- normalised (sources/repository-url.ts)
  display_url text not null,
  credentials_sealed bytea,                 -- JSON: {username,password} | {sshPrivateKey} | {token}
  known_hosts text,
  insecure boolean not null default false,
  project text,
  registered boolean not null default false, -- false: seen in an Application only
  created_at timestamptz not null default now(),
  last_fetch_at timestamptz,
  last_fetch_error text,
  next_poll_at timestamptz not null default now(),
  version bigint not null default 1
);
-- A revision of a repository that something follows, and where it points.
create table tracked_revisions (
  repository_id uuid not null references repositories on delete cascade,
  revision text not null,                   -- as written in targetRevision; 'HEAD' when empty
  commit text,                              -- null: never resolved
  committed_at timestamptz,
  message text,                             -- first line, author for the history
  author text,
  resolved_at timestamptz,
  error text,                               -- why it does not resolve; commit keeps the last good one
  primary key (repository_id, revision)
);

-- ---- projects, application sets, applications ----------------------------------------------------
create table projects (
  id uuid primary key default uuidv7(),
  name text not null unique,
  manifest jsonb not null,                  -- AppProject as applied
  version bigint not null default 1,
  updated_at timestamptz not null default now(),
  mac bytea
);
create table application_sets (
  id uuid primary key default uuidv7(),
  namespace text not null,
  name text not null,
  project text not null,                    -- template's project; '' when templated
  manifest_sealed bytea not null,
  manifest_hash text not null,
  depends_on_clusters boolean not null,     -- has a clusters generator
  version bigint not null default 1,
  expanded_version bigint not null default 0,
  conditions jsonb not null default '[]',   -- [{type,status,reason,message,lastTransitionTime}]
  deleting_at timestamptz,
  deleting_approved boolean not null default false, -- an approver deleted it: its Applications leave without another approval
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  mac bytea,
  unique (namespace, name)
);
create table application_set_repositories (
  set_id uuid not null references application_sets on delete cascade,
  repository_id uuid not null references repositories on delete cascade,
  revision text not null,
  primary key (set_id, repository_id, revision)
);
create table applications (
  id uuid primary key default uuidv7(),
  namespace text not null,
  name text not null,
  set_id uuid references application_sets on delete restrict,
  project text not null,
  manifest_sealed bytea not null,           -- the whole Application object
  manifest_hash text not null,
  labels jsonb not null default '{}',
  -- Resolved destination; null with a condition when it does not resolve.
  cluster_id uuid references clusters on delete restrict,
  destination_namespace text not null default '',
  destination text not null default '',     -- as written: server or name, to show
  repository_id uuid references repositories on delete restrict,
  revision text,                            -- targetRevision as written
  path text,
  version bigint not null default 1,
  -- What was rendered last, well: input key of `renders`, bundle, commit.
  render_key text,
  bundle_digest text,
  commit text,
  release_id uuid,
  -- Hub-side conditions: [{type: 'RenderError'|'InvalidSpec'|…, message, since}]
  conditions jsonb not null default '[]',
  -- Leaving: shown, undoable, until this time; then its tombstone is signed.
  leaving_at timestamptz,
  leaving_action text check (leaving_action in ('orphan', 'uninstall')),
  held_reason text,                         -- removal waits for an approval
  leaving_counted boolean not null default false, -- draws on the deletion budget: nobody asked for it or approved it
  tombstoned_at timestamptz,                -- removed from the table once the agent acknowledged
  restored_from uuid,                       -- the set that left it and may take it back
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  mac bytea,
  unique (namespace, name)
);
create index applications_set on applications (set_id);
create index applications_cluster on applications (cluster_id);
create index applications_source on applications (repository_id, revision);
create index applications_labels on applications using gin (labels jsonb_path_ops);
create index applications_leaving on applications (leaving_at) where leaving_at is not null;
-- Removals that count in the deletion budget (24 h), and what restore brings back after an uninstall.
create table departed_applications (
  id uuid primary key,                      -- applications.id
  namespace text not null,
  name text not null,
  set_id uuid,
  set_name text,                            -- namespace/name
  project text not null,
  cluster_id uuid,
  manifest_sealed bytea not null,
  assignment_digest text,                   -- what was assigned last: restore signs it again
  bundle_digest text,
  render_key text,
  commit text,
  action text not null,
  counted boolean not null,                 -- false: approved or asked for by a person
  decided_at timestamptz not null default now(),
  gone_at timestamptz
);
create index departed_applications_decided on departed_applications (decided_at);
create index departed_applications_name on departed_applications (namespace, name);

-- ---- bundles, renders, releases, assignments -------------------------------------------------------
create table bundles (
  digest text primary key,                  -- lower-case hex SHA-256 of the canonical plaintext
  plain_size bigint not null,
  stored_sealed bytea not null,             -- sealed zstd bytes
  stored_size bigint not null,              -- bytes of the zstd stream, as the agent downloads them
  object_count integer not null,
  created_at timestamptz not null default now(),
  referenced_at timestamptz not null default now()
);
alter table bundles alter column stored_sealed set storage external;
create table renders (
  input_key text primary key,               -- SHA-256 over all inputs (rendering/render-key.ts)
  base_key text not null,                   -- SHA-256 over the inputs that are known before rendering, files left out
  bundle_digest text not null references bundles on delete cascade,
  reads jsonb not null,                     -- {files: {path: oid}, dirs: {path: hash of its listing}, absent: [path]}
  asked jsonb not null default '{}',        -- what the templates asked for: {clock: seconds, random: application, capabilities: hash}
  notices jsonb not null default '[]',      -- hooks left out …
  created_at timestamptz not null default now()
);
create index renders_base on renders (base_key, created_at desc);
create table releases (
  id uuid primary key default uuidv7(),
  owner_kind text not null check (owner_kind in ('set', 'application')),
  owner_id uuid not null,                   -- application_sets.id or applications.id
  number bigint not null,                   -- 1, 2, 3 … per owner
  cause text not null,                      -- 'commit 1a2b3c4 on main', 'spec', 'cluster labels' …
  commit text,
  message text,
  author text,
  created_at timestamptz not null default now(),
  unique (owner_id, number)
);
create table release_targets (
  release_id uuid not null references releases on delete cascade,
  application_id uuid not null,
  application_namespace text not null,
  application_name text not null,
  cluster_id uuid not null,
  assignment_digest text,                   -- null: removed
  bundle_digest text,
  commit text,
  removed_action text,                      -- 'orphan' | 'uninstall' when removed
  primary key (release_id, application_id, cluster_id)
);
create index release_targets_application on release_targets (application_id);
-- What an assignment asks for, without hub, cluster, version, release and revision: what any release can be signed from again.
create table assignment_contents (
  digest text primary key,                  -- assignmentDigest of @muster/link
  content bytea not null,                   -- encoded muster.agent.v1.Assignment
  created_at timestamptz not null default now()
);
create table assignments (
  cluster_id uuid not null,
  application_namespace text not null,
  application_name text not null,
  application_id uuid not null,
  epoch bigint not null,
  generation bigint not null,
  action text not null check (action in ('apply', 'orphan', 'uninstall')),
  payload bytea not null,                   -- exact signed bytes (muster.agent.v1.Assignment)
  signature bytea not null,
  key_id text not null,
  payload_sha256 bytea not null,
  assignment_digest text,                   -- over the content without version; null for tombstones
  bundle_digest text,
  release_id uuid,
  created_at timestamptz not null default now(),
  acked_at timestamptz,
  refused text,
  primary key (cluster_id, application_namespace, application_name)
);
create index assignments_generation on assignments (cluster_id, generation);
create index assignments_bundle on assignments (bundle_digest);

-- ---- status, commands --------------------------------------------------------------------------------
create table target_status (
  cluster_id uuid not null,
  application_namespace text not null,
  application_name text not null,
  epoch bigint not null,
  generation bigint not null,
  bundle_digest text not null,
  sync text not null,
  health text not null,
  health_message text not null default '',
  observed_at timestamptz not null,
  operation jsonb,
  applied_digest text,
  applied_at timestamptz,
  applied_epoch bigint,
  applied_generation bigint,
  conditions jsonb not null default '[]',
  resources jsonb not null default '{}',    -- by "group/Kind/namespace/name"
  -- When sync or health last changed, for "since when".
  sync_since timestamptz not null,
  health_since timestamptz not null,
  received_at timestamptz not null default now(),
  primary key (cluster_id, application_namespace, application_name)
);
create table report_cursors (
  cluster_id uuid primary key,
  instance_id text not null,
  sequence bigint not null
);
-- What an agent holds and this hub does not know.
create table unclaimed (
  cluster_id uuid not null,
  application_namespace text not null,
  application_name text not null,
  epoch bigint not null,
  generation bigint not null,
  seen_at timestamptz not null default now(),
  primary key (cluster_id, application_namespace, application_name)
);
-- What happened to a target, for `app history`: applied releases as the agent proved them.
create table deployments (
  id bigint generated always as identity primary key,
  cluster_id uuid not null,
  application_namespace text not null,
  application_name text not null,
  epoch bigint not null,
  generation bigint not null,
  bundle_digest text not null,
  release_id uuid,
  commit text,
  applied_at timestamptz not null,
  healthy_at timestamptz,
  unique (cluster_id, application_namespace, application_name, epoch, generation)
);
create table commands (
  id uuid primary key default uuidv7(),
  cluster_id uuid not null,
  application_namespace text not null default '',
  application_name text not null default '',
  verb text not null,
  payload bytea not null,
  signature bytea not null,
  key_id text not null,
  actor text not null,
  reason text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  sent_at timestamptz,
  outcome text check (outcome in ('succeeded', 'failed', 'refused', 'unknown', 'expired')),
  message text,
  finished_at timestamptz
);
create index commands_open on commands (cluster_id) where outcome is null;
create index commands_application on commands (application_namespace, application_name, id desc);

-- Which installation this database is, so that several hubs may share one Redis. Filled at first start.
create table installation (
  one boolean primary key default true check (one),
  id uuid not null default uuidv7()
);

-- ---- work --------------------------------------------------------------------------------------------
-- One row a thing to do. Written in the transaction that makes it necessary, deleted in the one that commits its effect.
create table outbox (
  queue text not null,
  key text not null,
  requested bigint generated always as identity, -- grows when it is asked for again while waiting
  payload jsonb not null default '{}',
  attempts integer not null default 0,      -- rounds of retries that were used up since it was last asked for
  created_at timestamptz not null default now(),
  handed_at timestamptz,
  not_before timestamptz,
  primary key (queue, key)
);
create index outbox_unhanded on outbox (created_at) where handed_at is null;
