-- Operators' overrides: a target that is kept at one release, whatever is newer. What it holds is its row of `target_holds`, which
-- nobody may drop or write over as long as this row is there.
create table target_pins (
  application_id uuid not null references applications on delete cascade,
  cluster_id uuid not null references clusters on delete cascade,
  pinned_by text not null,
  reason text not null,
  pinned_at timestamptz not null default now(),
  expires_at timestamptz,                   -- null: until somebody lets go of it
  mac bytea,
  primary key (application_id, cluster_id),
  -- Deferred: both go with their Application or cluster.
  foreign key (application_id, cluster_id) references target_holds deferrable initially deferred
);
create index target_pins_expire on target_pins (expires_at) where expires_at is not null;
