"""What the demo's cloud did around its incidents: activities of Auto Scaling groups, and calls of its API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

import numpy as np

from dagster_project.demo.decisions import cascade_decisions
from dagster_project.demo.incidents import BLACK_FRIDAY_ID, OUTAGE_ID
from dagster_project.demo.rows import Row, moment
from dagster_project.demo.services import ACCOUNTS, REGION
from dagster_project.domain.incidents.events import Event

GROUP_OF = {"payment-api": "payment-web", "checkout-api": "checkout-web"}
"""The group whose members a scale-up of a service adds to. search-api has none: its replicas are single instances."""
_ADDED = 2
_TAKES = timedelta(seconds=47)
# What an incident's members were given back: incident, service, first moment. What checkout-api got on Black Friday is not here.
_GIVEN_BACK = (
    (BLACK_FRIDAY_ID, "payment-api", moment("2024-11-30 11:40")), ("INC-2025-0041", "payment-api", moment("2025-01-13 20:55")),
    (OUTAGE_ID, "payment-api", moment("2025-03-03 15:20")),
)  # fmt: skip
_PLACE = {"account_id": ACCOUNTS["prod"], "region": REGION}

# Names of the sessions of assumed roles, which is what CloudTrail calls their users.
_ENGINE = "decision-engine"
_DATABASES = "priya.raman"
_RDS, _EC2, _GROUPS = "rds.amazonaws.com", "ec2.amazonaws.com", "autoscaling.amazonaws.com"
_BALANCING = "elasticloadbalancing.amazonaws.com"
# Incident, moment, whose API, call, service, target, who, error, parameters.
_Call = tuple[str, str, str, str, str, str, str, str | None, Mapping[str, str]]
_CALLS: tuple[_Call, ...] = (
    (BLACK_FRIDAY_ID, "2024-11-30 04:25:10", _EC2, "RunInstances", "user-preferences-api", "user-preferences-api", _ENGINE,
     "AccessDenied", {"instanceType": "m5.4xlarge", "maxCount": "2"}),
    (BLACK_FRIDAY_ID, "2024-11-30 05:52:14", _RDS, "RebootDBInstance", "payment-db", "payment-db-1", _DATABASES, None,
     {"forceFailover": "false"}),
    ("INC-2024-3051", "2024-12-12 14:57:40", _BALANCING, "DeregisterTargets", "search-api", "search-api",
     "kenji.arai", None, {}),
    ("INC-2025-0177", "2025-02-08 03:00:20", _RDS, "ModifyDBInstance", "payment-db", "payment-db-1", _DATABASES, None,
     {"applyImmediately": "true", "engineVersion": "16.6"}),
    (OUTAGE_ID, "2025-03-03 08:36:40", _RDS, "ModifyDBInstance", "payment-db", "payment-db-1", _ENGINE, "AccessDenied",
     {"applyImmediately": "true", "dBInstanceClass": "db.r5.8xlarge"}),
    (OUTAGE_ID, "2025-03-03 10:19:30", "iam.amazonaws.com", "DeleteAccessKey", "payment-api", "svc-payment-metrics",
     "security-on-call", None, {"userName": "svc-payment-metrics"}),
    (OUTAGE_ID, "2025-03-03 11:02:12", _RDS, "RebootDBInstance", "payment-db", "payment-db-1", _ENGINE, None,
     {"forceFailover": "true"}),
    (OUTAGE_ID, "2025-03-03 11:31:05", _RDS, "RebootDBInstance", "payment-db", "payment-db-1", _DATABASES, None,
     {"forceFailover": "true"}),
    ("INC-2025-0349", "2025-03-05 17:22:16", _EC2, "RunInstances", "search-api", "search-api", _ENGINE, None,
     {"instanceType": "c6i.4xlarge", "maxCount": "2"}),
    ("INC-2025-0361", "2025-03-08 22:31:00", _GROUPS, "StartInstanceRefresh", "inventory-api", "inventory-api-fleet",
     "beatriz.molina", None, {"autoScalingGroupName": "inventory-api-fleet"}),
)  # fmt: skip


def scaling_activities(seed: int) -> Iterator[Event]:
    """Members that the engine's scale-ups launched, and those that were given back afterwards."""
    launched: dict[tuple[str, str], list[str]] = {}
    for row in _scale_ups(seed):
        for number in range(_ADDED):
            at = row["decision_time"] + timedelta(seconds=11 + 2 * number)
            instance = _instance(seed, row["target"], at)
            launched.setdefault((row["incident_id"], row["target"]), []).append(instance)
            yield _activity(seed, row["incident_id"], row["target"], at, "Launching a new EC2 instance", instance)
    for incident_id, service, begins in _GIVEN_BACK:
        for number, instance in enumerate(launched[incident_id, service]):
            at = begins + timedelta(minutes=15 * (number // 2), seconds=2 * (number % 2))
            yield _activity(seed, incident_id, service, at, "Terminating EC2 instance", instance)


def api_calls(seed: int) -> Iterator[Event]:
    """Calls that changed something or were refused; those behind the engine's scale-ups follow from its decisions."""
    rng = np.random.default_rng([seed, 11])
    for call in _CALLS:
        yield _call(rng, call)
    for row in _scale_ups(seed):
        when = str(row["decision_time"] + timedelta(seconds=1))
        group = GROUP_OF[row["target"]]
        who = (row["incident_id"], when, _GROUPS, "UpdateAutoScalingGroup", row["target"], group, _ENGINE, None)
        yield _call(rng, (*who, {"autoScalingGroupName": group}))


def _scale_ups(seed: int) -> Iterator[Row]:
    """The engine's scale-ups that changed a group."""
    for row in cascade_decisions(seed):
        if row["action_type"] == "scale_up" and row["outcome"] == "succeeded" and row["target"] in GROUP_OF:
            yield row


def _activity(seed: int, incident_id: str, service: str, at: datetime, what: str, instance: str) -> Event:
    group = GROUP_OF[service]
    activity = blake2b(f"{seed}/{what}/{instance}".encode(), digest_size=16).hexdigest()
    return Event(
        "scaling_activities", activity, at, "scaling", "scaling_activity", f"{group}: {what}: {instance} succeeded",
        recorded_at=at + _TAKES, service=service, target=group, incident_id=incident_id,
        payload={"status": "Successful", "outcome": "succeeded", "cause": _cause(what, at),
                 "ended_at": (at + _TAKES).isoformat(), **_PLACE},
    )  # fmt: skip


def _cause(what: str, at: datetime) -> str:
    change = "increasing" if what.startswith("Launching") else "shrinking"
    return f"At {at.isoformat()}Z an instance answered a difference between desired and actual capacity, {change} the capacity."


def _instance(seed: int, service: str, at: datetime) -> str:
    return f"i-0{blake2b(f'{seed}/{service}/{at}'.encode(), digest_size=8).hexdigest()}"


def _call(rng: np.random.Generator, told: _Call) -> Event:
    incident_id, when, api, name, service, target, actor, error, parameters = told
    return Event(
        "cloudtrail", rng.bytes(16).hex(), moment(when), "changes", "api_call",
        f"{name} of {target}" + (f" was refused ({error})" if error else ""), service=service, target=target, actor=actor,
        incident_id=incident_id,
        payload={"api_call": name, "event_source": api, "error_code": error, "outcome": "failed" if error else "succeeded",
                 "resources": [target], "parameters": dict(parameters), **_PLACE},
    )  # fmt: skip
