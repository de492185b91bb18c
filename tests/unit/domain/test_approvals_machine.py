"""The state machine of approvals: what each command does in each state, and what an event may follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from dagster_project.domain.approvals.chain import FIRST, chained
from dagster_project.domain.approvals.machine import (
    Accepted,
    Approve,
    Begin,
    Expire,
    Finish,
    Policy,
    Refused,
    Reject,
    Revise,
    Snooze,
    Withdraw,
    decide,
    evolve,
    missing,
    opened,
)
from dagster_project.domain.approvals.model import (
    COMMAND_LINE,
    ENDED,
    GITHUB,
    SLACK,
    Actor,
    Approval,
    AskedChange,
    Plan,
    PlanKey,
    Request,
    plan_from_json,
    plan_to_json,
)
from dagster_project.domain.approvals.token import read, signed
from dagster_project.domain.proposals.model import Evidence

NOW = datetime(2025, 3, 10, 2, tzinfo=UTC)
POLICY = Policy({"low": 1, "medium": 1, "high": 2})
ANA = Actor("ana", COMMAND_LINE, "Ana@example.com", True)
STATES = ("pending", "approved", "executing", *ENDED)


def plan(risk: str = "low", after: str = "m5.xlarge") -> Plan:
    change = AskedChange(
        resource_id="i-1", resource_type="ec2_instance", account_id="318204967715", region="us-east-1", attribute="instance_type",
        before="m5.2xlarge", after=after, savings_usd_month=140.0, exceedance_pct=1e-7, risk=risk, risk_reasons=("why",),
        why="It fits.", evidence=Evidence("f", "propose_smaller_size", (1.0, None, 1e22), 0, 2),
    )  # fmt: skip
    return Plan(PlanKey("payment-api", "prod", "payments", risk), (change,))


def request(state: str = "pending", risk: str = "low", *approvals: tuple[str, str]) -> Request:
    found = evolve(None, opened("apr-000000000001", plan(risk), NOW, POLICY))
    given = tuple(Approval(email, source, NOW) for email, source in approvals)
    return replace(found, state=state, approvals=given)


COMMANDS = {
    "approve": lambda at: Approve(ANA, at.revision, at.plan.digest),
    "reject": lambda at: Reject(ANA, "no"),
    "snooze": lambda at: Snooze(ANA, date(2025, 4, 1), "later"),
    "revise": lambda at: Revise(plan(at.plan.key.risk, "m5.large"), "Another size."),
    "expire": lambda at: Expire(),
    "withdraw": lambda at: Withdraw("The evidence is gone."),
    "begin": lambda at: Begin(at.plan.digest),
    "finish": lambda at: Finish("executed", "1 applied"),
}
# State → what a command makes of it; what is not listed changes nothing.
MAKES = {
    "pending": {"approve": "approved", "reject": "rejected", "snooze": "snoozed", "revise": "pending", "withdraw": "withdrawn"},
    "approved": {"reject": "rejected", "snooze": "snoozed", "revise": "pending", "withdraw": "withdrawn", "begin": "executing"},
    "executing": {"finish": "executed"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_in_each_state(state: str, name: str) -> None:
    at = request(state, "low", *([("ana@example.com", SLACK)] if state in ("approved", "executing") else []))
    outcome = decide(at, COMMANDS[name](at), NOW, POLICY)
    assert outcome.said
    after = at
    for event in outcome.events if isinstance(outcome, Accepted) else ():
        after = evolve(after, event)
    assert after.state == MAKES.get(state, {}).get(name, state)
    if state in ENDED:
        assert after == at


def test_a_revision_voids_what_was_approved_and_its_old_button() -> None:
    at = request("approved", "low", ("ana@example.com", SLACK))
    outcome = decide(at, COMMANDS["revise"](at), NOW + timedelta(hours=1), POLICY)
    assert isinstance(outcome, Accepted)
    (event,) = outcome.events
    after = evolve(at, event)
    assert (after.revision, after.state, after.approvals, after.expires_at) == (2, "pending", (), NOW + timedelta(hours=73))
    old = decide(after, Approve(ANA, 1, at.plan.digest), NOW, POLICY)
    assert old == Refused("The plan has changed since (revision 2 now); look at it and approve it anew.")


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ([], "2 more people must approve (2 for high risk)"),
        ([("ana@example.com", SLACK)], "1 more person must approve (2 for high risk)"),
        ([("ana@example.com", SLACK), ("ana@example.com", GITHUB)], "1 more person must approve (2 for high risk)"),
        (
            [("ana@example.com", SLACK), ("ben@example.com", SLACK)],
            "one approval of high risk must come from GitHub or the command line",
        ),
        ([("ana@example.com", SLACK), ("ben@example.com", GITHUB)], None),
    ],
)
def test_high_risk_needs_two_people_and_more_than_slack(given: list[tuple[str, str]], lacking: str | None) -> None:
    assert missing(request("pending", "high", *given), POLICY) == lacking


def test_what_may_begin_is_asked_of_the_policy_of_now() -> None:
    at = request("approved", "low", ("ana@example.com", SLACK))
    stricter = Policy({"low": 2})
    assert decide(at, Begin(at.plan.digest), NOW, stricter) == Refused(
        "By the settings of now 1 more person must approve (2 for low risk)."
    )
    late = at.expires_at
    assert decide(at, Begin(at.plan.digest), late, POLICY) == Refused("Its approval expired on 2025-03-13 02:00 UTC.")
    assert decide(at, Begin("another"), NOW, POLICY) == Refused("The plan has changed since it was approved.")


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (replace(ANA, may_approve=False), "Ana@example.com is no approver; the settings name who is."),
        (replace(ANA, email=None), "The e-mail address of ana is not known, so it cannot be told from another approver."),
    ],
)
def test_who_is_not_known_is_not_heard(actor: Actor, said: str) -> None:
    at = request()
    assert decide(at, Approve(actor, 1, at.plan.digest), NOW, POLICY) == Refused(said)


def test_the_time_to_answer_ends_and_an_approval_does_not_hold_for_ever() -> None:
    at = request()
    due = NOW + timedelta(hours=72)
    assert decide(at, Approve(ANA, 1, at.plan.digest), due, POLICY) == Refused("It expired on 2025-03-13 02:00 UTC.")
    assert decide(at, Expire(), due - timedelta(seconds=1), POLICY) == Accepted((), "It is not due.")
    for state, reason in (("pending", "nobody answered in time"), ("approved", "it could not be applied in time")):
        outcome = decide(request(state), Expire(), due, POLICY)
        assert isinstance(outcome, Accepted)
        assert [(event.kind, event.data) for event in outcome.events] == [("expired", {"reason": reason})]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_no_needs_a_reason(reason: str) -> None:
    assert decide(request(), Reject(ANA, reason), NOW, POLICY) == Refused("Say why, so that nobody has to ask again.")


def test_an_event_that_cannot_follow_is_refused() -> None:
    at = request()
    outcome = decide(at, Approve(ANA, 1, at.plan.digest), NOW, POLICY)
    assert isinstance(outcome, Accepted)
    approval, complete = outcome.events
    after = evolve(at, approval)
    for wrong, event in (
        (after, approval),
        (None, approval),
        (at, replace(approval, revision=2)),
        (at, replace(approval, plan_digest="x")),
        (request("executed"), approval),
        (at, replace(complete, kind="executing")),
        (at, opened("apr-000000000001", plan(), NOW, POLICY)),
    ):
        with pytest.raises(ValueError, match=r"."):
            evolve(wrong, event)


def test_a_plan_comes_back_from_its_json_with_the_same_digest() -> None:
    there = plan_from_json(plan_to_json(plan()))
    assert (there, there.digest) == (plan(), plan().digest)
    assert plan().digest != plan(after="m5.large").digest


def test_the_hash_of_an_event_covers_its_place_and_all_that_it_says() -> None:
    event = opened("apr-000000000001", plan(), NOW, POLICY)
    first = chained(FIRST, 1, event)
    others = [
        chained(FIRST, 2, event),
        chained(first, 1, event),
        *(
            chained(FIRST, 1, replace(event, **{name: value}))
            for name, value in (
                ("kind", "approved"), ("actor", "x"), ("source", "x"), ("revision", 2), ("plan_digest", "x"), ("data", {}),
                ("request_id", "apr-000000000002"), ("at", NOW + timedelta(microseconds=1)),
            )
        ),
    ]  # fmt: skip
    assert len({first, *others}) == 1 + len(others)


def test_a_button_is_read_with_its_key_only() -> None:
    key, digest = b"k" * 32, plan().digest
    value = signed(key, "apr-000000000001", 3, digest)
    assert len(value) < 200
    assert read(key, value) == ("apr-000000000001", 3, digest)
    forged = value.replace(".3.", ".4.")
    assert [read(b"j" * 32, value), read(key, forged), read(key, value[:-1]), read(key, ""), read(key, f"{value}\n")] == [
        None
    ] * 5
