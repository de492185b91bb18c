"""The fake Slack's direct messages, driven by the real client."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack import SlackServer, fixtures
from tests.slack.samples import question

slack = fixtures.slack


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    slack.set_scopes(add=["im:write", "im:history", "im:read"])
    return WebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])


@pytest.fixture
def anna(slack: SlackServer) -> str:
    return slack.add_user("anna", "anna@example.com")


def refused(client: WebClient, method: str, **arguments: Any) -> Any:
    with pytest.raises(SlackApiError) as problem:
        client.api_call(method, json=arguments)
    return problem.value.response


def error(client: WebClient, method: str, **arguments: Any) -> str:
    return refused(client, method, **arguments)["error"]


def opened(client: WebClient, *users: str, **more: Any) -> str:
    return client.conversations_open(users=[*users], **more)["channel"]["id"]


def test_a_person_has_one_channel_with_a_bot(slack: SlackServer, client: WebClient, anna: str) -> None:
    first = client.conversations_open(users=anna)
    assert first.data == {"ok": True, "channel": {"id": first["channel"]["id"]}}
    channel = first["channel"]["id"]
    assert channel.startswith("D")
    again = client.conversations_open(users=[anna])
    assert (again["channel"], again["no_op"], again["already_open"]) == ({"id": channel}, True, True)
    assert opened(client, slack.add_user("ben")) != channel
    other = WebClient("xoxb-other", base_url=slack.url)
    app = slack.add_app("other", "xoxb-other")
    slack.set_scopes(add=["im:write"], token="xoxb-other")
    assert opened(other, anna) == slack.direct(anna, app) != channel
    assert slack.direct(anna) == channel
    assert client.conversations_open(channel=channel)["channel"]["id"] == channel


def test_a_direct_channel_is_described(slack: SlackServer, client: WebClient, anna: str) -> None:
    channel = client.conversations_open(users=anna, return_im=True)["channel"]
    assert (channel["is_im"], channel["user"], channel["is_open"], channel["latest"]) == (True, anna, True, None)
    client.chat_postMessage(channel=channel["id"], text="Hello")
    seen = client.conversations_info(channel=channel["id"])["channel"]
    assert (seen["is_im"], seen["user"], seen["latest"]["text"]) == (True, anna, "Hello")
    slack.people.deactivate(anna)
    listed = client.conversations_list(types="im")["channels"]
    assert [(each["id"], each["is_user_deleted"]) for each in listed] == [(channel["id"], True)]
    assert client.conversations_list()["channels"] == []
    assert error(client, "conversations.list", types="dm") == "invalid_types"


def test_messages_are_posted_changed_and_read(slack: SlackServer, client: WebClient, anna: str) -> None:
    assert slack.direct_messages(anna) == []
    channel = opened(client, anna)
    ts = client.chat_postMessage(channel=channel, text="Your digest", blocks=question())["ts"]
    assert client.chat_update(channel=channel, ts=ts, text="Your digest, again")["channel"] == channel
    slack.people.say(anna, channel, "Thanks")
    assert [(each.user, each.text) for each in slack.direct_messages(anna)] == [
        (slack.bot, "Your digest, again"),
        (anna, "Thanks"),
    ]
    found = client.conversations_history(channel=channel)["messages"]
    assert [each["text"] for each in found] == ["Thanks", "Your digest, again"]
    reply = client.chat_postMessage(channel=channel, text="Any time", thread_ts=ts)["ts"]
    assert [each["ts"] for each in client.conversations_replies(channel=channel, ts=ts)["messages"]] == [ts, reply]
    assert client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"].startswith(
        f"https://acme.slack.com/archives/{channel}/p"
    )


def test_a_button_in_a_direct_message_is_clicked(slack: SlackServer, client: WebClient, anna: str) -> None:
    channel = opened(client, anna)
    ts = client.chat_postMessage(channel=channel, text="Shrink?", blocks=question())["ts"]
    payload = slack.people.click(anna, ts, channel, "approve").payload
    assert payload["channel"] == {"id": channel, "name": "directmessage"}


def test_a_user_may_stand_for_the_channel(slack: SlackServer, client: WebClient, anna: str) -> None:
    slack.set_scopes(remove=["im:write"])
    posted = client.chat_postMessage(channel=anna, text="Hello")
    assert posted["channel"] == slack.direct(anna) != anna
    assert [each.text for each in slack.direct_messages(anna)] == ["Hello"]
    assert error(client, "chat.update", channel=anna, ts=posted["ts"], text="x") == "channel_not_found"
    assert client.chat_update(channel=posted["channel"], ts=posted["ts"], text="Changed")["ok"]
    assert error(client, "chat.postMessage", channel="U0NOBODY", text="x") == "channel_not_found"
    assert error(client, "chat.postMessage", channel=slack.bot, text="x") == "cannot_dm_bot"
    assert error(client, "chat.postMessage", channel="directmessage", text="x") == "channel_not_found"


@pytest.mark.parametrize(
    ("method", "arguments", "scope"),
    [
        ("conversations.history", {}, "im:history"),
        ("conversations.replies", {"ts": "1.000000"}, "im:history"),
        ("conversations.info", {}, "im:read"),
        ("chat.postMessage", {"text": "x"}, "chat:write"),
    ],
)
def test_a_scope_that_is_missing_is_named(
    slack: SlackServer, client: WebClient, anna: str, method: str, arguments: dict[str, Any], scope: str
) -> None:
    channel = opened(client, anna)
    slack.set_scopes(remove=[scope])
    found = refused(client, method, channel=channel, **arguments)
    assert (found["error"], found["needed"]) == ("missing_scope", scope)


def test_what_opening_needs(slack: SlackServer, client: WebClient, anna: str) -> None:
    channel, ben = opened(client, anna), slack.add_user("ben")
    assert refused(client, "conversations.open", users=f"{anna},{ben}")["needed"] == "mpim:write"
    slack.set_scopes(remove=["im:write"])
    for arguments in ({"users": anna}, {"channel": channel}):
        found = refused(client, "conversations.open", **arguments)
        assert (found["error"], found["needed"]) == ("missing_scope", "channels:write,groups:write,mpim:write,im:write")
    slack.set_scopes(add=["groups:write"])
    assert refused(client, "conversations.open", users=anna)["needed"] == "im:write"


def test_who_cannot_be_written_to(slack: SlackServer, client: WebClient, anna: str) -> None:
    bot, public = slack.add_user("robot", is_bot=True), slack.add_channel("random")
    for arguments, expected in (
        ({}, "users_list_not_supplied"),
        ({"users": " , "}, "users_list_not_supplied"),
        ({"users": "U0NOBODY"}, "user_not_found"),
        ({"users": "anna"}, "user_not_found"),
        ({"users": bot}, "cannot_dm_bot"),
        ({"users": slack.bot}, "cannot_dm_bot"),
        ({"users": ",".join(f"U{number}" for number in range(9))}, "too_many_users"),
        ({"users": [anna]}, "invalid_arguments"),
        ({"channel": "D0NOTHING"}, "channel_not_found"),
        ({"channel": public}, "method_not_supported_for_channel_type"),
        ({"users": anna, "prevent_creation": True}, "channel_not_found"),
    ):
        assert error(client, "conversations.open", **arguments) == expected
    assert slack.direct_messages(anna) == []
    channel = opened(client, anna)
    assert opened(client, anna, prevent_creation=True) == channel
    slack.people.deactivate(anna)
    assert error(client, "conversations.open", users=anna) == "user_disabled"
    # A channel that is known goes on taking messages that nobody reads.
    assert client.chat_postMessage(channel=channel, text="Unread")["ok"]


def test_direct_messages_of_others_are_not_seen(slack: SlackServer, client: WebClient, anna: str) -> None:
    channel = slack.direct(anna, slack.add_app("other", "xoxb-other"))
    for method, arguments in (("chat.postMessage", {"text": "x"}), ("conversations.history", {}), ("conversations.open", {})):
        assert error(client, method, channel=channel, **arguments) == "channel_not_found"


def test_an_app_may_lack_the_messages_tab(slack: SlackServer, client: WebClient, anna: str) -> None:
    slack.app.has_messages_tab = False
    channel = opened(client, anna)
    for each in (channel, anna):
        assert error(client, "chat.postMessage", channel=each, text="x") == "messages_tab_disabled"
    assert client.chat_postMessage(channel=slack.add_channel("random"), text="x")["ok"]
    slack.app.has_messages_tab = True
    assert client.chat_postMessage(channel=channel, text="x")["ok"]


def test_several_people_share_a_channel(slack: SlackServer, client: WebClient, anna: str) -> None:
    slack.set_scopes(add=["mpim:write", "mpim:history", "mpim:read"])
    ben = slack.add_user("ben")
    channel = opened(client, anna, ben)
    assert opened(client, ben, anna, slack.bot) == channel != opened(client, anna)
    assert client.conversations_open(users=[anna, ben], return_im=True)["channel"]["is_mpim"]
    client.chat_postMessage(channel=channel, text="Hello")
    assert [each["text"] for each in client.conversations_history(channel=channel)["messages"]] == ["Hello"]
    assert (slack.direct_messages(anna), [each.text for each in slack.messages(channel)]) == ([], ["Hello"])


def test_a_form_opens_too(slack: SlackServer, client: WebClient, anna: str) -> None:
    form = {"token": slack.bot_token, "users": anna, "return_im": "true"}
    answer = requests.post(slack.url + "conversations.open", data=form, timeout=10)
    assert json.loads(answer.content)["channel"]["user"] == anna
