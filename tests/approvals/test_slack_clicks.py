"""What people do in Slack counts as any other answer, once, if they may; and everybody is told what became of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from dagster_project.errors import CloudError, SourceUnavailable
from dagster_project.pipeline import slack_answers
from dagster_project.pipeline.applying import apply_approved
from dagster_project.pipeline.approval_answers import approve
from dagster_project.settings_acting import Approver
from tests.approval_builders import ANA, BEN, actor
from tests.approvals import slack_world
from tests.approvals.slack_world import PATIENCE, NewTown, SlackWorld, listening_by
from tests.conftest import query
from tests.slack import Fault, SlackServer
from tests.slack.models import View

slack, new_town = slack_world.slack, slack_world.new_town

WAYS = pytest.mark.parametrize("way", ["socket", "http"])
NOBODY = "is no approver; the settings name who is."
FORGED = "This button is not one of ours, or is out of date; use the newest message of the request."
FOLLOW_UP = "chat.postEphemeral"


@pytest.fixture
def town(new_town: NewTown) -> SlackWorld:
    """A workspace in which one change of low risk is asked for."""
    found = new_town()
    found.ask()
    found.deliver()
    return found


def add_approvers_by_group(town: SlackWorld, group_members: list[str]) -> str:
    """Makes Ana and the members of a user group approvers, and says the group's id."""
    group = town.slack.add_group("approvers", group_members)
    town.world.approvals |= {"slack_group": group, "approvers": (Approver(email="ana@example.com", slack=town.ana),)}
    return group


def dialog(town: SlackWorld) -> View:
    """The dialog that is open."""
    (found,) = town.slack.views
    return found


def answers_of(town: SlackWorld) -> list[tuple[Any, ...]]:
    """What is remembered of each resource."""
    rows = query(town.world.dsn, "select * from nightshift.proposal_answers order by resource_id")
    return [(row["resource_id"], row["kind"], row["actor"], row["reason"], row["until"]) for row in rows]


@WAYS
def test_approvers_are_known_by_their_slack_id_and_by_their_address(new_town: NewTown, way: str) -> None:
    town = new_town(approvals={"low": 2})
    request_id = town.ask()
    town.deliver()
    with listening_by(way, town) as listener:
        for user in (town.ana, town.ben):
            assert listener.send(town.click(user)).outcome == "done"
    assert town.events()[1:] == [
        ("approval", "ana@example.com", "slack"),
        ("approval", "ben@example.com", "slack"),
        ("approved", "ben@example.com", "slack"),
    ]
    assert town.answers(town.ana) == ["Approved by ana@example.com; 1 more person must approve (2 for low risk)."]
    assert town.answers(town.ben) == ["Approved by ben@example.com; it may be applied until 2025-03-17 02:00 UTC."]
    assert (town.request.action_ids, town.request.changes) == (["nightshift_reject", "nightshift_snooze"], 2)
    assert f"`{request_id}`, revision 1, approved by ana@example.com (slack), ben@" in slack_world.shown(town.request)
    # Who is listed by their Slack id need not be looked up.
    assert [each.params["user"] for each in town.slack.requests("users.info")] == [town.ben]
    assert town.told.lines == []


@WAYS
def test_members_of_a_group_are_approvers_as_long_as_they_are_in_it(new_town: NewTown, way: str) -> None:
    town = new_town(approvals={"low": 2})
    dora, emil = (town.slack.add_user(name, f"{name.capitalize()}@Example.com") for name in ("dora", "emil"))
    for user in (dora, emil):
        town.slack.people.join(user, town.channel)
    group = add_approvers_by_group(town, [dora, emil])
    town.ask()
    town.deliver()
    clicks = [town.click(user) for user in (dora, emil)]
    town.slack.people.change_group(group, [dora])
    with listening_by(way, town) as listener:
        for each in clicks:
            assert listener.send(each).outcome == "done"
    assert town.answers(dora) == ["Approved by dora@example.com; 1 more person must approve (2 for low risk)."]
    assert town.answers(emil) == [f"emil@example.com {NOBODY}"]
    assert (town.state, town.events()[1:]) == ("pending", [("approval", "dora@example.com", "slack")])


