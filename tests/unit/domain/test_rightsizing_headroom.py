"""Headroom that a service has learned to keep: what it asks of every size, and how a verdict names it where it decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dagster_project.domain.reasons import sentence
from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.groups import lowest_minimum
from dagster_project.domain.rightsizing.requirements import ASKING, IDLE_FLOOR, requirements
from dagster_project.domain.rightsizing.rules import Rules
from tests.rightsizing_builders import CATALOG, FAMILY, evidence_of, slice_of, verdict_of

NOTHING = dict.fromkeys((CPU, MEMORY, NETWORK, DISK, IOPS), 0.1)
M9 = slice_of(
    CATALOG, [number for number, family in enumerate(CATALOG.families) if family == "m9" and CATALOG.usd_per_hour[number] > 0]
)


def told(**overrides: Any) -> str:
    found = verdict_of(shapes=M9, **overrides)
    return sentence(found.code, found.value, found.limit, found.text)


def test_all_demand_counts_for_more_and_a_floor_does_not() -> None:
    lived = {CPU: 2.0, MEMORY: 10.0, NETWORK: 0.5, DISK: 500.0, IOPS: 100.0}
    rows = [{"replay": lived, "forecast": lived, "headroom_pct": headroom} for headroom in (0.0, 20.0)]
    found = requirements(evidence_of(*rows), CATALOG, FAMILY)
    known = ~np.isnan(found.asked[:, 0])
    assert {ASKING[reason] for reason in np.flatnonzero(known.any(axis=1))} == set(ASKING) - {ASKING[IDLE_FLOOR]}
    assert found.asked[:, 1][known] == pytest.approx(found.asked[:, 0][known] * 1.2)
    assert found.single_vcpu_peak[1] == pytest.approx(found.single_vcpu_peak[0] * 1.2)
    idle = [{"peak": NOTHING, "pool": 1, "headroom_pct": headroom} for headroom in (0.0, 20.0) for _ in range(5)]
    floor = requirements(evidence_of(*idle), CATALOG, FAMILY).asked[IDLE_FLOOR]
    assert (floor[0] == floor[5]).all() and not np.isnan(floor[0]).any()


def test_without_headroom_every_number_is_the_same_to_the_last_digit() -> None:
    rng = np.random.default_rng(7)
    rows = [{"peak": {CPU: peak, MEMORY: 4 * peak}, "cpu_p995": peak / 2} for peak in rng.uniform(0.1, 16, 200)]
    plain = requirements(evidence_of(*rows), CATALOG, FAMILY)
    zero = requirements(evidence_of(*({**row, "headroom_pct": 0.0} for row in rows)), CATALOG, FAMILY)
    assert plain.asked.tobytes() == zero.asked.tobytes()
    assert plain.single_vcpu_peak.tobytes() == zero.single_vcpu_peak.tobytes()


def test_it_keeps_a_size_that_would_do_without_it() -> None:
    # 3 of 4 vCPU, and 12 GiB of 16 within 90 %.
    assert verdict_of(shapes=M9).target == "m9.xlarge"
    kept = verdict_of(shapes=M9, headroom_pct=40.0)
    assert (kept.target, kept.limit) == ("m9.2xlarge", pytest.approx(80 / 1.4))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            {"cpu_p995": 6.0},
            "CPU P99.5 would be 75 % of m9.2xlarge with 20 % headroom kept; 67 % is the limit.",
        ),
        (
            {"peak": {CPU: 7.2}},
            "CPU peak would be 90 % of m9.2xlarge with 20 % headroom kept; 83 % is the limit.",
        ),
        (
            {"peak": {MEMORY: 26.0}},
            "Memory would peak at 81 % of m9.2xlarge with 20 % headroom kept; 75 % is the limit.",
        ),
        (
            {"memory_ever": 30.0},
            "Memory would peak at 94 % of m9.2xlarge (highest on record) with 20 % headroom kept; 83 % is the limit.",
        ),
        (
            {"peak": {NETWORK: 7.0}},
            "Network peaked at 7.00 Gbit/s; m9.2xlarge with 20 % headroom kept sustains 6.67.",
        ),
        (
            {"peak": {DISK: 7200.0}},
            "Disk peaked at 7,200 Mbit/s with 20 % headroom kept at most; 6,667 are sustained.",
        ),
        (
            {"replay": {CPU: 7.5}, "replay_event": {CPU: "Payments stopped"}},
            "Past demand would have been 94 % (83 % is the limit). Payments stopped: CPU of m9.2xlarge with 20 % headroom kept.",
        ),
        (
            {"forecast": {CPU: 7.0}},
            "Demand is rising: next week's upper bound is 88 % (CPU of m9.2xlarge with 20 % headroom kept); 83 % is the limit.",
        ),
    ],
    ids=["sustained", "peak", "memory", "memory on record", "network", "disk", "replay", "forecast"],
)
def test_a_verdict_names_it_where_it_decides(overrides: dict[str, Any], words: str) -> None:
    assert told(**overrides, headroom_pct=20.0) == words
    assert verdict_of(shapes=M9, **overrides).code == "propose_smaller_size"


def test_demand_that_is_too_much_without_it_is_told_without_it() -> None:
    busy = {"cpu_p995": 7.0}
    assert told(**busy, headroom_pct=20.0) == told(**busy) == "CPU P99.5 would be 88 % of m9.2xlarge; 80 % is the limit."


def test_a_group_keeps_more_members() -> None:
    group = {
        "kind": "autoscaling_group", "size": "m9.xlarge", "units": 10.0, "minimum_size": 10.0, "zones": 1.0,
        "in_service_peak": 10.0, "peak": {CPU: 1.6, MEMORY: 4.0}, "cpu_p995": 1.0,
    }  # fmt: skip
    members = [
        lowest_minimum(evidence_of({**group, "headroom_pct": headroom}), 0, CATALOG, FAMILY) for headroom in (0.0, 20.0, 50.0)
    ]
    assert [each.members if each else None for each in members] == [5, 6, 8]


def test_burst_credits_must_last_for_the_demand_with_its_headroom() -> None:
    # A 2 vCPU burstable size earns for 20 % of them: 0.4 vCPU.
    t9 = slice_of(CATALOG, [number for number, family in enumerate(CATALOG.families) if family == "t9"])
    small = {CPU: 0.5, MEMORY: 2.0, NETWORK: 0.1, DISK: 10.0, IOPS: 10.0}
    row = {"size": "t9.xlarge", "peak": small, "cpu_p995": 0.39, "memory_ever": 2.0}
    assert verdict_of(Rules(target="one-step"), t9, **row).target == "t9.large"
    kept = verdict_of(Rules(target="one-step"), t9, **row, headroom_pct=10.0)
    assert kept.target is None
    assert kept.text is not None and kept.text.endswith("use up its CPU credits, with 10 % headroom kept")
