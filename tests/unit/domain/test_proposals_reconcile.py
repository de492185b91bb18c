"""What a night does with pull requests: action by action, and what holds of any night."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.grouping import Place, items_of
from dagster_project.domain.proposals.model import Change, Evidence, Group, GroupKey, Item
from dagster_project.domain.proposals.payload import Payload, payload_of, to_comment
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull
from dagster_project.domain.proposals.reconcile import (
    GROUP_FULL,
    GROUP_OPEN,
    NEW_LIMIT,
    OCCUPIED,
    OPEN_LIMIT,
    Abandon,
    Action,
    Close,
    Confirm,
    Create,
    Freeze,
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
OURS, THEIRS = "a" * 40, "b" * 40
EVIDENCE = Evidence("f" * 16, "propose_smaller_size", (1.0, 4.0), 0, 0)
MOVED = replace(EVIDENCE, demand=(2.0, 4.0))
LIMITS = Limits(max_items=5, max_open=10, max_new=10, stale_days=2)
FILE = "envs/prod/a.tf"
BUSY = Standing("keep", "keep_busy_cpu", "Its CPU is busy.")
SCARCE = Standing("insufficient", "insufficient_coverage", "Too few samples are there.")
SPENT = Standing("refuse", "refuse_blast_radius", "Tonight's share is spent.")
PROPOSED = Standing("propose", "propose_smaller_size", "A smaller size would do.")
EVERY_NIGHT = tuple(DAY - timedelta(days=days) for days in range(500))


def change(name: str, **changes: Any) -> Change:
    made = Change(
        resource_id=name, resource_type="ec2_instance", service="payment-api", team="payments", environment="staging",
        region="us-east-1", attribute="instance_type", before="m5.2xlarge", after="m5.xlarge", savings_usd_month=140.0,
        expected_usd_month=130.0, risk="low", risk_reasons=(), evidence=EVIDENCE,
    )  # fmt: skip
    return replace(made, **changes)


def located(
    name: str, *, at: int | None = None, root: str = "envs/prod", file: str = FILE, **changes: Any
) -> tuple[Change, Place]:
    """A resource with its literal: one of its own, unless ``at`` says where it is."""
    start = int(name.partition("-")[2]) * 100 if at is None else at
    return change(name, **changes), Place("acme/infra", "main", root, "", file, start, start // 10, f"aws_instance.{name}")


def items(*found: tuple[Change, Place] | str) -> list[tuple[GroupKey, Item]]:
    return items_of([located(each) if isinstance(each, str) else each for each in found])


def blobs_of(found: Sequence[tuple[GroupKey, Item]]) -> dict[str, str]:
    return {item.file: "1" * 40 for _, item in found}


def group(*found: tuple[Change, Place] | str) -> Group:
    """One group of all of them."""
    made = items(*found)
    assert len({key for key, _ in made}) == 1
    return Group(made[0][0], tuple(item for _, item in made))


def tonight(*found: tuple[Change, Place] | str, **changes: Any) -> Tonight:
    made = items(*found)
    base = Tonight(DAY, "main", made, {}, {}, {FILE: "1" * 40, **blobs_of(made)}, nights=EVERY_NIGHT)
    return replace(base, **changes)


def pull(*found: tuple[Change, Place] | str, number: int = 1, record: dict[str, Any] | None = None, **seen: Any) -> OpenPull:
    """A pull request that an earlier night opened for these."""
    return opened(payload_of(group(*found), "0" * 40, {FILE: "1" * 40}), number, record, **seen)


def opened(payload: Payload, number: int = 1, record: dict[str, Any] | None = None, **seen: Any) -> OpenPull:
    is_as = SeenPull(
        number=number, digest=payload.key.digest, branch=payload.key.branch, base="main", head_sha=OURS, is_open=True, title="t",
        body=to_comment(payload), url=f"https://github.example/{number}",
    )  # fmt: skip
    noted = PullRecord(
        id=number, repository="acme/infra", digest=payload.key.digest, branch=payload.key.branch, state=pulls.OPEN,
        payload=payload, opened_on=DAY, confirmed_on=DAY - timedelta(days=1), number=number, head_sha=OURS,
    )  # fmt: skip
    return OpenPull(replace(is_as, **seen), replace(noted, **(record or {})))


def begun(wanted: Group, identifier: int = 50) -> PullRecord:
    found = opened(payload_of(wanted, "0" * 40, {FILE: "1" * 40}), identifier).record
    assert found is not None
    return replace(found, state=pulls.OPENING, number=None, head_sha=None)


def reconciled(night: Tonight, *open_pulls: OpenPull, records: Sequence[PullRecord] = (), **limits: int) -> list[Action]:
    return reconcile(night, open_pulls, records, replace(LIMITS, **limits))


class TestWhatIsOpened:
    def test_a_group_has_a_pull_request(self) -> None:
        assert reconciled(tonight("i-1", "i-2")) == [Create(group("i-1", "i-2"))]

    def test_a_night_without_anything_does_nothing(self) -> None:
        assert reconciled(tonight()) == []

    def test_what_is_worth_most_is_opened_first(self) -> None:
        night = tonight(
            located("i-1", team="a", expected_usd_month=10.0), located("i-2", team="b", expected_usd_month=30.0),
            located("i-3", team="c", expected_usd_month=20.0), located("i-4", team="d", expected_usd_month=30.0),
        )  # fmt: skip
        assert [action.group.key.owner for action in reconciled(night) if isinstance(action, Create)] == ["b", "d", "c", "a"]

    def test_a_group_takes_what_is_worth_most_and_the_rest_waits(self) -> None:
        usd = {1: 5.0, 2: 9.0, 3: 7.0}
        night = tonight(*(located(f"i-{number}", expected_usd_month=worth) for number, worth in usd.items()))
        create, wait = reconciled(night, max_items=2)
        assert isinstance(create, Create) and create.group.resource_ids == ("i-2", "i-3")
        assert isinstance(wait, Wait) and (wait.why, [item.resource_ids for item in wait.items]) == (GROUP_FULL, [("i-1",)])

    @pytest.mark.parametrize(
        ("limits", "opened_for", "waits"),
        [
            ({"max_new": 1}, ["a"], [("b", NEW_LIMIT), ("c", NEW_LIMIT)]),
            ({"max_new": 0}, [], [("a", NEW_LIMIT), ("b", NEW_LIMIT), ("c", NEW_LIMIT)]),
            ({"max_open": 3}, ["a", "b"], [("c", OPEN_LIMIT)]),
            ({"max_open": 1}, [], [("a", OPEN_LIMIT), ("b", OPEN_LIMIT), ("c", OPEN_LIMIT)]),
            ({"max_open": 0, "max_new": 0}, [], [("a", OPEN_LIMIT), ("b", OPEN_LIMIT), ("c", OPEN_LIMIT)]),
            ({"max_open": 2, "max_new": 1}, ["a"], [("b", OPEN_LIMIT), ("c", OPEN_LIMIT)]),
        ],
        ids=str,
    )
    def test_limits_say_why_the_others_wait(
        self, limits: dict[str, int], opened_for: list[str], waits: list[tuple[str, str]]
    ) -> None:
        """One is open already and stays so."""
        night = tonight("i-1", located("i-2", team="a"), located("i-3", team="b"), located("i-4", team="c"))
        first, *others = reconciled(night, pull("i-1"), **limits)
        assert isinstance(first, Confirm)
        assert [each.group.key.owner for each in others if isinstance(each, Create)] == opened_for
        assert [(each.key.owner, each.why) for each in others if isinstance(each, Wait)] == waits

    def test_what_is_closed_tonight_makes_room(self) -> None:
        night = tonight(located("i-2", team="a"), standings={"i-1": BUSY})
        closing, create = reconciled(night, pull("i-1"), max_open=1)
        assert isinstance(closing, Close) and isinstance(create, Create)

    def test_what_was_begun_is_finished_and_does_not_count_as_new(self) -> None:
        night = tonight("i-1", located("i-2", team="search", expected_usd_month=1.0))
        record = begun(group(located("i-2", team="search")))
        actions = reconciled(night, records=[record], max_new=1)
        assert actions == [Create(group("i-1")), Create(group(located("i-2", team="search", expected_usd_month=1.0)), record)]

    def test_what_was_begun_and_is_not_wanted_any_more_is_removed(self) -> None:
        record = begun(group(located("i-2", team="search")))
        assert reconciled(tonight("i-1"), records=[record]) == [Abandon(record), Create(group("i-1"))]
        # While it only waits for room it stays.
        night = tonight("i-1", located("i-2", team="search"))
        assert not any(isinstance(action, Abandon) for action in reconciled(night, records=[record], max_open=0))

    @pytest.mark.parametrize(
        ("untouchable", "is_removed"),
        [(("i-2", "i-3"), False), (("i-2", "i-3", "i-9"), False), (("i-2",), True), (("i-9",), True), ((), True)],
        ids=str,
    )
    def test_what_was_begun_is_not_removed_while_nothing_may_be_decided_about_any_of_it(
        self, untouchable: tuple[str, ...], is_removed: bool
    ) -> None:
        """Its code could not be read tonight, so that it is not proposed says nothing."""
        record = begun(group(located("i-2", team="search"), located("i-3", team="search")))
        expected = [Abandon(record)] if is_removed else []
        assert reconciled(tonight(untouchable=frozenset(untouchable)), records=[record]) == expected

    @pytest.mark.parametrize("state", [pulls.OPEN, pulls.CLOSING, pulls.MERGED])
    def test_records_of_pull_requests_that_are_not_seen_are_nothing_to_begin_with(self, state: str) -> None:
        assert reconciled(tonight("i-1"), records=[replace(begun(group("i-1")), state=state)]) == [Create(group("i-1"))]

    def test_a_groups_further_items_wait_while_it_is_open(self) -> None:
        confirm, wait = reconciled(tonight("i-1", "i-2"), pull("i-1"))
        assert confirm == Confirm(pull("i-1"), group("i-1"))
        assert isinstance(wait, Wait) and (wait.why, wait.items[0].resource_ids) == (GROUP_OPEN, ("i-2",))

    def test_a_literal_of_which_another_pull_request_holds_a_resource_waits(self) -> None:
        frozen = pull("i-1", head_sha=THEIRS)
        shared = [located("i-1", at=100, team="search"), located("i-2", at=100, team="search")]
        freeze, wait = reconciled(tonight(*shared), frozen)
        assert freeze == Freeze(frozen, ("i-1: it belongs to another group now (envs/prod, search, low risk).",))
        assert isinstance(wait, Wait) and (wait.why, wait.items[0].resource_ids) == (OCCUPIED, ("i-1", "i-2"))

    def test_what_is_held_as_a_whole_needs_no_word(self) -> None:
        frozen = pull("i-1", head_sha=THEIRS)
        assert [type(action) for action in reconciled(tonight(located("i-1", team="search")), frozen)] == [Freeze]


class TestWhatIsOpen:
    def test_nothing_is_written_while_the_evidence_is_the_same(self) -> None:
        there = pull("i-1", "i-2")
        assert reconciled(tonight("i-1", "i-2"), there) == [Confirm(there, group("i-1", "i-2"))]

    @pytest.mark.parametrize(
        "now",
        [
            {"savings_usd_month": 999.0, "expected_usd_month": 900.0},
            {"risk_reasons": ("x",)},
            {"evidence": replace(EVIDENCE, demand=(1.1, 4.0), fingerprint="0" * 16)},
        ],
        ids=["worth", "reasons", "demand"],
    )
    def test_numbers_that_move_a_little_are_no_news(self, now: dict[str, Any]) -> None:
        assert [type(action) for action in reconciled(tonight(located("i-1", **now)), pull("i-1"))] == [Confirm]

    @pytest.mark.parametrize(
        "now",
        [
            {"after": "m5.large"},
            {"before": "m5.4xlarge"},
            {"file": "envs/prod/b.tf"},
            {"evidence": MOVED},
            {"evidence": replace(EVIDENCE, emergencies=1)},
        ],
        ids=["after", "before", "file", "demand", "emergency"],
    )
    def test_what_a_reviewer_must_look_at_again_is_rewritten(self, now: dict[str, Any]) -> None:
        there = pull("i-1", "i-2")
        expected = sorted(
            (item for _, item in items(located("i-1", **now), "i-2")), key=lambda item: (item.file, item.start_byte)
        )
        assert reconciled(tonight(located("i-1", **now), "i-2"), there) == [
            Update(there, Group(group("i-1").key, tuple(expected)))
        ]

    @pytest.mark.parametrize("blobs", [{FILE: "2" * 40}, {}], ids=["changed", "gone"])
    def test_a_file_that_changed_on_the_base_is_edited_anew(self, blobs: dict[str, str]) -> None:
        there = pull("i-1")
        assert reconciled(tonight("i-1", blobs=blobs), there) == [Update(there, group("i-1"))]

    def test_other_files_of_the_base_do_not_count(self) -> None:
        night = tonight("i-1", blobs={FILE: "1" * 40, "README.md": "9" * 40})
        assert [type(action) for action in reconciled(night, pull("i-1"))] == [Confirm]

    def test_a_line_that_moved_within_its_file_is_told_by_the_file(self) -> None:
        assert [type(action) for action in reconciled(tonight(located("i-1", at=900)), pull("i-1"))] == [Confirm]

    def test_a_resource_that_joined_the_literal_is_rewritten(self) -> None:
        night = tonight(located("i-1", at=100), located("i-2", at=100))
        (update,) = reconciled(night, pull("i-1"))
        assert isinstance(update, Update) and update.group.resource_ids == ("i-1", "i-2")

    @pytest.mark.parametrize(
        ("change_of_night", "reason"),
        [
            ({"standings": {"i-1": BUSY}}, "i-1: Its CPU is busy."),
            ({"held_back": {"i-1": "It was rejected by alice."}, "standings": {"i-1": BUSY}}, "i-1: It was rejected by alice."),
        ],
        ids=["verdict", "held back"],
    )
    def test_what_is_not_proposed_any_more_goes_with_its_reason(self, change_of_night: dict[str, Any], reason: str) -> None:
        alone, together = pull("i-1"), pull("i-1", "i-2")
        assert reconciled(tonight(**change_of_night), alone) == [Close(alone, (reason,))]
        assert reconciled(tonight("i-2", **change_of_night), together) == [Update(together, group("i-2"), (reason,))]

    @pytest.mark.parametrize(
        "standing", [SPENT, SCARCE, PROPOSED, None], ids=["spent", "scarce", "proposed without an item", "not listed"]
    )
    @pytest.mark.parametrize("code", ["refuse_blast_radius", "refuse_dependency_tier_same_night", "refuse_kill_switch"])
    def test_a_night_that_says_nothing_about_it_changes_nothing(self, standing: Standing | None, code: str) -> None:
        if standing is SPENT:
            standing = replace(SPENT, reason_code=code)
        night = {"standings": {"i-1": standing} if standing else {}}
        alone, together = pull("i-1"), pull("i-1", "i-2")
        assert reconciled(tonight(**night), alone) == [Hold(alone)]
        # What the others would say is the same.
        assert reconciled(tonight("i-2", **night), together) == [Hold(together)]

    def test_where_the_others_have_news_it_is_dropped(self) -> None:
        there = pull("i-1", "i-2")
        night = tonight(located("i-2", evidence=MOVED), standings={"i-1": SPENT})
        assert reconciled(night, there) == [
            Update(there, group(located("i-2", evidence=MOVED)), ("i-1: tonight's evidence says nothing about it.",))
        ]

    @pytest.mark.parametrize(
        ("days", "stale_days", "standing", "reason"),
        [
            (2, 2, SCARCE, None),
            (3, 2, SCARCE, "i-1: Too few samples are there."),
            (0, 0, SCARCE, None),
            (1, 0, SCARCE, "i-1: Too few samples are there."),
            (2, 2, PROPOSED, None),
            (3, 2, PROPOSED, "i-1: A smaller size would do."),
            (2, 2, None, None),
            (3, 2, None, "i-1: the inventory has not listed it for more than 2 nights."),
            (2, 1, None, "i-1: the inventory has not listed it for more than 1 night."),
            (1, 0, None, "i-1: the inventory has not listed it for more than 0 nights."),
            (365, 2, SPENT, None),
        ],
        ids=str,
    )
    def test_silence_counts_after_the_stale_nights(
        self, days: int, stale_days: int, standing: Standing | None, reason: str | None
    ) -> None:
        there = pull("i-1", record={"confirmed_on": DAY - timedelta(days=days)})
        night = tonight(standings={"i-1": standing} if standing else {})
        expected: Action = Close(there, (reason,)) if reason else Hold(there)
        assert reconciled(night, there, stale_days=stale_days) == [expected]

    @pytest.mark.parametrize(
        ("nights", "is_stale"),
        [
            ((0, 1, 2), True),
            ((0, 1, 2, 3, 4), True),
            ((0, 20, 39), True),
            ((2, 0, 1), True),
            ((0, 1), False),
            ((0, 38), False),
            ((0,), False),
            ((), False),
            ((0, 1, 40, 41, 42), False),
            ((0, 1, 60), False),
            ((0, 1, -1, -2), False),
        ],
        ids=str,
    )
    @pytest.mark.parametrize(
        ("standing", "reason"),
        [
            (SCARCE, "Too few samples are there."),
            (PROPOSED, "A smaller size would do."),
            (None, "the inventory has not listed it for more than 2 nights."),
        ],
        ids=["scarce", "proposed without an item", "not listed"],
    )
    def test_nights_count_that_were_judged_and_not_days(
        self, nights: tuple[int, ...], is_stale: bool, standing: Standing | None, reason: str
    ) -> None:
        """It was confirmed forty days ago; ``nights`` are days before tonight. A night that did not run says nothing."""
        there = pull("i-1", record={"confirmed_on": DAY - timedelta(days=40)})
        night = tonight(standings={"i-1": standing} if standing else {}, nights=[DAY - timedelta(days=days) for days in nights])
        assert reconciled(night, there) == [Close(there, (f"i-1: {reason}",)) if is_stale else Hold(there)]

    def test_a_verdict_against_it_counts_at_once_whatever_nights_there_were(self) -> None:
        there = pull("i-1")
        assert reconciled(tonight(standings={"i-1": BUSY}, nights=()), there) == [Close(there, ("i-1: Its CPU is busy.",))]

    def test_nights_are_counted_from_the_one_after_a_day_up_to_this_one(self) -> None:
        days = [DAY + timedelta(days=each) for each in (-9, -3, 0, 1, -1)]
        night = tonight(nights=days)
        assert [night.nights_since(DAY + timedelta(days=each)) for each in (-10, -9, -8, -3, -2, -1, 0, 1)] == [
            4, 3, 3, 2, 2, 1, 0, 0,
        ]  # fmt: skip
        assert tonight(nights=()).nights_since(date(2000, 1, 1)) == 0

    def test_one_without_a_record_is_not_stale(self) -> None:
        """Nobody knows when it was confirmed; it is left alone as somebody else's."""
        there = OpenPull(pull("i-1", record={"confirmed_on": DAY - timedelta(days=400)}).seen, None)
        assert reconciled(tonight(standings={"i-1": SCARCE}), there) == [Freeze(there)]

    def test_what_is_proposed_without_an_item_and_held_back_goes(self) -> None:
        there = pull("i-1")
        night = tonight(standings={"i-1": PROPOSED}, held_back={"i-1": "It cannot be edited: no literal."})
        assert reconciled(night, there) == [Close(there, ("i-1: It cannot be edited: no literal.",))]

    def test_a_resource_that_goes_is_said_to_go_once(self) -> None:
        """Not listed for long: it goes, and nothing is undecided about it any more."""
        there = pull("i-1", "i-2", record={"confirmed_on": DAY - timedelta(days=3)})
        (update,) = reconciled(tonight("i-2"), there)
        assert update == Update(there, group("i-2"), ("i-1: the inventory has not listed it for more than 2 nights.",))

    @pytest.mark.parametrize("standings", [{}, {"i-1": BUSY}, {"i-1": PROPOSED}], ids=["silent", "busy", "proposed"])
    def test_about_what_is_untouchable_nothing_is_decided(self, standings: dict[str, Standing]) -> None:
        alone, together = pull("i-1"), pull("i-1", "i-2")
        night = {"standings": standings, "untouchable": frozenset(("i-1",))}
        assert reconciled(tonight(**night), alone) == [Hold(alone)]
        assert reconciled(tonight("i-2", **night), together) == [Hold(together)]
        touched = pull("i-1", head_sha=THEIRS)
        assert reconciled(tonight(**night), touched) == [Hold(touched)]

    @pytest.mark.parametrize(
        ("now", "words"),
        [
            ({"team": "search"}, "envs/prod, search, low risk"),
            ({"root": "envs/eu"}, "envs/eu, payments, low risk"),
            ({"risk": "high"}, "envs/prod, payments, high risk"),
        ],
        ids=["team", "root", "risk"],
    )
    def test_what_belongs_to_another_group_moves_there(self, now: dict[str, Any], words: str) -> None:
        there = pull("i-1")
        assert reconciled(tonight(located("i-1", **now)), there) == [
            Close(there, (f"i-1: it belongs to another group now ({words}).",)), Create(group(located("i-1", **now))),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("then", "now", "stays"),
        [
            ("high", "high", True), ("high", "medium", True), ("high", "low", True), ("medium", "low", True),
            ("low", "medium", False), ("low", "high", False), ("medium", "high", False),
        ],
    )  # fmt: skip
    def test_a_risk_that_falls_stays_and_one_that_rises_moves(self, then: str, now: str, stays: bool) -> None:
        there = pull(located("i-1", risk=then))
        actions = reconciled(tonight(located("i-1", risk=now)), there)
        assert [type(action) for action in actions] == ([Confirm] if stays else [Close, Create])
        if stays:
            assert isinstance(actions[0], Confirm) and actions[0].group.key.risk == then

    def test_a_group_of_fallen_risk_may_be_opened_beside_it(self) -> None:
        night = tonight(located("i-1", risk="low"), located("i-2", risk="low"))
        confirm, create = reconciled(night, pull(located("i-1", risk="medium")))
        assert isinstance(confirm, Confirm) and confirm.group.resource_ids == ("i-1",)
        assert isinstance(create, Create) and (create.group.key.risk, create.group.resource_ids) == ("low", ("i-2",))

    def test_how_the_repository_is_written_does_not_move_it(self) -> None:
        """Its digest and its branch are the same; closing it and opening it anew would lose its review."""
        night = tonight("i-1")
        written = replace(night, items=[(replace(key, repository="Acme/Infra"), item) for key, item in night.items])
        assert [type(action) for action in reconciled(written, pull("i-1"))] == [Confirm]

    @pytest.mark.parametrize(
        "record",
        [{"state": pulls.OPENING}, {"pending_sha": OURS}, {"head_sha": None, "pending_sha": OURS, "state": pulls.OPENING}],
        ids=["opening", "pending", "both"],
    )
    def test_what_was_cut_off_is_done_again(self, record: dict[str, Any]) -> None:
        there = pull("i-1", record=record)
        assert reconciled(tonight("i-1"), there) == [Update(there, group("i-1"))]

    @pytest.mark.parametrize(("noted", "said"), [("i-1: it is busy.", "i-1: it is busy."), (None, "It is no longer proposed.")])
    def test_a_closing_that_was_cut_off_is_finished_with_its_reason(self, noted: str | None, said: str) -> None:
        there = pull("i-1", record={"state": pulls.CLOSING, "reason": noted})
        closing, create = reconciled(tonight("i-1"), there)
        assert closing == Close(there, (said,))
        assert create == Create(group("i-1"))


