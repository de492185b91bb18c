"""Modules as they are evaluated: a tree of instances, each with its variables, locals, resources and outputs."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Values
from dataclasses import dataclass, replace

from dagster_project.iac.addresses import Key, child, with_key
from dagster_project.iac.configuration import Configuration, Problem, Variable, configuration_of
from dagster_project.iac.evaluate import Scope, evaluate, safely
from dagster_project.iac.files import Files, Forbidden, join, normal
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.instances import ANY_KEY, Expansion, Instance, expand
from dagster_project.iac.once import Once
from dagster_project.iac.syntax import Attribute, Body, Expression, Literal, Step, Template, references_in
from dagster_project.iac.types import convert, or_default
from dagster_project.iac.values import (
    Lazy,
    Mapping,
    Places,
    Scalar,
    Sequence,
    Span,
    Value,
    decided_by,
    is_null,
    unknown,
)

_MAX_MODULE_DEPTH = 20
DATA = "(data) "
"""What stands before a data source's address in the place of a file: what comes from it is known by that."""

_COPIES = {"terraform_data": {"output": "input"}}
"""Computed attributes that repeat an argument."""

KnownKeys = Callable[[str], tuple[Key, ...] | None]
"""The instance keys that a state has of a block's address; None where there is no state."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all modules of a root share. ``manifest`` says where downloaded modules lie, by their dotted path."""

    files: Files
    context: FileContext
    root: str
    workspace: str | None
    known_keys: KnownKeys
    manifest: Values[str, str]
    configurations: dict[str, Configuration]

    def configuration(self, folder: str) -> Configuration:
        """The module in a folder, read once."""
        if folder not in self.configurations:
            self.configurations[folder] = configuration_of(self.files, folder)
        return self.configurations[folder]


@dataclass(frozen=True, slots=True)
class Absent:
    """A call of a module whose code is not here; ``values`` are its arguments."""

    address: str
    reason: str
    detail: str
    values: tuple[Value, ...]


def read_manifest(files: Files, root: str) -> dict[str, str]:
    """Where ``terraform init`` put the modules of a root: their folders by dotted path; empty before an init."""
    try:
        listing = files.read(join(root, ".terraform/modules/modules.json"))
        if listing is None:
            return {}
        found = json.loads(listing.data)
        return {str(each["Key"]): str(each["Dir"]) for each in found["Modules"] if each["Key"]}
    except (Forbidden, ValueError, KeyError, TypeError):
        return {}


