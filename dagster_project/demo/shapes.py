"""How the demo's resources are loaded: one named shape of demand each, as 5-minute series over a fixed calendar.

Percentages are of the present size (0..100), bytes and operations are sums over the 5-minute interval. NaN is a metric
that does not exist or was not delivered. A group's bytes and operations are the mean of its members, like its CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEP_MINUTES = 5
STEPS_PER_DAY = 24 * 60 // STEP_MINUTES
BRAND_NEW_HOURS = 20
RESIZED_DAYS_BEFORE_LAST = 4
RESIZED_HOUR = 3
SPIKE_PCT = 95.0
SATURATED_PCT = 97.0
_BATCH_DAYS_BEFORE_LAST = (12, 10)  # outside of a 7-day look-back, inside of a 28-day one
_RAMP_DAYS = 35


@dataclass(frozen=True)
class Calendar:
    """The sampling grid, oldest first; every array has one value per 5-minute interval."""

    at: NDArray[np.datetime64]  # start of the interval, UTC
    hour: Floats  # hour of the day, 0 <= hour < 24
    weekday: NDArray[np.int64]  # Monday = 0
    days_left: NDArray[np.int64]  # 0 on the last day
    is_month_end: Flags  # the last two days of a month and the first day of the next

    @classmethod
    def ending(cls, last_day: date, days: int) -> Calendar:
        """``days`` whole days, the last sample at 23:55 of ``last_day``."""
        first = np.datetime64(last_day - timedelta(days=days - 1), "us")
        index = np.arange(days * STEPS_PER_DAY)
        at = first + index * np.timedelta64(STEP_MINUTES, "m")
        day = at.astype("datetime64[D]")
        month = day.astype("datetime64[M]")
        to_next_month = ((month + 1).astype("datetime64[D]") - day).astype(np.int64)
        of_month = (day - month.astype("datetime64[D]")).astype(np.int64)
        return cls(
            at=at,
            hour=(index % STEPS_PER_DAY) * (STEP_MINUTES / 60),
            weekday=(day.astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday
            days_left=days - 1 - index // STEPS_PER_DAY,
            is_month_end=(to_next_month <= 2) | (of_month == 0),
        )

    def between(self, start: datetime, end: datetime) -> Flags:
        """The intervals that lie wholly in ``start``..``end`` (UTC)."""
        step = np.timedelta64(STEP_MINUTES, "m")
        return (self.at >= np.datetime64(start, "us")) & (self.at + step <= np.datetime64(end, "us"))


@dataclass(frozen=True)
class Machine:
    """What a shape needs to know of the resource that it loads."""

    shape: str
    ordinal: int  # position among the resources of its cohort; decides between two variants of a shape
    vcpu: int
    peak_pct: tuple[float, float] = (16.0, 24.0)  # daily peak of mean CPU, drawn from here (diurnal, spot)
    smaller_net_gbps: float = 1.25  # network baseline of the next smaller size (network_bound)
    credits_per_hour: float | None = None  # burstable types only
    members: tuple[int, int] | None = None  # min_size and max_size of a group


@dataclass
class Load:
    """What a shape asks for, before noise: CPU, memory, and how it departs from the ordinary."""

    cpu: Floats
    mem: Floats | float
    noise: float = 1.0  # 1 = a service with human users; less for work that runs by plan
    cpu_limit: float = 96.0
    mem_limit: float = 97.0
    mem_swing: float = 1.0  # standard deviation of the slow change of memory, percent points
    spikes: Flags | None = None  # intervals that hold a short burst which the average hides
    present: Flags | None = None  # intervals with a sample; None = all
    net_gbps: Floats | None = None
    lost_memory_share: float = 0.0  # share of samples in which the memory agent delivered nothing
    p99_of_max: float | None = None  # scales CPU so that the 99th percentile of cpu_max is this


Rng = np.random.Generator
Shape = Callable[[Calendar, Rng, Machine], Load]


def _hump(calendar: Calendar, centre: float, width: float, weekend: float = 0.55) -> Floats:
    """0..1: a working day around ``centre`` o'clock; ``weekend`` is the height on Saturday and Sunday."""
    height = np.where(calendar.weekday >= 5, weekend, 1.0)
    return height * np.exp(-0.5 * ((calendar.hour - centre) / width) ** 2)


