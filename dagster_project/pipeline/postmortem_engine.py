"""What the decision engine did and did not do in an incident, and the conditions that may have met in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from dagster_project.domain.incidents.phases import CAUSED_BY
from dagster_project.pipeline.postmortem_material import Material, Row
from dagster_project.reporting.postmortem_views import EngineLine, EngineRecord
from dagster_project.reporting.words import duration

_SIGNS = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤", "eq": "="}
_NO_CURES = ("notify", "no_action", "scale_down")
_ALIKE = 0.3
"""Score from which on a similar incident is enough like this one for what is still open of it to matter here."""
_NAMED_ITEMS = 3
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
    """Decisions that were carried out, those that were not with the reason, and how fast the engine was beside people; empty
    where no decision is known."""
    decided = [row for row in material.entries if row["lane"] == "engine"]
    if not decided:
        return EngineRecord()
    acted = tuple(_line(row, material.policies) for row in decided if _has_acted(row))
    blocked = tuple(_line(row, material.policies) for row in decided if not _has_acted(row))
    return EngineRecord(_sentence(material), acted, blocked)


def _has_acted(row: Row) -> bool:
    return row["outcome"] == "succeeded" and _kind(row) != "no_action"


def _line(row: Row, policies: Mapping[tuple[str, int], str]) -> EngineLine:
    payload = json.loads(row["payload"])
    reason = payload.get("outcome_reason")
    result = (row["outcome"] or "unknown").replace("_", " ") + (f" ×{row['times']}" if row["times"] > 1 else "")
    return EngineLine(
        row["occurred_at"],
        row["target"] or "unknown",
        str(payload.get("action_type") or "unknown").replace("_", " "),
        result + (", dry run" if payload.get("is_dry_run") else ""),
        _because(row, reason),
        _policy(payload, policies),
    )


def _because(row: Row, reason: Any) -> str | None:
    if reason:
        return _REFUSALS.get(str(reason), str(reason))
    return "its policy asked for no action" if _kind(row) == "no_action" else None


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


def _sentence(material: Material) -> str | None:
    began = material.moments.get("impact_started") or material.moments.get("detected")
    if began is None:
        return None
    since = [row for row in material.entries if row["occurred_at"] >= began]
    engine = _first(row for row in since if row["lane"] == "engine" and _has_acted(row) and _kind(row) not in _NO_CURES)
    people = _first(row for row in since if _is_person(row))
    if engine is None and people is None:
        return None
    if engine is None:
        return f"The engine changed nothing after the impact began; people wrote first {_after(people, began)} after."
    first = f"The engine acted {_after(engine, began)} after the impact began"
    return f"{first}; nothing shows when people did." if people is None else f"{first}, people {_after(people, began)} after."


def _kind(row: Row) -> str:
    return str(json.loads(row["payload"]).get("action_type"))


def _is_person(row: Row) -> bool:
    return row["lane"] == "people" and bool(row["actor"]) and not json.loads(row["payload"]).get("is_bot")


def _first(rows: Iterator[Row]) -> datetime | None:
    return next((row["occurred_at"] for row in rows), None)


def _after(at: datetime | None, began: datetime) -> str:
    return "" if at is None else duration((at - began).total_seconds() / 60)


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
        items = material.similar_actions[row["similar_id"]]
        still_open = [each["title"] for each in items if each["state"] in ("open", "in_progress")]
        if still_open and row["score"] >= _ALIKE:
            more = f" and {len(still_open) - _NAMED_ITEMS} more" if len(still_open) > _NAMED_ITEMS else ""
            yield f"Open since {row['similar_id']}, which is like this one: {'; '.join(still_open[:_NAMED_ITEMS])}{more}."


def _of_event(material: Material, evidence: list[str]) -> str:
    for row in material.entries:
        names = {f"{source}:{name}" for source, name, *_ in json.loads(row["sources"])}
        if names & set(evidence):
            return f" ({row['service'] or 'unknown service'}: {row['text']})"
    return ""
