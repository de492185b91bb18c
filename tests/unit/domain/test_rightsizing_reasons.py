"""Every reason that the rules can give: when, with which numbers, and how it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from dagster_project.domain.reasons import REASONS, sentence
from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.evidence import Evidence
from dagster_project.domain.rightsizing.groups import with_lower_minimum
from dagster_project.domain.rightsizing.portfolio import Limits, one_night
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.domain.rightsizing.verdict import Verdict, decide
from tests.rightsizing_builders import CATALOG, FAMILY, NAN, evidence_of, sizes_changed, verdict_of, verdicts_of

Row = Mapping[str, Any]


def alone(row: Row, rules: Rules, shapes: Shapes) -> Verdict:
    return verdict_of(rules, shapes, **row)


def five_like_it(row: Row, rules: Rules, shapes: Shapes) -> Verdict:
    return verdicts_of(*([{**row, "pool": 1}] * 5), rules=rules, shapes=shapes)[0]


def as_group(row: Row, rules: Rules, shapes: Shapes) -> Verdict:
    evidence = evidence_of({**row, "kind": "autoscaling_group"}, shapes=shapes)
    return with_lower_minimum(decide(evidence, shapes, rules)[0], evidence, 0, shapes, rules)[0]


def behind_a_neighbour(row: Row, rules: Rules, shapes: Shapes) -> Verdict:
    last = verdicts_of(row, {**row, "units": 2.0}, rules=rules, shapes=shapes)
    return one_night(last, ["checkout", "payments"], [("checkout", "payments")], Limits())[0]


def fourth_of_its_service(row: Row, rules: Rules, shapes: Shapes) -> Verdict:
    four = verdicts_of(*([row] * 4), rules=rules, shapes=shapes)
    return one_night(four, ["checkout"] * 4, [], Limits())[3]


@dataclass(frozen=True)
class Case:
    """What is known of a resource, and what is said of it."""

    name: str
    code: str
    row: Row
    value: float | None
    limit: float | None
    text: str | None
    told: str
    rules: Rules = FAMILY
    shapes: Shapes = CATALOG
    judge: Callable[[Row, Rules, Shapes], Verdict] = field(default=alone)


CREDITLESS = {"size": "t9.xlarge", "peak": {CPU: 1.0, MEMORY: 4.0}, "memory_ever": 4.0, "cpu_p995": 0.6}
SMALL = {"size": "m9.large", "peak": {CPU: 0.5, MEMORY: 2.0, DISK: 100, IOPS: 10}, "memory_ever": 2.0, "cpu_p995": 0.4}
# Ten members with one vCPU and 4 GiB each: 73 USD a month a member.
MEMBERS = {
    "size": "m9.medium",
    "peak": {CPU: 0.3, MEMORY: 0.8, NETWORK: 0.01, DISK: 10.0, IOPS: 40.0},
    "cpu_p995": 0.25,
    "memory_ever": 0.9,
    "units": 10.0,
    "minimum_size": 10.0,
    "in_service_peak": 10.0,
    "zones": 2.0,
}

CASES = [
    Case(
        "a smaller size holds",
        "propose_smaller_size",
        {},
        60.0,
        80.0,
        "m9.xlarge",
        "m9.xlarge holds it: CPU P99.5 would be 60 % of it (limit 80 %), "
        "and no emergency or incident on record would have exceeded it.",
    ),
    Case(
        "a group that ran at its minimum",
        "propose_lower_minimum",
        MEMBERS,
        4.0,
        10.0,
        "CPU at the busiest moment",
        "The group ran at its minimum of 10 members; 4 are enough (CPU at the busiest moment asks for that many).",
        judge=as_group,
    ),
    Case(
        "kill switch",
        "refuse_kill_switch",
        {"kill_switch": "The setting kill_switch is on."},
        None,
        None,
        "The setting kill_switch is on.",
        "The setting kill_switch is on. Nothing is proposed while it is.",
    ),
    Case(
        "open incident",
        "refuse_open_incident",
        {"open_incident": "INC-7 (checkout is slow)"},
        None,
        None,
        "INC-7 (checkout is slow)",
        "Its service has an open incident: INC-7 (checkout is slow).",
    ),
    Case(
        "CPU in an incident",
        "refuse_incident_replay",
        {"replay": {CPU: 10.0}, "replay_event": {CPU: "incident INC-7 of 2024-12-24"}},
        125.0,
        100.0,
        "incident INC-7 of 2024-12-24: CPU of m9.2xlarge",
        "Past demand would have been 125 % (100 % is the limit). incident INC-7 of 2024-12-24: CPU of m9.2xlarge.",
    ),
    Case(
        "disk operations in an emergency, more short than its memory",
        "refuse_incident_replay",
        {
            "replay": {MEMORY: 40.0, IOPS: 60000.0},
            "replay_event": {MEMORY: "incident INC-7", IOPS: "emergency 9 of 2025-01-02"},
        },
        150.0,
        100.0,
        "emergency 9 of 2025-01-02: Disk operations of m9.2xlarge",
        "Past demand would have been 150 % (100 % is the limit). emergency 9 of 2025-01-02: Disk operations of m9.2xlarge.",
    ),
    Case(
        "open action item",
        "refuse_open_capacity_action_item",
        {"open_capacity_item": "AI-3 (add nodes)"},
        None,
        None,
        "AI-3 (add nodes)",
        "An open action item asks for more capacity: AI-3 (add nodes).",
    ),
    Case(
        "error budget",
        "refuse_slo_budget_low",
        {"slo_budget_left_pct": 4.0, "slo_name": "latency"},
        4.0,
        10.0,
        "latency",
        "The objective latency of its service has 4 % of its error budget left; 10 % are needed.",
    ),
    Case(
        "error budget overdrawn",
        "refuse_slo_budget_low",
        {"slo_budget_left_pct": -20.0},
        -20.0,
        10.0,
        "availability",
        "The objective availability of its service has -20 % of its error budget left; 10 % are needed.",
    ),
    Case(
        "emergency scale-up",
        "refuse_recent_emergency_scaleup",
        {"emergencies": 2.0, "last_emergency": "on 2025-03-05 22:01 UTC (recorded for checkout)"},
        2.0,
        28.0,
        "on 2025-03-05 22:01 UTC (recorded for checkout)",
        "The decision engine scaled it up in an emergency on 2025-03-05 22:01 UTC (recorded for checkout); "
        "2 in the last 28 days.",
    ),
    Case(
        "changed",
        "refuse_recently_changed",
        {"days_since_change": 3.0},
        3.0,
        7.0,
        None,
        "Its configuration changed 3 days ago; the evidence starts again for 7 days.",
    ),
    Case(
        "neighbour",
        "refuse_dependency_tier_same_night",
        {},
        1.0,
        None,
        "payments",
        "The service payments, which depends on it or which it depends on, already changes tonight (1 proposed).",
        judge=behind_a_neighbour,
    ),
    Case(
        "enough for one night",
        "refuse_blast_radius",
        {},
        3.0,
        3.0,
        "checkout",
        "3 resources of the service checkout are already proposed tonight; 3 is the limit.",
        judge=fourth_of_its_service,
    ),
    Case(
        "rejected",
        "refuse_rejected",
        {"rejected": "by ops until 2025-06-01"},
        None,
        None,
        "by ops until 2025-06-01",
        "Somebody decided against it: by ops until 2025-06-01.",
    ),
    Case(
        "snoozed",
        "refuse_snoozed",
        {"snoozed": "until 2025-04-01"},
        None,
        None,
        "until 2025-04-01",
        "Somebody put it off: until 2025-04-01.",
    ),
    Case(
        "spot",
        "refuse_spot",
        {"lifecycle": "Spot"},
        None,
        None,
        "Spot",
        "It runs on spot capacity (Spot), whose size the bid decides.",
    ),
    Case(
        "orchestrator",
        "refuse_managed_by_orchestrator",
        {"managed_by": "karpenter"},
        None,
        None,
        "karpenter",
        "It belongs to karpenter, which would replace it at its own size.",
    ),
    Case(
        "member",
        "refuse_group_member",
        {"group_name": "web"},
        None,
        None,
        "web",
        "It is a member of web; the group is sized, never one member.",
    ),
    Case(
        "tag",
        "refuse_excluded_by_tag",
        {"excluding_tag": "nightshift:exclude"},
        None,
        None,
        "nightshift:exclude",
        "Its tag nightshift:exclude excludes it.",
    ),
    Case(
        "unread",
        "insufficient_inventory",
        {"unread_since": "2025-03-07"},
        None,
        None,
        "2025-03-07",
        "What it is now is not known: AWS could be asked about it last for 2025-03-07.",
    ),
    Case(
        "local disk",
        "refuse_instance_store",
        {"size": "m9d.2xlarge"},
        800.0,
        None,
        None,
        "Its type has 800 GB of local disk, which would be lost with the smaller size.",
    ),
    Case(
        "history",
        "insufficient_history",
        {"history_hours": 20.25},
        20.25,
        30.0,
        None,
        "There are 20.2 h of samples at the present size; 30 h are needed.",
    ),
    Case(
        "no history",
        "insufficient_history",
        {"history_hours": NAN},
        0.0,
        30.0,
        None,
        "There are 0.0 h of samples at the present size; 30 h are needed.",
    ),
    Case(
        "coverage of the look-back",
        "insufficient_coverage",
        {"coverage_pct": 80.0},
        80.0,
        90.0,
        "the look-back's CPU",
        "80 % of the look-back's CPU samples are there; 90 % are needed.",
    ),
    Case(
        "coverage of the last days",
        "insufficient_coverage",
        {"recent_coverage_pct": NAN},
        0.0,
        75.0,
        "the last seven days' CPU",
        "0 % of the last seven days' CPU samples are there; 75 % are needed.",
    ),
    Case(
        "busiest member unknown",
        "insufficient_coverage",
        {"is_member_hidden": True},
        0.0,
        75.0,
        "the last seven days' highest-member CPU",
        "0 % of the last seven days' highest-member CPU samples are there; 75 % are needed.",
    ),
    Case(
        "coverage of a dimension that would shrink",
        "insufficient_coverage",
        {"covered_pct": {NETWORK: 50.0}},
        50.0,
        75.0,
        "the last seven days' network",
        "50 % of the last seven days' network samples are there; 75 % are needed.",
    ),
    Case(
        "set aside",
        "insufficient_clean_data",
        {"rejected_readings": 3.0},
        3.0,
        0.0,
        None,
        "3 of its samples were set aside because they cannot be right; any of them may have been the peak.",
    ),
    Case(
        "memory half measured",
        "insufficient_memory_data",
        {"covered_pct": {MEMORY: 50.0}},
        50.0,
        75.0,
        "m9.2xlarge",
        "Memory is measured for 50 % of the last seven days; m9.2xlarge has less of it, so 75 % are needed.",
    ),
    Case(
        "memory never measured",
        "insufficient_memory_data",
        {"is_judged": {MEMORY: False}, "peak": {MEMORY: NAN}},
        0.0,
        75.0,
        "m9.2xlarge",
        "Memory is measured for 0 % of the last seven days; m9.2xlarge has less of it, so 75 % are needed.",
    ),
    Case(
        "kind",
        "insufficient_catalog",
        {"kind": "lambda_function"},
        None,
        None,
        "Resources of type lambda_function are not sized yet.",
        "Resources of type lambda_function are not sized yet.",
    ),
    Case(
        "size unknown to the catalog",
        "insufficient_catalog",
        {"size": "m99.large"},
        None,
        None,
        "The catalog has no instance type m99.large.",
        "The catalog has no instance type m99.large.",
    ),
    Case(
        "class unknown to the catalog",
        "insufficient_catalog",
        {"size": "db.m99.large", "kind": "rds_instance"},
        None,
        None,
        "The catalog has no instance class db.m99.large.",
        "The catalog has no instance class db.m99.large.",
    ),
    Case(
        "size unknown on that day",
        "insufficient_catalog",
        {"size": None},
        None,
        None,
        "Its instance type on that day is not known.",
        "Its instance type on that day is not known.",
    ),
    Case(
        "members unknown",
        "insufficient_catalog",
        {"units": NAN, "kind": "autoscaling_group"},
        None,
        None,
        "Its configuration does not say how many members it has.",
        "Its configuration does not say how many members it has.",
    ),
    Case(
        "accelerators",
        "insufficient_catalog",
        {"size": "m9gpu.2xlarge"},
        None,
        None,
        "The sizes of m9gpu.2xlarge differ in accelerators, whose use is not measured.",
        "The sizes of m9gpu.2xlarge differ in accelerators, whose use is not measured.",
    ),
    Case(
        "a limit that the catalog does not know",
        "insufficient_catalog",
        {"size": "c9u.2xlarge", "peak": {CPU: 1.0, MEMORY: 2.0}, "cpu_p995": 1.0, "memory_ever": 2.0},
        None,
        None,
        "The catalog does not say how much disk c9u.xlarge sustains.",
        "The catalog does not say how much disk c9u.xlarge sustains.",
    ),
    Case(
        "tenancy",
        "insufficient_price",
        {"tenancy": "dedicated"},
        None,
        None,
        "m9.4xlarge on dedicated tenancy",
        "The catalog has no price for m9.4xlarge on dedicated tenancy.",
    ),
    Case(
        "price",
        "insufficient_price",
        {"size": "m9.3xlarge"},
        None,
        None,
        "m9.3xlarge in its region",
        "The catalog has no price for m9.3xlarge in its region.",
    ),
    Case(
        "sustained CPU",
        "keep_busy_cpu",
        {"cpu_p995": 6.8, "peak": {CPU: 7.0}},
        85.0,
        80.0,
        "P99.5 would be 85 % of m9.2xlarge",
        "CPU P99.5 would be 85 % of m9.2xlarge; 80 % is the limit.",
    ),
    Case(
        "CPU peak",
        "keep_busy_cpu",
        {"peak": {CPU: 10.0}},
        125.0,
        100.0,
        "peak would be 125 % of m9.2xlarge",
        "CPU peak would be 125 % of m9.2xlarge; 100 % is the limit.",
    ),
    Case(
        "CPU peak of a single vCPU",
        "keep_busy_cpu",
        {**SMALL, "peak": {CPU: 0.95, MEMORY: 2.0}},
        95.0,
        90.0,
        "peak would be 95 % of m9.medium",
        "CPU peak would be 95 % of m9.medium; 90 % is the limit.",
    ),
    Case(
        "CPU saturated",
        "keep_busy_cpu",
        {"peak": {CPU: 16.0}},
        100.0,
        95.0,
        "peaked at 100 % of its present size, so that what it needs is not known",
        "CPU peaked at 100 % of its present size, so that what it needs is not known; 95 % is the limit.",
    ),
    Case(
        "burst credits",
        "keep_busy_cpu",
        CREDITLESS,
        30.0,
        20.0,
        "P99.5 would be 30 % of t9.large and use up its CPU credits",
        "CPU P99.5 would be 30 % of t9.large and use up its CPU credits; 20 % is the limit.",
    ),
    Case(
        "memory peak",
        "keep_busy_memory",
        {"peak": {MEMORY: 30.0}},
        93.75,
        90.0,
        "m9.2xlarge",
        "Memory would peak at 94 % of m9.2xlarge; 90 % is the limit.",
    ),
    Case(
        "memory long ago",
        "keep_busy_memory",
        {"memory_ever": 40.0},
        125.0,
        100.0,
        "m9.2xlarge (highest on record)",
        "Memory would peak at 125 % of m9.2xlarge (highest on record); 100 % is the limit.",
    ),
    Case(
        "network",
        "keep_busy_network",
        {"peak": {NETWORK: 9.25}},
        9.25,
        8.0,
        "m9.2xlarge",
        "Network peaked at 9.25 Gbit/s; m9.2xlarge sustains 8.00.",
    ),
    Case(
        "disk throughput",
        "keep_busy_ebs",
        {"peak": {DISK: 9000.0}},
        9000.0,
        8000.0,
        "Mbit/s",
        "Disk peaked at 9,000 Mbit/s at most; 8,000 are sustained.",
    ),
    Case(
        "disk operations",
        "keep_busy_ebs",
        {"peak": {IOPS: 41000.0}},
        41000.0,
        40000.0,
        "IOPS",
        "Disk peaked at 41,000 IOPS at most; 40,000 are sustained.",
    ),
    Case(
        "forecast of CPU",
        "keep_forecast_growth",
        {"forecast": {CPU: 10.0}},
        125.0,
        100.0,
        "CPU of m9.2xlarge",
        "Demand is rising: next week's upper bound is 125 % (CPU of m9.2xlarge); 100 % is the limit.",
    ),
    Case(
        "forecast of memory",
        "keep_forecast_growth",
        {"forecast": {MEMORY: 48.0}},
        150.0,
        100.0,
        "Memory of m9.2xlarge",
        "Demand is rising: next week's upper bound is 150 % (Memory of m9.2xlarge); 100 % is the limit.",
    ),
    Case(
        "smallest of its family",
        "keep_no_cheaper_fit",
        {"size": "m9.medium", "peak": {CPU: 0.1, MEMORY: 1.0}},
        None,
        None,
        "No smaller size than m9.medium is on offer for less.",
        "No smaller size than m9.medium is on offer for less.",
    ),
    Case(
        "interfaces",
        "keep_no_cheaper_fit",
        {"interfaces": 5.0},
        None,
        None,
        "m9.2xlarge takes fewer network interfaces or volumes than are attached.",
        "m9.2xlarge takes fewer network interfaces or volumes than are attached.",
    ),
    Case(
        "margin",
        "keep_no_cheaper_fit",
        {"peak": {CPU: 7.5}, "previous": "m9.4xlarge"},
        None,
        None,
        "m9.2xlarge would hold it, but not by the margin that a change of mind needs.",
        "m9.2xlarge would hold it, but not by the margin that a change of mind needs.",
        rules=replace(FAMILY, hysteresis_pct=10),
    ),
    Case(
        "savings",
        "keep_savings_too_small",
        SMALL,
        73.0,
        100.0,
        None,
        "A smaller size would save $73.00 a month; $100.00 is the least that is proposed.",
        rules=replace(FAMILY, min_savings_usd_month=100),
    ),
    Case(
        "risk",
        "keep_not_enough_gain_vs_risk",
        {},
        584.0,
        1000.0,
        "m9.2xlarge would save $584.00 a month, and what may go wrong costs $1000.00 on average.",
        "m9.2xlarge would save $584.00 a month, and what may go wrong costs $1000.00 on average.",
        rules=replace(FAMILY, restart_cost_usd=12_000),
    ),
    Case(
        "reserve",
        "keep_not_enough_gain_vs_risk",
        {"peak": {CPU: 1.0}, "cpu_p995": 0.5},
        5.0,
        60.0,
        "It is one of 5 machines of this size that all idle, as a reserve does; "
        "such machines keep 60 % of their size and 2 vCPU, and m9.2xlarge has less.",
        "It is one of 5 machines of this size that all idle, as a reserve does; "
        "such machines keep 60 % of their size and 2 vCPU, and m9.2xlarge has less.",
        rules=replace(FAMILY, idle_floor_pct=60),
        judge=five_like_it,
    ),
]


def verdict(case: Case) -> Verdict:
    return case.judge(case.row, case.rules, case.shapes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}: {case.name}")
def test_the_reason_its_numbers_and_its_sentence(case: Case) -> None:
    said = verdict(case)
    assert said.code == case.code
    assert said.value == (None if case.value is None else pytest.approx(case.value))
    assert said.limit == (None if case.limit is None else pytest.approx(case.limit))
    assert said.text == case.text
    assert sentence(said.code, said.value, said.limit, said.text) == case.told
    assert said.verdict == case.code.split("_")[0]


def test_every_reason_of_the_table_can_be_given_and_no_other() -> None:
    assert {verdict(case).code for case in CASES} == set(REASONS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}: {case.name}")
def test_only_a_proposal_has_a_target_and_savings(case: Case) -> None:
    said = verdict(case)
    if said.code == "propose_smaller_size":
        assert (said.target, said.savings_usd_month) == ("m9.xlarge", pytest.approx(876))
    elif said.code == "propose_lower_minimum":
        assert (said.target, said.savings_usd_month) == (None, pytest.approx(6 * 73))
    else:
        assert (said.target, said.savings_usd_month, said.expected_usd_month) == (None, 0, 0)


# In the order of speaking, each with what makes it speak.
GATES: list[tuple[str, Row, str]] = [
    ("refuse_kill_switch", {"kill_switch": "It is on."}, "It is on"),
    ("refuse_excluded_by_tag", {"excluding_tag": "no-touch"}, "no-touch"),
    ("insufficient_catalog", {"kind": "lambda_function"}, "not sized yet"),
    ("insufficient_inventory", {"unread_since": "2025-03-07"}, "2025-03-07"),
    ("refuse_rejected", {"rejected": "by ops"}, "by ops"),
    ("refuse_snoozed", {"snoozed": "until May"}, "until May"),
    ("refuse_spot", {"lifecycle": "spot"}, "spot"),
    ("refuse_managed_by_orchestrator", {"managed_by": "karpenter"}, "karpenter"),
    ("refuse_group_member", {"group_name": "web"}, "web"),
    ("refuse_open_incident", {"open_incident": "INC-7"}, "INC-7"),
    ("refuse_recent_emergency_scaleup", {"emergencies": 1.0, "last_emergency": "yesterday"}, "yesterday"),
    ("refuse_open_capacity_action_item", {"open_capacity_item": "AI-3"}, "AI-3"),
    ("refuse_slo_budget_low", {"slo_budget_left_pct": 9.0}, "9 %"),
    ("insufficient_catalog", {"size": "m99.large"}, "no instance type"),
    ("insufficient_catalog", {"units": NAN}, "how many members"),
    ("refuse_instance_store", {"size": "m9d.2xlarge"}, "800 GB"),
    ("insufficient_catalog", {"size": "m9gpu.2xlarge"}, "accelerators"),
    ("refuse_recently_changed", {"days_since_change": 1.0}, "1 day ago"),
    ("insufficient_history", {"history_hours": 29.0}, "29.0 h"),
    ("insufficient_coverage", {"coverage_pct": 89.0}, "look-back"),
    ("insufficient_coverage", {"recent_coverage_pct": 74.0}, "74 % of the last seven days' CPU"),
    ("insufficient_clean_data", {"rejected_readings": 4.0}, "4 of its samples"),
    ("insufficient_coverage", {"is_member_hidden": True}, "highest-member"),
    ("insufficient_history", {"peak": {CPU: NAN}}, "h of samples"),
    ("insufficient_price", {"tenancy": "host"}, "host tenancy"),
    ("insufficient_price", {"size": "m9.3xlarge"}, "in its region"),
    ("keep_busy_cpu", {"peak": {CPU: 15.5}}, "present size"),
    ("keep_busy_memory", {"memory_ever": 70.0}, "highest on record"),
]


@pytest.mark.parametrize("earlier", range(len(GATES)), ids=lambda number: f"{number}: {GATES[number][0]}")
def test_of_reasons_that_hold_together_the_earlier_one_speaks(earlier: int) -> None:
    code, row, words = GATES[earlier]
    others = [late for _, late, _ in GATES[earlier:] if late is row or not set(late) & set(row)]
    for later in others:
        said = verdict_of(**{**later, **row})
        assert said.code == code
        assert words in sentence(said.code, said.value, said.limit, said.text)


def test_a_size_with_local_disk_and_accelerators_is_refused_for_its_disk() -> None:
    both = sizes_changed(CATALOG, "m9gpu.2xlarge", local_disk_gb=100.0)
    assert verdict_of(shapes=both, size="m9gpu.2xlarge").code == "refuse_instance_store"


@pytest.mark.parametrize("kind", ["autoscaling_group", "rds_instance"])
def test_only_instances_are_members_of_groups(kind: str) -> None:
    assert verdict_of(kind=kind, group_name="web").code == "propose_smaller_size"


@pytest.mark.parametrize(
    "row",
    [
        {"platform": None},
        {"tenancy": None},
        {"tenancy": "Default"},
        {"lifecycle": "on-demand"},
        {"slo_budget_left_pct": NAN},
        {"days_since_change": NAN},
    ],
    ids=str,
)
def test_what_speaks_against_nothing(row: Row) -> None:
    assert verdict_of(**row).target == "m9.xlarge"


def test_no_catalog_at_all_is_no_catalog_for_each() -> None:
    nothing = type(CATALOG)(
        **{
            name: value[:0] if len(value) else value
            for name, value in ((column, getattr(CATALOG, column)) for column in CATALOG.__dataclass_fields__)
        }
    )
    said = verdict_of(shapes=nothing)
    assert (said.code, said.text) == ("insufficient_catalog", "The catalog has no instance type m9.4xlarge.")


def test_no_resources_no_verdicts() -> None:
    nobody = Evidence(resource_id=[], present=np.empty(0, np.int64), peak=np.empty((0, 5)))
    assert decide(nobody, CATALOG, FAMILY) == []
