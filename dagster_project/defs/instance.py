"""Dagster's home: created once, under a lock, before anything uses it.

Two processes that create Dagster's SQLite files at the same moment corrupt them, so the first start is serialised.
"""

import fcntl
import os
from pathlib import Path

import dagster as dg

from dagster_project.bundle import bundled
from dagster_project.errors import AccessDenied
from dagster_project.settings import Settings


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance in the settings' Dagster home. Raises ``AccessDenied`` where that folder cannot be written."""
    home = settings.dagster_home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".nightshift.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (home / "dagster.yaml").exists():
                (home / "dagster.yaml").write_bytes((bundled("templates") / "dagster.yaml").read_bytes())
            os.environ["DAGSTER_HOME"] = str(home)  # what Dagster starts by itself must find the same home
            instance = dg.DagsterInstance.from_config(str(home))
            instance.get_runs(limit=1)  # creates the SQLite files while the lock is held
            return instance
    except OSError as error:
        raise AccessDenied(
            f"Cannot write to {_existing(home)} ({error.strerror}); make it writable for this user, "
            "or point NIGHTSHIFT_HOME elsewhere."
        ) from None


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
