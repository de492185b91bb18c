"""The right-sizing rules that others use, to run beside ours on the same windows.

Each is taken as documented (the vendors' engines are partly learned, and are not rebuilt here). A rule looks at a history
and says what it needs; ``choose`` finds the sizes that have it. The Flexera rule for groups is a function of its own
(``group_floor``) and no ``Peer``: traces of single machines have no groups whose minimum could be judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagster_project.domain.backtest.series import DAY, Floats, History, Seconds
from dagster_project.domain.rightsizing.dimensions import CPU, DIMENSIONS, DISK, MEMORY, NETWORK
from dagster_project.domain.rightsizing.shapes import Shapes

LOOKBACK_DAYS = 28
"""No peer but the seed (decisions of any age) looks further back; look-backs of 30, 32 and 93 days are cut to this."""

_NOTHING = -np.inf  # asks for nothing on a dimension
_AS_NOW = np.inf  # no smaller than the present size
_ROUNDING = 1e-6  # demand is kept in 32 bits: 3.2 cores ÷ 0.8 must fit 4


@dataclass(frozen=True)
class Present:
    """The present size as a rule sees it. ``capacity`` (5,) in the units of ``DIMENSIONS``."""

    number: int
    capacity: NDArray[np.float64]
    is_memory_known: bool
    usd_per_hour: float


class Seen:
    """A history with what was found in it so far: rules that look at the same thing share the work."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._found: dict[tuple[Any, ...], Any] = {}

    def once(self, key: tuple[Any, ...], find: Callable[[], Any]) -> Any:
        """What ``find`` returns, found the first time only."""
        if key not in self._found:
            self._found[key] = find()
        return self._found[key]

    def known(self, dimension: int, days: float, *, inside: bool = False) -> tuple[Seconds, Floats]:
        """Times and values (n,) that were measured; ``inside`` = the highest inside each interval instead of the average."""
        inside = inside and self._has_inside
        at, values = self.once(("known", dimension, inside), lambda: self._known(dimension, inside))
        start = int(np.searchsorted(at, self.history.moment - int(days * DAY), side="left"))
        return at[start:], values[start:]

    def percentile(self, dimension: int, days: float, pct: float, *, inside: bool = False) -> float:
        """With linear interpolation; NaN without samples."""
        key = ("ordered", dimension, days, inside and self._has_inside)
        return percentile(self.once(key, lambda: np.sort(self.known(dimension, days, inside=inside)[1])), pct)

    def maximum(self, dimension: int, days: float, *, inside: bool = True) -> float:
        """NaN without samples."""

        def found() -> float:
            values = self.known(dimension, days, inside=inside)[1]
            return float(values.max()) if values.size else np.nan

        return self.once(("maximum", dimension, days, inside and self._has_inside), found)

    def mean(self, dimension: int, days: float) -> float:
        """NaN without samples."""
        values = self.known(dimension, days)[1]
        return float(values.mean(dtype=np.float64)) if values.size else np.nan

    def means(self, dimension: int, days: float, seconds: int) -> NDArray[np.float64]:
        """Mean of each bucket of the clock that has samples."""
        at, values = self.known(dimension, days)
        if not len(values):
            return np.empty(0)
        starts = _starts(at, seconds)
        return np.add.reduceat(values, starts, dtype=np.float64) / np.diff(starts, append=len(values))

    def maxima(self, dimension: int, days: float, seconds: int) -> tuple[Seconds, Floats]:
        """Number and highest value of each bucket of the clock that has samples."""
        at, values = self.known(dimension, days, inside=True)
        starts = _starts(at, seconds)
        return at[starts] // seconds, np.maximum.reduceat(values, starts) if len(values) else values

    def memory_gib(self, present: Present, days: float, head_room: float, *, inside: bool = True) -> float:
        """The highest memory with head-room; as now where nobody measured it."""
        highest = self.maximum(MEMORY, days, inside=inside) if present.is_memory_known else np.nan
        return _AS_NOW if np.isnan(highest) else highest * head_room

    @property
    def _has_inside(self) -> bool:
        return self.history.highest is not self.history.average

    def _known(self, dimension: int, inside: bool) -> tuple[Seconds, Floats]:
        recent = self.once(("recent",), lambda: self.history.last(LOOKBACK_DAYS))
        values = np.ascontiguousarray((recent.highest if inside else recent.average)[:, dimension])
        there = ~np.isnan(values)
        return (recent.at, values) if there.all() else (recent.at[there], values[there])


