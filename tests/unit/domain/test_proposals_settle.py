"""What pull requests have become by what GitHub says of them, who is heard in comments, and what a merge has come to."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.proposals import pulls
from dagster_project.domain.proposals.memory import Answer
from dagster_project.domain.proposals.model import Evidence, GroupKey
from dagster_project.domain.proposals.payload import Payload, Remembered, to_comment
from dagster_project.domain.proposals.pulls import PullRecord, SeenPull
from dagster_project.domain.proposals.settle import (
    CLOSING_MARK,
    Comment,
    Fate,
    Outcome,
    Rebuild,
    Reply,
    Settled,
    merged_outcome,
    settle_comments,
    settle_pulls,
)

ME = "nightshift-bot"
RESOURCES = frozenset(("i-1", "i-2", "i-5", "i-6", "i-77"))
DAY = date(2025, 3, 10)
CLOSED_AT = datetime(2025, 3, 10, 9, 30, 15, tzinfo=UTC)
KEY = GroupKey("acme/infra", "main", "envs/prod", "", "payments", "low")
EVIDENCE = Evidence("f" * 16, "propose_smaller_size", (1.0,), 0, 0)
quickly = settings(deadline=None, max_examples=60)


def remembered(name: str, **changes: Any) -> Remembered:
    made = Remembered(name, "instance_type", "m5.2xlarge", "m5.xlarge", 140.0, "envs/prod/a.tf", 2, EVIDENCE)
    return replace(made, **changes)


PAYLOAD = Payload(KEY, "a" * 40, (), (remembered("i-1"), remembered("i-2")))
OPEN = SeenPull(
    number=7, digest=KEY.digest, branch=KEY.branch, base="main", head_sha="c" * 40, is_open=True, title="t", body="words",
    url="https://github.example/7",
)  # fmt: skip
BY_ALICE = replace(OPEN, is_open=False, closed_at=CLOSED_AT, closed_by="alice")
BY_US = replace(BY_ALICE, closed_by=ME)
BY_A_BOT = replace(BY_ALICE, closed_by="stale[bot]")
MERGED = replace(OPEN, is_open=False, closed_at=CLOSED_AT, merged_at=CLOSED_AT, merged_by="alice", merge_sha="d" * 40)
RECORD = PullRecord(
    id=1, repository="acme/infra", digest=KEY.digest, branch=KEY.branch, state=pulls.OPEN, payload=PAYLOAD, opened_on=DAY,
    confirmed_on=DAY, number=7, head_sha="c" * 40, reason="noted before",
)  # fmt: skip
KEPT = to_comment(PAYLOAD)
SECOND = timedelta(seconds=1)
# Clocks of ours and of GitHub's may differ by so much.
LATER = timedelta(minutes=10) + SECOND
OF_7 = [("i-1", "acme/infra#7:closed "), ("i-2", "acme/infra#7:closed ")]


def settle(records: Sequence[PullRecord], seen: Sequence[SeenPull], *, marked: bool = False) -> Settled:
    return settle_pulls("acme/infra", records, seen, ME, lambda pull: marked)


def fate(state: str, reason: str | None = None, record: PullRecord = RECORD, **changes: Any) -> Fate:
    return replace(Fate(record, state, 7, "https://github.example/7", None, reason), **changes)


class TestPullRequests:
    @pytest.mark.parametrize("state", [pulls.OPENING, pulls.OPEN, pulls.CLOSING])
    def test_one_that_is_open_stays_what_it_was(self, state: str) -> None:
        assert settle([replace(RECORD, state=state)], [OPEN]) == Settled()

    @pytest.mark.parametrize("state", [pulls.OPENING, pulls.OPEN, pulls.CLOSING])
    def test_a_merge_is_followed(self, state: str) -> None:
        record = replace(RECORD, state=state)
        expected = fate(pulls.MERGED, "merged by alice", record, merged_at=CLOSED_AT, merge_sha="d" * 40)
        assert settle([record], [MERGED]) == Settled(fates=[expected])

    def test_a_merge_by_somebody_who_is_gone_is_followed_too(self) -> None:
        (found,) = settle([RECORD], [replace(MERGED, merged_by=None)]).fates
        assert found.reason == "merged by somebody"

    @pytest.mark.parametrize("state", [pulls.OPENING, pulls.OPEN, pulls.CLOSING])
    @pytest.mark.parametrize("marked", [False, True])
    @pytest.mark.parametrize("pull", [BY_ALICE, BY_US], ids=["by alice", "by us"])
    def test_who_closed_it_and_whether_we_meant_to_decide(self, state: str, marked: bool, pull: SeenPull) -> None:
        record = replace(RECORD, state=state)
        found = settle([record], [pull], marked=marked)
        if pull is BY_US and (marked or state == pulls.CLOSING):
            assert found == Settled(fates=[fate(pulls.CLOSED, "noted before", record)])
            return
        assert found.fates == [fate(pulls.REJECTED, f"closed by {pull.closed_by}", record)]
        assert found.withdrawn == [] and found.unknown == []
        assert found.answers == [
            Answer(
                resource_id=name, kind="rejected", actor=pull.closed_by or "", reason="pull request #7 was closed unmerged",
                source="acme/infra#7:closed 2025-03-10T09:30:15", answered_at=CLOSED_AT, after="m5.xlarge", evidence=EVIDENCE,
            )
            for name in ("i-1", "i-2")
        ]  # fmt: skip

    def test_the_mark_is_looked_for_only_where_it_decides(self) -> None:
        asked: list[int] = []

        def has_mark(pull: SeenPull) -> bool:
            asked.append(pull.number)
            return False

        seen = [replace(pull, number=number) for number, pull in enumerate((OPEN, MERGED, BY_ALICE, BY_US, BY_US), start=1)]
        records = [replace(RECORD, id=number, number=number) for number in range(1, 5)]
        others = [
            replace(RECORD, id=5, number=5, state=pulls.CLOSING),
            # Those that we closed, and nobody has touched since.
            replace(RECORD, id=6, number=6, state=pulls.CLOSED, closed_at=CLOSED_AT),
        ]
        seen.append(replace(BY_US, number=6))
        settle_pulls("acme/infra", [*records, *others], seen, ME, has_mark)
        assert asked == [4]

    def test_the_mark_is_the_beginning_of_what_is_said_for_whatever_reasons(self) -> None:
        assert CLOSING_MARK == "<!-- nightshift:closing"

    def test_one_that_nobody_closed_is_a_rejection_by_somebody(self) -> None:
        """GitHub forgets people whose accounts are gone, and old pull requests have no moment."""
        found = settle([RECORD], [replace(BY_ALICE, closed_by=None, closed_at=None)])
        assert (found.answers[0].actor, found.answers[0].answered_at.year) == ("somebody", 1970)
        assert (found.answers[0].kind, found.answers[0].until) == ("rejected", None)
        assert found.fates[0].reason == "closed by somebody"

    @pytest.mark.parametrize(
        ("closed_at", "until"),
        [
            (CLOSED_AT, date(2025, 4, 9)),
            (datetime(2025, 3, 10, 23, 59, 59, tzinfo=UTC), date(2025, 4, 9)),
            (datetime(2025, 3, 11, tzinfo=UTC), date(2025, 4, 10)),
            (None, date(1970, 1, 31)),
        ],
    )
    def test_a_bot_that_tidies_up_decides_for_a_month(self, closed_at: datetime | None, until: date) -> None:
        """It is no person's answer, and it would close the next one too."""
        found = settle([RECORD], [replace(BY_A_BOT, closed_at=closed_at)])
        assert [(each.resource_id, each.kind, each.until, each.actor) for each in found.answers] == [
            (name, "snoozed", until, "stale[bot]") for name in ("i-1", "i-2")
        ]
        assert found.fates == [fate(pulls.REJECTED, "closed by stale[bot]")]
        # What takes it back is the same as with a person.
        assert all(each.source.startswith("acme/infra#7:closed ") for each in found.answers)

    @pytest.mark.parametrize("login", ["bot", "robot", "[bot]alice", "stale[bot]x"])
    def test_who_is_only_called_like_a_bot_is_a_person(self, login: str) -> None:
        (first, _) = settle([RECORD], [replace(BY_ALICE, closed_by=login)]).answers
        assert (first.kind, first.until) == ("rejected", None)

    @pytest.mark.parametrize("state", [pulls.OPEN, pulls.CLOSING])
    def test_where_we_are_a_bot_a_closing_of_ours_is_still_ours(self, state: str) -> None:
        record, pull = replace(RECORD, state=state), BY_A_BOT
        found = settle_pulls("acme/infra", [record], [pull], "stale[bot]", lambda pull: True)
        assert found == Settled(fates=[fate(pulls.CLOSED, "noted before", record)])

    @pytest.mark.parametrize("state", [pulls.REJECTED, pulls.CLOSED])
    def test_one_that_is_open_again_goes_on_and_takes_its_rejection_back(self, state: str) -> None:
        # However long ago we closed it: clocks do not count where it is open.
        for closed_at in (None, CLOSED_AT - LATER, CLOSED_AT):
            record = replace(RECORD, state=state, closed_at=closed_at)
            assert settle([record], [OPEN]) == Settled(fates=[fate(pulls.OPEN, "", record)], withdrawn=OF_7)

    def test_what_is_withdrawn_begins_what_was_answered(self) -> None:
        ((name, source), _) = settle([replace(RECORD, state=pulls.REJECTED)], [OPEN]).withdrawn
        answers = settle([RECORD], [BY_ALICE]).answers
        assert answers[0].resource_id == name and answers[0].source.startswith(source)
        # Another pull request's answers begin otherwise.
        assert not settle([replace(RECORD, number=77)], [replace(BY_ALICE, number=77)]).answers[0].source.startswith(source)

    def test_closing_again_is_another_answer(self) -> None:
        later = replace(BY_ALICE, closed_at=CLOSED_AT + timedelta(seconds=1))
        sources = [settle([RECORD], [pull]).answers[0].source for pull in (BY_ALICE, later)]
        assert sources == ["acme/infra#7:closed 2025-03-10T09:30:15", "acme/infra#7:closed 2025-03-10T09:30:16"]

    @pytest.mark.parametrize("state", [pulls.MERGED, pulls.APPLIED, pulls.REVERTED])
    @pytest.mark.parametrize("pull", [OPEN, BY_ALICE, BY_US, MERGED], ids=["open", "by alice", "by us", "merged"])
    def test_what_was_merged_is_over(self, state: str, pull: SeenPull) -> None:
        assert settle([replace(RECORD, state=state)], [pull]) == Settled()

    @pytest.mark.parametrize(
        ("state", "pull"),
        [(pulls.REJECTED, BY_ALICE), (pulls.REJECTED, BY_A_BOT), (pulls.REJECTED, BY_US), (pulls.CLOSED, BY_US)],
        ids=["rejected, by alice", "rejected, by a bot", "rejected, by us", "closed, by us"],
    )
    @pytest.mark.parametrize("since", [timedelta(0), LATER, timedelta(days=9)], ids=str)
    def test_what_stays_closed_is_said_once(self, state: str, pull: SeenPull, since: timedelta) -> None:
        record = replace(RECORD, state=state, closed_at=CLOSED_AT - since)
        assert settle([record], [pull], marked=True) == Settled()
        assert settle([replace(record, closed_at=None)], [pull], marked=True) == Settled()

    @pytest.mark.parametrize("marked", [False, True])
    @pytest.mark.parametrize("pull", [BY_ALICE, BY_US, BY_A_BOT], ids=["by alice", "by us", "by a bot"])
    def test_a_rejection_is_never_made_another_by_a_further_closing(self, marked: bool, pull: SeenPull) -> None:
        record = replace(RECORD, state=pulls.REJECTED)
        later = replace(pull, closed_at=CLOSED_AT + timedelta(days=3))
        assert settle([record], [later], marked=marked) == Settled()

    @pytest.mark.parametrize("state", [pulls.REJECTED, pulls.CLOSED])
    def test_one_that_was_reopened_and_merged_between_two_nights_is_merged(self, state: str) -> None:
        record = replace(RECORD, state=state)
        expected = fate(pulls.MERGED, "merged by alice", record, merged_at=CLOSED_AT, merge_sha="d" * 40)
        assert settle([record], [MERGED]) == Settled(fates=[expected], withdrawn=OF_7)

    def test_one_of_ours_that_was_reopened_and_closed_by_a_person_between_two_nights_is_rejected(self) -> None:
        found = settle([replace(RECORD, state=pulls.CLOSED)], [BY_ALICE], marked=True)
        assert [each.state for each in found.fates] == [pulls.REJECTED]
        assert [each.resource_id for each in found.answers] == ["i-1", "i-2"]

    @pytest.mark.parametrize(
        ("since", "counts"),
        [
            (-timedelta(days=1), False),
            (timedelta(0), False),
            (timedelta(minutes=10), False),
            (LATER, True),
            (timedelta(days=1), True),
            (None, True),
        ],
        ids=["before", "at once", "ten minutes", "more than ten minutes", "a day", "not known"],
    )
    @pytest.mark.parametrize(
        ("pull", "marked", "becomes"),
        [
            (BY_ALICE, False, pulls.REJECTED),
            (BY_ALICE, True, pulls.REJECTED),
            (BY_A_BOT, False, pulls.REJECTED),
            (BY_US, False, pulls.REJECTED),
            (BY_US, True, None),
            (MERGED, False, pulls.MERGED),
        ],
        ids=["by alice", "by alice, marked", "by a bot", "by us", "by us, marked", "merged"],
    )
    def test_what_we_closed_is_left_alone_until_somebody_does_something_after_that(
        self, since: timedelta | None, counts: bool, pull: SeenPull, marked: bool, becomes: str | None
    ) -> None:
        record = replace(RECORD, state=pulls.CLOSED, closed_at=None if since is None else CLOSED_AT - since)
        found = settle([record], [pull], marked=marked)
        if not counts or becomes is None:
            assert found == Settled()
            return
        assert [each.state for each in found.fates] == [becomes]
        assert len(found.answers) == (2 if becomes == pulls.REJECTED else 0)
        assert found.withdrawn == (OF_7 if becomes == pulls.MERGED else [])

    def test_a_merge_counts_by_its_own_moment(self) -> None:
        pull = replace(MERGED, merged_at=CLOSED_AT + LATER, closed_at=CLOSED_AT)
        record = replace(RECORD, state=pulls.CLOSED, closed_at=CLOSED_AT)
        assert [each.state for each in settle([record], [pull]).fates] == [pulls.MERGED]

    def test_a_closing_without_a_moment_says_nothing_new_of_what_we_closed(self) -> None:
        pull = replace(BY_ALICE, closed_at=None)
        for closed_at in (None, CLOSED_AT):
            assert settle([replace(RECORD, state=pulls.CLOSED, closed_at=closed_at)], [pull]) == Settled()

    @pytest.mark.parametrize("pull", [BY_ALICE, BY_US, MERGED], ids=["by alice", "by us", "merged"])
    @pytest.mark.parametrize("state", [pulls.OPEN, pulls.CLOSING, pulls.REJECTED])
    def test_when_we_closed_it_before_counts_only_where_it_is_closed_by_us(self, pull: SeenPull, state: str) -> None:
        """One that was opened again keeps that moment."""
        record, old = (replace(RECORD, state=state, closed_at=closed_at) for closed_at in (CLOSED_AT, None))
        now, then = settle([record], [pull]), settle([old], [pull])
        assert [replace(each, record=old) for each in now.fates] == then.fates
        assert (now.answers, now.withdrawn) == (then.answers, then.withdrawn)

    @pytest.mark.parametrize("pull", [OPEN, MERGED, BY_ALICE, BY_US], ids=["open", "merged", "by alice", "by us"])
    @pytest.mark.parametrize("state", [*pulls.PENDING, pulls.REJECTED, pulls.CLOSED, None])
    def test_what_speaks_of_another_repository_is_not_believed(self, pull: SeenPull, state: str | None) -> None:
        """A body may be copied from one repository to another, branch and all."""
        key = replace(KEY, repository="acme/other")
        payload = replace(PAYLOAD, key=key)
        pull = replace(pull, digest=key.digest, body=to_comment(payload))
        record = replace(RECORD, digest=key.digest, payload=payload, state=state or pulls.OPEN)
        records = [record] if state else []
        assert settle(records, [pull]) == Settled()
        # In its own repository it would say something, but where it goes on as it is.
        found = settle_pulls("acme/other", records, [pull], ME, lambda pull: False)
        stays = (pull.is_open and state in pulls.PENDING) or (state == pulls.REJECTED and pull.closed_by is not None)
        assert (found == Settled()) is stays

    @pytest.mark.parametrize("name", ["Acme/Infra", "acme/infra", "ACME/INFRA"])
    def test_how_the_repository_is_written_does_not_count(self, name: str) -> None:
        for records in ([RECORD], []):
            found = settle_pulls(name, records, [replace(BY_ALICE, body=KEPT)], ME, lambda pull: False)
            assert [each.resource_id for each in found.answers] == ["i-1", "i-2"]
            assert len(found.fates) + len(found.unknown) == 1

    def test_one_that_was_opened_when_the_run_was_cut_off_is_found_by_its_group(self) -> None:
        record = replace(RECORD, state=pulls.OPENING, number=None)
        assert settle([record], [OPEN]) == Settled(fates=[fate(pulls.OPENING, None, record)])
        # One of several with that branch is enough; the others are no records'.
        others = [replace(OPEN, number=number) for number in (9, 8)]
        assert [(each.number, each.state) for each in settle([record], others).fates] == [(8, pulls.OPENING)]

    def test_one_that_was_opened_when_the_run_was_cut_off_and_closed_since_is_rejected_by_its_body(self) -> None:
        record = replace(RECORD, state=pulls.OPENING, number=None)
        pull = replace(BY_ALICE, body=KEPT)
        found = settle([record], [pull])
        assert (found.fates, found.unknown) == ([], [(pull, pulls.REJECTED)])
        assert [each.resource_id for each in found.answers] == ["i-1", "i-2"]

    @pytest.mark.parametrize(
        ("pull", "marked", "state", "answers"),
        [
            (OPEN, False, pulls.OPEN, 0),
            (MERGED, False, pulls.MERGED, 0),
            (BY_ALICE, False, pulls.REJECTED, 2),
            (BY_ALICE, True, pulls.REJECTED, 2),
            (BY_US, False, pulls.REJECTED, 2),
            (BY_US, True, pulls.CLOSED, 0),
            (BY_A_BOT, False, pulls.REJECTED, 2),
        ],
        ids=["open", "merged", "by alice", "by alice, marked", "by us", "by us, marked", "by a bot"],
    )
    def test_one_that_no_record_knows_is_what_its_body_says(self, pull: SeenPull, marked: bool, state: str, answers: int) -> None:
        pull = replace(pull, body=f"words\n\n{KEPT}\n")
        found = settle([], [pull], marked=marked)
        assert (found.unknown, found.fates, found.withdrawn, len(found.answers)) == ([(pull, state)], [], [], answers)

    @pytest.mark.parametrize("pull", [OPEN, MERGED, BY_ALICE, BY_US], ids=["open", "merged", "by alice", "by us"])
    @pytest.mark.parametrize(
        "body", ["", "words", KEPT[:40] + " -->", to_comment(replace(PAYLOAD, key=replace(KEY, risk="high")))]
    )
    def test_one_that_no_record_knows_and_whose_body_does_not_fit_its_branch_is_nobodys(self, pull: SeenPull, body: str) -> None:
        assert settle([], [replace(pull, body=body)]) == Settled()

    @pytest.mark.parametrize("pull", [OPEN, MERGED, BY_ALICE], ids=["open", "merged", "by alice"])
    def test_one_whose_branch_does_not_fit_its_record_is_left_alone(self, pull: SeenPull) -> None:
        assert settle([RECORD], [replace(pull, digest="0" * 12)]) == Settled()

    def test_a_record_is_believed_before_a_body(self) -> None:
        body = to_comment(replace(PAYLOAD, resources=(remembered("i-9"),)))
        assert [each.resource_id for each in settle([RECORD], [replace(BY_ALICE, body=body)]).answers] == ["i-1", "i-2"]

    @quickly
    @given(
        worlds=st.lists(
            st.tuples(
                st.sampled_from([*pulls.PENDING, pulls.CLOSED, pulls.REJECTED, pulls.MERGED, None]),
                st.sampled_from([OPEN, MERGED, BY_ALICE, BY_US, BY_A_BOT]),
                st.sampled_from([None, CLOSED_AT, CLOSED_AT - LATER]),
                st.booleans(),
            ),
            max_size=6,
        ),
        seed=st.integers(),
    )
    def test_the_order_does_not_count_and_following_a_fate_settles_it(
        self, worlds: list[tuple[str | None, SeenPull, datetime | None, bool]], seed: int
    ) -> None:
        numbered = list(enumerate(worlds, start=1))
        seen = [replace(pull, number=number, body=KEPT) for number, (_, pull, _, _) in numbered]
        records = [
            replace(RECORD, id=number, number=number, state=state, closed_at=closed_at)
            for number, (state, _, closed_at, _) in numbered
            if state
        ]
        # What we note that we close we have marked before it is closed.
        marked = {number for number, (state, _, _, is_marked) in numbered if is_marked or state == pulls.CLOSING}

        def settled(records: Sequence[PullRecord], seen: Sequence[SeenPull]) -> Settled:
            return settle_pulls("acme/infra", records, seen, ME, lambda pull: pull.number in marked)

        found = settled(records, seen)
        shuffled = list(records), list(seen)
        for each in shuffled:
            random.Random(seed).shuffle(each)
        assert settled(*shuffled) == found
        new = {each.record.id: replace(each.record, state=each.state) for each in found.fates}
        adopted = [replace(RECORD, id=pull.number, number=pull.number, state=state) for pull, state in found.unknown]
        assert settled([*(new.get(each.id, each) for each in records), *adopted], seen) == Settled()
        # Each of them becomes one thing at most.
        assert len(found.fates) == len({each.record.id for each in found.fates})


