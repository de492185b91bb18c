"""The weekly digest: the seven days up to a night, from its report and from the numbers of the nights among them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import polars as pl

from dagster_project.domain.night_numbers import COST_DAYS, NIGHT_NUMBERS, WEEK_DAYS
from dagster_project.errors import NightshiftError
from dagster_project.lake.engine import open_engine
from dagster_project.lake.incident_tables import POSTMORTEMS
from dagster_project.lake.partitions import Lake, replace_file
from dagster_project.lake.report_tables import SAVINGS
from dagster_project.lake.tables import RIGHTSIZING_VERDICTS, SERVICE_HEADROOM
from dagster_project.pipeline.night_list import week_of, weekly_paths
from dagster_project.pipeline.night_numbers import numbers_of
from dagster_project.pipeline.runtime import Runtime, days_up_to
from dagster_project.reporting.figures import Figures
from dagster_project.reporting.savings_views import Answers
from dagster_project.reporting.views import ApprovalLine, NightReport, OutcomeLine, Proposal, PullRequestLine
from dagster_project.reporting.weekly import render_html, render_markdown, render_slack
from dagster_project.reporting.weekly_views import Chapter, Headline, Item, WeeklyDigest
from dagster_project.reporting.words import UNKNOWN, counted, money, percent
from dagster_project.statements import statement

_HEADLINES = (
    ("safe_usd_month", "a month"),
    ("realized_usd_month", "a month"),
    ("applied_week", ""),
    ("waiting_answers", ""),
    ("incidents_week", ""),
    ("action_items_overdue", ""),
)
_ALERTS = {"incidents_week": "incidents_open", "action_items_overdue": "action_items_overdue"}
_TOP, _SHOWN, _SENTENCES = 5, 10, 10
_ASKED = {"open": "pull request", "frozen": "pull request, with commits of people"}
_BROKEN = {"partial", "failed"}


def write_week(runtime: Runtime, report: NightReport, build: Callable[[Runtime, date], NightReport]) -> None:
    """Writes the digest of the newest night in the week of a report, be it of that night or not: a day that is back-filled takes
    no later one's place, and is no longer missing in its digest."""
    week = week_of(report.day)
    newest = max((day for day in _told(runtime) if week_of(day) == week), default=report.day)
    digest = weekly_digest(runtime, report if newest <= report.day else build(runtime, newest))
    address = runtime.settings.report_url
    texts = (render_markdown(digest, address or ".."), render_html(digest, address or ".."), render_slack(digest, address))
    for path, text in zip(weekly_paths(runtime.settings.reports, week), texts, strict=True):
        replace_file(path, text.encode())


def _told(runtime: Runtime) -> list[date]:
    """The nights of which a report can be made."""
    lake = runtime.lake
    return sorted({*lake.days(RIGHTSIZING_VERDICTS)} & {*lake.days(SAVINGS)})


def newest_night(runtime: Runtime) -> date:
    """The newest night that a digest can end with. Raises ``NightshiftError`` where there is none."""
    told = _told(runtime)
    if not told:
        raise NightshiftError("No night has run in this home yet; run 'nightshift nightly' or 'nightshift demo' first.")
    return told[-1]


def written_digest(runtime: Runtime, digest: WeeklyDigest, form: str) -> str:
    """The digest as ``md``, ``html`` or ``slack``, for whoever reads it far from the folder of reports: links only where that is
    published."""
    render = {"md": render_markdown, "html": render_html, "slack": render_slack}[form]
    return render(digest, runtime.settings.report_url)


def weekly_digest(runtime: Runtime, report: NightReport) -> WeeklyDigest:
    """The digest of the seven days up to the report's."""
    day, lake = report.day, runtime.lake
    days = days_up_to(day, WEEK_DAYS)
    numbers = numbers_of(lake, [day - timedelta(days=WEEK_DAYS), *days])
    since = next((each for each in numbers if each < day), None)
    figures = Figures(Answers(numbers.get(day, {}), numbers[since] if since else {}, since), day)
    return WeeklyDigest(
        week=week_of(day),
        first=days[0],
        day=day,
        since=since,
        nights=sum(each in numbers for each in days),
        headline=f"{money(report.savings_usd_month)} a month is safe to save" if report.proposals_total else "Nothing to propose",
        headlines=tuple(_headlines(figures)),
        chapters=(
            _saved(report, figures, days[0]),
            _safe(report, figures),
            _asked(report),
            _broke(report, figures, days[0], _costs(lake, day)),
            _overdue(report),
            _learned(report, lake, days),
            _missing(report, [each for each in days if each not in numbers]),
        ),
        report=f"{day}/index.html",
        version=report.version,
    )


