"""``nightshift incidents``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dagster_project.commands.layout import table
from dagster_project.commands.options import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagster_project.domain.incidents.anomalies import Anomaly
    from dagster_project.domain.incidents.redaction import Redactor
    from dagster_project.pipeline.incident_answers import Shown
    from dagster_project.pipeline.incident_import import Read
    from dagster_project.pipeline.runtime import Runtime

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="FILE|FOLDER ...")
_ZONE = click.option("--zone", help="Time zone of times that say none, such as Europe/London; default: incidents.zone.")


@click.group()
def command() -> None:
    """See incidents with their timelines, correct a time, import past ones, and check their times.

    What is shown has no secrets in it, and people are roles with a stable short hash.
    """


@command.command(name="list")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each incident, a line each.")
def list_(is_json: bool) -> None:
    """List every incident that is known, the newest first: the decision engine's, imported ones, and undeclared ones."""
    from dagster_project.pipeline.incident_answers import listed

    rows = listed(runtime())
    if is_json:
        for row in rows:
            click.echo(row.to_json())
        return
    if not rows:
        click.echo("No incident is known. A night reads those of the decision engine, 'nightshift incidents import' past ones.")
        return
    header = ("Incident", "severity", "service", "began (UTC)", "lasted", "status", "counts", "title")
    cells = [
        (
            row.incident_id,
            row.severity or "-",
            row.service or "-",
            _moment(row.started_at),
            _lasted(row.started_at, row.ended_at),
            row.status or "-",
            "yes" if row.not_counted_because is None else f"no: {row.not_counted_because}",
            row.title,
        )
        for row in rows
    ]
    for line in table(header, cells, words=(0, 1, 2, 3, 5, 6, 7)):
        click.echo(line)


@command.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
def show(incident_id: str, is_json: bool) -> None:
    """Show one incident: its phases with where each is known from, its fused timeline, and anomalies of its times."""
    from dagster_project.pipeline.incident_answers import shown

    found = shown(runtime(), incident_id)
    if is_json:
        click.echo(found.to_json())
        return
    for line in _lines(found):
        click.echo(line)


@command.command(name="set")
@click.argument("incident_id", metavar="INCIDENT")
@click.argument("phase")
@click.argument("time", required=False)
@click.option("--reason", required=True, help="How you know; it stands beside the time.")
@click.option("--zone", help="Time zone of the time, where it says none; default: incidents.zone.")
@click.option("--withdraw", is_flag=True, help="Take an earlier time of yours back, instead of giving one.")
def set_(incident_id: str, phase: str, time: str | None, reason: str, zone: str | None, withdraw: bool) -> None:
    """Say when a phase really began: your word comes before every other source, and is kept.

    \b
    Phases: impact_started, detected, acknowledged, declared, identified, mitigated, impact_ended, resolved, closed,
            caused_by_change (the change that it came from).
    Times:  2025-03-03 08:14, 2025-03-03T08:14:05+01:00, or 08:14 of the incident's first day.

    Timeline, metrics and document follow with the next night, whose report says what moved.
    """
    from dagster_project.errors import InputError
    from dagster_project.pipeline.incident_answers import pick

    if (time is None) != withdraw:
        raise InputError("Give either a time or --withdraw.")
    changed = pick(runtime(), incident_id, phase, time, reason, zone)
    before, after = _moment(changed.before) or "unknown", _moment(changed.after) or "unknown"
    click.echo(f"{incident_id} {changed.phase}: {before} → {after}" + (" UTC" if changed.after else ""))


@command.command(name="import")
@_PATHS
@_ZONE
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
def import_(paths: tuple[Path, ...], zone: str | None, dry_run: bool) -> None:
    """Import past incidents from files: what cannot be understood is listed with its line.

    \b
    JSON lines   a status page's (id, title, updates, impact, …), or the columns of the table incidents with optional lists
                 timeline, impact_windows and action_items
    Markdown     postmortems: tables, lists or headings of times; key events; stated durations; action items

    The same file again changes nothing; a changed one is a new version of its incidents.
    """
    from dagster_project.errors import InputError
    from dagster_project.pipeline.incident_import import read_files, store

    if not paths:
        raise InputError("Name the files or folders to import.")
    surroundings = runtime()
    read = read_files(surroundings, paths, zone)
    redactor = _redactor(surroundings)
    for problem in read.problems:
        click.echo(f"{problem.file}:{problem.line}: {redactor.text(problem.sentence)}")
    said = _counted(read)
    if dry_run:
        click.echo(f"{said}. Nothing was imported.")
    else:
        stored = store(surroundings, read)
        click.echo(f"{said}. {stored.new:,} new, {stored.changed:,} changed, {stored.unchanged:,} as they were.")
    if read.problems:
        click.echo(f"{len(read.problems):,} things could not be understood; they are listed above.")
    if read.anomalies:
        click.echo(f"{len(read.anomalies):,} times look wrong; 'nightshift incidents check' lists them.")
    if not read.incidents:
        raise InputError("No incident was found in these files.")