class TestWhatPeopleTouched:
    @pytest.mark.parametrize(
        ("record", "seen", "is_touched"),
        [
            ({}, {}, False),
            ({"head_sha": THEIRS, "pending_sha": OURS}, {}, False),
            ({"head_sha": None, "pending_sha": OURS}, {}, False),
            ({}, {"head_sha": THEIRS}, True),
            ({"head_sha": None, "pending_sha": None}, {}, True),
            ({}, {"base": "release"}, True),
            ({"state": pulls.CLOSING}, {"head_sha": THEIRS}, True),
            ({"state": pulls.OPENING}, {"head_sha": THEIRS}, True),
        ],
        ids=["ours", "moved", "pushed", "theirs", "unknown", "base", "closing", "opening"],
    )
    def test_a_commit_that_is_not_ours_or_another_base_freezes(
        self, record: dict[str, Any], seen: dict[str, Any], is_touched: bool
    ) -> None:
        there = pull("i-1", record=record, **seen)
        assert there.is_touched("main") is is_touched
        first = reconciled(tonight(standings={"i-1": BUSY}), there)[0]
        assert (first == Freeze(there, ("i-1: Its CPU is busy.",))) is is_touched

    def test_a_frozen_one_keeps_its_resources_and_its_group(self) -> None:
        there = pull("i-1", head_sha=THEIRS)
        freeze, wait = reconciled(tonight("i-1", "i-2"), there)
        assert freeze == Freeze(there)
        assert isinstance(wait, Wait) and (wait.why, wait.items[0].resource_ids) == (GROUP_OPEN, ("i-2",))

    def test_one_without_a_record_is_believed_by_its_body_and_left_alone(self) -> None:
        there = OpenPull(pull("i-1").seen, None)
        assert reconciled(tonight("i-1"), there) == [Freeze(there)]
        unreadable = OpenPull(replace(there.seen, body="words"), None)
        (freeze, wait) = reconciled(tonight("i-1"), unreadable)
        assert freeze == Freeze(unreadable)
        assert isinstance(wait, Wait) and wait.why == GROUP_OPEN

    @pytest.mark.parametrize(
        ("sha", "seen", "kind"),
        [
            (THEIRS, {"head_sha": THEIRS}, Update),
            (THEIRS[:7], {"head_sha": THEIRS}, Update),
            (OURS[:7], {"head_sha": THEIRS}, Freeze),
            (THEIRS[:7] + "0", {"head_sha": THEIRS}, Freeze),
            ("", {"head_sha": THEIRS}, Freeze),
            (THEIRS[:7], {"head_sha": THEIRS, "base": "release"}, Freeze),
            ("", {}, Update),
            (OURS[:7], {}, Update),
            (THEIRS[:7], {}, Update),
        ],
    )
    def test_a_rebuild_replaces_the_commit_that_it_names_and_no_other(
        self, sha: str, seen: dict[str, Any], kind: type[Action]
    ) -> None:
        there = pull("i-1", **seen)
        (action,) = reconciled(tonight("i-1", rebuilds={1: sha}), there)
        assert type(action) is kind
        # That of another pull request is not this one's.
        (action,) = reconciled(tonight("i-1", rebuilds={2: sha}), there)
        assert type(action) is (Freeze if seen else Confirm)

    def test_a_rebuild_of_one_without_a_record_is_not_done(self) -> None:
        there = OpenPull(pull("i-1", head_sha=THEIRS).seen, None)
        assert reconciled(tonight("i-1", rebuilds={1: THEIRS}), there) == [Freeze(there)]

    def test_a_rebuild_of_what_is_gone_closes_it(self) -> None:
        there = pull("i-1", head_sha=THEIRS)
        night = tonight(standings={"i-1": BUSY}, rebuilds={1: THEIRS[:9]})
        assert reconciled(night, there) == [Close(there, ("i-1: Its CPU is busy.",))]

    def test_a_resource_of_two_open_ones_stays_in_one(self) -> None:
        """Its risk rose and fell, and somebody opened the first one again meanwhile."""
        low, medium = pull(located("i-1", risk="low"), number=1), pull(located("i-1", risk="medium"), number=2)
        actions = reconciled(tonight(located("i-1", risk="low")), low, medium)
        assert sum("i-1" in held_by(action) for action in actions) == 1
        # The first one keeps it.
        assert [type(action) for action in actions] == [Close, Confirm]
        assert actions[0] == Close(medium, ("i-1: another pull request holds one of its resources.",))

    def test_a_frozen_one_is_not_told_that_another_one_holds_its_resource(self) -> None:
        """Only the evidence counts there: that another one has it is no reason not to merge it."""
        low = pull(located("i-1", risk="low"), number=1)
        frozen = pull(located("i-1", risk="medium"), number=2, head_sha=THEIRS)
        actions = reconciled(tonight(located("i-1", risk="low")), low, frozen)
        assert actions == [Freeze(frozen), Confirm(low, group(located("i-1", risk="low")))]

    def test_of_two_open_ones_the_second_keeps_what_is_its_own(self) -> None:
        low = pull(located("i-1", risk="low"), number=1)
        medium = pull(located("i-1", risk="medium"), located("i-2", risk="medium"), number=2)
        night = tonight(located("i-1", risk="low"), located("i-2", risk="medium"))
        update, confirm = reconciled(night, medium, low)
        assert isinstance(update, Update) and update.pull == medium and update.group.resource_ids == ("i-2",)
        assert update.dropped == ("i-1: another pull request holds one of its resources.",)
        assert confirm == Confirm(low, group(located("i-1", risk="low")))

    def test_a_literal_that_took_in_a_resource_of_another_one_is_in_one_of_them(self) -> None:
        """Somebody has made one literal of two, and pushed to the branch of the one that moved."""
        mine, frozen = pull("i-1", number=1), pull(located("i-2", team="search"), number=2, head_sha=THEIRS)
        shared = [located("i-1", at=100), located("i-2", at=100)]
        for pair in ((mine, frozen), (frozen, mine)):
            actions = reconciled(tonight(*shared), *pair)
            assert Freeze(frozen, ("i-2: it belongs to another group now (envs/prod, payments, low risk).",)) in actions
            assert [sum(name in held_by(action) for action in actions) for name in ("i-1", "i-2")] in ([0, 1], [1, 1])