def _headlines(figures: Figures) -> Iterator[Headline]:
    for name, unit in _HEADLINES:
        is_alert = bool(name in _ALERTS and figures.value(_ALERTS[name]))
        yield Headline(NIGHT_NUMBERS[name].title, figures.text(name), unit, figures.change(name) or "", is_alert)


def _saved(report: NightReport, figures: Figures, first: date) -> Chapter:
    live = [line for line in report.outcomes.lines if line.applied_on is not None and line.applied_on >= first]
    live.sort(key=lambda line: (-line.estimated_usd_month, line.resource_id, line.source))
    told = [f"{counted(len(live), 'change').capitalize()} became live in these seven days."]
    if figures.value("known_usd_month"):
        told.append(
            f"What is live saves {figures.text('realized_usd_month')} a month; {figures.text('known_usd_month')} were estimated."
        )
    return Chapter("What was saved", tuple(told), tuple(map(_live, live[:_TOP])), len(live[_TOP:]))


def _live(line: OutcomeLine) -> Item:
    saved = f"{money(line.estimated_usd_month)} estimated" if line.realized_usd_month is None else money(line.realized_usd_month)
    return Item(line.resource_id, _parts(line.change, line.service, f"live since {line.applied_on}", line.state), saved)


def _safe(report: NightReport, figures: Figures) -> Chapter:
    told = [f"{figures.text('safe_usd_month')} a month, of {counted(report.proposals_total, 'proposal')}."]
    told += [delta] if (delta := figures.delta("safe_usd_month")) else []
    told.append(
        f"Not dared: {figures.text('refused_usd_month')} a month. "
        f"Waiting for evidence: {figures.text('waiting_usd_month')} a month."
    )
    shown = report.proposals[:_TOP]
    return Chapter(
        "What is safe now",
        tuple(told),
        tuple(_proposal(each, report.day) for each in shown),
        max(report.proposals_total - len(shown), 0),
    )


def _proposal(proposal: Proposal, day: date) -> Item:
    units = f"{proposal.units:,} × " if proposal.units > 1 else ""
    return Item(
        proposal.resource_id,
        _parts(
            f"{units}{proposal.current_type} → {proposal.target_type}", proposal.service, proposal.environment, proposal.stage
        ),
        f"{money(proposal.savings_usd_month)} a month",
        _beside(day, proposal.page),
    )


def _asked(report: NightReport) -> Chapter:
    found = [_request(each, report.day) for each in report.approvals if each.state == "pending"]
    found += [_pull(each, report.day) for each in report.pull_requests if each.state in _ASKED]
    told = f"{counted(len(found), 'answer').capitalize()} {'is' if len(found) == 1 else 'are'} waited for."
    return Chapter("What people must answer", (told,), tuple(found[:_SHOWN]), len(found[_SHOWN:]))


def _request(line: ApprovalLine, day: date) -> Item:
    where = f"{line.service or 'unknown service'} in {line.environment or 'unknown environment'}"
    about = f"{counted(line.resources, 'resource')}, {line.risk} risk"
    return Item(
        line.request_id or "request",
        _parts(where, line.owner, about, line.detail),
        f"{money(line.usd_month)} a month",
        _beside(day, line.page),
    )


def _pull(line: PullRequestLine, day: date) -> Item:
    about = f"{counted(line.resources, 'resource')}, {line.risk or UNKNOWN} risk"
    return Item(
        f"{line.repository} #{line.number}" if line.number else line.repository,
        _parts(_ASKED[line.state], line.owner, about, line.detail),
        f"{money(line.usd_month)} a month",
        line.url or _beside(day, line.page),
    )


