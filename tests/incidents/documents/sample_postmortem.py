"""The payment outage of the demo as a view model, and one whose every text is hostile."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from typing import Any

from dagster_project.reporting.postmortem_views import (
    ActionLine,
    AnomalyLine,
    BoughtCapacity,
    BurnAlert,
    Candidate,
    CostLine,
    EngineLine,
    EngineRecord,
    ErrorBudget,
    Experiment,
    Header,
    Impact,
    Link,
    MetricLine,
    Mitigation,
    PhaseLine,
    Postmortem,
    ReachedService,
    RightsizingLink,
    SimilarIncident,
    TimelineEntry,
    Window,
    WordingHint,
)

HIGH_ERRORS, CPU = "High Error Rate Auto-Remediation", "CPU Emergency Scale-Up"

# Time, target, action, result, reason, policy: as the engine decided.
DECISIONS = tuple(
    line.split("|")
    for line in f"""
08:14:40|payment-api|scale_up|succeeded||{CPU}
08:15:05|payment-api|notify|succeeded||Latency Watch
08:16:10|fraud-detection-api|circuit_break|succeeded||{HIGH_ERRORS}
08:19:10|payment-api|scale_up|skipped|cooldown|{CPU}
08:20:15|payment-api|scale_up|succeeded||{CPU}
08:25:50|payment-api|scale_up|succeeded||{CPU}
08:31:20|payment-api|scale_up|skipped|max_executions|{CPU}
08:33:00|order-api|circuit_break|succeeded||{HIGH_ERRORS}
08:36:40|payment-db|scale_up|failed|403|{CPU}
09:12:00|fraud-detection-api|restart|succeeded||
09:18:30|payment-api|restart|failed|timeout|
11:02:10|payment-db|failover|rolled_back|worsened|
11:48:20|payment-api|apply_throttling|succeeded||
12:05:00|payment-api|scale_up|succeeded||{CPU}
12:37:30|fraud-detection-api|no_action|skipped|recovered|Latency Watch
12:52:40|payment-api|notify|succeeded||Latency Watch
""".strip().splitlines()
)
_REASONS = {
    "cooldown": "the policy's cooldown of 300 s",
    "max_executions": "the policy's limit of 3 executions",
    "403": "the engine has no right to do it (403)",
    "timeout": "no answer in time",
    "worsened": "errors rose after it, so it was undone",
    "recovered": "the service had recovered",
}
_OTHERS: tuple[tuple[str, str, str, str, str], ...] = (
    ("08:14:00", "alarms", "payment-api-error-rate", "Alarm payment-api-error-rate: 47 % of requests failed", "CloudWatch"),
    ("08:14:52", "scaling", "2 members more", "Auto Scaling started 2 instances for payment-api", "Auto Scaling"),
    (
        "08:17:10",
        "people",
        "On-call looks",
        "engineer-3f2a: looking at it, payments are failing for everyone",
        "Slack #inc-2025-0342",
    ),
    ("08:20:30", "scaling", "2 members more", "Auto Scaling started 2 instances for payment-api", "Auto Scaling"),
    ("08:52:00", "alarms", "payment-db-connections", "Alarm payment-db-connections: 2,847 of 3,000 in use", "CloudWatch"),
    (
        "09:18:00",
        "people",
        "Declared SEV-1",
        "engineer-3f2a declared SEV-1 and asked engineer-91c0 to lead",
        "Slack #inc-2025-0342",
    ),
    (
        "09:41:00",
        "changes",
        "pool-size 40→80",
        "engineer-91c0 raised the connection pool of payment-api from 40 to 80",
        "CloudTrail",
    ),
    (
        "10:58:00",
        "people",
        "Failover agreed",
        "engineer-91c0: we fail payment-db over, the primary is saturated",
        "Slack #inc-2025-0342",
    ),
    (
        "11:45:00",
        "people",
        "Retry storm seen",
        "engineer-77be: each payment is tried nine times, it is a retry storm",
        "Slack #inc-2025-0342",
    ),
    ("11:51:00", "changes", "Retries 3→0", "Merged: no retries from payment-api to fraud-detection-api", "GitHub"),
    ("12:37:00", "alarms", "error-rate OK", "Alarm payment-api-error-rate returned to OK", "CloudWatch"),
    ("12:52:00", "people", "Resolved", "engineer-91c0: resolved, we watch it through the evening", "Slack #inc-2025-0342"),
)
_PHASES_BEGUN = {
    "08:14:00": "Impact started",
    "09:18:00": "Declared",
    "11:45:00": "Identified",
    "12:37:00": "Mitigated",
    "12:52:00": "Resolved",
    "08:17:10": "Acknowledged",
}


def at(clock: str) -> datetime:
    """A time of the outage's day."""
    return datetime.fromisoformat(f"2025-03-03 {clock}")


