"""How answers in JSON are read: lists of numbers and moments at once.

botocore walks a page of metrics value by value and tries the machine's time zones on each moment: seven seconds for a hundred
thousand points, where reading the text takes thirty milliseconds.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

_NUMBERS = frozenset({"double", "float", "integer", "long"})


@functools.cache
def parser_factory() -> Any:
    """What a session makes its parsers with; it takes the place of botocore's own."""
    from botocore import parsers

    class Lists(parsers.JSONParser):  # type: ignore[misc]
        """As botocore's, and long lists as they are."""

        def _handle_list(self, shape: Any, node: Any) -> Any:
            kind = shape.member.type_name
            if kind in _NUMBERS and isinstance(node, list):
                return node
            if kind == "timestamp" and isinstance(node, list):
                return [_moment(value) for value in node]
            return super()._handle_list(shape, node)

    class Parsers(parsers.ResponseParserFactory):  # type: ignore[misc]
        """As botocore's, with another parser of JSON."""

        def create_parser(self, protocol_name: str) -> Any:
            if protocol_name == "json":
                return Lists(timestamp_parser=_moment)
            return super().create_parser(protocol_name)

    made = Parsers()
    made.set_parser_defaults(timestamp_parser=_moment)
    return made


def _moment(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    from botocore.utils import parse_timestamp

    found: datetime = parse_timestamp(value)
    return found
