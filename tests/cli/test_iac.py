"""``nightshift iac`` as a process: its JSON, its exit codes, one sentence for bad input, and no word of a state's secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.errors import NightshiftError
from dagster_project.iac.front import open_front
from dagster_project.iac.verdicts import REASON_CODES
from tests.cli.conftest import REPOSITORY, Nightshift
from tests.iac.case_files import state as raw_state

CODE = """\
# größer
resource "aws_instance" "web" {
  instance_type = "m5.large" # the size
}
variable "size" { default = "c5.large" }
resource "aws_instance" "one" { instance_type = var.size }
resource "aws_instance" "two" { instance_type = var.size }
resource "aws_instance" "either" { instance_type = var.unknown ? "r5.large" : "r5.large" }
variable "unknown" {}
resource "aws_instance" "made" { instance_type = format("%s.%s", "m5", "large") }
"""
LIVE = {
    "aws_instance.web": {"id": "i-web", "instance_type": "m5.large"},
    "aws_instance.one": {"id": "i-one", "instance_type": "c5.large"},
    "aws_instance.two": {"id": "i-two", "instance_type": "c5.large"},
    "aws_instance.either": {"id": "i-either", "instance_type": "r5.large"},
    "aws_instance.made": {"id": "i-made", "instance_type": "m5.large"},
}
KEYS = [
    *("status", "reason_code", "detail", "resource", "attribute", "address", "file", "start_byte", "end_byte", "line"),
    *("current", "value", "resource_address", "affects", "other_roots", "launched_by", "notes", "other_plans"),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a root in ``live``, and its state beside it."""
    (tmp_path / "repository/live").mkdir(parents=True)
    (tmp_path / "repository/live/main.tf").write_text(CODE, encoding="utf-8")
    (tmp_path / "state.json").write_bytes(raw_state(LIVE))
    return tmp_path / "repository"


def asking(checkout: Path, resource: str = "i-web", attribute: str = "instance_type", **options: str) -> list[str]:
    """The options of a question; keywords replace or add some."""
    asked = {"repo": str(checkout), "root": "live", "state": str(checkout.parent / "state.json"), **options}
    return [
        *(part for name, value in asked.items() for part in (f"--{name.replace('_', '-')}", value)),
        *("--resource", resource, "--attribute", attribute),
    ]


def told(outcome: subprocess.CompletedProcess) -> str:
    """The one sentence on stderr of bad input."""
    assert outcome.returncode == 2, outcome.stdout + outcome.stderr
    lines = outcome.stderr.splitlines()
    assert len(lines) == 1, outcome.stderr
    assert outcome.stdout == ""
    assert "hunter2" not in outcome.stderr
    return lines[0].removeprefix("Error: ")


def answered(outcome: subprocess.CompletedProcess) -> dict[str, object]:
    """The one JSON object on stdout."""
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "hunter2" not in outcome.stdout
    return json.loads(outcome.stdout)


# Answers.


def test_a_literal_that_is_found_is_one_json_object(nightshift: Nightshift, checkout: Path) -> None:
    found = answered(nightshift("iac", "locate", *asking(checkout), "--json"))
    assert sorted(found) == sorted(KEYS)
    start = CODE.encode().index(b"m5.large")
    assert found == {
        "status": "editable",
        "reason_code": "literal",
        "detail": "This literal alone sets the value, and it sets nothing else.",
        "resource": "i-web",
        "attribute": "instance_type",
        "address": "aws_instance.web",
        "resource_address": "aws_instance.web",
        "file": "live/main.tf",
        "start_byte": start,
        "end_byte": start + 8,
        "line": 3,
        "current": "m5.large",
        "value": "m5.large",
        "affects": ["aws_instance.web"],
        "other_roots": [],
        "other_plans": [],
        "launched_by": [],
        "notes": [],
    }


@pytest.mark.parametrize(
    ("resource", "status", "reason_code", "detail"),
    [
        ("i-one", "shared", "shared_literal", "This literal sets the value of aws_instance.two too."),
        (
            "i-either",
            "ambiguous",
            "several_candidates",
            "Several literals hold the live value; which is used is not known: live/main.tf line 8; live/main.tf line 8.",
        ),
        ("i-none", "not_found", "not_in_state", "The state has no such resource."),
        (
            "i-made",
            "refused",
            "composite_string",
            "The value is put together from several parts, none of which is it: live/main.tf line 10.",
        ),
    ],
)
def test_every_verdict_exits_with_0(
    nightshift: Nightshift, checkout: Path, resource: str, status: str, reason_code: str, detail: str
) -> None:
    found = answered(nightshift("iac", "locate", *asking(checkout, resource), "--json"))
    assert (found["status"], found["reason_code"], found["detail"]) == (status, reason_code, detail)
    assert sorted(found) == sorted(KEYS)
    assert REASON_CODES[reason_code].status == status


