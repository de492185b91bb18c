"""What a person names on the command line, as paths of the repository."""

from __future__ import annotations

import os
from pathlib import Path

from dagster_project.errors import InputError
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan


def plan_of(repository: Repository, root: str, workspace: str | None, var_files: tuple[str, ...]) -> Plan:
    """The root and its variable files. Paths may be absolute, or relative to the working directory, the repository or (files)
    the root; inside the repository a dot is the working directory. One that could mean several is refused.
    Raises ``InputError``."""
    folder = _one(repository, root, (Path.cwd(), repository.files.root), "--root", is_folder=True)
    bases = (repository.files.root / folder, Path.cwd(), repository.files.root)
    return Plan(folder, workspace, tuple(_one(repository, each, bases, "--var-file", is_folder=False) for each in var_files))


def file_of(repository: Repository, name: str, option: str) -> str:
    """A file of the repository, absolute or relative to the working directory or the repository. Raises ``InputError``."""
    return _one(repository, name, (Path.cwd(), repository.files.root), option, is_folder=False)


def _one(repository: Repository, name: str, bases: tuple[Path, ...], option: str, *, is_folder: bool) -> str:
    what = "folder" if is_folder else "file"
    there = []
    is_from_here = name.startswith(".") and Path.cwd().is_relative_to(repository.files.root)
    for base in (Path.cwd(),) if is_from_here else bases:
        path = os.path.realpath(base / name)
        if _is_there(path, is_folder) and path not in there:
            there.append(path)
    if not there:
        raise InputError(f"There is no {what} {name}; name with {option} one that exists in the repository.")
    inside = [path for path in there if Path(path).is_relative_to(repository.files.root)]
    if not inside:
        raise InputError(f"{name} lies outside of the repository {repository.files.root}; name a {what} in it with {option}.")
    if len(inside) > 1:
        raise InputError(f"{name} may mean {' or '.join(inside)}; write the absolute path for {option}.")
    return Path(inside[0]).relative_to(repository.files.root).as_posix()


def _is_there(path: str, is_folder: bool) -> bool:
    try:
        return Path(path).is_dir() if is_folder else Path(path).is_file()
    except OSError:
        # A name that no file can have.
        return False


def read_bytes(path: str, option: str) -> bytes:
    """The bytes of a file anywhere. Raises ``InputError``."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"The file {path} cannot be read ({error.strerror}); name with {option} one that can.") from None
