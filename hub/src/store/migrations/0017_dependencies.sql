-- What Applications wait for, read from their annotation muster.dev/depends-on.
create table application_dependencies (
  application_id uuid not null references applications on delete cascade,
  kind text not null check (kind in ('application', 'set', 'stage')),
  namespace text not null,                  -- of the Application or the ApplicationSet
  name text not null,
  stage text not null default '',
  primary key (application_id, kind, namespace, name, stage)
);
create index application_dependencies_on on application_dependencies (kind, namespace, name);
-- What the policies of rollouts that have not ended wait for: as frozen in `rollouts.state`, to be found by.
create table rollout_dependencies (
  rollout_id uuid not null references rollouts on delete cascade,
  kind text not null check (kind in ('set', 'stage')),
  namespace text not null,
  name text not null,
  primary key (rollout_id, kind, namespace, name)
);
create index rollout_dependencies_on on rollout_dependencies (namespace, name);
-- Targets that are not given what they are to hold before what they wait for is healthy.
create table target_waits (
  application_id uuid not null references applications on delete cascade,
  cluster_id uuid not null references clusters on delete cascade,
  blockers jsonb not null,                  -- [{on, reason, since, soon}], as last judged
  soon boolean not null,                    -- no transaction tells when one of them ends
  woken boolean not null default false,     -- something happened to what it waits for
  since timestamptz not null default now(),
  looked_at timestamptz not null default now(),
  primary key (application_id, cluster_id)
);