def test_without_json_a_person_reads_the_verdict_and_the_line(nightshift: Nightshift, checkout: Path) -> None:
    outcome = nightshift("iac", "locate", *asking(checkout, "i-one"))
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines() == [
        "SHARED  shared_literal",
        "  This literal sets the value of aws_instance.two too.",
        "  live/main.tf:5  instance_type of aws_instance.one: c5.large",
        "  affects     aws_instance.one",
        "  affects     aws_instance.two",
    ]


def test_an_edit_says_what_it_did_and_does_no_more(nightshift: Nightshift, checkout: Path) -> None:
    found = answered(nightshift("iac", "edit", *asking(checkout, to="m5.xlarge"), "--json"))
    assert sorted(found) == sorted([*KEYS, "edited", "to"])
    assert (found["edited"], found["to"], found["current"], found["status"]) == (True, "m5.xlarge", "m5.large", "editable")
    text = (checkout / "live/main.tf").read_text(encoding="utf-8")
    assert text == CODE.replace('"m5.large" #', '"m5.xlarge" #')
    assert sorted(path.name for path in (checkout / "live").iterdir()) == ["main.tf"]


@pytest.mark.parametrize("resource", ["i-one", "i-either", "i-none", "i-made"])
def test_an_edit_that_the_verdict_forbids_exits_with_0_and_changes_nothing(
    nightshift: Nightshift, checkout: Path, resource: str
) -> None:
    located = answered(nightshift("iac", "locate", *asking(checkout, resource), "--json"))
    found = answered(nightshift("iac", "edit", *asking(checkout, resource, to="m5.xlarge"), "--json"))
    assert found == {**located, "edited": False, "to": "m5.xlarge"}
    assert (checkout / "live/main.tf").read_text(encoding="utf-8") == CODE


def test_a_shared_literal_is_edited_where_that_is_allowed(nightshift: Nightshift, checkout: Path) -> None:
    outcome = nightshift("iac", "edit", *asking(checkout, "i-one", to="c5.xlarge"), "--allow-shared")
    assert outcome.returncode == 0
    assert outcome.stdout.splitlines()[0] == "SHARED  shared_literal, edited"
    assert "  live/main.tf:5  instance_type of aws_instance.one: c5.large -> c5.xlarge" in outcome.stdout.splitlines()
    assert (checkout / "live/main.tf").read_text(encoding="utf-8") == CODE.replace("c5.large", "c5.xlarge")


def test_paths_may_be_absolute_and_a_live_value_may_be_fresher_than_the_state(nightshift: Nightshift, checkout: Path) -> None:
    root = str(checkout / "live")
    found = answered(nightshift("iac", "locate", *asking(checkout, root=root, live="m5.xlarge"), "--json"))
    assert (found["status"], found["reason_code"]) == ("not_found", "drift")
    assert found["detail"] == "The state says m5.large, and m5.xlarge is live; apply or revert first."


def test_variable_files_and_a_workspace_are_given_as_to_terraform(nightshift: Nightshift, checkout: Path) -> None:
    (checkout / "live/main.tf").write_text(
        'variable "sizes" {}\nresource "aws_instance" "web" { instance_type = var.sizes[terraform.workspace] }\n'
    )
    for name, size in (("one", "t3.nano"), ("two", "m5.large")):
        (checkout / f"live/{name}.tfvars").write_text(f'sizes = {{ prod = "{size}" }}\n')
    options = ["--var-file", "one.tfvars", "--var-file", "two.tfvars"]
    found = answered(nightshift("iac", "locate", *asking(checkout, workspace="prod"), *options, "--json"))
    assert (found["status"], found["file"], found["line"]) == ("editable", "live/two.tfvars", 1)


def test_a_template_with_a_stacks_resources_is_asked_in_the_same_way(nightshift: Nightshift, checkout: Path) -> None:
    text = "Resources:\n  Web:\n    Type: AWS::EC2::Instance\n    Properties: {InstanceType: m5.large}\n"
    (checkout / "stack.yaml").write_text(text)
    rows = [{"LogicalResourceId": "Web", "PhysicalResourceId": "i-web"}]
    (checkout.parent / "rows.json").write_text(json.dumps({"StackResources": rows}))
    options = asking(checkout, root="stack.yaml", state=str(checkout.parent / "rows.json"))
    found = answered(nightshift("iac", "edit", *options, "--live", "m5.large", "--to", "m5.medium", "--json"))
    assert (found["address"], found["file"], found["edited"]) == ("Web", "stack.yaml", True)
    assert (checkout / "stack.yaml").read_text() == text.replace("m5.large", "m5.medium")
    assert told(nightshift("iac", "locate", *options)) == "A stack's resource list has no sizes; give the live value with --live."


