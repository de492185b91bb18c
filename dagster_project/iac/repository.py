"""A checkout: its roots, evaluated when they are asked for, and what a literal does beyond the root in question."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

from dagster_project.iac.files import Files, Forbidden
from dagster_project.iac.roots import Plan, Root, covers
from dagster_project.iac.state import State
from dagster_project.iac.survey import CODE, VAR_FILES, Survey
from dagster_project.iac.values import CodeError, Scalar, Span, alternatives, flows
from dagster_project.iac.variables import values_of

_MAX_ROOTS = 20
"""Roots that share a literal and are named; by then it is clear that many do."""

_MAX_PLANS = 20
"""Variable files of one root with which it is planned to see what a literal does there."""

Address = str


class Repository:
    """A checkout. Roots that were evaluated are kept, so that further questions about them are answered at once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._roots: dict[tuple[Plan, int], tuple[Root, State | None]] = {}
        self._fed_by_plan: dict[Plan, dict[str, list[tuple[Span, Address]]]] = {}

    @classmethod
    def open(cls, folder: Path) -> Repository:
        """Raises ``InputError`` where the folder is none."""
        return cls(Files.open(folder))

    @cached_property
    def _survey(self) -> Survey:
        return Survey(self.files)

    def root(self, plan: Plan, state: State | None) -> Root:
        """The root, evaluated with a state."""
        key = (plan, id(state))
        if key not in self._roots:
            # The state is kept beside the root: its id stands for it only as long as it lives.
            self._roots[key] = (Root(self.files, plan, state), state)
        return self._roots[key][0]

    def fed_in_other_roots(self, root: Root, span: Span) -> tuple[str, ...]:
        """``root: address`` for each address in which a literal has a say in roots beside ``root``. They are evaluated without a
        state and a workspace, by themselves and with each of their variable files.

        Roots of examples are left out. After twenty roots that share it the others are only counted.
        """
        folders = self._reaching(span.file)
        plans = [Plan(folder) for folder in folders if not self._needs_var_file(folder)]
        plans += [Plan(folder, var_files=(file,)) for folder in folders for file in self._own_var_files(folder)]
        if span.file.endswith(VAR_FILES) and not _is_below(span.file, root.plan.root):
            plans += [Plan(folder, var_files=(span.file,)) for folder in self._declaring(span)]
        others = [plan for plan in plans if plan.root != root.plan.root and self._survey.is_deployed(plan.root)]
        found: list[str] = []
        sharing = 0
        by_root = groupby(sorted(others, key=lambda plan: (plan.root, plan.var_files)), key=lambda plan: plan.root)
        total = len({plan.root for plan in others})
        for number, (folder, group) in enumerate(by_root):
            if sharing == _MAX_ROOTS:
                return (*found, f"{total - number} more roots that read {span.file}")
            # By itself first: where it shares the literal already, its variable files say nothing new.
            fed = next((fed for plan in group if (fed := self._fed(plan, span))), [])
            sharing += bool(fed)
            found += [f"{folder}: {address}" for address in fed]
        return tuple(found)

    def fed_in_other_plans(self, root: Root, span: Span) -> tuple[str, ...]:
        """``file: address`` for each address that a literal feeds where the same root is planned with another variable file."""
        return tuple(
            f"{file}: {address}"
            for file in self._var_files_of(root)[:_MAX_PLANS]
            for address in self._fed(replace(root.plan, var_files=(file,)), span)
        )

    def other_sources(self, root: Root, address: Address, path: tuple[str, ...], live: str, span: Span) -> tuple[str, ...]:
        """Variable files that Terraform does not load by itself, and that would give an address the same live value from
        another place than ``span``: a run may have named one of them."""
        found = []
        for file in self._var_files_of(root):
            other = self.root(replace(root.plan, var_files=(file,)), root.state)
            instance = other.instances.get(address)
            value = instance.value(path) if instance else None
            options = alternatives(value) if value else ()
            if {each.origin for each in options if isinstance(each, Scalar) and each.text == live} - {span}:
                found.append(file)
        return tuple(found)

    def _var_files_of(self, root: Root) -> list[str]:
        """Variable files that set one of a root's variables: those below it, above it, or beside all code."""
        declared = set(root.module.configuration.variables)
        above = [folder for folder in _above(root.plan.root) if not self._survey.is_root(folder)]
        owners = {None, root.folder, root.plan.root, *above}
        found = [file for file in self._survey.var_files if self._survey.is_deployed(file)]
        found = [file for file in found if self._survey.owner_of(file) in owners]
        return [file for file in found if file not in root.given.files and declared & self._assigned(file)]

    def _needs_var_file(self, folder: str) -> bool:
        """Whether a root has variables without a value that a variable file of its own gives."""
        files = self._own_var_files(folder)
        if not files:
            return False
        root = Root(self.files, Plan(folder), None)
        declared = root.module.configuration.variables
        missing = {name for name, variable in declared.items() if variable.default is None and name not in root.given.values}
        return any(missing & self._assigned(file) for file in files)

    def _own_var_files(self, folder: str) -> list[str]:
        """Variable files that lie below another root, and with which it may be planned."""
        return [file for file in self._survey.var_files if self._survey.owner_of(file) == folder][:_MAX_PLANS]

    def _assigned(self, path: str) -> set[str]:
        try:
            file = self.files.read(path)
            return set(values_of(self.files, file)) if file and not file.is_encrypted else set()
        except (CodeError, Forbidden):
            return set()

    def _declaring(self, span: Span) -> list[str]:
        """Roots that declare the variable in whose value a literal of a variable file stands."""
        file = self.files.read(span.file)
        given = values_of(self.files, file) if file else {}
        names = {name for name, value in given.items() if any(covers(place, span) for place in flows((value(),)))}
        declaring = [folder for folder, declared in self._survey.declared.items() if names & declared]
        return sorted(folder for folder in declaring if self._is_root(folder))

    def _fed(self, plan: Plan, span: Span) -> list[Address]:
        return sorted({address for place, address in self._feeds(plan).get(span.file, ()) if covers(place, span)})

    def _feeds(self, plan: Plan) -> dict[str, list[tuple[Span, Address]]]:
        """What the files of the repository feed in a root. The evaluation itself is dropped: there may be hundreds of roots."""
        if plan not in self._fed_by_plan:
            found = Root(self.files, plan, None).influences
            self._fed_by_plan[plan] = {file: [(feed.place, feed.address) for feed in each] for file, each in found.items()}
        return self._fed_by_plan[plan]

    def _reaching(self, file: str) -> set[str]:
        """Folders of roots and units that may read a file."""
        names = self._survey.names_of(file)
        if file.endswith(CODE):
            using = self._survey.upwards({name.rpartition("/")[0] or "." for name in names})
        else:
            using = self._survey.upwards({folder for name in names for folder in self._survey.readers(name)})
        if file.endswith(VAR_FILES):
            using |= {name.rpartition("/")[0] or "." for name in names}
        roots = {each for each in using if self._is_root(each)}
        return roots | {unit for unit in self._survey.units if self._unit_reads(unit, file, using)}

    def _is_root(self, folder: str) -> bool:
        """Whether a folder is planned by itself, and not only as the module of Terragrunt units."""
        is_module = any(module == folder != unit for unit, (module, _) in self._unit_files.items())
        return self._survey.is_root(folder) and (not is_module or folder in self._survey.loading)

    def _unit_reads(self, unit: str, file: str, using: set[str]) -> bool:
        found = self._unit_files.get(unit)
        return found is not None and (file in found[1] or found[0] in using)

    @cached_property
    def _unit_files(self) -> dict[str, tuple[str | None, set[str]]]:
        """The module folder of each Terragrunt unit, and the files that its configuration reads."""
        units = {folder: Root(self.files, Plan(folder), None).unit for folder in sorted(self._survey.units)}
        return {folder: (unit.module_folder, unit.files) for folder, unit in units.items() if unit}


def _is_below(file: str, folder: str) -> bool:
    return folder == "." or file.startswith(folder + "/")


def _above(folder: str) -> list[str]:
    parts = folder.split("/")
    return [".", *("/".join(parts[:count]) for count in range(1, len(parts)))]
