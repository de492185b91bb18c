"""What goes over the wire to services that speak JSON, by the shapes of AWS's own models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from botocore.model import Shape
from moto.core.model import OperationModel, ServiceModel

PROTOCOLS = ("json", "rest-json")
Json = dict[str, Any]


def operation_name(headers: Mapping[str, str]) -> str:
    """The operation that is asked for."""
    return headers.get("X-Amz-Target", "").rpartition(".")[2]


def content_type(service: ServiceModel) -> str:
    if service.metadata["protocol"] == "rest-json":
        return "application/json"
    return f"application/x-amz-json-{service.metadata.get('jsonVersion', '1.1')}"


def parameters(model: OperationModel, body: bytes) -> Json:
    """What is asked. Raises ``LookupError`` for what the operation does not take."""
    given: Json = json.loads(body or b"{}")
    return _typed(given, model.input_shape, model.name) if model.input_shape else {}


def read_path(service: ServiceModel, method: str, target: str, body: bytes) -> tuple[str, Json]:
    """The operation that a path stands for, and what is asked of it. Raises ``LookupError``."""
    parts = urlsplit(target)
    for name in service.operation_names:
        model = service.operation_model(name)
        if model.http["method"] == method and (found := _template(model.http["requestUri"]).fullmatch(parts.path)):
            members = model.input_shape.members if model.input_shape else {}
            there = {**{each: unquote(text) for each, text in found.groupdict().items()}, **_query(parts.query)}
            located = {each.serialization.get("name", key): key for key, each in members.items()}
            placed = {located[each]: _read(text, members[located[each]]) for each, text in there.items() if each in located}
            return name, {**placed, **parameters(model, body)}
    raise LookupError(f"{service.service_name} has no operation at {method} {parts.path}")


def result(told: Json) -> bytes:
    return json.dumps(told, default=_plain, separators=(",", ":")).encode()


def refusal(code: str, message: str) -> bytes:
    return json.dumps({"__type": code, "message": message}).encode()


def refusal_headers(service: ServiceModel, code: str) -> tuple[tuple[str, str], ...]:
    """What clients look at besides the body."""
    if "awsQueryCompatible" in service.metadata:
        return (("x-amzn-query-error", f"{code};Sender"),)
    return (("x-amzn-errortype", code),)


def _typed(value: Any, shape: Shape, path: str) -> Any:
    """A value as its shape means it."""
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    if shape.type_name == "list":
        return [_typed(each, shape.member, f"{path}[]") for each in value]
    if shape.type_name == "map":
        return {key: _typed(each, shape.value, f"{path}.{key}") for key, each in value.items()}
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        known = {each.serialization.get("name", name): (name, each) for name, each in shape.members.items()}
        if unknown := sorted({*value} - {*known}):
            raise LookupError(f"{path} takes no {', '.join(unknown)}")
        return {known[key][0]: _typed(each, known[key][1], f"{path}.{key}") for key, each in value.items()}
    return value


def _read(text: str, shape: Shape) -> Any:
    """A value out of a path."""
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text == "true" if shape.type_name == "boolean" else text


def _plain(value: Any) -> Any:
    """What JSON has no way for: moments are seconds since 1970, arrays are lists."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no way as JSON")


def _template(uri: str) -> re.Pattern[str]:
    parts: Iterator[str] = iter(re.split(r"\{(\w+)(\+?)\}", uri.partition("?")[0]))
    pattern = re.escape(next(parts))
    for name, greedy, text in zip(parts, parts, parts, strict=True):
        pattern += f"(?P<{name}>{'.+' if greedy else '[^/]+'})" + re.escape(text)
    return re.compile(pattern)


def _query(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text).items()}
