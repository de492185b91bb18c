"""A rule cannot see the future: whatever happens from a moment on, the answers up to it are the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dagster_project.pipeline.backtest_report import answers
from tests.backtest_builders import DAY, HOUR, RULES, Export, Row, bytes_of, decision, machine, moment, samples

MOMENTS = [moment(8), moment(13, 10.5 * HOUR), moment(24, HOUR + 300)]
"""Midnights and moments amid a day, where half of the day is past."""

MACHINES = [
    machine("i-five", tags='{"service": "web"}'),
    machine("i-hourly", instance_type="m5.4xlarge", vcpu=16.0, mem_gib=64.0, tags='{"service": "web"}'),
    machine("i-blind", memory_known=False, tags='{"service": "batch"}'),
    machine("i-mixed", tags='{"service": "batch"}'),
    machine("i-off"),
    machine("i-late", region="eu-central-1"),
    machine("i-new"),
]
VALUES = [
    "cpu_pct",
    "cpu_max_pct",
    "mem_used_pct",
    "mem_max_pct",
    "net_in_bytes",
    "net_out_bytes",
    "disk_read_bytes",
    "disk_write_bytes",
]
Poison = Callable[[pl.DataFrame], pl.DataFrame]


def utilization() -> pl.DataFrame:
    """Uneven demand: five minutes, an hour, averages only, five minutes and then one, off at times, late in two sources."""
    random = np.random.default_rng(7)

    def noisy(name: str, days: float, every: int, since: int = 0, **columns: object) -> pl.DataFrame:
        size = int(days * DAY) // every

        def numbers(low: float, high: float) -> np.ndarray:
            return random.uniform(low, high, size)

        given = {
            "source": "lab",
            "cpu_pct": numbers(2, 30),
            "mem_used_pct": numbers(10, 30),
            "net_in_bytes": numbers(0, 1e9) * every / HOUR,
            "net_out_bytes": numbers(0, 1e9) * every / HOUR,
            "disk_read_bytes": numbers(0, 1e9) * every / HOUR,
            "disk_write_bytes": numbers(0, 1e9) * every / HOUR,
            "cpu_max_pct": np.full(size, np.nan),
            "mem_max_pct": np.full(size, np.nan),
            **columns,
        }
        frame = samples(name, days, every, since, **given)
        return frame.with_columns(pl.col("cpu_max_pct", "mem_max_pct").fill_nan(None)).select(sorted(frame.columns))

    size = 28 * DAY // 300
    frames = [
        noisy("i-five", 28, 300, cpu_max_pct=random.uniform(30, 45, size), mem_max_pct=random.uniform(30, 40, size)),
        noisy("i-hourly", 28, HOUR, vcpu=16.0, mem_gib=64.0),
        noisy("i-blind", 28, 300),
        noisy("i-mixed", 13.3, 300),
        noisy("i-mixed", 14, 60, since=int(13.3 * DAY)),
        noisy("i-off", 28, 300, vcpu=np.where(np.arange(size) // 288 % 7 > 4, 0.0, 8.0)),
        noisy("i-late", 18, 300, since=10 * DAY, source="other"),
        noisy("i-new", 18, HOUR, since=10 * DAY),
    ]
    return pl.concat(frames)


def decisions() -> list[Row]:
    return [
        decision("d-1", moment(3, 40), "i-five", event_id="e-1"),
        decision("d-2", moment(12, 100), "web", event_id="e-2"),
        decision("d-3", moment(12.5), "i-off", action_type="scale_down"),
        decision("d-4", moment(19, 7), "i-blind", outcome="failed"),
        decision("d-5", moment(23), "batch", dry_run=True),
    ]


WORLD, DECISIONS = utilization(), decisions()


def decide(folder: Path, rows: pl.DataFrame, decided: list[Row]) -> dict[str, pl.DataFrame]:
    """The answers of every rule in every window."""
    windows = [(one["resource_id"], at) for one in MACHINES for at in MOMENTS]
    trial = Export(folder, rows, resources=MACHINES, decisions=decided, windows=windows).trial()
    return {rule: answers(trial, rule) for rule in RULES}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    return decide(tmp_path_factory.mktemp("truth"), WORLD, DECISIONS)


def test_the_world_gives_different_answers(truth: dict[str, pl.DataFrame]) -> None:
    """Otherwise equal answers would mean little."""
    assert all(frame.height == len(MACHINES) * len(MOMENTS) for frame in truth.values())
    assert set(truth["nightshift"]["verdict"]) == {"propose", "refuse", "insufficient"}
    assert truth["nightshift"]["evidence"].n_unique() > 20
    assert len({bytes_of(frame) for frame in truth.values()}) > 15


def shuffled_values(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col(VALUES).shuffle(seed=3))


def every_seven_seconds(rows: pl.DataFrame) -> pl.DataFrame:
    """More samples than all of the past has, in another interval."""
    first = rows.group_by("resource_id", maintain_order=True).first().join(pl.DataFrame({"k": range(30_000)}), how="cross")
    return first.with_columns(pl.col("ts") + pl.duration(seconds=7 * pl.col("k"))).select(rows.columns)


POISONS: dict[str, Poison] = {
    "huge": lambda rows: rows.with_columns(pl.col(VALUES) * 30),
    "impossible": lambda rows: rows.with_columns(pl.col(VALUES).fill_null(1.0) * 1e12),
    "nothing": lambda rows: rows.with_columns(pl.col(VALUES) * 0),
    "negative": lambda rows: rows.with_columns(-pl.col(VALUES)),
    "nan": lambda rows: rows.with_columns(pl.lit(float("nan")).alias(name) for name in VALUES),
    "unknown": lambda rows: rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in VALUES),
    "off": lambda rows: rows.with_columns(vcpu=pl.lit(0.0)),
    "another size": lambda rows: rows.with_columns(vcpu=pl.lit(96.0), mem_gib=pl.lit(1.0)),
    "maxima begin": lambda rows: rows.with_columns(cpu_max_pct=pl.lit(90.0), mem_max_pct=pl.lit(90.0)),
    "another source": lambda rows: rows.with_columns(source=pl.lit("elsewhere")),
    "shuffled": shuffled_values,
    "gone": lambda rows: rows.clear(),
    "every third": lambda rows: rows.gather_every(3),
    "twice": lambda rows: pl.concat([rows, rows.with_columns(pl.col(VALUES) * 2)]),
    "every seven seconds": every_seven_seconds,
    "years later": lambda rows: rows.with_columns(pl.col("ts").dt.offset_by("9y")),
}


@pytest.mark.parametrize("at", MOMENTS, ids=str)
@pytest.mark.parametrize("name", POISONS)
def test_samples_from_the_moment_on_change_no_byte(
    truth: dict[str, pl.DataFrame], tmp_path: Path, name: str, at: datetime
) -> None:
    past, future = WORLD.filter(pl.col("ts") < at), WORLD.filter(pl.col("ts") >= at)
    same_up_to(at, truth, decide(tmp_path, pl.concat([past, POISONS[name](future)]), DECISIONS))


FUTURES: dict[str, Callable[[datetime], list[Row]]] = {
    "gone": lambda at: [],
    "at the moment": lambda at: [decision(f"x-{name}", at, name) for name in ("i-five", "web", "batch", "i-off", "i-late")],
    "the same ids": lambda at: [{**one, "decision_time": at, "target": "i-late"} for one in DECISIONS],
    "the same events": lambda at: [
        decision(f"y-{number}", at, one["target"], event_id=one.get("event_id")) for number, one in enumerate(DECISIONS)
    ],
    "other actions": lambda at: [decision("z", at, "i-five", action_type="scale_down", dry_run=True, outcome="failed")],
}


@pytest.mark.parametrize("at", MOMENTS, ids=str)
@pytest.mark.parametrize("name", FUTURES)
def test_decisions_from_the_moment_on_change_no_byte(
    truth: dict[str, pl.DataFrame], tmp_path: Path, name: str, at: datetime
) -> None:
    past = [one for one in DECISIONS if one["decision_time"] < at]
    same_up_to(at, truth, decide(tmp_path, WORLD, past + FUTURES[name](at)))


def same_up_to(at: datetime, truth: dict[str, pl.DataFrame], found: dict[str, pl.DataFrame]) -> None:
    for rule in RULES:
        expected, answer = (frames[rule].filter(pl.col("decide_at") <= at) for frames in (truth, found))
        assert answer.height >= len(MACHINES)
        assert answer.to_dicts() == expected.to_dicts(), rule
        assert bytes_of(answer) == bytes_of(expected), rule


@pytest.mark.parametrize(("early", "is_past"), [(1, True), (0.000001, True), (0, False), (-0.000001, False), (-1, False)])
def test_the_last_moment_of_the_past(tmp_path: Path, early: float, is_past: bool) -> None:
    rows = samples(days=21, every=300)
    busy = rows.filter(pl.col("ts") == moment(14)).with_columns(
        ts=pl.lit(moment(14, -early)).cast(rows.schema["ts"]), cpu_pct=60.0
    )
    others = rows.filter(pl.col("ts") != moment(14))
    (answer,) = Export(tmp_path, others, busy, windows=[("i-1", moment(14))]).rows()
    assert json.loads(answer["evidence"])["peak"]["cpu_vcpu"] == pytest.approx(4.8 if is_past else 1.6)


@pytest.mark.parametrize(("early", "is_past"), [(1, True), (0.000001, True), (0, False), (-0.4, False), (-1, False)])
def test_the_last_decision_of_the_past(tmp_path: Path, early: float, is_past: bool) -> None:
    decided = [decision("d", moment(14, -early))]
    (answer,) = Export(tmp_path, samples(days=21), decisions=decided, windows=[("i-1", moment(14))]).rows()
    assert answer["reason_code"] == ("refuse_recent_emergency_scaleup" if is_past else "propose_smaller_size")
    assert json.loads(answer["evidence"])["emergencies"] == int(is_past)


@pytest.mark.parametrize(("early", "is_past"), [(0.000001, True), (0, False)])
def test_the_seed_s_rule_sees_any_decision_of_the_past_and_none_of_the_future(
    tmp_path: Path, early: float, is_past: bool
) -> None:
    decided = [decision("d", moment(14, -early), action_type="notify")]
    export = Export(tmp_path, samples(days=21, cpu_pct=5.0), decisions=decided, windows=[("i-1", moment(14))])
    (answer,) = export.rows("seed")
    assert answer["verdict"] == ("keep" if is_past else "propose")
