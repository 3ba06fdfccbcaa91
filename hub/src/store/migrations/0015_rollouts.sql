-- Releases that reach their targets in stages.
create table rollout_policies (
  id uuid primary key default uuidv7(),
  name text not null unique,
  manifest jsonb not null,                  -- the RolloutPolicy as applied
  version bigint not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  updated_by text not null,
  mac bytea
);
create table rollouts (
  id uuid primary key default uuidv7(),
  owner_kind text not null check (owner_kind in ('set', 'application')),
  owner_id uuid not null,
  owner_name text not null,                 -- "namespace/name"
  project text not null,
  kind text not null check (kind in ('release', 'undo')),
  policy text not null,                     -- its name; the policy itself is frozen in `state`
  phase text not null,
  state jsonb not null,                     -- the rollout without its targets
  begun jsonb not null,                     -- the state that `rollout_log` began from, targets included
  from_release uuid,
  to_release uuid not null,
  entries bigint not null default 0,        -- of rollout_log
  wake_at timestamptz,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create unique index rollouts_one_goes on rollouts (owner_id) where phase in ('running', 'rolling-back');
create index rollouts_owner on rollouts (owner_id, created_at);
create index rollouts_open on rollouts (id) where ended_at is null;
create index rollouts_listed on rollouts (created_at, id);
create table rollout_targets (
  rollout_id uuid not null references rollouts on delete cascade,
  target_id text not null,                  -- "namespace/name@cluster", as they were called at the start
  application_id uuid not null,
  cluster_id uuid not null,
  application_namespace text not null,
  application_name text not null,
  state text not null,
  stage integer,
  connected boolean not null,
  data jsonb not null,
  -- What it goes back to; its content is kept as long as this row is live.
  proven_release uuid,
  proven_digest text,
  proven_bundle text,
  proven_commit text,
  proven_commits jsonb,
  live boolean not null default true,       -- its rollout goes on
  primary key (rollout_id, target_id)
);
create index rollout_targets_live on rollout_targets (cluster_id, application_namespace, application_name) where live;
create index rollout_targets_kept on rollout_targets (proven_digest) where live;
create index rollout_targets_kept_bundles on rollout_targets (proven_bundle) where live;
create table rollout_log (
  rollout_id uuid not null references rollouts on delete cascade,
  seq bigint not null,
  at timestamptz not null,
  events jsonb not null,
  transitions jsonb not null,
  primary key (rollout_id, seq)
);
-- What a target holds where that is not what its owner's newest release says. Nobody signs anything newer for it.
create table target_holds (
  application_id uuid not null references applications on delete cascade,
  cluster_id uuid not null references clusters on delete cascade,
  release_id uuid,
  assignment_digest text,                   -- null: nothing yet
  bundle_digest text,
  commit text,
  commits jsonb,
  rollout_id uuid references rollouts,      -- null: it waits for a rollout that has not begun
  reason text not null,
  held_at timestamptz not null default now(),
  primary key (application_id, cluster_id)
);
create index target_holds_digest on target_holds (assignment_digest);
create index target_holds_bundle on target_holds (bundle_digest);
create index target_holds_rollout on target_holds (rollout_id);
-- The last that a target was healthy at after it had applied it; with a rollout: for its whole soak.
create table target_proofs (
  application_id uuid not null references applications on delete cascade,
  cluster_id uuid not null references clusters on delete cascade,
  release_id uuid,
  assignment_digest text not null,
  bundle_digest text not null,
  commit text,
  commits jsonb,
  proven_at timestamptz not null default now(),
  primary key (application_id, cluster_id)
);
create index target_proofs_digest on target_proofs (assignment_digest);
create index target_proofs_bundle on target_proofs (bundle_digest);
-- Why nothing newer is rolled out for an owner.
create table rollout_problems (
  owner_id uuid primary key,
  message text not null,
  since timestamptz not null default now()
);

insert into target_proofs (application_id, cluster_id, release_id, assignment_digest, bundle_digest, commit, commits, proven_at)
select a.application_id, a.cluster_id, a.release_id, a.assignment_digest, a.bundle_digest, d.commit, d.commits, d.healthy_at
from assignments a
join deployments d using (cluster_id, application_namespace, application_name, epoch, generation)
where a.action = 'apply' and d.healthy_at is not null and a.assignment_digest is not null and a.bundle_digest is not null
  and exists (select from applications where id = a.application_id) and exists (select from clusters where id = a.cluster_id);
