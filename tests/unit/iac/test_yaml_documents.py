"""YAML with places: quoted and plain scalars, anchors, merge keys, flow style, and what decoders disagree on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence, Span, Unknown, Value, plain
from dagster_project.iac.yaml_documents import decode_yaml
from tests.unit.iac.builders import marked

REPOSITORY = Path(__file__).parents[3]


def decoded(text: str) -> tuple[Value, dict[str, Span]]:
    data, places = marked(text, "a.yaml")
    return decode_yaml("a.yaml", data), places


def at(value: Value, *path: str | int) -> Value:
    for step in path:
        if isinstance(step, int):
            assert isinstance(value, Sequence), value
            value = value.items[step]
        else:
            assert isinstance(value, Mapping), value
            value = value.entries[step]
    return value


def error(data: str | bytes) -> str:
    with pytest.raises(CodeError) as caught:
        decode_yaml("a.yaml", data.encode() if isinstance(data, str) else data)
    return str(caught.value)


SCALARS = [
    ("«a:m5.large»", "m5.large"),
    ("«a:m5 large»", "m5 large"),
    ("'«a:m5.large»'", "m5.large"),
    ('"«a:m5.large»"', "m5.large"),
    ("'«a:it''s»'", "it's"),
    ('"«a:m5\\u002elarge \\"x\\"»"', 'm5.large "x"'),
    ("'«a:»'", ""),
    ("«a:größe 🙂»", "größe 🙂"),
    ("'«a:größe 🙂»'", "größe 🙂"),
    ("«a:7»", 7),
    ("«a:-7»", -7),
    ("«a:+7»", 7),
    ("«a:1.5»", 1.5),
    ("«a:1e2»", 100.0),
    ("«a:1.5e-3»", 0.0015),
    ("«a:.5»", 0.5),
    ("'«a:7»'", "7"),
    ('"«a:true»"', "true"),
    ("«a:true»", True),
    ("«a:True»", True),
    ("«a:FALSE»", False),
    ("«a:null»", None),
    ("«a:~»", None),
    ("!!str «a:7»", "7"),
    ("&x «a:m5.large»", "m5.large"),
    ("&x !!str «a:m5.large»", "m5.large"),
    ("&x '«a:m5.large»'", "m5.large"),
    ('!!str "«a:7»"', "7"),
    ("«a:http://x/y#z»", "http://x/y#z"),
    ("«a:t3.large,x»", "t3.large,x"),
]
AROUND = {
    "a value": "{}",
    "a mapping": "before: ä\nk: {} # m5.large\nafter: 1\n",
    "a sequence": "- x\n-   {}\n",
    "a nested mapping": "größe:\n  - k: 🙂\n    l:\n      m: {}\n",
    "a document with a mark": "---\nk: {}\n",
    "windows lines": "# ä\r\nb: x\r\nk: {}\r\nz: 1\r\n",
    "a byte order mark": "\ufeffk: {}\n",
    "a byte order mark and letters": "\ufeff# ä\nk: {}",
}


def scalars_in(value: Value) -> list[Value]:
    if isinstance(value, Mapping):
        return [scalar for each in value.entries.values() for scalar in scalars_in(each)]
    return [scalar for each in value.items for scalar in scalars_in(each)] if isinstance(value, Sequence) else [value]


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_stands_where_its_bytes_stand(text: str, value: object, around: str) -> None:
    whole, places = decoded(around.format(text))
    found = [each for each in scalars_in(whole) if isinstance(each, Scalar) and each.origin == places["a"]]
    assert [(each.value, isinstance(each.value, bool)) for each in found] == [(value, isinstance(value, bool))]


@pytest.mark.parametrize(("text", "value"), [pair for pair in SCALARS if ",x" not in pair[0]])
def test_a_scalar_in_flow_style_stands_where_its_bytes_stand(text: str, value: object) -> None:
    for around in ("[x,{}]", "[ {} , y]", "{{k: {} }}", '{{"ä": [1, {} ], z: 2}}', "k: [\n  # m5.large\n  {}\n]\n"):
        whole, places = decoded(around.format(text))
        found = [each for each in scalars_in(whole) if isinstance(each, Scalar) and each.origin == places["a"]]
        assert [(each.value, isinstance(each.value, bool)) for each in found] == [(value, isinstance(value, bool))]


def test_keys_have_places_and_are_texts() -> None:
    value, places = decoded('«a:web»: 1\n"«b:größe»": 2\n«c:3»: {true: x}\n')
    assert isinstance(value, Mapping)
    assert {key: value.key(key).origin for key in value.entries} == {
        "web": places["a"],
        "größe": places["b"],
        "3": places["c"],
    }
    inner = value.entries["3"]
    assert isinstance(inner, Mapping)
    assert inner.key("true") == Scalar(value="true")


def test_an_anchor_and_its_aliases_are_one_literal() -> None:
    value, places = decoded('one: &size "«a:m5.large»"\ntwo: *size\nlist: [*size]\nmap: &m {x: «b:1»}\nagain: *m\n')
    same = [at(value, *path) for path in (("one",), ("two",), ("list", 0))]
    assert same == [Scalar(value="m5.large", origin=places["a"])] * 3
    assert at(value, "map", "x") == at(value, "again", "x") == Scalar(value=1, origin=places["b"])


def test_a_merge_key_gives_what_is_not_set_after_it() -> None:
    """Terraform takes a mapping's keys in order: what a merge key brings goes over what stands before it."""
    value, places = decoded(
        "base: &base\n  size: «a:m5.large»\n  team: «b:web»\n"
        "early:\n  <<: *base\n  team: «c:data»\n"
        "late:\n  size: «d:m5.large»\n  <<: *base\n"
        "nested: &nested\n  <<: *base\nagain:\n  <<: *nested\n"
        "inline: {<<: {size: «e:r5.large»}, team: «f:x»}\n"
    )
    origins = {
        path: at(value, *path.split(".")).origin  # type: ignore[attr-defined]
        for path in ("early.size", "early.team", "late.size", "late.team", "again.size", "inline.size", "inline.team")
    }
    assert origins == {
        "early.size": places["a"],
        "early.team": places["c"],
        "late.size": places["a"],
        "late.team": places["b"],
        "again.size": places["a"],
        "inline.size": places["e"],
        "inline.team": places["f"],
    }


