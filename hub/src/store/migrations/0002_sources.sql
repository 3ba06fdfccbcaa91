-- An Application reads one source or several; each is followed by itself.
create table application_sources (
  application_id uuid not null references applications on delete cascade,
  position integer not null,                -- from 0, as in spec.sources; 0 for spec.source
  repository_id uuid references repositories on delete restrict, -- null: not a repository that the hub can read
  revision text not null,                   -- targetRevision as written; 'HEAD' when empty
  primary key (application_id, position)
);
create index application_sources_followed on application_sources (repository_id, revision);
insert into application_sources (application_id, position, repository_id, revision)
  select id, 0, repository_id, revision from applications where revision is not null;
drop index applications_source;
alter table applications drop column repository_id, drop column revision, drop column path;

-- Where there are several sources: the commit of each, in their order; `commit` is the first one's.
alter table applications add column commits jsonb;
alter table departed_applications add column commits jsonb;
alter table release_targets add column commits jsonb;
alter table deployments add column commits jsonb;

-- Bundles that others were combined from: kept as long as those are, so that what was not touched is not rendered again.
create table bundle_parts (
  bundle_digest text not null references bundles on delete cascade,
  part_digest text not null references bundles on delete cascade,
  primary key (bundle_digest, part_digest)
);
create index bundle_parts_part on bundle_parts (part_digest);
