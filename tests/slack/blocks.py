"""Blocks: their documented shapes and limits, and what Slack adds to those that it takes."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.slack.answers import Refusal
from tests.slack.checks import Problems, also, array_of, fields, flag, length, say, string, typed, url
from tests.slack.elements import AS_ACCESSORY, IN_ACTIONS, IN_CONTEXT, IN_INPUT, plain, text
from tests.slack.models import Block, actions_of

IN_MESSAGE, IN_VIEW = 50, 100
OUR_MAXIMUM = 9_000
"""Characters that all blocks of a message may have as JSON. The rule is this product's: Slack refuses a sum that it does not
document with ``msg_blocks_too_long``, and has been seen to take 15,561 and to refuse 17,694."""

BLOCK_ID = {"block_id": string(255)}


def _has_text_or_fields(value: Any, at: str, problems: Problems) -> None:
    if "text" not in value and "fields" not in value:
        say(problems, "must define either `text` or `fields`", at)


BLOCK = typed(
    {
        "section": also(
            fields(
                {},
                {
                    **BLOCK_ID,
                    "text": text(3_000),
                    "fields": array_of(text(2_000), 1, 10),
                    "accessory": AS_ACCESSORY,
                    "expand": flag,
                },
            ),
            _has_text_or_fields,
        ),
        "header": fields({"text": plain(150)}, BLOCK_ID),
        "divider": fields({}, BLOCK_ID),
        "context": fields({"elements": array_of(IN_CONTEXT, 1, 10)}, BLOCK_ID),
        "actions": fields({"elements": array_of(IN_ACTIONS, 1, 25)}, BLOCK_ID),
        "image": fields({"image_url": url, "alt_text": string(2_000)}, {**BLOCK_ID, "title": plain(2_000)}),
        "input": fields(
            {"label": plain(2_000), "element": IN_INPUT},
            {**BLOCK_ID, "hint": plain(2_000), "optional": flag, "dispatch_action": flag},
        ),
    }
)


def find_problems(blocks: Any, at: str, maximum: int) -> Problems:
    """What is wrong with blocks that stand at a pointer."""
    problems: Problems = []
    array_of(BLOCK, 0, maximum)(blocks, at, problems)
    if not problems:
        _check_identifiers(blocks, at, problems)
    return problems


def _check_identifiers(blocks: list[Block], at: str, problems: Problems) -> None:
    for block_id, count in Counter(block["block_id"] for block in blocks if "block_id" in block).items():
        if count > 1:
            say(problems, f"block_id must be unique: {block_id}", at)
    for number, block in enumerate(blocks):
        for action_id, count in Counter(element["action_id"] for _, element in actions_of([block])).items():
            if count > 1:
                say(problems, f"action_id must be unique in its block: {action_id}", f"{at}/{number}")


def check_message_blocks(blocks: Any) -> None:
    """Refuses what is no list of blocks with ``invalid_blocks_format``, and other blocks than a message may have."""
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise Refusal("invalid_blocks_format")
    problems = find_problems(blocks, "/blocks", IN_MESSAGE)
    if not problems and length(blocks) > OUR_MAXIMUM:
        say(problems, f"must be at most {OUR_MAXIMUM} characters of JSON, not {length(blocks)}", "/blocks")
    if problems:
        raise Refusal("invalid_blocks", problems)


def complete(blocks: list[Block], new_id: Callable[[], str]) -> list[Block]:
    """The blocks as Slack gives them back: with the identifiers and the switches of texts that were left out."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", new_id())
        elements = [*block.get("elements", ()), *(block[name] for name in ("accessory", "element") if name in block)]
        for element in elements:
            if element["type"] in ("button", "static_select", "plain_text_input"):
                element.setdefault("action_id", new_id())
    complete_texts(blocks)
    return blocks


def complete_texts(value: Any) -> None:
    """Adds the switches of all texts in a value."""
    if isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for each in value.values():
            complete_texts(each)
    elif isinstance(value, list):
        for each in value:
            complete_texts(each)
