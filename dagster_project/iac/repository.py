"""A repository's roots: which folders are planned on their own, and which of them a literal reaches."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dagster_project.iac.files import DOWNLOADED, Files, Forbidden, join, normal
from dagster_project.iac.roots import Plan, Root, covers
from dagster_project.iac.state import State
from dagster_project.iac.terragrunt import FILE as TERRAGRUNT
from dagster_project.iac.unlisted import var_files_below
from dagster_project.iac.values import Span

_CODE = (".tf", ".tf.json")
_SOURCE = re.compile(rb'\bsource"?\s*[=:]\s*"(\.{1,2}(?:/[^"$]*)?)"')
_READING = re.compile(rb'\b(?:file\w*|templatefile)\s*\(\s*(?:\\?"((?:[^"\\]|\\.)*?)\\?"\s*[,)]|(path\.(?:module|root))\s*,)?')
_INTERPOLATION = re.compile(r"\$\{[^{}]*\}")
_NOT_DEPLOYED = frozenset(("examples", "example", "test", "tests", "fixtures", "testdata"))
"""Folders whose roots nobody deploys: the standard module structure's examples, and tests."""


@dataclass(slots=True)
class _Folders:
    """What is known of the repository without parsing it. ``readings`` are the paths, as patterns, that a folder's code reads:
    seen from the folder itself, from the root that is planned, or anywhere; ``links`` the paths of links by what they lead to."""

    callers: dict[str, set[str]] = field(default_factory=dict)
    coded: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    readings: dict[str, list[tuple[str, re.Pattern[str]]]] = field(default_factory=dict)
    links: dict[str, set[str]] = field(default_factory=dict)


