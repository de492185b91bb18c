"""Zones as documents say them."""

from __future__ import annotations

from datetime import datetime

import pytest

from dagster_project.domain.incidents.importing.moments import leading
from dagster_project.domain.incidents.importing.zones import zone_declared, zone_named
from tests.incidents.importing.importing_builders import at


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("All times in CET.", "CET"),
        ("Date and Time in CET", "CET"),
        ("All times in UTC+1", "UTC+1"),
        ("_All times in EEST_", "EEST"),
        ("Timeline (times in BST)", "BST"),
        ("All times in US/Pacific.", "US/Pacific"),
        ("(all times UTC)", "UTC"),
        ("Time (UTC) | Event", "UTC"),
        ("Timezone: Europe/Paris", "Europe/Paris"),
        ("Times are in Pacific time", "Pacific time"),
        ("Time | Event", None),
        ("Time to recovery", None),
        ("Prometheus/Grafana were down at that time", None),
    ],
)
def test_what_a_document_says_of_its_times(text: str, name: str | None) -> None:
    zone = zone_declared(text)
    assert (zone.name if zone else None) == name


@pytest.mark.parametrize(
    ("name", "local", "utc"),
    [
        ("UTC+1", at("2024-07-01 12:00"), at("2024-07-01 11:00")),
        ("UTC-05:30", at("2024-07-01 12:00"), at("2024-07-01 17:30")),
        ("BST", at("2024-07-01 12:00"), at("2024-07-01 11:00")),
        ("EEST", at("2024-07-01 12:00"), at("2024-07-01 09:00")),
        ("CET", at("2024-01-01 12:00"), at("2024-01-01 11:00")),
        ("Europe/London", at("2024-07-01 12:00"), at("2024-07-01 11:00")),
        ("Pacific time", at("2024-01-01 12:00"), at("2024-01-01 20:00")),
    ],
)
def test_a_wall_clock_in_utc(name: str, local: datetime, utc: datetime) -> None:
    assert zone_named(name).utc(local) == utc


def test_a_standard_time_in_summer_is_local_time_and_its_letter_is_the_other_reading() -> None:
    zone, noon = zone_named("CET"), at("2020-10-06 12:00")
    assert zone.utc(noon) == at("2020-10-06 10:00")
    assert zone.other_reading(noon) == at("2020-10-06 11:00")
    assert zone.other_reading(at("2020-12-06 12:00")) is None


@pytest.mark.parametrize("name", ["", "Nowhere/Town", "../etc/passwd", "UTC+99", "\x00", "est"])
def test_an_unknown_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize(
    ("text", "zone", "rest"),
    [
        ("10:23 Prometheus/Grafana down", None, "Prometheus/Grafana down"),
        ("10:23 ZK down", None, "ZK down"),
        ("10:23Z ok", "Z", "ok"),
        ("12:00 (UTC+2) ok", "UTC+2", "ok"),
        ("12:00 PT ok", "PT", "ok"),
    ],
)
def test_a_word_after_a_time_is_no_zone_unless_it_is_one(text: str, zone: str | None, rest: str) -> None:
    written = leading(text)
    assert (written.zone, text[written.end :]) == (zone, rest)
