"""What is worth a run, what was decided since, and whose time is over; and what Dagster makes of it: two sensors and a job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import dagster as dg
import pytest

from dagster_project.defs.build import build_defs
from dagster_project.domain.applying.cloud import STOPPED
from dagster_project.errors import CloudError
from dagster_project.pipeline.apply_queue import Decision, Work, decided_since, expire, to_apply
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approval_answers import approve, say_no
from dagster_project.pipeline.state import in_state
from dagster_project.settings_acting import MaintenanceWindow
from tests.approval_builders import Approvals, actor
from tests.approvals.conftest import NewWorld
from tests.conftest import query

TWO = datetime(2025, 3, 10, 2, tzinfo=UTC)
ATTEMPT = 5_805_240
"""The five minutes that begin at ``TWO``, counted from 1970."""


def asked(world: Approvals) -> str:
    """The id of the one request of a night."""
    (row,) = world.night()
    found: str = row["request_id"]
    return found


def approved(world: Approvals) -> str:
    request_id = asked(world)
    approve(world.runtime(), "i-1", actor())
    return request_id


def left_half_way(world: Approvals) -> str:
    """A request of which the cloud stopped answering after the stop."""

    def lost(when: str, call: str) -> None:
        if (when, call) == ("after", "stop"):
            world.cloud.hook = lambda when, call: None
            raise CloudError("EC2 did not answer.")

    request_id = approved(world)
    world.cloud.hook = lost
    assert not apply_approved(world.runtime()).is_fine
    return request_id


def states(world: Approvals) -> list[str]:
    return [row["state"] for row in query(world.dsn, "select state from nightshift.approval_requests order by request_id")]


def shut_now(world: Approvals) -> None:
    world.apply["windows"] = (MaintenanceWindow(begins=time(22), ends=time(23, 30)),)


# What is worth a run.


def test_only_what_is_approved_is_worth_a_run(new_world: NewWorld) -> None:
    world = new_world("i-1")
    assert to_apply(world.runtime()) == [], "nothing was asked"
    request_id = asked(world)
    assert to_apply(world.runtime()) == [], "nobody answered"
    approve(world.runtime(), "i-1", actor())
    assert to_apply(world.runtime()) == [Work(request_id, f"{request_id}.1.{ATTEMPT}")]
    apply_approved(world.runtime())
    assert to_apply(world.runtime()) == [], "it is over"


def test_what_was_rejected_is_worth_no_run(new_world: NewWorld) -> None:
    world = new_world("i-1")
    request_id = approved(world)
    runtime = world.runtime()
    in_state(runtime, lambda connection: say_no(runtime, connection, request_id, actor(), "Not this month.", None))
    assert to_apply(world.runtime()) == []


def test_an_attempt_has_the_same_key_for_five_minutes_and_then_another_one(new_world: NewWorld) -> None:
    world = new_world("i-1")
    request_id = approved(world)
    keys = []
    for seconds in (1, 60, 299, 300, 599, 600):
        world.clock.at = TWO + timedelta(seconds=seconds)
        keys += [work.run_key for work in to_apply(world.runtime())]
    attempts = [ATTEMPT, ATTEMPT, ATTEMPT, ATTEMPT + 1, ATTEMPT + 1, ATTEMPT + 2]
    assert keys == [f"{request_id}.1.{attempt}" for attempt in attempts]


def test_a_revised_request_must_be_approved_anew_and_has_another_key(new_world: NewWorld) -> None:
    world = new_world("i-1")
    request_id = approved(world)
    world.tomorrow()
    world.machines["i-1"].target = "m5.large"
    world.night()
    assert to_apply(world.runtime()) == []
    approve(world.runtime(), f"{request_id}.2", actor())
    assert [work.run_key for work in to_apply(world.runtime())] == [f"{request_id}.2.{ATTEMPT + 288}"]


def test_an_approved_request_waits_for_its_maintenance_window(new_world: NewWorld) -> None:
    world = new_world("i-1")
    request_id = approved(world)
    shut_now(world)
    for hour, minute, is_open in ((21, 59, False), (22, 0, True), (23, 29, True), (23, 30, False)):
        world.clock.at = TWO.replace(hour=hour, minute=minute)
        assert [work.request_id for work in to_apply(world.runtime())] == [request_id] * is_open, (hour, minute)
    for whose in ({"service": "search-api"}, {"environment": "prod"}):
        world.apply["windows"] = (MaintenanceWindow(begins=time(0), ends=time(0), **whose),)
        assert to_apply(world.runtime()) == []


def test_what_is_under_way_is_worth_a_run_whatever_the_hour(new_world: NewWorld) -> None:
    world = new_world("i-1")
    request_id = left_half_way(world)
    shut_now(world)
    assert [work.request_id for work in to_apply(world.runtime())] == [request_id]
    apply_approved(world.runtime())
    assert to_apply(world.runtime()) == []
    assert states(world) == ["executed"]


def test_while_a_kill_switch_is_on_nothing_is_worth_a_run(new_world: NewWorld) -> None:
    world = new_world("i-1")
    left_half_way(world)
    switch = world.settings.home / "kill_switch"
    switch.touch()
    assert to_apply(world.runtime()) == []
    switch.unlink()
    assert len(to_apply(world.runtime())) == 1


def test_what_was_begun_and_is_too_late_to_go_on_is_worth_the_run_that_ends_it(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")  # a fleet of two: one member at a time
    (row,) = world.night()
    approve(world.runtime(), row["request_id"], actor())
    apply_approved(world.runtime())
    shut_now(world)
    assert to_apply(world.runtime()) == []
    world.clock.at += timedelta(days=8)
    assert [work.request_id for work in to_apply(world.runtime())] == [row["request_id"]]
    apply_approved(world.runtime())
    assert to_apply(world.runtime()) == []
    (ended,) = query(world.dsn, "select state, reason from nightshift.approval_requests")
    assert tuple(ended) == ("executed", "1 applied; never begun: i-2")


# What was decided, and whose time is over.


def test_decisions_are_told_from_a_position_of_the_chain_on(new_world: NewWorld) -> None:
    world = new_world("i-1")
    assert decided_since(world.runtime(), None) == ("0", [])
    request_id = approved(world)
    opened = Decision(request_id, "opened by nightshift")
    given = [Decision(request_id, f"{kind} by ana@example.com (command line)") for kind in ("approval", "approved")]
    assert decided_since(world.runtime(), None) == ("3", [opened, *given])
    assert decided_since(world.runtime(), "1") == ("3", given)
    assert decided_since(world.runtime(), "3") == ("3", [])
    assert decided_since(world.runtime(), "nobody wrote this") == ("3", [opened, *given])
    apply_approved(world.runtime())
    done = [Decision(request_id, f"{kind} by nightshift") for kind in ("executing", "executed")]
    assert decided_since(world.runtime(), "3") == ("5", done)


def test_of_many_decisions_a_hundred_are_told_at_a_time(new_world: NewWorld) -> None:
    names = [f"i-{number:03}" for number in range(103)]
    world = new_world(*names, approvals={"max_open": 200, "max_new_per_night": 200})
    for name in names:
        world.machines[name].team = f"team {name}"  # a request for each
    world.night()
    cursor, first = decided_since(world.runtime(), "")
    assert (cursor, len(first)) == ("100", 100)
    cursor, rest = decided_since(world.runtime(), cursor)
    assert (cursor, len(rest)) == ("103", 3)
    assert len({decision.request_id for decision in first + rest}) == 103


@pytest.mark.parametrize(("is_approved", "hours"), [(False, 72), (True, 168)])
def test_a_request_ends_when_its_time_to_be_answered_or_applied_is_over(
    new_world: NewWorld, is_approved: bool, hours: int
) -> None:
    world = new_world("i-1")
    (approved if is_approved else asked)(world)
    world.clock.at = TWO + timedelta(hours=hours, minutes=-1)
    assert expire(world.runtime()) == []
    assert states(world) == ["approved" if is_approved else "pending"]
    world.clock.at = TWO + timedelta(hours=hours, minutes=1)
    assert expire(world.runtime()) == []
    assert states(world) == ["expired"]
    (reason,) = query(world.dsn, "select reason from nightshift.approval_requests")
    assert reason["reason"] == ("it could not be applied in time" if is_approved else "nobody answered in time")
    assert to_apply(world.runtime()) == []


def test_what_is_being_applied_does_not_expire(new_world: NewWorld) -> None:
    world = new_world("i-1")
    left_half_way(world)
    world.clock.at += timedelta(days=30)
    expire(world.runtime())
    assert states(world) == ["executing"]


# Dagster's side.


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def definitions(world: Approvals) -> dg.Definitions:
    runtime = world.runtime()
    return build_defs(runtime.settings, overrides={"runtime": runtime})


def evaluated(world: Approvals, instance: dg.DagsterInstance, name: str, cursor: str | None = None) -> Any:
    """What a sensor answers at the world's moment."""
    known = definitions(world)
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=known.get_repository_def())
    return known.resolve_sensor_def(name).evaluate_tick(context)