# The state on standard input.


def piped(*arguments: str, data: bytes) -> subprocess.CompletedProcess:
    """The command with a state on its standard input."""
    outcome = subprocess.run(
        [sys.executable, "-m", "dagster_project", "iac", *arguments],
        input=data,
        capture_output=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        timeout=120,
    )
    return subprocess.CompletedProcess(outcome.args, outcome.returncode, outcome.stdout.decode(), outcome.stderr.decode())


def test_a_reader_that_goes_away_ends_it_without_a_word(checkout: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "dagster_project", "iac", "locate", *asking(checkout)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_the_state_may_come_from_standard_input(checkout: Path) -> None:
    found = answered(piped("locate", *asking(checkout, state="-"), "--json", data=raw_state(LIVE)))
    assert (found["status"], found["address"]) == ("editable", "aws_instance.web")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            b"",
            "The state on standard input is no JSON; write it with 'terraform state pull' or 'terraform show -json'.",
        ),
        (
            b"hunter2",
            "The state on standard input is no JSON; write it with 'terraform state pull' or 'terraform show -json'.",
        ),
        (
            b'{"version": 3, "modules": ["hunter2"]}',
            "The state on standard input has version 3, and version 4 is needed; write it with 'terraform state pull' "
            "of 0.12 or newer.",
        ),
    ],
)
def test_what_comes_from_standard_input_and_is_no_state_is_told(checkout: Path, data: bytes, sentence: str) -> None:
    assert told(piped("locate", *asking(checkout, state="-"), data=data)) == sentence


def large_state(size: int) -> Iterator[bytes]:
    """A state of at least ``size`` bytes, of which one resource matters."""
    junk = {"mode": "managed", "type": "aws_iam_policy", "provider": "aws"}
    attributes = {"id": "x", "policy": "hunter2 " * 400, "tags": {"Name": "x", "Token": "hunter2"}}
    yield b'{"version": 4, "resources": ['
    for number in range(size // 3_300 + 1):
        resource = {**junk, "name": f"p{number}", "instances": [{"attributes": attributes}]}
        yield json.dumps(resource).encode() + b","
    yield raw_state(LIVE).partition(b'"resources": [')[2]


def test_a_state_of_50_mb_is_answered(checkout: Path) -> None:
    data = b"".join(large_state(50_000_000))
    assert len(data) > 50_000_000
    found = answered(piped("locate", *asking(checkout, state="-"), "--json", data=data))
    assert (found["status"], found["file"], found["line"]) == ("editable", "live/main.tf", 3)


# Bad input.


def test_a_state_that_is_missing(nightshift: Nightshift, checkout: Path) -> None:
    assert told(nightshift("iac", "locate", *asking(checkout, state="/absent/state.json"))) == (
        "The file /absent/state.json cannot be read (No such file or directory); name with --state one that can."
    )


WRITE_IT = "write it with 'terraform state pull' or 'terraform show -json'."
NOT_THAT_SHAPE = "has another shape than a Terraform state; write it with 'terraform state pull'."


@pytest.mark.parametrize(
    ("content", "told_of_it"),
    [
        ("no json: hunter2", f"is no JSON; {WRITE_IT}"),
        ('["hunter2"]', f"is no Terraform state; {WRITE_IT}"),
        ('{"version": 4, "resources": ["hunter2"]}', NOT_THAT_SHAPE),
        ('{"encrypted_data": "hunter2"}', "is encrypted; write it in plain with 'tofu state pull'."),
    ],
)
def test_a_state_that_is_none(nightshift: Nightshift, checkout: Path, content: str, told_of_it: str) -> None:
    state = checkout.parent / "other.json"
    state.write_text(content)
    assert told(nightshift("iac", "locate", *asking(checkout, state=str(state)))) == f"The state {state} {told_of_it}"


def test_an_attribute_that_is_never_edited(nightshift: Nightshift, checkout: Path) -> None:
    assert told(nightshift("iac", "locate", *asking(checkout, attribute="ami"))) == (
        "aws_instance has no sizing attribute ami; choose one of instance_type."
    )


def test_a_repository_that_does_not_exist(nightshift: Nightshift, checkout: Path) -> None:
    repo = str(checkout / "absent")
    assert told(nightshift("iac", "locate", *asking(checkout, repo=repo))) == (
        f"The repository {repo} is no folder; name the folder that holds the checkout with --repo."
    )


def test_a_root_that_does_not_exist_and_one_outside_of_the_repository(nightshift: Nightshift, checkout: Path) -> None:
    assert told(nightshift("iac", "locate", *asking(checkout, root="absent"))) == (
        "There is no folder absent; name with --root one that exists in the repository."
    )
    (checkout.parent / "outside").mkdir()
    assert told(nightshift("iac", "locate", *asking(checkout, root="../outside"))) == (
        f"../outside lies outside of the repository {checkout}; name a folder in it with --root."
    )


def test_a_variable_file_that_does_not_exist(nightshift: Nightshift, checkout: Path) -> None:
    assert told(nightshift("iac", "locate", *asking(checkout, var_file="absent.tfvars"))) == (
        "There is no file absent.tfvars; name with --var-file one that exists in the repository."
    )


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("large", "instance_type cannot be 'large'; --to takes a value as AWS writes it."),
        ('m5.large" }', "instance_type cannot be 'm5.large\" }'; --to takes a value as AWS writes it."),
        ("", "instance_type cannot be ''; --to takes a value as AWS writes it."),
        ("m5.large", "instance_type of i-web is m5.large already; choose another value with --to."),
    ],
)
def test_a_value_that_the_attribute_cannot_have(nightshift: Nightshift, checkout: Path, to: str, sentence: str) -> None:
    assert told(nightshift("iac", "edit", *asking(checkout, to=to))) == sentence
    assert (checkout / "live/main.tf").read_text(encoding="utf-8") == CODE


