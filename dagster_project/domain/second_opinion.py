"""A second opinion: what AWS's own advisers say of a resource, and where that is another thing than the verdict made here.

A disagreement is told, never acted upon: no verdict is changed by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

COMPUTE_OPTIMIZER, HUB = "compute_optimizer", "cost_optimization_hub"
ADVISERS = {COMPUTE_OPTIMIZER: "Compute Optimizer", HUB: "the Cost Optimization Hub"}
"""Those who are asked, as sentences call them; of two, the first speaks first."""

TOO_SMALL, THEY_KEEP, WE_KEEP, OTHER_SIZE, SAME = "they_say_too_small", "they_keep", "we_keep", "other_size", "same"
KINDS = (TOO_SMALL, THEY_KEEP, WE_KEEP, OTHER_SIZE, SAME)
"""How a verdict and an opinion stand to each other, the most important first."""
OUTDATED, UNCLEAR = "outdated", "unclear"
"""Opinions that are not compared: on a size that the resource does not have, and of which nobody can tell what they want."""

SMALLER, LARGER, STOP, KEEP, OTHER_TYPE, UNKNOWN = "smaller", "larger", "stop", "keep", "other_type", "unknown"
_CENT = 0.01
_SMALLER_ANYHOW = "finds it over-provisioned"
_SMALLER = {"rightsize": "would shrink it", "scale_in": "would run fewer members"}
"""What is said where no type is named."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a type has."""

    vcpu: float
    memory_gib: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one adviser says of a resource. Money is USD a month (positive = less than now), None where it is not told.

    ``finding`` is the adviser's word, in lower case with underscores; ``recommended_type`` that of its best option.
    ``performance_risk`` goes from 0 (none) to 4, ``lookback_days`` are those that were looked at, ``as_of`` is naive UTC.
    """

    source: str
    finding: str
    reason_codes: tuple[str, ...] = ()
    current_type: str | None = None
    recommended_type: str | None = None
    performance_risk: float | None = None
    is_idle: bool = False
    savings_usd_month: float | None = None
    savings_after_discounts_usd_month: float | None = None
    lookback_days: float | None = None
    as_of: datetime | None = None

    @property
    def usd_month(self) -> float | None:
        """What it would save, at list price where that is told."""
        return self.savings_usd_month if self.savings_usd_month is not None else self.savings_after_discounts_usd_month


@dataclass(frozen=True, slots=True)
class Ours:
    """The verdict made here. ``sentence`` is its reason with its number; ``minimum`` the proposed least number of members."""

    resource_id: str
    verdict: str
    reason_code: str
    sentence: str
    current_type: str | None = None
    target_type: str | None = None
    minimum: int | None = None
    savings_usd_month: float = 0.0

    @property
    def is_proposal(self) -> bool:
        return self.verdict == "propose"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verdict beside one opinion. ``kind`` is one of ``KINDS``, or why they are not compared; ``wants`` what the opinion asks
    for; ``bolder`` who goes further where both go (we, they, or None: nobody, or it cannot be told)."""

    ours: Ours
    opinion: Opinion
    kind: str
    wants: str
    bolder: str | None = None

    @property
    def is_compared(self) -> bool:
        return self.kind in KINDS


@dataclass(frozen=True, slots=True)
class Answer:
    """All opinions on one resource beside its verdict. ``first`` is the one that disagrees most; ``differ`` says that the
    advisers disagree among themselves."""

    first: Comparison
    others: tuple[Comparison, ...]
    differ: bool

    @property
    def kind(self) -> str:
        return self.first.kind

    @property
    def ours(self) -> Ours:
        return self.first.ours


@dataclass(frozen=True, slots=True)
class Total:
    """All resources of one kind. The sums are of what is known; ``theirs_usd_month`` is None where nothing is."""

    kind: str
    resources: int
    ours_usd_month: float
    theirs_usd_month: float | None


