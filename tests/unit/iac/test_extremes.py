"""Code and state at the edge of what can be written: every question has a verdict, and none ends in a crash."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.unit.iac.builders import Checkout

Make = Callable[..., Checkout]
WEB = 'resource "aws_instance" "web" {{ instance_type = {} }}\n'
LIVE = {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}


def verdict(checkout: Make, text: str, **files: str) -> str:
    """The reason code of the instance's type, whose literal is the marker ``a`` where it has one."""
    made = checkout({"main.tf": text, **files}, LIVE)
    location = made.locate("i-web")
    assert location.span in (None, made.places.get("a"))
    return location.reason_code


@pytest.mark.parametrize(
    "further",
    [
        'module "m" { source = "./a\\u0000b" }\n',
        'module "m" { source = "./\\ud800" }\n',
        'resource "aws_instance" "x" { count = 1e999 }\n',
        'resource "aws_instance" "x" { count = -1 }\n',
        'resource "aws_instance" "x" { count = 1000000 }\n',
        'resource "aws_instance" "x" { count = 1.5 }\n',
        'resource "aws_instance" "x" { ami = 1e999 }\n',
        'resource "aws_instance" "x" { ami = "${1e999}" }\n',
        'resource "aws_instance" "x" { ami = pow(10, 400) * pow(10, 400) }\n',
        'resource "aws_instance" "x" { ami = 1 / 0 }\n',
        'resource "aws_instance" "x" { ami = 7 % 0 }\n',
        'resource "aws_instance" "x" { ami = "\\ud800" }\n',
        'resource "aws_instance" "x" { ami = file("a\\u0000b") }\n',
        'resource "aws_instance" "x" { ami = fileset("a\\u0000b", "*") }\n',
        'resource "aws_instance" "x" { ami = fileset(".", "[") }\n',
        'resource "aws_instance" "x" { ami = regex("(", "x") }\n',
        'resource "aws_instance" "x" { ami = format("%999999999999s", "x") }\n',
        'resource "aws_instance" "x" { ami = substr("x", 1e999, 1) }\n',
        'resource "aws_instance" "x" { ami = slice([1], 0, 1e999) }\n',
        'resource "aws_instance" "x" { ami = element([1], 1e999) }\n',
        'resource "aws_instance" "x" { ami = [1][1e999] }\n',
        'resource "aws_instance" "x" { ami = chunklist([1], 1e999) }\n',
        'resource "aws_instance" "x" { ami = range(1e999) }\n',
        'resource "aws_instance" "x" { ami = parseint("1", 1e999) }\n',
        'resource "aws_instance" "x" { ami = floor(1e999) }\n',
    ],
    ids=lambda text: text.partition("{ ")[2][:50],
)
def test_what_another_block_says_is_no_reason_to_crash(checkout: Make, further: str) -> None:
    assert verdict(checkout, WEB.format('"«a:m5.large»"') + further) in (
        "literal",
        "unparseable",
        "missing_module",
        "missing_file",
    )


@pytest.mark.parametrize(
    "value",
    ["1e999", "[1e999][0]", '"\\ud800"', '["m5.large"]', "{}", "null", "true", "self.x", "each.value", "count.index", "path.cwd"],
)
def test_a_value_that_is_no_text_has_a_verdict(checkout: Make, value: str) -> None:
    assert verdict(checkout, WEB.format(value)) in ("drift", "unknown_value", "attribute_not_in_code")


@pytest.mark.parametrize(("length", "reason"), [(300, "literal"), (5_000, "unparseable")])
def test_a_chain_of_locals_is_followed_as_far_as_real_ones_go(checkout: Make, length: int, reason: str) -> None:
    chain = "".join(f"  l{n} = local.l{n + 1}\n" for n in range(length))
    assert verdict(checkout, f'{WEB.format("local.l0")}locals {{\n{chain}  l{length} = "«a:m5.large»"\n}}\n') == reason


def test_values_that_double_are_not_counted_one_by_one(checkout: Make) -> None:
    chain = "".join(f"  l{n} = [local.l{n + 1}, local.l{n + 1}]\n" for n in range(60))
    further = f'locals {{\n{chain}  l60 = "x"\n}}\nresource "aws_instance" "x" {{ ami = local.l0 }}\n'
    assert verdict(checkout, WEB.format('"«a:m5.large»"') + further) == "literal"


def test_modules_that_call_each_other_end(checkout: Make) -> None:
    files = {"a/main.tf": 'module "b" { source = "../b" }\n', "b/main.tf": 'module "a" { source = "../a" }\n'}
    assert verdict(checkout, WEB.format('"«a:m5.large»"') + 'module "a" { source = "./a" }\n', **files) in ("literal", "cycle")


def test_a_state_with_half_a_character_in_a_key_is_read(checkout: Make) -> None:
    made = checkout({"main.tf": WEB.format('"«a:m5.large»"')}, {**LIVE, "aws_instance.x": {"id": "\ud800"}})
    assert made.verdict("i-web") == ("editable", "literal")
    json.dumps(made.locate("\ud800").to_json(), ensure_ascii=False)
