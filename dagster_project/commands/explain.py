"""``nightshift explain``."""

from __future__ import annotations

from datetime import date

import click

from dagster_project.commands.layout import table
from dagster_project.commands.options import Day, runtime


@click.command()
@click.argument("resource_id")
@click.option("--day", type=Day(), help="UTC day; default: the newest day that has verdicts.")
def command(resource_id: str, day: date | None) -> None:
    """Show the verdict of one resource with its evidence."""
    from dagster_project.pipeline.explain import explain

    story = explain(runtime(), resource_id, day)
    click.echo(f"{story.resource_id}  {story.kind}  {story.owner}  ({story.day})")
    click.echo(f"{story.verdict.upper()}  {story.reason_code}")
    click.echo(f"  {story.sentence}")
    click.echo("")
    for label, value in story.money:
        click.echo(f"  {label:<22}{value}")
    click.echo("")
    rows = [(line.label, line.observed, line.projected, line.limit) for line in story.evidence]
    for text in table(("Evidence", "now", "smaller size", "limit"), rows):
        click.echo(f"  {text}")
    if story.emergencies:
        click.echo("")
        click.echo("  Emergency scale-ups in the veto window")
        for entry in story.emergencies:
            click.echo(f"    {entry}")
    if story.out_of_cloudwatch:
        click.echo("")
        click.echo(f"  Out of CloudWatch on {story.day}")
        for entry in story.out_of_cloudwatch:
            click.echo(f"    {entry}")
    if story.second_opinion:
        click.echo("")
        click.echo("  Second opinion")
        for entry in story.second_opinion:
            click.echo(f"    {entry}")
    if story.left_by_incidents:
        click.echo("")
        click.echo("  Capacity that incidents left behind")
        for entry in story.left_by_incidents:
            click.echo(f"    {entry}")
