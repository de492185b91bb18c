"""What the demo's decision engine decided, and the policies that it did so by."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID
from dagster_project.demo.rows import HISTORY_DAYS, LAST_INSTANT, Row, clock_times, compact, moment
from dagster_project.demo.services import SCALED_SERVICES, SERVICES

GROUP_EMERGENCY = (moment("2025-03-05 09:45"), moment("2025-03-05 13:00"))  # a group runs two members more
UNDECLARED = ("cart-api", "2025-02-27")
"""Service and day of the emergency that nobody declared: the engine failed to scale it up, so it keeps nothing from being cut."""

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
_VERSION_2_SINCE = moment("2025-01-20 15:00")
_PAYLOADS = {
    "scale_up": {"replicas": "+2"}, "scale_down": {"replicas": "-2"},
    "circuit_break": {"threshold": 0.5, "timeout": 10_000}, "rollback": {"to": "previous"},
    "restart": {"strategy": "rolling"}, "failover": {"to": "replica"},
    "apply_throttling": {"retries_per_second": 50}, "notify": {"channel": "#on-call"},
}  # fmt: skip

# Incident, day, then "hh:mm:ss target action outcome [reason]" in the order in which the engine decided.
# Append only: the decisions of one seed are drawn in this order.
_CASCADES: tuple[tuple[str | None, str, str], ...] = (
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
    (None, UNDECLARED[1], """
15:05:10 cart-api scale_up failed timeout; 15:10:20 cart-api scale_up failed timeout; 15:12:05 cart-api scale_up skipped lock;
15:15:30 cart-api circuit_break succeeded; 15:17:40 cart-api scale_up skipped cooldown; 15:26:10 cart-api scale_up failed timeout;
15:34:20 cart-api notify succeeded"""),
)  # fmt: skip


def decisions(seed: int, groups: dict[str, str], idle: Sequence[str]) -> list[Row]:
    """The table ``decision_audit``.

    ``groups`` maps the name of an Auto Scaling group that the engine works on to how it does: "routine" (up and down on
    most days) or "emergency" (one scale-up, four days before the end). ``idle`` are instances that a few harmless
    decisions were about: none of them is a successful scale-up of the last 28 days.
    """
    rows = [*cascade_decisions(seed), *_routine_decisions(seed, groups), *_harmless_decisions(seed, idle)]
    return sorted(rows, key=lambda row: (row["decision_time"], row["decision_id"]))


def policies() -> Iterator[Row]:
    """The table ``policies``: every version of each."""
    for policy_id, name, conditions, actions, limit, cooldown in _POLICIES:
        for version, created_at in ((1, moment("2024-08-26 09:00")), (2, _VERSION_2_SINCE)):
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


def cascade_decisions(seed: int) -> Iterator[Row]:
    """Those of the incidents and of the emergency that nobody declared, incident by incident."""
    rng = np.random.default_rng([seed, 1])
    for incident_id, day, script in _CASCADES:
        lines = [line.split() for line in script.split(";")]
        for at, (_, target, action, outcome, *reason) in zip(clock_times(day, [line[0] for line in lines]), lines, strict=True):
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
            yield _decision(np.random.default_rng([seed, 4]), moment("2025-03-05 09:41:20"), name, "scale_up")


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
