"""``nightshift demo``."""

from __future__ import annotations

import sys

import click

from dagster_project.commands.options import runtime


@click.command()
def command() -> None:
    """Fill an embedded PostgreSQL with a demo fleet and run a night on it.

    The fleet is made up and always the same: about 300 resources over 35 days, with the shapes that make right-sizing hard.
    It lives in NIGHTSHIFT_HOME; remove that folder to be rid of it. A second run starts where the first ended.
    """
    from dagster_project.commands.summary import print_summary
    from dagster_project.defs.launch import run_nightly
    from dagster_project.demo.fleet import DEMO_LAST_DAY
    from dagster_project.pipeline.demo_fleet import fill_demo, with_demo_code

    surroundings = runtime()
    samples = fill_demo(surroundings)
    surroundings.progress.say(
        f"The demo database holds {samples:,} samples." if samples else "The demo database is there already."
    )
    surroundings = with_demo_code(surroundings)
    night = run_nightly(surroundings, DEMO_LAST_DAY, debug="--debug" in sys.argv)
    print_summary(surroundings, DEMO_LAST_DAY, night)
