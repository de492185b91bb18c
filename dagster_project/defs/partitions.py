"""One partition a day, in UTC. Belongs here: what days there are. Not here: what is done with them."""

from datetime import date

import dagster as dg

ASSET_KWARGS = {"backfill_policy": dg.BackfillPolicy.single_run(), "owners": ["team:platform"]}
"""Common to every asset: a range of days is one run, which visits them in order."""


def daily(first_day: date) -> dg.DailyPartitionsDefinition:
    """Days from ``first_day`` to the last one that is over."""
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone="UTC")


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days of this run, ascending."""
    return [date.fromisoformat(key) for key in context.partition_keys]
