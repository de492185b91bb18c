"""The alarm history of the demo's incidents.

An alarm goes off some time after the breach began: each line tells both. Under Black Friday every alarm before 04:42 UTC was
there and paged nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dagster_project.demo.decisions import UNDECLARED
from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID
from dagster_project.demo.rows import moment
from dagster_project.demo.services import ACCOUNTS, REGION
from dagster_project.domain.incidents.events import Event

_CONSOLE = f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#alarmsV2:alarm"

# Alarm: service | resource or service that it watches | metric | its limit.
_ALARMS = """
user-preferences-api-latency|user-preferences-api|user-preferences-api|latency p99|above 200 ms
payment-api-client-timeouts|payment-api|payment-api|timeouts of user-preferences-api|above 1 %
payment-api-retries|payment-api|payment-api|retries per request|above 0.5
checkout-api-latency|checkout-api|checkout-api|latency p99|above 1,500 ms
pools-full|user-preferences-api|connection-pools|services with a full connection pool|above 2
breakers-open|user-preferences-api|circuit-breakers|open circuit breakers|above 3
payment-db-connections|payment-db|payment-db-1|DatabaseConnections|above 2,700
payment-api-throughput|payment-api|payment-api|payments per second|below 40
order-api-health|order-api|order-api|healthy machines|below 50 %
platform-availability|user-preferences-api|platform|services that fail|above 5
payment-api-error-rate|payment-api|payment-api|error rate|above 5 %
order-api-throughput|order-api|order-api|orders per second|below 12
fraud-detection-api-latency|fraud-detection-api|fraud-detection-api|latency p99|above 800 ms
payment-db-replica-lag|payment-db|payment-db-1|ReplicaLag|above 20 s
payment-api-declines|payment-api|payment-api|declined payments|above 2 %
payment-api-latency|payment-api|payment-api|latency p99|above 400 ms
payment-db-write-errors|payment-db|payment-db-1|refused writes per minute|above 0
search-api-empty-results|search-api|search-api|searches without a result|above 5 %
search-api-latency-p99|search-api|search-api|latency p99|above 300 ms
invoice-render-queue|invoice-api|invoice-api|invoices that wait|above 5,000
catalog-api-5xx|catalog-api|catalog-api|failed pages|above 2 %
inventory-consumer-lag|inventory-api|inventory-api|minutes behind|above 5
cart-api-latency|cart-api|cart-api|latency p99|above 600 ms
"""

# Incident (None: nobody declared one), day, then "hh:mm:ss alarm value, and hh:mm:ss of the breach" or "ok value".
_HISTORY: tuple[tuple[str | None, str, str], ...] = (
    (BLACK_FRIDAY_ID, "2024-11-30", """
04:23:50 user-preferences-api-latency 500 ms since 04:23:00; 04:24:40 payment-api-client-timeouts 38 % since 04:24:00;
04:25:35 payment-api-retries 2.9 since 04:25:00; 04:26:45 checkout-api-latency 4,000 ms since 04:26:00;
04:27:55 pools-full 12 since 04:27:10; 04:29:30 breakers-open 12 since 04:29:02;
04:31:45 payment-db-connections 3,000 since 04:31:00; 04:34:50 payment-api-throughput 0 since 04:34:00;
04:36:55 order-api-health 0 % since 04:36:10; 04:42:20 platform-availability 47 since 04:40:20;
05:53:40 payment-db-connections ok 210; 05:54:35 payment-db-connections 3,000 since 05:54:10;
07:55:20 user-preferences-api-latency ok 55 ms; 08:21:30 payment-db-connections ok 2,480;
08:22:10 payment-api-retries ok 0.2; 08:24:05 payment-api-throughput ok 61; 08:27:40 breakers-open ok 2;
08:29:15 payment-api-client-timeouts ok 0.3 %; 08:44:30 order-api-health ok 91 %; 08:52:00 checkout-api-latency ok 740 ms;
08:58:10 pools-full ok 1; 09:18:05 platform-availability ok 0"""),
    ("INC-2024-3051", "2024-12-12", """
14:04:20 search-api-empty-results 31 % since 13:52:20; 15:02:50 search-api-empty-results ok 0.4 %"""),
    ("INC-2024-3140", "2024-12-20", """
08:10:10 invoice-render-queue 18,400 since 07:30:10; 10:18:40 invoice-render-queue ok 3,100"""),
    ("INC-2025-0041", "2025-01-13", """
