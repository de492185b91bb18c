"""The demo's incidents, and what was to be done about them.

The two cascades are told minute by minute: Black Friday (a slow user-preferences-api took the platform down, 29 November 2024
23:23 EST) and the payment outage of 3 March 2025 (a retry storm, 03:14 EST, 4 h 23 min).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from dagster_project.demo.rows import Row, clock_times, moment

OUTAGE = (moment("2025-03-03 08:14"), moment("2025-03-03 12:30"))
OUTAGE_ID = "INC-2025-0342"
BLACK_FRIDAY_ID = "INC-2024-2917"

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
Retries with jitter and a budget in the payment client|prevent|P1|payments-team|2025-03-05|github|payment-api#2051|verified
Page on payment-db connections above 90 % before payments fail|detect|P1|database-team|2025-03-18|jira|DB-323|done
Make slow dependencies part of staging|prevent|P2|payments-team|2025-03-18|github|payment-api#2053|open
Page the service owner after 15 minutes without a cause|process|P2|sre-leads|2025-03-18|github|ops#441|in_progress
Cap client connections per payment-api machine|prevent|P1|payments-team|2025-03-18|jira|PAY-978|open
One payments dashboard in place of 247|detect|P3|platform-team|2025-04-28|jira|SRE-2295|proposed
Find out why the fraud circuit breaker let retries through|investigate|P1|platform-team|2025-03-18|jira|SRE-2296|in_progress
Keep credentials out of incident channels with a scanner|process|P2|security-team|2025-03-18|github|ops#442|open
""",
    "INC-2025-0349": """
Limit the query rate of crawlers|prevent|P2|search-team|2025-04-04|jira|SRCH-91|proposed
""",
    "INC-2025-0361": """
Measure the lag of the stock consumers|detect|P3|catalog-team|2025-05-03|github|inventory#310|proposed
""",
}


ACTION_ITEM_HISTORY = tuple(
    (item, datetime.fromisoformat(at), field, value)
    for item, at, field, value in (line.split("|") for line in """
ACT-0001|2024-12-13 15:20|state|done
ACT-0002|2024-12-20 10:05|state|done
ACT-0003|2024-12-18 16:40|state|done
ACT-0003|2025-01-08 09:30|state|verified
ACT-0004|2024-12-30 11:15|due_on|2025-01-15
ACT-0005|2025-01-09 14:00|state|done
ACT-0005|2025-01-31 10:00|state|verified
ACT-0008|2025-02-10 13:25|state|declined
ACT-0009|2025-01-10 17:10|state|done
ACT-0010|2025-02-20 12:00|state|done
ACT-0015|2025-02-05 09:45|state|done
ACT-0015|2025-02-18 08:20|state|open
ACT-0015|2025-02-27 16:30|state|done
ACT-0016|2025-01-20 10:10|state|duplicate
ACT-0019|2025-03-06 15:50|state|done
ACT-0024|2025-03-05 11:30|state|done
ACT-0024|2025-03-07 14:15|state|verified
ACT-0025|2025-03-07 18:05|state|done
""".strip().splitlines())
)  # fmt: skip
"""What became of action items before the first night, as nights would have noted it: (item, moment, field, value). The decision
engine's table knows only how they stand now."""
FIRST_DUE = {"ACT-0004": "2024-12-31"}
"""Dates that were moved since."""


def incidents() -> list[Row]:
    """The table ``incidents``."""
    return [_incident(entry) for entry in _INCIDENTS]


def action_items() -> Iterator[Row]:
    """The table ``incident_action_items``."""
    detected = {entry[0]: _incident(entry)["detected_at"] for entry in _INCIDENTS}
    listed = [(incident, line) for incident, text in _ACTION_ITEMS.items() for line in text.strip().splitlines()]
    for number, (incident, line) in enumerate(listed, start=1):
        title, kind, priority, owner, due, tracker, key, state = line.split("|")
        yield {
            "item_id": f"ACT-{number:04d}", "incident_id": incident, "title": title, "type": kind, "priority": priority,
            "owner": owner, "due_on": date.fromisoformat(due), "tracker": tracker, "tracker_key": key, "state": state,
            "created_at": detected[incident] + timedelta(days=1, hours=3),
        }  # fmt: skip


def _incident(entry: tuple[str, ...]) -> Row:
    *head, times, commander, summary = entry
    day, *clock = times.split()
    row = dict(zip(_INCIDENT_COLUMNS, (*head, *clock_times(day, clock), commander, summary), strict=True))
    return {**row, "slack_channel": f"#{row['incident_id'].lower()}"}