def ran(world: Approvals, instance: dg.DagsterInstance, config: Any = None) -> dg.ExecuteInProcessResult:
    """The job, run to its end."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = definitions(world).resolve_job_def("apply_approved")
    return job.execute_in_process(instance=instance, run_config={**quiet, **(config or {})}, raise_on_error=False)


def observations(result: dg.ExecuteInProcessResult) -> list[str | None]:
    found = result.asset_observations_for_node("apply_changes")
    assert {each.asset_key for each in found} <= {dg.AssetKey("approval_requests")}
    return [each.description for each in found]


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, dict[str, Any]]:
    """The sentence with which the step failed, and what it holds."""
    (event,) = [each for each in result.all_events if each.event_type_value == "STEP_FAILURE"]
    data = event.step_failure_data
    assert data.user_failure_data is not None
    return data.user_failure_data.description, {key: each.value for key, each in data.user_failure_data.metadata.items()}


def test_the_sensor_of_approved_work_asks_for_a_run_of_each_request(new_world: NewWorld, instance: dg.DagsterInstance) -> None:
    world = new_world("i-1")
    empty = evaluated(world, instance, "approved_work")
    assert (empty.run_requests, empty.skip_message) == ([], "Nothing is approved that could be applied now.")
    request_id = approved(world)
    (run,) = evaluated(world, instance, "approved_work").run_requests
    assert run.run_key == f"{request_id}.1.{ATTEMPT}"
    assert run.run_config == {"ops": {"apply_changes": {"config": {"request_id": request_id}}}}
    assert run.tags["nightshift/request"] == request_id
    assert definitions(world).resolve_sensor_def("approved_work").job_name == "apply_approved"
    (world.settings.home / "kill_switch").touch()
    assert evaluated(world, instance, "approved_work").run_requests == []


def test_the_sensor_of_decisions_shows_them_on_the_asset_once(new_world: NewWorld, instance: dg.DagsterInstance) -> None:
    world = new_world("i-1")
    request_id = approved(world)
    tick = evaluated(world, instance, "approval_decisions")
    assert [(each.asset_key.to_user_string(), each.description) for each in tick.asset_events] == [
        ("approval_requests", f"{request_id}: opened by nightshift"),
        ("approval_requests", f"{request_id}: approval by ana@example.com (command line)"),
        ("approval_requests", f"{request_id}: approved by ana@example.com (command line)"),
    ]
    assert tick.asset_events[0].metadata["request"].value == request_id
    assert (tick.cursor, tick.run_requests) == ("3", [])
    again = evaluated(world, instance, "approval_decisions", tick.cursor)
    assert (again.asset_events, again.cursor, again.skip_message) == ([], "3", "Nothing was decided since.")


def test_the_sensor_of_decisions_ends_requests_whose_time_is_over(new_world: NewWorld, instance: dg.DagsterInstance) -> None:
    world = new_world("i-1")
    request_id = approved(world)
    world.clock.at += timedelta(hours=168)
    tick = evaluated(world, instance, "approval_decisions", "3")
    assert [each.description for each in tick.asset_events] == [f"{request_id}: expired by nightshift"]
    assert (tick.cursor, states(world)) == ("4", ["expired"])


def test_the_job_that_the_sensor_asks_for_applies_its_request_and_no_other(
    new_world: NewWorld, instance: dg.DagsterInstance
) -> None:
    world = new_world("i-1", "i-2")
    world.machines["i-2"].team = "search"
    world.night()
    for name in ("i-1", "i-2"):
        approve(world.runtime(), name, actor())
    first = next(each for each, row in world.requests().items() if "i-1" in row["changes"])
    run = next(
        each for each in evaluated(world, instance, "approved_work").run_requests if each.tags["nightshift/request"] == first
    )
    result = ran(world, instance, run.run_config)
    assert result.success
    assert observations(result) == [f"{first}: i-1 m5.2xlarge -> m5.xlarge: applied. It is well.; {first}: executed (1 applied)."]
    assert world.cloud.types == {"i-1": "m5.xlarge", "i-2": "m5.2xlarge"}


def test_the_job_without_a_request_takes_all_of_them(new_world: NewWorld, instance: dg.DagsterInstance) -> None:
    world = new_world("i-1", "i-2", machine={"units": 5})
    world.machines["i-2"].team = "search"
    world.night()
    for name in ("i-1", "i-2"):
        approve(world.runtime(), name, actor())
    result = ran(world, instance)
    assert result.success
    assert len(observations(result)) == 2
    assert world.cloud.types == {"i-1": "m5.xlarge", "i-2": "m5.xlarge"}


def test_the_job_fails_with_a_sentence_where_something_is_stuck(new_world: NewWorld, instance: dg.DagsterInstance) -> None:
    world = new_world("i-1")

    def terminated(when: str, call: str) -> None:
        if (when, call) == ("after", "stop"):
            world.cloud.states["i-1"] = "terminated"

    world.cloud.hook = terminated
    request_id = approved(world)
    result = ran(world, instance)
    assert not result.success
    why, facts = failure(result)
    assert why == "Not everything that was begun is applied: see the log."
    stuck, ended = facts["done"].splitlines()
    assert stuck == "i-1 m5.2xlarge -> m5.xlarge: STUCK, a person must look. The machine is gone (terminated)."
    assert ended == f"{request_id}: failed (stuck: i-1)."
    assert states(world) == ["failed"]
    assert result.retry_attempts_for_node("apply_changes") == 0


def test_the_job_fails_where_the_cloud_does_not_answer_and_its_next_run_goes_on(
    new_world: NewWorld, instance: dg.DagsterInstance
) -> None:
    world = new_world("i-1")
    left_half_way(world)
    world.cloud.hook = _silent
    first = ran(world, instance)
    assert failure(first)[1]["waits"] == "i-1 m5.2xlarge -> m5.xlarge: EC2 did not answer. The next run looks again."
    world.cloud.hook = lambda when, call: None
    assert ran(world, instance).success
    assert [call[0] for call in world.cloud.calls] == ["stop", "set_type", "start"]


def _silent(when: str, call: str) -> None:
    raise CloudError("EC2 did not answer.")


def test_while_a_kill_switch_is_on_the_job_does_nothing(new_world: NewWorld, instance: dg.DagsterInstance) -> None:
    world = new_world("i-1")
    approved(world)
    (world.settings.home / "kill_switch").touch()
    result = ran(world, instance)
    assert (result.success, observations(result), world.cloud.calls) == (True, [], [])
    assert states(world) == ["approved"]


def test_a_kill_switch_that_finds_a_change_half_way_leaves_it_so_and_the_job_says_it(
    new_world: NewWorld, instance: dg.DagsterInstance
) -> None:
    world = new_world("i-1")
    left_half_way(world)
    world.cloud.states["i-1"] = STOPPED
    (world.settings.home / "kill_switch").touch()
    why, facts = failure(ran(world, instance))
    assert why == "Not everything that was begun is applied: see the log."
    assert facts["waits"].splitlines() == [
        "A kill switch is on: nothing is applied.",
        "i-1 is under way (m5.2xlarge -> m5.xlarge) and left as it is.",
    ]
    assert world.cloud.calls == [("stop", "i-1")]
    assert states(world) == ["executing"]
