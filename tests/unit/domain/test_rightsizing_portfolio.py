"""What one night allows of what each resource may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagster_project.domain.rightsizing.portfolio import Limits, one_night, rank
from dagster_project.domain.rightsizing.verdict import Verdict, with_reason
from tests.rightsizing_builders import verdict_of

PROPOSED, KEPT = verdict_of(), verdict_of(size="m9.medium", peak={0: 0.1, 1: 1.0})


def proposal(name: str, gain: float = 100.0) -> Verdict:
    return replace(PROPOSED, resource_id=name, expected_usd_month=gain)


def kept(name: str) -> Verdict:
    return replace(KEPT, resource_id=name)


def codes(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.resource_id: verdict.code.removeprefix("refuse_").removeprefix("propose_") for verdict in verdicts}


def test_the_builders_are_what_they_say() -> None:
    assert (PROPOSED.verdict, KEPT.verdict) == ("propose", "keep")


def test_the_highest_expected_value_comes_first_and_of_equals_the_smaller_id() -> None:
    ranked = rank([proposal("b", 10), proposal("z", 99), kept("k"), proposal("a", 10), proposal("c", 10.5)])
    assert [verdict.resource_id for verdict in ranked] == ["z", "c", "a", "b"]


@pytest.mark.parametrize(
    ("members", "share", "least", "allowed"),
    [(4, 50, 3, 3), (6, 50, 3, 3), (7, 50, 3, 3), (8, 50, 3, 4), (10, 25, 0, 2), (10, 100, 3, 10), (2, 50, 0, 1), (1, 50, 0, 0)],
)
def test_a_service_has_its_share_for_a_night(members: int, share: float, least: int, allowed: int) -> None:
    """Those with the highest expected value have it."""
    verdicts = [proposal(f"r{number}", 100 + number) for number in range(members)]
    said = one_night(verdicts, ["checkout"] * members, [], Limits(share, least))
    first = {f"r{number}" for number in range(members - allowed, members)}
    assert {verdict.resource_id for verdict in said if verdict.verdict == "propose"} == first
    for verdict in said[: members - allowed]:
        assert (verdict.code, verdict.value, verdict.limit, verdict.text) == ("refuse_blast_radius", allowed, allowed, "checkout")
        assert (verdict.target, verdict.savings_usd_month, verdict.expected_usd_month) == (None, 0, 0)
        assert verdict.candidate == "m9.xlarge"


def test_the_share_is_of_all_resources_of_the_service() -> None:
    verdicts = [*(proposal(f"r{number}") for number in range(5)), *(kept(f"k{number}") for number in range(5))]
    said = one_night(verdicts, ["checkout"] * 10, [], Limits())
    assert sum(verdict.verdict == "propose" for verdict in said) == 5


def test_of_equal_gains_the_later_id_waits() -> None:
    said = one_night([proposal(name) for name in "dbca"], ["checkout"] * 4, [], Limits())
    assert codes(said) == {"a": "smaller_size", "b": "smaller_size", "c": "smaller_size", "d": "blast_radius"}


def test_services_do_not_share() -> None:
    verdicts = [proposal(f"r{number}") for number in range(6)]
    said = one_night(verdicts, ["checkout", "search"] * 3, [], Limits())
    assert said == verdicts


def test_a_resource_without_a_service_counts_as_its_own() -> None:
    verdicts = [proposal(f"r{number}") for number in range(9)]
    assert one_night(verdicts, [None] * 5 + [""] * 4, [("", "search")], Limits(0, 0)) == verdicts


@pytest.mark.parametrize("edge", [("checkout", "payments"), ("payments", "checkout")])
def test_of_two_that_stand_on_each_other_one_changes(edge: tuple[str, str]) -> None:
    said = one_night([proposal("a", 50), proposal("b", 60)], ["checkout", "payments"], [edge], Limits())
    assert said[1] == proposal("b", 60)
    refused = said[0]
    assert (refused.code, refused.value, refused.limit) == ("refuse_dependency_tier_same_night", 1, None)
    assert (refused.text, refused.target, refused.savings_usd_month) == ("payments", None, 0)


def test_the_changes_of_the_neighbour_are_counted() -> None:
    verdicts = [proposal("a", 1), proposal("b", 60), proposal("c", 50), kept("d")]
    said = one_night(verdicts, ["checkout", "payments", "payments", "payments"], [("checkout", "payments")], Limits())
    assert (said[0].code, said[0].value) == ("refuse_dependency_tier_same_night", 2)


def test_of_two_neighbours_that_change_the_first_by_name_is_told() -> None:
    verdicts = [proposal("a", 1), proposal("b", 60), proposal("c", 50)]
    said = one_night(verdicts, ["checkout", "search", "payments"], [("checkout", "search"), ("checkout", "payments")], Limits())
    assert said[0].text == "payments"


def test_a_refused_neighbour_stands_in_nobodys_way() -> None:
    """c stands on b, b on a: a changes, so b does not, so c may."""
    said = one_night(
        [proposal("1", 90), proposal("2", 80), proposal("3", 70)], ["a", "b", "c"], [("b", "a"), ("c", "b")], Limits()
    )
    assert codes(said) == {"1": "smaller_size", "2": "dependency_tier_same_night", "3": "smaller_size"}


def test_neighbours_that_do_not_change_stand_in_nobodys_way() -> None:
    said = one_night([proposal("1"), kept("2")], ["a", "b"], [("a", "b")], Limits())
    assert said[0].verdict == "propose"


def test_a_service_is_no_neighbour_of_itself() -> None:
    verdicts = [proposal("1"), proposal("2")]
    assert one_night(verdicts, ["a", "a"], [("a", "a")], Limits()) == verdicts


def test_a_neighbour_is_told_of_before_the_share() -> None:
    verdicts = [proposal("1", 90), proposal("2", 10)]
    said = one_night(verdicts, ["a", "b"], [("a", "b")], Limits(0, 1))
    assert said[1].code == "refuse_dependency_tier_same_night"
    assert one_night(verdicts, ["a", "a"], [], Limits(0, 1))[1].code == "refuse_blast_radius"


def test_verdicts_keep_their_order_and_others_stay_as_they_are() -> None:
    verdicts = [kept("z"), proposal("m"), kept("a"), proposal("b")]
    said = one_night(verdicts, ["s"] * 4, [], Limits())
    assert said == verdicts


def test_every_verdict_has_a_service_or_none() -> None:
    with pytest.raises(ValueError, match="shorter"):
        one_night([proposal("a"), proposal("b")], ["s"], [], Limits())


def test_a_later_reason_replaces_the_proposal_and_keeps_what_is_known() -> None:
    said = with_reason(PROPOSED, "refuse_snoozed", 1.0, 2.0, "until May")
    assert (said.code, said.verdict, said.value, said.limit, said.text) == ("refuse_snoozed", "refuse", 1, 2, "until May")
    assert (said.target, said.savings_usd_month, said.expected_usd_month) == (None, 0, 0)
    assert (said.candidate, said.current_usd_month, said.demand) == ("m9.xlarge", PROPOSED.current_usd_month, PROPOSED.demand)
