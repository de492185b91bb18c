"""What the report says of what was read live from AWS: which regions of which accounts, what is missing, what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from dagster_project.lake.aws_tables import AWS_RESOURCES, SAMPLE_SOURCES
from dagster_project.lake.engine import Engine
from dagster_project.reporting.aws_coverage_views import AwsCoverage, ScopeLine
from dagster_project.reporting.words import counted, percent
from dagster_project.statements import statement

_SHOWN, _CHANGES_SHOWN = 20, 10
_LONGEST_PROBLEM = 600
"""Characters; the load ledger has the whole of it."""
_WHOLE = "complete"
Row = Mapping[str, Any]


def aws_in_report(engine: Engine, day: date) -> AwsCoverage | None:
    """The section of the day; None where no account is read. ``engine`` has the day's load ledger and inventory in view."""
    rows = engine.rows(statement("reports/aws_coverage"))
    if not rows:
        return None
    engine.view(AWS_RESOURCES, [day])
    engine.view(SAMPLE_SOURCES, [day])
    lines = [_line(row) for row in rows]
    # What is missing comes first; then where there is most.
    lines.sort(key=lambda line: (line.problem is None, -line.resources, line.place))
    whole = sum(line.problem is None for line in lines)
    accounts = len({line.place.partition("/")[0] for line in lines})
    return AwsCoverage(
        sentence=(
            f"{counted(whole, 'region')} of {counted(accounts, 'account')} {'was' if whole == 1 else 'were'} read whole"
            + (f"; of {len(lines) - whole:,} something is missing." if whole < len(lines) else ".")
        ).capitalize(),
        notes=tuple(_notes(engine, day)),
        lines=tuple(lines[:_SHOWN]),
        more=max(0, len(lines) - _SHOWN),
        changes=tuple(_changes(engine.rows(statement("reports/configuration_changes")))),
    )


def _line(row: Row) -> ScopeLine:
    is_whole = row["inventory"] == row["metrics"] == _WHOLE
    return ScopeLine(
        place=row["place"],
        resources=row["resources"],
        inventory=row["inventory"],
        metrics=row["metrics"],
        samples=row["samples"],
        calls=row["calls"],
        throttles=row["throttles"],
        problem=None if is_whole else _short(row["problem"] or "It was not asked in this night."),
    )


def _short(problem: str) -> str:
    return problem if len(problem) <= _LONGEST_PROBLEM else f"{problem[: _LONGEST_PROBLEM - 1]}…"


def _notes(engine: Engine, day: date) -> Iterator[str]:
    carried = engine.rows(statement("reports/carried_resources"), {"day": day})[0]
    if carried["resources"]:
        yield (
            f"{counted(carried['resources'], 'resource').capitalize()} could not be looked at, the first since "
            f"{carried['since']:%Y-%m-%d}; nothing is decided about them, such as {carried['example']}."
        )
    told = engine.rows(statement("reports/sample_shares"))[0]
    if told["readings"]:
        share = percent(100 * told["cloudwatch"] / told["readings"]).removesuffix("%")
        others = "" if told["cloudwatch"] == told["readings"] else "; the others are the database's"
        yield f"CloudWatch filled in {share} % of the day's {counted(told['readings'], 'reading')}{others}."


def _changes(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows[:_CHANGES_SHOWN]:
        told = [
            f"{name} {_value(before)} → {_value(after)}" for name, (before, after) in sorted(json.loads(row["changes"]).items())
        ]
        yield f"{row['native_id']} ({row['account_id']}/{row['region']}): {', '.join(told)}"
    if len(rows) > _CHANGES_SHOWN:
        yield f"{counted(len(rows) - _CHANGES_SHOWN, 'further resource')}, in aws_resources."


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