def test_a_merged_key_has_the_place_of_the_key_that_was_merged() -> None:
    value, places = decoded("base: &base\n  «k:size»: 1\njob:\n  <<: *base\n")
    job = at(value, "job")
    assert isinstance(job, Mapping)
    assert job.key("size").origin == places["k"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("|\n  m5.large\n", "m5.large\n"),
        ("|-\n  m5.large\n", "m5.large"),
        (">-\n  m5\n  large\n", "m5 large"),
        ("m5\n  large\n", "m5 large"),
        ("'m5\n  large'\n", "m5 large"),
        ('"m5\\\n  large"\n', "m5large"),
    ],
)
def test_a_scalar_that_is_not_written_as_it_reads_has_no_place_of_its_text(text: str, value: str) -> None:
    data = f"k: {text}".encode()
    found = at(decode_yaml("a.yaml", data), "k")
    assert isinstance(found, Scalar)
    assert found.value == value
    # Quoted text may have a place over its lines; replacing it as a whole is still right.
    assert found.origin is None or data[found.origin.start - 1 : found.origin.start] in (b"'", b'"')


@pytest.mark.parametrize("text", ["", " # nothing", "!!null", "&x"])
def test_an_empty_scalar_is_null_and_stands_nowhere(text: str) -> None:
    found = at(decoded(f"k: {text}\n")[0], "k")
    assert found == Scalar(value=None)


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff"])
def test_a_file_without_a_document_is_an_error(text: str) -> None:
    assert error(text) == "it is empty"


ODD = "0x1F 0o17 017 0b11 1_000 .inf -.INF .nan 2001-12-14 2001-12-14t21:59:43Z y N yes No on OFF"