def _broke(report: NightReport, figures: Figures, first: date, costs: dict[str, float]) -> Chapter:
    found = [
        line
        for line in report.incidents.lines
        if line.state != "undeclared" and (line.state == "open" or line.began[:10] >= first.isoformat())
    ]
    told = [f"Incidents that began: {figures.text('incidents_week')}. Open now: {figures.text('incidents_open')}."]
    known = [costs[line.incident_id] for line in found if line.incident_id in costs]
    told.append(
        f"Cost of these, as far as it is known ({len(known):,} of {len(found):,}): {money(math.fsum(known))}."
        if known
        else "What these cost is not known."
        if found
        else f"Incidents of the last {COST_DAYS} days: {figures.text('incidents_cost_window')}."
    )
    undeclared = figures.value("incidents_undeclared")
    told += [f"Clusters of emergency decisions that nobody declared: {undeclared:,.0f}."] if undeclared else []
    items = [
        Item(
            line.incident_id,
            _parts(line.title, line.severity, line.service, f"began {line.began}, {_lasted(line.lasted)}", line.note),
            money(costs[line.incident_id]) if line.incident_id in costs else "",
            _beside(report.day, line.document),
        )
        for line in found
    ]
    return Chapter("What broke", tuple(told), tuple(items[:_SHOWN]), len(items[_SHOWN:]))


def _lasted(text: str) -> str:
    return text if text == "goes on" else f"lasted {text}"


def _costs(lake: Lake, day: date) -> dict[str, float]:
    """What incidents cost by their documents, USD, where that is known."""
    rows = [row for file in lake.files(POSTMORTEMS, [day]) for row in pl.read_parquet(file, hive_partitioning=False).to_dicts()]
    # Partitions of earlier versions have no costs.
    return {row["incident_id"]: cost for row in rows if (cost := row.get("cost_expected_usd")) is not None}


def _overdue(report: NightReport) -> Chapter:
    late = [line for line in report.action_items.lines if line.late is not None]
    items = [
        Item(
            line.item_id, _parts(line.title, line.owner, line.team, f"due {line.due}"), counted(line.late or 0, "day"), line.link
        )
        for line in late[:_SHOWN]
    ]
    return Chapter(
        "What is overdue",
        (report.action_items.sentence,),
        tuple(items),
        len(late) - len(items) + (report.action_items.more if late else 0),
    )


def _learned(report: NightReport, lake: Lake, days: Sequence[date]) -> Chapter:
    regretted = [line for line in report.outcomes.lines if line.state == "regret"]
    told = [f"{counted(len(regretted), 'regret').capitalize()} among the changes of the last five weeks."]
    changed = []
    for day in days:
        with open_engine(lake) as engine:
            engine.view(SERVICE_HEADROOM, [day])
            changed += engine.rows(statement("reports/headroom_changes"), {"day": day})
    told += [
        f"{row['service']}: headroom {percent(row['previous_pct'])} → {percent(row['headroom_pct'])}, because {row['reason']}."
        for row in changed[: _SENTENCES - 1]
    ]
    items = [Item(line.resource_id, _parts(line.change, line.service, line.detail)) for line in regretted[:_TOP]]
    return Chapter("What was learned", tuple(told), tuple(items), len(regretted[_TOP:]))


def _missing(report: NightReport, nights: Sequence[date]) -> Chapter:
    told = [f"Nights that did not run or kept no numbers: {', '.join(map(str, nights))}."] if nights else []
    told += [
        f"{load.source} was read in part only." if load.status == "partial" else f"{load.source} could not be read."
        for load in report.loads
        if load.status in _BROKEN
    ]
    told += report.missing_evidence
    return Chapter(
        "Which evidence is missing", tuple(told[:_SENTENCES]) or ("Nothing that is known.",), more=len(told[_SENTENCES:])
    )


def _parts(*parts: str | None) -> tuple[str, ...]:
    return tuple(part for part in parts if part)


def _beside(day: date, page: str | None) -> str | None:
    """A page that is named relative to the folder of a day, relative to the folder of reports."""
    if page is None:
        return None
    return page.removeprefix("../") if page.startswith("../") else f"{day}/{page}"
