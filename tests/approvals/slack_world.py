"""A world of approvals with a Slack workspace: its people, its messages, and the two ways in which a click comes in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest

from dagster_project.actions.approval_store import advance, find, open_request
from dagster_project.domain.approvals.machine import Revise
from dagster_project.domain.approvals.model import AskedChange, Plan, PlanKey
from dagster_project.domain.proposals.model import Evidence
from dagster_project.pipeline import apply_queue, listening
from dagster_project.pipeline.approvals import ask
from dagster_project.pipeline.approvers import policy_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.slack_answers import Answered, interact
from dagster_project.pipeline.slack_messages import deliver
from dagster_project.pipeline.state import in_state
from dagster_project.settings_acting import Approver, SlackSettings
from tests.approval_builders import Approvals
from tests.conftest import query
from tests.proposal_builders import Clock
from tests.slack import Interaction, SlackServer
from tests.slack.models import Message
from tests.slack.socket_mode import Link

REPORTS = "https://reports.example.com/nightshift"
START = datetime(2025, 3, 10, 2, tzinfo=UTC)
PATIENCE = 20


CHANGE: dict[str, Any] = {
    "resource_id": "i-1",
    "resource_type": "ec2_instance",
    "account_id": "318204967715",
    "region": "us-east-1",
    "attribute": "instance_type",
    "before": "m5.2xlarge",
    "after": "m5.xlarge",
    "savings_usd_month": 140.0,
    "exceedance_pct": 1.0,
    "risk_reasons": (),
    "why": "m5.xlarge holds it.",
    "evidence": Evidence("f" * 16, "propose_smaller_size", (1.0,), 0, 0),
}
"""What is asked for where no night asks."""


@dataclass
class Told:
    """What a run or a listener said."""

    lines: list[str] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def say(self, text: str) -> None:
        with self.more:
            self.lines.append(text)
            self.more.notify_all()

    def wait_for(self, line: str) -> None:
        """Until a line was said."""
        with self.more:
            assert self.more.wait_for(lambda: line in self.lines, PATIENCE), self.lines

    def update(self, label: str, done: float, total: float) -> None:
        """Nobody asks."""

    def close(self) -> None:
        """Has nothing to give back."""


@dataclass
class SlackWorld:
    """A world and its workspace, with one clock. Ana is an approver by her Slack id, Ben by his address, Carl is none."""

    world: Approvals
    slack: SlackServer
    channel: str
    ana: str
    ben: str
    carl: str
    told: Told = field(default_factory=Told)

    def night(self, **changes: Any) -> list[str]:
        """Runs the night of the day; returns what it says went wrong."""
        found: list[list[str]] = []

        def asked(*arguments: Any) -> Any:
            written, problems = ask(*arguments)
            found.append(problems)
            return written, problems

        with patch("tests.approval_builders.ask", asked):
            self.world.night(**changes)
        return found[0]

    def ask(
        self, service: str = "payment-api", risk: str = "low", owner: str = "payments", names: tuple[str, ...] = ("i-1",)
    ) -> str:
        """Asks for changes without a night, and says the request's id."""
        changes = tuple(AskedChange(**{**CHANGE, "risk": risk, "resource_id": name}) for name in names)
        plan = Plan(PlanKey(service, "staging", owner, risk), changes)
        request_id, now, day = f"apr-{plan.digest[:12]}", self.world.clock.now(), self.world.day
        runtime = self.world.runtime()
        policy = policy_of(runtime.settings)
        assert in_state(runtime, lambda state: open_request(state, request_id, plan, now, day, policy), is_new=True)
        return request_id

    def revise(self, request_id: str, after: str) -> None:
        """Makes another size what is asked for, and brings Slack up to date."""
        runtime = self.world.runtime()

        async def work(connection: asyncpg.Connection) -> None:
            stored = await find(connection, request_id)
            assert stored is not None
            plan = stored.request.plan
            changed = replace(plan, changes=tuple(replace(each, after=after) for each in plan.changes))
            await advance(connection, request_id, Revise(changed, "Why."), runtime.now, policy_of(runtime.settings))

        in_state(runtime, work)
        assert self.deliver() == []

    def deliver(self, day: date | None = None, **changes: Any) -> list[str]:
        """Brings Slack up to date, as every run and the listener do; with a day it sends its digests too, as a night does."""
        return deliver(self.world.runtime(**changes), day)

    def ours(self, kind: str, channel: str | None = None) -> list[Message]:
        """Messages of a kind (request, digest), the oldest first."""
        found = self.slack.messages(channel or self.channel)
        return [each for each in found if each.metadata and each.metadata["event_payload"]["subject"].startswith(f"{kind}:")]

    @property
    def request(self) -> Message:
        """The one message of the one request."""
        (found,) = self.ours("request")
        return found

    @property
    def state(self) -> str:
        """The state of the one request."""
        (row,) = query(self.world.dsn, "select state from nightshift.approval_requests")
        return str(row["state"])

    def rows(self, columns: str = "subject, ts, failure") -> list[tuple[Any, ...]]:
        """What is written down of the messages."""
        return [tuple(row) for row in query(self.world.dsn, f"select {columns} from nightshift.slack_messages order by subject")]

    def events(self) -> list[tuple[str, str, str]]:
        """What happened: kind, who, from where."""
        rows = query(self.world.dsn, "select kind, actor, source from nightshift.approval_events order by position")
        return [(row["kind"], row["actor"], row["source"]) for row in rows]

    def requested(self, method: str) -> int:
        """How often Slack was asked for something."""
        return len(self.slack.requests(method))

    def click(self, user: str, answer: str = "approve", value: str | None = None) -> Interaction:
        """A click on a button of the request's message."""
        message = self.request
        return self.slack.people.click(user, message.ts, message.channel, f"nightshift_{answer}", value)

    def answers(self, user: str) -> list[str]:
        """What only this person was told, and takes it off the list of what is new."""
        return [each.text for each in self.slack.ephemerals(user)]


