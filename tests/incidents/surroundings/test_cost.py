"""Ranges of what an incident cost."""

from __future__ import annotations

import pytest

from dagster_project.domain.incidents.cost import AddedCapacity, Cost, CostFacts, Range, incident_cost
from dagster_project.settings_incidents import CostSettings

SETTINGS = CostSettings()
WITH_CREDITS = CostSettings(sla_credit_share=(0.1, 0.2, 0.3))


def line(cost: Cost, name: str) -> Range | None:
    (found,) = (each.usd for each in cost.lines if each.name == name)
    return found


def basis(cost: Cost, name: str) -> str:
    (found,) = (each.basis for each in cost.lines if each.name == name)
    return found


def test_nothing_known_is_no_cost_and_no_zero() -> None:
    cost = incident_cost(CostFacts(), SETTINGS)
    assert [each.usd for each in cost.lines] == [None, None, None, None]
    assert cost.total is None
    assert cost.not_included == ("response", "impact", "SLA credits", "infrastructure")
    assert cost.sentence == "Nothing is known of what it cost."
    assert all(each.basis.endswith(".") for each in cost.lines)


def test_people_whom_the_evidence_shows_are_no_range_and_what_they_cost_is_one() -> None:
    cost = incident_cost(CostFacts(response_hours=4.0, responders=23), SETTINGS)
    assert line(cost, "response") == Range(4 * 23 * 80, 4 * 23 * 120, 4 * 23 * 180)
    assert basis(cost, "response") == "4.0 h × 23 people by the evidence × 80 / 120 / 180 USD an hour."


def test_without_evidence_the_settings_say_how_many_respond() -> None:
    cost = incident_cost(CostFacts(response_hours=2.0), SETTINGS)
    assert line(cost, "response") == Range(2 * 1 * 80, 2 * 2 * 120, 2 * 4 * 180)
    assert "by the settings" in basis(cost, "response")


def test_counted_failures_come_before_estimated_ones() -> None:
    facts = CostFacts(
        failed_requests=1_000.0, requests_per_day=1e9, impact_minutes=60, failed_share=Range(1, 1, 1), value_per_request_usd=2.0
    )
    assert line(incident_cost(facts, SETTINGS), "impact") == Range(600.0, 1_400.0, 2_000.0)


def test_failures_are_estimated_from_traffic_time_and_the_share_that_was_seen() -> None:
    facts = CostFacts(requests_per_day=1_440_000, impact_minutes=30, failed_share=Range(0.1, 0.2, 0.5), value_per_request_usd=1.0)
    cost = incident_cost(facts, SETTINGS)
    found = line(cost, "impact")
    assert found is not None
    # 30,000 requests; 30, 70 and 100 % of what failed is lost.
    assert (found.low, found.expected, found.high) == pytest.approx((900.0, 4_200.0, 15_000.0))
    assert "30,000 requests in 30 minutes × 10 / 20 / 50 % failed" in basis(cost, "impact")


def test_what_is_missing_for_the_impact_is_named() -> None:
    cost = incident_cost(CostFacts(requests_per_day=10.0, value_per_request_usd=1.0), SETTINGS)
    assert basis(cost, "impact") == (
        "No failed requests were counted, and they cannot be estimated without how long the impact lasted and the share of "
        "requests that failed."
    )
    worth = incident_cost(CostFacts(failed_requests=10.0), SETTINGS)
    assert basis(worth, "impact") == "What a request is worth is unknown."


def test_requests_that_are_worth_nothing_cost_a_known_nothing() -> None:
    cost = incident_cost(CostFacts(failed_requests=10.0, value_per_request_usd=0.0), SETTINGS)
    assert line(cost, "impact") == Range(0.0, 0.0, 0.0)
    assert "impact" not in cost.not_included


def test_credits_are_told_only_where_an_agreement_is_set() -> None:
    facts = CostFacts(failed_requests=1_000.0, value_per_request_usd=10.0)
    assert line(incident_cost(facts, SETTINGS), "SLA credits") is None
    assert line(incident_cost(facts, WITH_CREDITS), "SLA credits") == Range(1_000.0, 2_000.0, 3_000.0)
    assert line(incident_cost(CostFacts(), WITH_CREDITS), "SLA credits") is None


def test_added_capacity_costs_its_price_for_as_long_as_it_was_there() -> None:
    added = (AddedCapacity("+2 of orders-asg", 0.4, 5.0), AddedCapacity("+1 of cart-asg", 0.1, 10.0))
    cost = incident_cost(CostFacts(added=added), SETTINGS)
    assert line(cost, "infrastructure") == Range(3.0, 3.0, 3.0)
    assert basis(cost, "infrastructure") == "+2 of orders-asg for 5.0 h × 0.4 USD and +1 of cart-asg for 10.0 h × 0.1 USD."


def test_one_unknown_price_makes_the_infrastructure_unknown() -> None:
    added = (AddedCapacity("+2 of orders-asg", 0.4, 5.0), AddedCapacity("+1 of cart-asg", None, 10.0))
    cost = incident_cost(CostFacts(added=added), SETTINGS)
    assert line(cost, "infrastructure") is None
    assert basis(cost, "infrastructure") == "The price or the duration of +1 of cart-asg is unknown."


def test_the_total_is_of_what_is_known_and_says_what_is_not_in_it() -> None:
    cost = incident_cost(CostFacts(response_hours=1.0, responders=1, added=(AddedCapacity("+1 of a", 1.0, 1.0),)), SETTINGS)
    assert cost.total == Range(81.0, 121.0, 181.0)
    assert cost.sentence == "Together 121 USD, from 81 to 181; not in it, because unknown: impact, SLA credits."


def test_what_the_services_lost_that_stand_on_it_is_told_as_missing() -> None:
    cost = incident_cost(CostFacts(failed_requests=10.0, value_per_request_usd=1.0, dependents=3), SETTINGS)
    assert cost.sentence.endswith("response, SLA credits, infrastructure, what services that stand on it lost.")