def comment(text: str, identifier: int = 1, number: int = 7, author: str = "alice", edited_at: datetime = CLOSED_AT) -> Comment:
    return Comment(identifier, number, author, text, CLOSED_AT, edited_at)


EDITED_AT = datetime(2025, 3, 14, 8, 0, 1, tzinfo=UTC)


def heard(
    *comments: Comment,
    known: Mapping[str, Sequence[Answer]] | None = None,
    writers: Iterable[str] = ("alice", "bob"),
    dashboard: int | None = 2,
) -> Settled:
    return settle_comments(
        comments,
        {7: PAYLOAD},
        dashboard,
        known or {},
        lambda login: login in writers,
        "acme/infra",
        is_resource=RESOURCES.__contains__,
    )


STANDING = Answer("i-5", "snoozed", "carol", "", "acme/infra#2:0", CLOSED_AT, DAY)


class TestComments:
    def test_a_rejection_of_all_is_one_of_each(self) -> None:
        found = heard(comment("/nightshift reject all not now", 31))
        assert found.answers == [
            Answer(name, "rejected", "alice", "not now", "acme/infra#7:31/0", CLOSED_AT, None, "m5.xlarge", EVIDENCE)
            for name in ("i-1", "i-2")
        ]
        said = "Rejected: 2 resources. `/nightshift unreject RESOURCE` takes it back."
        assert found.replies == [Reply("31", 7, "alice", said, is_heard=True)]

    @pytest.mark.parametrize(
        ("text", "until", "names", "said"),
        [
            ("/nightshift snooze 3d later", date(2025, 3, 13), ["i-1", "i-2"], "Snoozed until 2025-03-13: 2 resources."),
            ("/nightshift snooze i-2 2w", date(2025, 3, 24), ["i-2"], "Snoozed until 2025-03-24: 1 resource."),
        ],
    )
    def test_a_snooze_counts_from_the_day_of_the_comment(self, text: str, until: date, names: list[str], said: str) -> None:
        found = heard(comment(text))
        assert [(each.resource_id, each.kind, each.until, each.after) for each in found.answers] == [
            (name, "snoozed", until, "m5.xlarge") for name in names
        ]
        assert [each.text for each in found.replies] == [said]

    def test_on_the_dashboard_any_resource_may_be_named(self) -> None:
        found = heard(comment("/nightshift reject i-77 gone soon", number=2))
        assert found.answers == [Answer("i-77", "rejected", "alice", "gone soon", "acme/infra#2:1/0", CLOSED_AT)]
        assert found.replies[0].text.startswith("Rejected: 1 resource.")

    @pytest.mark.parametrize("text", ["thanks", "", "> /nightshift reject all no", "see /nightshift"])
    def test_who_asks_for_nothing_is_not_answered(self, text: str) -> None:
        assert heard(comment(text), comment(text, author="mallory")) == Settled()

    def test_comments_of_other_issues_are_not_read(self) -> None:
        asks = comment("/nightshift reject i-1 no", number=99)
        assert heard(asks) == Settled()
        assert heard(replace(asks, number=2), dashboard=None) == Settled()

    def test_only_people_who_may_write_are_heard_and_only_those_who_ask_are_looked_up(self) -> None:
        asked: list[str] = []

        def may_write(login: str) -> bool:
            asked.append(login)
            return False

        texts = ["hello", "/nightshift reject all no\n/nightshift rebuild"]
        comments = [comment(text, number, author=f"m{number}") for number, text in enumerate(texts)]
        found = settle_comments(comments, {7: PAYLOAD}, 2, {}, may_write, "acme/infra", is_resource=RESOURCES.__contains__)
        assert asked == ["m1"]
        told = "Only people who may write to this repository are heard; nothing was changed."
        assert found == Settled(replies=[Reply("1", 7, "m1", told, is_heard=False)])

    def test_several_commands_of_a_comment_are_followed_in_order_and_answered_once(self) -> None:
        found = heard(
            comment("/nightshift reject i-1 a spare\n/nightshift dance\n/nightshift snooze i-2 1d\n/nightshift rebuild")
        )
        assert [(each.resource_id, each.kind, each.source) for each in found.answers] == [
            ("i-1", "rejected", "acme/infra#7:1/0"), ("i-2", "snoozed", "acme/infra#7:1/2"),
        ]  # fmt: skip
        (reply,) = found.replies
        parts = ("Rejected: 1 resource.", "That is none of", "Snoozed until 2025-03-11: 1 resource.", "It is made anew")
        places = [reply.text.index(part) for part in parts]
        assert places == sorted(places)
        assert found.rebuilds == [Rebuild(7, "")]

    def test_a_rebuild_names_the_commit_that_may_go(self) -> None:
        found = heard(comment("/nightshift rebuild 1A2B3C4", 1), comment("/nightshift rebuild", 2))
        assert found.rebuilds == [Rebuild(7, "1a2b3c4"), Rebuild(7, "")]
        assert found.replies[0].text == ("It is made anew on the present base if 1a2b3c4 is still the last commit of its branch.")
        assert "Commits of other people stay" in found.replies[1].text

    def test_unreject_takes_back_what_stands(self) -> None:
        found = heard(comment("/nightshift unreject i-5"), known={"i-5": (STANDING,)})
        assert found.withdrawn == [("i-5", "")]
        assert found.replies[0].text == "It may be proposed again; before, it was snoozed by carol."

    @pytest.mark.parametrize("name", ["i-6", "I-5", "all"])
    def test_unreject_of_nothing_changes_nothing(self, name: str) -> None:
        found = heard(comment(f"/nightshift unreject {name}"), known={"i-5": (STANDING,)})
        said = "Nothing is rejected or snoozed under that name; the dashboard lists the names."
        assert found == Settled(replies=[Reply("1", 7, "alice", said)])

    def test_comments_are_heard_in_the_order_in_which_they_were_written(self) -> None:
        comments = [
            comment("/nightshift reject i-1 no", 10, author="alice"),
            comment("/nightshift unreject i-1", 11, author="bob"),
            comment("/nightshift unreject i-1", 12, author="alice"),
        ]
        expected = heard(*comments)
        for order in itertools.permutations(comments):
            assert heard(*order) == expected
        assert expected.withdrawn == [("i-1", "")]
        assert [each.comment_ident for each in expected.replies] == ["10", "11", "12"]
        assert expected.replies[1].text == "It may be proposed again; before, it was rejected by alice."
        assert expected.replies[2].text.startswith("Nothing is rejected or snoozed")

    def test_what_is_taken_back_and_said_again_is_not_what_is_said_and_taken_back(self) -> None:
        """Whoever keeps what was said must be able to tell which of the two came last."""
        known = {"i-1": [replace(STANDING, resource_id="i-1")]}
        said = comment("/nightshift reject i-1 after all", 21)
        before, after = (comment("/nightshift unreject i-1", number) for number in (20, 22))
        taken_back_first, taken_back_last = heard(before, said, known=known), heard(said, after, known=known)
        assert [each.source for each in taken_back_first.answers] == ["acme/infra#7:21/0"]
        assert taken_back_last.replies[1].text == "It may be proposed again; before, it was rejected by alice."
        assert (taken_back_first.answers, taken_back_first.withdrawn) != (taken_back_last.answers, taken_back_last.withdrawn)

    def test_the_same_comment_twice_gives_the_same_source(self) -> None:
        asks = comment("/nightshift reject i-1 no", 10)
        assert heard(asks).answers == heard(asks).answers
        assert heard(asks).answers[0].source == "acme/infra#7:10/0"

    def test_what_was_known_is_not_changed(self) -> None:
        known = {"i-5": [STANDING], "i-1": [replace(STANDING, resource_id="i-1")]}
        before = {name: list(those) for name, those in known.items()}
        heard(comment("/nightshift unreject i-5\n/nightshift reject i-1 no"), known=known)
        assert known == before

    def test_a_resource_named_twice_in_a_comment_has_two_answers(self) -> None:
        """Kept by resource and source, the second would be lost if they were told apart by the comment alone."""
        found = heard(comment("/nightshift snooze i-1 3d\nwords\n\n/nightshift dance\n/nightshift reject i-1 no", 31))
        assert [(each.kind, each.source) for each in found.answers] == [
            ("snoozed", "acme/infra#7:31/0"), ("rejected", "acme/infra#7:31/2"),
        ]  # fmt: skip

    def test_what_was_edited_is_another_answer_of_the_moment_of_its_edit(self) -> None:
        asks = comment("/nightshift snooze 3d later", 31)
        first, edited = heard(asks), heard(replace(asks, updated_at=EDITED_AT))
        assert [each.source for each in first.answers] == ["acme/infra#7:31/0"] * 2
        assert [each.source for each in edited.answers] == ["acme/infra#7:31@2025-03-14T08:00:01/0"] * 2
        assert [(each.answered_at, each.until) for each in first.answers] == [(CLOSED_AT, date(2025, 3, 13))] * 2
        assert [(each.answered_at, each.until) for each in edited.answers] == [(EDITED_AT, date(2025, 3, 17))] * 2
        assert edited.replies == [Reply("31@2025-03-14T08:00:01", 7, "alice", "Snoozed until 2025-03-17: 2 resources.")]

    def test_who_is_not_heard_is_told_so_of_an_edit_too(self) -> None:
        (reply,) = heard(comment("/nightshift rebuild", 31, author="mallory", edited_at=EDITED_AT)).replies
        assert (reply.comment_ident, reply.is_heard) == ("31@2025-03-14T08:00:01", False)

    def test_an_ident_tells_a_comment_from_others_and_from_what_it_was(self) -> None:
        made = [comment("x", 3), comment("x", 31), comment("x", 3, edited_at=EDITED_AT)]
        made.append(replace(made[2], updated_at=EDITED_AT + SECOND))
        idents = [each.ident for each in made]
        assert idents == ["3", "31", "3@2025-03-14T08:00:01", "3@2025-03-14T08:00:02"]
        # Its text is no part of it: who edits changes the moment.
        assert replace(made[0], body="y").ident == "3"

    def test_whoever_is_heard_is_told_so_also_where_nothing_was_understood(self) -> None:
        assert [each.is_heard for each in heard(comment("/nightshift dance")).replies] == [True]

    def test_unreject_takes_back_all_that_stands_and_names_the_first(self) -> None:
        other = replace(STANDING, kind="rejected", actor="dave", source="acme/infra#2:9/0")
        found = heard(
            comment("/nightshift unreject i-5", 1), comment("/nightshift unreject i-5", 2), known={"i-5": (STANDING, other)}
        )
        assert found.withdrawn == [("i-5", "")]
        assert [each.text for each in found.replies] == [
            "It may be proposed again; before, it was snoozed by carol.",
            "Nothing is rejected or snoozed under that name; the dashboard lists the names.",
        ]

    def test_unreject_takes_back_what_was_just_said_too_and_leaves_the_others(self) -> None:
        known = {"i-1": (replace(STANDING, resource_id="i-1"),)}
        found = heard(comment("/nightshift reject all no\n/nightshift snooze i-1 3d\n/nightshift unreject i-1"), known=known)
        assert [(each.resource_id, each.kind) for each in found.answers] == [("i-2", "rejected")]
        assert found.withdrawn == [("i-1", "")]
        assert found.replies[0].text.endswith("It may be proposed again; before, it was snoozed by alice.")

    @pytest.mark.parametrize("known", [(), []], ids=["tuple", "list"])
    def test_a_resource_without_answers_has_none(self, known: Sequence[Answer]) -> None:
        found = heard(comment("/nightshift unreject i-5"), known={"i-5": known})
        assert found.withdrawn == []
        assert found.replies[0].text.startswith("Nothing is rejected or snoozed")

    @pytest.mark.parametrize("command", ["snooze i-9 3d", "reject i-9 no"])
    def test_a_name_that_is_no_resource_is_no_answer_on_the_dashboard(self, command: str) -> None:
        found = heard(comment(f"/nightshift {command}", number=2))
        assert found == Settled(replies=[Reply("1", 2, "alice", "No resource has that name; write it as the dashboard does.")])
        # What stands can be taken back also where the resource is gone.
        standing = {"i-9": (replace(STANDING, resource_id="i-9"),)}
        assert heard(comment("/nightshift unreject i-9", number=2), known=standing).withdrawn == [("i-9", "")]


