"""``nightshift actions``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from dagster_project.commands.layout import table
from dagster_project.commands.options import Day, runtime

if TYPE_CHECKING:
    from dagster_project.domain.action_items.model import Event, Item
    from dagster_project.pipeline.action_item_answers import Listed, Shown
    from dagster_project.pipeline.action_item_sync import Synced

_ITEM = click.argument("item_id", metavar="ITEM")
_REASON = click.option("--reason", required=True, help="Why; it stands in the item's history.")
_TYPE = click.option("--type", "item_type", help="prevent, detect, mitigate, process or investigate.")
_PRIORITY = click.option("--priority", help="Such as P1.")
_OWNER = click.option("--owner", help="The one who answers for it.")
_TEAM = click.option("--team", help="Team that answers for it; default: its owner's, or that of the incident's service.")
_DUE = click.option("--due", type=Day(), help="Day by which it is to be done.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done outside.")


@click.group()
def command() -> None:
    """Action items of incidents: what is to be done, by whom, until when, and what became of it.

    Items come from the decision engine's table, from imported postmortems, from the lists that people edit in ours, and from
    here. They outlive their incidents. docs/action-items.md tells how they are followed.
    """


@command.command(name="list")
@click.option("--all", "is_all", is_flag=True, help="Show what is done, declined or a duplicate, too.")
@click.option("--overdue", "is_overdue", is_flag=True, help="Only what should be done by now.")
@click.option("--owner", help="Only what somebody owns.")
@click.option("--team", help="Only what a team answers for.")
@click.option("--incident", "incident_id", help="Only of one incident.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object for each item, a line each.")
def list_(is_all: bool, is_overdue: bool, owner: str | None, team: str | None, incident_id: str | None, is_json: bool) -> None:
    """List action items, those that are due first before the others. Exit code 0, whatever is overdue."""
    from dagster_project.pipeline.action_item_answers import Filters, listed, today_of

    surroundings = runtime()
    rows = listed(surroundings, Filters(is_all, is_overdue, owner, team, incident_id))
    if is_json:
        for row in rows:
            click.echo(row.to_json())
        return
    if not rows:
        click.echo(
            "No action item is like that. 'nightshift actions list --all' has every one; a night, or 'sync', reads new ones."
        )
        return
    today = today_of(surroundings)
    header = ("Item", "state", "due", "", "owner", "team", "tracker", "title")
    for line in table(header, [_cells(row, today) for row in rows], words=range(8)):
        click.echo(line)
    overdue = sum(row.item.is_overdue(today) for row in rows)
    click.echo(f"{len(rows):,} items, {overdue:,} overdue on {today}.")


@command.command()
@_ITEM
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
def show(item_id: str, is_json: bool) -> None:
    """Show one item: what is known of it, what its wording lacks, and everything that happened to it."""
    from dagster_project.pipeline.action_item_answers import shown, today_of

    surroundings = runtime()
    found = shown(surroundings, item_id)
    if is_json:
        click.echo(found.to_json())
        return
    for line in _lines(found, today_of(surroundings)):
        click.echo(line)


@command.command()
@click.argument("title")
@click.option("--incident", "incident_id", help="Incident that it follows from.")
@_TYPE
@_PRIORITY
@_OWNER
@_TEAM
@_DUE
def add(
    title: str,
    incident_id: str | None,
    item_type: str | None,
    priority: str | None,
    owner: str | None,
    team: str | None,
    due: date | None,
) -> None:
    """Add an item. Begin TITLE with a verb, and say by what anybody sees that it is done.

    Without --due it gets a date by the severity of its incident: 15 days for Sev-1, 30 for Sev-2, eight weeks for the others.
    """
    from dagster_project.pipeline.action_item_answers import add as add_item

    values = {
        "incident_id": incident_id,
        "item_type": item_type,
        "priority": priority,
        "owner": owner,
        "team": team,
        "due_on": due.isoformat() if due else None,
    }
    item = add_item(runtime(), title, values)
    click.echo(f"{item.item_id} is to be done by {item.due_on} ({item.due_source}).")
    _print_hints(item)


@command.command(name="set")
@_ITEM
@click.option("--title", help="Other words for it.")
@_TYPE
@_PRIORITY
@_OWNER
@_TEAM
@_DUE
@click.option(
    "--tracker",
    help="Its issue: owner/name#12, an address, or a Jira key; 'none' takes the link away, and then one is opened or found.",
)
@click.option("--reason", help="Why; it stands in the item's history. A later date needs one.")
def set_(
    item_id: str,
    title: str | None,
    item_type: str | None,
    priority: str | None,
    owner: str | None,
    team: str | None,
    due: date | None,
    tracker: str | None,
    reason: str | None,
) -> None:
    """Correct an item. A date that is moved later is counted as a slip; completion is still measured by the first one."""
    from dagster_project.errors import InputError
    from dagster_project.pipeline.action_item_answers import say, shown, tracker_of

    given = {"title": title, "item_type": item_type, "priority": priority, "owner": owner, "team": team}
    values: dict[str, str | None] = {name: value for name, value in given.items() if value is not None}
    surroundings = runtime()
    if due is not None:
        known = shown(surroundings, item_id).listed.item.due_on
        if known is not None and due > known and not reason:
            raise InputError(f"{item_id} would slip from {known} to {due}; say why with --reason.")
        values["due_on"] = due.isoformat()
    if tracker is not None:
        values["tracker"], values["tracker_key"] = (None, None) if tracker == "none" else tracker_of(tracker)
    if not values:
        raise InputError("Say what to correct; 'nightshift actions set --help' lists what can be.")
    before, after = say(surroundings, item_id, values, reason)
    click.echo(_said(before, after, list(values)))
    _print_hints(after)


@command.command()
@_ITEM
@click.option("--note", help="What was done, such as a link to the change.")
@click.option("--verified", "is_verified", is_flag=True, help="Somebody has looked whether it works.")
def done(item_id: str, note: str | None, is_verified: bool) -> None:
    """Say that an item is done. Its issue is closed as completed by the next sync."""
    from dagster_project.pipeline.action_item_answers import done as mark_done

    _print_state(*mark_done(runtime(), item_id, note, is_verified=is_verified))


@command.command()
@_ITEM
@_REASON
@click.option("--duplicate-of", metavar="ITEM", help="The item that stands for it.")
def decline(item_id: str, reason: str, duplicate_of: str | None) -> None:
    """Say that an item is not to be done. It is not counted as done; its issue is closed as not planned by the next sync."""
    from dagster_project.pipeline.action_item_answers import decline as decline_item

    _print_state(*decline_item(runtime(), item_id, reason, duplicate_of))


@command.command()
@_ITEM
@_REASON
def reopen(item_id: str, reason: str) -> None:
    """Say that an item is to be done after all: one that was done, declined, or lost."""
    from dagster_project.pipeline.action_item_answers import reopen as reopen_item

    _print_state(*reopen_item(runtime(), item_id, reason))


@command.command()
@_ITEM
@click.option("--note", default="", help="What is being done; it stands in the item's history.")
def start(item_id: str, note: str) -> None:
    """Say that somebody is at an item."""
    from dagster_project.pipeline.action_item_answers import reopen as reopen_item

    _print_state(*reopen_item(runtime(), item_id, note, is_begun=True))


@command.command()
@_DRY_RUN
def sync(dry_run: bool) -> None:
    """Bring items and their issues together, as every night does: read sources and issues, then open, close and label.

    An issue is found by its key and a hidden mark, never by its title. The tracker says how an item stands and who owns it.
    Closed as not planned is not done; deleted, moved away or closed by a bot is lost, which is not done either.
    """
    from dataclasses import replace

    from dagster_project.pipeline.action_item_answers import sync_now

    surroundings = runtime()
    synced = sync_now(replace(surroundings, is_dry_run=True) if dry_run else surroundings)
    for line in _synced_lines(synced, dry_run=dry_run):
        click.echo(line)
    if synced.problems:
        click.get_current_context().exit(1)


@command.command()
@_DRY_RUN
def remind(dry_run: bool) -> None:
    """Send the digests that are due: 7 days and 1 day before the due date, on the day, then every week, and to the lead after two
    weeks. One a person a day, in their working hours, and nothing twice. Without a Slack token they lie in the outbox."""
    from dataclasses import replace

    from dagster_project.pipeline.action_item_reminders import FAILED
    from dagster_project.pipeline.action_item_reminders import remind as send

    surroundings = runtime()
    reminded = send(replace(surroundings, is_dry_run=True) if dry_run else surroundings)
    for each in reminded:
        click.echo(
            f"{_plain(each.recipient)}: {each.items} {'item' if each.items == 1 else 'items'}, {each.state}. "
            f"{_plain(each.detail or '')}".rstrip()
        )
    if not reminded:
        click.echo("Nobody is to be reminded of anything now.")
    if any(each.state == FAILED for each in reminded):
        click.get_current_context().exit(1)


def _cells(row: Listed, today: date) -> tuple[str, ...]:
    item = row.item
    late = (today - item.due_on).days if item.due_on is not None else 0
    when = "" if item.is_ended or item.due_on is None else f"{late} d late" if late > 0 else f"in {-late} d"
    return (
        _plain(item.item_id),
        item.state.replace("_", " "),
        str(item.due_on or "-"),
        when,
        _plain(item.owner or "nobody"),
        _plain(row.team or "-"),
        _plain(item.tracker_key or "-"),
        _plain(item.title),
    )


def _plain(text: str) -> str:
    """What others wrote, on one line, and without what a terminal would obey."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _lines(found: Shown, today: date) -> list[str]:
    item = found.listed.item
    facts = (
        ("State", item.state.replace("_", " ") + (f": {item.state_reason}" if item.state_reason else "")),
        ("Incident", item.incident_id),
        ("Type", item.item_type),
        ("Priority", item.priority),
        ("Owner", item.owner or "nobody"),
        ("Team", found.listed.team),
        (
            "Due",
            f"{item.due_on} ({item.due_source})" + (", overdue" if item.is_overdue(today) else "") if item.due_on else "no date",
        ),
        (
            "Moved",
            f"{item.slips}×, {item.slipped_days} days later in all; first {item.first_due_on}" if item.slips else None,
        ),
        ("Done", _done(item)),
        ("Reopened", f"{item.reopened}×" if item.reopened else None),
        ("Verified", item.verification),
        ("Issue", found.listed.url or item.tracker_key),
        ("Problem", found.problem),
    )
    lines = [f"{_plain(item.item_id)}  {_plain(item.title)}", *(f"  {name:<9} {_plain(value)}" for name, value in facts if value)]
    if found.hints:
        lines += ["", "To make it easier to finish", *(f"  {_plain(hint)}" for hint in found.hints)]
    return [*lines, "", "History (UTC)", *(f"  {_event(event)}" for event in found.events)]


