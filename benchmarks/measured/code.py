"""A synthetic repository of Terraform roots and modules, and questions about it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import read_state

_FILES_PER_ROOT = 10
_FILES_PER_MODULE = 5
_ROOTS_PER_MODULE = 10
_BLOCKS = 6

_NETWORK = """
resource "aws_security_group" "group_{n}" {{
  name        = "${{var.name}}-{n}"
  description = "Managed by Terraform"
  vpc_id      = data.aws_vpc.main.id
  ingress {{
    from_port   = {n}
    to_port     = {n}
    protocol    = "tcp"
    cidr_blocks = [for block in var.blocks : block if block != ""]
  }}
  tags = merge(local.tags, {{ Name = "${{var.name}}-{n}", Size = length(var.blocks) > 2 ? "large" : "small" }})
}}
"""
_MAIN = """
locals {
  tags   = { Service = var.name, Environment = terraform.workspace }
  config = jsondecode(file("${path.module}/config.json"))
  sizes  = { web = "m5.large", worker = local.config.worker }
}
data "aws_vpc" "main" {}
resource "aws_instance" "web" {
  for_each      = local.sizes
  instance_type = each.value
  ami           = "ami-1"
  tags          = local.tags
}
module "app" {
  source = "../../modules/MODULE"
  name   = var.name
  size   = var.size
}
"""
_VARIABLES = """
variable "name" {
  type    = string
  default = "NAME"
}
variable "size" {
  type    = string
  default = "r5.large"
}
variable "blocks" {
  type    = list(string)
  default = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
}
"""
_MODULE = """
variable "name" {}
variable "size" {}
variable "blocks" {
  default = []
}
locals {
  tags = { Module = var.name }
}
data "aws_vpc" "main" {}
resource "aws_instance" "app" {
  instance_type = var.size
}
resource "aws_instance" "sidecar" {
  instance_type = "t3.small"
}
"""


def build(folder: str, files: int) -> dict[str, int]:
    """About ``files`` HCL files: roots of ten, each calling one of the modules, a tenth as many, of five."""
    root = Path(folder)
    roots = files * _ROOTS_PER_MODULE // (_FILES_PER_ROOT * _ROOTS_PER_MODULE + _FILES_PER_MODULE)
    modules = -(-roots // _ROOTS_PER_MODULE)
    size = 0
    for number in range(roots):
        name = f"service-{number:04d}"
        texts = {
            "main.tf": _MAIN.replace("MODULE", f"module-{number // _ROOTS_PER_MODULE:03d}"),
            "variables.tf": _VARIABLES.replace("NAME", name),
            **{f"network_{each}.tf": _networks(each) for each in range(_FILES_PER_ROOT - 2)},
        }
        size += _write(root / "services" / name, texts)
        (root / "services" / name / "config.json").write_text(json.dumps({"worker": "c5.xlarge"}))
    for number in range(modules):
        texts = {"main.tf": _MODULE, **{f"network_{each}.tf": _networks(each) for each in range(_FILES_PER_MODULE - 1)}}
        size += _write(root / "modules" / f"module-{number:03d}", texts)
    return {"files": roots * _FILES_PER_ROOT + modules * _FILES_PER_MODULE, "roots": roots, "bytes": size}


def _networks(number: int) -> str:
    return "".join(_NETWORK.format(n=number * _BLOCKS + each) for each in range(_BLOCKS))


def _write(folder: Path, texts: dict[str, str]) -> int:
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return sum(map(len, texts.values()))


def ask(folder: str) -> dict[str, float]:
    """The first question opens the repository; the second is of the same root, the third of another; the fourth is of a
    literal in a module that ten roots use."""
    repository = Repository.open(Path(folder))
    answers: dict[str, float] = {}
    for label, service, resource, wanted in (
        ("first", 0, "i-web", "editable"),
        ("second, same root", 0, "i-worker", "editable"),
        ("another root", 25, "i-web", "editable"),
        ("a literal that ten roots share", 25, "i-sidecar", "shared"),
    ):
        plan = Plan(f"services/service-{service:04d}", "prod")
        state = _STATES.setdefault(service, read_state(_state()))
        started = time.perf_counter()
        location = locate(repository, plan, state, Question(resource, "instance_type"))
        answers[label] = time.perf_counter() - started
        if location.status != wanted:
            raise RuntimeError(f"{label}: {location}")
    return answers


_STATES: dict[int, object] = {}


def _state() -> bytes:
    def resource(module: str | None, name: str, *instances: dict[str, object]) -> dict[str, object]:
        found = {"mode": "managed", "type": "aws_instance", "name": name, "provider": "aws", "instances": list(instances)}
        return {"module": module, **found} if module else found

    def instance(id_: str, type_: str, key: str | None = None) -> dict[str, object]:
        return {"attributes": {"id": id_, "instance_type": type_}, **({"index_key": key} if key else {})}

    resources = [
        resource(None, "web", instance("i-web", "m5.large", "web"), instance("i-worker", "c5.xlarge", "worker")),
        resource("module.app", "app", instance("i-app", "r5.large")),
        resource("module.app", "sidecar", instance("i-sidecar", "t3.small")),
    ]
    return json.dumps({"version": 4, "resources": resources}).encode()


def parse_everything(folder: str) -> int:
    """The alternative: every HCL file parsed by tree-sitter into the same syntax, nothing evaluated."""
    count = 0
    for path in sorted(Path(folder).rglob("*.tf")):
        parse_hcl(path.name, path.read_bytes())
        count += 1
    return count
