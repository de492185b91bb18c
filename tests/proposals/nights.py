"""Nights of proposals as a state machine: evidence changes, people merge, close, push and comment, GitHub fails, runs are cut
off. After every second thing that happens a night passes.

What must hold after every step is in ``check``; what must hold when the faults stop, in ``teardown``.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from dagster_project.domain.proposals.payload import from_body
from tests.conftest import query
from tests.github import Fault, GitHubServer
from tests.github.answers import Refusal
from tests.proposal_builders import FIRST_DAY, ROOT, Clock, World, machines

NAMES = [f"i-{number}" for number in range(8)]
FAULTS = (
    "bad_gateway_before", "bad_gateway_after", "drop_before", "drop_after", "server_error", "too_quickly", "secondary_limit",
    "unauthorized", "forbidden",
)  # fmt: skip
RATES = (0.0, 0.15, 0.0, 0.4, 0.0, 0.05)
"""Shares of requests that fail, night after night."""


class Nights(RuleBasedStateMachine):
    """``dsn`` is a database of the test's own, ``folder`` an empty folder; both are used by one example after another."""

    def __init__(self, dsn: str, folder: Path, wipe: Any, world_number: list[int]) -> None:
        super().__init__()
        world_number[0] += 1
        wipe("drop schema if exists nightshift cascade")
        self.dsn = dsn
        self.folder = folder / str(world_number[0])
        self.clock = Clock(datetime.combine(FIRST_DAY, time(12), UTC))
        self.server = GitHubServer(self.clock.now)
        self.server.__enter__()
        fleet = machines(*NAMES)
        for number, machine in enumerate(fleet.values()):
            machine.team = ("payments", "search")[number % 2]
            machine.demand = 1.0 + number / 10
        rules = {"max_new_per_night": 2, "max_open": 3, "max_items": 2}
        self.world = World(self.server, self.clock, self.folder, dsn, fleet, rules, {"attempts": 2, "longest_wait_seconds": 60})
        self.human_commits: dict[str, str] = {}
        self.may_replace: set[str] = set()
        self.rejected: dict[str, int] = {}
        self.nights = 0
        self.during: list[Fault] = []
        self.closed_at_night: dict[str, int] = {}
        self.happened = 0

    # What changes.

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        super().check_invariants(*args, **kwargs)
        self.passes()

    def passes(self) -> None:
        """Something happened; after every second time a night passes."""
        self.happened += 1
        if self.happened % 2 == 0:
            self.night(self.happened, RATES[self.happened // 2 % len(RATES)])
        self.check()

    def night(self, seed: int, rate: float) -> None:
        if rate:
            self.server.faults.random(random.Random(seed), rate, FAULTS)
        before = {pull.number for pull in self.world.pulls("all")}
        rejected = dict(self.rejected)
        self.server.faults.add(*self.during)
        self.during = []
        self.world.night()
        self.server.faults.clear()
        self.nights += 1
        self.world.tomorrow()
        self.world.noon()
        self.rejected |= self.closed_at_night
        self.closed_at_night = {}
        for pull in self.world.pulls("all"):
            if pull.number not in before:
                payload = from_body(pull.body)
                assert payload is not None
                assert not rejected.keys() & set(payload.resource_ids), "a rejected resource was proposed again"

    @rule(calls=st.integers(0, 40), is_after=st.booleans())
    def a_night_is_cut_off(self, calls: int, is_after: bool) -> None:
        if is_after:
            self.server.faults.add(Fault("*", "", "drop_after", after_skipping=calls))
            calls += 1
        self.server.faults.add(Fault("*", "", "drop_before", times=10**6, after_skipping=calls))
        self.world.night()
        self.server.faults.clear()

    @rule(name=st.sampled_from(NAMES), size=st.sampled_from([None, "m5.large", "m5.xlarge"]))
    def evidence_changes(self, name: str, size: str | None) -> None:
        machine = self.world.machines[name]
        machine.target = size if machine.live != size else None

    @rule(name=st.sampled_from(NAMES), demand=st.sampled_from([1.0, 1.05, 2.0, 3.0]), exceedance=st.sampled_from([1.0, 7.0]))
    def numbers_move(self, name: str, demand: float, exceedance: float) -> None:
        machine = self.world.machines[name]
        machine.demand, machine.exceedance = demand, exceedance

    @rule(
        name=st.sampled_from(NAMES),
        reason=st.sampled_from(["insufficient_coverage", "refuse_blast_radius", "refuse_open_incident"]),
    )
    def evidence_goes(self, name: str, reason: str) -> None:
        machine = self.world.machines[name]
        machine.target, machine.reason = None, reason

    @rule(name=st.sampled_from(NAMES), is_listed=st.booleans())
    def inventory(self, name: str, is_listed: bool) -> None:
        self.world.machines[name].is_listed = is_listed

    @rule(name=st.sampled_from(NAMES), team=st.sampled_from(["payments", "search"]))
    def moves_to_another_team(self, name: str, team: str) -> None:
        self.world.machines[name].team = team

    # What people do.

    def _pick(self, number: int, state: str = "open") -> Any:
        pulls = self.world.pulls(state)
        return pulls[number % len(pulls)] if pulls else None

    @rule(number=st.integers(0, 9))
    def merges(self, number: int) -> None:
        pull = self._pick(number)
        if pull is not None and not pull.pull.draft:
            try:
                self.world.people.merge("alice", pull.number)
            except Refusal:  # it conflicts with the base
                return
            self.world.noon()

    @rule()
    def pipeline_applies(self) -> None:
        self.world.apply()
        for machine in self.world.machines.values():
            if machine.target == machine.live:
                machine.target = None

    @rule(number=st.integers(0, 9))
    def closes(self, number: int) -> None:
        pull = self._pick(number)
        if pull is not None:
            self.world.people.close("alice", pull.number)
            self._note_rejection(pull)
            self.world.noon()

    def _note_rejection(self, pull: Any) -> None:
        rows = query(
            self.dsn, "select payload->'resources' as resources from nightshift.pull_requests where number = $1", pull.number
        )
        payload = from_body(pull.body)
        assert payload is not None
        known = [each["resource_id"] for row in rows for each in json.loads(row["resources"])] or payload.resource_ids
        for name in set(known) & set(payload.resource_ids):
            self.rejected[name] = pull.number

    @rule(number=st.integers(0, 9))
    def reopens(self, number: int) -> None:
        pull = self._pick(number, "closed")
        if pull is None or pull.pull.merged_at or pull.pull.head not in self.world.people.branches():
            return
        if any(each.pull.head == pull.pull.head for each in self.world.pulls()):
            return
        try:
            self.world.people.reopen("alice", pull.number)
        except Refusal:  # its branch was made anew, or has nothing left to merge
            return
        self.rejected = {name: by for name, by in self.rejected.items() if by != pull.number}

    @rule(number=st.integers(0, 9), name=st.sampled_from(["README.md", f"{ROOT}/i-0.tf"]))
    def pushes_to_a_branch(self, number: int, name: str) -> None:
        pull = self._pick(number)
        if pull is not None:
            self.human_commits[pull.pull.head] = self.world.people.push(
                "alice", pull.pull.head, {name: f"# {self.clock.now()}\n".encode() if name == "README.md" else self._mine(name)}
            )

    def _mine(self, name: str) -> bytes:
        return f'resource "aws_instance" "i_0" {{\n  instance_type = "m5.2xlarge" # {self.clock.now()}\n}}\n'.encode()

    @rule(name=st.sampled_from(NAMES))
    def changes_the_base(self, name: str) -> None:
        path = f"{ROOT}/{name}.tf"
        self.world.people.push("bob", "main", {path: self.world.people.file("main", path) + b"# a line\n"})

    @rule(number=st.integers(0, 9), login=st.sampled_from(["alice", "mallory"]), days=st.sampled_from(["3d", "2w"]))
    def snoozes(self, number: int, login: str, days: str) -> None:
        pull = self._pick(number)
        if pull is not None:
            self.world.people.comment(login, pull.number, f"/nightshift snooze {days} later")

    @rule(number=st.integers(0, 9))
    def asks_for_a_rebuild(self, number: int) -> None:
        pull = self._pick(number)
        if pull is None:
            return
        sha = self.human_commits.get(pull.pull.head)
        if sha is not None and self.world.people.head(pull.pull.head) == sha:
            self.may_replace.add(sha)
            self.world.people.comment("alice", pull.number, f"/nightshift rebuild {sha[:10]}")
        else:
            self.world.people.comment("alice", pull.number, "/nightshift rebuild")

    @rule(number=st.integers(0, 9))
    def deletes_a_branch(self, number: int) -> None:
        pull = self._pick(number)
        if pull is not None:
            self.world.people.delete_branch("alice", pull.pull.head)
            self.human_commits.pop(pull.pull.head, None)
            self._note_rejection(pull)
            self.world.noon()

    @rule(after=st.integers(0, 30), number=st.integers(0, 9), what=st.sampled_from(["closes", "merges", "pushes"]))
    def somebody_acts_during_the_next_night(self, after: int, number: int, what: str) -> None:
        self.during.append(Fault("*", "", "moved", after_skipping=after, callback=lambda: self._act(number, what)))

    def _act(self, number: int, what: str) -> None:
        pull = self._pick(number)
        if pull is None:
            return
        if what == "pushes":
            self.human_commits[pull.pull.head] = self.world.people.push("alice", pull.pull.head, {"README.md": b"at night"})
        elif what == "merges":
            if not pull.pull.draft:
                with suppress(Refusal):
                    self.world.people.merge("alice", pull.number)
        else:
            self.world.people.close("alice", pull.number)
            payload = from_body(pull.body)
            self.closed_at_night |= dict.fromkeys(payload.resource_ids, pull.number) if payload else {}

    @rule(number=st.integers(0, 9), name=st.sampled_from(NAMES))
    def says_something_on_the_dashboard(self, number: int, name: str) -> None:
        dashboards = [issue for issue in self.world.people.issues() if "nightshift:dashboard" in (issue.body or "")]
        if dashboards and name not in self.rejected:
            words = ("snooze", "5d later") if number % 2 else ("reject", "no")
            self.world.people.comment("bob", dashboards[0].number, f"/nightshift {words[0]} {name} {words[1]}")

    @rule(number=st.integers(0, 9))
    def edits_the_text(self, number: int) -> None:
        pull = self._pick(number)
        if pull is not None:
            self.world.people.edit_body("alice", pull.number, "I know better.\n\n" + (pull.body or ""))

    # What must hold.

    def check(self) -> None:
        assert self.server.unexpected == []
        open_pulls = self.world.pulls()
        keys = [payload.key for pull in open_pulls if (payload := from_body(pull.body))]
        assert len(keys) == len(set(keys)), "two open pull requests for one group"
        held = [name for pull in open_pulls if (payload := from_body(pull.body)) for name in payload.resource_ids]
        assert len(held) == len(set(held)), "one resource in two open pull requests"
        for branch, sha in list(self.human_commits.items()):
            head = self.world.people.head(branch)
            if sha in self.may_replace:
                continue
            assert head is not None, "a branch with a person's commit was deleted"
            commits = {commit.sha for commit in self.world.people.commits(branch)}
            assert sha in commits, "a person's commit was written over"

    def teardown(self) -> None:
        try:
            if self.nights:
                self._converges()
        finally:
            self.server.__exit__(None, None, None)

    def _converges(self) -> None:
        # What ends by itself ends before: a snooze that is over on the quiet night would be a reason to write.
        self.world.day += timedelta(days=40)
        for _ in range(4):
            self.world.night()
            assert self.world.problems == []
            self.world.tomorrow()
        before = len(self.server.writes())
        rows = self.world.night()
        assert self.world.problems == []
        written = [(each.method, each.path, str(each.body)[:300]) for each in self.server.writes()[before:]]
        assert written == [], f"a quiet night wrote {written}"
        records = {
            row["number"]: row["state"]
            for row in query(
                self.dsn, "select number, state from nightshift.pull_requests where state in ('opening', 'open', 'closing')"
            )
        }
        ours = {pull.number for pull in self.world.pulls() if from_body(pull.body)}
        assert records == dict.fromkeys(ours, "open"), (records, ours)
        assert len({row["number"] for row in rows if row["state"] in ("open", "frozen")}) == len(ours)
        dashboards = [issue for issue in self.world.people.issues("all") if "nightshift:dashboard" in (issue.body or "")]
        assert len(dashboards) <= 1
        self.check()
