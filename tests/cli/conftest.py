"""The command as a user runs it: a process of its own, with the environment of a fresh shell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
Nightshift = Callable[..., subprocess.CompletedProcess]


def run(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess:
    """Runs ``nightshift`` with a home of its own; further keywords are environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "dagster_project", *arguments],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("NIGHTSHIFT_", "DAGSTER_"))},
            "PYTHONPATH": str(REPOSITORY),
            "NIGHTSHIFT_HOME": str(home),
            "NIGHTSHIFT_REPORTS": str(home / "reports"),
            **environment,
        },
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


def copy_of(home: Path, to: Path) -> Path:
    """A copy of a home, with its owners: the embedded server refuses a folder that is not its own."""
    subprocess.run(["cp", "-a", str(home), str(to)], check=True)
    return to


@pytest.fixture
def nightshift(tmp_path: Path) -> Nightshift:
    """The command in a home that is gone after the test."""
    return lambda *arguments, **environment: run(*arguments, home=tmp_path / "home", **environment)
