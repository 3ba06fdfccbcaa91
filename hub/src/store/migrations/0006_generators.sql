-- What generators ask besides clusters and Git.

-- What a set's generators ask, so that who tells of a change there expands it at once (generators/topics.ts).
create table application_set_topics (
  set_id uuid not null references application_sets on delete cascade,
  topic text not null,
  primary key (set_id, topic)
);
create index application_set_topics_topic on application_set_topics (topic);

-- Services that the plugin generator may call, by the name that `configMapRef` gives.
create table plugins (
  name text primary key,
  base_url text not null,
  token_sealed bytea not null,
  timeout_seconds integer not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- ConfigMaps and resources of the clusterDecisionResource generator, as applied to the hub.
create table decision_documents (
  api_version text not null,                -- `v1` for a ConfigMap
  resource text not null,                   -- the plural in lower case, as the ConfigMap names it
  name text not null,
  kind text not null,
  document_sealed bytea not null,
  document_hash text not null,
  updated_at timestamptz not null default now(),
  primary key (api_version, resource, name)
);
