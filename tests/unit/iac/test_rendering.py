"""Template files: the text, and which of its bytes stand in the file."""

from __future__ import annotations

import pytest

from dagster_project.iac.evaluate import Scope, evaluate
from dagster_project.iac.files import SourceFile
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.rendering import rendered
from dagster_project.iac.values import CodeError, DocumentText, Mapping, Scalar, Span, Unknown, Value

ENV = Span("main.tf", 10, 14)


class _Nothing:
    def resolve(self, name: str, steps: object, scope: object) -> tuple[Value, int]:
        raise CodeError(f"the template has no variable {name}")


def render(text: str, **variables: Value) -> Value:
    given = Mapping(entries=variables)
    scope = Scope(_Nothing(), FileContext(None, ".", set()), variables)  # type: ignore[arg-type]
    return rendered(SourceFile("a.tftpl", text.encode()), given, lambda expression: evaluate(expression, scope))


def document(text: str, **variables: Value) -> DocumentText:
    value = render(text, **variables)
    assert isinstance(value, DocumentText)
    return value


def test_the_files_own_text_has_its_place_and_what_is_put_in_has_none() -> None:
    made = document("größe: ${env}\nweb: m5.large\n", env=Scalar(value="production", origin=ENV))
    text = made.value.encode()
    assert made.value == "größe: production\nweb: m5.large\n"
    start = text.index(b"m5.large")
    assert made.place(Span("", start, start + 8)) == Span("a.tftpl", 21, 29)
    put_in = text.index(b"production")
    assert made.place(Span("", put_in, put_in + 10)) is None
    assert made.flow_of(Span("", put_in, put_in + 10)) == {ENV}


def test_a_part_of_both_has_no_place_and_both_flow_into_it() -> None:
    made = document("${env}-web", env=Scalar(value="prod", origin=ENV))
    assert made.place(Span("", 0, 8)) is None
    assert made.flow_of(Span("", 0, 8)) == {ENV, Span("a.tftpl", 6, 10)}


def test_what_variables_are_decides_about_everything() -> None:
    assert ENV in document("x: ${env}", env=Scalar(value="prod", origin=ENV)).control


def test_text_with_an_escape_has_no_place() -> None:
    made = document("a: $${b} m5.large")
    assert made.value == "a: ${b} m5.large"
    assert made.place(Span("", 8, 16)) is None


@pytest.mark.parametrize("text", ["${env}", "%{ if true }x%{ endif }"])
def test_what_is_not_known_makes_the_whole_unknown(text: str) -> None:
    made = render(text, env=Unknown(detail="data.x"))
    assert isinstance(made, Unknown)
    assert Span("a.tftpl", 0, len(text)) in made.flow


@pytest.mark.parametrize("text", ["${other}", "${null}", "${", "${}"])
def test_what_terraform_would_refuse_is_an_error(text: str) -> None:
    with pytest.raises(CodeError):
        render(text + " x")
