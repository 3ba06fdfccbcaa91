-- What an agent adds to its clock to get the hub's, as it says itself; null: it has not said.
alter table clusters add column clock_offset_ms bigint;
-- What is held goes back: no sync window of the project holds its sync.
alter table target_holds add column despite_windows boolean not null default false;
