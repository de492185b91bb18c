"""Changes that go back, in pull requests: never together with those that shrink, first in line, and closed for reasons of
their own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.grouping import Place, items_of
from dagster_project.domain.proposals.model import Change, Evidence, Group, GroupKey, digest_of_branch
from dagster_project.domain.proposals.payload import Payload, from_body, from_json, payload_of, to_comment, to_json
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull, not_live, waits_for
from dagster_project.domain.proposals.reconcile import (
    NEW_LIMIT,
    Action,
    Close,
    Confirm,
    Create,
    Hold,
    Limits,
    OpenPull,
    Standing,
    Tonight,
    Update,
    Wait,
    reconcile,
)

DAY = date(2025, 3, 10)
FILE = "envs/prod/a.tf"
LIMITS = Limits(max_items=5, max_open=10, max_new=10, stale_days=2)
SMALLER = Evidence("f" * 16, "propose_smaller_size", (1.0, 4.0), 0, 0)
BACK = Evidence("e" * 16, "rollback_after_emergency", (), 1, 0)
IN_NEED = Standing("refuse", "refuse_recent_emergency_scaleup", "It was scaled up in an emergency.")


def change(name: str, evidence: Evidence = SMALLER, **changes: Any) -> Change:
    goes_back = evidence.is_rollback
    usd = -140.0 if goes_back else 140.0
    made = Change(
        resource_id=name, resource_type="ec2_instance", service="payment-api", team="payments", environment="staging",
        region="us-east-1", attribute="instance_type", before="m5.xlarge" if goes_back else "m5.2xlarge",
        after="m5.2xlarge" if goes_back else "m5.xlarge", savings_usd_month=usd, expected_usd_month=usd, risk="low",
        risk_reasons=(), evidence=evidence,
    )  # fmt: skip
    return replace(made, **changes)


def located(name: str, evidence: Evidence = SMALLER, **changes: Any) -> tuple[Change, Place]:
    start = int(name.partition("-")[2]) * 100
    return change(name, evidence, **changes), Place("acme/infra", "main", "envs/prod", "", FILE, start, start // 10, name)


def tonight(*found: tuple[Change, Place], **changes: Any) -> Tonight:
    nights = [DAY - timedelta(days=number) for number in range(30)]
    return replace(Tonight(DAY, "main", items_of(found), {}, {}, {FILE: "1" * 40}, nights=nights), **changes)


def opened(*found: tuple[Change, Place], number: int = 1, **record: Any) -> OpenPull:
    ((key, first), *rest) = items_of(found)
    payload = payload_of(Group(key, (first, *(item for _, item in rest))), "0" * 40, {FILE: "1" * 40})
    seen = SeenPull(
        number=number, digest=key.digest, branch=key.branch, base="main", head_sha="a" * 40, is_open=True, title="t",
        body=to_comment(payload), url=f"https://github.example/{number}",
    )  # fmt: skip
    noted = PullRecord(
        id=number, repository="acme/infra", digest=key.digest, branch=key.branch, state=pulls.OPEN, payload=payload,
        opened_on=DAY, confirmed_on=DAY - timedelta(days=1), number=number, head_sha="a" * 40,
    )  # fmt: skip
    return OpenPull(seen, replace(noted, **record))


def reconciled(night: Tonight, *open_pulls: OpenPull, **limits: int) -> list[Action]:
    return reconcile(night, open_pulls, [pull.record for pull in open_pulls if pull.record], replace(LIMITS, **limits))


class TestGroups:
    def test_what_goes_back_has_a_group_and_a_branch_of_its_own(self) -> None:
        (back, _), (shrink, _) = sorted(items_of([located("i-1"), located("i-2", BACK)]), key=lambda pair: -len(pair[0].kind))
        assert (back.kind, shrink.kind) == ("rollback", "shrink")
        assert replace(back, kind="shrink") == shrink
        # As it was before there were two kinds.
        assert shrink.branch == "nightshift/envs-prod-payments-low-ba93f92db25f"
        assert back.branch == f"nightshift/envs-prod-payments-rollback-{back.digest}"
        assert digest_of_branch(back.branch) == back.digest != shrink.digest

    def test_one_literal_that_is_to_go_both_ways_is_two_items(self) -> None:
        same = replace(located("i-1")[1], start_byte=7)
        found = items_of([(change("i-1", after="m5.large"), same), (change("i-2", BACK, after="m5.large"), same)])
        assert sorted(key.kind for key, _ in found) == ["rollback", "shrink"]

    def test_the_payload_of_a_shrink_is_written_as_before_and_that_of_a_rollback_says_so(self) -> None:
        key = GroupKey("acme/infra", "main", "envs/prod", "", "payments", "low")
        assert json.loads(to_json(Payload(key, "0" * 40, (), ())))["key"] == {
            "repository": "acme/infra", "base": "main", "root": "envs/prod", "workspace": "", "owner": "payments", "risk": "low",
        }  # fmt: skip
        back = Payload(replace(key, kind="rollback"), "0" * 40, (), ())
        assert json.loads(to_json(back))["key"]["kind"] == "rollback"
        assert (from_body(to_comment(back)), from_json(to_json(Payload(key, "0" * 40, (), ())))) == (
            back,
            Payload(key, "0" * 40, (), ()),
        )
        assert from_json(to_json(back).replace("rollback", "sideways")) is None


class TestNights:
    def test_what_goes_back_is_opened_before_what_saves_most(self) -> None:
        night = tonight(located("i-1", expected_usd_month=900.0), located("i-2", BACK))
        create, wait = reconciled(night, max_new=1)
        assert isinstance(create, Create) and create.group.resource_ids == ("i-2",)
        assert isinstance(wait, Wait) and (wait.why, wait.items[0].resource_ids) == (NEW_LIMIT, ("i-1",))

    def test_while_it_is_called_for_it_stays_whatever_the_verdict_says(self) -> None:
        pull = opened(located("i-1", BACK))
        (action,) = reconciled(tonight(located("i-1", BACK), standings={"i-1": IN_NEED}), pull)
        assert isinstance(action, Confirm)

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("m5.2xlarge", "i-1: it has m5.2xlarge by now, and m5.xlarge no more."),
            ("m5.xlarge", "i-1: the emergency that spoke for going back is long past."),
        ],
    )
    def test_what_need_not_go_back_any_more_is_closed_and_says_why(self, value: str, why: str) -> None:
        night = tonight(standings={"i-1": IN_NEED}, live={("i-1", "instance_type"): value})
        (action,) = reconciled(night, opened(located("i-1", BACK)))
        assert isinstance(action, Close) and action.reasons == (why,)

    def test_where_the_live_size_is_not_known_it_waits_and_is_closed_after_some_nights(self) -> None:
        pull = opened(located("i-1", BACK))
        (action,) = reconciled(tonight(standings={"i-1": IN_NEED}), pull)
        assert isinstance(action, Hold)
        stale = opened(located("i-1", BACK), confirmed_on=DAY - timedelta(days=3))
        (action,) = reconciled(tonight(standings={"i-1": IN_NEED}), stale)
        assert isinstance(action, Close) and action.reasons == ("i-1: its present size is not known any more.",)

    def test_what_a_tag_excludes_is_closed_and_a_kill_switch_leaves_it_as_it_is(self) -> None:
        live = {("i-1", "instance_type"): "m5.xlarge"}
        excluded = Standing("refuse", "refuse_excluded_by_tag", "Its tag nightshift:exclude excludes it.")
        (action,) = reconciled(tonight(standings={"i-1": excluded}, live=live), opened(located("i-1", BACK)))
        assert isinstance(action, Close) and action.reasons == ("i-1: Its tag nightshift:exclude excludes it.",)
        stopped = Standing("refuse", "refuse_kill_switch", "The kill switch was used.")
        (action,) = reconciled(tonight(standings={"i-1": stopped}, live=live), opened(located("i-1", BACK)))
        assert isinstance(action, Hold)

    def test_what_is_in_need_leaves_the_pull_request_that_would_shrink_it_further(self) -> None:
        pull = opened(located("i-1"), located("i-2"))
        update, create = reconciled(tonight(located("i-1", BACK), located("i-2")), pull)
        assert isinstance(update, Update)
        assert update.dropped == ("i-1: an emergency followed its last change, and it is to go back.",)
        assert isinstance(create, Create) and create.group.key.kind == "rollback"

    def test_another_emergency_is_told_in_the_pull_request(self) -> None:
        pull = opened(located("i-1", BACK))
        (action,) = reconciled(tonight(located("i-1", replace(BACK, emergencies=2))), pull)
        assert isinstance(action, Update) and action.dropped == ()


class TestMerged:
    def test_what_goes_back_waits_for_itself_alone(self) -> None:
        shrink = opened(located("i-1"), located("i-2")).record
        back = opened(located("i-1", BACK), number=2).record
        assert shrink is not None and back is not None
        merged = not_live([replace(shrink, state=pulls.MERGED)])
        assert waits_for(change("i-1", BACK), merged) is None
        assert waits_for(change("i-1"), merged) is not None
        both = not_live([replace(shrink, state=pulls.MERGED), replace(back, state=pulls.MERGED)])
        for each in (change("i-1", BACK), change("i-1")):
            found = waits_for(each, both)
            assert found is not None and found.number == 2
        assert waits_for(change("i-3"), both) is None
        assert not_live([shrink]) == {}
