-- What people ask of clusters right now, and answers that arrived at another replica than the one that waits for them.
-- Nothing of it is worth keeping: unlogged, deleted when it is read, swept when nobody reads it.
create unlogged table asks (
  id uuid primary key,
  cluster_id uuid not null,
  payload bytea not null,
  signature bytea not null,
  key_id text not null,
  payload_sha256 bytea not null,
  delivered_at timestamptz,                 -- handed to the cluster's session
  answered_at timestamptz,                  -- the cluster has begun to answer: only once
  alive_until timestamptz not null,         -- moved on by the replica that waits
  created_at timestamptz not null default now()
);
create index asks_cluster on asks (cluster_id);

create unlogged table answers (
  ask_id uuid not null references asks on delete cascade,
  sequence int not null,
  data_sealed bytea not null,               -- AnswerRequest
  primary key (ask_id, sequence)
);
