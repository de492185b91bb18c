"""Each request is one message, changed in place; each owner gets one digest a day; and nothing is lost or doubled on the way."""

from __future__ import annotations

import json
import re
import threading
import warnings
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from dagster_project.actions import slack_store
from dagster_project.connections.slack import Slack
from dagster_project.errors import CloudError
from dagster_project.pipeline.apply_queue import expire
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approval_answers import approve, say_no
from dagster_project.pipeline.state import in_state
from dagster_project.settings_acting import SlackSettings
from tests.approval_builders import ANA, BEN, actor
from tests.approvals import slack_world
from tests.approvals.slack_world import REPORTS, START, NewTown, SlackWorld, shown, texts_of
from tests.golden.sample_report import HOSTILE_NAMES
from tests.proposal_builders import machines
from tests.slack import Fault, SlackServer

slack, new_town = slack_world.slack, slack_world.new_town

DAY = date(2025, 3, 9)
POST, UPDATE, HISTORY = "chat.postMessage", "chat.update", "conversations.history"
HIGH: dict[str, Any] = {"environment": "prod", "exceedance": 20.0}


class Killed(BaseException):
    """The process ends here."""


def say_no_to(town: SlackWorld, target: str = "i-1", until: date | None = None, reason: str = "Peak season") -> None:
    """Ana says no on the command line."""
    runtime = town.world.runtime()
    assert in_state(runtime, lambda connection: say_no(runtime, connection, target, actor(), reason, until))


def buttons(town: SlackWorld) -> list[str]:
    """What can be clicked on the request's message."""
    return [each.removeprefix("nightshift_") for each in town.request.action_ids]


def lines(town: SlackWorld) -> list[str]:
    """The texts of the request's message, without those of its buttons."""
    return [each["text"]["text"] for each in town.request.blocks if "text" in each] + [
        each["elements"][0]["text"] for each in town.request.blocks if each["type"] == "context"
    ]


def test_a_request_is_one_message_with_its_evidence_its_saving_and_its_buttons(new_town: NewTown) -> None:
    town = new_town()
    assert town.night() == []
    message, (digest,) = town.request, town.ours("digest")
    request_id = message.metadata["event_payload"]["subject"].removeprefix("request:") if message.metadata else ""
    assert message.text == "Shrink 1 resource of payment-api in staging: pending"
    assert lines(town) == [
        "Shrink 1 resource of payment-api in staging",
        "Low risk  ·  saves *$140* a month  ·  1 more person must approve (1 for low risk)  ·  answer until 2025-03-13 02:00 UTC",
        "`i-1`  instance_type m5.2xlarge → *m5.xlarge*, $140 a month\nm5.xlarge holds it: CPU P99.5 would be 20 % of it (limit "
        "80 %), and no emergency or incident on record would have exceeded it. No code that Nightshift knows sets this.",
        f"Request `{request_id}`, revision 1, not approved by anybody yet  ·  Without Slack: `nightshift proposals approve "
        f"{request_id}.1`  ·  <{REPORTS}/proposals/{request_id}.html|Evidence in the report>",
    ]
    assert buttons(town) == ["approve", "reject", "snooze"]
    (row,) = (block["elements"] for block in message.blocks if block["type"] == "actions")
    assert row[0]["confirm"]["text"]["text"] == (
        "Shrink 1 resource of payment-api in staging. Each machine stops and starts. You approve revision 1, and no other."
    )
    assert len({button["value"] for button in row}) == 1
    assert row[0]["value"].startswith(f"{request_id}.1.")
    assert "Waiting for an answer*\n• `" + request_id in shown(digest)
    assert (town.slack.posts, town.requested(UPDATE)) == (2, 0)
    assert town.rows("subject, channel, posted_in, ts, failure") == [
        ("digest:payments:2025-03-09", town.channel, town.channel, digest.ts, None),
        (f"request:{request_id}", town.channel, town.channel, message.ts, None),
    ]


