"""Whether a request is one that AWS takes, and an answer one that it could give, by the shapes of AWS's own models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from botocore.model import Shape

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (datetime,),
    "blob": (bytes,),
}
_DTYPES = {"timestamp": "i", "double": "f", "float": "f", "integer": "i", "long": "i"}
_OPEN = frozenset({"InstanceType", "PlatformValues", "RIProductDescription"})
"""Enumerations that AWS does not keep to: it says ``windows``, and sells Red Hat's Linux."""
_MOST = 20


def check(told: Any, shape: Shape | None, operation: str) -> None:
    """Raises ``AssertionError`` for an answer that has members that AWS's has not, or values of another kind."""
    found = [] if shape is None else list(_mistakes(told, shape, operation))
    assert not found, "\n".join(found[:_MOST])


def _mistakes(value: Any, shape: Shape, path: str) -> Iterator[str]:
    kind = shape.type_name
    if isinstance(value, np.ndarray):
        if kind != "list" or value.dtype.kind != _DTYPES.get(shape.member.type_name):
            yield f"{path} is an array of {value.dtype}"
    elif kind == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                yield from _mistakes(member, shape.members[name], f"{path}.{name}")
            elif not getattr(shape, "is_document_type", False):
                yield f"{path} has no {name}"
        yield from (f"{path} needs {name}" for name in shape.required_members if name not in value)
    elif kind == "list" and isinstance(value, list):
        for number, member in enumerate(value):
            yield from _mistakes(member, shape.member, f"{path}[{number}]")
    elif kind == "map" and isinstance(value, dict):
        for name, member in value.items():
            yield from _mistakes(member, shape.value, f"{path}.{name}")
    elif not isinstance(value, _KINDS.get(kind, ())) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path} is {type(value).__name__}, not {kind}"
    elif kind == "string" and shape.name not in _OPEN and shape.enum and value not in shape.enum:
        yield f"{path} is {value}, which is none of {', '.join(shape.enum[:_MOST])}"


def beyond(asked: Any, shape: Shape | None, path: str) -> Iterator[str]:
    """The constraints that a request does not keep to."""
    if shape is None:
        return
    kind, known = shape.type_name, shape.metadata
    if kind == "structure":
        for name, member in asked.items():
            yield from beyond(member, shape.members[name], f"{path}.{name}" if path else name)
        yield from (f"Value at '{path}' must have {name}" for name in shape.required_members if name not in asked)
    elif kind == "list":
        for number, member in enumerate(asked, start=1):
            yield from beyond(member, shape.member, f"{path}.{number}.member")
    elif kind == "string" and shape.enum and asked not in shape.enum:
        yield f"Value '{asked}' at '{path}' must satisfy enum value set: {', '.join(shape.enum[:_MOST])}"
    elif kind == "string" and "pattern" in known and not re.search(_python(known["pattern"]), asked):
        yield f"Value '{asked}' at '{path}' must satisfy regular expression pattern: {known['pattern']}"
    size = len(asked) if kind in ("list", "string", "map") else asked if kind in ("integer", "long", "double", "float") else None
    if size is not None and not known.get("min", size) <= size <= known.get("max", size):
        yield f"Value at '{path}' must be between {known.get('min')} and {known.get('max')}"


def _python(pattern: str) -> str:
    """A pattern of AWS's as Python takes it: the whole of a text has to fit."""
    return rf"\A(?:{pattern})\Z"
