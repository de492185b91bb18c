-- What people are asked, what they answered, and what was done about it. Approvals, sagas and messages are promises: a run that was
-- cut off is finished by the next one from what stands here.

-- Signs the values of buttons. Made once, by the database.
create table approval_key (
  only_one boolean primary key default true check (only_one),
  key      bytea not null
);
insert into approval_key (key) values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

create table approval_requests (
  request_id   text primary key,
  digest       text not null,                 -- of the key: service, environment, owner, risk
  revision     integer not null,
  state        text not null check (state in ('pending', 'approved', 'executing', 'rejected', 'snoozed', 'expired', 'withdrawn',
                                              'executed', 'failed', 'rolled_back')),
  plan         text not null,                 -- JSON in the one form that is hashed
  plan_digest  text not null,
  resource_ids text[] not null,
  service      text,
  environment  text,
  approvals    text not null,                 -- of this revision, as JSON
  reason       text,
  opened_at    timestamptz not null,
  opened_on    date not null,                 -- the night that asked
  expires_at   timestamptz not null,
  changed_at   timestamptz not null,
  ended_on     date,                          -- UTC day of its end
  confirmed_on date not null                  -- last night whose evidence spoke for it
);
-- Never two for one key.
create unique index approval_requests_live on approval_requests (digest) where state in ('pending', 'approved', 'executing');
create index approval_requests_resources on approval_requests using gin (resource_ids);
create index approval_requests_ended on approval_requests (ended_on);

-- Append-only, and each hash covers the one before it; 'nightshift proposals verify' walks the chain.
create table approval_events (
  position    bigint primary key,
  request_id  text not null references approval_requests,
  kind        text not null,
  at          timestamptz not null,
  actor       text not null,
  source      text not null,
  revision    integer not null,
  plan_digest text not null,
  data        text not null,
  previous    text not null,
  hash        text not null unique
);
create index approval_events_request on approval_events (request_id, position);
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only', tg_table_schema, tg_table_name;
end $$;
create trigger append_only before update or delete on approval_events for each row execute function refuse_change();
create trigger append_only_as_a_whole before truncate on approval_events for each statement execute function refuse_change();

-- One saga: an approved change of one resource on its way to the applied state, or back.
create table executions (
  execution_id text primary key,
  request_id   text not null references approval_requests,
  revision     integer not null,
  resource_id  text not null,
  kind         text not null,
  account_id   text,
  region       text,
  service      text not null,
  environment  text,
  value_before text not null,
  value_after  text not null,
  state        text not null check (state in ('running', 'applied', 'original', 'stuck')),
  direction    text not null check (direction in ('forward', 'undo')),
  memory       jsonb not null,                -- what was seen when it began, and what it made since
  reason       text,
  members      integer not null check (members > 0),   -- of the fleet that it touches at a time
  begun_at     timestamptz not null,
  touched_at   timestamptz not null,          -- last moment at which it touched members, or began
  has_touched  boolean not null default true, -- false for one that ended before it did
  turned_at    timestamptz,                   -- since when it goes back
  ended_at     timestamptz,
  unique (request_id, revision, resource_id)
);
-- Never two for one resource.
create unique index executions_running on executions (resource_id) where state = 'running';
create index executions_recent on executions (touched_at);
create table execution_steps (
  execution_id text not null references executions,
  position     integer not null,
  step         text not null,
  begun_at     timestamptz not null,
  ended_at     timestamptz,
  outcome      text,                          -- done, or what went wrong
  primary key (execution_id, position)
);

-- Requests as pull requests: a review of the commit that holds a revision answers it.
create table approval_pulls (
  request_id  text primary key references approval_requests,
  repository  text not null,
  number      integer,
  head_sha    text,
  revision    integer not null,               -- that the commit holds
  plan_digest text not null,
  is_over     boolean not null default false
);
create index approval_pulls_open on approval_pulls (request_id) where not is_over;

-- Messages to Slack: a row is written before a message is sent, and the message is looked for before it is sent again.
create table slack_messages (
  subject    text primary key,                -- request:apr-…, digest:<owner>:<day>
  request_id text references approval_requests,
  channel    text not null,
  posted_in  text,                            -- id of the channel, once it is posted
  ts         text,
  begun_at   timestamptz,                     -- since when it may have been sent
  sent       text,                            -- digest of the content that it has
  sent_state timestamptz,                     -- the request's changed_at that this content tells of
  failure    text
);
create index slack_messages_request on slack_messages (request_id);