def test_the_same_message_follows_a_change_of_high_risk_until_it_is_applied(new_town: NewTown) -> None:
    town = new_town(machine=HIGH)
    town.night()
    ts, told = town.request.ts, []

    def look() -> None:
        assert town.deliver() == []
        told.append((lines(town)[1].split("  ·  ")[2:], lines(town)[3].split("  ·  ")[0].partition(", ")[2], buttons(town)))

    approve(town.world.runtime(), "i-1", actor(ANA))
    look()
    approve(town.world.runtime(), "i-1", actor(BEN))
    look()
    failures = [1]

    def lost(when: str, call: str) -> None:
        if (when, call) == ("after", "stop") and failures:
            failures.pop()
            raise CloudError("EC2 did not answer; whether it stopped is not known.")

    town.world.cloud.hook = lost
    apply_approved(town.world.runtime())
    look()
    apply_approved(town.world.runtime())
    look()
    by_ana, by_both = (
        "approved by ana@example.com (command line)",
        "ana@example.com (command line), ben@example.com (command line)",
    )
    assert told == [
        (
            ["1 more person must approve (2 for high risk)", "answer until 2025-03-13 02:00 UTC"],
            f"revision 1, {by_ana}",
            ["approve", "reject", "snooze"],
        ),
        (
            ["approved, applied in the next maintenance window until 2025-03-17 02:00 UTC"],
            f"revision 1, approved by {by_both}",
            ["reject", "snooze"],
        ),
        (["being applied"], f"revision 1, approved by {by_both}", ["reject", "snooze"]),
        (["*Executed*", "1 applied"], f"revision 1, approved by {by_both}", []),
    ]
    assert (town.request.ts, town.request.changes, town.slack.posts) == (ts, 4, 2)
    assert town.request.text == "Shrink 1 resource of payment-api in prod: executed"


def kinds(town: SlackWorld) -> list[int]:
    """How many requests and digests stand in the channel."""
    return [len(town.ours(kind)) for kind in ("request", "digest")]


