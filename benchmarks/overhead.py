"""Overhead: what Dagster adds to a night, and how long a person waits for the command and for the definitions."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import REPOSITORY, Contender, Measurement, alternate, measure
from benchmarks.options import Options
from benchmarks.postgres import running_server

_DAY = "2025-03-09"
_SCALE = 0.1
_AT_LEAST = 5  # these are short, and a disturbance of a tenth of a second would show
_DEFINITIONS = "from dagster_project.definitions import defs; defs.resolve_job_def('nightly')"


def run(options: Options) -> list[Figure]:
    """Nights on a tenth of the demo fleet, and processes that only start."""
    repeat = options.repeat if options.repeat == 1 else max(_AT_LEAST, options.repeat)
    return [*_nights(repeat), *_starts(repeat)]


def _nights(repeat: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as root:
        folder = Path(root)
        with running_server(folder / "postgres") as dsn:
            measure("overhead:fill", dsn=dsn, scale=_SCALE)
            contenders = {
                name: Contender(f"overhead:{name}", {"dsn": dsn, "home": str(folder / name), "day": _DAY})
                for name in ("with_dagster", "plainly")
            }
            first = alternate(contenders, 1)  # reads the look-back, and creates Dagster's instance
            found = alternate(contenders, repeat)
    nights, plain = found["with_dagster"], found["plainly"]
    return [
        figures.figure("first night in a home, outside of its steps", _outside(first["with_dagster"]), "s"),
        figures.figure("a night, outside of its steps", _outside(nights), "s", "< 6"),
        figures.figure("a night, its steps", [one.result for one in nights], "s"),
        figures.ratio(
            "time, night with Dagster / steps and checks as plain calls",
            [one.seconds for one in nights],
            [one.seconds for one in plain],
        ),
        figures.peak("peak memory with Dagster", nights),
        figures.peak("peak memory of plain calls", plain),
    ]


def _outside(nights: list[Measurement]) -> list[float]:
    return [one.seconds - one.result for one in nights]


def _starts(repeat: int) -> list[Figure]:
    commands = {
        "help": ["-m", "dagster_project", "--help"],
        "click": ["-c", "import click"],
        "definitions": ["-c", _DEFINITIONS],
        "dagster": ["-c", "import dagster"],
    }
    for command in commands.values():
        _wall_seconds(command)  # compiles and caches what is not yet
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            found[name].append(_wall_seconds(command))
    return [
        figures.figure("nightshift --help, whole process", found["help"], "s", "< 0.4"),
        figures.ratio("time, nightshift --help / python -c 'import click'", found["help"], found["click"]),
        figures.figure("definitions and job in a fresh process", found["definitions"], "s", "< 1.5"),
        figures.ratio("time, definitions and job / python -c 'import dagster'", found["definitions"], found["dagster"]),
    ]


def _wall_seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
