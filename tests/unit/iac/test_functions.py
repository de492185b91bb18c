"""Terraform's functions: their values, as Terraform itself says, and which literal comes out of them unchanged.

Each row: an expression, its value as JSON would have it, the marker that the value is (or None where it was made anew), and
the markers whose bytes are in it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dagster_project.iac.files import Files
from dagster_project.iac.functions import FUNCTIONS, call
from dagster_project.iac.functions_files import FILES, FileContext
from dagster_project.iac.values import (
    Choice,
    CodeError,
    Mapping,
    Scalar,
    Sequence,
    Unknown,
    Value,
    as_text,
    choose,
    plain,
    unknown,
)
from tests.unit.iac.builders import marked, markers_in, origin_of, value_of, written

Row = tuple[str, object, str | None, str]
TERRAFORM = shutil.which("terraform")


def jsonable(value: Value) -> object:
    """A value as Terraform's jsonencode writes it."""
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in sorted(value.entries.items())}
    if isinstance(value, Sequence):
        return [jsonable(item) for item in value.items]
    assert isinstance(value, Scalar), value
    return value.value


CONVERSIONS: list[Row] = [
    ('tostring("«a:x»")', "x", "a", "a"),
    ("tostring(«a:7»)", "7", "a", "a"),
    ("tostring(true)", "true", None, ""),
    ('tonumber("«a:7»")', 7, "a", "a"),
    ('tonumber("«a:1.5»")', 1.5, "a", "a"),
    ('tobool("«a:true»")', True, "a", "a"),
    ('nonsensitive(sensitive("«a:x»"))', "x", "a", "a"),
    ('core::upper("«a:x»")', "X", None, "a"),
]
STRINGS: list[Row] = [
    ('lower("«a:m5.large»")', "m5.large", "a", "a"),
    ('lower("«a:M5.Large»")', "m5.large", None, "a"),
    ('upper("«a:x»")', "X", None, "a"),
    ('upper("«a:X1»")', "X1", "a", "a"),
    ('trimspace("«a:x»")', "x", "a", "a"),
    ('trimspace("«a: x »")', "x", None, "a"),
    ('chomp("«a:x»")', "x", "a", "a"),
    ('chomp("«a:x\\n\\n»")', "x", None, "a"),
    ('title("«a:hello big world»")', "Hello Big World", None, "a"),
    ('strrev("«a:abc»")', "cba", None, "a"),
    ('trim("«a:--x--»", "«b:-»")', "x", None, "ab"),
    ('trimprefix("«a:db.m5.large»", "«b:db.»")', "m5.large", None, "ab"),
    ('trimprefix("«a:m5.large»", "db.")', "m5.large", None, "a"),
    ('trimsuffix("«a:m5.large»", ".large")', "m5", None, "a"),
    ('startswith("«a:m5.large»", "m5")', True, None, "a"),
    ('endswith("«a:m5.large»", "m5")', False, None, "a"),
    ('strcontains("«a:m5.large»", "5.l")', True, None, "a"),
    ('basename("«a:a/b/c.tf»")', "c.tf", None, "a"),
    ('dirname("«a:a/b/c.tf»")', "a/b", None, "a"),
    ('dirname("c.tf")', ".", None, ""),
    ('split("-", "«a:x»")', ["x"], None, "a"),
    ('split("-", "«a:x»")[0]', "x", "a", "a"),
    ('split("-", "«a:x-y»")[1]', "y", None, "a"),
    ('split("", "abc")', ["a", "b", "c"], None, ""),
    ('split(",", "")', [""], None, ""),
    ('join("-", ["«a:x»"])', "x", "a", "a"),
    ('join("-", ["«a:x»", "«b:y»"])', "x-y", None, "ab"),
    ('join("-", ["a"], ["b", "c"])', "a-b-c", None, ""),
    ('join("-", [])', "", None, ""),
    ('join("-", [1, true])', "1-true", None, ""),
    ('format("%s", "«a:x»")', "x", "a", "a"),
    ('format("%s.%s", "«a:m5»", "«b:large»")', "m5.large", None, "ab"),
    ('format("%d-%03d", 7, 7)', "7-007", None, ""),
    ('format("%5s|%-5s|", "x", "y")', "    x|y    |", None, ""),
    ('format("%.2f", 1.5)', "1.50", None, ""),
    ('format("100%%")', "100%", None, ""),
    ('format("%q", "a\\"b")', '"a\\"b"', None, ""),
    ('format("%v-%v", "x", 7)', "x-7", None, ""),
    ('format("%t", true)', "true", None, ""),
    ('formatlist("%s.large", ["«a:m5»", "«b:c5»"])', ["m5.large", "c5.large"], None, "ab"),
    ('formatlist("%s.large", ["«a:m5»", "«b:c5»"])[1]', "c5.large", None, "b"),
    ('formatlist("%s-%s", "x", ["a", "b"])', ["x-a", "x-b"], None, ""),
    ('substr("«a:m5.large»", 0, 2)', "m5", None, "a"),
    ('substr("hello", -3, 2)', "ll", None, ""),
    ('substr("hello", 1, -1)', "ello", None, ""),
    ('substr("hello", 2, 100)', "llo", None, ""),
    ('replace("«a:m5.large»", "large", "«b:small»")', "m5.small", None, "ab"),
    ('replace("a1b22", "/[0-9]+/", "-")', "a-b-", None, ""),
    ('replace("a/b", "/", "-")', "a-b", None, ""),
    ('regex("[a-z]+[0-9]", "«a:m5.large»")', "m5", None, "a"),
    ('regex("([a-z]+)([0-9])", "«a:m5.large»")', ["m", "5"], None, "a"),
    ('regexall("[a-z]+", "«a:m5.large»")', ["m", "large"], None, "a"),
    ('parseint("«a:ff»", 16)', 255, None, "a"),
    ('parseint("-12", 10)', -12, None, ""),
]
COLLECTIONS: list[Row] = [
    ('length("«a:größe»")', 5, None, "a"),
    ('length(["«a:x»", "«b:y»"])', 2, None, ""),
    ("length({ a = 1 })", 1, None, ""),
    ('element(["«a:x»", "«b:y»"], 1)', "y", "b", "b"),
    ('element(["«a:x»", "«b:y»"], 5)', "y", "b", "b"),
    ('lookup({ web = "«a:x»", api = "«b:y»" }, "web")', "x", "a", "a"),
    ('lookup({ web = "«a:x»" }, "api", "«b:y»")', "y", "b", "b"),
    ("keys({ b = 1, «a:a» = 2 })", ["a", "b"], None, "a"),
    ('keys({ "«a:web»" = 1 })[0]', "web", "a", "a"),
    ('values({ b = "«b:y»", a = "«a:x»" })', ["x", "y"], None, "ab"),
    ('values({ b = "«b:y»", a = "«a:x»" })[0]', "x", "a", "a"),
    ('merge({ a = "«a:x»" }, { a = "«b:y»" }).a', "y", "b", "b"),
    ('merge({ a = "«a:x»" }, { b = "«b:y»" })', {"a": "x", "b": "y"}, None, "ab"),
    ("merge({ a = 1 }, null)", {"a": 1}, None, ""),
    ("merge()", {}, None, ""),
    ('concat(["«a:x»"], ["«b:y»"])[1]', "y", "b", "b"),
    ("concat([1], [], [2, 3])", [1, 2, 3], None, ""),
    ('flatten([["«a:x»"], [["«b:y»"]], []])[1]', "y", "b", "b"),
    ("flatten([1, [2, [3]]])", [1, 2, 3], None, ""),
    ('distinct(["«a:x»", "«b:y»", "«c:x»"])', ["x", "y"], None, "abc"),
    ('distinct(["«a:x»", "«b:y»", "«c:x»"])[0]', "x", None, "ac"),
    ('distinct(["«a:x»", "«b:y»", "«c:x»"])[1]', "y", "b", "b"),
    ('compact(["«a:x»", "", null, "«b:y»"])[1]', "y", "b", "b"),
    ('slice(["«a:x»", "«b:y»", "z"], 1, 2)[0]', "y", "b", "b"),
    ("slice([1, 2, 3], 0, 0)", [], None, ""),
    ('sort(["«b:y»", "«a:x»"])[0]', "x", "a", "a"),
    ('sort(["b", "B", "10", "9", "a"])', ["10", "9", "B", "a", "b"], None, ""),
    ('reverse(["«a:x»", "«b:y»"])[0]', "y", "b", "b"),
    ("range(3)", [0, 1, 2], None, ""),
    ("range(1, 4)", [1, 2, 3], None, ""),
    ("range(3, 0)", [3, 2, 1], None, ""),
    ("range(0, 10, 4)", [0, 4, 8], None, ""),
    ("range(3, 0, -2)", [3, 1], None, ""),
    ("range(0)", [], None, ""),
    ('zipmap(["k", "l"], ["«a:x»", "«b:y»"]).l', "y", "b", "b"),
    ('chunklist(["«a:x»", "«b:y»", "«c:z»"], 2)[1][0]', "z", "c", "c"),
    ("chunklist([1, 2, 3], 2)", [[1, 2], [3]], None, ""),
    ("chunklist([1, 2], 0)", [[1, 2]], None, ""),
    ('setproduct(["«a:x»"], ["«b:y»", "z"])[0][1]', "y", "b", "b"),
    ("setproduct([1, 2], [3])", [[1, 3], [2, 3]], None, ""),
    ('setunion(["«a:x»"], ["«b:y»"])', ["x", "y"], None, "ab"),
    ('tolist(setunion(["«a:x»"], ["«b:x»"]))[0]', "x", None, "ab"),
    ('setintersection(["x", "y"], ["y", "z"])', ["y"], None, ""),
    ('setsubtract(["x", "«a:y»"], ["x"])', ["y"], None, "a"),
    ('contains(["«a:x»"], "«b:x»")', True, None, "ab"),
    ('contains(["x"], "y")', False, None, ""),
    ('index(["x", "«a:y»"], "y")', 1, None, "a"),
    ('coalesce("", null, "«a:x»", "«b:y»")', "x", "a", "a"),
    ('coalesce(«a:7», "x")', "7", "a", "a"),
    ('coalescelist([], ["«a:x»"])[0]', "x", "a", "a"),
    ('tolist(["«a:x»"])[0]', "x", "a", "a"),
    ('tolist(toset(["«b:y»", "«a:x»"]))[0]', "x", "a", "a"),
    ('tolist(toset(["«a:x»", "«b:x»"]))[0]', "x", None, "ab"),
    ('tomap({ a = "«a:x»" }).a', "x", "a", "a"),
    ('one(["«a:x»"])', "x", "a", "a"),
    ("one([])", None, None, ""),
    ('try("«a:x»".y, "«b:z»")', "z", "b", "b"),
    ('can("x".y)', False, None, ""),
    ('can("x")', True, None, ""),
]
NUMBERS: list[Row] = [
    ("min(«a:3», «b:2»)", 2, None, "ab"),
    ("max(«a:3», «b:2»)", 3, None, "ab"),
    ("max([«a:3», «b:5»]...)", 5, None, "ab"),
    ("floor(«a:2.9»)", 2, None, "a"),
    ("floor(-2.1)", -3, None, ""),
    ("ceil(2.1)", 3, None, ""),
    ("abs(-3)", 3, None, ""),
    ("pow(2, 10)", 1024, None, ""),
    ("signum(-3)", -1, None, ""),
    ("sum([«a:1», «b:2»])", 3, None, "ab"),
    ('max("10", 9)', 10, None, ""),
    ("alltrue([true, «a:false»])", False, None, "a"),
    ("alltrue([])", True, None, ""),
    ("anytrue([true, false])", True, None, ""),
    ("anytrue([])", False, None, ""),
]
DECODING: list[Row] = [
    ('jsondecode("{\\"a\\": 1}").a', 1, None, ""),
    ('yamldecode("a: [x, 1]").a[1]', 1, None, ""),
    ('csvdecode("a,b\\n1,x\\n2,\\"y,z\\"\\n")[1].b', "y,z", None, ""),
    ('jsondecode("«a:[1, 2]»")[1]', 2, None, "a"),
]
TABLE = [*CONVERSIONS, *STRINGS, *COLLECTIONS, *NUMBERS, *DECODING]


