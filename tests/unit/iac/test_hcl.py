"""HCL's native notation: where each literal stands, to the byte, and how an expression is put together."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.roots import deep_recursion
from dagster_project.iac.syntax import Body, Expression, Literal, Name, Opaque, Template
from dagster_project.iac.values import CodeError, DocumentText, Mapping, Scalar, Sequence, Span, Unknown, Value, plain
from tests.unit.iac.builders import marked, markers_in, origin_of, value_of


def parsed(text: str | bytes) -> Body:
    return parse_hcl("main.tf", text.encode() if isinstance(text, str) else text)


def scalar(expression: Expression | None) -> Scalar:
    """The constant that an expression is, in whichever shape the grammar gives it."""
    if isinstance(expression, Template) and len(expression.parts) == 1:
        expression = expression.parts[0]
    assert isinstance(expression, Literal), expression
    return expression.value


def error(text: str | bytes) -> str:
    with pytest.raises(CodeError) as caught:
        body = parsed(text)
        for name in body.names():
            body.expression(name)
    return str(caught.value)


def number(value: object) -> Scalar:
    return Scalar(value=value)


# Places.

LITERALS = [
    ('"«a:m5.large»"', "m5.large"),
    ("«a:42»", 42),
    ("«a:1.5»", 1.5),
    ("«a:1e2»", 100),
    ("«a:1.5E-3»", 0.0015),
    ("«a:true»", True),
    ("«a:false»", False),
    ("«a:null»", None),
    ('("«a:m5.large»")', "m5.large"),
    ("( ( «a:7» ) )", 7),
    ('/* m5.large */ "«a:m5.large»" # m5.large', "m5.large"),
    ('"«a:»"', ""),
    ('"«a:größe 🙂»"', "größe 🙂"),
    ('"«a:m5\\u002elarge»"', "m5.large"),
    ('"«a:\\U0001F642\\t\\n\\r\\"\\\\»"', '🙂\t\n\r"\\'),
    ('"«a:a$${b}%%{c}»"', "a${b}%{c}"),
    ('"«a:$»"', "$"),
    ('"«a:100% sure {x}»"', "100% sure {x}"),
    ('"«a:# no comment // either»"', "# no comment // either"),
]
BEFORE = {
    "nothing": "",
    "other lines": 'b = "m5.large"\nc = [\n  1,\n]\n',
    "letters of several bytes": '# größer „m5.large“ 🙂\nb = "ä"\n',
    "a block comment": "/* one\n two ü */ ",
    "a heredoc": "b = <<EOT\n  größe ${c}\nEOT\n",
}


@pytest.mark.parametrize("bom", [False, True], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("crlf", [False, True], ids=["LF", "CRLF"])
@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize(("text", "value"), LITERALS)
def test_a_literal_stands_where_its_bytes_stand(text: str, value: object, before: str, crlf: bool, bom: bool) -> None:
    whole = f"{before}a = {text}\n"
    data, places = marked(("\ufeff" if bom else "") + (whole.replace("\n", "\r\n") if crlf else whole))
    literal = scalar(parsed(data).expression("a"))
    assert (literal.value, isinstance(literal.value, bool)) == (value, isinstance(value, bool))
    assert literal.origin == places["a"]


def test_a_file_without_a_final_newline_is_read_to_its_last_byte() -> None:
    literal = scalar(parsed(b"a = 12").expression("a"))
    assert (literal.value, literal.origin) == (12, Span("main.tf", 4, 6))
    literal = scalar(parsed('x {\n  a = "é"\n}').nested("x")[0].expression("a"))
    assert (literal.value, literal.origin) == ("é", Span("main.tf", 11, 13))


def test_an_empty_file_is_an_empty_body() -> None:
    for data in (b"", b"\xef\xbb\xbf", b"\n# nothing\n", b"\r\n"):
        body = parsed(data)
        assert (list(body.names()), body.blocks) == ([], [])


def test_blocks_have_labels_and_stand_in_order_with_their_attributes() -> None:
    body = parsed('resource "aws_instance" web { a = 1 }\nlocals {}\nresource "b" "größe" {\n  inner { c = 2 }\n}\nz = 3\n')
    assert [(block.type, block.labels) for block in body.blocks] == [
        ("resource", ("aws_instance", "web")),
        ("locals", ()),
        ("resource", ("b", "größe")),
    ]
    assert list(body.names()) == ["z"]
    assert body.block_types == {"resource", "locals"}
    assert scalar(body.nested("resource")[1].nested("inner")[0].expression("c")).value == 2
    assert body.expression("absent") is None


# Strings of several parts.


def parts_of(text: str) -> list[object]:
    expression = parsed(f"a = {text}\n").expression("a")
    assert isinstance(expression, Template), expression
    return [part.value.value if isinstance(part, Literal) else "·" for part in expression.parts]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('"${b}"', ["·"]),
        ('"a${b}c"', ["a", "·", "c"]),
        ('" ${b} "', [" ", "·", " "]),
        ('"${b}${c}"', ["·", "·"]),
        ('"a ${~ b ~} c"', ["a", "·", "c"]),
        ('"a ${~ b} c"', ["a", "·", " c"]),
        ('"a ${b ~} c"', ["a ", "·", "c"]),
        ('"$${a} ${b}"', ["${a} ", "·"]),
        ('"${"${b}"}-x"', ["·", "-x"]),
        ('"m5.${b}"', ["m5.", "·"]),
    ],
)
def test_a_string_is_cut_at_its_interpolations_and_blanks_belong_to_it(text: str, parts: list[object]) -> None:
    assert parts_of(text) == parts


def test_one_interpolation_alone_keeps_place_and_type() -> None:
    value, places = value_of('"${"${«a:7»}"}"')
    assert (plain(value), origin_of(value, places)) == (7, "a")


def test_the_parts_of_a_string_flow_into_it_and_none_of_them_is_it() -> None:
    value, places = value_of('"«a:m5.»${"«b:large»"}${ true ? "«c:x»" : "«d:y»" }"')
    assert (plain(value), origin_of(value, places)) == ("m5.largex", None)
    assert markers_in(value, places) == "abc"


def test_a_template_with_directives_is_unknown_and_what_stands_in_it_flows_into_it() -> None:
    value, places = value_of('"%{ if "«a:x»" == "y" }«z:m5»%{ else }${"«b:m5.large»"}%{ endif }"')
    assert isinstance(value, Unknown)
    assert value.detail == "a template with directives"
    assert set("ab") <= set(markers_in(value, places))


# Heredocs.


@pytest.mark.parametrize("crlf", [False, True], ids=["LF", "CRLF"])
def test_a_heredoc_is_its_lines_with_their_places(crlf: bool) -> None:
    text = "ü = 1\na = <<EOT\n«a:size: m5.large\n  größe\n»EOT\n"
    data, places = marked(text.replace("\n", "\r\n") if crlf else text)
    literal = scalar(parsed(data).expression("a"))
    assert isinstance(literal, DocumentText)
    assert literal.value == ("size: m5.large\r\n  größe\r\n" if crlf else "size: m5.large\n  größe\n")
    assert literal.origin is None
    assert literal.flow == {places["a"]}
    start = places["a"].start
    assert literal.place(Span("", 6, 14)) == Span("main.tf", start + 6, start + 14)
    assert data[start + 6 : start + 14] == b"m5.large"


def test_an_indented_heredoc_loses_the_least_indentation_and_keeps_its_places() -> None:
    data, places = marked("a = <<-EOT\n    web:\n\n      size: «a:m5.large»\n     x: «b:1»\n    EOT\n")
    literal = scalar(parsed(data).expression("a"))
    assert isinstance(literal, DocumentText)
    assert literal.value == "web:\n\n  size: m5.large\n x: 1\n"
    for name, word in (("a", "m5.large"), ("b", "1")):
        at = literal.value.encode().index(word.encode())
        assert literal.place(Span("", at, at + len(word))) == places[name]


def test_a_part_of_a_heredoc_that_goes_over_a_line_has_no_place() -> None:
    literal = scalar(parsed("a = <<-EOT\n  one\n  two\n  EOT\n").expression("a"))
    assert isinstance(literal, DocumentText)
    assert literal.value == "one\ntwo\n"
    assert literal.place(Span("", 0, 3)) == Span("main.tf", 13, 16)
    assert literal.place(Span("", 4, 7)) == Span("main.tf", 19, 22)
    assert literal.place(Span("", 2, 5)) is None


def test_a_heredoc_whose_text_mentions_its_own_end_goes_on_to_the_line_that_is_it() -> None:
    literal = scalar(parsed("a = <<EOT\nEOT is near\n x EOT\nEOT\n").expression("a"))
    assert literal.value == "EOT is near\n x EOT\n"


def test_an_escape_in_a_heredoc_is_text_and_a_doubled_dollar_leaves_no_place() -> None:
    assert scalar(parsed("a = <<EOT\na\\nb\nEOT\n").expression("a")).value == "a\\nb\n"
    literal = scalar(parsed("a = <<EOT\n$${b} %%{c}\nEOT\n").expression("a"))
    assert literal.value == "${b} %{c}\n"
    assert not isinstance(literal, DocumentText)
    assert literal.flow == {Span("main.tf", 10, 22)}


def test_an_empty_heredoc_is_an_empty_text() -> None:
    assert scalar(parsed("a = <<EOT\nEOT\n").expression("a")).value == ""


def test_a_heredoc_with_interpolations_is_made_of_them_and_has_no_place() -> None:
    value, places = value_of('<<EOT\nsize: ${"«a:m5.large»"}\nEOT')
    assert (plain(value), origin_of(value, places)) == ("size: m5.large\n", None)
    assert markers_in(value, places) == "a"


def test_a_heredoc_of_yaml_is_decoded_with_places_in_the_file() -> None:
    value, places = value_of('yamldecode(<<-EOT\n    # ä\n    web:\n      size: «a:m5.large»\n      m: "«b:2»"\n  EOT\n  ).web')
    assert isinstance(value, Mapping)
    assert plain(value) == ("map", (("m", "2"), ("size", "m5.large")))
    assert [origin_of(value.entries[name], places) for name in ("size", "m")] == ["a", "b"]


# Operators.


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("24 / 4 / 2", 3),
        ("7 % 4 * 2", 6),
        ("-7 % 4", -3),
        ("7 % -4", 3),
        ("-2 * -3", 6),
        ("- 2 + 5", 3),
        ("-(2 + 5)", -7),
        ("2 - -2", 4),
        ("7 / 2", 3.5),
        ("8 / 2", 4),
        ("1 + 1 == 2", True),
        ("1 < 2 == true", True),
        ("1 < 2 && 3 < 2", False),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("!true || true", True),
        ("!(true || true)", False),
        ("!false && !false", True),
        ("1 == 1 && 2 != 2 || 3 >= 3", True),
        ("1 + 2 <= 3 && 3 > 2", True),
        ('"1" + "2"', 3),
        ('"a" == "a"', True),
        ("true == 1", False),
        ("null == null", True),
        ("1.0 == 1", True),
    ],
)
def test_operators_bind_as_terraform_binds_them(expression: str, value: object) -> None:
    found = plain(value_of(expression)[0])
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "marker"),
    [
        ('true ? "«a:x»" : "«b:y»"', "a"),
        ('false ? "«a:x»" : "«b:y»"', "b"),
        ('false ? "«a:x»" : true ? "«b:y»" : "«c:z»"', "b"),
        ('false ? "«a:x»" : false ? "«b:y»" : "«c:z»"', "c"),
        ('true ? "«a:x»" : true ? "«b:y»" : "«c:z»"', "a"),
        ('true ? false ? "«a:x»" : "«b:y»" : "«c:z»"', "b"),
        ('false ? "«a:w»" : false ? "«b:x»" : false ? "«c:y»" : "«d:z»"', "d"),
        ('(false ? "«a:x»" : true) ? "«b:y»" : "«c:z»"', "b"),
        ('1 + 1 == 2 ? "«a:x»" : "«b:y»"', "a"),
        ('true && false ? "«a:x»" : "«b:y»"', "b"),
        ('!false ? "«a:x»" : "«b:y»"', "a"),
        ('true ? "«a:x»" : ("«b:y»")', "a"),
        ('[for x in ["«a:x»"] : true ? x : "«b:y»"][0]', "a"),
    ],
)
def test_a_conditional_goes_to_the_right_and_binds_least(expression: str, marker: str) -> None:
    value, places = value_of(expression)
    assert origin_of(value, places) == marker


def test_a_conditional_goes_over_lines_and_comments_in_parentheses() -> None:
    value, places = value_of('(\n  false # no\n  ? "«a:x»"\n  : /* else */ "«b:y»"\n)')
    assert origin_of(value, places) == "b"


# Steps from an expression.

HOSTS: dict[str, Value] = {
    "list": Sequence(items=(Mapping(entries={"n": number(1)}), Mapping(entries={"n": number(2)}))),
    "one": Mapping(entries={"n": number(5), "m": Sequence(items=(number(8), number(9)))}),
    "nothing": Scalar(),
    "deep": Sequence(items=(Mapping(entries={"m": Sequence(items=(number(3), number(4)))}),)),
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("list[0].n", 1),
        ("list[1]['n']".replace("'", '"'), 2),
        ("list.1.n", 2),
        ("list[0 + 1].n", 2),
        ("one.m[1]", 9),
        ("one.m.0", 8),
        ("{ a = [1, 2] }.a[1]", 2),
        ("[[1, 2], [3, 4]][1][0]", 3),
        ("(list)[0].n", 1),
        ("list[*].n", ("list", (1, 2))),
        ("list.*.n", ("list", (1, 2))),
        ("list.*.n[1]", 2),
        ("list[*].n[1]", None),
        ("one[*].n", ("list", (5,))),
        ("one.*.n", ("list", (5,))),
        ("nothing[*].n", ("list", ())),
        ("deep[*].m[0]", ("list", (3,))),
        ("deep.*.m[0]", ("list", (3, 4))),
        ("deep[*].m[*]", ("list", (("list", (3, 4)),))),
        ("list[*]", ("list", (("map", (("n", 1),)), ("map", (("n", 2),))))),
        ("[for each in list : each.n][1]", 2),
    ],
)
def test_steps_and_splats_lead_to_elements(expression: str, value: object) -> None:
    if value is None:
        with pytest.raises(CodeError):
            value_of(expression, **HOSTS)
    else:
        assert plain(value_of(expression, **HOSTS)[0]) == value


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("list[2]", "there is no element 2"),
        ("list[-1]", "there is no element -1"),
        ("one.absent", "there is no attribute absent"),
        ('one["absent"]', "there is no element absent"),
        ("nothing.n", "there is no attribute n"),
        ("list[0.5]", "there is no element 0.5"),
        ("1[0]", "the value has no elements"),
    ],
)
def test_a_step_to_what_is_not_there_is_an_error(expression: str, told: str) -> None:
    with pytest.raises(CodeError) as caught:
        value_of(expression, **HOSTS)
    assert str(caught.value) == told


# Collections.


def test_elements_of_lists_and_objects_stand_where_they_are_written() -> None:
    value, places = value_of('{\n  "k": ["«a:x»", "«b:y»"],\n  w = { "d.e" = "«c:z»", (("q")) = «d:4» } # «e:m»\n}')
    assert plain(value) == ("map", (("k", ("list", ("x", "y"))), ("w", ("map", (("d.e", "z"), ("q", 4))))))
    assert markers_in(value, places) == "abcd"


def test_keys_are_words_numbers_strings_or_expressions() -> None:
    value, _ = value_of('{ word = 1, 2 = 2, true = 3, "text" = 4, (upper("x")) = 5, "${"in"}side" : 6, a-b = 7 }')
    assert isinstance(value, Mapping)
    assert {key: plain(item) for key, item in value.entries.items()} == {
        "word": 1, "2": 2, "true": 3, "text": 4, "X": 5, "inside": 6, "a-b": 7,
    }  # fmt: skip


def test_a_key_has_the_place_of_its_word_or_of_its_text_without_quotes() -> None:
    value, places = value_of('{ «a:web» = 1, "«b:api»" = 2 }')
    assert isinstance(value, Mapping)
    assert [value.key("web").origin, value.key("api").origin] == [places["a"], places["b"]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[for x in [1, 2, 3] : x * 2 if x != 2]", ("list", (2, 6))),
        ("[for i, x in [7, 8] : i]", ("list", (0, 1))),
        ('[for k, v in { b = 1, a = 2 } : "${k}${v}"]', ("list", ("a2", "b1"))),
        ("{ for k, v in { b = 1, a = 2 } : v => k }", ("map", (("1", "b"), ("2", "a")))),
        ('{ for x in ["a", "b", "a"] : x => 1... }', ("map", (("a", ("list", (1, 1))), ("b", ("list", (1,)))))),
        ("[for x in [] : x]", ("list", ())),
    ],
)
def test_for_expressions_go_over_collections_in_terraforms_order(expression: str, value: object) -> None:
    assert plain(value_of(expression)[0]) == value


# What is no HCL.


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = \n", 1),
        ('a = "x\n', 1),
        ("a = 1\nb = [1, 2\n", 2),
        ('resource "a" {\n  b = 1\n', 3),
        ("a = 1 +\n", 1),
        ("a = 1\n\n}\n", 3),
        ("a = <<EOT\nx\n", 3),
        ("a = ${b}\n", 1),
        ("= 3\n", 1),
    ],
)
def test_what_is_no_hcl_is_an_error_that_names_a_line(text: str, line: int) -> None:
    assert error(text).startswith("line ")
    assert error(text).endswith("is not valid HCL")
    assert abs(int(error(text).split()[1]) - line) <= 1


def test_bytes_that_are_no_utf_8_are_an_error() -> None:
    assert error(b'a = "gr\xf6\xdfe"\n') == "it is not UTF-8"


@pytest.mark.parametrize(("text", "told"), [
    ('a = "\\q"\n', "a string has an unknown escape"),
    ('a = "\\U00110000"\n', "a string has an escape for no character"),
    ("a = 1\na = 2\n", "the attribute a is set twice in one block"),
])  # fmt: skip
def test_what_terraform_would_refuse_is_an_error(text: str, told: str) -> None:
    assert told in error(text) or error(text).endswith("is not valid HCL")


def test_one_attribute_may_stand_in_several_blocks() -> None:
    body = parsed("x { a = 1 }\nx { a = 2 }\na = 3\n")
    assert [scalar(inner.expression("a")).value for inner in body.nested("x")] == [1, 2]


GRAMMARS_OWN = "line 1 is not valid HCL"
"""Strings within strings end sooner: the grammar itself gives up."""


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 400 + "]" * 400 + "\n",
        "a = " + "(" * 400 + "1" + ")" * 400 + "\n",
        "a = " + "f(" * 400 + "1" + ")" * 400 + "\n",
        'a = "' + '${"' * 400 + "x" + '"}' * 400 + '"\n',
        "a = " + "{ a = " * 400 + "1" + " }" * 400 + "\n",
        "x {\n" * 400 + "}\n" * 400,
    ],
    ids=["lists", "parentheses", "calls", "templates", "objects", "blocks"],
)
def test_what_is_nested_without_measure_is_an_error(text: str) -> None:
    with deep_recursion():
        told = error(text)
    assert told in ("an expression is nested deeper than 150 levels", "blocks are nested deeper than 150 levels", GRAMMARS_OWN)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!" * 400 + "true", True),
        ("true ? 1 : " * 400 + "2", 1),
        ("false ? 1 : " * 400 + "2", 2),
        ("1 + " * 1000 + "1", 1001),
        ("true && " * 1000 + "false", False),
        ("[[7]]" + "[0]" * 2, 7),
    ],
    ids=["negations", "first branches", "last branches", "sums", "conditions", "indexes"],
)
def test_a_long_chain_is_not_nested(expression: str, value: object) -> None:
    with deep_recursion():
        assert plain(value_of(expression)[0]) == value


def test_what_people_nest_is_within_the_limit() -> None:
    depth = 30
    assert plain(value_of("[" * depth + "7" + "]" * depth + "[0]" * depth)[0]) == 7


def test_attributes_are_parsed_when_they_are_asked_for() -> None:
    body = parsed('good = 1\nbad = "\\U00110000"\n')
    assert scalar(body.expression("good")).value == 1
    with pytest.raises(CodeError, match="an escape for no character"):
        body.expression("bad")


def test_an_expression_that_is_not_evaluated_says_what_it_is_and_keeps_what_is_in_it() -> None:
    expression = parsed('a = "%{ for x in [1, 2] }${x}-${3}%{ endfor }"\n').expression("a")
    assert isinstance(expression, Opaque)
    assert expression.what == "a template with directives"
    assert Name("x") in expression.inside
    assert [each.value.value for each in expression.inside if isinstance(each, Literal)] == [3]


def test_places_hold_in_a_file_that_is_read_from_disk(tmp_path: Path) -> None:
    data, places = marked('\ufeff# ß\r\nlocals {\r\n  size = "«a:m5.large»" # ß\r\n}\r\n')
    (tmp_path / "main.tf").write_bytes(data)
    literal = scalar(parsed((tmp_path / "main.tf").read_bytes()).nested("locals")[0].expression("size"))
    assert literal.origin == places["a"]
    assert (tmp_path / "main.tf").read_bytes()[slice(*literal.origin[1:])] == b"m5.large"
