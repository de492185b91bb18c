"""The files of a bill together: which they are, which of them tell the same month twice, and the sums of their charges."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dagster_project.domain.billing.identity import OURS
from dagster_project.domain.billing.meters import Meter, running
from dagster_project.errors import InputError
from dagster_project.sources.focus import AMOUNTS, USAGE

_ENDINGS = (".csv", ".csv.gz", ".parquet")
_SAMPLE = 10_000
"""Rows of the largest file that are looked up in the others, to tell whether two files hold the same charges."""
_SAME_FOLDER_PCT, _OTHER_FOLDER_PCT = 50, 5
"""Share of a file's charges that another one has from which on both tell the same. Parts of one export, which lie in one folder,
share next to none; an export that was made again shares most of its charges, spread over parts of another number."""


@dataclass(frozen=True, slots=True)
class Part:
    """What ``focus.narrow`` wrote of a file."""

    path: Path
    narrowed: Path


@dataclass(frozen=True, slots=True)
class Replaced:
    """Charges of a billing period and account that a file tells, and another one again: the later name counts."""

    path: Path
    by: Path
    period_start: str
    billing_account: str
    rows: int


def files(patterns: Iterable[str]) -> tuple[list[Path], list[str]]:
    """The files that patterns name, by name, and a sentence for each pattern that names none that can be read."""
    found: dict[Path, None] = {}
    problems = []
    for pattern in patterns:
        literal = Path(pattern)
        if literal.is_dir():
            problems.append(
                f"billing.focus names the folder {pattern}; name its files, such as {pattern.rstrip('/')}/**/*.parquet."
            )
            continue
        matched = [literal] if literal.is_file() else [Path(each) for each in glob.glob(pattern, recursive=True)]  # noqa: PTH207
        mine = [each for each in matched if each.is_file()]
        if not mine:
            problems.append(f"No billing file is at {pattern}; put the export there, or correct billing.focus.")
        for each in mine:
            if each.name.lower().endswith(_ENDINGS):
                found[each] = None
            else:
                problems.append(f"The billing file {each} is neither .csv, .csv.gz nor .parquet; export it as one of them.")
    return sorted(found, key=_by_name), problems


def _by_name(path: Path) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Names with numbers in the order of the numbers: 2 comes before 10."""
    parts = re.split(r"(\d+)", str(path))
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts), str(path)


def replaced(parts: Sequence[Part]) -> list[Replaced]:
    """Which charges are told twice, by billing period and account: exports that were made again beside the earlier ones."""
    sizes = [
        pl.scan_parquet(part.narrowed)
        .filter(pl.col("reason").is_null())
        .group_by("period_start", "billing_account")
        .agg(pl.len().alias("rows"))
        .collect(engine="streaming")
        .with_columns(pl.lit(number).alias("part"))
        for number, part in enumerate(parts)
    ]
    if len(sizes) < 2:
        return []
    found = []
    by_month = pl.concat(sizes).sort("period_start", "billing_account", "part", nulls_last=True)
    for (period, account), group in by_month.group_by("period_start", "billing_account", maintain_order=True):
        rows = dict(zip(group["part"].to_list(), group["rows"].to_list(), strict=True))
        if len(rows) > 1:
            month = _Month([parts[number] for number in rows], period, account, max(rows.values()))
            for mine, by in month.told_again():
                number = parts.index(mine)
                found.append(Replaced(mine.path, by.path, period or "", account or "", rows[number]))
    return found


