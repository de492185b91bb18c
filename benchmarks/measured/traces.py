"""Exports of a traced fleet, as a user would bring them, and a backtest on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measured.synthetic import SyntheticFleet, times
from dagster_project.catalog.shapes import ec2_shapes
from dagster_project.domain.backtest.peers import PEERS
from dagster_project.pipeline.backtest import Inputs, run
from dagster_project.pipeline.backtest_report import build as build_report
from dagster_project.pipeline.backtest_report import write
from dagster_project.pipeline.runtime import days_up_to
from dagster_project.pipeline.verdicts import judging_rules
from dagster_project.progress import Silent
from dagster_project.settings import RightsizingSettings

_MINUTES = np.arange(288) * 5.0
_WEEKS = 11
_REGION = "us-east-1"


def build(folder: str, machines: int, days: int, last: str) -> dict[str, int]:
    """``days`` days of five-minute samples of ``machines`` machines, with their decisions and eleven weeks of windows."""
    root, newest, fleet = Path(folder), date.fromisoformat(last), SyntheticFleet(machines)
    root.mkdir(parents=True)
    shapes = ec2_shapes(_REGION)
    types = fleet.inventory()["instance_type"].to_list()
    size = np.array([shapes.capacity[shapes.number_of(name)] for name in types])
    samples, decided = 0, []
    for number, day in enumerate(days_up_to(newest, days)):
        values = fleet.values(day, _MINUTES, slice(0, machines))
        at = pl.Series(times(day, _MINUTES)).dt.replace_time_zone("UTC")
        frame = pl.DataFrame(
            {
                "source": "synthetic",
                "resource_id": pl.Series(fleet.ids).gather(np.arange(machines).repeat(len(at))),
                "ts": np.tile(at.to_numpy(), machines),
                "cpu_pct": values["cpu_avg_pct"].ravel(),
                "cpu_max_pct": values["cpu_max_pct"].ravel(),
                "mem_used_pct": values["mem_avg_pct"].ravel(),
                **{
                    name: values[name].ravel()
                    for name in ("net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes")
                },
                "vcpu": size[:, 0].repeat(len(at)),
                "mem_gib": size[:, 1].repeat(len(at)),
            }
        ).with_columns(pl.col("ts").dt.replace_time_zone("UTC"))
        frame.write_parquet(root / f"util_{number:03}.parquet")
        samples += frame.height
        decided += [
            (f"d-{number}-{i}", datetime.combine(day, time(12), UTC), fleet.ids[i]) for i in range(number % 7, machines, 97)
        ]
    pl.DataFrame(
        {
            "resource_id": fleet.ids,
            "instance_type": types,
            "region": _REGION,
            "vcpu": size[:, 0],
            "mem_gib": size[:, 1],
            "memory_known": True,
            "tags": [f'{{"service": "{name}"}}' for name in fleet.inventory()["service"]],
        }
    ).write_parquet(root / "resources.parquet")
    pl.DataFrame(decided, schema=["decision_id", "decision_time", "target"], orient="row").with_columns(
        action_type=pl.lit("scale_up"), policy_id=pl.lit("p"), policy_version=pl.lit(1), outcome=pl.lit("succeeded")
    ).write_parquet(root / "decisions.parquet")
    moments = [datetime.combine(newest - timedelta(weeks=back), time(), UTC) for back in range(1, _WEEKS + 1)]
    pl.DataFrame({"resource_id": fleet.ids}).join(pl.DataFrame({"decide_at": moments}), how="cross").write_parquet(
        root / "windows.parquet"
    )
    return {"samples": samples, "windows": machines * _WEEKS}


def backtest(folder: str) -> dict[str, float | None]:
    """The whole command: reading, deciding, judging, variants, intervals, and all files."""
    root = Path(folder)
    inputs = Inputs(
        str(root / "util_*.parquet"), root / "resources.parquet", root / "decisions.parquet", root / "windows.parquet"
    )
    rules = judging_rules(RightsizingSettings(), "cheapest")
    trial = run(inputs, rules, PEERS, Silent())
    report = build_report(trial, inputs, rules, PEERS, Silent())
    write(trial, report, "nightshift", root / "out.parquet")
    return {score.rule: score.captured_pct for score in report.rules}
