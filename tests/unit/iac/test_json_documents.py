"""JSON with places: every scalar and every key stands where its bytes stand."""

from __future__ import annotations

import pytest

from dagster_project.iac.json_documents import decode_json
from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence, Span, Value, plain
from tests.unit.iac.builders import marked


def decoded(text: str) -> tuple[Value, dict[str, Span]]:
    data, places = marked(text, "a.json")
    return decode_json("a.json", data), places


def error(data: str | bytes) -> str:
    with pytest.raises(CodeError) as caught:
        decode_json("a.json", data.encode() if isinstance(data, str) else data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"«a:m5.large»"', "m5.large"),
        ('"«a:»"', ""),
        ("«a:0»", 0),
        ("«a:-7»", -7),
        ("«a:1.50»", 1.5),
        ("«a:1E+2»", 100),
        ("«a:true»", True),
        ("«a:false»", False),
        ("«a:null»", None),
        ('"«a:\\u006d5\\u002Elarge»"', "m5.large"),
        ('"«a:\\ud83d\\ude42 🙂»"', "🙂 🙂"),
        ('"«a:\\"\\\\\\/\\b\\f\\n\\r\\t»"', '"\\/\b\f\n\r\t'),
        ('"«a:${x} // no comment»"', "${x} // no comment"),
        (' \t\r\n"«a:x»"\r\n', "x"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"größe": "🙂", "k": {}, "z": [1, 2]}}', '[\r\n  "ä",\r\n  {}\r\n]'])
def test_a_scalar_stands_where_its_bytes_stand(text: str, value: object, around: str) -> None:
    whole, places = decoded(around.format(text))
    found: Value = whole
    if isinstance(whole, Mapping):
        found = whole.entries["k"]
    elif isinstance(whole, Sequence):
        found = whole.items[-1]
    assert isinstance(found, Scalar)
    assert (found.value, isinstance(found.value, bool), found.origin) == (value, isinstance(value, bool), places["a"])


def test_a_document_keeps_its_structure_and_the_places_of_its_keys() -> None:
    value, places = decoded('{"«a:web»": {"«b:sä\\u0069ze»": ["x", {}]}, "n": []}')
    assert plain(value) == ("map", (("n", ("list", ())), ("web", ("map", (("säize", ("list", ("x", ("map", ())))),)))))
    assert isinstance(value, Mapping)
    inner = value.entries["web"]
    assert isinstance(inner, Mapping)
    assert (value.key("web").origin, inner.key("säize").origin) == (places["a"], places["b"])


def test_of_a_key_that_stands_twice_the_last_value_counts() -> None:
    value, places = decoded('{"«k:a»": "x", "«l:a»": "«a:y»"}')
    assert isinstance(value, Mapping)
    assert value.entries["a"] == Scalar(value="y", origin=places["a"])
    assert value.key("a").origin == places["l"]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{", "}", "[1,]", "[1 2]", '{"a" 1}', '{"a": 1,}', "{a: 1}", "'x'", "{} []", "nul", "True", "NaN"),
        *('"x', '"\\q"', '"\\u12"', '"a\nb"', '"a\tb"', "01", "1.", ".5", "+1", "--1", "0x1F"),
        *("// note\n{}", "/* note */ {}", '{"a": /* note */ 1}', '[1, // note\n 2]'),
    ],
)  # fmt: skip
def test_what_is_no_json_is_an_error(text: str) -> None:
    assert error(text) in (
        "it is not valid JSON",
        "it has a string that is not valid JSON",
        "it has a number that is not valid JSON",
    )


@pytest.mark.parametrize("data", [b'"gr\xf6\xdfe"', b'{"a": "\xff"}', b"\xff\xfe{\x00}\x00"])
def test_bytes_that_are_no_utf_8_are_an_error(data: bytes) -> None:
    assert error(data).startswith("it ")


def test_a_document_may_be_nested_200_levels_and_no_deeper() -> None:
    value, places = decoded("[" * 200 + "«a:7»" + "]" * 200)
    for _ in range(200):
        assert isinstance(value, Sequence)
        (value,) = value.items
    assert value == Scalar(value=7, origin=places["a"])
    assert error("[" * 202 + "]" * 202) == "it is nested deeper than 200 levels"
    assert error('{"a":' * 50_000 + "1" + "}" * 50_000) == "it is nested deeper than 200 levels"
