"""Views: the shape of a modal, and a modal as Slack keeps it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.slack.answers import Refusal, invalid_arguments
from tests.slack.blocks import IN_VIEW, complete, complete_texts, find_problems
from tests.slack.checks import Problems, also, fields, flag, length, say, string, typed
from tests.slack.elements import plain

MAXIMUM_BYTES = 250_000


def _blocks(value: Any, at: str, problems: Problems) -> None:
    problems += find_problems(value, at, IN_VIEW)


def _can_be_submitted(value: Any, at: str, problems: Problems) -> None:
    if "submit" not in value and any(block["type"] == "input" for block in value["blocks"]):
        say(problems, "missing required field: submit", at)


MODAL = typed(
    {
        "modal": also(
            fields(
                {"title": plain(24), "blocks": _blocks},
                {
                    "submit": plain(24),
                    "close": plain(24),
                    "callback_id": string(255),
                    "private_metadata": string(3_000, minimum=0),
                    "external_id": string(255, minimum=0),
                    "clear_on_close": flag,
                    "notify_on_close": flag,
                    "submit_disabled": flag,
                },
            ),
            _can_be_submitted,
        )
    }
)


def check_modal(view: Any, at: str = "/view") -> None:
    """Refuses what is no modal, with all that is wrong with it."""
    problems: Problems = []
    MODAL(view, at, problems)
    if problems:
        raise invalid_arguments(*problems)
    if length(view) > MAXIMUM_BYTES:
        raise Refusal("view_too_large")


def complete_modal(view: dict[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    """The modal with what was left out."""
    switches = {"clear_on_close": False, "notify_on_close": False, "submit_disabled": False}
    texts = {"private_metadata": "", "callback_id": "", "external_id": "", "submit": None, "close": None}
    completed = {**texts, **switches, **copy.deepcopy(view), "blocks": complete(view["blocks"], new_id)}
    complete_texts(completed)
    return completed
