"""A quarter of a year with acting people, bots and random faults; `make soak` runs many more of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.action_items.months import Months

EXAMPLES = int(os.environ.get("NIGHTSHIFT_SOAK_EXAMPLES", "1"))
STEPS = int(os.environ.get("NIGHTSHIFT_SOAK_STEPS", "90"))


def test_months_with_people_bots_and_faults(dsn: str, tmp_path: Path, execute: Callable[..., None]) -> None:
    numbers = [0]
    run_state_machine_as_test(
        lambda: Months(dsn, tmp_path, execute, numbers),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            # A failing example takes minutes to shrink; its steps are printed and can be cut by hand.
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize="NIGHTSHIFT_SOAK_EXAMPLES" not in os.environ,
            print_blob=False,
        ),
    )
