"""A root module with everything that it is planned with, evaluated: its resource instances, and what each literal feeds."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from dagster_project.iac.addresses import child, split, with_key
from dagster_project.iac.configuration import Configuration, Problem
from dagster_project.iac.files import Files
from dagster_project.iac.functions_files import FileContext
from dagster_project.iac.instances import Expansion, Instance
from dagster_project.iac.kinds import KINDS
from dagster_project.iac.modules import DATA, Absent, Module, Surroundings, read_manifest
from dagster_project.iac.state import State
from dagster_project.iac.terragrunt import Unit, read_unit
from dagster_project.iac.values import NOWHERE, Choice, CodeError, Places, Scalar, Span, Value, controls, flows, is_open, unknown
from dagster_project.iac.variables import Given, gather

_LAUNCHING = frozenset(
    f"aws_{name}"
    for name in (
        *("autoscaling_group", "instance", "spot_instance_request", "eks_node_group", "ec2_fleet", "spot_fleet_request"),
        "batch_compute_environment",
    )
)
"""Resources that launch instances."""

_MAX_MOVES = 20
"""Moves of an address that are followed."""

_RECURSION = 20_000
"""Frames that an evaluation may need: a chain of a thousand locals takes some six thousand."""


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Lets an evaluation go as deep as real configurations are nested. Python's frames take no machine stack since 3.11."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a root is planned with. ``var_files`` are paths in the repository, in order."""

    root: str
    workspace: str | None = None
    var_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """Bytes that flow into an address."""

    place: Span
    address: str


