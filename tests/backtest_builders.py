"""Small histories: exports as Parquet files with a backtest of them, and windows to judge by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from dagster_project.domain.backtest.peers import PEERS, Peer
from dagster_project.domain.backtest.score import Windows
from dagster_project.domain.backtest.series import Future, Series
from dagster_project.domain.rightsizing.dimensions import DIMENSIONS
from dagster_project.domain.rightsizing.shapes import Shapes
from dagster_project.pipeline.backtest import NIGHTSHIFT, Inputs, Trial, run
from dagster_project.pipeline.backtest_report import answers, build
from dagster_project.pipeline.verdicts import judging_rules
from dagster_project.progress import Silent
from dagster_project.reporting.backtest_views import BacktestReport
from dagster_project.settings import RightsizingSettings

START = datetime(2025, 1, 6, tzinfo=UTC)
FIRST = int(START.timestamp())
HOUR, DAY, WEEK = 3600, 86_400, 604_800
RULES = (NIGHTSHIFT, *(peer.id for peer in PEERS))
Row = dict[str, Any]

KINDS: dict[str, dict[str, Any]] = {
    "resources": {
        "resource_id": pl.String(),
        "instance_type": pl.String(),
        "region": pl.String(),
        "vcpu": pl.Float64(),
        "mem_gib": pl.Float64(),
        "memory_known": pl.Boolean(),
        "tags": pl.String(),
    },
    "decisions": {
        "decision_id": pl.String(),
        "decision_time": pl.Datetime("us", "UTC"),
        "target": pl.String(),
        "action_type": pl.String(),
        "policy_id": pl.String(),
        "policy_version": pl.Int64(),
        "outcome": pl.String(),
        "dry_run": pl.Boolean(),
        "event_id": pl.String(),
    },
    "windows": {"resource_id": pl.String(), "decide_at": pl.Datetime("us", "UTC")},
}
MACHINE: Row = {
    "resource_id": "i-1",
    "instance_type": "m5.2xlarge",
    "region": "us-east-1",
    "vcpu": 8.0,
    "mem_gib": 32.0,
    "memory_known": True,
    "tags": "{}",
}
"""8 vCPU, 32 GiB, 0.384 USD an hour. Down the family: m5.xlarge (4 vCPU, 16 GiB, 0.192 USD) and m5.large (2, 8, 0.096)."""

IDLE: Row = {"cpu_pct": 20.0, "mem_used_pct": 20.0, "net_in_bytes": 1e6, "net_out_bytes": 1e6, "vcpu": 8.0, "mem_gib": 32.0}
"""1.6 cores and 6.4 GiB: an m5.large holds it."""


def moment(days: float = 0, seconds: float = 0) -> datetime:
    return START + timedelta(days=days, seconds=seconds)


def machine(resource_id: str = "i-1", **columns: Any) -> Row:
    return {**MACHINE, "resource_id": resource_id, **columns}


def samples(resource_id: str = "i-1", days: float = 35, every: int = HOUR, since: int = 0, **columns: Any) -> pl.DataFrame:
    """Samples from ``since`` seconds after the start; columns take the place of those of ``IDLE`` (None leaves one out)."""
    size = int(days * DAY) // every
    given = {name: value for name, value in {**IDLE, **columns}.items() if value is not None}
    return pl.DataFrame(
        {
            "resource_id": [resource_id] * size,
            "ts": pl.Series((FIRST + since + every * np.arange(size)) * 10**6).cast(pl.Datetime("us", "UTC")),
            **{name: np.broadcast_to(value, size) for name, value in given.items()},
        }
    )


def decision(decision_id: str, at: datetime, target: str = "i-1", **columns: Any) -> Row:
    told = {"action_type": "scale_up", "policy_id": "p", "policy_version": 1, "outcome": "succeeded"}
    return {"decision_id": decision_id, "decision_time": at, "target": target, **told, **columns}


def table(kind: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as an export has them: what they leave out is null."""
    return pl.DataFrame({name: pl.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in KINDS[kind].items()})


