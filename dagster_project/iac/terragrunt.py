"""Terragrunt units: which module one runs, and with which inputs.

Covered: locals, includes (with exposed ones and the three merge strategies), read_terragrunt_config, terraform.source and
var files, inputs, and the functions for paths. What a dependency gives is unknown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dagster_project.iac.configuration import Problem, source_names
from dagster_project.iac.evaluate import Scope, evaluate, safely
from dagster_project.iac.files import REPOSITORY, Files, Forbidden, join, normal
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.hcl import parse_hcl
from dagster_project.iac.once import Once
from dagster_project.iac.syntax import Attribute, Body, Step
from dagster_project.iac.types import to_string
from dagster_project.iac.values import NULL, CodeError, Cycle, Lazy, Mapping, Scalar, Sequence, Value, choose, unknown

FILE = "terragrunt.hcl"
_VAR_FILE = re.compile(r"-var-file=(.+)")
_HEREDOC = re.compile(r"<<-?[A-Za-z_]+\r?\n.*?\n\s*[A-Za-z_]+\s*\n", re.DOTALL)
_DECLARATION = re.compile(r'^\s*(?:resource|module|variable|output)\s*"|^\s*locals\s*\{', re.MULTILINE)
_VARIABLE = re.compile(r"(?:-var[= ])?'?([A-Za-z_][\w-]*)=")
_MAX_INCLUDES = 10


@dataclass(slots=True)
class Unit:
    """A unit. ``module_folder`` is None where its module is not in the repository; ``problems`` say why. ``overridden`` are
    variables that it sets on Terraform's command line or in its environment."""

    module_folder: str | None
    inputs: dict[str, Callable[[], Value]] = field(default_factory=dict)
    var_files: tuple[str, ...] = ()
    files: set[str] = field(default_factory=set)
    overridden: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_unit(files: Files, folder: str) -> Unit | None:
    """The unit in a folder; None where the folder has no terragrunt.hcl."""
    if FILE not in files.names(folder):
        return None
    unit = Unit(folder)
    try:
        _Config(files, _join(folder, FILE), folder, unit.files).fill(unit)
    except CodeError as error:
        unit.problems.append(("unparseable", f"{_join(folder, FILE)}: {error}"))
    except Cycle as cycle:
        unit.problems.append(("cycle", str(cycle)))
    except Forbidden as error:
        unit.problems.append((error.reason, error.path))
    return unit


