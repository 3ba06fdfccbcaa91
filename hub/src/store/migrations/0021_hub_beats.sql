-- What an agent adds to its clock to get the hub's, as it says itself; null: it has not said.
alter table clusters add column clock_offset_ms bigint;
-- What is held goes back: no sync window of the project holds its sync.
alter table target_holds add column despite_windows boolean not null default false;
-- When a hub, whichever, was last seen: alive ('hub'), and working on its queue ('queue').
create table hub_beats (
  kind text primary key check (kind in ('hub', 'queue')),
  beat_at timestamptz not null default now()
);
-- Times in which no hub was there, or none worked on its queue. They may overlap.
create table hub_outages (
  kind text not null check (kind in ('hub', 'queue')),
  from_at timestamptz not null,
  until_at timestamptz not null,
  primary key (kind, from_at)
);
