"""The report's section about action items, and the summary's line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import polars as pl

from dagster_project.domain.action_items.measures import EVERYTHING
from dagster_project.domain.action_items.model import COMPLETED, DUPLICATE, LOST
from dagster_project.domain.action_items.reminders import REPORT_AFTER_DAYS
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.lake.action_item_tables import (
    ACTION_ITEM_METRICS,
    ACTION_ITEM_REMINDERS,
    ACTION_ITEM_SURVIVAL,
    ACTION_ITEMS,
)
from dagster_project.lake.partitions import Lake
from dagster_project.lake.table import Table
from dagster_project.pipeline.action_item_people import People
from dagster_project.pipeline.action_item_reminders import FAILED, OUTBOX, SENT, WAITING
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.action_item_views import ActionItems, Curve, GroupLine, ItemLine, Share
from dagster_project.reporting.words import counted

_SHOWN = 20
_SHOWN_GROUPS = 20
_SHOWN_PROBLEMS = 10
Row = Mapping[str, Any]


def action_items_in_report(runtime: Runtime, day: date) -> ActionItems:
    """The section of the day's report; empty where its night knew of no action item."""
    lake = runtime.lake
    if not lake.has(ACTION_ITEM_METRICS, day):
        return ActionItems()
    metrics = _rows(lake, ACTION_ITEM_METRICS, day)
    whole = next((row for row in metrics if row["scope"] == "all"), None)
    if whole is None or not whole["items"]:
        return ActionItems()
    rows = _rows(lake, ACTION_ITEMS, day)
    urgent = _urgent(rows, day)
    redactor = Redactor(runtime.settings.incidents.names, runtime.settings.incidents.name_salt)
    redactor = redactor.with_people_of(row["title"] for row in urgent[:_SHOWN])
    people = People(runtime.settings)
    return ActionItems(
        _sentence(whole),
        _shares(whole),
        _curve(lake, day, whole, rows),
        tuple(_line(row, day, redactor, people) for row in urgent[:_SHOWN]),
        max(len(urgent) - _SHOWN, 0),
        _groups(metrics, "team"),
        _groups(metrics, "type"),
        tuple(_reminders(_rows(lake, ACTION_ITEM_REMINDERS, day), redactor, people)),
        tuple(_problems(rows)),
    )


def _sentence(whole: Row) -> str:
    parts = [f"{counted(whole['items'], 'action item').capitalize()} on record, {whole['open']:,} not done"]
    parts += [f"{whole['overdue']:,} overdue"] if whole["overdue"] else []
    parts += [f"{whole['overdue_30_days']:,} for more than {REPORT_AFTER_DAYS} days"] if whole["overdue_30_days"] else []
    text = ", ".join(parts) + "."
    if whole["lost"]:
        is_one = whole["lost"] == 1
        text += f" {whole['lost']:,} {'is' if is_one else 'are'} lost: the issue is gone, and nobody said that it is done."
    return text


def _shares(whole: Row) -> tuple[Share, ...]:
    return (
        Share("Done by the due date", whole["done_at_due"], whole["due_judged"], _judged(whole)),
        Share("Done by now", whole["done_of_due"], whole["due"], "of items whose first due date has come"),
        Share("On time", whole["on_time"], whole["done_dated"], "of done items of which it is known when they were done"),
        Share(
            "Due date moved", whole["slipped"], whole["items"], f"of all items; moved {counted(whole['slips'], 'time')} in all"
        ),
        Share("Reopened", whole["reopened"], whole["ever_done"], "of items that were ever done"),
        Share("Came back", whole["came_back"], whole["observed"], "of items done 90 days ago: a similar incident within these"),
        Share("Without an owner", whole["without_owner"], whole["open"], "of items that are not done"),
        Share("Without a due date", whole["without_due"], whole["open"], "of the same"),
        Share("Without a tracker", whole["without_tracker"], whole["open"], "of the same"),
    )


def _judged(whole: Row) -> str:
    unknown = whole["due"] - whole["due_judged"]
    left_out = f"; of {unknown:,} more nobody knows when they were done" if unknown else ""
    return f"of items whose first due date has come{left_out}"


