"""Charts are pure functions of their values: what they draw, leave out, and say to those who do not see."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.reporting import charts
from dagster_project.reporting.page_views import Peaks
from dagster_project.reporting.views import DemandChart, VerdictCount
from dagster_project.reporting.words import percent

SVG = "{http://www.w3.org/2000/svg}"
TUESDAY = datetime.fromisoformat("2026-03-10T00:00")


def day(*cpu: float | None, memory: tuple[float | None, ...] = (), limit: float = 50.0) -> DemandChart:
    return DemandChart(TUESDAY, len(cpu), cpu, memory, limit, None)


def week(level: float = 10.0) -> DemandChart:
    return DemandChart(TUESDAY, 168, (level,) * 168, (20.0,) * 168, 50.0, 25.0)


def paths(svg: str, marker: str) -> list[str]:
    found = ElementTree.fromstring(svg).iter(f"{SVG}path")  # noqa: S314 - our own output
    return [path.attrib["d"] for path in found if marker in path.attrib["style"]]


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own output


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0%"), (0.04, "<0.1%"), (0.05, "0.1%"), (6.14, "6.1%"), (50.0, "50%"), (97.44, "97.4%"), (99.94, "99.9%"),
        (99.97, ">99.9%"), (100, "100%"), (131.0, "131%"), (-2.5, "−2.5%"),
    ],
)  # fmt: skip
def test_a_percentage_reads_none_or_all_only_when_it_is(value: float, text: str) -> None:
    assert percent(value) == text


def test_cpu_is_an_area_of_hourly_steps_under_a_line() -> None:
    svg = charts.demand_chart(day(20.0, 40.0, 30.0))
    assert paths(svg, "fill-opacity:.16") == ["M0 80.00H1V60.00H2V70.00H3V100H0Z"]
    assert paths(svg, "stroke:var(--accent,#0b6b57);stroke-width:1.5") == ["M0 80.00H1V60.00H2V70.00H3"]


def test_a_gap_is_left_open_and_an_hour_between_two_gaps_stays_visible() -> None:
    svg = charts.demand_chart(day(20.0, None, 40.0, None, 30.0, 30.0))
    assert paths(svg, "stroke:var(--accent,#0b6b57);stroke-width:1.5") == [
        "M0 80.00H1", "M2 60.00H3", "M4 70.00H5V70.00H6",
    ]  # fmt: skip


def test_hours_after_the_last_value_are_a_gap() -> None:
    chart = replace(day(20.0, 20.0), hours=24)
    assert charts.demand_description(chart).endswith("22 hours without data.")


def test_the_limit_of_the_smaller_size_is_a_dashed_line_with_its_number() -> None:
    svg = charts.demand_chart(day(20.0, 20.0, limit=37.5))
    assert "M0 62.50H2" in paths(svg, "stroke-dasharray")
    assert "full at 37.5%" in texts(svg)


def test_equal_limits_are_one_line_and_different_ones_are_two() -> None:
    different = week()
    equal = replace(different, target_memory_limit_pct=50.0)
    assert "CPU and memory full at 50%" in texts(charts.demand_chart(equal))
    assert {"CPU full at 50%", "memory full at 25%"} < set(texts(charts.demand_chart(different)))


def test_labels_of_limits_that_are_near_each_other_part_above_and_below() -> None:
    svg = charts.demand_chart(replace(week(), target_memory_limit_pct=47.0))
    y = {text: float(at) for at, text in re.findall(r'y="([\d.]+)" text-anchor="end"[^>]*>([^<]+)<', svg)}
    assert y["memory full at 47%"] - y["CPU full at 50%"] > 14


def test_memory_that_is_not_measured_is_neither_drawn_nor_in_the_legend() -> None:
    svg = charts.demand_chart(replace(week(), memory_pct=()))
    assert "Memory" not in texts(svg)
    assert "full at 50%" in texts(svg)
    assert "Memory is not measured." in svg


def test_the_axis_names_every_day_of_the_week() -> None:
    assert texts(charts.demand_chart(week()))[-7:] == [
        "Tue 10", "Wed 11", "Thu 12", "Fri 13", "Sat 14", "Sun 15", "Mon 16",
    ]  # fmt: skip


def test_a_week_that_starts_at_noon_has_its_ticks_at_midnight() -> None:
    svg = charts.demand_chart(replace(week(), starts_at=datetime.fromisoformat("2026-03-10T12:00")))
    assert [path for path in paths(svg, "stroke-width:1") if "V100" in path and "Z" not in path] == [
        "M12 0V100", "M36 0V100", "M60 0V100", "M84 0V100", "M108 0V100", "M132 0V100", "M156 0V100",
    ]  # fmt: skip


def test_the_scale_is_the_present_size_unless_something_is_above_it() -> None:
    assert paths(charts.demand_chart(day(50.0)), "fill-opacity") == ["M0 50.00H1V100H0Z"]
    assert paths(charts.demand_chart(day(50.0, limit=110.0)), "fill-opacity") == ["M0 60.00H1V100H0Z"]


def test_the_title_says_the_peak_and_the_limit() -> None:
    chart = replace(week(), cpu_pct=(*[10.0] * 62, 31.26, *[10.0] * 105))
    assert charts.demand_title(chart) == "7 days of demand: CPU peaks at 31.3%, the smaller size is full at 50%"
    assert charts.demand_description(chart) == (
        "Hourly maxima in percent of the present size, Tue 2026-03-10 00:00 to Tue 2026-03-17 00:00 UTC. "
        "CPU peaks at 31.3% on Thu 2026-03-12 14:00; the smaller size is full at 50%. "
        "Memory peaks at 20% on Tue 2026-03-10 00:00; the smaller size is full at 25%."
    )


def test_a_week_without_data_says_so() -> None:
    chart = DemandChart(TUESDAY, 24, (None,) * 24, (), 50.0, None)
    assert charts.demand_title(chart) == "1 day of demand: no CPU data"
    assert charts.demand_caption(chart) == "Hourly maxima in percent of the present size, UTC. 24 hours without data."
    assert charts.sparkline(chart) == "····"


def test_a_chart_has_no_id_that_could_collide() -> None:
    assert " id=" not in charts.demand_chart(week()) + charts.verdict_bar([VerdictCount("keep", 1, 0.0)])


def test_verdicts_stand_in_reading_order_and_in_proportion() -> None:
    bar = charts.verdict_bar([VerdictCount("keep", 75, 0.0), VerdictCount("propose", 25, 1.0)])
    assert "<title>100 resources: 25 proposed, 75 kept</title>" in bar
    assert re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"', bar) == [("0.00", "24.94"), ("25.19", "74.81")]


def test_one_resource_among_thousands_is_still_seen() -> None:
    bar = charts.verdict_bar([VerdictCount("propose", 1, 1.0), VerdictCount("keep", 20_000, 0.0)])
    assert "<title>20,001 resources: 1 proposed, 20,000 kept</title>" in bar
    assert 'width="0.79"' in bar


def test_no_resources_are_an_empty_track() -> None:
    bar = charts.verdict_bar([VerdictCount("propose", 0, 0.0)])
    assert "<title>No resources</title>" in bar
    assert bar.count("<rect") == 1


def test_a_verdict_of_a_newer_version_comes_last_under_its_own_name() -> None:
    bar = charts.verdict_bar([VerdictCount("<new>", 1, 0.0), VerdictCount("refuse", 1, 0.0)])
    assert "<title>2 resources: 1 refused, 1 &lt;new&gt;</title>" in bar


def test_a_share_never_leaves_its_track() -> None:
    assert 'width="42.50" height="8" style="fill:var(--accent' in charts.share_bar(42.5)
    assert 'width="100.00" height="8" style="fill:var(--accent' in charts.share_bar(180.0)


def test_a_sparkline_mark_is_the_maximum_of_six_hours_against_the_limit() -> None:
    cpu = (*[1.0] * 5, 25.0, *[None] * 6, *[50.0] * 6, *[0.0] * 6, *[12.5] * 6)
    assert charts.sparkline(DemandChart(TUESDAY, 30, cpu, (), 50.0, None)) == "▄·█▁ ▂"


def four_days(*cpu: float | None, memory: tuple[float | None, ...] = (), limit: float | None = 50.0) -> Peaks:
    return Peaks(date(2026, 3, 10), cpu, memory, limit)


def test_peaks_of_days_are_bars_and_a_day_without_data_has_none() -> None:
    svg = charts.peaks_chart(four_days(20.0, None, 60.0))
    assert paths(svg, "fill-opacity:.45") == ["M0.15 100V80.0h0.7V100ZM2.15 100V40.0h0.7V100Z"]
    assert "<title>3 days: CPU peaks at 60%; the smaller size is full at 50%</title>" in svg
    assert texts(svg) == ["10 Mar", "12 Mar"]


def test_the_limit_of_peaks_is_dashed_and_left_out_where_it_is_not_known() -> None:
    assert paths(charts.peaks_chart(four_days(20.0, 30.0)), "stroke-dasharray") == ["M0 50.00H2"]
    unknown = charts.peaks_chart(four_days(20.0, 30.0, limit=None))
    assert paths(unknown, "stroke-dasharray") == []
    assert "<title>2 days: CPU peaks at 30%</title>" in unknown


def test_memory_of_days_is_a_line_with_gaps_and_the_scale_grows_with_what_is_above_it() -> None:
    svg = charts.peaks_chart(four_days(None, None, None, memory=(150.0, None, 75.0)))
    assert paths(svg, "stroke-linejoin") == ["M0 0.00H1", "M2 50.00H3"]
    assert "<title>3 days: no CPU data, memory at 150%; the smaller size is full at 50%</title>" in svg


def test_the_caption_of_peaks_names_the_marks_that_are_there() -> None:
    both = four_days(20.0, None, memory=(None, 30.0))
    assert charts.peaks_caption(both) == (
        "Highest CPU (bars) and memory (line) of each day, in percent of the present size; "
        "dashed: where the CPU of the smaller size is full."
    )
    cpu = four_days(20.0, None, memory=(None, None), limit=None)
    assert charts.peaks_caption(cpu) == "Highest CPU (bars) of each day, in percent of the present size."


levels = st.one_of(st.none(), st.floats(0, 250, allow_nan=False))


@given(cpu=st.lists(levels, max_size=60), memory=st.lists(levels, max_size=60), hour=st.integers(0, 23))
def test_any_week_is_well_formed_and_stays_inside_the_plot(
    cpu: list[float | None], memory: list[float | None], hour: int
) -> None:
    chart = DemandChart(TUESDAY.replace(hour=hour), 48, tuple(cpu), tuple(memory), 50.0, 40.0)
    svg = charts.demand_chart(chart)
    assert svg == charts.demand_chart(chart)
    heights = [float(y) for path in paths(svg, "stroke-linejoin") for y in re.findall(r"[V ]([\d.-]+)", path)]
    assert all(0 <= y <= 100 for y in heights)
