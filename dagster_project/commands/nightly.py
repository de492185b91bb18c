"""``nightshift nightly``."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date

import click

from dagster_project.commands.options import Day, checked_day, runtime


@click.command()
@click.option("--day", type=Day(), help="UTC day to work on; default: yesterday.")
@click.option("--dry-run", is_flag=True, help="Act on nothing outside, whatever the settings allow.")
def command(day: date | None, dry_run: bool) -> None:
    """Run the nightly job for a day, as the schedule would.

    Reads the day's utilization and decisions, and what is missing of the look-back before it; judges every resource; finds the
    line of code of each proposal; opens and keeps pull requests as far as the modes of the settings allow; writes the report.
    Only the newest day acts, and without credentials pull requests go to the outbox. Running a day again gives the same report.
    """
    surroundings = replace(runtime(), is_dry_run=dry_run)
    chosen = checked_day(surroundings, day)
    from dagster_project.commands.summary import print_summary
    from dagster_project.defs.launch import run_nightly

    night = run_nightly(surroundings, chosen, debug="--debug" in sys.argv)
    is_fine = print_summary(surroundings, chosen, night)
    if dry_run:
        click.echo("Dry run: nothing outside was written.")
    if not is_fine:
        # The report is there; what could not be done outside is said above, and tried again by the next night.
        click.get_current_context().exit(1)
