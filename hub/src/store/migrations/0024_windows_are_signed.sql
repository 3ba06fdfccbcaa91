-- Hash of the sync windows that an assignment was signed with; '': none.
alter table assignments add column windows_digest text not null default '';
