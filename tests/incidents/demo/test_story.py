"""What the demo's incidents and action items promise to metrics and reminders."""

from __future__ import annotations

from collections import Counter

from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID, action_items, incidents
from dagster_project.domain.incidents.model import PHASES

OPEN_ID = "INC-2025-0361"
# Phases that nobody knows: it was never declared; maintenance has no cause to find; the last one goes on.
UNKNOWN = {
    "INC-2024-3140": {"declared"},
    "INC-2025-0177": {"identified"},
    OPEN_ID: {"identified", "mitigated", "impact_ended", "resolved"},
}


def test_every_phase_is_known_but_for_what_the_story_does_not_know() -> None:
    for row in incidents():
        unknown = {phase for phase in PHASES if phase != "closed" and row[f"{phase}_at"] is None}
        assert unknown == UNKNOWN.get(row["incident_id"], set())


def test_people_acknowledge_what_was_detected_and_end_what_they_mitigated() -> None:
    for row in incidents():
        order = ("impact_started", "detected", "acknowledged", "declared", "identified", "mitigated", "impact_ended", "resolved")
        known = [row[f"{phase}_at"] for phase in order if row[f"{phase}_at"] is not None]
        assert known == sorted(known), row["incident_id"]


def test_the_outage_took_4_h_23_min_and_the_platform_was_down_for_4_h_36_min() -> None:
    outage = next(row for row in incidents() if row["incident_id"] == OUTAGE_ID)
    friday = next(row for row in incidents() if row["incident_id"] == BLACK_FRIDAY_ID)
    assert (outage["impact_ended_at"] - outage["impact_started_at"]).total_seconds() / 60 == 4 * 60 + 23
    assert (friday["impact_ended_at"] - friday["detected_at"]).total_seconds() / 60 == 4 * 60 + 36


def test_the_outage_has_twelve_action_items_of_which_two_are_done() -> None:
    items = [item for item in action_items() if item["incident_id"] == OUTAGE_ID]
    states = Counter(item["state"] for item in items)
    assert len(items) == 12
    assert states["done"] + states["verified"] == 2
    assert {item["type"] for item in items} == {"prevent", "detect", "mitigate", "process", "investigate"}
    assert all(item["owner"] and item["due_on"] and item["tracker_key"] for item in items)


def test_one_open_item_asks_for_capacity() -> None:
    asking = [item["incident_id"] for item in action_items() if item["type"] == "capacity"]
    assert asking == ["INC-2024-3140"]


def test_keys_of_trackers_are_unique() -> None:
    keys = [(item["tracker"], item["tracker_key"]) for item in action_items()]
    assert len(set(keys)) == len(keys)
