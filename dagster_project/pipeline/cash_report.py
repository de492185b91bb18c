"""What is said of cash: of one proposal, of a night's proposals together, and of commitments that could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from dagster_project.domain.rightsizing.cash import COMMITMENTS, NOT_READ, ON_DEMAND, UNKNOWN
from dagster_project.lake.engine import Engine
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER
from dagster_project.pipeline.cash_savings import COMMITMENTS as SOURCE
from dagster_project.reporting.words import counted, money
from dagster_project.statements import statement

Row = Mapping[str, Any]
LIST_PRICE, DISCOUNTED = "at list price", "at list price less the discounts of the settings"
_UNKNOWN = {
    NOT_READ: "unknown, because commitments were not read",
    UNKNOWN: "unknown, because it is not known what it or a commitment counts for",
}


def price_basis(verdicts: Row) -> str:
    """At which prices a report is; ``verdicts`` is the row of ``reports/fleet``."""
    return DISCOUNTED if verdicts["discounted"] else LIST_PRICE


def cash_sentences(engine: Engine, resource_ids: Sequence[str] | None = None) -> tuple[str, ...]:
    """How much of what is proposed, of some resources or of all, is cash; nothing where there are neither commitments nor
    discounts. ``engine`` has the verdicts of a day in view."""
    row = engine.rows(statement("reports/cash_savings"), {"resource_ids": resource_ids})[0]
    told = []
    if row["under_commitments"] or row["unread"] or row["unknown"]:
        told.append(_now(row))
    for basis, resources, usd in (
        (NOT_READ, row["unread"], row["unread_usd_month"]),
        (UNKNOWN, row["unknown"], row["unknown_usd_month"]),
    ):
        if resources:
            told.append(f"Of {money(usd)} a month ({counted(resources, 'proposal')}) it is {_UNKNOWN[basis]}.")
    if row["discounted"]:
        told.append(f"At list prices it would be {money(row['list_savings_usd_month'])} a month.")
    return tuple(told)


def _now(row: Row) -> str:
    cash, covered = row["cash_usd_month"], row["covered_usd_month"]
    now = f"{money(cash)} a month of it is cash now" if cash >= 0 else f"At first {money(-cash)} a month more is paid"
    if not covered:
        return f"{now}."
    return f"{now}; {money(covered)} goes on being paid for Reserved Instances or Savings Plans {_ends(row)}."


def _ends(row: Row) -> str:
    first, last = row["first_ends_on"], row["last_ends_on"]
    if first is None:
        return "whose end is not known"
    when = f"until {first}" if first == last else f"that end between {first} and {last}"
    return f"{when}, or whose end is not known" if row["without_end"] else when


def cash_note(verdict: Row) -> str | None:
    """The same of one proposal, a row of ``rightsizing_verdicts``; None where all of it is cash, or nobody was asked."""
    basis = verdict["cash_basis"]
    if basis in _UNKNOWN:
        return f"How much of it is cash is {_UNKNOWN[basis]}."
    if basis != COMMITMENTS or not verdict["covered_pct"]:
        return None
    return f"Cash now: {cash_told(verdict)}."


def cash_told(verdict: Row) -> str:
    """What a proposal saves in cash, for a list of numbers."""
    basis, cash = verdict["cash_basis"], verdict["cash_savings_usd_month"]
    if basis in _UNKNOWN:
        return _UNKNOWN[basis]
    if not verdict["covered_pct"]:
        because = "no commitment pays for it" if basis == ON_DEMAND else "it is on demand"
        return f"{money(cash)} a month, because {because}"
    until = f"until {verdict['cash_from']}" if verdict["cash_from"] else "whose end is not known"
    return f"{money(cash)} a month; {verdict['covered_pct']:.0f} % of the saving goes on being paid for commitments {until}"


def unread_commitments(lake: Lake, day: date) -> tuple[str, ...]:
    """A sentence for each account and region whose commitments could not be read for the day."""
    told = []
    for file in lake.files(LOAD_LEDGER, [day]):
        kind, _, place = file.stem.partition(".")
        if kind == SOURCE:
            line = pl.read_parquet(file).row(0, named=True)
            if line["status"] != "complete":
                told.append(f"Commitments of {place.replace('.', '/')} were not read: {line['error']}")
    return tuple(told)