def test_what_is_closed_comes_first_and_what_waits_last() -> None:
    night = tonight(
        "i-2", located("i-3", team="c", evidence=MOVED), located("i-4", team="d"), located("i-6", team="f"),
        located("i-7", team="g", expected_usd_month=1.0),
        standings={"i-1": BUSY, "i-5": SPENT},
    )  # fmt: skip
    there = [
        pull(located("i-5", team="e"), number=1),
        pull(located("i-4", team="d"), number=2),
        pull("i-2", number=3, head_sha=THEIRS),
        pull(located("i-3", team="c"), number=4),
        pull(located("i-1", team="a"), number=5),
    ]
    record = begun(group(located("i-8", team="h")))
    actions = reconciled(night, *there, records=[record], max_new=1)
    assert [type(action) for action in actions] == [Close, Abandon, Freeze, Update, Confirm, Hold, Create, Wait]


# Any night.

NAMES = tuple(f"i-{number}" for number in range(6))
quickly = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class AnyNight:
    night: Tonight
    open_pulls: list[OpenPull] = field(default_factory=list)
    begun: list[PullRecord] = field(default_factory=list)
    limits: Limits = LIMITS

    @property
    def records(self) -> list[PullRecord]:
        return [each.record for each in self.open_pulls if each.record] + self.begun

    def actions(self) -> list[Action]:
        return reconcile(self.night, self.open_pulls, self.records, self.limits)


