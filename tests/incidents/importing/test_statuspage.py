"""Incidents of a status page: updates, windows told in prose, and what is no incident."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from dagster_project.domain.incidents.importing.model import ImportResult
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.domain.incidents.importing.windows import windows_told
from dagster_project.domain.incidents.model import ImpactWindow, not_counted_because
from tests.incidents.importing.importing_builders import at, codes, only, times


def update(when: str, status: str, message: str = "") -> dict[str, str]:
    return {"at": f"{when}:00Z", "status": status, "message": message}


def record(*updates: dict[str, str], **values: Any) -> dict[str, Any]:
    return {"id": "1", "title": "Incident with Actions", "impact": "minor", "updates": list(updates), **values}


def read(*records: dict[str, Any]) -> ImportResult:
    return read_text("\n".join(json.dumps(one) for one in records), "incidents.jsonl")


ORDINARY = (
    update("2024-05-02T10:00", "Investigating", "We are looking."),
    update("2024-05-02T10:20", "Identified", "It is the queue."),
    update("2024-05-02T10:40", "Monitoring", "A fix is out."),
    update("2024-05-02T11:00", "Resolved", "Done."),
)


def test_updates_are_phases_and_events() -> None:
    imported = only(read(record(*ORDINARY, components=["Actions", "Pages"], url="https://status.example/1")))
    assert times(imported) == {
        "declared": at("2024-05-02 10:00"),
        "identified": at("2024-05-02 10:20"),
        "mitigated": at("2024-05-02 10:40"),
        "resolved": at("2024-05-02 11:00"),
    }
    assert [(event.lane, event.kind, event.source) for event in imported.events] == [("people", "status_update", "import")] * 4
    incident = imported.incident
    assert (incident.incident_id, incident.severity, incident.service, incident.status) == ("1", "minor", "Actions", "resolved")
    assert incident.services == ("Actions", "Pages")
    assert imported.places["declared"] == "incidents.jsonl:1"
    assert codes(imported) == []


def test_the_published_window_begins_before_the_declaration() -> None:
    window = {"start_at": "2024-05-02T09:20:00Z", "end_at": "2024-05-02T10:50:00Z"}
    imported = only(read(record(*ORDINARY, impact_window=window)))
    assert imported.incident.windows == (ImpactWindow(at("2024-05-02 09:20"), at("2024-05-02 10:50"), "import"),)
    assert times(imported)["impact_started"] == at("2024-05-02 09:20")
    assert codes(imported) == []


def test_a_single_update_has_no_duration() -> None:
    imported = only(read(record(update("2024-05-02T10:00", "Resolved", "[Retroactive]"))))
    assert list(imported.incident.phases) == ["resolved"]
    assert imported.incident.kind == "backfilled"
    assert codes(imported) == ["single_update"]


def test_a_single_update_of_what_goes_on_is_an_open_incident() -> None:
    imported = only(read(record(update("2024-05-02T10:00", "Investigating", "We are looking."))))
    incident = imported.incident
    assert times(imported) == {"declared": at("2024-05-02 10:00")}
    assert (incident.kind, incident.is_open, codes(imported)) == ("normal", True, [])


def test_a_single_postmortem_was_written_afterwards() -> None:
    incident = only(read(record(update("2024-05-02T10:00", "Postmortem", "It was the queue.")))).incident
    assert (incident.kind, incident.is_open, dict(incident.phases)) == ("backfilled", False, {})


def test_what_is_open_again_is_neither_over_nor_mitigated() -> None:
    window = {"start_at": "2024-05-02T09:20:00Z", "end_at": "2024-05-02T10:50:00Z"}
    imported = only(read(record(*ORDINARY, update("2024-05-02T12:00", "Investigating"), impact_window=window)))
    assert set(times(imported)) == {"impact_started", "declared", "identified"}
    assert (imported.incident.status, imported.incident.is_open) == ("investigating", True)


def test_the_last_monitoring_and_the_last_end_count() -> None:
    again = (
        update("2024-05-02T12:00", "Investigating"),
        update("2024-05-02T12:30", "Monitoring"),
        update("2024-05-02T12:50", "Monitoring", "Still watching."),
        update("2024-05-02T13:00", "Resolved"),
        update("2024-05-02T15:00", "Update", "A report follows."),
    )
    imported = only(read(record(*ORDINARY, *again)))
    assert (times(imported)["mitigated"], times(imported)["resolved"]) == (at("2024-05-02 12:30"), at("2024-05-02 13:00"))
    assert (imported.incident.status, imported.incident.is_open) == ("resolved", False)


def test_a_resolution_that_monitoring_follows_is_none_and_the_mitigation_stays() -> None:
    imported = only(read(record(*ORDINARY, update("2024-05-02T12:00", "Monitoring"))))
    assert (times(imported)["mitigated"], "resolved" in times(imported)) == (at("2024-05-02 10:40"), False)


def test_a_mere_update_leaves_it_open() -> None:
    incident = only(read(record(*ORDINARY[:2], update("2024-05-02T12:00", "Update", "Still looking.")))).incident
    assert (incident.status, incident.is_open) == ("identified", True)


def test_a_window_of_days_is_none_and_a_problem() -> None:
    result = read(record(*ORDINARY, impact_window={"start_at": "2024-05-02", "end_at": "2024-05-03"}))
    assert only(result).incident.windows == ()
    assert ["end that can be read" in problem.sentence or "start" in problem.sentence for problem in result.problems] == [
        True
    ] * 2


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_times_of_no_year_of_ours_are_problems(year: str) -> None:
    window = {"start_at": "2024-05-02T09:20:00Z", "end_at": f"{year}-05-02T10:50:00Z"}
    bad = update("2024-05-02T10:10", "Update") | {"at": f"{year}-01-01T00:00:00Z"}
    result = read(record(*ORDINARY, bad, impact_window=window))
    assert [problem.line for problem in result.problems] == [1, 1]
    assert [event.occurred_at.year for event in only(result).events] == [2024] * 4
    assert "impact_ended" not in times(only(result))


@pytest.mark.parametrize(
    "scheduled",
    [
        record(update("2024-05-01T10:00", "Scheduled"), update("2024-05-02T10:00", "Completed")),
        record(*ORDINARY, impact="maintenance"),
    ],
)
def test_maintenance_is_left_out_with_its_reason(scheduled: dict[str, Any]) -> None:
    imported = only(read(scheduled))
    assert not_counted_because(imported.incident) == "scheduled maintenance"
    assert codes(imported) == []


def test_updates_of_the_api_of_status_pages_are_read_too() -> None:
    updates = [{"created_at": "2024-05-02T10:00:00.000-05:00", "status": "investigating", "body": "We are looking."}]
    updates += [{"created_at": "2024-05-02T11:00:00.000-05:00", "status": "resolved", "body": "Done."}]
    raw = {"id": "abc", "name": "Slow", "impact": "major", "incident_updates": updates, "components": [{"name": "API"}]}
    imported = only(read_text(json.dumps({"incidents": [raw]}), "incidents.json"))
    assert times(imported) == {"declared": at("2024-05-02 15:00"), "resolved": at("2024-05-02 16:00")}
    assert (imported.incident.title, imported.incident.service) == ("Slow", "API")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("On May 2, 2024, between 9:31 UTC and 18:08 UTC, the service", "2024-05-02 09:31", "2024-05-02 18:08"),
        ("From 16:24-16:43 UTC, multiple services", "2024-05-02 16:24", "2024-05-02 16:43"),
        ("Between 2024-05-01 21:35 UTC and 2024-05-02 19:03 UTC, x", "2024-05-01 21:35", "2024-05-02 19:03"),
        (
            "Beginning at 17:30 UTC on April 30th and lasting until 20:30 UTC on May 2nd, x",
            "2024-04-30 17:30",
            "2024-05-02 20:30",
        ),
        ("On May 2nd, between 23:20 UTC and May 3rd, 2024 00:15 UTC, x", "2024-05-02 23:20", "2024-05-03 00:15"),
        ("On May 2, 2024, from 22:37 UTC to 04:47 UTC, one", "2024-05-02 22:37", "2024-05-03 04:47"),
        ("Starting on May 2nd from 4:59pm UTC to 6:06pm UTC, x", "2024-05-02 16:59", "2024-05-02 18:06"),
        ("On May 2 2024 12:00 UTC - 5/4/2024, 18:31 UTC, the API", "2024-05-02 12:00", "2024-05-04 18:31"),
        ("Between 8:18 and 9:38 UTC on Thursday, May 2nd, customers", "2024-05-02 08:18", "2024-05-02 09:38"),
    ],
)
def test_a_window_that_prose_tells(text: str, start: str, end: str) -> None:
    (window,) = windows_told(text, date(2024, 5, 2))
    assert (window.started_at, window.ended_at) == (at(start), at(end))


@pytest.mark.parametrize(
    "text",
    [
        "On May 2, 2024 at 13:40 UTC, our monitoring saw an increase. We fixed it at 16:07 UTC.",
        "We will provide an update by 20:15 UTC.",
        "Between Monday and Tuesday some requests failed.",
        "Up to 10 - 20% of requests failed, 3.5 and 4.1 on average.",
    ],
)
def test_a_moment_in_a_story_is_no_window(text: str) -> None:
    assert windows_told(text, date(2024, 5, 2)) == ()


def test_bad_lines_are_listed_and_the_others_are_imported() -> None:
    good, nameless = record(*ORDINARY), record(*ORDINARY, id="")
    timeless = record({"at": "yesterday", "status": "Resolved", "message": ""}, id="2")
    text = "\n".join([json.dumps(good), "{broken", "[1]", json.dumps(nameless), "", json.dumps(timeless), json.dumps(good), "{}"])
    result = read_text(text, "incidents.jsonl")
    assert [one.incident.incident_id for one in result.incidents] == ["1"]
    assert [problem.line for problem in result.problems] == [2, 3, 4, 6, 6, 7, 8]
