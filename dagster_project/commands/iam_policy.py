"""``nightshift iam-policy``."""

from __future__ import annotations

import click

from dagster_project.errors import InputError


class Tag(click.ParamType):
    """A tag, as KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals:
            raise InputError(f"{value} is no tag; write it as KEY=VALUE, such as nightshift=apply.")
        return key, text


@click.command()
@click.option("--apply", "is_apply", is_flag=True, help="Add the rights to make approved changes, of what has the tag.")
@click.option("--only-changes", is_flag=True, help="With --apply: for a role that does not read every night (apply_role_arn).")
@click.option("--tag", type=Tag(), default=("nightshift", "apply"), help="Tag of what may be changed. Default: nightshift=apply")
@click.option(
    "--pass-role",
    "pass_roles",
    multiple=True,
    metavar="ARN",
    help="With --apply: a role of instances that groups launch.",
)
@click.option("--trust", metavar="ARN", help="Print who may assume the role instead: the user, role or account that a run is.")
@click.option("--external-id", metavar="ID", help="With --trust: the external id of the settings, which the role asks for.")
@click.option("--own", is_flag=True, help="Print what the credentials of a run need instead: roles and states of the settings.")
@click.option(
    "--partition",
    type=click.Choice(["aws", "aws-cn", "aws-us-gov"]),
    help="Partition of the ARNs. Default: the settings'.",
)
def command(
    is_apply: bool,
    only_changes: bool,
    tag: tuple[str, str],
    pass_roles: tuple[str, ...],
    trust: str | None,
    external_id: str | None,
    own: bool,
    partition: str | None,
) -> None:
    """Print the IAM policy that an account must grant, made of the requests that this version sends.

    Without options: what reading an account every night needs. It changes nothing, and may be attached as it is.

    \b
    In each account, make a role:
      nightshift iam-policy --trust arn:aws:iam::111111111111:role/nightshift --external-id ID > trust.json
      nightshift iam-policy > read.json
      aws iam create-role --role-name nightshift-read --assume-role-policy-document file://trust.json
      aws iam put-role-policy --role-name nightshift-read --policy-name read --policy-document file://read.json
    name it in aws.accounts, and let the credentials that a run signs in with assume it:
      nightshift iam-policy --own > own.json
    Then see whether everything may be read:
      nightshift doctor

    With --apply, changes are allowed of what has the tag, and of nothing else: tag the instances and databases, and the groups
    with their launch templates. Where a template has an instance profile, name its role with --pass-role.
    """
    from dagster_project.pipeline.iam_policy import (
        Wanted,
        apply_policy,
        as_text,
        own_policy,
        partition_in,
        read_policy,
        trust_policy,
    )
    from dagster_project.settings import load_settings

    if sum((is_apply, trust is not None, own)) > 1:
        raise click.UsageError("--apply, --trust and --own are documents of their own; ask for one at a time.")
    if (only_changes or pass_roles) and not is_apply:
        raise click.UsageError("--only-changes and --pass-role belong to --apply.")
    if external_id is not None and trust is None:
        raise click.UsageError("--external-id belongs to --trust.")
    if trust is not None:
        policy = trust_policy(trust, external_id)
    else:
        settings = load_settings()
        wanted = Wanted(partition or partition_in(settings), tag, pass_roles)
        if own:
            policy = own_policy(settings, wanted)
        elif is_apply:
            policy = apply_policy(wanted, with_reading=not only_changes)
        else:
            policy = read_policy(wanted)
    click.echo(as_text(policy))