def held_by(action: Action) -> tuple[str, ...]:
    """Resources of a pull request that is open after an action."""
    if isinstance(action, Create | Update | Confirm):
        return action.group.resource_ids
    if isinstance(action, Freeze | Hold):
        return action.pull.payload.resource_ids if action.pull.payload else ()
    return ()


@st.composite
def any_nights(draw: st.DrawFn, *, is_limited: bool = True) -> AnyNight:
    """Resources in literals, some proposed and some in pull requests; no resource is in two of these."""
    literal = {name: draw(st.integers(0, 4)) for name in NAMES}
    root = {number: draw(st.sampled_from(["envs/prod", "envs/dev"])) for number in range(5)}
    after = {number: draw(st.sampled_from(["m5.xlarge", "m5.large"])) for number in range(5)}
    team, risk = (
        {name: draw(st.sampled_from(values)) for name in NAMES} for values in (("payments", "search"), ("low", "medium", "high"))
    )

    def place(name: str, **changes: Any) -> tuple[Change, Place]:
        at = literal[name]
        usd = draw(st.sampled_from([10.0, 20.0]))
        made = {"team": team[name], "risk": risk[name], "after": after[at], "expected_usd_month": usd, **changes}
        return located(name, at=at, root=root[at], file=f"{root[at]}/{at % 2}.tf", **made)

    proposed = draw(st.sets(st.sampled_from(NAMES)))
    found = items_of([place(name) for name in sorted(proposed)])
    blobs = {item.file: draw(st.sampled_from(["1" * 40, "2" * 40])) for _, item in found}
    standing = st.sampled_from([BUSY, SCARCE, SPENT, PROPOSED])
    night = Tonight(
        DAY,
        "main",
        found,
        {name: draw(standing) for name in draw(st.sets(st.sampled_from(NAMES)))},
        dict.fromkeys(draw(st.sets(st.sampled_from(NAMES), max_size=2)) - proposed, "It was rejected."),
        blobs,
        {number: draw(st.sampled_from(["", OURS[:7], THEIRS[:7]])) for number in draw(st.sets(st.integers(1, 4), max_size=2))},
        frozenset(draw(st.sets(st.sampled_from(NAMES), max_size=2)) - proposed),
        sorted({DAY, *draw(st.sets(st.sampled_from(EVERY_NIGHT[:6])))}),
    )
    of_pull = {name: draw(st.integers(0, 5)) for name in NAMES}
    digests: set[str] = set()
    made = AnyNight(night)
    for number in range(1, 5):
        mine = [place(name, evidence=draw(st.sampled_from([EVIDENCE, MOVED]))) for name in NAMES if of_pull[name] == number]
        if not mine:
            continue
        key = GroupKey(
            "acme/infra", "main", draw(st.sampled_from(["envs/prod", "envs/dev"])), "",
            draw(st.sampled_from(["payments", "search", "payments+search"])), draw(st.sampled_from(["low", "medium", "high"])),
        )  # fmt: skip
        if key.digest in digests:
            continue
        digests.add(key.digest)
        wanted = Group(key, tuple(item for _, item in items_of(mine)))
        payload = payload_of(wanted, "0" * 40, {item.file: "1" * 40 for item in wanted.items})
        record = {
            "state": draw(st.sampled_from(pulls.PENDING)),
            "pending_sha": draw(st.sampled_from([None, None, OURS])),
            "confirmed_on": DAY - timedelta(days=draw(st.integers(0, 4))),
        }
        seen = {
            "head_sha": draw(st.sampled_from([OURS, OURS, THEIRS])),
            "base": draw(st.sampled_from(["main"] * 3 + ["release"])),
        }
        what = draw(st.sampled_from(["open", "open", "open", "lost", "begun"]))
        if what == "begun":
            made.begun.append(begun(wanted, number))
        else:
            there = opened(payload, number, record, **seen)
            made.open_pulls.append(there if what == "open" else OpenPull(there.seen, None))
    if is_limited:
        made.limits = Limits(*(draw(st.integers(low, 4)) for low in (1, 0, 0, 0)))
    return made


