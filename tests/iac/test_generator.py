"""Terraform plans what the generator writes, and every size in it is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.iac import twin
from tests.iac.case_files import state
from tests.iac.generator import NUMBERS, Repository, live, repositories, seeded

needs_terraform = pytest.mark.skipif(not twin.AVAILABLE, reason="there is no terraform to plan with")


@needs_terraform
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(repositories())
def test_terraform_plans_it(repository: Repository) -> None:
    with twin.temporary() as folder:
        plan = twin.plan(twin.build(repository.files, Path(folder)), repository.root, **repository.told)
    rows = live(plan)
    assert rows
    assert state(rows)
    for attributes in rows.values():
        for name, value in attributes.items():
            assert isinstance(value, int if name in NUMBERS else str), attributes


def test_seed_gives_the_same_repository() -> None:
    assert seeded(11) == seeded(11)
    assert seeded(11) != seeded(12)
