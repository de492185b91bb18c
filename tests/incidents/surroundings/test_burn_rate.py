"""Multi-window burn-rate alerts over constructed data."""

# ruff: noqa: DTZ001 - times of incidents are naive UTC
from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dagster_project.domain.incidents.burn_rate import ALERTS, BurnRateAlert, Replay, replay
from dagster_project.domain.incidents.error_budget import Objective, levels
from dagster_project.domain.incidents.model import ImpactWindow

BEGAN = datetime(2025, 3, 3, 8)
THREE_NINES = Objective("payment-api", "availability", 0.999, 30)
FAST, SLOWER, SLOW, CREEPING = ALERTS
Samples = list[tuple[datetime, float, float]]


def minutes(share: float, lasts: int, before: int = 4_400, after: int = 60, total: float = 1_000.0) -> Samples:
    """A sample a minute: nothing fails but ``share`` of the events in the ``lasts`` minutes from the impact's begin."""
    return [
        (BEGAN + timedelta(minutes=n), total * (1 - (share if 0 <= n < lasts else 0.0)), total)
        for n in range(-before, lasts + after)
    ]


def played(samples: Samples, objective: Objective = THREE_NINES, lasts: int = 60, **more: float) -> dict[float, Replay]:
    window = ImpactWindow(BEGAN, BEGAN + timedelta(minutes=lasts))
    return {each.alert.rate: each for each in replay(levels(samples), objective, [window], **more)}


def test_an_outage_of_all_requests_pages_in_the_first_minute_that_burns_two_percent_of_the_budget() -> None:
    # 1.44 % of an hour's events must fail: 0.864 minutes of all of them.
    fast = played(minutes(1.0, 60))[14.4]
    assert (fast.status, fast.fired_at, fast.after_minutes) == ("fired", BEGAN + timedelta(minutes=1), 1.0)
    assert fast.sentence == (
        "Alert on 14.4 times the allowed burn (1 h and 5 min): it would have paged at 08:01 UTC on 2025-03-03, "
        "1 minute after the impact began."
    )


def test_a_tenth_of_failing_requests_pages_when_the_long_window_has_seen_enough_of_them() -> None:
    # The hour needs 14.4 x 0.1 % of its events: 0.1 n / 60 > 0.0144 from the 9th minute on.
    found = played(minutes(0.1, 60))
    assert found[14.4].after_minutes == 9.0
    # Six hours at 0.6 %: 0.1 n / 360 > 0.006 from the 22nd minute on. A day at 0.3 %: from the 44th on.
    assert (found[6.0].after_minutes, found[3.0].after_minutes) == (22.0, 44.0)
    # Three days at 0.1 %: 0.1 n / 4320 > 0.001 from the 44th minute on.
    assert found[1.0].after_minutes == 44.0


def test_what_burns_slower_than_the_rate_never_pages() -> None:
    found = played(minutes(0.01, 60))
    assert (found[14.4].status, found[14.4].fired_at) == ("quiet", None)
    assert found[14.4].sentence.endswith("it would not have paged.")


def test_both_windows_must_burn() -> None:
    """A burst that is over long before the window ends: the hour still burns, the last five minutes do not."""
    alert = BurnRateAlert(14.4, 60, 5)
    burst = minutes(1.0, 3)
    late = ImpactWindow(BEGAN + timedelta(minutes=20), BEGAN + timedelta(minutes=40))
    assert replay(levels(burst), THREE_NINES, [late], [alert])[0].status == "quiet"
    early = ImpactWindow(BEGAN, BEGAN + timedelta(minutes=3))
    assert replay(levels(burst), THREE_NINES, [early], [alert])[0].status == "fired"


def test_an_alert_that_was_on_before_the_impact_began_does_not_page_for_it() -> None:
    samples = minutes(1.0, 60)
    window = ImpactWindow(BEGAN + timedelta(minutes=30), BEGAN + timedelta(minutes=60))
    assert replay(levels(samples), THREE_NINES, [window])[0].status == "already"


def test_a_rate_that_no_share_of_errors_can_reach_is_told() -> None:
    lax = Objective("search-api", "latency", 0.9, 30)
    found = played(minutes(1.0, 240), lax, lasts=240)
    assert found[14.4].status == "unreachable"
    assert "it would need 144% of the requests to fail" in found[14.4].sentence
    # Six hours at 60 %: 216 minutes of all requests, and one more.
    assert (found[6.0].status, found[6.0].after_minutes) == ("fired", 217.0)


def test_just_reachable_is_all_that_can_fail() -> None:
    assert played(minutes(1.0, 60), Objective("a", "b", 0.5, 30))[1.0].status != "unreachable"
    (found,) = replay(
        levels(minutes(1.0, 9)), Objective("a", "b", 0.5, 30), [ImpactWindow(BEGAN, None)], [BurnRateAlert(2, 60, 5)]
    )
    assert found.status == "unreachable"


def test_data_that_is_coarser_than_the_short_window_tells_nothing() -> None:
    hourly = [(BEGAN + timedelta(hours=n), 500.0 if n >= 0 else 1_000.0, 1_000.0) for n in range(-80, 5)]
    found = played(hourly, lasts=240)
    assert [found[rate].status for rate in (14.4, 6.0)] == ["coarse", "coarse"]
    assert found[14.4].sentence.endswith("this cannot be told with hourly data.")
    # The first hour is over at nine; half of it failed, which is 2 % of a day and 0.7 % of three days.
    assert (found[3.0].after_minutes, found[1.0].after_minutes) == (60.0, 60.0)


def test_windows_that_reach_back_before_the_data_do_not_count() -> None:
    found = played(minutes(1.0, 60, before=300))
    assert found[14.4].status == "fired"
    assert [found[rate].status for rate in (6.0, 3.0, 1.0)] == ["fired", "short", "short"]
    # Six hours are only complete an hour after the begin, which is when the impact ends.
    assert found[6.0].after_minutes == 60.0


def test_a_handful_of_requests_is_no_trend() -> None:
    found = played(minutes(1.0, 60, total=2.0), min_events=100)
    # Five minutes hold 10 events, half an hour 60, two hours 240.
    assert [found[rate].status for rate in (14.4, 6.0, 3.0)] == ["few", "few", "fired"]
    assert "fewer than 100 events" in found[14.4].sentence


def test_the_rate_of_a_shorter_window_keeps_the_share_of_its_budget() -> None:
    weekly = played(minutes(1.0, 60), Objective("payment-api", "availability", 0.999, 7))
    assert weekly[14.4].rate == pytest.approx(3.36)


def test_without_data_or_impact_nothing_is_told() -> None:
    window = ImpactWindow(BEGAN, BEGAN + timedelta(hours=1))
    assert {each.status for each in replay(None, THREE_NINES, [window])} == {"unmeasured"}
    assert {each.status for each in replay(levels(minutes(1.0, 5)), THREE_NINES, [])} == {"unmeasured"}


def test_an_impact_that_lasts_is_replayed_to_the_end_of_the_data() -> None:
    (found,) = replay(levels(minutes(0.1, 30)), THREE_NINES, [ImpactWindow(BEGAN, None)], [FAST])
    assert found.after_minutes == 9.0
