"""What people do in the fake Slack, as it reaches an app over HTTP, and what the app's answers do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock as VerifierClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient

from tests.slack import Fault, SlackServer, fixtures
from tests.slack.request_url import RequestUrl
from tests.slack.samples import modal, question, section, text_input

slack = fixtures.slack

Json = dict[str, Any]


class App(HTTPServer):
    """An app that takes what is signed, and answers with what a test puts down."""

    def __init__(self, slack: SlackServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/slack/actions"
        self.verifier = SignatureVerifier(slack.signing_secret, _SameTime(slack))
        self.answer: Any = None
        self.status = 200
        self.taken: list[Json] = []


class _SameTime(VerifierClock):
    """The verifier's clock shows the workspace's time."""

    def __init__(self, slack: SlackServer) -> None:
        self._slack = slack

    def now(self) -> float:
        return self._slack.clock.now().timestamp()


class _Handler(BaseHTTPRequestHandler):
    server: App

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_valid = self.server.verifier.is_valid_request(body, dict(self.headers))
        if is_valid:
            self.server.taken.append(json.loads(parse_qs(body.decode())["payload"][0]))
        content = json.dumps(self.server.answer).encode() if is_valid and self.server.answer is not None else b""
        self.send_response(self.server.status if is_valid else 401)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def app(slack: SlackServer) -> Iterator[App]:
    with App(slack) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def address(slack: SlackServer, app: App) -> RequestUrl:
    return slack.request_url(app.url)


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])


@pytest.fixture
def anna(slack: SlackServer) -> str:
    return slack.add_user("anna", "anna@example.com")


@pytest.fixture
def channel(slack: SlackServer, anna: str) -> str:
    return slack.add_channel("approvals", [anna])


@pytest.fixture
def ts(client: WebClient, channel: str) -> str:
    return client.chat_postMessage(channel=channel, text="Shrink?", blocks=question())["ts"]


@pytest.fixture
def view_id(slack: SlackServer, client: WebClient, anna: str, channel: str, ts: str) -> str:
    trigger_id = slack.people.click(anna, ts, channel, "reject").trigger_id
    return client.views_open(trigger_id=trigger_id, view=modal())["view"]["id"]


def refused(client: WebClient, method: str, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as problem:
        client.api_call(method, json=arguments)
    return problem.value.response["error"]


def test_a_click_has_the_message_as_it_stands(
    slack: SlackServer, app: App, address: RequestUrl, client: WebClient, anna: str, channel: str, ts: str
) -> None:
    client.chat_update(channel=channel, ts=ts, text="Still?", blocks=question())
    click = slack.people.click(anna, ts, channel, "approve")
    assert (address.send(click).status, click.outcome) == (200, "done")
    (payload,) = app.taken
    assert payload == click.payload
    assert (payload["type"], payload["api_app_id"], payload["team"]["domain"]) == ("block_actions", slack.app.id, "acme")
    assert payload["user"] == {"id": anna, "username": "anna", "name": "anna", "team_id": "T0NIGHT001"}
    assert payload["container"] == {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False}
    assert payload["channel"] == {"id": channel, "name": "approvals"}
    assert payload["message"] == client.conversations_history(channel=channel)["messages"][0]
    assert payload["state"] == {"values": {}}
    (action,) = payload["actions"]
    assert float(action.pop("action_ts")) > float(ts)
    assert action == {
        "type": "button",
        "action_id": "approve",
        "block_id": "answer",
        "text": {"type": "plain_text", "text": "Approve", "emoji": True},
        "value": "request-1",
        "style": "primary",
    }


def test_only_buttons_that_are_there_can_be_clicked(
    slack: SlackServer, client: WebClient, anna: str, channel: str, ts: str
) -> None:
    client.chat_update(channel=channel, ts=ts, text="Approved", blocks=[section("Approved")])
    with pytest.raises(AssertionError, match="The message has no button approve, only none"):
        slack.people.click(anna, ts, channel, "approve")
    with pytest.raises(AssertionError, match="There is no message"):
        slack.people.click(anna, "1.000000", channel, "approve")
    old = slack.people.click(anna, ts, channel, "approve", "request-1", block_id="answer").payload
    assert (old["actions"][0]["value"], old["actions"][0]["block_id"]) == ("request-1", "answer")
    assert old["message"]["text"] == "Approved"
    slack.people.deactivate(anna)
    with pytest.raises(AssertionError, match="anna was deactivated"):
        slack.people.click(anna, ts, channel, "approve")


def test_a_forged_value_replaces_the_buttons_own(slack: SlackServer, anna: str, channel: str, ts: str) -> None:
    action = slack.people.click(anna, ts, channel, "approve", "request-2").payload["actions"][0]
    assert (action["value"], action["block_id"], action["text"]["text"]) == ("request-2", "answer", "Approve")


def test_forged_deliveries_are_told_by_their_signature(
    slack: SlackServer, app: App, address: RequestUrl, anna: str, channel: str, ts: str
) -> None:
    click = slack.people.click(anna, ts, channel, "approve")
    assert address.send(click, secret="guessed").status == 401
    assert address.send(click, age=301).status == 401
    assert address.send(click, tampered=True).status == 401
    assert address.send(click, unsigned=True).status == 401
    assert (app.taken, click.outcome) == ([], "failed")
    assert address.send(click, age=299).status == 200
    assert address.repeat().status == 200
    slack.clock.advance(2)
    assert address.repeat().status == 401
    assert app.taken == [click.payload, click.payload]


def test_an_app_that_is_not_there_answers_nothing(slack: SlackServer, anna: str, channel: str, ts: str) -> None:
    click = slack.people.click(anna, ts, channel, "approve")
    assert slack.request_url("http://127.0.0.1:9/").send(click).status == 0
    assert click.outcome == "failed"


def test_a_trigger_opens_one_view_within_three_seconds(
    slack: SlackServer, client: WebClient, anna: str, channel: str, ts: str
) -> None:
    first, second, third = (slack.people.click(anna, ts, channel, "reject").trigger_id for _ in range(3))
    slack.clock.advance(3)
    opened = client.views_open(trigger_id=first, view=modal())["view"]
    assert (opened["type"], opened["private_metadata"], opened["state"]) == ("modal", "request-1", {"values": {}})
    assert (opened["root_view_id"], opened["app_id"], opened["bot_id"]) == (opened["id"], slack.app.id, slack.app.bot_id)
    assert [(view.id, view.user) for view in slack.views] == [(opened["id"], anna)]
    assert refused(client, "views.open", trigger_id=first, view=modal()) == "exchanged_trigger_id"
    assert client.views_open(trigger_id=second, view=modal())["ok"]
    slack.clock.advance(0.001)
    assert refused(client, "views.open", trigger_id=third, view=modal()) == "expired_trigger_id"
    assert refused(client, "views.open", trigger_id="12.34.ab", view=modal()) == "invalid_trigger_id"


def test_a_view_is_changed_where_it_is_the_one_that_is_meant(slack: SlackServer, client: WebClient, view_id: str) -> None:
    before = slack.views[0].hash
    changed = client.views_update(view_id=view_id, hash=before, view=modal(section("Too late")))["view"]
    assert (changed["id"], changed["blocks"][0]["text"]["text"], changed["hash"] == before) == (view_id, "Too late", False)
    assert refused(client, "views.update", view_id=view_id, hash=before, view=modal()) == "hash_conflict"
    assert refused(client, "views.update", view_id="V1", view=modal()) == "not_found"
    assert refused(client, "views.update", view_id=view_id, view=modal(title="x")) == "invalid_arguments"
    assert client.views_update(view_id=view_id, view=modal(external_id="mine"))["ok"]
    assert client.views_update(external_id="mine", view=modal(external_id="mine"))["view"]["id"] == view_id


def test_an_external_id_names_one_view(
    slack: SlackServer, client: WebClient, anna: str, channel: str, ts: str, view_id: str
) -> None:
    assert client.views_update(view_id=view_id, view=modal(external_id="mine"))["ok"]
    trigger_id = slack.people.click(anna, ts, channel, "reject").trigger_id
    second = modal(external_id="mine")
    assert refused(client, "views.open", trigger_id=trigger_id, view=second) == "duplicate_external_id"
    assert client.views_open(trigger_id=trigger_id, view=modal(external_id="other"))["ok"]
    assert refused(client, "views.update", external_id="other", view=second) == "duplicate_external_id"


def test_a_submission_has_the_values_by_block_and_action(
    slack: SlackServer, app: App, address: RequestUrl, anna: str, view_id: str
) -> None:
    submission = slack.people.submit(anna, view_id, {"reason": "Peak season", "until": "month"})
    assert address.send(submission).status == 200
    (payload,) = app.taken
    view = payload["view"]
    assert (payload["type"], view["id"], view["callback_id"], view["private_metadata"]) == (
        "view_submission",
        view_id,
        "reject",
        "request-1",
    )
    option = {"text": {"type": "plain_text", "text": "month", "emoji": True}, "value": "month"}
    assert view["state"]["values"] == {
        "reason": {"text": {"type": "plain_text_input", "value": "Peak season"}},
        "until": {"choice": {"type": "static_select", "selected_option": option}},
    }
    assert (submission.outcome, slack.views) == ("closed", [])


def test_what_slacks_own_client_would_not_send(slack: SlackServer, anna: str, view_id: str) -> None:
    ben = slack.add_user("ben")
    for user, values, said in [
        (anna, {}, "The input reason is required"),
        (anna, {"reason": ""}, "The input reason is required"),
        (anna, {"reason": "x" * 21}, "takes 0 to 20 characters, not 21"),
        (anna, {"reason": "x", "until": "day"}, "offers week, month, not day"),
        (anna, {"reason": "x", "when": "now"}, "The view has no input when"),
        (ben, {"reason": "x"}, "is open before"),
    ]:
        with pytest.raises(AssertionError, match=said):
            slack.people.submit(user, view_id, values)
    state = slack.people.submit(anna, view_id, {"reason": "x" * 20}).payload["view"]["state"]["values"]
    assert state["until"] == {"choice": {"type": "static_select", "selected_option": None}}


def test_an_answer_shows_errors_changes_the_view_or_closes_it(
    slack: SlackServer, app: App, address: RequestUrl, anna: str, view_id: str
) -> None:
    def submit(answer: Json | None) -> str | None:
        app.answer = answer
        submission = slack.people.submit(anna, slack.views[-1].id, {"reason": "x"})
        address.send(submission)
        return submission.outcome

    assert submit({"response_action": "errors", "errors": {"reason": "Say more"}}) == "errors"
    assert slack.views[0].errors == {"reason": "Say more"}
    assert submit({"response_action": "update", "view": modal(text_input("reason"))}) == "update"
    assert ([*slack.views[0].inputs], slack.views[0].errors) == (["reason"], {})
    assert submit({"response_action": "push", "view": modal(callback_id="sure")}) == "push"
    assert [view.previous_id for view in slack.views] == [None, view_id]
    with pytest.raises(AssertionError, match="A view is open over"):
        slack.people.submit(anna, view_id, {"reason": "x"})
    app.status = 500
    assert submit(None) == "failed"
    assert len(slack.views) == 2
    app.status = 200
    assert submit(None) == "closed"
    assert [view.id for view in slack.views] == [view_id]
    assert submit({"response_action": "push", "view": modal()}) == "push"
    assert submit({"response_action": "clear"}) == "clear"
    assert slack.views == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"response_action": "errors", "errors": {"approve": "No"}}, "errors for what is no input block: approve"),
        ({"response_action": "errors", "errors": {}}, "errors is no object with something in it"),
        ({"response_action": "errors", "errors": {"reason": ""}}, "an error is no text"),
        ({"response_action": "errors"}, "errors has the fields errors, response_action, not response_action"),
        ({"response_action": "close"}, "unknown response_action 'close'"),
        ({"text": "Thanks"}, "unknown response_action None"),
        ({"response_action": "update", "view": {"type": "modal"}}, "missing required field: title"),
        (["errors"], "is no object"),
    ],
)
def test_an_answer_that_slack_would_not_understand(
    slack: SlackServer, app: App, address: RequestUrl, anna: str, view_id: str, answer: Any, said: str
) -> None:
    app.answer = answer
    submission = slack.people.submit(anna, view_id, {"reason": "x"})
    address.send(submission)
    assert said in (submission.problem or "")
    assert (submission.outcome, [view.id for view in slack.views]) == ("failed", [view_id])
    assert [said in each for each in slack.unexpected] == [True]
    slack.unexpected.clear()


def test_closing_a_view_is_told_where_it_is_asked_for(
    slack: SlackServer, client: WebClient, anna: str, channel: str, ts: str, view_id: str
) -> None:
    assert slack.people.close(anna, view_id) is None
    assert slack.views == []
    trigger_id = slack.people.click(anna, ts, channel, "reject").trigger_id
    opened = client.views_open(trigger_id=trigger_id, view=modal(notify_on_close=True))["view"]["id"]
    closed = slack.people.close(anna, opened)
    assert closed
    assert (closed.kind, closed.payload["view"]["id"], closed.payload["is_cleared"]) == ("view_closed", opened, False)
    with pytest.raises(AssertionError, match="is not open"):
        slack.people.submit(anna, opened, {"reason": "x"})


def test_a_response_url_takes_five_answers_in_half_an_hour(slack: SlackServer, anna: str, channel: str, ts: str) -> None:
    hook = WebhookClient(slack.people.click(anna, ts, channel, "approve").response_url, retry_handlers=[])
    late = WebhookClient(slack.people.click(anna, ts, channel, "approve").response_url, retry_handlers=[])
    first = hook.send(text="You may not approve this", response_type="ephemeral", replace_original=False)
    assert (first.status_code, first.body) == (200, "ok")
    assert [each.text for each in slack.ephemerals(anna)] == ["You may not approve this"]
    assert hook.send(text="Approved", blocks=[section("Approved")], replace_original=True).status_code == 200
    assert (slack.message(channel, ts).text, slack.message(channel, ts).action_ids) == ("Approved", [])
    assert hook.send(text="All can see", response_type="in_channel").status_code == 200
    assert [each.text for each in slack.messages(channel)] == ["Approved", "All can see"]
    refused = hook.send(text="x", blocks=[{"type": "header"}])
    assert json.loads(refused.body)["errors"] == ["missing required field: text [json-pointer:/blocks/0]"]
    assert hook.send(delete_original=True).status_code == 200
    assert [each.text for each in slack.messages(channel)] == ["All can see"]
    assert hook.send(text="Fifth").status_code == 200
    used = hook.send(text="Sixth")
    assert (used.status_code, json.loads(used.body)["error"]) == (404, "used_url")
    slack.clock.advance(30 * 60)
    assert late.send(text="In time").status_code == 200
    slack.clock.advance(0.001)
    expired = late.send(text="Too late")
    assert (expired.status_code, json.loads(expired.body)["error"]) == (404, "expired_url")
    assert [(each.user, each.message_ts) for each in slack.responses] == [(anna, ts)] * 6
    assert [each.body.get("text") for each in slack.responses][-2:] == ["Fifth", "In time"]


def test_a_response_url_can_fail(slack: SlackServer, anna: str, channel: str, ts: str) -> None:
    hook = WebhookClient(slack.people.click(anna, ts, channel, "approve").response_url, retry_handlers=[])
    slack.faults.add(Fault("response_url", "server_error"), Fault("response_url", "drop", work_done=True))
    assert hook.send(text="x").status_code == 500
    assert slack.responses == []
    with pytest.raises(ConnectionError):
        hook.send(text="x")
    assert [each.text for each in slack.ephemerals(anna)] == ["x"]
    assert hook.send(text="y").status_code == 200
