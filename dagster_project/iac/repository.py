"""A repository's roots: which folders are planned on their own, and which of them read a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from dagster_project.iac.configuration import source_names
from dagster_project.iac.files import DOWNLOADED, Files, Forbidden, join, normal
from dagster_project.iac.roots import Plan, Root
from dagster_project.iac.state import State
from dagster_project.iac.terragrunt import FILE as TERRAGRUNT

_SOURCE = re.compile(rb'\bsource"?\s*[=:]\s*"(\.{1,2}(?:/[^"$]*)?)"')
_READS_FILES = re.compile(rb"\b(?:file|templatefile|fileset)\s*\(")
_NOT_DEPLOYED = frozenset(("examples", "example", "test", "tests", "fixtures", "testdata"))
"""Folders whose roots nobody deploys: the standard module structure's examples, and tests."""


class Repository:
    """A checkout. Roots that were evaluated are kept, so that further questions about them are answered at once."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._roots: dict[tuple[Plan, int], tuple[Root, State | None]] = {}
        self._others: dict[str, Root] = {}

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

    @cached_property
    def _folders(self) -> tuple[dict[str, set[str]], set[str], set[str]]:
        """Callers of each module folder; folders with code or a unit; those that read files or are units."""
        callers: dict[str, set[str]] = {}
        coded: set[str] = set()
        reading: set[str] = set()
        for folder, names in self._walk():
            sources = [name for name in names if name.endswith((".tf", ".tf.json"))]
            if sources or TERRAGRUNT in names:
                coded.add(folder)
            if TERRAGRUNT in names:
                reading.add(folder)
            for name in sources:
                data = self._bytes(folder, name)
                if _READS_FILES.search(data):
                    reading.add(folder)
                for found in _SOURCE.finditer(data):
                    target = normal(join(folder, found.group(1).decode("utf-8", "replace")))
                    if target is not None and target != folder:
                        callers.setdefault(self._real(target), set()).add(folder)
        return callers, coded, reading

    def _walk(self) -> Iterator[tuple[str, list[str]]]:
        top = str(self.files.root)
        for path, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name not in DOWNLOADED)
            relative = os.path.relpath(path, top)
            yield relative.replace(os.sep, "/"), names

    def _bytes(self, folder: str, name: str) -> bytes:
        path = Path(self.files.root, folder, name)
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def _real(self, folder: str) -> str:
        try:
            return self.files.real_path(folder)
        except Forbidden:
            return folder

    def _tops(self, start: set[str]) -> set[str]:
        """Folders from which calls lead to one of ``start`` and that nothing calls."""
        callers, _, _ = self._folders
        seen: set[str] = set()
        pending = list(start)
        tops: set[str] = set()
        while pending:
            folder = pending.pop()
            if folder in seen:
                continue
            seen.add(folder)
            above = callers.get(folder, set())
            if not above:
                tops.add(folder)
            pending += above
        return tops

    def other_roots(self, root: Root, file: str) -> list[Root]:
        """Roots beside ``root`` that may read a file, evaluated without a state. Roots of examples and tests are left out."""
        _, coded, reading = self._folders
        folder = file.rpartition("/")[0] or "."
        is_code = file.endswith((".tf", ".tf.json")) and not file.endswith(TERRAGRUNT)
        start = {folder, *self._linking(file)} if is_code else set(reading)
        units = {unit for unit in coded if TERRAGRUNT in self.files.names(unit)}
        found = []
        for candidate in sorted((self._tops(start) | units) - {root.plan.root}):
            if candidate in coded and not _NOT_DEPLOYED & set(candidate.split("/")):
                found.append(self._other(candidate))
        return found

    def _linking(self, file: str) -> set[str]:
        """Folders in which a link leads to the file."""
        return self._links.get(file, set())

    @cached_property
    def _links(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for folder in self._folders[1]:
            for name in source_names(self.files, folder):
                path = Path(self.files.root, folder, name)
                if path.is_symlink():
                    found.setdefault(self._real(name if folder == "." else f"{folder}/{name}"), set()).add(folder)
        return found

    def _other(self, folder: str) -> Root:
        if folder not in self._others:
            self._others[folder] = Root(self.files, Plan(folder), None)
        return self._others[folder]
