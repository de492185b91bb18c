"""The oracle itself: what it rewrites, and that it says so when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.iac import twin
from tests.iac.twin_rewriting import PlanFailed, Unsupported

pytestmark = pytest.mark.skipif(not twin.AVAILABLE, reason="there is no terraform to plan with")


def plan_of(folder: Path, **files: str) -> twin.Plan:
    return twin.plan(twin.build({f"{name}.tf": text.encode() for name, text in files.items()}, folder))


def test_references_read_arguments_and_leave_the_rest_unknown(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        main="""
        data "aws_ami" "a" { owners = ["self"] }
        resource "aws_instance" "one" {
          instance_type = "m5.large"
          ami           = data.aws_ami.a.id
          root_block_device { volume_size = 8 }
        }
        resource "aws_instance" "many" {
          for_each      = { "a.b" = "c5.large" }
          instance_type = each.value
        }
        resource "aws_instance" "user" {
          instance_type = aws_instance.one.instance_type
          disk          = aws_instance.one.root_block_device[0].volume_size
          arn           = aws_instance.one.arn
          others        = values(aws_instance.many)[*].instance_type
          ids           = [for instance in aws_instance.many : instance.id]
          keyed         = aws_instance.many["a.b"].instance_type
          note          = "of ${aws_instance.many["${"a"}.b"].instance_type}"
          depends_on    = [aws_instance.many, data.aws_ami.a]
        }
        """,
    )
    assert plan["aws_instance.one"]["ami"] is twin.UNKNOWN
    assert plan['aws_instance.many["a.b"]'] == {"instance_type": "c5.large"}
    assert plan["aws_instance.user"] == {
        "instance_type": "m5.large",
        "disk": 8,
        "arn": twin.UNKNOWN,
        "others": ["c5.large"],
        "ids": [twin.UNKNOWN],
        "keyed": "c5.large",
        "note": "of c5.large",
    }


def test_blocks_dynamic_blocks_and_overrides(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        main="""
        resource "aws_x" "a" {
          one = 1
          two = 2
          block { size = 1 }
          dynamic "block" {
            for_each = { k = 2 }
            iterator = it
            content {
              size = it.value
              key  = it.key
            }
          }
          other { size = 3 }
        }
        """,
        z_override='resource "aws_x" "a" {\n  two = 22\n  other { size = 33 }\n}',
    )
    blocks = [{"size": 1}, {"size": 2, "key": "k"}]
    assert plan == {"aws_x.a": {"one": 1, "two": 22, "block": blocks, "other": [{"size": 33}]}}


def test_a_second_build_replaces_the_first(tmp_path: Path) -> None:
    module = b'variable "v" {}\nresource "aws_x" "a" { v = var.v }'
    call = b'module "m" {\n  source = "./m"\n  v = "%s"\n}'
    before = twin.plan(twin.build({"main.tf": call % b"1", "m/m.tf": module, "gone.tf": b'resource "aws_x" "g" {}'}, tmp_path))
    after = twin.plan(twin.build({"main.tf": call % b"2", "m/m.tf": module}, tmp_path))
    assert twin.changed(before, after) == {"module.m.aws_x.a", "aws_x.g"}


def test_terraforms_own_words_where_the_plan_fails(tmp_path: Path) -> None:
    with pytest.raises(PlanFailed, match="Reference to undeclared local value"):
        plan_of(tmp_path, main='resource "aws_x" "a" { v = local.nothing }')


def test_what_the_twin_cannot_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"main\.tf"):
        plan_of(tmp_path, main='resource "aws_x" "a" {')


def test_many_repositories_in_one_plan(tmp_path: Path) -> None:
    batch = twin.Batch(tmp_path)
    for name, value in [("before", b"1"), ("after", b"2")]:
        files = {"live/main.tf": b'module "m" { source = "../m" }', "m/m.tf": b'resource "aws_x" "a" { v = ' + value + b" }"}
        assert batch.suits(files, "live")
        batch.add(name, files, "live")
    plans = batch.plan()
    assert plans == {"before": {"module.m.aws_x.a": {"v": 1}}, "after": {"module.m.aws_x.a": {"v": 2}}}
    assert not batch.suits({"live/terraform.tfvars": b""}, "live")
