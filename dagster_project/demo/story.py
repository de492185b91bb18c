"""What happened to the demo's services: their map, their incidents, and what the decision engine did about them.

Rows are plain dictionaries of the contract's columns; times are naive UTC on the demo's own calendar, whose last day is
9 March 2025. The two cascades are told minute by minute: Black Friday (a slow user-preferences-api took the platform
down, 29 November 2024 23:23 EST) and the payment outage of 3 March 2025 (a retry storm, 03:14 EST, 4 h 23 min).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

Row = dict[str, Any]

_at = datetime.fromisoformat

LAST_INSTANT = _at("2025-03-10 00:00")
HISTORY_DAYS = 180
OUTAGE = (_at("2025-03-03 08:14"), _at("2025-03-03 12:30"))
GROUP_EMERGENCY = (_at("2025-03-05 09:45"), _at("2025-03-05 13:00"))  # a group runs two members more
OUTAGE_ID = "INC-2025-0342"
BLACK_FRIDAY_ID = "INC-2024-2917"
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

_SLOS = (
    ("payment-api", "availability", 0.9995), ("payment-api", "latency_p99_500ms", 0.99),
    ("checkout-api", "availability", 0.999), ("order-api", "availability", 0.999),
    ("search-api", "latency_p99_300ms", 0.995), ("catalog-api", "availability", 0.999),
)  # fmt: skip

# policy_id, name, conditions, actions, max_executions, cooldown_s;
# a condition is metric, operator, threshold of version 1, threshold of version 2, duration_ms
_Condition = tuple[str, str, float, float, int]
_POLICIES: tuple[tuple[str, str, tuple[_Condition, ...], tuple[str, ...], int, int], ...] = (
    ("pol-cpu-emergency", "CPU Emergency Scale-Up",
     (("cpu_usage", "gt", 80.0, 75.0, 120_000),), ("scale_up",), 3, 300),
    ("pol-hi-err-001", "High Error Rate Auto-Remediation",
     (("error_rate", "gt", 0.08, 0.05, 30_000), ("latency_p99", "gt", 800.0, 500.0, 30_000)),
     ("circuit_break", "scale_up"), 2, 300),
    ("pol-quiet-scale-down", "Quiet Hours Scale-Down",
     (("cpu_usage", "lt", 25.0, 30.0, 1_800_000),), ("scale_down",), 4, 900),
    ("pol-bad-deploy", "Roll Back a Bad Deployment",
     (("error_rate", "gt", 0.04, 0.03, 60_000),), ("rollback", "notify"), 1, 1800),
    ("pol-latency-watch", "Latency Watch",
     (("latency_p99", "gt", 400.0, 350.0, 300_000),), ("notify",), 5, 600),
)  # fmt: skip
_POLICY_OF = {
    "scale_up": "pol-cpu-emergency", "scale_down": "pol-quiet-scale-down", "circuit_break": "pol-hi-err-001",
    "rollback": "pol-bad-deploy", "notify": "pol-latency-watch", "no_action": "pol-latency-watch",
}  # fmt: skip
_VERSION_2_SINCE = _at("2025-01-20 15:00")
_PAYLOADS = {
    "scale_up": {"replicas": "+2"}, "scale_down": {"replicas": "-2"},
    "circuit_break": {"threshold": 0.5, "timeout": 10_000}, "rollback": {"to": "previous"},
    "restart": {"strategy": "rolling"}, "failover": {"to": "replica"},
    "apply_throttling": {"retries_per_second": 50}, "notify": {"channel": "#on-call"},
}  # fmt: skip

_INCIDENT_COLUMNS = (
    "incident_id", "title", "severity", "service", "status", "kind",
    "impact_started_at", "detected_at", "acknowledged_at", "declared_at", "identified_at", "mitigated_at",
    "impact_ended_at", "resolved_at", "commander", "summary",
)  # fmt: skip
# Times as "day hh:mm hh:mm …" in the order of the columns; "-" is unknown.
_INCIDENTS = (
    (BLACK_FRIDAY_ID, "Full platform outage on Black Friday", "SEV-1", "user-preferences-api", "resolved", "normal",
     "2024-11-30 04:23 04:42 04:45 06:23 07:45 08:12 09:18 09:18", "vp-engineering",
     "user-preferences-api answered in 500 ms instead of 50 ms; callers timed out after 1 s and retried three times, "
     "until the connection pools of 12 services and then the database were full."),
    ("INC-2024-3051", "Search results empty in one zone", "SEV-2", "search-api", "resolved", "normal",
     "2024-12-12 13:52 14:04 14:07 14:15 14:41 14:58 15:03 15:20", "search-on-call",
     "A replica fell behind its index and was still in rotation."),
    ("INC-2024-3140", "Invoice rendering backlog at year end", "SEV-3", "invoice-api", "resolved", "normal",
     "2024-12-20 07:30 08:10 08:31 - 09:05 09:40 10:25 10:30", "payments-on-call",
     "The render pool had no room for the year-end run."),
    ("INC-2025-0041", "Payment declines: connection pool exhausted", "SEV-2", "payment-api", "resolved", "normal",
     "2025-01-13 17:06 17:15 17:18 17:24 18:20 19:02 19:11 19:40", "payments-on-call",
     "Retries between payment-api and fraud-detection-api filled the pool again, six weeks after Black Friday."),
    ("INC-2025-0118", "Exercise: 200 ms of latency on payment-db", "SEV-3", "payment-api", "resolved", "drill",
     "2025-01-27 19:00 19:01 19:02 19:02 19:03 19:10 19:10 19:15", "platform-on-call",
     "Circuit breakers opened as intended."),
    ("INC-2025-0177", "Maintenance: minor version of payment-db", "SEV-4", "payment-db", "resolved", "scheduled",
     "2025-02-08 03:00 03:00 03:00 03:00 - 03:24 03:24 03:45", "database-on-call",
     "Announced window; writes were refused for 24 minutes."),
    ("INC-2025-0246", "Catalog pages fail after a deployment", "SEV-2", "catalog-api", "resolved", "normal",
     "2025-02-19 15:41 15:44 15:45 15:52 15:56 16:03 16:04 16:20", "catalog-on-call",
     "A renamed field reached half of the fleet; the engine rolled the deployment back."),
    (OUTAGE_ID, "Payment processing stopped: cascading retry storm", "SEV-1", "payment-api", "resolved", "normal",
     "2025-03-03 08:14 08:14 08:17 09:18 11:45 12:37 12:37 12:52", "senior-sre",
     "47 % of payments failed and 2,847 of 3,000 database connections were in use; restarts and a failover "
     "made it worse before retries were throttled."),
    ("INC-2025-0349", "Search latency above its objective", "SEV-2", "search-api", "resolved", "normal",
     "2025-03-05 17:12 17:19 17:24 17:30 17:41 17:49 17:55 18:20", "search-on-call",
     "A crawler tripled the query rate; the engine added two replicas."),
    ("INC-2025-0361", "Stock levels lag behind orders", "SEV-3", "inventory-api", "investigating", "normal",
     "2025-03-08 19:40 20:05 20:11 20:30 - - - -", "catalog-on-call",
     "A consumer group lags by minutes; the cause is not known yet."),
)  # fmt: skip

# Incident, day, then "hh:mm:ss target action outcome [reason]" in the order in which the engine decided.
_CASCADES = (
    (BLACK_FRIDAY_ID, "2024-11-30", """