NewTown = Callable[..., SlackWorld]


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    """A workspace whose clock is the world's. Nothing unexpected may have come of the test."""
    with SlackServer(Clock(START)) as running:
        yield running
    assert running.unexpected == []


@pytest.fixture
def new_town(new_world: Callable[..., Approvals], slack: SlackServer) -> NewTown:
    """Makes a world of machines (one unless named) in the workspace; further keywords are the world's own, ``slack_settings``
    those of Slack."""

    def make(*names: str, slack_settings: dict[str, Any] | None = None, **world: Any) -> SlackWorld:
        ana, ben, carl = (slack.add_user(name, f"{name}@example.com") for name in ("ana", "ben", "carl"))
        channel = slack.add_channel("approvals", [ana, ben, carl])
        approvers = (Approver(email="ana@example.com", slack=ana, login="ana"), Approver(email="ben@example.com", login="ben"))
        settings = {
            "base_url": slack.url,
            "token": slack.bot_token,
            "app_token": slack.app_token,
            "signing_secret": slack.signing_secret,
            "channel": channel,
            "report_url": REPORTS,
            "timeout_seconds": 5,
            **(slack_settings or {}),
        }
        approvals = {"approvers": approvers, **world.pop("approvals", {})}
        found = new_world(*(names or ("i-1",)), slack=SlackSettings(**settings), approvals=approvals, **world)
        assert isinstance(slack.clock, Clock)
        found.clock = slack.clock
        return SlackWorld(found, slack, channel, ana, ben, carl)

    return make


def shown(message: Message) -> str:
    """Every text of a message, in order."""
    return "\n".join([message.text, *texts_of(message.blocks)])


def texts_of(value: Any, *types: str) -> Iterator[str]:
    """The texts of blocks; of types (mrkdwn, plain_text), or all."""
    if isinstance(value, dict):
        if value.get("type") in (types or ("mrkdwn", "plain_text")):
            yield value["text"]
        for each in value.values():
            yield from texts_of(each, *types)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each, *types)


def expire(town: SlackWorld) -> None:
    """Ends what nobody answered in time, as a sensor does every minute."""
    assert apply_queue.expire(town.world.runtime()) == []


