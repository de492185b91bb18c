"""Strict checks of JSON against a shape, with problems in Slack's words: what is wrong, and a pointer to where."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Problems = list[str]
Check = Callable[[Any, str, Problems], None]
"""Adds what is wrong with a value, which stands at a pointer, to the problems."""


def say(problems: Problems, what: str, at: str) -> None:
    problems.append(f"{what} [json-pointer:{at}]")


def string(maximum: int, minimum: int = 1) -> Check:
    """A string of so many characters; blanks alone count for nothing."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            say(problems, "must be a string", at)
        elif len(value.strip()) < minimum:
            say(problems, f"must be more than {minimum - 1} characters", at)
        elif len(value) > maximum:
            say(problems, f"must be less than {maximum + 1} characters", at)

    return check


def flag(value: Any, at: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        say(problems, "must be a boolean", at)


def whole(low: int, high: int) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            say(problems, f"must be a number from {low} to {high}", at)

    return check


def one_of(*choices: str) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if value not in choices:
            say(problems, f"must be one of {', '.join(choices)}", at)

    return check


def url(value: Any, at: str, problems: Problems) -> None:
    before = len(problems)
    string(3_000)(value, at, problems)
    if len(problems) == before and not (urlsplit(value).scheme in ("http", "https") and urlsplit(value).hostname):
        say(problems, "invalid url", at)


def array_of(check: Check, minimum: int, maximum: int) -> Check:
    def check_all(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            say(problems, "must be an array", at)
            return
        if len(value) < minimum:
            say(problems, f"no fewer than {minimum} items allowed", at)
        if len(value) > maximum:
            say(problems, f"no more than {maximum} items allowed", at)
        for number, each in enumerate(value):
            check(each, f"{at}/{number}", problems)

    return check_all


def fields(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no other."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            say(problems, "must be an object", at)
            return
        for name in required:
            if name not in value:
                say(problems, f"missing required field: {name}", at)
        for name, content in value.items():
            if name in known:
                known[name](content, f"{at}/{name}", problems)
            else:
                say(problems, f"invalid additional property: {name}", at)

    return check


def typed(kinds: Mapping[str, Check]) -> Check:
    """An object whose ``type`` says which shape it has. The shapes themselves do not name ``type``."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            say(problems, "must be an object", at)
        elif "type" not in value:
            say(problems, "missing required field: type", at)
        elif value["type"] not in kinds:
            say(problems, f"unsupported type: {value['type']}", f"{at}/type")
        else:
            rest = {name: content for name, content in value.items() if name != "type"}
            kinds[value["type"]](rest, at, problems)

    return check


def also(check: Check, rule: Check) -> Check:
    """A shape with a further rule, which is asked only where the shape is right."""

    def check_both(value: Any, at: str, problems: Problems) -> None:
        before = len(problems)
        check(value, at, problems)
        if len(problems) == before:
            rule(value, at, problems)

    return check_both


def length(value: Any) -> int:
    """How many characters something has as JSON, without blanks between and with every character as itself."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
