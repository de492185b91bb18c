"""``nightshift proposals``."""

from __future__ import annotations

import getpass
from datetime import date
from typing import TYPE_CHECKING

import click

from dagster_project.commands.layout import table
from dagster_project.commands.options import Day, runtime

if TYPE_CHECKING:
    from dagster_project.pipeline.answering import Listed
    from dagster_project.pipeline.applying import Applied
    from dagster_project.pipeline.runtime import Runtime


@click.group()
def command() -> None:
    """See what is proposed and what became of it, and answer without GitHub or Slack.

    An approval counts at once. A rejection or a snooze ends what is asked at once, and counts for pull requests from the next
    night on: the resource is not proposed, and its open pull request is changed or closed.
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
    cells = [(row.resource_id, row.change, _dollars(row.savings_usd_month), row.risk, row.route, _where(row)) for row in rows]
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
@click.option("--day", type=Day(), help="UTC day; default: the newest day that has outcomes.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each applied change, a line each.")
def outcomes(day: date | None, is_json: bool) -> None:
    """List what became of proposals that were carried out: what was estimated, what they save, and how they went; regrets first.

    The three words at the end of a line are the checks after 1, 7 and 28 days.
    """
    from dagster_project.pipeline.outcome_report import listed_outcomes

    chosen, rows = listed_outcomes(runtime(), day)
    if is_json:
        for row in rows:
            click.echo(row.to_json())
        return
    if not rows:
        click.echo(f"No change that was proposed had been applied in the five weeks up to {chosen}.")
        return
    header = ("Resource", "change", "applied", "estimated", "saves", "state", "1 day", "7 days", "28 days", "how")
    cells = [
        (
            line.resource_id,
            line.change,
            str(line.applied_on or "not yet"),
            _dollars(line.estimated_usd_month),
            "unknown" if line.realized_usd_month is None else _dollars(line.realized_usd_month),
            line.state,
            *(check or "-" for check in line.checks),
            " ".join(part for part in (f"{line.source}.", line.detail) if part),
        )
        for line in (row.line for row in rows)
    ]
    for line in table(header, cells, words=(0, 1, 2, 5, 6, 7, 8, 9)):
        click.echo(line)


def _dollars(usd: float) -> str:
    return f"{'-' if round(usd) < 0 else ''}${abs(usd):,.0f}"


@command.command()
@click.argument("target", metavar="RESOURCE_ID|REQUEST_ID[.REVISION]")
@click.option("--no-apply", is_flag=True, help="Only approve; the next apply run makes the change.")
def approve(target: str, no_apply: bool) -> None:
    """Approve what is asked for a resource, with all that its request asks.

    Who approves is the user that this process runs as, as approvals.approvers of the settings knows them. A request that was
    revised is approved by its id and revision (apr-1a2b3c4d5e6f.2), so that nobody approves what they have not seen.

    Once enough people have, the
    change is made as far as the gates allow now (maintenance window, fleet share, evidence of this moment); what must wait is
    made by a later apply run.
    """
    from dagster_project.pipeline.applying import apply_approved
    from dagster_project.pipeline.approval_answers import approve
    from dagster_project.pipeline.approvers import at_machine, user_of_this_process

    surroundings = runtime()
    said, request = approve(surroundings, target, at_machine(surroundings.settings, user_of_this_process()))
    for change in request.plan.changes:
        click.echo(
            f"{change.resource_id}  {change.attribute} {change.before} -> {change.after}, ${change.savings_usd_month:,.2f}"
        )
    click.echo(f"{request.request_id} revision {request.revision}: {said}")
    applied = None
    if request.state in ("approved", "executing") and not no_apply:
        applied = apply_approved(surroundings, request.request_id)
    _bring_up_to_date(surroundings)
    if applied is not None:
        _tell(applied)


@command.command()
@click.argument("request_id", required=False)
def apply(request_id: str | None) -> None:
    """Make approved changes, of one request or of all, and finish what was cut off.

    The same as the Dagster job apply_approved, for cron. Exit 1 when something went back, is stuck or could not be reached.
    """
    from dagster_project.pipeline.applying import apply_approved

    surroundings = runtime()
    applied = apply_approved(surroundings, request_id)
    _bring_up_to_date(surroundings)
    _tell(applied)


@command.command()
def verify() -> None:
    """Check the chain of approval events: that each fits to the one before it, and that requests are what they say.

    Whoever may write the tables can make a whole chain anew. Keep the head that is printed elsewhere: an earlier one must still
    be in the chain.
    """
    from dagster_project.pipeline.approval_answers import verify

    events, head, problems = verify(runtime())
    for problem in problems:
        click.echo(problem)
    click.echo(f"{events:,} events, " + (f"{len(problems)} problems." if problems else "each fits to the one before it."))
    click.echo(f"Head: {events} {head}")
    if problems:
        click.get_current_context().exit(1)


def _where(row: Listed) -> str:
    return f"{row.request_id}, {row.request_state}" if row.request_id else row.where


def _bring_up_to_date(surroundings: Runtime) -> None:
    from dagster_project.pipeline.slack_messages import deliver

    for problem in deliver(surroundings):
        click.echo(f"Slack: {problem}", err=True)


def _tell(applied: Applied) -> None:
    for line in applied.lines or ([] if applied.waits else ["Nothing is approved that could be applied."]):
        click.echo(line)
    for line in applied.waits:
        click.echo(f"Waits: {line}")
    if not applied.is_fine:
        click.get_current_context().exit(1)


@command.command()
@click.argument("resource_id")
@click.option("--reason", required=True, help="Why; it is shown wherever the rejection is.")
@click.option("--by", "actor", help="Who says so. Default: the user of this machine.")
def reject(resource_id: str, reason: str, actor: str | None) -> None:
    """Reject: the resource is not proposed again, for proposals.rejection_days and until its evidence changes."""
    from dagster_project.pipeline.answering import reject

    surroundings = runtime()
    click.echo(reject(surroundings, resource_id, reason, actor or getpass.getuser()))
    _bring_up_to_date(surroundings)


@command.command()
@click.argument("resource_id")
@click.option("--until", type=Day(), required=True, help="First UTC day on which it may be proposed again.")
@click.option("--reason", default="", help="Why.")
@click.option("--by", "actor", help="Who says so. Default: the user of this machine.")
def snooze(resource_id: str, until: date, reason: str, actor: str | None) -> None:
    """Put off: the resource is not proposed before a day."""
    from dagster_project.pipeline.answering import snooze

    surroundings = runtime()
    click.echo(snooze(surroundings, resource_id, until, reason, actor or getpass.getuser()))
    _bring_up_to_date(surroundings)


@command.command()
@click.argument("resource_id")
@click.option("--by", "actor", help="Who says so. Default: the user of this machine.")
def unreject(resource_id: str, actor: str | None) -> None:
    """Take back every rejection and snooze of a resource."""
    from dagster_project.pipeline.answering import unreject

    click.echo(unreject(runtime(), resource_id, actor or getpass.getuser()))