Rule = Callable[[Seen, Present], NDArray[np.float64] | None]


@dataclass(frozen=True)
class Peer:
    """A rule of the field.

    ``label`` is its name in tables, ``native`` the target that is nearest to the tool's own (one-step, family or cheapest),
    ``may_grow`` whether it recommends dearer sizes too, ``keeps_vendor`` whether it stays with the CPU's maker.
    """

    id: str
    label: str
    title: str
    native: str
    may_grow: bool
    rule: Rule
    keeps_vendor: bool = False

    def need(self, history: History, present: Present) -> NDArray[np.float64] | None:
        """The capacity it asks for, (5,): None = keep, -inf = whatever, inf = no smaller than now."""
        return self.rule(Seen(history), present)


def needs(history: History, present: Present, peers: Sequence[Peer]) -> list[NDArray[np.float64] | None]:
    """What each of ``peers`` asks for; faster than asking one after the other."""
    seen = Seen(history)
    return [peer.rule(seen, present) for peer in peers]


def percentile(ordered: Floats, pct: float) -> float:
    """Of ascending values, with linear interpolation; NaN without any."""
    if not len(ordered):
        return np.nan
    place = (len(ordered) - 1) * pct / 100
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)


def group_floor(minimum: int, peak_in_service: int, cpu_p95_pct: float, age_days: float) -> int:
    """Flexera's rule for groups: the minimum that it leaves. It names no value; halved, as for the other rules that name none.

    A minimum is too high when the group is 30 days old and either never had more than half of it in service, or its
    aggregate P95 CPU is at most 20 %.
    """
    is_idle = peak_in_service <= 0.5 * minimum or cpu_p95_pct <= 20
    return max(1, -(-minimum // 2)) if age_days >= 30 and is_idle and minimum > 0 else minimum


def _starts(at: Seconds, seconds: int) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(at // seconds, prepend=-1)) if len(at) else np.empty(0, dtype=np.int64)


def _need(
    cpu: float = _NOTHING, memory: float = _NOTHING, network: float = _NOTHING, disk: float = _NOTHING
) -> NDArray[np.float64] | None:
    """Operations a second are asked for by no peer; unknown CPU keeps, unknown network and disk ask for nothing."""
    if np.isnan(cpu):
        return None
    need = np.full(len(DIMENSIONS), _NOTHING)
    need[[CPU, MEMORY, NETWORK, DISK]] = cpu, memory, *(_NOTHING if np.isnan(value) else value for value in (network, disk))
    return need


def _half(present: Present) -> NDArray[np.float64] | None:
    """For rules that say "too large" and not what is needed."""
    return _need(present.capacity[CPU] / 2, present.capacity[MEMORY] / 2)


def _mean_below_20_pct(veto: Callable[[History], bool] | None = None, below_max_pct: float = np.inf) -> Rule:
    def rule(seen: Seen, present: Present) -> NDArray[np.float64] | None:
        vcpu = present.capacity[CPU]
        if not seen.mean(CPU, 7) < 0.20 * vcpu or not 100 * seen.maximum(CPU, 7) < below_max_pct * vcpu:
            return None
        return None if veto is not None and veto(seen.history) else _half(present)

    return rule


def _compute_optimizer(days: float, pct: float, cpu_share: float, memory_share: float) -> Rule:
    def rule(seen: Seen, present: Present) -> NDArray[np.float64] | None:
        if len(seen.known(CPU, days)[0]) * seen.history.interval_seconds < 30 * 3600:
            return None
        return _need(
            seen.percentile(CPU, days, pct, inside=True) / cpu_share,
            seen.memory_gib(present, days, 1 / memory_share),
            seen.maximum(NETWORK, days),
            seen.maximum(DISK, days),
        )

    return rule


def _cost_explorer(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    highest = seen.maximum(CPU, 14)
    return _need(highest / 0.80) if highest <= 0.40 * (1 + _ROUNDING) * present.capacity[CPU] else None


def _trusted_advisor(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    days = _daily_means(seen, CPU, 14)
    traffic = _daily_means(seen, NETWORK, 14)
    samples = dict(zip(*np.unique(seen.known(NETWORK, 14)[0] // DAY, return_counts=True), strict=True))
    idle = 0
    for day, cores in days.items():
        # Gbit/s · s ÷ 8 · 1000 = MB of that day; traffic that nobody measured does not speak against it.
        mb = traffic.get(day, 0.0) * samples.get(day, 0) * seen.history.interval_seconds / 8 * 1000
        idle += cores <= 0.10 * (1 + _ROUNDING) * present.capacity[CPU] and mb <= 5
    return _half(present) if idle >= 4 else None


def _daily_means(seen: Seen, dimension: int, days: float) -> dict[int, float]:
    at = seen.known(dimension, days)[0]
    return dict(zip((at[_starts(at, DAY)] // DAY).tolist(), seen.means(dimension, days, DAY).tolist(), strict=True))


def _azure_advisor(share: float, memory_share: float) -> Rule:
    def rule(seen: Seen, present: Present) -> NDArray[np.float64] | None:
        # Out alone is not in a history: the sum of both directions stands in.
        return _need(
            percentile(np.sort(seen.maxima(CPU, 7, 1800)[1]), 95) / share,
            seen.memory_gib(present, 7, 1 / memory_share),
            seen.percentile(NETWORK, 7, 95) / share,
        )

    return rule


def _gcp_like(pct: float) -> Rule:
    def rule(seen: Seen, present: Present) -> NDArray[np.float64] | None:
        memory = seen.percentile(MEMORY, 8, pct) if present.is_memory_known else np.nan
        return _need(seen.percentile(CPU, 8, pct) * 1.20, _AS_NOW if np.isnan(memory) else memory * 1.20)

    return rule


def _krr(pct: float) -> Rule:
    return lambda seen, present: _need(seen.percentile(CPU, 14, pct), seen.memory_gib(present, 14, 1.15))


# Autoscaler's histograms: buckets grow by 5 % from 10 millicores and from 10 MB.
_VPA_RATIO, _VPA_FIRST_CORES, _VPA_FIRST_GIB = 1.05, 0.01, 1e7 / 2**30
_VPA_LOW, _VPA_TARGET, _VPA_HIGH, _VPA_MARGIN = 0.50, 0.90, 0.95, 1.15


def _decayed(values: Floats, age_days: Floats, first: float) -> NDArray[np.float64]:
    """P50, P90 and P95 of a histogram whose weights halve each day: the upper ends of their buckets."""
    growth = _VPA_RATIO - 1
    buckets = np.floor(np.log(np.maximum(values, 0) / first * growth + 1) / np.log(_VPA_RATIO)).astype(np.int64)
    weight = np.cumsum(np.bincount(buckets, weights=2.0**-age_days))
    found = np.searchsorted(weight, np.array([_VPA_LOW, _VPA_TARGET, _VPA_HIGH]) * weight[-1])
    return first * (_VPA_RATIO ** (found + 1) - 1) / growth


def _vpa_estimates(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    """(2, 3): CPU and memory; P50, P90 and P95 with the safety margin. NaN where nobody measured memory."""

    def found() -> NDArray[np.float64] | None:
        at, cores = seen.known(CPU, 8)
        if not len(cores):
            return None
        estimates = np.full((2, 3), np.nan)
        estimates[0] = _decayed(cores, (seen.history.moment - at) / DAY, _VPA_FIRST_CORES)
        day, peaks = seen.maxima(MEMORY, 8, DAY)
        if present.is_memory_known and len(peaks):
            estimates[1] = _decayed(peaks, (day[-1] - day).astype(np.float64), _VPA_FIRST_GIB)
        return estimates * _VPA_MARGIN

    return seen.once(("vpa", present.is_memory_known), found)


def _vpa(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    estimates = _vpa_estimates(seen, present)
    if estimates is None:
        return None
    cpu, memory = estimates[:, 1]
    return _need(cpu, _AS_NOW if np.isnan(memory) else memory)


def _vpa_bounds(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    estimates = _vpa_estimates(seen, present)
    if estimates is None:
        return None
    at = seen.known(CPU, 8)[0]
    # Autoscaler's confidence: days, but no more than there are samples of a minute.
    confidence = min((seen.history.moment - int(at[0])) / DAY, len(at) / (24 * 60))
    size = present.capacity[[CPU, MEMORY]]
    is_below = (size < estimates[:, 0] * (1 + 0.001 / confidence) ** -2).any()
    is_above = (size > estimates[:, 2] * (1 + 1 / confidence)).any()
    # What is too large in one dimension is no reason to grow in the other.
    return _vpa(seen, present) if is_below or (is_above and not (estimates[:, 1] > size).any()) else None


def _optscale(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    cores = percentile(np.sort(seen.means(CPU, 3, 900)), 99) / 0.80 * (1 - _ROUNDING)
    if np.isnan(cores):
        return None
    vcpu = 1.0 if cores <= 1 else 2 * np.ceil(cores / 2)
    return _need(vcpu, present.capacity[MEMORY] * vcpu / present.capacity[CPU])


def _flexera_cross_family(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    # Disk is held against the burst maximum, which sizes here do not have: it would hold whatever the baseline does.
    traffic = seen.means(NETWORK, 28, DAY)
    return _need(seen.maximum(CPU, 28) * 1.5, seen.memory_gib(present, 28, 1.5), traffic.max() * 1.5 if len(traffic) else np.nan)


def _flexera_same_family(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    is_idle = seen.mean(CPU, 28) < 0.40 * present.capacity[CPU]
    if present.is_memory_known:
        is_idle |= seen.mean(MEMORY, 28) < 0.40 * present.capacity[MEMORY]
    return _half(present) if is_idle else None


def _kubecost(days: float) -> Rule:
    return lambda seen, present: _need(seen.maximum(CPU, days) / 0.70, seen.memory_gib(present, days, 1 / 0.70))


def _densify_like(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    hours = seen.means(CPU, 28, 3600)
    return _need(hours.max() / 0.70, seen.memory_gib(present, 28, 1 / 0.90)) if len(hours) else None


def _persistence(days: float) -> Rule:
    def rule(seen: Seen, present: Present) -> NDArray[np.float64] | None:
        return _need(
            max(seen.percentile(CPU, days, 99.5) / 0.80, seen.maximum(CPU, days, inside=False)),
            seen.memory_gib(present, days, 1 / 0.90, inside=False),
            seen.maximum(NETWORK, days, inside=False),
            seen.maximum(DISK, days, inside=False),
        )

    return rule


def _lateral(seen: Seen, present: Present) -> NDArray[np.float64] | None:
    return _need(_AS_NOW, _AS_NOW)


_STEP, _FAMILY, _CHEAPEST = "one-step", "family", "cheapest"

PEERS: tuple[Peer, ...] = (
    Peer(
        "seed",
        "B0",
        "7-day mean CPU < 20 % and no decision ever",
        _STEP,
        False,
        _mean_below_20_pct(lambda history: len(history.decided_at) > 0),
    ),
    Peer(
        "seed-scaleup-gate",
        "B0'",
        "7-day mean CPU < 20 % and no scale-up in 7 days",
        _STEP,
        False,
        _mean_below_20_pct(lambda history: len(history.last(7).scaled_up_at) > 0),
    ),
    Peer("seed-mean-alone", "B0m", "7-day mean CPU < 20 %", _STEP, False, _mean_below_20_pct()),
    Peer("seed-max", "B0x", "7-day mean CPU < 20 % and maximum < 40 %", _STEP, False, _mean_below_20_pct(below_max_pct=40)),
    Peer(
        "aws-compute-optimizer",
        "B1",
        "14 days: CPU P99.5 and memory maximum within 80 %, network and disk within the baseline",
        _CHEAPEST,
        True,
        _compute_optimizer(14, 99.5, 0.80, 0.80),
    ),
    Peer(
        "aws-compute-optimizer-28d",
        "B1-28",
        "28 days: CPU P99.5 and memory maximum within 80 %, network and disk within the baseline",
        _CHEAPEST,
        True,
        _compute_optimizer(28, 99.5, 0.80, 0.80),
    ),
    Peer(
        "aws-compute-optimizer-savings",
        "B1-save",
        "14 days: CPU P90 within 100 %, memory maximum within 90 %",
        _CHEAPEST,
        True,
        _compute_optimizer(14, 90, 1.00, 0.90),
    ),
    Peer(
        "aws-compute-optimizer-balanced",
        "B1-bal",
        "14 days: CPU P95 and memory maximum within 70 %",
        _CHEAPEST,
        True,
        _compute_optimizer(14, 95, 0.70, 0.70),
    ),
    Peer(
        "aws-compute-optimizer-performance",
        "B1-perf",
        "14 days: CPU P99.5 and memory maximum within 70 %",
        _CHEAPEST,
        True,
        _compute_optimizer(14, 99.5, 0.70, 0.70),
    ),
    Peer(
        "cost-explorer",
        "B2",
        "14-day CPU maximum at most 40 %, then within 80 %; CPU only",
        _FAMILY,
        False,
        _cost_explorer,
    ),
    Peer("trusted-advisor", "B3", "4 of 14 days with mean CPU ≤ 10 % and traffic ≤ 5 MB", _STEP, False, _trusted_advisor),
    Peer(
        "azure-advisor-user-facing",
        "B4u",
        "7 days: P95 of 30-minute CPU maxima and of traffic within 40 %, memory maximum within 60 %",
        _CHEAPEST,
        False,
        _azure_advisor(0.40, 0.60),
    ),
    Peer(
        "azure-advisor",
        "B4n",
        "7 days: P95 of 30-minute CPU maxima and of traffic, memory maximum within 80 %",
        _CHEAPEST,
        False,
        _azure_advisor(0.80, 0.80),
    ),
    Peer("gcp-like-p97", "B5-97", "8 days: P97 of CPU and memory + 20 % (assumed)", _CHEAPEST, True, _gcp_like(97)),
    Peer("gcp-like", "B5-99", "8 days: P99 of CPU and memory + 20 % (assumed)", _CHEAPEST, True, _gcp_like(99)),
    Peer("krr", "B6", "14 days: CPU P95, memory maximum + 15 %", _CHEAPEST, True, _krr(95)),
    Peer("krr-limit-p96", "B6'", "14 days: CPU P96, memory maximum + 15 %", _CHEAPEST, True, _krr(96)),
    Peer("krr-limit-p66", "B6r", "14 days: CPU P66, memory maximum + 15 %", _CHEAPEST, True, _krr(66)),
    Peer("vpa", "B7", "P90 + 15 % of CPU and of daily memory peaks, weights halving each day", _CHEAPEST, True, _vpa),
    Peer(
        "vpa-bounds",
        "B7s",
        "P90 + 15 % with halving weights, changed only outside of its own bounds",
        _CHEAPEST,
        True,
        _vpa_bounds,
    ),
    Peer("optscale", "B8", "3 days: P99 of 15-minute CPU means ÷ 0.8, even vCPU counts; CPU only", _FAMILY, False, _optscale),
    Peer(
        "flexera-cross-family",
        "B9",
        "28 days: CPU and memory maximum × 1.5, traffic of the busiest day × 1.5",
        _CHEAPEST,
        False,
        _flexera_cross_family,
        keeps_vendor=True,
    ),
    Peer("flexera-same-family", "B9'", "28 days: mean CPU or mean memory < 40 %", _STEP, False, _flexera_same_family),
    Peer("kubecost", "B10", "7-day maximum of CPU and memory ÷ 0.7", _CHEAPEST, True, _kubecost(7)),
    Peer("kubecost-28d", "B10-28", "28-day maximum of CPU and memory ÷ 0.7", _CHEAPEST, True, _kubecost(28)),
    Peer(
        "densify-like",
        "B11",
        "28 days: highest hourly CPU mean within 70 %, memory maximum within 90 % (assumed)",
        _CHEAPEST,
        False,
        _densify_like,
    ),
    Peer("persistence-7d", "R7", "The limits of perfect foresight, on the last 7 days", _CHEAPEST, False, _persistence(7)),
    Peer("persistence-28d", "R28", "The limits of perfect foresight, on the last 28 days", _CHEAPEST, False, _persistence(28)),
    Peer("lateral", "L0", "A swap to an equally large cheaper type", _CHEAPEST, False, _lateral),
)


def choose(
    peer: Peer, needs: Sequence[NDArray[np.float64] | None], present: NDArray[np.int64], shapes: Shapes, target: str
) -> NDArray[np.int64]:
    """The cheapest size that has what a rule asked for, by window; the present one where there is none or the need is None.

    Capacity must cover the need; a need of inf asks for as much as now. Traffic and disk above the present baseline (which
    bursts allow) ask for as much as now too, while CPU or memory above the present size is only met by more. Dearer sizes
    are looked at for ``cheapest`` alone, and only by rules that recommend them.
    """
    chosen = np.array(present, dtype=np.int64)
    asked = np.flatnonzero([need is not None for need in needs])
    if not asked.size:
        return chosen
    wanted = np.stack([needs[i] for i in asked])
    sizes_now = np.asarray(present)[asked]
    for size in np.unique(sizes_now):
        mine = sizes_now == size
        sizes = _sizes(peer, int(size), shapes, target)
        now = shapes.capacity[size]
        floor = np.where(wanted[mine] == _AS_NOW, now, wanted[mine] * (1 - _ROUNDING))
        floor[:, [NETWORK, DISK]] = np.fmin(floor[:, [NETWORK, DISK]], now[[NETWORK, DISK]])
        holds = np.ones((len(floor), len(sizes)), dtype=bool)
        for dimension in range(len(DIMENSIONS)):
            holds &= (floor[:, dimension, None] == _NOTHING) | (shapes.capacity[sizes, dimension] >= floor[:, dimension, None])
        chosen[asked[mine]] = np.where(holds.any(axis=1), sizes[holds.argmax(axis=1)], size)
    return chosen


def _sizes(peer: Peer, present: int, shapes: Shapes, target: str) -> NDArray[np.int64]:
    """The sizes that a rule may name, cheapest first, with the present one behind those that cost less."""
    cheaper = shapes.candidates(present, target)
    dearer = np.empty(0, dtype=np.int64)
    if peer.may_grow and target == _CHEAPEST:
        price = shapes.usd_per_hour.copy()
        price[present] = np.inf
        every = replace(shapes, usd_per_hour=price).candidates(present, target)
        dearer = every[~np.isin(every, cheaper)]
    sizes = np.concatenate([cheaper, [present], dearer]).astype(np.int64)
    if peer.keeps_vendor:
        maker = _maker(shapes.families[present])
        sizes = np.array([size for size in sizes if _maker(shapes.families[size]) == maker], dtype=np.int64)
    return sizes


def _maker(family: str) -> str:
    """The CPU's maker, which the letters behind the generation tell: m5a = AMD, m7g = Amazon, otherwise Intel."""
    letters = re.match(r"(?:db\.)?[a-z]+\d+([a-z]*)", family)
    return next((letter for letter in "ag" if letters and letter in letters[1]), "i")
