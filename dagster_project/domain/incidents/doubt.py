"""What an anomaly throws doubt on is not measured: the time stays on record as a candidate, and no metric is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dagster_project.domain.incidents.anomalies import Anomaly
from dagster_project.domain.incidents.model import Incident

DOUBTFUL = frozenset(
    {
        "twelve_hours_off",
        "day_off",
        "month_off",
        "year_off",
        "zone_off",
        "double_window",
        "negative_window",
        "impossible_date",
        "future",
    }
)
"""Codes of times that are most probably wrong. Of the others the time may well be right, and something else is not."""
CONFIDENCE = 0.3
"""Of a doubtful time: less than what is chosen for a phase."""
_IMPACT = frozenset({"impact_started", "impact_ended"})


def doubted(incident: Incident, anomalies: Iterable[Anomaly]) -> Incident:
    """The incident with doubtful phases at low confidence, and without impact windows where one of them is doubtful."""
    phases = {anomaly.phase for anomaly in anomalies if anomaly.code in DOUBTFUL and anomaly.phase is not None}
    if not phases:
        return incident
    is_impact = bool(phases & _IMPACT)
    # A window has two ends, and which of them is wrong is what nobody knows.
    low = phases | _IMPACT if is_impact else phases
    lowered = {
        phase: replace(moment, confidence=min(moment.confidence, CONFIDENCE)) if phase in low else moment
        for phase, moment in incident.phases.items()
    }
    return replace(incident, phases=lowered, windows=() if is_impact else incident.windows)