def compare(ours: Ours, opinion: Opinion, sizes: Mapping[str, Size]) -> Comparison:
    """How a verdict and an opinion stand to each other. ``sizes`` are those of the types that are known."""
    wants = wanted(opinion, sizes)
    if opinion.current_type and ours.current_type and opinion.current_type != ours.current_type:
        return Comparison(ours, opinion, OUTDATED, wants)
    if wants == UNKNOWN:
        return Comparison(ours, opinion, UNCLEAR, wants)
    if not ours.is_proposal:
        return Comparison(ours, opinion, WE_KEEP if wants in (SMALLER, STOP) else SAME, wants)
    if wants in (LARGER, KEEP):
        return Comparison(ours, opinion, TOO_SMALL if wants == LARGER else THEY_KEEP, wants)
    if wants == SMALLER and opinion.recommended_type in (None, ours.target_type):
        return Comparison(ours, opinion, SAME, wants)
    return Comparison(ours, opinion, OTHER_SIZE, wants, _bolder(ours, opinion, wants, sizes))


def wanted(opinion: Opinion, sizes: Mapping[str, Size]) -> str:
    """What an opinion asks for. That a resource is too small is believed before anything else that is said with it."""
    if opinion.finding == "under_provisioned":
        return LARGER
    if opinion.is_idle or opinion.finding in ("stop", "delete"):
        return STOP
    if opinion.finding == "optimized":
        return KEEP
    if opinion.finding in ("over_provisioned", "scale_in"):
        return SMALLER
    if opinion.finding not in ("not_optimized", "rightsize", "upgrade", "migrate_to_graviton"):
        return UNKNOWN
    step = _step(opinion.current_type, opinion.recommended_type, sizes)
    if step is not None:
        return step
    if opinion.finding in ("upgrade", "migrate_to_graviton"):
        return OTHER_TYPE
    # What the types do not tell, the money does: nobody pays less for more.
    usd = opinion.usd_month
    return UNKNOWN if usd is None or abs(usd) < _CENT else SMALLER if usd > 0 else LARGER


def answers(comparisons: Iterable[Comparison]) -> list[Answer]:
    """The comparisons by resource: the most important kind first, and of one kind the most money."""
    by_resource: dict[str, list[Comparison]] = {}
    for each in comparisons:
        by_resource.setdefault(each.ours.resource_id, []).append(each)
    found = []
    for mine in by_resource.values():
        mine.sort(key=_importance)
        compared = [each for each in mine if each.is_compared]
        found.append(Answer(mine[0], tuple(mine[1:]), _differ(compared)))
    return sorted(found, key=lambda each: (_rank(each.kind), -_at_stake(each.first), each.ours.resource_id))


def totals(found: Sequence[Answer]) -> list[Total]:
    """Every kind with its resources and money, in the order of ``KINDS``."""
    return [_total(kind, [each.first for each in found if each.kind == kind]) for kind in KINDS]


def theirs(comparison: Comparison) -> float | None:
    """What an opinion would save, USD a month. Who keeps a size or wants a larger one saves nothing that could be added up."""
    return None if comparison.wants in (KEEP, LARGER) else comparison.opinion.usd_month


def told(answer: Answer) -> str:
    """Both sides' reasons with their numbers, as a sentence."""
    heard = _capital(opinion_told(answer.first))
    for each in answer.others:
        heard += f"; {opinion_told(each)}" if not answer.differ else f"; {_however(opinion_told(each), each)}"
    return f"{heard}; {_our_side(answer.ours)}" + _bolder_told(answer.first)


def opinion_told(comparison: Comparison) -> str:
    """What an adviser says, with its numbers, as a clause that begins with its name."""
    opinion = comparison.opinion
    codes = f" ({', '.join(opinion.reason_codes)})" if opinion.reason_codes else ""
    target = f" {opinion.recommended_type}" if opinion.recommended_type else ""
    move = f" and would move it to{target}" if target else ""
    says = {
        LARGER: f"finds it under-provisioned{codes}{move}",
        KEEP: f"finds it optimized{codes}",
        STOP: f"finds it idle{codes}" if opinion.is_idle else f"would {opinion.finding} it",
        SMALLER: f"would move it to{target}{codes}" if target else f"{_SMALLER.get(opinion.finding, _SMALLER_ANYHOW)}{codes}",
        OTHER_TYPE: f"would move it to{target or ' another type'}{codes}",
        UNKNOWN: f"says {opinion.finding}{codes}{move}",
    }[comparison.wants]
    if comparison.kind == OUTDATED:
        says = f"speaks of {opinion.current_type}, which it is not, and {says}"
    return f"{ADVISERS.get(opinion.source, opinion.source)} {says}{_basis(comparison)}"


