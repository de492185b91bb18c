"""A night's proposals together: what each of them may be alone, all of them need not be at once.

Proposals are ranked by expected value. Going down the ranking, one is refused when its service has had its share for the
night, or when a service that its own stands on (or that stands on it) already changes that night: if both were wrong, nobody
could tell which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dagster_project.domain.rightsizing.verdict import Verdict, with_reason


@dataclass(frozen=True)
class Limits:
    """How much may change in one night.

    ``max_service_share_pct`` of a service's resources, but at least ``min_service_changes`` of them.
    """

    max_service_share_pct: float = 50
    min_service_changes: int = 3


def rank(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Proposals by expected value, the highest first; of equals the one with the smaller id."""
    return sorted(
        (verdict for verdict in verdicts if verdict.verdict == "propose"),
        key=lambda verdict: (-verdict.expected_usd_month, verdict.resource_id),
    )


def one_night(
    verdicts: Sequence[Verdict],
    services: Sequence[str | None],
    dependencies: Iterable[tuple[str, str]],
    limits: Limits,
) -> list[Verdict]:
    """The verdicts, in their order, with those proposals refused that are too much for one night.

    ``services`` names the service of each verdict's resource, ``dependencies`` holds pairs (service, the one it stands on).
    A resource without a service has no neighbours that are known, and counts as its own.
    """
    service_of = {verdict.resource_id: service for verdict, service in zip(verdicts, services, strict=True)}
    sizes = Counter(service for service in services if service)
    neighbours = _neighbours(dependencies)
    changed: Counter[str] = Counter()
    refused: dict[str, Verdict] = {}
    for verdict in rank(verdicts):
        service = service_of[verdict.resource_id]
        if not service:
            continue
        allowed = max(limits.min_service_changes, int(sizes[service] * limits.max_service_share_pct / 100))
        near = sorted(name for name in neighbours.get(service, ()) if changed[name])
        if near:
            refused[verdict.resource_id] = with_reason(
                verdict, "refuse_dependency_tier_same_night", float(changed[near[0]]), None, near[0]
            )
        elif changed[service] >= allowed:
            refused[verdict.resource_id] = with_reason(
                verdict, "refuse_blast_radius", float(changed[service]), float(allowed), service
            )
        else:
            changed[service] += 1
    return [refused.get(verdict.resource_id, verdict) for verdict in verdicts]


def _neighbours(dependencies: Iterable[tuple[str, str]]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for service, stands_on in dependencies:
        if service != stands_on:
            found.setdefault(service, set()).add(stands_on)
            found.setdefault(stands_on, set()).add(service)
    return found
