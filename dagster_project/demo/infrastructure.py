"""The demo fleet's infrastructure code: a Terraform repository with a root for each environment, and the state of each.

Sizes are set in the ways in which teams set them: in the resource itself, in a map of a local, in a JSON file, in a variable.
Some services have no code at all, and one ignores changes of its type. The same fleet gives the same files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from string import Template

import polars as pl

from dagster_project.demo.rows import Row

REPOSITORY = "example/infrastructure"
STATES = "states"
CHECKOUT = "infrastructure"
_UNMANAGED = ("admin-console", "dev-workbench")
_IGNORING = "notification-api"
_KINDS = {"ec2_instance": "aws_instance", "autoscaling_group": "aws_autoscaling_group", "rds_instance": "aws_db_instance"}
_AMI = "ami-0123456789abcdef0"
_TERRAFORM = Template("""\
terraform {
  required_version = ">= 1.5"

  backend "s3" {
    bucket = "example-terraform"
    key    = "$environment/terraform.tfstate"
    region = "us-east-1"
  }
}
""")
_MACHINE = Template("""\
resource "aws_instance" "$name" {
  ami           = "$ami"
  instance_type = "$type"$ignoring
}
""")
_IGNORED = """

  lifecycle {
    ignore_changes = [instance_type]
  }"""
_MACHINES = Template("""\
resource "aws_instance" "$name" {
  for_each      = $types
  ami           = "$ami"
  instance_type = each.value

  tags = {
    Name = each.key
  }
}
""")
_LOCAL = Template("""\
locals {
  $name = {
$lines
  }
}

""")
_GROUP = Template("""\
variable "${name}_type" {
  type    = string
  default = "$type"
}

resource "aws_launch_template" "$name" {
  name          = "$name"
  instance_type = var.${name}_type
}

