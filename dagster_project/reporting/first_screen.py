"""The first screen of the report: tiles that answer what could be saved, what became of it, what broke and what is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.domain.night_numbers import COST_DAYS
from dagster_project.reporting.figures import Figure, Figures
from dagster_project.reporting.savings_views import IncidentCost
from dagster_project.reporting.views import NightReport
from dagster_project.reporting.words import counted, money

_EMPTY_STATES = {"failed", "absent", "empty"}


@dataclass(frozen=True)
class Part:
    """A piece of a tile: a number by its name, a link, or text. ``leads_on`` where it says nothing but where to read on, which is
    of use on the page only."""

    text: str = ""
    name: str = ""
    href: str = ""
    leads_on: bool = False


@dataclass(frozen=True)
class Tile:
    """One answer. ``is_alert`` where somebody must act."""

    title: str
    value: tuple[Part, ...]
    unit: str
    note: tuple[Part, ...]
    is_alert: bool = False


def in_words(parts: Sequence[Part], figures: Figures) -> str:
    """A tile's pieces where there are no links."""
    told = (figures(part.name).text if part.name else part.text for part in parts if not part.leads_on)
    return "".join(told).removesuffix("; ")


def tiles_of(report: NightReport, figures: Figures) -> list[Tile]:
    """The answers, in the order in which they are asked; nothing for a night whose numbers are not kept."""
    if not report.answers.numbers:
        return []
    return [_could_save(), _not_dared(figures), _became(figures), _broke(figures), _overdue(figures), _evidence(report)]


def _could_save() -> Tile:
    note = (Part("safe now, not dared and waiting for evidence together, of "), Part(name="fleet_usd_month"))
    return Tile("What could be saved", (Part(name="could_save_usd_month"),), "per month", note)


def _not_dared(figures: Figures) -> Tile:
    note = [Part(name="refused_resources"), Part(" refused")]
    note += [Part("; "), Part("the reasons", href="#not-dared", leads_on=True)] if figures.value("refused_resources") else []
    return Tile("Not dared", (Part(name="refused_usd_month"),), "per month", tuple(note))


def _became(figures: Figures) -> Tile:
    week = [Part(name="asked_week"), Part(" asked this week, "), Part(name="agreed_week"), Part(" agreed to, ")]
    week += [Part(name="declined_week"), Part(" declined")]
    week += [Part(", "), Part(name="lapsed_week"), Part(" lapsed")] if figures.value("lapsed_week") else []
    week += [Part("; "), Part(name="waiting_answers"), _waits(figures)]
    regrets = bool(figures.value("regrets"))
    if not figures.value("applied_usd_month"):
        return Tile("What became of proposals", (Part("Nothing"),), "live yet", (*week, Part("; "), _more()))
    if figures.value("realized_usd_month") is None:
        note = [Part("is what changes save that are live; "), Part(name="applied_week")]
    else:
        note = [Part("a month realized, "), Part(name="known_usd_month"), Part(" estimated; "), Part(name="applied_week")]
    note += [Part(" live this week; "), *([Part(name="regrets"), Part(" regretted; ")] if regrets else []), *week]
    return Tile("What became of proposals", (Part(name="realized_usd_month"),), "", tuple(note), is_alert=regrets)


def _waits(figures: Figures) -> Part:
    return Part(" waits for people" if figures.value("waiting_answers") == 1 else " wait for people")


def _more() -> Part:
    return Part("what became of it", href="#outcomes", leads_on=True)


def _broke(figures: Figures) -> Tile:
    is_open = bool(figures.value("incidents_open"))
    note = [Part(name="incidents_open"), Part(" open; ")]
    if figures.value("incident_cost_usd") is None:
        note += [Part(f"their cost in {COST_DAYS} days is unknown")]
    else:
        note += [Part(name="incident_cost_usd"), Part(f" in {COST_DAYS} days, as far as known")]
    one = figures.value("incidents_week") == 1
    return Tile(
        "What broke", (Part(name="incidents_week"),), "incident this week" if one else "incidents this week", tuple(note), is_open
    )


