"""Whether an answer is one that AWS could give, by the shapes of AWS's own models."""

from __future__ import annotations

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
