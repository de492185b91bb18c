"""What each metric of an incident is, and when it has no value."""

from __future__ import annotations

import hashlib
from datetime import datetime, time
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import MissingPartition
from dagster_project.lake.incident_tables import INCIDENT_METRICS
from dagster_project.pipeline.incident_metrics import measure_incidents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_incidents import IncidentSettings, SupportHours
from dagster_project.statements import statement
from tests.incidents.metrics.measured import DAY, Told, measured, metric, night

# Monday, 3 March 2025.
WHOLE = Told(
    {
        "caused_by_change": "03-03 08:00",
        "impact_started": "03-03 08:14",
        "detected": "03-03 08:20",
        "acknowledged": "03-03 08:25",
        "declared": "03-03 08:30",
        "mitigated": "03-03 11:50",
        "impact_ended": "03-03 12:37",
        "resolved": "03-03 13:00",
    },
    (("03-03 08:14", "03-03 12:37"),),
)


def without(*phases: str, told: Told = WHOLE, **changes: str | tuple[str, str]) -> Told:
    return Told({name: at for name, at in {**told.phases, **changes}.items() if name not in phases}, told.windows)


def verdict(row: dict) -> tuple[str, float | None, float | None, str | None]:
    return row["status"], row["minutes"], row["censored_minutes"], row["reason"]


@pytest.mark.parametrize(
    ("metric_id", "minutes"),
    [("ttd", 6), ("tta", 5), ("ttm", 216), ("ttrep", 257), ("ttres", 270), ("ttrst", 263), ("cid", 263), ("fdrt", 277)],
)
def test_a_metric_is_the_time_between_its_phases(metric_id: str, minutes: float, tmp_path: Path) -> None:
    row = measured(tmp_path, WHOLE, metric_id)
    assert verdict(row) == ("ok", minutes, None, None)
    assert (row["to_at"] - row["from_at"]).total_seconds() == 60 * minutes


def test_every_incident_has_every_metric_by_both_clocks(tmp_path: Path) -> None:
    runtime = night(tmp_path, [WHOLE, Told({}, incident_id="INC-2")])
    rows = pl.read_parquet(runtime.lake.path(INCIDENT_METRICS, DAY))
    assert rows.height == measure_incidents(runtime, DAY) == 2 * 8 * 2
    assert set(rows.filter(incident_id="INC-2")["status"]) == {"missing"}


def test_a_value_says_which_text_computed_it(tmp_path: Path) -> None:
    texts = "\n".join(statement(name).text for name in ("views/metric_definitions", "marts/incident_metrics"))
    row = measured(tmp_path, WHOLE, "ttm")
    assert (row["version"], row["sql_hash"]) == (1, hashlib.sha256(texts.encode()).hexdigest())


def test_the_same_night_gives_the_same_bytes(tmp_path: Path) -> None:
    runtime = night(tmp_path, [WHOLE, Told({}, incident_id="INC-2")])
    file = runtime.lake.path(INCIDENT_METRICS, DAY)
    first = file.read_bytes()
    measure_incidents(runtime, DAY)
    assert file.read_bytes() == first


def test_without_the_incidents_of_the_day_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(MissingPartition, match="incident_records"):
        measure_incidents(Runtime(Settings(home=tmp_path)), DAY)


def test_a_phase_that_nobody_knows_leaves_its_metrics_missing_and_the_others_as_they_are(tmp_path: Path) -> None:
    runtime = night(tmp_path, [without("mitigated")])
    assert verdict(metric(runtime, "ttm")) == ("missing", None, None, "no time is known for: mitigated")
    assert metric(runtime, "ttrst")["minutes"] == 263


def test_a_change_that_is_only_suspected_is_not_measured_from(tmp_path: Path) -> None:
    told = Told(WHOLE.phases, suspected=frozenset({"caused_by_change"}))
    assert verdict(measured(tmp_path, told, "fdrt"))[::3] == ("missing", "no change is known to have caused it")


def test_an_end_before_its_begin_is_invalid_and_says_both(tmp_path: Path) -> None:
    row = measured(tmp_path, without(mitigated="03-03 08:10"), "ttm")
    reason = "it would end before it begins: mitigated at 2025-03-03 08:10, impact started at 2025-03-03 08:14"
    assert verdict(row) == ("invalid", None, None, reason)


def test_repaired_before_declared_is_a_legal_order(tmp_path: Path) -> None:
    runtime = night(tmp_path, [without(impact_ended="03-03 08:28")])
    assert verdict(metric(runtime, "ttrep")) == ("ok", 8, None, None)
    assert metric(runtime, "ttrst")["minutes"] == 14
    assert metric(runtime, "ttres")["minutes"] == 270


def test_resolved_before_declared_is_no_error_and_no_duration(tmp_path: Path) -> None:
    row = measured(tmp_path, without(declared="03-03 14:00"), "ttres")
    reason = "it was resolved before it was declared, so that nothing lies between them"
    assert verdict(row) == ("excluded", None, None, reason)


