-- Policies may wait for single Applications too.
alter table rollout_dependencies drop constraint rollout_dependencies_kind_check;
alter table rollout_dependencies add constraint rollout_dependencies_kind_check check (kind in ('application', 'set', 'stage'));
