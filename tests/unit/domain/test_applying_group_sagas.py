"""What the sagas of a group's minimum and of its type do next, whatever is seen of the group."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dagster_project.domain.applying import group_size, group_type
from dagster_project.domain.applying.cloud import Group, Refresh
from dagster_project.domain.applying.saga import (
    APPLIED,
    FORWARD,
    GROUP_SIZE,
    GROUP_TYPE,
    ORIGINAL,
    STUCK,
    UNDO,
    Act,
    End,
    Next,
    Saga,
    Turn,
    Wait,
)

BEGUN = datetime(2025, 3, 10, 2, tzinfo=UTC)
WHY = "A kill switch is on."
OLD, NEW = "m5.xlarge", "m5.large"


def saga(kind: str, before: str, after: str, direction: str, members: int, memory: dict[str, Any]) -> Saga:
    begun = Saga(
        execution_id="exe-1",
        request_id="apr-1",
        revision=1,
        resource_id="web",
        kind=kind,
        account_id="318204967715",
        region="us-east-1",
        service="api",
        environment="prod",
        before=before,
        after=after,
        begun_at=BEGUN,
        touched_at=BEGUN,
        members=members,
        memory=memory,
    )
    return begun if direction == FORWARD else replace(begun, direction=UNDO, reason=WHY, turned_at=BEGUN)


def group(**facts: Any) -> Group:
    """Ten members of the old type, all healthy, from version 3 of its own template."""
    desired = facts.get("desired", 10)
    normal: dict[str, Any] = {
        "name": "web",
        "min_size": 10,
        "max_size": 20,
        "desired": desired,
        "healthy": desired,
        "members": ((OLD, desired),),
        "template_id": "lt-1",
        "template_version": "3",
        "template_type": OLD,
    }
    return Group(**{**normal, **facts})


# The minimum: from 10 to 5, two members at a time.


def size(direction: str = FORWARD, before: int = 10, after: int = 5, members: int = 2, **memory: Any) -> Saga:
    known = {"desired_before": 10, "goal": 5, "left": 10, "reached": 10}
    return saga(GROUP_SIZE, str(before), str(after), direction, members, {**known, **memory})


def sized(desired: int, left: int, min_size: int = 5, touches: bool = True) -> Act:
    memory = {"left": left, "reached": desired}
    return Act("set_group_size", ("web", min_size, desired), remember=memory, touches=touches)


@pytest.mark.parametrize(
    ("memory", "now", "step"),
    [
        ({}, {"min_size": 10, "desired": 10}, sized(8, 10)),
        ({}, {"min_size": 10, "desired": 10, "healthy": 9}, Wait("9 of 10 members are healthy.")),
        ({"left": 10, "reached": 8}, {"min_size": 10, "desired": 10}, sized(8, 10)),
        ({"left": 10, "reached": 8}, {"min_size": 5, "desired": 8}, sized(6, 8)),
        ({"left": 10, "reached": 8}, {"min_size": 5, "desired": 8, "healthy": 7}, Wait("7 of 8 members are healthy.")),
        ({"left": 8, "reached": 6}, {"min_size": 5, "desired": 8}, sized(6, 8)),
        ({"left": 8, "reached": 6}, {"min_size": 5, "desired": 6}, sized(5, 6)),
        ({"left": 6, "reached": 5}, {"min_size": 5, "desired": 5}, End(APPLIED, "Its minimum is 5, with 5 members.")),
        (
            {"left": 8, "reached": 6},
            {"min_size": 5, "desired": 7},
            End(APPLIED, "Its minimum is 5; its own scaling asks for 7 members."),
        ),
        (
            {"left": 8, "reached": 6},
            {"min_size": 5, "desired": 12, "healthy": 8},
            End(APPLIED, "Its minimum is 5; its own scaling asks for 12 members."),
        ),
    ],
)
def test_a_group_is_made_smaller_a_few_members_at_a_time(memory: dict[str, Any], now: dict[str, Any], step: Next) -> None:
    assert group_size.decide(size(**memory), group(**now)) == step


@pytest.mark.parametrize(
    ("now", "step"),
    [
        ({"min_size": 10, "desired": 14}, sized(14, 14, touches=False)),
        ({"min_size": 10, "desired": 16}, sized(14, 16)),
        ({"min_size": 10, "desired": 12}, sized(12, 12, touches=False)),
        ({"min_size": 5, "desired": 14}, End(APPLIED, "Its minimum is 5, with 14 members.")),
        ({"min_size": 5, "desired": 9}, End(APPLIED, "Its minimum is 5, with 9 members.")),
    ],
)
def test_members_above_the_minimum_are_its_own_scalings_and_stay(now: dict[str, Any], step: Next) -> None:
    """The group ran with 14 members when it began; its scaling may ask for more or for fewer meanwhile."""
    above = size(desired_before=14, goal=14, left=14, reached=14)
    assert group_size.decide(above, group(**now)) == step


@pytest.mark.parametrize(
    ("reached", "now", "step"),
    [
        (5, {"min_size": 5, "desired": 5}, sized(10, 5, min_size=10, touches=False)),
        (5, {"min_size": 5, "desired": 12}, sized(12, 12, min_size=10, touches=False)),
        (10, {"min_size": 10, "desired": 10, "healthy": 7}, Wait("7 of 10 members are healthy.")),
        (10, {"min_size": 10, "desired": 10}, End(APPLIED, "Its minimum is 10, with 10 members.")),
    ],
)
def test_a_group_is_made_larger_at_once_and_its_members_are_waited_for(reached: int, now: dict[str, Any], step: Next) -> None:
    larger = size(before=5, after=10, desired_before=5, goal=10, left=5, reached=reached)
    assert group_size.decide(larger, group(**now)) == step


@pytest.mark.parametrize(
    ("now", "step"),
    [
        ({"min_size": 5, "desired": 6}, Act("set_group_size", ("web", 10, 10))),
        ({"min_size": 10, "desired": 6}, Act("set_group_size", ("web", 10, 10))),
        ({"min_size": 5, "desired": 13}, Act("set_group_size", ("web", 10, 13))),
        ({"min_size": 10, "desired": 10, "healthy": 8}, Wait("8 of 10 members are healthy.")),
        ({"min_size": 10, "desired": 13, "healthy": 10}, End(ORIGINAL, WHY)),
        ({"min_size": 10, "desired": 10}, End(ORIGINAL, WHY)),
    ],
)
def test_on_the_way_back_a_group_gets_its_members_at_once_and_loses_none(now: dict[str, Any], step: Next) -> None:
    assert group_size.decide(size(UNDO), group(**now)) == step


@pytest.mark.parametrize(
    ("direction", "now", "why"),
    [
        (FORWARD, None, "The group is gone."),
        (UNDO, None, "The group is gone."),
        (FORWARD, group(min_size=7), "Somebody set its minimum to 7 meanwhile."),
        (UNDO, group(min_size=7), f"{WHY} Somebody set its minimum to 7 meanwhile."),
    ],
)
def test_a_minimum_that_somebody_else_set_is_left_to_a_person(direction: str, now: Group | None, why: str) -> None:
    assert group_size.decide(size(direction), now) == End(STUCK, why)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (group(), None),
        (None, "There is no such group."),
        (group(min_size=9), "Its minimum is 9 by now, not 10."),
        (group(refresh=Refresh("1", "InProgress")), "An instance refresh is under way."),
        (group(refresh=Refresh("1", "Successful")), None),
        (group(healthy=9), "9 of 10 members are healthy."),
    ],
)
def test_a_minimum_is_changed_only_as_it_was_approved_and_while_all_are_well(now: Group | None, why: str | None) -> None:
    assert group_size.refusal(now, "10") == why


@pytest.mark.parametrize(
    ("desired", "stride", "after", "members", "goal"),
    [(10, 2, 5, 2, 5), (10, 9, 5, 5, 5), (10, 2, 9, 1, 9), (14, 2, 5, 1, 14), (10, 2, 12, 2, 12)],
)
def test_members_follow_the_minimum_only_where_nothing_else_held_them(
    desired: int, stride: int, after: int, members: int, goal: int
) -> None:
    begun = group_size.begin(size(after=after), group(desired=desired), stride)
    assert begun.members == members
    assert begun.memory == {"desired_before": desired, "goal": goal, "left": desired, "reached": desired}


# The type: a new version of the launch template, then a refresh of the members.


def type_saga(direction: str = FORWARD, members: int = 2, **memory: Any) -> Saga:
    """One that began with version 3 of the template and a refresh ``7`` in its past."""
    known = {"template_id": "lt-1", "version_before": "3", "refresh_before": "7", "desired_before": 10}
    return saga(GROUP_TYPE, OLD, NEW, direction, members, {**known, **memory})


PAST = Refresh("7", "Failed", "long ago")
MADE = {"version_made": "4"}
HALF = ((NEW, 4), (OLD, 6))
IS_NEW = {"template_version": "4", "template_type": NEW, "refresh": PAST}


def refresh(status: str, number: str = "8", reason: str | None = None) -> dict[str, Refresh]:
    return {"refresh": Refresh(number, status, reason)}


@pytest.mark.parametrize(
    ("memory", "now", "step"),
    [
        ({}, {"refresh": PAST}, Act("add_template_version", ("lt-1", "3", NEW, "exe-1"), result="version_made")),
        (MADE, {"refresh": PAST}, Act("use_template", ("web", "lt-1", "4"))),
        (MADE, IS_NEW, Act("start_refresh", ("web", 80, 300), touches=True)),
        (MADE, {**IS_NEW, **refresh("InProgress", "7")}, Wait("Its members are being replaced (InProgress).")),
        (MADE, {**IS_NEW, **refresh("Pending")}, Wait("Its members are being replaced (Pending).")),
        (MADE, {**IS_NEW, **refresh("Baking"), "members": HALF}, Wait("Its members are being replaced (Baking).")),
        (
            MADE,
            {**IS_NEW, **refresh("Failed", reason="unhealthy"), "members": HALF},
            Turn("Its instance refresh is Failed (unhealthy)."),
        ),
        (MADE, {**IS_NEW, **refresh("Cancelled")}, Turn("Its instance refresh is Cancelled (no reason given).")),
        (
            MADE,
            {**IS_NEW, **refresh("Successful"), "members": HALF},
            Turn("Its instance refresh is over, and some members are what they were."),
        ),
        (
            MADE,
            {**IS_NEW, **refresh("Successful"), "members": ((NEW, 9),), "healthy": 9},
            Wait("9 of 10 members are healthy."),
        ),
        (MADE, {**IS_NEW, **refresh("Successful"), "members": ((NEW, 10),)}, End(APPLIED, "Its 10 members are m5.large.")),
        (MADE, {**IS_NEW, "desired": 0, "members": ()}, End(APPLIED, "Its 0 members are m5.large.")),
    ],
)
def test_a_group_gets_a_version_of_its_template_and_then_its_members(
    memory: dict[str, Any], now: dict[str, Any], step: Next
) -> None:
    assert group_type.decide(type_saga(**memory), group(**now)) == step


BACK = Act("start_refresh", ("web", 80, 300), remember={"refresh_at_undo": "8"})
HALF_BACK = {"members": HALF, **refresh("Cancelled")}


@pytest.mark.parametrize(
    ("memory", "now", "step"),
    [
        ({}, {"refresh": PAST}, End(ORIGINAL, WHY)),
        (MADE, {**IS_NEW, "members": HALF}, Act("use_template", ("web", "lt-1", "3"))),
        (MADE, {"members": HALF, **refresh("InProgress")}, Act("cancel_refresh", ("web",))),
        (MADE, {"members": HALF, **refresh("Pending")}, Act("cancel_refresh", ("web",))),
        (MADE, {"members": HALF, **refresh("Cancelling")}, Wait("Its instance refresh is Cancelling.")),
        (MADE, HALF_BACK, BACK),
        ({**MADE, "refresh_at_undo": "8"}, HALF_BACK, BACK),
        (
            {**MADE, "refresh_at_undo": "8"},
            {"members": HALF, **refresh("InProgress", "9")},
            Wait("Its instance refresh is InProgress."),
        ),
        (
            {**MADE, "refresh_at_undo": "8"},
            {"members": HALF, **refresh("Failed", "9")},
            End(STUCK, f"{WHY} The way back did not bring m5.xlarge to all of its members."),
        ),
        ({**MADE, "refresh_at_undo": "8"}, {**refresh("Successful", "9"), "healthy": 9}, Wait("9 of 10 members are healthy.")),
        ({**MADE, "refresh_at_undo": "8"}, refresh("Successful", "9"), End(ORIGINAL, WHY)),
    ],
)
def test_a_group_gets_its_old_version_back_and_then_its_members(memory: dict[str, Any], now: dict[str, Any], step: Next) -> None:
    assert group_type.decide(type_saga(UNDO, **memory), group(**now)) == step


@pytest.mark.parametrize(
    ("direction", "now", "why"),
    [
        (FORWARD, None, "The group is gone."),
        (UNDO, None, "The group is gone."),
        (FORWARD, group(template_version="5"), "Somebody gave it version 5 of lt-1 meanwhile."),
        (FORWARD, group(template_id="lt-2"), "Somebody gave it version 3 of lt-2 meanwhile."),
        (UNDO, group(template_version="5"), f"{WHY} Somebody gave it version 5 of lt-1 meanwhile."),
        (UNDO, group(template_id="lt-2"), f"{WHY} Somebody gave it version 3 of lt-2 meanwhile."),
    ],
)
def test_a_template_that_somebody_else_gave_it_is_left_to_a_person(direction: str, now: Group | None, why: str) -> None:
    assert group_type.decide(type_saga(direction, **MADE), now) == End(STUCK, why)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (group(), None),
        (None, "There is no such group."),
        (
            group(template_id=None),
            "It has no launch template of its own (a mixed-instances policy, or a launch configuration).",
        ),
        (
            group(template_version=None),
            "It has no launch template of its own (a mixed-instances policy, or a launch configuration).",
        ),
        *(
            (
                group(template_follows=follows),
                f"It follows {follows} of its launch template; it would be pinned to one version from then on.",
            )
            for follows in ("$Latest", "$Default")
        ),
        (group(template_type=NEW), "Its launch template says m5.large by now, not m5.xlarge."),
        (group(refresh=Refresh("8", "RollbackInProgress")), "An instance refresh is under way."),
        (group(members=HALF), "Not all of its members are what its launch template says."),
        (group(healthy=9), "9 of 10 members are healthy."),
    ],
)
def test_a_type_is_changed_only_as_it_was_approved_and_while_all_are_well(now: Group | None, why: str | None) -> None:
    assert group_type.refusal(now, OLD) == why


@pytest.mark.parametrize(("desired", "stride", "members"), [(10, 2, 2), (3, 6, 3), (0, 6, 1)])
def test_what_a_group_had_before_is_remembered(desired: int, stride: int, members: int) -> None:
    begun = group_type.begin(type_saga(), group(desired=desired, refresh=PAST), stride)
    assert begun.members == members
    assert begun.memory == {
        "template_id": "lt-1",
        "version_before": "3",
        "refresh_before": "7",
        "desired_before": desired,
    }
    assert group_type.begin(type_saga(), group(), 2).memory["refresh_before"] == "none"


@pytest.mark.parametrize(
    ("members", "desired", "kept_pct"),
    [(2, 10, 80), (1, 3, 67), (2, 3, 34), (3, 3, 0), (5, 3, 0), (1, 7, 86), (1, 100, 99), (5, 1000, 100)],
)
def test_a_refresh_keeps_so_many_in_service_that_no_more_go_at_a_time_than_may(members: int, desired: int, kept_pct: int) -> None:
    for direction, now in ((FORWARD, IS_NEW), (UNDO, HALF_BACK)):
        step = group_type.decide(type_saga(direction, members, **MADE), group(**{**now, "desired": desired, "members": HALF}))
        assert isinstance(step, Act)
        assert step.arguments == ("web", kept_pct, 300)
    kept = -(-desired * kept_pct // 100)  # AWS rounds it up
    assert desired - kept <= members
