"""Values of a root's variables, in Terraform's order of precedence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dagster_project.iac.configuration import Problem
from dagster_project.iac.evaluate import Scope, evaluate, safely
from dagster_project.iac.files import Files, Forbidden, SourceFile, join
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.json_documents import decode_json
from dagster_project.iac.syntax import Step
from dagster_project.iac.values import CodeError, Value, unknown
from dagster_project.iac.values import Mapping as MappingValue

Argument = Callable[[], Value]


@dataclass(slots=True)
class Given:
    """What is given to a root: ``values`` by variable, and the files that were read, lowest precedence first. ``hidden_by``
    is the last file that is encrypted."""

    values: dict[str, Argument] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hidden_by: str | None = None

    def arguments(self, declared: Iterable[str]) -> dict[str, Argument]:
        """Values of the declared variables. What an encrypted file may have set is unknown, not the default."""
        found = {name: self.values[name] for name in declared if name in self.values}
        if self.hidden_by:
            hidden = unknown(self.hidden_by, reason="encrypted")
            return {name: found.get(name, lambda: hidden) for name in declared}
        return found


class _Constants:
    """The references of a file in which nothing may be named."""

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> tuple[Value, int]:
        raise CodeError(f"{name} cannot be used in a file of variable values")


def gather(files: Files, folders: Iterable[str], var_files: Iterable[str], below: Mapping[str, Argument]) -> Given:
    """Lays the files over each other: ``below`` (environment), terraform.tfvars, terraform.tfvars.json, ``*.auto.tfvars``
    and its JSON in the order of their names, then ``var_files`` (paths in the repository) in the order given.

    ``folders`` are copied over each other in their order before Terraform looks: a Terragrunt unit's over its module's.
    """
    given = Given(dict(below))
    there = {name: join(folder, name) for folder in folders for name in files.names(folder)}
    automatic = [name for name in ("terraform.tfvars", "terraform.tfvars.json") if name in there]
    automatic += sorted(name for name in there if name.endswith((".auto.tfvars", ".auto.tfvars.json")))
    for path in [*(there[name] for name in automatic), *var_files]:
        try:
            file = files.read(path)
        except Forbidden as error:
            given.problems.append((error.reason, error.path))
            continue
        if file is None:
            given.problems.append(("missing_file", path))
            continue
        given.files.append(file.path)
        if file.is_encrypted:
            # It may set any variable: what was given before is not to be relied on.
            given.values.clear()
            given.hidden_by = file.path
            continue
        try:
            given.values |= values_of(files, file)
        except CodeError as error:
            given.problems.append(("unparseable", f"{file.path}: {error}"))
    return given


def values_of(files: Files, file: SourceFile) -> dict[str, Argument]:
    """What a file assigns to variables. Raises ``CodeError`` where it cannot be read."""
    if file.path.endswith(".json"):
        document = decode_json(file.path, file.data)
        if not isinstance(document, MappingValue):
            raise CodeError("it is no JSON object")
        return {name: _constant(value) for name, value in document.entries.items()}
    body = parse_hcl(file.path, file.data)
    body.require_syntax()
    if body.blocks:
        raise CodeError("it has blocks, and a file of variable values has none")
    scope = Scope(_Constants(), FileContext(files, ".", set()), {})
    return {name: _assigned(body, name, scope) for name in body.names()}


def _constant(value: Value) -> Argument:
    return lambda: value


def _assigned(body, name: str, scope: Scope) -> Argument:
    return lambda: safely(lambda: evaluate(body.expression(name), scope))
