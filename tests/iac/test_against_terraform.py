"""The editor against the real Terraform: random repositories, random expressions, random damage.

What a plan says before and after an edit is the truth; the editor is never asked what it thinks of itself.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from dagster_project.iac.edit import Change, prepare
from dagster_project.iac.evaluate import Scope, evaluate
from dagster_project.iac.files import Files, normal
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import StateResource, read_state
from dagster_project.iac.values import CodeError, Mapping, Scalar, Sequence, Value
from tests.iac import twin
from tests.iac.case_files import cases, state
from tests.iac.expressions import Expressions
from tests.iac.generator import live, seeded

needs_terraform = pytest.mark.skipif(not twin.AVAILABLE, reason="there is no terraform on the PATH to ask")

EXAMPLES = int(os.environ.get("NIGHTSHIFT_SOAK_EXAMPLES", "12"))

_ENVIRONMENT = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}


def other_value(attribute: str, value: str) -> str:
    """A value that the attribute may have and that stands nowhere in a generated repository."""
    if value.isdigit():
        return str(int(value) + 1)
    return {"instance_class": "db.z9.micro", "type": "st9", "storage_type": "st9"}.get(attribute, "z9.micro")


@needs_terraform
@pytest.mark.parametrize("seed", range(1000, 1000 + EXAMPLES))
def test_an_edit_changes_exactly_the_claimed_addresses(seed: int, tmp_path: Path) -> None:
    """Of a random repository, each place that the editor names is edited once, and planned."""
    made = seeded(seed)
    folder = tmp_path / "repository"
    for path, content in made.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    twins = tmp_path / "twin"
    before = twin.plan(twin.build(made.files, twins), made.root, **made.told)
    repository, known = Repository.open(folder), read_state(state(live(before)))
    var_files = tuple(normal(f"{made.root}/{name}") or "" for name in made.told.get("var_files", ()))
    plan = Plan(made.root, made.told.get("workspace"), var_files)
    tried: set[tuple[str | None, int | None, str]] = set()
    asked = found = 0
    for resource, attribute in sized(known.resources):
        question, to = Question(resource.id or "", attribute), other_value(attribute, resource.sizes[attribute])
        location = locate(repository, plan, known, question)
        asked += 1
        if location.status not in ("editable", "shared"):
            assert location.reason_code == "composite_string", (resource.address, location)
            continue
        found += 1
        if (location.file, location.start_byte, to) in tried:
            continue
        tried.add((location.file, location.start_byte, to))
        edits = prepare(repository, plan, known, [Change(question, to)], allow_shared=True)
        assert edits.outcomes[0].is_edited, (resource.address, edits.outcomes[0].location)
        after = twin.plan(twin.build({**made.files, **edits.contents}, twins), made.root, **made.told)
        assert tuple(sorted(twin.changed(before, after))) == location.affects, (resource.address, location)
        assert twin.same(after[location.address or ""][attribute], to)
    assert asked == 0 or found / asked >= 0.8


def sized(resources: list[StateResource]) -> list[tuple[StateResource, str]]:
    """Each resource with each of its own sizing attributes."""
    return [
        (resource, attribute)
        for resource in resources
        for attribute in resource.sizes
        if (resource.type, attribute) != ("aws_autoscaling_group", "instance_type")
    ]


class _NothingDeclared:
    def resolve(self, name: str, steps: object, scope: object) -> tuple[Value, int]:
        raise CodeError(f"{name} is not declared")


class _NotKnown(Exception):
    pass


def ours(expression: str, folder: Path) -> object:
    """The editor's value of a closed expression. Raises ``CodeError``, or ``_NotKnown``."""
    body = parse_hcl("x.tf", f"x = {expression}\n".encode())
    scope = Scope(_NothingDeclared(), FileContext(Files(folder), ".", set()), {})
    parsed = body.expression("x")
    assert parsed is not None
    return _plain(evaluate(parsed, scope))


