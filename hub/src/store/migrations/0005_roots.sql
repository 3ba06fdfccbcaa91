-- Applications whose destination is the hub itself: their objects are Applications, ApplicationSets and AppProjects.
create table roots (
  application_id uuid primary key references applications on delete cascade,
  bundle_digest text not null,              -- rendered last, well; the children are among its objects
  commit text,
  spec_version bigint not null,             -- applications.version that was rendered
  synced_digest text,                       -- every child of this bundle was applied
  sync text not null default 'Unknown',
  health text not null default 'Unknown',
  health_message text not null default '',
  sync_since timestamptz not null default now(),
  health_since timestamptz not null default now(),
  observed_at timestamptz,
  operation jsonb,
  conditions jsonb not null default '[]',   -- [{type,message,since}]
  resources jsonb not null default '{}',    -- by "group/Kind/namespace/name", as in target_status
  sync_request jsonb,                       -- {command, prune, dryRun}: somebody asked for a sync
  removing boolean not null default false   -- it leaves and takes its children along
);
-- What a root applied, or has applied once: a child remembers its root.
create table root_children (
  kind text not null check (kind in ('Application', 'ApplicationSet', 'AppProject')),
  namespace text not null,                  -- '' for AppProjects
  name text not null,
  root_id uuid not null references applications on delete cascade,
  applied_hash text not null,               -- of the document as it was applied last
  wave integer not null default 0,
  options text[] not null default '{}',     -- its sync options then: Prune=false …
  applied_at timestamptz not null default now(),
  leaving_at timestamptz,                   -- when its removal was decided
  counted integer not null default 0,       -- Applications that this removal draws from the deletion budget
  held_reason text,                         -- a set or project whose removal waits for an approval
  detached boolean not null default false,  -- stays though Git dropped it: restored, or kept by its options
  gone_at timestamptz,
  primary key (kind, namespace, name)
);
create index root_children_root on root_children (root_id);
-- In which projects whoever applied a root, or a set that makes roots, may operate: what its children may belong to.
create table root_authorities (
  owner_id uuid primary key,                -- applications.id or application_sets.id
  actor text not null,
  operator_in text[] not null,              -- '*': all
  admin boolean not null,                   -- may write AppProjects
  recorded_at timestamptz not null default now()
);
