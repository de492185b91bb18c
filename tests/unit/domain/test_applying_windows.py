"""Maintenance windows on the wall clock of a zone: over midnight, on the days on which clocks are changed, several at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dagster_project.domain.applying.windows import DAYS, Window, next_opening, open_until

EVERY_DAY = frozenset(DAYS)


def window(begins: str, ends: str, days: str = "", zone: str = "UTC", **whose: Any) -> Window:
    return Window(time.fromisoformat(begins), time.fromisoformat(ends), frozenset(days.split()) or EVERY_DAY, zone, **whose)


def at(text: str) -> datetime:
    """A moment of 2025 in UTC, or in the zone that its offset says."""
    found = datetime.fromisoformat(f"2025-{text}")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def until(moment: str, *windows: Window, service: str | None = "api", environment: str | None = "prod") -> str | None:
    """Until when it is open, in UTC."""
    end = open_until(windows, service, environment, at(moment))
    return f"{end:%m-%d %H:%M}" if end else None


def opens(moment: str, *windows: Window, service: str | None = "api", environment: str | None = "prod") -> str | None:
    begin = next_opening(windows, service, environment, at(moment))
    return f"{begin:%m-%d %H:%M}" if begin else None


def spans(day: str, hours: Window) -> list[str]:
    """The spans of a weekly window that begin within two days of one, in UTC."""
    noon = at(f"{day} 12:00")
    found = [span for span in hours.spans(noon) if abs(span[0] - noon) <= timedelta(days=2)]
    return [f"{begin:%m-%d %H:%M} - {end:%m-%d %H:%M}" for begin, end in found]


def test_a_window_is_open_from_its_first_minute_to_before_its_last() -> None:
    hours = window("22:00", "23:30")
    assert until("03-10 21:59:59", hours) is None
    assert until("03-10 22:00", hours) == "03-10 23:30"
    assert until("03-10 23:29:59", hours) == "03-10 23:30"
    assert until("03-10 23:30", hours) is None


def test_one_that_ends_before_it_begins_ends_the_next_day_and_belongs_to_the_day_on_which_it_begins() -> None:
    hours = window("22:00", "04:00", "mon")  # 2025-03-10 is a Monday
    assert until("03-10 21:59", hours) is None
    assert until("03-10 23:00", hours) == "03-11 04:00"
    assert until("03-11 03:59", hours) == "03-11 04:00"
    assert until("03-11 04:00", hours) is None
    assert until("03-10 03:00", hours) is None, "the night to Monday belongs to Sunday"
    assert until("03-11 23:00", hours) is None


def test_one_that_ends_when_it_begins_is_a_whole_day() -> None:
    assert until("03-10 12:00", window("00:00", "00:00")) == "03-11 00:00"
    assert until("03-10 00:00", window("00:00", "00:00", "mon")) == "03-11 00:00"
    assert until("03-11 00:00", window("00:00", "00:00", "mon")) is None
    assert until("03-11 05:59", window("06:00", "06:00", "mon")) == "03-11 06:00"


def test_hours_are_those_of_the_zone() -> None:
    berlin = window("22:00", "06:00", "sun", "Europe/Berlin")
    assert until("03-09 20:59", berlin) is None
    assert until("03-09 21:00", berlin) == "03-10 05:00"
    tokyo = window("01:00", "03:00", "mon", "Asia/Tokyo")
    assert until("03-09 16:30", tokyo) == "03-09 18:00", "there it is Monday already"
    assert until("03-10 16:30", tokyo) is None
    kathmandu = window("00:00", "01:00", zone="Asia/Kathmandu")
    assert until("03-10 18:15", kathmandu) == "03-10 19:15"
    assert until("03-10 20:15+02:00", kathmandu) == "03-10 19:15", "the moment counts, not the zone in which it is given"


def test_of_several_windows_the_one_that_ends_last_counts() -> None:
    short, long, later = window("22:00", "23:00"), window("21:00", "02:00"), window("01:30", "03:00")
    assert until("03-10 22:30", short, long, later) == "03-11 02:00"
    assert until("03-10 22:30", short, later) == "03-10 23:00"
    assert until("03-11 01:45", short, long, later) == "03-11 03:00"


def test_a_window_of_a_service_or_an_environment_is_for_no_other() -> None:
    for_api = window("00:00", "00:00", service="API")
    for_prod = window("00:00", "00:00", environment="Prod")
    both = window("00:00", "00:00", service="api", environment="prod")
    day = "03-10 12:00"
    assert [until(day, each) for each in (for_api, for_prod, both)] == ["03-11 00:00"] * 3
    assert until(day, both, service="Api", environment="PROD") == "03-11 00:00"
    assert [until(day, each, service="web") for each in (for_api, for_prod, both)] == [None, "03-11 00:00", None]
    assert [until(day, each, environment="dev") for each in (for_api, for_prod, both)] == ["03-11 00:00", None, None]
    assert opens("03-10 12:00", window("13:00", "14:00", service="web")) is None


def test_what_is_not_known_is_in_the_windows_for_all_only() -> None:
    unknown: dict[str, None] = {"service": None, "environment": None}
    assert until("03-10 12:00", window("00:00", "00:00"), **unknown) == "03-11 00:00"
    for whose in ({"service": "api"}, {"environment": "prod"}):
        assert until("03-10 12:00", window("00:00", "00:00", **whose), **unknown) is None


def test_without_a_window_nothing_opens() -> None:
    assert until("03-10 12:00") is None
    assert opens("03-10 12:00") is None


def test_the_next_opening_is_the_first_of_all_windows_and_is_found_a_week_ahead() -> None:
    monday, evening = window("12:00", "13:00", "mon"), window("23:00", "23:30")
    assert opens("03-10 11:59", monday) == "03-10 12:00"
    assert opens("03-10 12:00", monday) == "03-17 12:00", "the one that is open has opened"
    assert opens("03-10 12:00", monday, evening) == "03-10 23:00"
    assert opens("03-10 23:00", monday, evening) == "03-11 23:00"
    assert opens("03-10 23:59", window("00:00", "01:00", "mon", "Pacific/Kiritimati")) == "03-16 10:00"


# Germany's clocks go from 02:00 to 03:00 on 2025-03-30 (01:00 UTC), and from 03:00 back to 02:00 on 2025-10-26 (01:00 UTC).


@pytest.mark.parametrize(
    ("hours", "open_spans"),
    [
        (("01:00", "04:00"), ["03-30 00:00 - 03-30 02:00"]),
        (("01:00", "02:00"), ["03-30 00:00 - 03-30 01:00"]),
        (("01:00", "02:30"), ["03-30 00:00 - 03-30 01:00"]),
        (("02:30", "04:00"), ["03-30 01:00 - 03-30 02:00"]),
        (("02:00", "03:00"), []),
        (("02:00", "02:30"), []),
        (("02:30", "03:00"), []),
        (("22:00", "02:30"), ["03-30 20:00 - 03-31 00:30"]),
        (("00:00", "00:00"), ["03-29 23:00 - 03-30 22:00"]),
    ],
)
def test_the_hour_that_is_skipped_in_spring_is_in_no_window(hours: tuple[str, str], open_spans: list[str]) -> None:
    assert spans("03-30", window(*hours, "sun", "Europe/Berlin")) == open_spans


def test_a_window_into_the_hour_that_is_skipped_ends_when_the_clock_skips() -> None:
    night = window("22:00", "02:30", "sat", "Europe/Berlin")
    assert until("03-30 00:59:59", night) == "03-30 01:00"
    assert until("03-30 01:00", night) is None, "it is three o'clock there"


@pytest.mark.parametrize(
    ("hours", "open_spans"),
    [
        (("01:00", "04:00"), ["10-25 23:00 - 10-26 03:00"]),
        (("01:00", "02:30"), ["10-25 23:00 - 10-26 00:30"]),
        (("02:00", "02:30"), ["10-26 00:00 - 10-26 00:30"]),
        (("02:00", "03:00"), ["10-26 00:00 - 10-26 02:00"]),
        (("02:30", "04:00"), ["10-26 00:30 - 10-26 03:00"]),
        (("00:00", "00:00"), ["10-25 22:00 - 10-26 23:00"]),
    ],
)
def test_of_the_hour_that_comes_twice_in_autumn_a_time_is_the_first(hours: tuple[str, str], open_spans: list[str]) -> None:
    assert spans("10-26", window(*hours, "sun", "Europe/Berlin")) == open_spans


def test_a_clock_that_skips_midnight_leaves_no_hole_between_whole_days() -> None:
    """Chile's clocks go from 00:00 to 01:00 on 2025-09-07 (04:00 UTC)."""
    always = window("00:00", "00:00", zone="America/Santiago")
    assert until("09-07 03:59", always) == "09-07 04:00"
    assert until("09-07 04:00", always) == "09-08 03:00"


def test_around_the_days_of_a_change_a_window_is_open_exactly_when_the_wall_clock_says_so() -> None:
    """Outside of the hour that comes twice, a window is open exactly at the times that are written in it."""
    hours = window("01:30", "02:45", zone="Europe/Berlin")
    for day in ("03-29", "03-30", "03-31", "10-25", "10-27"):
        for minute in range(0, 1440, 5):
            moment = at(f"{day} 00:00") + timedelta(minutes=minute)
            shown = moment.astimezone(ZoneInfo("Europe/Berlin")).time()
            assert (open_until((hours,), None, None, moment) is not None) == (time(1, 30) <= shown < time(2, 45)), moment
