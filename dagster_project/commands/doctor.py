"""``nightshift doctor``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from dagster_project.commands.options import runtime

_MARKS = {"ok": "ok     ", "missing": "missing", "failed": "FAILED "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of findings instead of lines.")
def command(as_json: bool) -> None:
    """Say what is configured and reachable, and which evidence will be missing.

    Exit code 1 when the nightly run could not succeed.
    """
    from dagster_project.pipeline.doctor import FAILED, examine

    findings = examine(runtime())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding, before in zip(findings, [None, *findings], strict=False):
            # Many regions of an account may lack the same.
            is_same = before is not None and (finding.status, finding.detail) == (before.status, before.detail)
            click.echo(f"{_MARKS[finding.status]}  {finding.subject:<28}{'the same' if is_same else finding.detail}")
    if any(finding.status == FAILED for finding in findings):
        sys.exit(1)
