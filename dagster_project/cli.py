"""The ``nightshift`` command. SDKs, Dagster and the analytics are imported by the commands that need them, not here."""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module

import click

from dagster_project import __version__
from dagster_project.errors import NightshiftError

# Name → what --help says of it. The module dagster_project.commands.<name>, with _ for -, has the command itself.
COMMANDS = {
    "demo": "Fill an embedded PostgreSQL with a demo fleet and run a night on it.",
    "load": "Fill a database from Parquet exports of utilization, resources and decisions.",
    "nightly": "Run the nightly job for a day.",
    "doctor": "Say what is configured and reachable, and which evidence will be missing.",
    "iam-policy": "Print the IAM policy that an AWS account must grant.",
    "backtest": "Prove the rules on your own history, beside the rules of other tools.",
    "digest": "Print the digest of a week, for mail and Slack.",
    "explain": "Show the verdict of one resource with its evidence.",
    "proposals": "List proposals and what became of them; approve, apply, reject or snooze.",
    "incidents": "List incidents with their timelines; correct, import and check their times.",
    "actions": "List action items and what became of them; add, correct, finish, sync and remind.",
    "listen": "Listen for answers in Slack.",
    "catalog": "Show the sizes and prices in use, and refresh them from AWS.",
    "iac": "Find and edit the line of infrastructure code that sets a size.",
    "prune": "Delete partitions and reports that are older than their retention.",
}

_DEBUG = click.Option(["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error.")


class _Commands(click.Group):
    """Loads a command's module when the command is used: --help of the group imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dagster_project.commands.{cmd_name.replace('-', '_')}").command
        for each in (command, *getattr(command, "commands", {}).values()):
            if _DEBUG not in each.params:
                each.params.append(_DEBUG)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="nightshift")
def cli() -> None:
    """The nightly memory of a platform team.

    Reads seven days of utilization and the history of your decision engine, and says which resources are over-provisioned
    and safe to shrink, which are not, and why.

    \b
    Environment:
      NIGHTSHIFT_DSN      the decision engine's PostgreSQL (default: an embedded one)
      NIGHTSHIFT_HOME     what runs need: warehouse, Dagster home (default: .nightshift)
      NIGHTSHIFT_REPORTS  where reports go (default: reports)
      NIGHTSHIFT_CONFIG   a TOML file with everything else (docs/settings.md)

    \b
    Start with:
      nightshift demo     a night on a made-up fleet, nothing to connect to
      nightshift doctor   what is configured, and what is missing
    """


def main() -> None:
    """Runs the command line; errors that are meant for a person are one sentence on stderr."""
    is_debug = "--debug" in sys.argv
    try:
        code = cli.main(prog_name="nightshift", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Abort:
        click.echo("Interrupted; partitions that were written are whole, run again to go on.", err=True)
        code = 130
    except BrokenPipeError:
        # The reader has gone, as head does when it has seen enough; nothing more is to be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except NightshiftError as error:
        if is_debug:
            traceback.print_exc()
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except Exception as error:
        if is_debug:
            traceback.print_exc()
        click.echo(
            f"Error: {type(error).__name__}: {error}. This should not have happened; run again with --debug and report it.",
            err=True,
        )
        code = 1
    sys.exit(code or 0)
