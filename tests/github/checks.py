"""Strict checks of what a client sends: every field and parameter is known, present where it must be, and of its type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.github.answers import custom, invalid

Check = Callable[[Any], str | None]
"""Says what is wrong with a value, or None."""

MAXIMUM_BODY = 65536
MAXIMUM_TITLE = 256


def text(value: Any) -> str | None:
    return None if isinstance(value, str) else "is not a string"


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "is not a boolean"


def number(value: Any) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else "is not a number"


def mapping(value: Any) -> str | None:
    return None if isinstance(value, dict) else "is not an object"


def sha(value: Any) -> str | None:
    return None if isinstance(value, str) and re.fullmatch("[0-9a-f]{40}", value) else "is not a SHA of 40 hexadecimal digits"


def maybe(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def one_of(*choices: str) -> Check:
    return lambda value: None if value in choices else f"is not one of {', '.join(choices)}"


def matching(pattern: str, what: str) -> Check:
    return lambda value: None if isinstance(value, str) and re.fullmatch(pattern, value) else f"is not {what}"


def list_of(check: Check) -> Check:
    def check_all(value: Any) -> str | None:
        if not isinstance(value, list):
            return "is not an array"
        return next((f"has an entry that {wrong}" for each in value if (wrong := check(each))), None)

    return check_all


def moment(value: Any) -> str | None:
    try:
        return None if datetime.fromisoformat(value).tzinfo else "has no time zone"
    except (TypeError, ValueError):
        return "is not a moment"


def whole(low: int) -> Check:
    """A whole number in a query."""
    return lambda value: None if re.fullmatch("[0-9]{1,9}", value) and int(value) >= low else f"is not a number from {low}"


def check_fields(
    resource: str, given: Any, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None
) -> dict[str, Any]:
    """The fields of an object, or GitHub's 422 naming all that is wrong with them."""
    if not isinstance(given, dict):
        raise invalid({"resource": resource, "code": "invalid", "field": "body", "message": "body is not an object"})
    known = {**required, **(optional or {})}
    errors = [{"resource": resource, "code": "missing_field", "field": name} for name in required if name not in given]
    for name, value in given.items():
        wrong = known[name](value) if name in known else "is not a permitted key"
        if wrong:
            errors.append({"resource": resource, "code": "invalid", "field": name, "message": f"{name} {wrong}"})
    if errors:
        raise invalid(*errors)
    return given


def check_lengths(resource: str, given: Mapping[str, Any]) -> None:
    """Refuses a title or a body that is longer than GitHub keeps."""
    title, body = given.get("title"), given.get("body")
    if title is not None and not title.strip():
        raise invalid({"resource": resource, "code": "missing_field", "field": "title"})
    if title is not None and len(title) > MAXIMUM_TITLE:
        raise custom(resource, "title", f"title is too long (maximum is {MAXIMUM_TITLE} characters)")
    if body is not None and len(body) > MAXIMUM_BODY:
        raise custom(resource, "body", f"body is too long (maximum is {MAXIMUM_BODY} characters)")


def is_ref_name(name: str) -> bool:
    """Whether git takes a name below ``refs/``."""
    parts = name.split("/")
    return (
        len(parts) >= 3
        and parts[0] == "refs"
        and not re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{", name)
        and not name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )
