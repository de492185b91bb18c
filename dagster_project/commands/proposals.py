"""``nightshift proposals``."""

from __future__ import annotations

import getpass
from datetime import date

import click

from dagster_project.commands.layout import table
from dagster_project.commands.options import Day, runtime


@click.group()
def command() -> None:
    """See what is proposed and what became of it, and answer without GitHub or Slack.

    An answer counts from the next night on: a rejected or snoozed resource is not proposed, and its open pull request is changed
    or closed.
    """


@command.command(name="list")
@click.option("--day", type=Day(), help="UTC day; default: the newest day that has proposals.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each proposal, a line each.")
def list_(day: date | None, is_json: bool) -> None:
    """List the proposals of a day: what would change, which way it goes, and what holds it back."""
    from dagster_project.pipeline.answering import listed

    chosen, rows = listed(runtime(), day)
    if is_json:
        for row in rows:
            click.echo(row.to_json())
        return
    if not rows:
        click.echo(f"Nothing is proposed on {chosen}.")
        return
    header = ("Resource", "change", "saves a month", "risk", "goes to", "where")
    cells = [(row.resource_id, row.change, f"${row.savings_usd_month:,.0f}", row.risk, row.route, row.where) for row in rows]
    for line in table(header, cells, words=(0, 1, 3, 4, 5)):
        click.echo(line)


@command.command()
@click.argument("resource_id")
@click.option("--day", type=Day(), help="UTC day; default: the newest day that has proposals.")
def show(resource_id: str, day: date | None) -> None:
    """Show one proposal: its change, its line of code, its risk, its pull requests, and what people answered."""
    from dagster_project.pipeline.answering import shown

    for label, value in shown(runtime(), resource_id, day):
        click.echo(f"{label:<14}{value}")


@command.command()
@click.argument("resource_id")
@click.option("--reason", required=True, help="Why; it is shown wherever the rejection is.")
@click.option("--by", "actor", help="Who says so. Default: the user of this machine.")
def reject(resource_id: str, reason: str, actor: str | None) -> None:
    """Reject: the resource is not proposed again, for proposals.rejection_days and until its evidence changes."""
    from dagster_project.pipeline.answering import reject

    click.echo(reject(runtime(), resource_id, reason, actor or getpass.getuser()))


@command.command()
@click.argument("resource_id")
@click.option("--until", type=Day(), required=True, help="First UTC day on which it may be proposed again.")
@click.option("--reason", default="", help="Why.")
@click.option("--by", "actor", help="Who says so. Default: the user of this machine.")
def snooze(resource_id: str, until: date, reason: str, actor: str | None) -> None:
    """Put off: the resource is not proposed before a day."""
    from dagster_project.pipeline.answering import snooze

    click.echo(snooze(runtime(), resource_id, until, reason, actor or getpass.getuser()))


@command.command()
@click.argument("resource_id")
@click.option("--by", "actor", help="Who says so. Default: the user of this machine.")
def unreject(resource_id: str, actor: str | None) -> None:
    """Take back every rejection and snooze of a resource."""
    from dagster_project.pipeline.answering import unreject

    click.echo(unreject(runtime(), resource_id, actor or getpass.getuser()))