def test_a_drill_is_excluded_from_every_metric_with_its_reason(tmp_path: Path) -> None:
    told = Told(WHOLE.phases, WHOLE.windows, record={"counts_in_metrics": False, "not_counted_because": "a drill"})
    runtime = night(tmp_path, [told])
    rows = pl.read_parquet(runtime.lake.path(INCIDENT_METRICS, DAY))
    assert rows["status"].to_list() == ["excluded"] * 16
    assert rows["reason"].to_list() == ["a drill"] * 16
    assert rows["minutes"].null_count() == 16


def test_an_acknowledgement_after_the_end_is_capped_there(tmp_path: Path) -> None:
    row = measured(tmp_path, without(acknowledged="03-03 15:00"), "tta")
    assert verdict(row) == ("ok", 280, None, "capped: it was resolved before it was acknowledged")
    assert row["to_at"] == datetime(2025, 3, 3, 13)  # noqa: DTZ001


def test_what_was_resolved_before_it_was_detected_is_invalid_and_names_that_end(tmp_path: Path) -> None:
    row = measured(tmp_path, without(detected="03-03 14:00", acknowledged="03-03 15:00"), "tta")
    reason = "it would end before it begins: resolved at 2025-03-03 13:00, detected at 2025-03-03 14:00"
    assert verdict(row)[::3] == ("invalid", reason)


def test_an_acknowledgement_that_nobody_recorded_is_missing_and_not_capped(tmp_path: Path) -> None:
    assert verdict(measured(tmp_path, without("acknowledged"), "tta"))[:2] == ("missing", None)


OPEN = Told(
    {"impact_started": "03-09 21:00", "detected": "03-09 21:30", "declared": "03-09 22:00"},
    (("03-09 21:00", None),),
    record={"is_open": True},
)
LASTS = "the incident is open: it has lasted so long by the end of the day"


@pytest.mark.parametrize(("metric_id", "minutes"), [("ttm", 180), ("ttrep", 150), ("ttres", 120), ("ttrst", 180), ("cid", 180)])
def test_an_open_incident_has_lasted_until_the_end_of_the_day(metric_id: str, minutes: float, tmp_path: Path) -> None:
    row = measured(tmp_path, OPEN, metric_id)
    assert verdict(row) == ("provisional", None, minutes, LASTS)
    assert row["to_at"] is None


def test_what_an_open_incident_has_behind_it_is_measured(tmp_path: Path) -> None:
    assert verdict(measured(tmp_path, OPEN, "ttd")) == ("ok", 30, None, None)


def test_an_open_incident_has_been_detected_even_where_nobody_noted_when(tmp_path: Path) -> None:
    told = Told({"impact_started": "03-09 21:00"}, record={"is_open": True})
    assert verdict(measured(tmp_path, told, "ttd"))[::3] == ("missing", "no time is known for: detected")


def test_a_phase_that_a_later_one_shows_to_have_passed_does_not_last(tmp_path: Path) -> None:
    """It was mitigated; when, nobody noted. To say that this still lasts would be wrong."""
    told = Told({"impact_started": "03-09 21:00", "impact_ended": "03-09 22:00"}, record={"is_open": True})
    runtime = night(tmp_path, [told])
    assert metric(runtime, "ttm")["status"] == "missing"
    assert metric(runtime, "ttrst")["minutes"] == 60


@pytest.mark.parametrize(
    ("windows", "minutes"),
    [
        ((("03-03 08:00", "03-03 09:00"), ("03-03 10:00", "03-03 10:30")), 90),
        ((("03-03 08:00", "03-03 09:00"), ("03-03 08:30", "03-03 09:30"), ("03-03 08:40", "03-03 08:50")), 90),
        ((("03-03 09:00", "03-03 09:30"), ("03-03 08:00", "03-03 09:00")), 90),
        ((("03-03 08:00", "03-03 12:00"), ("03-03 08:10", "03-03 08:20"), ("03-03 08:30", "03-03 08:40")), 240),
    ],
    ids=["apart", "overlapping", "touching, in any order", "one within another"],
)
def test_customers_do_not_suffer_twice(windows: tuple[tuple[str, str], ...], minutes: float, tmp_path: Path) -> None:
    assert verdict(measured(tmp_path, Told({}, windows), "cid")) == ("ok", minutes, None, None)


def test_a_window_without_an_end_of_an_ended_incident_is_unknown(tmp_path: Path) -> None:
    told = Told({}, (("03-03 08:00", "03-03 09:00"), ("03-03 10:00", None)))
    assert verdict(measured(tmp_path, told, "cid"))[::3] == ("missing", "the end of an impact window is not known")


