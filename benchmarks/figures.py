"""Figures: the median of repeated measurements with their spread, beside the target; as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.measure import Measurement

_PACKAGES = ("adbc-driver-postgresql", "asyncpg", "dagster", "duckdb", "numpy", "polars")


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``unit`` is "×" for a ratio; ``low`` and ``high`` are the extremes of the repetitions."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    target: str = ""


def figure(name: str, values: Sequence[float], unit: str, target: str = "") -> Figure:
    """The median of ``values`` with their extremes."""
    return Figure(name, median(values), unit, min(values), max(values), target)


def seconds(name: str, measured: Sequence[Measurement], target: str = "") -> Figure:
    """Wall time."""
    return figure(name, [one.seconds for one in measured], "s", target)


def peak(name: str, measured: Sequence[Measurement], target: str = "") -> Figure:
    """Peak resident memory."""
    return figure(name, [one.peak_mb for one in measured], "MB", target)


def ratio(name: str, above: Sequence[float], below: Sequence[float], target: str = "") -> Figure:
    """``above / below``, pair by pair: the two of a pair ran one right after the other."""
    return figure(name, [a / b for a, b in zip(above, below, strict=True)], "×", target)


def table(subjects: Mapping[str, Sequence[Figure]]) -> str:
    """All figures as one Markdown table, which also reads well in a terminal."""
    header = ("figure", "median", "spread", "target")
    rows = [
        (f"{subject}: {one.name}", _number(one.value, one.unit), _spread(one), one.target)
        for subject, figures in subjects.items()
        for one in figures
    ]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [header, tuple("-" * width for width in widths), *rows]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def save(folder: Path, subject: str, figures: Sequence[Figure], settings: Mapping[str, object]) -> Path:
    """Writes ``<folder>/<subject>.json``: figures, sizes, versions and the number of cores; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{subject}.json"
    content = {
        "settings": dict(settings),
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "versions": {name: version(name) for name in _PACKAGES},
        "figures": [asdict(one) for one in figures],
    }
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _spread(one: Figure) -> str:
    return _number(one.low) if one.low == one.high else f"{_number(one.low)} – {_number(one.high)}"


def _number(value: float, unit: str = "") -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
