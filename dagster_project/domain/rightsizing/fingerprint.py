"""What a verdict stands on, as a short text that stays the same until the evidence changes materially.

Somebody who dismisses a proposal must not be asked again because a number moved: demands are compared in steps of a tenth.
"""

from __future__ import annotations

import hashlib
import json
import math

from dagster_project.domain.rightsizing.groups import PROPOSE_MINIMUM
from dagster_project.domain.rightsizing.verdict import Verdict

_STEP = math.log(1.1)


def fingerprint(verdict: Verdict, present: str | None, emergencies: int, replayed_events: int) -> str:
    """Sixteen hexadecimal digits of what was proposed, what asked for capacity and in which tenth, and the events counted."""
    basis = {
        "present": present,
        "code": verdict.code,
        "target": verdict.target,
        "members": verdict.value if verdict.code == PROPOSE_MINIMUM else None,
        "demand": [_tenth(demand) for demand in verdict.demand],
        "emergencies": emergencies,
        "events": replayed_events,
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:16]


def _tenth(demand: float) -> int | str:
    """Which step of a tenth a demand lies in."""
    if math.isnan(demand) or math.isinf(demand):
        return str(demand)
    return round(math.log(max(demand, 1e-9)) / _STEP)
