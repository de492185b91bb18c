"""A module as it is written: the declarations in the files of one folder, override files laid over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dagster_project.iac.addresses import with_key
from dagster_project.iac.files import Files, Forbidden, SourceFile
from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.hcl_json import parse_hcl_json
from dagster_project.iac.syntax import Block, Body, Expression, Literal, Name, Traversal
from dagster_project.iac.types import ANY, Type, parse_type
from dagster_project.iac.values import CodeError

Problem = tuple[str, str]
"""A reason code, and what it is about."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable. ``default`` is None where it has none; ``checks`` are the conditions of its validations."""

    default: Expression | None
    type: Type
    is_nullable: bool
    checks: tuple[Expression, ...] = ()


@dataclass(slots=True)
class Configuration:
    """The declarations of a module. ``problems`` tell why it cannot be trusted; then nothing in it may be edited."""

    folder: str
    variables: dict[str, Variable] = field(default_factory=dict)
    locals: dict[str, Expression] = field(default_factory=dict)
    resources: dict[tuple[str, str], Body] = field(default_factory=dict)
    data: dict[tuple[str, str], Body] = field(default_factory=dict)
    calls: dict[str, Body] = field(default_factory=dict)
    outputs: dict[str, Expression] = field(default_factory=dict)
    moves: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_empty: bool = True


def configuration_of(files: Files, folder: str) -> Configuration:
    """The module in a folder, parsed once for all that evaluate it."""
    try:
        parsed = files.holder_of(folder).parsed
    except Forbidden:
        return load_configuration(files, folder)
    if folder not in parsed:
        parsed[folder] = load_configuration(files, folder)
    return parsed[folder]


def load_configuration(files: Files, folder: str) -> Configuration:
    """Reads a folder's ``.tf`` and ``.tf.json`` files; what is wrong with them becomes ``problems``."""
    found = Configuration(folder)
    blocks: dict[tuple[str, tuple[str, ...]], Block] = {}
    try:
        sources = list(_sources(files, folder, found))
    except Forbidden as error:
        found.problems.append((error.reason, error.path))
        return found
    for is_override in (False, True):
        for name, body in sources:
            if _is_override(name) is is_override:
                for block in body.blocks:
                    _add(blocks, block, is_override, found)
    for block in blocks.values():
        try:
            _declare(found, block)
        except CodeError as error:
            found.problems.append(("unparseable", f"{block.body.file}: {error}"))
    return found


def source_names(files: Files, folder: str) -> list[str]:
    """Names of a folder's configuration files that Terraform reads, sorted. Raises ``Forbidden``."""
    return [name for name in files.names(folder) if name.endswith((".tf", ".tf.json")) and not _is_ignored(name)]


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#"))


def _is_override(name: str) -> bool:
    stem = name.removesuffix(".json").removesuffix(".tf")
    return stem == "override" or stem.endswith("_override")


def _sources(files: Files, folder: str, found: Configuration) -> Iterator[tuple[str, Body]]:
    if any(name.endswith((".tofu", ".tofu.json")) for name in files.names(folder)):
        found.problems.append(("unsupported_file", f"{folder} has OpenTofu's own files, which take the place of others"))
    for name in source_names(files, folder):
        path = name if folder == "." else f"{folder}/{name}"
        file = files.read(path)
        if file is None:
            continue
        found.is_empty = False
        if file.is_encrypted:
            found.problems.append(("encrypted", path))
            continue
        try:
            yield name, parse_file(file)
        except CodeError as error:
            found.problems.append(("unparseable", f"{path}: {error}"))


def parse_file(file: SourceFile) -> Body:
    """The body of a configuration file in either notation, parsed once: an edit changes one of many files. Raises ``CodeError``
    where anything in it is not valid."""
    if file.body is None:
        body = parse_hcl_json(file.path, file.data) if file.path.endswith(".json") else parse_hcl(file.path, file.data)
        body.require_syntax()
        file.body = body
    found: Body = file.body
    return found


def _add(blocks: dict[tuple[str, tuple[str, ...]], Block], block: Block, is_override: bool, found: Configuration) -> None:
    """Blocks of one name are one declaration; ``locals`` and ``moved`` may stand several times."""
    key = (block.type, block.labels)
    if block.type in ("moved", "terraform", "provider", "import", "removed", "check"):
        blocks[(block.type, (*block.labels, str(len(blocks))))] = block
    elif key not in blocks:
        blocks[key] = block
    elif is_override:
        blocks[key] = Block(block.type, block.labels, blocks[key].body.merged_with(block.body))
    elif block.type == "locals":
        if set(block.body.parsed) & set(blocks[key].body.parsed):
            found.problems.append(("unparseable", f"{block.body.file}: a local is declared twice"))
        blocks[key] = Block("locals", (), blocks[key].body.merged_with(block.body))
    else:
        name = ".".join((block.type, *block.labels))
        found.problems.append(("unparseable", f"{block.body.file}: {name} is declared twice"))


def _declare(found: Configuration, block: Block) -> None:
    body, labels = block.body, block.labels
    if block.type == "resource" and len(labels) == 2:
        found.resources[labels] = body  # type: ignore[index]
    elif block.type == "data" and len(labels) == 2:
        found.data[labels] = body  # type: ignore[index]
    elif block.type == "module" and len(labels) == 1:
        found.calls[labels[0]] = body
    elif block.type == "variable" and len(labels) == 1:
        found.variables[labels[0]] = _variable(body)
    elif block.type == "output" and len(labels) == 1:
        value = body.expression("value")
        if value is not None:
            found.outputs[labels[0]] = value
    elif block.type == "locals":
        found.locals |= {name: expression for name in body.names() if (expression := body.expression(name)) is not None}
    elif block.type == "moved":
        ends = [_address_of(body.expression(end)) for end in ("from", "to")]
        if all(ends):
            found.moves.append((ends[0], ends[1]))  # type: ignore[arg-type]


def _variable(body: Body) -> Variable:
    nullable = body.expression("nullable")
    is_nullable = not (isinstance(nullable, Literal) and nullable.value.value is False)
    try:
        type_ = parse_type(body.expression("type"))
    except CodeError:
        type_ = ANY
    checks = [validation.expression("condition") for validation in body.nested("validation")]
    return Variable(body.expression("default"), type_, is_nullable, tuple(check for check in checks if check is not None))


def _address_of(expression: Expression | None) -> str | None:
    """An address as it is written in a moved block: names, and literal keys."""
    if not isinstance(expression, Traversal) or not isinstance(expression.base, Name):
        return None
    text = expression.base.name
    for step in expression.steps:
        key = getattr(step, "key", None)
        if key is None and hasattr(step, "name"):
            text += f".{step.name}"
        elif isinstance(key, Literal):
            text = with_key(text, key.value.value)
        else:
            return None
    return text
