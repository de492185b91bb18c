"""The metrics of a region and day as they come out of CloudWatch, some requests at a time, as rows of ``aws_samples``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import SampleRules
from dagster_project.lake.aws_tables import AWS_SAMPLES
from dagster_project.lake.frames import schema
from dagster_project.pipeline.ledger import RejectedGroup
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudwatch_metrics import Answered, Batch, read_batch
from dagster_project.sources.cloudwatch_series import PERIOD_SECONDS

SOURCE = "aws_samples"
_AHEAD = 2
"""Batches that wait to be written, beyond those that are under way."""


class Reading:
    """The metrics of a region and day as they come, in the order of the resources, some batches at a time."""

    def __init__(self, runtime: Runtime, scope: Scope, first: datetime, start: datetime, end: datetime) -> None:
        self._scope, self._first, self._start, self._end = scope, first, start, end
        self._at_once = runtime.settings.aws.requests_at_once
        self._bounds = SampleRules(runtime.settings.source.max_utilization_pct, 0).upper_bounds().astype(np.float32)
        self.points = 0
        self.incomplete: list[str] = []
        self.rejected: list[RejectedGroup] = []
        self.last_at: datetime | None = None
        self.late: list[pl.DataFrame] = []

    def frames(self, queue: Iterator[Batch]) -> Iterator[pl.DataFrame]:
        """Rows of the day; what was read again of the day before goes to ``late``."""
        early = int((self._start - self._first).total_seconds()) // PERIOD_SECONDS
        for batch, answered in self._answers(queue):
            self.points += answered.points
            self.incomplete += answered.incomplete
            self._set_aside(batch, answered.values)
            if early:
                self.late.append(self._rows(batch, answered.values[:, :early], self._first))
            frame = self._rows(batch, answered.values[:, early:], self._start)
            if frame.height:
                self.last_at = max(self.last_at or self._start, frame["sampled_at"].max())  # type: ignore[type-var]
                yield frame

    def _answers(self, queue: Iterator[Batch]) -> Iterator[tuple[Batch, Answered]]:
        with ThreadPoolExecutor(self._at_once, "cloudwatch") as pool:
            waiting: deque[tuple[Batch, Future[Answered]]] = deque()
            try:
                for batch in queue:
                    waiting.append((batch, pool.submit(read_batch, self._scope, batch, self._first, self._end)))
                    if len(waiting) >= self._at_once + _AHEAD:
                        asked, answer = waiting.popleft()
                        yield asked, answer.result()
                while waiting:
                    asked, answer = waiting.popleft()
                    yield asked, answer.result()
            finally:
                # After a failure the rest is not asked for.
                for _, answer in waiting:
                    answer.cancel()

    def _set_aside(self, batch: Batch, values: NDArray[np.float32]) -> None:
        """Readings that cannot be right become unknown, and are counted: any of them may have been the peak."""
        with np.errstate(invalid="ignore"):
            wrong = (values < 0) | (values > self._bounds)
        if not wrong.any():
            return
        for place, metric in zip(*(axis.tolist() for axis in np.nonzero(wrong.any(axis=1))), strict=True):
            slots = np.flatnonzero(wrong[place, :, metric])
            worst = float(values[place, slots[0], metric])
            reason = "negative" if worst < 0 else "impossible_value"
            at = self._first + timedelta(seconds=int(slots[0]) * PERIOD_SECONDS)
            name = batch.resources[place].resource_id
            source = self._scope.source(SOURCE)
            self.rejected.append(RejectedGroup(source, reason, name, METRICS[metric].name, len(slots), at, f"{worst:g}"))
        values[wrong] = np.nan

    def _rows(self, batch: Batch, values: NDArray[np.float32], start: datetime) -> pl.DataFrame:
        there = np.isfinite(values).any(axis=2)
        places, slots = np.nonzero(there)
        ids = pl.Series([each.resource_id for each in batch.resources], dtype=pl.String).gather(pl.Series(places))
        at = np.datetime64(start, "us") + slots * np.timedelta64(PERIOD_SECONDS, "s")
        cells = values[there]
        columns: dict[str, Any] = {"resource_id": ids, "sampled_at": pl.Series(at).cast(pl.Datetime("us"))}
        for index, metric in enumerate(METRICS):
            columns[metric.name] = pl.Series(np.ascontiguousarray(cells[:, index])).fill_nan(None)
        return pl.DataFrame(columns, schema=schema(AWS_SAMPLES))