@command.command()
@_PATHS
@_ZONE
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each anomaly, a line each.")
def check(paths: tuple[Path, ...], zone: str | None, is_json: bool) -> None:
    """List times that cannot be right, each with what may be meant; nothing is corrected. Exit code 1 where there are any.

    Checks the incidents that are known, or those of files without importing them.
    """
    from dagster_project.pipeline.incident_import import anomalies_on_record, read_files

    surroundings = runtime()
    if paths:
        read = read_files(surroundings, paths, zone)
        incidents, anomalies = len(read.incidents), read.anomalies
    else:
        incidents, anomalies = anomalies_on_record(surroundings)
    for anomaly in _shown_anomalies(surroundings, anomalies):
        click.echo(_anomaly_json(anomaly) if is_json else _anomaly_line(anomaly))
    if not is_json:
        click.echo(f"{incidents:,} incidents: {len(anomalies):,} anomalies." if anomalies else f"{incidents:,} incidents: none.")
    if anomalies:
        raise SystemExit(1)


def _redactor(surroundings: Runtime) -> Redactor:
    from dagster_project.domain.incidents.redaction import Redactor

    rules = surroundings.settings.incidents
    return Redactor(rules.names, rules.name_salt)


def _shown_anomalies(surroundings: Runtime, anomalies: Sequence[Anomaly]) -> Iterator[Anomaly]:
    """Anomalies without names and secrets: their sentences quote what somebody wrote."""
    redactor = _redactor(surroundings)
    yield from (replace(anomaly, sentence=redactor.text(anomaly.sentence)) for anomaly in anomalies)


def _counted(read: Read) -> str:
    rows = sum(len(each.events) for each in read.incidents)
    items = sum(len(each.action_items) for each in read.incidents)
    phases = sum(len(each.incident.phases) for each in read.incidents)
    found = f"{len(read.incidents):,} incidents, {phases:,} phases, {rows:,} timeline rows, {items:,} action items"
    return f"{read.files:,} file{'s' * (read.files != 1)}: {found}"


def _anomaly_line(anomaly: Anomaly) -> str:
    place = f"{anomaly.place}: " if anomaly.place else ""
    return f"{place}{anomaly.incident_id}: {anomaly.code}: {anomaly.sentence}{_suggested(anomaly)}"


def _suggested(anomaly: Anomaly) -> str:
    if anomaly.suggestion is None:
        return ""
    meant = anomaly.suggestion
    return f" Perhaps {meant:%Y-%m-%d %H:%M} UTC." if isinstance(meant, datetime) else f" Perhaps {meant}."


def _anomaly_json(anomaly: Anomaly) -> str:
    import json
    from dataclasses import asdict

    return json.dumps(asdict(anomaly), ensure_ascii=False, default=str)


def _lines(found: Shown) -> Sequence[str]:
    from dagster_project.domain.incidents.model import PHASES, not_counted_because

    incident = found.incident
    excluded = not_counted_because(incident)
    lines = [
        f"{incident.incident_id}  {incident.title}",
        "  ".join(part for part in (incident.severity, incident.service, incident.status, incident.kind) if part),
        *([f"Not counted in metrics: {excluded}."] if excluded else []),
        *([incident.summary] if incident.summary else []),
        "",
        "Phases (UTC)",
    ]
    choices = {choice.phase: choice for choice in found.timeline.choices}
    for phase, title in PHASES.items():
        choice = choices.get(phase)
        chosen = choice.chosen if choice else None
        said = f"{_moment(chosen.at)}  {chosen.source}, {chosen.method.replace('_', ' ')}" if chosen else "unknown"
        lines.append(f"  {title:<16}{said}")
        for other in choice.candidates if choice else ():
            if other != chosen:
                lines.append(f"  {'':<16}  or {_moment(other.at)}: {other.reason or other.source}")
    lines += ["", "Timeline (UTC)"]
    for entry in found.timeline.entries:
        until = f"–{entry.until:%H:%M}" if entry.until else ""
        times = f" ×{entry.times}" if entry.times > 1 else ""
        who = f" {entry.actor}:" if entry.actor and entry.lane == "people" else ""
        mark = f" [{PHASES[entry.phase]}]" if entry.phase else ""
        lines.append(f"  {_exact(entry.at, entry.precision)}{until}  {entry.lane:<8}{who} {entry.text}{times}{mark}")
    if not found.timeline.entries:
        lines.append("  Nothing was captured of it.")
    if found.anomalies:
        lines += ["", "Times that look wrong", *(f"  {_anomaly_line(each)}" for each in found.anomalies)]
    return lines


def _exact(at: datetime, precision: str) -> str:
    return f"{at:%Y-%m-%d}      " if precision in ("day", "unknown") else f"{at:%Y-%m-%d %H:%M}"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _lasted(started: datetime | None, ended: datetime | None) -> str:
    if started is None:
        return "-"
    if ended is None:
        return "goes on"
    minutes = round((ended - started).total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