class Repository:
    """A checkout. Roots that were evaluated are kept, so that further questions about them are answered at once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._roots: dict[tuple[Plan, int], tuple[Root, State | None]] = {}
        self._fed_by_plan: dict[Plan, dict[str, list[tuple[Span, str]]]] = {}

    @classmethod
    def open(cls, folder: Path) -> Repository:
        """Raises ``InputError`` where the folder is none."""
        return cls(Files.open(folder))

    def root(self, plan: Plan, state: State | None) -> Root:
        """The root, evaluated with a state."""
        key = (plan, id(state))
        if key not in self._roots:
            # The state is kept beside the root: its id stands for it only as long as it lives.
            self._roots[key] = (Root(self.files, plan, state), state)
        return self._roots[key][0]

    def fed_in_other_roots(self, root: Root, span: Span) -> tuple[str, ...]:
        """``root: address`` for each address that a literal feeds in roots beside ``root``, evaluated without a state.

        Roots of examples and tests are left out.
        """
        return tuple(
            f"{folder}: {address}"
            for folder in sorted(self._reaching(span.file) - {root.plan.root})
            if folder in self._folders.coded and not _NOT_DEPLOYED & set(folder.split("/"))
            for address in self._fed(Plan(folder), span)
        )

    def fed_in_other_plans(self, root: Root, span: Span) -> tuple[str, ...]:
        """``file: address`` for each address that a literal feeds where the same root is planned with another variable file."""
        return tuple(
            f"{file}: {address}"
            for file in var_files_below(root)
            if file not in root.plan.var_files
            for address in self._fed(replace(root.plan, var_files=(file,)), span)
        )

    def _fed(self, plan: Plan, span: Span) -> list[str]:
        return sorted({address for place, address in self._feeds(plan).get(span.file, ()) if covers(place, span)})

    def _feeds(self, plan: Plan) -> dict[str, list[tuple[Span, str]]]:
        """What the files of the repository feed in a root. The evaluation itself is dropped: there may be hundreds of roots."""
        if plan not in self._fed_by_plan:
            feeds = Root(self.files, plan, None).feeds
            self._fed_by_plan[plan] = {file: [(feed.place, feed.address) for feed in each] for file, each in feeds.items()}
        return self._fed_by_plan[plan]

    def _reaching(self, file: str) -> set[str]:
        """Folders of roots and units that may read a file."""
        names = self._names_of(file)
        if file.endswith(_CODE):
            using = self._upwards({name.rpartition("/")[0] or "." for name in names})
        else:
            using = self._upwards({folder for name in names for folder in self._readers(name)})
        tops = {each for each in using if not self._folders.callers.get(each)}
        return tops | {unit for unit in self._folders.units if self._unit_reads(unit, file, using)}

    def _names_of(self, file: str) -> set[str]:
        """A file's path, and those by which links lead to it."""
        return {file} | {
            link + file[len(target) :]
            for target, links in self._folders.links.items()
            if file == target or file.startswith(target + "/")
            for link in links
        }

    def _unit_reads(self, unit: str, file: str, using: set[str]) -> bool:
        found = self._unit_files.get(unit)
        return found is not None and (file in found[1] or found[0] in using)

    @cached_property
    def _unit_files(self) -> dict[str, tuple[str | None, set[str]]]:
        """The module folder of each Terragrunt unit, and the files that its configuration reads."""
        units = {folder: Root(self.files, Plan(folder), None).unit for folder in sorted(self._folders.units)}
        return {folder: (unit.module_folder, unit.files) for folder, unit in units.items() if unit}

    def _readers(self, file: str) -> Iterator[str]:
        """Folders whose code may read a file that is no code, by the paths that are written there."""
        for folder, patterns in self._folders.readings.items():
            for seen_from, pattern in patterns:
                bases = {"module": [folder], "root": self._tops(folder)}.get(seen_from, [""])
                if any(pattern.fullmatch(_seen_from(base, file)) for base in bases):
                    yield folder
                    break

    def _tops(self, folder: str) -> list[str]:
        return [each for each in self._upwards({folder}) if not self._folders.callers.get(each)] + sorted(self._folders.units)

    def _upwards(self, start: set[str]) -> set[str]:
        """The folders and all those from which calls lead to one of them."""
        seen: set[str] = set()
        pending = list(start)
        while pending:
            folder = pending.pop()
            if folder not in seen:
                seen.add(folder)
                pending += self._folders.callers.get(folder, ())
        return seen

    @cached_property
    def _folders(self) -> _Folders:
        found = _Folders()
        for folder, names, links in self._walk():
            for link in links:
                path = link if folder == "." else f"{folder}/{link}"
                found.links.setdefault(self._real(path), set()).add(path)
            sources = [name for name in names if name.endswith(_CODE)]
            if TERRAGRUNT in names:
                found.units.add(folder)
            if sources or TERRAGRUNT in names:
                found.coded.add(folder)
            for name in sources:
                self._note(found, folder, self._bytes(folder, name))
        return found

    def _note(self, found: _Folders, folder: str, data: bytes) -> None:
        for source in _SOURCE.finditer(data):
            target = normal(join(folder, source.group(1).decode("utf-8", "replace")))
            if target is not None and target != folder:
                found.callers.setdefault(self._real(target), set()).add(folder)
        for reading in _READING.finditer(data):
            text = reading.group(1)
            found.readings.setdefault(folder, []).append(_pattern(None if text is None else text.decode("utf-8", "replace")))

    def _walk(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Folders, with the names of their files and of the links among files and folders."""
        top = str(self.files.root)
        for path, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name not in DOWNLOADED)
            links = [name for name in (*names, *folders) if Path(path, name).is_symlink()]
            yield os.path.relpath(path, top).replace(os.sep, "/"), sorted(names), links

    def _bytes(self, folder: str, name: str) -> bytes:
        try:
            return Path(self.files.root, folder, name).read_bytes()
        except OSError:
            return b""

    def _real(self, folder: str) -> str:
        try:
            return self.files.real_path(folder)
        except Forbidden:
            return folder


def _pattern(text: str | None) -> tuple[str, re.Pattern[str]]:
    """From where a path in the code is seen, and which paths it may be. What is not written out may be any."""
    if text is None:
        return "anywhere", re.compile(".*", re.DOTALL)
    seen_from = "root"
    for prefix, base in (("${path.module}/", "module"), ("${path.root}/", "root"), ("./", "root")):
        if text.startswith(prefix):
            seen_from, text = base, text.removeprefix(prefix)
            break
    if text.startswith(("${", "/")):
        seen_from = "anywhere"
    pieces = [re.escape(piece) for piece in _INTERPOLATION.split(text)]
    return seen_from, re.compile(".*".join(pieces), re.DOTALL)


def _seen_from(base: str, file: str) -> str:
    return os.path.relpath(file, base).replace(os.sep, "/") if base else file
