"""docs/aws.md shows the policy as it is, and commands that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from dagster_project.cli import cli
from dagster_project.connections.aws.purposes import PURPOSES
from dagster_project.pipeline import iam_policy

PAGE = (Path(__file__).parents[2] / "docs" / "aws.md").read_text(encoding="utf-8")
SUBSTITUTED = re.findall(r"\$\((nightshift [^)]*)\)", PAGE)


def test_the_page_lists_the_statements_for_reading_with_what_a_night_lacks() -> None:
    read = {each.purpose for each in iam_policy.reading()}
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, flags=re.MULTILINE)
    assert told == [(each.sid, each.without.replace('regions = "all"', '`regions = "all"`')) for each in PURPOSES if each in read]


def test_there_are_commands_in_commands() -> None:
    assert len(SUBSTITUTED) == 3


@pytest.mark.parametrize("line", SUBSTITUTED)
def test_a_command_in_a_command_parses(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    context = click.Context(cli, info_name="nightshift", **cli.context_settings)
    command = cli.get_command(context, name)
    assert command is not None
    command.make_context(name, arguments, parent=context)
