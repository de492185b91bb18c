"""Worlds in which approvals are asked for and made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.approval_builders import Approvals
from tests.proposal_builders import Clock, machines

NewWorld = Callable[..., Approvals]


@pytest.fixture
def new_world(dsn: str, tmp_path: Path) -> NewWorld:
    """Makes a world of machines by their names; further keywords are the world's own, ``machine`` what each of them is."""

    def make(*names: str, machine: dict[str, Any] | None = None, **world: Any) -> Approvals:
        clock = Clock(datetime(2025, 3, 10, 2, tzinfo=UTC))
        return Approvals(dsn, tmp_path, clock, machines(*names, **(machine or {})), **world)

    return make
