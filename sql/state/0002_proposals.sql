-- What became of proposals. GitHub shows what is open; this remembers what was meant, what people answered, and what Nightshift
-- was about to do, so that a run that was cut off is finished by the next one.
create table pull_requests (
  id           bigint generated always as identity primary key,
  repository   text not null,
  digest       text not null,                 -- of the group: repository, base, root, owner, risk
  branch       text not null,
  state        text not null check (state in ('opening', 'open', 'closing', 'closed', 'rejected', 'merged', 'applied', 'reverted')),
  payload      jsonb not null,
  opened_on    date not null,
  confirmed_on date not null,                 -- last day whose evidence spoke for all of it
  number       integer,
  head_sha     text,                          -- the commit that was pushed
  pending_sha  text,                          -- the commit that was about to be pushed
  url          text,
  reason       text,
  frozen_sha   text,                          -- a person's commit that was told about
  rebuild      text,                          -- somebody asked for it to be made anew; begins the id of a commit to be replaced
  merged_at    timestamptz,
  merge_sha    text,                          -- the commit that the merge made on the base
  closed_at    timestamptz,                   -- when we closed it
  ended_on     date,                          -- the night that noted its end
  changed_at   timestamptz not null default now()
);
create unique index pull_requests_number on pull_requests (repository, number) where number is not null;
-- Never two for one group.
create unique index pull_requests_pending on pull_requests (repository, digest) where state in ('opening', 'open', 'closing');
-- What a resource was ever part of.
create index pull_requests_resources on pull_requests using gin (payload jsonb_path_ops);
create table proposal_answers (
  id           bigint generated always as identity primary key,
  resource_id  text not null,
  kind         text not null check (kind in ('rejected', 'snoozed')),
  actor        text not null,
  reason       text not null,
  source       text not null,
  answered_at  timestamptz not null,
  until        date,
  after        text,
  evidence     jsonb,
  withdrawn_at timestamptz,
  withdrawn_by text,
  unique (resource_id, source)
);
create index proposal_answers_standing on proposal_answers (resource_id) where withdrawn_at is null;
create table repository_marks (
  repository       text primary key,
  pulls_read_until timestamptz,
  comments_read_until timestamptz,
  dashboard        integer
);
-- Comments that were answered, as far back as they may be read again.
create table answered_comments (
  repository   text not null,
  comment_id   bigint not null,
  commented_at timestamptz not null,          -- or edited
  primary key (repository, comment_id)
);
