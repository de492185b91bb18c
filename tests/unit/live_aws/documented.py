"""AWS as its documentation has it: answers are given, and requests and answers are held against AWS's own descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import create_loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import Operation
from dagster_project.sources.aws_scopes import Scope
from tests.aws.conform import check

ACCOUNT = "111111111111"
Json = dict[str, Any]


class Documented(Connection):
    """A connection that sends nothing. Of each operation the answers come in order; one that is an exception is raised.

    ``asked`` is what was asked, operation and parameters; ``things`` are what failures would have named."""

    def __init__(self, **answers: Sequence[Json | Exception]) -> None:
        super().__init__(region="us-east-2")
        self._answers = {name: list(given) for name, given in answers.items()}
        self.asked: list[tuple[str, Json]] = []
        self.things: list[str] = []

    def ask(self, operation: Operation, thing: str, **parameters: Any) -> Json:
        """The next answer. Fails where AWS would not take the request, or would not give that answer."""
        check_request(operation, parameters)
        self.asked.append((operation.name, parameters))
        self.things.append(thing)
        answer = self._answers[operation.name].pop(0)
        if isinstance(answer, Exception):
            raise answer
        shape = _service(operation.service).operation_model(operation.name).output_shape
        parsed: Json = _parsed(answer, shape)
        check(parsed, shape, operation.name)
        return parsed

    def of(self, operation: str) -> list[Json]:
        """What was asked of one operation."""
        return [parameters for name, parameters in self.asked if name == operation]


def scope(region: str = "us-east-2", **answers: Sequence[Json | Exception]) -> Scope:
    """A region of an account in which AWS answers as given."""
    return Scope(ACCOUNT, region, Documented(**answers))


def documented(place: Scope) -> Documented:
    """What was asked of a region."""
    assert isinstance(place.connection, Documented)
    return place.connection


def check_request(operation: Operation, parameters: Json) -> None:
    """Raises ``AssertionError`` for a request that AWS would not take."""
    shape = _service(operation.service).operation_model(operation.name).input_shape
    assert shape is not None
    problems = ParamValidator().validate(parameters, shape)
    assert not problems.has_errors(), problems.generate_report()
    assert list(_beyond(parameters, shape, operation.name)) == []


@cache
def _service(name: str) -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(name, "service-2"), name)


def _beyond(asked: Any, shape: Shape, path: str) -> Iterator[str]:
    """What of a request is more than AWS takes, or none of the words that it knows; botocore looks for too little only."""
    if shape.type_name == "structure":
        for name, member in asked.items():
            yield from _beyond(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for member in asked:
            yield from _beyond(member, shape.member, path)
    elif shape.type_name == "string" and shape.enum and asked not in shape.enum:
        yield f"{path} is none of {shape.enum}"
    size = len(asked) if isinstance(asked, list | str) else asked if isinstance(asked, int) else 0
    if size > shape.metadata.get("max", size):
        yield f"{path} is more than {shape.metadata['max']}"


def _parsed(value: Any, shape: Shape | None) -> Any:
    """What botocore makes of an answer: moments with their zone, where the documentation writes them as text."""
    if shape is None or isinstance(value, datetime):
        return value
    if shape.type_name == "timestamp" and isinstance(value, str):
        return datetime.fromisoformat(value)
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: _parsed(member, shape.members.get(name)) for name, member in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_parsed(member, shape.member) for member in value]
    return value
