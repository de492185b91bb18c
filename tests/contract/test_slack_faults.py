"""What goes wrong with the fake Slack on purpose, and what the real client makes of it."""

from __future__ import annotations

import threading
from http.client import IncompleteRead, RemoteDisconnected
from json import JSONDecodeError
from typing import Any
from urllib.error import URLError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry import ConnectionErrorRetryHandler, FixedValueRetryIntervalCalculator, RateLimitErrorRetryHandler
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler

from tests.slack import Clock, Fault, SlackServer, fixtures

slack = fixtures.slack

POST = "chat.postMessage"
AT_ONCE = FixedValueRetryIntervalCalculator(0)


@pytest.fixture
def channel(slack: SlackServer) -> str:
    return slack.add_channel("approvals")


def connect(slack: SlackServer, *handlers: Any, timeout: float = 10) -> WebClient:
    """A client that sends again only what the handlers say."""
    client = WebClient(slack.bot_token, base_url=slack.url, retry_handlers=list(handlers))
    client.timeout = timeout  # type: ignore[assignment]
    return client


def post(client: WebClient, channel: str) -> Any:
    return client.chat_postMessage(channel=channel, text="Shrink?")


def refused(client: WebClient, channel: str) -> Any:
    with pytest.raises(SlackApiError) as problem:
        post(client, channel)
    return problem.value.response


def test_the_usual_client_sends_a_message_twice_whose_answer_was_lost(slack: SlackServer, channel: str) -> None:
    usual = WebClient(slack.bot_token, base_url=slack.url).retry_handlers
    assert [(type(each), each.max_retry_count) for each in usual] == [(ConnectionErrorRetryHandler, 1)]
    slack.faults.add(Fault(POST, "drop", work_done=True))
    assert post(connect(slack, ConnectionErrorRetryHandler(interval_calculator=AT_ONCE)), channel)["ok"]
    assert ([each.text for each in slack.messages(channel)], slack.posts) == (["Shrink?", "Shrink?"], 2)
    assert [(each.status, each.fault) for each in slack.requests(POST)] == [(0, "drop"), (200, None)]


@pytest.mark.parametrize("work_done", [True, False])
@pytest.mark.parametrize(("kind", "problem"), [("drop", RemoteDisconnected), ("hang", TimeoutError)])
def test_without_handlers_it_is_sent_once(
    slack: SlackServer, channel: str, kind: str, problem: type[Exception], work_done: bool
) -> None:
    slack.faults.add(Fault(POST, kind, work_done=work_done))
    with pytest.raises(problem):
        post(connect(slack, timeout=0.05), channel)
    assert len(slack.wait_for_requests(POST)) == 1
    assert (len(slack.messages(channel)), slack.posts) == (int(work_done), int(work_done))
    assert [(each.kind, each.method) for each in slack.faults.fired] == [(kind, POST)]
    assert post(connect(slack), channel)["ok"]


def test_a_timeout_is_not_sent_again(slack: SlackServer, channel: str) -> None:
    slack.faults.add(Fault(POST, "hang", work_done=True))
    with pytest.raises(TimeoutError):
        post(connect(slack, ConnectionErrorRetryHandler(interval_calculator=AT_ONCE), timeout=0.05), channel)
    assert len(slack.wait_for_requests(POST)) == 1
    assert slack.posts == 1


def test_a_request_that_hangs_ends_with_the_server() -> None:
    problems: list[Exception] = []
    with SlackServer() as slack:
        channel, client = slack.add_channel("approvals"), connect(slack)
        slack.faults.add(Fault(POST, "hang"))

        def send() -> None:
            try:
                post(client, channel)
            except Exception as problem:
                problems.append(problem)

        thread = threading.Thread(target=send)
        thread.start()
        slack.wait_for_requests(POST)
    thread.join()
    assert [type(each) for each in problems] == [RemoteDisconnected]


@pytest.mark.parametrize("work_done", [True, False])
@pytest.mark.parametrize(("kind", "status"), [("server_error", 500), ("unavailable", 503), ("html", 200)])
def test_a_page_instead_of_json_is_an_error_that_shows_it(
    slack: SlackServer, channel: str, kind: str, status: int, work_done: bool
) -> None:
    slack.faults.add(Fault(POST, kind, work_done=work_done))
    found = refused(connect(slack), channel)
    assert found.status_code == status
    assert found["error"].startswith("Received a response in a non-JSON format: <!DOCTYPE html>")
    assert slack.posts == int(work_done)


@pytest.mark.parametrize("work_done", [True, False])
@pytest.mark.parametrize("error", ["internal_error", "fatal_error"])
def test_an_error_of_slacks_own_may_hide_that_the_work_was_done(
    slack: SlackServer, channel: str, error: str, work_done: bool
) -> None:
    slack.faults.add(Fault(POST, error, work_done=work_done))
    found = refused(connect(slack), channel)
    assert (found.status_code, found["error"]) == (200, error)
    assert slack.posts == int(work_done)


