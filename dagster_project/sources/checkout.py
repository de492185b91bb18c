"""A checkout on this machine: which commit it is at, and whether its files are those of that commit."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import InputError

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class CheckoutHead:
    """The commit of a checkout; ``is_clean`` where no file differs from it and none was added."""

    sha: str
    is_clean: bool


def head_of(folder: Path) -> CheckoutHead | None:
    """The commit that a folder is a checkout of; None where it is no Git repository, or Git is not installed.

    Raises ``InputError`` where there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"There is no checkout {folder}; correct the setting, or leave it out to have it fetched.")
    sha = _git(folder, "rev-parse", "--verify", "HEAD")
    if sha is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=all")
    return CheckoutHead(sha.strip(), changed == "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What Git prints; None where it fails. Git's hooks, pagers and locks are left out of it."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and nothing of it comes from a repository
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
