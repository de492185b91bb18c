"""What a service has learned to keep, from the lake's table to the verdict, its evidence and its story."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.pipeline.explain import explain
from dagster_project.pipeline.proposal_views import evidence_lines
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import RightsizingSettings
from tests.night_builders import DAY, home, machine, verdict


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return home(tmp_path)


def learned(headroom_pct: float, service: str = "checkout") -> dict[str, list[dict]]:
    row = {"service": service, "headroom_pct": headroom_pct, "previous_pct": 0.0, "changed_on": DAY, "reason": "a regret"}
    return {"service_headroom": [row]}


def lines(found: dict) -> list[tuple[str, str, str, str]]:
    told = evidence_lines(found, RightsizingSettings())
    return [(line.label, line.observed, line.projected, line.limit) for line in told if "eadroom" in line.label]


def test_headroom_that_still_leaves_room_is_a_line_of_the_evidence(runtime: Runtime) -> None:
    # 35 % of 4 vCPU are 70 % of 2; with 10 % more they are 77 %.
    found = verdict(runtime, machine(), **learned(10))
    assert (found["verdict"], found["headroom_pct"]) == ("propose", 10.0)
    assert found["deciding_limit"] == pytest.approx(80 / 1.1)
    assert lines(found) == [("Headroom that is kept for checkout", "10 %", "demand × 1.10", "–")]
    assert found["required_vcpu"] == pytest.approx(0.35 * 4 / 0.8 * 1.1)


def test_headroom_that_decides_is_named_in_the_story(runtime: Runtime) -> None:
    found = verdict(runtime, machine(), **learned(20))
    assert (found["reason_code"], found["deciding_value"], found["deciding_limit"]) == (
        "keep_busy_cpu",
        70.0,
        pytest.approx(66.67, abs=0.01),
    )
    story = explain(runtime, "i-1", DAY)
    assert story.sentence == "CPU P99.5 would be 70 % of m5.large with 20 % headroom kept; 67 % is the limit."
    assert ("Headroom that is kept for checkout", "20 %") in [(line.label, line.observed) for line in story.evidence]


def test_another_services_headroom_is_its_own(runtime: Runtime) -> None:
    found = verdict(runtime, machine(), **learned(20, "search"))
    assert (found["verdict"], found["headroom_pct"], lines(found)) == ("propose", 0.0, [])


def test_what_the_settings_keep_at_least_counts_for_every_service(tmp_path: Path) -> None:
    found = verdict(home(tmp_path, min_headroom_pct=20), machine(service=None))
    assert (found["reason_code"], found["headroom_pct"]) == ("keep_busy_cpu", 20.0)
    assert lines(found) == [("Headroom that is kept", "20 %", "demand × 1.20", "–")]


def test_the_least_headroom_is_not_more_than_the_most() -> None:
    with pytest.raises(ValueError, match="min_headroom_pct must not be more than max_headroom_pct"):
        RightsizingSettings(min_headroom_pct=60)
