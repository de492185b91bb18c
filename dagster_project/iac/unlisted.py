"""Variable files that Terraform does not load by itself, and that a run may name all the same."""

from __future__ import annotations

from dataclasses import replace

from dagster_project.iac.files import Files, Forbidden, join
from dagster_project.iac.roots import Root
from dagster_project.iac.values import CodeError, Scalar, Span, alternatives
from dagster_project.iac.variables import values_of

_MAX_FILES = 60
_MAX_DEPTH = 4


def unlisted_var_files(root: Root, address: str, path: tuple[str, ...], live: str, span: Span) -> tuple[str, ...]:
    """Files below the root that would give an address the same live value from another place than ``span``."""
    found = []
    for file in var_files_below(root):
        other = Root(root.files, replace(root.plan, var_files=(file,)), root.state)
        instance = other.instances.get(address)
        value = instance.value(path) if instance else None
        options = alternatives(value) if value else ()
        if {each.origin for each in options if isinstance(each, Scalar) and each.text == live} - {span}:
            found.append(file)
    return tuple(found)


def var_files_below(root: Root) -> list[str]:
    """Files below the root that set one of its variables and that Terraform loads only where they are named."""
    declared = set(root.module.configuration.variables)
    found = _candidates(root.files, root.folder, _MAX_DEPTH)[:_MAX_FILES]
    return [file for file in found if declared & _assigned(root.files, file)]


def _candidates(files: Files, folder: str, depth: int) -> list[str]:
    try:
        names = files.names(folder)
        below = files.folders(folder) if depth else ()
    except Forbidden:
        return []
    found = [
        join(folder, name)
        for name in names
        if name.endswith((".tfvars", ".tfvars.json"))
        and not name.endswith((".auto.tfvars", ".auto.tfvars.json"))
        and name not in ("terraform.tfvars", "terraform.tfvars.json")
    ]
    for each in below:
        found += _candidates(files, join(folder, each), depth - 1)
    return found


def _assigned(files: Files, path: str) -> set[str]:
    try:
        file = files.read(path)
        return set(values_of(files, file)) if file and not file.is_encrypted else set()
    except (CodeError, Forbidden):
        return set()