@pytest.mark.parametrize(("expression", "value", "origin", "flowing"), TABLE)
def test_a_function_has_the_value_and_the_places_of_what_went_into_it(
    expression: str, value: object, origin: str | None, flowing: str
) -> None:
    found, places = value_of(expression)
    result = jsonable(found)
    assert (result, isinstance(result, bool)) == (value, isinstance(value, bool))
    if isinstance(found, Scalar) and (origin or flowing):
        assert origin_of(found, places) == origin
    assert markers_in(found, places) == flowing


@pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform to ask")
def test_terraform_says_the_same_of_every_row(tmp_path: Path) -> None:
    expressions = [marked(row[0])[0].decode() for row in TABLE]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    outcome = subprocess.run(
        [str(TERRAFORM), "console"],
        input=f"jsonencode([{', '.join(expressions)}])\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=120,
    )
    assert outcome.returncode == 0, outcome.stderr
    said = json.loads(json.loads(outcome.stdout))
    assert dict(zip(expressions, said, strict=True)) == dict(zip(expressions, [row[1] for row in TABLE], strict=True))


def test_every_function_that_is_known_stands_in_the_table() -> None:
    named = " ".join(row[0] for row in TABLE)
    reading = {"file", "fileexists", "fileset", *(name for name in FILES if name.startswith("file"))}
    unseen = {name for name in (FUNCTIONS.keys() | FILES.keys()) - reading if f"{name}(" not in named}
    assert unseen == {"ephemeralasnull"}


