"""Nightshift's own JSON lines."""

from __future__ import annotations

import json
from datetime import date

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


@given(
    st.dictionaries(
        st.sampled_from([*RECORD, "x"]), st.none() | st.integers() | st.text(max_size=9) | st.lists(st.integers(), max_size=3)
    )
)
def test_no_value_breaks_the_reader(values: dict[str, object]) -> None:
    result = read_text(json.dumps(RECORD | values), "own.jsonl")
    assert len(result.incidents) <= 1
    assert result.incidents or result.problems
