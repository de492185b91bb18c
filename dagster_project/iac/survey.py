"""What is known of a whole repository without parsing it: who calls whom, who reads what, where links lead.

Thousands of files are looked through as text once. What is found decides only which roots are evaluated; it may be too much,
and must not be too little.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dagster_project.iac.files import DOWNLOADED, MAX_FILE_BYTES, Files, Forbidden, join, normal
from dagster_project.iac.terragrunt import FILE as TERRAGRUNT

CODE = (".tf", ".tf.json")
VAR_FILES = (".tfvars", ".tfvars.json")
_AUTOMATIC = (".auto.tfvars", ".auto.tfvars.json")
_ALWAYS = ("terraform.tfvars", "terraform.tfvars.json")

_SOURCE = re.compile(rb'\bsource"?\s*[=:]\s*"(\.{1,2}(?:/[^"$]*)?)"')
_READING = re.compile(rb'\b(?:file\w*|templatefile)\s*\(\s*(?:\\?"((?:[^"\\]|\\.)*?)\\?"\s*[,)]|(path\.(?:module|root))\s*,)?')
_PLANNED = re.compile(rb'\bbackend\s*"|"backend"\s*:|\bcloud\s*\{')
_VARIABLE = re.compile(rb'\bvariable"?\s*[:{]?\s*\{?\s*"([^"]+)"')
_EXAMPLES = frozenset(("examples", "example"))
_TESTS = frozenset(("test", "tests", "fixtures"))
_INTERPOLATION = re.compile(r"\$\{[^{}]*\}")


class Survey:
    """One pass over a repository's folders.

    ``callers`` of each module folder; ``coded`` folders, with Terraform's code or a Terragrunt unit; ``units``; ``planned``
    folders, which are roots even if they are called, and ``loading`` ones, with variable files that are loaded by themselves;
    ``declared`` variables by folder; ``var_files`` that are not loaded by themselves.
    """

    def __init__(self, files: Files) -> None:
        self.callers: dict[str, set[str]] = {}
        self.coded: set[str] = set()
        self.units: set[str] = set()
        self.planned: set[str] = set()
        self.loading: set[str] = set()
        self.declared: dict[str, set[str]] = {}
        self.var_files: list[str] = []
        self._readings: dict[str, list[_Reading]] = {}
        self._links: dict[str, set[str]] = {}
        self._files = files
        for folder, names, links in self._walk():
            self._note_folder(folder, names, links)

    def _walk(self) -> Iterator[tuple[str, list[str], list[str]]]:
        """Folders, with the names of their files and of the links among files and folders."""
        top = str(self._files.root)
        for path, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name not in DOWNLOADED)
            links = [name for name in (*names, *folders) if Path(path, name).is_symlink()]
            yield os.path.relpath(path, top).replace(os.sep, "/"), sorted(names), links

    def _note_folder(self, folder: str, names: list[str], links: list[str]) -> None:
        for link in links:
            self._links.setdefault(self._real(_path(folder, link)), set()).add(_path(folder, link))
        sources = [name for name in names if name.endswith(CODE)]
        if TERRAGRUNT in names:
            self.units.add(folder)
        if sources or TERRAGRUNT in names:
            self.coded.add(folder)
        if any(name in _ALWAYS or name.endswith(_AUTOMATIC) or name == ".terraform.lock.hcl" for name in names):
            self.planned.add(folder)
        if any(name in _ALWAYS or name.endswith(_AUTOMATIC) for name in names):
            self.loading.add(folder)
        self.var_files += [
            _path(folder, name)
            for name in names
            if name.endswith(VAR_FILES) and not (folder in self.coded and (name in _ALWAYS or name.endswith(_AUTOMATIC)))
        ]
        for name in sources:
            self._note_source(folder, self._bytes(folder, name))

    def _note_source(self, folder: str, data: bytes) -> None:
        for source in _SOURCE.finditer(data):
            target = normal(join(folder, _text(source.group(1))))
            if target is not None and target != folder:
                self.callers.setdefault(self._real(target), set()).add(folder)
        for reading in _READING.finditer(data):
            text = reading.group(1)
            self._readings.setdefault(folder, []).append(_reading(None if text is None else _text(text)))
        if _PLANNED.search(data):
            self.planned.add(folder)
        self.declared.setdefault(folder, set()).update(_text(found.group(1)) for found in _VARIABLE.finditer(data))

    def _bytes(self, folder: str, name: str) -> bytes:
        path = Path(self._files.root, self._real(_path(folder, name)))
        try:
            is_readable = path.is_relative_to(self._files.root) and path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
            return path.read_bytes() if is_readable else b""
        except OSError:
            return b""

    def _real(self, path: str) -> str:
        try:
            return self._files.real_path(path)
        except Forbidden:
            return "/"

    def names_of(self, file: str) -> set[str]:
        """A file's path, and those by which links lead to it."""
        return {file} | {
            link + file[len(target) :]
            for target, links in self._links.items()
            if file == target or file.startswith(target + "/")
            for link in links
        }

    def upwards(self, start: set[str]) -> set[str]:
        """The folders and all those from which calls lead to one of them."""
        seen: set[str] = set()
        pending = list(start)
        while pending:
            folder = pending.pop()
            if folder not in seen:
                seen.add(folder)
                pending += self.callers.get(folder, ())
        return seen

    def is_root(self, folder: str) -> bool:
        """Whether a folder is planned on its own: nothing calls it, or it has what only roots have."""
        return folder in self.coded and (folder in self.planned or not self.callers.get(folder))

    def is_deployed(self, folder: str) -> bool:
        """Whether a folder is none of the examples or tests of a module, which has code above them; an environment may be called
        test."""
        names = folder.split("/")
        for number, name in enumerate(names):
            above = "/".join(names[:number]) or "."
            if name in _EXAMPLES or (name in _TESTS and above in self.coded):
                return False
        return True

    def readers(self, file: str) -> set[str]:
        """Folders whose code may read a file that is no code, by the paths that are written there."""
        found = set()
        for folder, readings in self._readings.items():
            bases = {"module": [folder], "root": self._roots_above(folder)}
            if any(reading.may_be(file, bases) for reading in readings):
                found.add(folder)
        return found

    def _roots_above(self, folder: str) -> list[str]:
        return [each for each in self.upwards({folder}) if self.is_root(each)] + sorted(self.units)

    def owner_of(self, file: str) -> str | None:
        """The nearest folder above a file that has code; None where there is none."""
        folder = file
        while folder != ".":
            folder = folder.rpartition("/")[0] or "."
            if folder in self.coded:
                return folder
        return None


