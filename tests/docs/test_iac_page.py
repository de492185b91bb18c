"""The example of docs/iac.md is what the command prints."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from dagster_project.cli import cli
from dagster_project.iac.verdicts import Location

PAGE = (Path(__file__).parents[2] / "docs" / "iac.md").read_text(encoding="utf-8")

REPOSITORY = {
    "envs/prod/main.tf": """locals {
  sizes = {
    web = "m5.large"   # front
    api = "m5.2xlarge" # back
  }
}
module "app" {
  source   = "../../modules/app"
  for_each = local.sizes
  size     = each.value
}
""",
    "modules/app/main.tf": """variable "size" { type = string }
resource "aws_instance" "this" { instance_type = var.size }
""",
}


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in REPOSITORY.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    instance = {"index_key": None, "attributes": {"id": "i-0d3048f2baf02349b", "instance_type": "m5.2xlarge"}}
    resource = {"module": 'module.app["api"]', "mode": "managed", "type": "aws_instance", "name": "this", "instances": [instance]}
    (tmp_path / "prod.tfstate").write_text(json.dumps({"version": 4, "resources": [resource]}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(number: int) -> list[str]:
    """The arguments of a command of the page."""
    commands = re.findall(r"^\$ nightshift (.+)$", PAGE, flags=re.MULTILINE)
    return shlex.split(commands[number])


def test_locate_prints_the_object_that_is_shown(example: Path) -> None:
    printed = CliRunner().invoke(cli, shown(0), catch_exceptions=False)
    block = re.search(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert block is not None
    assert json.loads(printed.stdout) == json.loads(block.group(1))


def test_edit_changes_the_line_and_keeps_the_comments_column(example: Path) -> None:
    printed = CliRunner().invoke(cli, shown(1), catch_exceptions=False)
    assert printed.exit_code == 0
    assert printed.stdout.splitlines()[0] == "EDITABLE  literal, edited"
    before = REPOSITORY["envs/prod/main.tf"]
    assert (example / "envs/prod/main.tf").read_text() == before.replace('"m5.2xlarge" # back', '"m5.large"   # back')


def test_every_field_is_explained() -> None:
    fields = set(Location.__dataclass_fields__) - {"resource", "attribute"}
    assert {field for field in fields if f"`{field}`" not in PAGE} == set()
