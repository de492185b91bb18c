"""The PostgreSQL server of a benchmark: in a process of its own, so that it outlives every measurement."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import REPOSITORY

_PATIENCE_SECONDS = 60


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The DSN of an embedded server whose data is in ``folder``; it stops with the block."""
    command = [sys.executable, "-m", "benchmarks.measured.server", str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        dsn = process.stdout.readline().strip()
        if not dsn:
            raise RuntimeError("The embedded PostgreSQL of the benchmark did not start.")
        try:
            yield dsn
        finally:
            process.stdin.close()
            process.wait(_PATIENCE_SECONDS)


def in_database(dsn: str, name: str) -> str:
    """The same server's DSN, for another database."""
    return dsn.replace("/postgres?", f"/{name}?")
