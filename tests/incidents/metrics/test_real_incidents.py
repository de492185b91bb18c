"""The summary of real incidents against computations of its own: 508 of a public status page, 2022 to 2025."""

from __future__ import annotations

import json
import math
import random
import statistics
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.incidents.model import Incident, not_counted_because
from dagster_project.domain.incidents.statistics import change, describe, detectable_cut_pct
from dagster_project.domain.survival import Durations
from dagster_project.lake.incident_tables import INCIDENT_METRICS
from dagster_project.pipeline.runtime import Runtime
from tests.incidents.metrics.measured import Told, night, summaries, summary

FILE = Path(__file__).parents[4] / "shared" / "data" / "incidents" / "github_incidents.jsonl"
LAST = date(2025, 6, 30)
CUTS = {20: 70, 50: 53}
"""Incidents a period → the smallest cut of the median, in percent, that is seen four times in five."""
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the real incidents are not beside the repository")


@cache
def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def durations() -> Iterator[tuple[date, float]]:
    """Start and minutes, by the definition: at least two updates, no maintenance, from started_at to resolved_at."""
    for record in records():
        if record["impact"] != "maintenance" and len(record["updates"]) >= 2:
            started, resolved = (datetime.fromisoformat(record[name]) for name in ("started_at", "resolved_at"))
            yield started.date(), (resolved - started) / timedelta(minutes=1)


def told(record: dict[str, Any]) -> Told:
    started, resolved = (datetime.fromisoformat(record[name]).replace(tzinfo=None) for name in ("started_at", "resolved_at"))
    kind = "scheduled" if record["impact"] == "maintenance" else "normal"
    reason = not_counted_because(Incident(record["id"], record["title"], kind=kind))
    return Told(
        {"declared": str(started), "resolved": str(resolved)},
        incident_id=record["id"],
        evidence={"declared": [f"{record['id']}#0"], "resolved": [f"{record['id']}#{len(record['updates']) - 1}"]},
        record={"severity": record["impact"], "counts_in_metrics": reason is None, "not_counted_because": reason, "kind": kind},
    )


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return night(tmp_path_factory.mktemp("real"), [told(record) for record in records()], day=LAST)


@pytest.fixture(scope="module")
def rows(runtime: Runtime) -> list[dict[str, Any]]:
    return summaries(runtime, day=LAST)


def loop_interval(values: list[float], draws: int = 2000) -> tuple[float, float]:
    rng = random.Random(42)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(draws))
    return medians[50], medians[-51]


@pytest.mark.parametrize("period", ["all", "latest", "previous"])
def test_medians_and_intervals_are_those_of_an_independent_computation(period: str, rows: list[dict[str, Any]]) -> None:
    days = {"all": (date.min, LAST), "latest": (date(2025, 4, 2), LAST), "previous": (date(2025, 1, 2), date(2025, 4, 1))}
    first, last = days[period]
    values = [value for started, value in durations() if first <= started <= last]
    found = summary(rows, "ttres", period)
    assert found["measured"] == len(values)
    assert found["median_minutes"] == statistics.median(values)
    assert found["geometric_mean_minutes"] == pytest.approx(statistics.geometric_mean(values))
    low, high = loop_interval(values)
    assert found["median_low_minutes"] == pytest.approx(low, rel=0.1)
    assert found["median_high_minutes"] == pytest.approx(high, rel=0.1)


def test_maintenance_is_excluded_with_a_reason_and_single_updates_are_missing(
    runtime: Runtime, rows: list[dict[str, Any]]
) -> None:
    values = pl.read_parquet(runtime.lake.path(INCIDENT_METRICS, LAST)).filter(metric_id="ttres", clock="wall")
    maintenance = {record["id"] for record in records() if record["impact"] == "maintenance"}
    single = {record["id"] for record in records() if len(record["updates"]) == 1} - maintenance
    excluded, missing = values.filter(status="excluded"), values.filter(status="missing")
    assert set(excluded["incident_id"]) == maintenance
    assert set(excluded["reason"]) == {"scheduled maintenance"}
    assert set(missing["incident_id"]) == single
    assert set(missing["reason"]) == {"one record tells both ends, and not how long it took"}
    found = summary(rows, "ttres", "all")
    assert (found["incidents"], found["measured"], found["missing"], found["excluded"]) == (508, 476, 14, 18)


def test_maintenance_counted_in_would_have_doubled_the_mean() -> None:
    spans = [datetime.fromisoformat(record["resolved_at"]) - datetime.fromisoformat(record["started_at"]) for record in records()]
    alone = statistics.mean(value for _, value in durations())
    assert statistics.mean(span / timedelta(minutes=1) for span in spans) > 1.9 * alone


def test_without_any_change_the_mean_improves_and_the_sentence_does_not() -> None:
    """Two periods of 50 incidents out of one and the same history, 600 times."""
    pool = np.array([value for _, value in durations()])
    rng = np.random.default_rng(2025)
    improved = claimed = 0
    for number in range(600):
        before, now = rng.choice(pool, (2, 50))
        improved += now.mean() <= 0.9 * before.mean()
        found = change(describe(Durations.of(now), f"{number} now"), describe(Durations.of(before), f"{number} before"))
        claimed += found.is_shorter or found.is_longer
    assert improved / 600 == pytest.approx(0.39, abs=0.05)
    assert claimed / 600 <= 0.05


@pytest.mark.parametrize(("count", "cut_pct"), CUTS.items())
def test_the_smallest_detectable_cut_is_seen_four_times_in_five(count: int, cut_pct: float) -> None:
    """On the pooled durations. The cut is planted where there was none, and looked for by the very test of the sentence."""
    pool = np.array([value for _, value in durations()])
    rng = np.random.default_rng(count)
    pairs = [
        (describe(Durations.of(now), f"{n} now"), describe(Durations.of(before), f"{n} before"))
        for n in range(300)
        for now, before in [rng.choice(pool, (2, count))]
    ]
    cut = statistics.median(detectable_cut_pct(*pair) for pair in pairs)
    assert cut == pytest.approx(cut_pct, abs=2)
    seen = 0
    for number, (_, before) in enumerate(pairs):
        shorter = describe(Durations.of(rng.choice(pool, count) * (1 - cut / 100)), f"{number} shorter")
        seen += change(shorter, before).is_shorter
    assert seen / 300 == pytest.approx(0.8, abs=0.06)


def test_the_documentation_tells_what_is_computed_here(rows: list[dict[str, Any]]) -> None:
    page = " ".join((Path(__file__).parents[3] / "docs" / "incident-metrics.md").read_text(encoding="utf-8").split())
    values = [value for _, value in durations()]
    assert summary(rows, "ttres", "latest")["sentence"] in page
    assert f"of {len(values)} real incidents it is {statistics.mean(values):.0f} minutes" in page
    assert f"where the median is {statistics.median(values):.0f}" in page
    spread = statistics.stdev(map(math.log, values))
    for count, cut_pct in CUTS.items():
        by_logarithms = 100 * (1 - math.exp(-2.8016 * spread * math.sqrt(2 / count)))
        assert f"| {count} | {cut_pct} % | {by_logarithms:.0f} % |" in page
