"""HCL's JSON notation: the same shapes as the native one, with places in the JSON file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.iac.evaluate import Scope, evaluate
from dagster_project.iac.files import Files
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.hcl_json import parse_hcl_json
from dagster_project.iac.roots import deep_recursion
from dagster_project.iac.syntax import Body, Literal
from dagster_project.iac.values import CodeError, Scalar, Span, Value, plain
from tests.unit.iac.builders import Names, marked, markers_in, origin_of


def parsed(text: str) -> tuple[Body, dict[str, Span]]:
    data, places = marked(text, "main.tf.json")
    return parse_hcl_json("main.tf.json", data), places


def local(text: str, **names: Value) -> tuple[Value, dict[str, Span]]:
    """The value that a local has whose JSON is ``text``."""
    body, places = parsed(f'{{"locals": {{"a": {text}}}}}')
    expression = body.nested("locals")[0].expression("a")
    assert expression is not None
    return evaluate(expression, Scope(Names(), FileContext(Files(Path("/nonexistent")), ".", set()), names)), places


def error(text: str) -> str:
    with pytest.raises(CodeError) as caught:
        body = parse_hcl_json("main.tf.json", text.encode())
        for block in body.blocks:
            for name in block.body.names():
                block.body.expression(name)
    return str(caught.value)


def shapes(text: str) -> list[tuple[str, tuple[str, ...], list[str]]]:
    return [(block.type, block.labels, list(block.body.names())) for block in parsed(text)[0].blocks]


def test_blocks_have_as_many_labels_as_their_type_has() -> None:
    document = {
        "resource": {"aws_instance": {"web": {"ami": 1}, "api": {"ami": 2}}, "aws_ebs_volume": {"data": {"size": 8}}},
        "data": {"aws_ami": {"x": {}}},
        "module": {"app": {"source": "./app"}},
        "variable": {"size": {"default": 1}},
        "output": {"o": {"value": 1}},
        "provider": {"aws": {"region": "x"}},
        "locals": {"a": 1},
        "terraform": {"required_version": "1"},
        "moved": [{"from": "a.b", "to": "a.c"}, {"from": "a.c", "to": "a.d"}],
        "unheard_of": {"a": {"b": 1}},
    }
    assert shapes(json.dumps(document)) == [
        ("resource", ("aws_instance", "web"), ["ami"]),
        ("resource", ("aws_instance", "api"), ["ami"]),
        ("resource", ("aws_ebs_volume", "data"), ["size"]),
        ("data", ("aws_ami", "x"), []),
        ("module", ("app",), ["source"]),
        ("variable", ("size",), ["default"]),
        ("output", ("o",), ["value"]),
        ("provider", ("aws",), ["region"]),
        ("locals", (), ["a"]),
        ("terraform", (), ["required_version"]),
        ("moved", (), ["from", "to"]),
        ("moved", (), ["from", "to"]),
    ]


def test_lists_of_objects_stand_for_objects_at_every_level() -> None:
    text = (
        '[{"resource": [{"aws_instance": [{"web": [{"ami": 1}]}]}, {"aws_instance": {"api": {"ami": 2}}}]}, {"locals": [{}, {}]}]'
    )
    assert shapes(text) == [
        ("resource", ("aws_instance", "web"), ["ami"]),
        ("resource", ("aws_instance", "api"), ["ami"]),
        ("locals", (), []),
        ("locals", (), []),
    ]


def test_comments_are_neither_labels_nor_attributes() -> None:
    text = '{"//": "x", "resource": {"//": "x", "aws_instance": {"//": {"a": 1}, "web": {"//": "x", "ami": 1}}}}'
    assert shapes(text) == [("resource", ("aws_instance", "web"), ["ami"])]


def test_an_attribute_may_be_asked_for_as_a_nested_block() -> None:
    body, _ = parsed('{"resource": {"a": {"b": {"one": {"x": 1}, "two": [{"x": 2}, {"x": 3}], "text": "y"}}}}')
    resource = body.blocks[0].body

    def xs(name: str) -> list[object]:
        found = [inner.expression("x") for inner in resource.nested(name)]
        return [each.value.value for each in found if isinstance(each, Literal)]

    assert [xs(name) for name in ("one", "two", "text", "absent")] == [[1], [2, 3], [], []]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"«a:m5.large»"', "m5.large"),
        ("«a:7»", 7),
        ("«a:1.5»", 1.5),
        ("«a:1e2»", 100),
        ("«a:true»", True),
        ("«a:null»", None),
        ('"«a:»"', ""),
        ('"«a:größe 🙂»"', "größe 🙂"),
        ('"«a:m5\\u002elarge»"', "m5.large"),
        ('"«a:\\uD83D\\uDE42»"', "🙂"),
        ('"«a:a\\"b\\\\c\\/d\\n»"', 'a"b\\c/d\n'),
        ('"«a:$x %y $$ {z}»"', "$x %y $$ {z}"),
        (' \r\n\t "«a:x»" ', "x"),
    ],
)
def test_a_constant_stands_where_its_bytes_stand(text: str, value: object) -> None:
    for before in ("", '"größer": "🙂",\r\n'):
        body, places = parsed(f'{{"locals": {{{before}"a": {text}}}}}')
        literal = body.nested("locals")[0].expression("a")
        assert isinstance(literal, Literal)
        assert (literal.value.value, isinstance(literal.value.value, bool)) == (value, isinstance(value, bool))
        assert literal.value.origin == places["a"]


@pytest.mark.parametrize(
    ("text", "value", "marker"),
    [
        ('"${var}"', "m5.large", None),
        ('"${\\"«a:c5.large»\\"}"', "c5.large", "a"),
        ('"ä\\t${\\"x\\"}"', "ä\tx", None),
        ('"${ true ? \\"«a:c5.large»\\" : \\"«b:x»\\" }"', "c5.large", "a"),
        ('"\\u0024{ [«b:8», «a:7»][1] }"', 7, "a"),
        ('"ü🙂${«a:7»}"', "ü🙂7", None),
        ('"${lookup({ ä = \\"«a:m5\\u002elarge»\\" }, \\"ä\\")}"', "m5.large", "a"),
        ('"$${a}"', "${a}", None),
        ('"%%{a} ${\\"b\\"}"', "%{a} b", None),
        ('"${\\"\\\\t\\"}"', "\t", None),
    ],
)
def test_a_string_is_a_template_whose_literals_have_places_in_the_file(text: str, value: object, marker: str | None) -> None:
    found, places = local(text, var=Scalar(value="m5.large"))
    assert plain(found) == value
    if marker is not None:
        assert origin_of(found, places) == marker
    else:
        assert set(markers_in(found, places)) == set(places) - {"b"}


def test_lists_and_objects_are_values_with_places_and_keys_are_templates() -> None:
    value, places = local('{"x": ["«a:m5»", {"y": «b:2»}], "${upper(\\"k\\")}": "«c:z»", "plain": null}')
    assert plain(value) == ("map", (("K", "z"), ("plain", None), ("x", ("list", ("m5", ("map", (("y", 2),)))))))
    assert markers_in(value, places) == "abc"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is not valid JSON"),
        ("{", "it is not valid JSON"),
        ('{"a": 1,}', "it is not valid JSON"),
        ("{} {}", "it is not valid JSON"),
        ("// x\n{}", "it is not valid JSON"),
        ("4", "an object is expected where something else stands"),
        ("[4]", "an object is expected where something else stands"),
        ('{"resource": 4}', "an object is expected where something else stands"),
        ('{"resource": {"a": "b"}}', "an object is expected where something else stands"),
        ('{"locals": "x"}', "an object is expected where something else stands"),
        ('{"resource": {"a": {"b": {"dynamic": {"x": {}}}}}}', "dynamic blocks in JSON are not followed"),
        ('{"locals": {"a": "\\q"}}', "it has a string that is not valid JSON"),
        ('{"locals": {"a": 01}}', "it has a number that is not valid JSON"),
        ('{"locals": {"a": "${"}}', "line 1 is not valid HCL"),
        ('{"locals": {"a": "${b c}"}}', "line 1 is not valid HCL"),
    ],
)
def test_what_is_no_configuration_is_an_error(text: str, told: str) -> None:
    said = error(text)
    assert said in (told, "it is not valid JSON") or (said.endswith(" is not valid HCL") and told.endswith(" is not valid HCL"))


def test_a_byte_order_mark_shifts_no_place() -> None:
    body, places = parsed('\ufeff{"locals": {"a": "«a:x»"}}')
    literal = body.nested("locals")[0].expression("a")
    assert isinstance(literal, Literal)
    assert literal.value.origin == places["a"] == Span("main.tf.json", 21, 22)


@pytest.mark.parametrize("text", ['{"locals": {"a": ' + "[" * 900 + "]" * 900 + "}}", '{"a": ' * 900 + "1" + "}" * 900])
def test_what_is_nested_without_measure_is_an_error_or_empty_and_no_crash(text: str) -> None:
    with deep_recursion():
        try:
            body = parse_hcl_json("main.tf.json", text.encode())
            inner = [block.body.expression(name) for block in body.blocks for name in block.body.names()]
        except CodeError as problem:
            assert "nested" in str(problem)
        else:
            assert len(inner) == ("locals" in text)