class Export:
    """The files of a backtest in a folder. ``windows`` are pairs of a resource and a moment; None = weekly ones."""

    def __init__(
        self,
        folder: Path,
        *utilization: pl.DataFrame,
        resources: Sequence[Row] = (MACHINE,),
        decisions: Sequence[Row] = (),
        windows: Sequence[tuple[str, datetime]] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        for number, frame in enumerate(utilization):
            frame.write_parquet(folder / f"util_{number}.parquet")
        table("resources", resources).write_parquet(folder / "resources.parquet")
        table("decisions", decisions).write_parquet(folder / "decisions.parquet")
        if windows is not None:
            rows = [{"resource_id": name, "decide_at": at} for name, at in windows]
            table("windows", rows).write_parquet(folder / "windows.parquet")

    @property
    def windows(self) -> Path | None:
        file = self.folder / "windows.parquet"
        return file if file.exists() else None

    def inputs(self, lookback_days: int = 28) -> Inputs:
        return Inputs(
            str(self.folder / "util_*.parquet"),
            self.folder / "resources.parquet",
            self.folder / "decisions.parquet",
            self.windows,
            lookback_days,
        )

    def options(self, out: Path) -> list[str]:
        """Those of the command."""
        inputs = self.inputs()
        files = ["--utilization", inputs.utilization, "--resources", str(inputs.resources), "--decisions", str(inputs.decisions)]
        return [*files, *(["--windows", str(self.windows)] if self.windows else []), "--out", str(out)]

    def trial(self, target: str = "cheapest", lookback_days: int = 28, peers: Sequence[Peer] = PEERS, **thresholds: Any) -> Trial:
        rules = judging_rules(RightsizingSettings(**thresholds), target)
        return run(self.inputs(lookback_days), rules, peers, Silent())

    def rows(self, rule: str = NIGHTSHIFT, **options: Any) -> list[Row]:
        """The answers of a rule."""
        return answers(self.trial(**options), rule).to_dicts()

    def report(self, target: str = "cheapest") -> BacktestReport:
        rules = judging_rules(RightsizingSettings(), target)
        return build(self.trial(target), self.inputs(), rules, PEERS, Silent())


def bytes_of(frame: pl.DataFrame) -> bytes:
    """What a file of the frame would hold."""
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def series(at: Any, average: Any = None, highest: Any = None, interval_seconds: float = HOUR, **times: Sequence[int]) -> Series:
    """A series of a machine that was always on; dimensions that ``average`` does not give (by number) are not measured."""
    at = np.array(at, dtype=np.int64)

    def demand(columns: Mapping[int, Any]) -> np.ndarray:
        values = np.full((len(at), len(DIMENSIONS)), np.nan, dtype=np.float32)
        for dimension, column in columns.items():
            values[:, dimension] = column
        return values

    mean = demand(average or {})
    given = {"seen_at": at, "rejected_at": (), "scaled_up_at": (), "decided_at": (), **times}
    return Series(
        resource_id="i-1",
        at=at,
        average=mean,
        highest=mean if highest is None else demand({**(average or {}), **highest}),
        interval_seconds=interval_seconds,
        **{name: np.array(value, dtype=np.int64) for name, value in given.items()},
    )


def demand(size: int, columns: Mapping[int, Any]) -> np.ndarray:
    """Demand of ``size`` samples by dimension, NaN where not given."""
    values = np.full((size, len(DIMENSIONS)), np.nan)
    for dimension, column in columns.items():
        values[:, dimension] = column
    return values


def windows_of(shapes: Shapes, *rows: Mapping[str, Any]) -> Windows:
    """Windows to judge: ``present``, ``oracle`` and ``lateral`` by name, ``demand`` (n, 5); the rest has a default."""

    def numbers(name: str, default: Callable[[Mapping[str, Any]], str]) -> np.ndarray:
        return np.array([shapes.number_of(row.get(name) or default(row)) for row in rows], dtype=np.int64)

    return Windows(
        resource_id=[row.get("resource_id", f"r{number}") for number, row in enumerate(rows)],
        source=[row.get("source", "") for row in rows],
        group=[row.get("group", f"g{number}") for number, row in enumerate(rows)],
        moment=np.array([row.get("moment", FIRST) for row in rows], dtype=np.int64),
        present=numbers("present", lambda row: row["present"]),
        is_memory_known=np.array([row.get("is_memory_known", True) for row in rows], dtype=bool),
        futures=[Future(row["demand"], row.get("share_on", 1.0), row.get("interval_seconds", HOUR)) for row in rows],
        oracle=numbers("oracle", lambda row: row["present"]),
        lateral=numbers("lateral", lambda row: row["present"]),
    )
