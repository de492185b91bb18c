-- What people know of incidents and no source says: when a phase really began, and incidents of before Nightshift. Both are
-- append-only; the latest entry counts.

create table incident_picks (
  position    bigint generated always as identity primary key,
  incident_id text not null,
  phase       text not null,
  picked_at   timestamptz,                    -- null takes the pick back
  precision   text not null,
  reason      text not null,
  actor       text not null,
  recorded_at timestamptz not null
);
create index incident_picks_incident on incident_picks (incident_id, phase, position);
create trigger append_only before update or delete on incident_picks for each row execute function refuse_change();
create trigger append_only_as_a_whole before truncate on incident_picks for each statement execute function refuse_change();

create table imported_incidents (
  incident_id text not null,
  version     integer not null,
  file        text not null,
  digest      text not null,                  -- of the document: the same again is no new version
  document    text not null,                  -- JSON
  imported_by text not null,
  imported_at timestamptz not null,
  primary key (incident_id, version)
);
create trigger append_only before update or delete on imported_incidents for each row execute function refuse_change();
create trigger append_only_as_a_whole before truncate on imported_incidents for each statement execute function refuse_change();

-- Which pull request proposes an incident's document to the repository of postmortems: the latest one of each.
create table postmortem_pulls (
  repository  text not null,                  -- owner/repo, in lower case
  incident_id text not null,
  number      integer,                        -- null until it is opened
  url         text,
  head_sha    text not null,                  -- the last commit of the branch that we know; noted before the branch has it
  digest      text not null,                  -- of the generated text that it holds
  begun_on    date not null,                  -- the day whose night opens it
  is_over     boolean not null,               -- people closed it unmerged
  primary key (repository, incident_id)
);