class Module:
    """One instance of a module. ``arguments`` are the values that its caller gives to its variables."""

    def __init__(
        self,
        surroundings: Surroundings,
        configuration: Configuration,
        address: str,
        path: str,
        arguments: Values[str, Callable[[], Value]],
        addressing: Places,
        folders: tuple[str, ...] = (),
    ) -> None:
        self.configuration = configuration
        self.address = address
        self._around = surroundings
        self._path = path
        self._arguments = arguments
        self._addressing = addressing
        self._folders = (*folders, configuration.folder)
        self._once = Once()
        self.scope = Scope(self, surroundings.context, {})

    # What an expression may name.

    def resolve(self, name: str, steps: tuple[Step, ...], scope: Scope) -> tuple[Value, int]:
        """The value of a traversal's first words; unknown where they are not declared. Raises ``CodeError``."""
        first = steps[0].name if steps and isinstance(steps[0], Attribute) else None
        if name == "var" and first:
            return self.variable(first), 1
        if name == "local" and first:
            return self._local(first), 1
        if name == "module" and first:
            return self._call_value(first), 1
        if name == "path" and first:
            return self._path_value(first), 1
        if name == "terraform" and first == "workspace":
            workspace = self._around.workspace
            return (Scalar(value=workspace) if workspace is not None else unknown("terraform.workspace")), 1
        if name == "data" and len(steps) > 1 and first and isinstance(steps[1], Attribute):
            return self._data_value(first, steps[1].name), 2
        if first and (name, first) in self.configuration.resources:
            return self._resource_value(name, first), 1
        # Terraform refuses such a name before it evaluates anything; try() does not catch it.
        return unknown(".".join(filter(None, (name, first)))), 1 if first else 0

    def variable(self, name: str) -> Value:
        """A variable's value: what the caller gives, or its default; unknown where none is declared."""
        if name not in self.configuration.variables:
            return unknown(f"var.{name}, which is not declared")
        return self._once(("var", name), lambda: self._variable(name, self.configuration.variables[name]))

    def _variable(self, name: str, declared: Variable) -> Value:
        def evaluated(default: Expression) -> Value:
            return evaluate(default, self.scope)

        value = self._arguments[name]() if name in self._arguments else None
        if value is None:
            if declared.default is None:
                return unknown(f"var.{name}, which has no value here")
            value = self._own(declared.default)
        elif not declared.is_nullable:
            given = value
            value = safely(lambda: or_default(given, declared.default, evaluated))
        return safely(lambda: convert(value, declared.type, evaluated))

    def _local(self, name: str) -> Value:
        if name not in self.configuration.locals:
            return unknown(f"local.{name}, which is not declared")
        return self._once(("local", name), lambda: self._own(self.configuration.locals[name]))

    def outputs(self) -> Value:
        """What a reference to the module sees."""
        return Lazy(
            get=self.output,
            label=self.address,
            inside=lambda: self._once(("whole",), lambda: [self.output(name) for name in self.configuration.outputs]),
        )

    def _own(self, expression: Expression) -> Value:
        """An expression of the module itself: an error in it is not one of whoever uses it."""
        return safely(lambda: evaluate(expression, self.scope))

    def output(self, name: str) -> Value:
        if name not in self.configuration.outputs:
            return unknown(f"the output {name} of {self.address}, which is not declared")
        return self._once(("output", name), lambda: self._own(self.configuration.outputs[name]))

    def _path_value(self, name: str) -> Value:
        if name in ("root", "cwd"):
            return Scalar(value=".") if name == "root" else unknown("path.cwd")
        if name != "module":
            return unknown(f"path.{name}")
        return Scalar(value=posixpath.relpath(self.configuration.folder, self._around.root))

    def _data_value(self, type_: str, name: str) -> Value:
        body = self.configuration.data.get((type_, name))
        if body is None:
            return unknown(f"data.{type_}.{name}, which is not declared")

        def arguments() -> Value:
            expansion = expand(body, self.scope, None)
            scopes = [self.scope.with_names(**names) for names in expansion.instances.values()]
            instances = [Instance("", type_, body, scope, frozenset()) for scope in scopes]
            found = unknown(f"data.{type_}.{name}", *(value for each in instances for _, value in each.everything()))
            mark = Span(f"{DATA}{child(self.address, f'data.{type_}.{name}')}", 0, 0)
            return replace(found, flow=found.flow | expansion.places | {mark})

        return self._once(("data", type_, name), arguments)

    # Resources.

    def _expansion(self, type_: str, name: str) -> Expansion:
        body = self.configuration.resources[(type_, name)]
        known = self._around.known_keys(child(self.address, f"{type_}.{name}"))
        return self._once(("expansion", type_, name), lambda: expand(body, self.scope, known))

    def _resource_value(self, type_: str, name: str) -> Value:
        expansion = self._expansion(type_, name)
        return self._once(("value", type_, name), lambda: _by_key(expansion, lambda key: self._resource_object(type_, name, key)))

    def _resource_object(self, type_: str, name: str, key: Key) -> Value:
        label = with_key(f"{type_}.{name}", key)

        def get(attribute: str) -> Value:
            instance = self._instance(type_, name, key)
            argument = _COPIES.get(type_, {}).get(attribute, attribute)
            if instance.ignored() & {attribute, argument, "all"}:
                return unknown(f"{label}.{attribute}, changes of which are ignored")
            value = instance.value((argument,)) or instance.blocks(attribute)
            if value is None or (is_null(value) and type_ != "terraform_data"):
                # What the code leaves out or gives as null, the provider may fill in.
                return unknown(f"{label}.{attribute}")
            return value

        return Lazy(
            get=lambda attribute: self._once(("resource", label, attribute), lambda: get(attribute)),
            label=label,
            inside=lambda: self._once(("whole", label), lambda: [v for _, v in self._instance(type_, name, key).everything()]),
        )

    def _instance(self, type_: str, name: str, key: Key) -> Instance:
        expansion = self._expansion(type_, name)
        address = with_key(child(self.address, f"{type_}.{name}"), key)
        body = self.configuration.resources[(type_, name)]
        names = expansion.instances[key]

        def make() -> Instance:
            self._around.context.budget.instance()
            return Instance(address, type_, body, self.scope.with_names(**names), self._addressing | expansion.places)

        return self._once(("instance", address), make)

    def failing_checks(self) -> Iterator[str]:
        """Variables of this module whose validation is known to fail, and resources whose precondition does."""
        for name, variable in self.configuration.variables.items():
            if any(_fails(self._own(check)) for check in variable.checks):
                yield child(self.address, f"var.{name}")
        for type_, name in self.configuration.resources:
            expansion = self._expansion(type_, name)
            for key in expansion.instances:
                instance = self._instance(type_, name, key)
                if any(_fails(value) for value in instance.preconditions()):
                    yield instance.address

    def expansions(self) -> Iterator[Expansion]:
        """What count and for_each make of every block of this module, those without an instance too."""
        for type_, name in self.configuration.resources:
            yield replace(self._expansion(type_, name), block=child(self.address, f"{type_}.{name}"))
        for name in self.configuration.calls:
            yield replace(self._call_expansion(name), block=child(self.address, f"module.{name}"))

    def dependents(self) -> Iterator[tuple[str, str]]:
        """Data sources and module calls of this module, each with the address of a block that it names in depends_on."""
        blocks = {f"data.{type_}.{name}": body for (type_, name), body in self.configuration.data.items()}
        blocks |= {f"module.{name}": body for name, body in self.configuration.calls.items()}
        for name, body in blocks.items():
            expression = body.expression("depends_on")
            for named in references_in(expression) if expression else ():
                yield name, child(self.address, named)

    def instances(self) -> Iterator[Instance]:
        """Every resource instance in this module and those below, in order of the code."""
        for type_, name in self.configuration.resources:
            for key in self._expansion(type_, name).instances:
                yield self._instance(type_, name, key)
        for name in self.configuration.calls:
            called = self._called(name)
            if isinstance(called, dict):
                for key, module in called.items():
                    if key != ANY_KEY or self._around.known_keys(self.address) is None:
                        yield from module.instances()

    # Calls of other modules.

    def modules(self) -> Iterator[Module | Absent]:
        """This module and every one below it; calls whose code is not here as ``Absent``."""
        yield self
        for name in self.configuration.calls:
            called = self._called(name)
            if isinstance(called, dict):
                for module in called.values():
                    yield from module.modules()
            else:
                yield called

    def _call_value(self, name: str) -> Value:
        if name not in self.configuration.calls:
            return unknown(f"module.{name}, which is not declared")
        called = self._called(name)
        if isinstance(called, Absent):
            return unknown(called.detail, *called.values, reason=called.reason)
        expansion = self._call_expansion(name)
        return self._once(("module value", name), lambda: _by_key(expansion, lambda key: called[key].outputs()))

    def _call_expansion(self, name: str) -> Expansion:
        # A module without resources leaves nothing in the state: none of its instances there does not mean that there is none.
        known = self._around.known_keys(child(self.address, f"module.{name}")) or None
        return self._once(("call expansion", name), lambda: expand(self.configuration.calls[name], self.scope, known))

    def _called(self, name: str) -> dict[Key, Module] | Absent:
        return self._once(("call", name), lambda: self._call(name, self.configuration.calls[name]))

    def _call(self, name: str, body: Body) -> dict[Key, Module] | Absent:
        address = child(self.address, f"module.{name}")
        path = f"{self._path}.{name}" if self._path else name
        folder, problem = self._folder_of(body, path)
        if problem is None and (folder in self._folders or len(self._folders) > _MAX_MODULE_DEPTH):
            problem = ("cycle", f"{address}, which is nested without end")
        if problem is None and self._around.configuration(folder or "").is_empty:
            problem = ("missing_module", f"{address}, whose folder {folder} has no code")
        expansion = self._call_expansion(name)
        if problem or folder is None:
            reason, detail = problem or ("unknown_value", address)
            instance = Instance(address, "module", body, self.scope, frozenset())
            return Absent(address, reason, detail, tuple(value for _, value in instance.everything()))
        found: dict[Key, Module] = {}
        for key, names in expansion.instances.items():
            self._around.context.budget.instance()
            scope = self.scope.with_names(**names)
            arguments = {argument: _argument(body, argument, scope) for argument in body.names()}
            found[key] = Module(
                self._around,
                self._around.configuration(folder),
                with_key(address, key),
                path,
                arguments,
                self._addressing | expansion.places,
                self._folders,
            )
        return found

    def _folder_of(self, body: Body, path: str) -> tuple[str | None, Problem | None]:
        source = module_source(body)
        if source is None:
            return None, ("unparseable", f"module.{path}, whose source is no plain string")
        if source.startswith(("./", "../")) or source in (".", ".."):
            folder = normal(join(self.configuration.folder, source))
            if folder is None:
                return None, ("other_repository", f"module.{path}, whose source {source} lies outside of the repository")
            return folder, None
        downloaded = self._around.manifest.get(path)
        if downloaded is not None:
            return normal(join(self._around.root, downloaded)), None
        return None, ("remote_module", f"module.{path}, whose source {source} is not in the repository")


