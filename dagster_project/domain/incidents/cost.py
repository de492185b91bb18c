"""What an incident cost: ranges of low, expected and high in USD, each with its basis, added up only where they are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.settings_incidents import CostSettings

RESPONSE, IMPACT, CREDITS, INFRASTRUCTURE = "response", "impact", "SLA credits", "infrastructure"


@dataclass(frozen=True, slots=True)
class Range:
    """Low, expected and high."""

    low: float
    expected: float
    high: float

    def times(self, other: Range) -> Range:
        """Both at their low, expected and high ends; none is negative, so the ends stay in order."""
        return Range(self.low * other.low, self.expected * other.expected, self.high * other.high)

    def scaled(self, factor: float) -> Range:
        """Every end by the same factor."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class AddedCapacity:
    """Capacity that was added in the incident: what, what it costs (USD an hour; None where unknown), and for how long."""

    what: str
    usd_hour: float | None
    hours: float | None


@dataclass(frozen=True, slots=True)
class CostFacts:
    """What is known of the incident; None is unknown, and stays unknown.

    ``response_hours``: from detection to the end of the response; ``responders``: people whom the evidence shows;
    ``failed_requests``: counted ones; without them ``requests_per_day``, ``impact_minutes`` and ``failed_share`` (0 to 1)
    estimate them. ``dependents``: services that stand on the incident's own; what they lost is not counted.
    """

    response_hours: float | None = None
    responders: int | None = None
    failed_requests: float | None = None
    requests_per_day: float | None = None
    impact_minutes: float | None = None
    failed_share: Range | None = None
    value_per_request_usd: float | None = None
    added: Sequence[AddedCapacity] = ()
    dependents: int = 0


@dataclass(frozen=True, slots=True)
class CostLine:
    """One kind of cost; ``usd`` is None where it is unknown. ``basis`` is the sentence that says how it came about, or what is
    missing."""

    name: str
    usd: Range | None
    basis: str


@dataclass(frozen=True, slots=True)
class Cost:
    """The lines in the order response, impact, credits, infrastructure. ``total`` is of the known ones, None without any."""

    lines: tuple[CostLine, ...]
    total: Range | None
    not_included: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What the total is of, and what is not in it."""
        if self.total is None:
            return "Nothing is known of what it cost."
        told = f"{self.total.expected:,.0f} USD, from {self.total.low:,.0f} to {self.total.high:,.0f}"
        missing = f"; not in it, because unknown: {', '.join(self.not_included)}" if self.not_included else ""
        return f"Together {told}{missing}."


def incident_cost(facts: CostFacts, settings: CostSettings) -> Cost:
    """What the incident cost, as far as its facts and the settings tell."""
    failed, failed_basis = _failed(facts)
    lines = (
        _response(facts, settings),
        _impact(facts, failed, failed_basis, settings),
        _credits(facts, failed, settings),
        _infrastructure(facts.added),
    )
    known = [line.usd for line in lines if line.usd is not None]
    total = Range(*(math.fsum(getattr(usd, end) for usd in known) for end in ("low", "expected", "high"))) if known else None
    missing = [line.name for line in lines if line.usd is None]
    if facts.dependents:
        missing.append("what services that stand on it lost")
    return Cost(lines, total, tuple(missing))


def _response(facts: CostFacts, settings: CostSettings) -> CostLine:
    if facts.response_hours is None:
        return CostLine(RESPONSE, None, "How long people responded is unknown.")
    if facts.responders is not None:
        count = facts.responders
        people, source = Range(count, count, count), f"{count:,} {'person' if count == 1 else 'people'} by the evidence"
    else:
        people, source = Range(*settings.responders), f"{_ends(settings.responders)} people by the settings"
    usd = people.times(Range(*settings.responder_usd_hour)).scaled(facts.response_hours)
    return _line(RESPONSE, usd, f"{facts.response_hours:.1f} h × {source} × {_ends(settings.responder_usd_hour)} USD an hour.")


def _failed(facts: CostFacts) -> tuple[Range | None, str]:
    """How many requests failed, and how that is known or what is missing."""
    if facts.failed_requests is not None:
        return Range(*(facts.failed_requests,) * 3), f"{facts.failed_requests:,.0f} counted failed requests"
    missing = [
        words
        for value, words in (
            (facts.requests_per_day, "the service's requests a day"),
            (facts.impact_minutes, "how long the impact lasted"),
            (facts.failed_share, "the share of requests that failed"),
        )
        if value is None
    ]
    if facts.requests_per_day is None or facts.impact_minutes is None or facts.failed_share is None:
        return None, f"No failed requests were counted, and they cannot be estimated without {_listed(missing)}."
    requests = facts.requests_per_day * facts.impact_minutes / 1440
    share = facts.failed_share
    words = _ends((100 * share.low, 100 * share.expected, 100 * share.high))
    return share.scaled(requests), f"{requests:,.0f} requests in {facts.impact_minutes:,.0f} minutes × {words} % failed"


def _impact(facts: CostFacts, failed: Range | None, basis: str, settings: CostSettings) -> CostLine:
    if failed is None:
        return CostLine(IMPACT, None, basis)
    if facts.value_per_request_usd is None:
        return CostLine(IMPACT, None, "What a request is worth is unknown.")
    usd = failed.times(Range(*settings.lost_share)).scaled(facts.value_per_request_usd)
    lost = _ends([100 * share for share in settings.lost_share])
    return _line(IMPACT, usd, f"{basis} × {facts.value_per_request_usd:g} USD × {lost} % that is not made up for later.")


def _credits(facts: CostFacts, failed: Range | None, settings: CostSettings) -> CostLine:
    if not any(settings.sla_credit_share):
        return CostLine(CREDITS, None, "No credits are told: sla_credit_share in the settings is 0.")
    if failed is None or facts.value_per_request_usd is None:
        return CostLine(CREDITS, None, "Credits follow from the value that failed, which is unknown.")
    usd = failed.times(Range(*settings.sla_credit_share)).scaled(facts.value_per_request_usd)
    shares = _ends([100 * share for share in settings.sla_credit_share])
    return _line(CREDITS, usd, f"{shares} % of the value that failed, by the settings.")


def _infrastructure(added: Sequence[AddedCapacity]) -> CostLine:
    if not added:
        return CostLine(INFRASTRUCTURE, None, "No capacity whose price is known was added.")
    unknown = [each.what for each in added if each.usd_hour is None or each.hours is None]
    if unknown:
        return CostLine(INFRASTRUCTURE, None, f"The price or the duration of {_listed(unknown)} is unknown.")
    usd = math.fsum((each.usd_hour or 0.0) * (each.hours or 0.0) for each in added)
    basis = _listed([f"{each.what} for {each.hours:.1f} h × {each.usd_hour:g} USD" for each in added])
    return _line(INFRASTRUCTURE, Range(usd, usd, usd), f"{basis}.")


def _line(name: str, usd: Range, basis: str) -> CostLine:
    """A known cost, in whole cents."""
    return CostLine(name, Range(round(usd.low, 2), round(usd.expected, 2), round(usd.high, 2)), basis)


def _ends(values: Sequence[float]) -> str:
    low, expected, high = values
    shown = [f"{round(end, 2):g}" for end in (low, expected, high)]
    return shown[0] if low == expected == high else " / ".join(shown)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
