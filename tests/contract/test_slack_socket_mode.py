"""The fake Slack's Socket Mode, driven by the real client: delivery, acknowledgement, and all ways in which a connection ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as connect_directly

from tests.slack import Interaction, SlackServer, fixtures
from tests.slack.samples import modal, question

slack = fixtures.slack

Listener = Callable[[BaseSocketModeClient, SocketModeRequest], None]


class App:
    """The real client with a listener that keeps what came and answers with what a test puts down."""

    def __init__(self, slack: SlackServer) -> None:
        self.answer: Any = None
        self.acknowledges = True
        self.requests: list[SocketModeRequest] = []
        self.messages: list[str] = []
        self.came = threading.Condition()
        web = WebClient(base_url=slack.url, retry_handlers=[])
        # The interval is how soon the client finds out that a connection ended without a word.
        self.client = SocketModeClient(
            slack.app_token, web_client=web, ping_interval=0.05, on_message_listeners=[self.messages.append]
        )
        self.client.socket_mode_request_listeners.append(self._listen)

    def _listen(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        with self.came:
            self.requests.append(request)
            self.came.notify_all()
        if self.acknowledges:
            client.send_socket_mode_response(SocketModeResponse(request.envelope_id, self.answer))

    def wait_for_requests(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, 10)

    def stop(self) -> None:
        """Closes the client: while no connection is being replaced (it would raise), and without its waits (three seconds for
        bytes, one for a message)."""
        client = self.client
        with client.connect_operation_lock:
            client.auto_reconnect_enabled = client.default_auto_reconnect_enabled = False
            client.closed = True
        client.enqueue_message("")
        client.current_session_runner.event.set()
        client.current_session_state.terminated = True
        client.current_session_runner.thread.join(10)
        client.close()


@pytest.fixture
def app(slack: SlackServer) -> Iterator[App]:
    running = App(slack)
    running.client.connect()
    slack.socket.wait_for_link()
    yield running
    running.stop()


@pytest.fixture
def anna(slack: SlackServer) -> str:
    return slack.add_user("anna", "anna@example.com")


@pytest.fixture
def click(slack: SlackServer, anna: str) -> Callable[..., Interaction]:
    """Clicks on a message that is there."""
    channel = slack.add_channel("approvals", [anna])
    client = WebClient(slack.bot_token, base_url=slack.url)
    ts = client.chat_postMessage(channel=channel, text="Shrink?", blocks=question())["ts"]
    return lambda action_id="approve", value=None: slack.people.click(anna, ts, channel, action_id, value)


@pytest.fixture
def view_id(slack: SlackServer, click: Callable[..., Interaction]) -> str:
    client = WebClient(slack.bot_token, base_url=slack.url)
    return client.views_open(trigger_id=click("reject").trigger_id, view=modal())["view"]["id"]


def test_a_click_comes_in_an_envelope_and_is_acknowledged(
    slack: SlackServer, app: App, click: Callable[..., Interaction]
) -> None:
    interaction = click()
    envelope_id = slack.socket.deliver(interaction)
    ack = slack.socket.wait_for_ack(envelope_id)
    assert (ack.envelope_id, ack.payload, ack.link.number) == (envelope_id, None, 1)
    (request,) = app.requests
    assert (request.type, request.envelope_id, request.accepts_response_payload) == ("interactive", envelope_id, True)
    assert (request.payload, request.retry_attempt) == (interaction.payload, None)
    assert (interaction.outcome, slack.socket.unacknowledged) == ("done", [])


def test_the_first_that_comes_is_a_hello(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    slack.socket.wait_for_ack(slack.socket.deliver(click()))
    assert '"type": "hello"' in app.messages[0]
    assert f'"app_id": "{slack.app.id}"' in app.messages[0]
    assert '"num_connections": 1' in app.messages[0]


def test_the_hello_can_be_left_out(slack: SlackServer, click: Callable[..., Interaction]) -> None:
    slack.socket.says_hello = False
    app = App(slack)
    app.client.connect()
    slack.socket.wait_for_link()
    slack.socket.wait_for_ack(slack.socket.deliver(click()))
    app.stop()
    assert ['"type": "interactive"' in each for each in app.messages if each] == [True]


@pytest.mark.parametrize(
    ("answer", "outcome", "open_views"),
    [
        (None, "closed", 0),
        ({"response_action": "errors", "errors": {"reason": "Say more"}}, "errors", 1),
        ({"response_action": "update", "view": modal()}, "update", 1),
        ({"response_action": "clear"}, "clear", 0),
    ],
)
def test_a_submission_is_answered_with_the_acknowledgement(
    slack: SlackServer, app: App, anna: str, view_id: str, answer: Any, outcome: str, open_views: int
) -> None:
    app.answer = answer
    submission = slack.people.submit(anna, view_id, {"reason": "Peak season"})
    ack = slack.socket.wait_for_ack(slack.socket.deliver(submission))
    assert (ack.payload, submission.outcome, len(slack.views)) == (answer, outcome, open_views)


def test_a_wrong_answer_leaves_the_view_open(slack: SlackServer, app: App, anna: str, view_id: str) -> None:
    app.answer = {"response_action": "errors", "errors": {"header": "No"}}
    submission = slack.people.submit(anna, view_id, {"reason": "Peak season"})
    slack.socket.wait_for_ack(slack.socket.deliver(submission))
    assert (submission.outcome, len(slack.views)) == ("failed", 1)
    assert slack.unexpected == ["answer to view_submission: errors for what is no input block: header"]
    slack.unexpected.clear()


@pytest.mark.parametrize(("seconds", "outcome", "open_views"), [(3, "closed", 0), (3.001, "late", 1)])
def test_an_answer_after_three_seconds_is_late(
    slack: SlackServer, app: App, anna: str, view_id: str, seconds: float, outcome: str, open_views: int
) -> None:
    submission = slack.people.submit(anna, view_id, {"reason": "Peak season"})
    app.acknowledges = False
    envelope_id = slack.socket.deliver(submission)
    app.wait_for_requests(1)
    slack.clock.advance(seconds)
    app.client.send_socket_mode_response({"envelope_id": envelope_id})
    slack.socket.wait_for_ack(envelope_id)
    assert (submission.outcome, len(slack.views)) == (outcome, open_views)


def test_only_the_first_answer_counts(slack: SlackServer, app: App, anna: str, view_id: str) -> None:
    submission = slack.people.submit(anna, view_id, {"reason": "Peak season"})
    app.acknowledges = False
    envelope_id = slack.socket.deliver(submission)
    errors = {"response_action": "errors", "errors": {"reason": "Say more"}}
    app.client.send_socket_mode_response({"envelope_id": envelope_id, "payload": errors})
    app.client.send_socket_mode_response({"envelope_id": envelope_id})
    assert slack.socket.wait_for_ack(envelope_id, count=2).payload is None
    assert (submission.outcome, len(slack.views)) == ("errors", 1)


def test_an_envelope_can_come_twice(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    envelope_id = slack.socket.deliver(click(), times=2)
    slack.socket.wait_for_ack(envelope_id, count=2)
    assert [each.envelope_id for each in app.requests] == [envelope_id] * 2
    assert app.requests[0].payload == app.requests[1].payload


def test_what_was_lost_or_not_acknowledged_can_come_again(
    slack: SlackServer, app: App, click: Callable[..., Interaction]
) -> None:
    lost = slack.socket.lose(click())
    app.acknowledges = False
    ignored = slack.socket.deliver(click())
    app.wait_for_requests(1)
    assert slack.socket.unacknowledged == [lost, ignored]
    app.acknowledges = True
    for envelope_id in (lost, ignored):
        slack.socket.redeliver(envelope_id, reason="timeout")
        slack.socket.wait_for_ack(envelope_id)
    found = [(each.envelope_id, each.retry_attempt, each.retry_reason) for each in app.requests]
    assert found == [(ignored, None, None), (lost, 1, "timeout"), (ignored, 1, "timeout")]
    with pytest.raises(AssertionError, match="was acknowledged"):
        slack.socket.redeliver(lost)


def test_a_wait_for_what_does_not_come_is_given_up(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    lost = slack.socket.lose(click())
    with pytest.raises(AssertionError, match=f"no 1 acknowledgements of {lost} within 0 seconds"):
        slack.socket.wait_for_ack(lost, timeout=0)


def test_an_acknowledgement_of_nothing_is_said_aloud(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    app.client.send_socket_mode_response({"envelope_id": "unknown"})
    app.client.send_socket_mode_response({"ok": True})
    slack.socket.wait_for_ack(slack.socket.deliver(click()))
    assert len(slack.unexpected) == 2
    slack.unexpected.clear()


def test_pings_are_answered(slack: SlackServer, app: App) -> None:
    assert slack.socket.wait_for_link().ping()


def test_a_refresh_brings_a_new_connection_while_the_old_one_still_delivers(
    slack: SlackServer, app: App, click: Callable[..., Interaction]
) -> None:
    first = slack.socket.wait_for_link()
    first.disconnect("refresh_requested")
    second = slack.socket.wait_for_link(2)
    # The client lets go of the old connection only when something comes, or after three seconds.
    first.drop()
    slack.socket.wait_until_gone(first)
    assert slack.socket.wait_for_ack(slack.socket.deliver(click())).link is second
    assert [each.method for each in slack.log if each.method.startswith("apps")] == ["apps.connections.open"] * 2


@pytest.mark.parametrize("end", ["drop", "close"])
def test_a_connection_that_ended_is_replaced(slack: SlackServer, app: App, click: Callable[..., Interaction], end: str) -> None:
    first = slack.socket.wait_for_link()
    app.acknowledges = False
    open_click = slack.socket.deliver(click())
    app.wait_for_requests(1)
    getattr(first, end)()
    slack.socket.wait_until_gone(first)
    app.acknowledges = True
    second = slack.socket.wait_for_link(2)
    slack.socket.redeliver(open_click, on=second)
    assert slack.socket.wait_for_ack(open_click).link is second
    assert app.requests[1].retry_attempt == 1


def test_a_warning_is_taken_like_a_refresh(slack: SlackServer, app: App) -> None:
    first = slack.socket.wait_for_link()
    first.disconnect("warning")
    assert slack.socket.wait_for_link(2).number == 2
    first.drop()
    slack.socket.wait_until_gone(first)


def test_a_ticket_lets_in_once(slack: SlackServer) -> None:
    address = WebClient(base_url=slack.url).apps_connections_open(app_token=slack.app_token)["url"]
    with connect_directly(address) as connection:
        assert '"hello"' in str(connection.recv(timeout=10))
        with pytest.raises(InvalidStatus, match="403"):
            connect_directly(address)
    with pytest.raises(InvalidStatus, match="403"):
        connect_directly(address.partition("?")[0])


def test_an_outage_lets_nobody_in(slack: SlackServer) -> None:
    address = WebClient(base_url=slack.url).apps_connections_open(app_token=slack.app_token)["url"]
    slack.begin_outage()
    with pytest.raises(InvalidStatus, match="503"):
        connect_directly(address)
    slack.end_outage()
    with connect_directly(address) as connection:
        assert '"hello"' in str(connection.recv(timeout=10))


def test_nothing_is_delivered_where_no_app_is_connected(slack: SlackServer, click: Callable[..., Interaction]) -> None:
    with pytest.raises(AssertionError, match="No app is connected"):
        slack.socket.deliver(click())


def test_two_apps_share_what_comes(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    other = App(slack)
    other.client.connect()
    second = slack.socket.wait_for_link(2)
    first = slack.socket.wait_for_link(1)
    assert slack.socket.wait_for_ack(slack.socket.deliver(click(), on=first)).link is first
    assert slack.socket.wait_for_ack(slack.socket.deliver(click())).link is second
    assert (len(app.requests), len(other.requests)) == (1, 1)
    other.stop()


def test_an_outage_ends_connections_until_it_is_over(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    first = slack.socket.wait_for_link()
    slack.begin_outage()
    slack.socket.wait_until_gone(first)
    slack.end_outage()
    second = slack.socket.wait_for_link(2)
    assert slack.socket.wait_for_ack(slack.socket.deliver(click())).link is second


def test_an_error_in_a_listener_stops_neither_the_others_nor_the_client(
    slack: SlackServer, app: App, click: Callable[..., Interaction]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a listener's own")

    app.client.socket_mode_request_listeners.insert(0, fail)
    for _ in range(2):
        slack.socket.wait_for_ack(slack.socket.deliver(click()))
    assert len(app.requests) == 2


def test_listeners_run_in_threads_of_their_own(slack: SlackServer, app: App, click: Callable[..., Interaction]) -> None:
    """Ten at a time, so that one that waits holds up no other."""
    both = threading.Barrier(2, timeout=10)
    app.client.socket_mode_request_listeners.insert(0, lambda *_: both.wait())
    envelopes = [slack.socket.deliver(click()) for _ in range(2)]
    for envelope_id in envelopes:
        slack.socket.wait_for_ack(envelope_id)
    assert (both.broken, len(app.requests)) == (False, 2)


def test_a_first_connection_that_is_refused_is_an_error_for_the_app(slack: SlackServer) -> None:
    slack.end_token("token_revoked", slack.app_token)
    app = App(slack)
    with pytest.raises(SlackApiError) as problem:
        app.client.connect()
    assert problem.value.response["error"] == "token_revoked"
    app.stop()
