"""Three nights to render: an ordinary one, an empty one and a hostile one. Values only, the same at every call."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime

from dagster_project.reporting.action_item_views import ActionItems, Curve, GroupLine, ItemLine, Share
from dagster_project.reporting.incident_views import Durations, IncidentLine, Incidents, MetricSummary
from dagster_project.reporting.savings_views import Answers, GroupSavings, IncidentCost, SavingsSection, Stage
from dagster_project.reporting.views import (
    ApprovalLine,
    CalibrationLine,
    DemandChart,
    EvidenceLine,
    HeadroomLine,
    MetricCoverage,
    NightReport,
    OutcomeLine,
    Outcomes,
    Proposal,
    PullRequestLine,
    ReasonCount,
    RejectedRows,
    SourceLoad,
    Uneditable,
    VerdictCount,
)

DAY = date(2026, 3, 16)
WEEK_STARTS_AT = datetime.fromisoformat("2026-03-10T00:00")
HOURS = 168


def diurnal(
    night: float, noon: float, *, weekend: float = 0.45, seed: int = 1, off: range = range(0)
) -> tuple[float | None, ...]:
    """Office-hours demand: low at night, highest in the early afternoon, less at the weekend (hours 96 to 143)."""
    values: list[float | None] = []
    for hour in range(HOURS):
        if hour in off:
            values.append(None)
            continue
        daylight = max(math.sin((hour % 24 - 7) / 14 * math.pi), 0.0) if 7 <= hour % 24 <= 21 else 0.0
        level = night + (noon - night) * daylight * (weekend if 96 <= hour < 144 else 1.0)
        jitter = ((hour * 7919 + seed * 104729) % 997) / 997 - 0.5
        values.append(round(level * (1 + 0.16 * jitter), 1))
    return tuple(values)


def flat(level: float, *, seed: int = 1, off: range = range(0)) -> tuple[float | None, ...]:
    """Memory of a long-running service: it creeps up and falls back at each release (every 50 hours or so)."""
    period = 47 + 3 * seed
    return tuple(None if hour in off else round(level + 2.4 * (hour % period) / period, 1) for hour in range(HOURS))


CHECKOUT = Proposal(
    resource_id="i-0f3a91c27be4d8a10",
    resource_type="ec2_instance",
    service="checkout-api",
    team="payments",
    environment="production",
    region="eu-central-1",
    current_type="m6i.4xlarge",
    target_type="m6i.2xlarge",
    units=1,
    current_usd_month=671.6,
    target_usd_month=335.8,
    savings_usd_month=335.8,
    price_note="On-demand list price, Linux, eu-central-1; no commitment covers this instance.",
    sentence=(
        "In 28 days the busiest five minutes needed 47.6% of an m6i.2xlarge, and the smaller size would have held in "
        "all three past incidents of checkout-api; no emergency scale-up in 30 days."
    ),
    evidence=(
        EvidenceLine("CPU, P99.5 of 5-minute maxima", "22.4%", "44.8%", "80%"),
        EvidenceLine("CPU, worst incident sample", "41.0%", "82.0%", "100%"),
        EvidenceLine("Memory, maximum", "31.2%", "62.4%", "80%"),
        EvidenceLine("Network, baseline", "0.9 Gbit/s", "0.9 Gbit/s", "6.25 Gbit/s"),
        EvidenceLine("EBS throughput, baseline", "84 MB/s", "84 MB/s", "594 MB/s"),
    ),
    chart=DemandChart(WEEK_STARTS_AT, HOURS, diurnal(6, 22), flat(28.7), 50.0, 50.0),
)
SEARCH = Proposal(
    resource_id="search-indexer-asg",
    resource_type="auto_scaling_group",
    service="search-indexer",
    team="discovery",
    environment="production",
    region="eu-central-1",
    current_type="c6i.2xlarge",
    target_type="c6i.xlarge",
    units=6,
    current_usd_month=1699.44,
    target_usd_month=849.72,
    savings_usd_month=849.72,
    price_note="On-demand list price, Linux, eu-central-1; 6 machines.",
    sentence=(
        "The worst of the six members stayed below 36.1% of a c6i.xlarge for 28 days; the group was not scaled out in "
        "an emergency in 30 days and no incident is recorded for the service."
    ),
    evidence=(
        EvidenceLine("CPU, P99.5, worst member", "17.2%", "34.4%", "80%"),
        EvidenceLine("Memory, maximum", "not measured", "not shrunk", "as now"),
        EvidenceLine("Network, baseline", "0.4 Gbit/s", "0.4 Gbit/s", "1.56 Gbit/s"),
    ),
    chart=DemandChart(WEEK_STARTS_AT, HOURS, diurnal(4, 16.5, weekend=0.9, seed=5, off=range(58, 79)), (), 50.0, None),
)
LEDGER = Proposal(
    resource_id="ledger-replica-2",
    resource_type="rds_instance",
    service="ledger",
    team="payments",
    environment="staging",
    region="eu-west-1",
    current_type="db.r6g.xlarge",
    target_type="db.m6g.large",
    units=1,
    current_usd_month=354.05,
    target_usd_month=127.75,
    savings_usd_month=226.3,
    price_note="On-demand list price, PostgreSQL, Single-AZ, eu-west-1.",
    sentence=(
        "A staging replica whose CPU never passed 14% and whose memory never passed 19% of the present size in 28 "
        "days; no emergency scale-up in 30 days."
    ),
    evidence=(
        EvidenceLine("CPU, P99.5 of 5-minute maxima", "13.1%", "26.2%", "80%"),
        EvidenceLine("Memory, maximum", "18.9%", "75.6%", "80%"),
        EvidenceLine("EBS operations, baseline", "210 IOPS", "210 IOPS", "4,000 IOPS"),
    ),
    chart=DemandChart(WEEK_STARTS_AT, HOURS, diurnal(3, 12.8, seed=9), flat(16.2, seed=3), 50.0, 25.0),
)

REASONS = (
    ReasonCount(
        "refuse", "refuse_recent_emergency_scaleup", "Scaled up in an emergency recently", 21, 1480.2,
        "i-07bd2201c4e9aa31f",
        "The decision engine scaled it up on 2026-03-09 14:32 UTC (capacity_exhausted); 30 quiet days are needed.",
    ),
    ReasonCount(
        "refuse", "refuse_incident_replay", "A past incident would not have fitted", 9, 912.55, "i-0aa8d7c3f5510be42",
        "During INC-2291 the service needed 11.4 vCPU; c6i.2xlarge has 8.",
    ),
    ReasonCount(
        "refuse", "refuse_group_member", "Member of a group that is sized as a whole", 14, 402.0, "i-04c11dd90e3b7f6a8",
        "It belongs to cart-asg, whose other members are busier.",
    ),
    ReasonCount(
        "refuse", "refuse_excluded_by_tag", "Excluded by tag", 1, 67.16, "i-0e55a7f1b2c3d4e5f",
        "The tag nightshift=off was set by its owner.",
    ),
    ReasonCount(
        "insufficient", "insufficient_coverage", "Too few samples in the window", 31, 1204.9, "i-0b7c6d5e4f3a29180",
        "71.3% of the expected samples are there; 90% are needed.",
    ),
    ReasonCount(
        "insufficient", "insufficient_history", "Younger than 30 hours of data", 12, 388.0, "i-0c0ffee0c0ffee001",
        "It was launched on 2026-03-15 and has 19 hours of data.",
    ),
    ReasonCount(
        "insufficient", "insufficient_price", "No price", 1, 0.0, "i-09e8d7c6b5a493827",
        "No list price for mac2.metal in eu-central-1, so no saving can be stated.",
    ),
    ReasonCount(
        "keep", "keep_busy_cpu", "CPU needs the present size", 207, 0.0, "i-0123456789abcdef0",
        "CPU P99.5 would be 131% of m6i.large; the limit is 80%.",
    ),
    ReasonCount(
        "keep", "keep_busy_memory", "Memory needs the present size", 88, 0.0, "orders-db-1",
        "Memory would be 96.2% of db.r6g.large; the limit is 80%.",
    ),
    ReasonCount(
        "keep", "keep_savings_too_small", "Saves too little to be worth a restart", 31, 24.6, "i-0f0e0d0c0b0a09080",
        "t3.micro instead of t3.small saves $0.79 a month; the smallest saving worth a restart is $10.",
    ),
)  # fmt: skip


def _pull(
    state: str,
    number: int,
    root: str,
    owner: str,
    risk: str,
    resources: int,
    usd: float,
    detail: str = "",
    *,
    is_new: bool = False,
) -> PullRequestLine:
    url = f"https://github.com/acme/infra/pull/{number}" if number else None
    return PullRequestLine(state, "acme/infra", number, url, root, owner, risk, resources, usd, detail, is_new)


ORDINARY = NightReport(
    day=DAY,
    resources=418,
    priced_resources=417,
    fleet_usd_month=78_912.4,
    samples=841_344,
    history_days=41,
    lookback_days=7,
    savings_usd_month=1411.82,
    proposals_total=3,
    waiting_usd_month=1592.9,
    waiting_resources=44,
    verdicts=(
        VerdictCount("propose", 3, 1411.82),
        VerdictCount("keep", 326, 24.6),
        VerdictCount("refuse", 45, 2861.91),
        VerdictCount("insufficient", 44, 1592.9),
    ),
    proposals=(SEARCH, CHECKOUT, LEDGER),
    reasons=REASONS,
    coverage=(
        MetricCoverage("cpu_max_pct", "CPU", 406, 418, 97.4),
        MetricCoverage("memory_used_pct", "Memory", 261, 418, 61.8),
        MetricCoverage("network_bytes", "Network", 406, 418, 97.1),
        MetricCoverage("ebs_bytes", "EBS throughput", 398, 418, 94.9),
    ),
    missing_evidence=(
        "Memory is not measured on 157 resources: their memory is never shrunk.",
        "The lake holds 41 days of history; the 28-day guard applies to every resource.",
        "CloudWatch answered for 11 of 12 accounts; account 4410 was throttled and is tried again tomorrow.",
    ),
    loads=(
        SourceLoad("inventory", "complete", 418, 418, 0, datetime.fromisoformat("2026-03-16T23:50")),
        SourceLoad("utilization", "partial", 841_912, 841_344, 568, datetime.fromisoformat("2026-03-16T23:55")),
        SourceLoad("decisions", "complete", 12_904, 12_903, 1, datetime.fromisoformat("2026-03-16T23:58:12")),
        SourceLoad("incidents", "complete", 63, 63, 0, datetime.fromisoformat("2026-03-16T18:04")),
        SourceLoad("action_items", "empty", 0, 0, 0, None),
    ),
    rejected=(
        RejectedRows("utilization", "a percentage above 100", 551, 4),
        RejectedRows("utilization", "a timestamp in the future", 17, 1),
        RejectedRows("decisions", "a resource that the inventory does not know", 1, 1),
    ),
    price_provenance=(
        "AWS list prices of 2026-03-02 (eu-central-1, eu-west-1), 1,127 types, checked for zeros and size-linearity.",
        "On-demand × 730 hours. Discounts and commitments are not known to Nightshift and are not deducted.",
    ),
    rules=(
        "CPU P99.5 on the smaller size at most 80%; the worst incident sample at most 100%.",
        "Memory maximum on the smaller size at most 80%; never shrunk where it is not measured.",
        "At least 30 hours of data and 90% of the expected samples.",
        "No emergency scale-up of the resource, its group or its service in the last 30 days.",
    ),
    version="0.1.0",
    acted="2 pull requests open, 1 of them new, 1 ended. Nightshift applied nothing.",
    pull_requests=(
        _pull("open", 41, "envs/prod", "search", "medium", 3, 1204.0, is_new=True),
        _pull("frozen", 38, "envs/prod", "checkout", "low", 1, 88.4),
        _pull("rejected", 36, "envs/dev", "data", "low", 1, 51.1, "closed by alice"),
        _pull("waiting", 0, "envs/prod", "data", "high", 2, 310.0, "as many pull requests are open as may be"),
    ),
    uneditable=(
        Uneditable("not_in_state", 4, 260.2, "i-0aa11bb22cc33dd44", "No state of the repositories in the settings has it."),
    ),
)  # fmt: skip

OUTCOMES = Outcomes(
    sentence="2 changes became live, 1 regret. $280 a month was estimated for them, and $140 is what they save as of the day.",
    lines=(
        OutcomeLine(
            "i-0aa11bb22cc33dd44", "checkout-api", "m6i.2xlarge → m6i.xlarge", "acme/infra#31", date(2026, 3, 11), 140.0, 0.0,
            ("fine", None, None), "regret",
            "m6i.xlarge of i-0aa11bb22cc33dd44 was followed by an emergency scale-up on 2026-03-14. "
            "It is to go back to m6i.2xlarge ($140 a month more), by a pull request.",
        ),
        OutcomeLine(
            "search-indexer-asg", "search-indexer", "6 → 4 members at least", "request:apr-1a2b3c", None, 283.24, None,
            (None, None, None), "not live", "It was noted on 2026-03-16, and no inventory shows it yet.",
        ),
        OutcomeLine(
            "ledger-replica-1", "ledger", "db.r6g.xlarge → db.r6g.large", "seen 2026-02-14", date(2026, 2, 14), 140.0, 140.0,
            ("fine", "unknown", "fine"), "suspect", "2 incidents of ledger began since; that is no proof.",
        ),
    ),
    headrooms=(
        HeadroomLine(
            "checkout-api", 20.0, 0.0,
            "m6i.xlarge of i-0aa11bb22cc33dd44 was followed by an emergency scale-up on 2026-03-14",
        ),
    ),
    calibration=(
        CalibrationLine("1 to 2 %", 24, 61, 1, 1.43, 100 / 61, 0.29, 8.72),
        CalibrationLine("5 to 10 %", 1, 0, 0, None, None, None, None),
    ),
    calibration_sentences=(
        "Where a chance of 1 to 2 % a week was stated (1.4 % on average), 1 of 61 weeks had a sample that exceeded the new size "
        "(95 % interval 0.3 to 8.7 %), which does not contradict it.",
    ),
)  # fmt: skip

APPROVALS = (
    ApprovalLine(
        "apr-9f8e7d6c5b4a", "pending", "ledger", "prod", "payments", "high", 1, 140.0,
        "1 more person must approve (2 for high risk)", "ana@example.com (slack)", False,
    ),
    ApprovalLine(
        "apr-1a2b3c4d5e6f", "executed", "search-indexer", "staging", "search", "low", 2, 283.24, "2 applied",
        "ben@example.com (command line)", False,
    ),
    ApprovalLine(None, "waiting", None, None, "unowned", "medium", 3, 90.0, "5 resources are asked for at a time", "", False),
)  # fmt: skip

ACTION_ITEMS = ActionItems(
    sentence="41 action items on record, 17 not done, 3 overdue, 1 for more than 30 days. 1 is lost: the issue is gone, and "
    "nobody said that it is done.",
    shares=(
        Share("Done by the due date", 18, 25, "of items whose first due date has come; of 3 more nobody knows when"),
        Share("Done by now", 24, 28, "of items whose first due date has come"),
        Share("Came back", 0, 0, "of items done 90 days ago: a similar incident within these"),
    ),
    curve=Curve(((3, 0.9), (9, 0.72), (14, 0.5), (30, 0.41), (62, 0.22)), 120, 14.0, 38, 24),
    lines=(
        ItemLine(
            "ACT-7", "Cap the retries of checkout", "INC-2026-0101", "Alice Smith", "payments", "2026-02-08", 36, "open",
            "acme/ops#12", "https://github.com/acme/ops/issues/12", "moved 2 times, first due 2026-01-10",
        ),
        ItemLine(
            "ACT-9", "Page the owner after 15 minutes", "INC-2026-0101", "nobody", "no team", "2026-03-20", None, "lost",
            "acme/ops#15", None, "acme/ops#15 was deleted.",
        ),
    ),
    more=2,
    teams=(GroupLine("payments", 21, 9, 2, 14, 12, 13, 10, 11, 8, 3, 12, 1, 4, 1),),
    types=(GroupLine("prevent", 30, 12, 3, 20, 17, 18, 13, 15, 11, 4, 18, 1, 6, 0),),
    reminders=("4 digests sent, about 9 items.", "The digest of owner-3f2a was not sent. Slack did not answer."),
    problems=("ACT-11 and 3 more: It waits for one of the next nights: so many issues are opened a night.",),
)  # fmt: skip

INCIDENTS = Incidents(
    sentence="3 incidents on record, 1 open; 1 left out of metrics (drills, tests, maintenance).",
    lines=(
        IncidentLine(
            "INC-2026-0107", "Checkout fails: retry storm", "SEV-1", "checkout", "2026-03-15 02:10", "goes on", "open",
            "postmortems/INC-2026-0107.html", "85 % of its evidence kept",
        ),
        IncidentLine(
            "INC-2026-0101", "Search is slow", None, "search", "2026-03-12 09:00", "42 min", "ended",
            "../2026-03-13/postmortems/INC-2026-0101.html", "1 section edited by people",
        ),
        IncidentLine(
            "UND-ledger-20260314T0714", "Undeclared: 4 emergency decisions about ledger", None, "ledger", "2026-03-14 07:14",
            "18 min", "undeclared",
        ),
    ),
    period_days=90,
    metrics=(
        MetricSummary(
            "Time to Mitigate", "impact started → mitigated", 22, 20, "1 h 8 min", "51 min to 1 h 30 min", "4 h 2 min",
            "No change shown (median 68 min, 95 % interval 51 to 90; n = 20 and 22); a cut of 62 % or more would have been seen.",
        ),
    ),
    durations=(
        Durations("Time to Detect", (1.0, 4.0, 9.5, 31.0), 6.0, 1.0, 31.0),
        Durations("Time to Mitigate", (0.5, 42.0, 68.0, 240.0, 1800.0), 68.0, 51.0, None),
    ),
    moved=("INC-2026-0101: detected moved from 2026-03-12 09:10 to 2026-03-12 09:04 (ana set it: the pager's log).",),
    warnings=("slack: There is no Slack token; set NIGHTSHIFT_SLACK_TOKEN.",),
    capacity=("2 members were added to checkout-asg on 15 March 2026 at 02:20 UTC and nothing took them away since",),
)  # fmt: skip

NUMBERS: dict[str, float | None] = {
    "resources": 418, "priced_resources": 417, "fleet_usd_month": 78_912.4, "could_save_usd_month": 5866.63, "proposals": 3,
    "safe_usd_month": 1411.82, "safe_list_usd_month": 1764.78, "cash_usd_month": None, "refused_resources": 45,
    "refused_usd_month": 2861.91, "waiting_resources": 44, "waiting_usd_month": 1592.9, "kept_resources": 326,
    "identified_usd_month": 1975.06, "proposed_usd_month": 1884.97, "approved_usd_month": 563.24, "applied_usd_month": 280.0,
    "known_usd_month": 280.0, "realized_usd_month": 140.0, "regrets": 1, "applied_week": 1, "waiting_answers": 3,
    "asked_week": 5, "agreed_week": 2, "declined_week": 1, "lapsed_week": 1,
    "cpu_coverage_pct": 97.4, "memory_coverage_pct": 61.8, "incidents_week": 2, "incidents_open": 1, "incidents_undeclared": 1,
    "incident_cost_usd": 18_240.0, "incidents_costed": 2, "incidents_cost_window": 3, "median_restore_minutes": 68.0,
    "action_items_open": 17, "action_items_overdue": 3,
}  # fmt: skip


def _night(day: date, safe: float, refused: float, waiting: float, realized: float) -> tuple[date, dict[str, float | None]]:
    names = ("safe_usd_month", "refused_usd_month", "waiting_usd_month", "realized_usd_month")
    return day, dict(zip(names, (safe, refused, waiting, realized), strict=True))


SAVINGS = SavingsSection(
    held=("1 change, $90 a month: 5 resources are asked for at a time.",),
    stages=(
        Stage("identified", 1975.06, 6),
        Stage("proposed", 1884.97, 5, 90.09, "not proposed yet"),
        Stage("approved", 563.24, 3, 1321.73, "not approved yet"),
        Stage("applied", 280.0, 2, 283.24, "not live yet"),
        Stage("realized", 140.0, 2, 140.0, "unknown or not as estimated"),
    ),
    nights=(
        _night(date(2026, 3, 14), 1204.0, 2710.5, 1600.0, 280.0),
        _night(date(2026, 3, 15), 1204.0, 2861.91, 1592.9, 280.0),
        _night(DAY, 1411.82, 2861.91, 1592.9, 140.0),
    ),
    teams=(
        GroupSavings("discovery", "teams/discovery.html", 60, 9120.4, 1, 849.72, 402.0, 0.0, 0.0),
        GroupSavings("payments", "teams/payments.html", 210, 40_112.0, 2, 562.1, 2459.91, 1204.9, 140.0),
        GroupSavings("no team tag", None, 148, 29_680.0, 0, 0.0, 0.0, 388.0, 0.0),
    ),
    services=(
        GroupSavings("search-indexer", "services/search-indexer.html", 12, 5120.0, 1, 849.72, 0.0, 0.0, 0.0),
        GroupSavings("checkout-api", "services/checkout-api.html", 31, 12_400.0, 1, 422.1, 1480.2, 0.0, 0.0),
    ),
    teams_total=3,
    services_total=26,
    incident_cost=IncidentCost(3, 2, 9100.0, 31_000.0, "SLA credits"),
    files=(("savings.csv", "every change"), ("savings.parquet", "the same, for tools")),
)

ORDINARY = replace(
    ORDINARY,
    outcomes=OUTCOMES,
    approvals=APPROVALS,
    incidents=INCIDENTS,
    action_items=ACTION_ITEMS,
    answers=Answers(NUMBERS, {**NUMBERS, "safe_usd_month": 1204.0}, date(2026, 3, 15)),
    savings=SAVINGS,
    changes=("The setting rightsizing.max_cpu_p995_pct was 70.0 on 2026-03-15 and is 80.0 now.",),
)

EMPTY = NightReport(
    day=DAY,
    resources=1,
    priced_resources=0,
    fleet_usd_month=0.0,
    samples=0,
    history_days=0,
    lookback_days=7,
    savings_usd_month=0.0,
    proposals_total=0,
    waiting_usd_month=0.0,
    waiting_resources=1,
    verdicts=(
        VerdictCount("propose", 0, 0.0),
        VerdictCount("keep", 0, 0.0),
        VerdictCount("refuse", 0, 0.0),
        VerdictCount("insufficient", 1, 0.0),
    ),
    proposals=(),
    reasons=(
        ReasonCount(
            "insufficient", "insufficient_price", "No price", 1, 0.0, "i-0123456789abcdef0",
            "No list price is loaded for eu-central-1.",
        ),
    ),
    coverage=(MetricCoverage("cpu_max_pct", "CPU", 0, 1, 0.0),),
    missing_evidence=("No utilization was loaded for the last seven days.",),
    loads=(
        SourceLoad("inventory", "complete", 1, 1, 0, datetime.fromisoformat("2026-03-16T23:50")),
        SourceLoad("utilization", "failed", 0, 0, 0, None),
    ),
    rejected=(),
    price_provenance=(),
    rules=(),
    version="0.1.0",
    answers=Answers(
        {
            **dict.fromkeys(NUMBERS, 0.0), "resources": 1, "fleet_usd_month": None, "could_save_usd_month": None,
            "waiting_resources": 1, "waiting_usd_month": None, "incident_cost_usd": 0.0, "median_restore_minutes": None,
        }
    ),
)  # fmt: skip

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "<!-- nightshift:payload -->",
    "a|b`c`|d",
    "@platform-team please review #1 GH-2",
    "[click](javascript:alert(1)) ![x](https://example.com/x.png)",
    "https://example.com/a www.example.com a@example.com",
    "**bold** _it_ ~~gone~~ :tada: $x$ &lt; \\",
    "שרת-תשלומים",
    "up\u202egnp.exe",
    "line one\r\n\r\n# heading\n- item\x00\x1b[31m",
    '"><img src=x onerror=alert(1)>',
    "😀" * 3 + "-edge",
    "x" * 500,
)


def hostile() -> NightReport:
    """Every text of the report is one of ``HOSTILE_NAMES``."""
    proposals = tuple(
        replace(
            CHECKOUT,
            resource_id=name, resource_type=name, service=name, team=name, environment=name, region=name,
            current_type=name, target_type=name, price_note=name, sentence=name,
            evidence=(EvidenceLine(name, name, name, name),),
        )
        for name in HOSTILE_NAMES
    )  # fmt: skip
    return replace(
        ORDINARY,
        proposals=proposals,
        proposals_total=len(proposals),
        reasons=tuple(ReasonCount("refuse", n, n, 1, 1.0, n, n) for n in HOSTILE_NAMES),
        coverage=tuple(MetricCoverage(n, n, 1, 1, 100.0) for n in HOSTILE_NAMES),
        missing_evidence=HOSTILE_NAMES,
        loads=tuple(SourceLoad(n, n, 1, 1, 1, None) for n in HOSTILE_NAMES),
        rejected=tuple(RejectedRows(n, n, 1, 1) for n in HOSTILE_NAMES),
        price_provenance=HOSTILE_NAMES,
        rules=HOSTILE_NAMES,
        version=HOSTILE_NAMES[0],
        acted=HOSTILE_NAMES[0],
        pull_requests=tuple(PullRequestLine(n, n, 1, None, n, n, n, 1, 1.0, n, True) for n in HOSTILE_NAMES),
        uneditable=tuple(Uneditable(n, 1, 1.0, n, n) for n in HOSTILE_NAMES),
        approvals=tuple(ApprovalLine(n, n, n, n, n, n, 1, 1.0, n, n, True) for n in HOSTILE_NAMES),
        outcomes=Outcomes(
            sentence=HOSTILE_NAMES[0],
            lines=tuple(OutcomeLine(n, n, n, n, None, 1.0, None, (n, n, n), n, n) for n in HOSTILE_NAMES),
            headrooms=tuple(HeadroomLine(n, 1.0, 0.0, n) for n in HOSTILE_NAMES),
            calibration=tuple(CalibrationLine(n, 1, 1, 1, 1.0, 100.0, 20.7, 100.0) for n in HOSTILE_NAMES),
            calibration_sentences=HOSTILE_NAMES,
        ),
        action_items=ActionItems(
            sentence=HOSTILE_NAMES[0],
            shares=tuple(Share(n, 1, 2, n) for n in HOSTILE_NAMES),
            curve=Curve(((1, 0.5),), 2, 1.0, 2, 1),
            lines=tuple(ItemLine(n, n, n, n, n, n, 3, n, n, f"https://example.com/{n}", n) for n in HOSTILE_NAMES),
            teams=tuple(GroupLine(n, *range(14)) for n in HOSTILE_NAMES),
            types=tuple(GroupLine(n, *range(14)) for n in HOSTILE_NAMES),
            reminders=HOSTILE_NAMES,
            problems=HOSTILE_NAMES,
        ),
        savings=replace(
            SAVINGS,
            held=HOSTILE_NAMES,
            teams=tuple(GroupSavings(n, "teams/x.html", 1, 1.0, 1, 1.0, 1.0, 1.0, 1.0) for n in HOSTILE_NAMES),
            services=tuple(GroupSavings(n, None, 1, 1.0, 1, 1.0, 1.0, 1.0, 1.0) for n in HOSTILE_NAMES),
        ),
        changes=HOSTILE_NAMES,
        incidents=Incidents(
            sentence=HOSTILE_NAMES[0],
            lines=tuple(IncidentLine(n, n, n, n, n, n, n, "postmortems/INC-1.html", n) for n in HOSTILE_NAMES),
            metrics=tuple(MetricSummary(n, n, 1, 1, n, n, n, n) for n in HOSTILE_NAMES),
            durations=tuple(Durations(n, (1.0, 2.0), 1.5, 1.0, 2.0) for n in HOSTILE_NAMES),
            moved=HOSTILE_NAMES,
            warnings=HOSTILE_NAMES,
            capacity=HOSTILE_NAMES,
        ),
    )
