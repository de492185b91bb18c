"""The exports of a backtest as series of demand: what was measured in physical units, what was set aside and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.domain.backtest.series import Seconds, Series, interval_of
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, DISK, MEMORY, NETWORK
from dagster_project.errors import InputError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline import exports
from dagster_project.statements import statement

_RESOURCES_AT_A_TIME = 32
_GAPS = 11
_VOLUMES = ("net_in_bytes", "net_out_bytes", "disk_read_bytes", "disk_write_bytes")
_READINGS = ("cpu_pct", "cpu_max_pct", "mem_used_pct", "mem_max_pct", *_VOLUMES)


@dataclass
class Counts:
    """Rows that were read, and those that were set aside with the reason."""

    samples: int = 0
    off: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    decisions: int = 0
    decisions_set_aside: dict[str, int] = field(default_factory=dict)
    resources_without_samples: int = 0

    def reject(self, reason: str, rows: int) -> None:
        """Counts rows of utilization that cannot be right."""
        if rows:
            self.rejected[reason] = self.rejected.get(reason, 0) + rows

    def set_aside(self, reason: str, rows: int) -> None:
        """Counts decisions that are no emergency scale-up, or speak of nothing that is listed."""
        if rows:
            self.decisions_set_aside[reason] = self.decisions_set_aside.get(reason, 0) + rows


@dataclass(frozen=True)
class Listed:
    """A resource of the export. ``vcpu`` and ``memory_gib`` are those of its type as the export says."""

    resource_id: str
    instance_type: str | None
    region: str | None
    vcpu: float
    memory_gib: float
    is_memory_known: bool
    tags: Mapping[str, str]

    @property
    def service(self) -> str | None:
        return self.tags.get("service")

    @property
    def group(self) -> str | None:
        return self.tags.get("aws:autoscaling:groupName") or self.tags.get("asg_name")


@dataclass(frozen=True)
class Decided:
    """Times of decisions by target, seconds since 1970, ascending: all of them, and the emergency scale-ups."""

    all: Mapping[str, NDArray[np.int64]]
    scale_ups: Mapping[str, NDArray[np.int64]]

    def of(self, resource: Listed, times: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
        """The times that speak of a resource by its id, its group or its service."""
        named = {name for name in (resource.resource_id, resource.group, resource.service) if name}
        mine = [times[name] for name in sorted(named) if name in times]
        return np.unique(np.concatenate(mine)) if mine else np.empty(0, dtype=np.int64)


def listed(file: Path) -> dict[str, Listed]:
    """The resources of an export by id."""
    rows = exports.resources(file)
    twice = rows.filter(rows["resource_id"].is_duplicated())["resource_id"]
    if len(twice):
        raise InputError(f"{file} lists {twice[0]} twice; leave one row for each resource.")
    found = {}
    for row in rows.iter_rows(named=True):
        found[row["resource_id"]] = Listed(
            resource_id=row["resource_id"],
            instance_type=row["instance_type"],
            region=row["region"],
            vcpu=_number(row["vcpu"]),
            memory_gib=_number(row["mem_gib"]),
            is_memory_known=bool(row["memory_known"]),
            tags=_texts(json.loads(row["tags"] or "{}")),
        )
    return found


def decided(file: Path, resources: Mapping[str, Listed], counts: Counts) -> Decided:
    """The decisions of an export, weighed by the same statement that a night weighs them with."""
    rows = exports.events(file)
    counts.decisions = rows.height
    with TemporaryDirectory() as folder:
        audit = Path(folder) / "decision_audit.parquet"
        # The first of rows with one id stays, in an order that does not depend on the file's.
        unique = rows.sort(rows.columns, nulls_last=True).unique("decision_id", keep="first", maintain_order=True)
        counts.set_aside("duplicate_id", rows.height - unique.height)
        unique.select(
            "decision_id",
            pl.col("decision_time").alias("decision_at"),
            "target",
            "action_type",
            "policy_id",
            pl.lit(None, pl.String).alias("policy_name"),
            "event_id",
            pl.col("dry_run").fill_null(False).alias("is_dry_run"),
            "outcome",
        ).write_parquet(audit)
        with open_engine(Lake(Path(folder) / "lake")) as engine:
            engine.view_file("decision_audit", audit)
            weighed = engine.rows(statement("reports/backtest_decisions"))
    # Whole seconds that have begun: a rounded one may lie after the moment of a verdict, or before it.
    second_of = dict(unique.select("decision_id", pl.col("decision_time").dt.epoch("s")).iter_rows())
    names = {name for one in resources.values() for name in (one.resource_id, one.group, one.service) if name}
    every: dict[str, list[int]] = {}
    ups: dict[str, list[int]] = {}
    for row in weighed:
        target = row["target"]
        if target not in names:
            counts.set_aside("unknown_target", 1)
            continue
        second = second_of[row["decision_id"]]
        every.setdefault(target, []).append(second)
        if row["set_aside"] is None:
            ups.setdefault(target, []).append(second)
        elif row["set_aside"] != "other_action":
            counts.set_aside(row["set_aside"], 1)
    return Decided(_arrays(every), _arrays(ups))


def traces(
    parts: list[exports.Samples], wanted: Sequence[Listed], decisions: Decided, counts: Counts
) -> Iterator[tuple[Listed, str, Series]]:
    """Each resource with the source of its samples and its series, some resources read at a time."""
    for start in range(0, len(wanted), _RESOURCES_AT_A_TIME):
        some = {one.resource_id: one for one in wanted[start : start + _RESOURCES_AT_A_TIME]}
        rows = exports.read_samples(parts, sorted(some))
        by_id = {key[0]: frame for key, frame in rows.partition_by("resource_id", as_dict=True).items()} if rows.height else {}
        for resource_id, resource in some.items():
            frame = by_id.get(resource_id)
            if frame is None:
                counts.resources_without_samples += 1
                continue
            source = frame["source"][0] or ""
            yield resource, source, _series(resource, frame, decisions, counts)


def _series(resource: Listed, frame: pl.DataFrame, decisions: Decided, counts: Counts) -> Series:
    seconds = frame["ts"].dt.epoch("s").to_numpy()
    readings = {name: frame[name].to_numpy() for name in (*_READINGS, "vcpu", "mem_gib")}
    counts.samples += len(seconds)
    again = np.zeros(len(seconds), dtype=bool)
    again[1:] = seconds[1:] == seconds[:-1]
    counts.reject("duplicate_time", int(again.sum()))
    values = np.stack([readings[name] for name in _READINGS], axis=1)
    with np.errstate(invalid="ignore"):
        is_off = readings["vcpu"] == 0
        no_number = frame["has_nan"].to_numpy()
        negative = (values < 0).any(axis=1) | (readings["vcpu"] < 0) | (readings["mem_gib"] < 0)
        above = (values[:, :2] > exports.MAX_UTILIZATION_PCT).any(axis=1) | np.isinf(values).any(axis=1)
        above |= np.isinf(readings["vcpu"]) | np.isinf(readings["mem_gib"])
        # A percentage of memory refers to the size of the moment, which may be small for a while: its amount is what counts.
        scale = np.where(np.isnan(readings["mem_gib"]), 1.0, readings["mem_gib"] / np.float32(resource.memory_gib or np.nan))
        above |= (values[:, 2:4] * scale[:, None] > exports.MAX_UTILIZATION_PCT).any(axis=1)
    wrong = ~is_off & ~again & (no_number | negative | above)
    counts.reject("nan", int((wrong & no_number).sum()))
    counts.reject("negative", int((wrong & ~no_number & negative).sum()))
    counts.reject("impossible_value", int((wrong & ~no_number & ~negative).sum()))
    counts.off += int((is_off & ~again).sum())
    good = ~again & ~wrong
    on = good & ~is_off
    at = seconds[on]
    vcpu = np.where(np.isnan(readings["vcpu"]), np.float32(resource.vcpu), readings["vcpu"])[on]
    size = np.where(np.isnan(readings["mem_gib"]), np.float32(resource.memory_gib), readings["mem_gib"])[on]
    size[size == 0] = np.nan  # a machine that is on has memory: how much is not known
    if not resource.is_memory_known:
        size = np.full(len(size), np.nan, dtype=np.float32)
    average = np.full((len(at), len(DIMENSIONS)), np.nan, dtype=np.float32)
    average[:, CPU] = readings["cpu_pct"][on] / 100 * vcpu
    average[:, MEMORY] = readings["mem_used_pct"][on] / 100 * size
    seconds_each = np.full(len(seconds), np.nan, dtype=np.float32)
    seconds_each[~again] = _seconds_each(seconds[~again])
    seconds_each = seconds_each[on]
    # Unknown in one direction is unknown: half of a sum would look like little.
    average[:, NETWORK] = (readings["net_in_bytes"][on] + readings["net_out_bytes"][on]) * 8e-9 / seconds_each
    average[:, DISK] = (readings["disk_read_bytes"][on] + readings["disk_write_bytes"][on]) * 8e-6 / seconds_each
    highest = average
    has_maxima = [not np.isnan(readings[name][on]).all() if len(at) else False for name in ("cpu_max_pct", "mem_max_pct")]
    if any(has_maxima):
        highest = average.copy()
        highest[:, CPU] = np.fmax(average[:, CPU], readings["cpu_max_pct"][on] / 100 * vcpu)
        highest[:, MEMORY] = np.fmax(average[:, MEMORY], readings["mem_max_pct"][on] / 100 * size)
    return Series(
        resource_id=resource.resource_id,
        at=at,
        average=average,
        highest=highest,
        seen_at=seconds[good],
        rejected_at=seconds[wrong],
        scaled_up_at=decisions.of(resource, decisions.scale_ups),
        decided_at=decisions.of(resource, decisions.all),
        interval_seconds=interval_of(seconds[good]),
    )


def _seconds_each(at: Seconds) -> NDArray[np.float32]:
    """The seconds that each sample sums up: the middle one of the last gaps before it.

    A feed may change from five minutes to one; and what a sample says must not depend on later ones. Of the very first
    nothing is known.
    """
    each = np.full(len(at), np.nan, dtype=np.float32)
    gaps = np.diff(at)
    if not gaps.size:
        return each
    middle = gaps
    if (gaps != gaps[0]).any():
        none = np.full(_GAPS - 1, np.iinfo(np.int64).max)
        last = np.sort(np.lib.stride_tricks.sliding_window_view(np.concatenate([none, gaps]), _GAPS), axis=1)
        there = np.minimum(np.arange(1, len(gaps) + 1), _GAPS)
        middle = last[np.arange(len(gaps)), (there - 1) // 2]
    each[1:] = np.where(middle >= 10, np.round(middle / 10) * 10, middle)
    return each


def _arrays(times: Mapping[str, list[int]]) -> dict[str, NDArray[np.int64]]:
    return {name: np.unique(np.array(found, dtype=np.int64)) for name, found in times.items()}


def _number(value: float | None) -> float:
    """An amount of something that every machine has; NaN where it is not known or cannot be."""
    return float(value) if value is not None and 0 < value < float("inf") else float("nan")


def _texts(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags are texts; exports write numbers and flags as JSON sometimes."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in tags.items() if value is not None}
