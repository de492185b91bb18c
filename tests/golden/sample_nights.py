"""A winter of nights with gaps, and the digest of a week. Values only, the same at every call."""

from __future__ import annotations

import math
from datetime import date, timedelta

from dagster_project.reporting.night_views import NightLine, NightList, WeekLine
from dagster_project.reporting.weekly_views import Chapter, Headline, Item, WeeklyDigest

LAST = date(2025, 3, 9)
MISSING = {5, 20, 21, 22, 40, 42}


def _night(back: int) -> NightLine:
    numbers = {
        "safe_usd_month": 14_960 + 2_000 * math.sin(back / 9),
        "refused_usd_month": 25_388 + 1_500 * math.cos(back / 15),
        "waiting_usd_month": 2_970.0 + 9 * back,
        "realized_usd_month": max(0.0, 3_000.0 - 40 * back),
        "proposals": 59.0 - back % 11,
        "incidents_week": float(back * 7 % 5),
        "action_items_overdue": float(back * 5 % 9),
        "cpu_coverage_pct": 97.0 - back % 8,
    }
    return NightLine(LAST - timedelta(days=back), back % 17 != 16, numbers)


def _week(back: int) -> WeekLine:
    first = LAST - timedelta(days=6 + 7 * back)
    return WeekLine(f"2025-W{10 - back:02}", first, first + timedelta(days=6))


NIGHTS = NightList(tuple(_night(back) for back in range(120) if back not in MISSING), 12, tuple(map(_week, range(9))), "1.0")
DIGEST = WeeklyDigest(
    week="2025-W10",
    first=date(2025, 3, 3),
    day=LAST,
    since=date(2025, 3, 2),
    nights=6,
    headline="$14,960 a month is safe to save",
    headlines=(
        Headline("Safe to save now", "$14,960", "a month", "−$2,098"),
        Headline("Realized", "$3,000", "a month", "+$280"),
        Headline("Applied this week", "2"),
        Headline("Waiting for people", "4", "", "+1"),
        Headline("Incidents this week", "3", "", "−1", is_alert=True),
        Headline("Overdue", "6", is_alert=True),
    ),
    chapters=(
        Chapter("What was saved", ("2 changes became live in these seven days.",)),
        Chapter(
            "What is safe now",
            ("$14,960 a month, of 59 proposals.", "Not dared: $25,388 a month. Waiting for evidence: $2,970 a month."),
            (
                Item("i-0d3048f2baf02349b", ("m5.8xlarge → m5.4xlarge", "notification-api", "staging"), "$625 a month"),
                Item("notification-app-2", ("4 × c5.2xlarge → c5.xlarge", "notification-api", "prod"), "$561 a month"),
            ),
            57,
        ),
        Chapter(
            "What broke",
            ("Incidents that began: 3. Open now: 1.",),
            (
                Item(
                    "INC-2025-0342",
                    ("Payment processing stopped: cascading retry storm", "SEV-1", "payment-api", "lasted 4 h 38 min"),
                    "$18,400",
                    "https://reports.example.com/2025-03-09/postmortems/INC-2025-0342.html",
                ),
            ),
        ),
        Chapter("Which evidence is missing", ("Nights that did not run or kept no numbers: 2025-03-04.",)),
    ),
    report="2025-03-09/index.html",
    version="1.0",
)
