-- Which nights ran, how each step went and how long it took. Durations live here and not in the report, whose bytes
-- depend on the day alone.
create table nightly_runs (
  run_id       text primary key,
  day          date not null,
  started_at   timestamptz not null,
  finished_at  timestamptz,
  status       text not null check (status in ('running', 'succeeded', 'failed')),
  error        text
);
create index nightly_runs_day on nightly_runs (day, started_at);
create table nightly_steps (
  run_id       text not null references nightly_runs on delete cascade,
  step         text not null,
  position     integer not null,
  seconds      double precision not null check (seconds >= 0),
  rows         bigint,
  status       text not null check (status in ('succeeded', 'failed')),
  primary key (run_id, step)
);
