"""``nightshift demo``."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from dagster_project.commands.options import runtime


@click.command()
@click.option("--next-day", is_flag=True, help="Go on to the demo's next day first, and run its night.")
@click.option("--aws", "is_aws", is_flag=True, help="Two AWS accounts on moto's server instead, read, judged and changed there.")
def command(next_day: bool, is_aws: bool) -> None:
    """Fill an embedded PostgreSQL with a demo fleet and run a night on it.

    The fleet is made up and always the same: about 300 resources over 35 days, with the shapes that make right-sizing hard.
    It lives in NIGHTSHIFT_HOME; remove that folder to be rid of it. Every command in that home lives on the demo's day, with a
    cloud of its own: approve what is asked (nightshift proposals list), and it is applied there. Run the demo again, and the
    next night shows what became of it.

    With --aws nothing is in the database but the decision audit: inventory, metrics and changes go over HTTP to moto's server,
    which runs as long as the command. It ends with one approved change and what AWS has afterwards. Needs nightshift[aws-demo].
    """
    if is_aws:
        _on_aws()
        return
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


def _on_aws() -> None:
    from dagster_project.commands.summary import print_summary
    from dagster_project.defs.launch import run_nightly
    from dagster_project.pipeline.applying import apply_approved
    from dagster_project.pipeline.approval_answers import approve
    from dagster_project.pipeline.approvers import at_machine, user_of_this_process
    from dagster_project.pipeline.demo_aws import aws_demo, waiting_requests, what_aws_has

    with aws_demo(runtime()) as demo:
        surroundings = demo.runtime
        day = (surroundings.now - timedelta(days=1)).date()
        night = run_nightly(surroundings, day, debug="--debug" in sys.argv)
        print_summary(surroundings, day, night)
        person = at_machine(surroundings.settings, user_of_this_process())
        for request_id in waiting_requests(demo)[:1]:
            said, request = approve(surroundings, request_id, person)
            click.echo(f"Approved by {person.email}: {request_id}: {said}")
            applied = apply_approved(surroundings, request_id)
            for line in (*applied.lines, *(f"Waits: {wait}" for wait in applied.waits)):
                click.echo(line)
            for change in request.plan.changes:
                click.echo(f"AWS has {change.resource_id} as {what_aws_has(surroundings, change)} now.")