@WAYS
def test_who_is_no_approver_at_this_moment_is_refused_and_told(town: SlackWorld, slack: SlackServer, way: str) -> None:
    """Most of them have the address of somebody who is one."""
    robot = slack.add_user("robot", "ben@example.com", is_bot=True)
    nameless = slack.add_user("nameless")
    guest = slack.add_user("guest", "ben@example.com", team_id="T0ELSEWHERE")
    gone = slack.add_user("gone", "ben@example.com")
    for user in (robot, nameless, guest, gone):
        slack.people.join(user, town.channel)
    clicks = [town.click(user) for user in (town.carl, robot, nameless, guest, gone)]
    slack.people.deactivate(gone)
    with listening_by(way, town) as listener:
        for each in clicks:
            assert listener.send(each).outcome == "done"
    assert {each.user: each.text for each in slack.workspace.ephemerals} == {
        town.carl: f"carl@example.com {NOBODY}",
        robot: f"robot {NOBODY}",
        nameless: f"nameless {NOBODY}",
        guest: f"guest {NOBODY}",
    }
    # Whom Slack does not let see an answer, the listener says it of.
    assert town.told.lines == [f"Slack: {gone} could not be told (Slack refused (user_not_in_channel).)"]
    assert (town.state, len(town.events())) == ("pending", 1)


def test_an_address_of_somebody_with_another_slack_id_makes_nobody_an_approver(town: SlackWorld, slack: SlackServer) -> None:
    twin = slack.add_user("twin", "ana@example.com")
    slack.people.join(twin, town.channel)
    with listening_by("http", town) as listener:
        listener.send(town.click(twin))
        slack.set_scopes(remove=["users:read"])
        listener.send(town.click(town.ben))
    assert town.answers(twin) == [f"ana@example.com {NOBODY}"]
    said = "It was not noted; click again. Slack asks for the scope users:read; add it to the app and install it again."
    assert (town.answers(town.ben), town.state) == ([said], "pending")


@WAYS
def test_every_click_that_comes_too_late_or_is_forged_is_refused_with_a_reason(new_town: NewTown, way: str) -> None:
    town = new_town()
    request_id = town.ask()
    town.deliver()
    old = town.request.blocks[3]["elements"][0]["value"]
    town.revise(request_id, "m5.large")
    new = town.request.blocks[3]["elements"][0]["value"]
    told = []
    switch = town.world.settings.home / "kill_switch"
    with listening_by(way, town) as listener:

        def refused(answer: str = "approve", value: str | None = None, user: str = town.ana) -> None:
            assert listener.send(town.click(user, answer, value)).outcome == "done"
            told.append(town.answers(user)[-1])

        refused(value=old)
        refused("reject", old)
        refused(value=new[:-1] + ("0" if new[-1] != "0" else "1"))
        refused(value=f"{new.replace('.2.', '.1.')}")
        refused("snooze", "approve everything")
        switch.parent.mkdir()
        switch.touch()
        refused()
        switch.unlink()
        refused("reject", user=town.carl)
        town.world.clock.at += timedelta(hours=72)
        refused()
        slack_world.expire(town)
        refused(value=new)
        refused("reject", new)
    assert told == [
        "The plan has changed since (revision 2 now); look at it and approve it anew.",
        "The plan has changed since (revision 2 now); look at it and answer anew.",
        FORGED,
        FORGED,
        FORGED,
        "A kill switch is on: nothing is approved meanwhile.",
        f"carl@example.com {NOBODY}",
        "It expired on 2025-03-13 02:00 UTC.",
        "It is expired (nobody answered in time).",
        "It is expired (nobody answered in time).",
    ]
    assert ([kind for kind, *_ in town.events()], town.slack.views) == (["opened", "revised", "expired"], [])


@WAYS
def test_a_click_that_comes_twice_approves_once(town: SlackWorld, way: str) -> None:
    with listening_by(way, town) as listener:
        listener.send(town.click(town.ana), times=2)
    assert [kind for kind, *_ in town.events()] == ["opened", "approval", "approved"]
    assert sorted(each.partition(";")[0] for each in town.answers(town.ana)) == [
        "Approved by ana@example.com",
        "It is approved already.",
    ]
    assert (town.slack.posts, town.request.action_ids) == (1, ["nightshift_reject", "nightshift_snooze"])


