"""Rows of text tables that cannot be right: told apart from the others, and counted by reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.pipeline.ledger import RejectedGroup


@dataclass(frozen=True)
class Rule:
    """What no row can say: ``broken`` is true of a row that says it, and ``column`` is where to look."""

    reason: str
    column: str
    broken: pl.Expr


def split(
    frame: pl.DataFrame, keys: Sequence[str], source: str, *, at: str | None = None, rules: Sequence[Rule] = ()
) -> tuple[pl.DataFrame, list[RejectedGroup]]:
    """Rows that can be right, and the others by reason: a missing id, a broken rule, or an id that is there more than once."""
    # Which of several rows stays must not depend on the order of arrival.
    good = frame.sort(frame.columns, nulls_last=True)
    groups: list[RejectedGroup] = []
    for key in keys:
        is_nameless = pl.col(key).is_null() | (pl.col(key).cast(pl.String) == "")
        missing, good = good.filter(is_nameless), good.filter(~is_nameless)
        if missing.height:
            groups.append(RejectedGroup(source, f"missing_{key}", "", key, missing.height, missing[at].min() if at else None, ""))
    for rule in rules:
        is_broken = rule.broken.fill_null(False)
        groups += _groups(good.filter(is_broken), keys, source, rule.reason, rule.column, at)
        good = good.filter(~is_broken)
    groups += _groups(good.filter(pl.len().over(keys) > 1), keys, source, "duplicate_key", None, at)
    return good.unique(subset=keys, keep="first", maintain_order=True), groups


def _groups(
    rows: pl.DataFrame, keys: Sequence[str], source: str, reason: str, column: str | None, at: str | None
) -> Iterator[RejectedGroup]:
    """A group for each id of ``rows``. Of an id that is repeated (no column to look at) one row stays."""
    counted = rows.group_by(keys).agg(
        pl.len().alias("rows"),
        (pl.col(at).min() if at else pl.lit(None)).alias("first_at"),
        (pl.col(column).first().cast(pl.String) if column else pl.lit(None)).alias("example"),
    )
    for row in counted.sort(keys).iter_rows(named=True):
        name = "/".join(str(row[key]) for key in keys)
        if column is None:
            yield RejectedGroup(source, reason, name, ", ".join(keys), row["rows"] - 1, row["first_at"], name)
        else:
            yield RejectedGroup(source, reason, name, column, row["rows"], row["first_at"], row["example"] or "")
