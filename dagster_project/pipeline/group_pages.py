"""Pages of teams and services: money, changes, refusals, incidents and action items of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from dagster_project.domain.file_names import page_name
from dagster_project.domain.incidents.redaction import Redactor
from dagster_project.domain.reasons import REASONS
from dagster_project.lake.action_item_tables import ACTION_ITEMS
from dagster_project.lake.engine import Engine
from dagster_project.lake.incident_tables import INCIDENT_RECORDS, POSTMORTEMS
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import SERVICES
from dagster_project.pipeline.incident_report import document_of
from dagster_project.pipeline.proposal_pages import change_line
from dagster_project.pipeline.report_place import group_page, resource_page
from dagster_project.reporting.page_views import GroupIncident, GroupItem, GroupPage, GroupReason
from dagster_project.reporting.words import UNKNOWN, duration
from dagster_project.settings import Settings
from dagster_project.statements import statement

INCIDENT_DAYS = 90
_SHOWN_CHANGES, _SHOWN_INCIDENTS, _SHOWN_ITEMS, _SHOWN_LINKS = 50, 20, 20, 60
Row = Mapping[str, Any]
_ByGroup = dict[tuple[str, str], list[dict[str, Any]]]


def group_pages(engine: Engine, day: date, settings: Settings, paged: Collection[str]) -> Iterator[GroupPage]:
    """The pages of all teams and services of a day's verdicts, which ``engine`` has in view. What has no tag has no page."""
    for table in (SAVINGS, INCIDENT_RECORDS, POSTMORTEMS, SERVICES, ACTION_ITEMS):
        engine.view(table, [day])
    since = datetime.combine(day - timedelta(days=INCIDENT_DAYS - 1), time())
    changes = _grouped(engine, "changes_by_group", {"top": _SHOWN_CHANGES})
    reasons = _grouped(engine, "reasons_by_group", {})
    incidents = _grouped(engine, "incidents_by_service", {"since": since, "top": _SHOWN_INCIDENTS})
    items = _grouped(engine, "items_by_group", {"top": _SHOWN_ITEMS})
    groups = [row for row in engine.rows(statement("reports/savings_by_group")) if row["name"] is not None]
    services: dict[str, list[str]] = defaultdict(list)
    for row in groups:
        if row["kind"] == "service" and row["team"]:
            services[row["team"]].append(row["name"])
    titles = [row["title"] for rows in (*incidents.values(), *items.values()) for row in rows if row["title"]]
    redactor = Redactor(settings.incidents.names, settings.incidents.name_salt).with_people_of(titles)
    for row in groups:
        key = (row["kind"], row["name"])
        yield GroupPage(
            slug=page_name(row["name"]),
            kind=row["kind"],
            name=row["name"],
            resources=row["resources"],
            fleet_usd_month=row["fleet_usd_month"],
            proposals=row["proposals"],
            safe_usd_month=row["safe_usd_month"],
            refused=row["refused"],
            refused_usd_month=row["refused_usd_month"],
            waiting=row["waiting"],
            waiting_usd_month=row["waiting_usd_month"],
            kept=row["kept"],
            live=row["live"],
            realized_usd_month=row["realized_usd_month"],
            links=tuple(_links(row, services)),
            changes=tuple(
                change_line(each, resource_page(each["resource_id"]) if each["resource_id"] in paged else None)
                for each in changes.get(key, ())
            ),
            changes_total=row["changes"],
            reasons=tuple(_reason(each) for each in reasons.get(key, ())),
            incidents=tuple(_incident(each, day, redactor) for each in incidents.get(key, ())),
            incidents_total=_total(incidents.get(key)),
            items=tuple(_item(each, day, redactor) for each in items.get(key, ())),
            items_total=_total(items.get(key)),
        )


def _grouped(engine: Engine, name: str, parameters: Mapping[str, Any]) -> _ByGroup:
    found: _ByGroup = {}
    for row in engine.rows(statement(f"reports/{name}"), parameters):
        found.setdefault((row["kind"], row["name"]), []).append(row)
    return found


def _total(rows: Sequence[Row] | None) -> int:
    """How many there are of which these are the first."""
    return rows[0]["total"] if rows else 0


def _links(row: Row, services: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    if row["kind"] == "service":
        if row["team"]:
            yield row["team"], group_page("team", row["team"])
        return
    for name in sorted(services.get(row["name"], ()))[:_SHOWN_LINKS]:
        yield name, group_page("service", name)


def _reason(row: Row) -> GroupReason:
    return GroupReason(row["verdict"], REASONS[row["reason_code"]].title, row["reason_code"], row["resources"], row["usd_month"])


def _incident(row: Row, day: date, redactor: Redactor) -> GroupIncident:
    ended = row["ended_at"]
    return GroupIncident(
        row["incident_id"],
        redactor.text(row["title"] or ""),
        row["severity"],
        row["service"],
        f"{row['started_at']:%Y-%m-%d %H:%M}",
        "goes on" if row["is_open"] or ended is None else duration((ended - row["started_at"]).total_seconds() / 60),
        document_of(row, day),
    )


def _item(row: Row, day: date, redactor: Redactor) -> GroupItem:
    due = row["due_on"]
    late = (day - due).days if due is not None and due < day else None
    return GroupItem(
        row["item_id"],
        redactor.text(row["title"] or ""),
        row["incident_id"],
        row["state"].replace("_", " "),
        UNKNOWN if due is None else due.isoformat(),
        late,
    )