def _done(item: Item) -> str | None:
    if item.done_at is None:
        return "since when is not known" if item.is_completed else None
    return f"{item.done_at:%Y-%m-%d %H:%M}"


def _event(event: Event) -> str:
    by = event.source if event.actor == event.source else f"{event.actor} ({event.source})"
    because = f": {_plain(event.reason)}" if event.reason else ""
    if event.field in ("created", "note"):
        return f"{event.happened_at:%Y-%m-%d %H:%M}  {event.field} by {by}{because}"
    return (
        f"{event.happened_at:%Y-%m-%d %H:%M}  {event.field.replace('_', ' ')} → {_plain(event.value or 'none')} by {by}{because}"
    )


def _said(before: Item, after: Item, names: list[str]) -> str:
    changed = [
        f"{name.replace('_', ' ')}: {getattr(before, name) or 'none'} → {getattr(after, name) or 'none'}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
    return f"{after.item_id}  {'; '.join(changed) or 'It was so already.'}"


def _print_state(before: Item, after: Item) -> None:
    click.echo(_said(before, after, ["state"]))
    if before.state != after.state and after.tracker == "github" and after.tracker_key:
        click.echo(f"{after.tracker_key} is told by the next sync; 'nightshift actions sync' does it now.")


def _print_hints(item: Item) -> None:
    from dagster_project.pipeline.action_item_answers import hints_of

    for hint in hints_of(item):
        click.echo(f"Hint: {hint}")


def _synced_lines(synced: Synced, *, dry_run: bool) -> list[str]:
    lines = [f"{synced.looked:,} issues looked at, {synced.events:,} changes taken over from them."]
    if dry_run:
        lines += [f"Would write: {_plain(each)}" for each in synced.planned] or ["Nothing would be written."]
        lines += ["Dry run: no issue was written to."]
    for name, keys in (
        ("Opened", synced.opened),
        ("Changed", synced.changed),
        ("Found again", synced.found),
        ("Lost", synced.lost),
    ):
        lines += [f"{name}: {', '.join(keys)}"] if keys else []
    lines += [f"Waits: {item_id}: {why}" for item_id, why in sorted(synced.waiting.items())]
    return [*lines, *(f"Problem: {each}" for each in synced.problems)]
