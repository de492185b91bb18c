"""What docs/incident-metrics.md says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from dagster_project.domain.incidents.statistics import DRAWS
from dagster_project.domain.incidents.summaries import MIN_MEASURED, summarize
from dagster_project.lake.engine import open_engine
from dagster_project.lake.incident_tables import INCIDENT_SUMMARIES
from dagster_project.lake.partitions import Lake
from dagster_project.settings_incidents import IncidentSettings
from dagster_project.statements import statement
from tests.incidents.metrics.test_summaries import QUARTER, cell

PAGE = (Path(__file__).parents[3] / "docs" / "incident-metrics.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[part.strip() for part in line.strip("|").split("|")] for line in lines[2:]]


def test_the_definitions_are_those_of_the_data(tmp_path: Path) -> None:
    with open_engine(Lake(tmp_path)) as engine:
        rows = engine.rows(statement("views/metric_definitions"))
    shown = {row[0].strip("`"): row[1:] for row in table("Definitions")}
    assert list(shown) == [row["id"] for row in rows]
    for row in rows:
        begin, end = (name and name.replace("_", " ") for name in (row["from_phase"], row["to_phase"]))
        cap = f"; if it was {row['capped_at']} first, {row['capped_at']}" if row["capped_at"] else ""
        assert shown[row["id"]] == [row["name"], begin or "union of the impact windows", f"{end or ''}{cap}"]


def test_every_status_is_explained() -> None:
    sql = statement("marts/incident_metrics").text
    assert {row[0].strip("`") for row in table("Statuses")} == set(re.findall(r"'status': '(\w+)'", sql))


def test_the_columns_exist() -> None:
    shown = {name for row in table("Summaries") for name in re.findall(r"`(\w+)`", row[0])}
    assert shown <= set(INCIDENT_SUMMARIES.columns)


def test_the_numbers_of_the_page() -> None:
    assert f"the last\n`period_days` ({IncidentSettings().period_days}) days" in PAGE
    assert f"{DRAWS:,} samples" in PAGE
    assert MIN_MEASURED == 5 and "Fewer than five incidents" in PAGE


def test_the_sentences_are_such_as_are_written() -> None:
    cells = (cell("latest", [value / 5 for value in QUARTER]), cell("previous", QUARTER))
    shorter = next(each for each in summarize(cells) if each.period == "latest").sentence
    few = next(iter(summarize([cell("latest", QUARTER[:4])]))).sentence
    assert f"> {shorter}\n" in PAGE
    assert f"> {few}\n" in PAGE
