"""Postmortems in Markdown, in whatever layout: phases, timeline, stated durations, action items, and people's own words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from pathlib import PurePath

from dagster_project.domain.incidents.events import Event
from dagster_project.domain.incidents.importing.anchors import anchored
from dagster_project.domain.incidents.importing.blocks import Block, blocks_of, front_matter, plain
from dagster_project.domain.incidents.importing.calendars import Calendar, Found
from dagster_project.domain.incidents.importing.day_orders import DayOrder, day_order
from dagster_project.domain.incidents.importing.durations import stated_in
from dagster_project.domain.incidents.importing.follow_ups import Days, action_items_of, links_in
from dagster_project.domain.incidents.importing.identities import identity as identity_of
from dagster_project.domain.incidents.importing.model import Doubt, ImportedIncident, ImportResult, Problem, StatedDuration
from dagster_project.domain.incidents.importing.moments import moments_in
from dagster_project.domain.incidents.importing.phases import Dated, phases_of
from dagster_project.domain.incidents.importing.rows import TIMELINES, Row, rows_of
from dagster_project.domain.incidents.importing.sections import Placed, sections_of
from dagster_project.domain.incidents.importing.zones import Zone, zone_declared
from dagster_project.domain.incidents.model import ImpactWindow, Incident, Moment

MOST_LINES = 20_000
"""Lines of one postmortem that are read: the longest real one has 800."""

MOST_STATED = 50
"""Durations that one postmortem states and that are compared with its times; real ones state two."""

_SURE = 0.7
_FACT = re.compile(
    r"^\W*(severity|priority|services?|(?:affected|impacted) services?|services? (?:affected|impacted)|commander"
    r"|incident commander|status|slack channel|channel)\b"
    r"[*_\s]*[:|][*_|\s]*(\S.{0,200})$",
    re.IGNORECASE,
)


def read_postmortem(text: str, name: str, zone: Zone, identity: str | None = None) -> ImportResult:
    """The incident of one document.

    ``zone`` is that of times whose zone the document does not say; ``identity`` is the incident's id where the document gives
    none, without it that of its name.
    """
    source, problems = _cut(text, name)
    blocks, about = blocks_of(source), front_matter(source)
    sections = sections_of(blocks, source)
    title = sections.title or about.get("title") or PurePath(name).stem
    incident_id = about.get("incident_id") or about.get("id") or identity or identity_of(name)
    order = day_order(source, _reference(about, name, title, source, None))
    reference = _reference(about, name, title, source, order)
    calendar = Calendar(reference, _first_zone(blocks, zone), order)
    dated, doubts, unread, used = _dated(sections.placed, calendar, name)
    doubts += _either_order(order, source, name) if calendar.uses_order else []
    stated, unstated = _stated(blocks, name)
    items, prose = action_items_of(sections.placed, incident_id, name, Days(reference, order))
    if not dated:
        sentence = "No row of a timeline and no key time was found. Write rows like '- 2024-05-01 12:07: text'."
        problems.append(Problem(name, 1, sentence))
    candidates = anchored(phases_of(dated), dated, stated)
    phases = {phase: moments[0] for phase, moments in candidates.items()}
    imported = ImportedIncident(
        incident=_incident(incident_id, title, phases, sections.texts.get("summary"), blocks),
        events=_events(dated, incident_id),
        action_items=items,
        stated=stated,
        sections=sections.texts,
        links=links_in(source),
        file=name,
        places={phase: moment.evidence[0] for phase, moment in phases.items()},
        others={phase: moments[1:] for phase, moments in candidates.items() if len(moments) > 1},
        doubts=tuple(doubts),
        zone=used,
    )
    listed = sorted([*problems, *unread, *unstated, *prose], key=lambda one: (one.line, one.sentence))
    return ImportResult((imported,), tuple(listed))


def _cut(text: str, name: str) -> tuple[str, list[Problem]]:
    lines = text.split("\n")
    if len(lines) <= MOST_LINES:
        return text, []
    sentence = f"The document has {len(lines)} lines; those after {MOST_LINES} were not read."
    return "\n".join(lines[:MOST_LINES]), [Problem(name, MOST_LINES + 1, sentence)]


def _reference(about: dict[str, str], name: str, title: str, source: str, order: DayOrder | None) -> date | None:
    """The document's day: of its front matter, its name, its title, or else the first full date in it.

    Before an order is settled a date that has two is none.
    """
    path = PurePath(re.sub(r"(?<=\d)_(?=\d)", "-", name))
    for text in (about.get("date", ""), path.stem, path.parent.name, title, about.get("title", ""), source[:50_000]):
        for written in moments_in(text[:50_000]):
            if written.day is not None and written.day.year is not None:
                if order is not None:
                    return order.settled(written.day).on(None)
                if not written.day.is_swappable:
                    return written.day.on(None)
    return None


def _either_order(order: DayOrder, source: str, name: str) -> list[Doubt]:
    """A doubt where all dates in numbers could be read with the day first and with the month first."""
    if not order.is_open or order.first is None:
        return []
    written = source[order.first : order.first + 10].split()[0]
    said = "month" if order.is_month_first else "day"
    sentence = f"{written} and the other dates in numbers are read with the {said} first; the other order is as possible."
    return [Doubt("date_ambiguous", None, sentence, None, f"{name}:{source.count(chr(10), 0, order.first) + 1}")]


def _first_zone(blocks: Sequence[Block], zone: Zone) -> Zone:
    declared = (zone_declared(_zone_text(block)) for block in blocks if block.kind in ("heading", "header", "text"))
    return next((found for found in declared if found is not None), zone)


def _zone_text(block: Block) -> str:
    return plain(block.text[:400])[:200]


def _dated(placed: Sequence[Placed], calendar: Calendar, name: str) -> tuple[list[Dated], list[Doubt], list[Problem], str]:
    dated: list[Dated] = []
    doubts: list[Doubt] = []
    problems: list[Problem] = []
    section = ""
    for one in rows_of(placed):
        if isinstance(one, Placed):
            declared = zone_declared(_zone_text(one.block)) if one.block.kind in ("heading", "header", "text") else None
            calendar.zone = declared or calendar.zone
            if one.section != section and one.section in TIMELINES and one.block.kind != "heading":
                calendar.restart()
            section = one.section
        elif one.is_day:
            if one.written is None or one.written.day is None or not calendar.turn_to(one.written.day):
                problems.append(Problem(name, one.line, f"The day {one.raw[:60]!r} cannot be told. Write it with its year."))
        else:
            _read_row(one, calendar, name, dated, doubts, problems)
    return dated, doubts, problems, calendar.zone.name


def _read_row(row: Row, calendar: Calendar, name: str, dated: list[Dated], doubts: list[Doubt], problems: list[Problem]) -> None:
    if row.problem or row.written is None:
        problems.append(Problem(name, row.line, f"{(row.problem or 'the time cannot be read').capitalize()}: {row.raw[:120]!r}."))
        return
    found, written = calendar.find(row.written, moves=row.phase is None), row.written.text[:60]
    if found.at is None:
        what = "The time was left open" if row.written.fault == "placeholder" else f"The day of {written!r} is not known"
        problems.append(Problem(name, row.line, f"{what}: {row.raw[:100]!r}."))
        return
    place, text, raw = f"{name}:{row.line}", _joined(row.text, row), _joined(row.raw, row)
    dated.append(Dated(row.line, found, text, raw, row.phase, place, row.written.is_approximate, row.written.text, row.actor))
    if row.written.fault == "impossible_time":
        problems.append(Problem(name, row.line, f"There is no time {written!r}; the row is kept with its day alone."))
    if found.is_likely:
        said = f"{row.phase or 'a row of the timeline'} is dated {written!r}, which is no date of ours."
        doubts.append(Doubt("impossible_date", row.phase, said[0].upper() + said[1:], found.at, place))
        problems.append(Problem(name, row.line, f"There is no date {written!r}; {found.at:%Y-%m-%d} may be meant."))
    elif found.second is not None:
        doubts.append(Doubt("zone_ambiguous", row.phase, _twice(found, written), found.second, place))
    elif found.other is not None and not any(doubt.code == "zone_ambiguous" for doubt in doubts):
        doubts.append(Doubt("zone_ambiguous", row.phase, _ambiguous(found), found.other, place))


def _ambiguous(found: Found) -> str:
    letter = f"by its letter it is {found.other:%H:%M} UTC"
    return f"{found.zone} is written on a day of summer time: it is read as local time, {found.at:%H:%M} UTC; {letter}."


def _twice(found: Found, written: str) -> str:
    first = f"{written} comes twice in the night in which the clocks of {found.zone} go back, and stands below a later time"
    return f"{first}: the first is taken, {found.at:%H:%M} UTC; the second is {found.second:%H:%M} UTC."


def _joined(first: str, row: Row) -> str:
    """The row's words with what stands below it. Of a heading that is a time only what is below is text."""
    start = "" if row.level < 0 and not row.text else first
    return "\n".join(part for part in [start, *row.more] if part)