def _fails(condition: Value) -> bool:
    return isinstance(condition, Scalar) and condition.value in (False, "false")


def _argument(body: Body, name: str, scope: Scope) -> Callable[[], Value]:
    return lambda: safely(lambda: evaluate(body.expression(name), scope))  # type: ignore[arg-type]


def _by_key(expansion: Expansion, make: Callable[[Key], Value]) -> Value:
    """What a reference to a block is: one object, a list or a map of them."""
    keys = list(expansion.instances)
    if keys == [None]:
        return make(None)
    if not expansion.is_known and (not keys or ANY_KEY in keys):
        found = unknown("instances whose number is unknown", *(make(key) for key in keys))
        return replace(found, control=found.control | expansion.places)
    if not expansion.is_known:
        entries = {str(key): make(key) for key in keys}
        return Mapping(control=expansion.places, entries=entries, uncertain=frozenset(entries), is_partial=True)
    decider = Scalar(control=expansion.places)
    if all(isinstance(key, int) for key in keys):
        return decided_by(Sequence(items=tuple(make(key) for key in sorted(keys))), decider)  # type: ignore[type-var]
    return decided_by(Mapping(entries={str(key): make(key) for key in keys}), decider)


def module_source(body: Body) -> str | None:
    """A module call's source; None where it is no plain string."""
    source = body.expression("source")
    if isinstance(source, Template) and len(source.parts) == 1:
        source = source.parts[0]
    return source.value.value if isinstance(source, Literal) and isinstance(source.value.value, str) else None
