"""Lists that come in pages: tokens are good for the same question only, and a page may be shorter than it was asked to be."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.aws.routing import Call
from tests.aws.wire import Json, Refusal

Wrong = tuple[int, str, str]
"""What a refusal says: its status, code and message."""
NEXT = "NextToken"
_SIZES = ("MaxResults", "MaxRecords", "maxResults")


def size_of(call: Call, name: str, low: int, high: int, default: int, code: str = "InvalidParameterValue") -> int:
    """How many things a page may have. Raises ``Refusal`` beyond the bounds."""
    size: int = call.parameters.get(name, default)
    if name in call.parameters and not low <= size <= high:
        raise Refusal(400, code, f"Value ( {size} ) for parameter {name} is invalid. Expecting a value between {low} and {high}.")
    return size


def page(
    call: Call, found: list[Json], key: Callable[[Json], str], size: int, wrong: Wrong, token: str = NEXT
) -> tuple[list[Json], Json]:
    """A page of things, which are told apart by ``key`` and come in its order, and the token of the next page, if there is one.
    ``wrong`` is what is said of a token of another question. What comes and goes between pages moves nothing else."""
    last, is_first = "", token not in call.parameters
    if not is_first:
        last = read_token(call, call.parameters[token], wrong, *_SIZES, token)
    elif call.hub.dials.is_first_page_empty and found:
        return [], {token: make_token(call, "", *_SIZES, token)}
    rest = sorted((each for each in found if key(each) > last), key=key)
    size = min(size, call.hub.dials.most_per_page or size)
    taken = rest[:size]
    return taken, {token: make_token(call, key(taken[-1]), *_SIZES, token)} if len(rest) > size else {}


def make_token(call: Call, position: str, *apart: str) -> str:
    """A token for a position in the answer to a question; the parameters that are ``apart`` may change."""
    return base64.b64encode(json.dumps([position, _question(call, apart)]).encode()).decode()


def read_token(call: Call, token: str, wrong: Wrong, *apart: str) -> str:
    """The position of a token. Raises ``Refusal`` where it is of another question."""
    try:
        position, question = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        raise Refusal(*wrong) from None
    if question != _question(call, apart):
        raise Refusal(*wrong)
    return str(position)


def _question(call: Call, apart: tuple[str, ...]) -> str:
    asked = {name: value for name, value in call.parameters.items() if name not in apart}
    text = json.dumps([call.place.account, call.asked.region, call.asked.operation, asked], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    assert isinstance(value, datetime), type(value)
    return value.isoformat()