def _stated(blocks: Sequence[Block], name: str) -> tuple[tuple[StatedDuration, ...], list[Problem]]:
    stated: list[StatedDuration] = []
    problems: list[Problem] = []
    for block in blocks:
        if block.kind in ("heading", "code", "quote", "header"):
            continue
        line = ": ".join(plain(cell) for cell in block.cells[:2]) if block.cells else plain(block.text[:400])
        found = stated_in(line, f"{name}:{block.line}")
        if isinstance(found, str):
            problems.append(Problem(name, block.line, found))
        elif found is not None:
            stated.append(found)
    if len(stated) > MOST_STATED:
        problems.append(
            Problem(name, 1, f"The document states {len(stated)} durations; those after {MOST_STATED} were left out.")
        )
    return tuple(stated[:MOST_STATED]), problems


def _events(dated: Sequence[Dated], incident_id: str) -> tuple[Event, ...]:
    seen: dict[str, int] = {}
    events = []
    for row in dated:
        digest = hashlib.blake2b(f"{row.written}|{row.raw}".encode(), digest_size=8).hexdigest()
        seen[digest] = seen.get(digest, 0) + 1
        suffix = f"-{seen[digest]}" if seen[digest] > 1 else ""
        payload = {
            "place": row.place,
            "phase": row.phase,
            "until_at": row.found.until.isoformat() if row.found.until else None,
            "is_approximate": row.is_approximate or None,
            "is_likely": row.found.is_likely or None,
            "rolled_over": row.found.rolled_over or None,
            "markdown": row.raw if row.raw != row.text else None,
        }
        events.append(
            Event(
                "import",
                f"{incident_id}:{digest}{suffix}",
                row.found.at,
                "record",
                "key_event" if row.phase else "note",
                plain(row.text) if row.text.count("\n") == 0 else row.text,
                precision=row.found.precision,
                zone=row.found.zone,
                actor=row.actor,
                incident_id=incident_id,
                url=next(iter(links_in(row.raw)), None),
                payload={key: value for key, value in payload.items() if value is not None},
            )
        )
    return tuple(events)


