"""What becomes of applied changes over several days, with a real PostgreSQL: noted, watched, judged, learned from, taken back."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from dagster_project.actions.outcome_store import watched
from dagster_project.lake.tables import PROPOSAL_OUTCOMES, PROPOSALS, SERVICE_HEADROOM
from tests.conftest import query
from tests.outcome_builders import Days, change
from tests.proposal_builders import FIRST_DAY, Machine, machines

MONTH_USD = 0.192 * 730
"""m5.2xlarge costs $0.384 an hour in us-east-1, m5.xlarge half of it."""


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


@pytest.fixture
def days(tmp_path: Path, dsn: str) -> Days:
    """One machine that is asked to become smaller, on the night before anybody does."""
    found = Days(tmp_path, dsn, machines("i-1"))
    found.night()
    return found


def shrink(days: Days, name: str = "i-1") -> None:
    """Somebody makes a machine as small as it was proposed."""
    machine = days.machines[name]
    machine.live, machine.target = machine.target or machine.live, None


def test_a_change_that_goes_well_is_fine_at_each_check_and_saves_what_was_estimated(days: Days) -> None:
    days.machines["i-1"].savings = MONTH_USD
    days.day += timedelta(days=1)
    days.night()
    shrink(days)
    row = days.nights(1)["i-1"]
    assert (row["source"], row["noted_on"], row["applied_on"], row["days_since"]) == ("seen 2025-03-11", day(2), day(2), 0)
    assert (row["value_before"], row["value_after"], row["value_now"]) == ("m5.2xlarge", "m5.xlarge", "m5.xlarge")
    assert (row["check_1"], row["check_7"], row["check_28"], row["regret"]) == (None, None, None, None)
    checks = {}
    for number, passed in ((1, 1), (6, 5), (7, 1), (27, 20), (28, 1)):
        row = days.nights(passed)["i-1"]
        checks[number] = (row["check_1"], row["check_7"], row["check_28"], row["regret"])
    assert checks == {
        1: ("fine", None, None, None),
        6: ("fine", None, None, None),
        7: ("fine", "fine", None, None),
        27: ("fine", "fine", None, None),
        28: ("fine", "fine", "fine", False),
    }
    assert round(row["realized_usd_month"], 2) == round(row["estimated_usd_month"], 2) == 140.16
    assert (row["samples"], row["exceeded_samples"], row["exceedance_pct"], row["coverage_pct"]) == (28 * 288, 0, 0.0, 100.0)
    assert (row["weeks_observed"], row["weeks_exceeded"], row["emergencies"], row["incidents"]) == (4, 0, 0, 0)
    assert (row["stated_exceedance_pct"], row["is_reversed"]) == (1.0, False)
    assert days.headrooms() == {}
    # Listed for a week more, and then no longer.
    assert set(days.nights(7)) == {"i-1"}
    assert days.nights(1) == {}


def test_a_change_that_was_taken_back_by_hand_is_a_regret(days: Days) -> None:
    shrink(days)
    days.nights(3)
    days.machines["i-1"].live = "m5.2xlarge"
    row = days.nights(1)["i-1"]
    assert (row["is_reversed"], row["reversed_on"], row["regret"], row["regret_reason"]) == (True, day(4), True, "reversed")
    assert (row["realized_usd_month"], row["samples"], row["check_1"]) == (0.0, 2 * 288, "fine")
    assert days.proposals() == {}
    assert days.headrooms() == {"payment-api": 20.0}
    row = days.nights(4)["i-1"]
    assert (row["check_7"], row["samples"], row["reversed_on"]) == ("regret", 2 * 288, day(4))
    assert days.headrooms() == {"payment-api": 20.0}


def test_the_next_smaller_size_is_no_reversal_and_each_is_watched_for_itself(days: Days) -> None:
    shrink(days)
    days.nights(1)
    days.nights(8)
    days.machines["i-1"].target = "m5.large"
    days.night()
    shrink(days)
    days.nights(1)
    rows = {row["source"]: row for row in days.table(PROPOSAL_OUTCOMES)}
    first, second = (rows[f"seen {day(number)}"] for number in (1, 10))
    assert (first["is_reversed"], first["superseded_on"], first["regret"]) == (False, day(10), None)
    assert (first["check_7"], second["check_1"]) == ("fine", None)
    # What the second saves is told of the second.
    assert round(first["realized_usd_month"], 2) == 140.16
    assert round(second["realized_usd_month"], 2) == 70.08
    days.nights(19)
    rows = {row["source"]: row for row in days.table(PROPOSAL_OUTCOMES)}
    assert (rows[f"seen {day(1)}"]["check_28"], rows[f"seen {day(10)}"]["check_7"]) == ("unknown", "fine")
    assert days.headrooms() == {}


def test_what_was_not_measured_is_unknown_and_not_fine(tmp_path: Path, dsn: str) -> None:
    days = Days(tmp_path, dsn, machines("i-1", "i-2"))
    days.night()
    shrink(days, "i-1")
    shrink(days, "i-2")
    days.nights(1)
    for number in range(2, 6):
        days.unmeasured.add(("i-1", day(number)))
        days.memory["i-2", day(number)] = None
    rows = days.nights(1)
    assert {name: row["check_1"] for name, row in rows.items()} == {"i-1": "unknown", "i-2": "unknown"}
    rows = days.nights(6)
    for row in rows.values():
        assert (row["check_1"], row["check_7"], row["regret"]) == ("unknown", "unknown", None)
    assert {name: round(row["coverage_pct"], 2) for name, row in rows.items()} == {"i-1": round(300 / 7, 2), "i-2": 100.0}
    # 24 of 28 days are there.
    for row in days.nights(21).values():
        assert (row["check_7"], row["check_28"], row["weeks_observed"], row["weeks_exceeded"]) == ("unknown", "fine", 3, 0)


def test_a_sample_at_the_limit_of_the_size_is_one_that_exceeds_it(tmp_path: Path, dsn: str) -> None:
    readings = {
        "cpu-below": (94.9, 50.0), "cpu-at": (95.0, 50.0), "memory-below": (40.0, 97.9), "memory-at": (40.0, 98.0),
        "both": (100.0, 99.0),
    }  # fmt: skip
    days = Days(tmp_path, dsn, machines(*readings))
    days.night()
    for name, (cpu, memory) in readings.items():
        shrink(days, name)
        days.cpu[name, day(2)], days.memory[name, day(2)] = cpu, memory
    days.nights(1)
    days.day += timedelta(days=1)
    days.write(days.runtime())
    rows = days.nights(1)
    assert {name: row["exceeded_samples"] for name, row in rows.items()} == {
        "cpu-below": 0, "cpu-at": 1, "memory-below": 0, "memory-at": 1, "both": 1,
    }  # fmt: skip
    fine, bad = rows["cpu-below"], rows["cpu-at"]
    assert (fine["samples"], fine["exceedance_pct"], fine["regret"], fine["check_1"]) == (576, 0.0, None, "fine")
    assert (bad["samples"], bad["exceedance_pct"], bad["regret"], bad["check_1"]) == (576, 100 / 576, True, "regret")
    assert (bad["regret_reason"], bad["first_exceeded_on"]) == ("exceeded", day(2))


def test_the_day_of_the_change_belongs_to_both_sizes(days: Days) -> None:
    days.cpu["i-1", day(1)] = 100.0
    shrink(days)
    days.emergency("i-1", datetime(2025, 3, 9, 23, 59))
    row = days.nights(2)["i-1"]
    assert (row["exceeded_samples"], row["emergencies"], row["regret"]) == (0, 0, None)
    days.emergency("i-1", datetime(2025, 3, 10, 0, 1))
    row = days.nights(1)["i-1"]
    assert (row["emergencies"], row["regret_on"]) == (1, day(1))


def test_incidents_alone_are_suspect_and_no_regret(days: Days) -> None:
    shrink(days)
    days.nights(1)
    at = datetime(2025, 3, 11, 8)
    days.incidents = [
        {"incident_id": "INC-1", "title": "Down", "service": "payment-api", "impact_started_at": at},
        {"incident_id": "INC-2", "title": "A drill", "service": "payment-api", "kind": "drill", "impact_started_at": at},
        {"incident_id": "INC-3", "title": "Others", "service": "search", "impact_started_at": at},
        {"incident_id": "INC-4", "title": "Before", "service": "payment-api", "impact_started_at": datetime(2025, 3, 9, 8)},
    ]
    row = days.nights(1)["i-1"]
    assert (row["incidents"], row["regret"], row["check_1"]) == (1, None, "fine")
    days.sources = [{"source": "incidents", "status": "absent", "rows_read": 0, "rows_written": 0, "rows_rejected": 0}]
    assert days.nights(1)["i-1"]["incidents"] is None


def test_a_group_with_a_lower_minimum_saves_the_members_that_are_gone(tmp_path: Path, dsn: str) -> None:
    group = {"resource_type": "autoscaling_group", "units": 6, "instance_type": "m5.xlarge"}
    days = Days(tmp_path, dsn, {"web": Machine("web", target=None)})
    days.inventory["web"] = {**group, "config": '{"min_size": 6}'}
    days.members["web"] = 6.0
    asked = {"resource_id": "web", "resource_type": "autoscaling_group", "attribute": "min_size"}
    days.night()
    days.nights(7)
    days.note(change(**asked, value_before="6", value_after="4", estimated_usd_month=280.32, noted_on=day(8)))
    days.inventory["web"] = {**group, "units": 4, "config": '{"min_size": 4}'}
    days.members["web"] = 4.0
    days.nights(1)
    assert days.outcomes()["web"]["realized_usd_month"] is None
    row = days.nights(1)["web"]
    assert (row["value_now"], row["applied_on"], row["check_1"]) == ("4", day(8), "fine")
    assert round(row["realized_usd_month"], 2) == 280.32
    # One day with five of them: a half is gone on average of two days.
    days.members["web"] = 5.0
    assert round(days.nights(1)["web"]["realized_usd_month"], 2) == round(1.5 * 140.16, 2)
    # The busiest member is full: the average of all would not show it.
    days.emergency("web", datetime(2025, 3, 20, 9))
    days.nights(1)
    proposal = days.proposals()["web"]
    assert (proposal["attribute"], proposal["value_before"], proposal["value_after"]) == ("min_size", "4", "6")
    assert (proposal["savings_usd_month"], proposal["route"]) == (-280.32, "approval")
    assert "It goes back to a minimum of 6, because" in proposal["risk_reasons"]


def test_a_way_back_is_asked_for_until_four_weeks_after_the_emergency(days: Days) -> None:
    shrink(days)
    days.nights(1)
    days.nights(25)
    days.emergency("i-1", datetime(2025, 4, 5, 9))
    row = days.nights(1)["i-1"]
    assert (row["days_since"], row["emergencies"], row["regret"]) == (26, 1, True)
    assert set(days.proposals()) == {"i-1"}
    row = days.nights(26)["i-1"]
    assert (row["days_since"], row["check_28"], row["regret"]) == (52, "regret", True)
    assert set(days.proposals()) == {"i-1"}
    assert days.nights(2) == {}
    assert days.proposals() == {}


def test_a_machine_in_need_is_not_made_smaller_in_the_same_night(days: Days) -> None:
    """Where an emergency forbids a smaller size for less time than a change is watched."""
    shrink(days)
    days.nights(1)
    days.emergency("i-1", datetime(2025, 3, 11, 9))
    days.machines["i-1"].target = "m5.large"
    days.nights(1)
    proposals = days.table(PROPOSALS)
    assert [(row["value_before"], row["value_after"]) for row in proposals] == [("m5.xlarge", "m5.2xlarge")]


def test_what_may_not_be_proposed_at_all_does_not_go_back_either(tmp_path: Path, dsn: str) -> None:
    reasons = {"i-1": "refuse_excluded_by_tag", "i-2": "refuse_kill_switch", "i-3": "refuse_recent_emergency_scaleup"}
    days = Days(tmp_path, dsn, machines(*reasons))
    days.night()
    for name, reason in reasons.items():
        shrink(days, name)
        days.machines[name].reason = reason
        days.emergency(name, datetime(2025, 3, 11, 9))
    days.nights(1)
    assert {name: row["regret"] for name, row in days.nights(1).items()} == dict.fromkeys(reasons, True)
    assert set(days.proposals()) == {"i-3"}


def test_a_night_that_is_run_again_gives_the_same_bytes_and_no_second_row(days: Days) -> None:
    shrink(days)
    days.nights(2)
    days.emergency("i-1", datetime(2025, 3, 12, 9))
    days.nights(1)
    both = (PROPOSAL_OUTCOMES, SERVICE_HEADROOM, PROPOSALS)
    first = days.bytes_of(*both)
    days.night()
    assert days.bytes_of(*both) == first
    assert len(query(days.dsn, "select * from nightshift.applied_changes")) == 1
    assert len(query(days.dsn, "select * from nightshift.headroom_changes")) == 1
    # Long afterwards, from what was noted by then.
    days.note(change(resource_id="i-9", noted_on=day(8)))
    late = datetime(2025, 5, 1, 2, tzinfo=UTC)
    days.night(now=late)
    assert days.bytes_of(*both) == first


def test_a_day_that_is_not_the_newest_writes_nothing_to_the_state(days: Days) -> None:
    shrink(days)
    days.nights(1)
    days.emergency("i-1", datetime(2025, 3, 11, 9))
    days.day += timedelta(days=1)
    late = datetime(2025, 5, 1, 2, tzinfo=UTC)
    row = days.night(now=late)["i-1"]
    assert row["regret"] is True
    assert days.headrooms() == {}
    assert query(days.dsn, "select * from nightshift.headroom_changes") == []
    (kept,) = query(days.dsn, "select * from nightshift.applied_changes")
    assert (kept["regret_counted_on"], kept["success_counted_on"]) == (None, None)
    # The night itself learns what the back-fill only saw.
    days.night()
    assert days.headrooms() == {"payment-api": 20.0}


def test_headroom_falls_again_after_a_change_that_was_fine_and_no_regret(tmp_path: Path, dsn: str) -> None:
    days = Days(tmp_path, dsn, machines("i-1", "i-2", "i-3"))
    days.night()
    shrink(days)
    days.nights(1)
    days.emergency("i-1", datetime(2025, 3, 11, 9))
    days.nights(1)
    assert days.headrooms() == {"payment-api": 20.0}
    shrink(days, "i-2")
    days.nights(5)
    days.night()
    shrink(days, "i-3")
    days.nights(1)
    days.nights(23)
    # The one of the third day was fine for 28 days when the regret was 28 days ago.
    assert days.day == day(31)
    assert (days.outcomes()["i-2"]["check_28"], days.headrooms()) == ("fine", {"payment-api": 15.0})
    days.nights(5)
    assert days.headrooms() == {"payment-api": 10.0}
    days.nights(1)
    rows = query(days.dsn, "select changed_on, headroom_pct, reason from nightshift.headroom_changes order by changed_on")
    assert [tuple(row) for row in rows] == [
        (day(2), 20.0, "m5.xlarge of i-1 was followed by an emergency scale-up on 2025-03-11"),
        (day(31), 15.0, "m5.xlarge of i-2 has done for 28 days"),
        (day(36), 10.0, "m5.xlarge of i-3 has done for 28 days"),
    ]


def test_a_request_that_nightshift_executed_is_live_when_the_inventory_shows_it(days: Days) -> None:
    asked = change(noted_on=day(1), decided_at=datetime(2025, 3, 10, 11, tzinfo=UTC))
    assert days.note(asked, asked) == 1
    assert days.note(asked) == 0
    row = days.nights(1)["i-1"]
    assert (row["applied_on"], row["days_since"], row["check_1"]) == (None, None, None)
    shrink(days)
    row = days.nights(1)["i-1"]
    assert (row["source"], row["applied_on"], row["decided_by"]) == ("request:apr-1", day(2), "alice@example.com")
    (kept,) = query(days.dsn, "select * from nightshift.applied_changes")
    assert kept["applied_on"] == day(2)


def test_one_that_never_becomes_live_is_listed_for_five_weeks(days: Days) -> None:
    days.machines["i-1"].target = None
    days.note(change())
    assert set(days.nights(35)) == {"i-1"}
    assert days.nights(1) == {}


def test_a_change_is_noted_once_from_wherever_it_is_heard_of(days: Days) -> None:
    shrink(days)
    days.nights(1)
    assert days.note(change(noted_on=day(1))) == 0
    (kept,) = query(days.dsn, "select source from nightshift.applied_changes")
    assert kept["source"] == "seen 2025-03-10"


def test_a_resource_that_is_gone_saves_an_unknown_amount(days: Days) -> None:
    shrink(days)
    days.nights(1)
    days.machines["i-1"].is_listed = False
    row = days.nights(1)["i-1"]
    assert (row["value_now"], row["realized_usd_month"], row["is_reversed"], row["check_1"]) == (None, None, False, "unknown")
    assert (row["samples"], row["exceeded_samples"]) == (0, None)


def test_the_state_store_is_asked_for_what_may_still_be_told(days: Days) -> None:
    """Whatever there was before: nothing grows with history."""
    old = [change(resource_id=f"old-{number}", noted_on=FIRST_DAY - timedelta(days=200 + number)) for number in range(20)]
    days.note(*old, change(resource_id="i-1"))
    found = days.in_state(lambda connection: watched(connection, days.day))
    assert [each.resource_id for each in found] == ["i-1"]
    query(days.dsn, "update nightshift.applied_changes set applied_on = $1", FIRST_DAY - timedelta(days=57))
    assert days.in_state(lambda connection: watched(connection, days.day)) == []


def test_the_headroom_that_was_learned_is_never_written_over(days: Days) -> None:
    shrink(days)
    days.nights(1)
    days.emergency("i-1", datetime(2025, 3, 11, 9))
    days.nights(1)
    with pytest.raises(asyncpg.RaiseError, match="headroom_changes is append-only"):
        query(days.dsn, "update nightshift.headroom_changes set headroom_pct = 0")