04:24:20 user-preferences-api notify succeeded; 04:25:10 user-preferences-api scale_up failed 403;
04:26:15 user-preferences-api scale_up skipped lock; 04:27:40 checkout-api scale_up succeeded;
04:28:05 payment-api scale_up succeeded; 04:29:02 payment-api circuit_break succeeded;
04:29:04 checkout-api circuit_break succeeded; 04:29:05 order-api circuit_break succeeded;
04:29:06 cart-api circuit_break succeeded; 04:29:08 subscription-api circuit_break succeeded;
04:29:09 invoice-api circuit_break succeeded; 04:29:11 search-api circuit_break succeeded;
04:29:12 recommendation-api circuit_break succeeded; 04:29:14 fraud-detection-api circuit_break succeeded;
04:29:15 catalog-api circuit_break succeeded; 04:29:17 inventory-api circuit_break succeeded;
04:29:19 user-preferences-api circuit_break succeeded; 04:31:30 payment-api scale_up skipped cooldown;
04:33:20 payment-api scale_up succeeded; 04:34:30 payment-api scale_up skipped max_executions;
04:36:45 order-api restart failed timeout; 04:42:10 payment-api kill_switch succeeded;
04:44:00 checkout-api scale_up skipped kill_switch; 07:52:00 user-preferences-api rollback succeeded;
08:12:30 payment-api apply_throttling succeeded; 08:40:00 order-api restart succeeded"""),
    (OUTAGE_ID, "2025-03-03", """
