"""The gates before a step that takes capacity out of service: what opens each of them, what shuts it, and what is said then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from dagster_project.domain.applying.gates import (
    Asked,
    Limits,
    No,
    Touch,
    fleet_allowance,
    neighbours_of,
    refusals,
    rollout_rank,
)
from dagster_project.domain.applying.windows import DAYS, Window

NOW = datetime(2025, 3, 10, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALWAYS = Window(time(0), time(0), frozenset(DAYS), "UTC")
ROLLOUT = (frozenset({"dev", "sandbox"}), frozenset({"staging"}))
LIMITS = Limits(windows=(ALWAYS,), rollout=ROLLOUT)
ASKED = Asked(
    execution_id="exe-own",
    resource_id="i-own",
    service="payment-api",
    environment="staging",
    members=1,
    is_stopped=False,
    mode="apply",
    fleet_size=10,
    service_size=8,
    neighbours=frozenset({"ledger"}),
    changed_at=None,
    is_changed_known=True,
    evidence=None,
    earlier_open=(),
)
TOUCH = Touch(
    execution_id="exe-1",
    resource_id="i-1",
    service="payment-api",
    environment="staging",
    state="applied",
    members=1,
    begun_at=NOW - HOUR,
    touched_at=NOW - HOUR,
    ended_at=NOW - HOUR,
)


def touch(number: int = 1, *, ago: timedelta = HOUR, **changes: Any) -> Touch:
    """An execution that began, made its last step and ended so long ago, unless the changes say otherwise."""
    at = NOW - ago
    moments = {"begun_at": at, "touched_at": at, "ended_at": at}
    return replace(TOUCH, **{"execution_id": f"exe-{number}", "resource_id": f"i-{number}", **moments, **changes})


def running(number: int = 1, *, ago: timedelta = HOUR, **changes: Any) -> Touch:
    return touch(number, ago=ago, **{"state": "running", "ended_at": None, **changes})


def shut(*touches: Touch, limits: Limits = LIMITS, now: datetime = NOW, **asked: Any) -> list[No]:
    return refusals(replace(ASKED, **asked), touches, limits, now)


def limits(**changes: Any) -> Limits:
    return replace(LIMITS, **changes)


def test_where_every_fact_is_known_and_nothing_is_near_all_gates_are_open() -> None:
    assert shut() == []


def test_all_gates_that_are_shut_are_told_at_once_in_the_order_in_which_a_person_wants_to_hear_of_them() -> None:
    facts: dict[str, Any] = {"is_stopped": True, "mode": None, "evidence": "It is not proposed any more.", "service": None}
    facts |= {"fleet_size": None, "service_size": None, "neighbours": None, "is_changed_known": False, "earlier_open": None}
    failed = [running(1, resource_id="i-own"), *(touch(number, resource_id="i-own", state="original") for number in (2, 3))]
    found = shut(*failed, limits=limits(windows=(), max_executions_per_night=1), **facts)
    assert [no.gate for no in found] == [
        "kill_switch", "mode", "evidence", "service", "window", "lock", "executions", "attempts", "cooldown", "cooldown",
        "fleet", "share", "neighbours", "rollout",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "no"),
    [
        ({"is_stopped": True}, No("kill_switch", "A kill switch is on.")),
        ({"mode": "propose"}, No("mode", "The mode of its service and environment is propose, not apply.")),
        ({"mode": None}, No("mode", "The mode of its service and environment is not known, not apply.")),
        ({"evidence": "It is held back: a merge waits."}, No("evidence", "It is held back: a merge waits.")),
        ({"service": None}, No("service", "Its service is not known, and with it neither its fleet nor its neighbours.")),
        ({"is_changed_known": False}, No("cooldown", "It is not known when it was changed last.")),
        ({"fleet_size": None}, No("fleet", "How many members its fleet has is not known.")),
        ({"fleet_size": 0}, No("fleet", "How many members its fleet has is not known.")),
        ({"service_size": None}, No("share", "How many resources its service has is not known.")),
        ({"neighbours": None}, No("neighbours", "Which services stand on its own, and on which it stands, is not known.")),
        ({"earlier_open": None}, No("rollout", "Whether its service waits in earlier environments is not known.")),
        ({"earlier_open": ("apr-1", "apr-2")}, No("rollout", "apr-1 of its service in an earlier environment comes first.")),
    ],
)
def test_a_fact_that_speaks_against_it_or_is_not_known_is_a_no_that_time_does_not_lift(fact: dict[str, Any], no: No) -> None:
    assert shut(**fact) == [no]


# The window of maintenance; the windows themselves have tests of their own.


def test_without_a_window_for_it_nothing_is_touched() -> None:
    assert shut(limits=limits(windows=())) == [
        No("window", "The settings have no maintenance window for payment-api in staging.")
    ]
    elsewhere = replace(ALWAYS, environment="prod")
    assert shut(limits=limits(windows=(elsewhere,))) == [
        No("window", "The settings have no maintenance window for payment-api in staging.")
    ]


def test_a_window_that_is_shut_says_when_it_opens() -> None:
    evening = Window(time(22), time(23), frozenset(DAYS), "UTC")
    assert shut(limits=limits(windows=(evening,))) == [
        No(
            "window",
            "The next maintenance window of payment-api in staging opens on 2025-03-10 at 22:00 UTC.",
            datetime(2025, 3, 10, 22, tzinfo=UTC),
        )
    ]


def test_what_is_not_known_of_a_resource_is_named_as_unknown_where_the_window_is_shut() -> None:
    found = shut(limits=limits(windows=(), rollout=()), service=None, environment=None)
    assert found[1] == No("window", "The settings have no maintenance window for an unknown service in an unknown environment.")


# What is asked before the first step only.


def test_another_change_of_the_same_resource_that_is_under_way_locks_it() -> None:
    found = shut(running(resource_id="i-own"), limits=limits(cooldown=timedelta(0)))
    assert found == [No("lock", "Another change of it is under way.", NOW + MINUTE)]
    assert shut(running(resource_id="i-other")) == []


def test_the_limit_of_changes_within_a_night_counts_those_under_way_and_opens_when_the_first_is_a_day_old() -> None:
    others = [touch(1, ago=23 * HOUR), running(2, ago=30 * HOUR, environment="elsewhere"), touch(3, ago=DAY)]
    assert shut(*others, limits=limits(max_executions_per_night=3)) == []
    found = shut(*others, limits=limits(max_executions_per_night=2))
    # One that has been under way for longer than a night may end at any moment: it is asked again in a minute.
    assert found == [No("executions", "2 changes were made within 24 hours; 2 is the limit.", NOW + MINUTE)]
    found = shut(touch(1, ago=23 * HOUR), touch(2), limits=limits(max_executions_per_night=2))
    assert found[0].until == NOW + HOUR


def test_executions_that_ended_before_they_touched_anything_count_as_changes_of_a_night() -> None:
    found = shut(touch(has_touched=False), limits=limits(max_executions_per_night=1))
    assert [no.gate for no in found] == ["executions"]


def test_a_limit_of_no_changes_is_a_no_that_time_does_not_lift() -> None:
    found = shut(limits=limits(max_executions_per_night=0))
    assert found == [No("executions", "0 changes were made within 24 hours; 0 is the limit.")]


def test_a_change_that_failed_too_often_within_a_week_is_not_tried_again() -> None:
    own: dict[str, Any] = {"resource_id": "i-own"}
    tries = [touch(1, ago=6 * DAY, state="original", **own), touch(2, ago=5 * DAY, state="stuck", **own)]
    assert shut(*tries) == [No("attempts", "It was tried 2 times within a week without success.")]
    assert shut(tries[0]) == []
    assert shut(tries[0], touch(2, ago=5 * DAY, state="applied", **own)) == []
    assert shut(tries[0], touch(2, ago=7 * DAY, state="stuck", **own)) == []
    assert shut(*tries, limits=limits(max_attempts=3)) == []


def test_a_resource_rests_after_a_change_by_whomever() -> None:
    changed_at = NOW - 71 * HOUR
    assert shut(changed_at=changed_at) == [
        No("cooldown", "It was changed on 2025-03-07 at 03:00 UTC.", datetime(2025, 3, 10, 3, tzinfo=UTC))
    ]
    assert shut(changed_at=NOW - 72 * HOUR) == []
    later = touch(resource_id="i-own", ago=30 * HOUR)
    assert shut(later, changed_at=changed_at) == [
        No("cooldown", "It was changed on 2025-03-08 at 20:00 UTC.", datetime(2025, 3, 11, 20, tzinfo=UTC))
    ]
    assert shut(replace(later, has_touched=False)) == []


def test_a_saga_that_has_begun_is_its_own_lock_cooldown_and_attempt() -> None:
    own = running(execution_id="exe-own", resource_id="i-own")
    past = [touch(number, resource_id="i-own", state="original") for number in (2, 3)]
    asked = {"changed_at": NOW, "is_changed_known": False}
    assert {no.gate for no in shut(*past, limits=limits(max_executions_per_night=2), **asked)} == {
        "executions", "attempts", "cooldown"
    }  # fmt: skip
    assert shut(own, *past, limits=limits(max_executions_per_night=2), **asked) == []


# The fleet.


@pytest.mark.parametrize(("members", "allowed"), [(1, 1), (4, 1), (5, 1), (9, 1), (10, 2), (14, 2), (15, 3), (30, 6)])
def test_a_fifth_of_a_fleet_is_rounded_down_but_one_member_may_always_go(members: int, allowed: int) -> None:
    assert fleet_allowance(members, LIMITS) == allowed
    assert shut(fleet_size=members, members=allowed) == []
    assert shut(fleet_size=members, members=allowed + 1) == [
        No(
            "fleet",
            f"{allowed + 1} more of {members} members would be touched beside 0 within five minutes; {allowed} is the limit.",
        )
    ]


def test_members_that_are_out_of_service_or_were_within_five_minutes_take_room() -> None:
    sentence = "1 more of 10 members would be touched beside 2 within five minutes; 2 is the limit."
    assert shut(running(members=2, ago=HOUR)) == [No("fleet", sentence, NOW + MINUTE)]
    assert shut(running(members=2, ago=MINUTE)) == [No("fleet", sentence, NOW + 4 * MINUTE)]
    back = touch(members=2, ago=HOUR, ended_at=NOW - 2 * MINUTE)
    assert shut(back) == [No("fleet", sentence, NOW + 3 * MINUTE)]
    assert shut(touch(1, ago=MINUTE), touch(2, ago=4 * MINUTE)) == [No("fleet", sentence, NOW + 4 * MINUTE)]
    assert shut(touch(1, ago=MINUTE)) == []
    assert shut(touch(members=2, ago=5 * MINUTE)) == []


def test_a_touch_that_another_clock_notes_in_the_future_takes_room() -> None:
    ahead = touch(members=2, ago=-HOUR)
    assert shut(ahead)[0].until == NOW + HOUR + 5 * MINUTE


def test_a_stuck_member_counts_as_out_of_service_for_a_night_because_nobody_knows_whether_it_came_back() -> None:
    stuck = touch(state="stuck", members=2, ago=3 * HOUR)
    assert [(no.gate, no.until) for no in shut(stuck)] == [("fleet", NOW + 21 * HOUR)]
    assert shut(touch(state="stuck", members=2, ago=DAY)) == []
    assert shut(touch(state="original", members=2, ago=3 * HOUR)) == []


def test_the_members_that_the_saga_itself_touched_within_five_minutes_take_room() -> None:
    own = running(execution_id="exe-own", resource_id="i-own", members=2)
    assert shut(own, members=2) == []
    assert shut(own, members=2, own_recent=2) == [
        No("fleet", "2 more of 10 members would be touched beside 2 within five minutes; 2 is the limit.", NOW + MINUTE)
    ]


@pytest.mark.parametrize(
    "other", [{"environment": "prod"}, {"environment": None}, {"service": "payment"}, {"has_touched": False}]
)
def test_members_of_another_fleet_and_untouched_ones_take_no_room(other: dict[str, Any]) -> None:
    assert shut(touch(members=2, ago=MINUTE), fleet_size=5)[0].gate == "fleet"
    assert shut(touch(members=2, ago=MINUTE, **other), fleet_size=5) == []


def test_a_fleet_without_an_environment_is_one_of_its_own() -> None:
    found = shut(touch(members=2, ago=MINUTE, environment=None), environment=None, fleet_size=5, limits=limits(rollout=()))
    assert [no.gate for no in found] == ["fleet"]


# The night: a service's share, and its neighbours.


def test_a_service_has_a_share_of_its_resources_changed_within_a_night() -> None:
    others = [touch(number, ago=number * HOUR) for number in (1, 2, 3, 4)]
    assert shut(*others[:3]) == []
    assert shut(*others) == [No("share", "4 of its service were changed within 24 hours; 4 is the limit.", NOW + 20 * HOUR)]
    assert shut(*others[:3], touch(4, ago=DAY)) == []
    assert shut(*others[:3], touch(4, has_touched=False)) == []
    assert shut(*others[:3], touch(4, resource_id="i-3")) == [], "one resource counts once"
    assert shut(*others[:3], touch(4, resource_id="i-own"), limits=limits(cooldown=timedelta(0))) == []
    assert shut(*others[:3], running(4, ago=30 * HOUR))[0].until == NOW + MINUTE
    assert shut(*others, touch(5, service="other", ago=23 * HOUR))[0].until == NOW + 20 * HOUR


@pytest.mark.parametrize(("resources", "allowed"), [(1, 3), (6, 3), (7, 3), (8, 4), (9, 4)])
def test_a_small_service_may_have_three_changes_and_a_larger_one_half_of_its_resources(resources: int, allowed: int) -> None:
    others = [touch(number) for number in range(allowed)]
    assert shut(*others[1:], service_size=resources) == []
    assert [no.why for no in shut(*others, service_size=resources)] == [
        f"{allowed} of its service were changed within 24 hours; {allowed} is the limit."
    ]


def test_no_two_services_of_one_call_chain_are_changed_in_one_night() -> None:
    near = touch(service="Ledger", environment="prod", ago=3 * HOUR)
    sentence = "Ledger, a neighbour in its call chain, was changed within 24 hours."
    assert shut(near) == [No("neighbours", sentence, NOW + 21 * HOUR)]
    assert shut(near, touch(2, service="ledger", ago=HOUR))[0].until == NOW + 23 * HOUR
    assert shut(near, touch(2, service="unrelated", ago=HOUR))[0].until == NOW + 21 * HOUR
    assert shut(running(service="ledger", ago=2 * DAY))[0].until == NOW + MINUTE
    assert shut(replace(near, has_touched=False)) == []
    assert shut(touch(service="ledger", ago=DAY)) == []
    assert shut(touch(2), neighbours=frozenset({"Payment-API"})) == [], "a service is no neighbour of itself"


# The rollout by environment.


def test_an_environment_has_the_place_of_its_name_and_one_that_is_not_listed_comes_last() -> None:
    assert [rollout_rank(name, LIMITS) for name in ("DEV", "sandbox", "Staging", "prod", None)] == [0, 0, 1, 2, 2]


def test_an_earlier_environment_must_have_lived_with_its_change_for_a_while() -> None:
    earlier = touch(environment="Dev", service="Payment-Api", ago=25 * HOUR, ended_at=NOW - 20 * HOUR)
    sentence = "i-1 in Dev was changed on 2025-03-09 at 06:00 UTC, less than 24 hours ago."
    assert shut(earlier) == [No("rollout", sentence, NOW + 4 * HOUR)]
    assert shut(touch(environment="dev", ago=DAY)) == []
    assert shut(touch(environment="dev", ago=DAY), limits=limits(soak=25 * HOUR))[0].until == NOW + HOUR
    assert shut(touch(environment="staging", ago=6 * MINUTE)) == []
    assert shut(touch(environment="prod", ago=6 * MINUTE)) == []
    assert shut(touch(environment="dev", service="other")) == []


def test_an_earlier_environment_whose_change_is_under_way_comes_first() -> None:
    (no,) = shut(running(environment="dev", ago=2 * HOUR))
    assert no.why == "i-1 in dev was changed on 2025-03-10 at 00:00 UTC, less than 24 hours ago."
    assert no.until == NOW + 22 * HOUR
    assert shut(running(environment="dev", ago=30 * HOUR))[0].until == NOW + MINUTE


@pytest.mark.parametrize("state", ["original", "stuck"])
def test_what_had_to_be_taken_back_earlier_is_not_tried_later_for_a_week(state: str) -> None:
    failed = touch(environment="dev", state=state, ago=6 * DAY)
    assert shut(failed) == [No("rollout", "i-1 in dev had to be taken back, or is stuck.")]
    assert shut(replace(failed, has_touched=False)) == []
    assert shut(touch(environment="dev", state=state, ago=7 * DAY)) == []
    assert shut(touch(environment="dev", state=state, ago=7 * DAY), limits=limits(soak=8 * DAY))[0].gate == "rollout"


def test_the_first_environment_waits_for_nobody() -> None:
    recent = touch(environment="staging")
    assert shut(recent, environment="SANDBOX", earlier_open=None) == []
    assert shut(recent, environment="prod")[0].gate == "rollout"


def test_without_a_rollout_in_the_settings_no_environment_comes_first() -> None:
    assert shut(touch(environment="dev"), earlier_open=None, limits=limits(rollout=())) == []


# What goes back after an emergency.


def test_a_rollback_waits_neither_for_the_night_nor_for_the_rollout_nor_for_a_cooldown() -> None:
    night = [touch(number) for number in range(4)]
    near = touch(5, service="ledger")
    earlier = touch(6, environment="dev")
    facts: dict[str, Any] = {"changed_at": NOW - HOUR, "earlier_open": ("apr-1",), "service_size": None}
    found = shut(*night, near, earlier, **facts)
    assert {no.gate for no in found} == {"cooldown", "share", "neighbours", "rollout"}
    assert shut(*night, near, earlier, is_rollback=True, **facts) == []
    unknown = {"is_changed_known": False, "service_size": None, "neighbours": None, "earlier_open": None}
    assert shut(is_rollback=True, **unknown) == []


def test_a_rollback_passes_no_other_gate_more_easily_than_a_saving() -> None:
    failed = [touch(number, resource_id="i-own", state="stuck", members=2, ago=HOUR) for number in (1, 2)]
    facts: dict[str, Any] = {"is_stopped": True, "mode": "propose", "evidence": "Something is open."}
    strict = limits(windows=(), max_executions_per_night=2)
    found = shut(*failed, running(3, resource_id="i-own"), limits=strict, is_rollback=True, **facts)
    assert [no.gate for no in found] == [
        "kill_switch", "mode", "evidence", "window", "lock", "executions", "attempts", "fleet"
    ]  # fmt: skip


# Names.


def test_names_are_the_same_whatever_their_case() -> None:
    near = touch(1, members=2, ago=MINUTE)
    night = [touch(number) for number in range(4)]
    ledger, dev = touch(service="LEDGER"), touch(environment="DEV", service="Payment-API")
    for asked in ({}, {"service": "PAYMENT-Api"}, {"environment": "STAGING"}):
        assert [no.gate for no in shut(near, **asked)] == ["fleet"]
        assert [no.gate for no in shut(replace(near, service="PAYMENT-API", environment="Staging"), **asked)] == ["fleet"]
        assert [no.gate for no in shut(*night, **asked)] == ["share"]
        assert [no.gate for no in shut(*(replace(each, service="Payment-Api") for each in night), **asked)] == ["share"]
        assert [no.gate for no in shut(ledger, neighbours=frozenset({"Ledger"}), **asked)] == ["neighbours"]
        assert [no.gate for no in shut(dev, **asked)] == ["rollout"]


# Call chains.


def test_a_call_chain_is_everything_that_a_service_stands_on_and_that_stands_on_it() -> None:
    chain = {"web": frozenset({"cart", "search"}), "cart": frozenset({"payment"}), "payment": frozenset({"ledger"})}
    assert neighbours_of("payment", chain) == {"web", "cart", "ledger"}
    assert neighbours_of("web", chain) == {"cart", "search", "payment", "ledger"}
    assert neighbours_of("search", chain) == {"web"}, "what another branch stands on is no neighbour"
    assert neighbours_of("alone", chain) == frozenset()


def test_services_that_stand_on_each_other_are_found_once() -> None:
    circle = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a", "c"}), "d": frozenset({"a"})}
    assert neighbours_of("a", circle) == {"b", "c", "d"}
    assert neighbours_of("d", circle) == {"a", "b", "c"}