def test_a_window_that_ends_before_it_begins_is_invalid(tmp_path: Path) -> None:
    told = Told({}, (("03-03 08:00", "03-03 09:00"), ("03-03 10:00", "03-03 09:50")))
    assert verdict(measured(tmp_path, told, "cid"))[::3] == ("invalid", "an impact window would end before it begins")


def test_an_open_incident_adds_its_last_window_to_those_before(tmp_path: Path) -> None:
    told = Told({}, (("03-09 20:00", "03-09 20:30"), ("03-09 23:00", None)), record={"is_open": True})
    assert verdict(measured(tmp_path, told, "cid"))[:3] == ("provisional", None, 90)


@pytest.mark.parametrize(
    ("precision", "ended", "status"),
    [
        ("day", "03-04 12:00", "missing"),
        ("day", "03-06 08:14", "ok"),
        ("hour", "03-03 10:00", "missing"),
        ("hour", "03-03 10:14", "ok"),
        ("minute", "03-03 08:15", "ok"),
        ("unknown", "03-06 08:14", "missing"),
    ],
)
def test_half_of_a_value_may_be_imprecision_and_no_more(precision: str, ended: str, status: str, tmp_path: Path) -> None:
    """The impact of 08:14 ended at a time that is known so precisely; a window with the same end is known no better."""
    told = Told({"impact_started": "03-03 08:14", "impact_ended": (ended, precision)}, (("03-03 08:14", ended),))
    runtime = night(tmp_path, [told])
    assert (metric(runtime, "ttrst")["status"], metric(runtime, "cid")["status"]) == (status, status)


def test_days_say_why_they_are_too_coarse(tmp_path: Path) -> None:
    told = Told({"impact_started": ("03-03 00:00", "day"), "impact_ended": ("03-04 00:00", "day")})
    assert measured(tmp_path, told, "ttrst")["reason"] == "an end is known to the day only: too coarse for less than 2 days"


def test_one_update_that_tells_both_ends_is_missing_and_not_zero(tmp_path: Path) -> None:
    both = {"declared": "03-03 08:30", "resolved": "03-03 08:30"}
    alone = Told(both, evidence={"declared": ["update-1"], "resolved": ["update-1"]})
    assert verdict(measured(tmp_path, alone, "ttres"))[::3] == ("missing", "one record tells both ends, and not how long it took")


def test_two_records_of_the_same_minute_are_a_true_zero(tmp_path: Path) -> None:
    both = {"detected": "03-03 08:30", "acknowledged": "03-03 08:30"}
    told = Told(both, evidence={"detected": ["alarm-1"], "acknowledged": ["message-1"]})
    assert verdict(measured(tmp_path, told, "tta")) == ("ok", 0, None, None)


def support(zone: str, *days: str, starts: time = time(9), ends: time = time(17)) -> IncidentSettings:
    return IncidentSettings(support_hours=SupportHours(zone=zone, days=days, starts=starts, ends=ends))


def impact(started: str, ended: str) -> Told:
    return Told({"impact_started": started, "impact_ended": ended}, ((started, ended),))


WEEK = ("mon", "tue", "wed", "thu", "fri")


@pytest.mark.parametrize(
    ("started", "ended", "minutes"),
    [
        ("03-03 08:30", "03-03 09:30", 30),  # Monday
        ("03-03 16:00", "03-04 10:00", 120),
        ("03-07 16:00", "03-10 10:00", 120),  # over a weekend
        ("03-08 08:00", "03-09 20:00", 0),  # all of a weekend
        ("03-03 00:00", "03-10 00:00", 5 * 480),
        ("03-03 10:00", "03-03 10:20", 20),
    ],
)
@pytest.mark.parametrize("metric_id", ["ttrst", "cid"])
def test_support_hours_count_alone(started: str, ended: str, minutes: float, metric_id: str, tmp_path: Path) -> None:
    row = measured(tmp_path, impact(started, ended), metric_id, "support_hours", support("UTC", *WEEK))
    assert verdict(row) == ("ok", minutes, None, None)


@pytest.mark.parametrize(
    ("started", "ended", "minutes"),
    [
        # London's clocks go forward at 01:00 UTC on 30 March: of its night from 0 to 4 o'clock one hour is missing.
        ("03-29 23:00", "03-30 12:00", 180),
        # They go back at 01:00 UTC on 26 October: the same hours are five.
        ("10-25 12:00", "10-26 12:00", 300),
        # In summer, 0 to 4 o'clock there are 23 to 3 o'clock UTC.
        ("07-05 20:00", "07-06 02:00", 180),
        ("01-05 00:00", "01-05 12:00", 240),
    ],
)
def test_a_day_on_which_the_clocks_change_has_the_hours_that_it_had(
    started: str, ended: str, minutes: float, tmp_path: Path
) -> None:
    rules = support("Europe/London", "sun", starts=time(0), ends=time(4))
    assert measured(tmp_path, impact(started, ended), "ttrst", "support_hours", rules)["minutes"] == minutes