@quickly
@given(any_nights())
def test_each_open_one_has_one_action_and_each_resource_one_place(world: AnyNight) -> None:
    actions = world.actions()
    touched = [action.pull for action in actions if isinstance(action, Freeze | Close | Update | Confirm | Hold)]
    assert sorted(each.seen.number for each in touched) == sorted(each.seen.number for each in world.open_pulls)
    digests = [action.group.key.digest for action in actions if isinstance(action, Create | Update)]
    assert len(digests) == len(set(digests))
    held = [name for action in actions for name in held_by(action)]
    assert len(held) == len(set(held))
    for action in actions:
        if isinstance(action, Update | Confirm):
            assert action.group.key.digest == action.pull.seen.digest


@quickly
@given(any_nights())
def test_limits_hold_and_no_item_is_forgotten(world: AnyNight) -> None:
    actions = world.actions()
    creates = [action for action in actions if isinstance(action, Create)]
    still_open = len(world.open_pulls) - sum(isinstance(action, Close) for action in actions)
    assert not creates or still_open + len(creates) <= world.limits.max_open
    assert sum(action.record is None for action in creates) <= world.limits.max_new
    assert all(len(action.group.items) <= world.limits.max_items for action in creates)
    held = {name for action in actions for name in held_by(action)}
    waiting = [item for action in actions if isinstance(action, Wait) for item in action.items]
    for _, item in world.night.items:
        assert set(item.resource_ids) <= held or item in waiting
    kinds = [type(action) for action in actions]
    order = [Close, Abandon, Freeze, Update, Confirm, Hold, Create, Wait]
    assert kinds == sorted(kinds, key=order.index)


