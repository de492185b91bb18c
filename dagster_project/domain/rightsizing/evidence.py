"""What is known of the resources when a verdict is made, as columns. Unknown is NaN, None or -1, never zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.rightsizing.dimensions import DIMENSIONS

Floats = NDArray[np.float64]
Texts = Sequence[str | None]


def _column(default: float | bool | str | None) -> Any:
    """A column that may be left out; ``default`` then stands in every row."""
    return field(default=None, metadata={"default": default, "width": 0})


def _matrix(default: float | bool) -> Any:
    """A column for each dimension, (n, 5)."""
    return field(default=None, metadata={"default": default, "width": len(DIMENSIONS)})


_NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One row for every resource (or, in a backtest, for every resource and moment). All sizes are of one unit of a group.

    Demand, in the units of ``DIMENSIONS``:
        ``peak`` is the highest sample of the look-back, of in-interval maxima where the feed has them; of CPU it is the highest
        interval average, because a spike of seconds waits and is done, where memory that is short kills. ``cpu_p995`` is the
        99.5th percentile of the CPU maxima, ``memory_ever`` the highest memory that the lake remembers at all,
        ``replay`` the highest demand in any protected window of the whole history and ``replay_event`` its name
        (``unsized_event`` one whose demand cannot be told, because nobody knows the size that lived through it),
        ``forecast`` the upper bound of the demand to come. ``covered_pct`` is the share of the recent readings that is
        there, ``is_judged`` whether the feed records a dimension at all. ``cpu_load`` holds, of machines that live on burst
        credits, the cores in use and the minutes of each sample.

    All of it is as it was measured. ``spread`` is how many times the group's members were in service at most: with the
    members that it has, each would have carried so much more. (``replay`` is spread event by event already.)
    ``headroom_pct`` is by how many percent all of it counts for more than it was, after what became of earlier changes of the
    service.

    Standing:
        what else speaks against a change; the texts name it. ``present`` is the number of the present size in the
        catalog, -1 where it is not there. ``pool`` numbers the resource's service, -1 where unknown.
    """

    resource_id: Sequence[str]
    present: NDArray[np.int64]
    peak: Floats

    present_name: Texts = _column(None)
    kind: Texts = _column("ec2_instance")
    units: Floats = _column(1.0)
    spread: Floats = _column(1.0)
    headroom_pct: Floats = _column(0.0)
    pool: NDArray[np.int64] = _column(-1)
    history_hours: Floats = _column(_NAN)
    coverage_pct: Floats = _column(_NAN)
    recent_coverage_pct: Floats = _column(_NAN)
    covered_pct: Floats = _matrix(100.0)
    is_judged: NDArray[np.bool_] = _matrix(True)
    cpu_p995: Floats = _column(_NAN)
    memory_ever: Floats = _column(_NAN)
    replay: Floats = _matrix(_NAN)
    replay_event: Any = _matrix(None)  # type: ignore[arg-type]
    unsized_event: Texts = _column(None)
    forecast: Floats = _matrix(_NAN)
    interfaces: Floats = _column(_NAN)
    volumes: Floats = _column(_NAN)
    is_member_hidden: NDArray[np.bool_] = _column(False)
    rejected_readings: Floats = _column(0.0)
    cpu_load: Sequence[tuple[Floats, Floats] | None] = _column(None)

    unread_since: Texts = _column(None)
    excluding_tag: Texts = _column(None)
    lifecycle: Texts = _column(None)
    managed_by: Texts = _column(None)
    group_name: Texts = _column(None)
    tenancy: Texts = _column("default")
    platform: Texts = _column("linux")
    emergencies: Floats = _column(0.0)
    last_emergency: Texts = _column(None)
    days_since_change: Floats = _column(_NAN)
    open_incident: Texts = _column(None)
    open_capacity_item: Texts = _column(None)
    slo_name: Texts = _column(None)
    slo_budget_left_pct: Floats = _column(_NAN)
    kill_switch: Texts = _column(None)
    snoozed: Texts = _column(None)
    rejected: Texts = _column(None)
    previous_target: NDArray[np.int64] = _column(-1)

    minimum_size: Floats = _column(_NAN)
    zones: Floats = _column(_NAN)
    in_service_peak: Floats = _column(_NAN)
    incident_in_service: Floats = _column(_NAN)
    scheduled_minimum: Floats = _column(_NAN)

    def __post_init__(self) -> None:
        size = len(self.resource_id)
        for column in fields(self):
            value = getattr(self, column.name)
            if value is None and "default" in column.metadata:
                object.__setattr__(self, column.name, _filled(column.metadata["default"], size, column.metadata["width"]))
            elif len(value) != size:
                raise ValueError(f"{column.name} has {len(value)} rows, and there are {size} resources")

    def __len__(self) -> int:
        return len(self.resource_id)

    @property
    def factor(self) -> Floats:
        """What demand is multiplied by, (n,): 1 without headroom."""
        return 1 + self.headroom_pct / 100


def _filled(default: Any, size: int, width: int) -> Any:
    shape = (size, width) if width else (size,)
    if default is None or isinstance(default, str):
        return np.full(shape, default, dtype=object)
    return np.full(shape, default)
