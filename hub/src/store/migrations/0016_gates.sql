-- Gates of rollouts that are measured: one row for each round that is open. It goes with the round.
create table gate_measurements (
  id uuid primary key default uuidv7(),
  rollout_id uuid not null references rollouts on delete cascade,
  stage text not null,
  gate text not null,
  round integer not null,
  due_at timestamptz not null default now(),    -- of the next measurement
  claim uuid,                                   -- of the replica that measures now
  claimed_until timestamptz,
  -- A result that no step of the rollout has taken; none is measured before.
  verdict text check (verdict in ('ok', 'bad', 'unknown')),
  detail text,
  progress jsonb not null default '{}',         -- what a measurement of several steps has begun
  created_at timestamptz not null default now(),
  unique (rollout_id, stage, gate, round)
);
create index gate_measurements_due on gate_measurements (due_at);
