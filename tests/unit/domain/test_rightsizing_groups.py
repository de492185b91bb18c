"""How low the minimum of a group may go: whatever asks for most members decides."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.groups import Minimum, lowest_minimum, with_lower_minimum
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.verdict import Verdict, decide
from tests.rightsizing_builders import CATALOG, FAMILY, NAN, evidence_of

# Ten members of one vCPU and 4 GiB, the smallest size of their family: 730 USD a month.
GROUP: dict[str, Any] = {
    "kind": "autoscaling_group",
    "size": "m9.medium",
    "peak": {CPU: 0.3, MEMORY: 0.8},
    "cpu_p995": 0.25,
    "memory_ever": 0.9,
    "units": 10.0,
    "minimum_size": 10.0,
    "in_service_peak": 10.0,
    "zones": 2.0,
}
QUIET = {NETWORK: 0.01, DISK: 10.0, IOPS: 40.0}
IDLE = {"peak": dict.fromkeys((CPU, MEMORY, NETWORK, DISK, IOPS), 0.0)}


def lowest(rules: Rules = FAMILY, **overrides: Any) -> Minimum | None:
    return lowest_minimum(evidence_of(_row(overrides)), 0, CATALOG, rules)


def _row(overrides: dict[str, Any]) -> dict[str, Any]:
    """The group, whose traffic is quiet unless told."""
    row = {**GROUP, **overrides}
    return {**row, "peak": {**QUIET, **row["peak"]}}


def group(rules: Rules = FAMILY, **overrides: Any) -> tuple[Verdict, Verdict, int | None]:
    """The verdict on the type, the verdict after the minimum was looked at, and the new minimum."""
    evidence = evidence_of(_row(overrides))
    (on_type,) = decide(evidence, CATALOG, rules)
    return on_type, *with_lower_minimum(on_type, evidence, 0, CATALOG, rules)


@pytest.mark.parametrize(
    ("overrides", "members", "asked_by"),
    [
        ({}, 4, "CPU at the busiest moment"),  # 10 · 0.3 / 0.8 = 3.75
        ({"peak": {CPU: 0.3, MEMORY: 2.0}}, 6, "memory at the busiest moment"),  # 10 · 2 / 3.6 = 5.56
        ({"zones": 5.0}, 5, "one member in each zone"),
        ({"scheduled_minimum": 7.0}, 7, "a scheduled minimum"),
        ({"incident_in_service": 8.0}, 8, "members in service during an incident"),
        ({**IDLE, "zones": 0.0}, 1, "a group has a member"),
        ({"incident_in_service": 7.2}, 8, "members in service during an incident"),
        ({"incident_in_service": 12.0}, 12, "members in service during an incident"),
    ],
    ids=str,
)
def test_what_asks_for_most_decides(overrides: dict[str, Any], members: int, asked_by: str) -> None:
    assert lowest(**overrides) == Minimum(members, asked_by)


def test_unknown_zones_leave_the_minimum_alone() -> None:
    assert lowest(**IDLE, zones=NAN) is None


def test_whole_members_are_not_rounded_up_by_the_last_digit_of_a_float() -> None:
    assert 6 * 0.8 / 0.8 > 6
    assert lowest(in_service_peak=6.0, peak={CPU: 0.8, MEMORY: 0.8}) == Minimum(6, "CPU at the busiest moment")
    assert 10 * 3.24 / (4 * 90 / 100) > 9
    assert lowest(peak={CPU: 0.1, MEMORY: 3.24}) == Minimum(9, "memory at the busiest moment")
    assert lowest(in_service_peak=6.0, peak={CPU: 0.4 + 1e-6, MEMORY: 0.8}) == Minimum(4, "CPU at the busiest moment")


def test_the_limits_are_rules() -> None:
    assert lowest(Rules(max_cpu_p995_pct=40)) == Minimum(8, "CPU at the busiest moment")  # 10 · 0.3 / 0.4 = 7.5
    half = Rules(max_memory_peak_pct=45)
    assert lowest(half, peak={CPU: 0.1, MEMORY: 1.5}) == Minimum(9, "memory at the busiest moment")  # 10 · 1.5 / 1.8 = 8.3


@pytest.mark.parametrize(
    "unknown",
    [
        {"in_service_peak": NAN},
        {"minimum_size": NAN},
        {"peak": {CPU: NAN}},
        {"peak": {MEMORY: NAN}},
        {"size": "m99.large"},
    ],
    ids=str,
)
def test_what_is_not_known_leaves_the_minimum_alone(unknown: dict[str, Any]) -> None:
    assert lowest(**unknown) is None
    assert group(**unknown)[2] is None


def test_a_lower_minimum_saves_the_members_that_it_alone_kept() -> None:
    on_type, said, minimum = group()
    assert (on_type.code, minimum) == ("keep_no_cheaper_fit", 4)
    assert (said.code, said.verdict, said.value, said.limit) == ("propose_lower_minimum", "propose", 4, 10)
    assert (said.text, said.target, said.candidate) == ("CPU at the busiest moment", None, None)
    assert said.savings_usd_month == pytest.approx(6 * 73) == said.expected_usd_month
    assert said.candidate_usd_month == pytest.approx(4 * 73)
    assert said.current_usd_month == pytest.approx(730)


def test_a_restart_is_paid_in_a_year() -> None:
    assert group(Rules(target="family", restart_cost_usd=120))[1].expected_usd_month == pytest.approx(6 * 73 - 10)


def test_members_that_are_not_there_cannot_be_saved() -> None:
    said = group(units=8.0)[1]
    assert (said.savings_usd_month, said.candidate_usd_month) == (pytest.approx(4 * 73), pytest.approx(4 * 73))
    assert group(units=4.0)[2] is None


@pytest.mark.parametrize(
    ("overrides", "minimum"),
    [
        ({"minimum_size": 5.0, "in_service_peak": 5.0, "units": 5.0, "zones": 4.0}, 4),
        ({"minimum_size": 5.0, "in_service_peak": 5.0, "units": 5.0, "zones": 5.0}, None),  # as low as it goes
        ({"in_service_peak": 11.0}, None),  # it grew beyond its minimum: the minimum is not what keeps members
        ({"in_service_peak": 9.0}, 4),
        ({"kind": "ec2_instance"}, None),
        ({"kind": "rds_instance"}, None),
    ],
    ids=str,
)
def test_only_a_group_that_ran_at_its_minimum_gets_a_lower_one(overrides: dict[str, Any], minimum: int | None) -> None:
    on_type, said, found = group(**overrides)
    assert found == minimum
    assert (said == on_type) == (minimum is None)


def test_the_least_savings_are_those_of_every_proposal() -> None:
    assert group(Rules(target="family", min_savings_usd_month=6 * 73 - 0.001))[2] == 4
    assert group(Rules(target="family", min_savings_usd_month=6 * 73 + 0.01))[2] is None


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"open_incident": "INC-7"}, "refuse_open_incident"),
        ({"emergencies": 1.0}, "refuse_recent_emergency_scaleup"),
        ({"recent_coverage_pct": 50.0}, "insufficient_coverage"),
        ({"rejected": "by ops"}, "refuse_rejected"),
        ({"size": "m9.large", "forecast": {CPU: 1.9}}, "keep_forecast_growth"),
        ({"size": "m9.large", "replay": {CPU: 1.9}, "replay_event": {CPU: "INC-7"}}, "refuse_incident_replay"),
        ({"size": "m9.large", "covered_pct": {MEMORY: 10.0}}, "insufficient_memory_data"),
        ({"size": "m9.xlarge"}, "propose_smaller_size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_speaks_against_any_change_keeps_its_word(overrides: dict[str, Any], code: str) -> None:
    on_type, said, minimum = group(**overrides)
    assert (on_type.code, said, minimum) == (code, on_type, None)


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"size": "m9.large", "peak": {CPU: 1.2, MEMORY: 0.8}, "cpu_p995": 1.0}, "keep_busy_cpu"),
        ({"size": "m9.large", "peak": {CPU: 0.3, MEMORY: 3.9}}, "keep_busy_memory"),
        ({}, "keep_no_cheaper_fit"),
    ],
)
def test_a_type_that_must_stay_may_have_fewer_members(overrides: dict[str, Any], code: str) -> None:
    on_type, said, _ = group(**overrides)
    assert (on_type.code, said.code) == (code, "propose_lower_minimum")


def test_savings_too_small_for_a_type_may_be_enough_for_members() -> None:
    on_type, said, minimum = group(Rules(target="family", min_savings_usd_month=740), size="m9.large", units=10.0)
    assert on_type.code == "keep_savings_too_small", "ten times 73 USD"
    assert (said.code, minimum) == ("propose_lower_minimum", 2)
    assert said.savings_usd_month == pytest.approx(8 * 146)


@pytest.mark.parametrize("busy", [{NETWORK: 0.9}, {DISK: 900.0}, {IOPS: 4500.0}], ids=str)
def test_network_and_disk_ask_for_members_too(busy: dict[int, float]) -> None:
    """Each of ten members carries nine tenths of what it sustains: nine can carry it all."""
    found = lowest(peak={CPU: 0.3, MEMORY: 0.8, **busy})
    assert found is not None and found.members == 9


@pytest.mark.parametrize("unseen", [{"covered_pct": {MEMORY: 10.0}}, {"is_judged": {MEMORY: False}}], ids=str)
def test_memory_that_is_hardly_measured_leaves_the_minimum_alone(unseen: dict[str, Any]) -> None:
    assert group(**unseen)[2] is None


def test_demand_on_its_way_up_leaves_members_for_it() -> None:
    """Nine tenths of a vCPU are to come on each of ten members."""
    minimum = group(forecast={CPU: 0.9})[2]
    assert minimum is None or minimum >= 9


def test_a_saturated_member_says_nothing_of_how_many_are_needed() -> None:
    assert group(peak={CPU: 0.98, MEMORY: 0.8}, cpu_p995=0.7, in_service_peak=4.0)[2] is None
