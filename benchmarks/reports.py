"""The report: its page, its files and its pages beside it, for a small, a large and a huge number of resources."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import Contender, Measurement, alternate, measure
from benchmarks.options import Options

_DAY = "2025-03-09"
_FLEETS = 5  # times the fleet of the other subjects: 100,000 resources by default
_DAYS = 28
_PAGES = 5000  # what the settings allow unless they are told otherwise
_ALL = 200_000


def run(options: Options) -> list[Figure]:
    """Builds rollups and verdicts once for two fleets, and measures their reports in turn."""
    resources = options.resources * _FLEETS
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        homes = {"large": (str(Path(root) / "large"), resources), "small": (str(Path(root) / "small"), resources // 10)}
        for home, size in homes.values():
            measure("history:build_rollups", home=home, resources=size, days=_DAYS, decisions_per_day=2000, day=_DAY)
            measure("after_ingest_nightshift:verdicts", home=home, day=_DAY)
            measure("report_nights:follow", home=home, day=_DAY)
        large, small = homes["large"][0], homes["small"][0]
        found = alternate(
            {
                "large": Contender("report_nights:report", {"home": large, "day": _DAY, "pages": _PAGES}),
                "small": Contender("report_nights:report", {"home": small, "day": _DAY, "pages": _PAGES}),
                "every page": Contender("report_nights:report", {"home": large, "day": _DAY, "pages": _ALL}),
            },
            options.repeat,
        )
    big, every = found["large"], found["every page"]
    of_page = [one.result["page_bytes"] / 1e3 for one in big]
    per_page = [
        1e3 * (more.seconds - less.seconds) / max(1, more.result["resource_pages"] - less.result["resource_pages"])
        for more, less in zip(every, big, strict=True)
    ]
    return [
        figures.seconds(f"report of {resources:,} resources with {big[0].result['pages']:,} pages", big, "< 20"),
        figures.peak("… its peak memory", big, "< 1,500"),
        figures.figure("… size of its page", of_page, "kB", "< 1,500"),
        figures.figure("… size of everything", [one.result["folder_bytes"] / 1e6 for one in big], "MB"),
        figures.ratio("… its time to that of a tenth of the fleet", _seconds(big), _seconds(found["small"])),
        figures.seconds(f"the same with all {every[0].result['pages']:,} pages", every),
        figures.peak("… its peak memory", every),
        figures.figure("… a further page", per_page, "ms"),
    ]


def _seconds(measured: Sequence[Measurement]) -> list[float]:
    return [one.seconds for one in measured]
