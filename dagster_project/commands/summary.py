"""What a night prints when it is over."""

from __future__ import annotations

from datetime import date

import click

from dagster_project.defs.launch import Night
from dagster_project.pipeline.approval_report import approval_lines
from dagster_project.pipeline.postmortems import FOLDER
from dagster_project.pipeline.pull_request_report import pull_request_lines
from dagster_project.pipeline.report import build_report
from dagster_project.pipeline.runtime import Runtime

_LABELS = {
    "propose": "safe to shrink",
    "refuse": "refused",
    "insufficient": "without enough evidence",
    "keep": "kept as they are",
}


def print_summary(runtime: Runtime, day: date, night: Night) -> bool:
    """Resources by verdict, savings, evidence, the steps' durations, and where the report is; whether nothing outside failed."""
    report = build_report(runtime, day)
    click.echo(f"Night of {day}: {report.resources} resources, {report.samples:,} samples")
    for count in report.verdicts:
        money = f"${count.usd_month:>12,.0f} a month" if count.usd_month else ""
        click.echo(f"  {count.resources:>7,} {_LABELS[count.verdict]:<26}{money}")
    click.echo(f"Savings that are safe now: ${report.savings_usd_month:,.0f} a month")
    for sentence in report.cash:
        click.echo(f"  {sentence}")
    if report.waiting_usd_month:
        click.echo(f"Waiting for evidence: ${report.waiting_usd_month:,.0f} a month in {report.waiting_resources} resources")
    rejected = sum(item.rows for item in report.rejected)
    if rejected:
        click.echo(f"Rejected rows: {rejected:,} (listed in the report)")
    for sentence in report.missing_evidence:
        click.echo(f"Missing: {sentence}")
    outbox = runtime.settings.outbox / day.isoformat()
    if report.outcomes.lines:
        click.echo(f"Applied changes: {report.outcomes.sentence}")
    if report.incidents.lines:
        click.echo(f"Incidents: {report.incidents.sentence}")
    if report.action_items.shares:
        click.echo(f"Action items: {report.action_items.sentence}")
    for line in pull_request_lines(report, outbox):
        click.echo(line)
    for line in approval_lines(report, outbox, runtime.settings):
        click.echo(line)
    click.echo("Steps: " + ", ".join(f"{step.name} {step.seconds:.1f} s" for step in night.steps))
    folder = runtime.settings.reports / day.isoformat()
    click.echo(f"Report: {folder / 'index.html'}")
    click.echo(f"        {folder / 'report.md'}")
    written = len(list((folder / FOLDER).glob("*.html")))
    if written:
        click.echo(f"Postmortems: {written} in {folder / FOLDER}")
    click.echo(report.acted)
    return all(line.state != "failed" for line in report.pull_requests)
