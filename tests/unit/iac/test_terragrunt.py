"""Terragrunt units through ``locate``: the literal stands in the .hcl file that Terragrunt would take it from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.iac.files import Files
from dagster_project.iac.terragrunt import read_unit
from dagster_project.iac.values import Mapping, plain
from tests.unit.iac.builders import Checkout, written

MODULE = """
variable "size" {}
variable "sizes" { default = [] }
variable "by_name" { default = {} }
resource "aws_instance" "web" { instance_type = var.size }
resource "aws_instance" "first" {
  count         = length(var.sizes)
  instance_type = var.sizes[count.index]
}
resource "aws_instance" "named" {
  for_each      = var.by_name
  instance_type = each.value
}
"""
UNIT = "live/prod/web"
SOURCE = 'terraform { source = "../../../modules//web" }\n'
Make = Callable[..., Checkout]


def unit(checkout: Make, files: dict[str, str], **live: str) -> Checkout:
    """A unit in live/prod/web, whose module is modules/web; ``live`` are instance types by name."""
    state = {"aws_instance.web": {"id": "i-web", "instance_type": live.pop("web", "m5.large")}}
    for name, value in live.items():
        block, _, key = name.partition("_")
        address = f"aws_instance.{block}[{key}]" if key.isdigit() else f'aws_instance.{block}["{key}"]'
        state[address] = {"id": f"i-{name}", "instance_type": value}
    files = {f"{UNIT}/terragrunt.hcl": SOURCE, "modules/web/main.tf": MODULE, **files}
    return checkout(files, state, root=UNIT)


def located(made: Checkout, resource: str = "i-web") -> str:
    """The marker that is found, with its status where it is not editable; the reason where nothing is found."""
    location = made.locate(resource)
    if location.span is None:
        return location.reason_code
    marker = next((name for name, place in made.places.items() if place == location.span), str(location.span))
    return marker if location.status == "editable" else f"{marker} {location.reason_code}"


# Where inputs come from.


def test_an_input_of_the_unit_stands_in_its_own_file(checkout: Make) -> None:
    made = unit(checkout, {f"{UNIT}/terragrunt.hcl": f'# größer\n{SOURCE}inputs = {{\n  size = "«a:m5.large»"\n}}\n'})
    location = made.locate("i-web")
    assert (location.status, location.file, location.line) == ("editable", f"{UNIT}/terragrunt.hcl", 4)
    assert location.span == made.places["a"]
    assert location.affects == ("aws_instance.web",)
    assert made.data(f"{UNIT}/terragrunt.hcl")[location.start_byte : location.end_byte] == b"m5.large"


def test_a_local_of_the_unit_may_be_the_input(checkout: Make) -> None:
    text = SOURCE + 'locals {\n  env = "prod"\n  sizes = { prod = "«a:m5.large»", dev = "m5.large" }\n}\n'
    made = unit(checkout, {f"{UNIT}/terragrunt.hcl": text + "inputs = { size = local.sizes[local.env] }\n"})
    assert located(made) == "a"


def test_a_unit_without_a_source_is_its_own_module(checkout: Make) -> None:
    files = {f"{UNIT}/terragrunt.hcl": 'inputs = { size = "«a:m5.large»" }\n', f"{UNIT}/main.tf": MODULE}
    assert located(unit(checkout, files)) == "a"


@pytest.mark.parametrize(
    "source",
    [
        '"../../../modules//web"',
        '"../../../modules/web"',
        '"../../..//modules/web"',
        '"${get_repo_root()}/modules/web"',
        '"${get_repo_root()}//modules/web"',
        '"${get_terragrunt_dir()}/../../../modules//web"',
        '"${get_path_to_repo_root()}/modules/web"',
        '"${dirname(find_in_parent_folders("modules"))}/modules//web"',
        '"${local.modules}//web"',
    ],
)
def test_a_source_may_be_put_together_from_functions_for_paths(checkout: Make, source: str) -> None:
    text = f'locals {{ modules = "../../../modules" }}\nterraform {{ source = {source} }}\ninputs = {{ size = "«a:m5.large»" }}\n'
    assert located(unit(checkout, {f"{UNIT}/terragrunt.hcl": text})) == "a"


@pytest.mark.parametrize(
    "path",
    [
        'find_in_parent_folders("root.hcl")',
        '"../../root.hcl"',
        '"${get_repo_root()}/live/root.hcl"',
        '"${get_terragrunt_dir()}/../../root.hcl"',
        '"${dirname(find_in_parent_folders("root.hcl"))}/root.hcl"',
    ],
)
@pytest.mark.parametrize("label", ["", '"root" '])
def test_an_include_gives_inputs_that_the_unit_does_not_set(checkout: Make, path: str, label: str) -> None:
    files = {
        "live/root.hcl": 'inputs = {\n  size = "«a:m5.large»"\n  more = 1\n}\n',
        f"{UNIT}/terragrunt.hcl": f"include {label}{{\n  path = {path}\n}}\n{SOURCE}",
    }
    assert located(unit(checkout, files)) == "a"


def test_what_the_unit_sets_goes_over_what_it_includes(checkout: Make) -> None:
    files = {
        "live/root.hcl": 'inputs = { size = "«a:m5.large»" }\n',
        f"{UNIT}/terragrunt.hcl": f'include "root" {{ path = "../../root.hcl" }}\n{SOURCE}inputs = {{ size = "«b:m5.large»" }}\n',
    }
    assert located(unit(checkout, files)) == "b"


def test_an_include_without_a_file_name_finds_the_next_terragrunt_hcl_above(checkout: Make) -> None:
    files = {
        "live/terragrunt.hcl": 'inputs = { size = "«a:m5.large»" }\n',
        "live/prod/other.hcl": "",
        f"{UNIT}/terragrunt.hcl": f"include {{ path = find_in_parent_folders() }}\n{SOURCE}",
    }
    made = unit(checkout, files)
    assert made.locate("i-web").span == made.places["a"]


def test_of_several_includes_the_last_one_wins(checkout: Make) -> None:
    """Terragrunt: "the bottom most elements override those in earlier includes"."""
    includes = 'include "one" { path = "../../one.hcl" }\ninclude "two" { path = "../../two.hcl" }\n'
    files = {
        "live/one.hcl": 'inputs = { size = "«a:m5.large»" }\n',
        "live/two.hcl": 'inputs = { size = "«b:m5.large»" }\n',
        f"{UNIT}/terragrunt.hcl": includes + SOURCE,
    }
    assert located(unit(checkout, files)) == "b"


def test_of_several_included_sources_the_last_one_wins(checkout: Make) -> None:
    includes = 'include "one" { path = "../../one.hcl" }\ninclude "two" { path = "../../two.hcl" }\n'
    files = {
        "live/one.hcl": 'terraform { source = "../../../modules//other" }\n',
        "live/two.hcl": SOURCE,
        "modules/other/main.tf": 'resource "aws_instance" "web" { instance_type = "«a:m5.large»" }\n',
        "modules/web/main.tf": 'resource "aws_instance" "web" { instance_type = "«b:m5.large»" }\n',
        f"{UNIT}/terragrunt.hcl": includes,
    }
    assert located(unit(checkout, files)) == "b"


def test_a_shallow_merge_replaces_an_input_as_a_whole(checkout: Make) -> None:
    own = 'inputs = { by_name = { api = "«a:c5.large»" } }\n'
    files = {
        "live/root.hcl": 'inputs = { size = "«s:m5.large»", by_name = { api = "m5.large", job = "m5.large" } }\n',
        f"{UNIT}/terragrunt.hcl": f'include "r" {{ path = "../../root.hcl" }}\n{SOURCE}{own}',
    }
    made = unit(checkout, files, named_api="c5.large", named_job="m5.large")
    assert [located(made, each) for each in ("i-web", "i-named_api", "i-named_job")] == ["s", "a", "address_not_in_code"]


def test_a_deep_merge_goes_into_maps_and_appends_to_lists(checkout: Make) -> None:
    root = 'inputs = { by_name = { api = "m5.large", job = "«b:m5.large»" }, sizes = ["«c:c5.large»"] }\n'
    own = 'inputs = { size = "«s:m5.large»", by_name = { api = "«a:r5.large»" }, sizes = ["«d:t3.large»"] }\n'
    files = {
        "live/root.hcl": root,
        f"{UNIT}/terragrunt.hcl": f'include "r" {{\n  path = "../../root.hcl"\n  merge_strategy = "deep"\n}}\n{SOURCE}{own}',
    }
    live = {"named_api": "r5.large", "named_job": "m5.large", "first_0": "c5.large", "first_1": "t3.large"}
    made = unit(checkout, files, **live)
    assert [located(made, f"i-{name}") for name in ("web", *live)] == ["s", "a", "b", "c", "d"]


def test_two_deep_merges_put_the_first_include_first_and_nothing_twice(checkout: Make) -> None:
    def include(name: str) -> str:
        return f'include "{name}" {{\n  path = "../../{name}.hcl"\n  merge_strategy = "deep"\n}}\n'

    files = {
        "live/one.hcl": 'inputs = { sizes = ["«a:a1.large»"] }\n',
        "live/two.hcl": 'inputs = { sizes = ["«b:c5.large»"] }\n',
        f"{UNIT}/terragrunt.hcl": include("one")
        + include("two")
        + SOURCE
        + 'inputs = { size = "x", sizes = ["«c:t3.large»"] }\n',
    }
    made = unit(checkout, files, first_0="a1.large", first_1="c5.large", first_2="t3.large", first_3="c5.large")
    assert [located(made, f"i-first_{n}") for n in range(4)] == ["a", "b", "c", "address_not_in_code"]


def test_an_include_that_is_not_merged_gives_no_inputs_but_may_be_named(checkout: Make) -> None:
    include = 'include "root" {\n  path = "../../root.hcl"\n  expose = true\n  merge_strategy = "no_merge"\n}\n'
    root = 'locals { sizes = { web = "«a:m5.large»" } }\ninputs = { size = "m5.large", by_name = { x = "m5.large" } }\n'
    files = {"live/root.hcl": root, f"{UNIT}/terragrunt.hcl": include + SOURCE}
    assert located(unit(checkout, files)) == "unknown_value"


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ('"root" ', "include.root.locals.sizes.web"),
        ("", "include.locals.sizes.web"),
        ('"root" ', "include.root.inputs.common"),
        ('"root" ', "include.root.locals.all[0]"),
    ],
)
def test_an_exposed_include_may_be_named(checkout: Make, label: str, reference: str) -> None:
    marker = {"sizes.web": "a", "common": "b", "all[0]": "c"}[
        reference.rpartition("locals.")[2].removeprefix("include.root.inputs.")
    ]
    root = 'locals {\n  sizes = { web = "«a:m5.large»" }\n  all = ["«c:m5.large»"]\n}\ninputs = { common = "«b:m5.large»" }\n'
    include = f'include {label}{{\n  path = find_in_parent_folders("root.hcl")\n  expose = true\n}}\n'
    files = {"live/root.hcl": root, f"{UNIT}/terragrunt.hcl": f"{include}{SOURCE}inputs = {{ size = {reference} }}\n"}
    assert located(unit(checkout, files)) == marker


def test_another_file_may_be_read(checkout: Make) -> None:
    text = (
        'locals {\n  env = read_terragrunt_config(find_in_parent_folders("env.hcl"))\n'
        '  fallback = read_terragrunt_config("absent.hcl", { locals = { size = "«b:c5.large»" } })\n}\n'
    )
    files = {
        "live/prod/env.hcl": 'locals { size = "«a:m5.large»" }\ninputs = { other = "«c:r5.large»" }\n',
        "live/env.hcl": 'locals { size = "m5.large" }\n',
        f"{UNIT}/terragrunt.hcl": text
        + SOURCE
        + "inputs = { size = local.env.locals.size, sizes = [local.fallback.locals.size, local.env.inputs.other] }\n",
    }
    made = unit(checkout, files, first_0="c5.large", first_1="r5.large")
    assert [located(made, each) for each in ("i-web", "i-first_0", "i-first_1")] == ["a", "b", "c"]


def test_yaml_and_json_beside_the_units_may_be_decoded(checkout: Make) -> None:
    files = {
        "live/prod/env.yaml": "# ä\nsizes:\n  web: «a:m5.large»\n",
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'locals { env = yamldecode(file(find_in_parent_folders("env.yaml"))) }\ninputs = { size = local.env.sizes.web }\n',
    }
    assert located(unit(checkout, files)) == "a"


def test_a_parent_may_decode_a_file_of_the_unit_that_includes_it(checkout: Make) -> None:
    files = {
        "live/root.hcl": 'inputs = yamldecode(file("${get_terragrunt_dir()}/inputs.yaml"))\n',
        f"{UNIT}/inputs.yaml": 'size: "«a:m5.large»"\n',
        f"{UNIT}/terragrunt.hcl": 'include { path = find_in_parent_folders("root.hcl") }\n' + SOURCE,
    }
    assert located(unit(checkout, files)) == "a"


def test_a_parent_may_choose_by_the_path_of_the_unit(checkout: Make) -> None:
    root = """