@quickly
@given(any_nights())
def test_a_night_that_is_not_judged_counts_as_none(world: AnyNight) -> None:
    """Nights before the last confirmation, after tonight, and the order of all of them are nothing either."""
    oldest = min((record.confirmed_on for record in world.records), default=DAY)
    nights = [DAY + timedelta(days=1), *reversed(world.night.nights), *(oldest - timedelta(days=days) for days in range(9))]
    others = replace(world.night, nights=nights)
    assert reconcile(others, world.open_pulls, world.records, world.limits) == world.actions()
    # Where no night has passed nothing is closed for silence.
    silent = [name for name in NAMES if world.night.standings.get(name, PROPOSED).verdict in ("insufficient", "propose")]
    for action in reconcile(replace(world.night, nights=()), world.open_pulls, world.records, world.limits):
        if isinstance(action, Close | Freeze | Update):
            said = action.dropped if isinstance(action, Update) else action.gone if isinstance(action, Freeze) else action.reasons
            words = {reason.partition(": ")[2] for reason in said if reason.partition(": ")[0] in silent}
            assert not words & {SCARCE.sentence, PROPOSED.sentence}
            assert not any("has not listed" in each for each in words)


@quickly
@given(any_nights())
def test_what_is_untouchable_as_a_whole_is_left_as_it_is(world: AnyNight) -> None:
    actions = world.actions()
    for action in actions:
        if isinstance(action, Abandon):
            assert not set(action.record.payload.resource_ids) <= world.night.untouchable
        elif isinstance(action, Freeze | Close | Update | Confirm) and action.pull.payload is not None:
            assert not set(action.pull.payload.resource_ids) <= world.night.untouchable
    # What was begun is finished, waits, is removed, or is untouchable.
    known = {action.group.key.digest for action in actions if isinstance(action, Create)}
    known |= {action.key.digest for action in actions if isinstance(action, Wait)}
    known |= {action.record.digest for action in actions if isinstance(action, Abandon)}
    for record in world.begun:
        assert record.digest in known or set(record.payload.resource_ids) <= world.night.untouchable