def _basis(comparison: Comparison) -> str:
    opinion = comparison.opinion
    is_cheaper = comparison.wants not in (KEEP, LARGER)
    usd = opinion.usd_month if is_cheaper else None
    told = ""
    if usd is not None:
        told = f", for {_usd(abs(usd))} a month {'less' if usd >= 0 else 'more'}"
        told += " after discounts" if opinion.savings_usd_month is None else ""
    if opinion.performance_risk is not None and comparison.wants in (SMALLER, OTHER_TYPE):
        told += f"{'' if told else ','} at a performance risk of {opinion.performance_risk:.1f} of 4"
    span = [f"{opinion.lookback_days:.0f} days"] if opinion.lookback_days is not None else []
    span += [f"up to {opinion.as_of:%Y-%m-%d}"] if opinion.as_of is not None else []
    return told + (f" ({' '.join(span)})" if span else "")


def _our_side(ours: Ours) -> str:
    if ours.is_proposal:
        target = ours.target_type or f"a minimum of {ours.minimum} members"
        return f"we propose {target} for {_usd(ours.savings_usd_month)} a month less. {ours.sentence}"
    verb = {"refuse": "we refuse", "keep": "we keep it", "insufficient": "we have too little evidence"}
    return f"{verb.get(ours.verdict, 'we propose nothing')}: {ours.sentence}"


def _bolder_told(comparison: Comparison) -> str:
    return {"we": " We go further.", "they": " They go further."}.get(comparison.bolder or "", "")


def _however(clause: str, comparison: Comparison) -> str:
    """The clause of an adviser who contradicts another one."""
    name = ADVISERS.get(comparison.opinion.source, comparison.opinion.source)
    return f"{name}, however,{clause.removeprefix(name)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _usd(amount: float) -> str:
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:.2f}"


def _step(current: str | None, recommended: str | None, sizes: Mapping[str, Size]) -> str | None:
    """The way from one type to another; None where it cannot be told, or leads up in one and down in the other."""
    if current is None or recommended is None:
        return None
    if current == recommended:
        return KEEP
    now, then = sizes.get(current), sizes.get(recommended)
    if now is None or then is None:
        return None
    if (now.vcpu, now.memory_gib) == (then.vcpu, then.memory_gib):
        return OTHER_TYPE
    if then.vcpu <= now.vcpu and then.memory_gib <= now.memory_gib:
        return SMALLER
    return LARGER if then.vcpu >= now.vcpu and then.memory_gib >= now.memory_gib else None


def _bolder(ours: Ours, opinion: Opinion, wants: str, sizes: Mapping[str, Size]) -> str | None:
    if wants == STOP:
        return "they"
    step = _step(ours.target_type, opinion.recommended_type, sizes)
    if step in (SMALLER, LARGER):
        return "they" if step == SMALLER else "we"
    usd = opinion.usd_month
    if usd is None or abs(usd - ours.savings_usd_month) < _CENT:
        return None
    return "they" if usd > ours.savings_usd_month else "we"


def _differ(compared: Sequence[Comparison]) -> bool:
    wants = {each.wants for each in compared}
    types = {each.opinion.recommended_type for each in compared if each.opinion.recommended_type and each.wants != KEEP}
    return len(wants) > 1 or len(types) > 1


def _importance(comparison: Comparison) -> tuple[int, int]:
    advisers = [*ADVISERS]
    source = comparison.opinion.source
    return _rank(comparison.kind), advisers.index(source) if source in advisers else len(advisers)


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _at_stake(comparison: Comparison) -> float:
    """What the disagreement is worth: what one of both would save."""
    return max(comparison.ours.savings_usd_month, theirs(comparison) or 0.0)


def _total(kind: str, mine: Sequence[Comparison]) -> Total:
    known = [usd for each in mine if (usd := theirs(each)) is not None]
    return Total(kind, len(mine), sum(each.ours.savings_usd_month for each in mine), sum(known) if known else None)
