"""What is written of action items outside: the text of an issue, and a digest in Slack."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from dagster_project.domain.action_items.hints import action_hints
from dagster_project.domain.action_items.model import Item
from dagster_project.domain.action_items.reminders import ABANDONED, ESCALATED, SECTIONS, Reminder, days_late
from dagster_project.domain.incidents.model import ActionItem
from dagster_project.reporting.slack import Message, digest_message, escape
from dagster_project.reporting.templates import markdown_templates
from dagster_project.reporting.words import clean, counted

_TITLE, _TEXT = 200, 300
LONGEST_TITLE = 256
"""Characters of an issue's title that GitHub takes."""


def hints_of(item: Item) -> tuple[str, ...]:
    """What the wording of an item lacks, while something is left to do."""
    if item.is_ended:
        return ()
    return action_hints(ActionItem(item.title, owner=item.owner, due_on=item.due_on, state=item.state))


def issue_title(item: Item) -> str:
    """The title of its issue: one line, as long as GitHub takes it."""
    title = " ".join(str(clean(item.title)).split()) or item.item_id
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def issue_body(item: Item, severity: str | None) -> str:
    """What an issue says when it is opened. It is not written again: from then on it is people's."""
    template = markdown_templates().get_template("action_item.md.j2")
    return template.render(item=item, severity=severity, hints=hints_of(item)).strip()


def labels_of(item: Item, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of its issue."""
    return _labels(tuple(labels), item.item_type, item.priority)


@lru_cache(maxsize=1024)
def _labels(labels: tuple[str, ...], item_type: str | None, priority: str | None) -> tuple[str, ...]:
    extra = [f"type: {item_type}"] if item_type else []
    extra += [f"priority: {priority}"] if priority else []
    # GitHub's limit; commas would part a name where lists of labels are asked for.
    lines = (" ".join(str(clean(label)).replace(",", " ").split())[:50].strip() for label in (*labels, *extra))
    return tuple(dict.fromkeys(label for label in lines if label))


def milestone_of(due_on: date) -> tuple[str, date]:
    """The milestone of the month in which an item is due, and its last day."""
    return f"Action items due {due_on:%Y-%m}", due_on.replace(day=monthrange(due_on.year, due_on.month)[1])


def reminder_message(
    recipient: str, day: date, reminders: Sequence[Reminder], url_of: Callable[[str], str | None], report_url: str | None
) -> Message:
    """One digest: what is long overdue in the reader's team, what is overdue, due today, due soon, and lost."""
    sections = [
        (heading, [_line(each, day, url_of) for each in reminders if each.stage.section == section])
        for section, heading in SECTIONS.items()
        if any(each.stage.section == section for each in reminders)
    ]
    return digest_message(recipient, day, sections, report_url, about="Action items")


def _line(reminder: Reminder, day: date, url_of: Callable[[str], str | None]) -> str:
    item = reminder.item
    url = url_of(item.item_id)
    title = escape(" ".join(item.title.split()), _TITLE)
    told = f"<{escape(url)}|{title}>" if url else title
    parts = [part for part in (item.incident_id, item.priority) if part]
    about = f" ({escape(', '.join(parts), _TEXT)})" if parts else ""
    owner = f", owner: {escape(item.owner, _TEXT) if item.owner else 'nobody'}" if _shows_owner(reminder) else ""
    return f"{told}{about}: {_when(item, day, reminder.stage.section)}{owner} `{escape(item.item_id, 80)}`"


def _shows_owner(reminder: Reminder) -> bool:
    return reminder.stage.section == ESCALATED or reminder.item.owner is None


def _when(item: Item, day: date, section: str) -> str:
    if section == ABANDONED:
        return escape(item.state_reason, _TEXT) or "its issue is gone"
    late = days_late(item, day)
    if late > 0:
        return f"{counted(late, 'day')} overdue, since {item.due_on}"
    return "due today" if late == 0 else f"due {item.due_on}, in {counted(-late, 'day')}"
