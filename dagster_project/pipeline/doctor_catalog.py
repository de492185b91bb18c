"""What ``nightshift doctor`` says of the prices that savings are told by: how old they are, where something runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from dagster_project.errors import NightshiftError
from dagster_project.pipeline.catalog_answers import PriceAge, price_ages
from dagster_project.pipeline.catalog_refresh import regions_in_use
from dagster_project.pipeline.demo_world import is_demo
from dagster_project.pipeline.runtime import Runtime

OLD_DAYS = 180
"""Prices of this age are worth a refresh: list prices are rarely changed, and types that came since are not known."""

_REMEDY = "run 'nightshift catalog refresh'."


def prices(runtime: Runtime) -> Iterator[tuple[str, bool, str]]:
    """Subject, whether it is fine, and a sentence, for each region in use; none in the demo, whose catalog is the shipped one."""
    if is_demo(runtime.settings):
        return
    try:
        regions, ages = regions_in_use(runtime), price_ages(runtime, runtime.now.astimezone(UTC).date())
    except NightshiftError as error:
        yield "prices", False, str(error)
        return
    for region in regions:
        yield f"prices {region}", *_told([each for each in ages if each.region == region and each.prices])


def _told(ages: list[PriceAge]) -> tuple[bool, str]:
    if not ages:
        return False, f"The catalog has none, and what a change saves there is not known; {_REMEDY}"
    told = ", ".join(f"{each.service} of {each.oldest} ({each.age_days:,} days old)" for each in ages)
    is_fine = all(each.age_days is not None and each.age_days < OLD_DAYS for each in ages)
    return is_fine, told if is_fine else f"{told}; {_REMEDY}"
