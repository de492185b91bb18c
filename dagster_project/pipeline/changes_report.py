"""What changed since the night before in the rules: policies of the decision engine, and Nightshift's own settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from dagster_project.lake.engine import Engine
from dagster_project.lake.incident_tables import POLICIES
from dagster_project.lake.partitions import Lake
from dagster_project.lake.report_tables import NIGHT_RULES
from dagster_project.pipeline.night_numbers import night_before
from dagster_project.statements import statement

_SHOWN = 30
_LONGEST_VALUE = 80
_ABSENT = "unset"


def changes_in_report(engine: Engine, lake: Lake, day: date) -> tuple[str, ...] | None:
    """A sentence for each change; None where there is nothing to compare with: no night before, or this one has kept no rules."""
    before = night_before(lake, day)
    if before is None or not lake.has(NIGHT_RULES, day):
        return None
    told = [*_settings(lake, before, day), *_policies(engine, lake, before, day)]
    if len(told) > _SHOWN:
        return (*told[:_SHOWN], f"{len(told) - _SHOWN:,} more; the tables night_rules and policies have them.")
    return tuple(told)


def _settings(lake: Lake, before: date, day: date) -> Iterator[str]:
    old, new = (_rules(lake, each) for each in (before, day))
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if was != now:
            yield f"The setting {name} was {_cut(was)} on {before} and is {_cut(now)} now."


def _policies(engine: Engine, lake: Lake, before: date, day: date) -> Iterator[str]:
    if not (lake.has(POLICIES, before) and lake.has(POLICIES, day)):
        return
    engine.view(POLICIES, [before, day])
    for row in engine.rows(statement("reports/changed_policies"), {"day": day, "before": before}):
        name = f"{row['policy_id']} ({row['name']})" if row["name"] and row["name"] != row["policy_id"] else row["policy_id"]
        did = "has a new version" if row["change"] == "new" else "no longer has version"
        yield f"The decision engine's policy {name} {did} {row['version']}."


def _rules(lake: Lake, day: date) -> dict[str, str]:
    frame = pl.read_parquet(lake.require(NIGHT_RULES, day), hive_partitioning=False)
    return dict(zip(frame["name"], frame["value"], strict=True))


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"
