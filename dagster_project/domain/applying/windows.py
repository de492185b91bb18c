"""When production may be touched: maintenance windows in the time zone of those who work there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days, on the wall clock of a zone. One that ends before it begins, or when it begins, ends the next day. A
    window without a service or an environment is for all of them."""

    begins: time
    ends: time
    days: frozenset[str]
    zone: str
    service: str | None = None
    environment: str | None = None

    def is_for(self, service: str | None, environment: str | None) -> bool:
        """Whether it is a window of a service in an environment, whatever the case of their names."""
        pairs = ((self.service, service), (self.environment, environment))
        return all(said is None or (has is not None and said.lower() == has.lower()) for said, has in pairs)

    def spans(self, now: datetime) -> Iterable[tuple[datetime, datetime]]:
        """Its spans around a moment, in UTC: from the day before it to eight days after it."""
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        for offset in range(-1, 9):
            day = today + timedelta(days=offset)
            if DAYS[day.weekday()] not in self.days:
                continue
            last = day + timedelta(days=1) if self.ends <= self.begins else day
            begins, ends = (_moment(datetime.combine(*at, tzinfo=zone)) for at in ((day, self.begins), (last, self.ends)))
            if begins < ends:  # the hour that a clock skips in spring is no window
                yield begins, ends


def _moment(at: datetime) -> datetime:
    """A time of a wall clock in UTC: of one that comes twice the first, of one that the clock skips the moment at which it
    skips, so that no window is open beyond its hours."""
    after, before = (at.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if after <= before:
        return after
    while after - before > timedelta(seconds=1):  # it is skipped: the clock jumps between the two
        middle = before + (after - before) // 2
        is_after = middle.astimezone(at.tzinfo).utcoffset() == after.astimezone(at.tzinfo).utcoffset()
        before, after = (before, middle) if is_after else (middle, after)
    return after.replace(microsecond=0)


def open_until(windows: Iterable[Window], service: str | None, environment: str | None, now: datetime) -> datetime | None:
    """When the window ends in which a moment lies, the latest of several; None where it lies in none."""
    ends = [
        end for window in windows if window.is_for(service, environment) for begin, end in window.spans(now) if begin <= now < end
    ]
    return max(ends, default=None)


def next_opening(windows: Iterable[Window], service: str | None, environment: str | None, now: datetime) -> datetime | None:
    """When the next window begins; None where there is none."""
    begins = [begin for window in windows if window.is_for(service, environment) for begin, _ in window.spans(now) if begin > now]
    return min(begins, default=None)
