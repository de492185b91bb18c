"""Terraform as the judge: a copy of a repository that the real `terraform plan` evaluates without a network.

Every resource becomes a `terraform_data` of Terraform's built-in provider whose `input` holds the resource's arguments, so the
plan tells the value of each argument at each address, and two plans tell which addresses an edit changes.

    result = twin.plan(twin.build(files, folder).folder, "env/prod", var_files=["prod.tfvars"], workspace="prod")
    result["module.app[\"a.b\"].aws_instance.web[0]"]   # {"instance_type": "m5.large", "root_block_device": [{"volume_size": 8}]}

How a resource is rewritten is told in ``twin_rewriting``.

What the twin cannot express is raised as `Unsupported` (files that tree-sitter cannot read, ephemeral resources) or is different
from reality: values are not converted to a provider's types (compare with `same`), data sources are never read, so what depends
on them stays unknown even where Terraform would read them while planning, and moved addresses are the new ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from tests.iac.twin_rewriting import SEPARATOR, PlanFailed, TwinError, rewrite

TERRAFORM: Final = shutil.which("terraform")
AVAILABLE: Final = TERRAFORM is not None


class _Unknown:
    """A value that Terraform knows only after it has applied; equal to itself."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
Plan = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """A built twin: where it stands, and what had to be left out of it."""

    folder: Path
    notes: tuple[str, ...] = ()


def build(files: Mapping[str, bytes] | Path, folder: Path) -> Twin:
    """Write the twin of a repository into a folder; a second call for the same folder replaces what it wrote before."""
    repository = read(files) if isinstance(files, Path) else dict(files)
    twins, notes = rewrite(repository)
    for path, content in twins.items():
        _write(folder / path, content)
    listing = folder / ".twin-files"
    if listing.exists():
        for path in set(listing.read_text().splitlines()) - set(twins):
            (folder / path).unlink(missing_ok=True)
    _write(listing, "\n".join(sorted(twins)).encode())
    return Twin(folder, notes)