08:14:40 payment-api scale_up succeeded; 08:15:05 payment-api notify succeeded;
08:16:10 fraud-detection-api circuit_break succeeded;
08:19:10 payment-api scale_up skipped cooldown; 08:20:15 payment-api scale_up succeeded;
08:25:50 payment-api scale_up succeeded; 08:31:20 payment-api scale_up skipped max_executions;
08:33:00 order-api circuit_break succeeded; 08:36:40 payment-db scale_up failed 403;
09:12:00 fraud-detection-api restart succeeded; 09:18:30 payment-api restart failed timeout;
11:02:10 payment-db failover rolled_back worsened; 11:48:20 payment-api apply_throttling succeeded;
12:05:00 payment-api scale_up succeeded; 12:37:30 fraud-detection-api no_action skipped recovered;
12:52:40 payment-api notify succeeded"""),
    ("INC-2025-0041", "2025-01-13", """
17:08:20 payment-api scale_up succeeded; 17:16:00 fraud-detection-api circuit_break succeeded;
17:20:30 payment-api scale_up skipped cooldown"""),
    ("INC-2025-0246", "2025-02-19", """
15:45:10 catalog-api rollback failed lock; 16:01:30 catalog-api rollback succeeded"""),
    ("INC-2025-0349", "2025-03-05", """
17:22:15 search-api scale_up succeeded; 17:23:00 search-api notify succeeded;
17:27:30 search-api scale_up skipped cooldown"""),
)  # fmt: skip

# Per incident: title | type | priority | owner | due | tracker | key | state
_ACTION_ITEMS = {
    BLACK_FRIDAY_ID: """
Give clients of user-preferences-api 100 ms and one retry|prevent|P1|identity-team|2024-12-15|jira|SRE-2101|done
Open circuit breakers before connection pools are full|mitigate|P1|platform-team|2024-12-15|jira|SRE-2102|done
Alert on the latency of user-preferences-api|detect|P1|identity-team|2024-12-20|jira|SRE-2103|verified
Retry budget shared by all callers|prevent|P1|platform-team|2025-01-15|jira|SRE-2104|open
One war room, one commander: write the rule down|process|P2|sre-leads|2025-01-10|github|ops#412|verified
Cap the connections of one service on payment-db|prevent|P1|database-team|2025-01-31|jira|SRE-2106|in_progress
Serve checkout without preferences|mitigate|P2|checkout-team|2025-02-28|jira|SRE-2107|open
Replace the dashboard wall with the service map|detect|P3|platform-team|2025-03-31|jira|SRE-2108|declined
""",
    "INC-2024-3051": """
Take replicas out of rotation when their index is old|prevent|P2|search-team|2025-01-12|jira|SRCH-77|done
Show index age per zone|detect|P3|search-team|2025-02-06|jira|SRCH-78|done
""",
    "INC-2024-3140": """