@quickly
@given(any_nights(), st.integers())
def test_the_order_of_what_is_given_does_not_count(world: AnyNight, seed: int) -> None:
    generator = random.Random(seed)
    given_items, open_pulls, records = list(world.night.items), list(world.open_pulls), world.records
    for each in (given_items, open_pulls, records):
        generator.shuffle(each)
    shuffled = reconcile(replace(world.night, items=given_items), open_pulls, records, world.limits)
    actions = world.actions()
    assert [each for each in shuffled if not isinstance(each, Wait)] == [each for each in actions if not isinstance(each, Wait)]
    assert {each for each in shuffled if isinstance(each, Wait)} == {each for each in actions if isinstance(each, Wait)}


def after(world: AnyNight, actions: Sequence[Action]) -> AnyNight:
    """What a night leaves that did all of its actions."""
    left = AnyNight(world.night, [], [], world.limits)
    rebuilds = dict(world.night.rebuilds)
    for number, action in enumerate(actions, start=100):
        if isinstance(action, Create | Update):
            files = {item.file: world.night.blobs[item.file] for item in action.group.items}
            payload = payload_of(action.group, "0" * 40, files)
            made = opened(payload, number if isinstance(action, Create) else action.pull.seen.number, {"confirmed_on": DAY})
            left.open_pulls.append(made)
            rebuilds.pop(made.seen.number, None)
        elif isinstance(action, Confirm) and action.pull.record is not None:
            left.open_pulls.append(replace(action.pull, record=replace(action.pull.record, confirmed_on=DAY)))
        elif isinstance(action, Freeze | Hold | Confirm):
            left.open_pulls.append(action.pull)
    wanted = {action.group.key.digest for action in actions if isinstance(action, Create)}
    gone = {action.record.digest for action in actions if isinstance(action, Abandon)}
    left.begun = [record for record in world.begun if record.digest not in wanted | gone]
    left.night = replace(world.night, rebuilds=rebuilds)
    return left


@quickly
@given(any_nights(is_limited=False))
def test_the_same_night_again_writes_nothing(world: AnyNight) -> None:
    actions = world.actions()
    again = after(world, actions).actions()
    assert {type(action) for action in again} <= {Freeze, Confirm, Hold, Wait}
    frozen = [[action for action in each if isinstance(action, Freeze)] for each in (actions, again)]
    # What a person holds is told the same again; it may be another reason only where tonight's groups are others now.
    assert frozen[0] == frozen[1]


@quickly
@given(any_nights())
def test_a_limited_night_leads_to_rest_too(world: AnyNight) -> None:
    """Where only so many may be opened in a night, the following ones open the rest, and then nothing is left to do."""
    world.limits = replace(world.limits, max_new=max(1, world.limits.max_new))
    for _ in range(len(NAMES) + 1):
        world = after(world, world.actions())
    assert {type(action) for action in world.actions()} <= {Freeze, Confirm, Hold, Wait}