locals {
  parts = split("/", path_relative_to_include())
  sizes = { prod = "«a:m5.large»", dev = "m5.large" }
}
inputs = { size = local.sizes[local.parts[0]] }
"""
    files = {
        "live/root.hcl": root,
        f"{UNIT}/terragrunt.hcl": 'include "root" { path = find_in_parent_folders("root.hcl") }\n' + SOURCE,
    }
    assert located(unit(checkout, files)) == "a"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("get_terragrunt_dir()", "/(repository)/live/prod/web"),
        ("get_original_terragrunt_dir()", "/(repository)/live/prod/web"),
        ("get_parent_terragrunt_dir()", "/(repository)/live"),
        ('get_parent_terragrunt_dir("root")', "/(repository)/live"),
        ("get_repo_root()", "/(repository)"),
        ("get_path_from_repo_root()", "live/prod/web"),
        ("get_path_to_repo_root()", "../../.."),
        ("path_relative_to_include()", "prod/web"),
        ('path_relative_to_include("root")', "prod/web"),
        ("path_relative_from_include()", "../.."),
        ('find_in_parent_folders("root.hcl")', "/(repository)/live/root.hcl"),
        ('find_in_parent_folders("absent.hcl", "fallback")', "fallback"),
        ("basename(get_terragrunt_dir())", "web"),
    ],
)
def test_functions_for_paths_say_where_the_unit_and_its_parent_lie(tmp_path: Path, expression: str, value: str) -> None:
    include = 'include "root" { path = find_in_parent_folders("root.hcl") }\n'
    written(tmp_path, {"live/root.hcl": "", f"{UNIT}/terragrunt.hcl": f"{include}inputs = {{ x = {expression} }}\n"})
    found = read_unit(Files.open(tmp_path), UNIT)
    assert found is not None
    assert (found.problems, plain(found.inputs["x"]())) == ([], value)


def test_a_folder_without_a_terragrunt_hcl_is_no_unit(tmp_path: Path) -> None:
    written(tmp_path, {"a/main.tf": ""})
    assert read_unit(Files.open(tmp_path), "a") is None


# Variable files.


def test_var_files_of_a_unit_go_over_its_inputs_in_their_order(checkout: Make) -> None:
    arguments = """
