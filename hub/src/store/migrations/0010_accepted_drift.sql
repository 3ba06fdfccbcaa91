-- Differences that somebody accepted: rules that an Application's assignments carry besides those of its own.
create table accepted_drifts (
  id uuid primary key default uuidv7(),
  application_id uuid not null references applications on delete cascade,
  resource text not null,                   -- "group/Kind/namespace/name"
  field text not null,                      -- the path as it was reported
  rule jsonb not null,                      -- one entry of ignoreDifferences
  accepted_by text not null,
  reason text,
  accepted_at timestamptz not null default now(),
  mac bytea,
  unique (application_id, resource, field)
);
