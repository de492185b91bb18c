"""What the bill says beside our prices of a day: the report's section, and a line of ``explain``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from dagster_project.domain.billing import reconcile as domain
from dagster_project.domain.billing.reconcile import Billed, Finding, Ours
from dagster_project.lake.billing_tables import BILLED_COSTS, BILLED_TOTALS
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.tables import RESOURCE_INVENTORY, RIGHTSIZING_VERDICTS
from dagster_project.pipeline.billing import SOURCE, TOLD_AGAIN
from dagster_project.pipeline.ledger import RejectedGroup, load_of, rejected_of
from dagster_project.pipeline.runtime import Runtime
from dagster_project.reporting.billing_views import Billing, BillingClass, BillingGap, BillingLine
from dagster_project.reporting.words import counted, money
from dagster_project.sources import focus
from dagster_project.statements import statement

TITLES = {
    domain.AGREES: "The bill and our price agree",
    domain.NEGOTIATED: "A discount was agreed on that the settings do not have",
    domain.COMMITMENT: "Commitments pay for it",
    domain.LIST_DIFFERS: "The bill's list price is not the catalog's",
    domain.UNCLEAR: "The bill contradicts itself",
    domain.NOT_BILLED: "Listed, and not billed",
    domain.BILLED_ONLY: "Billed, and listed nowhere",
}
_ASIDE = {
    focus.UNREADABLE_TIME: "whose time cannot be read",
    focus.UNREADABLE_NUMBER: "in which a number cannot be read",
    focus.BACKWARDS: "ending before the begin",
    focus.OTHER_CURRENCY: f"not in {focus.CURRENCY}, and not converted",
    focus.BEYOND: "reaching beyond the end of the day, as hourly and daily charges do not",
    TOLD_AGAIN: "told by two files, of which the last by name counts",
}
_BESIDE = {
    "unused_commitments": "that no machine used of commitments (amortised)",
    "other_resources": "for resources of other kinds, or that are not listed and have no hours (amortised)",
    "no_resource": "without a resource (amortised)",
    "commitment_purchases": "for buying commitments, which is spread over what they pay for and not added",
    "credits": "of credits, which are told apart from prices",
    "taxes": "of taxes, which are told apart from prices",
}
_BILLED = ("commitment_purchases", "credits", "taxes")
"""Kinds whose sum is what was invoiced; the amortised cost of a purchase is nothing."""
_SHOWN = 10
_MOST_HOURS = 0.9
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Judged:
    """A resource with its class."""

    row: Row
    finding: Finding

    @property
    def name(self) -> str:
        return self.row["resource_id"]

    @property
    def difference(self) -> float:
        """What the bill says of a month less what we say."""
        return self.row["running_effective_usd_month"] - self.row["paid_usd_month"]


def billing_in_report(runtime: Runtime, day: date) -> Billing | None:
    """The section of the day's report; None where no billing file was named when the day was read."""
    load = load_of(runtime.lake, SOURCE, day)
    if load is None:
        return None
    unread = (load.error,) if load.error else ()
    if load.watermark_at is None:
        first = day - timedelta(days=runtime.settings.billing.window_days - 1)
        none = f"The bill has no charge of the days {first} to {day} yet."
        told = "The bill was not read." if load.status == "failed" else none
        return Billing(told, notes=tuple(_aside(rejected_of(runtime.lake, SOURCE, day))), unread=unread)
    with _opened(runtime, day) as engine:
        judged = _judge(runtime, engine, None, is_whole=not load.error)
        totals = {row["kind"]: row for row in engine.rows(statement("reports/billed_totals_of"))}
    differing = sorted(
        (each for each in judged if each.finding.kind in domain.COMPARED and each.finding.kind != domain.AGREES),
        key=lambda each: (-abs(each.difference), each.name),
    )
    return Billing(
        sentence=_sentence(judged),
        reach=_reach(load.watermark_at, day),
        classes=tuple(_classes(judged)),
        differences=tuple(map(_line, differing[:_SHOWN])),
        more=max(len(differing) - _SHOWN, 0),
        gaps=tuple(_gaps(judged)),
        notes=(*_beside(totals), *_seldom(judged), *_aside(rejected_of(runtime.lake, SOURCE, day))),
        unread=unread,
    )


def billed_on(runtime: Runtime, day: date, resource_id: str) -> str | None:
    """What the bill says of one resource, in one sentence without a full stop; None where there is no bill of the day."""
    load = load_of(runtime.lake, SOURCE, day)
    if load is None or load.watermark_at is None:
        return None
    with _opened(runtime, day) as engine:
        found = _judge(runtime, engine, resource_id, is_whole=not load.error)
    if not found:
        return None
    row, finding = found[0].row, found[0].finding
    effective = row["running_effective_usd_month"]
    if effective is None or finding.kind not in domain.COMPARED:
        return finding.sentence
    other = f"; ${row['other_usd']:,.2f} was charged beside its running" if row["other_usd"] else ""
    return f"${effective:,.2f} a month amortised, of {row['covered_hours']:,.0f} hours: {finding.sentence}{other}"


@contextmanager
def _opened(runtime: Runtime, day: date) -> Iterator[Engine]:
    with open_engine(runtime.lake) as engine:
        for table in (BILLED_COSTS, BILLED_TOTALS, RIGHTSIZING_VERDICTS, RESOURCE_INVENTORY):
            engine.view(table, [day])
        yield engine


