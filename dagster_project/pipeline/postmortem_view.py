"""From the material of one incident to what its document shows: in words, in reading order, without names and secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from dagster_project.domain.action_items.hints import action_hints
from dagster_project.domain.action_items.model import ENDED
from dagster_project.domain.incidents.model import PHASES, ActionItem, ImpactWindow
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.domain.incidents.wording import hints
from dagster_project.pipeline.incident_costs import impact_minutes
from dagster_project.pipeline.postmortem_engine import engine_record, factors
from dagster_project.pipeline.postmortem_material import Material, Row
from dagster_project.pipeline.postmortem_timeline import known_from, timeline
from dagster_project.reporting import postmortem_views as views
from dagster_project.reporting.postmortem import redacted
from dagster_project.reporting.words import duration

_UNTOLD = ("coarse", "short", "few", "unmeasured")
_NAMED = 5
_LONGEST_NAME = 60
_LINKS = {"vetoes": "veto", "suspect": "suspect", "caused": "caused"}


def view_of(material: Material, redactor: Redactor) -> views.Postmortem:
    """The view of one incident. Every text of it passes the redactor, whoever wrote it."""
    around = material.surroundings
    incident = material.known.incident
    cost = [_cost(line) for line in around.cost.lines]
    view = views.Postmortem(
        header=_header(material, redactor),
        summary=incident.summary or None,
        impact=_impact(material),
        phases=tuple(_phases(material)),
        metrics=tuple(_metric(row, material) for row in material.metrics if row["clock"] == "wall"),
        timeline=timeline(material.entries, redactor),
        engine=engine_record(material),
        factors=tuple(factors(material)),
        similar=tuple(_similar(row, material, redactor) for row in material.similar),
        blast_radius=tuple(_reached(each, material) for each in around.blast.reaches),
        error_budgets=tuple(_budget(each) for each in around.objectives),
        cost=tuple(cost),
        cost_total=_total(material),
        mitigations=tuple(_mitigation(each, material) for each in around.effects),
        capacity=tuple(views.BoughtCapacity("", story) for story in around.kept),
        rightsizing=tuple(_ties(material)),
        actions=tuple(_action(row, material.day, redactor) for row in material.actions),
        experiments=tuple(views.Experiment(each.name, each.hypothesis, _because(each)) for each in around.experiments),
        wording=tuple(_wording(material)),
        anomalies=tuple(_anomaly(each) for each in material.anomalies),
        empty_because=_empty_because(material),
    )
    return redacted(view, redactor)


def redactor_for(material: Material, names: Iterable[str], salt: str) -> Redactor:
    """A redactor that knows everybody who acts in an incident, by name or as they are called in its texts."""
    actors = {row["actor"] for row in material.entries if row["actor"]}
    people = {*names, *actors, *(row["owner"] for row in material.actions if row["owner"])}
    incident = material.known.incident
    texts = [incident.title, incident.summary or "", *(row["text"] for row in material.entries)]
    return Redactor(sorted({*people, incident.commander} - {None, ""}), salt).with_people_of(texts)


def _header(material: Material, redactor: Redactor) -> views.Header:
    incident, record, evidence = material.known.incident, material.record, material.evidence
    return views.Header(
        incident.incident_id,
        incident.title,
        material.day,
        incident.severity,
        incident.status,
        incident.kind,
        material.known.services,
        redactor.person(incident.commander, "commander") if incident.commander else None,
        views.Link(incident.slack_channel) if incident.slack_channel else None,
        record["not_counted_because"],
        None if evidence is None else evidence.score,
        () if evidence is None else evidence.sentences,
    )


def _impact(material: Material) -> views.Impact:
    windows = material.known.windows or _chosen_window(material)
    told = tuple(views.Window(window.started_at, window.ended_at, known_from(window.source)) for window in windows)
    failed = [each.spent.bad_events for each in material.surroundings.objectives if each.spent.bad_events is not None]
    return views.Impact(told, impact_minutes(windows), max(failed, default=None))


def _chosen_window(material: Material) -> tuple[ImpactWindow, ...]:
    """The window that the evidence shows, where no record states one."""
    chosen = {row["phase"]: row for row in material.phases if row["is_chosen"]}
    if "impact_started" not in chosen:
        return ()
    start, end = chosen["impact_started"], chosen.get("impact_ended")
    return (ImpactWindow(start["began_at"], end and end["began_at"], start["source"]),)


def _phases(material: Material) -> Iterator[views.PhaseLine]:
    for phase, title in PHASES.items():
        rows = [row for row in material.phases if row["phase"] == phase]
        chosen = next((row for row in rows if row["is_chosen"]), None)
        others = tuple(
            views.Candidate(row["began_at"], known_from(row["source"]), row["reason"] or "") for row in rows if row is not chosen
        )
        if chosen is None:
            yield views.PhaseLine(phase, title, candidates=others)
            continue
        reason = chosen["reason"] or ""
        yield views.PhaseLine(
            phase,
            title,
            chosen["began_at"],
            chosen["precision"],
            known_from(chosen["source"]),
            reason,
            chosen["confidence"],
            reason if chosen["source"] == "person" else None,
            others,
        )


def _metric(row: Row, material: Material) -> views.MetricLine:
    is_ok = row["status"] == "ok"
    note = row["reason"]
    if row["status"] == "provisional":
        note = f"it goes on, {duration(row['censored_minutes'])} so far"
    manned = next((each for each in material.metrics if each["metric_id"] == row["metric_id"] and each["clock"] != "wall"), None)
    if is_ok and manned is not None and manned["status"] == "ok" and manned["minutes"] != row["minutes"]:
        note = f"{duration(manned['minutes'])} of it in support hours"
    value = _measured(row, material) if is_ok else None
    return views.MetricLine(row["metric_id"], row["name"], definition(row), value, row["status"], note, "wall")


def _measured(row: Row, material: Material) -> str:
    """A value as exactly as its ends are known."""
    ends = {row["from_phase"], row["to_phase"]}
    precisions = {each["precision"] for each in material.phases if each["is_chosen"] and each["phase"] in ends}
    return "under 1 min" if row["minutes"] < 1 and precisions - {"second"} else duration(row["minutes"])


def definition(row: Row) -> str:
    """From what to what a metric measures, in words."""
    if row["from_phase"] is None:
        return "all windows in which customers felt it, together"
    start, end = (row[name].replace("_", " ") for name in ("from_phase", "to_phase"))
    return f"{start} → {end}" + (f", or {row['capped_at'].replace('_', ' ')} where that comes first" if row["capped_at"] else "")


def _similar(row: Row, material: Material, redactor: Redactor) -> views.SimilarIncident:
    name = row["similar_id"]
    still_open = [each for each in material.similar_actions[name] if (each["state"] or "open") not in ENDED]
    reasons = tuple(each for each in json.loads(row["reasons"]))
    return views.SimilarIncident(
        name,
        row["title"] or name,
        row["score"],
        reasons,
        row["started_at"].date() if row["started_at"] else None,
        open_items=tuple(_action(each, material.day, redactor) for each in still_open),
    )


def _reached(reach: Any, material: Material) -> views.ReachedService:
    seen = next((row for row in material.entries if row["service"] == reach.service or row["target"] == reach.service), None)
    kind = "hard" if reach.is_hard else "soft"
    evidence = None if seen is None else f"first seen at {seen['occurred_at']:%Y-%m-%d %H:%M} UTC"
    return views.ReachedService(reach.service, reach.hops, kind, reach.path, "possible" if seen is None else "impacted", evidence)


def _budget(each: Any) -> views.ErrorBudget:
    spent = each.spent
    alerts = tuple(
        views.BurnAlert(
            replay.rate,
            _windows(replay.alert),
            replay.fired_at,
            replay.sentence.partition(": ")[2] or replay.sentence,
            replay.status not in _UNTOLD,
        )
        for replay in each.replays
    )
    return views.ErrorBudget(
        spent.objective.service,
        spent.objective.name,
        spent.objective.objective,
        spent.objective.window_days,
        spent.budget_minutes,
        None if spent.spent_share is None else 100 * spent.spent_share,
        spent.spent_minutes,
        spent.basis,
        alerts,
    )


def _windows(alert: Any) -> str:
    return f"{duration(alert.long_minutes)} and {duration(alert.short_minutes)}"


def _cost(line: Any) -> views.CostLine:
    known = line.usd
    if known is None:
        return views.CostLine(line.name, None, None, None, line.basis)
    return views.CostLine(line.name, known.low, known.expected, known.high, line.basis)


def _total(material: Material) -> views.CostLine | None:
    cost = material.surroundings.cost
    if cost.total is None:
        return None
    return views.CostLine("together", cost.total.low, cost.total.expected, cost.total.high, cost.sentence)


def _mitigation(effect: Any, material: Material) -> views.Mitigation:
    here = [row for row in material.entries if json.loads(row["payload"]).get("action_type") == effect.action_type]
    worked = sum(row["times"] for row in here if row["outcome"] == "succeeded")
    asked = sum(row["times"] for row in here)
    interval = None if effect.low_minutes is None else (effect.low_minutes, effect.high_minutes)
    apart = [slower for faster, slower in material.surroundings.told_apart if faster == effect.action_type]
    note = f"Faster than {', '.join(apart)} beyond chance." if apart else None
    return views.Mitigation(
        effect.action_type,
        f"decided {asked} times, {worked} succeeded"
        if asked != 1
        else ("once, it succeeded" if worked else "once, it did not succeed"),
        effect.incidents,
        effect.median_minutes,
        interval,
        effect.followed_pct,
        (effect.followed_low_pct, effect.followed_high_pct),
        note,
    )


def _ties(material: Material) -> Iterator[views.RightsizingLink]:
    """Resources of one reason together: an incident of a service keeps each of its machines from being shrunk."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in material.surroundings.links:
        found.setdefault((each.kind, each.reason), []).append(each.resource_id)
    for (kind, reason), names in found.items():
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        told = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names[:_NAMED]]
        yield views.RightsizingLink(_LINKS[kind], ", ".join(told) + more, reason)


