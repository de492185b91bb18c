"""How a verdict and what AWS says of the same resource stand to each other."""

# ruff: noqa: DTZ001 - naive UTC
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.second_opinion import (
    COMPUTE_OPTIMIZER,
    HUB,
    KEEP,
    KINDS,
    LARGER,
    OTHER_SIZE,
    OTHER_TYPE,
    OUTDATED,
    SAME,
    SMALLER,
    STOP,
    THEY_KEEP,
    TOO_SMALL,
    UNCLEAR,
    UNKNOWN,
    WE_KEEP,
    Opinion,
    Ours,
    Size,
    answers,
    compare,
    opinion_told,
    told,
    totals,
    wanted,
)

SIZES = {
    "m5.large": Size(2, 8),
    "m5.xlarge": Size(4, 16),
    "m5.2xlarge": Size(8, 32),
    "m6g.2xlarge": Size(8, 32),
    "m6g.large": Size(2, 8),
    "c5.2xlarge": Size(8, 16),
    "r5.large": Size(2, 16),
    "c5.xlarge": Size(4, 8),
}
PROPOSAL = Ours(
    "i-1", "propose", "propose_smaller_size", "m5.xlarge holds it.", "m5.2xlarge", "m5.xlarge", savings_usd_month=140.16
)
REFUSAL = Ours("i-1", "refuse", "refuse_open_incident", "Its service has an open incident: INC-1.", "m5.2xlarge")


def says(finding: str, recommended: str | None = None, **more: Any) -> Opinion:
    return Opinion(
        more.pop("source", COMPUTE_OPTIMIZER),
        finding,
        current_type=more.pop("current_type", "m5.2xlarge"),
        recommended_type=recommended,
        **more,
    )


class TestWhatAnOpinionAsksFor:
    @pytest.mark.parametrize(
        ("opinion", "asks"),
        [
            (says("under_provisioned", "m5.2xlarge"), LARGER),
            (says("optimized", "m6g.2xlarge"), KEEP),
            (says("over_provisioned", "m5.large"), SMALLER),
            (says("over_provisioned"), SMALLER),
            (says("scale_in"), SMALLER),
            (says("stop"), STOP),
            (says("delete"), STOP),
            (says("rightsize", "m5.large"), SMALLER),
            (says("upgrade", "m6g.2xlarge"), OTHER_TYPE),
            (says("migrate_to_graviton", "m6g.2xlarge"), OTHER_TYPE),
            # More than another architecture: it has less, too.
            (says("migrate_to_graviton", "m6g.large"), SMALLER),
            (says("upgrade", "m9.unknown"), OTHER_TYPE),
            (says("not_optimized", "m5.large"), SMALLER),
            (says("not_optimized", "m5.2xlarge", current_type="m5.large"), LARGER),
            (says("not_optimized", "m6g.2xlarge"), OTHER_TYPE),
            (says("something_new", "m5.large"), UNKNOWN),
        ],
    )
    def test_finding_and_sizes_tell(self, opinion: Opinion, asks: str) -> None:
        assert wanted(opinion, SIZES) == asks

    @pytest.mark.parametrize(
        ("finding", "usd", "asks"),
        [
            ("not_optimized", 12.5, SMALLER),
            ("not_optimized", -30.0, LARGER),
            ("not_optimized", 0.0, UNKNOWN),
            ("not_optimized", None, UNKNOWN),
            ("rightsize", 12.5, SMALLER),
            ("rightsize", None, UNKNOWN),
        ],
    )
    def test_where_no_type_is_known_the_money_tells(self, finding: str, usd: float | None, asks: str) -> None:
        assert wanted(says(finding, savings_usd_month=usd), SIZES) == asks

    def test_more_of_one_and_less_of_another_is_told_by_the_money(self) -> None:
        opinion = says("not_optimized", "c5.xlarge", current_type="r5.large", savings_usd_month=-4)
        assert wanted(opinion, SIZES) == LARGER

    def test_savings_after_discounts_count_where_no_others_are_told(self) -> None:
        assert wanted(says("rightsize", savings_after_discounts_usd_month=9), SIZES) == SMALLER

    def test_what_idles_is_to_be_stopped_unless_it_is_too_small(self) -> None:
        assert wanted(says("over_provisioned", "m5.large", is_idle=True), SIZES) == STOP
        assert wanted(says("under_provisioned", is_idle=True), SIZES) == LARGER