class Root:
    """A root module, evaluated when it is asked. ``state`` names the instances of what the code leaves unknown."""

    def __init__(self, files: Files, plan: Plan, state: State | None) -> None:
        self.files = files
        self.plan = plan
        self.state = state
        self.unit: Unit | None = read_unit(files, plan.root)
        self._context = FileContext(files, self.folder, set())
        self._configurations: dict[str, Configuration] = {}

    @property
    def folder(self) -> str:
        """The folder of the root module: a Terragrunt unit's lies elsewhere."""
        return self.unit.module_folder if self.unit and self.unit.module_folder else self.plan.root

    @cached_property
    def given(self) -> Given:
        """Values of the root's variables."""
        inputs = self.unit.inputs if self.unit else {}
        var_files = (*self.unit.var_files, *self.plan.var_files) if self.unit else self.plan.var_files
        given = gather(self.files, dict.fromkeys((self.folder, self.plan.root)), var_files, inputs)
        for name in self.unit.overridden if self.unit else ():
            given.values[name] = lambda name=name: unknown(f"var.{name}, which Terragrunt sets on the command line")
        return given

    @cached_property
    def module(self) -> Module:
        """The root module."""
        around = Surroundings(
            self.files,
            self._context,
            self.folder,
            self.plan.workspace,
            self.state.keys_of if self.state else lambda block: None,
            read_manifest(self.files, self.folder),
            self._configurations,
        )
        configuration = around.configuration(self.folder)
        return Module(around, configuration, "", "", self.given.arguments(configuration.variables), frozenset())

    @cached_property
    def instances(self) -> dict[str, Instance]:
        """Every resource instance by address."""
        with deep_recursion():
            return {instance.address: instance for instance in self.module.instances()}

    @cached_property
    def absent(self) -> tuple[Absent, ...]:
        """Module calls whose code is not here."""
        with deep_recursion():
            return tuple(each for each in self.module.modules() if isinstance(each, Absent))

    def moved(self, address: str) -> str:
        """The address in the code of one in the state: moved blocks say it, and a count that came or went."""
        for _ in range(_MAX_MOVES):
            if address in self.instances:
                break
            for before, after in self._moves:
                if address == before or address.startswith((before + ".", before + "[")):
                    address = after + address[len(before) :]
                    break
        if address not in self.instances:
            # Terraform moves what gains or loses a count by itself.
            found = self._by_uncounted.get(_uncounted(address), [])
            is_free = len(found) == 1 and not (self.state and found[0] in self.state.by_address)
            return found[0] if is_free else address
        return address

    @cached_property
    def _by_uncounted(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for address in self.instances:
            found.setdefault(_uncounted(address), []).append(address)
        return found

    @cached_property
    def _moves(self) -> list[tuple[str, str]]:
        return [
            (child(module.address, before), child(module.address, after))
            for module in self.module.modules()
            if isinstance(module, Module)
            for before, after in module.configuration.moves
        ]

    def failing_checks(self) -> set[str]:
        """Variables and resources whose validations and preconditions are known to fail."""
        with deep_recursion():
            modules = [each for each in self.module.modules() if isinstance(each, Module)]
            return {failing for module in modules for failing in module.failing_checks()}

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Why the root cannot be trusted as a whole: files that Terraform would not read, or that nobody can."""
        _ = self.instances, self.absent
        found = [*(self.unit.problems if self.unit else ()), *self.given.problems]
        for configuration in self._configurations.values():
            found += configuration.problems
        if self._configurations[self.folder].is_empty:
            found.append(("missing_module", f"{self.folder} has no Terraform code"))
        return tuple(found)

    @cached_property
    def feeds(self) -> dict[str, list[Feed]]:
        """By file: which bytes flow into which address."""
        found: dict[str, list[Feed]] = {}
        memo: dict[int, tuple[Value, Places]] = {}
        with deep_recursion():
            for address, instance in self.instances.items():
                for name, value in instance.everything():
                    for place in self._flow(instance, name, value, memo):
                        found.setdefault(place.file, []).append(Feed(place, address))
            for call in self.absent:
                for place in flows(call.values):
                    found.setdefault(place.file, []).append(Feed(place, call.address))
        return found

    @cached_property
    def influences(self) -> dict[str, list[Feed]]:
        """By file: which bytes have any say in an address, be it in a condition or in whether it is there."""
        found: dict[str, list[Feed]] = {}

        def note(places: Places, address: str) -> None:
            for place in places:
                found.setdefault(place.file, []).append(Feed(place, address))

        with deep_recursion():
            for address, instance in self.instances.items():
                note(instance.addressing, address)
                for _, value in instance.everything():
                    note(flows((value,)) | controls((value,)), address)
            for call in self.absent:
                note(flows(call.values) | controls(call.values), call.address)
            for expansion in self._expansions:
                note(expansion.places if not expansion.instances else NOWHERE, expansion.block)
        return found

    @cached_property
    def outputs(self) -> dict[str, Value]:
        """The root's outputs, which others may read."""
        with deep_recursion():
            return {name: self.module.output(name) for name in self.module.configuration.outputs}

    def delayed_by(self, addresses: Iterable[str]) -> tuple[str, ...]:
        """Instances that use data sources which are read only after one of the addresses has changed (depends_on): until then
        their values are unknown, and a plan may replace them."""
        found = set()
        for module in self.module.modules():
            for name, block in module.dependents() if isinstance(module, Module) else ():
                if any(each == block or each.startswith((block + "[", block + ".")) for each in addresses):
                    found |= self._reading_data(module, name)
        return tuple(sorted(found))

    def _reading_data(self, module: Module, name: str) -> set[str]:
        """Addresses into which a data source of a module flows, or any of the module that a call makes."""
        inside = DATA + child(module.address, name)
        marks = [file for file in self.feeds if file == inside or file.startswith((inside + ".", inside + "["))]
        return {feed.address for file in marks for feed in self.feeds[file]}

    def users_of(self, template: str) -> list[str]:
        """Instances whose code refers to a launch template or configuration of their module."""
        instance = self.instances.get(template)
        if instance is None:
            return []
        module = template.rpartition(f"{instance.type}.")[0]
        name = template[len(module) :].split("[")[0]
        return sorted(
            address
            for address, each in self.instances.items()
            if each.type in _LAUNCHING and each.scope.references is instance.scope.references and name in each.body.references()
        )

    def _flow(self, instance: Instance, name: str, value: Value, memo: dict[int, tuple[Value, Places]]) -> Places:
        if isinstance(value, Choice):
            likely = self.likely(instance, name, value)
            return flows(likely) | controls((value,))
        if id(value) not in memo:
            # The value is kept beside its places: its id stands for it only as long as it lives.
            # What decides about something that is not known may change it, and no evaluation would show it.
            memo[id(value)] = (value, flows((value,)) | (controls((value,)) if is_open(value) else NOWHERE))
        return memo[id(value)][1]

    def likely(self, instance: Instance, name: str, value: Choice) -> tuple[Value, ...]:
        """Of alternatives, those that are the live value; all of them where the state does not tell."""
        known = self.state.by_address.get(instance.address) if self.state else None
        live = known.sizes.get(name) if known and instance.type in KINDS else None
        if live is None:
            return value.options
        same = tuple(option for option in value.options if not isinstance(option, Scalar) or option.text == live)
        return same or value.options

    def fed_by(self, span: Span) -> tuple[str, ...]:
        """Addresses into which a literal flows, sorted."""
        return tuple(sorted({feed.address for feed in self.feeds.get(span.file, ()) if covers(feed.place, span)}))

    def decides_addresses(self, span: Span) -> bool | None:
        """Whether a literal has a say in which instances there are; None where that cannot be tried, as they are unknown."""
        found: bool | None = False
        for expansion in self._expansions:
            if any(covers(place, span) for place in expansion.places):
                if not expansion.is_known:
                    return None
                found = True
        return found

    @cached_property
    def _expansions(self) -> list[Expansion]:
        with deep_recursion():
            modules = [each for each in self.module.modules() if isinstance(each, Module)]
            return [each for module in modules for each in module.expansions() if each.places]


def _uncounted(address: str) -> str:
    """An address without the keys that a count of one gives."""
    at = ""
    try:
        names = split(address)
    except CodeError:
        return address
    for (first, _), (name, key) in zip(names[::2], names[1::2], strict=False):
        at = child(at, with_key(f"{first}.{name}", None if key == 0 else key))
    return at


def covers(place: Span, span: Span) -> bool:
    """Whether ``span`` lies within ``place``."""
    return place.file == span.file and place.start <= span.start and span.end <= place.end
