"""A repository's roots: which of them a literal reaches besides the one that was asked about, and what is read for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.errors import InputError
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from tests.unit.iac.builders import Checkout

Make = Callable[..., Checkout]
WEB = 'resource "aws_instance" "web" { instance_type = "«a:m5.large»" }\n'
SIZED = 'resource "aws_instance" "web" { instance_type = var.size }\n'
CALL = 'module "app" { source = "../../modules/app" }\n'
IN_MODULE = {"module.app.aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}
IN_ROOT = {"aws_instance.web": {"id": "i-web", "instance_type": "m5.large"}}


def others(made: Checkout) -> tuple[str, ...]:
    """What the literal feeds in other roots; its place is the marker ``a``."""
    location = made.locate("i-web")
    assert location.span == made.places["a"], location
    assert (location.status, location.reason_code) == (
        ("shared", "shared_by_roots") if location.other_roots else ("editable", "literal")
    )
    return location.other_roots


# Modules.


def test_a_module_that_one_root_calls_is_that_roots_alone(checkout: Make) -> None:
    files = {"live/prod/main.tf": CALL, "live/dev/main.tf": "", "modules/app/main.tf": WEB, "modules/other/main.tf": ""}
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ()


def test_a_module_that_two_roots_call_is_shared(checkout: Make) -> None:
    files = {"live/prod/main.tf": CALL, "live/dev/main.tf": CALL.replace('"app"', '"a"'), "modules/app/main.tf": WEB}
    made = checkout(files, IN_MODULE, root="live/prod")
    assert others(made) == ("live/dev: module.a.aws_instance.web",)
    location = made.locate("i-web")
    assert location.sentence == "Other roots of the repository use this literal too: live/dev: module.a.aws_instance.web."
    assert location.affects == ("module.app.aws_instance.web",)


def test_of_many_roots_that_share_a_literal_twenty_are_named_and_the_others_counted(checkout: Make) -> None:
    files = {f"live/r{number:02d}/main.tf": CALL for number in range(24)}
    told = others(checkout({**files, "modules/app/main.tf": WEB}, IN_MODULE, root="live/r00"))
    assert told == (
        *(f"live/r{number:02d}: module.app.aws_instance.web" for number in range(1, 21)),
        "3 more roots that read modules/app/main.tf",
    )


def test_a_sentence_names_five_of_many(checkout: Make) -> None:
    files = {f"live/r{number}/main.tf": CALL for number in range(8)}
    sentence = checkout({**files, "modules/app/main.tf": WEB}, IN_MODULE, root="live/r0").locate("i-web").sentence
    assert sentence.endswith("live/r5: module.app.aws_instance.web and 2 more.")


def test_a_module_that_is_called_through_another_is_shared_too(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/dev/main.tf": 'module "outer" { source = "../../modules/outer" }\n',
        "modules/outer/main.tf.json": '{"module": {"inner": {"source": "../app"}}}',
        "modules/app/main.tf": WEB,
    }
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ("live/dev: module.outer.module.inner.aws_instance.web",)


def test_a_literal_that_another_root_overrides_is_not_shared(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/dev/main.tf": 'module "app" {\n  source = "../../modules/app"\n  size = "t3.nano"\n}\n',
        "modules/app/main.tf": 'variable "size" { default = "«a:m5.large»" }\n' + SIZED,
    }
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ()


def test_instances_whose_number_another_root_does_not_tell_are_one_for_all(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/dev/main.tf": 'variable "n" {}\nmodule "app" {\n  source = "../../modules/app"\n  count = var.n\n}\n',
        "modules/app/main.tf": WEB,
    }
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ('live/dev: module.app["*"].aws_instance.web',)


@pytest.mark.parametrize("folder", ["examples/basic", "modules/app/examples/full", "example", "modules/app/example"])
def test_examples_are_no_roots_that_share(checkout: Make, folder: str) -> None:
    up = "../" * (folder.count("/") + 1)
    files = {
        "live/prod/main.tf": CALL,
        f"{folder}/main.tf": f'module "app" {{ source = "{up}modules/app" }}\n',
        "modules/app/main.tf": WEB,
    }
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ()


def test_a_root_of_a_folder_of_tests_may_be_a_test_environment_that_shares(checkout: Make) -> None:
    files = {"live/prod/main.tf": CALL, "live/test/main.tf": CALL, "modules/app/main.tf": WEB}
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ("live/test: module.app.aws_instance.web",)


def test_what_tools_downloaded_is_no_root(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/prod/.terraform/modules/x/main.tf": 'module "app" { source = "../../../../../modules/app" }\n',
        "modules/app/main.tf": WEB,
    }
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ()


def test_a_root_in_the_top_folder_is_one_too(checkout: Make) -> None:
    files = {"live/prod/main.tf": CALL, "main.tf": 'module "app" { source = "./modules/app" }\n', "modules/app/main.tf": WEB}
    assert others(checkout(files, IN_MODULE, root="live/prod")) == (".: module.app.aws_instance.web",)


def test_a_root_that_cannot_be_read_does_not_hide_what_others_use(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/broken/main.tf": CALL + "resource {\n",
        "live/dev/main.tf": CALL,
        "modules/app/main.tf": WEB,
    }
    assert "live/dev: module.app.aws_instance.web" in others(checkout(files, IN_MODULE, root="live/prod"))


# Files that are no code.


def reading(path: str) -> str:
    return f'resource "aws_instance" "web" {{ instance_type = jsondecode(file("{path}")).web }}\n'


@pytest.mark.parametrize(
    "path",
    [
        "../../sizes.json",
        "./../../sizes.json",
        "${path.module}/../../sizes.json",
        "${path.root}/../../sizes.json",
        '${path.module}/../../${"sizes"}.json',
        "${local.folder}/sizes.json",
        "${path.module}/${local.folder}/sizes.json",
        "../../live/../sizes.json",
        "../.././sizes.json",
    ],
)
def test_a_json_file_that_two_roots_read_is_shared(checkout: Make, path: str) -> None:
    files = {
        "sizes.json": '{"web": "«a:m5.large»"}',
        "live/prod/main.tf": reading("../../sizes.json"),
        "live/dev/main.tf": reading(path) + 'locals { folder = "../.." }\n',
    }
    assert others(checkout(files, IN_ROOT, root="live/prod")) == ("live/dev: aws_instance.web",)


def test_a_json_file_of_which_another_root_reads_another_part_is_not_shared(checkout: Make) -> None:
    files = {
        "sizes.json": '{"web": "«a:m5.large»", "job": "m5.large"}',
        "live/prod/main.tf": reading("../../sizes.json"),
        "live/dev/main.tf": reading("../../sizes.json").replace(".web }", ".job }"),
    }
    assert others(checkout(files, IN_ROOT, root="live/prod")) == ()


def test_a_root_in_jsons_notation_reads_files_too(checkout: Make) -> None:
    document = {"resource": {"aws_instance": {"web": {"instance_type": '${jsondecode(file("../../sizes.json")).web}'}}}}
    files = {
        "sizes.json": '{"web": "«a:m5.large»"}',
        "live/prod/main.tf": reading("../../sizes.json"),
        "live/dev/main.tf.json": json.dumps(document),
    }
    assert others(checkout(files, IN_ROOT, root="live/prod")) == ("live/dev: aws_instance.web",)


def test_a_file_that_a_shared_module_reads_is_shared_by_its_roots(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/dev/main.tf": CALL,
        "modules/app/main.tf": reading("${path.module}/sizes.json"),
        "modules/app/sizes.json": '{"web": "«a:m5.large»"}',
    }
    assert others(checkout(files, IN_MODULE, root="live/prod")) == ("live/dev: module.app.aws_instance.web",)


def test_variable_files_beside_a_root_are_its_own(checkout: Make) -> None:
    text = 'variable "size" {}\n' + SIZED
    files = {
        "live/prod/main.tf": text,
        "live/prod/terraform.tfvars": 'size = "«a:m5.large»"\n',
        "live/dev/main.tf": text,
        "live/dev/terraform.tfvars": 'size = "m5.large"\n',
    }
    assert others(checkout(files, IN_ROOT, root="live/prod")) == ()


# Links.

_WEB = 'resource "aws_instance" "web" { instance_type = var.size }\n'
LINKED = {
    "live/prod/main.tf": _WEB,
    "live/dev/main.tf": _WEB,
    "shared/size.tf": 'variable "size" { default = "«a:m5.large»" }\n',
}


def test_a_file_that_is_linked_into_two_roots_is_shared(checkout: Make) -> None:
    made = checkout(LINKED, IN_ROOT, root="live/prod")
    for root in ("prod", "dev"):
        (made.folder / f"live/{root}/size.tf").symlink_to("../../shared/size.tf")
    assert others(made.reopened()) == ("live/dev: aws_instance.web",)


def test_a_file_that_is_linked_into_one_root_is_that_roots_alone(checkout: Make) -> None:
    made = checkout(LINKED, IN_ROOT, root="live/prod")
    (made.folder / "live/prod/size.tf").symlink_to("../../shared/size.tf")
    assert others(made.reopened()) == ()


def test_a_module_folder_that_is_reached_through_a_link_is_the_same_module(checkout: Make) -> None:
    files = {
        "live/prod/main.tf": CALL,
        "live/dev/main.tf": 'module "app" { source = "../../alias/app" }\n',
        "modules/app/main.tf": WEB,
    }
    made = checkout(files, IN_MODULE, root="live/prod")
    (made.folder / "alias").symlink_to("modules", target_is_directory=True)
    assert others(made.reopened()) == ("live/dev: module.app.aws_instance.web",)


# Another plan of the same root.


def test_what_the_same_root_feeds_with_another_variable_file_is_told(checkout: Make) -> None:
    text = 'variable "size" { default = "«a:m5.large»" }\nvariable "env" {}\n' + SIZED
    files = {"main.tf": text, "dev.tfvars": 'env = "dev"\n', "small.tfvars": 'size = "t3.nano"\n'}
    location = checkout(files, IN_ROOT).locate("i-web", var_files=("small.tfvars",), live="m5.large")
    assert location.reason_code == "drift"
    location = checkout(files, IN_ROOT).locate("i-web", var_files=("dev.tfvars",))
    assert (location.status, location.other_plans) == ("editable", ())
    assert checkout(files, IN_ROOT).locate("i-web").other_plans == ("dev.tfvars: aws_instance.web",)


# What is read.


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file's bytes were read."""
    counted: Counter[str] = Counter()
    real = Path.read_bytes

    def read_bytes(self: Path) -> bytes:
        counted["/".join(self.parts[self.parts.index("checkout") + 1 :])] += 1
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    return counted


