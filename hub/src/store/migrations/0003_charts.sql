-- Repositories of charts: Helm repositories by their index, registries; and credentials that belong to no repository.
-- `url` begins with its kind where two may be at one address: helm+https://…, credentials+https://….
alter table repositories add column kind text not null default 'git' check (kind in ('git', 'helm', 'oci', 'credentials'));
alter table repositories add column name text unique;                -- how dependencies of charts may call it: @name
alter table repositories add column ca text;                         -- PEM: certificates to trust besides the system's
alter table repositories add column plain_http boolean not null default false;
alter table repositories add column pass_credentials boolean not null default false;

-- A chart's `commit` is its pin: name:version@sha256:…
alter table tracked_revisions add column held boolean not null default false; -- stays where it is until somebody accepts
alter table tracked_revisions add column offered text;               -- the pin that upstream has instead
alter table tracked_revisions add column accepted text;              -- digest of the one that was accepted

-- What the charts of an owner's Applications depend on, found when they were rendered.
create table chart_dependencies (
  owner_kind text not null check (owner_kind in ('set', 'application')),
  owner_id uuid not null,
  repository_id uuid not null references repositories on delete cascade,
  revision text not null,
  primary key (owner_kind, owner_id, repository_id, revision)
);
create index chart_dependencies_followed on chart_dependencies (repository_id, revision);
