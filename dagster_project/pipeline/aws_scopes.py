"""Which accounts and regions are read from AWS: those of the settings, as far as the accounts have them enabled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from dagster_project.connections.aws import purposes
from dagster_project.connections.aws.connection import Connection
from dagster_project.connections.aws.operations import read
from dagster_project.errors import AccessDenied, NightshiftError
from dagster_project.pipeline.aws_opened import Scopes, Unread
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount
from dagster_project.sources.aws_scopes import Scope

REGIONS = read("ec2", "DescribeRegions", purpose=purposes.REGIONS, probe={}, is_account_wide=True)
READS = (REGIONS,)
_DISABLED = "not-opted-in"
_NOT_ENABLED = "The account {account} has not enabled {region}; enable it, or take it out of aws.accounts.regions."


def live_scopes(runtime: Runtime) -> Scopes:
    """The regions whose resources and metrics are read. Asked of AWS once in a run, one request for each account, of some
    accounts at a time."""
    opened = runtime.aws
    if opened.scopes is None:
        accounts = [account for account in runtime.settings.aws.accounts if account.regions]
        with ThreadPoolExecutor(runtime.settings.aws.scopes_at_once, "aws-regions") as pool:
            found = list(pool.map(lambda account: _look(runtime, account), accounts))
        live = tuple(scope for each in found for scope in each.live)
        opened.scopes = Scopes(live, tuple(unread for each in found for unread in each.unread))
    return opened.scopes


def scope_of(runtime: Runtime, account: AwsAccount, region: str) -> Scope:
    """A region of an account; its connection shares the sign-in of the account."""
    settings = runtime.settings.aws
    first = runtime.aws.accounts.get(account.id)
    connection = Connection(
        region=region,
        account_id=account.id,
        role_arn=account.role_arn,
        external_id=account.external_id,
        endpoint_url=settings.endpoint_url,
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
        connections=max(10, settings.requests_at_once),
        at=runtime.at,
        beside=first,
    )
    if first is None:
        runtime.aws.accounts[account.id] = connection
    return Scope(account.id, region, connection)


def _look(runtime: Runtime, account: AwsAccount) -> Scopes:
    if account.regions == "all":
        try:
            enabled = _enabled(runtime, account, account.home_region)
        except NightshiftError as error:
            return Scopes(unread=(Unread(account.id, None, str(error)),))
        return Scopes(tuple(scope_of(runtime, account, region) for region in sorted(enabled)))
    try:
        known = _enabled_of(runtime, account)
    except NightshiftError as error:
        return Scopes(unread=tuple(Unread(account.id, region, str(error)) for region in account.regions))
    live = [region for region in account.regions if known is None or region in known]
    unread = [
        Unread(account.id, region, _NOT_ENABLED.format(account=account.id, region=region))
        for region in account.regions
        if region not in live
    ]
    return Scopes(tuple(scope_of(runtime, account, region) for region in live), tuple(unread))


def _enabled_of(runtime: Runtime, account: AwsAccount) -> frozenset[str] | None:
    """The regions that an account has enabled, as one of those that are read of it tells: no other one need be reachable. None
    where none lets it be asked; which of them are there shows when they are read.

    Raises what else went wrong with the first that was asked.
    """
    # The one that every account has is asked last: it need not be reachable.
    for region in dict.fromkeys((*account.regions, account.home_region)):
        try:
            return _enabled(runtime, account, region)
        except AccessDenied:
            continue  # that may be the region that is not enabled
    return None


def _enabled(runtime: Runtime, account: AwsAccount, region: str) -> frozenset[str]:
    connection = scope_of(runtime, account, region).connection
    found = connection.ask(REGIONS, f"the account {account.id}", AllRegions=True)["Regions"]
    return frozenset(each["RegionName"] for each in found if each.get("OptInStatus") != _DISABLED)
