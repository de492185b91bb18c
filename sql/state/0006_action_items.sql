-- Action items: what happened to each of them, one fact a row. What an item is follows from its events, and is stored nowhere.
create table action_item_events (
  position      bigint generated always as identity primary key,
  item_id       text not null,
  field         text not null,                -- created (value: all fields as JSON), note, or the field that was set
  value         text,
  happened_at   timestamptz not null,
  source        text not null,                -- incident_action_items, postmortem, person, policy, or a tracker's name
  actor         text not null,
  reason        text,
  is_correction boolean not null,             -- it was so from the start: nothing was reopened, no date slipped
  recorded_at   timestamptz not null
);
create index action_item_events_item on action_item_events (item_id, position);
-- An item begins once.
create unique index action_item_events_created on action_item_events (item_id) where field = 'created';
create trigger append_only before update or delete on action_item_events for each row execute function refuse_change();
create trigger append_only_as_a_whole before truncate on action_item_events for each statement execute function refuse_change();

-- What each source said last: only what it says otherwise is news.
create table action_item_sources (
  source    text not null,                    -- incident_action_items, or postmortem:INCIDENT
  source_id text not null,
  item_id   text not null,
  said      text not null,                    -- JSON
  is_gone   boolean not null,                 -- it was not listed any more
  primary key (source, source_id)
);

-- Postmortems in their repository, as they were when their action items were read last.
create table action_item_documents (
  repository  text not null,                  -- owner/repo, in lower case
  incident_id text not null,
  sha         text not null,                  -- of the file, as Git has it
  primary key (repository, incident_id)
);

-- The issue of an item, and what both were when they last agreed.
create table action_item_links (
  item_id  text primary key,
  tracker  text not null,
  place    text not null,                     -- owner/repo
  key      text,                              -- null while it is being opened
  mark     text not null,
  is_ours  boolean not null,
  url      text,
  begun_at timestamptz,                       -- written before it is opened, so that one that may be there is looked for
  base     text,                              -- JSON: the issue as it was seen last
  wrote    text,                              -- JSON: what we had it hold last
  restored integer not null,
  lost     text
);

-- Until when what was closed in a place is known; one that is not here is read as a whole, so that issues of ours that nobody
-- remembers are found before others are opened.
create table action_item_places (
  tracker      text not null,
  place        text not null,
  looked_until timestamptz not null,
  primary key (tracker, place)
);

-- Which stage of which item a digest tells; the digest itself is a row of slack_messages.
create table action_item_reminders (
  recipient text not null,
  item_id   text not null,
  stage     text not null,
  subject   text not null,                    -- the digest's
  told_on   date not null,                    -- on the recipient's clock
  primary key (recipient, item_id, stage)
);
create index action_item_reminders_subject on action_item_reminders (subject);