def _curve(lake: Lake, day: date, whole: Row, rows: Iterable[Row]) -> Curve | None:
    steps = [
        (row["age_days"], row["not_done_share"])
        for row in _rows(lake, ACTION_ITEM_SURVIVAL, day)
        if row["scope"] == "all" and row["group_name"] == EVERYTHING
    ]
    counted_rows = [row for row in rows if row["state"] != DUPLICATE and row["is_done_at_known"]]
    done = sum(row["state"] in COMPLETED for row in counted_rows)
    if not done:
        return None  # nothing has come down yet
    oldest = max(((row["ended_at"].date() if row["ended_at"] else day) - row["created_at"].date()).days for row in counted_rows)
    return Curve(tuple(steps), max(oldest, 1), whole["median_days"], len(counted_rows), done)


def _urgent(rows: Iterable[Row], day: date) -> list[Row]:
    """What is overdue or lost, that for longest first."""
    found = [row for row in rows if row["ended_at"] is None and (row["state"] == LOST or (row["due_on"] or date.max) < day)]
    return sorted(found, key=lambda row: (row["due_on"] or date.max, row["item_id"]))


def _line(row: Row, day: date, redactor: Redactor, people: People) -> ItemLine:
    late = None if row["due_on"] is None else (day - row["due_on"]) // timedelta(days=1)
    notes = [row["state_reason"]] if row["state"] == LOST and row["state_reason"] else []
    notes += [f"moved {counted(row['slips'], 'time')}, first due {row['first_due_on']}"] if row["slips"] else []
    return ItemLine(
        row["item_id"],
        redactor.text(row["title"]),
        row["incident_id"],
        _owner(row["owner"], redactor, people),
        row["team"] or "no team",
        str(row["due_on"] or "no date"),
        late if late is not None and late > 0 else None,
        row["state"].replace("_", " "),
        row["tracker_key"],
        row["url"],
        redactor.text(", ".join(notes)),
    )


def _owner(owner: str | None, redactor: Redactor, people: People) -> str:
    """An owner as they are called: those of the settings by name, others as elsewhere in reports."""
    if owner is None:
        return "nobody"
    return people.name(owner) if people.person(owner) is not None else redactor.person(owner, "owner")


def _groups(metrics: Sequence[Row], scope: str) -> tuple[GroupLine, ...]:
    names = [each.name for each in fields(GroupLine) if each.name != "name"]
    found = [GroupLine(row["group_name"], **{name: row[name] for name in names}) for row in metrics if row["scope"] == scope]
    return tuple(sorted(found, key=lambda line: (-line.overdue, -line.open, line.name))[:_SHOWN_GROUPS])


def _reminders(rows: Sequence[Row], redactor: Redactor, people: People) -> Iterable[str]:
    words = {SENT: "sent", OUTBOX: "in the outbox", WAITING: "waiting for working hours"}
    for state, word in words.items():
        those = [row for row in rows if row["state"] == state]
        if those:
            items = sum(row["items"] for row in those)
            yield f"{counted(len(those), 'digest').capitalize()} {word}, about {counted(items, 'item')}."
    for row in [row for row in rows if row["state"] == FAILED][:_SHOWN_PROBLEMS]:
        yield f"The digest of {_owner(row['recipient'], redactor, people)} was not sent. {row['detail'] or ''}".strip()


def _problems(rows: Iterable[Row]) -> list[str]:
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["problem"] and row["ended_at"] is None and row["state"] != LOST:
            found.setdefault(row["problem"], []).append(row["item_id"])
    told = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))
    return [f"{names[0]}{f' and {len(names) - 1:,} more' if len(names) > 1 else ''}: {why}" for why, names in told][
        :_SHOWN_PROBLEMS
    ]


def _rows(lake: Lake, table: Table, day: date) -> list[dict[str, Any]]:
    return list(pl.read_parquet(lake.require(table, day), hive_partitioning=False).iter_rows(named=True))
