"""The contract of the lake tables of incidents: what was captured of them, and what is made of it. Times are naive UTC."""

from __future__ import annotations

from dagster_project.lake.table import Table

POLICIES = Table(
    "policies",
    ("policy_id", "version"),
    {"policy_id": "VARCHAR", "version": "INTEGER", "name": "VARCHAR", "definition": "VARCHAR", "created_at": "TIMESTAMP"},
    "Versions of the decision engine's policies that were loaded by the day. definition is a JSON text.",
)
CAPTURED_EVENTS = Table(
    "captured_events",
    ("source", "source_event_id", "version"),
    {
        "source": "VARCHAR",
        "source_event_id": "VARCHAR",
        "version": "INTEGER",
        "occurred_at": "TIMESTAMP",
        "recorded_at": "TIMESTAMP",
        "precision": "VARCHAR",
        "zone": "VARCHAR",
        "lane": "VARCHAR",
        "kind": "VARCHAR",
        "service": "VARCHAR",
        "target": "VARCHAR",
        "actor": "VARCHAR",
        "text": "VARCHAR",
        "url": "VARCHAR",
        "incident_id": "VARCHAR",
        "is_deleted": "BOOLEAN",
        "payload": "VARCHAR",
    },
    "Raw events around incidents that were new or had changed when the night captured them, from every source: decisions, "
    "changes, alarms, scaling activities, API calls, messages, deployments and pull requests. An event is never changed: an "
    "edit or a deletion is another version. payload is a JSON text; secrets are removed before anything is stored.",
)
CAPTURED_SERVICE_LEVELS = Table(
    "captured_service_levels",
    ("service", "name", "sampled_at"),
    {"service": "VARCHAR", "name": "VARCHAR", "sampled_at": "TIMESTAMP", "good": "DOUBLE", "total": "DOUBLE"},
    "Good and total events of service level indicators, as fine as the source has them, from three days before to six hours "
    "after incidents that were new or had changed on the day.",
)
INCIDENT_RECORDS = Table(
    "incident_records",
    ("incident_id",),
    {
        "incident_id": "VARCHAR",
        "origin": "VARCHAR",
        "title": "VARCHAR",
        "severity": "VARCHAR",
        "service": "VARCHAR",
        "services": "VARCHAR",
        "status": "VARCHAR",
        "kind": "VARCHAR",
        "is_open": "BOOLEAN",
        "counts_in_metrics": "BOOLEAN",
        "not_counted_because": "VARCHAR",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "windows": "VARCHAR",
        "commander": "VARCHAR",
        "slack_channel": "VARCHAR",
        "url": "VARCHAR",
        "summary": "VARCHAR",
        "digest": "VARCHAR",
        "timeline_on": "DATE",
        "completeness_pct": "DOUBLE",
    },
    "Every incident that is known on the day: those of the decision engine's table, imported ones, and clusters of emergency "
    "decisions that no incident covers (origin decision_audit: proposed, not asserted). services and windows are JSON lists; "
    "timeline_on is the day whose partition of incident_timeline holds its timeline; digest is of all that it was made from.",
)
INCIDENT_PHASES = Table(
    "incident_phases",
    ("incident_id", "phase", "rank"),
    {
        "incident_id": "VARCHAR",
        "phase": "VARCHAR",
        "rank": "SMALLINT",
        "began_at": "TIMESTAMP",
        "precision": "VARCHAR",
        "source": "VARCHAR",
        "method": "VARCHAR",
        "confidence": "DOUBLE",
        "evidence": "VARCHAR",
        "zone": "VARCHAR",
        "reason": "VARCHAR",
        "is_chosen": "BOOLEAN",
    },
    "When each phase of each incident began: the chosen moment and the other candidates by rank (1 = best), with where each was "
    "read, how it follows, and how sure it is (0..1). A person's pick comes first. evidence is a JSON list. Unknown phases have "
    "no row.",
)
INCIDENT_TIMELINE = Table(
    "incident_timeline",
    ("incident_id", "position"),
    {
        "incident_id": "VARCHAR",
        "position": "INTEGER",
        "occurred_at": "TIMESTAMP",
        "until_at": "TIMESTAMP",
        "precision": "VARCHAR",
        "lane": "VARCHAR",
        "kind": "VARCHAR",
        "text": "VARCHAR",
        "actor": "VARCHAR",
        "service": "VARCHAR",
        "target": "VARCHAR",
        "phase": "VARCHAR",
        "outcome": "VARCHAR",
        "is_non_action": "BOOLEAN",
        "times": "INTEGER",
        "sources": "VARCHAR",
        "url": "VARCHAR",
        "payload": "VARCHAR",
    },
    "The fused timeline of each incident that was worked on that night: one row for one fact, with all its sources (JSON list of "
    "source, source_event_id and version). times counts rapid repeats; kind silence is a stretch in which nothing was recorded "
    "between detection and mitigation.",
)
INCIDENT_METRICS = Table(
    "incident_metrics",
    ("incident_id", "metric_id", "clock"),
    {
        "incident_id": "VARCHAR",
        "metric_id": "VARCHAR",
        "clock": "VARCHAR",
        "version": "INTEGER",
        "sql_hash": "VARCHAR",
        "status": "VARCHAR",
        "minutes": "DOUBLE",
        "censored_minutes": "DOUBLE",
        "from_at": "TIMESTAMP",
        "to_at": "TIMESTAMP",
        "reason": "VARCHAR",
    },
    "Each metric of each incident. status: ok, missing (a phase is not known), invalid (it would end before it begins), "
    "provisional (the incident is open: censored_minutes is how long it has lasted) or excluded (reason says why). clock: wall "
    "or support_hours. sql_hash is of the statement that computed it.",
)
INCIDENT_SUMMARIES = Table(
    "incident_summaries",
    ("period", "severity", "service", "metric_id", "clock"),
    {
        "period": "VARCHAR",
        "severity": "VARCHAR",
        "service": "VARCHAR",
        "metric_id": "VARCHAR",
        "clock": "VARCHAR",
        "version": "INTEGER",
        "from_on": "DATE",
        "to_on": "DATE",
        "incidents": "INTEGER",
        "measured": "INTEGER",
        "censored": "INTEGER",
        "missing": "INTEGER",
        "invalid": "INTEGER",
        "excluded": "INTEGER",
        "per_week": "DOUBLE",
        "median_minutes": "DOUBLE",
        "median_low_minutes": "DOUBLE",
        "median_high_minutes": "DOUBLE",
        "geometric_mean_minutes": "DOUBLE",
        "p75_minutes": "DOUBLE",
        "p90_minutes": "DOUBLE",
        "impact_minutes": "DOUBLE",
        "engine_only_pct": "DOUBLE",
        "previous_measured": "INTEGER",
        "previous_median_minutes": "DOUBLE",
        "change_pct": "DOUBLE",
        "change_low_pct": "DOUBLE",
        "change_high_pct": "DOUBLE",
        "detectable_cut_pct": "DOUBLE",
        "sentence": "VARCHAR",
    },
    "Each metric by period, severity and service ('*' = all): the median with its 95 % bootstrap interval (open incidents are "
    "censored by Kaplan-Meier), and against the period before it: the change with its interval, the smallest cut that could have "
    "been seen, and what that says in words.",
)
SIMILAR_INCIDENTS = Table(
    "similar_incidents",
    ("incident_id", "rank"),
    {
        "incident_id": "VARCHAR",
        "rank": "SMALLINT",
        "similar_id": "VARCHAR",
        "score": "DOUBLE",
        "text_score": "DOUBLE",
        "reasons": "VARCHAR",
    },
    "For each incident that was worked on that night the most similar earlier ones, with the reasons (JSON list of sentences).",
)
KEPT_CAPACITY = Table(
    "kept_capacity",
    ("incident_id", "decision_id"),
    {
        "resource_id": "VARCHAR",
        "target": "VARCHAR",
        "incident_id": "VARCHAR",
        "bought_at": "TIMESTAMP",
        "decision_id": "VARCHAR",
        "amount": "VARCHAR",
        "came_back_at": "TIMESTAMP",
        "story": "VARCHAR",
    },
    "Capacity that the decision engine added in incidents, with what became of it by the day. came_back_at is null where it is "
    "still there as far as decisions and the inventory tell: a candidate for right-sizing. resource_id is null where the target "
    "stands for no single resource.",
)
INCIDENT_LINKS = Table(
    "incident_links",
    ("incident_id", "resource_id", "kind"),
    {"incident_id": "VARCHAR", "resource_id": "VARCHAR", "kind": "VARCHAR", "reason": "VARCHAR"},
    "What ties incidents to right-sizing. vetoes: the incident keeps the resource from being shrunk below what it needed then; "
    "suspect: a change of its size became live in the two weeks before; caused: and it is regretted since, or an emergency in "
    "the incident hit it.",
)
POSTMORTEMS = Table(
    "postmortems",
    ("incident_id",),
    {
        "incident_id": "VARCHAR",
        "written_on": "DATE",
        "digest": "VARCHAR",
        "sections_edited": "INTEGER",
        "repository": "VARCHAR",
        "pull_request": "INTEGER",
        "url": "VARCHAR",
        "state": "VARCHAR",
        "problem": "VARCHAR",
        "cost_low_usd": "DOUBLE",
        "cost_expected_usd": "DOUBLE",
        "cost_high_usd": "DOUBLE",
        "cost_not_included": "VARCHAR",
    },
    "Every incident that has a document, with the day whose report folder holds the newest one; sections_edited counts generated "
    "sections that people have changed, which are left as they are. state: what became of its pull request (open, merged, "
    "closed, unchanged, waiting, failed, outbox), null where none was to be. problem: why the document could not be brought up "
    "to date, as a sentence; it was left alone then. cost: what the incident cost by its document, as far as it is known; "
    "cost_not_included names the others, null = nothing is known.",
)

INCIDENT_TABLES = (
    POLICIES,
    CAPTURED_EVENTS,
    CAPTURED_SERVICE_LEVELS,
    INCIDENT_RECORDS,
    INCIDENT_PHASES,
    INCIDENT_TIMELINE,
    INCIDENT_METRICS,
    INCIDENT_SUMMARIES,
    SIMILAR_INCIDENTS,
    KEPT_CAPACITY,
    INCIDENT_LINKS,
    POSTMORTEMS,
)
