"""Type constraints: how they are written, and that a conversion keeps the places of what it converts."""

from __future__ import annotations

import pytest

from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.syntax import Expression
from dagster_project.iac.types import ANY, OptionalType, Type, as_set, convert, parse_type, to_bool, to_number, to_string
from dagster_project.iac.values import (
    Choice,
    CodeError,
    Mapping,
    Scalar,
    Sequence,
    Span,
    Unknown,
    Value,
    choose,
    flows,
    plain,
    unknown,
)
from tests.unit.iac.builders import markers_in, origin_of, value_of


def type_of(text: str) -> Type:
    return parse_type(parse_hcl("main.tf", f"a = {text}\n".encode()).expression("a"))


def default_of(expression: Expression) -> Value:
    """The value of an attribute's default: a constant of its own."""
    from dagster_project.iac.syntax import Literal, Template

    if isinstance(expression, Template) and expression.parts:
        (expression,) = expression.parts
    assert isinstance(expression, Literal), expression
    return expression.value


def converted(text: str, type_: str) -> tuple[Value, dict[str, Span]]:
    value, places = value_of(text)
    return convert(value, type_of(type_), default_of), places


def error(text: str, type_: str) -> str:
    with pytest.raises(CodeError) as caught:
        converted(text, type_)
    return str(caught.value)


STRING, NUMBER = Type("string"), Type("number")


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("string", STRING),
        ("any", ANY),
        ('"string"', STRING),
        ('"list"', Type("list", ANY)),
        ("list", Type("list", ANY)),
        ("map", Type("map", ANY)),
        ("list(string)", Type("list", STRING)),
        ("set(number)", Type("set", NUMBER)),
        ("map(list(bool))", Type("map", Type("list", Type("bool")))),
        ("tuple([string, number])", Type("tuple", members=(STRING, NUMBER))),
        (
            "object({ size = string, count = optional(number), disks = optional(list(number), [8]) })",
            Type(
                "object",
                attributes={
                    "size": OptionalType(STRING),
                    "count": OptionalType(NUMBER, True),
                    "disks": OptionalType(Type("list", NUMBER), True, parse_hcl("main.tf", b"a = [8]").expression("a")),
                },
            ),
        ),
    ],
)
def test_a_type_is_read_as_it_is_written(text: str, type_: Type) -> None:
    found = type_of(text)
    defaults = [each.default for each in found.attributes.values() if each.default]
    assert len(defaults) == len([each for each in type_.attributes.values() if each.default])
    assert (found.kind, found.element, found.members) == (type_.kind, type_.element, type_.members)
    assert {name: (each.type, each.is_optional) for name, each in found.attributes.items()} == {
        name: (each.type, each.is_optional) for name, each in type_.attributes.items()
    }


def test_no_type_is_any_type() -> None:
    assert parse_type(None) == ANY


@pytest.mark.parametrize(
    "text", ["text", "7", "list()", "nothing(string)", "object([])", "tuple(string)", "object({ (x) = string })"]
)
def test_what_names_no_type_is_an_error(text: str) -> None:
    with pytest.raises(CodeError, match="a type constraint"):
        type_of(text)


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ('"«a:m5.large»"', "string", "m5.large"),
        ("«a:7»", "string", "7"),
        ("«a:1.0»", "string", "1"),
        ("«a:1.5»", "string", "1.5"),
        ("«a:1e2»", "string", "100"),
        ("«a:true»", "string", "true"),
        ("«a:null»", "string", None),
        ('"«a:7»"', "number", 7),
        ('"«a:1.5»"', "number", 1.5),
        ('"«a:-3»"', "number", -3),
        ("«a:null»", "number", None),
        ('"«a:true»"', "bool", True),
        ('"«a:false»"', "bool", False),
        ("«a:true»", "bool", True),
        ("«a:null»", "bool", None),
        ('"«a:x»"', "any", "x"),
        ("«a:7»", "any", 7),
    ],
)
def test_a_scalar_that_is_converted_is_still_the_literal(text: str, type_: str, value: object) -> None:
    found, places = converted(text, type_)
    assert (plain(found), type(plain(found))) == (value, type(value))
    assert origin_of(found, places) == "a"


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ('["«a:1»", «b:2»]', "list(number)", ("list", (1, 2))),
        ("[«a:1», true]", "list(string)", ("list", ("1", "true"))),
        ("[«a:1», «b:2»]", "tuple([string, number])", ("list", ("1", 2))),
        ("[«b:2», «a:1»]", "set(string)", ("set", ("1", "2"))),
        ('["«b:10»", "«a:9»"]', "set(number)", ("set", (9, 10))),
        ('{ b = «b:2», a = "«a:1»" }', "map(number)", ("map", (("a", 1), ("b", 2)))),
        ("{ a = [«a:1»] }", "map(list(string))", ("map", (("a", ("list", ("1",))),))),
        ("{ a = «a:1», more = 2 }", "object({ a = string })", ("map", (("a", "1"),))),
        ("{ a = { b = «a:1» } }", "object({ a = object({ b = string }) })", ("map", (("a", ("map", (("b", "1"),))),))),
        ("[«a:1»]", "list", ("list", (1,))),
        ("{ a = «a:1» }", "map", ("map", (("a", 1),))),
        ("null", "list(string)", None),
        ("null", "object({ a = string })", None),
    ],
)
def test_a_collection_is_converted_element_by_element(text: str, type_: str, value: object) -> None:
    found, places = converted(text, type_)
    assert plain(found) == value
    assert markers_in(found, places) == "".join(sorted(places))


