"""What the decision engine did and did not do in an incident, and the conditions that may have met in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from dagster_project.domain.incidents.phases import CAUSED_BY
from dagster_project.pipeline.postmortem_material import Material, Row
from dagster_project.reporting.postmortem import duration
from dagster_project.reporting.postmortem_views import EngineLine, EngineRecord

_SIGNS = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "eq": "="}
_NO_ACTIONS = ("notify", "no_action")
_REFUSALS = {
    "cooldown": "its cooldown had not ended",
    "max_executions": "its limit of executions was reached",
    "lock": "another replica held its lock",
    "kill_switch": "the kill switch was on",
    "missing_metric": "a metric was missing",
    "403": "it lacked the right",
    "timeout": "the call timed out",
}


def engine_record(material: Material) -> EngineRecord:
    """Decisions that were carried out, those that were not with the reason, and how fast the engine was beside people."""
    decided = [row for row in material.entries if row["lane"] == "engine"]
    acted = tuple(_line(row, material.policies) for row in decided if row["outcome"] == "succeeded")
    blocked = tuple(_line(row, material.policies) for row in decided if row["outcome"] != "succeeded")
    return EngineRecord(_sentence(material, decided), acted, blocked)


def _line(row: Row, policies: Mapping[tuple[str, int], str]) -> EngineLine:
    payload = json.loads(row["payload"])
    reason = payload.get("outcome_reason")
    result = (row["outcome"] or "unknown").replace("_", " ") + (f" ×{row['times']}" if row["times"] > 1 else "")
    return EngineLine(
        row["occurred_at"],
        row["target"] or "unknown",
        str(payload.get("action_type") or "unknown").replace("_", " "),
        result + (", dry run" if payload.get("is_dry_run") else ""),
        _REFUSALS.get(str(reason), str(reason)) if reason else None,
        _policy(payload, policies),
    )


def _policy(payload: Mapping[str, Any], policies: Mapping[tuple[str, int], str]) -> str | None:
    """The policy by name, with the condition that its version of then asked for."""
    name = payload.get("policy_name") or payload.get("policy_id")
    definition = policies.get((payload.get("policy_id"), payload.get("policy_version")))
    if name is None or definition is None:
        return None if name is None else str(name)
    loaded = json.loads(definition)
    conditions = loaded.get("conditions") if isinstance(loaded, dict) else None
    told = [_condition(each) for each in conditions or () if isinstance(each, dict)]
    return f"{name} ({' and '.join(told)})" if told else str(name)


def _condition(condition: Mapping[str, Any]) -> str:
    sign = _SIGNS.get(str(condition.get("operator")), str(condition.get("operator")))
    lasts = condition.get("duration_ms")
    held = f" for {duration(lasts / 60_000)}" if isinstance(lasts, (int, float)) and lasts else ""
    limit = condition.get("threshold")
    return f"{condition.get('metric')} {sign} {f'{limit:g}' if isinstance(limit, (int, float)) else limit}{held}"


def _sentence(material: Material, decided: list[Row]) -> str | None:
    began = material.moments.get("impact_started") or material.moments.get("detected")
    if began is None:
        return None
    engine = _first(row for row in decided if row["outcome"] == "succeeded" and _kind(row) not in _NO_ACTIONS)
    people = _first(row for row in material.entries if _is_person(row) and row["occurred_at"] >= began)
    if engine is None:
        return (
            None
            if people is None
            else f"The engine changed nothing; people wrote first {_after(people, began)} the impact began."
        )
    first = f"The engine acted {_after(engine, began)} the impact began"
    return f"{first}; nothing shows when people did." if people is None else f"{first}, people {_after(people, began)}."


def _kind(row: Row) -> str:
    return str(json.loads(row["payload"]).get("action_type"))


def _is_person(row: Row) -> bool:
    return row["lane"] == "people" and bool(row["actor"]) and not json.loads(row["payload"]).get("is_bot")


def _first(rows: Iterator[Row]) -> datetime | None:
    return next((row["occurred_at"] for row in rows), None)


def _after(at: datetime, began: datetime) -> str:
    minutes = (at - began).total_seconds() / 60
    return f"{duration(abs(minutes))} {'after' if minutes >= 0 else 'before'}"


def factors(material: Material) -> Iterator[str]:
    """Conditions that the evidence shows, as sentences for people to weigh; none of them is the one cause."""
    caused = next((row for row in material.phases if row["phase"] == CAUSED_BY), None)
    if caused is not None:
        told = _of_event(material, json.loads(caused["evidence"]))
        yield f"A change at {caused['began_at']:%Y-%m-%d %H:%M} UTC{told}. {caused['reason']}"
    refused = Counter(
        (json.loads(row["payload"]).get("outcome_reason"), row["target"], _kind(row))
        for row in material.entries
        if row["lane"] == "engine" and row["outcome"] in ("skipped", "failed") and not row["payload"].count('"recovered"')
    )
    for (reason, target, action), _ in sorted(refused.items(), key=lambda each: tuple(str(part) for part in each[0])):
        because = _REFUSALS.get(str(reason), str(reason or "it failed"))
        yield f"The engine could not {action.replace('_', ' ')} {target}, because {because}."
    silent = [row for row in material.entries if row["kind"] == "silence"]
    if silent:
        longest = max(silent, key=lambda row: row["until_at"] - row["occurred_at"])
        length = duration((longest["until_at"] - longest["occurred_at"]).total_seconds() / 60)
        yield f"For {length} from {longest['occurred_at']:%H:%M} UTC nothing was recorded; what was tried then is not known."
    for row in material.similar:
        still_open = [
            each["title"] for each in material.similar_actions[row["similar_id"]] if each["state"] in ("open", "in_progress")
        ]
        if still_open:
            yield f"Open since {row['similar_id']}, which is like this one: {'; '.join(still_open)}."


def _of_event(material: Material, evidence: list[str]) -> str:
    for row in material.entries:
        names = {f"{source}:{name}" for source, name, *_ in json.loads(row["sources"])}
        if names & set(evidence):
            return f" ({row['service'] or 'unknown service'}: {row['text']})"
    return ""