Raise capacity of the invoice render pool before quarter end|capacity|P2|payments-team|2025-03-21|jira|PAY-901|open
Queue year-end invoices by customer|prevent|P3|payments-team|2025-02-14|jira|PAY-902|open
""",
    "INC-2025-0041": """
Add circuit breaker to payment->fraud-detection calls|prevent|P1|platform-team|2025-07-01|jira|JIRA-12345|open
Find out why December's pool limit was not rolled out|investigate|P1|payments-team|2025-01-28|jira|PAY-940|in_progress
Page on pool use above 80 %|detect|P2|database-team|2025-02-12|jira|DB-310|done
Rate limit retries at the gateway|prevent|P2|platform-team|2025-02-26|github|gateway#88|duplicate
""",
    "INC-2025-0118": """
Repeat the exercise with 500 ms|investigate|P3|platform-team|2025-03-24|github|ops#430|open
""",
    "INC-2025-0246": """
Contract test between catalog-api and cart-api|prevent|P2|catalog-team|2025-03-21|github|catalog#1204|in_progress
Deploy to one zone first|prevent|P2|catalog-team|2025-03-07|github|catalog#1205|done
""",
    OUTAGE_ID: """
Throttle retries when the pool is above 90 %|mitigate|P1|platform-team|2025-03-18|jira|SRE-2290|open
Failover drill for payment-db every month|process|P1|database-team|2025-03-18|jira|DB-322|open
A step for pool exhaustion that the engine can run|mitigate|P1|payments-team|2025-03-18|jira|PAY-977|in_progress
Grant the engine the right to scale payment-db|mitigate|P1|platform-team|2025-03-08|jira|SRE-2292|open
""",
    "INC-2025-0349": """
Limit the query rate of crawlers|prevent|P2|search-team|2025-04-04|jira|SRCH-91|proposed
""",
    "INC-2025-0361": """
Measure the lag of the stock consumers|detect|P3|catalog-team|2025-05-03|github|inventory#310|proposed
""",
}

_CHANGES = (
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


def compact(value: object) -> str:
    """JSON as PostgreSQL would be given it: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def rows(seed: int, groups: dict[str, str], idle: Sequence[str], calendar_days: int) -> dict[str, list[Row]]:
    """Every table of the story.

    ``groups`` maps the name of an Auto Scaling group that the engine works on to how it does: "routine" (up and down on
    most days) or "emergency" (one scale-up, four days before the end). ``idle`` are instances that a few harmless
    decisions were about: none of them is a successful scale-up of the last 28 days.
    """
    decisions = [*_cascade_decisions(seed), *_routine_decisions(seed, groups), *_harmless_decisions(seed, idle)]
    return {
        "decision_audit": sorted(decisions, key=lambda row: (row["decision_time"], row["decision_id"])),
        "policies": list(_policies()),
        "incidents": [_incident(entry) for entry in _INCIDENTS],
        "incident_action_items": list(_action_items()),
        "change_events": sorted(_changes(seed), key=lambda row: (row["occurred_at"], row["change_id"])),
        "service_dependencies": [
            dict(zip(("service", "depends_on", "kind"), edge.split(), strict=True)) for edge in _DEPENDENCIES.split(";")
        ],
        "services": [
            {"service": name, "team": team, "tier": tier, "requests_per_day": requests, "value_per_request_usd": value}
            for name, (team, tier, requests, value) in SERVICES.items()
        ],
        "slos": [
            {"service": service, "name": name, "objective": objective, "window_days": 30}
            for service, name, objective in _SLOS
        ],
        "sli_events": list(_payment_availability(seed, calendar_days)),
    }  # fmt: skip


def _clock_times(day: str, times: Iterable[str]) -> list[datetime | None]:
    return [None if text == "-" else _at(f"{day} {text}") for text in times]


def _incident(entry: tuple[str, ...]) -> Row:
    *head, times, commander, summary = entry
    day, *clock = times.split()
    row = dict(zip(_INCIDENT_COLUMNS, (*head, *_clock_times(day, clock), commander, summary), strict=True))
    return {**row, "slack_channel": f"#{row['incident_id'].lower()}"}