def _because(each: Any) -> str:
    return f"{each.because} Method: {each.method} Stop when: {each.abort}"


def _action(row: Row, day: date, redactor: Redactor) -> views.ActionLine:
    key, url = row["tracker_key"], row["url"]
    state = row["state"] or "open"
    due: date | None = row["due_on"]
    return views.ActionLine(
        row["title"],
        row["type"],
        row["priority"],
        redactor.person(row["owner"], "owner") if row["owner"] else None,
        due,
        row["due_source"],
        state.replace("_", " "),
        views.Link(key or "link", url) if key or url else None,
        due is not None and due < day and state not in ENDED,
    )


def _wording(material: Material) -> Iterator[views.WordingHint]:
    imported = material.known.imported
    texts = [("summary", material.known.incident.summary or "")]
    texts += sorted(imported.sections.items()) if imported is not None else []
    texts += [(f"message at {row['occurred_at']:%H:%M}", row["text"]) for row in material.entries if row["lane"] == "people"]
    for place, text in texts:
        for hint in hints(text):
            yield views.WordingHint(place.replace("_", " "), hint.phrase, hint.suggestion)
    for row in material.actions:
        item = ActionItem(row["title"], owner=row["owner"], due_on=row["due_on"], state=row["state"] or "open")
        if item.state not in ENDED:
            for text in action_hints(item):
                yield views.WordingHint("action item", row["title"], text)


def _anomaly(anomaly: Any) -> views.AnomalyLine:
    meant = anomaly.suggestion
    said = f"{meant:%Y-%m-%d %H:%M} UTC" if isinstance(meant, datetime) else str(meant)
    return views.AnomalyLine(anomaly.sentence.rstrip("."), "none." if meant is None else f"{said}.", anomaly.place)


def _empty_because(material: Material) -> dict[str, str]:
    """Why a section is empty, where there is more to say than that nothing is known."""
    reasons = {}
    if not material.entries:
        reasons["timeline"] = "Nothing was captured of its time."
    if material.evidence is not None and material.evidence.shares.get("decisions", 1) < 1:
        reasons["engine"] = "What the decision engine decided is not known: its decisions of that time were not captured whole."
    if not material.similar:
        reasons["similar"] = "No earlier incident is like this one."
    if not material.known.services:
        reasons["blast_radius"] = "No service of it is known."
    elif material.surroundings.blast.unknown:
        unknown: Sequence[str] = material.surroundings.blast.unknown
        reasons["blast_radius"] = f"The map of dependencies does not know {', '.join(unknown)}; who stands on it is unknown."
    return reasons
