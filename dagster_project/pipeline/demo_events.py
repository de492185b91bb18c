"""The demo's own evidence of incidents: what Slack, GitHub and AWS would have told of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_project.demo.evidence import evidence
from dagster_project.demo.fleet import DEMO_SEED
from dagster_project.domain.incidents.events import Event
from dagster_project.pipeline.capture_sources import OUTSIDE

_KEEPS_DAYS = 180


@dataclass(frozen=True, slots=True)
class DemoSource:
    """One source of the demo, which keeps all of the demo's history."""

    name: str
    keeps_days: int = _KEEPS_DAYS

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """The story's events of this source in a stretch of time."""
        return (event for event in evidence(DEMO_SEED) if event.source == self.name and since <= event.occurred_at < until)


def demo_sources() -> Sequence[DemoSource]:
    """A source for each of those that there are outside."""
    return [DemoSource(name) for name in OUTSIDE]
