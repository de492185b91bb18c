"""Decides which literal a value is, given the live value; shared by both front ends."""

from __future__ import annotations

from dagster_project.iac.files import Files, SourceFile
from dagster_project.iac.values import Choice, Lazy, Scalar, Span, Unknown, Value, alternatives
from dagster_project.iac.verdicts import Refusal


def decide(files: Files, value: Value, live: str) -> tuple[Scalar, str]:
    """The one literal that is the live value, and the reason code of having found it. Raises ``Refusal``.

    Where the value is one of several alternatives, the live value chooses; what it leaves open is never guessed.
    """
    options = alternatives(value)
    unknowns = [option for option in options if not isinstance(option, Scalar)]
    same = [option for option in options if isinstance(option, Scalar) and option.text == live]
    if unknowns and not same:
        raise Refusal(*_why_unknown(unknowns[0]))
    if not same:
        told = ", ".join(sorted({option.text or "null" for option in options if isinstance(option, Scalar)}))
        one_of = "one of " if isinstance(value, Choice) else ""
        raise Refusal("drift", f"The code says {one_of}{told}, and {live} is live")
    if len({option.origin for option in same}) > 1:
        raise Refusal("several_candidates", "; ".join(sorted(_told(files, option) for option in same)))
    if unknowns:
        raise Refusal("unknown_alternative", _why_unknown(unknowns[0])[1])
    return _literal(files, same[0]), "chosen_by_live_value" if isinstance(value, Choice) else "literal"


def _literal(files: Files, value: Scalar) -> Scalar:
    if value.origin is None:
        places = sorted({f"{place.file} line {line_of(files, place)}" for place in value.flow if files.read(place.file)})
        raise Refusal("composite_string", ", ".join(places) or "an expression")
    file = _file(files, value.origin)
    problem = files.owner_problem(file.path)
    if problem:
        raise Refusal(problem, file.path)
    if file.is_encrypted:
        raise Refusal("encrypted", file.path)
    if file.is_generated:
        raise Refusal("generated", file.path)
    return value


def _told(files: Files, option: Scalar) -> str:
    return f"{option.origin.file} line {line_of(files, option.origin)}" if option.origin else "a computed value"


def _why_unknown(value: Value) -> tuple[str, str]:
    if isinstance(value, Unknown):
        return value.reason, value.detail or "something unknown"
    return "unknown_value", value.label if isinstance(value, Lazy) else "a collection where one value is expected"


def _file(files: Files, span: Span) -> SourceFile:
    file = files.read(span.file)
    if file is None:
        raise Refusal("missing_file", span.file)
    return file


def text_of(files: Files, span: Span) -> str:
    """The bytes of a place, as text."""
    return _file(files, span).data[span.start : span.end].decode("utf-8")


def line_of(files: Files, span: Span) -> int:
    """The line of a place, from 1."""
    return _file(files, span).data.count(b"\n", 0, span.start) + 1