def _action_items() -> Iterator[Row]:
    detected = {entry[0]: _incident(entry)["detected_at"] for entry in _INCIDENTS}
    listed = [(incident, line) for incident, text in _ACTION_ITEMS.items() for line in text.strip().splitlines()]
    for number, (incident, line) in enumerate(listed, start=1):
        title, kind, priority, owner, due, tracker, key, state = line.split("|")
        yield {
            "item_id": f"ACT-{number:04d}", "incident_id": incident, "title": title, "type": kind, "priority": priority,
            "owner": owner, "due_on": date.fromisoformat(due), "tracker": tracker, "tracker_key": key, "state": state,
            "created_at": detected[incident] + timedelta(days=1, hours=3),
        }  # fmt: skip


def _policies() -> Iterator[Row]:
    for policy_id, name, conditions, actions, limit, cooldown in _POLICIES:
        for version, created_at in ((1, _at("2024-08-26 09:00")), (2, _VERSION_2_SINCE)):
            definition = {
                "conditions": [
                    {"metric": metric, "operator": op, "threshold": (first, second)[version - 1], "duration_ms": ms}
                    for metric, op, first, second, ms in conditions
                ],
                "actions": [{"type": kind, "payload": _PAYLOADS[kind], "timeout_ms": 5000} for kind in actions],
                "max_executions": limit,
                "cooldown_s": cooldown,
            }
            yield {
                "policy_id": policy_id, "version": version, "name": name,
                "definition": compact(definition), "created_at": created_at,
            }  # fmt: skip


def _decision(
    rng: np.random.Generator, at: datetime, target: str, action: str, outcome: str = "succeeded",
    reason: str | None = None, *, dry_run: bool = False, incident_id: str | None = None,
) -> Row:  # fmt: skip
    policy_id = _POLICY_OF.get(action)
    hot = action not in ("scale_down", "no_action")
    cpu_usage, error_rate = rng.uniform(76, 97) if hot else rng.uniform(9, 28), rng.uniform(0, 0.02)
    if incident_id is not None:
        error_rate = 0.47 if incident_id == OUTAGE_ID else rng.uniform(0.05, 0.3)
    metrics = {
        "cpu_usage": round(float(cpu_usage), 1),
        "error_rate": round(float(error_rate), 4),
        "latency_p99": round(float(rng.uniform(280, 620) if incident_id is None else rng.uniform(520, 2400))),
    }
    executed = outcome in ("succeeded", "failed", "rolled_back") and not dry_run
    return {
        "decision_id": str(uuid.UUID(bytes=rng.bytes(16), version=4)),
        "decision_time": at,
        "target": target,
        "action_type": action,
        "policy_id": policy_id,
        "policy_version": None if policy_id is None else 2 if at >= _VERSION_2_SINCE else 1,
        "policy_name": next((policy[1] for policy in _POLICIES if policy[0] == policy_id), None),
        "event_id": f"evt-{rng.bytes(6).hex()}",
        "event_time": at - timedelta(seconds=int(rng.integers(2, 40))),
        "metrics": compact(metrics),
        "payload": compact(_PAYLOADS.get(action, {})),
        "outcome": outcome,
        "outcome_reason": reason,
        "dry_run": dry_run,
        "duration_ms": round(float(rng.uniform(900, 4800) if executed else rng.uniform(3, 48)), 1),
        "incident_id": incident_id,
    }


def _cascade_decisions(seed: int) -> Iterator[Row]:
    rng = np.random.default_rng([seed, 1])
    for incident_id, day, script in _CASCADES:
        lines = [line.split() for line in script.split(";")]
        for at, (_, target, action, outcome, *reason) in zip(_clock_times(day, [line[0] for line in lines]), lines, strict=True):
            if at is not None:
                yield _decision(rng, at, target, action, outcome, *reason, incident_id=incident_id)


