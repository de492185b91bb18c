"""A correction of one time moves only what depends on it, and the report says what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.incidents.corrections import Correction, Night, moved
from dagster_project.errors import MissingPartition
from dagster_project.pipeline.incident_metrics import corrections_since, measure_incidents
from tests.incidents.metrics.measured import DAY, Told, moment, night

YESTERDAY = DAY - timedelta(days=1)
RECORD = {"INC-3": {"severity": "sev2"}, "INC-4": {"service": "search"}}


def incident(number: int, **times: str) -> Told:
    """Impact from 8:00 on 1 to 6 March, detected after 5 minutes, mitigated after 10 for each number, ended at 10:00."""
    day, name = f"03-0{number}", f"INC-{number}"
    usual = {"impact_started": f"{day} 08:00", "detected": f"{day} 08:05", "mitigated": f"{day} 08:{10 * number - 1:02}"}
    usual |= {"impact_ended": f"{day} 10:00"}
    return Told({**usual, **times}, ((usual["impact_started"], usual["impact_ended"]),), name, record=RECORD.get(name, {}))


SIX = [incident(number) for number in range(1, 7)]


def corrected(home: Path, before: list[Told], after: list[Told]) -> tuple[Correction, ...]:
    night(home, before, day=YESTERDAY)
    return corrections_since(night(home, after), YESTERDAY, DAY)


def with_times(number: int, **times: str) -> list[Told]:
    return [incident(number, **times) if told.incident_id == f"INC-{number}" else told for told in SIX]


def test_a_time_moves_the_metrics_that_end_with_it_and_the_medians_that_hold_them(tmp_path: Path) -> None:
    (found,) = corrected(tmp_path, SIX, with_times(3, mitigated="03-03 08:45"))
    assert found.incident_id == "INC-3"
    assert {(value.metric_id, value.clock, value.before, value.after) for value in found.values} == {("ttm", "wall", 29, 45)}
    # Time to Mitigate of the six is 9, 19, 29, 39, 49, 59; of severity sev2 there is this one alone, of which nothing is said.
    assert [(each.severity, each.service, each.before, each.after) for each in found.medians] == [
        ("*", "*", 34, 42),
        ("*", "payment", 29, 45),
    ]


def test_the_report_says_what_moved(tmp_path: Path) -> None:
    (found,) = corrected(tmp_path, SIX, with_times(3, mitigated="03-03 08:45"))
    assert found.sentences == (
        "INC-3: mitigated moved from 2025-03-03 08:29 UTC to 2025-03-03 08:45 UTC (from incidents, stated: The incident's record "
        "says so).",
        "Its Time to Mitigate moved from 29 min to 45 min.",
        "The median Time to Mitigate of all incidents moved from 34 min to 42 min.",
        "The median Time to Mitigate of service payment moved from 29 min to 45 min.",
    )


def test_a_time_that_several_metrics_begin_with_moves_all_of_them_and_no_other(tmp_path: Path) -> None:
    (found,) = corrected(tmp_path, SIX, with_times(4, impact_started="03-04 07:50"))
    assert {value.metric_id for value in found.values} == {"ttd", "ttm", "ttrst"}
    assert {median.metric_id for median in found.medians} <= {"ttd", "ttm", "ttrst"}


def test_a_value_may_become_invalid(tmp_path: Path) -> None:
    (found,) = corrected(tmp_path, SIX, with_times(3, mitigated="03-03 07:00"))
    assert "Its Time to Mitigate moved from 29 min to invalid." in found.sentences


def test_a_night_that_corrects_nothing_says_nothing(tmp_path: Path) -> None:
    assert corrected(tmp_path, SIX, SIX) == ()


def test_new_incidents_are_no_corrections_and_move_no_median_that_is_told(tmp_path: Path) -> None:
    assert corrected(tmp_path, SIX[:5], SIX) == ()
    (found,) = corrected(tmp_path / "other", SIX[:5], with_times(3, mitigated="03-03 08:45"))
    assert (found.medians[0].before, found.medians[0].after) == (34, 42)


def test_what_an_open_incident_reached_since_is_no_correction(tmp_path: Path) -> None:
    begun = replace(incident(3), record={"is_open": True})
    still = replace(begun, phases={name: at for name, at in begun.phases.items() if name in ("impact_started", "detected")})
    assert corrected(tmp_path, [still], [incident(3)]) == ()


def test_an_incident_of_before_the_period_has_its_values_told_and_moves_no_median(tmp_path: Path) -> None:
    old = {"impact_started": "2024-01-05 08:00", "mitigated": "2024-01-05 09:00"}
    told = Told(old, incident_id="INC-OLD")
    (found,) = corrected(tmp_path, [*SIX, told], [*SIX, replace(told, phases={**old, "mitigated": "2024-01-05 09:30"})])
    assert [(value.metric_id, value.after) for value in found.values if value.clock == "wall"] == [("ttm", 90)]
    assert found.medians == ()


def test_both_nights_must_have_been_measured(tmp_path: Path) -> None:
    runtime = night(tmp_path, SIX)
    measure_incidents(runtime, DAY)
    with pytest.raises(MissingPartition, match="incident_records"):
        corrections_since(runtime, date(2025, 1, 1), DAY)


def phase(time: str, source: str = "incidents", method: str = "stated", reason: str = "") -> Mapping[str, Any]:
    row = {"incident_id": "INC-1", "phase": "mitigated", "began_at": moment(time)}
    return {**row, "source": source, "method": method, "reason": reason}


def known(**changes: Any) -> Mapping[str, Any]:
    value = {
        "metric_id": "ttm",
        "name": "Time to Mitigate",
        "clock": "wall",
        "status": "missing",
        "from_at": moment("03-01 08:00"),
    }
    unknown = {"minutes": None, "censored_minutes": None, "to_at": None}
    return {"incident_id": "INC-1", "severity": "sev1", "service": "payment", "is_in_period": True, **value, **unknown, **changes}


def test_an_incident_that_was_not_measured_before_is_new() -> None:
    picked = phase("03-01 08:30", "person", "picked", "The pager says so.")
    assert moved(Night([], []), Night([picked], [known()])) == ()


def test_a_pick_where_nothing_was_known_is_a_correction_and_so_is_taking_it_back() -> None:
    picked = phase("03-01 08:30", "person", "picked", "The pager says so.")
    without = Night([], [known()])
    with_it = Night([picked], [known(status="ok", minutes=30.0, to_at=moment("03-01 08:30"))])
    (found,), (taken_back,) = moved(without, with_it), moved(with_it, without)
    assert found.sentences == (
        "INC-1: mitigated moved from unknown to 2025-03-01 08:30 UTC (picked by a person: The pager says so).",
        "Its Time to Mitigate moved from missing to 30 min.",
    )
    assert taken_back.sentences == (
        "INC-1: mitigated moved from 2025-03-01 08:30 UTC to unknown (nothing tells it any more).",
        "Its Time to Mitigate moved from 30 min to missing.",
    )
