"""Sorts a day of samples of any size in bounded memory: spread over bucket files by resource, then sorted bucket by bucket.

Buckets are ranges of resources in the order of their ids, so the sorted buckets, one after the other, are the partition. A second
source, whose resources are all known before, is spread in the same way, and fills each bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.sample_rules import Rejection
from dagster_project.lake.sample_filling import fill

_RECORD = np.dtype([("code", "<u4"), ("at_us", "<i8"), ("values", "<f4", (len(METRICS),))])
_CHUNK = 262_144
_RESOURCES_WORTH_A_FILE = 64  # fewer resources than that fit into memory whatever their interval


class SampleSorter:
    """Takes samples in any order, gives them back by resource and time.

    A resource is a ``code``: codes below ``len(known_ids)`` are positions in that sorted list; codes from there on are
    resources that turned up on the way, whose ids are told at the end.
    """

    def __init__(self, folder: Path, known_ids: list[str], buckets: int) -> None:
        self._folder = folder
        self._known = known_ids
        self._buckets = max(1, min(buckets, len(known_ids) // _RESOURCES_WORTH_A_FILE))
        self._files = [(folder / f"bucket-{number}").open("wb") for number in range(self._buckets)]
        self._unlisted = (folder / "unlisted").open("wb")
        self._fillings: list[BinaryIO] = []
        self.duplicates: list[Rejection] = []
        self.sources: list[pl.DataFrame] = []

    def add(self, codes: NDArray[np.integer], at_us: NDArray[np.int64], values: NDArray[np.floating]) -> None:
        """Spills a block. ``values`` is (n, metrics), NaN = unknown."""
        records = np.empty(len(codes), _RECORD)
        records["code"], records["at_us"], records["values"] = codes, at_us, values
        listed = codes < len(self._known)
        if not listed.all():
            records[~listed].tofile(self._unlisted)
            records = records[listed]
        self._spill(self._files, records)

    def fill(self, codes: NDArray[np.integer], at_us: NDArray[np.int64], values: NDArray[np.floating]) -> None:
        """Spills a block of the second source: each resource and time once, on whole slots of five minutes."""
        if not self._fillings:
            self._fillings = [(self._folder / f"filling-{number}").open("wb") for number in range(self._buckets)]
        records = np.empty(len(codes), _RECORD)
        records["code"], records["at_us"], records["values"] = codes, at_us, values
        self._spill(self._fillings, records)

    def _spill(self, files: Sequence[BinaryIO], records: NDArray[np.void]) -> None:
        buckets = self._bucket_of(records["code"]).astype(np.uint16)
        order = np.argsort(buckets, kind="stable")  # radix sort on 16 bits
        ends = np.searchsorted(buckets[order], np.arange(self._buckets), side="right")
        records = records[order]
        start = 0
        for file, end in zip(files, ends.tolist(), strict=True):
            if end > start:
                records[start:end].tofile(file)
            start = end

    def frames(self, unlisted_ids: list[str]) -> Iterator[pl.DataFrame]:
        """The sorted samples, a bucket at a time; can be called once. ``unlisted_ids`` name the codes after the known ones.

        Of rows with the same resource and time the most loaded is kept; the others are in ``duplicates`` afterwards, and in
        ``sources`` how many readings of each metric of a resource came from which source, where there was a second one.
        """
        self._close()
        ids = self._known + unlisted_ids
        order = sorted(range(len(ids)), key=ids.__getitem__)
        rank = np.empty(len(ids), np.int64)
        rank[order] = np.arange(len(ids))
        names = pl.Series(ids, dtype=pl.String)
        self._distribute_unlisted(unlisted_ids)
        for number in range(self._buckets):
            records = np.fromfile(self._folder / f"bucket-{number}", _RECORD)
            if len(records):
                records = self._sorted(records, rank)
            if self._fillings:
                records = self._filled(records, np.fromfile(self._folder / f"filling-{number}", _RECORD), rank, names)
            if len(records):
                yield _frame(records, names)

    def _filled(
        self, records: NDArray[np.void], others: NDArray[np.void], rank: NDArray[np.int64], names: pl.Series
    ) -> NDArray[np.void]:
        others = others[np.lexsort((others["at_us"], rank[others["code"]]))]
        done = fill(records, others, rank)
        ids = names.gather(pl.Series(done.codes))
        for index, metric in enumerate(METRICS):
            counts = {"database_samples": done.own[:, index], "cloudwatch_samples": done.filled[:, index]}
            self.sources.append(pl.DataFrame({"resource_id": ids, **counts}).with_columns(pl.lit(metric.name).alias("metric")))
        return done.records

    def _bucket_of(self, positions: NDArray[np.integer]) -> NDArray[np.int64]:
        return positions.astype(np.int64) * self._buckets // max(1, len(self._known))

    def _distribute_unlisted(self, unlisted_ids: list[str]) -> None:
        if not unlisted_ids:
            return
        positions = np.searchsorted(np.array(self._known, dtype=object), np.array(unlisted_ids, dtype=object))
        bucket_of_code = self._bucket_of(np.minimum(positions, max(0, len(self._known) - 1)))
        with (self._folder / "unlisted").open("rb") as source:
            while len(records := np.fromfile(source, _RECORD, _CHUNK)):
                buckets = bucket_of_code[records["code"].astype(np.int64) - len(self._known)]
                for number in np.unique(buckets).tolist():
                    with (self._folder / f"bucket-{number}").open("ab") as file:
                        records[buckets == number].tofile(file)

    def _sorted(self, records: NDArray[np.void], rank: NDArray[np.int64]) -> NDArray[np.void]:
        ranks, at_us = rank[records["code"]], records["at_us"]
        # One sortable number of resource and time: a day has 8.64e10 microseconds (37 bits), which leaves 26 for the rank.
        keys = (ranks - ranks.min()) * (1 << 37) + (at_us - at_us.min())
        order = np.argsort(keys)
        repeated = keys[order][1:] == keys[order][:-1]
        if not repeated.any():
            return records[order]
        # Which of two rows comes first must not depend on the order of arrival: the most loaded comes last and stays.
        loads = np.nan_to_num(records["values"], nan=-1.0)
        order = np.lexsort((*loads.T[::-1], keys))
        is_last = np.append(keys[order][1:] != keys[order][:-1], True)
        self._count_duplicates(records[order[~is_last]])
        return records[order[is_last]]

    def _count_duplicates(self, dropped: NDArray[np.void]) -> None:
        for code in np.unique(dropped["code"]):
            mine = dropped[dropped["code"] == code]
            self.duplicates.append(Rejection("duplicate_key", int(code), "", len(mine), int(mine["at_us"].min()), ""))

    def _close(self) -> None:
        for file in (*self._files, *self._fillings, self._unlisted):
            file.close()

    def __enter__(self) -> SampleSorter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


def _frame(records: NDArray[np.void], names: pl.Series) -> pl.DataFrame:
    columns = {
        "resource_id": names.gather(pl.Series(records["code"])),
        "sampled_at": pl.Series(records["at_us"]).cast(pl.Datetime("us")),
    }
    for index, metric in enumerate(METRICS):
        columns[metric.name] = pl.Series(np.ascontiguousarray(records["values"][:, index])).fill_nan(None)
    return pl.DataFrame(columns)
