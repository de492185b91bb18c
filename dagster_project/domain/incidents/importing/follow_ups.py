"""Action items of a postmortem: list items and table rows, with their state, owner and tracker."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from dagster_project.domain.incidents.importing.blocks import plain
from dagster_project.domain.incidents.importing.day_orders import DayOrder
from dagster_project.domain.incidents.importing.model import Problem
from dagster_project.domain.incidents.importing.moments import moments_in
from dagster_project.domain.incidents.importing.sections import Placed
from dagster_project.domain.incidents.model import ActionItem

_URL = re.compile(r"https?://[^\s<>()\[\]\"'`|]+(?:\([^\s()]*\))?[^\s<>()\[\]\"'`|.,;:!?]*")
_GITHUB = re.compile(r"github\.com/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d+)|/issues/([\w.-]+/[\w.-]+)/(\d+)\b")
_SHORT_KEY = re.compile(r"(?<![\w/&])((?:[\w.-]+/[\w.-]+)?#\d{1,7})\b")
_JIRA = re.compile(r"(?<![\w/-])([A-Z][A-Z0-9]{1,9}-\d{1,9})\b(?![\w-])")
_NO_JIRA = re.compile(r"^(?:UTF|SHA|ISO|RFC|CVE|HTTP|TLS|AES|PM|SEV|IPV|ES|GPT|COVID|MD|P|UTC|GMT|INC)\d*-", re.IGNORECASE)
_CHECKBOX = re.compile(r"^\s*\[([ xX~-])\]\s*")
# A sentence may end with "fixed" and mean the opposite: only a mark, or a word set apart, says that an item is done.
_DONE_WORD = r"(?:done|completed?|closed|fixed|finished|merged)"
_DONE = re.compile(
    rf"[(\[*_]\s*{_DONE_WORD}\s*[)\]*_]\W*$|\s[-–—]\s+{_DONE_WORD}\W*$|\b(?:has|have) (?:already )?been done\b"
    rf"|^\s*[✅☑✔]|[✅☑✔]\s*$|^\W*{_DONE_WORD}\s*[:–—-]\s",
    re.IGNORECASE,
)
_DONE_STATUS = re.compile(rf"^\W*(?:{_DONE_WORD}|resolved)\b", re.IGNORECASE)
_IN_PROGRESS = re.compile(r"[(\[](?:in progress|ongoing|wip|started)[)\]]|^in[ -]progress$", re.IGNORECASE)
_DECLINED = re.compile(
    r"[(\[](?:declined|won'?t (?:do|fix)|cancell?ed|rejected)[)\]]|^(?:declined|won'?t (?:do|fix)|cancell?ed)$", re.IGNORECASE
)
_STATE_MARK = re.compile(
    r"\s*[(\[](?:done|completed?|closed|in progress|ongoing|wip|declined|won'?t (?:do|fix)|cancell?ed)[)\]]\s*\.?\s*$"
    r"|\s+[-–—]\s+(?:done|completed)\W*$|\s*[✅☑✔]\s*$",
    re.IGNORECASE,
)
_OWNER = re.compile(
    r"\b(?:owner|assignee|assigned to|responsible|dri)\s*[:=]?\s*@?([A-Z][\w.-]*(?: [A-Z][\w.-]*)?|[\w.-]+)"
    r"|(?<![\w@/.])@([A-Za-z][\w-]{1,38})",
    re.I,
)
_PRIORITY = re.compile(r"[(\[]\s*(P[0-5]|high|medium|low|critical)(?: priority)?\s*[)\]]", re.IGNORECASE)
_DUE = re.compile(r"\b(?:due|by|deadline|eta)\b\W{0,3}(?=\w)", re.IGNORECASE)
_NOTHING = re.compile(
    r"^\W*(?:n/?a|none|tb[cd]|nothing|to be (?:added|determined|confirmed)|no actions?(?: required| needed)?)?\W*$", re.IGNORECASE
)
_TYPES = (
    ("prevent", r"prevent"), ("detect", r"detect|monitor|alert"), ("mitigate", r"mitigat|repair|recover"),
    ("process", r"process|doc|training"), ("investigate", r"investigat|spike|research"),
)  # fmt: skip
_COLUMNS = (
    ("title", r"action|item|task|what|description|title|follow|improvement|remediation"),
    ("owner", r"owner|assign|who|dri|responsible"),
    ("type", r"type|category|kind"), ("priority", r"prio"), ("due", r"due|date|when|deadline|eta|by"),
    ("state", r"stat(?:us|e)|done|progress"),
    ("key", r"bug|ticket|issue|jira|link|tracker|tracking|pr\b|id\b|ref"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Days:
    """How the days of a document are read: near its own day, and in the order of its dates."""

    near: date | None
    order: DayOrder


def links_in(text: str) -> tuple[str, ...]:
    """The addresses in a text, each once, in order."""
    return tuple(dict.fromkeys(found[0].rstrip("*_") for found in _URL.finditer(text)))


def tracker_of(text: str) -> tuple[str | None, str | None, str | None]:
    """(tracker, key, address) of the first issue that a text names: github "owner/name#12" or "#12", jira "KEY-12"."""
    for url in links_in(text):
        found = _GITHUB.search(url)
        if found:
            return "github", f"{found[1] or found[3]}#{found[2] or found[4]}", url
    words = _URL.sub(" ", text)
    short = _SHORT_KEY.search(words)
    if short:
        return "github", short[1], None
    keys = [key for key in _JIRA.findall(text) if not _NO_JIRA.match(key)]
    if keys:
        return "jira", keys[0], next((url for url in links_in(text) if keys[0] in url), None)
    return None, None, None


def action_items_of(
    placed: Sequence[Placed], incident_id: str, file: str, days: Days
) -> tuple[tuple[ActionItem, ...], tuple[Problem, ...]]:
    """The action items of all sections of follow-ups. Deeper list items belong to the one above them: their links are its."""
    lines = [one for one in placed if one.section == "action_items" and one.text]
    rows = [one for one in lines if one.block.kind == "row"]
    listed = [one for one in lines if one.block.kind == "item"]
    found = [_of_row(one, incident_id, file, days) for one in rows]
    found += [_of_lines(group, incident_id, file, days) for group in _groups(listed)]
    items = _numbered([item for item in found if item is not None])
    prose = [one for one in lines if one.block.kind == "text" and one.block.starts and not _NOTHING.match(plain(one.text))]
    problems = [_prose(one, file) for one in prose] if not rows and not listed else []
    return items, tuple(problems)


def _prose(one: Placed, file: str) -> Problem:
    return Problem(
        file, one.block.line, "The follow-up is prose, not a list: no action item was read from it. Write it as a list item."
    )


def _groups(listed: Sequence[Placed]) -> list[list[Placed]]:
    """Each item with its further lines and what is nested below it. A list under a label begins one level deeper."""
    top = min((one.block.level for one in listed), default=0)
    groups: list[list[Placed]] = []
    for one in listed:
        if groups and (one.block.level > top or not one.block.starts):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _of_lines(group: Sequence[Placed], incident_id: str, file: str, days: Days) -> ActionItem | None:
    raw = " ".join(one.text for one in group if one.block.level == group[0].block.level)
    whole = " ".join(one.text for one in group)
    box = _CHECKBOX.match(raw)
    title = _title(raw[box.end() :] if box else raw)
    if _NOTHING.match(title) and not tracker_of(whole)[1]:
        return None
    tracker, key, url = tracker_of(raw)
    if key is None:
        tracker, key, url = tracker_of(whole)
    owner, priority = _OWNER.search(plain(raw)), _PRIORITY.search(raw)
    due = _DUE.search(plain(raw))
    return ActionItem(
        title=title or key or raw[:200],
        incident_id=incident_id,
        owner=(owner[1] or owner[2]) if owner else None,
        priority=priority[1] if priority else None,
        due_on=_day(plain(raw)[due.end() :], days) if due else None,
        state=_state(box[1] if box else None, raw),
        tracker=tracker,
        tracker_key=key,
        url=url or next(iter(links_in(whole)), None),
        place=f"{file}:{group[0].block.line}",
    )


def _of_row(one: Placed, incident_id: str, file: str, days: Days) -> ActionItem | None:
    cells: dict[str, str] = {}
    for name, cell in zip(one.block.header, one.block.cells, strict=False):
        column = next((known for known, pattern in _COLUMNS if re.search(rf"\b(?:{pattern})", plain(name), re.I)), None)
        if column and cell:
            cells.setdefault(column, cell)
    raw = cells.get("title") or next((cell for cell in one.block.cells if len(cell) > 3), "")
    title = _title(raw)
    if not title or _NOTHING.match(title):
        return None
    tracker, key, url = tracker_of(" ".join([cells.get("key", ""), *one.block.cells]))
    kind = plain(cells.get("type", "")).lower()
    return ActionItem(
        title=title,
        incident_id=incident_id,
        owner=plain(cells["owner"]).lstrip("@") if "owner" in cells else None,
        type=next((known for known, pattern in _TYPES if kind and re.search(pattern, kind)), None),
        priority=plain(cells["priority"]) if "priority" in cells else None,
        due_on=_day(plain(cells["due"]), days) if "due" in cells else None,
        state=_status(plain(cells["state"])) if "state" in cells else _state(None, raw),
        tracker=tracker,
        tracker_key=key,
        url=url or next(iter(links_in(one.block.text)), None),
        place=f"{file}:{one.block.line}",
    )


def _title(raw: str) -> str:
    return _STATE_MARK.sub("", plain(raw)).strip(" -–—*")


def _state(box: str | None, text: str) -> str:
    if box in ("x", "X") or (box is None and _DONE.search(text)):
        return "done"
    if _DECLINED.search(text):
        return "declined"
    return "in_progress" if _IN_PROGRESS.search(text) else "open"


def _status(cell: str) -> str:
    """The state that a table's column gives."""
    return "done" if _DONE_STATUS.search(cell) else _state("", cell)


def _day(text: str, days: Days) -> date | None:
    written = next(moments_in(text[:60]), None)
    return days.order.settled(written.day).on(days.near) if written is not None and written.day is not None else None


def _numbered(items: Sequence[ActionItem]) -> tuple[ActionItem, ...]:
    """The items with ids that follow from their words: another order of the list changes none."""
    seen: dict[str, int] = {}
    numbered = []
    for item in items:
        words = " ".join(item.title.lower().split())
        digest = hashlib.blake2b(f"{item.incident_id}|{words}".encode(), digest_size=6).hexdigest()
        seen[digest] = seen.get(digest, 0) + 1
        suffix = f"-{seen[digest]}" if seen[digest] > 1 else ""
        numbered.append(replace(item, item_id=f"{item.incident_id}:{digest}{suffix}"))
    return tuple(numbered)
