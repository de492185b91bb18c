-- What became of proposals that were carried out, and what each service has taught. The lake tells how a change went on any day;
-- that it was made, and which of them were learned from, is remembered here.
create table applied_changes (
  id           bigint generated always as identity primary key,
  resource_id  text not null,
  resource_type text not null,
  service      text,
  team         text,
  environment  text,
  attribute    text not null,
  value_before text not null,
  value_after  text not null,
  source       text not null,                 -- owner/repo#12, request:apr-…, or seen with the day
  decided_by   text,
  decided_at   timestamptz,
  estimated_usd_month double precision not null,
  stated_exceedance_pct double precision,     -- of 100 weeks, in how many some sample exceeds the new size; null = not stated
  risk         text not null,
  is_rollback  boolean not null default false,
  noted_on     date not null,
  applied_on   date,                          -- first day whose inventory shows it
  regret_counted_on date,                     -- what was learned from it, once each
  success_counted_on date,
  unique (resource_id, source)
);
create index applied_changes_noted on applied_changes (noted_on);
create index applied_changes_regretted on applied_changes (regret_counted_on) where regret_counted_on is not null;
-- The last row of a service holds.
create table headroom_changes (
  id           bigint generated always as identity primary key,
  service      text not null,
  changed_on   date not null,
  headroom_pct double precision not null check (headroom_pct >= 0),
  previous_pct double precision not null check (previous_pct >= 0),
  reason       text not null,
  unique (service, changed_on)
);
create function refuse_other_headroom() returns trigger language plpgsql as $$
begin
  raise exception 'headroom_changes is append-only';
end $$;
create trigger append_only before update or delete on headroom_changes for each row execute function refuse_other_headroom();
