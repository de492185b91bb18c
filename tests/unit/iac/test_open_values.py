"""What is not known stays open: in keys, for expressions, nested blocks and functions the answer is never one literal alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dagster_project.iac.values import CodeError, Mapping, Scalar, Unknown, unknown
from tests.unit.iac.builders import Checkout, markers_in, value_of

Make = Callable[..., Checkout]

PARTIAL = Mapping(entries={"a": Scalar(value="m5.large")}, is_partial=True)
UNCERTAIN = Mapping(entries={"a": Scalar(value="m5.large"), "b": Scalar(value="c5.large")}, uncertain=frozenset(("b",)))


@pytest.mark.parametrize(
    ("expression", "markers"),
    [
        ('x["«a:k»"]', "a"),
        ('{ (x) = "«a:1»", b = "«b:2»" }', "ab"),
        ('[for each in x : "«a:1»"]', "a"),
        ('{ for k, v in x : k => "«a:1»" }', "a"),
        ("min(x, «a:2»)", "a"),
        ('merge(x, { a = "«a:1»" })', "a"),
        ("element(x, «a:0»)", "a"),
        ('lookup(x, "«a:k»", "«b:d»")', "ab"),
        ('flatten([x, ["«a:1»"]])', "a"),
        ('concat(["«a:1»"], x...)', "a"),
        ('format("%s-%s", x, "«a:1»")', "a"),
        ("x + «a:1»", "a"),
    ],
)
def test_what_is_made_of_an_unknown_value_is_unknown_and_keeps_its_literals(expression: str, markers: str) -> None:
    value, places = value_of(expression, x=unknown("x"))
    assert isinstance(value, Unknown)
    assert markers_in(value, places) == markers


@pytest.mark.parametrize("expression", ["x.b", 'x["b"]', "[for v in x : v]", "merge(x, { c = 1 })", "length(x)"])
def test_a_map_of_which_not_all_keys_are_known_is_not_taken_for_whole(expression: str) -> None:
    assert isinstance(value_of(expression, x=PARTIAL)[0], Unknown)


def test_a_row_that_may_not_be_there_leaves_a_list_open_and_an_object_with_that_key_uncertain() -> None:
    assert isinstance(value_of("[for k, v in x : v]", x=UNCERTAIN)[0], Unknown)
    kept = value_of("{ for k, v in x : k => v }", x=UNCERTAIN)[0]
    assert isinstance(kept, Mapping)
    assert kept.uncertain == {"b"}


def test_a_key_that_may_not_be_there_leaves_a_try_both_answers() -> None:
    value, places = value_of('try(x.b, "«d:m5.xlarge»")', x=UNCERTAIN)
    assert markers_in(value, places) == "d"
    assert not isinstance(value, Scalar)
    value, places = value_of('try(x.a, "«d:m5.xlarge»")', x=UNCERTAIN)
    assert (value.value if isinstance(value, Scalar) else None) == "m5.large"
    assert markers_in(value, places) == ""


@pytest.mark.parametrize(
    "expression",
    ['"a${null}"', "{ (null) = 1 }", "1 + null", "[for v in 1 : v]", 'format("%s-%s", 1)', "[1][null]", "chunklist([1], -1)"],
)
def test_what_terraform_would_refuse_is_an_error(expression: str) -> None:
    with pytest.raises(CodeError):
        value_of(expression)


# Blocks inside of a resource, as others see them.


def test_a_value_of_another_resources_nested_block_is_followed_two_blocks_deep(checkout: Make) -> None:
    text = (
        'resource "aws_thing" "t" {\n  outer {\n    inner {\n      kind = "«a:m5.large»"\n    }\n  }\n}\n'
        'resource "aws_instance" "web" { instance_type = aws_thing.t.outer[0].inner[0].kind }\n'
    )
    made = checkout({"main.tf": text}, {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}})
    location = made.locate("i-web")
    assert location.span == made.places["a"]
    assert location.affects == ("aws_instance.web", "aws_thing.t")


def test_what_a_nested_block_does_not_set_is_unknown(checkout: Make) -> None:
    text = (
        'resource "aws_thing" "t" {\n  outer {\n    kind = "m5.large"\n  }\n}\n'
        'resource "aws_instance" "web" { instance_type = aws_thing.t.outer[0].other }\n'
    )
    made = checkout({"main.tf": text}, {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}})
    assert made.verdict("i-web") == ("refused", "unknown_value")


def test_a_link_out_of_the_repository_is_refused(checkout: Make) -> None:
    text = 'resource "aws_instance" "web" { instance_type = file("size.txt") }\n'
    made = checkout({"main.tf": text}, {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}})
    outside = made.folder.parent / "size.txt"
    outside.write_text("m5.large")
    (made.folder / "size.txt").symlink_to(outside)
    assert made.reopened().verdict("i-web") == ("refused", "outside_repository")
    assert made.prepare(("i-web", "instance_type", "m5.medium")).contents == {}


def test_a_cycle_is_named_by_a_local_in_it(checkout: Make) -> None:
    text = 'locals {\n  a = local.b\n  b = local.a\n}\nresource "aws_instance" "web" { instance_type = local.a }\n'
    made = checkout({"main.tf": text}, {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}})
    location = made.locate("i-web")
    assert (location.status, location.reason_code) == ("refused", "cycle")
    assert location.sentence == "The code refers to itself: local.a."
