"""The headline numbers of a night and the rules that it had, kept so that nights can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl
from pydantic import BaseModel, SecretStr

from dagster_project.domain.night_numbers import COST_DAYS, WEEK_DAYS
from dagster_project.domain.night_numbers import NIGHT_NUMBERS as NUMBERS
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.report_tables import NIGHT_NUMBERS, NIGHT_RULES, SAVINGS
from dagster_project.lake.tables import APPROVAL_REQUESTS, PULL_REQUESTS, TABLES
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.settings import Settings
from dagster_project.statements import statement

RULE_SECTIONS = ("rightsizing", "proposals", "approvals", "apply")
"""Sections of the settings that decide what is proposed and what may be done."""
_PEOPLE = "approvals.approvers"


def number_night(runtime: Runtime, day: date) -> tuple[int, int]:
    """Writes ``night_numbers`` and ``night_rules`` of the day; returns their rows. Raises ``MissingPartition`` where the day has
    no savings yet."""
    runtime.lake.require(SAVINGS, day)
    mart = statement("marts/night_numbers")
    with open_engine(runtime.lake) as engine:
        absent = {name for name in mart.reads if not engine.view(TABLES[name], [day])}
        for table in (PULL_REQUESTS, APPROVAL_REQUESTS):
            engine.view(table, days_up_to(day, WEEK_DAYS))
        unknown = [number.name for number in NUMBERS.values() if absent.intersection(number.tables)]
        parameters = {"day": day, "week_days": WEEK_DAYS, "cost_days": COST_DAYS, "unknown": unknown}
        numbers = engine.write(NIGHT_NUMBERS, day, mart, parameters)
    rules = [{"name": name, "value": value} for name, value in rules_of(runtime.settings)]
    return numbers, write_frame(runtime.lake, NIGHT_RULES, day, pl.DataFrame(rules, schema=schema(NIGHT_RULES)))


def rules_of(settings: Settings) -> list[tuple[str, str]]:
    """Name and value of every setting that decides, as texts; secrets are left out."""
    return [pair for section in RULE_SECTIONS for pair in _flat(section, getattr(settings, section))]


def _flat(prefix: str, section: BaseModel) -> Iterator[tuple[str, str]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _flat(f"{prefix}.{name}", value)
        elif f"{prefix}.{name}" == _PEOPLE:
            # Who they are is nobody's business here; how many there are decides.
            yield f"{_PEOPLE}.count", str(len(value))
        elif not isinstance(value, SecretStr):
            yield f"{prefix}.{name}", json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # a default of 80 is no other limit than 80.0 out of a file
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def numbers_of(lake: Lake, days: list[date]) -> dict[date, dict[str, float | None]]:
    """The numbers of those of some days that have any, by day."""
    found = {}
    for day in days:
        for file in lake.files(NIGHT_NUMBERS, [day]):
            frame = pl.read_parquet(file, hive_partitioning=False)
            found[day] = dict(zip(frame["name"], frame["value"], strict=True))
    return found


def nights_until(lake: Lake, day: date, nights: int) -> list[date]:
    """The last nights up to a day that have numbers, ascending."""
    return [each for each in lake.days(NIGHT_NUMBERS) if each <= day][-nights:]


def night_before(lake: Lake, day: date) -> date | None:
    """The night before a day that has rules, at most four weeks back: what was changed longer ago is no news."""
    return max((each for each in lake.days(NIGHT_RULES) if day - timedelta(days=28) <= each < day), default=None)
