"""``nightshift iac``: locate and edit."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dagster_project.iac.verdicts import Location


@click.group()
def command() -> None:
    """Find and edit the line that sets a value.

    From the id of a live resource, through Terraform's state, to the one literal in a repository that sets its size: through
    variables, locals, modules, decoded files and Terragrunt inputs. What cannot be told for certain is not edited.
    """


def _asking(function: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option("--repo", default=".", show_default=True, metavar="DIR", help="The checkout."),
        click.option("--root", required=True, metavar="ROOTDIR", help="Folder of a root module or unit, or a template."),
        click.option("--state", required=True, metavar="STATE.json", help="State, or a stack's resources; - is stdin."),
        click.option("--resource", required=True, metavar="RESOURCE_ID", help="Its id, ARN, name, or address."),
        click.option("--attribute", required=True, metavar="NAME", help="instance_type, instance_class, min_size, size, ..."),
        click.option("--workspace", metavar="NAME", help="Value of terraform.workspace. Default: unknown."),
        click.option("--var-file", "var_files", multiple=True, metavar="F", help="As given to terraform, in the same order."),
        click.option("--live", metavar="VALUE", help="The live value, where it is known better than from the state."),
        click.option("--json", "is_json", is_flag=True, help="Print one JSON object."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command()
@_asking
def locate(is_json: bool, **asked: Any) -> None:
    """Find the literal that sets a value, and everything else that it feeds.

    \b
    status      editable    one literal decides, and it decides nothing else
                shared      it feeds other resources too; "affects" names all of them
                ambiguous   several literals may decide
                not_found   the code does not have the live value (drift), or not this resource
                refused     editing it would be wrong or without effect; reason_code says why
    start_byte, end_byte    the literal in "file", without its quotes; "current" is its text

    Every verdict exits with 0, bad input with 2. State holds secrets: only ids, addresses, sizes and tags are kept of it.

    \b
    terraform state pull | nightshift iac locate --repo . --root envs/prod --state - \\
      --resource i-0d3048f2baf02349b --attribute instance_type --var-file prod.tfvars --json
    """
    from dagster_project.iac.front import open_front

    location = open_front(**_read(asked)).locate(asked["resource"], asked["attribute"], asked["live"])
    _show(location, is_json, {})


@command.command()
@_asking
@click.option("--to", required=True, metavar="VALUE", help="The new value.")
@click.option("--allow-shared", is_flag=True, help="Edit although other resources change too.")
def edit(is_json: bool, to: str, allow_shared: bool, **asked: Any) -> None:
    """Change the literal that sets a value, and no byte more.

    The edit is made in memory first and the whole root is evaluated again. The file is replaced only where the resource would
    have the new value, the same resources would be there, and nothing would change that "affects" does not name.
    """
    from dagster_project.iac.front import open_front

    front = open_front(**_read(asked))
    outcome = front.edit(asked["resource"], asked["attribute"], asked["live"], to, allow_shared=allow_shared)
    _show(outcome.location, is_json, {"edited": outcome.is_edited, "to": to})


def _read(asked: dict[str, Any]) -> dict[str, Any]:
    """What is opened before anything is asked."""
    from dagster_project.iac.paths import read_bytes

    state = sys.stdin.buffer.read() if asked["state"] == "-" else read_bytes(asked["state"], "--state")
    name = "The state on standard input" if asked["state"] == "-" else f"The state {asked['state']}"
    return {
        "repo": asked["repo"],
        "root": asked["root"],
        "state": state,
        "state_name": name,
        "workspace": asked["workspace"],
        "var_files": asked["var_files"],
    }


def _echo(text: str) -> None:
    """Prints; a name in a state may hold half a character, which no terminal takes."""
    click.echo(text.encode("utf-8", "backslashreplace").decode("utf-8"))


def _show(location: Location, is_json: bool, further: dict[str, Any]) -> None:
    if is_json:
        _echo(json.dumps({**location.to_json(), **further}, indent=2, ensure_ascii=False))
        return
    edited = ", edited" if further.get("edited") else ", not edited" if further else ""
    _echo(f"{location.status.upper()}  {location.reason_code}{edited}")
    _echo(f"  {location.sentence}")
    if location.file:
        change = f"{location.current} -> {further['to']}" if further.get("edited") else f"{location.current}"
        _echo(f"  {location.file}:{location.line}  {location.attribute} of {location.address}: {change}")
    for label, names in (
        ("affects", location.affects),
        ("other roots", location.other_roots),
        ("with", location.other_plans),
        ("launches", location.launched_by),
        ("note", location.notes),
    ):
        for name in names:
            _echo(f"  {label:<12}{name}")
