"""Approved changes are made step by step, past the gates, and what is cut off is finished or undone."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from dagster_project.domain.applying.cloud import RUNNING
from dagster_project.errors import CapacityShortage, CloudError, InputError
from dagster_project.pipeline.answering import reject
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approval_answers import approve, verify
from dagster_project.settings_acting import MaintenanceWindow
from tests.approval_builders import ANA, BEN, actor
from tests.approvals.conftest import NewWorld
from tests.conftest import query


def test_an_approved_machine_is_stopped_changed_started_and_checked(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.cloud.slow = 2
    (row,) = world.night()
    assert (row["state"], row["missing"]) == ("pending", "1 more person must approve (1 for low risk)")
    said, _ = approve(world.runtime(), "i-1", actor())
    assert said == "Approved by ana@example.com; it may be applied until 2025-03-17 02:00 UTC."
    applied = apply_approved(world.runtime())
    assert applied.lines == [
        "i-1 m5.2xlarge -> m5.xlarge: applied. It is well.",
        f"{row['request_id']}: executed (1 applied).",
    ]
    assert (applied.is_fine, applied.waits) == (True, [])
    assert world.cloud.calls == [("stop", "i-1"), ("set_type", "i-1", "m5.xlarge"), ("start", "i-1")]
    assert (world.cloud.types["i-1"], world.cloud.states["i-1"]) == ("m5.xlarge", RUNNING)
    steps = query(world.dsn, "select step, outcome from nightshift.execution_steps order by position")
    assert [tuple(step) for step in steps] == [("stop", "done"), ("set_type", "done"), ("start", "done")]
    (ledger,) = query(world.dsn, "select * from nightshift.applied_changes")
    assert (ledger["value_before"], ledger["value_after"], ledger["decided_by"]) == ("m5.2xlarge", "m5.xlarge", "ana@example.com")
    assert (ledger["estimated_usd_month"], ledger["source"]) == (140.0, f"request:{row['request_id']}")
    events, _, problems = verify(world.runtime())
    assert (events, problems) == (5, [])


def test_applying_again_changes_nothing(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    approve(world.runtime(), "i-1", actor())
    apply_approved(world.runtime())
    before = list(world.cloud.calls)
    assert apply_approved(world.runtime()).lines == []
    assert world.cloud.calls == before
    with pytest.raises(InputError, match=r"Nothing is asked for i-1"):
        approve(world.runtime(), "i-1", actor())


def test_without_an_approval_nothing_is_done(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    with pytest.raises(InputError, match=r"mallory@example.com is no approver"):
        approve(world.runtime(), "i-1", actor(None))
    applied = apply_approved(world.runtime())
    assert (applied.lines, world.cloud.calls) == ([], [])


def test_high_risk_needs_two_people(new_world: NewWorld) -> None:
    world = new_world("i-1", machine={"environment": "prod", "exceedance": 20.0})
    (row,) = world.night()
    assert row["risk"] == "high"
    said, _ = approve(world.runtime(), "i-1", actor(ANA))
    assert said == "Approved by ana@example.com; 1 more person must approve (2 for high risk)."
    assert approve(world.runtime(), "i-1", actor(ANA))[0].startswith("ana@example.com has approved it already")
    assert apply_approved(world.runtime()).lines == []
    approve(world.runtime(), "i-1", actor(BEN))
    assert apply_approved(world.runtime()).is_fine
    assert world.cloud.types["i-1"] == "m5.xlarge"


def test_a_machine_that_does_not_come_up_is_taken_back(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.cloud.sick = {"i-1 m5.xlarge"}
    (row,) = world.night()
    approve(world.runtime(), "i-1", actor())
    applied = apply_approved(world.runtime())
    assert applied.lines == [
        "i-1 m5.2xlarge -> m5.xlarge: back to what it was. A status check fails as m5.xlarge.",
        f"{row['request_id']}: rolled back (back to what it was: i-1).",
    ]
    assert not applied.is_fine
    assert (world.cloud.types["i-1"], world.cloud.states["i-1"]) == ("m5.2xlarge", RUNNING)
    assert query(world.dsn, "select * from nightshift.applied_changes") == []


def test_a_size_without_capacity_is_taken_back_and_the_old_one_waited_for(new_world: NewWorld) -> None:
    world = new_world("i-1")
    refused: list[str] = []

    def no_capacity(when: str, call: str) -> None:
        if (when, call) == ("before", "start") and len(refused) < 3:
            refused.append(world.cloud.types["i-1"])
            raise CapacityShortage("There is no capacity of this size now.")

    world.cloud.hook = no_capacity
    world.night()
    approve(world.runtime(), "i-1", actor())
    applied = apply_approved(world.runtime())
    assert refused == ["m5.xlarge", "m5.2xlarge", "m5.2xlarge"]
    assert (world.cloud.types["i-1"], world.cloud.states["i-1"]) == ("m5.2xlarge", RUNNING)
    assert applied.lines[0].endswith("back to what it was. There is no capacity of this size now.")


def test_to_start_a_machine_that_ran_is_never_given_up(new_world: NewWorld) -> None:
    world = new_world("i-1")
    is_full = [True]

    def no_capacity(when: str, call: str) -> None:
        if (when, call) == ("before", "start") and is_full:
            raise CapacityShortage("There is no capacity of this size now.")

    world.cloud.hook = no_capacity
    (row,) = world.night()
    approve(world.runtime(), "i-1", actor())
    first = apply_approved(world.runtime())
    assert first.waits == ["i-1 m5.2xlarge -> m5.xlarge: There is no capacity of this size now. The next run goes on."]
    assert not first.is_fine
    assert world.cloud.types["i-1"] == "m5.2xlarge"
    world.clock.sleep(3 * 3600)
    apply_approved(world.runtime())
    is_full.clear()
    last = apply_approved(world.runtime())
    assert last.lines[-1] == f"{row['request_id']}: rolled back (back to what it was: i-1)."
    assert world.cloud.states["i-1"] == RUNNING


def test_what_is_gone_is_said_to_be_stuck(new_world: NewWorld) -> None:
    world = new_world("i-1")

    def terminated(when: str, call: str) -> None:
        if (when, call) == ("after", "stop"):
            world.cloud.states["i-1"] = "terminated"

    world.cloud.hook = terminated
    (row,) = world.night()
    approve(world.runtime(), "i-1", actor())
    applied = apply_approved(world.runtime())
    assert applied.lines == [
        "i-1 m5.2xlarge -> m5.xlarge: STUCK, a person must look. The machine is gone (terminated).",
        f"{row['request_id']}: failed (stuck: i-1).",
    ]
    assert not applied.is_fine


def test_a_cloud_that_does_not_answer_leaves_it_to_the_next_run(new_world: NewWorld) -> None:
    world = new_world("i-1")
    failures = [1]

    def lost(when: str, call: str) -> None:
        if (when, call) == ("after", "stop") and failures:
            failures.pop()
            raise CloudError("EC2 did not answer; whether it stopped is not known.")

    world.cloud.hook = lost
    world.night()
    approve(world.runtime(), "i-1", actor())
    first = apply_approved(world.runtime())
    assert first.waits == [
        "i-1 m5.2xlarge -> m5.xlarge: EC2 did not answer; whether it stopped is not known. The next run looks again."
    ]
    second = apply_approved(world.runtime())
    assert second.lines[0] == "i-1: taken up, m5.2xlarge -> m5.xlarge (forward)."
    assert world.cloud.types["i-1"] == "m5.xlarge"
    assert [call[0] for call in world.cloud.calls] == ["stop", "set_type", "start"]


GATES = {
    "a kill switch": "A kill switch is on: nothing is applied.",
    "no window": "i-1: The settings have no maintenance window for payment-api in staging.",
    "a shut window": "i-1: The next maintenance window of payment-api in staging opens on 2025-03-10 at 22:00 UTC.",
    "another plan in the cloud": "i-1: It is a m5.4xlarge by now, not a m5.2xlarge.",
    "an emergency": "i-1: The decision engine acted since the night: scale_up of payment-api on 2025-03-10 at 01:00 UTC.",
    "an open incident": "i-1: An incident of its service is open: INC-1 (Payments are slow).",
    "old evidence": "i-1: The newest verdict is of 2025-03-09, and that is too old to act on; run the night first.",
    "unknown members": "i-1: How many members its fleet has is not known.",
    "a neighbour": "i-1: checkout-api, a neighbour in its call chain, was changed within 24 hours.",
}


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_that_is_shut_keeps_everything_as_it_is(new_world: NewWorld, execute, gate: str) -> None:
    world = new_world("i-1")
    if gate == "a neighbour":
        world.dependencies = (("checkout-api", "order-api"), ("order-api", "payment-api"))
    if gate == "unknown members":
        world.machines["i-1"].units = None
    world.night()
    approve(world.runtime(), "i-1", actor())
    match gate:
        case "a kill switch":
            (world.settings.home / "kill_switch").touch()
        case "no window":
            world.apply["windows"] = (MaintenanceWindow(begins=time(0), ends=time(0), environment="prod"),)
        case "a shut window":
            world.apply["windows"] = (MaintenanceWindow(begins=time(22), ends=time(4), days=("mon",)),)
        case "another plan in the cloud":
            world.cloud.types["i-1"] = "m5.4xlarge"
        case "an emergency":
            execute(
                "insert into decision_audit (decision_id, decision_time, target, action_type, outcome) "
                "values ('d-1', '2025-03-10 01:00+00', 'payment-api', 'scale_up', 'succeeded')"
            )
        case "an open incident":
            execute(
                "insert into incidents (incident_id, title, service, impact_started_at) "
                "values ('INC-1', 'Payments are slow', 'Payment-API', '2025-03-10 01:30+00')"
            )
        case "old evidence":
            world.clock.at += timedelta(hours=36)
        case "a neighbour":
            execute(
                "insert into nightshift.approval_requests select 'apr-000000000000', 'x', 1, 'executed', plan, plan_digest, "
                "'{}', 'checkout-api', 'staging', '[]', null, opened_at, opened_on, expires_at, changed_at, opened_on, opened_on "
                "from nightshift.approval_requests"
            )
            execute(
                "insert into nightshift.executions (execution_id, request_id, revision, resource_id, kind, service, environment, "
                "value_before, value_after, state, direction, memory, members, begun_at, touched_at, ended_at) values ('exe-0', "
                "'apr-000000000000', 1, 'i-0', 'machine', 'checkout-api', 'staging', 'a', 'b', 'applied', 'forward', '{}', 1, "
                "'2025-03-09 20:00+00', '2025-03-09 20:00+00', '2025-03-09 20:01+00')"
            )
    applied = apply_approved(world.runtime())
    assert applied.waits == [GATES[gate]]
    assert world.cloud.calls == []


def test_what_is_applied_is_in_the_ledger_although_the_rest_of_its_request_waits(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    (row,) = world.night()
    approve(world.runtime(), row["request_id"], actor())
    applied = apply_approved(world.runtime())
    assert applied.lines == ["i-1 m5.2xlarge -> m5.xlarge: applied. It is well."]
    assert applied.waits == ["i-2: 1 more of 2 members would be touched beside 1 within five minutes; 1 is the limit."]
    assert [each["resource_id"] for each in query(world.dsn, "select * from nightshift.applied_changes")] == ["i-1"]
    world.clock.sleep(300)
    assert apply_approved(world.runtime()).lines[-1] == f"{row['request_id']}: executed (2 applied)."
    assert world.cloud.types == {"i-1": "m5.xlarge", "i-2": "m5.xlarge"}


def test_what_went_wrong_with_one_is_not_tried_with_the_next(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.cloud.sick = {"i-1 m5.xlarge"}
    (row,) = world.night()
    approve(world.runtime(), row["request_id"], actor())
    applied = apply_approved(world.runtime())
    assert applied.lines[-1] == f"{row['request_id']}: rolled back (back to what it was: i-1; never begun: i-2)."
    world.clock.sleep(300)
    apply_approved(world.runtime())
    assert world.cloud.types == {"i-1": "m5.2xlarge", "i-2": "m5.2xlarge"}


def test_a_no_while_it_is_applied_keeps_the_rest_from_beginning(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    (row,) = world.night()
    approve(world.runtime(), row["request_id"], actor())
    apply_approved(world.runtime())
    assert (
        reject(world.runtime(), "i-2", "the sale is early", "ben")
        .splitlines()[0]
        .endswith("It is being applied: what has begun goes on, and what has not will not begin.")
    )
    world.clock.sleep(300)
    assert apply_approved(world.runtime()).waits[0].startswith("i-2: Somebody said no to it: rejected by ben on 2025-03-10")
    assert world.cloud.types == {"i-1": "m5.xlarge", "i-2": "m5.2xlarge"}
    world.clock.sleep(8 * 24 * 3600)
    assert apply_approved(world.runtime()).lines == [f"{row['request_id']}: executed (1 applied; never begun: i-2)."]


def test_a_row_alone_approves_nothing(new_world: NewWorld, execute) -> None:
    world = new_world("i-1")
    world.night()
    given = '[["ana@example.com", "command line", "2025-03-10T02:00:00+00:00"]]'
    execute("update nightshift.approval_requests set state = 'approved', approvals = $1", given)
    applied = apply_approved(world.runtime())
    assert applied.waits == ["i-1: Its events do not prove what it says; see 'nightshift proposals verify'."]
    assert world.cloud.calls == []


def test_who_is_no_approver_any_more_has_not_approved(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    approve(world.runtime(), "i-1", actor())
    world.approvals["approvers"] = (BEN,)
    applied = apply_approved(world.runtime())
    assert applied.waits == ["i-1: ana@example.com is no approver any more; reject it, so that it is asked for anew."]


def test_a_revision_is_approved_by_its_number(new_world: NewWorld) -> None:
    world = new_world("i-1")
    (row,) = world.night()
    world.machines["i-1"].target = "m5.large"
    world.night()
    name = row["request_id"]
    for target in ("i-1", name, f"{name}.1"):
        with pytest.raises(InputError, match=rf"{name} was revised: .* and approve {name}\.2\."):
            approve(world.runtime(), target, actor())
    assert approve(world.runtime(), f"{name}.2", actor())[1].state == "approved"


def test_an_approval_of_what_has_become_riskier_is_worth_nothing(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    approve(world.runtime(), "i-1", actor())
    world.machines["i-1"].environment = "prod"
    world.tomorrow()
    world.night(is_dry_run=True)
    applied = apply_approved(world.runtime())
    told = "i-1: On 2025-03-10 its service, environment, owner or risk is another one than was approved."
    assert [wait.startswith(told) for wait in applied.waits] == [True]
    assert world.cloud.calls == []