terraform {
  source = "../../../modules//web"
  extra_arguments "vars" {
    commands  = get_terraform_commands_that_need_vars()
    arguments = ["-lock=true", "-var-file=${get_terragrunt_dir()}/a.tfvars"]
    required_var_files = ["${get_terragrunt_dir()}/b.tfvars"]
    optional_var_files = ["${get_terragrunt_dir()}/absent.tfvars", "${find_in_parent_folders("c.tfvars")}"]
  }
}
inputs = { size = "m5.large" }
"""
    files = {
        f"{UNIT}/terragrunt.hcl": arguments,
        f"{UNIT}/a.tfvars": 'size = "m5.large"\nsizes = ["«a:a1.large»"]\n',
        f"{UNIT}/b.tfvars": 'size = "m5.large"\nby_name = { x = "«b:b1.large»" }\n',
        "live/c.tfvars": 'size = "«c:m5.large»"\n',
    }
    made = unit(checkout, files, first_0="a1.large", named_x="b1.large")
    assert [located(made, each) for each in ("i-web", "i-first_0", "i-named_x")] == ["c", "a", "b"]


def test_arguments_of_one_name_replace_those_of_an_include(checkout: Make) -> None:
    def arguments(file: str, name: str) -> str:
        return f'extra_arguments "{name}" {{\n    commands = ["plan"]\n    arguments = ["-var-file={file}"]\n  }}\n'

    own = 'inputs = { sizes = ["«a:c5.large»"] }\n'
    files = {
        "live/root.hcl": f"terraform {{\n  {arguments('../../root.tfvars', 'vars')}}}\n",
        "live/root.tfvars": 'sizes = ["c5.large"]\n',
        f"{UNIT}/terragrunt.hcl": 'include { path = find_in_parent_folders("root.hcl") }\n'
        + f'terraform {{\n  source = "../../../modules//web"\n  {arguments("own.tfvars", "vars")}}}\n{own}',
        f"{UNIT}/own.tfvars": 'size = "«b:m5.large»"\n',
    }
    made = unit(checkout, files, first_0="c5.large")
    assert [located(made, each) for each in ("i-web", "i-first_0")] == ["b", "a"]


def test_a_required_var_file_that_is_missing_is_told(checkout: Make) -> None:
    arguments = 'extra_arguments "v" { required_var_files = ["absent.tfvars"] }'
    text = f'terraform {{\n  source = "../../../modules//web"\n  {arguments}\n}}\n'
    made = unit(checkout, {f"{UNIT}/terragrunt.hcl": text + 'inputs = { size = "m5.large" }\n'})
    location = made.locate("i-web")
    assert (location.status, location.reason_code) == ("refused", "missing_file")
    assert location.sentence == f"A file is missing: {UNIT}/absent.tfvars."


# What is not known, and what is wrong.


def test_what_a_dependency_gives_is_not_known(checkout: Make) -> None:
    text = SOURCE + 'dependency "net" { config_path = "../net" }\ninputs = { size = dependency.net.outputs.size }\n'
    location = unit(checkout, {f"{UNIT}/terragrunt.hcl": text}).locate("i-web")
    assert (location.status, location.reason_code) == ("refused", "unknown_value")
    assert "dependency.net" in location.sentence


def test_what_the_environment_may_set_is_chosen_by_the_live_value_or_left_open(checkout: Make) -> None:
    text = SOURCE + 'inputs = { size = get_env("SIZE", "m5.large") }\n'
    assert located(unit(checkout, {f"{UNIT}/terragrunt.hcl": text})) == "unknown_alternative"


@pytest.mark.parametrize(
    ("source", "reason", "sentence"),
    [
        (
            '"git::https://example.com/modules.git//web?ref=v1"',
            "remote_module",
            "It is set inside a module that is not in the repository: terraform.source of live/prod/web/terragrunt.hcl, "
            "which is git::https://example.com/modules.git//web?ref=v1.",
        ),
        (
            '"tfr:///terraform-aws-modules/ec2-instance/aws?version=5.0.0"',
            "remote_module",
            "It is set inside a module that is not in the repository: terraform.source of live/prod/web/terragrunt.hcl, "
            "which is tfr:///terraform-aws-modules/ec2-instance/aws?version=5.0.0.",
        ),
        (
            '"../../../../elsewhere//web"',
            "other_repository",
            "It lies in another repository: terraform.source of live/prod/web/terragrunt.hcl, "
            "which is ../../../../elsewhere//web.",
        ),
        (
            '"../../../modules/absent"',
            "missing_module",
            "The code of a module is missing: modules/absent has no Terraform code.",
        ),
        (
            "dependency.x.outputs.source",
            "unknown_value",
            "The value is not known from the code: it depends on terraform.source of live/prod/web/terragrunt.hcl.",
        ),
    ],
)  # fmt: skip
def test_a_module_that_is_not_here_is_told_for_what_it_is(checkout: Make, source: str, reason: str, sentence: str) -> None:
    text = f'terraform {{ source = {source} }}\ninputs = {{ size = "m5.large" }}\n'
    location = unit(checkout, {f"{UNIT}/terragrunt.hcl": text}).locate("i-web")
    assert (location.status, location.reason_code, location.sentence) == ("refused", reason, sentence)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('include { path = find_in_parent_folders("absent.hcl") }\n', "unparseable"),
        ('include { path = "../../absent.hcl" }\n', "unparseable"),
        ('include { path = "../../../../outside.hcl" }\n', "other_repository"),
        ('include { path = get_env("PARENT") }\n', "unparseable"),
        ('include "a" { path = "terragrunt.hcl" }\n', "unparseable"),
        ("inputs = {\n", "unparseable"),
        ("locals {\n  a = local.b\n  b = local.a\n}\ninputs = { size = local.a }\n", "cycle"),
        ("inputs = { size = local.absent }\n", "unknown_value"),
        ('inputs = { size = read_terragrunt_config("absent.hcl").locals.x }\n', "unknown_value"),
        ("inputs = dependency.x.outputs\n", "unknown_value"),
        ('inputs = { size = run_cmd("date") }\n', "unknown_value"),
        ('inputs = { size = sops_decrypt_file("secret.yaml") }\n', "encrypted"),
    ],
)
def test_a_unit_that_cannot_be_read_as_terragrunt_would_is_refused(checkout: Make, text: str, reason: str) -> None:
    made = unit(checkout, {f"{UNIT}/terragrunt.hcl": SOURCE + text})
    assert made.verdict("i-web") == ("refused", reason)


def test_files_that_include_each_other_are_refused(checkout: Make) -> None:
    files = {
        "live/a.hcl": 'include { path = "../../b.hcl" }\n',
        "live/b.hcl": 'include { path = "../../a.hcl" }\n',
        f"{UNIT}/terragrunt.hcl": 'include { path = "../../a.hcl" }\n' + SOURCE,
    }
    made = unit(checkout, files)
    location = made.locate("i-web")
    assert (location.status, location.reason_code) == ("refused", "unparseable")
    assert "includes are nested without end" in location.sentence


def test_files_that_read_each_other_are_refused(checkout: Make) -> None:
    files = {
        "live/a.hcl": 'locals { x = read_terragrunt_config("b.hcl").locals.x }\n',
        "live/b.hcl": 'locals { x = read_terragrunt_config("a.hcl").locals.x }\n',
        f"{UNIT}/terragrunt.hcl": SOURCE + 'inputs = { size = read_terragrunt_config("../../a.hcl").locals.x }\n',
    }
    assert unit(checkout, files).verdict("i-web")[0] == "refused"


def test_an_encrypted_parent_is_refused(checkout: Make) -> None:
    files = {
        "live/root.hcl": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        f"{UNIT}/terragrunt.hcl": 'include { path = "../../root.hcl" }\n' + SOURCE + 'inputs = { size = "m5.large" }\n',
    }
    assert unit(checkout, files).verdict("i-web")[0] == "refused"


# Other units.


def two_units(checkout: Make, parent: str) -> Checkout:
    include = 'include "root" { path = find_in_parent_folders("root.hcl") }\n' + SOURCE
    return unit(
        checkout,
        {
            "live/root.hcl": parent,
            f"{UNIT}/terragrunt.hcl": include,
            "live/dev/web/terragrunt.hcl": include,
            "live/dev/own/terragrunt.hcl": include + 'inputs = { size = "t3.small" }\n',
        },
    )


def test_a_parent_that_feeds_several_units_is_shared_by_them(checkout: Make) -> None:
    made = two_units(checkout, 'inputs = { size = "«a:m5.large»" }\n')
    location = made.locate("i-web")
    assert (location.status, location.reason_code) == ("shared", "shared_by_roots")
    assert location.span == made.places["a"]
    assert location.affects == ("aws_instance.web",)
    assert location.other_roots == ("live/dev/web: aws_instance.web",)
    assert location.sentence == "Other roots of the repository use this literal too: live/dev/web: aws_instance.web."


def test_a_parents_literal_for_one_unit_is_that_units_alone(checkout: Make) -> None:
    parent = 'inputs = { size = path_relative_to_include() == "prod/web" ? "«a:m5.large»" : "t3.small" }\n'
    location = two_units(checkout, parent).locate("i-web")
    assert (location.status, location.other_roots) == ("editable", ())


def test_a_literal_of_a_module_that_one_unit_runs_is_that_units_alone(checkout: Make) -> None:
    """A module that units run is no root of its own."""
    made = unit(checkout, {"modules/web/main.tf": 'resource "aws_instance" "web" { instance_type = "«a:m5.large»" }\n'})
    assert located(made) == "a"


def test_a_literal_of_a_module_is_shared_by_the_units_that_run_it(checkout: Make) -> None:
    made = unit(
        checkout,
        {
            "modules/web/main.tf": 'resource "aws_instance" "web" { instance_type = "«a:m5.large»" }\n',
            "live/dev/web/terragrunt.hcl": SOURCE,
            "live/dev/other/terragrunt.hcl": 'terraform { source = "../../../modules/absent" }\n',
        },
    )
    location = made.locate("i-web")
    assert (location.status, location.reason_code) == ("shared", "shared_by_roots")
    assert location.other_roots == ("live/dev/web: aws_instance.web",)


def test_an_input_is_edited_in_its_hcl_file(checkout: Make) -> None:
    made = unit(checkout, {f"{UNIT}/terragrunt.hcl": f'{SOURCE}inputs = {{ size = "«a:m5.large»" }} # größer\r\n'})
    edits = made.prepare(("i-web", "instance_type", "m5.medium"))
    before = made.data(f"{UNIT}/terragrunt.hcl")
    assert [edit.is_edited for edit in edits.outcomes] == [True]
    assert edits.contents == {f"{UNIT}/terragrunt.hcl": before.replace(b"m5.large", b"m5.medium")}


def test_inputs_are_a_mapping_of_what_the_unit_says(tmp_path: Path) -> None:
    written(tmp_path, {"u/terragrunt.hcl": "inputs = { a = 1, b = [true, null] }\n"})
    found = read_unit(Files.open(tmp_path), "u")
    assert found is not None
    assert plain(Mapping(entries={name: get() for name, get in found.inputs.items()})) == (
        "map", (("a", 1), ("b", ("list", (True, None)))),
    )  # fmt: skip
