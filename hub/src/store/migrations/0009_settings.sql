-- Settings of the whole hub, as documents; today `argocd-cm`, of which the resource customizations are obeyed.
create table system_settings (
  name text primary key,
  manifest jsonb not null,
  version bigint not null default 1,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  mac bytea
);
