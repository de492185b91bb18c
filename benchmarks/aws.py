"""Metrics out of CloudWatch: requests, time beside what the server can give, and memory, for a day of many machines."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import REPOSITORY, Measurement, measure
from benchmarks.options import Options
from benchmarks.postgres import in_database, running_server

_MOST = 5_000
_SERIES, _POINTS, _PAGE = 10, 288, 100_800
_BIG, _SMALL, _ONE, _TWO = "eu-west-1", "eu-west-2", "us-east-1", "us-west-2"
_SLOWER = 0.3
Json = dict[str, Any]


def run(options: Options) -> list[Figure]:
    """A quarter of the resources as machines, 5,000 at most, with ten series each; and a fifth of them in each of two regions, of
    which one is slower."""
    many = min(_MOST, options.resources // 4)
    few, parts = many // 10, many // 5
    places = {_BIG: many, _SMALL: few, _ONE: parts, _TWO: parts}
    with tempfile.TemporaryDirectory(prefix="bench-") as root, running_server(Path(root) / "postgres") as dsn:
        measure("action_item_nights:database", server=dsn, name="audit")
        audit = in_database(dsn, "audit")
        measure("metrics_of_aws:database", dsn=audit)
        with _aws(places) as (where, say):
            night = _Nights(Path(root), audit, where)
            large, download, paged = [], [], []
            for _ in range(options.repeat):
                large.append(night.of([_BIG]))
                download.append(measure("metrics_of_aws:downloaded", **where, count=many, at_once=4))
                paged.append(measure("metrics_of_aws:paginated", **where, count=many))
            small = [night.of([_SMALL]) for _ in range(options.repeat)]
            # A request takes about a fifth of a second; a third more of it is a slower region.
            even, uneven = [], []
            for _ in range(options.repeat):
                even.append(night.of([_ONE, _TWO]))
                alone = even[-1].seconds / even[-1].result["calls"] * 4
                say(f"{_TWO}={_SLOWER * alone:.3f}")
                uneven.append(night.of([_ONE, _TWO]))
                say(f"{_TWO}=0")
    series = many * _SERIES
    least = -(-series * _POINTS // _PAGE)
    # Two lists of the agent's series, five hundred a page, are asked for besides.
    calls = [one.result["calls"] - -(-many // 500) - 1 for one in large]
    rows = [one.result["points"] / one.seconds for one in large]
    return [
        figures.figure(f"a day of {many:,} machines with {_SERIES} series: requests for points", calls, ""),
        figures.ratio("… requests / the fewest that the limits allow", calls, [float(least)] * len(calls), "≤ 1.05"),
        figures.ratio("requests of a client that asks metric by metric / ours", [float(series)] * len(calls), calls, "> 250"),
        figures.figure("… points a second", rows, "/s"),
        figures.ratio("… time / the same answers thrown away unread", _seconds(large), _seconds(download), "≈ 1"),
        figures.ratio("time of boto3's pages into a frame / ours", _seconds(paged), _seconds(large)),
        figures.peak("… peak memory", large, "flat"),
        figures.ratio("… peak memory / that of a tenth", _peaks(large), _peaks(small), "≈ 1"),
        figures.ratio("peak memory of boto3's pages / ours", _peaks(paged), _peaks(large)),
        figures.ratio("two regions, one 30 % slower / both alike", _seconds(uneven), _seconds(even), "≤ 1.3"),
    ]


class _Nights:
    """Nights in homes of their own."""

    def __init__(self, root: Path, dsn: str, where: Json) -> None:
        self._root, self._dsn, self._where, self._count = root, dsn, where, 0

    def of(self, regions: Sequence[str]) -> Measurement:
        """The metrics of the machines of some regions; what there is was read before."""
        self._count += 1
        asked = {"home": str(self._root / f"home-{self._count}"), "dsn": self._dsn, **self._where, "regions": list(regions)}
        measure("metrics_of_aws:inventory", **asked)
        return measure("metrics_of_aws:nightshift", **asked)


def _seconds(found: Sequence[Measurement]) -> list[float]:
    return [one.seconds for one in found]


def _peaks(found: Sequence[Measurement]) -> list[float]:
    return [one.peak_mb for one in found]


@contextmanager
def _aws(places: dict[str, int]) -> Iterator[tuple[Json, Callable[[str], str]]]:
    """Where an AWS is and what signs requests to it, and what tells it how to be."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.measured.metric_server",
        *(f"{region}={count}" for region, count in places.items()),
    ]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        told = stdout.readline()
        if not told:
            raise RuntimeError("The AWS of the benchmark did not start.")

        def say(line: str) -> str:
            stdin.write(f"{line}\n")
            stdin.flush()
            return stdout.readline().strip()

        try:
            yield json.loads(told), say
        finally:
            stdin.close()
            process.wait(60)