MANY = "".join(f'resource "aws_instance" "w{n}" {{ instance_type = local.sizes.w{n} }}\n' for n in range(20))


def test_a_second_question_is_answered_from_what_was_evaluated(checkout: Make, reads: Counter[str]) -> None:
    sizes = json.dumps({f"w{n}": "m5.large" for n in range(20)})
    files = {
        "live/prod/main.tf": MANY + 'locals { sizes = jsondecode(file("../../sizes.json")) }\n',
        "live/dev/main.tf": 'output "x" { value = jsondecode(file("../../sizes.json")) }\n',
        "sizes.json": sizes,
    }
    live = {f"aws_instance.w{n}": {"id": f"i-{n}", "instance_type": "m5.large"} for n in range(20)}
    made = checkout(files, live, root="live/prod")
    reads.clear()
    assert made.locate("i-0").status == "editable"
    first = dict(reads)
    # Once to survey which folders call and read what, and once to evaluate.
    assert first == {"live/prod/main.tf": 2, "live/dev/main.tf": 2, "sizes.json": 1}
    for n in range(1, 20):
        assert made.locate(f"i-{n}").status == "editable"
    assert dict(reads) == first


def test_a_root_is_kept_for_its_plan_and_its_state(checkout: Make) -> None:
    made = checkout({"main.tf": WEB}, IN_ROOT)
    plan = Plan(".")
    root = made.repository.root(plan, made.state)
    assert made.repository.root(Plan("."), made.state) is root
    assert made.repository.root(Plan(".", "prod"), made.state) is not root
    assert made.repository.root(plan, None) is not root


def test_the_last_answer_does_not_change_with_the_files_until_the_repository_is_opened_again(checkout: Make) -> None:
    made = checkout({"main.tf": WEB}, IN_ROOT)
    assert made.verdict("i-web") == ("editable", "literal")
    (made.folder / "main.tf").write_text(WEB.replace("«a:m5.large»", "c5.large"))
    assert made.verdict("i-web") == ("editable", "literal")
    assert made.reopened().verdict("i-web") == ("not_found", "drift")


def test_a_repository_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        Repository.open(tmp_path / "absent")