def test_a_file_that_no_person_writes(nightshift: Nightshift, checkout: Path) -> None:
    (checkout / "live/huge.tf").write_bytes(b"# x\n" * 5_000_001)
    assert told(nightshift("iac", "locate", *asking(checkout))) == (
        "The file live/huge.tf is larger than 20 MB; no configuration is."
    )


@pytest.mark.parametrize("missing", ["--root", "--state", "--resource", "--attribute"])
def test_an_option_that_is_missing(nightshift: Nightshift, checkout: Path, missing: str) -> None:
    options = asking(checkout)
    at = options.index(missing)
    outcome = nightshift("iac", "locate", *options[:at], *options[at + 2 :])
    assert outcome.returncode == 2
    assert outcome.stderr.splitlines()[-1] == f"Error: Missing option '{missing}'."


def test_an_edit_needs_a_new_value(nightshift: Nightshift, checkout: Path) -> None:
    outcome = nightshift("iac", "edit", *asking(checkout))
    assert outcome.returncode == 2
    assert outcome.stderr.splitlines()[-1] == "Error: Missing option '--to'."


@pytest.mark.parametrize("name", ["main.tf", "x.tf.json", "terraform.tfvars", "sizes.yaml"])
@pytest.mark.parametrize("content", [b"\x00\xff\xfe", b"{" * 5_000, b"\xef\xbb\xbf", b'"' * 333, b"- " * 3_000])
def test_no_file_of_a_root_ends_in_a_traceback(checkout: Path, name: str, content: bytes) -> None:
    """In this process: eighty of their own would take a minute."""
    (checkout / "live/read.tf").write_text('output "o" { value = yamldecode(file("sizes.yaml")) }\n')
    (checkout / "live" / name).write_bytes(content)
    try:
        front = open_front(str(checkout), str(checkout / "live"), raw_state(LIVE), "the state", None, ())
        status = front.locate("i-web", "instance_type", None).status
    except NightshiftError as error:
        assert str(error).endswith(".")
    else:
        assert status in ("editable", "not_found", "refused")


def test_debug_shows_the_traceback_of_bad_input(nightshift: Nightshift, checkout: Path) -> None:
    outcome = nightshift("iac", "locate", *asking(checkout, root="absent"), "--debug")
    assert outcome.returncode == 2
    assert "Traceback" in outcome.stderr
    assert outcome.stderr.splitlines()[-1].startswith("Error: There is no folder absent")


@pytest.mark.parametrize("form", [["--json"], []], ids=["JSON", "text"])
def test_an_answer_about_half_a_character_is_printed(checkout: Path, form: list[str]) -> None:
    """JSON may hold half of a surrogate pair, which no output can."""
    data = raw_state({"aws_instance.x": {"id": "i-x", "instance_type": "m5.large"}}).replace(b'"name": "x"', b'"name": "\\ud800"')
    outcome = piped("locate", *asking(checkout, "i-x", state="-"), *form, data=data)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "address_not_in_code" in outcome.stdout
