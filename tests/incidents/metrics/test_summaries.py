"""What a group of incidents says in a period, in numbers and in a sentence that claims no more than was seen."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.domain.incidents.summaries import Cell, Summary, summarize
from dagster_project.errors import MissingPartition
from dagster_project.lake.incident_tables import INCIDENT_SUMMARIES
from dagster_project.pipeline.incident_metrics import summarize_incidents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from dagster_project.settings_incidents import IncidentSettings
from tests.incidents.metrics.measured import DAY, Told, moment, night, summaries, summary

QUARTER = [12, 19, 23, 31, 38, 44, 52, 61, 68, 75, 83, 97, 110, 140, 171, 220, 305, 480, 700, 1500]


def cell(period: str, ended: list[float], running: tuple[float, ...] = (), **changes: object) -> Cell:
    last = {"latest": DAY, "previous": DAY - timedelta(days=90), "all": DAY}[period]
    counts = {"missing": 0, "invalid": 0, "excluded": 0, "engine_only": 0, "engine_known": 0, "impact_minutes": None}
    count = len(ended) + len(running)
    usual = {"from_on": last - timedelta(days=89), "to_on": last, "version": 1, "incidents": count, "counting": count}
    group = {"severity": "*", "service": "payment", "metric_id": "ttm", "clock": "wall"}
    return Cell(**{**group, **counts, **usual, "period": period, "ended": ended, "running": running, **changes})


def latest(*cells: Cell) -> Summary:
    return next(each for each in summarize(cells) if each.period == "latest")


def test_no_change_says_which_cut_would_have_been_seen() -> None:
    found = latest(cell("latest", QUARTER), cell("previous", [value * 1.1 for value in QUARTER]))
    assert found.change_pct == pytest.approx(-9.09, abs=0.01)
    assert found.change_low_pct < 0 < found.change_high_pct
    assert found.sentence == (
        f"No change shown (median 79 min, 95 % interval {found.median_low_minutes:.0f} to {found.median_high_minutes:.0f}; "
        f"n = 20 and 20); a cut of {int(found.detectable_cut_pct) + 1} % or more would have been seen."
    )


def test_a_change_is_told_with_its_interval_and_both_medians() -> None:
    found = latest(cell("latest", [value / 5 for value in QUARTER]), cell("previous", QUARTER))
    least, most = abs(found.change_high_pct), abs(found.change_low_pct)
    assert found.sentence.startswith(f"The median is 80 % shorter (95 % interval {least:.0f} to {most:.0f} %): 16 min (")
    assert "; n = 20) after 79 min (" in found.sentence
    assert found.sentence.endswith("; n = 20).")


def test_a_change_for_the_worse_is_told_in_the_same_way() -> None:
    found = latest(cell("latest", [5 * value for value in QUARTER]), cell("previous", QUARTER))
    assert found.sentence.startswith("The median is 400 % longer (95 % interval ")


@pytest.mark.parametrize(("ended", "running", "n"), [(4, 0, "4"), (0, 0, "0"), (4, 3, "7 with 3 open")])
def test_fewer_than_five_say_nothing(ended: int, running: int, n: str) -> None:
    found = latest(cell("latest", QUARTER[:ended], tuple(QUARTER[:running])), cell("previous", QUARTER))
    assert found.sentence == f"Too few to say anything (n = {n})."
    assert (found.median_minutes, found.p90_minutes, found.change_pct, found.detectable_cut_pct) == (None,) * 4
    assert (found.measured, found.censored, found.previous_measured) == (ended, running, 20)


def test_too_few_before_are_nothing_to_compare_with() -> None:
    found = latest(cell("latest", QUARTER), cell("previous", QUARTER[:3]))
    assert found.change_pct is None
    assert "The period before has too few to compare with (n = 3); between two periods like this one, a cut of" in found.sentence


def test_open_incidents_are_named_and_neither_dropped_nor_ended() -> None:
    found = latest(cell("latest", QUARTER, (400.0, 900.0)), cell("previous", QUARTER))
    assert (found.measured, found.censored, found.median_minutes) == (20, 2, 90)
    assert "n = 22 with 2 open and 20" in found.sentence


def test_a_median_that_open_incidents_hide_is_not_known() -> None:
    found = latest(cell("latest", [5, 6, 7, 8, 9], (10.0,) * 8), cell("previous", QUARTER))
    assert found.median_minutes is None
    assert found.sentence == "The median is not known: too many are still open (n = 13 with 8 open)."


def test_an_interval_without_an_upper_end_has_none_in_words() -> None:
    found = latest(cell("latest", [10, 20, 30, 40, 50, 60], (15.0, 25, 35, 45, 55)), cell("previous", QUARTER))
    assert found.median_high_minutes is None
    assert "or more; n = 11 with 5 open and 20); which cut would have been seen is not known." in found.sentence


def test_a_median_before_that_open_incidents_hide_can_still_be_undercut() -> None:
    before = cell("previous", [300, 310, 320, 330, 340], (350.0,) * 30)
    found = latest(cell("latest", [10, 11, 12, 13, 14]), before)
    assert (found.change_pct, found.change_high_pct is not None and found.change_high_pct < 0) == (None, True)
    assert found.sentence.startswith("The median is shorter (95 % interval ")
    assert found.sentence.endswith(
        "12 min (10 to 14; n = 5) after one that is not known, so many are open (n = 35 with 30 open)."
    )


def test_where_durations_differ_a_thousandfold_no_cut_would_be_seen() -> None:
    found = latest(cell("latest", [1, 10, 100, 1000, 9000]), cell("previous", [1, 10, 100, 1000, 9000]))
    assert found.sentence == (
        "No change shown (median 100 min, 95 % interval 1 to 9,000; n = 5 and 5); no cut would reliably have been seen."
    )


def test_the_period_before_and_all_of_history_are_described_and_compared_with_nothing() -> None:
    rows = {each.period: each for each in summarize([cell("all", QUARTER), cell("latest", QUARTER), cell("previous", QUARTER)])}
    for period in ("all", "previous"):
        assert rows[period].sentence.startswith("Median 79 min (95 % interval ")
        assert (rows[period].previous_measured, rows[period].change_pct) == (None, None)


def test_a_group_is_compared_with_itself_alone() -> None:
    other = cell("previous", [1, 2, 3, 4, 5], service="search")
    found = latest(cell("latest", QUARTER), cell("previous", QUARTER), cell("all", QUARTER), other)
    assert found.previous_median_minutes == 79


def test_counts_a_week_and_what_the_engine_did_alone() -> None:
    found = latest(cell("latest", QUARTER, counting=45, incidents=50, engine_only=3, engine_known=12))
    assert found.per_week == pytest.approx(3.5)
    assert (found.incidents, found.engine_only_pct) == (50, 25)
    assert latest(cell("latest", QUARTER)).engine_only_pct is None


def test_a_history_of_less_than_a_week_is_not_blown_up_to_one() -> None:
    (found,) = summarize([cell("all", QUARTER, from_on=DAY, counting=4)])
    assert found.per_week == 4
    (unknown,) = summarize([cell("all", QUARTER, from_on=None)])
    assert unknown.per_week is None


def test_the_scale_of_minutes_scales_medians_and_leaves_percentages() -> None:
    plain = latest(cell("latest", QUARTER), cell("previous", QUARTER[:12]))
    scaled = latest(cell("latest", [3 * value for value in QUARTER]), cell("previous", [3 * value for value in QUARTER[:12]]))
    assert scaled.median_high_minutes == pytest.approx(3 * plain.median_high_minutes)
    for name in ("change_pct", "change_low_pct", "change_high_pct", "detectable_cut_pct"):
        assert getattr(scaled, name) == pytest.approx(getattr(plain, name))


def mitigated(number: int, started: date, minutes: int, **record: object) -> Told:
    begin = moment(f"{started} 08:00")
    times = {"impact_started": str(begin), "mitigated": str(begin + timedelta(minutes=minutes))}
    return Told(times, ((times["impact_started"], times["mitigated"]),), f"INC-{number}", record=record)


# Time to Mitigate and impact of each: 10, 20 … 60 minutes in the last 28 days; 0, 20 … 100 in those before.
NOW = [mitigated(n, DAY - timedelta(days=n), 10 * n) for n in range(1, 7)]
BEFORE = [mitigated(10 + n, DAY - timedelta(days=28 + n), 20 * n, service="search", severity="sev2") for n in range(6)]
RULES = IncidentSettings(period_days=28)


def test_a_night_summarizes_every_group_in_every_period(tmp_path: Path) -> None:
    rows = summaries(night(tmp_path, [*NOW, *BEFORE], RULES))
    groups = [
        ("*", "*"),
        ("sev1", "*"),
        ("sev2", "*"),
        ("*", "payment"),
        ("*", "search"),
        ("sev1", "payment"),
        ("sev2", "search"),
    ]
    assert {(row["severity"], row["service"]) for row in rows} == set(groups)
    assert len(rows) == len(groups) * 8 * 2 * 3
    found = summary(rows, "ttm")
    assert (found["from_on"], found["to_on"], found["incidents"], found["per_week"]) == (date(2025, 2, 10), DAY, 6, 1.5)
    assert (found["median_minutes"], found["previous_median_minutes"]) == (35, 50)
    assert found["change_pct"] == pytest.approx(-30)
    assert summary(rows, "ttm", "all")["median_minutes"] == 40


def test_a_period_without_incidents_has_none(tmp_path: Path) -> None:
    found = summary(summaries(night(tmp_path, [*NOW, *BEFORE], RULES)), "ttm", "latest", "sev2", "search")
    assert (found["incidents"], found["per_week"], found["impact_minutes"]) == (0, 0, None)
    assert found["sentence"] == "Too few to say anything (n = 0)."


def test_impact_is_that_of_all_windows_of_the_group(tmp_path: Path) -> None:
    rows = summaries(night(tmp_path, [*NOW, *BEFORE], RULES))
    assert {row["impact_minutes"] for row in rows if row["period"] == "latest" and row["clock"] == "wall"} == {210, None}
    assert summary(rows, "ttm", "all")["impact_minutes"] == 210 + 300


def test_what_the_engine_mitigated_alone_is_of_those_of_which_it_is_known(tmp_path: Path) -> None:
    known = {"INC-1": True, "INC-2": False, "INC-3": False, "INC-4": None, "INC-99": True}
    rows = summaries(night(tmp_path, NOW, RULES), known)
    assert summary(rows, "ttm")["engine_only_pct"] == pytest.approx(100 / 3)


def test_a_service_that_is_called_as_all_are_counts_once(tmp_path: Path) -> None:
    rows = summaries(night(tmp_path, [*NOW, mitigated(7, DAY, 70, service="*")], RULES))
    assert (summary(rows, "ttm")["incidents"], summary(rows, "ttm", severity="sev1")["incidents"]) == (7, 7)


def test_a_drill_is_no_incident_of_the_week(tmp_path: Path) -> None:
    drill = mitigated(7, DAY, 5000, counts_in_metrics=False, not_counted_because="a drill")
    found = summary(summaries(night(tmp_path, [*NOW, drill], RULES)), "ttm")
    assert (found["incidents"], found["measured"], found["excluded"], found["per_week"]) == (7, 6, 1, 1.5)
    assert found["median_minutes"] == 35


def test_the_counts_add_up(tmp_path: Path) -> None:
    rows = summaries(night(tmp_path, [*NOW, *BEFORE, Told({}, incident_id="INC-50", record={"severity": None})], RULES))
    for row in rows:
        assert row["incidents"] == sum(row[name] for name in ("measured", "censored", "missing", "invalid", "excluded"))
    assert summary(rows, "ttm", "all", "unknown")["missing"] == 1


def test_the_same_night_gives_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    files = []
    for name, incidents in (("one", [*NOW, *BEFORE]), ("other", [*BEFORE, *NOW][::-1])):
        runtime = night(tmp_path / name, incidents, RULES)
        summarize_incidents(runtime, DAY)
        files.append(runtime.lake.path(INCIDENT_SUMMARIES, DAY).read_bytes())
    assert files[0] == files[1]


def test_a_night_without_incidents_has_no_summaries(tmp_path: Path) -> None:
    assert summaries(night(tmp_path, [])) == []


def test_without_metrics_there_is_nothing_to_summarize(tmp_path: Path) -> None:
    with pytest.raises(MissingPartition, match="incident_records"):
        summarize_incidents(Runtime(Settings(home=tmp_path)), DAY)


def test_nothing_is_called_mttr_and_no_mean_is_without_its_kind(tmp_path: Path) -> None:
    text = json.dumps(summaries(night(tmp_path, [*NOW, *BEFORE], RULES)), default=str)
    assert "MTTR" not in text
    assert {name for name in INCIDENT_SUMMARIES.columns if "mean" in name} == {"geometric_mean_minutes"}
