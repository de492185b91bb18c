"""AWS as its documentation has it: answers are given, and requests and answers are held against AWS's own descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import create_loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import Operation
from dagster_project.sources.aws_scopes import Scope
from tests.aws.conform import beyond, check

ACCOUNT = "111111111111"
Json = dict[str, Any]


class Documented(Connection):
    """A connection that sends nothing. Of each operation the answers come in order; one that is an exception is raised.

    ``asked`` is what was asked: operation, and its parameters."""

    def __init__(self, **answers: Sequence[Json | Exception]) -> None:
        super().__init__(region="us-east-2")
        self._answers = {name: list(given) for name, given in answers.items()}
        self.asked: list[tuple[str, Json]] = []

    def ask(self, operation: Operation, thing: str, **parameters: Any) -> Json:
        """The next answer. Fails where AWS would not take the request, or would not give that answer."""
        described = _service(operation.service).operation_model(operation.name)
        problems = ParamValidator().validate(parameters, described.input_shape)
        assert not problems.has_errors(), problems.generate_report()
        assert list(beyond(parameters, described.input_shape, "")) == []
        assert ACCOUNT in thing, "what a failure would be about"
        self.asked.append((operation.name, parameters))
        answer = self._answers[operation.name].pop(0)
        if isinstance(answer, Exception):
            raise answer
        parsed: Json = _parsed(answer, described.output_shape)
        check(parsed, described.output_shape, operation.name)
        return parsed

    @property
    def left(self) -> list[str]:
        """Operations with answers that nobody asked for."""
        return [name for name, answers in self._answers.items() if answers]

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


@cache
def _service(name: str) -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(name, "service-2"), name)


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
