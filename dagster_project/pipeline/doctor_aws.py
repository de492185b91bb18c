"""What ``nightshift doctor`` says of AWS: who signs in to each account, and what each region lets them read.

A right is tried by the cheapest request of its operation, never by one that costs money; where there is none it is not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dagster_project.connections.aws.connection import WHO_AM_I
from dagster_project.connections.aws.failures import Denied, NotEnrolled
from dagster_project.connections.aws.operations import Operation
from dagster_project.connections.aws.purposes import ALARMS, CALLS, OPINIONS, PURPOSES, SCALING, Purpose
from dagster_project.errors import CloudRefused, NightshiftError
from dagster_project.pipeline.aws_opened import Opened
from dagster_project.pipeline.aws_scopes import live_scopes, scope_of
from dagster_project.pipeline.capture_sources import event_sources
from dagster_project.pipeline.iam_policy import reading
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings_aws import HOME_REGIONS, AwsAccount
from dagster_project.sources.aws_scopes import Scope

_ATTEMPTS, _TIMEOUT_SECONDS = 2, 10
_MOST_UNANSWERED = 2
"""Services of a region that do not answer, after which no other is asked there."""
_EVIDENCE = (ALARMS, SCALING, CALLS)
_ONLY_IN_AWS = frozenset({"cost-optimization-hub", "pricing"})
"""Services of an account that other partitions do not have, or not where an account is at home."""
Found = tuple[str, bool, str]
"""Subject, whether it is fine, and a sentence."""
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where probes are sent: ``name`` is who signed in, ``fine`` what is said when all of them may be asked."""

    subject: str
    name: str
    scope: Scope
    probes: Sequence[Operation]
    fine: str


@dataclass(slots=True)
class _Tried:
    """What came of the probes of one place."""

    denied: dict[Purpose, list[str]] = field(default_factory=dict)
    not_enrolled: dict[Purpose, list[str]] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)


def impatient(runtime: Runtime) -> Runtime:
    """The same surroundings, with fewer and shorter attempts at AWS: a person waits."""
    aws = runtime.settings.aws
    fewer = {"attempts": min(aws.attempts, _ATTEMPTS), "timeout_seconds": min(aws.timeout_seconds, _TIMEOUT_SECONDS)}
    settings = runtime.settings.model_copy(update={"aws": aws.model_copy(update=fewer)})
    return replace(runtime, settings=settings, aws=Opened())


def accounts(runtime: Runtime) -> list[Found]:
    """A finding for each account, and one for each of its regions that is read, as many side by side as a night reads."""
    listed = runtime.settings.aws.accounts
    try:
        signed = dict(zip(listed, _side_by_side(runtime, lambda each: _signed_in(runtime, each), listed), strict=True))
        reached = _only(runtime, tuple(each for each in listed if isinstance(signed[each], _Name)))
        places = [*_places(reached, {each.id: str(name) for each, name in signed.items()})]
        found = [(f"aws {each.id}", False, told) for each, told in signed.items() if not isinstance(told, _Name)]
        found += [_told(each, tried) for each, tried in zip(places, _side_by_side(runtime, _tried, places), strict=True)]
        found += _unread(reached, {subject for subject, is_fine, _ in found if not is_fine})
    finally:
        for connection in runtime.aws.accounts.values():
            connection.close()
    return sorted(found)


class _Name(str):
    """Who signed in, as opposed to why nobody did."""


def _signed_in(runtime: Runtime, account: AwsAccount) -> str:
    try:
        connection = scope_of(runtime, account, account.home_region).connection
        arn = str(connection.ask(WHO_AM_I, f"the account {account.id}")["Arn"])
    except NightshiftError as error:
        return str(error)
    kind, _, name = arn.split(":", 5)[5].partition("/")
    return _Name(f"the role {name.partition('/')[0]}" if kind == "assumed-role" else f"{kind} {name}".rstrip())