def _join(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


class _Config:
    """One Terragrunt file, seen from the unit in ``unit_folder``; ``included_from`` is set for what a unit includes."""

    def __init__(self, files: Files, path: str, unit_folder: str, read: set[str], depth: int = 0) -> None:
        if depth > _MAX_INCLUDES:
            raise CodeError("includes are nested without end")
        file = files.read(path)
        if file is None:
            raise CodeError(f"there is no file {path}")
        read.add(file.path)
        if file.is_encrypted:
            raise CodeError(f"{file.path} is encrypted")
        self._files = files
        self._path = file.path
        self._folder = posixpath.dirname(file.path) or "."
        self._unit_folder = unit_folder
        self._read = read
        self._depth = depth
        self._data = file.data
        self._body = parse_hcl(file.path, file.data)
        self._body.require_syntax()
        self._once = Once(f"{file.path}: ")
        includes = [block for block in self._body.blocks if block.type == "include"]
        self._includes = {block.labels[0] if block.labels else "": block.body for block in includes}
        self._opened: dict[str, _Config] = {}
        context = FileContext(files, unit_folder, read, self._functions())
        self._scope = Scope(self, context, {})

    def fill(self, unit: Unit) -> None:
        """Completes the unit from this file and what it includes."""
        source, source_config = self._source()
        if source is not None:
            unit.module_folder, problem = source_config._module_folder(source)
            unit.problems += [problem] if problem else []
        if unit.module_folder != self._unit_folder and source_names(self._files, self._unit_folder):
            unit.problems.append(("unsupported_file", f"{self._unit_folder} has code that is copied over its module"))
        if self._generates_code():
            unit.problems.append(("unsupported_file", f"{self._path} generates code beside its module's"))
        inputs = self.inputs()
        if isinstance(inputs, Mapping):
            unit.inputs = {name: (lambda value=value: value) for name, value in inputs.entries.items()}
        else:
            unit.problems.append(("unknown_value", f"the inputs of {self._path}"))
        unit.var_files = tuple(self._var_files())
        unit.overridden = set(self._overridden())

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> tuple[Value, int]:
        """What ``local``, ``include`` and ``dependency`` mean. Raises ``CodeError`` for anything else."""
        first = steps[0].name if steps and isinstance(steps[0], Attribute) else None
        if name == "local" and first:
            return self._local(first), 1
        if name == "include":
            if first in self._includes:
                return self._include(first).exposed(), 1
            if "" in self._includes:
                return self._include("").exposed(), 0
        if name in ("dependency", "feature", "values", "unit", "stack"):
            return unknown(".".join(filter(None, (name, first)))), 1 if first else 0
        raise CodeError(f"{'.'.join(filter(None, (name, first)))} is not declared")

    def _locals(self) -> list[Body]:
        return self._body.nested("locals")

    def _local(self, name: str) -> Value:
        for expression in (body.expression(name) for body in self._locals()):
            if expression is not None:
                return self._once(("local", name), lambda expression=expression: evaluate(expression, self._scope))
        raise CodeError(f"local.{name} is not declared")

    def exposed(self) -> Value:
        """What a file that includes or reads this one sees of it."""
        return Lazy(get=self._exposed, label=self._path)

    def _exposed(self, name: str) -> Value:
        if name == "locals":
            names = [name for body in self._locals() for name in body.names()]
            return Mapping(entries={name: safely(lambda name=name: self._local(name)) for name in names})
        if name == "inputs":
            return self.inputs()
        return unknown(f"{name} of {self._path}")

    def _include(self, label: str) -> _Config:
        if label not in self._opened:
            expression = self._includes[label].expression("path")
            value = evaluate(expression, self._scope) if expression else Scalar()
            if not isinstance(value, Scalar) or not isinstance(value.value, str):
                raise CodeError(f"the path of an include of {self._path} is not known")
            path = normal(join(self._unit_folder, value.value))
            if path is None:
                raise Forbidden("other_repository", value.value)
            self._opened[label] = _Config(self._files, path, self._unit_folder, self._read, self._depth + 1)
        return self._opened[label]

    def inputs(self) -> Value:
        """This file's inputs over those of what it includes."""
        return self._once(("inputs",), self._inputs)

    def _inputs(self) -> Value:
        own: Value = Mapping(entries={}, keys={})
        expression = self._body.expression("inputs")
        if expression is not None:
            own = safely(lambda: evaluate(expression, self._scope))
        merged: Value = Mapping(entries={}, keys={})
        strategies = {label: self._text(body, "merge_strategy") or "shallow" for label, body in self._includes.items()}
        for label, strategy in strategies.items():
            if strategy != "no_merge":
                merged = _laid_over(merged, self._include(label).inputs(), strategy == "deep")
        return _laid_over(merged, own, "deep" in strategies.values())

    def _text(self, body: Body, name: str) -> str | None:
        expression = body.expression(name)
        value = safely(lambda: evaluate(expression, self._scope)) if expression else None
        return value.text if isinstance(value, Scalar) else None

    def _source(self) -> tuple[Value | None, _Config]:
        for body in self._body.nested("terraform"):
            expression = body.expression("source")
            if expression is not None:
                return safely(lambda expression=expression: evaluate(expression, self._scope)), self
        for label in reversed(self._includes):
            found, config = self._include(label)._source()
            if found is not None:
                return found, config
        return None, self

    def _module_folder(self, source: Value) -> tuple[str | None, Problem | None]:
        if not isinstance(source, Scalar) or not isinstance(source.value, str):
            return None, ("unknown_value", f"terraform.source of {self._path}")
        text = source.value
        if not text.startswith(("./", "../", REPOSITORY)) and text not in (".", ".."):
            return None, ("remote_module", f"terraform.source of {self._path}, which is {text}")
        folder = normal(join(self._unit_folder, text))
        if folder is None:
            return None, ("other_repository", f"terraform.source of {self._path}, which is {text}")
        return folder, None

    def _var_files(self) -> list[str]:
        found = []
        for config, arguments in self._extra_arguments().values():
            for name in ("arguments", "required_var_files", "optional_var_files"):
                for text in config._texts(arguments, name):
                    told = _VAR_FILE.match(text) if name == "arguments" else re.match("(.+)", text)
                    path = normal(join(self._unit_folder, told.group(1))) if told else None
                    if path and (name != "optional_var_files" or self._files.read(path)):
                        found.append(path)
        return found

    def _extra_arguments(self) -> dict[str, tuple[_Config, Body]]:
        """Arguments by name, those of this file in place of those of what it includes."""
        found: dict[str, tuple[_Config, Body]] = {}
        for label in self._includes:
            found |= self._include(label)._extra_arguments()
        for terraform in self._body.nested("terraform"):
            blocks = [block for block in terraform.blocks if block.type == "extra_arguments"]
            found |= {" ".join(block.labels): (self, block.body) for block in blocks}
        return found

    def _texts(self, body: Body, name: str) -> list[str]:
        """The strings of a list that are known."""
        expression = body.expression(name)
        value = safely(lambda: evaluate(expression, self._scope)) if expression else NULL
        items = value.items if isinstance(value, Sequence) else ()
        return [item.text for item in items if isinstance(item, Scalar) and item.text]

    def _generates_code(self) -> bool:
        """Whether a generate block, here or in what is included, writes more than settings of providers and backends."""
        for block in (block.body for block in self._body.blocks if block.type == "generate"):
            expression = block.expression("contents")
            value = safely(lambda e=expression: evaluate(e, self._scope)) if expression else NULL
            texts = [value.text or ""] if isinstance(value, Scalar) else _HEREDOC.findall(self._data.decode("utf-8"))
            name = self._text(block, "path") or ".tfvars"
            is_settings = not name.endswith((".tfvars", ".tfvars.json", ".tf.json"))
            if not is_settings or not texts or any(_DECLARATION.search(text) for text in texts):
                return True
        return any(self._include(label)._generates_code() for label in self._includes)

    def _overridden(self) -> Iterator[str]:
        """Variables of -var arguments and TF_VAR_ variables, here and in what is included."""
        for config, arguments in self._extra_arguments().values():
            for text in config._texts(arguments, "arguments"):
                told = _VARIABLE.match(text) if not text.startswith("-var-file") else None
                yield from (told.group(1),) if told else ()
            expression = arguments.expression("env_vars")
            variables = safely(lambda e=expression, c=config: evaluate(e, c._scope)) if expression else NULL
            names = variables.entries if isinstance(variables, Mapping) else ()
            yield from (name.removeprefix("TF_VAR_") for name in names if name.startswith("TF_VAR_"))

    def _functions(self) -> dict[str, Callable[..., Value]]:
        def inside(folder: str) -> Scalar:
            return Scalar(value=REPOSITORY if folder == "." else f"{REPOSITORY}/{folder}")

        def relative(path: str, start: str) -> Scalar:
            return Scalar(value=posixpath.relpath(path, start))

        return {
            "find_in_parent_folders": self._find_in_parent_folders,
            "read_terragrunt_config": self._read_config,
            "get_terragrunt_dir": lambda: inside(self._unit_folder),
            "get_original_terragrunt_dir": lambda: inside(self._unit_folder),
            "get_parent_terragrunt_dir": lambda *label: inside(self._parent(*label)),
            "get_repo_root": lambda: inside("."),
            "get_path_from_repo_root": lambda: Scalar(value=self._unit_folder),
            "get_path_to_repo_root": lambda: relative(".", self._unit_folder),
            "path_relative_to_include": lambda *label: relative(self._unit_folder, self._parent(*label)),
            "path_relative_from_include": lambda *label: relative(self._parent(*label), self._unit_folder),
            "get_env": lambda name, *default: choose([unknown(f"the environment variable {name.text}"), *default]),
            "sops_decrypt_file": lambda path: unknown(f"the encrypted file {to_string(path).value}", reason="encrypted"),
            "read_tfvars_file": lambda path: unknown("read_tfvars_file"),
        }

    def _parent(self, *label: Value) -> str:
        if self._depth:
            return self._folder
        name = to_string(label[0]).value if label else next(iter(self._includes), None)
        if name not in self._includes:
            return self._folder
        return self._include(name)._folder

    def _find_in_parent_folders(self, *arguments: Value) -> Value:
        wanted = to_string(arguments[0]).value if arguments else FILE
        folder = self._unit_folder
        while folder != ".":
            folder = posixpath.dirname(folder) or "."
            candidate = _join(folder, wanted or FILE)
            if self._files.read(candidate) is not None or self._files.is_folder(candidate):
                return Scalar(value=f"{REPOSITORY}/{candidate}")
        if len(arguments) > 1:
            return arguments[1]
        raise CodeError(f"find_in_parent_folders() finds no {wanted}")

    def _read_config(self, path: Value, *fallback: Value) -> Value:
        text = to_string(path).value or ""
        target = normal(join(self._unit_folder, text))
        if target is None:
            raise Forbidden("other_repository", text)
        if self._files.read(target) is None and fallback:
            return fallback[0]
        folder = posixpath.dirname(target) or "."
        return _Config(self._files, target, folder, self._read, self._depth + 1).exposed()


def _laid_over(below: Value, above: Value, is_deep: bool) -> Value:
    if not all(isinstance(each, Mapping) and each.is_settled for each in (below, above)):
        return unknown("inputs that are merged", below, above)
    entries = dict(below.entries)
    for name, value in above.entries.items():
        if is_deep and isinstance(entries.get(name), Mapping) and isinstance(value, Mapping):
            entries[name] = _laid_over(entries[name], value, True)
        elif is_deep and isinstance(entries.get(name), Sequence) and isinstance(value, Sequence):
            entries[name] = Sequence(items=(*entries[name].items, *value.items))  # type: ignore[attr-defined]
        else:
            entries[name] = value
    return Mapping(entries=entries, keys={**(below.keys or {}), **(above.keys or {})})