class _Month:
    """The files that tell a billing period of an account, with a sample of the charges of each, in the order of names."""

    def __init__(self, parts: Sequence[Part], period: object, account: object, largest: int) -> None:
        every = max(1, largest // _SAMPLE)
        keys = pl.col("row_key")
        self._sample = {
            part: (
                pl.scan_parquet(part.narrowed)
                .filter(
                    pl.col("reason").is_null()
                    & pl.col("period_start").eq_missing(pl.lit(period, pl.String))
                    & pl.col("billing_account").eq_missing(pl.lit(account, pl.String))
                    & (keys % every == 0)
                )
                .select("row_key")
                .unique()
                .collect(engine="streaming")["row_key"]
            )
            for part in parts
        }

    def told_again(self) -> list[tuple[Part, Part]]:
        """Each file whose charges a later one tells again, with that one."""
        again: dict[Part, Part] = {}
        ordered = list(self._sample)
        for at, mine in enumerate(ordered):
            for other in ordered[at + 1 :]:
                if other.path.parent == mine.path.parent and self._shared_pct([mine], [other]) >= _SAME_FOLDER_PCT:
                    again[mine] = other
        folders: dict[Path, list[Part]] = {}
        for part in ordered:
            if part not in again:
                folders.setdefault(part.path.parent, []).append(part)
        sets = list(folders.values())
        for at, mine_too in enumerate(sets):
            for others in sets[at + 1 :]:
                if self._shared_pct(mine_too, others) >= _OTHER_FOLDER_PCT:
                    again.update(dict.fromkeys(mine_too, others[-1]))
        return [(part, again[part]) for part in ordered if part in again]

    def _shared_pct(self, some: Sequence[Part], others: Sequence[Part]) -> float:
        mine, theirs = (pl.concat([self._sample[part] for part in each]).unique() for each in (some, others))
        smaller = min(len(mine), len(theirs))
        return 100 * mine.is_in(theirs.implode()).sum() / smaller if smaller else 0.0


def set_aside(parts: Sequence[Part]) -> pl.DataFrame:
    """Rows that cannot be right or do not count: reason, column_name, rejected_rows, first_at, example_value."""
    rows = _all(parts).filter(pl.col("reason").is_not_null())
    return (
        rows.group_by("reason", "column_name")
        .agg(
            pl.len().cast(pl.Int64).alias("rejected_rows"),
            pl.col("charged_from").min().alias("first_at"),
            pl.col("example_value").min(),
        )
        .collect(engine="streaming")
        .sort("reason", "column_name")
    )


def charges(parts: Sequence[Part], told_again: Sequence[Replaced], listed: Iterable[str]) -> pl.DataFrame:
    """The sums of all charges that count, in billionths, by what they are and whose: of resources that an inventory may list
    (``listed`` are further ids) one by one, of all others together, under the id "" where they have one.

    Of each amount ``<amount>_unknown`` says how many rows lack it: a sum without them would not be one.
    """
    rows = _counted(parts, told_again)
    ours = (
        pl.col("resource_id").str.contains(OURS) | pl.col("resource_id").is_in(sorted(listed)) | pl.col("asg_name").is_not_null()
    )
    is_ours = ours.fill_null(False)
    kept = ("asg_name", "region", "service", "size")
    amounts = (*AMOUNTS, "quantity")
    return (
        rows.join(_meters(rows), on="meter_id", how="left")
        .with_columns(
            (pl.col("is_running").fill_null(False) & (pl.col("bucket") == USAGE)).alias("is_running"),
            pl.coalesce("sub_account", "billing_account").alias("account"),
        )
        .with_columns(
            pl.when(is_ours).then("resource_id").when(pl.col("resource_id").is_not_null()).then(pl.lit("")).alias("resource_id"),
            *(pl.when(is_ours).then(name).alias(name) for name in kept),
            (pl.col("is_running") & is_ours).alias("is_running"),
            (pl.col("is_committed") & is_ours).alias("is_committed"),
        )
        .group_by("billing_account", "account", "resource_id", *kept, "bucket", "is_running", "is_committed")
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            pl.col("charged_from").min(),
            pl.col("charged_to").max(),
            *(pl.col(name).sum() for name in amounts),
            *(pl.col(name).null_count().cast(pl.Int64).alias(f"{name}_unknown") for name in amounts),
        )
        .collect(engine="streaming")
    )


def _meters(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What each kind of charge is for; there are few kinds, so that each can be looked at."""
    names = ("unit", "description", "usage_type", "sku_meter", "sku_details")
    found = (
        rows.filter(pl.col("bucket") == USAGE)
        .group_by("meter_id")
        .agg(*(pl.col(name).min() for name in names))
        .collect(engine="streaming")
    )
    told = [running(Meter(*row)) for row in found.select(names).iter_rows()]
    return pl.LazyFrame(
        {"meter_id": found["meter_id"], "is_running": [each.is_running for each in told], "size": [each.size for each in told]},
        schema={"meter_id": pl.UInt64, "is_running": pl.Boolean, "size": pl.String},
    )


def _counted(parts: Sequence[Part], told_again: Sequence[Replaced]) -> pl.LazyFrame:
    frames = []
    for part in parts:
        frame = pl.scan_parquet(part.narrowed).filter(pl.col("reason").is_null())
        for each in told_again:
            if each.path == part.path:
                is_told = (pl.col("period_start").fill_null("") == each.period_start) & (
                    pl.col("billing_account").fill_null("") == each.billing_account
                )
                frame = frame.filter(~is_told)
        frames.append(frame)
    return pl.concat(frames)


def _all(parts: Sequence[Part]) -> pl.LazyFrame:
    if not parts:
        raise InputError("No billing file could be read; see what is said of each.")
    return pl.concat([pl.scan_parquet(part.narrowed) for part in parts])