def _places(runtime: Runtime, names: dict[str, str]) -> Iterator[_Place]:
    """Each account, each region that is read of it, and each in which only evidence of incidents is."""
    asked = [each for each in reading() if each.probe is not None and _is_wanted(runtime, each)]
    wide, regional = ([each for each in asked if each.is_account_wide == is_wide] for is_wide in (True, False))
    for account in runtime.settings.aws.accounts:
        is_first = account.home_region == HOME_REGIONS["aws"]
        probes = [each for each in wide if account.regions and (is_first or each.service not in _ONLY_IN_AWS)]
        fine = "the account may be read" if account.regions else "of its regions only evidence of incidents is read"
        scope = scope_of(runtime, account, account.home_region)
        yield _Place(f"aws {account.id}", names[account.id], scope, probes, fine)
    live = {scope.place: scope for scope in live_scopes(runtime).live}
    for scope in live.values():
        yield _Place(f"aws {scope.place}", names[scope.account_id], scope, regional, "everything may be read")
    evidence = {scope.place: scope for source in event_sources(runtime) for scope in getattr(source, "scopes", ())}
    probes = [each for each in regional if each.purpose in _EVIDENCE]
    for place in sorted(set(evidence) - set(live)):
        scope = evidence[place]
        yield _Place(f"aws {place}", names[scope.account_id], scope, probes, "evidence of incidents may be read")


def _unread(runtime: Runtime, known: set[str]) -> Iterator[Found]:
    """What a night does not even ask, but for accounts of which it is said already what they do not allow."""
    for each in live_scopes(runtime).unread:
        subject = f"aws {each.account_id}/{each.region}" if each.region else f"aws {each.account_id}"
        if subject not in known:
            yield subject, False, each.reason


def _tried(place: _Place) -> _Tried:
    """Sends the probes; what was opened for it is closed."""
    found = _Tried()
    try:
        for operation in place.probes:
            if operation.service not in found.unanswered and len(found.unanswered) < _MOST_UNANSWERED:
                _try(place.scope, operation, found)
    finally:
        place.scope.connection.close()
    return found


def _try(scope: Scope, operation: Operation, found: _Tried) -> None:
    purpose = operation.purpose or PURPOSES[-1]
    try:
        scope.connection.ask(operation, scope.place, **(operation.probe or {}))
    except Denied:
        found.denied.setdefault(purpose, []).append(operation.action)
    except NotEnrolled:
        found.not_enrolled.setdefault(purpose, []).append(operation.service)
    except CloudRefused:
        pass  # What it was asked for is not there, or not right: AWS says so only to those who may ask.
    except NightshiftError as error:
        found.unanswered[operation.service] = str(error)


def _told(place: _Place, found: _Tried) -> Found:
    parts = []
    if found.denied:
        lost = [f"{', '.join(sorted(actions))} ({purpose.without})" for purpose, actions in _in_order(found.denied)]
        parts.append(f"not allowed: {'; '.join(lost)}. Give it what 'nightshift iam-policy' prints.")
    if found.not_enrolled:
        lost = [f"{' and '.join(sorted({*names}))} ({purpose.without})" for purpose, names in _in_order(found.not_enrolled)]
        parts.append(f"not enrolled: {'; '.join(lost)}.")
    parts += [f"{service} was not tried: {why}" for service, why in sorted(found.unanswered.items())]
    return place.subject, not parts, f"signed in as {place.name}; {' '.join(parts) or place.fine}"


def _in_order(found: dict[Purpose, list[str]]) -> list[tuple[Purpose, list[str]]]:
    return sorted(found.items(), key=lambda each: PURPOSES.index(each[0]))


def _is_wanted(runtime: Runtime, operation: Operation) -> bool:
    return operation.purpose is not OPINIONS or runtime.settings.aws.second_opinion


def _only(runtime: Runtime, listed: tuple[AwsAccount, ...]) -> Runtime:
    """The same surroundings without the other accounts."""
    aws = runtime.settings.aws.model_copy(update={"accounts": listed})
    return replace(runtime, settings=runtime.settings.model_copy(update={"aws": aws}))


def _side_by_side(runtime: Runtime, ask: Callable[[_T], _R], things: Sequence[_T]) -> list[_R]:
    with ThreadPoolExecutor(runtime.settings.aws.scopes_at_once) as pool:
        return list(pool.map(ask, things))
