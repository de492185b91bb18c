"""What a lake table is: its name, columns, types, grain and order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """One table of the lake, stored as one Parquet file a day. Types are DuckDB's; a partition's rows are sorted by ``grain``,
    which is also unique."""

    name: str
    grain: tuple[str, ...]
    columns: dict[str, str]
    description: str