def _plateau(calendar: Calendar, start: float, end: float) -> Floats:
    """0..1: on between two hours of the day, with shoulders of half an hour."""
    return np.clip((calendar.hour - start) / 0.5, 0, 1) * np.clip((end - calendar.hour) / 0.5, 0, 1)


def _slow(calendar: Calendar, rng: Rng, hours: int = 2) -> Floats:
    """Unit-variance noise that changes over hours, not from sample to sample."""
    stride = hours * 60 // STEP_MINUTES
    knots = rng.standard_normal(len(calendar.at) // stride + 2)
    return np.interp(np.arange(len(calendar.at)) / stride, np.arange(len(knots)), knots)


def _idle(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    level = rng.uniform(4, 9.5)
    cpu = level * (1 + rng.uniform(0.15, 0.5) * _hump(calendar, rng.uniform(12, 15), 3.5))
    if machine.ordinal % 3 == 0:  # a nightly backup: the only thing that some of them ever do
        cpu += rng.uniform(4, 9) * _plateau(calendar, 1, 2)
    return Load(cpu, rng.uniform(13, 27), cpu_limit=29.0, mem_limit=33.0)


def _diurnal(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    peak = rng.uniform(*machine.peak_pct)
    floor = peak * rng.uniform(0.22, 0.35)
    cpu = floor + (peak - floor) * _hump(calendar, rng.uniform(12.5, 15.5), rng.uniform(3.0, 4.2))
    return Load(cpu, rng.uniform(18, 28) + 0.5 * peak, lost_memory_share=0.005)


def _weekly_peak(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    monday = np.where(calendar.weekday == 0, _plateau(calendar, 8, 17), 0.0)
    return Load(rng.uniform(4, 7) + rng.uniform(57, 61) * monday, 24 + 14 * monday, noise=0.35)


def _month_end_peak(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    closing = np.where(calendar.is_month_end, _plateau(calendar, 6, 22), 0.0)
    return Load(rng.uniform(4, 8) + rng.uniform(60, 64) * closing, 22 + 18 * closing, noise=0.35)


def _memory_bound(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    # A cache fills for days and is trimmed: a saw tooth between 83 and 88 percent.
    period = int(rng.integers(2, 5)) * STEPS_PER_DAY
    mem = 83 + 5 * ((np.arange(len(calendar.at)) + int(rng.integers(period))) % period) / period
    return Load(rng.uniform(4, 5.5) * np.ones(len(calendar.at)), mem, mem_limit=91.0, mem_swing=0.25)


def _short_spikes(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    spikes = np.zeros(len(calendar.at), dtype=np.bool_)
    for first in range(0, len(calendar.at), STEPS_PER_DAY):
        spikes[first + rng.choice(STEPS_PER_DAY, size=int(rng.integers(4, 9)), replace=False)] = True
    return Load(rng.uniform(10, 12.5) + 2 * _hump(calendar, 14, 4), rng.uniform(26, 36), spikes=spikes)


def _ramp_up(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    steps_to_end = np.arange(len(calendar.at))[::-1]
    grown = np.clip(1 - steps_to_end / (_RAMP_DAYS * STEPS_PER_DAY), 0, 1)
    daily = 1 + 0.12 * np.cos(2 * np.pi * (calendar.hour - 14) / 24)  # mean 1 over a day: the trend is exact
    return Load((8 + 26 * grown) * daily, 24 + 14 * grown, noise=0.5)


def _resized(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    days, rest = RESIZED_DAYS_BEFORE_LAST, calendar.hour >= RESIZED_HOUR
    after = (calendar.days_left < days) | ((calendar.days_left == days) & rest)
    factor = 0.5 if machine.ordinal % 2 == 0 else 2.0  # even: was halved since, so it stood at half before
    scale = np.where(after, 1.0, factor)
    now = rng.uniform(17, 20) * (1 + 0.3 * _hump(calendar, 14, 3.5))
    return Load(now * scale, rng.uniform(26, 30) * scale, noise=0.5)


def _off_at_night(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    cpu = rng.uniform(8, 14) * (0.6 + 0.6 * _hump(calendar, 13, 4, weekend=0.2))
    return Load(cpu, rng.uniform(24, 34), present=(calendar.hour >= 6) & (calendar.hour < 20))


def _batch_farm(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    hours = (calendar.hour >= 9) & (calendar.hour < 18)
    running = np.isin(calendar.days_left, _BATCH_DAYS_BEFORE_LAST) & hours
    return Load(np.where(running, 140.0, rng.uniform(1.2, 2.4)), np.where(running, 71.0, 11.0))


def _brand_new(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    load = _idle(calendar, rng, machine)
    load.present = np.arange(len(calendar.at)) >= len(calendar.at) - BRAND_NEW_HOURS * 60 // STEP_MINUTES
    return load


def _burst_credits(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    # A weekday spends more credits than its night earns back; the weekend refills the balance.
    day = np.where(calendar.weekday < 5, _plateau(calendar, 8, 19), 0.1 * _plateau(calendar, 8, 19))
    return Load(rng.uniform(6, 9) + rng.uniform(54, 60) * day, rng.uniform(30, 42))


def _busy(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    cpu = 34 + 30 * _hump(calendar, rng.uniform(13, 16), 4.5, weekend=0.8)
    return Load(cpu, rng.uniform(52, 66), p99_of_max=rng.uniform(72, 83))


def _no_memory(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    load = _idle(calendar, rng, machine)
    load.mem = np.nan
    return load


def _sparse(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    load = _idle(calendar, rng, machine)
    load.present = rng.random(len(calendar.at)) >= 0.4
    return load


def _network_bound(calendar: Calendar, rng: Rng, machine: Machine) -> Load:
    share = 0.55 + 0.42 * _hump(calendar, 14, 4.5, weekend=0.9)
    return Load(rng.uniform(9, 13) * share, rng.uniform(20, 28), net_gbps=machine.smaller_net_gbps * share)


SHAPES: dict[str, Shape] = {
    "idle_oversized": _idle,
    "diurnal": _diurnal,
    "weekly_peak": _weekly_peak,
    "month_end_peak": _month_end_peak,
    "memory_bound": _memory_bound,
    "short_spikes": _short_spikes,
    "ramp_up": _ramp_up,
    "resize_mid_window": _resized,
    "off_at_night": _off_at_night,
    "batch_farm": _batch_farm,
    "brand_new": _brand_new,
    "burst_credits": _burst_credits,
    "service_emergency": _idle,
    "asg_emergency": _idle,
    "busy": _busy,
    "no_memory": _no_memory,
    "sparse": _sparse,
    "spot": _diurnal,
    "eks_managed": _idle,
    "excluded": _idle,
    "network_bound": _network_bound,
}


@dataclass
class Series:
    """The metrics of one resource; ``present`` marks the intervals that were delivered at all."""

    present: Flags
    metrics: dict[str, Floats] = field(default_factory=dict)

    def saturate(self, during: Flags, rng: Rng) -> None:
        """CPU at its limit in ``during``, memory 15 points higher: what a retry storm looks like from inside."""
        count = int(during.sum())
        self.metrics["cpu_avg"][during] = np.clip(SATURATED_PCT + rng.normal(0, 0.6, count), 95.5, 98.5)
        self.metrics["cpu_max"][during] = 99.2 + 0.8 * rng.random(count)
        for name in ("mem_avg", "mem_max"):
            self.metrics[name][during] = np.minimum(self.metrics[name][during] + 15, 97.0)

    def weigh(self, during: Flags, factor: float) -> None:
        """The load while a dependency stood still: CPU, network and disk times ``factor``."""
        limits = {"cpu_avg": 98.5, "cpu_max": 99.5}
        for name, values in self.metrics.items():
            if name.startswith(("cpu_avg", "cpu_max", "net_", "disk_")):
                values[during] = np.minimum(values[during] * factor, limits.get(name, np.inf))


def _credit_balance(cpu_avg: Floats, vcpu: int, per_hour: float) -> Floats:
    """Credits left: one credit is one vCPU-minute at 100 %, and at most 24 hours of earnings can be saved."""
    capacity = 24 * per_hour
    change = per_hour * STEP_MINUTES / 60 - cpu_avg / 100 * vcpu * STEP_MINUTES
    steps = accumulate(change[1:].tolist(), lambda left, by: min(capacity, max(0.0, left + by)), initial=capacity * 0.8)
    return np.fromiter(steps, dtype=np.float64, count=len(change))


def series(calendar: Calendar, rng: Rng, machine: Machine) -> Series:
    """The full series of one resource; the same generator state gives the same numbers."""
    load = SHAPES[machine.shape](calendar, rng, machine)
    count = len(calendar.at)
    wobble = np.exp(load.noise * (0.11 * _slow(calendar, rng) + 0.06 * rng.standard_normal(count)))
    cpu_avg = load.cpu * wobble
    cpu_max = cpu_avg * (1 + load.noise * (0.12 + 0.12 * np.abs(rng.standard_normal(count)))) + 0.3
    if load.p99_of_max is not None:
        factor = load.p99_of_max / np.quantile(cpu_max, 0.99)
        cpu_avg, cpu_max = cpu_avg * factor, cpu_max * factor
    # A little noise under the limit, so that no series shows the flat line of a clipped one.
    ceiling = load.cpu_limit + 2.0 * rng.random(count)
    cpu_max = np.minimum(cpu_max, ceiling + 1.0)
    cpu_avg = np.minimum(cpu_avg, cpu_max - 0.2)
    if load.spikes is not None:
        cpu_max = np.where(load.spikes, SPIKE_PCT + 4 * rng.random(count), cpu_max)
        cpu_avg = np.where(load.spikes, cpu_avg + 4, cpu_avg)
    mem_avg = load.mem + load.mem_swing * _slow(calendar, rng, hours=8)
    mem_avg = np.minimum(mem_avg, load.mem_limit - 1.0)
    mem_max = np.minimum(mem_avg + 0.2 + 0.5 * np.abs(rng.standard_normal(count)), load.mem_limit)
    if load.lost_memory_share:
        lost = rng.random(count) < load.lost_memory_share
        mem_avg[lost] = mem_max[lost] = np.nan
    cores = cpu_avg / 100 * machine.vcpu
    net_gbps = load.net_gbps if load.net_gbps is not None else 0.03 * cores
    sent = net_gbps * 1e9 / 8 * STEP_MINUTES * 60 * wobble**0.3
    operations = (900 + 5400 * cores) * (0.8 + 0.4 * rng.random(count))
    metrics = {
        "cpu_avg": cpu_avg, "cpu_max": cpu_max, "mem_avg": mem_avg, "mem_max": mem_max,
        "net_in_bytes": 0.4 * sent, "net_out_bytes": sent,
        "disk_read_bytes": operations * 0.35 * 16_384, "disk_write_bytes": operations * 0.65 * 12_288,
        "disk_read_ops": operations * 0.35, "disk_write_ops": operations * 0.65,
    }  # fmt: skip
    if machine.credits_per_hour is not None:
        metrics["cpu_credit_balance"] = _credit_balance(cpu_avg, machine.vcpu, machine.credits_per_hour)
    if machine.members is not None:
        low, high = machine.members
        calm, peak = np.quantile(load.cpu, [0.02, 0.98])
        share = np.clip((load.cpu - calm) / max(peak - calm, 1e-9), 0, 1) if peak > 20 else np.zeros(count)
        metrics["in_service"] = np.round(low + (high - low) * 0.8 * share)
    return Series(np.ones(count, dtype=np.bool_) if load.present is None else load.present, metrics)
