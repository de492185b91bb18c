"""How risky a change is to make, and why: decides whether a pull request is a draft, and later who must approve."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.domain.proposals.model import HIGH, LOW, MEDIUM, RISKS

_CALM = frozenset(("dev", "development", "test", "testing", "qa", "sandbox", "staging", "stage", "preview"))
# Of 100 weeks. The rules propose nothing that was ever seen to exceed, so this is the tail beyond what was seen.
_LIKELY_PCT = 10.0
_POSSIBLE_PCT = 5.0
_NARROW_PCT = 90.0


def risk_of(
    resource_type: str,
    attribute: str,
    environment: str | None,
    exceedance_pct: float | None,
    closest_event_pct: float | None,
) -> tuple[str, tuple[str, ...]]:
    """low, medium or high, with a sentence for each thing that raised it. What is unknown counts as the worse."""
    found = list(_reasons(resource_type, attribute, environment, exceedance_pct, closest_event_pct))
    highest = max((risk for risk, _ in found), key=RISKS.index, default=LOW)
    return highest, tuple(sentence for risk, sentence in found if risk != LOW)


def _reasons(
    resource_type: str, attribute: str, environment: str | None, exceedance_pct: float | None, closest_event_pct: float | None
) -> Iterator[tuple[str, str]]:
    is_calm = (environment or "").lower() in _CALM
    where = f"in {environment}" if environment else "in an environment that no tag names"
    if resource_type == "rds_instance":
        yield MEDIUM if is_calm else HIGH, f"A database {where} restarts, and what it caches is lost."
    elif resource_type == "ec2_instance" and not is_calm:
        yield MEDIUM, f"A single machine {where} stops and starts; nothing takes over meanwhile."
    # Fewer members of the same size: what is told of a smaller size says nothing about them.
    if attribute != "min_size":
        if exceedance_pct is None:
            yield MEDIUM, "How likely it is that demand exceeds the new size is not known."
        elif exceedance_pct >= _POSSIBLE_PCT:
            level = HIGH if exceedance_pct >= _LIKELY_PCT and not is_calm else MEDIUM
            yield level, f"In {exceedance_pct:.0f} of 100 weeks some sample would exceed the new size."
    if closest_event_pct is not None and closest_event_pct >= _NARROW_PCT:
        yield MEDIUM, f"The closest past event would have used {closest_event_pct:.0f} % of the new size."