# What Terraform would refuse.


@pytest.mark.parametrize(
    "expression",
    [
        "element([], 0)",
        "element([1], 0.5)",
        'element("x", 0)',
        'lookup({ a = 1 }, "b")',
        "keys([1])",
        "values([1])",
        "merge([1])",
        "concat(1)",
        "flatten(1)",
        "slice([1, 2], 1, 3)",
        "slice([1, 2], -1, 1)",
        "slice([1, 2], 2, 1)",
        "range(0, 10, 0)",
        "range(2000)",
        'zipmap(["a"], [])',
        'index(["x"], "y")',
        'coalesce(null, "")',
        "coalesce()",
        "coalescelist([], [])",
        "one([1, 2])",
        "one(1)",
        "min()",
        'min("x")',
        "floor(null)",
        'regex("x", "y")',
        'parseint("x", 10)',
        'upper(["x"])',
        "upper(null)",
        "upper()",
        'upper("a", "b")',
        'join(",", "x")',
        'join(",", [[1]])',
        'format("%d", "x")',
        'tonumber("x")',
        "tobool(1)",
        "tostring([1])",
        'tolist("x")',
        'toset("x")',
        'tomap("x")',
        "try(1[0])",
        "max(1...)",
        'jsondecode("{")',
        'yamldecode("a: [")',
        "jsondecode(null)",
        'sum(["x"])',
        "sum([])",
        "alltrue([1])",
        'split(",", null)',
        'substr("x", "y", 1)',
    ],
)
def test_a_call_that_terraform_would_refuse_never_has_a_value(expression: str) -> None:
    """It is an error that try() catches, or what is not understood and therefore not known."""
    try:
        found = value_of(expression)[0]
    except CodeError:
        return
    assert isinstance(found, Unknown)


