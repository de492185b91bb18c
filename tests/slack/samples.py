"""A message with buttons and a modal with inputs, as an app might send them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "*db-1* is half empty", **more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action_id: str = "approve", value: str = "request-1", **more: Any) -> Json:
    return {"type": "button", "text": plain(action_id.capitalize()), "action_id": action_id, "value": value, **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def select(*values: str, **more: Any) -> Json:
    options = [{"text": plain(value), "value": value} for value in values]
    return {"type": "static_select", "action_id": "choice", "options": options, **more}


def text_input(block_id: str = "reason", *, optional: bool = False, **more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": "text", **more}
    return {"type": "input", "block_id": block_id, "label": plain("Why?"), "optional": optional, "element": element}


def question() -> list[Json]:
    """The blocks of a message that asks to approve or reject."""
    return [section(), actions(button("approve", style="primary"), button("reject", style="danger"), block_id="answer")]


def modal(*blocks: Json, **more: Any) -> Json:
    """A modal with a text and a select unless blocks are given."""
    until = {"type": "input", "block_id": "until", "label": plain("Until"), "optional": True, "element": select("week", "month")}
    return {
        "type": "modal",
        "callback_id": "reject",
        "title": plain("Reject"),
        "submit": plain("Send"),
        "private_metadata": "request-1",
        "blocks": list(blocks) or [text_input(max_length=20), until],
        **more,
    }
