"""Renders template files: the text knows which of its bytes stand in the file as they are."""

from __future__ import annotations

from collections.abc import Callable

from dagster_project.iac.files import SourceFile
from dagster_project.iac.hcl import parse_template
from dagster_project.iac.syntax import Expression, Literal, Template
from dagster_project.iac.types import to_string
from dagster_project.iac.values import (
    Choice,
    CodeError,
    DocumentText,
    Lazy,
    Run,
    Scalar,
    Span,
    Unknown,
    Value,
    controls,
    flows,
    unknown,
)


def rendered(file: SourceFile, variables: Value, evaluate: Callable[[Expression], Value]) -> Value:
    """The text of a template file; unknown where a part of it is. ``evaluate`` gives the value of an expression in it.

    Raises ``CodeError`` where Terraform would refuse it.
    """
    template = parse_template(file.path, file.data, list(range(len(file.data) + 1)))
    whole = Scalar(flow=frozenset((Span(file.path, 0, len(file.data)),)))
    if not isinstance(template, Template):
        return unknown(f"the template {file.path}", whole, variables, evaluate(template))
    text, runs, parts = b"", [], [evaluate(part) for part in template.parts]
    for part, value in zip(template.parts, parts, strict=True):
        if isinstance(value, Unknown | Lazy | Choice):
            return unknown(f"a part of the template {file.path}", value, whole, variables, *parts)
        piece = to_string(value).value
        if piece is None:
            raise CodeError("a template has a part that is null")
        runs.append(Run(len(text), _start(part, piece, file), flows((value,))))
        text += piece.encode("utf-8")
    return DocumentText(
        flow=flows((whole, *parts)),
        # What the variables are decides about all that is decoded from the text.
        control=controls((variables, *parts)) | flows((variables,)),
        value=text.decode("utf-8"),
        file=file.path,
        runs=tuple(runs) or (Run(0, 0),),
    )


def _start(part: Expression, piece: str, file: SourceFile) -> int | None:
    """Where a literal part stands in the file; None of one that is computed, or has an escape."""
    if not isinstance(part, Literal):
        return None
    (place,) = part.value.flow
    return place.start if file.data[place.start : place.end].decode("utf-8") == piece else None