class TestKinds:
    @pytest.mark.parametrize(
        ("ours", "opinion", "kind", "bolder"),
        [
            (PROPOSAL, says("under_provisioned"), TOO_SMALL, None),
            (PROPOSAL, says("optimized"), THEY_KEEP, None),
            (PROPOSAL, says("over_provisioned", "m5.large"), OTHER_SIZE, "they"),
            (PROPOSAL, says("over_provisioned", "m5.xlarge"), SAME, None),
            (PROPOSAL, says("over_provisioned"), SAME, None),
            (PROPOSAL, says("over_provisioned", "c5.2xlarge"), OTHER_SIZE, "we"),
            (PROPOSAL, says("migrate_to_graviton", "m6g.2xlarge"), OTHER_SIZE, "we"),
            (PROPOSAL, says("stop"), OTHER_SIZE, "they"),
            (REFUSAL, says("over_provisioned", "m5.large"), WE_KEEP, None),
            (REFUSAL, says("stop"), WE_KEEP, None),
            (REFUSAL, says("optimized"), SAME, None),
            (REFUSAL, says("under_provisioned"), SAME, None),
            (REFUSAL, says("migrate_to_graviton", "m6g.2xlarge"), SAME, None),
            (PROPOSAL, says("something_new"), UNCLEAR, None),
            (PROPOSAL, says("under_provisioned", current_type="m5.large"), OUTDATED, None),
            (PROPOSAL, says("under_provisioned", current_type=None), TOO_SMALL, None),
        ],
    )
    def test_each(self, ours: Ours, opinion: Opinion, kind: str, bolder: str | None) -> None:
        found = compare(ours, opinion, SIZES)
        assert (found.kind, found.bolder) == (kind, bolder)

    @pytest.mark.parametrize("verdict", ["refuse", "keep", "insufficient"])
    def test_whoever_does_not_propose_keeps(self, verdict: str) -> None:
        assert compare(replace(REFUSAL, verdict=verdict), says("rightsize", "m5.large"), SIZES).kind == WE_KEEP

    @pytest.mark.parametrize(("usd", "bolder"), [(200.0, "they"), (100.0, "we"), (140.16, None), (None, None)])
    def test_where_sizes_do_not_tell_who_goes_further_the_money_does(self, usd: float | None, bolder: str | None) -> None:
        group = replace(PROPOSAL, target_type=None, minimum=2)
        assert compare(group, says("over_provisioned", "m5.large", savings_usd_month=usd), SIZES).bolder == bolder

    @given(
        st.sampled_from([PROPOSAL, REFUSAL, replace(REFUSAL, verdict="keep"), replace(REFUSAL, verdict="insufficient")]),
        st.sampled_from(
            ["under_provisioned", "over_provisioned", "optimized", "not_optimized", "rightsize", "stop", "upgrade", ""]
        ),
        st.sampled_from([None, *SIZES, "x.unknown"]),
        st.sampled_from([None, *SIZES]),
        st.none() | st.floats(-1e6, 1e6),
        st.booleans(),
    )
    def test_every_pair_is_of_one_kind_or_not_compared_and_can_be_told(
        self, ours: Ours, finding: str, recommended: str | None, current: str | None, usd: float | None, is_idle: bool
    ) -> None:
        opinion = says(finding, recommended, current_type=current, savings_usd_month=usd, is_idle=is_idle)
        found = compare(ours, opinion, SIZES)
        assert found.kind in (*KINDS, OUTDATED, UNCLEAR)
        # Nobody who finds it too small is ever said to agree with a smaller size.
        if ours.is_proposal and finding == "under_provisioned" and found.is_compared:
            assert found.kind == TOO_SMALL
        assert told(answers([found])[0]).endswith((".", "further."))


def test_answers_are_by_resource_the_most_important_first() -> None:
    def of(name: str, ours: Ours, opinion: Opinion) -> Any:
        return compare(replace(ours, resource_id=name), opinion, SIZES)

    found = answers(
        [
            of("i-same", REFUSAL, says("optimized")),
            of("i-small", PROPOSAL, says("optimized", source=HUB)),
            of("i-small", PROPOSAL, says("under_provisioned")),
            of("i-keep-10", REFUSAL, says("stop", savings_usd_month=10)),
            of("i-keep-90", REFUSAL, says("stop", savings_usd_month=90)),
            of("i-old", PROPOSAL, says("optimized", current_type="m5.large")),
        ]
    )
    assert [(each.ours.resource_id, each.kind) for each in found] == [
        ("i-small", TOO_SMALL),
        ("i-keep-90", WE_KEEP),
        ("i-keep-10", WE_KEEP),
        ("i-same", SAME),
        ("i-old", OUTDATED),
    ]
    assert found[0].differ
    assert [each.opinion.source for each in found[0].others] == [HUB]
    assert not any(each.differ for each in found[1:])


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (says("over_provisioned", "m5.large"), says("rightsize", "m5.large", source=HUB), False),
        (says("over_provisioned", "m5.large"), says("rightsize", "m5.xlarge", source=HUB), True),
        (says("over_provisioned", "m5.large"), says("stop", source=HUB), True),
        (says("over_provisioned"), says("rightsize", "m5.large", source=HUB), False),
        # One of another size is no part of it.
        (says("over_provisioned", "m5.large"), says("stop", source=HUB, current_type="m5.large"), False),
    ],
)
def test_two_advisers_differ_in_what_they_want_or_in_the_type(one: Opinion, other: Opinion, differ: bool) -> None:
    (found,) = answers([compare(PROPOSAL, one, SIZES), compare(PROPOSAL, other, SIZES)])
    assert found.differ is differ


