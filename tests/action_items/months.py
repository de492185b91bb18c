"""Months of action items as a state machine: people close, reopen, delete, move, relabel and rename, bots close, the table and
the command line say something, GitHub fails, runs are cut off. After every second thing that happens a night passes.

``Said`` is what an independent reader of these acts knows of each item; ``check`` compares after every night, ``teardown`` when
the faults have stopped.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from dagster_project.errors import NightshiftError
from dagster_project.pipeline import action_item_answers as answers
from tests.action_items.world import BOT, ELSEWHERE, FIRST_DAY, OTHER, REPOSITORY, World, action
from tests.github import Fault, GitHubServer
from tests.github.models import Issue
from tests.proposal_builders import Clock

NAMES = [f"ACT-{number}" for number in range(10)]
FAULTS = (
    "bad_gateway_before", "bad_gateway_after", "drop_before", "drop_after", "server_error", "too_quickly", "secondary_limit",
    "unauthorized", "forbidden",
)  # fmt: skip
RATES = (0.0, 0.1, 0.0, 0.3, 0.0, 0.05)
"""Shares of requests that fail, night after night."""
PICK = st.integers(0, 30)


@dataclass
class Said:
    """What people have said of an item: whether anybody ever said that it is done."""

    done: set[str] = field(default_factory=set)


class Months(RuleBasedStateMachine):
    """``dsn`` is a database of the test's own, ``folder`` an empty folder; both are used by one example after another."""

    def __init__(self, dsn: str, folder: Path, wipe: Any, world_number: list[int]) -> None:
        super().__init__()
        world_number[0] += 1
        wipe("drop schema if exists nightshift cascade")
        self.clock = Clock(datetime.combine(FIRST_DAY, time(12), UTC))
        self.server = GitHubServer(self.clock.now)
        self.server.__enter__()
        self.world = World(self.server, self.clock, folder / str(world_number[0]), dsn, {"max_new_per_night": 3})
        self.world.has(*(action(name, owner=("alice", "bob", None)[n % 3]) for n, name in enumerate(NAMES[:6])))
        self.said = Said()
        self.theirs: dict[int, str] = {}
        self.happened = 0
        self.nights = 0

    # Time.

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        super().check_invariants(*args, **kwargs)
        self.happened += 1
        if self.happened % 2 == 0:
            self.night(self.happened, RATES[self.happened // 2 % len(RATES)])
        self.check()

    def night(self, seed: int, rate: float) -> None:
        if rate:
            self.server.faults.random(random.Random(seed), rate, FAULTS)
        self.world.night()
        self.server.faults.clear()
        self.nights += 1
        # Two or three days between nights that are looked at: forty of them are a quarter of a year.
        self.world.tomorrow(2 + seed % 2)

    @rule(calls=st.integers(0, 40), is_after=st.booleans())
    def a_night_is_cut_off(self, calls: int, is_after: bool) -> None:
        if is_after:
            self.server.faults.add(Fault("*", "", "drop_after", after_skipping=calls))
            calls += 1
        self.server.faults.add(Fault("*", "", "drop_before", times=10**6, after_skipping=calls))
        self.world.night()
        self.server.faults.clear()

    # What people do to issues.

    def _pick(self, number: int, state: str) -> tuple[Any, Issue] | None:
        found = [
            (people, issue)
            for people in (self.world.ops, self.world.web)
            for issue in people.issues(state)
            if issue.user.login == BOT or issue.number in self.theirs
        ]
        return found[number % len(found)] if found else None

    @rule(number=PICK, reason=st.sampled_from(["completed", "completed", "not_planned", "duplicate"]))
    def closes(self, number: int, reason: str) -> None:
        if picked := self._pick(number, "open"):
            people, issue = picked
            people.close("alice", issue.number, reason)
            if reason == "completed":
                self.said.done.add(_identity(issue))

    @rule(number=PICK)
    def reopens(self, number: int) -> None:
        if picked := self._pick(number, "closed"):
            picked[0].reopen("bob", picked[1].number)

    @rule(number=PICK, reason=st.sampled_from(["completed", "not_planned"]), marks=st.booleans())
    def stale_bot_closes(self, number: int, reason: str, marks: bool) -> None:
        if picked := self._pick(number, "open"):
            people, issue = picked
            if marks:
                people.add_label("stale[bot]", issue.number, "stale")
            people.close("stale[bot]", issue.number, reason)

    @rule(number=PICK)
    def a_merge_closes(self, number: int) -> None:
        if picked := self._pick(number, "open"):
            people, issue = picked
            people.close("merge[bot]", issue.number, commit_sha="c" * 40)
            self.said.done.add(_identity(issue))

    @rule(number=PICK)
    def deletes(self, number: int) -> None:
        if picked := self._pick(number, "all"):
            picked[0].delete_issue("alice", picked[1].number)

    @rule(number=PICK, to=st.sampled_from([OTHER, REPOSITORY, ELSEWHERE]))
    def moves_to_another_repository(self, number: int, to: str) -> None:
        picked = self._pick(number, "all")
        if picked is not None and picked[0].repository.full_name != to:
            picked[0].transfer_issue("alice", picked[1].number, to)

    @rule(number=PICK, label=st.sampled_from(["type: prevent", "action-item", "wontfix", "in progress", "priority: P1"]))
    def relabels(self, number: int, label: str) -> None:
        if picked := self._pick(number, "all"):
            people, issue = picked
            if label in people.labels(issue.number):
                people.remove_label("alice", issue.number, label)
            else:
                people.add_label("alice", issue.number, label)

    @rule(number=PICK, words=st.sampled_from(["Cap the pool", "Cap the connections of ACT-1", "Do it", "ACT-3"]))
    def edits_the_title(self, number: int, words: str) -> None:
        if picked := self._pick(number, "all"):
            picked[0].edit_title("alice", picked[1].number, words)

    @rule(number=PICK, text=st.sampled_from(["Rewritten by hand.", ""]))
    def rewrites_the_text_but_keeps_the_mark(self, number: int, text: str) -> None:
        if picked := self._pick(number, "all"):
            body = picked[1].body or ""
            picked[0].edit_body("alice", picked[1].number, f"{text}\n{body[body.find('<!--') :]}")

    @rule(number=PICK)
    def copies_an_issue(self, number: int) -> None:
        if picked := self._pick(number, "all"):
            people, issue = picked
            copy = people.open_issue("alice", issue.title, issue.body)
            people.close("alice", copy, "completed")

    @rule(number=PICK, login=st.sampled_from(["alice", "bob"]))
    def assigns(self, number: int, login: str) -> None:
        if picked := self._pick(number, "all"):
            people, issue = picked
            if any(each.login == login for each in issue.assignees):
                people.unassign("alice", issue.number, login)
            else:
                people.assign("alice", issue.number, login)

    @rule(number=PICK, name=st.sampled_from(["Q2", "Someday"]))
    def chooses_a_milestone(self, number: int, name: str) -> None:
        if picked := self._pick(number, "open"):
            people, issue = picked
            known = {each.title: each.number for each in people.repository.milestones.values()}
            due = datetime(2025, 6, 30, 12, tzinfo=UTC) if name == "Q2" else None
            people.set_milestone("alice", issue.number, known.get(name) or people.create_milestone("alice", name, due))

    @rule(number=PICK, text=st.sampled_from(["done", "closing", "/close"]))
    def comments(self, number: int, text: str) -> None:
        if picked := self._pick(number, "all"):
            comment = picked[0].comment("alice", picked[1].number, text)
            picked[0].delete_comment("alice", comment)

    # What other sources say.

    @rule(name=st.sampled_from(NAMES), state=st.sampled_from(["open", "in_progress", "done", "cancelled", "??"]))
    def the_table_says(self, name: str, state: str) -> None:
        row = self.world.rows.get(name) or action(name)
        self.world.has({**row, "state": state})
        if state == "done":
            self.said.done.add(name)

    @rule(name=st.sampled_from(NAMES), title=st.sampled_from(["Cap the pool", "Do it", "Raise the alarm earlier"]))
    def the_table_renames(self, name: str, title: str) -> None:
        if name in self.world.rows:
            self.world.has({**self.world.rows[name], "title": f"{title} ({name})"})

    @rule(name=st.sampled_from(NAMES))
    def the_table_forgets(self, name: str) -> None:
        self.world.rows.pop(name, None)

    @rule(name=st.sampled_from(NAMES), number=PICK)
    def people_name_an_issue_of_theirs(self, name: str, number: int) -> None:
        if name in self.world.rows:
            return
        theirs = self.world.web.open_issue("bob", f"Theirs {number}")
        self.theirs[theirs] = name
        self.world.has(action(name, tracker="github", tracker_key=f"{OTHER}#{theirs}"))

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(["done", "decline", "reopen", "owner", "due", "verify"]))
    def somebody_says_on_the_command_line(self, name: str, what: str) -> None:
        runtime = self.world.runtime()
        try:
            if what in ("done", "verify"):
                answers.done(runtime, name, "merged", is_verified=what == "verify")
                self.said.done.add(name)
            elif what == "decline":
                answers.decline(runtime, name, "no", None)
            elif what == "reopen":
                answers.reopen(runtime, name, "again")
            elif what == "owner":
                answers.say(runtime, name, {"owner": "Bob Jones"})
            else:
                answers.say(runtime, name, {"due_on": "2025-08-01"}, "later")
        except NightshiftError as error:
            assert "No action item" in str(error), error

    # What must hold.

    def check(self) -> None:
        assert self.server.unexpected == []
        marks = [_mark(issue) for issue in self.world.issues()]
        assert len(marks) == len(set(marks)), "two issues for one item"
        items = self.world.items()
        identities = {item.item_id for item in items.values()} | self._identities()
        for item in items.values():
            if item.is_completed:
                said = item.item_id in self.said.done or any(
                    identity in self.said.done for identity in identities if self._is_of(identity, item.item_id)
                )
                history = [(event.field, event.value, event.source, event.actor) for event in self.world.events(item.item_id)]
                assert said, (f"{item.item_id} is {item.state}, and nobody said so", history, self.said.done, self.theirs)
            assert (item.done_at is not None) == (item.is_completed and item.is_done_at_known)

    def _identities(self) -> set[str]:
        return set(self.said.done)

    def _is_of(self, identity: str, item_id: str) -> bool:
        from dagster_project.pipeline.action_item_sync import mark_of

        return identity == mark_of(item_id) or any(
            identity == f"theirs {number}" and name == item_id for number, name in self.theirs.items()
        )

    def teardown(self) -> None:
        try:
            if self.nights:
                self._converges()
        finally:
            self.server.__exit__(None, None, None)

    def _converges(self) -> None:
        for _ in range(6):
            self.world.night()
            assert self.world.synced.problems == [], self.world.synced.problems
            self.world.tomorrow()
        before, events = len(self.server.writes()), len(self.world.events())
        self.world.night()
        written = [(each.method, each.path, str(each.body)[:300]) for each in self.server.writes()[before:]]
        assert written == [], f"a quiet night wrote {written}"
        assert len(self.world.events()) == events, "a quiet night noted something"
        self.check()
        self._agrees()

    def _agrees(self) -> None:
        """Every item that has an issue stands as it does, as far as the issue can be seen."""
        names = {"completed": ("done", "verified"), "not_planned": ("declined",), "duplicate": ("duplicate",)}
        for item in self.world.items().values():
            place, _, number = (item.tracker_key or "").partition("#")
            people = {REPOSITORY: self.world.ops, OTHER: self.world.web}.get(place)
            if people is None:
                continue
            issue = people.repository.issues.get(int(number))
            link = self.world.link(item.item_id)
            if issue is None:
                # Of what is over, nobody asks whether its issue is still there.
                assert link.lost is not None or item.is_ended, f"{item} has no issue any more, and nobody noticed"
                continue
            assert link.lost is None
            if issue.state == "open":
                expected: tuple[str, ...] = ("open", "in_progress", "proposed")
            elif issue.closed_by is not None and issue.closed_by.login == "stale[bot]" and issue.state_reason == "completed":
                # Somebody may say later that it is done; closing it once more changes nothing on GitHub.
                expected = ("lost", "done", "verified") if item.item_id in self.said.done else ("lost",)
            else:
                expected = names[issue.state_reason or "completed"]
            history = [
                (event.field, event.value, event.source, str(event.happened_at)) for event in self.world.events(item.item_id)
            ]
            acts = [(event.event, event.actor.login, str(event.created_at)) for event in people.events(issue.number)]
            assert item.state in expected, (item.item_id, item.state, issue.state_reason, history, acts, link)


def _mark(issue: Issue) -> str:
    return (issue.body or "").rpartition("nightshift:action-item ")[2][:16]


def _identity(issue: Issue) -> str:
    """What an issue is known by, whatever repository it is in: its mark where it is ours, else its first number."""
    return _mark(issue) if issue.user.login == BOT else f"theirs {issue.number}"
