"""``nightshift doctor``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from dagster_project.commands.options import runtime

if TYPE_CHECKING:
    from dagster_project.pipeline.doctor import Finding

_MARKS = {"ok": "ok     ", "missing": "missing", "failed": "FAILED "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of findings instead of lines.")
def command(as_json: bool) -> None:
    """Say what is configured and reachable, and which evidence will be missing.

    AWS is asked for every right that a night uses, in every region of every account that is read, by requests that cost nothing.

    Exit code 1 when the nightly run could not succeed.
    """
    from dagster_project.pipeline.doctor import FAILED, examine

    findings = examine(runtime())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for line in lines(findings):
            click.echo(line)
    if any(finding.status == FAILED for finding in findings):
        sys.exit(1)


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """A line for each finding. Of many regions that lack the same, only the first says what."""
    before = ""
    for finding in findings:
        detail = "the same" if finding.status != "ok" and finding.detail == before else finding.detail
        yield f"{_MARKS[finding.status]}  {finding.subject:<33}{detail}"
        before = finding.detail
