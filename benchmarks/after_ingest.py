"""After the ingest: the rest of a night, against exact percentiles from raw samples, and with a growing history."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import Contender, Measurement, alternate, measure
from benchmarks.options import Options

_DAY = "2025-03-09"
_DECISIONS_PER_DAY = 2000
_SHORT, _LONG = 28, 90
_PERCENTAGES = ("cpu_avg_pct", "cpu_max_pct", "mem_avg_pct", "mem_max_pct")
_VOLUMES = ("net_out_bytes", "disk_write_ops")


def run(options: Options) -> list[Figure]:
    """Builds homes with 7, 28 and 90 days of rollups and measures the same night in each."""
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        homes = {days: str(Path(root) / f"home-{days}") for days in (7, _SHORT, _LONG)}
        size = {"resources": options.resources, "decisions_per_day": _DECISIONS_PER_DAY}
        measure("history:build", home=homes[7], day=_DAY, **size)
        for days in (_SHORT, _LONG):
            measure("history:lengthen", home=homes[7], target=homes[days], days=days, day=_DAY)
        night = "after_ingest_nightshift:night"
        found = alternate(
            {
                "7 days": Contender(night, {"home": homes[7], "day": _DAY}),
                "exact": Contender("after_ingest_alternative:exact_quantiles", {"home": homes[7]}),
                "28 days": Contender(night, {"home": homes[_SHORT], "day": _DAY}),
                "90 days": Contender(night, {"home": homes[_LONG], "day": _DAY}),
            },
            options.repeat,
        )
        wanted = [*_PERCENTAGES, *_VOLUMES]
        errors = measure("after_ingest_nightshift:accuracy", home=homes[7], day=_DAY, metrics=wanted).result
    return [*_times(found), *_against_exact(found), *_accuracy(errors)]


def _times(found: dict[str, list[Measurement]]) -> list[Figure]:
    nights = found["28 days"]
    return [
        figures.seconds("a night, 28 days of history", nights, "< 10"),
        *(figures.figure(f"… of that, {step}", [one.result[step] for one in nights], "s") for step in nights[0].result),
        figures.peak("peak memory, 28 days of history", nights),
        figures.peak("peak memory, 90 days of history", found["90 days"]),
        figures.ratio("time, 90 days of history / 28", _seconds(found["90 days"]), _seconds(nights), "≈ 1"),
        figures.ratio("time, 28 days of history / 7", _seconds(nights), _seconds(found["7 days"])),
    ]


def _against_exact(found: dict[str, list[Measurement]]) -> list[Figure]:
    own = [one.result["daily rollup"] + one.result["windows"] for one in found["7 days"]]
    exact = found["exact"]
    return [
        figures.figure("percentiles of 12 metrics: rollup of the new day, then windows over 7 days", own, "s"),
        figures.seconds("exact percentiles of 4 metrics from 7 days of raw samples, DuckDB", exact),
        figures.ratio("time, exact / Nightshift", _seconds(exact), own),
        figures.peak("peak memory, exact", exact),
        figures.ratio("peak memory, exact / Nightshift", _peaks(exact), _peaks(found["7 days"])),
    ]


def _accuracy(errors: dict[str, float]) -> list[Figure]:
    percentages, volumes = (100 * max(errors[name] for name in names) for names in (_PERCENTAGES, _VOLUMES))
    return [
        figures.figure("largest error of a percentile of CPU or memory", [percentages], "%", "≤ 1"),
        figures.figure("largest error of a percentile of network or disk", [volumes], "%", "≤ 4"),
    ]


def _peaks(measured: list[Measurement]) -> list[float]:
    return [one.peak_mb for one in measured]


def _seconds(measured: list[Measurement]) -> list[float]:
    return [one.seconds for one in measured]
