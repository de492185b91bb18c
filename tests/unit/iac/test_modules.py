"""Modules that ``terraform init`` has downloaded, and code that Terraform would refuse to load."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.unit.iac.builders import Checkout

Make = Callable[..., Checkout]

MODULES = "live/.terraform/modules"
CALL = 'module "app" {\n  source = "acme/app/aws"\n  size   = "«a:m5.large»"\n}\n'
SIZED = 'variable "size" {}\nresource "aws_instance" "web" { instance_type = var.size }\n'
FIXED = 'variable "size" {}\nresource "aws_instance" "web" { instance_type = "m5.large" }\n'
IN_MODULE = {"module.app.aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}
IN_ROOT = {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}


def manifest(*modules: tuple[str, str]) -> str:
    listed = [{"Key": "", "Source": "", "Dir": "."}, *({"Key": key, "Source": "x", "Dir": folder} for key, folder in modules)]
    return json.dumps({"Modules": listed})


def downloaded(module: str, listing: str) -> dict[str, str]:
    return {"live/main.tf": CALL, f"{MODULES}/app/main.tf": module, f"{MODULES}/modules.json": listing}


def test_the_argument_of_a_downloaded_module_is_edited_where_it_is_given(checkout: Make) -> None:
    files = downloaded(SIZED, manifest(("app", ".terraform/modules/app")))
    made = checkout(files, IN_MODULE, root="live")
    location = made.locate("i-web")
    assert (location.status, location.reason_code) == ("editable", "literal")
    assert location.span == made.places["a"]
    assert location.affects == ("module.app.aws_instance.web",)
    edits = made.prepare(("i-web", "instance_type", "m5.medium"))
    assert edits.contents == {"live/main.tf": made.data("live/main.tf").replace(b"m5.large", b"m5.medium")}


def test_a_module_inside_of_a_downloaded_one_is_found_by_its_dotted_path(checkout: Make) -> None:
    outer = 'variable "size" {}\nmodule "inner" {\n  source = "acme/inner/aws"\n  size = var.size\n}\n'
    listing = manifest(("app", ".terraform/modules/app"), ("app.inner", ".terraform/modules/app.inner"))
    files = {**downloaded(outer, listing), f"{MODULES}/app.inner/main.tf": SIZED}
    live = {"module.app.module.inner.aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}
    made = checkout(files, live, root="live")
    assert made.locate("i-web").span == made.places["a"]


def test_a_literal_inside_of_a_downloaded_module_is_never_edited(checkout: Make) -> None:
    made = checkout(downloaded(FIXED, manifest(("app", ".terraform/modules/app"))), IN_MODULE, root="live")
    assert made.verdict("i-web") == ("refused", "remote_module")
    assert made.prepare(("i-web", "instance_type", "m5.medium")).contents == {}


@pytest.mark.parametrize(
    "listing",
    [
        "",
        "{",
        "[]",
        '{"Modules": 1}',
        '{"Modules": [{"Key": "app"}]}',
        manifest(("other", ".terraform/modules/app")),
    ],
)
def test_without_a_usable_manifest_the_module_is_elsewhere(checkout: Make, listing: str) -> None:
    made = checkout(downloaded(SIZED, listing), IN_MODULE, root="live")
    assert made.verdict("i-web") == ("refused", "remote_module")


def test_a_module_whose_source_is_computed_is_refused(checkout: Make) -> None:
    made = checkout({"live/main.tf": CALL.replace("acme/app/aws", "./${var.x}")}, IN_MODULE, root="live")
    assert made.verdict("i-web") == ("refused", "unparseable")


# Code that Terraform would refuse to load as a whole.

WEB = 'resource "aws_instance" "web" { instance_type = "m5.large" }\n'


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a.tf": WEB, "b.tf": WEB}, "unparseable"),
        ({"a.tf": WEB, "b.tf": 'variable "x" {}\nvariable "x" {}\n'}, "unparseable"),
        ({"a.tf": WEB, "b.tf": "locals { a = 1 }\n", "c.tf": "locals { a = 1 }\n"}, "unparseable"),
        ({"a.tf": WEB, "b.tofu": ""}, "unsupported_file"),
        ({"a.tf": WEB, "b.tf": b"\x00GITCRYPT\x00rest"}, "encrypted"),
        ({"a.tf": WEB, "b.tf": "resource {"}, "unparseable"),
    ],
    ids=["resource twice", "variable twice", "local twice", "tofu", "encrypted", "damaged"],
)
def test_nothing_is_edited_in_a_root_that_cannot_be_trusted(checkout: Make, files: dict[str, str | bytes], reason: str) -> None:
    made = checkout(files, IN_ROOT)
    assert made.verdict("i-web") == ("refused", reason)
    assert made.prepare(("i-web", "instance_type", "m5.medium")).contents == {}


def test_several_locals_blocks_are_one(checkout: Make) -> None:
    files = {
        "a.tf": 'locals { size = "«a:m5.large»" }\nlocals { other = 1 }\n',
        "b.tf": 'resource "aws_instance" "web" { instance_type = local.size }\n',
    }
    made = checkout(files, IN_ROOT)
    assert made.locate("i-web").span == made.places["a"]
