-- Which objects a bundle holds that would be pruned where they are left out: "group/Kind/namespace/name". No values.
create table bundle_inventories (
  bundle_digest text primary key references bundles on delete cascade,
  identities text[] not null
);

-- Explicitly registered to be written to, and not only read.
alter table repositories add column may_push boolean not null default false;

-- What passed one environment is proposed to the next.
create table promotions (
  id uuid primary key default uuidv7(),
  name text not null unique,
  project text not null,
  manifest jsonb not null,                  -- the Promotion as applied
  version bigint not null default 1,
  paused jsonb,                             -- {actor, reason, at}
  standings jsonb not null default '{}',    -- what each environment was when it was looked at last
  looked_at timestamptz,
  look_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  updated_by text not null,
  mac bytea
);
create index promotions_due on promotions (look_at);
create table promotion_changes (
  id uuid primary key default uuidv7(),
  promotion_id uuid not null references promotions on delete cascade,
  environment text not null,                -- the one that is changed
  state text not null,
  since timestamptz not null default now(),
  why text not null default '',
  release_id uuid not null,                 -- of the environment before it
  release_number bigint not null,
  commit text not null,                     -- that is promoted
  removals jsonb,                           -- {count, names}: what the environment would lose
  approvals jsonb not null default '[]',    -- [{actor, reason, at}]
  retry_at timestamptz,
  attempts integer not null default 0,
  branch text,                              -- of the pull request
  pull_number bigint,
  pull_url text,
  result text,                              -- the commit that was made for it
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create unique index promotion_changes_open on promotion_changes (promotion_id, environment) where ended_at is null;
create index promotion_changes_history on promotion_changes (promotion_id, environment, created_at);