# What is not known.


@pytest.mark.parametrize(
    ("expression", "flowing"),
    [
        ('uuid("«a:x»")', "a"),
        ('base64encode("«a:x»")', "a"),
        ('cidrsubnet("«a:10.0.0.0/8»", 8, «b:2»)', "ab"),
        ('format("%x", "«a:7»")', "a"),
        ("pow(«a:0.5», «b:2»)", "ab"),
        ('regex("(?P<n>m)", "«a:m5»")', "a"),
        ('regex("[[:alpha:]]", "«a:m5»")', "a"),
        ('replace("«a:m5»", "/(m)/", "$1$1")', "a"),
        ('provider::aws::arn_parse("«a:x»")', "a"),
        ('upper(unheard_of("«a:x»"))', "a"),
        ('length(unheard_of("«a:x»"))', "a"),
        ('merge({ a = "«a:x»" }, unheard_of("«b:y»"))', "ab"),
        ('concat(["«a:x»"], unheard_of("«b:y»"))', "ab"),
        ('flatten([["«a:x»"], unheard_of("«b:y»")])', "ab"),
        ('"x-${unheard_of("«a:x»")}"', "a"),
        ('1 + unheard_of("«a:x»")', "a"),
    ],
)
def test_what_is_not_known_keeps_what_flows_into_it(expression: str, flowing: str) -> None:
    found, places = value_of(expression)
    assert isinstance(found, Unknown), found
    assert markers_in(found, places) == flowing


