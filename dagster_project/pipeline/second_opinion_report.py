"""What AWS's own advisers say beside the verdicts of a day: the report's section, its file, and the lines of ``explain``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.catalog.shapes import Catalog
from dagster_project.domain import second_opinion as domain
from dagster_project.domain.rightsizing.dimensions import CPU, MEMORY
from dagster_project.domain.second_opinion import Answer, Comparison, Opinion, Ours, Size
from dagster_project.lake.engine import Engine, open_engine
from dagster_project.lake.opinion_tables import SECOND_OPINIONS
from dagster_project.lake.partitions import replace_file
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS
from dagster_project.pipeline.proposal_views import said
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.second_opinion import SOURCE
from dagster_project.reporting.second_opinion_views import OpinionGroup, OpinionLine, SecondOpinion
from dagster_project.reporting.words import counted
from dagster_project.statements import statement

FILE = "second_opinions.csv"
TITLES = {
    domain.TOO_SMALL: "We would shrink it, they say it is too small already",
    domain.THEY_KEEP: "We would shrink it, they would leave it",
    domain.WE_KEEP: "They would shrink or stop it, we would not",
    domain.OTHER_SIZE: "Both would change it, to different sizes",
    domain.SAME: "Both say the same",
}
_ASIDE = {domain.OUTDATED: "not compared: of another size than it has", domain.UNCLEAR: "not compared: not clear what is asked"}
_SHOWN = 10
_COLUMNS = (
    "resource_id", "service", "team", "environment", "account_id", "region", "resource_type", "is_known", "source", "kind",
    "verdict", "reason_code", "our_type", "our_target", "our_savings_usd_month", "finding", "reason_codes", "their_current_type",
    "recommended_type", "performance_risk", "is_idle", "savings_usd_month", "savings_after_discounts_usd_month", "lookback_days",
    "as_of", "told",
)  # fmt: skip
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Heard:
    """What was said on a day: every row with its comparison (None: the resource is not known), and the resources' answers."""

    rows: tuple[tuple[Row, Comparison | None], ...]
    answers: tuple[Answer, ...]


def second_opinion_in_report(engine: Engine, catalog: Catalog, day: date, resources: int) -> SecondOpinion | None:
    """The section of the day's report; None where nobody was to be asked. ``engine`` has the day's verdicts and load ledger in
    view, ``resources`` are those that have a verdict."""
    loads = engine.rows(statement("reports/second_opinion_loads"), {"prefix": SOURCE})
    if not loads:
        return None
    heard = _hear(engine, catalog, day)
    return SecondOpinion(
        sentence=_sentence(heard, loads, resources),
        groups=_groups(heard) if heard.answers else (),
        notes=tuple(_notes(heard)),
        unread=tuple(dict.fromkeys(load["error"] for load in loads if load["error"])),
        file=FILE if heard.rows else None,
    )


def write_table(runtime: Runtime, day: date, folder: Path, section: SecondOpinion | None) -> None:
    """Writes every opinion of the day into the folder of its report; removes the file where the report has none."""
    target = folder / FILE
    if section is None or section.file is None:
        target.unlink(missing_ok=True)
        return
    with open_engine(runtime.lake) as engine:
        engine.view(RIGHTSIZING_VERDICTS, [day])
        replace_file(target, _table(_hear(engine, runtime.catalog(day), day)).encode())


def _hear(engine: Engine, catalog: Catalog, day: date, resource_id: str | None = None) -> Heard:
    """What was said of every resource, or of one."""
    engine.view(SECOND_OPINIONS, [day])
    rows = engine.rows(statement("reports/second_opinions_of"), {"resource_id": resource_id})
    sizes = _sizes(catalog)
    compared = tuple((row, domain.compare(_ours(row), _opinion(row), sizes) if row["is_known"] else None) for row in rows)
    return Heard(compared, tuple(domain.answers(each for _, each in compared if each is not None)))


def second_opinion_on(engine: Engine, catalog: Catalog, day: date, resource_id: str) -> tuple[str, ...]:
    """What the advisers said of one resource: how that stands to its verdict, then each in its words. ``engine`` has the day's
    verdicts in view."""
    heard = _hear(engine, catalog, day, resource_id)
    lines: list[str] = []
    for answer in heard.answers:
        lines.append(TITLES.get(answer.kind) or _ASIDE[answer.kind].capitalize())
        lines += [_sentence_of(each) for each in (answer.first, *answer.others)]
        if answer.differ:
            lines.append("AWS's own advisers differ.")
    return tuple(lines)


def _sentence_of(comparison: Comparison) -> str:
    text = domain.opinion_told(comparison)
    return f"{text[:1].upper()}{text[1:]}."


def _ours(row: Row) -> Ours:
    return Ours(
        resource_id=row["resource_id"],
        verdict=row["verdict"],
        reason_code=row["reason_code"],
        sentence=said(row),
        current_type=row["our_current_type"],
        target_type=row["target_type"],
        minimum=row["target_minimum_size"],
        savings_usd_month=row["our_savings_usd_month"] or 0.0,
    )


