"""The report's section about what was read live from AWS, as values in reading order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScopeLine:
    """One region of an account. Statuses are those of the load ledger, None where nothing was asked; ``problem`` is why something
    is missing, in AWS's or our words."""

    place: str
    resources: int
    inventory: str | None
    metrics: str | None
    samples: int
    calls: int
    throttles: int
    problem: str | None = None


@dataclass(frozen=True)
class AwsCoverage:
    """The section. ``sentence`` tells of all regions together; ``lines`` are those that something is missing of, then the
    largest; ``changes`` tell which configurations are not what they were."""

    sentence: str
    notes: tuple[str, ...] = ()
    lines: tuple[ScopeLine, ...] = ()
    more: int = 0
    changes: tuple[str, ...] = ()
