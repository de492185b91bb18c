"""What a size must hold: limits to the hair, the reason that binds, absent evidence, and idle pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.requirements import idle_pools
from dagster_project.domain.rightsizing.rules import Rules
from tests.rightsizing_builders import CATALOG, FAMILY, HEALTHY, NAN, evidence_of, sizes_changed, verdict_of, verdicts_of

HAIR = 1 + 1e-9
LIKE_SMALL = {"size": "m9.large", "memory_ever": 2.0, "cpu_p995": 0.4}
SMALL_PEAK = {CPU: 0.5, MEMORY: 2.0, NETWORK: 0.5, DISK: 100.0, IOPS: 10.0}


def at_the_limit(factor: float) -> list[tuple[str, dict[str, Any], str, str]]:
    """Rows that m9.2xlarge (in the end m9.medium) holds exactly, times ``factor``; the size, and the code beyond it."""
    event = dict.fromkeys(range(5), "INC-7")
    exact: dict[str, tuple[str, float]] = {
        "network": ("keep_busy_network", 8.0),
        "disk": ("keep_busy_ebs", 8000.0),
        "iops": ("keep_busy_ebs", 40000.0),
        "cpu": ("keep_busy_cpu", 8.0),
        "memory": ("keep_busy_memory", 28.8),
    }
    numbers = {"cpu": CPU, "memory": MEMORY, "network": NETWORK, "disk": DISK, "iops": IOPS}
    most = {CPU: 8.0, MEMORY: 32.0, NETWORK: 8.0, DISK: 8000.0, IOPS: 40000.0}
    rows = [
        (f"peak of {name}", {"peak": {numbers[name]: value * factor}}, "m9.2xlarge", code)
        for name, (code, value) in exact.items()
    ]
    for number, value in most.items():
        rows.append(
            (
                f"replay {number}",
                {"replay": {number: value * factor}, "replay_event": event},
                "m9.2xlarge",
                "refuse_incident_replay",
            )
        )
        rows.append((f"forecast {number}", {"forecast": {number: value * factor}}, "m9.2xlarge", "keep_forecast_growth"))
    return [
        *rows,
        ("P99.5 of CPU", {"cpu_p995": 6.4 * factor, "peak": {CPU: 7.0}}, "m9.2xlarge", "keep_busy_cpu"),
        ("memory on record", {"memory_ever": 32.0 * factor}, "m9.2xlarge", "keep_busy_memory"),
        ("a single vCPU", {**LIKE_SMALL, "peak": {**SMALL_PEAK, CPU: 0.9 * factor}}, "m9.medium", "keep_busy_cpu"),
    ]


@pytest.mark.parametrize(
    ("name", "row", "size", "code"), at_the_limit(1), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_fits_exactly_is_held(name: str, row: dict[str, Any], size: str, code: str) -> None:
    assert verdict_of(**row).target == size


@pytest.mark.parametrize(
    ("name", "row", "size", "code"), at_the_limit(HAIR), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_hair_more_is_not(name: str, row: dict[str, Any], size: str, code: str) -> None:
    said = verdict_of(**row)
    assert (said.code, said.candidate, said.target) == (code, size, None)
    assert said.value is not None and said.limit is not None and said.value > said.limit


@pytest.mark.parametrize(
    ("column", "limit", "code"),
    [
        ("history_hours", 30.0, "insufficient_history"),
        ("coverage_pct", 90.0, "insufficient_coverage"),
        ("recent_coverage_pct", 75.0, "insufficient_coverage"),
        ("days_since_change", 7.0, "refuse_recently_changed"),
        ("slo_budget_left_pct", 10.0, "refuse_slo_budget_low"),
    ],
)
def test_what_is_needed_exactly_is_enough_and_a_hair_less_is_not(column: str, limit: float, code: str) -> None:
    assert verdict_of(**{column: limit}).target == "m9.xlarge"
    assert verdict_of(**{column: limit / HAIR}).code == code


@pytest.mark.parametrize(
    ("dimension", "code"),
    [
        (CPU, "insufficient_coverage"),
        (MEMORY, "insufficient_memory_data"),
        (NETWORK, "insufficient_coverage"),
        (DISK, "insufficient_coverage"),
        (IOPS, "insufficient_coverage"),
    ],
)
def test_each_dimension_that_shrinks_must_be_covered(dimension: int, code: str) -> None:
    assert verdict_of(covered_pct={dimension: 75.0}).target == "m9.xlarge"
    said = verdict_of(covered_pct={dimension: 74.9})
    assert (said.code, said.value, said.limit) == (code, 74.9, 75)
    assert said.demand[dimension] == np.inf


@pytest.mark.parametrize("dimension", [NETWORK, DISK, IOPS])
def test_a_peak_that_is_not_known_is_more_than_any_smaller_size_has(dimension: int) -> None:
    for covered in (0.0, 100.0):
        said = verdict_of(peak={dimension: NAN}, covered_pct={dimension: covered})
        assert (said.code, said.value, said.demand[dimension]) == ("insufficient_coverage", 0, np.inf)


@pytest.mark.parametrize("dimension", [NETWORK, DISK, IOPS])
def test_what_no_feed_records_asks_for_nothing(dimension: int) -> None:
    said = verdict_of(
        is_judged={dimension: False},
        peak={dimension: NAN},
        covered_pct={dimension: 0.0},
        replay={dimension: 1e6},
        replay_event={dimension: "INC-7"},
        forecast={dimension: 1e6},
    )
    assert (said.target, said.demand[dimension]) == ("m9.xlarge", -np.inf)


def test_a_coverage_that_is_not_known_is_none() -> None:
    said = verdict_of(covered_pct={NETWORK: NAN})
    assert (said.code, said.value) == ("insufficient_coverage", 0)
    assert verdict_of(covered_pct={MEMORY: NAN}).code == "insufficient_memory_data"


@pytest.mark.parametrize(
    "unseen", [{"covered_pct": {MEMORY: 0.0}}, {"is_judged": {MEMORY: False}}, {"covered_pct": {MEMORY: 74.0}}]
)
def test_memory_is_never_shrunk_unseen(unseen: dict[str, Any]) -> None:
    """Of the sizes that cost less than m9.4xlarge, r9.2xlarge alone has its 64 GiB."""
    said = verdict_of(Rules(), **unseen)
    assert (said.target, said.demand[MEMORY]) == ("r9.2xlarge", np.inf)


@pytest.mark.parametrize("unseen", [{"is_judged": {MEMORY: False}}, {"peak": {MEMORY: NAN}}], ids=str)
def test_memory_that_nobody_recorded_is_said_to_be_missing_whatever_its_coverage(unseen: dict[str, Any]) -> None:
    said = verdict_of(**unseen, covered_pct={MEMORY: 100.0})
    assert (said.code, said.value, said.limit) == ("insufficient_memory_data", 0, 75)


def test_of_two_unknowns_the_first_dimension_speaks() -> None:
    row = {"size": "c9u.2xlarge", "peak": {CPU: 1.0, MEMORY: 2.0}, "memory_ever": 2.0}
    assert verdict_of(**row).code == "insufficient_catalog"
    assert verdict_of(**row, covered_pct={MEMORY: 0.0}).code == "insufficient_memory_data"


def test_one_reading_that_was_set_aside_is_enough() -> None:
    assert verdict_of(rejected_readings=1.0).code == "insufficient_clean_data"


@pytest.mark.parametrize("dimension", range(5))
def test_what_does_not_shrink_need_not_be_known(dimension: int) -> None:
    """A size with as much of a dimension as the present one holds it, whatever was asked for."""
    as_much = sizes_changed(
        CATALOG, "m9.2xlarge", capacity={dimension: CATALOG.capacity[CATALOG.number_of("m9.4xlarge"), dimension]}
    )
    for row in ({"covered_pct": {dimension: 0.0}}, {"forecast": {dimension: 1e9}}):
        assert verdict_of(**row).target is None
        assert verdict_of(shapes=as_much, **row).target == "m9.2xlarge"


def test_a_saturated_machine_shows_what_it_got_and_not_what_it_needed() -> None:
    """Whatever else it could do without: disk, memory, and vCPU that it was not short of long ago."""
    as_much = sizes_changed(CATALOG, "m9.2xlarge", capacity={CPU: 16.0})
    busy = {"peak": {CPU: 15.2}, "cpu_p995": 5.0}
    said = verdict_of(shapes=as_much, **busy)
    assert (said.code, said.value, said.limit) == ("keep_busy_cpu", pytest.approx(95), 95)
    assert verdict_of(shapes=as_much, **{**busy, "peak": {CPU: 15.2 / HAIR}}).target == "m9.2xlarge"
    assert verdict_of(Rules(target="family", saturated_cpu_pct=96), as_much, **busy).target == "m9.2xlarge"


def test_no_sample_of_cpu_is_no_history() -> None:
    for unknown in ({"peak": {CPU: NAN}}, {"cpu_p995": NAN}):
        said = verdict_of(**unknown)
        assert (said.code, said.value, said.limit) == ("insufficient_history", 0, 30)


def test_the_capacity_asked_for_and_what_asks_for_it() -> None:
    said = verdict_of(
        cpu_p995=4.0,
        peak={CPU: 4.5, MEMORY: 18.0, NETWORK: 2.0},
        memory_ever=21.0,
        replay={NETWORK: 3.0, DISK: 4000.0},
        replay_event={NETWORK: "INC-7", DISK: "INC-8"},
        forecast={DISK: 4500.0, IOPS: 3999.0},
    )
    assert said.demand == pytest.approx((5.0, 21.0, 3.0, 4500.0, 4000.0))
    assert said.asked_by == ("sustained demand", "highest memory on record", "incident replay", "forecast", "peak")
    assert said.target == "m9.2xlarge"


def test_of_equal_demands_the_first_reason_binds() -> None:
    equal = {dimension: HEALTHY["peak"][dimension] for dimension in (NETWORK, DISK)}
    said = verdict_of(replay=equal, replay_event={NETWORK: "INC-7", DISK: "INC-7"}, forecast=equal)
    assert said.asked_by[NETWORK] == said.asked_by[DISK] == "peak"


@pytest.mark.parametrize(
    ("name", "limit", "loose", "row"),
    [
        ("max_cpu_p995_pct", 40, 80, {"cpu_p995": 3.2, "peak": {CPU: 4.0}}),
        ("max_cpu_peak_pct", 50, 100, {"peak": {CPU: 4.0}}),
        ("max_memory_peak_pct", 45, 90, {"peak": {MEMORY: 14.4}}),
    ],
)
def test_head_room_is_a_rule(name: str, limit: float, loose: float, row: dict[str, Any]) -> None:
    """Half of the limit asks for twice the capacity."""
    assert verdict_of(Rules(target="family", **{name: loose}), **row).target == "m9.xlarge"
    assert verdict_of(Rules(target="family", **{name: limit}), **row).target == "m9.2xlarge"


class TestSingleVcpu:
    """One vCPU has none left for itself when a thread is busy."""

    def test_a_replayed_peak_counts_like_a_measured_one(self) -> None:
        held = {**LIKE_SMALL, "peak": SMALL_PEAK, "replay_event": {CPU: "INC-7"}}
        assert verdict_of(**held, replay={CPU: 0.9}).target == "m9.medium"
        assert verdict_of(**held, replay={CPU: 0.9 * HAIR}).target is None

    def test_it_is_asked_of_sizes_with_one_vcpu_only(self) -> None:
        said = verdict_of(size="m9.xlarge", peak={**SMALL_PEAK, CPU: 1.95}, cpu_p995=1.0, memory_ever=2.0)
        assert said.target == "m9.large", "1.95 of 2 vCPU is 97.5 %"

    def test_it_is_not_asked_where_no_vcpu_is_lost(self) -> None:
        said = verdict_of(Rules(), size="r9.medium", peak={**SMALL_PEAK, CPU: 0.94, MEMORY: 1.0}, cpu_p995=0.5, memory_ever=1.0)
        assert said.target == "c9.medium", "one vCPU, as before"

    def test_p995_speaks_where_it_is_what_is_too_high(self) -> None:
        said = verdict_of(**{**LIKE_SMALL, "cpu_p995": 0.85}, peak={**SMALL_PEAK, CPU: 0.95})
        assert (said.code, said.value, said.limit) == ("keep_busy_cpu", pytest.approx(85), 80)

    def test_the_peak_speaks_where_p995_alone_would_do(self) -> None:
        said = verdict_of(**{**LIKE_SMALL, "cpu_p995": 0.78}, peak={**SMALL_PEAK, CPU: 0.95})
        assert (said.code, said.value, said.limit) == ("keep_busy_cpu", pytest.approx(95), 90)

    @pytest.mark.parametrize("more", [{"replay": {CPU: 0.95}}, {"forecast": {CPU: 0.96}, "replay": {CPU: 0.95}}], ids=str)
    def test_a_replayed_peak_that_is_too_high_for_one_vcpu_is_told_with_the_limit_that_it_breaks(
        self, more: dict[str, Any]
    ) -> None:
        """95 % is less than 100 % and more than 90 %."""
        said = verdict_of(**LIKE_SMALL, peak=SMALL_PEAK, replay_event={CPU: "INC-7"}, **more)
        assert (said.code, said.value, said.limit) == ("refuse_incident_replay", pytest.approx(95), 90)


def test_the_closest_event_is_named_even_where_it_does_not_decide() -> None:
    said = verdict_of(replay={CPU: 3.0, MEMORY: 8.0}, replay_event={CPU: "INC-7 of May", MEMORY: "INC-8"})
    assert said.target == "m9.xlarge"
    assert (said.closest_event, said.closest_event_pct) == ("INC-7 of May, CPU", pytest.approx(75))
    calm = verdict_of()
    assert calm.closest_event is None and np.isnan(calm.closest_event_pct)


def pools(*rows: dict[str, Any], rules: Rules = FAMILY) -> list[int]:
    return idle_pools(evidence_of(*rows), CATALOG, rules).tolist()


def idle(share_pct: float, pool: int = 1, size: str = "m9.2xlarge") -> dict[str, Any]:
    number = CATALOG.number_of(size)
    cores = CATALOG.capacity[number, CPU] * share_pct / 100 if number >= 0 else share_pct
    return {"size": size, "pool": pool, "peak": {CPU: cores, MEMORY: 4.0}, "cpu_p995": cores / 2, "memory_ever": 4.0}


class TestIdlePools:
    def test_five_of_a_service_and_a_size_are_a_pool_and_four_are_not(self) -> None:
        assert pools(*[idle(9)] * 5) == [5] * 5
        assert pools(*[idle(9)] * 4) == [0] * 4

    def test_a_tenth_is_not_idle(self) -> None:
        assert pools(*[idle(9)] * 4, idle(10)) == [0] * 5
        assert pools(*[idle(9)] * 4, idle(9.99)) == [5] * 5

    def test_other_sizes_and_other_services_do_not_count(self) -> None:
        assert pools(*[idle(9)] * 3, *[idle(9, size="m9.xlarge")] * 2) == [0] * 5
        assert pools(*[idle(9)] * 3, *[idle(9, pool=2)] * 2) == [0] * 5

    def test_an_unknown_service_is_no_service(self) -> None:
        assert pools(*[idle(9, pool=-1)] * 6) == [0] * 6

    def test_three_that_were_never_used_are_a_pool_whatever_their_service(self) -> None:
        assert pools(idle(4, pool=1), idle(4, pool=2), idle(4, pool=-1)) == [3, 3, 3]
        assert pools(idle(4, pool=1), idle(4, pool=2)) == [0, 0]
        assert pools(idle(4), idle(4, pool=2), idle(5, pool=3)) == [0, 0, 0]
        assert pools(idle(4), idle(4, pool=2), idle(4, size="m9.xlarge")) == [0, 0, 0]

    def test_of_both_signs_the_larger_pool_counts(self) -> None:
        assert pools(*[idle(9)] * 3, *[idle(4)] * 3, idle(4, pool=2)) == [6, 6, 6, 6, 6, 6, 4]

    def test_what_is_not_known_may_idle(self) -> None:
        unknown = {**idle(4), "peak": {CPU: NAN}}
        assert pools(idle(4), idle(4), unknown) == [3, 3, 3]
        assert pools(idle(4), idle(4), idle(0.1, size="m99.large")) == [0, 0, 0]

    def test_thresholds_are_rules(self) -> None:
        rules = Rules(idle_peak_pct=20, idle_pool_members=2, never_used_peak_pct=1, never_used_pool_members=4)
        assert pools(idle(19), idle(19), rules=rules) == [2, 2]
        assert pools(*[idle(0.5, pool=n) for n in range(4)], rules=rules) == [4] * 4
        assert pools(*[idle(0.5, pool=n) for n in range(3)], rules=rules) == [0] * 3

    def test_a_pool_keeps_half_of_everything(self) -> None:
        """m9.2xlarge needs next to nothing, and keeps 4 vCPU, 16 GiB, 4 Gbit/s and the disk of m9.xlarge."""
        alone, *_ = verdicts_of(*[{**idle(9), "pool": number} for number in range(5)])
        assert (alone.idle_pool, alone.target) == (0, "m9.large")
        for said in verdicts_of(*[idle(9)] * 5):
            assert (said.idle_pool, said.target) == (5, "m9.xlarge")
            assert said.demand == pytest.approx((4, 16, 4, 4000, 20000))
            assert set(said.asked_by) == {"floor for idle machines"}

    def test_a_pool_keeps_two_vcpus(self) -> None:
        row = {
            **idle(9, size="m9.large"),
            "peak": {CPU: 0.1, MEMORY: 2.0, NETWORK: 0.5, DISK: 100.0, IOPS: 10.0},
            "memory_ever": 2.0,
        }
        alone = verdict_of(**row)
        pooled = verdicts_of(*[row] * 5)[0]
        assert alone.target == "m9.medium"
        assert (pooled.target, pooled.demand[CPU], pooled.code) == (None, 2.0, "keep_not_enough_gain_vs_risk")

    def test_a_floor_lowers_nothing(self) -> None:
        rows = [{**idle(9), "peak": {CPU: 0.5, MEMORY: 20.0}}] * 5
        assert verdicts_of(*rows)[0].demand[MEMORY] == pytest.approx(20 / 0.9)

    def test_a_machine_that_starts_to_work_leaves_its_pool_and_its_fellows_with_it(self) -> None:
        """Where they were five: the one exception to more demand never fitting a smaller size."""
        before, after = verdicts_of(*[idle(9)] * 5), verdicts_of(*[idle(9)] * 4, idle(11))
        assert {said.target for said in before} == {"m9.xlarge"}
        assert {said.target for said in after} == {"m9.large"}

    def test_half_of_a_size_is_not_called_less_than_half_of_it(self) -> None:
        row = {
            **idle(9, size="m9.large"),
            "peak": {CPU: 0.1, MEMORY: 2.0, NETWORK: 0.5, DISK: 100.0, IOPS: 10.0},
            "memory_ever": 2.0,
        }
        text = verdicts_of(*[row] * 5)[0].text
        assert text is not None and text.endswith("such machines keep 50 % of their size and 2 vCPU, and m9.medium has less.")

    def test_an_unknown_fellow_does_not_lift_the_floor_of_the_others(self) -> None:
        unknown = {**idle(9), "peak": {CPU: NAN, MEMORY: 4.0}, "cpu_p995": NAN}
        known, with_unknown = verdicts_of(*[idle(9)] * 5), verdicts_of(*[idle(9)] * 4, unknown)
        assert [said.target for said in with_unknown[:4]] == [said.target for said in known[:4]]