LIVE, OLD = "m5.xlarge", "m5.2xlarge"
MERGED_RECORD = replace(RECORD, state=pulls.MERGED, merged_at=CLOSED_AT)
TO_COME = Outcome(None)
A_MONTH_LATER = DAY + timedelta(days=30)


def outcome(
    live: Mapping[str, str | None], in_code: Mapping[str, str], day: date = DAY, record: PullRecord = MERGED_RECORD
) -> Outcome:
    return merged_outcome(record, {(name, "instance_type"): value for name, value in live.items()}, in_code, day)


class TestMerges:
    @pytest.mark.parametrize(
        ("live", "in_code", "state", "reverted"),
        [
            ({"i-1": LIVE, "i-2": LIVE}, {}, pulls.APPLIED, ()),
            ({"i-1": LIVE}, {}, None, ()),
            ({}, {}, None, ()),
            ({"i-1": LIVE, "i-2": LIVE}, {"i-1": LIVE}, pulls.APPLIED, ()),
            ({"i-1": LIVE, "i-2": OLD}, {}, None, ()),
            ({"i-1": LIVE, "i-2": None}, {}, None, ()),
            ({"i-1": OLD, "i-2": OLD}, {"i-1": LIVE, "i-2": LIVE}, None, ()),
            ({"i-1": "m5.large", "i-2": LIVE}, {}, pulls.APPLIED, ()),
            ({"i-1": "m5.large", "i-2": "c5.large"}, {}, pulls.APPLIED, ()),
            ({"i-1": "m5.large", "i-2": OLD}, {"i-1": "m5.large", "i-2": "m5.large"}, None, ()),
            ({"i-1": OLD, "i-2": OLD}, {"i-1": OLD, "i-2": OLD}, pulls.REVERTED, ("i-1", "i-2")),
            ({"i-1": OLD, "i-2": LIVE}, {"i-1": OLD}, pulls.APPLIED, ("i-1",)),
            ({"i-1": OLD, "i-2": OLD}, {"i-2": OLD}, None, ("i-2",)),
            ({"i-1": OLD}, {"i-1": OLD}, None, ("i-1",)),
            ({}, {"i-1": OLD, "i-2": OLD}, pulls.REVERTED, ("i-1", "i-2")),
            ({"i-1": None, "i-2": LIVE}, {"i-1": OLD}, pulls.APPLIED, ("i-1",)),
            ({"i-1": OLD, "i-2": LIVE}, {"i-9": OLD}, None, ()),
            ({"i-1": LIVE, "i-2": LIVE}, {"i-1": OLD}, pulls.APPLIED, ()),
        ],
        ids=[
            "live", "one absent", "all absent", "live and in the code", "one to come", "one unknown", "to come", "something else",
            "other things", "something else to come", "reverted", "one reverted", "one reverted and one to come",
            "one reverted and one absent", "reverted and absent", "one reverted, unknown", "others", "reverted, still live",
        ],
    )  # fmt: skip
    def test_each_resource_is_live_to_come_or_taken_back(
        self, live: dict[str, str | None], in_code: dict[str, str], state: str | None, reverted: tuple[str, ...]
    ) -> None:
        found = outcome(live, in_code)
        assert (found.fate.state if found.fate else None, found.reverted) == (state, reverted)

    def test_what_it_came_to_is_said(self) -> None:
        assert outcome({"i-1": LIVE, "i-2": LIVE}, {}) == Outcome(
            Fate(MERGED_RECORD, pulls.APPLIED, reason="live on 2025-03-10"), ()
        )
        assert outcome({}, {"i-1": OLD, "i-2": OLD}) == Outcome(
            Fate(MERGED_RECORD, pulls.REVERTED, reason="the code has the old value again"), ("i-1", "i-2")
        )
        assert outcome({}, {}, A_MONTH_LATER) == Outcome(
            Fate(MERGED_RECORD, pulls.APPLIED, reason="no longer in the inventory"), ()
        )
        # What was taken back is told at once; the rest is waited for.
        assert outcome({"i-2": OLD}, {"i-1": OLD}) == Outcome(None, ("i-1",))

    @pytest.mark.parametrize(
        ("live", "in_code", "state", "reason"),
        [
            ({}, {}, pulls.APPLIED, "no longer in the inventory"),
            ({"i-1": None}, {}, pulls.APPLIED, "no longer in the inventory"),
            ({"i-1": LIVE}, {}, pulls.APPLIED, "live on 2025-04-09"),
            ({"i-1": LIVE}, {"i-2": LIVE}, pulls.APPLIED, "live on 2025-04-09"),
            ({}, {"i-1": OLD}, pulls.REVERTED, "the code has the old value again"),
            ({"i-1": OLD}, {}, None, None),
            ({"i-1": LIVE, "i-2": OLD}, {}, None, None),
        ],
        ids=["all absent", "unknown", "one absent", "in the code", "reverted and absent", "the old one", "one the old one"],
    )
    def test_what_the_inventory_does_not_list_is_waited_for_a_month(
        self, live: dict[str, str | None], in_code: dict[str, str], state: str | None, reason: str | None
    ) -> None:
        """Where the old value is live nothing is over, however long ago it was merged."""
        reverted = tuple(in_code) if OLD in in_code.values() else ()
        assert outcome(live, in_code, A_MONTH_LATER - timedelta(days=1)) == Outcome(None, reverted)
        for day in (A_MONTH_LATER, A_MONTH_LATER + timedelta(days=400)):
            found = outcome(live, in_code, day)
            assert (found.fate.state if found.fate else None, found.reverted) == (state, reverted)
        fate_then = outcome(live, in_code, A_MONTH_LATER).fate
        assert (fate_then.reason if fate_then else None) == reason

    def test_where_it_is_not_known_when_it_was_merged_it_is_waited_for(self) -> None:
        record = replace(MERGED_RECORD, merged_at=None)
        assert outcome({}, {}, A_MONTH_LATER, record) == TO_COME
        assert outcome({"i-1": LIVE, "i-2": LIVE}, {}, A_MONTH_LATER, record) != TO_COME

    def test_each_attribute_is_looked_up_by_its_own_name(self) -> None:
        payload = replace(PAYLOAD, resources=(remembered("g", attribute="min_size", before="6", after="4"),))
        record = replace(MERGED_RECORD, payload=payload)
        assert merged_outcome(record, {("g", "instance_type"): "c5.large", ("g", "min_size"): "6"}, {}, DAY) == TO_COME
        found = merged_outcome(record, {("g", "instance_type"): "c5.large", ("g", "min_size"): "4"}, {}, DAY).fate
        assert found is not None and found.state == pulls.APPLIED

    @quickly
    @given(
        live=st.dictionaries(st.sampled_from(["i-1", "i-2", "i-3"]), st.sampled_from([None, OLD, LIVE, "m5.large"])),
        in_code=st.dictionaries(st.sampled_from(["i-1", "i-2", "i-3"]), st.sampled_from([OLD, LIVE])),
        days=st.integers(0, 60),
    )
    def test_what_is_over_is_neither_live_with_the_old_value_nor_forgotten(
        self, live: dict[str, str | None], in_code: dict[str, str], days: int
    ) -> None:
        found = outcome(live, in_code, DAY + timedelta(days=days))
        names = PAYLOAD.resource_ids
        assert found.reverted == tuple(name for name in names if in_code.get(name) == OLD and live.get(name) in (None, OLD))
        rest = [name for name in names if name not in found.reverted and live.get(name) in (None, OLD)]
        is_over = all(live.get(name) is None and days >= 30 for name in rest)
        assert (found.fate is not None) is is_over
        if found.fate is not None and found.fate.state == pulls.REVERTED:
            assert found.reverted and all(live.get(name) in (None, OLD) for name in names)