def test_totals_have_every_kind_and_sum_what_is_known() -> None:
    def of(name: str, ours: Ours, opinion: Opinion) -> Any:
        return compare(replace(ours, resource_id=name), opinion, SIZES)

    found = totals(
        answers(
            [
                of("i-1", PROPOSAL, says("over_provisioned", "m5.large", savings_usd_month=210)),
                # Of one resource that is heard twice the money counts once.
                of("i-1", PROPOSAL, says("rightsize", "m5.large", source=HUB, savings_usd_month=210)),
                of("i-2", PROPOSAL, says("over_provisioned", "m5.large")),
                of("i-3", PROPOSAL, says("under_provisioned", savings_usd_month=-70)),
            ]
        )
    )
    assert [(each.kind, each.resources, each.ours_usd_month, each.theirs_usd_month) for each in found] == [
        (TOO_SMALL, 1, 140.16, None),
        (THEY_KEEP, 0, 0, None),
        (WE_KEEP, 0, 0, None),
        (OTHER_SIZE, 2, 280.32, 210),
        (SAME, 0, 0, None),
    ]


class TestSentences:
    def test_both_sides_with_their_numbers(self) -> None:
        opinion = says(
            "over_provisioned",
            "m5.large",
            reason_codes=("CPUOverprovisioned",),
            performance_risk=1.0,
            savings_usd_month=210.24,
            lookback_days=14.0,
            as_of=datetime(2025, 3, 9, 4),
        )
        (found,) = answers([compare(PROPOSAL, opinion, SIZES)])
        assert told(found) == (
            "Compute Optimizer would move it to m5.large (CPUOverprovisioned), for $210 a month less at a performance risk of "
            "1.0 of 4 (14 days up to 2025-03-09); we propose m5.xlarge for $140 a month less. m5.xlarge holds it. "
            "They go further."
        )

    def test_why_we_refuse(self) -> None:
        (found,) = answers([compare(REFUSAL, says("stop", source=HUB, savings_usd_month=9.5), SIZES)])
        assert told(found) == (
            "The Cost Optimization Hub would stop it, for $9.50 a month less; we refuse: Its service has an open incident: INC-1."
        )

    def test_what_is_too_small_for_them_says_where_they_would_go_and_no_savings(self) -> None:
        opinion = says("under_provisioned", "m6g.2xlarge", reason_codes=("MemoryUnderprovisioned",), savings_usd_month=-12.0)
        (found,) = answers([compare(PROPOSAL, opinion, SIZES)])
        assert told(found).startswith(
            "Compute Optimizer finds it under-provisioned (MemoryUnderprovisioned) and would move it to m6g.2xlarge; we propose"
        )

    def test_advisers_that_contradict_each_other_are_told_as_such(self) -> None:
        both = [compare(REFUSAL, each, SIZES) for each in (says("optimized"), says("rightsize", "m5.large", source=HUB))]
        (found,) = answers(both)
        assert found.kind == WE_KEEP
        assert told(found).startswith(
            "The Cost Optimization Hub would move it to m5.large; Compute Optimizer, however, finds it optimized; we refuse: "
        )

    @pytest.mark.parametrize(
        ("opinion", "clause"),
        [
            (says("over_provisioned", is_idle=True), "Compute Optimizer finds it idle"),
            (says("rightsize", savings_usd_month=12), "Compute Optimizer would shrink it, for $12 a month less"),
            (says("scale_in"), "Compute Optimizer would run fewer members"),
            (says("over_provisioned"), "Compute Optimizer finds it over-provisioned"),
            (says("upgrade", savings_usd_month=-3), "Compute Optimizer would move it to another type, for $3.00 a month more"),
            (
                says("rightsize", "m5.large", savings_after_discounts_usd_month=30),
                "Compute Optimizer would move it to m5.large, for $30 a month less after discounts",
            ),
            (
                says("optimized", current_type="m5.large"),
                "Compute Optimizer speaks of m5.large, which it is not, and finds it optimized",
            ),
            (says("something_new", "m5.large"), "Compute Optimizer says something_new and would move it to m5.large"),
        ],
    )
    def test_what_is_not_told_is_left_out(self, opinion: Opinion, clause: str) -> None:
        assert opinion_told(compare(REFUSAL, opinion, SIZES)) == clause

    def test_a_lower_minimum_is_told_as_one(self) -> None:
        group = replace(PROPOSAL, target_type=None, minimum=2, sentence="2 are enough.")
        (found,) = answers([compare(group, says("optimized"), SIZES)])
        assert told(found) == (
            "Compute Optimizer finds it optimized; we propose a minimum of 2 members for $140 a month less. 2 are enough."
        )