resource "aws_autoscaling_group" "$name" {
  name     = "$id"
  min_size = $minimum
  max_size = $maximum

  launch_template {
    id      = aws_launch_template.$name.id
    version = aws_launch_template.$name.latest_version
  }
}
""")
_DATABASE = Template("""\
resource "aws_db_instance" "$name" {
  identifier     = "$id"
  engine         = "$engine"
  instance_class = "$type"
}
""")


@dataclass(frozen=True)
class DemoInfrastructure:
    """Files of the repository and states of its roots, by path."""

    files: dict[str, str]
    states: dict[str, str]

    @property
    def roots(self) -> tuple[str, ...]:
        return tuple(sorted(self.states))


def build_infrastructure(resources: pl.DataFrame) -> DemoInfrastructure:
    """The code of a fleet, given as the table ``resources`` of the contract."""
    files: dict[str, str] = {".github/CODEOWNERS": _code_owners(resources)}
    states: dict[str, str] = {}
    for environment in sorted(set(resources["environment"])):
        root = f"envs/{environment}"
        files[f"{root}/terraform.tf"] = _TERRAFORM.substitute(environment=environment)
        state: list[Row] = []
        sizes: dict[str, dict[str, str]] = {}
        mine = resources.filter(pl.col("environment") == environment).sort("resource_id")
        for (service,), group in sorted(mine.group_by("service"), key=lambda each: str(each[0][0])):
            managed = _labelled([row for row in group.iter_rows(named=True) if _is_managed(row)])
            if managed:
                files[f"{root}/{service}.tf"] = _service(str(service), managed, state, sizes)
        if sizes:
            files[f"{root}/sizes.json"] = json.dumps(sizes, indent=2, sort_keys=True) + "\n"
        states[root] = json.dumps(
            {
                "version": 4,
                "terraform_version": "1.9.0",
                "serial": 7,
                "lineage": f"demo-{environment}",
                "outputs": {},
                "resources": state,
            },
            indent=1,
        )
    return DemoInfrastructure(files, states)


def write_infrastructure(demo: DemoInfrastructure, home: Path) -> None:
    """Writes the checkout and the states below a home, unless they are there."""
    for folder, texts, suffix in ((CHECKOUT, demo.files, ""), (STATES, demo.states, ".tfstate")):
        for path, text in texts.items():
            target = home / folder / f"{path}{suffix}"
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")


def _is_managed(row: Row) -> bool:
    config = json.loads(row["current_config"])
    is_plain = row["type"] in _KINDS and not config.get("asg_name") and not config.get("managed_by")
    return is_plain and row["service"] not in _UNMANAGED


def _code_owners(resources: pl.DataFrame) -> str:
    teams = sorted({(row["service"], row["team"]) for row in resources.select("service", "team").iter_rows(named=True)})
    lines = [f"{f'/envs/*/{service}.tf':<40}@example/{team}" for service, team in teams]
    return "\n".join([f"{'*':<40}@example/platform", *lines]) + "\n"


def _service(service: str, rows: Sequence[Row], state: list[Row], sizes: dict[str, dict[str, str]]) -> str:
    blocks = []
    machines = [row for row in rows if row["type"] == "ec2_instance"]
    if machines:
        styles: tuple[Callable[[str, Sequence[Row], list[Row], dict[str, dict[str, str]]], str], ...] = (
            _literal,
            _local_map,
            _json_file,
        )
        style = _literal if service == _IGNORING else styles[blake2b(service.encode()).digest()[0] % len(styles)]
        blocks.append(style(service, machines, state, sizes))
    blocks += [_group(row, state) for row in rows if row["type"] == "autoscaling_group"]
    blocks += [_database(row, state) for row in rows if row["type"] == "rds_instance"]
    return "\n".join(blocks)


def _literal(service: str, rows: Sequence[Row], state: list[Row], sizes: dict[str, dict[str, str]]) -> str:
    ignoring = _IGNORED if service == _IGNORING else ""
    blocks = []
    for row in rows:
        name = _name(row["label"])
        blocks.append(_MACHINE.substitute(name=name, ami=_AMI, type=_type(row), ignoring=ignoring))
        state.append(_resource("aws_instance", name, _machine(row)))
    return "\n".join(blocks)


def _local_map(service: str, rows: Sequence[Row], state: list[Row], sizes: dict[str, dict[str, str]]) -> str:
    name = _name(service)
    keys = [f'"{row["label"]}"' for row in rows]
    width = max(map(len, keys))
    lines = "\n".join(f'    {key:<{width}} = "{_type(row)}"' for key, row in zip(keys, rows, strict=True))
    state.append(_instances(name, rows))
    machines = _MACHINES.substitute(name=name, ami=_AMI, types=f"local.{name}")
    return _LOCAL.substitute(name=name, lines=lines) + machines


def _json_file(service: str, rows: Sequence[Row], state: list[Row], sizes: dict[str, dict[str, str]]) -> str:
    name = _name(service)
    sizes[service] = {row["label"]: _type(row) for row in rows}
    state.append(_instances(name, rows))
    types = f'jsondecode(file("${{path.module}}/sizes.json"))["{service}"]'
    return _MACHINES.substitute(name=name, ami=_AMI, types=types)


def _group(row: Row, state: list[Row]) -> str:
    config, name = json.loads(row["current_config"]), _name(row["resource_id"])
    template = config["launch_template_id"]
    state.append(_resource("aws_launch_template", name, {"id": template, "name": name, "instance_type": config["instance_type"]}))
    attributes = {
        "id": row["resource_id"],
        "name": row["resource_id"],
        "min_size": config["min_size"],
        "max_size": config["max_size"],
        "desired_capacity": config["desired_capacity"],
        "launch_template": [{"id": template, "name": name, "version": "1"}],
    }
    state.append(_resource("aws_autoscaling_group", name, attributes))
    return _GROUP.substitute(
        name=name,
        id=row["resource_id"],
        type=config["instance_type"],
        minimum=config["min_size"],
        maximum=config["max_size"],
    )


def _database(row: Row, state: list[Row]) -> str:
    config, name = json.loads(row["current_config"]), _name(row["resource_id"])
    attributes = {"id": row["resource_id"], "identifier": row["resource_id"], "instance_class": config["instance_type"]}
    state.append(_resource("aws_db_instance", name, attributes))
    return _DATABASE.substitute(name=name, id=row["resource_id"], engine=config["engine"], type=config["instance_type"])


def _instances(name: str, rows: Sequence[Row]) -> Row:
    entry = _resource("aws_instance", name, {})
    entry["instances"] = [{"index_key": row["label"], "attributes": _machine(row)} for row in rows]
    return entry


def _machine(row: Row) -> Row:
    return {"id": row["resource_id"], "instance_type": _type(row), "tags": {"Name": row["label"]}}


def _resource(kind: str, name: str, attributes: Row) -> Row:
    provider = 'provider["registry.terraform.io/hashicorp/aws"]'
    return {"mode": "managed", "type": kind, "name": name, "provider": provider, "instances": [{"attributes": attributes}]}


def _type(row: Row) -> str:
    return str(json.loads(row["current_config"])["instance_type"])


def _labelled(rows: Sequence[Row]) -> list[Row]:
    """Rows with the ``label`` by which the code calls them: their name tag, told apart where several have the same."""
    names = [str(json.loads(row["tags"]).get("Name") or row["resource_id"]) for row in rows]
    return [
        {**row, "label": name if names.count(name) == 1 else f"{name}-{row['resource_id'][-6:]}"}
        for row, name in zip(rows, names, strict=True)
    ]


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", text.lower())
