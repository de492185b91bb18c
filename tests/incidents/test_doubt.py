"""A time that looks wrong is kept, and not measured."""

from __future__ import annotations

from dagster_project.domain.incidents.anomalies import Anomaly
from dagster_project.domain.incidents.doubt import doubted
from dagster_project.domain.incidents.model import ImpactWindow
from dagster_project.domain.incidents.phases import choose_phases
from tests.incidents.event_builders import at, incident, phases


def test_a_doubtful_phase_stays_a_candidate_and_is_not_chosen() -> None:
    known = doubted(
        incident(phases=phases(detected="08:14", resolved="20:14")), [Anomaly("twelve_hours_off", "INC-1", "resolved", "")]
    )
    found = {choice.phase: (choice.chosen is not None, len(choice.candidates)) for choice in choose_phases(known, {}, [])}
    assert found == {"detected": (True, 1), "resolved": (False, 1)}


def test_a_doubtful_window_is_none_and_neither_end_of_it_is_chosen() -> None:
    stated = incident(
        phases=phases(impact_started="08:14", impact_ended="09:00"), windows=(ImpactWindow(at("08:14"), at("09:00")),)
    )
    known = doubted(stated, [Anomaly("double_window", "INC-1", "impact_ended", "")])
    assert known.windows == ()
    assert all(choice.chosen is None for choice in choose_phases(known, {}, []))


def test_an_anomaly_of_another_kind_doubts_nothing() -> None:
    stated = incident(phases=phases(detected="08:14"))
    assert (
        doubted(stated, [Anomaly("stated_duration_differs", "INC-1", "detected", ""), Anomaly("order", "INC-1", None, "")])
        is stated
    )