17:15:15 payment-api-declines 8.2 % since 17:06:15; 17:31:40 payment-db-connections 2,810 since 17:29:40;
18:52:10 payment-db-connections ok 1,930; 19:10:40 payment-api-declines ok 0.6 %"""),
    ("INC-2025-0118", "2025-01-27", "19:01:20 payment-api-latency 428 ms since 19:00:20; 19:10:30 payment-api-latency ok 190 ms"),
    ("INC-2025-0177", "2025-02-08", "03:01:15 payment-db-write-errors 940 since 03:00:15; 03:25:15 payment-db-write-errors ok 0"),
    ("INC-2025-0246", "2025-02-19", """
15:44:10 catalog-api-5xx 11 % since 15:41:10; 16:04:20 catalog-api-5xx ok 0.2 %"""),
    (None, UNDECLARED[1], "15:04:40 cart-api-latency 1,350 ms since 15:01:40; 15:33:40 cart-api-latency ok 420 ms"),
    (OUTAGE_ID, "2025-03-03", """
08:14:12 payment-api-error-rate 47 % since 08:14:00; 08:16:30 payment-db-connections 2,847 since 08:15:30;
08:18:20 order-api-throughput 0 since 08:16:20; 08:21:40 fraud-detection-api-latency 1,900 ms since 08:18:40;
09:13:40 fraud-detection-api-latency ok 640 ms; 09:15:40 fraud-detection-api-latency 2,100 ms since 09:14:10;
10:26:10 payment-db-replica-lag 24 s since 10:25:40; 10:27:50 payment-db-replica-lag ok 17 s;
10:29:30 payment-db-replica-lag 22 s since 10:29:00; 10:31:10 payment-db-replica-lag ok 19 s;
10:33:20 payment-db-replica-lag 26 s since 10:32:50; 10:35:10 payment-db-replica-lag ok 16 s;
10:37:00 payment-db-replica-lag 21 s since 10:36:30; 10:38:40 payment-db-replica-lag ok 9 s;
11:03:10 payment-db-connections ok 0; 11:04:30 payment-db-connections 3,000 since 11:04:00;
12:08:50 payment-db-connections ok 2,190; 12:19:40 fraud-detection-api-latency ok 410 ms;
12:31:20 order-api-throughput ok 58; 12:36:50 payment-api-error-rate ok 0.8 %"""),
    ("INC-2025-0349", "2025-03-05", """
17:19:10 search-api-latency-p99 940 ms since 17:12:10; 17:51:10 search-api-latency-p99 ok 280 ms;
17:52:40 search-api-latency-p99 330 ms since 17:52:10; 17:54:10 search-api-latency-p99 ok 180 ms"""),
    ("INC-2025-0361", "2025-03-08", """
20:05:15 inventory-consumer-lag 11 since 19:40:15; 21:12:15 inventory-consumer-lag ok 4;
21:31:15 inventory-consumer-lag 14 since 21:26:15"""),
    ("INC-2025-0361", "2025-03-09", """
08:02:15 inventory-consumer-lag ok 4; 08:48:15 inventory-consumer-lag 9 since 08:43:15"""),
)  # fmt: skip


def alarm_history() -> Iterator[Event]:
    """Changes of state, incident by incident."""
    watched = {name: rest for name, *rest in (line.split("|") for line in _ALARMS.strip().splitlines())}
    for incident_id, day, script in _HISTORY:
        for change in script.split(";"):
            clock, name, *words = change.split()
            yield _change(incident_id, day, clock, name, words, watched[name])


def _change(incident_id: str | None, day: str, clock: str, name: str, words: list[str], watched: list[str]) -> Event:
    at = moment(f"{day} {clock}")
    service, target, metric, limit = watched
    is_ok = words[0] == "ok"
    state, value = ("OK", words[1:]) if is_ok else ("ALARM", words[:-2])
    said = f"{metric} is {' '.join(value)} (limit: {limit})"
    return Event(
        "cloudwatch_alarms", f"{ACCOUNTS['prod']}/{REGION}/{name}/{at.isoformat(timespec='milliseconds')}", at, "alarms",
        "alarm_ok" if is_ok else "alarm", f"Alarm {name} went to {state}: {said}", recorded_at=at, service=service,
        target=target, url=f"{_CONSOLE}/{name}", incident_id=incident_id,
        payload=_payload(name, state, None if is_ok else moment(f"{day} {words[-1]}")),
    )  # fmt: skip


def _payload(name: str, state: str, breach: datetime | None) -> dict[str, Any]:
    return {
        "alarm_name": name, "old_state": "ALARM" if state == "OK" else "OK", "new_state": state,
        "breach_started_at": breach.isoformat() if breach else None, "account_id": ACCOUNTS["prod"], "region": REGION,
    }  # fmt: skip
