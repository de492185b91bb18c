"""Repositories, states and expressions for the tests of infrastructure code.

A literal is marked as ``«a:m5.large»``; the marker is taken out, and ``a`` is the place of the bytes that stood in it.
"""

from __future__ import annotations

from collections.abc import Mapping as Texts
from pathlib import Path
from typing import Any

from dagster_project.iac.edit import Change, Edits, prepare
from dagster_project.iac.evaluate import Scope, evaluate
from dagster_project.iac.files import Files
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import State, read_state
from dagster_project.iac.syntax import Step
from dagster_project.iac.values import Scalar, Span, Value, flows, unknown
from dagster_project.iac.verdicts import Location
from tests.iac.case_files import state as raw_state
from tests.iac.case_files import strip_markers


def marked(text: str, path: str = "main.tf") -> tuple[bytes, dict[str, Span]]:
    """The bytes without markers, and the place of each."""
    data, spans = strip_markers(path, text)
    return data, {name: Span(span.path, span.start, span.end) for name, span in spans.items()}


def written(folder: Path, files: Texts[str, str | bytes]) -> dict[str, Span]:
    """Writes files without their markers; the places of all markers."""
    places: dict[str, Span] = {}
    for path, content in files.items():
        data, spans = marked(content, path) if isinstance(content, str) else (content, {})
        assert not places.keys() & spans.keys(), f"a marker stands twice: {sorted(places.keys() & spans.keys())}"
        places |= spans
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return places


class Checkout:
    """A repository in a folder. ``places`` are those of its markers, ``live`` is its state by address."""

    def __init__(self, folder: Path, files: Texts[str, str | bytes], live: Texts[str, Texts[str, Any]], root: str = ".") -> None:
        self.folder = folder
        self.root = root
        folder.mkdir(exist_ok=True)
        self.places = written(folder, files)
        self.state: State = read_state(raw_state(live))
        self.repository = Repository.open(folder)

    def reopened(self) -> Checkout:
        """The same folder, read anew."""
        self.repository = Repository.open(self.folder)
        return self

    def data(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def plan(self, **kwargs: Any) -> Plan:
        return Plan(self.root, **kwargs)

    def locate(self, resource: str, attribute: str = "instance_type", live: str | None = None, **kwargs: Any) -> Location:
        return locate(self.repository, self.plan(**kwargs), self.state, Question(resource, attribute, live))

    def verdict(self, resource: str, attribute: str = "instance_type", **kwargs: Any) -> tuple[str, str]:
        """Status and reason code."""
        location = self.locate(resource, attribute, **kwargs)
        return location.status, location.reason_code

    def prepare(self, *changes: tuple[str, str, str], allow_shared: bool = False) -> Edits:
        """Changes, each as (resource, attribute, to), made together in memory."""
        asked = [Change(Question(resource, attribute), to) for resource, attribute, to in changes]
        return prepare(self.repository, self.plan(), self.state, asked, allow_shared=allow_shared)


class Names:
    """References to nothing: what is not among a scope's names is unknown."""

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> tuple[Value, int]:
        return unknown(name), 0


def value_of(expression: str, folder: Path | None = None, **names: Value) -> tuple[Value, dict[str, Span]]:
    """An expression's value, with the places of its markers. ``folder`` holds the files that it may read."""
    data, places = marked(f"a = {expression}\n")
    parsed = parse_hcl("main.tf", data).expression("a")
    assert parsed is not None
    context = FileContext(Files(folder or Path("/nonexistent")), ".", set())
    return evaluate(parsed, Scope(Names(), context, names)), places


def markers_in(value: Value, places: Texts[str, Span]) -> str:
    """The markers whose bytes flow into a value, as one sorted word."""
    flow = flows((value,))
    return "".join(sorted(name for name, place in places.items() if place in flow))


def origin_of(value: Value, places: Texts[str, Span]) -> str | None:
    """The marker that a scalar is; None where it is none, or has a place that is not marked."""
    assert isinstance(value, Scalar)
    found = [name for name, place in places.items() if place == value.origin]
    assert found or value.origin is None, f"the value has a place that no marker has: {value.origin}"
    return found[0] if found else None
