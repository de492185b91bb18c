"""Action items: a night over many of them with their issues on a GitHub, and the same beside a tenth of them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import REPOSITORY, Measurement, measure
from benchmarks.options import Options
from benchmarks.postgres import in_database, running_server

_MOST = 50_000
_OPEN_SHARE = 0.4
_CLOSED_A_DAY = 100
_LIMIT = 5_000
"""Requests that GitHub takes in an hour."""
_PAGE = 100


def run(options: Options) -> list[Figure]:
    """Two and a half items for each resource, 50,000 at most, of which people close a hundred between two nights."""
    many = min(_MOST, options.resources * 5 // 2)
    with tempfile.TemporaryDirectory(prefix="bench-") as root, running_server(Path(root) / "postgres") as dsn:
        few = _nights(Path(root), "few", dsn, many // 10, options.repeat)
        all_of_them = _nights(Path(root), "all", dsn, many, options.repeat)
    own, small = ([one.result["own"] for one in found] for found in (all_of_them, few))
    requests = [float(one.result["requests"]) for one in all_of_them]
    # Those that are open, those that were closed, each once more for who closed it, and two for the repository.
    least = int(many * _OPEN_SHARE) // _PAGE + 2 * _CLOSED_A_DAY // _PAGE + _CLOSED_A_DAY + 2
    return [
        figures.figure(f"a night over {many:,} items, {_CLOSED_A_DAY} closed: own processor time", own, "s", "< 10"),
        figures.seconds("… whole, with the answers of the server", all_of_them),
        figures.figure("… requests", requests, "", f"< {_LIMIT:,} an hour"),
        figures.ratio("… requests / those that the lists and closings need", requests, [float(least)] * len(requests), "≈ 1"),
        figures.peak("… peak memory", all_of_them, "< 1000"),
        figures.ratio("own processor time, all / a tenth", own, small, "≤ 10"),
    ]


def _nights(root: Path, name: str, dsn: str, count: int, repeat: int) -> list[Measurement]:
    still_open = int(count * _OPEN_SHARE)
    with _issues(count, still_open) as (url, close):
        measure("action_item_nights:database", server=dsn, name=name)
        where = {"home": str(root / name), "dsn": in_database(dsn, name), "url": url}
        measure("action_item_nights:build", **where, count=count, still_open=still_open)
        found = []
        for number in range(1, repeat + 2):
            close(_CLOSED_A_DAY)
            found.append(measure("action_item_nights:night", **where, number=number, count=count, still_open=still_open))
    return found[1:]  # the first one sees every issue for the first time


@contextmanager
def _issues(count: int, still_open: int) -> Iterator[tuple[str, Callable[[int], None]]]:
    """The address of a GitHub with issues, and what closes some."""
    command = [sys.executable, "-m", "benchmarks.measured.issue_server", str(count), str(still_open)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        url = stdout.readline().strip()
        if not url:
            raise RuntimeError("The GitHub of the benchmark did not start.")

        def close(number: int) -> None:
            stdin.write(f"{number}\n")
            stdin.flush()
            stdout.readline()

        try:
            yield url, close
        finally:
            stdin.close()
            process.wait(60)