@pytest.mark.parametrize(
    ("text", "type_", "told"),
    [
        ("[1]", "string", "a string is needed"),
        ("true", "number", "a number is needed"),
        ('"x"', "number", "x is no number"),
        ('""', "number", " is no number"),
        ("1", "bool", "a bool is needed"),
        ('"yes"', "bool", "a bool is needed"),
        ('"x"', "list(string)", "a list is needed"),
        ("{ a = 1 }", "list(number)", "a list is needed"),
        ("[1]", "map(number)", "a map is needed"),
        ("[1]", "object({ a = number })", "an object is needed"),
        ("[1]", "tuple([number, number])", "a tuple of 2 is needed"),
        ("{ a = 1 }", "object({ a = number, b = string })", "the attribute b is missing"),
        ('["x"]', "list(number)", "x is no number"),
        ("{ a = [] }", "map(string)", "a string is needed"),
    ],
)
def test_what_terraform_would_not_convert_is_an_error(text: str, type_: str, told: str) -> None:
    assert error(text, type_) == told


@pytest.mark.parametrize("text", ['"inf"', '"nan"', '"Infinity"', '"1_000"', '"0x10"', '"1 0"', '" 7 "', '"٣"', '"²"'])
def test_a_text_that_python_reads_as_a_number_and_terraform_does_not_is_an_error(text: str) -> None:
    assert "number" in error(text, "number")


SIZED = (
    'object({ size = optional(string, "m5.large"), n = optional(number), deep = optional(object({ x = optional(number, 3) })) })'
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {"size": "m5.large", "n": None, "deep": None}),
        ("{ size = null }", {"size": "m5.large", "n": None, "deep": None}),
        ('{ size = "c5.large", n = "2" }', {"size": "c5.large", "n": 2, "deep": None}),
        ("{ deep = {} }", {"size": "m5.large", "n": None, "deep": ("map", (("x", 3),))}),
        ("{ deep = { x = null } }", {"size": "m5.large", "n": None, "deep": ("map", (("x", 3),))}),
        ("{ deep = { x = 4 } }", {"size": "m5.large", "n": None, "deep": ("map", (("x", 4),))}),
    ],
)
def test_an_optional_attribute_has_its_default_where_it_is_absent_or_null(text: str, value: dict[str, object]) -> None:
    found, _ = converted(text, SIZED)
    assert isinstance(found, Mapping)
    assert {name: plain(each) for name, each in found.entries.items()} == value


def test_a_default_of_an_attribute_stands_in_the_type() -> None:
    text = b'a = object({ size = optional(string, "m5.large") })\n'
    found = convert(Mapping(entries={}), parse_type(parse_hcl("main.tf", text).expression("a")), default_of)
    assert isinstance(found, Mapping)
    at = text.index(b"m5.large")
    assert flows((found.entries["size"],)) == {Span("main.tf", at, at + 8)}


def test_equal_literals_are_one_element_of_a_set_and_neither_alone_decides_it() -> None:
    found, places = converted('["«a:m5»", "«b:c5»", "«c:m5»", "«d:m5»"]', "set(string)")
    assert isinstance(found, Sequence)
    assert [plain(item) for item in found.items] == ["c5", "m5"]
    assert [origin_of(item, places) for item in found.items] == ["b", None]
    assert [markers_in(item, places) for item in found.items] == ["b", "acd"]


def test_a_literal_that_comes_twice_from_one_place_is_still_that_literal() -> None:
    literal = Scalar(value="m5", origin=Span("a.tf", 1, 3))
    found = as_set((literal, literal), Sequence(items=(literal, literal)))
    assert found.items == (literal,)


def test_beside_a_text_the_numbers_and_bools_of_a_set_are_texts_too() -> None:
    value, places = value_of('toset([«a:1», "«b:1»", «c:true», «d:2»])')
    assert plain(value) == ("set", ("1", "2", "true"))
    assert isinstance(value, Sequence)
    assert [markers_in(item, places) for item in value.items] == ["ab", "d", "c"]
    found, places = converted('[«a:1», "«b:1»"]', "set(string)")
    assert isinstance(found, Sequence)
    assert [(plain(item), markers_in(item, places)) for item in found.items] == [("1", "ab")]


def test_a_set_is_sorted_as_terraform_iterates_over_it() -> None:
    assert plain(converted('["b", "a", "B", "10", "9", "ä"]', "set(string)")[0]) == ("set", ("10", "9", "B", "a", "b", "ä"))
    assert plain(converted("[10, 9, -1]", "set(number)")[0]) == ("set", (-1, 9, 10))


def test_equal_collections_are_one_element_of_a_set() -> None:
    found, _ = converted("[[1], [1], [2]]", "set(list(number))")
    assert isinstance(found, Sequence)
    assert sorted(plain(item) for item in found.items) == [("list", (1,)), ("list", (2,))]


def test_what_is_not_known_passes_through_a_conversion() -> None:
    value = unknown("var.x")
    assert convert(value, STRING, default_of) is value
    found = convert(Sequence(items=(value, Scalar(value=1))), Type("list", STRING), default_of)
    assert isinstance(found, Sequence)
    assert isinstance(found.items[0], Unknown)
    assert plain(found.items[1]) == "1"


def test_alternatives_are_converted_each_and_those_that_cannot_be_drop_out() -> None:
    options = choose([Scalar(value=1), Scalar(value=2), Sequence(items=())], unknown("x"))
    found = convert(options, STRING, default_of)
    assert isinstance(found, Choice)
    assert [plain(each) for each in found.options] == ["1", "2"]


def test_conversions_of_scalars_refuse_collections() -> None:
    for conversion in (to_string, to_number, to_bool):
        with pytest.raises(CodeError):
            conversion(Sequence(items=()))