@dataclass
class Way:
    """A way in for clicks, which counts those that were worked on to their ends. ``offer`` delivers one as Slack does, some
    times, and says its envelope; ``address`` is where the HTTP endpoint is."""

    offer: Callable[..., str]
    stop: Callable[[], None]
    address: str = ""
    over: threading.Condition = field(default_factory=threading.Condition)
    count: int = 0

    def send(self, interaction: Interaction, times: int = 1, **options: Any) -> Interaction:
        """Delivers a click, and waits until everything that it causes is done."""
        with self.over:
            before = self.count
        self.offer(interaction, times, **options)
        self.wait(before + times)
        return interaction

    def wait(self, count: int) -> None:
        """Until so many clicks were worked on to their ends."""
        with self.over:
            assert self.over.wait_for(lambda: self.count >= count, PATIENCE), self.count

    def one_more(self) -> None:
        with self.over:
            self.count += 1
            self.over.notify_all()


@contextmanager
def listening_by(way: str, town: SlackWorld, renew: Callable[[], Runtime] | None = None) -> Iterator[Way]:
    """Listens over Socket Mode (``socket``) or the HTTP endpoint (``http``). No thread is left when it ends."""
    before = set(threading.enumerate())
    ways: list[Way] = []

    def counted(runtime: Runtime, payload: Mapping[str, Any]) -> Answered:
        try:
            reply = interact(runtime, payload)
        except BaseException:
            ways[0].one_more()
            raise

        def after() -> None:
            try:
                reply.after()
            finally:
                ways[0].one_more()

        return Answered(reply.response, after)

    with patch.object(listening, "interact", counted):
        runtime = town.world.runtime(progress=town.told)
        found = (_by_socket if way == "socket" else _by_http)(runtime, town.slack, renew)
        ways.append(found)
        try:
            yield found
        finally:
            found.stop()
    assert new_threads(before) == []


def _by_socket(runtime: Runtime, slack: SlackServer, renew: Callable[[], Runtime] | None) -> Way:
    listener = listening.socket_listener(runtime, renew)
    listener.start()
    wait_for_a_link(slack)

    def offer(interaction: Interaction, times: int = 1, *, is_acknowledged: bool = True, on: Link | None = None) -> str:
        envelope_id = slack.socket.deliver(interaction, times=times, on=on)
        if is_acknowledged:
            slack.socket.wait_for_ack(envelope_id, count=times)
        return envelope_id

    return Way(offer, listener.stop)


def _by_http(runtime: Runtime, slack: SlackServer, renew: Callable[[], Runtime] | None) -> Way:
    server = listening.http_listener(runtime, "127.0.0.1", 0, renew)
    worker = threading.Thread(target=server.serve)
    worker.start()
    url = f"http://127.0.0.1:{server.port}/slack/interactions"

    def offer(interaction: Interaction, times: int = 1, *, is_acknowledged: bool = True) -> str:
        address = slack.request_url(url)
        assert (address.send(interaction).status == 200) == is_acknowledged
        for _ in range(times - 1):
            assert address.repeat().status == 200
        return ""

    def stop() -> None:
        if worker.is_alive():
            server.stop()
        worker.join()

    return Way(offer, stop, url)


def wait_for_a_link(slack: SlackServer) -> None:
    """Until an app is connected."""
    with slack.workspace.changed:
        assert slack.workspace.changed.wait_for(lambda: slack.socket.links, PATIENCE)


def new_threads(before: set[threading.Thread]) -> list[str]:
    """The threads that run and did not before. Those of the fake workspace end with the connections that they serve."""
    return [each.name for each in threading.enumerate() if each not in before and not _is_the_fakes(each)]


def _is_the_fakes(thread: threading.Thread) -> bool:
    """Threads of the fake workspace end with the connections that they serve."""
    target = getattr(thread, "_target", None)
    of = type(getattr(target, "__self__", None)).__module__, getattr(target, "__module__", "")
    return any(str(each).startswith(("tests.slack", "websockets")) for each in of)
