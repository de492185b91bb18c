"""``nightshift prune``."""

from __future__ import annotations

import click

from dagster_project.commands.options import runtime


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
def command(dry_run: bool) -> None:
    """Delete partitions and reports that are older than their retention.

    Ages count back from the newest partition; retention.* in the settings says what is kept.
    """
    from dagster_project.pipeline.retention import prune

    pruned = prune(runtime(), dry_run=dry_run)
    verb = "Would delete" if dry_run else "Deleted"
    for item in pruned:
        click.echo(f"{verb} {len(item.days)} days of {item.name} up to {item.days[-1]} ({item.freed_bytes / 1e6:,.1f} MB).")
    if not pruned:
        click.echo("Nothing is older than its retention.")
