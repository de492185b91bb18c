"""The demo's services: who owns them, which stands on which, what they promise and how they kept it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from dagster_project.demo.incidents import OUTAGE
from dagster_project.demo.rows import LAST_INSTANT, Row

ACCOUNTS = {"prod": "318204967715", "staging": "590731842206", "dev": "742915038864"}
REGION = "us-east-1"
"""Where the services that have incidents run."""

SATURATED_SERVICES = ("payment-api", "payment-db")
# Share of the usual load that was left while payments stood still; a retry storm brings more than the usual.
OUTAGE_LOAD = {
    "checkout-api": 0.45, "order-api": 0.3, "subscription-api": 0.5, "invoice-api": 0.6, "fraud-detection-api": 1.25,
}  # fmt: skip
# Services that the engine scales up in ordinary weeks. What is idle in any other service stays proposable.
SCALED_SERVICES = ("checkout-api", "order-api", "cart-api", "catalog-api", "recommendation-api")

# Team, tier, requests per day, USD per request. 12 M payments a day at 12,000 USD per minute are 1.44 USD each.
SERVICES: dict[str, tuple[str, str, float | None, float | None]] = {
    "payment-api": ("payments", "tier-1", 12_000_000, 1.44),
    "payment-db": ("payments", "tier-1", None, None),
    "fraud-detection-api": ("payments", "tier-1", 9_600_000, 0.35),
    "subscription-api": ("payments", "tier-2", 640_000, 0.90),
    "invoice-api": ("payments", "tier-2", 410_000, 0.35),
    "ledger-worker": ("payments", "tier-2", 1_900_000, 0.02),
    "checkout-api": ("checkout", "tier-1", 3_400_000, 2.10),
    "order-api": ("checkout", "tier-1", 2_900_000, 2.40),
    "cart-api": ("checkout", "tier-2", 8_200_000, 0.12),
    "tax-api": ("checkout", "tier-2", 3_500_000, 0.05),
    "coupon-api": ("checkout", "tier-3", 2_100_000, 0.01),
    "loyalty-api": ("checkout", "tier-3", 1_300_000, 0.02),
    "user-preferences-api": ("identity", "tier-2", 21_000_000, 0.004),
    "search-api": ("search", "tier-1", 26_000_000, 0.015),
    "catalog-api": ("catalog", "tier-1", 31_000_000, 0.010),
    "inventory-api": ("catalog", "tier-2", 5_100_000, 0.05),
    "media-api": ("catalog", "tier-3", 44_000_000, 0.001),
    "shipping-api": ("fulfilment", "tier-2", 1_200_000, 0.20),
    "notification-api": ("platform", "tier-2", 6_700_000, 0.003),
    "session-cache": ("platform", "tier-1", 190_000_000, 0.0),
    "admin-console": ("platform", "tier-3", 40_000, 0.0),
    "dev-workbench": ("platform", "tier-3", None, None),
    "recommendation-api": ("data", "tier-2", 18_000_000, 0.006),
    "report-builder": ("data", "tier-3", 9_000, None),
    "batch-scoring": ("data", "tier-3", None, None),
    "event-collector": ("data", "tier-2", 410_000_000, 0.0001),
}

# The pair catalog-api/inventory-api is a cycle: real maps have them, and a walk over this one must end.
_DEPENDENCIES = """
payment-api payment-db hard; payment-api fraud-detection-api hard; payment-api user-preferences-api hard;
checkout-api payment-api hard; subscription-api payment-api hard; invoice-api payment-api hard;
checkout-api cart-api hard; checkout-api order-api hard; checkout-api tax-api soft; checkout-api coupon-api soft;
checkout-api user-preferences-api soft; order-api payment-api hard; order-api inventory-api hard;
order-api shipping-api soft; order-api notification-api soft; cart-api catalog-api hard; cart-api session-cache hard;
catalog-api search-api soft; catalog-api inventory-api soft; inventory-api catalog-api soft; catalog-api media-api soft;
search-api user-preferences-api soft; recommendation-api user-preferences-api hard; recommendation-api catalog-api hard;
fraud-detection-api user-preferences-api soft; fraud-detection-api event-collector soft; loyalty-api order-api soft;
ledger-worker payment-db hard; report-builder payment-db soft; subscription-api notification-api soft;
user-preferences-api session-cache hard; admin-console order-api soft; batch-scoring event-collector soft
"""

# Service, objective, its share of good events, and how much of the budget the last weeks have spent; payments are told hourly.
_SLOS: tuple[tuple[str, str, float, float | None], ...] = (
    ("payment-api", "availability", 0.9995, None), ("payment-api", "latency_p99_500ms", 0.99, 0.45),
    ("checkout-api", "availability", 0.999, 0.35), ("order-api", "availability", 0.999, 0.3),
    ("search-api", "latency_p99_300ms", 0.995, 0.6), ("catalog-api", "availability", 0.999, 0.25),
    ("admin-console", "availability", 0.99, 0.94),
)  # fmt: skip


def services() -> list[Row]:
    """The table ``services``."""
    return [
        {"service": name, "team": team, "tier": tier, "requests_per_day": requests, "value_per_request_usd": value}
        for name, (team, tier, requests, value) in SERVICES.items()
    ]


def dependencies() -> list[Row]:
    """The table ``service_dependencies``."""
    return [dict(zip(("service", "depends_on", "kind"), edge.split(), strict=True)) for edge in _DEPENDENCIES.split(";")]


def objectives() -> list[Row]:
    """The table ``slos``."""
    return [
        {"service": service, "name": name, "objective": objective, "window_days": 30} for service, name, objective, _ in _SLOS
    ]


def service_levels(seed: int, days: int) -> Iterator[Row]:
    """The table ``sli_events``: hourly for payments, daily for what else is measured."""
    yield from _payment_availability(seed, days)
    for service, name, objective, spent in _SLOS:
        if spent is not None:
            yield from _daily_levels(seed, days, service, name, (1 - objective) * spent)


def _daily_levels(seed: int, days: int, service: str, name: str, bad_share: float) -> Iterator[Row]:
    """Good and total events of each day, of which ``bad_share`` failed over all."""
    rng = np.random.default_rng([seed, 8, *service.encode(), *name.encode()])
    daily = SERVICES[service][2] or 0.0
    for day in range(days):
        total = round(daily * rng.uniform(0.92, 1.08))
        yield {
            "service": service, "name": name, "timestamp": LAST_INSTANT - timedelta(days=days - day),
            "good": float(total - round(total * bad_share * rng.uniform(0.8, 1.2))), "total": float(total),
        }  # fmt: skip


def _payment_availability(seed: int, days: int) -> Iterator[Row]:
    """Hourly good and total payments; 47 % fail in the minutes of the outage."""
    rng = np.random.default_rng([seed, 7])
    first = LAST_INSTANT - timedelta(days=days)
    daily = SERVICES["payment-api"][2] or 0.0
    for hour in range(days * 24):
        at = first + timedelta(hours=hour)
        total = round(daily / 24 * (1 + 0.55 * np.cos(2 * np.pi * (at.hour - 19) / 24)) * rng.uniform(0.97, 1.03))
        hit = max(timedelta(0), min(OUTAGE[1], at + timedelta(hours=1)) - max(OUTAGE[0], at)) / timedelta(hours=1)
        bad = total * (rng.uniform(0.00004, 0.00014) + 0.47 * hit)
        yield {
            "service": "payment-api", "name": "availability", "timestamp": at,
            "good": float(round(total - bad)), "total": float(total),
        }  # fmt: skip
