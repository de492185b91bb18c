"""``nightshift digest``."""

from __future__ import annotations

from datetime import date

import click

from dagster_project.commands.options import Day, runtime


@click.command()
@click.option("--day", type=Day(), help="Last UTC day of the seven; default: the newest night.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "html", "slack"]),
    default="md",
    show_default=True,
    help="Markdown, HTML for mail, or the body of Slack's chat.postMessage.",
)
def command(day: date | None, form: str) -> None:
    """Print the digest of the seven days up to a night.

    What was saved, what is safe now, what people must answer, what broke, what is overdue, what was learned, and which
    evidence is missing. It reads the lake and sends nothing; every night also writes it to weekly/ in the folder of
    reports. Links are printed where report.url says where that folder is published.

    \b
    From cron, on Mondays:
      nightshift digest --format html | mail -a 'Content-Type: text/html' -s Nightshift team@example.com
      nightshift digest --format slack | jq '.channel = "C0123456789"' |
        curl -sS https://slack.com/api/chat.postMessage -H "Authorization: Bearer $SLACK_TOKEN" \\
          -H 'Content-Type: application/json; charset=utf-8' -d @-
    """
    from dagster_project.pipeline.report import build_report
    from dagster_project.pipeline.weekly_report import newest_night, weekly_digest, written_digest

    surroundings = runtime()
    report = build_report(surroundings, day or newest_night(surroundings))
    click.echo(written_digest(surroundings, weekly_digest(surroundings, report), form), nl=False)