def _path(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A path that code reads. ``path`` as it is seen from ``seen_from`` (module or root) where it is written out; otherwise
    ``name`` is the pattern of its last part, and ``folder`` what is written before a last part that is nothing but computed."""

    seen_from: str = "root"
    path: str | None = None
    name: re.Pattern[str] | None = None
    folder: str = ""

    def may_be(self, file: str, bases: Mapping[str, Iterable[str]]) -> bool:
        """Whether it may be a file, ``bases`` being the folders from which paths are seen."""
        if self.path is not None:
            return any(normal(join(base, self.path)) == file for base in bases[self.seen_from])
        if self.name is not None and not self.name.fullmatch(file.rpartition("/")[2]):
            return False
        if not self.folder:
            return True
        folders = [normal(join(base, self.folder)) for base in bases[self.seen_from]]
        return any(folder is None or folder == "." or file.startswith(folder + "/") for folder in folders)


def _reading(text: str | None) -> _Reading:
    """The path that a string in the code names. What is not written out may be any."""
    if text is None:
        return _Reading()
    seen_from = "root"
    for prefix, base in (("${path.module}/", "module"), ("${path.root}/", "root")):
        if text.startswith(prefix):
            seen_from, text = base, text.removeprefix(prefix)
            break
    head, *rest = _INTERPOLATION.split(text)
    if not rest:
        return _Reading(seen_from, path=text)
    last = ".*".join(re.escape(piece) for piece in _INTERPOLATION.split(_after_last_slash(text)))
    is_computed = last == ".*"
    return _Reading(seen_from, name=re.compile(last, re.DOTALL), folder=head.rpartition("/")[0] if is_computed else "")


def _after_last_slash(text: str) -> str:
    """The part of a path after its last slash that is in no interpolation."""
    masked = _INTERPOLATION.sub(lambda found: "$" * len(found.group()), text)
    return text[masked.rfind("/") + 1 :]
