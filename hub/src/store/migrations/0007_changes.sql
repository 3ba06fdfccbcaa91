-- What changed since when, so that a replica that knows an earlier state reads only the rest.
--
-- A reader keeps `pg_snapshot_xmin(pg_current_snapshot())` of the statement that it read with: every transaction below
-- it had ended. Next time it reads what has `changed` from there on, which may be more than is new and is never less.
-- Numbers of a sequence would not do: they are not committed in their order.
-- Numbers that come from the future were restored from another server's backup, and are of old changes.

-- One row a cluster, also of those that are gone: their absence is a change too.
create table cluster_changes (
  cluster_id uuid primary key,
  changed xid8 not null default pg_current_xact_id(),
  gone_at timestamptz                       -- the row of the cluster was deleted; forgotten after a day
);
create index cluster_changes_changed on cluster_changes (changed);
insert into cluster_changes (cluster_id) select id from clusters;

create function note_cluster_change() returns trigger language plpgsql as $$
begin
  insert into cluster_changes (cluster_id, gone_at)
  values (coalesce(new.id, old.id), case when tg_op = 'DELETE' then now() end)
  on conflict (cluster_id) do update set changed = excluded.changed, gone_at = excluded.gone_at;
  return null;
end
$$;
-- What generators see of a cluster, and whether they see it. Heartbeats and facts are no changes.
create trigger cluster_changed after insert or delete or update of name, server, labels, annotations, state
  on clusters for each row execute function note_cluster_change();

-- The last change of what decides on an Application: not of what rendering notes on it.
alter table applications add column changed xid8 not null default pg_current_xact_id();
create index applications_changed on applications (set_id, changed);
drop index applications_set;                -- the new one begins with the same column

create function note_application_change() returns trigger language plpgsql as $$
begin
  new.changed := pg_current_xact_id();
  return new;
end
$$;
create trigger application_changed before update of set_id, namespace, name, project, manifest_hash, leaving_at,
    leaving_action, held_reason, leaving_counted, tombstoned_at, restored_from
  on applications for each row execute function note_application_change();

-- By whom an assignment is compared with its release, and whether anything is assigned still.
create index assignments_application on assignments (application_id);
