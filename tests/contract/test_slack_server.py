"""The fake Slack's Web API, driven by the real client: tests may only lean on it where it does what Slack does."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, ConfirmObject, HeaderBlock, SectionBlock
from slack_sdk.models.metadata import Metadata

from tests.slack import SlackServer, fixtures
from tests.slack.samples import actions, button, question, section

slack = fixtures.slack

METADATA = {"event_type": "approval", "event_payload": {"request": "request-1", "revision": 2, "urgent": False}}


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])


@pytest.fixture
def anna(slack: SlackServer) -> str:
    return slack.add_user("anna", "anna@example.com", real_name="Anna Ö")


@pytest.fixture
def channel(slack: SlackServer, anna: str) -> str:
    return slack.add_channel("approvals", [anna])


def refused(client: WebClient, method: str, **arguments: Any) -> Any:
    """What Slack says to a request that it refuses."""
    with pytest.raises(SlackApiError) as problem:
        client.api_call(method, json=arguments)
    return problem.value.response


def error(client: WebClient, method: str, **arguments: Any) -> str:
    return refused(client, method, **arguments)["error"]


def post(client: WebClient, channel: str, text: str = "Shrink db-1?", **more: Any) -> str:
    return client.chat_postMessage(channel=channel, text=text, **more)["ts"]


def test_the_token_says_who_asks(slack: SlackServer, client: WebClient) -> None:
    found = client.auth_test()
    assert (found["user_id"], found["user"], found["team"], found["url"]) == (
        slack.bot,
        "nightshift",
        "Acme",
        "https://acme.slack.com/",
    )
    assert found.headers["x-oauth-scopes"].split(",") == [
        "channels:history",
        "channels:read",
        "chat:write",
        "usergroups:read",
        "users:read",
        "users:read.email",
    ]
    assert client.auth_test(token=slack.app_token)["app_id"] == slack.app.id


@pytest.mark.parametrize("token", [None, "xoxb-unknown"])
def test_who_is_not_known_is_refused(slack: SlackServer, token: str | None) -> None:
    assert error(WebClient(token, base_url=slack.url), "auth.test") == ("invalid_auth" if token else "not_authed")


@pytest.mark.parametrize("state", ["account_inactive", "token_revoked", "token_expired"])
def test_a_token_can_end(slack: SlackServer, client: WebClient, channel: str, state: str) -> None:
    slack.end_token(state)
    assert error(client, "chat.postMessage", channel=channel, text="x") == state
    assert (slack.posts, slack.messages(channel)) == (0, [])


@pytest.mark.parametrize(
    ("scope", "method", "arguments"),
    [
        ("chat:write", "chat.postMessage", {"channel": "approvals", "text": "x"}),
        ("chat:write", "chat.update", {"channel": "C1", "ts": "1.0", "text": "x"}),
        ("chat:write", "chat.postEphemeral", {"channel": "C1", "user": "U1", "text": "x"}),
        ("channels:history", "conversations.history", {"channel": "C1"}),
        ("channels:read", "conversations.info", {"channel": "C1"}),
        ("users:read", "users.info", {"user": "U1"}),
        ("users:read.email", "users.lookupByEmail", {"email": "anna@example.com"}),
        ("usergroups:read", "usergroups.users.list", {"usergroup": "S1"}),
    ],
)
def test_a_scope_that_is_missing_is_named(
    slack: SlackServer, client: WebClient, scope: str, method: str, arguments: dict[str, str]
) -> None:
    assert error(client, method, **arguments) != "missing_scope"
    slack.set_scopes(remove=[scope])
    found = refused(client, method, **arguments)
    assert (found["error"], found["needed"]) == ("missing_scope", scope)
    assert scope not in found["provided"].split(",")


def test_a_token_is_for_its_own_methods(slack: SlackServer, client: WebClient) -> None:
    assert error(client, "apps.connections.open") == "not_allowed_token_type"
    app = WebClient(slack.app_token, base_url=slack.url)
    assert error(app, "users.info", user="U1") == "not_allowed_token_type"
    slack.set_scopes(remove=["connections:write"], token=slack.app_token)
    assert refused(app, "apps.connections.open")["needed"] == "connections:write"


def test_what_is_not_known_is_said_aloud(slack: SlackServer, client: WebClient, channel: str) -> None:
    assert error(client, "chat.shout", channel=channel) == "unknown_method"
    assert error(client, "chat.postMessage", channel=channel, text="x", volume=11) == "invalid_arguments"
    assert slack.unexpected == ["unknown method chat.shout", "chat.postMessage: unknown arguments volume"]
    slack.unexpected.clear()
    found = refused(client, "chat.update", text="x")
    assert found["response_metadata"]["messages"] == [
        "[ERROR] missing required field: channel",
        "[ERROR] missing required field: ts",
    ]


def test_a_message_is_posted_and_read_back(slack: SlackServer, client: WebClient, channel: str) -> None:
    posted = client.chat_postMessage(channel=channel, text="Shrink db-1?", blocks=question(), metadata=METADATA)
    message = posted["message"]
    assert (posted["channel"], posted["ts"], message["ts"]) == (channel, "1741572000.000000", "1741572000.000000")
    assert (message["user"], message["bot_id"], message["app_id"]) == (slack.bot, slack.app.bot_id, slack.app.id)
    assert message["metadata"] == METADATA
    assert message["blocks"][0]["text"] == {"type": "mrkdwn", "text": "*db-1* is half empty", "verbatim": False}
    assert message["blocks"][1]["elements"][0]["text"] == {"type": "plain_text", "text": "Approve", "emoji": True}
    assert [block["block_id"] for block in message["blocks"]][1:] == ["answer"]
    assert message["blocks"][0]["block_id"]
    found = client.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    assert found == [message]
    assert "metadata" not in client.conversations_history(channel=channel)["messages"][0]
    assert slack.message(channel, posted["ts"]).action_ids == ["approve", "reject"]
    assert slack.posts == 1


def test_the_clients_own_models_are_taken(slack: SlackServer, client: WebClient, channel: str) -> None:
    confirm = ConfirmObject(title="Sure?", text="It restarts.", confirm="Yes", deny="No")
    blocks = [
        HeaderBlock(text="Shrink db-1?"),
        SectionBlock(text="*m5.xlarge* to *m5.large*", fields=["Saves", "$70"]),
        ActionsBlock(elements=[ButtonElement(text="Approve", action_id="approve", value="1", style="danger", confirm=confirm)]),
    ]
    ts = post(client, channel, blocks=blocks, metadata=Metadata("approval", {"request": "1"}))
    message = slack.message(channel, ts)
    assert [block["type"] for block in message.blocks] == ["header", "section", "actions"]
    assert message.blocks[2]["elements"][0]["confirm"]["deny"] == {"type": "plain_text", "text": "No", "emoji": True}
    assert message.metadata == {"event_type": "approval", "event_payload": {"request": "1"}}


def test_a_form_is_as_good_as_json(slack: SlackServer, client: WebClient, channel: str) -> None:
    form = {"channel": "#approvals", "text": "x", "blocks": json.dumps(question()), "unfurl_links": "false"}
    assert client.api_call("chat.postMessage", params=form)["channel"] == channel
    assert client.api_call("chat.postMessage", json={"channel": "approvals", "text": "x", "unfurl_links": False})["ok"]
    assert [len(each.blocks) for each in slack.messages(channel)] == [2, 0]


def test_tokens_in_forms_are_taken_and_not_logged(slack: SlackServer, channel: str) -> None:
    form = {"token": slack.bot_token, "channel": channel, "text": "x"}
    assert requests.post(slack.url + "chat.postMessage", data=form, timeout=10).json()["ok"]
    assert [each.params for each in slack.log] == [{"channel": channel, "text": "x"}]
    assert slack.bot_token not in repr(slack.log)


def test_where_a_bot_may_not_write(slack: SlackServer, client: WebClient, anna: str) -> None:
    outside, secret = slack.add_channel("random", with_bot=False), slack.add_channel("secret", with_bot=False, is_private=True)
    old = slack.add_channel("old")
    slack.people.archive(old)
    for place, expected in {
        outside: "not_in_channel",
        secret: "channel_not_found",
        old: "is_archived",
        "C1": "channel_not_found",
    }.items():
        assert error(client, "chat.postMessage", channel=place, text="x") == expected
        assert error(client, "chat.postEphemeral", channel=place, text="x", user=anna) == expected
    slack.set_scopes(add=["chat:write.public"])
    assert post(client, outside)
    slack.people.join(slack.bot, secret)
    assert post(client, secret)
    assert slack.posts == 2


def test_the_text_of_a_message_has_its_limits(slack: SlackServer, client: WebClient, channel: str) -> None:
    assert error(client, "chat.postMessage", channel=channel) == "no_text"
    assert error(client, "chat.postMessage", channel=channel, text=" ", blocks=[]) == "no_text"
    ts = post(client, channel, "x" * 40_000)
    assert error(client, "chat.postMessage", channel=channel, text="x" * 40_001) == "msg_too_long"
    assert error(client, "chat.update", channel=channel, ts=ts, text="x" * 4_001) == "msg_too_long"
    assert client.chat_update(channel=channel, ts=ts, text="x" * 4_000)["ok"]
    assert client.api_call("chat.postMessage", json={"channel": channel, "blocks": question()})["message"]["text"] == ""


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": []}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": {"b": 1}}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": None}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {}, "more": 1}, "invalid_metadata_format"),
        ("no JSON", "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": "x" * 7_958}}, "metadata_too_large"),
    ],
)
def test_metadata_has_its_shape(slack: SlackServer, client: WebClient, channel: str, metadata: Any, expected: str) -> None:
    assert error(client, "chat.postMessage", channel=channel, text="x", metadata=metadata) == expected
    assert slack.messages(channel) == []
    largest = {"event_type": "x", "event_payload": {"a": "x" * 7_957}}
    assert post(client, channel, metadata=largest)


def test_an_update_keeps_the_ts_and_removes_blocks_that_it_does_not_name(
    slack: SlackServer, client: WebClient, channel: str
) -> None:
    ts = post(client, channel, blocks=question(), metadata=METADATA)
    changed = client.chat_update(channel=channel, ts=ts, text="Approved", blocks=[section("Approved")])
    assert (changed["ts"], changed["text"], changed["message"].get("edited")) == (ts, "Approved", None)
    assert changed["message"]["metadata"] == METADATA
    plain = client.chat_update(channel=channel, ts=ts, text="Gone")
    assert "blocks" not in plain["message"]
    assert plain["message"]["edited"]["user"] == slack.bot
    assert "metadata" not in client.chat_update(channel=channel, ts=ts, text="Gone", metadata={})["message"]
    message = slack.message(channel, ts)
    assert (message.ts, message.text, message.blocks, message.metadata, message.changes) == (ts, "Gone", [], None, 3)
    assert len(slack.messages(channel)) == 1


def test_updates_that_are_refused(slack: SlackServer, client: WebClient, channel: str, anna: str) -> None:
    ts = post(client, channel)
    said = slack.people.say(anna, channel, "Hello")
    other = WebClient("xoxb-other", base_url=slack.url)
    slack.add_app("other", "xoxb-other")
    assert error(client, "chat.update", channel=channel, ts="1.000000", text="x") == "message_not_found"
    assert error(client, "chat.update", channel="approvals", ts=ts, text="x") == "channel_not_found"
    assert error(client, "chat.update", channel=channel, ts=said, text="x") == "cant_update_message"
    assert error(other, "chat.update", channel=channel, ts=ts, text="x") == "cant_update_message"
    assert error(client, "chat.update", channel=channel, ts=ts) == "no_text"
    slack.people.limit_edits(60)
    slack.clock.advance(60)
    assert client.chat_update(channel=channel, ts=ts, text="In time")["ok"]
    slack.clock.advance(1)
    assert error(client, "chat.update", channel=channel, ts=ts, text="x") == "edit_window_closed"
    slack.people.delete(channel, ts)
    assert error(client, "chat.update", channel=channel, ts=ts, text="x") == "message_not_found"
    assert [each.text for each in slack.messages(channel)] == ["Hello"]


def test_an_ephemeral_message_is_seen_by_one_person(slack: SlackServer, client: WebClient, channel: str, anna: str) -> None:
    ben = slack.add_user("ben")
    ts = client.chat_postEphemeral(channel=channel, user=anna, text="Not you")["message_ts"]
    assert [(each.ts, each.text) for each in slack.ephemerals(anna)] == [(ts, "Not you")]
    assert (slack.ephemerals(ben), slack.messages(channel)) == ([], [])
    assert error(client, "chat.postEphemeral", channel=channel, user=ben, text="x") == "user_not_in_channel"
    assert error(client, "chat.update", channel=channel, ts=ts, text="x") == "message_not_found"
    slack.people.deactivate(anna)
    assert error(client, "chat.postEphemeral", channel=channel, user=anna, text="x") == "user_not_in_channel"
    slack.people.join(ben, channel)
    assert client.chat_postEphemeral(channel=channel, user=ben, text="x")["ok"]
    slack.people.leave(ben, channel)
    assert error(client, "chat.postEphemeral", channel=channel, user=ben, text="x") == "user_not_in_channel"


def test_a_message_has_a_link(client: WebClient, channel: str) -> None:
    ts = post(client, channel)
    link = client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]
    assert link == f"https://acme.slack.com/archives/{channel}/p1741572000000000"
    assert error(client, "chat.getPermalink", channel=channel, message_ts="1.000000") == "message_not_found"
    assert error(client, "chat.getPermalink", channel="C1", message_ts=ts) == "channel_not_found"


def test_history_comes_in_pages_the_newest_first(slack: SlackServer, client: WebClient, channel: str, anna: str) -> None:
    stamps = [post(client, channel, f"{number}") for number in range(5)]
    post(client, channel, "A reply", thread_ts=stamps[0])
    pages = [[each["text"] for each in page["messages"]] for page in client.conversations_history(channel=channel, limit=2)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]

    def between(**arguments: Any) -> list[str]:
        return [each["text"] for each in client.conversations_history(channel=channel, **arguments)["messages"]]

    assert between(oldest=stamps[1], latest=stamps[3]) == ["2"]
    assert between(oldest=stamps[1], latest=stamps[3], inclusive=True) == ["3", "2", "1"]
    assert between(oldest=stamps[3]) == ["4"]
    assert between(latest="1741572000") == []
    assert error(client, "conversations.history", channel=channel, cursor="bm8=") == "invalid_cursor"
    assert error(client, "conversations.history", channel=channel, oldest="yesterday") == "invalid_ts_oldest"
    assert error(client, "conversations.history", channel=channel, limit=1000) == "invalid_arguments"
    slack.people.leave(slack.bot, channel)
    assert error(client, "conversations.history", channel=channel) == "not_in_channel"


def test_channels_are_described(slack: SlackServer, client: WebClient, channel: str) -> None:
    found = client.conversations_info(channel=channel, include_num_members=True)["channel"]
    assert (found["name"], found["is_member"], found["is_archived"], found["num_members"]) == ("approvals", True, False, 2)
    secret = slack.add_channel("secret", is_private=True)
    assert refused(client, "conversations.info", channel=secret)["needed"] == "groups:read"
    slack.set_scopes(add=["groups:read"])
    assert client.conversations_info(channel=secret)["channel"]["is_private"]
    assert error(client, "conversations.info", channel="C1") == "channel_not_found"


def test_users_are_found_and_told_apart(slack: SlackServer, client: WebClient, anna: str) -> None:
    found = client.users_lookupByEmail(email="Anna@Example.com")["user"]
    assert (found["id"], found["profile"]["email"], found["is_bot"]) == (anna, "anna@example.com", False)
    assert client.users_info(user=anna)["user"] == found
    bot = client.users_info(user=slack.bot)["user"]
    assert (bot["is_bot"], "email" in bot["profile"]) == (True, False)
    guest = slack.add_user("gus", "gus@elsewhere.com", team_id="T0ELSE0001")
    assert client.users_info(user=guest)["user"]["team_id"] == "T0ELSE0001"
    slack.set_scopes(remove=["users:read.email"])
    assert "email" not in client.users_info(user=anna)["user"]["profile"]
    slack.set_scopes(add=["users:read.email"])
    slack.people.deactivate(anna)
    gone = client.users_info(user=anna)["user"]
    assert (gone["deleted"], "tz" in gone) == (True, False)
    assert error(client, "users.lookupByEmail", email="anna@example.com") == "users_not_found"
    assert error(client, "users.info", user="U1") == "user_not_found"


def test_user_groups_name_their_users(slack: SlackServer, client: WebClient, anna: str) -> None:
    ben = slack.add_user("ben")
    group = slack.add_group("platform", [anna, ben])
    assert client.usergroups_users_list(usergroup=group)["users"] == [anna, ben]
    slack.people.deactivate(ben)
    assert client.usergroups_users_list(usergroup=group)["users"] == [anna]
    slack.people.disable_group(group)
    assert error(client, "usergroups.users.list", usergroup=group) == "no_such_subteam"
    assert client.usergroups_users_list(usergroup=group, include_disabled=True)["users"] == [anna]
    assert error(client, "usergroups.users.list", usergroup="S1") == "no_such_subteam"


def test_one_message_a_second_in_a_channel(slack: SlackServer, client: WebClient, channel: str) -> None:
    other = slack.add_channel("other")
    post(client, channel)
    post(client, channel)
    slack.limit_posts()
    found = refused(client, "chat.postMessage", channel=channel, text="x")
    assert (found.status_code, found["error"], found.headers["Retry-After"]) == (429, "ratelimited", "1")
    post(client, other)
    slack.clock.advance(0.999)
    assert error(client, "chat.postMessage", channel=channel, text="x") == "ratelimited"
    slack.clock.advance(0.001)
    post(client, channel)
    assert [each.status for each in slack.requests("chat.postMessage")] == [200, 200, 429, 200, 429, 200]
    assert (len(slack.messages(channel)), slack.posts) == (3, 4)


def test_a_second_button_of_a_name_needs_its_block(slack: SlackServer, client: WebClient, channel: str, anna: str) -> None:
    blocks = [actions(button(value="1"), block_id="one"), actions(button(value="2"), block_id="two")]
    ts = post(client, channel, blocks=blocks)
    with pytest.raises(AssertionError, match="say the block_id"):
        slack.people.click(anna, ts, channel, "approve")
    assert slack.people.click(anna, ts, channel, "approve", block_id="two").payload["actions"][0]["value"] == "2"
