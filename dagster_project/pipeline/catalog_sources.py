"""Who is asked what AWS sells in a region: any account that may be, as each is told the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dagster_project.connections.aws.connection import Connection
from dagster_project.domain.sold import Sold
from dagster_project.errors import AccessDenied, CloudError, NightshiftError
from dagster_project.pipeline.aws_scopes import live_scopes, scope_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import AwsAccount, partition_of
from dagster_project.sources.instance_types import read_offered, read_types
from dagster_project.sources.price_list import ENDPOINTS, read_database_prices, read_instance_prices

PARTS = ("instance types", "offerings", "EC2 prices", "RDS prices")
"""What is read of a region, in order."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Asked:
    """Whom a region is asked of: ``own`` for what is on offer there, ``pricing`` for its prices. The first that may is asked."""

    region: str
    own: Sequence[Connection]
    pricing: Sequence[Connection]

    def close(self) -> None:
        """Closes what is open."""
        for each in (*self.own, *self.pricing):
            each.close()


def asked_of(runtime: Runtime, regions: Iterable[str]) -> tuple[list[Asked], dict[str, str]]:
    """The accounts that are asked of regions: those that are read there, else all of its partition, else the own credentials.

    Beside them, why there is nobody to ask, by region. Sends nothing but what tells which regions are read.
    """
    pricing: dict[str, list[Connection]] = {}
    asked, unasked = [], {}
    for region in regions:
        partition, priced_in = partition_of(region), _priced_in(region)
        if priced_in not in pricing:
            pricing[priced_in] = _connections(runtime, priced_in, ENDPOINTS[priced_in])
        here = [scope.connection for scope in live_scopes(runtime).live if scope.region == region]
        own = here or _connections(runtime, partition, [region])
        lacking = [name for name, found in ((partition, own), (priced_in, pricing[priced_in])) if not found]
        if lacking:
            unasked[region] = (
                f"{region} is told of by accounts of the partition {lacking[0]} only, and aws.accounts has none; add one, "
                "or leave the region out."
            )
        else:
            asked.append(Asked(region, own, pricing[priced_in]))
    return asked, unasked


def read_region(asked: Asked, done: Callable[[], None] = lambda: None) -> Sold:
    """What is sold in a region; ``done`` is called after each of ``PARTS``.

    Raises what ``Connection.ask`` does where nobody is answered, and ``CloudError`` where an answer says that nothing is sold.
    """
    region = asked.region

    def part(answer: _T) -> _T:
        done()
        return answer

    types, notes = part(_first(asked.own, lambda connection: read_types(connection, region)))
    offered = part(_first(asked.own, lambda connection: read_offered(connection, region)))
    if not types or not offered:
        raise CloudError(f"AWS says that it has no instance types in {region}; nothing is taken over, look at the region.")
    # The list is the same at each of its endpoints, and a policy or an outage may close one.
    instances, instances_out = part(
        _first(asked.pricing, lambda connection: read_instance_prices(connection, region), beside=CloudError)
    )
    databases, databases_out = part(
        _first(asked.pricing, lambda connection: read_database_prices(connection, region), beside=CloudError)
    )
    if not instances and not instances_out:
        raise CloudError(f"The price list has no instance types of {region}; nothing is taken over, look at the region.")
    return Sold(
        region, tuple(types), offered, tuple(instances), tuple(databases), {**instances_out, **databases_out}, tuple(notes)
    )


def _first(
    connections: Iterable[Connection], ask: Callable[[Connection], _T], beside: type[NightshiftError] = AccessDenied
) -> _T:
    """The answer of the first who may ask, or whose failure is not one of those after which another is asked."""
    failures: list[NightshiftError] = []
    for connection in connections:
        try:
            return ask(connection)
        except (AccessDenied, beside) as failure:
            failures.append(failure)
    raise failures[0]


def _connections(runtime: Runtime, partition: str, regions: Iterable[str]) -> list[Connection]:
    """To some regions, of the accounts of a partition: those that are read every night come first."""
    accounts = runtime.settings.aws.accounts
    wanted = sorted((each for each in accounts if _partition(each) == partition), key=lambda each: not each.regions)
    regions = tuple(regions)
    if accounts:
        return [scope_of(runtime, account, region).connection for account in wanted for region in regions]
    return [_own(runtime, region) for region in regions]


def _own(runtime: Runtime, region: str) -> Connection:
    """With the credentials that boto3 finds, where no account is in the settings."""
    settings = runtime.settings.aws
    return Connection(
        region=region,
        endpoint_url=settings.endpoint_url,
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
        at=runtime.at,
    )


def _partition(account: AwsAccount) -> str:
    return partition_of(account.home_region)


def _priced_in(region: str) -> str:
    """The partition whose price list has a region."""
    partition = partition_of(region)
    return partition if partition in ENDPOINTS else "aws"