def _timeline() -> tuple[TimelineEntry, ...]:
    entries = [
        TimelineEntry(at(clock), text, lane, label=label, sources=(source,), phase=_PHASES_BEGUN.get(clock))
        for clock, lane, label, text, source in _OTHERS
    ]
    for clock, target, action, result, reason, _ in DECISIONS:
        effect = "acted" if result == "succeeded" else "blocked" if result == "skipped" else "failed"
        text = f"{action} of {target}: {result}" + (f", {_REASONS[reason]}" if reason else "")
        entries.append(
            TimelineEntry(at(clock), text, "engine", label=action.replace("_", " "), sources=("decision audit",), effect=effect)
        )
    silent = TimelineEntry(at("09:41:00"), "77 minutes in which no source recorded anything", "silence", until=at("10:58:00"))
    return tuple(sorted([*entries, silent], key=lambda entry: (entry.at, entry.lane, entry.text)))


def _engine() -> EngineRecord:
    lines = [
        EngineLine(at(clock), target, action, result.replace("_", " "), _REASONS.get(reason), policy or None)
        for clock, target, action, result, reason, policy in DECISIONS
    ]
    return EngineRecord(
        "The engine acted 40 s after the breach, people 3 minutes later; what stopped the retries was done by people.",
        acted=tuple(line for line in lines if line.result in ("succeeded", "rolled back")),
        blocked=tuple(line for line in lines if line.result in ("skipped", "failed")),
    )