# Cumulative probability, outcome, reason.
_OUTCOMES: tuple[tuple[float, str, str | None], ...] = (
    (0.87, "succeeded", None), (0.92, "skipped", "cooldown"), (0.94, "skipped", "max_executions"),
    (0.955, "skipped", "lock"), (0.965, "skipped", "kill_switch"), (0.98, "failed", "403"),
    (0.99, "failed", "timeout"), (1.0, "rolled_back", "worsened"),
)  # fmt: skip


def _routine_decisions(seed: int, groups: dict[str, str]) -> Iterator[Row]:
    """What the engine does in ordinary weeks: out in the day, in at night, and a notification now and then."""
    first = LAST_INSTANT - timedelta(days=HISTORY_DAYS)
    routine = [*SCALED_SERVICES, *(name for name, habit in groups.items() if habit == "routine")]
    for target in routine:
        rng = np.random.default_rng([seed, 2, *target.encode()])
        for day in range(HISTORY_DAYS):
            if rng.random() >= 0.41:
                continue
            up_at = first + timedelta(days=day, seconds=int(rng.integers(8 * 3600, 14 * 3600)))
            draw = rng.random()
            _, outcome, reason = next(entry for entry in _OUTCOMES if draw < entry[0])
            is_dry = bool(rng.random() < 0.03)
            up = _decision(rng, up_at, target, "scale_up", outcome, reason, dry_run=is_dry)
            yield up
            if rng.random() < 0.01:  # two engine replicas took the same event before the lock was held
                again = _decision(rng, up_at + timedelta(seconds=2), target, "scale_up", outcome, reason)
                yield {**again, **{key: up[key] for key in ("event_id", "event_time", "metrics", "dry_run")}}
            if outcome == "succeeded" and not is_dry:
                yield _decision(rng, up_at + timedelta(seconds=int(rng.integers(2, 9) * 3600)), target, "scale_down")
    for service in SERVICES:
        rng = np.random.default_rng([seed, 3, *service.encode()])
        for _ in range(int(rng.integers(14, 30))):
            at = first + timedelta(seconds=int(rng.integers(HISTORY_DAYS * 86_400)))
            action = str(rng.choice(["notify", "no_action", "scale_down"], p=[0.45, 0.35, 0.2]))
            yield _decision(rng, at, service, action, *(("skipped", "missing_metric") if rng.random() < 0.1 else ()))
    for name, habit in groups.items():
        if habit == "emergency":
            yield _decision(np.random.default_rng([seed, 4]), _at("2025-03-05 09:41:20"), name, "scale_up")


def _harmless_decisions(seed: int, idle: Sequence[str]) -> Iterator[Row]:
    """Decisions that must not keep a resource from being proposed: dry, refused, failed, old, or downwards."""
    cases: tuple[tuple[int, str, str, str | None, bool], ...] = (
        (5, "scale_up", "succeeded", None, True), (9, "scale_up", "failed", "403", False),
        (102, "scale_up", "succeeded", None, False), (3, "scale_up", "skipped", "cooldown", False),
        (6, "scale_down", "succeeded", None, False), (131, "scale_up", "succeeded", None, False),
    )  # fmt: skip
    rng = np.random.default_rng([seed, 5])
    for resource_id, (days, action, outcome, reason, dry_run) in zip(idle, cases, strict=False):
        at = LAST_INSTANT - timedelta(days=days, minutes=int(rng.integers(600, 1200)))
        yield _decision(rng, at, resource_id, action, outcome, reason, dry_run=dry_run)
    yield _decision(rng, LAST_INSTANT - timedelta(days=117, hours=7), "shipping-api", "scale_up")
    yield _decision(rng, LAST_INSTANT - timedelta(days=2, hours=9), "media-api", "scale_up", dry_run=True)


def _changes(seed: int) -> Iterator[Row]:
    told = [(_at(at), service, kind, actor, ref, summary) for at, service, kind, actor, ref, summary in _CHANGES]
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