def _incident(incident_id: str, title: str, phases: dict[str, Moment], summary: str | None, blocks: Sequence[Block]) -> Incident:
    facts = _facts(blocks)
    services = tuple(part.strip() for part in re.split(r"[,;]", facts.get("service", "")) if part.strip())
    start, end = phases.get("impact_started"), phases.get("impact_ended")
    windows = (ImpactWindow(start.at, end.at, "import"),) if start and end and _is_exact(start) and _is_exact(end) else ()
    return Incident(
        incident_id,
        title,
        facts.get("severity"),
        services[0] if services else None,
        services,
        "resolved" if "resolved" in phases or end else "postmortem",
        phases=phases,
        windows=windows,
        summary=summary,
        commander=facts.get("commander"),
        slack_channel=facts.get("channel"),
        origin="import",
    )


def _is_exact(moment: Moment) -> bool:
    """Whether minutes of impact may be counted from a moment."""
    return moment.confidence >= _SURE and moment.precision in ("second", "minute")


def _facts(blocks: Sequence[Block]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for block in blocks:
        line = " | ".join(plain(cell) for cell in block.cells[:2]) if block.cells else plain(block.text[:300])
        found = _FACT.match(line) if block.kind in ("item", "text", "row", "header") else None
        if found:
            facts.setdefault(_fact_key(found[1].lower()), found[2].strip(" |*_"))
    return facts


def _fact_key(words: str) -> str:
    if "service" in words:
        return "service"
    return {"priority": "severity"}.get(words, words.split()[-1])
