"""Which resources have a page of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Paged:
    """The verdicts of the resources that have a page, those worth most first; ``left_out`` have none because there are too
    many."""

    rows: Sequence[Mapping[str, Any]]
    left_out: int = 0

    @cached_property
    def resources(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(row["resource_id"] for row in self.rows)
