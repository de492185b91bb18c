"""What goes over the wire to services that speak JSON, by the shapes of AWS's own models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape
from moto.core.model import OperationModel

SERVICES = ("cloudtrail", "cloudwatch")
CONTENT_TYPE = "application/x-amz-json-1.1"
Json = dict[str, Any]


def operation_name(headers: Mapping[str, str]) -> str:
    """The operation that is asked for."""
    return headers.get("X-Amz-Target", "").rpartition(".")[2]


def parameters(model: OperationModel, body: bytes) -> Json:
    """What is asked. Raises ``LookupError`` for what the operation does not take."""
    given, known = json.loads(body or b"{}"), model.input_shape.members
    if unknown := sorted({*given} - {*known}):
        raise LookupError(f"{model.name} takes no {', '.join(unknown)}")
    return {name: _typed(value, known[name]) for name, value in given.items()}


def result(told: Json) -> bytes:
    return json.dumps(told, default=lambda at: at.timestamp()).encode()


def refusal(code: str, message: str) -> bytes:
    return json.dumps({"__type": code, "message": message}).encode()


def _typed(value: Any, shape: Shape) -> Any:
    return datetime.fromtimestamp(value, UTC) if shape.type_name == "timestamp" else value
