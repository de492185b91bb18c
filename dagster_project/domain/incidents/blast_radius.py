"""Blast radius: which services stand on those of an incident, directly or through others, and what a day of them is worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HARD = "hard"


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What is known of a service; None is unknown."""

    requests_per_day: float | None = None
    value_per_request_usd: float | None = None

    @property
    def value_usd_day(self) -> float | None:
        """What a day of its requests is worth."""
        if self.requests_per_day is None or self.value_per_request_usd is None:
            return None
        return self.requests_per_day * self.value_per_request_usd


@dataclass(frozen=True, slots=True)
class Reach:
    """One service that is reached. ``path`` runs from a service of the incident to this one; ``is_hard``: every step of it is a
    dependency that the dependent cannot do without; ``hops`` are its steps."""

    service: str
    hops: int
    is_hard: bool
    path: tuple[str, ...]
    requests_per_day: float | None = None
    value_usd_day: float | None = None


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What is reached, nearest first. ``unknown``: services of the incident that the map does not know; what stands on them is
    unknown too. ``value_usd_day`` adds up the services whose value is known (None where none is), ``unvalued`` names the others.
    Requests are not added up: one request of a customer passes through many services."""

    services: tuple[str, ...]
    reaches: tuple[Reach, ...]
    unknown: tuple[str, ...]
    value_usd_day: float | None
    unvalued: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the radius says, for people."""
        return tuple(_sentences(self))


def blast_radius(
    services: Iterable[str], edges: Iterable[tuple[str, str, str | None]], facts: Mapping[str, ServiceFacts] | None = None
) -> BlastRadius:
    """Every service that stands on ``services``, whatever the length of the chain; cycles end.

    ``edges`` are (service, depends_on, kind); a kind that is not known counts as hard, as everywhere. Each service has one
    shortest path: of hard steps where there is such a chain, else of any. Of equal ones the first by name is taken.
    """
    begun = tuple(sorted(set(services)))
    hard, either, known = _dependents(edges)
    paths = {service: (path, True) for service, path in _shortest(begun, hard).items()}
    for service, path in _shortest(begun, either).items():
        paths.setdefault(service, (path, False))
    told = facts or {}
    reaches = tuple(
        sorted(
            (_reach(path, is_hard, told) for service, (path, is_hard) in paths.items() if service not in begun),
            key=lambda reach: (not reach.is_hard, reach.hops, reach.service),
        )
    )
    values = [reach.value_usd_day for reach in reaches if reach.value_usd_day is not None]
    return BlastRadius(
        services=begun,
        reaches=reaches,
        unknown=tuple(service for service in begun if service not in known),
        value_usd_day=math.fsum(values) if values else None,
        unvalued=tuple(sorted(reach.service for reach in reaches if reach.value_usd_day is None)),
    )


_Map = dict[str, list[str]]


def _dependents(edges: Iterable[tuple[str, str, str | None]]) -> tuple[_Map, _Map, set[str]]:
    """Who stands on each service by hard edges and by any, in the order of names, and every service that an edge names."""
    hard: _Map = {}
    either: _Map = {}
    known: set[str] = set()
    for service, depends_on, kind in sorted(edges, key=lambda edge: (edge[0], edge[1])):
        known |= {service, depends_on}
        either.setdefault(depends_on, []).append(service)
        if (kind or HARD) == HARD:
            hard.setdefault(depends_on, []).append(service)
    return hard, either, known


def _shortest(begun: Sequence[str], dependents: _Map) -> dict[str, tuple[str, ...]]:
    """A shortest path to every service that is reached, the beginnings included: a breadth-first walk, a hop at a time."""
    paths: dict[str, tuple[str, ...]] = {service: (service,) for service in begun}
    frontier = list(begun)
    while frontier:
        found: list[str] = []
        for service in frontier:
            for dependent in dependents.get(service, ()):
                if dependent not in paths:
                    paths[dependent] = (*paths[service], dependent)
                    found.append(dependent)
        frontier = found
    return paths


def _reach(path: tuple[str, ...], is_hard: bool, facts: Mapping[str, ServiceFacts]) -> Reach:
    known = facts.get(path[-1], ServiceFacts())
    return Reach(path[-1], len(path) - 1, is_hard, path, known.requests_per_day, known.value_usd_day)


def _sentences(radius: BlastRadius) -> Iterable[str]:
    names = ", ".join(radius.services)
    for service in radius.unknown:
        yield f"The dependency map does not know {service}; which services stand on it is unknown."
    if not radius.reaches:
        if len(radius.unknown) < len(radius.services):
            yield f"The dependency map names no service that stands on {names}."
        return
    hard = sum(reach.is_hard for reach in radius.reaches)
    soft = len(radius.reaches) - hard
    others = f"; {_services(soft, 'more ')} can do for a while" if soft else ""
    yield f"{_services(hard)} cannot do without {names}, directly or through others{others}."
    if radius.value_usd_day is not None:
        missing = f", without {', '.join(radius.unvalued)}, of which it is unknown" if radius.unvalued else ""
        yield f"A day of their requests is worth {radius.value_usd_day:,.0f} USD{missing}."
    else:
        yield "What a day of them is worth is unknown."


def _services(number: int, more: str = "") -> str:
    return f"1 {more}service" if number == 1 else f"{number:,} {more}services" if number else f"no {more}service"
