"""How AWS behaves: how long changes take, in numbers of times that somebody looks, as no time passes in tests, and what there
is none of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

START = datetime(2025, 3, 10, 2, 0, tzinfo=UTC)


@dataclass
class Dials:
    """What a test may set. Each number says how often a change is seen under way before it is over."""

    now: datetime = START
    """What AWS takes for the present."""
    stopping: int = 1
    pending: int = 1
    initializing: int = 1
    """Status checks after a start."""
    launching: int = 1
    """New members of a group, before they are in service."""
    refreshing: int = 2
    """An instance refresh that is in progress; each time a share of the members is replaced."""
    before_modifying: int = 1
    """A database that was asked to change at once and does not say so yet."""
    modifying: int = 1
    templates_per_page: int = 200
    most_per_page: int | None = None
    """Pages of the lists of an inventory have no more than that, whatever is asked for; None: as asked."""
    is_first_page_empty: bool = False
    """The first page of such a list has nothing but a token, as AWS's may have."""
    session_seconds: int = 3600
    """How long the credentials of a role hold."""
    exhausted: set[str] = field(default_factory=set)
    """Sizes that there is no capacity of."""
    impaired: set[str] = field(default_factory=set)
    """Instances and types whose status checks fail."""
    impaired_volumes: set[str] = field(default_factory=set)
    """Instances that do not reach their volumes; their own checks pass."""
    unhealthy: set[str] = field(default_factory=set)
    """Members that their groups find unhealthy."""
    refresh_failure: str | None = None
    """Why refreshes fail from now on, if they do."""
    delay_seconds: dict[str, float] = field(default_factory=dict)
    """How long requests to a region take longer: for benchmarks, as tests wait for nothing."""