ENDS = {
    "rejected": "*Rejected*  ·  Peak season",
    "snoozed": "*Snoozed*  ·  Peak season",
    "expired": "*Expired*  ·  nobody answered in time",
    "withdrawn": "*Withdrawn*  ·  i-1 is out: CPU",
    "rolled_back": "*Rolled back*  ·  back to what it was: i-1",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_request_that_is_over_says_so_in_its_message_and_has_no_buttons(new_town: NewTown, end: str) -> None:
    town = new_town()
    if end in ("withdrawn", "rolled_back"):
        town.night()
    else:
        town.ask()
        town.deliver()
    ts = town.request.ts
    match end:
        case "rejected":
            say_no_to(town)
        case "snoozed":
            say_no_to(town, until=START.date() + timedelta(days=7))
        case "expired":
            town.world.clock.at += timedelta(hours=73)
            assert expire(town.world.runtime()) == []
        case "withdrawn":
            town.world.machines["i-1"].target = None
            town.world.tomorrow()
            town.night()
        case "rolled_back":
            town.world.cloud.sick = {"i-1 m5.xlarge"}
            approve(town.world.runtime(), "i-1", actor())
            apply_approved(town.world.runtime())
    assert town.deliver() == []
    assert ENDS[end] in lines(town)[1]
    assert (town.state, buttons(town), town.request.ts, town.request.changes) == (end, [], ts, 1)
    assert "proposals approve" not in shown(town.request)
    assert town.request.text.endswith(f": {end.replace('_', ' ')}")
    town.deliver()
    assert town.requested(UPDATE) == 1


def test_a_plan_that_changed_is_a_second_revision_of_the_same_message_and_voids_approvals(new_town: NewTown) -> None:
    town = new_town(machine=HIGH)
    town.night()
    first = town.request
    old = first.blocks[3]["elements"][0]["value"]
    approve(town.world.runtime(), "i-1", actor(ANA))
    town.deliver()
    town.world.machines["i-1"].target = "m5.large"
    town.world.tomorrow()
    assert town.night() == []
    assert town.request.ts == first.ts
    assert "m5.2xlarge → *m5.large*" in lines(town)[2]
    assert "2 more people must approve (2 for high risk)" in lines(town)[1]
    assert ", revision 2, not approved by anybody yet" in lines(town)[3]
    new = town.request.blocks[3]["elements"][0]
    assert (old.split(".")[1], new["value"].split(".")[1]) == ("1", "2")
    assert new["confirm"]["text"]["text"].endswith("You approve revision 2, and no other.")


def test_a_night_without_news_sends_nothing_and_one_before_the_end_reminds_once(new_town: NewTown) -> None:
    town = new_town()
    town.night()
    sent = []
    for days in (1, 2, 3):
        before = len(town.slack.log)
        town.world.tomorrow()
        town.world.clock.at = START + timedelta(days=days, minutes=1)
        assert town.night() == []
        sent.append([each.method for each in town.slack.log[before:]])
    # Nothing is new; a day is left to answer; nobody answered, and it is asked anew.
    assert sent == [[], [POST], [UPDATE, POST, POST]]
    assert (town.night(), town.slack.posts) == ([], 5)
    told = [shown(each) for each in town.ours("digest")]
    assert "Nightshift, 2025-03-11: payments\n*Waiting for an answer*" in told[1]
    assert ("expired: nobody answered in time" in told[2], told[2].count("saves $140 a month")) == (True, 2)


def test_each_owner_has_one_digest_of_a_day_in_their_own_channel(new_town: NewTown, slack: SlackServer) -> None:
    payments, storage = slack.add_channel("payments"), slack.add_channel("storage")
    town = new_town("i-1", "i-2", "i-3", slack_settings={"channels": {"payments": payments, "storage": storage}})
    town.world.machines["i-3"].team = "storage"
    for owner in (None, "search"):
        name = f"i-{owner}"
        town.world.machines |= machines(name, team=owner)
        town.world.cloud.types[name] = "m5.2xlarge"
    assert town.night() == []
    assert town.night() == []
    told = {
        channel: [(each.metadata["event_payload"]["subject"].split(":")[0], each.text) for each in slack.messages(channel)]  # type: ignore[index]
        for channel in (payments, storage, town.channel)
    }
    day = "Nightshift, 2025-03-09"
    assert told == {
        payments: [
            ("request", "Shrink 2 resources of payment-api in staging: pending"),
            ("digest", f"{day}: payments: 1 waiting for an answer"),
        ],
        storage: [
            ("request", "Shrink 1 resource of payment-api in staging: pending"),
            ("digest", f"{day}: storage: 1 waiting for an answer"),
        ],
        town.channel: [
            ("request", "Shrink 1 resource of payment-api in staging: pending"),
            ("request", "Shrink 1 resource of payment-api in staging: pending"),
            ("digest", f"{day}: search: 1 waiting for an answer"),
            ("digest", f"{day}: unowned: 1 waiting for an answer"),
        ],
    }
    assert (town.slack.posts, town.requested(UPDATE)) == (8, 0)


def test_where_there_is_nothing_to_tell_nobody_is_told_anything(new_town: NewTown) -> None:
    town = new_town(machine={"target": None})
    assert town.night() == []
    assert town.slack.log == []


def test_without_a_channel_it_is_said_and_nothing_is_lost(new_town: NewTown) -> None:
    town = new_town(slack_settings={"channel": None})
    request_id = town.ask()
    assert town.deliver(DAY) == [
        f"{request_id}: no channel is set for payments; set slack.channel or slack.channels.",
        "The digest of payments: no channel is set; set slack.channel or slack.channels.",
    ]
    assert (town.slack.log, town.state) == ([], "pending")
    town.world.slack = town.world.slack.model_copy(update={"channel": town.channel})
    assert town.deliver(DAY) == []
    assert (kinds(town), buttons(town)[0]) == ([1, 1], "approve")


def test_a_channel_that_slack_refuses_is_said_and_another_one_takes_its_place(new_town: NewTown, slack: SlackServer) -> None:
    problems = ("not_in_channel", "channel_not_found", "is_archived")
    wrong = {
        each: slack.add_channel(each, with_bot=each == "is_archived", is_private=each == "channel_not_found") for each in problems
    }
    slack.people.archive(wrong["is_archived"])
    town = new_town(slack_settings={"channels": wrong})
    for problem, channel in wrong.items():
        town.ask(problem, owner=problem)
        assert [f"Slack refused ({problem})" in each for each in town.deliver(DAY)] == [True, True]
        assert [row[0].partition(")")[0] for row in town.rows("failure") if row[0]] == [f"Slack refused ({problem}"] * 2
        town.world.slack = town.world.slack.model_copy(update={"channels": {**wrong, problem: town.channel}})
        assert (town.deliver(DAY), slack.messages(channel)) == ([], [])
    assert (kinds(town), town.requested(HISTORY), {row[2] for row in town.rows()}) == ([3, 3], 0, {None})


def test_an_outage_of_a_night_fails_nothing_and_the_next_run_tells_how_things_stand_by_then(
    new_town: NewTown, slack: SlackServer
) -> None:
    town = new_town("i-1", "i-2", "i-3", "i-4")
    for number, name in enumerate(town.world.machines):
        town.world.machines[name].service = f"service-{number + 1}"
    slack.begin_outage()
    problems = town.night()
    said = "Slack did not answer (RemoteDisconnected); whether it took the request is not known."
    first, second, *_ = sorted(town.world.requests())
    assert problems == [f"{first}: {said}", f"{second}: {said}", "3 more messages wait for the next run."]
    assert ([row["state"] for row in town.world.requests().values()], town.requested(POST)) == (["pending"] * 4, 2)
    names = {row["request_id"]: json.loads(row["changes"])[0]["resource_id"] for row in town.world.requests().values()}
    say_no_to(town, names[first])
    approve(town.world.runtime(), names[second], actor())
    slack.end_outage()
    assert town.deliver() == []
    states = {each.metadata["event_payload"]["subject"]: each.text.partition(": ")[2] for each in town.ours("request")}  # type: ignore[index]
    expected = dict.fromkeys(names, "pending") | {first: "rejected", second: "approved"}
    assert states == {f"request:{request_id}": state for request_id, state in expected.items()}
    assert [each.action_ids for each in town.ours("request")][:2] == [[], ["nightshift_reject", "nightshift_snooze"]]
    town.world.tomorrow()
    assert town.night() == []
    (digest,) = town.ours("digest")
    assert digest.text == "Nightshift, 2025-03-10: payments: 2 waiting for an answer; 1 approved, not applied yet; 1 over"
    assert "in staging, saves $140 a month, rejected: Peak season" in shown(digest)
    assert (slack.posts, town.requested(UPDATE)) == (5, 0)


LOST = ("drop", "hang", "server_error", "unavailable", "html", "truncated", "cut", "internal_error", "fatal_error")
UNKNOWN = "whether it took the request is not known."


def test_a_message_that_was_taken_without_an_answer_is_found_by_its_metadata_and_not_sent_again(
    new_town: NewTown, slack: SlackServer
) -> None:
    town = new_town(slack_settings={"timeout_seconds": 1})
    for count, kind in enumerate(LOST, start=1):
        request_id = town.ask(service=kind)
        slack.faults.add(Fault(POST, kind, work_done=True))
        (problem,) = town.deliver()
        assert (problem.startswith(f"{request_id}: Slack"), problem.endswith(UNKNOWN)) == (True, True), problem
        assert "We'll be right back" not in problem
        assert (problem.partition(": ")[2],) in town.rows("failure")
        approve(town.world.runtime(), request_id, actor())
        assert town.deliver() == [], kind
        message = town.ours("request")[-1]
        assert (message.text, message.changes) == (f"Shrink 1 resource of {kind} in staging: approved", 1)
        assert (len(town.ours("request")), slack.posts, town.requested(HISTORY)) == (count, count, count)
    assert {row[0] for row in town.rows("failure")} == {None}


@pytest.mark.parametrize("kind", ["drop", "internal_error"])
def test_a_message_that_was_not_taken_is_sent_by_the_next_run(new_town: NewTown, slack: SlackServer, kind: str) -> None:
    town = new_town()
    town.ask()
    slack.faults.add(Fault(POST, kind))
    assert (len(town.deliver()), slack.messages(town.channel)) == (1, [])
    assert (town.deliver(), kinds(town), slack.posts, town.requested(HISTORY)) == ([], [1, 0], 1, 1)


def test_an_update_that_got_no_answer_is_repeated_and_in_the_worst_case_made_by_the_next_run(
    new_town: NewTown, slack: SlackServer
) -> None:
    town = new_town()
    request_id = town.ask()
    town.deliver()
    approve(town.world.runtime(), request_id, actor())
    slack.faults.add(Fault(UPDATE, "drop", times=3))
    (problem,) = town.deliver()
    assert (problem.endswith(UNKNOWN), town.request.changes, town.requested(UPDATE)) == (True, 0, 3)
    slack.faults.add(Fault(UPDATE, "html", work_done=True))
    assert (town.deliver(), buttons(town), slack.posts) == ([], ["reject", "snooze"], 1)


SEAMS = ("before the message is sent", "after it was sent", "before it is noted what it says")


@pytest.mark.parametrize("seam", SEAMS)
def test_a_process_that_dies_at_a_message_leaves_it_to_the_next_one_and_there_is_one(
    new_town: NewTown, slack: SlackServer, monkeypatch: pytest.MonkeyPatch, seam: str
) -> None:
    town = new_town()
    town.ask()

    def die(*_: Any) -> None:
        raise Killed

    async def die_later(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        if seam == SEAMS[0]:
            patched.setattr(Slack, "post", die)
        else:
            patched.setattr(slack_store, "posted" if seam == SEAMS[1] else "holds", die_later)
        with pytest.raises(Killed):
            town.deliver(DAY)
    assert kinds(town) == [int(seam != SEAMS[0]), 0]
    assert town.deliver(DAY) == []
    assert (kinds(town), slack.posts, town.requested(HISTORY)) == ([1, 1], 2, int(seam != SEAMS[2]))
    before = len(slack.log)
    assert (town.deliver(DAY), len(slack.log)) == ([], before)


def test_a_digest_that_was_taken_without_an_answer_is_not_sent_again(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.ask()
    slack.faults.add(Fault(POST, "drop", work_done=True, after_skipping=1))
    (problem,) = town.deliver(DAY)
    assert problem.startswith("digest:payments:2025-03-09: Slack did not answer")
    assert (town.deliver(DAY), kinds(town), slack.posts) == ([], [1, 1], 2)


def test_a_run_that_comes_while_another_one_sends_sends_nothing_itself(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.ask()
    inner: list[Any] = []

    def another_run() -> None:
        inner.append((town.deliver(DAY), slack.posts, town.requested(HISTORY)))

    # The other run meets a request's message, then a digest that somebody has.
    slack.faults.add(Fault(POST, "callback", callback=lambda: inner.append((town.deliver(), slack.posts))))
    slack.faults.add(Fault(POST, "callback", callback=another_run))
    assert town.deliver(DAY) == []
    assert (inner, kinds(town), slack.posts) == ([([], 0), ([], 1, 0)], [1, 1], 2)


@pytest.mark.parametrize("call", [POST, UPDATE])
def test_what_changes_while_a_message_is_sent_is_in_it_before_the_run_ends(
    new_town: NewTown, slack: SlackServer, call: str
) -> None:
    """The run that made the change finds the message taken, and leaves it to the one that has it."""
    town = new_town()
    request_id = town.ask(risk="high")
    if call == UPDATE:
        town.deliver()
        approve(town.world.runtime(), request_id, actor(BEN))

    def another_run() -> None:
        approve(town.world.runtime(), request_id, actor(ANA))
        assert town.deliver() == []

    slack.faults.add(Fault(call, "callback", callback=another_run))
    assert town.deliver() == []
    assert "ana@example.com (command line)" in lines(town)[3]
    assert (town.request.changes, slack.posts) == (1 if call == POST else 2, 1)


def test_runs_that_start_at_once_send_each_message_once(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    for service in ("one", "two", "three"):
        town.ask(service)
    start, said = threading.Barrier(4), []

    def run() -> None:
        start.wait()
        said.append(town.deliver(DAY))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (said, kinds(town), slack.posts) == ([[]] * 4, [3, 1], 4)


def test_what_may_have_been_sent_is_not_sent_again_where_it_cannot_be_looked_for(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    request_id = town.ask()
    slack.set_scopes(remove=["channels:history"])
    slack.faults.add(Fault(POST, "drop", work_done=True))
    town.deliver()
    said = "Slack asks for the scope channels:history; add it to the app and install it again."
    for _ in range(2):
        assert town.deliver() == [f"{request_id}: {said}"]
    assert (town.rows("failure"), slack.posts) == ([(said,)], 1)
    slack.set_scopes(add=["channels:history"])
    assert (town.deliver(), len(town.ours("request")), slack.posts) == ([], 1, 1)


def test_only_a_message_of_our_own_is_taken_for_ours(new_town: NewTown, slack: SlackServer) -> None:
    """Another app copies ours, after it was taken without an answer."""
    town = new_town()
    request_id = town.ask()
    slack.faults.add(Fault(POST, "drop", work_done=True))
    town.deliver()
    ours = town.request.ts
    app = slack.add_app("copycat", "xoxb-copycat")
    slack.people.join(app.bot_user.id, town.channel)
    copycat = Slack(SlackSettings(base_url=slack.url, token=SecretStr("xoxb-copycat")))
    copied = copycat.post(town.channel, "Shrink?", [], f"request:{request_id}")
    assert (town.deliver(), town.rows("ts")) == ([], [(ours,)])
    assert [each.ts for each in slack.messages(town.channel)] == [ours, copied.ts]


def test_a_message_is_found_among_hundreds(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.ask()
    slack.faults.add(Fault(POST, "drop", work_done=True))
    town.deliver()
    for number in range(450):
        slack.people.say(town.ana, town.channel, f"Good morning {number}")
    assert (town.deliver(), slack.posts, town.requested(HISTORY)) == ([], 1, 3)


def test_a_limit_is_waited_for_as_long_as_slack_says(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.ask("one")
    slack.faults.add(Fault(POST, "ratelimited", retry_after=7))
    assert (town.deliver(), town.world.clock.slept, slack.posts) == ([], [7], 1)
    slack.limit_posts()
    town.world.clock.at += timedelta(seconds=1)
    town.ask("two")
    assert (town.deliver(DAY), town.world.clock.slept, slack.posts) == ([], [7, 1], 3)
    assert (town.requested(HISTORY), kinds(town)) == (0, [2, 1])


def test_a_limit_that_asks_for_too_long_leaves_the_message_to_the_next_run(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.ask()
    slack.faults.add(Fault(POST, "ratelimited", retry_after=61, times=2))
    problems = town.deliver(DAY)
    said = "Slack asks to wait 61 seconds; the next run goes on."
    assert [each.rpartition(": ")[2] for each in problems] == [said, said]
    assert (town.world.clock.slept, slack.posts) == ([], 0)
    assert (town.deliver(DAY), slack.posts, town.requested(HISTORY)) == ([], 2, 0)


def test_a_token_that_is_refused_is_said_and_the_rest_waits(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    for service in ("one", "two", "three"):
        town.ask(service)
    slack.end_token("token_revoked")
    problems = town.deliver(DAY)
    said = "Slack does not take the token (token_revoked); set NIGHTSHIFT_SLACK_TOKEN anew."
    assert [each.partition(": ")[2] or each for each in problems] == [said, said, "2 more messages wait for the next run."]
    assert town.requested(POST) == 2
    slack.workspace.tokens[slack.bot_token].state = "active"
    assert (town.deliver(DAY), kinds(town), town.requested(HISTORY)) == ([], [3, 1], 0)


def test_one_message_that_slack_refuses_keeps_no_other_from_being_sent(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town(slack_settings={"channels": {"search": "C0GONE", "storage": "C0GONE"}})
    for owner in ("search", "storage", "payments"):
        town.ask(owner, owner=owner)
    assert [each.partition(": ")[2].partition(";")[0] for each in town.deliver()] == ["Slack refused (channel_not_found)"] * 2
    assert town.request.text == "Shrink 1 resource of payments in staging: pending"


@pytest.mark.parametrize("why", ["it was deleted", "it is too old to be changed"])
def test_where_a_message_cannot_be_changed_any_more_another_one_says_how_it_stands(
    new_town: NewTown, slack: SlackServer, why: str
) -> None:
    town = new_town()
    request_id = town.ask(risk="high")
    town.deliver()
    first = town.request.ts
    approve(town.world.runtime(), request_id, actor(ANA))
    if why == "it was deleted":
        slack.people.delete(town.channel, first)
    else:
        slack.people.limit_edits(60)
        town.world.clock.at += timedelta(seconds=61)
    assert town.deliver() == []
    second = town.ours("request")[-1]
    assert second.ts != first
    assert ("ana@example.com" in shown(second), second.action_ids[0]) == (True, "nightshift_approve")
    say_no_to(town, request_id)
    assert town.deliver() == []
    found = [each for each in town.ours("request") if each.ts != first]
    assert [(each.ts, each.text.partition(": ")[2], each.action_ids) for each in found] == [(second.ts, "rejected", [])]


@pytest.mark.parametrize("why", ["deleted", "archived"])
def test_a_request_that_is_over_is_not_told_again_where_its_message_is_gone(
    new_town: NewTown, slack: SlackServer, why: str
) -> None:
    town = new_town()
    request_id = town.ask()
    town.deliver()
    say_no_to(town, request_id)
    if why == "deleted":
        slack.people.delete(town.channel, town.request.ts)
    else:
        slack.people.archive(town.channel)
    assert [each.partition(": ")[2] for each in town.deliver()] == ([] if why == "deleted" else ["Slack refused (is_inactive)."])
    before = len(slack.log)
    assert (town.deliver(), len(slack.log), slack.posts) == ([], before, 1)


EVIDENCE = rf"<{re.escape(REPORTS)}/proposals/apr-[0-9a-f]{{12}}\.html"
HOSTILE = (
    *(name for name in HOSTILE_NAMES if "\x00" not in name),  # PostgreSQL holds no such text
    "<!channel> <@U0ANA> <https://evil.example|click>",
    "`code` ```block``` @here :tada:",
    "&" * 500,
    "\n\n> quoted\r\u2028line",
    "🚨" * 500,
)


def test_names_that_look_like_markup_are_names_in_every_message(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    for name in HOSTILE:
        request_id = town.ask(name, owner=name, names=tuple(f"{name}{number}" for number in range(20)))
        assert town.deliver(DAY) == []
        say_no_to(town, request_id, reason=name)
        assert town.deliver() == []
    assert kinds(town) == [len(HOSTILE), len(HOSTILE)]
    found = [text for each in slack.messages(town.channel) for text in [each.text, *texts_of(each.blocks, "mrkdwn")]]
    assert sum(text.count("&lt;") for text in found) > len(HOSTILE)
    marked_up = {mark.partition("|")[0] for text in found for mark in re.findall("<[^>]*>?", text)}
    ours = {f"<{REPORTS}/2025-03-09/index.html", *(mark for mark in marked_up if re.fullmatch(EVIDENCE, mark))}
    assert marked_up == ours
    assert len(ours) == 1 + len(HOSTILE)


@pytest.mark.parametrize("why", ["a dry run", "a kill switch"])
def test_nothing_is_sent_by_a_run_that_may_not_act(new_town: NewTown, slack: SlackServer, why: str) -> None:
    town = new_town()
    town.ask()
    switch = town.world.settings.home / "kill_switch"
    if why == "a kill switch":
        switch.parent.mkdir(parents=True)
        switch.touch()
    is_dry_run = why == "a dry run"
    assert (town.deliver(DAY, is_dry_run=is_dry_run), town.night(is_dry_run=is_dry_run)) == ([], [])
    assert (slack.log, town.world.settings.outbox.exists()) == ([], False)
    switch.unlink(missing_ok=True)
    assert (town.deliver(DAY), kinds(town)) == ([], [1, 1])


def test_a_night_of_the_past_sends_nothing(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.night()
    approve(town.world.runtime(), "i-1", actor())
    town.world.clock.at += timedelta(days=1)
    before = len(slack.log)
    assert (town.night(), len(slack.log)) == ([], before)


def test_without_a_token_the_messages_lie_in_the_outbox(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town("i-1", "i-2", slack_settings={"token": None})
    town.world.machines["i-2"].team = "../../" + "t" * 300
    assert town.night() == []
    folder = town.world.settings.outbox / "2025-03-09" / "slack"
    names = sorted(each.name for each in folder.iterdir())
    hashed = [name for name in names if name.startswith("digest-_")]
    assert (len(names), len(hashed), "digest-payments" in names) == (4, 1, True)
    for name in names:
        payload = json.loads((folder / name / "message.json").read_text(encoding="utf-8"))
        assert ({*payload}, payload["channel"]) == ({"channel", "text", "blocks"}, town.channel)
    assert slack.log == []


def test_an_outbox_that_cannot_be_written_is_a_sentence_and_fails_no_night(new_town: NewTown) -> None:
    town = new_town(slack_settings={"token": None})
    town.world.settings.outbox.parent.mkdir(parents=True)
    town.world.settings.outbox.touch()
    (problem,) = town.night()
    assert problem.startswith("Cannot write to ")
    assert town.state == "pending"


def test_what_slack_could_not_be_told_stands_at_the_asset_which_succeeds(new_town: NewTown, slack: SlackServer) -> None:
    import dagster as dg

    from dagster_project.defs.partitions import daily
    from dagster_project.defs.proposals import proposal_assets

    town = new_town()
    slack.begin_outage()
    town.night(is_dry_run=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        outcome = dg.materialize(
            proposal_assets(daily(town.world.settings.first_day)),
            selection="approval_requests",
            partition_key="2025-03-09",
            resources={"runtime": town.world.runtime()},
        )
    (found,) = outcome.asset_materializations_for_node("approval_requests")
    assert (outcome.success, town.state) == (True, "pending")
    assert str(found.metadata["problems"].value).count("Slack did not answer (RemoteDisconnected)") == 2


def test_digests_of_owners_whose_names_begin_alike_are_told_apart(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    town.ask("one", owner="pay%")
    town.deliver(DAY)
    town.ask("two", owner="pay%")
    town.ask("three", owner="pay%:2025")
    slack.faults.add(Fault(POST, "ratelimited", retry_after=100, after_skipping=2))
    assert len(town.deliver(DAY + timedelta(days=1))) == 1
    assert town.deliver(DAY + timedelta(days=2)) == []
    assert [each.text.removeprefix("Nightshift, 2025-03-") for each in town.ours("digest")] == [
        "09: pay%: 1 waiting for an answer",
        "10: pay%:2025: 1 waiting for an answer",
        "11: pay%: 2 waiting for an answer",
    ]