def read(folder: Path) -> dict[str, bytes]:
    """A folder's files by their path in it; without .git and .terraform, and without links."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not {".git", ".terraform"} & set(path.relative_to(folder).parts)
    }


def plan(folder: Path | Twin, root: str = ".", *, var_files: Sequence[str] = (), workspace: str | None = None) -> Plan:
    """What each resource's arguments would be, by original address; raises PlanFailed with Terraform's message.

    Var files are relative to the root. Initializes a root once, and again only when a module call changed.
    """
    top = folder.folder if isinstance(folder, Twin) else folder
    home = top / root
    if not home.is_dir():
        raise PlanFailed(f"no folder {root}")
    _initialize(top, home)
    if workspace not in (None, "default"):
        (home / "terraform.tfstate.d" / str(workspace)).mkdir(parents=True, exist_ok=True)
    arguments = ["plan", "-input=false", "-refresh=false", "-lock=false", "-compact-warnings", "-out=.twin-plan"]
    _terraform(home, *arguments, *(f"-var-file={file}" for file in var_files), workspace=workspace)
    shown = json.loads(_terraform(home, "show", "-json", ".twin-plan", workspace=workspace))
    return dict(_addresses(shown))


def changed(before: Plan, after: Plan) -> set[str]:
    """The addresses of which an argument differs, and those that only one of the plans has."""
    return {address for address in before.keys() | after.keys() if before.get(address, _NONE) != after.get(address, _NONE)}


_NONE: Final = object()


def same(planned: Any, live: Any) -> bool:
    """Whether a planned value is the live one: 2 and "2" are the same to a provider, and so are true and "true"."""
    return _text(planned) == _text(live)


def value_at(arguments: Any, path: str) -> Any:
    """The value at a path like `mixed_instances_policy[0].launch_template[0].override[1].instance_type`, or KeyError."""
    value = arguments
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (LookupError, TypeError):
            raise KeyError(path) from None
    return value


@dataclass(slots=True)
class Batch:
    """Many repositories, or versions of one, in a single plan: each becomes a child module of a common root.

    Only for roots without tfvars files, workspace and `path.root`; `suits` tells.
    """

    folder: Path
    _roots: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def suits(files: Mapping[str, bytes], root: str, *, var_files: Sequence[str] = (), workspace: str | None = None) -> bool:
        def reads_root(path: str, content: bytes) -> bool:
            at_root = str(PurePosixPath(path).parent) == str(PurePosixPath(root))
            return (at_root and path.endswith((".tfvars", ".tfvars.json"))) or b"path.root" in content or b"path.cwd" in content

        return not var_files and not workspace and not any(reads_root(path, content) for path, content in files.items())

    def add(self, name: str, files: Mapping[str, bytes], root: str = ".") -> None:
        """Write one repository under a name that is a Terraform identifier."""
        build(files, self.folder / name)
        self._roots[name] = root

    def plan(self) -> dict[str, Plan]:
        """The plan of each added repository."""
        calls = [f'module "{name}" {{\n  source = "./{PurePosixPath(name, root)}"\n}}\n' for name, root in self._roots.items()]
        _write(self.folder / "main.tf", "".join(calls).encode())
        plans: dict[str, Plan] = {name: {} for name in self._roots}
        for address, value in plan(self.folder).items():
            _, name, rest = address.split(".", 2)
            plans[name][rest] = value
        return plans


# ---------------------------------------------------------------------------------------------------------------- Terraform


def _terraform(folder: Path, *arguments: str, workspace: str | None = None) -> str:
    if TERRAFORM is None:
        raise TwinError("terraform is not installed")
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": os.devnull,
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        **({"TF_WORKSPACE": workspace} if workspace else {}),
    }
    name, *rest = arguments
    command = [TERRAFORM, name, *([] if name == "show" else ["-no-color"]), *rest]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise PlanFailed((done.stderr or done.stdout).decode(errors="replace").strip())
    return done.stdout.decode()


def _initialize(top: Path, home: Path) -> None:
    """Let Terraform list the local modules, when the calls are not those of the last time."""
    calls = hashlib.sha256()
    any_call = False
    for path in sorted(top.rglob("*.tf*")):
        if path.suffix not in {".tf", ".json"} or ".terraform" in path.parts or "terraform.tfstate.d" in path.parts:
            continue
        content = path.read_bytes()
        if b"module" in content:
            any_call = True
            sources = re.findall(rb'\bmodule"?\s*[":{]|\bsource"?\s*[=:]\s*"[^"\n]*"|module\s+"?[\w-]+"?\s*\{', content)
            calls.update(b"\0".join([str(path).encode(), *([content] if path.suffix == ".json" else sources)]))
    if not any_call:
        return
    stamp = home / ".twin-init"
    if not stamp.exists() or stamp.read_text() != calls.hexdigest():
        _terraform(home, "init", "-backend=false", "-input=false", "-get=true")
        stamp.write_text(calls.hexdigest())


def _addresses(shown: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for change in shown.get("resource_changes", ()):
        if change["mode"] != "managed" or change["name"].startswith("data" + SEPARATOR):
            continue
        prefix = f"{change['module_address']}." if "module_address" in change else ""
        local = change["address"].removeprefix(prefix)
        after = change["change"]["after"] or {}
        unknown = change["change"].get("after_unknown") or {}
        value = _with_unknown(after.get("input"), unknown.get("input", False))
        if SEPARATOR in change["name"]:
            kind, _, name = change["name"].partition(SEPARATOR)
            local = f"{kind}.{name}" + local.removeprefix(f"terraform_data.{change['name']}")
        yield prefix + local, value


def _with_unknown(value: Any, unknown: Any) -> Any:
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        known = value if isinstance(value, dict) else {}
        return {key: _with_unknown(known.get(key), unknown.get(key, False)) for key in known.keys() | unknown.keys()}
    if isinstance(unknown, list):
        known_items = value if isinstance(value, list) else []
        length = max(len(known_items), len(unknown))
        padded, marks = [*known_items, *[None] * length], [*unknown, *[False] * length]
        return [_with_unknown(padded[index], marks[index]) for index in range(length)]
    return value


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format(value, "g") if float(value) != int(value) else str(int(value))
    if isinstance(value, list):
        return [_text(item) for item in value]
    if isinstance(value, dict):
        return {key: _text(item) for key, item in value.items()}
    return value


def _write(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def temporary() -> tempfile.TemporaryDirectory[str]:
    """A folder for a twin that nobody keeps."""
    return tempfile.TemporaryDirectory(prefix="twin-", ignore_cleanup_errors=True)
