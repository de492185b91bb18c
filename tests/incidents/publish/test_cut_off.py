"""A night that is cut off at any request leaves what the next one goes on from: one branch, one pull request, nothing lost."""

from __future__ import annotations

import pytest

from dagster_project.domain.incidents.merging import merge
from dagster_project.pipeline.postmortem_pulls import propose_postmortems
from dagster_project.pipeline.runtime import Runtime
from tests.conftest import query
from tests.github.faults import Fault
from tests.incidents.publish.conftest import DAY, INCIDENT, World, document

NEWS = "10:00 it began, 11:00 it ended"
BEFORE, AFTER = "forbidden", "drop_after"


class Killed(BaseException):
    """Ends a night as a signal does: nothing of the project handles it."""


def kill_at(world: World, write: int, *, is_done: bool) -> bool:
    """A night that ends at its ``write``-th write, with or without GitHub having done it; whether it came to that."""
    return False
