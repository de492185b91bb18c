"""Arguments of a method: from JSON or from a form, each of its type, none that is not known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.slack.answers import Refusal, invalid_arguments

Reader = Callable[[str, Any], Any]
"""Makes of a name and what was sent the value that it stands for."""

FLAGS = {"1": True, "true": True, "0": False, "false": False}


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise invalid_arguments(f"must be a string [json-pointer:/{name}]")
    return value


def flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in FLAGS:
        raise invalid_arguments(f"must be a boolean [json-pointer:/{name}]")
    return FLAGS[str(value).lower()]


def whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,9}", str(value)):
        raise invalid_arguments(f"must be a number [json-pointer:/{name}]")
    return int(value)


def structure(error: str) -> Reader:
    """Lists and objects: as they are in JSON, as strings of JSON in a form."""

    def read(name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(error, [f"must be valid JSON [json-pointer:/{name}]"]) from None

    return read


class UnknownArguments(Exception):
    """Arguments that this server does not know: Slack may, so this is said aloud."""


def read(given: Mapping[str, Any], required: Mapping[str, Reader], optional: Mapping[str, Reader]) -> dict[str, Any]:
    """The arguments that were sent, each as the value that it stands for."""
    known = {**required, **optional}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UnknownArguments(", ".join(unknown))
    missing = [f"missing required field: {name}" for name in required if given.get(name) in (None, "")]
    if missing:
        raise invalid_arguments(*missing)
    return {name: known[name](name, value) for name, value in given.items() if value is not None}
