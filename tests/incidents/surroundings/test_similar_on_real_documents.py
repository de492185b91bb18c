"""Similar incidents among real postmortems, title-free: of queries whose twin a person finds obvious, how many are found.

The texts are half of three published collections; the other half is not here, so the bounds leave room.
"""

# ruff: noqa: DTZ001, DTZ007 - times of incidents are naive UTC
from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from dagster_project.domain.incidents.stop_words import STOP_WORDS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.incident_tables import INCIDENT_RECORDS, INCIDENT_TIMELINE
from dagster_project.lake.partitions import Lake
from dagster_project.pipeline.similar_incidents import LEAST_SCORE, STRUCTURE_WEIGHT
from dagster_project.statements import statement

DAY = date(2025, 3, 9)
DOCUMENTS = Path(__file__).parents[4] / "shared" / "data" / "incidents"
FOLDERS = ("dfds", "moj", "2i2c")

LOGS = ("PM2021-001", "PM2021-002", "PM2023-002")
PROMETHEUS = ("2020-02-18", "2022-11-15", "2023-07-25", "2024-04-15")
INGRESS = ("PM2021-007", "PM2021-008", "PM2021-009", "PM2021-010")
MOJ_INGRESS = ("2020-04-15", "2020-08-14", "2020-09-07")
NODES = ("PM2020-007", "PM2022-003", "PM2023-001", "PM2024-001", "PM2024-002")
TWINS = {
    "PM2020-009": ("PM2020-002",),  # KIAM
    "PM2020-006": ("PM2020-003",),  # ADSync
    "PM2019-011": ("PM2019-009",),  # the network of one cluster
    "PM2021-002": LOGS,
    "PM2023-002": LOGS,
    "2023-08-04": LOGS,
    "2022-11-15": PROMETHEUS,
    "2023-07-25": PROMETHEUS,
    "2024-04-15": PROMETHEUS,
    "PM2021-008": INGRESS,
    "PM2021-009": INGRESS,
    "PM2021-010": INGRESS,
    "2020-09-07": MOJ_INGRESS,
    "2021-11-05": MOJ_INGRESS,
    "2022-03-10": (*MOJ_INGRESS, "PM2020-002", "PM2021-004"),  # certificates of ingresses
    "PM2021-004": ("PM2020-002", "PM2020-003", "PM2020-006"),  # expired certificates; signing in
    "PM2022-003": NODES,
    "PM2023-001": NODES,
    "PM2024-001": NODES,
    "PM2025-001": NODES,
    "2021-05-10": ("2020-02-12", "2020-08-04"),  # terraform on the wrong cluster
    "2025-03-18": ("2020-09-28", "2023-06-06", "PM2024-002"),  # pods that moved all at once
    "2023-07-21": ("PM2019-009",),  # no addresses left
    "2025-07-23": ("2023-01-05",),  # leaked secrets
}


def _documents() -> list[tuple[str, datetime, str]]:
    """(key, when, text without titles) of each document."""
    return [(_key(file), _when(file), _text(file.read_text(encoding="utf-8"))) for each in FOLDERS for file in _files(each)]


def _files(folder: str) -> list[Path]:
    return sorted((DOCUMENTS / folder).glob("*.md"))


def _key(file: Path) -> str:
    return file.name.partition(" ")[0] if file.name.startswith("PM") else file.name[:10]


def _when(file: Path) -> datetime:
    key = _key(file)
    if key.startswith("PM"):
        return datetime(int(key[2:6]), int(key[7:]), 1)  # they are numbered through the year
    return datetime.strptime(key, "%Y-%m-%d")


def _text(document: str) -> str:
    body = re.sub(r"\A---.*?\n---\n", "", document, flags=re.DOTALL)
    body = re.split(r"(?im)^[-#* ]*\**(?:action items|review actions|stats)\b.*$", body)[0]
    body = re.sub(r"(?m)^#+ .*$|\*\*[^*\n]{1,40}\*\*:?", " ", body)
    body = re.sub(r"(?m)^\s*-\s*(?:First detected|Incident declared|Repaired|Resolved).*$", "", body)
    return re.sub(r"\]\([^)]*\)", " ", body)


def _found(folder: Path, structure_weight: float) -> dict[str, list[str]]:
    """Query → what is similar, best first."""
    lake, columns = Lake(folder), schema(INCIDENT_RECORDS)
    rows = [{"incident_id": key, "started_at": when, "summary": text} for key, when, text in _documents()]
    write_frame(lake, INCIDENT_RECORDS, DAY, pl.DataFrame([{c: row.get(c) for c in columns} for row in rows], schema=columns))
    parameters = {
        "incident_ids": sorted(TWINS),
        "stop_words": list(STOP_WORDS),
        "most": 3,
        "structure_weight": structure_weight,
        "least_score": LEAST_SCORE,
    }
    with open_engine(lake) as engine:
        engine.view(INCIDENT_RECORDS, [DAY])
        engine.view(INCIDENT_TIMELINE, [])
        found = engine.rows(statement("marts/similar_incidents"), parameters)
    ranked = sorted(found, key=lambda row: row["rank"])
    return {query: [row["similar_id"] for row in ranked if row["incident_id"] == query] for query in TWINS}


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the real incident records (../shared/data/incidents) are not here")
@pytest.mark.parametrize(("structure_weight", "first", "third"), [(0.0, 15, 19), (STRUCTURE_WEIGHT, 16, 20)])
def test_obvious_twins_are_found_among_the_first(
    tmp_path: Path, structure_weight: float, first: int, third: int, record_property: pytest.RecordProperty
) -> None:
    found = _found(tmp_path, structure_weight)
    at_first = [query for query, similar in found.items() if set(similar[:1]) & set(TWINS[query])]
    at_third = [query for query, similar in found.items() if set(similar) & set(TWINS[query])]
    record_property("hit_at_1", f"{len(at_first)} of {len(TWINS)}")
    record_property("hit_at_3", f"{len(at_third)} of {len(TWINS)}")
    missed = {query: similar for query, similar in found.items() if query not in at_third}
    assert len(at_third) >= third, f"missed: {missed}"
    assert len(at_first) >= first, f"not first: {sorted(set(TWINS) - set(at_first))}"
