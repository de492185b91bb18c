"""When a change is proposed the other way round, for how long, and what is said of it."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from dagster_project.domain.outcomes.model import Outcome
from dagster_project.domain.outcomes.way_back import along, is_companion, is_listed, is_to_go_back, way_back
from dagster_project.domain.proposals.memory import Answer, first_forbidding, is_about
from dagster_project.domain.proposals.model import Change, Evidence
from tests.outcome_builders import change

AT = datetime(2025, 3, 12, 9, 30)
LIVE_ON = date(2025, 3, 9)
NEEDED = Outcome(
    change(),
    LIVE_ON,
    region="us-east-1",
    value_now="m5.xlarge",
    realized_usd_month=140.16,
    emergencies=1,
    last_emergency_at=AT,
    last_emergency_target="i-1",
    is_reversed=False,
    regret=True,
)


def test_what_an_emergency_followed_goes_back_for_four_weeks() -> None:
    first = AT.date()
    assert [is_to_go_back(NEEDED, first + timedelta(days=number)) for number in (0, 27, 28)] == [True, True, False]


@pytest.mark.parametrize(
    "different",
    [
        {"last_emergency_at": None},
        {"is_reversed": True},
        {"is_reversed": None},
        {"value_now": "m5.large"},
        {"value_now": None},
        {"superseded_on": date(2025, 3, 11)},
        {"change": change(is_rollback=True)},
    ],
    ids=lambda different: str(*different),
)
def test_what_is_not_there_any_more_or_needs_nothing_does_not(different: dict) -> None:
    assert not is_to_go_back(replace(NEEDED, **different), AT.date())


def test_it_is_told_of_for_five_weeks_and_while_it_is_to_go_back() -> None:
    quiet = replace(NEEDED, last_emergency_at=None)
    late = replace(NEEDED, last_emergency_at=datetime(2025, 4, 6, 9))
    assert [is_listed(quiet, LIVE_ON + timedelta(days=number)) for number in (35, 36)] == [True, False]
    assert [is_listed(late, LIVE_ON + timedelta(days=number)) for number in (36, 55, 56)] == [True, True, False]
    not_live = replace(quiet, applied_on=None)
    assert [is_listed(not_live, LIVE_ON + timedelta(days=number)) for number in (35, 36)] == [True, False]


def test_the_reverse_costs_what_the_change_saved_and_says_why() -> None:
    back = way_back(NEEDED)
    assert (back.before, back.after, back.attribute) == ("m5.xlarge", "m5.2xlarge", "instance_type")
    assert (back.savings_usd_month, back.expected_usd_month, back.risk) == (-140.16, -140.16, "low")
    assert (back.kind, back.evidence.reason_code, back.region) == ("rollback", "rollback_after_emergency", "us-east-1")
    assert back.risk_reasons == (
        "It goes back to m5.2xlarge, because an emergency scale-up followed on 2025-03-12 09:30 UTC; m5.xlarge is there since "
        "2025-03-09 (request:apr-1).",
    )
    several = way_back(replace(NEEDED, emergencies=3, last_emergency_target="payment-api"))
    assert "on 2025-03-12 09:30 UTC, recorded for payment-api (3 since the change);" in several.risk_reasons[0]
    assert (several.evidence.fingerprint, several.evidence.emergencies) == (back.evidence.fingerprint, 3)


def test_where_the_price_is_not_known_the_estimate_stands_in_and_for_members_always() -> None:
    assert way_back(replace(NEEDED, realized_usd_month=None)).savings_usd_month == -140.16
    group = change(attribute="min_size", value_before="6", value_after="4", estimated_usd_month=280.0)
    back = way_back(replace(NEEDED, change=group, value_now="4", realized_usd_month=311.0))
    assert (back.savings_usd_month, back.before, back.after) == (-280.0, "4", "6")
    assert "It goes back to a minimum of 6, because" in back.risk_reasons[0]
    assert "a minimum of 4 is there since" in back.risk_reasons[0]


def test_what_was_made_together_goes_back_together() -> None:
    back, source = way_back(NEEDED), "request:apr-1"
    other = replace(NEEDED, change=change(resource_id="i-2"), emergencies=0, last_emergency_at=None, regret=None)
    assert is_companion(other, back, source)
    assert not is_companion(other, back, "request:apr-2")
    assert not is_companion(replace(other, is_reversed=True), back, source)
    assert not is_companion(replace(other, change=change(resource_id="i-2", value_after="m5.large")), back, source)
    assert along(other, back).risk_reasons == (
        "It goes back with i-1, whose line of code it shares: one literal sets the size of both.",
    )
    assert (along(other, back).kind, along(other, back).savings_usd_month) == ("rollback", -140.16)


class TestAnswers:
    BACK = way_back(NEEDED)
    SHRINK = replace(BACK, evidence=Evidence("f" * 16, "propose_smaller_size", (1.0,), 0, 0))

    @staticmethod
    def rejected(evidence: Evidence | None, kind: str = "rejected", until: date | None = None) -> Answer:
        return Answer("i-1", kind, "alice", "no", "acme/infra#1", datetime(2025, 3, 12, 12, tzinfo=UTC), until, "x", evidence)

    @pytest.mark.parametrize("kind", ["rejected", "snoozed"])
    def test_who_does_not_want_a_smaller_size_has_nothing_against_going_back(self, kind: str) -> None:
        for evidence in (self.SHRINK.evidence, None):
            answer = self.rejected(evidence, kind, date(2025, 6, 1))
            assert first_forbidding([answer], self.BACK, date(2025, 3, 13), 180) is None
            assert first_forbidding([answer], self.SHRINK, date(2025, 3, 13), 180) is answer

    def test_who_does_not_want_to_go_back_is_heard_about_this_change_alone(self) -> None:
        answer = self.rejected(self.BACK.evidence)
        other = way_back(replace(NEEDED, change=change(source="acme/infra#9")))
        assert first_forbidding([answer], self.BACK, date(2025, 3, 13), 180) is answer
        for proposed in (self.SHRINK, other):
            assert not is_about(answer, proposed)
            assert first_forbidding([answer], proposed, date(2025, 3, 13), 180) is None

    def test_another_emergency_is_news(self) -> None:
        answer = replace(self.rejected(self.BACK.evidence), after=self.BACK.after)
        again: Change = way_back(replace(NEEDED, emergencies=2))
        assert first_forbidding([answer], self.BACK, date(2025, 3, 20), 7) is answer
        assert first_forbidding([answer], again, date(2025, 3, 13), 180) is None
        snoozed = self.rejected(self.BACK.evidence, "snoozed", date(2025, 3, 20))
        assert first_forbidding([snoozed], again, date(2025, 3, 19), 180) is snoozed
        assert first_forbidding([snoozed], again, date(2025, 3, 20), 180) is None
