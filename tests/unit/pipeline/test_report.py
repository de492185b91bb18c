"""What the report and ``explain`` say of a verdict: its evidence line by line, its money, its place in the night."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project.pipeline.explain import explain
from dagster_project.pipeline.proposal_views import evidence_lines, said
from dagster_project.pipeline.report import build_report
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RightsizingSettings
from tests.night_builders import (
    DATABASE,
    DAY,
    GROUP,
    NO_COSTS,
    THREE_ZONES,
    Machine,
    home,
    machine,
    night,
    outage,
    scale_up,
    verdict,
)

RULES = RightsizingSettings()


def lines(found: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(line.label, line.observed, line.projected, line.limit) for line in evidence_lines(found, RULES)]


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return home(tmp_path)


def test_a_proposal_shows_what_it_stands_on(runtime: Runtime) -> None:
    memory = [{"day": date(2025, 1, 5), "resource_id": "i-1", "metric": "mem_max_pct", "maximum": 36}]
    found = verdict(runtime, machine(), **outage(cpu_peak_pct=48), utilization_daily=memory)
    assert lines(found) == [
        ("CPU P99.5, 28 days, highest in each interval", "35.0 %", "70.0 %", "80 %"),
        ("CPU peak, 28 days, interval averages", "40.0 %", "80.0 %", "100 %"),
        ("Memory peak, 28 days, highest in each interval", "30.0 %", "60.0 %", "90 %"),
        ("Memory peak, 90 days", "36.0 %", "72.0 %", "100 %"),
        ("Network peak, 28 days", "0.08 Gbit/s", "10.7 %", "0.75 Gbit/s"),
        ("Disk peak, 28 days", "80 Mbit/s", "12.3 %", "650 Mbit/s"),
        ("Disk operations peak, 28 days", "200 IOPS", "5.6 %", "3,600 IOPS"),
        ("Incident replay: Payments stopped, 2024-11-30, CPU", "1 event", "96.0 %", "100 %"),
        ("Emergency scale-ups, 28 days", "0", "–", "0"),
        ("Samples present since the first of the look-back", "100.0 %", "–", "at least 90 %"),
        ("Forecast guard: last week's daily peaks are no higher than before", "level", "–", "100 %"),
    ]


def test_a_group_shows_its_busiest_member_and_a_single_vcpu_its_own_limit(runtime: Runtime) -> None:
    group = machine("asg-1", resource_type="autoscaling_group")
    arm = machine("i-1", instance_type="m7g.large")
    found = night(runtime, group, arm)
    assert lines(found["asg-1"])[1] == ("CPU peak, 28 days, busiest member", "45.0 %", "90.0 %", "100 %")
    assert lines(found["i-1"])[1] == ("CPU peak, 28 days, interval averages", "40.0 %", "80.0 %", "90 %")


def test_what_was_never_measured_is_said_and_never_a_zero(runtime: Runtime) -> None:
    nothing = machine(readings=dict.fromkeys(
        ("cpu_avg_pct", "cpu_max_pct", "mem_avg_pct", "mem_max_pct", "net_in_bytes", "disk_read_bytes", "disk_read_ops"))
    )  # fmt: skip
    assert lines(verdict(runtime, nothing)) == [
        ("CPU P99.5, 0 days, not measured", "not measured", "unknown", "80 %"),
        ("CPU peak, 0 days, interval averages", "not measured", "unknown", "100 %"),
        ("Memory peak, 0 days, not measured", "not measured", "unknown", "90 %"),
        ("Memory peak, 90 days", "not measured", "unknown", "100 %"),
        ("Incident replay", "no events", "–", "100 %"),
        ("Emergency scale-ups, 28 days", "0", "–", "0"),
        ("Samples present since the first of the look-back", "0.0 %", "–", "at least 90 %"),
    ]


def test_a_resource_without_a_candidate_shows_demand_and_no_share_of_anything(runtime: Runtime) -> None:
    found = lines(verdict(runtime, machine(instance_type="m5.large")))
    assert found[0] == ("CPU P99.5, 28 days, highest in each interval", "35.0 %", "unknown", "80 %")
    assert not [line for line in found if "Network" in line[0]]


@pytest.mark.parametrize(
    ("one", "target", "note"),
    [
        (machine(), "m5.large", "On-demand Linux list price, us-east-1: "),
        (machine(**DATABASE), "db.m5.large", "On-demand database list price, us-east-1: "),
        (machine(readings={"in_service": {"maximum": 10}}, config=THREE_ZONES, **GROUP), "minimum 6", "On-demand Linux list"),
    ],
    ids=["machine", "database", "group"],
)
def test_a_card_says_what_is_proposed_and_where_the_price_is_from(runtime: Runtime, one: Machine, target: str, note: str) -> None:
    found = verdict(runtime, one)
    (card,) = build_report(runtime, DAY).proposals
    assert card.target_type == target
    assert card.price_note.startswith(note)
    assert card.price_note.endswith(f"{found['price_source']} of {found['price_as_of']}")
    assert card.target_usd_month == pytest.approx(card.current_usd_month - card.savings_usd_month)
    assert card.sentence == said(found)


def test_the_rules_that_were_applied_are_those_of_the_settings(tmp_path: Path) -> None:
    rules = {"max_cpu_p995_pct": 61, "min_slo_budget_left_pct": 17, "max_service_share_pct": 33}
    reached = {"one-step": "The next smaller", "family": "The smallest size of the family", "cheapest": "The cheapest general"}
    for target, words in reached.items():
        runtime = home(tmp_path / target, target=target, **rules)
        night(runtime)
        told = build_report(runtime, DAY).rules
        assert told[0].startswith(words)
        assert all(number in " ".join(told) for number in ("61 %", "17 %", "33 %"))


def test_a_night_says_how_many_verdicts_changed_and_the_first_one_does_not(tmp_path: Path) -> None:
    runtime = home(tmp_path, **NO_COSTS, hysteresis_pct=0)
    full = {"mem_max_pct": {"maximum": 46}}
    night(runtime, machine(), machine("i-2", full), machine("i-3", lifecycle="spot"), day=DAY - timedelta(days=1))
    assert build_report(runtime, DAY - timedelta(days=1)).stability is None
    night(runtime, machine(), machine("i-2"), machine("i-3", lifecycle="spot"), machine("i-4"))
    assert build_report(runtime, DAY).stability == (
        "1 of 3 resources (33.3 %) that had a verdict at the same size within the last days have another one now."
    )


def test_a_night_says_which_decisions_count_as_emergencies(runtime: Runtime) -> None:
    at = {"decision_at": datetime(2025, 3, 8, 10), "action_type": "scale_up", "target": "checkout"}
    decisions = [
        {**at, "day": date(2025, 3, 8), "decision_id": "a"},
        {**at, "day": date(2025, 3, 8), "decision_id": "b", "is_dry_run": True},
        {**at, "day": date(2025, 3, 8), "decision_id": "c", "target": "nobody"},
    ]
    night(runtime, machine(), decision_audit=decisions)
    told = build_report(runtime, DAY).decisions
    assert told is not None
    assert told.startswith("Of 3 decisions in 28 days, emergencies: 1; left out: 1 dry runs, 1 for a target")
    assert "(such as nobody)" in told


def test_the_story_of_a_verdict_tells_its_money_risk_and_past(tmp_path: Path) -> None:
    runtime = home(tmp_path, hysteresis_pct=0)
    full = machine(readings={"mem_max_pct": {"maximum": 46}})
    verdict(runtime, full, day=DAY - timedelta(days=1))
    found = verdict(runtime, machine())
    told = dict(explain(runtime, "i-1", DAY).money)
    assert told["Present size"] == "m5.xlarge, $140.16 a month"
    assert told["Candidate"] == "m5.large, $70.08 a month"
    assert told["Worth after risk"] == f"${found['expected_usd_month']:,.2f} a month"
    assert told["Risk"] == "in 13 of 100 weeks some sample would exceed the candidate"
    assert told["Last verdict"] == "proposed no other size; this one is new"
    assert told["Evidence fingerprint"] == found["fingerprint"]
    verdict(runtime, machine(), day=DAY + timedelta(days=1))
    assert dict(explain(runtime, "i-1", None).money)["Last verdict"] == "proposed m5.large, as now"
    assert dict(explain(runtime, "i-1", DAY - timedelta(days=1)).money)["Last verdict"] == "none for this size"


def test_the_story_of_fewer_members_tells_the_new_minimum_and_no_risk_of_a_size_that_stays(runtime: Runtime) -> None:
    verdict(runtime, machine(readings={"in_service": {"maximum": 10}}, config=THREE_ZONES, **GROUP))
    told = dict(explain(runtime, "i-1", DAY).money)
    assert (told["Present size"], told["Candidate"]) == ("m5.large × 10, $700.80 a month", "none")
    assert (told["New minimum"], told["Savings proposed"]) == ("6 members", "$280.32 a month")
    assert "Risk" not in told


def test_the_story_names_the_emergencies(runtime: Runtime) -> None:
    verdict(runtime, machine(), emergency_scaleups=[scale_up(policy_id="cpu-high")])
    story = explain(runtime, "i-1", DAY)
    assert story.reason_code == "refuse_recent_emergency_scaleup"
    assert story.emergencies == ("2025-03-01 09:30 UTC  checkout (service), policy cpu-high",)
