"""What a run of the benchmarks can be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """``resources`` in the synthetic fleet, and how often each thing is measured."""

    resources: int
    repeat: int
