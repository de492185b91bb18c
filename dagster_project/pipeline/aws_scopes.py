"""Which accounts and regions are read from AWS: those of the settings, as far as the accounts have them enabled."""

from __future__ import annotations

from collections.abc import Iterable

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


def live_scopes(runtime: Runtime) -> Scopes:
    """The regions whose resources and metrics are read. Asked of AWS once in a run: one request for each account."""
    opened = runtime.aws
    if opened.scopes is None:
        live: list[Scope] = []
        unread: list[Unread] = []
        for account in runtime.settings.aws.accounts:
            if account.regions:
                _look(runtime, account, live, unread)
        opened.scopes = Scopes(tuple(live), tuple(unread))
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


def _look(runtime: Runtime, account: AwsAccount, live: list[Scope], unread: list[Unread]) -> None:
    enabled: frozenset[str] | None
    home = scope_of(runtime, account, account.home_region)
    try:
        enabled = _enabled(home.connection, account.id)
    except NightshiftError as error:
        if account.regions == "all":
            unread.append(Unread(account.id, None, str(error)))
            return
        if not isinstance(error, AccessDenied):
            unread += [Unread(account.id, region, str(error)) for region in account.regions]
            return
        enabled = None  # Whether a region is enabled shows when it is asked.
    wanted: Iterable[str] = sorted(enabled or ()) if account.regions == "all" else account.regions
    for region in wanted:
        if enabled is None or region in enabled:
            live.append(scope_of(runtime, account, region))
        else:
            reason = f"The account {account.id} has not enabled {region}; enable it, or take it out of aws.accounts.regions."
            unread.append(Unread(account.id, region, reason))


def _enabled(connection: Connection, account_id: str) -> frozenset[str]:
    found = connection.ask(REGIONS, f"the account {account_id}", AllRegions=True)["Regions"]
    return frozenset(each["RegionName"] for each in found if each.get("OptInStatus") != _DISABLED)
