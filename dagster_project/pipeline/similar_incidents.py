"""Similar incidents: for those of a work list the earlier ones that are most alike, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl

from dagster_project.domain.incidents.stop_words import STOP_WORDS
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import (
    INCIDENT_RECORDS,
    INCIDENT_TIMELINE,
    SIMILAR_INCIDENTS,
)
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.runtime import Runtime
from dagster_project.statements import statement

MOST = 5
"""Similar incidents that are told of one."""
STRUCTURE_WEIGHT = 0.2
"""What everything in common besides words weighs against all words in common."""
LEAST_SCORE = 0.1
"""Real texts that have nothing to do with each other share up to a tenth of what they say."""

_BATCH = 200
"""Incidents that are compared at once: bounds memory, since each meets every earlier one."""


def find_similar(runtime: Runtime, day: date, incident_ids: Iterable[str]) -> int:
    """Writes ``similar_incidents`` of the day for the incidents of a work list; returns its rows. Each is compared with all that
    began before it. Those whose documents are not kept up to date any more are left out: a first night may know ten thousand."""
    lake = runtime.lake
    lake.require(INCIDENT_RECORDS, day)
    with open_engine(lake) as engine:
        view_incidents(engine, lake, day)
        parameters = {"incident_ids": list(incident_ids), "day": day, "document_days": runtime.settings.incidents.document_days}
        asked = [row["incident_id"] for row in engine.rows(statement("reports/documented_incidents"), parameters)]
        rows = [row for batch in _batches(asked) for row in _similar(engine, batch)]
    return write_frame(lake, SIMILAR_INCIDENTS, day, pl.DataFrame(rows, schema=schema(SIMILAR_INCIDENTS)))


def _batches(incident_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(incident_ids), _BATCH):
        yield incident_ids[first : first + _BATCH]


def _similar(engine: Engine, incident_ids: Sequence[str]) -> list[dict[str, Any]]:
    parameters = {
        "incident_ids": list(incident_ids),
        "stop_words": list(STOP_WORDS),
        "most": MOST,
        "structure_weight": STRUCTURE_WEIGHT,
        "least_score": LEAST_SCORE,
    }
    return engine.rows(statement("marts/similar_incidents"), parameters)


def view_incidents(engine: Engine, lake: Lake, day: date) -> None:
    """Makes the incidents of a day readable with their timelines, each of which lies in the partition of another day."""
    engine.view(INCIDENT_RECORDS, [day])
    told_on = {row["timeline_on"] for row in engine.rows(statement("reports/timeline_days"))}
    engine.view(INCIDENT_TIMELINE, [each for each in lake.days(INCIDENT_TIMELINE) if each in told_on])