def payment_outage() -> Postmortem:
    """The outage of 3 March 2025 with all sections filled."""
    return Postmortem(
        header=Header(
            "INC-2025-0342",
            "Payment processing stopped: cascading retry storm",
            date(2025, 3, 9),
            "SEV-1",
            "resolved",
            services=("payment-api", "fraud-detection-api", "payment-db"),
            commander="senior-sre",
            channel=Link("#inc-2025-0342"),
            completeness_pct=83.3,
            absent=("GitHub deployments: no token is set.",),
        ),
        summary="47 % of payments failed and 2,847 of 3,000 database connections were in use; restarts and a failover "
        "made it worse before retries were throttled.",
        impact=Impact(
            (Window(at("08:14:00"), at("12:37:00"), "incidents"),), 263, 412_380, 47.0, "everyone who paid; the number is unknown"
        ),
        phases=(
            PhaseLine(
                "impact_started",
                "Impact started",
                at("08:14:00"),
                "minute",
                "cloudwatch",
                "the alarm's breach began",
                0.9,
                candidates=(Candidate(at("08:12:30"), "sli_events", "the first minute with more than 5 % of errors"),),
            ),
            PhaseLine("detected", "Detected", at("08:14:00"), "minute", "incidents", "stated", 1.0),
            PhaseLine("acknowledged", "Acknowledged", at("08:17:10"), "second", "slack", "the first message of a person", 0.8),
            PhaseLine("declared", "Declared", at("09:18:00"), "minute", "person", "picked", 1.0, "the channel's topic says so"),
            PhaseLine("identified", "Identified", at("11:45:00"), "minute", "incidents", "stated", 1.0),
            PhaseLine("mitigated", "Mitigated", at("12:37:00"), "minute", "incidents", "stated", 1.0),
            PhaseLine("impact_ended", "Impact ended", at("12:37:00"), "minute", "incidents", "stated", 1.0),
            PhaseLine("resolved", "Resolved", at("12:52:00"), "minute", "incidents", "stated", 1.0),
            PhaseLine("closed", "Closed"),
        ),
        metrics=(
            MetricLine("ttd", "Time to Detect", "impact started → detected", "0 min", reason="both stated to the minute"),
            MetricLine("tta", "Time to Acknowledge", "detected → acknowledged", "3 min"),
            MetricLine("ttm", "Time to Mitigate", "impact started → mitigated", "4 h 23 min"),
            MetricLine("ttrep", "Time to Repair", "detected → impact ended", "4 h 23 min", clock="support_hours"),
            MetricLine("ttres", "Time to Resolve", "declared → resolved", "3 h 34 min"),
            MetricLine(
                "fdrt",
                "Failed Deployment Recovery Time",
                "change that caused it → restored",
                None,
                "missing",
                "no change is known to have caused it",
            ),
        ),
        timeline=_timeline(),
        engine=_engine(),
        factors=(
            "Nine tries for each payment: payment-api and order-api both retry three times.",
            "The engine could not scale payment-db (403): it has no right to.",
            "JIRA-12345, a circuit breaker for the same call, was open since January.",
        ),
        similar=(
            SimilarIncident(
                "INC-2025-0041",
                "Payment declines: connection pool exhausted",
                0.81,
                ("same service payment-api", "same action circuit_break", "words: pool, retries, connections"),
                date(2025, 1, 13),
                open_items=(
                    ActionLine(
                        "Add circuit breaker to payment->fraud-detection calls",
                        owner="platform-team",
                        due_on=date(2025, 7, 1),
                        tracker=Link("JIRA-12345", "https://tracker.example.com/browse/JIRA-12345"),
                    ),
                ),
            ),
            SimilarIncident(
                "INC-2024-2917",
                "Full platform outage on Black Friday",
                0.64,
                ("same error signature: pool exhausted",),
                date(2024, 11, 30),
            ),
        ),
        blast_radius=(
            ReachedService("order-api", 1, "hard", ("payment-api", "order-api"), "impacted", "circuit opened at 08:33"),
            ReachedService("checkout-api", 2, "hard", ("payment-api", "order-api", "checkout-api"), "possible"),
            ReachedService(
                "subscription-api", 1, "soft", ("payment-api", "subscription-api"), "unknown", "no service level is recorded"
            ),
        ),
        error_budgets=(
            ErrorBudget(
                "payment-api",
                "availability",
                0.9995,
                30,
                21.6,
                572.3,
                123.6,
                alerts=(
                    BurnAlert(14.4, "1 h and 5 min", at("08:15:00")),
                    BurnAlert(6, "6 h and 30 min", at("08:16:00")),
                    BurnAlert(3, "1 d and 2 h", at("08:18:00")),
                    BurnAlert(1, "3 d and 6 h", None, "another had paged before it"),
                ),
            ),
        ),
        cost=(
            CostLine("Response", 1052, 2104, 4734, "3 people for 4 h 23 min at 80, 120 and 180 USD an hour"),
            CostLine(
                "Impact", 98_000, 228_000, 326_000, "412,380 failed requests at 0.79 USD, of which 30, 70 and 100 % are lost"
            ),
            CostLine("SLA credits", None, None, None, "no share is set"),
            CostLine("Infrastructure", 31, 31, 31, "8 instances more for 4 h 23 min at list price"),
        ),
        cost_total=CostLine("Total without SLA credits", 99_083, 230_135, 330_765, "sum of the parts that are known"),
        mitigations=(
            Mitigation("apply_throttling", "11:48, succeeded", 2, 49, (31, 67), 0.0, (0.0, 65.8), "two uses rank nothing"),
            Mitigation("scale_up", "4 times, succeeded", 41, 12, (9, 17), 12.2, (5.3, 25.5)),
            Mitigation("failover", "11:02, undone", 1),
        ),
        capacity=(BoughtCapacity("payment-api", "4 members were added on 3 March and are still there.", 560.64),),
        rightsizing=(
            RightsizingLink("veto", "payment-api", "not shrunk until 2 April: a SEV-1 in the last 30 days."),
            RightsizingLink(
                "suspect",
                "payment-db",
                "its class was made smaller 9 days before; the incident was short of connections.",
                Link("pull request 118", "https://github.com/acme/infra/pull/118"),
            ),
        ),
        actions=(
            ActionLine(
                "Throttle retries when the pool is above 90 %",
                "mitigate",
                "P1",
                "platform-team",
                date(2025, 3, 18),
                "Sev-1: 15 days",
                "open",
                Link("SRE-2290", "https://tracker.example.com/browse/SRE-2290"),
            ),
            ActionLine(
                "Failover drill for payment-db every month",
                "process",
                "P1",
                "database-team",
                date(2025, 3, 18),
                None,
                "open",
                Link("DB-322"),
            ),
            ActionLine(
                "A step for pool exhaustion that the engine can run",
                "mitigate",
                "P1",
                "payments-team",
                date(2025, 3, 18),
                None,
                "in_progress",
                Link("PAY-977"),
            ),
            ActionLine(
                "Grant the engine the right to scale payment-db",
                "mitigate",
                "P1",
                "platform-team",
                date(2025, 3, 8),
                None,
                "open",
                Link("SRE-2292"),
                is_overdue=True,
            ),
        ),
        experiments=(
            Experiment(
                "Slow fraud-detection-api by 500 ms for ten minutes",
                "payment-api keeps more than 95 % of payments.",
                "retries filled the pool in this incident and in INC-2025-0041.",
            ),
        ),
        wording=(WordingHint("What went wrong, line 4", "should have", "Say what was known and visible at that moment."),),
        anomalies=(
            AnomalyLine("impact ended and mitigated are the same minute", "State when customers could pay again.", "incidents"),
        ),
    )


