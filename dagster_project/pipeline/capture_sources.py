"""Where evidence of incidents comes from, beyond the decision engine's database: which sources there are, which are absent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import polars as pl

from dagster_project.connections.aws.connection import PERMISSIONS as SIGN_IN
from dagster_project.connections.github import Connection as GithubConnection
from dagster_project.connections.slack import Slack
from dagster_project.domain.incidents.events import Event
from dagster_project.errors import MissingPartition
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import INCIDENTS, RESOURCE_INVENTORY, SERVICE_DEPENDENCIES, SERVICES, SLOS, Table
from dagster_project.pipeline.aws_scopes import live_scopes, scope_of
from dagster_project.pipeline.capture_windows import TRAIL, Span, Window, merged, spans
from dagster_project.pipeline.repositories import pace_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.sources import cloudtrail, cloudwatch_alarms, scaling_activities
from dagster_project.sources.aws_scopes import Scope
from dagster_project.sources.cloudtrail import Cloudtrail
from dagster_project.sources.cloudwatch_alarms import CloudwatchAlarms
from dagster_project.sources.github_history import GithubHistory
from dagster_project.sources.scaling_activities import ScalingActivities
from dagster_project.sources.slack_history import LOOK_BACK_DAYS, SlackHistory, Talk, Topic
from dagster_project.sources.utilization import day_bounds

AWS_SOURCES = (cloudwatch_alarms, scaling_activities, cloudtrail)
PERMISSIONS = tuple(sorted({*SIGN_IN, *(each for source in AWS_SOURCES for each in source.PERMISSIONS)}))
"""What reading evidence out of an AWS account needs."""
OUTSIDE = ("slack", "github", "cloudwatch_alarms", "scaling_activities", "cloudtrail")
"""The sources outside of the decision engine's database, as the load ledger names them."""
_AWS = OUTSIDE[2:]
_NAMING = (
    (SERVICES, "service"),
    (SLOS, "service"),
    (INCIDENTS, "service"),
    (SERVICE_DEPENDENCIES, "service"),
    (SERVICE_DEPENDENCIES, "depends_on"),
)
"""Tables and their columns that name services."""


class EventSource(Protocol):
    """What keeps a history for some days. One that lists places to their end says so in an attribute ``listed``."""

    @property
    def name(self) -> str:
        """As the load ledger and its events name it."""
        ...

    @property
    def keeps_days(self) -> int:
        """Days after which what was not read is lost, or not worth to be looked for."""
        ...

    def read(self, since: datetime, until: datetime) -> Iterator[Event]:
        """Events with since ≤ time < until (naive UTC). Raises an error of ours; what came before it counts."""
        ...


@dataclass(frozen=True, slots=True)
class Absent:
    """A source that there is not, and why."""

    name: str
    reason: str


def event_sources(runtime: Runtime) -> Sequence[EventSource | Absent]:
    """The sources of a run, as far as there are credentials for them. Nothing is asked yet."""
    if runtime.event_sources is not None:
        return runtime.event_sources(runtime)
    lake, newest = runtime.lake, (runtime.now - timedelta(days=1)).date()
    services = known_services(lake, newest)
    return [_slack(runtime, newest), _github(runtime, services), *_aws(runtime, newest, services)]


def known_services(lake: Lake, day: date) -> dict[str, str]:
    """Resource → service by the newest inventory up to ``day``, and every service that a table names to itself."""
    services = {row[name] for table, name in _NAMING for row in _newest(lake, table, day, name)}
    owners = {row["resource_id"]: row["service"] for row in _newest(lake, RESOURCE_INVENTORY, day, "resource_id", "service")}
    owned = {resource: service for resource, service in owners.items() if service}
    return owned | {service: service for service in services | {*owned.values()} if service}


def _newest(lake: Lake, table: Table, day: date, *columns: str) -> list[dict[str, Any]]:
    days = [each for each in lake.days(table) if each <= day]
    return pl.read_parquet(lake.path(table, days[-1]), columns=list(columns)).unique().to_dicts() if days else []


def _slack(runtime: Runtime, day: date) -> EventSource | Absent:
    if runtime.settings.slack.token is None:
        return Absent("slack", "There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN.")
    try:
        return SlackHistory(Slack(runtime.settings.slack, runtime.at), _talks(runtime, day))
    except MissingPartition as error:
        return Absent("slack", str(error))


def _talks(runtime: Runtime, day: date) -> list[Talk]:
    """The channels of incidents that are captured this night, and those of the teams, where people mark what matters."""
    end = day_bounds(day)[1].replace(tzinfo=None)
    lead = timedelta(minutes=runtime.settings.incidents.lead_minutes)
    first = end - timedelta(days=LOOK_BACK_DAYS)
    every = [span for span in spans(runtime.lake, day, "slack", end) if (span.ended_at or end) >= first]
    by_channel: dict[str, list[Span]] = {}
    for span in every:
        if span.channel:
            by_channel.setdefault(span.channel, []).append(span)
    talks = [
        Talk(channel, start, until, _topics(mine, lead, end))
        for channel, mine in sorted(by_channel.items())
        for start, until in _stretches(mine, lead, end)
    ]
    slack = runtime.settings.slack
    teams = {each for each in (slack.channel, *slack.channels.values()) if each} - set(by_channel)
    return talks + [Talk(each, first, end, _topics(every, lead, end), is_whole=False) for each in sorted(teams)]


def _stretches(mine: Sequence[Span], lead: timedelta, end: datetime) -> list[Window]:
    return merged(window for span in mine if span.is_due for window in span.windows(lead, TRAIL, end))


def _topics(mine: Sequence[Span], lead: timedelta, end: datetime) -> tuple[Topic, ...]:
    return tuple(Topic(span.incident_id, span.service, span.started_at - lead, (span.ended_at or end) + TRAIL) for span in mine)


def _github(runtime: Runtime, services: Mapping[str, str]) -> EventSource | Absent:
    settings = runtime.settings
    if not settings.github.has_credentials:
        return Absent("github", "There are no credentials of GitHub; set NIGHTSHIFT_GITHUB_TOKEN.")
    names = [repository.name for repository in settings.repositories]
    if not names:
        return Absent("github", "There are no repositories in the settings; add repositories.")
    return GithubHistory(names, lambda name: GithubConnection(settings.github, name, pace_of(runtime)), services)


def _aws(runtime: Runtime, day: date, services: Mapping[str, str]) -> list[EventSource | Absent]:
    if not runtime.settings.aws.accounts:
        return [Absent(name, "There are no AWS accounts in the settings; add aws.accounts.") for name in _AWS]
    scopes = _scopes(runtime, day)
    if not scopes:
        reason = "The inventory names no region of the accounts in the settings; fill account_id and region."
        return [Absent(name, reason) for name in _AWS]
    make: Sequence[Callable[[], EventSource]] = (
        lambda: CloudwatchAlarms(scopes, services),
        lambda: ScalingActivities(scopes, services),
        lambda: Cloudtrail(scopes, services, runtime.at),
    )
    return [each() for each in make]


def _scopes(runtime: Runtime, day: date) -> list[Scope]:
    """The regions of the accounts in which there was something by the newest inventory."""
    found = _newest(runtime.lake, RESOURCE_INVENTORY, day, "account_id", "region")
    places = {(row["account_id"], row["region"]) for row in found if row["region"]}
    live = {(scope.account_id, scope.region) for scope in live_scopes(runtime).live}
    return [
        scope_of(runtime, account, region)
        for account in runtime.settings.aws.accounts
        # A resource that says no account may be of any.
        for region in sorted({region for owner, region in places | live if owner in (None, account.id)})
    ]