def _judge(runtime: Runtime, engine: Engine, resource_id: str | None, *, is_whole: bool) -> list[_Judged]:
    rows = engine.rows(statement("reports/billed_beside_ours"), {"resource_id": resource_id})
    reach = {row["sub_account_id"]: row["charged_to"] for row in engine.rows(statement("reports/billed_accounts"))}
    tolerance = runtime.settings.billing.tolerance_pct

    def judged(row: Row) -> Finding:
        return domain.reconcile(_ours(row), _billed(row), _reaches_to(row, reach), tolerance, is_whole=is_whole)

    return [_Judged(row, judged(row)) for row in rows]


def _reaches_to(row: Row, reach: Mapping[str, datetime]) -> datetime | None:
    if row["account_id"] is not None:
        return reach.get(row["account_id"])
    # Whose account nobody knows may be in any bill, and only one that knows no other is known to be its own.
    return next(iter(reach.values())) if len(reach) == 1 else None


def _ours(row: Row) -> Ours | None:
    if not row["is_ours"]:
        return None
    return Ours(row["list_usd_month"], row["paid_usd_month"], row["current_type"], row["created_at"], row["is_spot"])


def _billed(row: Row) -> Billed | None:
    if not row["is_billed"]:
        return None
    return Billed(
        list_usd_month=row["running_list_usd_month"],
        contracted_usd_month=row["running_contracted_usd_month"],
        effective_usd_month=row["running_effective_usd_month"],
        covered_hours=row["covered_hours"],
        committed_pct=row["committed_pct"],
        size=row["billed_type"],
        sizes=row["billed_types"],
        on_demand_billed_usd=row["on_demand_billed_usd"],
        on_demand_effective_usd=row["on_demand_effective_usd"],
    )


def _sentence(judged: Sequence[_Judged]) -> str:
    ours = [each for each in judged if each.row["is_ours"]]
    compared = [each for each in ours if each.finding.kind in domain.COMPARED]
    if not compared:
        return f"None of {counted(len(ours), 'resource')} could be compared with the bill."
    paid = sum(each.row["paid_usd_month"] for each in compared)
    effective = sum(each.row["running_effective_usd_month"] for each in compared)
    reconciled = sum(each.finding.kind in domain.RECONCILED for each in ours)
    return (
        f"{counted(len(compared), 'resource')} could be compared: {money(paid)} a month at our prices, {money(effective)} by the "
        f"bill, amortised. Of {counted(len(ours), 'resource')} {reconciled:,} ({_pct(reconciled, len(ours))}) are reconciled."
    )


def _pct(part: int, whole: int) -> str:
    """A share that is never rounded to none or all."""
    if part in (0, whole):
        return "0 %" if part == 0 else "100 %"
    return f"{min(max(round(100 * part / whole), 1), 99)} %"


def _reach(newest: datetime, day: date) -> str:
    ends = datetime.combine(day + timedelta(days=1), time())
    late = (ends - newest) // timedelta(days=1)
    age = f"{counted(late, 'day')} before the end of the day" if late > 0 else "on the day itself"
    return f"The newest charge ends at {newest:%Y-%m-%d %H:%M} UTC, {age}; what is not billed yet is not free of charge."


def _classes(judged: Sequence[_Judged]) -> Iterable[BillingClass]:
    for kind in domain.CLASSES:
        mine = [each for each in judged if each.finding.kind == kind]
        if not mine or kind == domain.NOT_COMPARED:
            continue
        yield BillingClass(
            kind,
            TITLES[kind],
            len(mine),
            _sum(mine, "paid_usd_month"),
            _sum(mine, "running_list_usd_month"),
            _sum(mine, "running_effective_usd_month"),
            mine[0].name,
            mine[0].finding.sentence,
        )


def _sum(judged: Sequence[_Judged], column: str) -> float | None:
    values = [each.row[column] for each in judged]
    return None if None in values else sum(values)


def _line(each: _Judged) -> BillingLine:
    row = each.row
    return BillingLine(
        each.name,
        row["service"],
        each.finding.sentence,
        row["paid_usd_month"],
        row["running_effective_usd_month"],
        each.difference,
    )


def _gaps(judged: Sequence[_Judged]) -> Iterable[BillingGap]:
    why: dict[str, list[str]] = {}
    for each in judged:
        if each.finding.kind == domain.NOT_COMPARED:
            why.setdefault(each.finding.sentence, []).append(each.name)
    for sentence, names in sorted(why.items(), key=lambda item: (-len(item[1]), item[0])):
        yield BillingGap(sentence, len(names), names[0])


def _beside(totals: Mapping[str, Row]) -> Iterable[str]:
    for kind, words in _BESIDE.items():
        if kind in totals:
            usd = totals[kind]["billed_usd" if kind in _BILLED else "effective_usd"]
            amount = "An amount that is not known" if usd is None else money(usd)
            yield f"{amount} was charged {words}, in {counted(totals[kind]['rows'], 'row')}."


def _seldom(judged: Sequence[_Judged]) -> Iterable[str]:
    """Machines that do not run all the time cost less than a month of 730 hours."""
    seldom = [each.name for each in judged if each.finding.kind in domain.COMPARED and _share_of_time(each.row) < _MOST_HOURS]
    if seldom:
        who = counted(len(seldom), "resource").capitalize()
        yield f"{who} ran less than 90 % of the time that is billed, such as {seldom[0]}: a month is 730 hours here all the same."


def _share_of_time(row: Row) -> float:
    hours = (row["charged_to"] - row["charged_from"]) / timedelta(hours=1) * (row["units"] or 1)
    return row["covered_hours"] / hours if hours > 0 else 1.0


def _aside(rejected: Sequence[RejectedGroup]) -> Iterable[str]:
    for group in rejected:
        shown = f" ({group.example_value})" if group.reason == TOLD_AGAIN else ""
        why = _ASIDE.get(group.reason, group.reason)
        yield f"Set aside of the bill: {counted(group.rejected_rows, 'row')} {why}{shown}."
