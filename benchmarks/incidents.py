"""Incidents: the first night of a long history, an ordinary night after it, and the same beside a tenth of the history."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import Contender, alternate, measure
from benchmarks.options import Options

_EVENTS = 100
_MOST = 10_000


def run(options: Options) -> list[Figure]:
    """Half as many incidents as resources, 10,000 at most, and a tenth of them beside it."""
    many = min(_MOST, options.resources // 2)
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        homes = {count: str(Path(root) / f"incidents-{count}") for count in (many // 10, many)}
        for count, home in homes.items():
            measure("incident_nights:build", home=home, incidents=count, events=_EVENTS)
        few, all_of_them = homes.values()
        small = measure("incident_nights:first_night", home=few)
        first = measure("incident_nights:first_night", home=all_of_them)
        found = alternate(
            {
                "tenth": Contender("incident_nights:next_night", {"home": few}),
                "all": Contender("incident_nights:next_night", {"home": all_of_them}),
                "document": Contender(
                    "incident_nights:one_document", {"home": all_of_them, "incident_id": f"INC-{many - 1:05d}"}
                ),
            },
            options.repeat,
        )
    nights, tenth = ([one.seconds for one in found[name]] for name in ("all", "tenth"))
    return [
        figures.seconds(f"the first night of {many:,} incidents with {many * _EVENTS:,} events", [first], "< 60"),
        *(figures.figure(f"… of that, {step}", [first.result[step]], "s") for step in first.result),
        figures.peak("peak memory of it", [first], "< 2000"),
        figures.ratio("time, first night of all / of a tenth", [first.seconds], [small.seconds], "≤ 10"),
        figures.seconds("a night with 30 new incidents after it", found["all"], "< 60"),
        figures.peak("peak memory of it", found["all"]),
        figures.ratio("time, 30 new after all / after a tenth", nights, tenth, "≈ 1"),
        figures.seconds("one document again", found["document"], "< 1"),
    ]
