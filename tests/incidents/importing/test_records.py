"""Nightshift's own JSON lines."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.incidents.importing.model import from_document, to_document
from dagster_project.domain.incidents.importing.reading import read_text
from tests.incidents.importing.importing_builders import at, document, only, times

RECORD = {
    "incident_id": "INC-7",
    "title": "Payments down",
    "severity": "SEV-1",
    "service": "payments",
    "kind": "normal",
    "declared_at": "2024-05-02T10:00:00+02:00",
    "resolved_at": "2024-05-02T09:30:00Z",
    "detected_at": "2024-05-02 10:58",
    "timeline": [{"at": "2024-05-02T08:05:00Z", "text": "Somebody looks", "actor": "Dana"}],
    "impact_windows": [
        {"started_at": "2024-05-02T07:00:00Z", "ended_at": None},
        ["2024-05-01T07:00:00Z", "2024-05-01T08:00:00Z"],
    ],
    "action_items": [
        {"title": "Alert on orders", "owner": "Dana", "due_on": "2024-06-01", "tracker": "jira", "tracker_key": "PAY-1"}
    ],
}


def test_columns_and_lists_are_read() -> None:
    result = read_text(json.dumps(RECORD), "own.jsonl", zone="Europe/London")
    imported = only(result)
    assert result.problems == ()
    assert times(imported) == {
        "declared": at("2024-05-02 08:00"),
        "resolved": at("2024-05-02 09:30"),
        "detected": at("2024-05-02 09:58"),
    }
    assert [window.ended_at for window in imported.incident.windows] == [None, at("2024-05-01 08:00")]
    assert (imported.events[0].actor, imported.events[0].occurred_at) == ("Dana", at("2024-05-02 08:05"))
    (item,) = imported.action_items
    assert (item.item_id, item.due_on, item.tracker_key, item.state) == ("INC-7:item:1", date(2024, 6, 1), "PAY-1", "open")


def test_unknown_keys_and_bad_values_are_listed_with_their_line_and_the_rest_is_kept() -> None:
    bad = RECORD | {
        "colour": "red",
        "kind": "party",
        "declared_at": "noon",
        "severity": 1,
        "timeline": [{"at": "x"}],
        "action_items": [{}],
    }
    result = read_text("\n\n" + json.dumps(bad), "own.jsonl")
    assert {problem.line for problem in result.problems} == {3}
    said = " ".join(problem.sentence for problem in result.problems)
    for word in ("colour", "party", "noon", "severity", "Row 1", "Action item 1"):
        assert word in said
    assert set(times(only(result))) == {"detected", "resolved"}


def test_a_record_without_id_or_title_is_not_imported() -> None:
    result = read_text('{"incident_id": "", "title": "x"}\n{"incident_id": "1"}', "own.jsonl")
    assert result.incidents == ()
    assert [problem.line for problem in result.problems] == [1, 2]


def test_a_document_of_the_state_store_is_an_exact_round_trip() -> None:
    names = ("sre-table.md", "properties-table.md", "day-headings.md", "prose-bullets.md", "swapped-key-events.md")
    for imported in [only(read_text(json.dumps(RECORD), "own.jsonl")), *(only(document(name)) for name in names)]:
        assert from_document(json.loads(json.dumps(to_document(imported)))) == imported


def phases_of(**values: object) -> dict[str, tuple[datetime, str, float]]:
    imported = only(read_text(json.dumps({"incident_id": "1", "title": "x", **values}), "own.jsonl", zone="Europe/London"))
    return {phase: (one.at, one.precision, one.confidence) for phase, one in imported.incident.phases.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01", (at("2024-05-01 00:00"), "day", 0.6)),
        ("20240501", (at("2024-05-01 00:00"), "day", 0.6)),
        ("2024-05-01T12", (at("2024-05-01 11:00"), "hour", 0.9)),
        ("2024-05-01T12+02:00", (at("2024-05-01 10:00"), "hour", 0.9)),
        ("2024-05-01 12:07", (at("2024-05-01 11:07"), "minute", 1.0)),
        ("2024-05-01T12:07Z", (at("2024-05-01 12:07"), "minute", 1.0)),
        ("2024-05-01T12:07:00Z", (at("2024-05-01 12:07"), "second", 1.0)),
        ("20240501T120730.5-05:00", (at("2024-05-01 17:07:30.5"), "second", 1.0)),
    ],
)
def test_the_form_of_a_time_tells_how_exactly_it_is_known(text: str, expected: tuple[datetime, str, float]) -> None:
    assert phases_of(detected_at=text) == {"detected": expected}


@pytest.mark.parametrize("pair", [["2024-05-01", "2024-05-02"], ["2024-05-01T12:00Z", "2024-05-01T13"]])
def test_a_window_of_days_or_hours_counts_no_minutes(pair: list[str]) -> None:
    result = read_text(json.dumps({"incident_id": "1", "title": "x", "impact_windows": [pair]}), "own.jsonl")
    assert only(result).incident.windows == ()
    assert {"known to the minute" in problem.sentence for problem in result.problems} == {True}


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2200-01-01",
        "9999-12-31T23:59:00Z",
        "9999-12-31",
        "1970-01-01T00:30+01:00",
    ],
)
def test_a_time_of_no_year_of_ours_is_left_out_with_its_line(text: str) -> None:
    row = {"at": text, "text": "x"}
    bad = {"detected_at": text, "resolved_at": "2024-05-02T10:00Z", "timeline": [row], "impact_windows": [[text, None]]}
    result = read_text("\n" + json.dumps({"incident_id": "1", "title": "x", **bad}), "own.jsonl")
    assert set(times(only(result))) == {"resolved"}
    assert (only(result).events, only(result).incident.windows) == ((), ())
    assert {problem.line for problem in result.problems} == {2}
    assert sum("1970 to 2199" in problem.sentence for problem in result.problems) == 3


def test_the_first_and_the_last_year_are_read() -> None:
    assert set(phases_of(detected_at="1970-01-01T00:00:00Z", resolved_at="2199-12-31T23:59:59Z")) == {"detected", "resolved"}
    item = {"title": "x", "due_on": "9999-12-31"}
    result = read_text(json.dumps({"incident_id": "1", "title": "x", "action_items": [item]}), "own.jsonl")
    assert only(result).action_items[0].due_on is None
    assert "due_on" in result.problems[0].sentence


def test_a_record_without_a_status_has_none() -> None:
    assert only(read_text('{"incident_id": "1", "title": "x"}', "own.jsonl")).incident.status is None


@pytest.mark.parametrize("escape", ["\\ud800", "\\uDFFF", "\\u0000"])
def test_what_no_text_may_hold_is_replaced_wherever_it_stands(escape: str) -> None:
    line = '{"incident_id": "A%", "title": "b%", "summary": "\\\\u0000 \\ud83d\\ude00", "services": ["c%"], "odd%": 1}'
    result = read_text(line.replace("%", escape), "own.jsonl")
    incident = only(result).incident
    assert (incident.incident_id, incident.title, incident.services) == ("A\ufffd", "b\ufffd", ("c\ufffd",))
    assert incident.summary == "\\u0000 \U0001f600"
    json.dumps(to_document(only(result)), ensure_ascii=False).encode()
    assert [problem.sentence.encode() for problem in result.problems]


@given(
    st.dictionaries(
        st.sampled_from([*RECORD, "x"]), st.none() | st.integers() | st.text(max_size=9) | st.lists(st.integers(), max_size=3)
    )
)
def test_no_value_breaks_the_reader(values: dict[str, object]) -> None:
    result = read_text(json.dumps(RECORD | values), "own.jsonl")
    assert len(result.incidents) <= 1
    assert result.incidents or result.problems
