"""What happened to the demo's services, in every table of the decision engine.

Rows are plain dictionaries of the contract's columns; times are naive UTC on the demo's own calendar, whose last day is
9 March 2025.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from dagster_project.demo.decisions import decisions, policies
from dagster_project.demo.incidents import action_items, incidents
from dagster_project.demo.rows import LAST_INSTANT, Row, moment
from dagster_project.demo.services import SERVICES, dependencies, objectives, service_levels, services

# When, service, kind, who, ref, summary.
CHANGES = (
    ("2024-11-30 03:58", "user-preferences-api", "config", "identity-ci", "cfg-1188", "Cache for 5 s instead of 300 s"),
    ("2024-11-30 07:52", "user-preferences-api", "config", "decision-engine", "cfg-1189", "Cache for 300 s again"),
    ("2025-01-13 16:48", "fraud-detection-api", "deployment", "payments-ci", "v3.41.0", "Scoring model of January"),
    ("2025-02-19 15:36", "catalog-api", "deployment", "catalog-ci", "v9.12.0", "stock_level renamed to availability"),
    ("2025-02-19 16:01", "catalog-api", "rollback", "decision-engine", "v9.11.3", "Back to the last good version"),
    ("2025-03-03 07:52", "payment-api", "deployment", "payments-ci", "v7.20.0", "Three client retries, no jitter"),
    ("2025-03-03 11:02", "payment-db", "config", "database-on-call", "chg-7741", "Failover, taken back at 11:31"),
    ("2025-03-03 11:48", "payment-api", "flag", "senior-sre", "retry-throttle", "Retries limited to 50 per second"),
    ("2025-03-04 14:10", "payment-api", "deployment", "payments-ci", "v7.20.1", "Retries with jitter and a budget"),
    ("2025-03-05 16:55", "search-api", "flag", "search-team", "open-sitemap", "Sitemap opened to crawlers"),
)  # fmt: skip


def rows(seed: int, groups: dict[str, str], idle: Sequence[str], calendar_days: int) -> dict[str, list[Row]]:
    """Every table of the story; ``groups`` and ``idle`` are those that the engine decided about."""
    return {
        "decision_audit": decisions(seed, groups, idle),
        "policies": list(policies()),
        "incidents": incidents(),
        "incident_action_items": list(action_items()),
        "change_events": sorted(_changes(seed), key=lambda row: (row["occurred_at"], row["change_id"])),
        "service_dependencies": dependencies(),
        "services": services(),
        "slos": objectives(),
        "sli_events": list(service_levels(seed, calendar_days)),
    }


def _changes(seed: int) -> Iterator[Row]:
    told = [(moment(when), service, kind, actor, ref, summary) for when, service, kind, actor, ref, summary in CHANGES]
    for service, (team, *_) in SERVICES.items():
        rng = np.random.default_rng([seed, 6, *service.encode()])
        for number in range(int(rng.integers(6, 16))):
            day = LAST_INSTANT - timedelta(days=120 - int(rng.integers(119)))
            if day.weekday() < 4:  # nobody deploys on a Friday or at the weekend
                at = day + timedelta(minutes=int(rng.integers(14 * 60, 20 * 60)))
                build = f"build-{rng.bytes(3).hex()}"
                told.append((at, service, "deployment", f"{team}-ci", build, f"Routine release {number + 1}"))
    for number, (at, service, kind, actor, ref, summary) in enumerate(told, start=1):
        yield {
            "change_id": f"CHG-{number:04d}", "occurred_at": at, "service": service, "kind": kind,
            "actor": actor, "ref": ref, "summary": summary,
        }  # fmt: skip
