"""Tables of action items."""

from __future__ import annotations

from dagster_project.lake.table import Table

ACTION_ITEMS = Table(
    "action_items",
    ("item_id",),
    {
        "item_id": "VARCHAR",
        "incident_id": "VARCHAR",
        "service": "VARCHAR",
        "severity": "VARCHAR",
        "title": "VARCHAR",
        "item_type": "VARCHAR",
        "priority": "VARCHAR",
        "owner": "VARCHAR",
        "team": "VARCHAR",
        "due_on": "DATE",
        "due_source": "VARCHAR",
        "first_due_on": "DATE",
        "state": "VARCHAR",
        "state_reason": "VARCHAR",
        "tracker": "VARCHAR",
        "tracker_key": "VARCHAR",
        "url": "VARCHAR",
        "verification": "VARCHAR",
        "origin": "VARCHAR",
        "created_at": "TIMESTAMP",
        "changed_at": "TIMESTAMP",
        "done_at": "TIMESTAMP",
        "is_done_at_known": "BOOLEAN",
        "ended_at": "TIMESTAMP",
        "reopened": "INTEGER",
        "slips": "INTEGER",
        "slipped_days": "INTEGER",
        "hints": "VARCHAR",
        "problem": "VARCHAR",
    },
    "Every action item that was known by the end of the day, as it was then, from the decision engine's table, postmortems, the "
    "command line and trackers. state: proposed, open, in_progress, done, verified, declined, duplicate or lost (its issue is "
    "gone, which does not make it done). due_source: policy with its rule, or who gave the date. hints: what its wording lacks "
    "(JSON list). problem: what keeps it from being followed in its tracker.",
)
_COUNTS = (
    "items", "open", "in_progress", "lost", "done", "verified", "declined", "overdue", "overdue_30_days", "due",
    "done_of_due", "due_judged", "done_at_due", "done_dated", "on_time",
)  # fmt: skip
_MORE = (
    "slipped", "slips", "ever_done", "reopened", "without_owner", "without_due", "without_tracker", "observed", "came_back",
)  # fmt: skip
ACTION_ITEM_METRICS = Table(
    "action_item_metrics",
    ("scope", "group_name"),
    {
        "scope": "VARCHAR",
        "group_name": "VARCHAR",
        **dict.fromkeys(_COUNTS, "INTEGER"),
        "median_days": "DOUBLE",
        "open_age_median_days": "DOUBLE",
        "open_age_oldest_days": "INTEGER",
        **dict.fromkeys(_MORE, "INTEGER"),
    },
    "How action items fare as of the day, of all (scope all), by team and by type: numerators beside their denominators. due: "
    "items whose first due date has come, done_of_due of them are done now; done_at_due of due_judged were done by that date "
    "(those of which nobody knows when they were done are not judged); on_time of done_dated; "
    "reopened of ever_done; came_back of observed had a similar incident within 90 days of being done. median_days: "
    "Kaplan-Meier.",
)
ACTION_ITEM_SURVIVAL = Table(
    "action_item_survival",
    ("scope", "group_name", "age_days"),
    {"scope": "VARCHAR", "group_name": "VARCHAR", "age_days": "INTEGER", "not_done_share": "DOUBLE"},
    "The Kaplan-Meier curve of action items: the share that is not done yet at the end of that day of their age, one row for "
    "each day on which something was done.",
)
ACTION_ITEM_REMINDERS = Table(
    "action_item_reminders",
    ("recipient",),
    {"recipient": "VARCHAR", "items": "INTEGER", "state": "VARCHAR", "detail": "VARCHAR"},
    "Who was to be reminded of how many action items by the night. state: sent, outbox, waiting (for their working hours) or "
    "failed; detail says why, as a sentence.",
)

ACTION_ITEM_TABLES = (ACTION_ITEMS, ACTION_ITEM_METRICS, ACTION_ITEM_SURVIVAL, ACTION_ITEM_REMINDERS)
