"""Times as people write them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.incidents.importing.calendars import Calendar
from dagster_project.domain.incidents.importing.moments import Written, leading, moments_in
from dagster_project.domain.incidents.importing.zones import zone_named
from tests.incidents.importing.importing_builders import at

MOMENTS = st.datetimes(at("1995-01-01 00:00"), at("2098-12-31 00:00")).map(lambda one: one.replace(second=0, microsecond=0))
FORMATS = (
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H.%M",
    "%d.%m.%Y %H:%M",
    "%d %B %Y %H:%M",
    "%B %d, %Y %I:%M %p",
    "%b %d %Y at %I:%M%p",
    "%A, %d %B %Y, %H:%M",
    "%H:%M on %d %B %Y",
    "**%Y-%m-%d %H:%M**",
    "[%Y-%m-%d %H:%M]",
)


def read(text: str, near: date = date(2024, 5, 1)) -> Written:
    written = leading(text)
    assert written is not None, text
    return written


@given(MOMENTS, st.sampled_from(FORMATS))
def test_a_rendered_time_is_read_back(moment: datetime, form: str) -> None:
    text = moment.strftime(form)
    written = read(text)
    assert written.day is not None
    assert written.day.on(moment.date()) == moment.date()
    assert written.clock == moment.time()
    assert written.precision == "minute"


@given(MOMENTS, st.sampled_from(("~{}", "{}~", "{}:", "{} –", "- {}", "around {}", "({})", "`{}`")))
def test_marks_around_a_time_do_not_change_it(moment: datetime, frame: str) -> None:
    written = read(frame.format(moment.strftime("%Y-%m-%d %H:%M")) + " text")
    assert (written.day.on(None), written.clock) == (moment.date(), moment.time())


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_or_moves_it_backwards(text: str) -> None:
    ends = [(one.start, one.end) for one in moments_in(text)]
    assert all(start <= end <= len(text) for start, end in ends)
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("text", "clock", "precision"),
    [
        ("11.50 – declared", time(11, 50), "minute"),
        ("8.55 PM", time(20, 55), "minute"),
        ("12:00 AM", time(0), "minute"),
        ("12:30 pm", time(12, 30), "minute"),
        ("13:05 PM", time(13, 5), "minute"),
        ("9am", time(9), "hour"),
        ("14h30", time(14, 30), "minute"),
        ("06:13:27", time(6, 13, 27), "second"),
        ("14:?? scaled down", time(14), "hour"),
        ("9:29", time(9, 29), "minute"),
    ],
)
def test_a_time_of_the_day(text: str, clock: time, precision: str) -> None:
    written = read(text)
    assert (written.clock, written.precision) == (clock, precision)


@pytest.mark.parametrize(
    "text", ["2024-03-13 HH:mm", "2019-12-03 --:--", "2024-03-13 ??:??", "2023-01-04 (Time TBC)", "2023-01-04 TBD"]
)
def test_a_placeholder_is_the_day_alone(text: str) -> None:
    written = read(text)
    assert (written.clock, written.precision, written.fault) == (None, "day", "placeholder")


@pytest.mark.parametrize("text", ["21:210", "2024-01-01 25:10", "2024-01-01 12:75"])
def test_an_impossible_time_is_none(text: str) -> None:
    written = read(text)
    assert (written.clock, written.fault) == (None, "impossible_time")


@pytest.mark.parametrize(
    ("text", "year"),
    [("20202-01-16 12:00", 2020), ("22025-01-16 12:00", 2025), ("20244-01-16 12:00", 2024), ("99999-01-16", None)],
)
def test_an_impossible_year_is_no_date_and_its_likely_one_is_kept_apart(text: str, year: int | None) -> None:
    written = read(text)
    assert (written.day, written.fault, written.precision) == (None, "impossible_date", "unknown")
    assert (written.likely.year if written.likely else None) == year


@pytest.mark.parametrize("text", ["2023-02-30 10:00", "31/31/2024", "2024-13-01 10:00"])
def test_a_day_that_no_calendar_has_is_not_guessed(text: str) -> None:
    written = read(text)
    assert (written.day, written.likely, written.fault) == (None, None, "impossible_date")


def test_a_range_has_its_end() -> None:
    written = read("2020-10-06 09:00 - 11:00 | Investigation")
    assert (written.clock, written.until) == (time(9), time(11))
    written = read("Between 2020-02-18 14:22 and 2020-02-18 14:26, no metrics")
    assert (written.clock, written.until) == (time(14, 22), time(14, 26))
    written = read("March 12, 2024 23:39 UTC to March 13, 2024 1:58 UTC")
    assert (written.until, written.until_day.on(None), written.zone) == (time(1, 58), date(2024, 3, 13), "UTC")


@pytest.mark.parametrize(
    "text", ["1.24 released", "3 pods", "may 2024 be better", "10 percent", "0.11.50 of the chart", "May we ask"]
)
def test_a_number_is_no_time(text: str) -> None:
    written = leading(text)
    assert written is None or written.clock is None


def test_a_numeric_day_that_can_be_read_both_ways_is_the_one_near_the_document() -> None:
    assert read("04/05/2024 10:00").day.on(date(2024, 4, 6)) == date(2024, 4, 5)
    assert read("04/05/2024 10:00").day.on(date(2024, 5, 2)) == date(2024, 5, 4)
    assert read("24/07/25").day.on(None) == date(2025, 7, 24)


def test_a_missing_year_is_the_nearest_one() -> None:
    assert read("31 December 10:00").day.on(date(2024, 1, 2)) == date(2023, 12, 31)
    assert read("Jan 2").day.on(date(2023, 12, 30)) == date(2024, 1, 2)


def test_a_time_after_midnight_is_of_the_next_day_and_a_row_out_of_order_is_not() -> None:
    calendar = Calendar(date(2025, 5, 12), zone_named("EEST"))
    found = [calendar.find(read(text)) for text in ("22:00", "23:10", "23:05", "00:40", "00:47")]
    assert [one.at for one in found] == [
        at("2025-05-12 19:00"),
        at("2025-05-12 20:10"),
        at("2025-05-12 20:05"),
        at("2025-05-12 21:40"),
        at("2025-05-12 21:47"),
    ]
    assert [one.rolled_over for one in found] == [False, False, False, True, False]


@given(MOMENTS, st.sampled_from(("CET", "Europe/London", "UTC+5:30", "PST", "UTC")))
def test_a_zone_there_and_back_is_the_same_time(moment: datetime, name: str) -> None:
    zone = zone_named(name)
    local = zone.local(moment)
    # The hour that comes twice in autumn is read as its first.
    assert moment - zone.utc(local) in (timedelta(0), timedelta(hours=1))