def test_a_click_that_never_came_changes_nothing_and_counts_when_it_comes(town: SlackWorld) -> None:
    with listening_by("socket", town) as listener:
        lost = town.slack.socket.lose(town.click(town.ana))
        listener.send(town.click(town.carl))
        assert (town.state, town.slack.socket.unacknowledged) == ("pending", [lost])
        town.slack.socket.redeliver(lost)
        town.slack.socket.wait_for_ack(lost)
        listener.wait(2)
    assert town.state == "approved"


@WAYS
def test_a_click_that_could_not_be_worked_on_is_not_acknowledged_and_counts_when_it_comes_again(
    town: SlackWorld, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Slack shows whoever clicked that it failed."""
    with listening_by(way, town) as listener:
        click = town.click(town.ana)
        with monkeypatch.context() as patched:
            patched.setattr(slack_answers, "in_state", lambda *_: 1 / 0)
            envelope_id = listener.offer(click, is_acknowledged=False)
            listener.wait(1)
        assert (click.outcome, town.state) == (None if way == "socket" else "failed", "pending")
        said = "A click could not be worked on (ZeroDivisionError); whoever clicked sees that it failed."
        assert town.told.lines == [said]
        if way == "socket":
            assert town.slack.socket.unacknowledged == [envelope_id]
            town.slack.socket.redeliver(envelope_id)
            listener.wait(2)
        else:
            listener.send(click)
    assert (click.outcome, town.state) == ("done", "approved")


def test_two_people_who_approve_at_once_are_two(new_town: NewTown, monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town(approvals={"high_risk_beyond_slack": False})
    town.ask(risk="high")
    town.deliver()
    both, answer = threading.Barrier(2), slack_answers.answer

    async def answer_together(*arguments: Any) -> Any:
        both.wait(PATIENCE)
        return await answer(*arguments)

    monkeypatch.setattr(slack_answers, "answer", answer_together)
    with listening_by("socket", town) as listener:
        clicks = [town.click(user) for user in (town.ana, town.ben)]
        senders = [threading.Thread(target=listener.offer, args=(click,)) for click in clicks]
        for each in senders:
            each.start()
        for each in senders:
            each.join()
        listener.wait(2)
    assert [each.outcome for each in clicks] == ["done", "done"]
    kinds = [kind for kind, *_ in town.events()]
    assert (kinds, {who for kind, who, _ in town.events() if kind == "approval"}) == (
        ["opened", "approval", "approval", "approved"],
        {"ana@example.com", "ben@example.com"},
    )
    said = [answer for user in (town.ana, town.ben) for answer in town.answers(user)]
    assert sorted(each.partition("; ")[2] for each in said) == [
        "1 more person must approve (2 for high risk).",
        "it may be applied until 2025-03-17 02:00 UTC.",
    ]
    assert (town.request.action_ids, town.slack.posts) == (["nightshift_reject", "nightshift_snooze"], 1)


def test_for_high_risk_one_approval_must_come_from_beyond_slack(new_town: NewTown) -> None:
    town = new_town()
    request_id = town.ask(risk="high")
    town.deliver()
    beyond = "one approval of high risk must come from GitHub or the command line"
    with listening_by("http", town) as listener:
        listener.send(town.click(town.ana))
        listener.send(town.click(town.ben))
        assert (town.state, town.answers(town.ben)) == ("pending", [f"Approved by ben@example.com; {beyond}."])
        assert f"{beyond}  ·  answer until" in slack_world.shown(town.request)
        approve(town.world.runtime(), request_id, actor(BEN))
        assert town.state == "approved"


def test_approvals_of_one_person_from_two_places_are_one_persons(new_town: NewTown) -> None:
    town = new_town()
    request_id = town.ask(risk="high")
    town.deliver()
    approve(town.world.runtime(), request_id, actor(ANA))
    with listening_by("http", town) as listener:
        listener.send(town.click(town.ana))
    said = "Approved by ana@example.com; 1 more person must approve (2 for high risk)."
    assert (town.answers(town.ana), town.state) == ([said], "pending")


@WAYS
def test_what_is_acknowledged_was_decided_before(town: SlackWorld, way: str) -> None:
    told = threading.Event()
    town.slack.faults.add(Fault(FOLLOW_UP, "callback", callback=lambda: told.wait(PATIENCE)))
    with listening_by(way, town) as listener:
        click = town.click(town.ana)
        listener.offer(click)
        assert (click.outcome, town.state, town.answers(town.ana)) == ("done", "approved", [])
        told.set()
        listener.wait(1)
    assert len(town.answers(town.ana)) == 1


@pytest.mark.parametrize(("way", "who"), [("socket", "ben"), ("http", "ben"), ("socket", "carl")])
def test_a_click_is_acknowledged_in_time_however_slow_slack_is_and_decided_after_it(
    town: SlackWorld, monkeypatch: pytest.MonkeyPatch, way: str, who: str
) -> None:
    """Slack's own request hangs until the click is acknowledged: whoever waited for it would be too late."""
    assert slack_answers._DECIDED_WITHIN < 3
    monkeypatch.setattr(slack_answers, "_DECIDED_WITHIN", 0.01)
    acknowledged = threading.Event()
    town.slack.faults.add(Fault("users.info", "callback", callback=lambda: acknowledged.wait(PATIENCE)))
    with listening_by(way, town) as listener:
        click = town.click({"ben": town.ben, "carl": town.carl}[who])
        listener.offer(click)
        assert (click.outcome, town.state) == ("done", "pending")
        acknowledged.set()
        listener.wait(1)
    (answer,) = town.answers(town.ben if who == "ben" else town.carl)
    assert (town.state, answer.partition(";")[0]) == {
        "ben": ("approved", "Approved by ben@example.com"),
        "carl": ("pending", "carl@example.com is no approver"),
    }[who]
    assert town.told.lines == []


@WAYS
def test_a_dialog_that_cannot_be_decided_in_time_is_closed_and_answered_after_it(
    town: SlackWorld, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    acknowledged = threading.Event()
    with listening_by(way, town) as listener:
        listener.send(town.click(town.ben, "reject"))
        monkeypatch.setattr(slack_answers, "_DECIDED_WITHIN", 0.01)
        town.slack.faults.add(Fault("users.info", "callback", callback=lambda: acknowledged.wait(PATIENCE)))
        town.slack.people.change_email(town.ben, "someone@example.com")
        submission = town.slack.people.submit(town.ben, dialog(town).id, {"reason": "Peak season"})
        listener.offer(submission)
        assert (submission.outcome, town.slack.views) == ("closed", [])
        acknowledged.set()
        listener.wait(2)
    assert (town.answers(town.ben), town.state) == ([f"someone@example.com {NOBODY}"], "pending")


def test_a_late_decision_that_fails_is_told_as_well(town: SlackWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged = threading.Event()

    async def fail(*_: Any) -> Any:
        raise RuntimeError("a secret of nobody's business")

    monkeypatch.setattr(slack_answers, "_DECIDED_WITHIN", 0.01)
    monkeypatch.setattr(slack_answers, "answer", fail)
    town.slack.faults.add(Fault("users.info", "callback", callback=lambda: acknowledged.wait(PATIENCE)))
    with listening_by("socket", town) as listener:
        listener.offer(town.click(town.ben))
        acknowledged.set()
        listener.wait(1)
    (said,) = town.answers(town.ben)
    assert said.startswith("It was not noted: something went wrong here. Click again;")
    assert town.told.lines == ["What follows a click failed (RuntimeError); the next run brings Slack up to date."]


def test_a_database_that_was_away_is_told_of_and_asked_anew_at_the_next_click(
    town: SlackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise SourceUnavailable("PostgreSQL did not answer.")

    with listening_by("http", town) as listener:
        with monkeypatch.context() as patched:
            patched.setattr("dagster_project.sources.postgres.open_connection", away)
            listener.send(town.click(town.ana))
        assert town.answers(town.ana) == ["It was not noted; click again. PostgreSQL did not answer."]
        listener.send(town.click(town.ana))
    assert town.state == "approved"


@WAYS
def test_a_rejection_needs_a_reason_and_holds_for_each_resource(new_town: NewTown, way: str) -> None:
    town = new_town()
    town.ask(names=("i-1", "i-2"))
    town.deliver()
    with listening_by(way, town) as listener:
        assert listener.send(town.click(town.ben, "reject")).outcome == "done"
        view = dialog(town)
        assert (view.user, view.content["title"]["text"], [*view.inputs]) == (town.ben, "Reject it", ["reason"])
        about = "i-1, i-2\nEach of them is not proposed again unless its evidence changes."
        assert view.content["blocks"][0]["text"]["text"] == about
        empty = listener.send(town.slack.people.submit(town.ben, view.id, {"reason": " \n "}))
        assert (empty.outcome, view.errors) == ("errors", {"reason": "Say why, so that nobody has to ask again."})
        assert (town.state, answers_of(town)) == ("pending", [])
        given = listener.send(town.slack.people.submit(town.ben, view.id, {"reason": "Peak season <!channel>"}))
    assert (given.outcome, town.slack.views) == ("closed", [])
    said = ("rejected", "ben@example.com", "Peak season <!channel>", None)
    assert answers_of(town) == [("i-1", *said), ("i-2", *said)]
    assert (town.answers(town.ben), town.request.action_ids) == (["rejected by ben@example.com."], [])
    assert "*Rejected*  ·  Peak season &lt;!channel&gt;" in slack_world.shown(town.request)


@WAYS
def test_a_snooze_names_a_day(town: SlackWorld, way: str) -> None:
    with listening_by(way, town) as listener:
        listener.send(town.click(town.ana, "snooze"))
        view = dialog(town)
        assert ([*view.inputs], view.content["title"]["text"]) == (["days", "reason"], "Put it off")
        assert view.content["blocks"][0]["text"]["text"] == "i-1\nIt is put off."
        options = view.inputs["days"]["element"]["options"]
        assert [each["value"] for each in options] == ["7", "14", "30", "90"]
        listener.send(town.slack.people.submit(town.ana, view.id, {"days": "7", "reason": "A launch"}))
    assert town.slack.views == []
    ((name, kind, who, reason, until),) = answers_of(town)
    assert (name, kind, who, reason, str(until)) == ("i-1", "snoozed", "ana@example.com", "A launch", "2025-03-17")
    assert town.answers(town.ana) == ["snoozed by ana@example.com until 2025-03-17."]
    assert "*Snoozed*  ·  A launch" in slack_world.shown(town.request)


def test_the_nights_after_a_no_do_not_ask_again_until_it_holds_no_more(new_town: NewTown) -> None:
    town = new_town("i-1", "i-2")
    town.world.machines["i-2"].service = "order-api"
    town.night()
    first = {each.text: each for each in town.ours("request")}
    with listening_by("socket", town) as listener:
        for service, answer, values in (("payment-api", "reject", {}), ("order-api", "snooze", {"days": "7"})):
            message = first[f"Shrink 1 resource of {service} in staging: pending"]
            listener.send(town.slack.people.click(town.ana, message.ts, town.channel, f"nightshift_{answer}"))
            listener.send(town.slack.people.submit(town.ana, dialog(town).id, {"reason": "A launch", **values}))
    assert [each[:2] for each in answers_of(town)] == [("i-1", "rejected"), ("i-2", "snoozed")]
    asked = []
    for day in (10, 16, 17):
        town.world.day = slack_world.START.date().replace(day=day)
        assert town.night() == []
        asked.append([row["service"] for row in town.world.requests().values() if row["state"] == "pending"])
    assert asked == [[], [], ["order-api"]]


def test_a_no_to_what_is_being_applied_keeps_what_has_not_begun_from_beginning(new_town: NewTown) -> None:
    town = new_town("i-1", "i-2")
    town.night()
    approve(town.world.runtime(), "i-1", actor())

    def lost(when: str, call: str) -> None:
        raise CloudError("EC2 did not answer.")

    town.world.cloud.hook = lambda when, call: lost(when, call) if (when, call) == ("before", "stop") else None
    apply_approved(town.world.runtime())
    town.deliver()
    with listening_by("socket", town) as listener:
        listener.send(town.click(town.ben, "reject"))
        listener.send(town.slack.people.submit(town.ben, dialog(town).id, {"reason": "Not now"}))
    assert town.answers(town.ben) == ["It is being applied: what has begun goes on, and what has not will not begin."]
    assert (town.state, [each[:2] for each in answers_of(town)]) == ("executing", [("i-1", "rejected"), ("i-2", "rejected")])


def test_a_dialog_that_is_refused_says_why_where_it_was_filled_in(new_town: NewTown, slack: SlackServer) -> None:
    town = new_town()
    dora = slack.add_user("dora", "dora@example.com")
    slack.people.join(dora, town.channel)
    group = add_approvers_by_group(town, [dora])
    request_id = town.ask()
    town.deliver()
    told = []
    with listening_by("socket", town) as listener:

        def submit() -> None:
            view = dialog(town)
            sent = listener.send(slack.people.submit(dora, view.id, {"reason": "Peak season"}))
            told.append((sent.outcome, view.errors))
            view.errors = {}

        listener.send(town.click(dora, "reject"))
        slack.people.change_group(group, [])
        submit()
        slack.people.change_group(group, [dora])
        dialog(town).content["private_metadata"] = '{"token": "apr-000000000000.1.a.b"}'
        submit()
        dialog(town).content["private_metadata"] = "no json"
        submit()
        slack.people.close(dora, dialog(town).id)
        listener.send(town.click(dora, "reject"))
        town.revise(request_id, "m5.large")
        submit()
        slack.people.close(dora, dialog(town).id)
        listener.send(town.click(dora, "reject"))
        town.world.clock.at += timedelta(hours=73)
        slack_world.expire(town)
        submit()
    changed = "The plan has changed since (revision 2 now); look at it and answer anew."
    assert told == [
        ("errors", {"reason": f"dora@example.com {NOBODY}"}),
        ("errors", {"reason": FORGED}),
        ("errors", {"reason": FORGED}),
        ("errors", {"reason": changed}),
        ("errors", {"reason": "It is expired (nobody answered in time)."}),
    ]
    assert ([kind for kind, *_ in town.events()], answers_of(town)) == (["opened", "revised", "expired"], [])


def test_a_click_on_reject_that_comes_twice_opens_one_dialog_and_tells_no_error(town: SlackWorld) -> None:
    with listening_by("socket", town) as listener:
        assert listener.send(town.click(town.ana, "reject"), times=2).outcome == "done"
    assert (len(town.slack.views), town.answers(town.ana)) == (1, [])


def test_a_dialog_that_slack_does_not_open_any_more_is_answered(town: SlackWorld) -> None:
    with listening_by("http", town) as listener:
        click = town.click(town.ana, "snooze")
        town.world.clock.at += timedelta(seconds=4)
        listener.send(click)
        town.slack.faults.add(Fault("views.open", "drop"))
        listener.send(town.click(town.ana, "reject"))
    assert town.answers(town.ana) == [
        "Slack opens a dialog only within three seconds, and they are over; click again.",
        "It was not noted; click again. Slack did not answer (RemoteDisconnected); whether it took the request is not known.",
    ]
    assert town.slack.views == []


def test_an_answer_that_got_lost_is_repeated_and_what_was_decided_stands(town: SlackWorld) -> None:
    with listening_by("http", town) as listener:
        town.slack.faults.add(Fault(FOLLOW_UP, "drop"), Fault("chat.update", "html", times=3))
        listener.send(town.click(town.ana))
    assert (len(town.answers(town.ana)), town.state, town.request.changes) == (1, "approved", 0)
    assert len(town.told.lines) == 1
    assert town.told.lines[0].endswith("Slack answered 200, and whether it took the request is not known.")
    assert (town.deliver(), town.request.changes) == ([], 1)


def test_what_is_none_of_ours_is_acknowledged_and_nothing_else(town: SlackWorld, slack: SlackServer) -> None:
    before = len(slack.log)
    with listening_by("http", town) as listener:
        for change in ({"type": "shortcut"}, {"actions": []}, {"actions": [{"action_id": "somebody_elses", "value": "1"}]}):
            click = town.click(town.ana)
            click.payload.update(change)
            assert listener.send(click).outcome == "done"
    assert (town.state, town.answers(town.ana)) == ("pending", [])
    assert [each.method for each in slack.log[before:] if each.method != "apps.connections.open"] == []


def test_who_is_taken_off_the_list_is_no_approver_from_the_next_click_on(new_town: NewTown) -> None:
    """A listener runs for weeks; its settings are those of the moment."""
    town = new_town(approvals={"low": 2})
    town.ask()
    town.deliver()
    with listening_by("socket", town, renew=town.world.runtime) as listener:
        listener.send(town.click(town.ana))
        town.world.approvals |= {"approvers": (Approver(email="carl@example.com", slack=town.carl),)}
        listener.send(town.click(town.ben))
        listener.send(town.click(town.carl))
    assert [who for kind, who, _ in town.events() if kind == "approval"] == ["ana@example.com", "carl@example.com"]
    assert town.answers(town.ben) == [f"ben@example.com {NOBODY}"]