def _opinion(row: Row) -> Opinion:
    return Opinion(
        source=row["source"],
        finding=row["finding"],
        reason_codes=tuple(json.loads(row["reason_codes"] or "[]")),
        current_type=row["current_type"],
        recommended_type=row["recommended_type"],
        performance_risk=row["performance_risk"],
        is_idle=bool(row["is_idle"]),
        savings_usd_month=row["savings_usd_month"],
        savings_after_discounts_usd_month=row["savings_after_discounts_usd_month"],
        lookback_days=row["lookback_days"],
        as_of=row["as_of"],
    )


def _sizes(catalog: Catalog) -> dict[str, Size]:
    """What each type has, as far as the catalog knows it; no two regions or engines differ in that."""
    found = {}
    for shapes in (catalog.ec2_shapes(None), catalog.rds_shapes(None, None)):
        for name, capacity in zip(shapes.names, shapes.capacity, strict=True):
            if capacity[CPU] > 0 and capacity[MEMORY] > 0:
                found[name] = Size(float(capacity[CPU]), float(capacity[MEMORY]))
    return found


def _sentence(heard: Heard, loads: Sequence[Row], resources: int) -> str:
    if not any(load["status"] in ("complete", "partial") for load in loads):
        return "AWS's own advisers were not heard."
    if not heard.rows:
        return "AWS's own advisers were asked, and have said nothing of any resource so far."
    compared = [each for each in heard.answers if each.first.is_compared]
    against = [each for each in compared if each.kind != domain.SAME]
    scope = f"AWS's own advisers spoke of {len(compared):,} of {counted(resources, 'resource')}"
    if not against:
        return f"{scope}, and contradict no verdict."
    return f"{scope}, and contradict {counted(len(against), 'verdict')}. No verdict was changed by that."


def _groups(heard: Heard) -> tuple[OpinionGroup, ...]:
    services = {row["resource_id"]: row["service"] for row, _ in heard.rows}
    groups = []
    for total in domain.totals(heard.answers):
        mine = [each for each in heard.answers if each.kind == total.kind and total.kind != domain.SAME]
        groups.append(
            OpinionGroup(
                total.kind,
                TITLES[total.kind],
                total.resources,
                total.ours_usd_month,
                total.theirs_usd_month,
                tuple(_line(each, services) for each in mine[:_SHOWN]),
                max(len(mine) - _SHOWN, 0),
            )
        )
    return tuple(groups)


def _line(answer: Answer, services: Mapping[str, str | None]) -> OpinionLine:
    name = answer.ours.resource_id
    ours = answer.ours.savings_usd_month if answer.ours.is_proposal else None
    return OpinionLine(name, services[name], domain.told(answer), ours, domain.theirs(answer.first), answer.differ)


def _notes(heard: Heard) -> Iterable[str]:
    if any(row["is_discounted"] for row, _ in heard.rows):
        yield "Savings are at list price here, before the discounts of the settings: theirs know none of these."
    differing = [each for each in heard.answers if each.differ]
    if differing:
        example = differing[0].ours.resource_id
        yield f"AWS's advisers differ among themselves on {counted(len(differing), 'resource')}, such as {example}."
    larger = [each for each in heard.answers if each.kind == domain.SAME and each.first.wants == domain.LARGER]
    if larger:
        yield (
            f"Of the resources that neither would shrink, they would make {len(larger):,} larger, such as "
            f"{larger[0].ours.resource_id}: {domain.opinion_told(larger[0].first)}."
        )
    for kind, words in (
        (domain.OUTDATED, "of a size that the resource does not have (it was changed since)"),
        (domain.UNCLEAR, "not clear enough to be compared"),
    ):
        aside = [each.ours.resource_id for _, each in heard.rows if each is not None and each.kind == kind]
        if aside:
            yield f"{_opinions(aside)} {words}, such as that on {aside[0]}."
    unknown = [row["resource_id"] for row, each in heard.rows if each is None]
    if unknown:
        yield f"{_opinions(unknown)} on resources that the inventory does not list, such as {unknown[0]}."


def _opinions(some: Sequence[str]) -> str:
    return f"{counted(len(some), 'opinion').capitalize()} {'is' if len(some) == 1 else 'are'}"


def _table(heard: Heard) -> str:
    """Every opinion as CSV: disagreements first, what is not known last."""
    answers = {each.ours.resource_id: number for number, each in enumerate(heard.answers)}
    last = len(answers)
    ordered = sorted(heard.rows, key=lambda pair: (answers.get(pair[0]["resource_id"], last), pair[0]["resource_id"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row, comparison in ordered:
        cells = {
            **row,
            "kind": "" if comparison is None else comparison.kind,
            "our_type": row["our_current_type"],
            "our_target": row["target_type"] or (f"minimum {row['target_minimum_size']}" if row["target_minimum_size"] else None),
            "their_current_type": row["current_type"],
            "reason_codes": " ".join(json.loads(row["reason_codes"] or "[]")),
            "as_of": row["as_of"].isoformat() if row["as_of"] else None,
            "told": "" if comparison is None else _sentence_of(comparison),
        }
        writer.writerow([_cell(cells[name]) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A name that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
