"""Verdicts: from the rollups of a large fleet to its verdicts, and a backtest of eleven weeks with all peers' rules."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import Contender, alternate, measure
from benchmarks.options import Options

_DAY = "2025-03-09"
_FLEETS = 5  # times the fleet of the other subjects: 100,000 resources by default
_TRACED_SHARE = 0.0155  # of it: 310 machines by default, whose eleven weeks are 3,410 windows
_DAYS = 100


def run(options: Options) -> list[Figure]:
    """Builds rollups and traces once, and measures the verdicts and the backtest on them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        home, traces = str(Path(root) / "home"), str(Path(root) / "traces")
        resources, machines = options.resources * _FLEETS, max(10, int(options.resources * _TRACED_SHARE))
        measure("history:build_rollups", home=home, resources=resources, days=28, decisions_per_day=2000, day=_DAY)
        size = measure("traces:build", folder=traces, machines=machines, days=_DAYS, last=_DAY).result
        found = alternate(
            {
                "verdicts": Contender("after_ingest_nightshift:verdicts", {"home": home, "day": _DAY}),
                "backtest": Contender("traces:backtest", {"folder": traces}),
            },
            options.repeat,
        )
    verdicts, backtest = found["verdicts"], found["backtest"]
    samples = f"{size['samples'] / 1e6:.1f} million samples"
    return [
        figures.seconds(f"verdicts for {resources:,} resources from 28 days of rollups", verdicts, "< 30"),
        *(figures.figure(f"… of that, {step}", [one.result[step] for one in verdicts], "s") for step in verdicts[0].result),
        figures.peak("peak memory of that", verdicts, "< 3,000"),
        figures.seconds(f"backtest of {size['windows']:,} windows over {samples}, 30 rules, 21 variants", backtest, "< 60"),
        figures.peak("peak memory of the backtest", backtest, "< 2,000"),
    ]