@pytest.mark.parametrize("text", ODD.split())
def test_what_decoders_read_differently_is_unknown(text: str) -> None:
    found = at(decoded(f"k: {text}\nl: '{text}'\n")[0], "k")
    assert isinstance(found, Unknown)
    assert found.detail == f"YAML's {text}, which decoders read differently"
    assert plain(at(decoded(f"k: '{text}'\n")[0], "k")) == text


@pytest.mark.parametrize(
    "text", ["none", "yesterday", "nothing", "one", "offline", "m5.large", "1.2.3", "1:30", "--1", "e2", "."]
)
def test_what_only_looks_odd_is_a_text(text: str) -> None:
    found, places = decoded(f"k: «a:{text}»\n")
    assert at(found, "k") == Scalar(value=text, origin=places["a"])


def test_a_tag_of_its_own_is_unknown_unless_somebody_reads_it() -> None:
    found = at(decoded("k: !vault abc\n")[0], "k")
    assert isinstance(found, Unknown)
    assert found.detail == "YAML's tag !vault"
    data, places = marked("k: !Ref «a:Size»\nl: !GetAtt [A, «b:B»]\nm: !Sub '«c:x»'\n", "a.yaml")
    seen: list[tuple[str, object]] = []

    def read(tag: str, value: Value) -> Value:
        seen.append((tag, plain(value)))
        return value

    value = decode_yaml("a.yaml", data, read)
    assert seen == [("!Ref", "Size"), ("!GetAtt", ("list", ("A", "B"))), ("!Sub", "x")]
    assert at(value, "k") == Scalar(value="Size", origin=places["a"])
    assert at(value, "l", 1) == Scalar(value="B", origin=places["b"])
    assert at(value, "m") == Scalar(value="x", origin=places["c"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", "it is not valid YAML ("),
        ("a: b: c\n", "it is not valid YAML ("),
        ("\ta: 1\n", "it is not valid YAML ("),
        ("a: *unknown\n", "it is not valid YAML ("),
        ("a: 1\n---\nb: 2\n", "it holds several YAML documents"),
        ("? [a, b]\n: c\n", "a key is no scalar"),
        ("a: {<<: 3}\n", "a merge key holds no mapping"),
        ("a: {<<: [{}, {}]}\n", "a merge key holds no mapping"),
        ("a: &a [*a]\n", "an alias refers to what it stands in"),
        ("a: &a {b: *a}\n", "an alias refers to what it stands in"),
        ('a: "\\q"\n', "it is not valid YAML ("),
    ],
)
def test_what_cannot_be_decoded_is_an_error(text: str, told: str) -> None:
    assert error(text).startswith(told)


def test_bytes_that_are_no_utf_8_are_an_error() -> None:
    assert error(b"a: gr\xf6\xdfe\n") == "it is not UTF-8"


@pytest.mark.parametrize("text", ["[" * 2_000 + "]" * 2_000, "{a: " * 2_000 + "}" * 2_000, "- " * 2_000 + "x"])
def test_what_is_nested_without_measure_is_an_error(text: str) -> None:
    assert error(text).startswith("it ")


@pytest.mark.parametrize("text", ["'[' * 100_000 + ']' * 100_000", "'{a: ' * 100_000 + '}' * 100_000", "'- ' * 100_000"])
def test_what_is_nested_a_hundred_thousand_levels_does_not_end_the_process(text: str) -> None:
    program = f"""
from dagster_project.iac.values import CodeError
from dagster_project.iac.yaml_documents import decode_yaml
try:
    decode_yaml("a.yaml", ({text}).encode())
except CodeError as error:
    print(error)
"""
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, timeout=60)
    assert outcome.returncode == 0, outcome.stderr[-300:]
    assert outcome.stdout.startswith("it ")


def test_aliases_that_multiply_are_decoded_once_each() -> None:
    """A billion laughs: ten levels of ten aliases each."""
    levels = ["a0: &a0 x"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    value = decode_yaml("a.yaml", "\n".join(levels).encode())
    assert at(value, "a9", *[3] * 9) == at(value, "a0")
    assert len({id(item) for item in at(value, "a9").items}) == 1  # type: ignore[attr-defined]
