"""What the fake Slack takes for blocks and modals: every documented limit holds to the character, and says where it is broken."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack import SlackServer, fixtures
from tests.slack.checks import length
from tests.slack.samples import actions, button, modal, mrkdwn, plain, section, select, text_input

slack = fixtures.slack

Json = dict[str, Any]
ADDRESS = "https://example.com/"
DIVIDER = {"type": "divider"}
IMAGE = {"type": "image", "image_url": ADDRESS + "a.png", "alt_text": "A curve"}


@pytest.fixture
def client(slack: SlackServer) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])


@pytest.fixture
def channel(slack: SlackServer) -> str:
    return slack.add_channel("approvals")


def confirm(**more: Any) -> Json:
    return {"title": plain("Sure?"), "text": plain("Now"), "confirm": plain("Yes"), "deny": plain("No"), **more}


def option(text: str = "A week", value: str = "week", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def header(text: str) -> Json:
    return {"type": "header", "text": plain(text)}


def context(*elements: Json) -> Json:
    return {"type": "context", "elements": list(elements)}


def pressing(**more: Any) -> Json:
    return actions(button(**more))


def inputs(element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": "i", "label": plain("Why?"), "element": element, **more}


LIMITS: list[tuple[Any, Any, str, str]] = [
    # What is just taken, what is just refused, what is said of it, and of which place.
    ([DIVIDER] * 50, [DIVIDER] * 51, "no more than 50 items allowed", "/blocks"),
    (section("x" * 3_000), section("x" * 3_001), "must be less than 3001 characters", "/blocks/0/text/text"),
    (
        {"type": "section", "fields": [mrkdwn("x")] * 10},
        {"type": "section", "fields": [mrkdwn("x")] * 11},
        "no more than 10 items allowed",
        "/blocks/0/fields",
    ),
    (
        {"type": "section", "fields": [plain("x" * 2_000)]},
        {"type": "section", "fields": [plain("x" * 2_001)]},
        "must be less than 2001 characters",
        "/blocks/0/fields/0/text",
    ),
    (header("x" * 150), header("x" * 151), "must be less than 151 characters", "/blocks/0/text/text"),
    (
        context(*[mrkdwn("x")] * 10),
        context(*[mrkdwn("x")] * 11),
        "no more than 10 items allowed",
        "/blocks/0/elements",
    ),
    (
        actions(*(button(f"a{number}") for number in range(25))),
        actions(*(button(f"a{number}") for number in range(26))),
        "no more than 25 items allowed",
        "/blocks/0/elements",
    ),
    (
        pressing(text=plain("x" * 75)),
        pressing(text=plain("x" * 76)),
        "must be less than 76 characters",
        "/blocks/0/elements/0/text/text",
    ),
    (
        pressing(action_id="x" * 255, text=plain("x")),
        pressing(action_id="x" * 256, text=plain("x")),
        "must be less than 256 characters",
        "/blocks/0/elements/0/action_id",
    ),
    (
        pressing(value="x" * 2_000),
        pressing(value="x" * 2_001),
        "must be less than 2001 characters",
        "/blocks/0/elements/0/value",
    ),
    (
        pressing(url=ADDRESS.ljust(3_000, "x")),
        pressing(url=ADDRESS.ljust(3_001, "x")),
        "must be less than 3001 characters",
        "/blocks/0/elements/0/url",
    ),
    (
        pressing(confirm=confirm(title=plain("x" * 100))),
        pressing(confirm=confirm(title=plain("x" * 101))),
        "must be less than 101 characters",
        "/blocks/0/elements/0/confirm/title/text",
    ),
    (
        pressing(confirm=confirm(text=mrkdwn("x" * 300))),
        pressing(confirm=confirm(text=mrkdwn("x" * 301))),
        "must be less than 301 characters",
        "/blocks/0/elements/0/confirm/text/text",
    ),
    (
        pressing(confirm=confirm(confirm=plain("x" * 30))),
        pressing(confirm=confirm(confirm=plain("x" * 31))),
        "must be less than 31 characters",
        "/blocks/0/elements/0/confirm/confirm/text",
    ),
    (
        pressing(confirm=confirm(deny=plain("x" * 30))),
        pressing(confirm=confirm(deny=plain("x" * 31))),
        "must be less than 31 characters",
        "/blocks/0/elements/0/confirm/deny/text",
    ),
    (
        section(block_id="x" * 255),
        section(block_id="x" * 256),
        "must be less than 256 characters",
        "/blocks/0/block_id",
    ),
    (
        actions(select(*(f"{number}" for number in range(100)))),
        actions(select(*(f"{number}" for number in range(101)))),
        "no more than 100 items allowed",
        "/blocks/0/elements/0/options",
    ),
    (
        section(accessory=select(options=[option("x" * 75)])),
        section(accessory=select(options=[option("x" * 76)])),
        "must be less than 76 characters",
        "/blocks/0/accessory/options/0/text/text",
    ),
    (
        section(accessory=select(options=[option(value="x" * 150)])),
        section(accessory=select(options=[option(value="x" * 151)])),
        "must be less than 151 characters",
        "/blocks/0/accessory/options/0/value",
    ),
    (
        inputs(select("a"), label=plain("x" * 2_000)),
        inputs(select("a"), label=plain("x" * 2_001)),
        "must be less than 2001 characters",
        "/blocks/0/label/text",
    ),
    (
        text_input(max_length=3_000),
        text_input(max_length=3_001),
        "must be a number from 1 to 3000",
        "/blocks/0/element/max_length",
    ),
    (
        text_input(max_length=3, initial_value="abc"),
        text_input(max_length=3, initial_value="abcd"),
        "must be less than 4 characters",
        "/blocks/0/element/initial_value",
    ),
    (
        text_input(min_length=3, max_length=3),
        text_input(min_length=4, max_length=3),
        "must be at most max_length",
        "/blocks/0/element/min_length",
    ),
]


def blocks_of(given: Any) -> list[Json]:
    return given if isinstance(given, list) else [given]


def refusal(client: WebClient, method: str, **arguments: Any) -> tuple[str, list[str]]:
    with pytest.raises(SlackApiError) as problem:
        client.api_call(method, json=arguments)
    found = problem.value.response
    said = found.get("errors", [])
    assert [f"[ERROR] {each}" for each in said] == (found.get("response_metadata") or {"messages": []})["messages"]
    return found["error"], said


@pytest.mark.parametrize(("taken", "refused", "what", "where"), LIMITS, ids=[each[3] for each in LIMITS])
def test_limits_hold_to_the_character(client: WebClient, channel: str, taken: Any, refused: Any, what: str, where: str) -> None:
    assert client.chat_postMessage(channel=channel, text="x", blocks=blocks_of(taken))["ok"]
    found = refusal(client, "chat.postMessage", channel=channel, text="x", blocks=blocks_of(refused))
    assert found == ("invalid_blocks", [f"{what} [json-pointer:{where}]"])


WRONG: list[tuple[Any, str, str]] = [
    ({"text": plain("x")}, "missing required field: type", "/blocks/0"),
    ({"type": "carousel"}, "unsupported type: carousel", "/blocks/0/type"),
    ({"type": "divider", "colour": "red"}, "invalid additional property: colour", "/blocks/0"),
    ({"type": "section"}, "must define either `text` or `fields`", "/blocks/0"),
    ({"type": "section", "text": "x"}, "must be an object", "/blocks/0/text"),
    ({"type": "section", "text": mrkdwn(1)}, "must be a string", "/blocks/0/text/text"),  # type: ignore[arg-type]
    (section(""), "must be more than 0 characters", "/blocks/0/text/text"),
    (section(" \n"), "must be more than 0 characters", "/blocks/0/text/text"),
    (section(accessory=text_input()["element"]), "unsupported type: plain_text_input", "/blocks/0/accessory/type"),
    (section(text_=1), "invalid additional property: text_", "/blocks/0"),
    ({"type": "header", "text": mrkdwn("x")}, "unsupported type: mrkdwn", "/blocks/0/text/type"),
    ({"type": "section", "text": {**mrkdwn("x"), "emoji": True}}, "invalid additional property: emoji", "/blocks/0/text"),
    (pressing(text=mrkdwn("x")), "unsupported type: mrkdwn", "/blocks/0/elements/0/text/type"),
    (pressing(style="default"), "must be one of primary, danger", "/blocks/0/elements/0/style"),
    (pressing(url="javascript:alert(1)"), "invalid url", "/blocks/0/elements/0/url"),
    (pressing(value=7), "must be a string", "/blocks/0/elements/0/value"),
    (
        pressing(confirm={key: value for key, value in confirm().items() if key != "text"}),
        "missing required field: text",
        "/blocks/0/elements/0/confirm",
    ),
    (actions(), "no fewer than 1 items allowed", "/blocks/0/elements"),
    (actions(IMAGE), "unsupported type: image", "/blocks/0/elements/0/type"),
    (actions(button("a"), button("a")), "action_id must be unique in its block: a", "/blocks/0"),
    ([section(block_id="a"), section(block_id="a")], "block_id must be unique: a", "/blocks"),
    (context(button()), "unsupported type: button", "/blocks/0/elements/0/type"),
    ({"type": "image", "image_url": ADDRESS}, "missing required field: alt_text", "/blocks/0"),
    (
        context({"type": "image", "image_url": ADDRESS, "alt_text": ""}),
        "must be more than 0 characters",
        "/blocks/0/elements/0/alt_text",
    ),
    (actions(select("a", initial_option=option())), "must be one of the options", "/blocks/0/elements/0/initial_option"),
    (actions(select("a", "a")), "values must be unique", "/blocks/0/elements/0/options"),
    (inputs(button()), "unsupported type: button", "/blocks/0/element/type"),
    (inputs(select("a"), optional="yes"), "must be a boolean", "/blocks/0/optional"),
]


@pytest.mark.parametrize(("blocks", "what", "where"), WRONG, ids=[each[1] for each in WRONG])
def test_what_is_no_block_is_refused(
    slack: SlackServer, client: WebClient, channel: str, blocks: Any, what: str, where: str
) -> None:
    found = refusal(client, "chat.postMessage", channel=channel, text="x", blocks=blocks_of(blocks))
    assert found == ("invalid_blocks", [f"{what} [json-pointer:{where}]"])
    assert slack.messages(channel) == []


def test_everything_that_is_wrong_is_said(client: WebClient, channel: str) -> None:
    blocks = [section(""), {"type": "header"}, pressing(style="red", url="x")]
    assert refusal(client, "chat.update", channel=channel, ts="1.000000", text="x", blocks=blocks) == ("message_not_found", [])
    ts = client.chat_postMessage(channel=channel, text="x")["ts"]
    assert refusal(client, "chat.update", channel=channel, ts=ts, text="x", blocks=blocks) == (
        "invalid_blocks",
        [
            "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
            "missing required field: text [json-pointer:/blocks/1]",
            "must be one of primary, danger [json-pointer:/blocks/2/elements/0/style]",
            "invalid url [json-pointer:/blocks/2/elements/0/url]",
        ],
    )


@pytest.mark.parametrize("blocks", ["[{]", {"type": "divider"}, ["divider"], 7])
def test_what_is_no_list_of_blocks_has_an_error_of_its_own(client: WebClient, channel: str, blocks: Any) -> None:
    assert refusal(client, "chat.postMessage", channel=channel, text="x", blocks=blocks)[0] == "invalid_blocks_format"


def test_all_blocks_together_have_the_limit_that_we_set(client: WebClient, channel: str) -> None:
    def filled(characters: int) -> list[Json]:
        begun = [section("ü" * 2_900) for _ in range(3)]
        return [*begun, section("ü" * (characters - length([*begun, section("")])))]

    assert client.chat_postMessage(channel=channel, text="x", blocks=filled(9_000))["ok"]
    found = refusal(client, "chat.postMessage", channel=channel, text="x", blocks=filled(9_001))
    assert found == ("invalid_blocks", ["must be at most 9000 characters of JSON, not 9001 [json-pointer:/blocks]"])


VIEWS: list[tuple[Json, Json, str, str]] = [
    (modal(title=plain("x" * 24)), modal(title=plain("x" * 25)), "must be less than 25 characters", "/view/title/text"),
    (modal(submit=plain("x" * 24)), modal(submit=plain("x" * 25)), "must be less than 25 characters", "/view/submit/text"),
    (modal(close=plain("x" * 24)), modal(close=plain("x" * 25)), "must be less than 25 characters", "/view/close/text"),
    (modal(callback_id="x" * 255), modal(callback_id="x" * 256), "must be less than 256 characters", "/view/callback_id"),
    (
        modal(private_metadata="x" * 3_000),
        modal(private_metadata="x" * 3_001),
        "must be less than 3001 characters",
        "/view/private_metadata",
    ),
    (modal(*[DIVIDER] * 100), modal(*[DIVIDER] * 101), "no more than 100 items allowed", "/view/blocks"),
    (
        modal(text_input("a"), text_input("b")),
        modal(text_input("a"), text_input("a")),
        "block_id must be unique: a",
        "/view/blocks",
    ),
    (modal(section()), modal(section("x" * 3_001)), "must be less than 3001 characters", "/view/blocks/0/text/text"),
    (modal(external_id=""), modal(colour="red"), "invalid additional property: colour", "/view"),
    (modal(), {**modal(), "type": "home"}, "unsupported type: home", "/view/type"),
    (modal(), {key: value for key, value in modal().items() if key != "submit"}, "missing required field: submit", "/view"),
    (modal(), {key: value for key, value in modal().items() if key != "title"}, "missing required field: title", "/view"),
]


@pytest.mark.parametrize(("taken", "refused", "what", "where"), VIEWS, ids=[each[2] for each in VIEWS])
def test_limits_of_modals_hold_to_the_character(
    slack: SlackServer, client: WebClient, channel: str, taken: Json, refused: Json, what: str, where: str
) -> None:
    ts = client.chat_postMessage(channel=channel, text="x", blocks=[actions(button())])["ts"]
    click = slack.people.click(slack.add_user("anna"), ts, channel, "approve")
    found = refusal(client, "views.open", trigger_id=click.trigger_id, view=refused)
    assert found == ("invalid_arguments", [f"{what} [json-pointer:{where}]"])
    assert slack.views == []
    assert client.views_open(trigger_id=click.trigger_id, view=taken)["ok"]
    assert len(slack.views) == 1