NASTY = (
    '<script>alert(1)</script> <img src=x onerror="alert(1)"> --> <!-- nightshift:end timeline --> | a | b | `code` ``` ~~~ '
    "[click](javascript:alert(1)) ![i](https://evil.example.com/x.png) @channel #1 **bold** :tada: 💥 \u202egnp.exe\u202c "
    "שלום עולם %%{init: {}}%% section X; title: Y # note\n# Heading\n- list\n```mermaid\ngantt\n```\n" + "x" * 500
)


def hostile() -> Postmortem:
    """The outage with ``NASTY`` in place of every text."""
    return filled(NASTY)


def filled(text: str) -> Postmortem:
    """The outage with ``text`` in place of every text."""
    return _filled(payment_outage(), text)


def _filled(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(_filled(item, text) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            f.name: _filled(getattr(value, f.name), text)
            for f in dataclasses.fields(value)
            if f.name not in ("lane", "empty_because")
        }
        return dataclasses.replace(value, **changed)
    return value


def crowded(entries: int) -> Postmortem:
    """The outage with many entries, one every 7 seconds."""
    lanes = ("engine", "alarms", "people", "changes", "scaling", "record")
    timeline = tuple(
        TimelineEntry(at("08:14:00") + timedelta(seconds=7 * i), f"event {i}", lanes[i % 6], label=f"event {i}")
        for i in range(entries)
    )
    return dataclasses.replace(payment_outage(), timeline=timeline)