def _overdue(figures: Figures) -> Tile:
    note = (Part("of "), Part(name="action_items_open"), Part(" not done; "), Part("which", href="#action-items", leads_on=True))
    is_late = bool(figures.value("action_items_overdue"))
    one = figures.value("action_items_overdue") == 1
    return Tile("Overdue", (Part(name="action_items_overdue"),), "action item" if one else "action items", note, is_late)


def _evidence(report: NightReport) -> Tile:
    note = [Part(counted(len(report.missing_evidence), "caveat"), href="#evidence")]
    broken = [load for load in report.loads if load.status in {"partial", "failed"}]
    note += [Part("; "), Part(f"{counted(len(broken), 'source')} incomplete", href="#sources")] if broken else []
    return Tile("Evidence", (Part(name="cpu_coverage_pct"),), "of CPU samples", tuple(note), is_alert=bool(broken))


def notices_of(report: NightReport) -> list[str]:
    """What a reader must know before any number: nights of which little or nothing is known."""
    told = []
    if report.loads and all(load.status in _EMPTY_STATES for load in report.loads):
        names = ", ".join(f"{load.source} ({load.status})" for load in report.loads)
        told.append(f"No source gave anything for this night, so nothing below says anything about the fleet: {names}.")
    elif not report.loads:
        told.append("No source was read for this night, so nothing below says anything about the fleet.")
    elif failed := [load.source for load in report.loads if load.status == "failed"]:
        told.append(f"Not everything could be read: {', '.join(failed)}. What stands on it is missing below.")
    if report.resources == 0:
        told.append("No resource is known for this day. Is the inventory filled? nightshift doctor says what is missing.")
    elif not report.samples:
        told.append("No utilization was measured, so no verdict could be reached about any resource.")
    return told


def finance_of(report: NightReport, figures: Figures) -> list[Figure]:
    """Estimates before and after discounts, what is realized of them, and what incidents cost beside it."""
    cost = report.savings.incident_cost
    lines = [
        figures("safe_list_usd_month", "Proposals of this night, before any discount."),
        figures("safe_usd_month", f"The same as it is paid: {report.price_basis}."),
    ]
    if figures.value("cash_usd_month") is not None:
        lines.append(figures("cash_usd_month", "The rest goes on being paid for commitments until they end."))
    lines += [
        figures("known_usd_month", "Estimated for changes that are live and of which it is known what they save."),
        figures("realized_usd_month", _against_estimate(figures)),
    ]
    if cost is not None:
        lines.append(figures("incident_cost_usd", _cost_note(cost)))
    return [line for line in lines if line.name]


def _against_estimate(figures: Figures) -> str:
    known, realized = figures.value("known_usd_month"), figures.value("realized_usd_month")
    if not figures.value("applied_usd_month"):
        return "What these changes save as of the day; nothing is live yet."
    if not known or realized is None:
        return "What these changes save as of the day; of none that is live is it known."
    return f"What these changes save as of the day: {100 * realized / known:.0f} % of the estimate."


def _cost_note(cost: IncidentCost) -> str:
    told = f"Not a month: incidents of the last {COST_DAYS} days, known of {cost.costed} of {cost.incidents}"
    if cost.low_usd is not None and cost.high_usd is not None:
        told += f", from {money(cost.low_usd)} to {money(cost.high_usd)}"
    return f"{told}; not in it: {cost.not_included}." if cost.not_included else f"{told}."


def sections_of(report: NightReport) -> Sequence[tuple[str, str]]:
    """Anchors and titles of the sections that the page has, for its contents."""
    found = [
        ("savings", "Savings", True),
        ("billing", "Bill", report.billing is not None),
        ("proposals", "Proposals", report.proposals_total > 0),
        ("outcomes", "Outcomes", True),
        ("incidents", "Incidents", True),
        ("action-items", "Action items", True),
        ("not-dared", "Not dared", True),
        ("evidence", "Evidence", True),
        ("rules", "Rules", True),
        ("numbers", "Numbers", True),
    ]
    return [(anchor, title) for anchor, title, is_there in found if is_there]