def _plain(value: Value) -> object:
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Sequence):
        return [_plain(item) for item in value.items]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.entries.items()}
    raise _NotKnown


def theirs(expressions: list[str], folder: Path) -> list[object]:
    """Terraform's values, in JSON; ``"ERROR"`` where evaluation fails. What it refuses to look at is halved until it is alone."""
    outputs = [f'output "x{n}" {{\n  value = try(jsonencode({text}), "ERROR")\n}}\n' for n, text in enumerate(expressions)]
    (folder / "main.tf").write_text("".join(outputs))
    planned = _terraform(folder, "plan", "-out=plan", "-lock=false", "-no-color")
    if planned.returncode:
        middle = len(expressions) // 2
        return ["ERROR"] if not middle else [*theirs(expressions[:middle], folder), *theirs(expressions[middle:], folder)]
    shown = json.loads(_terraform(folder, "show", "-json", "plan").stdout)["planned_values"]["outputs"]
    return [shown[f"x{n}"].get("value", "ERROR") for n in range(len(expressions))]


def _terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["terraform", *arguments], cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, errors="replace", timeout=120
    )


def alike(value: object) -> object:
    """Numbers, to ten digits, and bools as their texts: a condition's branches may be converted to strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return [alike(item) for item in value]
    if isinstance(value, dict):
        return {key: alike(item) for key, item in value.items()}
    return "0" if value == "-0" else value


@needs_terraform
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_an_expression_has_terraforms_value(depth: int, tmp_path: Path) -> None:
    """Where both give a value, it is the same one; the editor never refuses what Terraform evaluates."""
    generator = Expressions(7000 + depth)
    expressions = [generator.draw(depth) for _ in range(250)]
    same = 0
    for text, told in zip(expressions, theirs(expressions, tmp_path), strict=True):
        try:
            value = alike(ours(text, tmp_path))
        except _NotKnown:
            continue
        except CodeError:
            assert told == "ERROR", text
            continue
        if told != "ERROR":
            assert value == alike(json.loads(str(told))), text
            same += 1
    assert same >= 100


_PIECES = [piece.encode() for piece in (*'"{}[]()=,#x1.:?-!', "${", "%{", "/*", "*/", chr(92), "&&", "for", "...")]
_PIECES += [b"\n", b" ", b"\r", b"<<EOF\n"]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A file that was cut, or has something inserted, removed or joined."""
    for _ in range(chance.randrange(1, 3)):
        at = chance.randrange(len(content) + 1)
        until = min(len(content), at + chance.randrange(1, 40))
        content = chance.choice(
            (
                content[:at],
                content[:at] + chance.choice(_PIECES) + content[at:],
                content[:at] + content[until:],
                content[:at] + chance.choice(_PIECES) + content[at + 1 :],
                content.replace(b"\n", b" ", 1),
            )
        )
    return content


@needs_terraform
def test_a_damaged_file_is_refused_where_terraform_refuses_it(tmp_path: Path) -> None:
    """Of 1,500 damaged files none that Terraform cannot parse is read as if it could."""
    chance = random.Random(41)
    originals = [content for case in cases() for path, content in sorted(case.files.items()) if path.endswith(".tf")]
    files = [damaged(chance.choice(originals), chance) for _ in range(1500)]
    for number, content in enumerate(files):
        (tmp_path / f"f{number}.tf").write_bytes(content)
    told = _terraform(tmp_path, "fmt", "-list=false", "-write=false", "-no-color", ".").stderr
    refused = {int(number) for number in re.findall(r"on f(\d+)\.tf line", told)}
    accepted = []
    for number, content in enumerate(files):
        try:
            parse_hcl("x.tf", content).require_syntax()
            accepted.append(number)
        except CodeError:
            continue
    assert [files[number] for number in accepted if number in refused] == []
    assert len(accepted) > 100
    assert len(refused) > 800
