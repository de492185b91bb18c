"""Rows of a timeline as a document shows them: roles instead of names, sources by their names, labels for charts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dagster_project.domain.incidents.model import PHASES
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.domain.incidents.timeline import SILENCE
from dagster_project.pipeline.postmortem_material import Row
from dagster_project.reporting.postmortem_views import Link, TimelineEntry

_SOURCES = {
    "incidents": "incident record",
    "import": "imported document",
    "person": "somebody who set it",
    "decision_audit": "decision audit",
    "change_events": "change events",
    "cloudwatch_alarms": "CloudWatch",
    "scaling_activities": "Auto Scaling",
    "cloudtrail": "CloudTrail",
    "slack": "Slack",
    "github": "GitHub",
    "sli_events": "service levels",
    "utilization": "utilization",
}
_EFFECTS = {"succeeded": "acted", "skipped": "blocked", "failed": "failed", "rolled_back": "failed"}
_LABEL = 40


def known_from(source: str) -> str:
    """A source by the name that people know."""
    return _SOURCES.get(source, source.replace("_", " "))


def timeline(rows: Sequence[Row], redactor: Redactor) -> tuple[TimelineEntry, ...]:
    """The entries, in order."""
    return tuple(_entry(row, redactor) for row in rows)


def _entry(row: Row, redactor: Redactor) -> TimelineEntry:
    # Before it is cut short: half a name is a name.
    text = redactor.text(row["text"])
    if row["lane"] == "people" and row["actor"]:
        text = f"{redactor.person(row['actor'])}: {text}"
    sources = dict.fromkeys(known_from(source) for source, *_ in json.loads(row["sources"]))
    url = row["url"]
    return TimelineEntry(
        row["occurred_at"],
        text,
        "silence" if row["kind"] == SILENCE else row["lane"],
        row["until_at"],
        row["precision"],
        _label(row, text),
        row["times"],
        tuple(sources),
        PHASES.get(row["phase"]),
        _EFFECTS.get(row["outcome"]) if row["lane"] == "engine" else None,
        Link("open", url) if url else None,
    )


def _label(row: Row, text: str) -> str:
    payload = json.loads(row["payload"])
    if row["lane"] == "engine" and payload.get("action_type"):
        return f"{str(payload['action_type']).replace('_', ' ')} {row['target'] or ''}".strip()
    if payload.get("alarm_name"):
        return str(payload["alarm_name"])
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"