@pytest.mark.parametrize(
    ("expression", "options"),
    [
        ('nothing ? "«a:x»" : "«b:y»"', ["a", "b"]),
        ('nothing ? "«a:x»" : nothing ? "«b:y»" : "«c:z»"', ["a", "b", "c"]),
        ('lookup({ k = "«a:x»", l = "«b:y»" }, nothing)', ["a", "b"]),
        ('lookup({ k = "«a:x»" }, nothing, "«b:y»")', ["a", "b"]),
        ('{ k = "«a:x»", l = "«b:y»" }[nothing]', ["a", "b"]),
        ('["«a:x»", "«b:y»"][nothing]', ["a", "b"]),
        ('element(["«a:x»", "«b:y»"], nothing)', ["a", "b"]),
        ('lower(nothing ? "«a:x»" : "«b:y»")', ["a", "b"]),
        ('(nothing ? { s = "«a:x»" } : { s = "«b:y»" }).s', ["a", "b"]),
        ('merge({ s = "«c:z»" }, nothing ? { s = "«a:x»" } : { s = "«b:y»" }).s', ["a", "b"]),
        ('merge({ s = "«a:x»" }, nothing ? { s = "«b:y»" } : {}).s', ["a", "b"]),
    ],
)
def test_what_an_unknown_decides_is_one_of_its_alternatives(expression: str, options: list[str]) -> None:
    found, places = value_of(expression, nothing=unknown("var.nothing"))
    assert isinstance(found, Choice), found
    assert sorted(origin_of(each, places) or "" for each in found.options) == options


def test_an_unknown_before_others_leaves_them_possible_in_coalesce_and_try() -> None:
    for name in ("coalesce", "try"):
        found, places = value_of(f'{name}(nothing, "«a:x»", "«b:y»")', nothing=unknown("var.nothing"))
        assert isinstance(found, Choice)
        assert [type(each) for each in found.options] == [Unknown, Scalar]
        assert origin_of(found.options[1], places) == "a"


def test_a_condition_that_one_side_decides_is_known_although_the_other_is_not() -> None:
    nothing = unknown("var.nothing")
    for expression, value in (
        ("true || nothing", True),
        ("nothing || true", True),
        ("false && nothing", False),
        ("nothing && false", False),
    ):
        assert plain(value_of(expression, nothing=nothing)[0]) is value
    assert isinstance(value_of("false || nothing", nothing=nothing)[0], Unknown)


def test_what_decides_a_value_is_kept_apart_from_what_is_in_it() -> None:
    value, places = value_of('lookup({ web = "«a:x»" }, "«k:web»")')
    assert markers_in(value, places) == "a"
    assert places["k"] in value.control
    value, places = value_of('«c:true» ? "«a:x»" : "«b:y»"')
    assert (markers_in(value, places), value.control) == ("a", {places["c"]})


def test_more_alternatives_than_are_followed_are_unknown() -> None:
    options = choose([Scalar(value=n) for n in range(9)], unknown("x"))
    assert isinstance(value_of("a + b", a=options, b=options)[0], Unknown)
    small = choose([Scalar(value=n) for n in range(8)], unknown("x"))
    found = value_of("a + b", a=small, b=small)[0]
    assert isinstance(found, Choice)
    assert sorted(plain(each) for each in found.options) == list(range(15))


