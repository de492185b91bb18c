"""``nightshift demo``."""

from __future__ import annotations

import sys

import click

from dagster_project.commands.options import runtime


@click.command()
@click.option("--next-day", is_flag=True, help="Go on to the demo's next day first, and run its night.")
def command(next_day: bool) -> None:
    """Fill an embedded PostgreSQL with a demo fleet and run a night on it.

    The fleet is made up and always the same: about 300 resources over 35 days, with the shapes that make right-sizing hard.
    It lives in NIGHTSHIFT_HOME; remove that folder to be rid of it. Every command in that home lives on the demo's day, with a
    cloud of its own: approve what is asked (nightshift proposals list), and it is applied there. Run the demo again, and the
    next night shows what became of it.
    """
    from dagster_project.commands.summary import print_summary
    from dagster_project.defs.launch import run_nightly
    from dagster_project.pipeline.demo_fleet import fill_demo, write_demo_code
    from dagster_project.pipeline.demo_world import as_demo, demo_day, go_on, is_demo, note_day, remember, was_changed

    surroundings = runtime()
    samples = fill_demo(surroundings)
    surroundings.progress.say(
        f"The demo database holds {samples:,} samples." if samples else "The demo database is there already."
    )
    write_demo_code(surroundings)
    if not is_demo(surroundings.settings):
        remember(surroundings)
        note_day(surroundings.settings, demo_day(surroundings.settings))
    elif next_day or was_changed(surroundings):
        surroundings.progress.say(f"The demo goes on to {go_on(surroundings)}.")
    surroundings = as_demo(surroundings)
    day = demo_day(surroundings.settings)
    night = run_nightly(surroundings, day, debug="--debug" in sys.argv)
    print_summary(surroundings, day, night)
