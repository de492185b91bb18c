"""The shapes of what stands inside of blocks: texts, buttons, selects and inputs, with their documented limits."""

from __future__ import annotations

from typing import Any

from tests.slack.checks import Check, Problems, also, array_of, fields, flag, one_of, say, string, typed, url, whole

ACTION_ID = string(255)
STYLE = one_of("primary", "danger")


def plain(maximum: int) -> Check:
    return typed({"plain_text": fields({"text": string(maximum)}, {"emoji": flag})})


def text(maximum: int) -> Check:
    """A text with or without markup."""
    return typed(
        {
            "plain_text": fields({"text": string(maximum)}, {"emoji": flag}),
            "mrkdwn": fields({"text": string(maximum)}, {"verbatim": flag}),
        }
    )


CONFIRM = fields({"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)}, {"style": STYLE})

BUTTON = fields(
    {"text": plain(75)},
    {
        "action_id": ACTION_ID,
        "url": url,
        "value": string(2_000),
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)

OPTION = fields({"text": plain(75), "value": string(150)}, {"description": plain(75)})


def _initial_option_is_one_of_them(value: Any, at: str, problems: Problems) -> None:
    if "initial_option" in value and value["initial_option"] not in value["options"]:
        say(problems, "must be one of the options", f"{at}/initial_option")


def _option_values_differ(value: Any, at: str, problems: Problems) -> None:
    values = [option["value"] for option in value["options"]]
    if len({*values}) < len(values):
        say(problems, "values must be unique", f"{at}/options")


STATIC_SELECT = also(
    also(
        fields(
            {"options": array_of(OPTION, 1, 100)},
            {
                "action_id": ACTION_ID,
                "placeholder": plain(150),
                "initial_option": OPTION,
                "confirm": CONFIRM,
                "focus_on_load": flag,
            },
        ),
        _initial_option_is_one_of_them,
    ),
    _option_values_differ,
)


def _lengths_agree(value: Any, at: str, problems: Problems) -> None:
    low, high = value.get("min_length", 0), value.get("max_length", 3_000)
    if low > high:
        say(problems, "must be at most max_length", f"{at}/min_length")
    if len(value.get("initial_value", "")) > high:
        say(problems, f"must be less than {high + 1} characters", f"{at}/initial_value")


PLAIN_TEXT_INPUT = also(
    fields(
        {},
        {
            "action_id": ACTION_ID,
            "placeholder": plain(150),
            "initial_value": string(3_000),
            "multiline": flag,
            "min_length": whole(0, 3_000),
            "max_length": whole(1, 3_000),
            "focus_on_load": flag,
        },
    ),
    _lengths_agree,
)

IMAGE = fields({"image_url": url, "alt_text": string(2_000)})

IN_CONTEXT = typed(
    {
        "plain_text": fields({"text": string(3_000)}, {"emoji": flag}),
        "mrkdwn": fields({"text": string(3_000)}, {"verbatim": flag}),
        "image": IMAGE,
    }
)
IN_ACTIONS = typed({"button": BUTTON, "static_select": STATIC_SELECT})
AS_ACCESSORY = typed({"button": BUTTON, "static_select": STATIC_SELECT, "image": IMAGE})
IN_INPUT = typed({"plain_text_input": PLAIN_TEXT_INPUT, "static_select": STATIC_SELECT})