# Files.


def test_a_file_that_is_decoded_has_places_in_that_file(tmp_path: Path) -> None:
    places = written(tmp_path, {"sizes.json": '{"ä": ["«a:m5.large»"]}\r\n', "sizes.yaml": "größe: 1\nweb: '«b:c5.large»'\n"})
    found = value_of('[jsondecode(file("sizes.json")).ä[0], yamldecode(file("./sizes.yaml")).web]', tmp_path)[0]
    assert isinstance(found, Sequence)
    assert [origin_of(item, places) for item in found.items] == ["a", "b"]
    assert markers_in(found, places) == "ab"


def test_a_text_that_was_changed_before_it_is_decoded_has_no_places_and_flows_as_a_whole(tmp_path: Path) -> None:
    written(tmp_path, {"a.json": '{"a": "X"}'})
    found = value_of('jsondecode(lower(file("a.json"))).a', tmp_path)[0]
    assert isinstance(found, Scalar)
    assert (found.value, found.origin) == ("x", None)
    assert {(place.file, place.start, place.end) for place in found.flow} == {("a.json", 0, 10)}


def test_a_file_is_its_text_and_all_of_it_flows(tmp_path: Path) -> None:
    written(tmp_path, {"a.txt": "größe\n"})
    found = value_of('trimspace(file("a.txt"))', tmp_path)[0]
    assert plain(found) == "größe"
    assert {(place.file, place.start, place.end) for place in found.flow} == {("a.txt", 0, 8)}


def test_files_are_found_by_pattern_and_by_name(tmp_path: Path) -> None:
    written(tmp_path, {"x/a.yaml": "", "x/b.yml": "", "x/deep/c.yaml": "", "x/.terraform/d.yaml": "", "y.yaml": ""})
    for pattern, names in (
        ("*.yaml", ("a.yaml",)),
        ("*.{yaml,yml}", ("a.yaml", "b.yml")),
        ("**/*.yaml", ("a.yaml", "deep/c.yaml")),
        ("?.yml", ("b.yml",)),
        ("**", ("a.yaml", "b.yml", "deep/c.yaml")),
        ("nothing", ()),
    ):
        assert plain(value_of(f'fileset("x", "{pattern}")', tmp_path)[0]) == ("set", names)
    assert [plain(value_of(f'fileexists("{name}")', tmp_path)[0]) for name in ("x/a.yaml", "x", "z")] == [True, False, False]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ('file("../secret")', "other_repository"),
        ('fileexists("/etc/passwd")', "other_repository"),
        ('fileset("..", "*")', "other_repository"),
        ('file("link")', "outside_repository"),
        ('yamldecode(file("vault.yaml")).a', "encrypted"),
        ('filesha256("a.tpl")', "unknown_value"),
    ],
)
def test_what_may_not_be_read_is_unknown_for_a_reason(tmp_path: Path, expression: str, reason: str) -> None:
    written(tmp_path, {"secret": "hunter2", "repository/a.tpl": "x", "repository/vault.yaml": "$ANSIBLE_VAULT;1.1;AES256\n"})
    (tmp_path / "repository" / "link").symlink_to("../secret")
    found = value_of(expression, tmp_path / "repository")[0]
    assert isinstance(found, Unknown)
    assert found.reason == reason


@pytest.mark.parametrize("expression", ['file("absent")', "file(null)", 'file("binary")', 'jsondecode(file("text"))'])
def test_a_file_that_terraform_could_not_read_is_an_error(tmp_path: Path, expression: str) -> None:
    written(tmp_path, {"binary": b"\xff\xfe", "text": "no json"})
    with pytest.raises(CodeError):
        value_of(expression, tmp_path)


def test_what_was_read_is_remembered(tmp_path: Path) -> None:
    written(tmp_path, {"x/a.txt": "1"})
    context = FileContext(Files(tmp_path), "x", set())
    assert as_text(plain(call("file", [Scalar(value="a.txt")], context))) == "1"
    assert context.read == {"x/a.txt"}
