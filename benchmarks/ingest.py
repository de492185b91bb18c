"""Ingest: a day of samples out of PostgreSQL, against ADBC, against COPY itself, and against asyncpg's records."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.measure import Contender, Measurement, alternate, measure
from benchmarks.options import Options
from benchmarks.postgres import in_database, running_server

_DAY = "2025-03-09"
_SAMPLES_PER_DAY = 288
_NAIVE_TENTHS = 1


def run(options: Options) -> list[Figure]:
    """Fills a server twice, once with five-minute samples and once with twice as many, and measures on both."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as root:
        folder = Path(root)
        with running_server(folder / "postgres") as dsn:
            rows = _fill(dsn, "day", options.resources, _SAMPLES_PER_DAY)
            doubled = _fill(dsn, "doubled", options.resources, 2 * _SAMPLES_PER_DAY)
            for name in ("day", "doubled"):  # so that it is not the first contender who waits for the disk
                measure("ingest_asyncpg:copy_and_drop", dsn=in_database(dsn, name), day=_DAY)
            found = {name: [] for name in ("nightshift", "adbc", "adbc_memory", "copy", "records", "doubled")}
            for number in range(options.repeat):
                one = alternate(_contenders(dsn, folder / str(number)), 1)
                shutil.rmtree(folder / str(number))
                for name in found:
                    found[name] += one[name]
    _require_rows(found, rows, doubled)
    return _figures(found, rows, doubled)


def _fill(dsn: str, name: str, resources: int, samples_per_day: int) -> int:
    size = {"resources": resources, "samples_per_day": samples_per_day}
    return measure("feed:fill", dsn=dsn, database=name, day=_DAY, **size).result


def _contenders(dsn: str, folder: Path) -> dict[str, Contender]:
    homes = (str(folder / str(number)) for number in count())
    day, doubled = in_database(dsn, "day"), in_database(dsn, "doubled")
    return {
        "nightshift": Contender("ingest_nightshift:to_parquet", {"dsn": day, "home": next(homes), "day": _DAY}),
        "adbc": Contender("ingest_adbc:to_duckdb", {"dsn": day, "home": next(homes), "day": _DAY}),
        "adbc_memory": Contender("ingest_adbc:to_memory", {"dsn": day, "day": _DAY}),
        "copy": Contender("ingest_asyncpg:copy_and_drop", {"dsn": day, "day": _DAY}),
        "records": Contender(
            "ingest_asyncpg:fetch_to_parquet", {"dsn": day, "home": next(homes), "day": _DAY, "tenths": _NAIVE_TENTHS}
        ),
        "doubled": Contender("ingest_nightshift:to_parquet", {"dsn": doubled, "home": next(homes), "day": _DAY}),
    }


def _require_rows(found: dict[str, list[Measurement]], rows: int, doubled: int) -> None:
    """A contender that lost rows would win."""
    for name, expected in {"nightshift": rows, "adbc": rows, "adbc_memory": rows, "doubled": doubled}.items():
        assert all(one.result == expected for one in found[name]), f"{name} did not bring {expected} rows"


def _figures(found: dict[str, list[Measurement]], rows: int, doubled: int) -> list[Figure]:
    def rate(name: str, expected: int) -> list[float]:
        return [expected / one.seconds for one in found[name]]

    naive = [one.result / one.seconds for one in found["records"]]
    own, adbc, copy = rate("nightshift", rows), rate("adbc", rows), rate("copy", rows)
    return [
        figures.figure("Nightshift, PostgreSQL → sorted Parquet", own, "rows/s"),
        figures.figure("ADBC → DuckDB file, unsorted", adbc, "rows/s"),
        figures.figure("ADBC → DuckDB in memory, unsorted", rate("adbc_memory", rows), "rows/s"),
        figures.figure("COPY BINARY, thrown away", copy, "rows/s"),
        figures.figure("asyncpg records → Polars → sorted Parquet (a tenth of the rows)", naive, "rows/s"),
        figures.ratio("speed of Nightshift / ADBC → DuckDB file", own, adbc, "≥ 1.5"),
        figures.ratio("speed of Nightshift / ADBC → DuckDB in memory", own, rate("adbc_memory", rows), "≥ 1.5"),
        figures.ratio("time of Nightshift / COPY thrown away", copy, own, "≤ 1.6"),
        figures.ratio("speed of Nightshift / asyncpg records", own, naive),
        figures.peak("peak memory of Nightshift", found["nightshift"], "< 700"),
        figures.peak("peak memory of ADBC → DuckDB file", found["adbc"]),
        figures.peak("peak memory of ADBC → DuckDB in memory", found["adbc_memory"]),
        figures.peak("peak memory of asyncpg records, for a tenth of the rows", found["records"]),
        figures.peak("peak memory of Nightshift, day doubled", found["doubled"], "< 700"),
        figures.ratio(
            "peak memory, day doubled / day",
            [one.peak_mb for one in found["doubled"]],
            [one.peak_mb for one in found["nightshift"]],
            "≈ 1",
        ),
        figures.ratio("speed, day doubled / day", rate("doubled", doubled), own, "≈ 1"),
    ]