def test_half_an_answer_is_not_always_an_error_of_the_client(slack: SlackServer, channel: str) -> None:
    """Neither exception is among those that the client documents."""
    slack.faults.add(Fault(POST, "cut", work_done=True), Fault(POST, "truncated", work_done=True, times=2))
    with pytest.raises(IncompleteRead):
        post(connect(slack), channel)
    with pytest.raises(JSONDecodeError):
        post(connect(slack, ConnectionErrorRetryHandler(interval_calculator=AT_ONCE)), channel)
    assert refused(connect(slack), channel)["error"].startswith("Received a response in a non-JSON format")
    assert slack.posts == 3


def test_a_rate_limit_says_how_long_to_wait(slack: SlackServer, channel: str) -> None:
    slack.faults.add(Fault(POST, "ratelimited", retry_after=7))
    found = refused(connect(slack), channel)
    assert (found.status_code, found["error"], found.headers["Retry-After"]) == (429, "ratelimited", "7")
    assert slack.posts == 0


def test_handlers_for_limits_and_errors_have_to_be_added(
    slack: SlackServer, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("slack_sdk.http_retry.builtin_handlers.time.sleep", waits.append)
    limits, errors = RateLimitErrorRetryHandler(), ServerErrorRetryHandler(interval_calculator=AT_ONCE)
    slack.faults.add(Fault(POST, "ratelimited", retry_after=7))
    assert post(connect(slack, limits), channel)["ok"]
    assert [int(each) for each in waits] == [7]
    slack.faults.add(Fault(POST, "unavailable"))
    assert post(connect(slack, errors), channel)["ok"]
    # The handlers share their one further attempt.
    slack.faults.add(Fault(POST, "ratelimited"), Fault(POST, "unavailable"))
    assert refused(connect(slack, limits, errors), channel).status_code == 503
    assert slack.posts == 2


def test_faults_let_pass_and_strike_in_turn(slack: SlackServer, channel: str) -> None:
    client = connect(slack)
    slack.faults.add(Fault(POST, "internal_error", after_skipping=1, times=2), Fault("*", "fatal_error", after_skipping=3))
    answers = []
    for _ in range(5):
        try:
            answers.append(post(client, channel)["ok"])
        except SlackApiError as problem:
            answers.append(problem.response["error"])
    assert answers == [True, "internal_error", "internal_error", "fatal_error", True]
    slack.faults.add(Fault("*", "drop"))
    slack.faults.clear()
    assert client.auth_test()["ok"]


def test_something_can_happen_right_before_a_request(slack: SlackServer, channel: str) -> None:
    client = connect(slack)
    ts = post(client, channel)["ts"]
    slack.faults.add(Fault("chat.update", "callback", callback=lambda: slack.people.delete(channel, ts)))
    with pytest.raises(SlackApiError) as problem:
        client.chat_update(channel=channel, ts=ts, text="Approved")
    assert problem.value.response["error"] == "message_not_found"


def test_a_callback_may_ask_the_server_itself(slack: SlackServer, channel: str) -> None:
    client = connect(slack)
    slack.faults.add(Fault(POST, "callback", callback=lambda: post(connect(slack), channel)))
    post(client, channel)
    assert [each.text for each in slack.messages(channel)] == ["Shrink?", "Shrink?"]


def test_an_outage_lasts_until_it_is_over(slack: SlackServer, channel: str) -> None:
    client = connect(slack)
    slack.begin_outage()
    for _ in range(2):
        with pytest.raises(RemoteDisconnected):
            post(client, channel)
    slack.end_outage()
    assert post(client, channel)["ok"]
    assert [(each.status, each.fault) for each in slack.requests(POST)] == [(0, "outage"), (0, "outage"), (200, None)]


def test_a_server_that_is_gone_refuses_connections() -> None:
    with SlackServer() as slack:
        client = connect(slack)
    with pytest.raises(URLError) as problem:
        client.auth_test()
    assert isinstance(problem.value.reason, ConnectionRefusedError)


def test_a_mistake_of_the_server_is_said_aloud(slack: SlackServer, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack.workspace, "say", None)
    assert refused(connect(slack), channel)["error"] == "internal_error"
    assert ["TypeError" in each for each in slack.unexpected] == [True]
    slack.unexpected.clear()


def test_time_passes_when_a_test_says_so(slack: SlackServer, channel: str) -> None:
    client, clock = connect(slack), slack.clock
    assert isinstance(clock, Clock)
    first, second = post(client, channel)["ts"], post(client, channel)["ts"]
    clock.advance(1.5)
    assert [first, second, post(client, channel)["ts"]] == ["1741572000.000000", "1741572000.000001", "1741572001.500000"]
