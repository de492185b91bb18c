"""What the report and the command say of applied changes, from the lake's tables of a day."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.errors import MissingPartition, NightshiftError
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.tables import PROPOSAL_OUTCOMES, PROPOSALS, SERVICE_HEADROOM
from dagster_project.pipeline.outcome_report import listed_outcomes, outcomes_in_report
from dagster_project.pipeline.outcome_rows import outcome_from, read_outcomes, row_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.cli.conftest import run
from tests.outcome_builders import change

DAY = date(2025, 4, 6)
LIVE_ON = date(2025, 3, 9)
Row = dict[str, Any]


def row(name: str, **values: Any) -> Row:
    usual = {
        "resource_id": name, "source": "acme/infra#12", "resource_type": "ec2_instance", "service": "checkout",
        "attribute": "instance_type", "value_before": "m5.2xlarge", "value_after": "m5.xlarge", "value_now": "m5.xlarge",
        "is_rollback": False, "risk": "low", "noted_on": LIVE_ON, "applied_on": LIVE_ON, "days_since": 28,
        "estimated_usd_month": 140.16, "realized_usd_month": 140.16, "is_reversed": False, "emergencies": 0, "incidents": 0,
        "decided_at": datetime(2025, 3, 9, 11),
    }  # fmt: skip
    return {**usual, **values}


REGRETTED = row(
    "i-bad", regret=True, regret_reason="emergency_scaleup", regret_on=date(2025, 3, 12), check_1="fine", check_7="regret",
    check_28="regret", emergencies=1,
)  # fmt: skip
BACK_AGAIN = {"is_reversed": True, "reversed_on": DAY}
FINE = row("i-good", regret=False, check_1="fine", check_7="fine", check_28="fine", samples=8064, exceeded_samples=0)


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(Settings(home=tmp_path / "home"), now=datetime(2025, 4, 7, 2, tzinfo=UTC))


def put(
    runtime: Runtime, *rows: Row, day: date = DAY, proposals: list[Row] | None = None, headrooms: list[Row] | None = None
) -> None:
    for table, given in ((PROPOSAL_OUTCOMES, rows), (PROPOSALS, proposals or []), (SERVICE_HEADROOM, headrooms or [])):
        write_frame(runtime.lake, table, day, pl.DataFrame(list(given), schema=schema(table)))


def back(name: str = "i-bad", **values: Any) -> Row:
    usual = {
        "resource_id": name, "attribute": "instance_type", "value_before": "m5.xlarge", "value_after": "m5.2xlarge",
        "verdict_code": "rollback_after_emergency", "savings_usd_month": -140.16, "route": "pull_request",
    }  # fmt: skip
    return {**usual, **values}


def told(runtime: Runtime, one: Row, **tables: Any) -> tuple[str, str]:
    put(runtime, one, **tables)
    (line,) = outcomes_in_report(runtime.lake, DAY).lines
    return line.state, line.detail


def test_without_a_night_and_without_a_change_one_sentence_says_so(runtime: Runtime) -> None:
    nothing = outcomes_in_report(runtime.lake, DAY)
    assert nothing.sentence == "No change that was proposed has been applied in the last five weeks."
    assert (nothing.lines, nothing.headrooms, nothing.calibration) == ((), (), ())
    put(runtime)
    assert outcomes_in_report(runtime.lake, DAY) == nothing


def test_regrets_come_first_and_all_are_added_up(runtime: Runtime) -> None:
    lost = row("i-lost", realized_usd_month=None, value_now=None)
    gone_back = row("i-back", source="acme/infra#13", is_rollback=True, estimated_usd_month=-140.16, realized_usd_month=-140.16)
    waiting = row("i-new", applied_on=None, days_since=None, realized_usd_month=None, is_reversed=None, emergencies=None)
    put(runtime, FINE, REGRETTED, lost, gone_back, waiting)
    found = outcomes_in_report(runtime.lake, DAY)
    assert [line.resource_id for line in found.lines] == ["i-bad", "i-new", "i-back", "i-good", "i-lost"]
    assert found.sentence == (
        "3 changes became live, 1 regret. $280 a month was estimated for them, and $280 is what they save as of the day. "
        "Of 1 it is not known what they save."
    )
    assert found.lines[0].checks == ("fine", "regret", "regret")
    assert [line.realized_usd_month for line in found.lines] == [140.16, None, -140.16, 140.16, None]


@pytest.mark.parametrize(
    ("proposal", "words"),
    [
        ({}, "It is to go back to m5.2xlarge ($140 a month more), by a pull request."),
        ({"route": "approval"}, "It is to go back to m5.2xlarge ($140 a month more), by an approval."),
        (
            {"route": "by_hand"},
            "It is to go back to m5.2xlarge ($140 a month more), by hand, because no edit of code can make it.",
        ),
        ({"held_back": "It was rejected by alice."}, "It is not taken back ($140 a month more): It was rejected by alice."),
    ],
)
def test_a_regret_says_why_and_which_way_it_goes_back(runtime: Runtime, proposal: Row, words: str) -> None:
    why = "m5.xlarge of i-bad was followed by an emergency scale-up on 2025-03-12."
    assert told(runtime, REGRETTED, proposals=[back(**proposal)]) == ("regret", f"{why} {words}")
    assert told(runtime, REGRETTED) == ("regret", why)


@pytest.mark.parametrize(
    ("values", "state", "words"),
    [
        ({"applied_on": None}, "not live", "It was noted on 2025-03-09, and no inventory shows it yet."),
        ({"check_1": "fine"}, "watched", ""),
        ({"incidents": 2}, "suspect", "2 incidents of checkout began since; that is no proof."),
        ({"check_1": "unknown"}, "watched", "Too few samples are there to tell."),
        ({"check_28": "unknown"}, "unknown", "Too few samples are there to tell."),
        ({"superseded_on": DAY, "check_28": "unknown"}, "superseded", "m5.xlarge gave way to a further step on 2025-04-06."),
        ({"is_rollback": True, "incidents": 1}, "went back", ""),
        (
            {**BACK_AGAIN, "regret": True, "regret_reason": "exceeded", "regret_on": LIVE_ON, "exceeded_samples": 2},
            "regret",
            "m5.xlarge of i-1 was full in 2 samples, first on 2025-03-09. It was taken back on 2025-04-06.",
        ),
        (
            {**BACK_AGAIN, "regret": True, "regret_reason": "reversed", "regret_on": DAY},
            "regret",
            "m5.xlarge of i-1 was taken back on 2025-04-06.",
        ),
    ],
)  # fmt: skip
def test_each_state_has_its_words(runtime: Runtime, values: Row, state: str, words: str) -> None:
    assert told(runtime, row("i-1", **values)) == (state, words)


def test_what_was_learned_on_the_day_and_how_far_chances_hold(runtime: Runtime) -> None:
    for number in range(30):
        watched = row(f"i-{number}", stated_exceedance_pct=1.5, weeks_observed=4, weeks_exceeded=int(number == 7))
        put(runtime, watched, day=DAY - timedelta(days=number))
    # Longer ago than a year, and as it was known before.
    put(runtime, row("i-old", stated_exceedance_pct=1.5, weeks_observed=4, weeks_exceeded=4), day=DAY - timedelta(days=365))
    put(runtime, row("i-3", stated_exceedance_pct=1.5, weeks_observed=1, weeks_exceeded=1), day=DAY - timedelta(days=31))
    today = [{"service": "checkout", "headroom_pct": 20.0, "previous_pct": 0.0, "changed_on": DAY, "reason": "it was too small"}]
    kept = [{"service": "search", "headroom_pct": 15.0, "previous_pct": 20.0, "changed_on": LIVE_ON, "reason": "before"}]
    put(runtime, row("i-0", stated_exceedance_pct=1.5, weeks_observed=4, weeks_exceeded=0), headrooms=[*today, *kept])
    found = outcomes_in_report(runtime.lake, DAY)
    assert [(line.service, line.previous_pct, line.headroom_pct, line.reason) for line in found.headrooms] == [
        ("checkout", 0.0, 20.0, "it was too small")
    ]
    (line,) = found.calibration
    assert (line.label, line.changes, line.weeks, line.exceeded, line.stated_pct) == ("1 to 2 %", 30, 120, 1, 1.5)
    assert (round(line.low_pct or 0, 2), round(line.high_pct or 0, 2)) == (0.15, 4.57)
    (sentence,) = found.calibration_sentences
    assert "1 of 120 weeks had a sample that exceeded the new size (95 % interval 0.1 to 4.6 %), which does not" in sentence


def test_a_row_is_a_value_and_back(runtime: Runtime) -> None:
    put(runtime, REGRETTED, FINE)
    first, second = read_outcomes(runtime.lake, DAY)
    assert (first.change.resource_id, second.change.resource_id) == ("i-bad", "i-good")
    assert first.change.decided_at == datetime(2025, 3, 9, 11, tzinfo=UTC)
    assert (outcome_from(row_of(first)), outcome_from(row_of(second))) == (first, second)
    assert set(row_of(first)) == set(PROPOSAL_OUTCOMES.columns)
    asked = change(decided_at=datetime(2025, 3, 9, 13, tzinfo=UTC))
    assert asked.key == ("i-1", "request:apr-1")


def test_the_command_lists_what_the_report_tells_and_every_column_as_json(runtime: Runtime) -> None:
    with pytest.raises(NightshiftError, match="No night has run in this home yet"):
        listed_outcomes(runtime, None)
    put(runtime, REGRETTED, FINE)
    put(runtime, day=LIVE_ON)
    with pytest.raises(MissingPartition):
        listed_outcomes(runtime, date(2025, 1, 1))
    home = runtime.settings.home
    table = run("proposals", "outcomes", home=home)
    assert table.returncode == 0, table.stderr
    lines = table.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Resource", "i-bad", "i-good"]
    assert "m5.2xlarge → m5.xlarge  2025-03-09       $140   $140  regret  fine   regret  regret" in lines[1]
    rows = [json.loads(line) for line in run("proposals", "outcomes", "--json", home=home).stdout.splitlines()]
    assert [each["resource_id"] for each in rows] == ["i-bad", "i-good"]
    assert set(rows[0]) == set(PROPOSAL_OUTCOMES.columns)
    assert (rows[1]["samples"], rows[1]["exceeded_samples"], rows[0]["samples"]) == (8064, 0, None)
    empty = run("proposals", "outcomes", "--day", str(LIVE_ON), home=home)
    assert empty.stdout == "No change that was proposed had been applied in the five weeks up to 2025-03-09.\n"
