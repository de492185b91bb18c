"""Which size is found: candidates, what must be attachable, credits, last night's verdict, and what the savings are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dagster_project.domain.rightsizing.dimensions import CPU, DISK, IOPS, MEMORY, NETWORK
from dagster_project.domain.rightsizing.rules import Rules
from dagster_project.domain.rightsizing.shapes import Shapes
from tests.rightsizing_builders import CATALOG, FAMILY, NAN, evidence_of, sizes_changed, slice_of, verdict_of, verdicts_of

NEARLY_NOTHING = {
    "peak": {CPU: 0.1, MEMORY: 1.0, NETWORK: 0.1, DISK: 10.0, IOPS: 10.0},
    "cpu_p995": 0.05,
    "memory_ever": 1.0,
    "volumes": 1.0,
}


def candidates(present: str, target: str = "cheapest", shapes: Shapes = CATALOG) -> list[str]:
    return [shapes.names[i] for i in shapes.candidates(shapes.number_of(present), target)]


class TestCandidates:
    def test_cheapest_are_all_general_ones_of_the_architecture_and_drivers_that_cost_less(self) -> None:
        """Without Arm, Xen, burst credits, local disks, accelerators, metal, old generations, flex, other families, no price."""
        assert candidates("m9.4xlarge") == [
            "c9u.large",
            "c9.medium",
            "m9.medium",
            "c9u.xlarge",  # of equal prices more memory, then more CPU
            "r9.medium",
            "c9.large",
            "m9.large",
            "c9u.2xlarge",
            "r9.large",
            "c9.xlarge",
            "m9.xlarge",
            "m9z.xlarge",  # then the name
            "r9.xlarge",
            "c9.2xlarge",
            "m9.2xlarge",
            "r9.2xlarge",
            "c9.4xlarge",
        ]

    def test_family(self) -> None:
        assert candidates("m9.4xlarge", "family") == ["m9.medium", "m9.large", "m9.xlarge", "m9.2xlarge"]
        assert candidates("t9.xlarge", "family") == ["t9.medium", "t9.large"]
        assert candidates("m3.large", "family") == ["m3.medium"], "an old generation may stay what it is"

    def test_one_step(self) -> None:
        assert candidates("m9.4xlarge", "one-step") == ["m9.2xlarge"]
        assert candidates("m9.large", "one-step") == ["m9.medium"]
        assert candidates("m9.medium", "one-step") == []

    def test_one_step_is_smaller_and_not_only_cheaper(self) -> None:
        """A discounted size with more memory is no step down."""
        discounted = sizes_changed(CATALOG, "m9.4xlarge", usd_per_hour=0.7)
        assert candidates("m9.2xlarge", "family", discounted)[-1] == "m9.4xlarge"
        assert candidates("m9.2xlarge", "one-step", discounted) == ["m9.xlarge"]

    def test_burstable_sizes_stand_in_for_their_own_family_only(self) -> None:
        assert "t9.large" in candidates("t9.2xlarge")
        assert not [name for name in candidates("m9.4xlarge") if name.startswith("t9")]

    def test_other_families_of_any_present_size(self) -> None:
        assert candidates("x9.xlarge") == ["x9.large", "c9u.large"]

    @pytest.mark.parametrize("present", ["m9g.4xlarge", "m9x.4xlarge"])
    def test_another_architecture_or_hypervisor_is_left_alone(self, present: str) -> None:
        assert {CATALOG.families[CATALOG.number_of(name)] for name in candidates(present)} == {present.split(".")[0]}

    def test_nothing_that_costs_the_same(self) -> None:
        assert "m9z.xlarge" not in candidates("m9.xlarge")
        assert "m9.xlarge" not in candidates("m9z.xlarge")

    def test_without_a_price_nothing_is_cheaper(self) -> None:
        assert candidates("m9.3xlarge") == []

    def test_the_order_of_the_catalog_does_not_matter(self) -> None:
        backwards = slice_of(CATALOG, range(len(CATALOG))[::-1])
        for present in CATALOG.names:
            for target in ("cheapest", "family", "one-step"):
                assert candidates(present, target, backwards) == candidates(present, target)

    def test_more_memory_comes_first_at_one_price(self) -> None:
        assert candidates("m9.4xlarge", shapes=sizes_changed(CATALOG, "r9.xlarge", usd_per_hour=0.40))[10:13] == [
            "r9.xlarge",
            "m9.xlarge",
            "m9z.xlarge",
        ]

    def test_more_vcpus_come_first_at_one_price_and_memory(self) -> None:
        assert candidates("m9.4xlarge")[3:5] == ["c9u.xlarge", "r9.medium"]
        assert candidates("m9.4xlarge", shapes=sizes_changed(CATALOG, "r9.medium", capacity={CPU: 5.0}))[3:5] == [
            "r9.medium",
            "c9u.xlarge",
        ]

    def test_a_burstable_size_of_a_general_family_stands_in_for_its_own_family_only(self) -> None:
        bursting = sizes_changed(CATALOG, "c9.medium", burst_baseline_pct=20.0)
        assert "c9.medium" in candidates("c9.4xlarge", shapes=bursting)
        assert "c9.medium" not in candidates("m9.4xlarge", shapes=bursting)

    def test_databases_have_general_families_too(self) -> None:
        names = {"m9.large", "m9.xlarge", "c9.large", "x9.large", "m9-flex.large"}
        renamed = slice_of(CATALOG, [number for number, name in enumerate(CATALOG.names) if name in names])
        databases = replace(
            renamed, names=[f"db.{name}" for name in renamed.names], families=[f"db.{name}" for name in renamed.families]
        )
        assert candidates("db.m9.xlarge", shapes=databases) == ["db.c9.large", "db.m9.large"]


class TestShapes:
    def test_a_size_is_found_by_name(self) -> None:
        assert CATALOG.names[CATALOG.number_of("r9.large")] == "r9.large"
        assert CATALOG.number_of("r99.large") == CATALOG.number_of(None) == -1

    @pytest.mark.parametrize(
        ("one", "other", "expected"),
        [
            ("m9.large", "m9.xlarge", True),
            ("c9.xlarge", "m9.xlarge", True),  # less memory, as many vCPU
            ("r9.large", "m9.xlarge", True),  # fewer vCPU, as much memory
            ("m9z.xlarge", "m9.xlarge", False),
            ("r9.xlarge", "m9.xlarge", False),
            ("r9.large", "c9.xlarge", False),  # fewer vCPU, more memory
            ("c9.2xlarge", "m9.xlarge", False),  # more vCPU, as much memory
        ],
    )
    def test_smaller_is_less_of_something_and_more_of_nothing(self, one: str, other: str, expected: bool) -> None:
        assert CATALOG.is_smaller(CATALOG.number_of(one), CATALOG.number_of(other)) is expected

    def test_capacities_are_five_for_each_size(self) -> None:
        with pytest.raises(ValueError, match=r"capacity of 2 sizes has the shape \(2, 4\)"):
            two = slice_of(CATALOG, [0, 1])
            replace(two, capacity=two.capacity[:, :4])


def test_targets_reach_as_far_as_they_are_allowed() -> None:
    row = {**NEARLY_NOTHING, "peak": {**NEARLY_NOTHING["peak"], MEMORY: 13.0}, "memory_ever": 13.0}
    assert verdict_of(Rules(target="cheapest"), **row).target == "r9.large"  # 0.24 USD an hour for 16 GiB
    assert verdict_of(Rules(target="family"), **row).target == "m9.xlarge"
    assert verdict_of(Rules(target="one-step"), **row).target == "m9.2xlarge"


@pytest.mark.parametrize("platform", ["windows", "Red Hat Enterprise Linux"])
def test_a_licence_keeps_a_machine_in_its_family(platform: str) -> None:
    assert verdict_of(Rules(), **NEARLY_NOTHING, platform=platform).target == "m9.medium"
    assert verdict_of(Rules(), **NEARLY_NOTHING, platform="Linux").target == "c9.medium"
    assert verdict_of(Rules(target="one-step"), **NEARLY_NOTHING, platform=platform).target == "m9.2xlarge"


def test_rows_of_one_size_with_and_without_a_licence_are_searched_apart() -> None:
    busy_enough = {**NEARLY_NOTHING, "peak": {**NEARLY_NOTHING["peak"], CPU: 0.85}}  # for not being a pool of idle machines
    rows = [{**busy_enough, "platform": platform} for platform in ("windows", "linux", None)]
    assert [said.target for said in verdicts_of(*rows, rules=Rules())] == ["m9.medium", "c9.medium", "c9.medium"]


def test_an_unknown_limit_holds_nothing_that_shrinks() -> None:
    """c9u.large would be cheaper than c9.medium by a quarter."""
    assert verdict_of(Rules(), **NEARLY_NOTHING).target == "c9.medium"
    known = sizes_changed(CATALOG, "c9u.large", capacity={DISK: 100.0, IOPS: 100.0})
    assert verdict_of(Rules(), known, **NEARLY_NOTHING).target == "c9u.large"
    for half in ({DISK: 100.0}, {IOPS: 100.0}):
        assert verdict_of(Rules(), sizes_changed(CATALOG, "c9u.large", capacity=half), **NEARLY_NOTHING).target == "c9.medium"


def test_a_present_size_with_an_unknown_limit_still_asks_for_what_is_needed() -> None:
    unknown = sizes_changed(CATALOG, "m9.4xlarge", capacity={DISK: NAN})
    assert verdict_of(shapes=unknown).target == "m9.xlarge"
    assert verdict_of(shapes=unknown, peak={DISK: 9000.0}).code == "keep_busy_ebs"
    assert verdict_of(shapes=unknown, covered_pct={DISK: 0.0}).code == "insufficient_coverage"


class TestAttachments:
    """m9.medium takes 2 interfaces and 8 volumes, m9.large 3 and 10, m9.xlarge and m9.2xlarge 4 and 20, m9.4xlarge 8 and 28."""

    @pytest.mark.parametrize(
        ("interfaces", "volumes", "target"),
        [
            (2.0, 8.0, "m9.medium"),
            (3.0, 8.0, "m9.large"),
            (2.0, 9.0, "m9.large"),
            (4.0, 11.0, "m9.xlarge"),
            (4.0, 20.0, "m9.xlarge"),
            (5.0, 1.0, None),
            (1.0, 21.0, None),
        ],
    )
    def test_what_is_attached_must_be_attachable(self, interfaces: float, volumes: float, target: str | None) -> None:
        said = verdict_of(**{**NEARLY_NOTHING, "interfaces": interfaces, "volumes": volumes})
        assert (said.target, said.code) == (target, "propose_smaller_size" if target else "keep_no_cheaper_fit")

    @pytest.mark.parametrize(("column", "assumed"), [("interfaces", 2.0), ("volumes", 8.0)])
    def test_two_interfaces_and_eight_volumes_are_assumed(self, column: str, assumed: float) -> None:
        row = {**NEARLY_NOTHING, column: NAN}
        assert verdict_of(**row).target == "m9.medium"
        assert verdict_of(shapes=sizes_changed(CATALOG, "m9.medium", **{column: assumed - 1}), **row).target == "m9.large"

    def test_a_limit_that_is_not_known_takes_nothing(self) -> None:
        for column in ("interfaces", "volumes"):
            unknown = sizes_changed(CATALOG, "m9.medium", **{column: NAN})
            assert verdict_of(shapes=unknown, **{**NEARLY_NOTHING, column: 0.0}).target == "m9.large"


class TestBurstable:
    """t9.large has 2 vCPU and earns 0.4 vCPU all the time; t9.medium 0.2."""

    ROW = {  # noqa: RUF012
        "size": "t9.xlarge",
        "peak": {CPU: 0.9, MEMORY: 6.0, NETWORK: 0.5, DISK: 500.0, IOPS: 100.0},
        "memory_ever": 6.0,
        "cpu_p995": 0.8,
    }

    @staticmethod
    def load(*stretches: tuple[float, int]) -> tuple[np.ndarray, np.ndarray]:
        """(cores, hours) as samples of five minutes."""
        cores = np.concatenate([np.full(hours * 12, cores) for cores, hours in stretches])
        return cores, np.full(len(cores), 5.0)

    def test_demand_within_the_baseline_needs_no_credits(self) -> None:
        assert verdict_of(**{**self.ROW, "cpu_p995": 0.4}).target == "t9.large"
        said = verdict_of(**{**self.ROW, "cpu_p995": 0.4001})
        assert (said.code, said.limit, said.value) == ("keep_busy_cpu", 20, pytest.approx(20.005))

    def test_a_load_that_is_not_known_uses_up_all_credits(self) -> None:
        assert verdict_of(**self.ROW).code == "keep_busy_cpu"

    def test_a_balance_that_stays_positive_lasts(self) -> None:
        # 432 credits after the first day (0.1 of 0.4 vCPU used), 576 at most; two busy hours use 0.4 · 120 = 48 of them.
        said = verdict_of(**self.ROW, cpu_load=self.load((0.1, 48), (0.8, 2), (0.1, 10)))
        assert (said.target, said.value) == ("t9.large", pytest.approx(40))

    def test_a_balance_that_ran_out_does_not(self) -> None:
        # 0.4 beyond the earnings empties 576 credits in 24 hours; from 432 of them, in 18.
        said = verdict_of(**self.ROW, cpu_load=self.load((0.1, 24), (0.8, 20), (0.1, 10)))
        assert (said.code, said.text) == ("keep_busy_cpu", "P99.5 would be 40 % of t9.large and use up its CPU credits")
        assert verdict_of(**self.ROW, cpu_load=self.load((0.1, 24), (0.8, 17), (0.1, 10))).target == "t9.large"

    def test_a_balance_of_exactly_zero_has_run_out(self) -> None:
        assert verdict_of(**self.ROW, cpu_load=self.load((0.4, 72))).target is None
        assert verdict_of(**self.ROW, cpu_load=self.load((0.39, 72))).target == "t9.large"

    def test_each_size_is_tried_with_its_own_earnings(self) -> None:
        """t9.medium would hold the peak, but earns 0.2: its credits run out where those of t9.large do not."""
        row = {**self.ROW, "peak": {**self.ROW["peak"], CPU: 0.5, MEMORY: 3.0}, "memory_ever": 3.0, "cpu_p995": 0.45}
        load = self.load((0.1, 24), (0.45, 24))
        assert verdict_of(**row, cpu_load=load).target == "t9.large"
        assert verdict_of(**row, cpu_load=self.load((0.1, 24), (0.45, 6))).target == "t9.medium"

    def test_rows_of_one_night_have_loads_of_their_own(self) -> None:
        loads = [self.load((0.39, 72)), None, self.load((0.8, 72))]
        said = verdicts_of(*[{**self.ROW, "cpu_load": load} for load in loads])
        assert [one.target for one in said] == ["t9.large", None, None]


class TestHysteresis:
    """m9.xlarge holds 15.56 GiB of the 16 that it has, and would not with a tenth more."""

    RULES = replace(FAMILY, hysteresis_pct=10)
    ROW = {"peak": {MEMORY: 14.0}, "memory_ever": 14.0}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("previous", "target"),
        [
            (None, "m9.xlarge"),  # nothing to change
            ("m9.xlarge", "m9.xlarge"),  # last night's stays
            ("m9.large", "m9.xlarge"),  # larger than last night's
            ("m9.2xlarge", "m9.2xlarge"),  # a smaller one than last night's needs the margin
            ("m9.4xlarge", "m9.2xlarge"),  # and so does the first proposal after a night without one
        ],
    )
    def test_a_change_of_mind_needs_a_margin(self, previous: str | None, target: str) -> None:
        assert verdict_of(self.RULES, **self.ROW, previous=previous).target == target

    def test_without_a_margin_last_night_does_not_matter(self) -> None:
        assert verdict_of(FAMILY, **self.ROW, previous="m9.4xlarge").target == "m9.xlarge"

    def test_the_margin_is_inclusive(self) -> None:
        exact = {"peak": {NETWORK: 4.0}, "previous": "m9.4xlarge"}
        assert verdict_of(replace(FAMILY, hysteresis_pct=100), **exact).target == "m9.2xlarge"
        assert verdict_of(replace(FAMILY, hysteresis_pct=100.01), **exact).target is None

    def test_the_margin_is_asked_of_a_single_vcpu_too(self) -> None:
        row = {**NEARLY_NOTHING, "size": "m9.large", "peak": {**NEARLY_NOTHING["peak"], CPU: 0.85}}
        assert verdict_of(self.RULES, **row, previous="m9.medium").target == "m9.medium"
        assert verdict_of(self.RULES, **row, previous="m9.large").target is None

    def test_the_margin_is_not_asked_where_nothing_shrinks(self) -> None:
        as_much = sizes_changed(CATALOG, "m9.2xlarge", capacity={MEMORY: 64.0})
        assert (
            verdict_of(self.RULES, as_much, peak={MEMORY: 60.0}, memory_ever=60.0, previous="m9.4xlarge").target == "m9.2xlarge"
        )

    def test_at_one_price_last_nights_size_stays_too(self) -> None:
        """m9.xlarge comes first by its name; m9z.xlarge has the margin for what m9.xlarge only just holds."""
        roomier = sizes_changed(CATALOG, "m9z.xlarge", capacity={NETWORK: 8.0})
        rules, row = Rules(hysteresis_pct=10), {"peak": {NETWORK: 4.0}}
        first = verdict_of(rules, roomier, **row, previous="m9.4xlarge").target
        assert first == "m9z.xlarge"
        assert verdict_of(rules, roomier, **row, previous=first).target == first

    def test_nights_of_noise_change_nothing(self) -> None:
        """Demand that crosses an edge to and fro: without a margin the verdict flips each time."""
        memory = [14.0, 14.6, 14.0, 14.6, 14.0]

        def nights(rules: Rules) -> list[str | None]:
            targets: list[str | None] = ["m9.4xlarge"]
            for peak in memory:
                previous = targets[-1]
                targets.append(verdict_of(rules, peak={MEMORY: peak}, memory_ever=peak, previous=previous).target)
            return targets[1:]

        assert nights(FAMILY) == ["m9.xlarge", "m9.2xlarge", "m9.xlarge", "m9.2xlarge", "m9.xlarge"]
        assert nights(self.RULES) == ["m9.2xlarge"] * 5


class TestExpectedValue:
    """Of four weeks of history: a record falls in the next week with a chance of 168 / (672 + 168) = 0.2."""

    @staticmethod
    def chance(factor: float) -> float:
        """Of exceeding m9.xlarge (1) or m9.2xlarge (2) on any dimension, with the demand of every row here."""
        headroom = {CPU: 4 / 3, MEMORY: 16 / 12, NETWORK: 4.0, DISK: 4.0, IOPS: 5.0}
        tails = {CPU: (0.50, 1.25), MEMORY: (0.32, 2.15), NETWORK: (0.62, 0.94), DISK: (0.72, 1.09), IOPS: (0.72, 1.09)}
        return sum(0.2 * tails[d][0] * (headroom[d] * factor) ** -tails[d][1] for d in headroom)

    def rules(self, cost: float, restart: float = 0) -> Rules:
        return replace(FAMILY, incident_cost_usd=cost, restart_cost_usd=restart)

    def test_savings_less_incidents_less_a_twelfth_of_the_restart(self) -> None:
        said = verdict_of(self.rules(100, 120))
        assert said.target == "m9.xlarge"
        assert said.exceedance == pytest.approx(self.chance(1)) == pytest.approx(0.19466, rel=1e-3)
        assert said.expected_usd_month == pytest.approx(876 - self.chance(1) * (365 / 12 / 7) * 100 - 10)
        assert said.savings_usd_month == pytest.approx(876)

    def test_a_larger_size_may_be_worth_more(self) -> None:
        """At 1,050 USD an incident m9.xlarge saves 876 and risks 888; m9.2xlarge saves 584 and risks 371."""
        said = verdict_of(self.rules(1050))
        assert said.target == "m9.2xlarge"
        assert said.expected_usd_month == pytest.approx(584 - self.chance(2) * (365 / 12 / 7) * 1050)

    def test_nothing_is_proposed_that_costs_more_than_it_saves(self) -> None:
        said = verdict_of(self.rules(2000))
        assert (said.code, said.candidate) == ("keep_not_enough_gain_vs_risk", "m9.2xlarge")
        assert (said.value, said.limit) == (584, pytest.approx(self.chance(2) * (365 / 12 / 7) * 2000))

    def test_a_gain_of_nothing_is_no_gain(self) -> None:
        assert verdict_of(self.rules(0, 584 * 12), peak={CPU: 6.0}).code == "keep_not_enough_gain_vs_risk"
        assert verdict_of(self.rules(0, 584 * 12 - 0.12), peak={CPU: 6.0}).target == "m9.2xlarge"

    def test_each_member_saves_and_one_restart_is_paid(self) -> None:
        said = verdict_of(self.rules(0, 12), kind="autoscaling_group", units=3.0)
        assert (said.savings_usd_month, said.expected_usd_month) == (pytest.approx(3 * 876), pytest.approx(3 * 876 - 1))

    def test_a_past_incident_is_a_record_too(self) -> None:
        """Twice the peak of the look-back, which m9.2xlarge holds by 4/3."""
        said = verdict_of(self.rules(1), replay={CPU: 6.0}, replay_event={CPU: "INC-7"})
        calm = self.chance(2) - 0.2 * 0.5 * (8 / 3) ** -1.25
        assert said.exceedance == pytest.approx(calm + 0.2 * 0.5 * (8 / 6) ** -1.25)

    def test_what_does_not_shrink_and_what_is_not_judged_is_no_risk(self) -> None:
        disk_stays = sizes_changed(CATALOG, "m9.2xlarge", capacity={DISK: 16000.0})
        row = {"peak": {CPU: 6.0}, "is_judged": {IOPS: False, NETWORK: False}}
        said = verdict_of(self.rules(1), disk_stays, **row)
        assert said.target == "m9.2xlarge"
        assert said.exceedance == pytest.approx(0.2 * (0.5 * (8 / 6) ** -1.25 + 0.32 * (32 / 12) ** -2.15))

    def test_a_chance_is_never_more_than_one(self) -> None:
        assert verdict_of(replay={CPU: 100.0, MEMORY: 100.0}, replay_event={CPU: "a", MEMORY: "b"}).exceedance == 1


class TestMoney:
    def test_a_month_has_730_hours(self) -> None:
        said = verdict_of(units=2.0)
        assert (said.current_usd_month, said.candidate_usd_month) == (pytest.approx(2 * 1.6 * 730), pytest.approx(2 * 0.4 * 730))

    def test_the_least_savings_are_inclusive(self) -> None:
        savings = verdict_of().savings_usd_month
        assert verdict_of(replace(FAMILY, min_savings_usd_month=savings)).target == "m9.xlarge"
        assert verdict_of(replace(FAMILY, min_savings_usd_month=savings + 0.01)).code == "keep_savings_too_small"

    def test_less_than_a_cent_is_never_worth_it(self) -> None:
        hardly = sizes_changed(CATALOG, "m9.2xlarge", usd_per_hour=1.6 - 1e-5)
        rules = Rules(target="one-step", min_savings_usd_month=0)
        assert verdict_of(rules, hardly).code == "keep_savings_too_small"
        assert verdict_of(rules, sizes_changed(CATALOG, "m9.2xlarge", usd_per_hour=1.6 - 2e-5)).target == "m9.2xlarge"

    def test_what_is_not_known_has_no_amount(self) -> None:
        unknown, unpriced = verdict_of(size="m99.large"), verdict_of(size="m9.3xlarge")
        assert np.isnan(
            [unknown.current_usd_month, unknown.candidate_usd_month, unknown.exceedance, unpriced.current_usd_month]
        ).all()
        assert (unknown.savings_usd_month, unpriced.savings_usd_month, unknown.candidate) == (0, 0, None)

    def test_a_refused_size_is_still_named_with_its_price(self) -> None:
        said = verdict_of(open_incident="INC-7")
        assert (said.candidate, said.candidate_usd_month, said.target) == ("m9.xlarge", pytest.approx(292), None)


class TestNearest:
    """The size that a reader is told of when none fits."""

    def test_it_is_the_next_smaller_of_the_family(self) -> None:
        said = verdict_of(Rules(), peak={CPU: 15.0, MEMORY: 60.0}, memory_ever=60.0, cpu_p995=10.0)
        assert (said.candidate, said.code) == ("m9.2xlarge", "keep_busy_memory"), "60 of 28.8 GiB is more than 15 of 8 vCPU"

    def test_without_one_it_is_the_dearest_cheaper_one(self) -> None:
        said = verdict_of(Rules(), size="m9.medium", peak={CPU: 0.9, MEMORY: 3.5}, memory_ever=3.5, cpu_p995=0.5)
        assert (said.candidate, said.code) == ("c9.medium", "keep_busy_memory")

    def test_the_dimension_that_is_short_by_most_speaks(self) -> None:
        said = verdict_of(peak={NETWORK: 9.0, IOPS: 60000.0, DISK: 9500.0})
        assert (said.code, said.value, said.text) == ("keep_busy_ebs", 60000, "IOPS")


def test_columns_have_one_length() -> None:
    evidence = evidence_of({}, {})
    with pytest.raises(ValueError, match="units has 1 rows, and there are 2 resources"):
        replace(evidence, units=np.ones(1))
    assert len(evidence) == 2


def test_columns_that_are_left_out_have_their_default_in_every_row() -> None:
    evidence = replace(evidence_of({}, {}), kind=None, replay=None, is_judged=None, pool=None)
    assert list(evidence.kind) == ["ec2_instance"] * 2
    assert evidence.replay.shape == (2, 5) and np.isnan(evidence.replay).all()
    assert evidence.is_judged.all() and evidence.pool.tolist() == [-1, -1]


@pytest.mark.parametrize("target", ["smallest", "", "Cheapest"])
def test_a_target_that_nobody_knows_is_an_error(target: str) -> None:
    with pytest.raises(ValueError, match=f"target is '{target}', and one of cheapest, family, one-step is needed"):
        Rules(target=target)
