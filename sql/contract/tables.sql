-- The contract with the decision engine's PostgreSQL: what Nightshift reads.
-- Columns marked [required] are all that the decision engine promises. Every other column and table is used when it is there;
-- when it is missing, the run says which evidence is therefore missing, and goes on. Names can be mapped in the settings.
-- The first three tables must be there. The others are optional: one that is absent is said to be, and one that is there must
-- have the columns of its key.

create table if not exists resources (
  resource_id     text primary key,          -- [required] EC2 instance id, ASG name, DB identifier, volume id
  type            text not null,             -- [required] ec2_instance | autoscaling_group | rds_instance | ebs_volume
  current_config  jsonb not null,            -- [required] keys below; unknown keys are kept
     -- instance_type, region, availability_zone(s), platform (linux|windows|rhel|suse), tenancy, lifecycle (on-demand|spot),
     -- asg_name (of a member), min_size, max_size, desired_capacity, launch_template_id, managed_by (eks|ecs|…),
     -- engine, multi_az, storage_type, size_gib, iops, throughput_mibps
  account_id      text,
  service         text,
  team            text,
  environment     text,                      -- prod | staging | dev | …
  tags            jsonb not null default '{}',
  created_at      timestamptz,
  config_changed_at timestamptz              -- last change of size or configuration
);

create table if not exists utilization (
  resource_id     text not null,             -- [required]
  timestamp       timestamptz not null,      -- [required] start of the interval
  cpu_avg         double precision,          -- [required] percent of the present size, 0..100 (may exceed 100)
  cpu_max         double precision,          -- highest value inside the interval
  mem_avg         double precision,          -- percent of memory
  mem_max         double precision,
  net_in_bytes    double precision,          -- sum over the interval
  net_out_bytes   double precision,
  disk_read_bytes double precision,
  disk_write_bytes double precision,
  disk_read_ops   double precision,
  disk_write_ops  double precision,
  cpu_credit_balance double precision,
  in_service      integer,                   -- for a group: members in service
  primary key (resource_id, timestamp)
);
create index if not exists utilization_timestamp on utilization (timestamp);

create table if not exists decision_audit (
  decision_id     text primary key,
  decision_time   timestamptz not null,      -- [required]
  target          text not null,             -- [required] a resource id, an ASG name or a SERVICE name
  action_type     text,                      -- scale_up | scale_down | circuit_break | rollback | kill_switch | failover |
                                             -- shift_traffic | apply_throttling | restart | notify | no_action
  policy_id       text,
  policy_version  integer,
  policy_name     text,
  event_id        text,
  event_time      timestamptz,               -- when the telemetry event was observed
  metrics         jsonb,                     -- the values that the policy saw
  payload         jsonb,                     -- e.g. {"replicas": "+2"}
  outcome         text,                      -- succeeded | failed | skipped | rolled_back
  outcome_reason  text,                      -- cooldown | max_executions | lock | kill_switch | missing_metric | 403 … | free text
  dry_run         boolean not null default false,
  duration_ms     double precision,
  incident_id     text
);
create index if not exists decision_audit_time on decision_audit (decision_time);

create table if not exists policies (                      -- versions of decision policies, as the engine loads them
  policy_id text not null, version integer not null, name text not null,
  definition jsonb not null,                 -- {"conditions":[{metric,operator,threshold,duration_ms}],"actions":[…],"max_executions":3,"cooldown_s":300}
  created_at timestamptz, primary key (policy_id, version)
);

create table if not exists incidents (
  incident_id text primary key, title text not null, severity text, service text, status text,
  kind text not null default 'normal',       -- normal | test | drill | scheduled | backfilled
  impact_started_at timestamptz, detected_at timestamptz, acknowledged_at timestamptz, declared_at timestamptz,
  identified_at timestamptz, mitigated_at timestamptz, impact_ended_at timestamptz, resolved_at timestamptz,
  slack_channel text, commander text, summary text
);
create table if not exists incident_action_items (
  item_id text primary key, incident_id text, title text not null, type text, priority text, owner text,
  due_on date, tracker text, tracker_key text, state text, created_at timestamptz
);
create table if not exists change_events (                 -- deployments, flag flips, config changes
  change_id text primary key, occurred_at timestamptz not null, service text, kind text, actor text, ref text, summary text
);
create table if not exists service_dependencies (service text not null, depends_on text not null, kind text not null default 'hard',
  primary key (service, depends_on));        -- kind: hard | soft
create table if not exists services (service text primary key, team text, tier text, requests_per_day double precision, value_per_request_usd double precision);
create table if not exists slos (service text not null, name text not null, objective double precision not null, -- 0.9995
  window_days integer not null default 30, primary key (service, name));
create table if not exists sli_events (service text not null, name text not null, timestamp timestamptz not null, good double precision, total double precision,
  primary key (service, name, timestamp));
