"""Slack messages: approval requests, the daily digest, the dialog behind a button.

Names, tags and reasons are data: each is escaped as Slack asks and cut by itself, so that no cut falls into markup of ours or
into an escaped character.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dagster_project.bundle import bundled
from dagster_project.domain.approvals.model import APPROVED, EXECUTING, PENDING, AskedChange, Request
from dagster_project.reporting.words import clean, counted, shorten
from dagster_project.reporting.words import money as plain_money

MAX_BLOCKS = 9_000
"""Characters of all blocks of a message as JSON."""
MAX_SECTION = 3_000
SNOOZE_DAYS = (7, 14, 30, 90)
_SAID = (600, 300, 120, 40)
"""Characters of a change's sentences, tried in turn until the message is short enough."""
_NAME, _SIZE, _SHORT_NAME, _SHORT_SIZE = 200, 60, 70, 25
"""Characters of a resource's name and of its size; the short ones are for twenty changes in one section."""
_WHERE, _PERSON, _REASON, _TOLD = 50, 80, 600, 300
"""Characters of a service, environment or owner, of somebody who approved, and of a reason in a request and in a digest."""
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "\N{MODIFIER LETTER GRAVE ACCENT}"}
_RISKS = {"low": "Low risk", "medium": "Medium risk", "high": "*High risk*"}


@dataclass(frozen=True, slots=True)
class Message:
    """The content of a message: ``text`` is what notifications show."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]

    @property
    def digest(self) -> str:
        """Tells one content from every other."""
        return hashlib.sha256(json.dumps([self.text, self.blocks], sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _RequestView:
    title: str
    summary: str
    state_line: str
    changes: tuple[str, ...]
    buttons: tuple[str, ...]
    token: str
    confirm: str
    footer: str


@dataclass(frozen=True, slots=True)
class _DigestView:
    title: str
    summary: str
    sections: tuple[str, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class _AnswerView:
    callback_id: str
    private_metadata: str
    title: str
    submit: str
    about: str
    days: tuple[int, ...]


def request_message(request: Request, missing: str | None, token: str, page_url: str | None) -> Message:
    """An approval request as it stands; ``page_url`` is its page, which stays where it is. Only one that may be answered has
    buttons."""
    # Also while it is applied: what has not begun will not begin then.
    may_be_refused = ("reject", "snooze") if request.is_live else ()
    buttons = ("approve", *may_be_refused) if request.state == PENDING else may_be_refused
    footer = [
        f"Request `{request.request_id}`, revision {request.revision}, {_told_by(request)}",
        f"Without Slack: `nightshift proposals approve {request.request_id}.{request.revision}`"
        if request.state == PENDING
        else "",
        f"<{escape(page_url)}|Evidence in the report>" if page_url else "",
    ]
    view = _RequestView(
        title=_what(request, plain),
        summary=f"{_what(request, escape)}: {request.state.replace('_', ' ')}",
        state_line=_state_line(request, missing),
        changes=(),
        buttons=buttons,
        token=token,
        confirm=_confirm(request),
        footer="  ·  ".join(part for part in footer if part),
    )
    for longest in _SAID:
        changes = tuple(_change(change, longest) for change in request.plan.changes)
        message = _message("slack/request.json.j2", replace(view, changes=changes))
        if _size(message) <= MAX_BLOCKS:
            return message
    # Nobody approves what they are not shown: without its sentences every change still fits.
    lines = "\n".join(_short_change(change) for change in request.plan.changes)
    return _message("slack/request.json.j2", replace(view, changes=(lines,)))


def digest_message(
    owner: str,
    day: date,
    sections: Sequence[tuple[str, Sequence[str]]],
    report_url: str | None,
    about: str = "Nightshift",
) -> Message:
    """What one owner is told on a day: headings with their lines. Lines that do not fit are counted."""
    summary = "; ".join(f"{len(lines)} {heading.lower()}" for heading, lines in sections)
    title = f"{about}, {day}: {{}}"
    footer = f"<{escape(report_url)}|The night's report>" if report_url else "The night's report has the evidence."
    shown = max(len(lines) for _, lines in sections)
    while True:
        texts = tuple(_section(heading, lines, shown) for heading, lines in sections)
        told = f"{title.format(escape(owner, _WHERE))}: {summary}"
        message = _message("slack/digest.json.j2", _DigestView(title.format(plain(owner, _WHERE)), told, texts, footer))
        if _size(message) <= MAX_BLOCKS or shown == 0:
            return message
        shown //= 2


def digest_line(request: Request) -> str:
    """A request in a digest."""
    saved = request.plan.savings_usd_month
    worth = f"costs {money(-saved)} a month more" if saved < 0 else f"saves {money(saved)} a month"
    told = f"`{request.request_id}` {_where(request, escape)}, {worth}"
    if request.state == PENDING:
        return f"{told}, answer until {request.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    because = f": {escape(request.reason, _TOLD)}" if request.reason else ""
    return told if request.is_live else f"{told}, {request.state.replace('_', ' ')}{because}"


def answer_view(kind: str, request: Request, private_metadata: str) -> Mapping[str, Any]:
    """The dialog that asks for the reason of a rejection (``reject``) or a snooze (``snooze``)."""
    names = escape(", ".join(request.plan.resource_ids), MAX_SECTION - 200)
    is_snooze = kind == "snooze"
    holds = "put off" if is_snooze else "not proposed again unless its evidence changes"
    those = "Each of them" if len(request.plan.changes) > 1 else "It"
    view = _AnswerView(
        callback_id=f"nightshift_{kind}",
        private_metadata=private_metadata,
        title="Put it off" if is_snooze else "Reject it",
        submit="Snooze" if is_snooze else "Reject",
        about=f"{names}\n{those} is {holds}.",
        days=SNOOZE_DAYS if is_snooze else (),
    )
    found: Mapping[str, Any] = json.loads(_templates().get_template("slack/answer.json.j2").render(view=view))
    return found


def plain(text: str | None, longest: int = MAX_SECTION) -> str:
    """Data where Slack knows no markup, at most so many characters."""
    return _fitted(text, longest, {})


def escape(text: str | None, longest: int = MAX_SECTION) -> str:
    """Data in Slack's markup, at most so many characters: its three control characters are written out, and code marks cannot be
    closed by a name."""
    return _fitted(text, longest, _MARKUP)


def money(usd: float) -> str:
    """Money in Slack's markup: ``<$0.01`` begins with one of its control characters."""
    return escape(plain_money(usd))


def _fitted(text: str | None, longest: int, markup: Mapping[str, str]) -> str:
    """The text with its markup written out. What reads from right to left is kept from turning its neighbours around: an arrow
    between two sizes would point the other way."""
    told = str(clean(text or ""))
    is_turned = any(unicodedata.bidirectional(each) in {"R", "AL"} for each in told)
    room = longest - 2 * is_turned
    written = [markup.get(each, each) for each in told]
    if sum(map(len, written)) > room:
        size, kept = 1, []
        for each in written:
            size += len(each)
            if size > room:
                break
            kept.append(each)
        written = [*kept, "…"]
    found = "".join(written)
    return f"\N{FIRST STRONG ISOLATE}{found}\N{POP DIRECTIONAL ISOLATE}" if is_turned else found


def _what(request: Request, said: Callable[[str | None, int], str]) -> str:
    return f"{'Give back capacity to' if request.plan.key.is_rollback else 'Shrink'} {_where(request, said)}"


def _where(request: Request, said: Callable[[str | None, int], str]) -> str:
    service, environment = (said(name, _WHERE) for name in (request.plan.key.service, request.plan.key.environment))
    resources = counted(len(request.plan.changes), "resource")
    return f"{resources} of {service or 'an unknown service'} in {environment or 'an unknown environment'}"


def _state_line(request: Request, missing: str | None) -> str:
    saved = request.plan.savings_usd_month
    money_line = f"costs {money(-saved)} a month more" if saved < 0 else f"saves *{money(saved)}* a month"
    parts = [_RISKS[request.plan.key.risk], money_line]
    until = f"{request.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if request.state == PENDING:
        parts += [escape(missing), f"answer until {until}"]
    elif request.state == APPROVED:
        parts += [f"approved, applied in the next maintenance window until {until}"]
    elif request.state == EXECUTING:
        parts += ["being applied"]
    else:
        parts += [f"*{request.state.replace('_', ' ').capitalize()}*", escape(request.reason, _REASON)]
    return "  ·  ".join(part for part in parts if part)


def _change(change: AskedChange, longest: int) -> str:
    saved = change.savings_usd_month
    worth = f"{money(-saved)} a month more" if saved < 0 else f"{money(saved)} a month"
    said = " ".join(part for part in (change.why, *change.risk_reasons, change.note or "") if part)
    return f"`{_name(change, _NAME)}`  {_sizes(change, _SIZE)}, {worth}\n{escape(said, longest)}"


def _short_change(change: AskedChange) -> str:
    return f"`{_name(change, _SHORT_NAME)}` {_sizes(change, _SHORT_SIZE)}"


def _name(change: AskedChange, longest: int) -> str:
    return escape(shorten(str(clean(change.resource_id))), longest)


def _sizes(change: AskedChange, longest: int) -> str:
    return f"{change.attribute} {escape(change.before, longest)} → *{escape(change.after, longest)}*"


def _confirm(request: Request) -> str:
    kinds = {change.attribute for change in request.plan.changes}
    effect = "Each machine stops and starts." if "instance_type" in kinds else "It is applied in the maintenance window."
    return f"{_what(request, escape)}. {effect} You approve revision {request.revision}, and no other."


def _told_by(request: Request) -> str:
    if not request.approvals:
        return "not approved by anybody yet" if request.state == PENDING else request.state.replace("_", " ")
    return "approved by " + ", ".join(f"{escape(each.email, _PERSON)} ({each.source})" for each in request.approvals)


def _section(heading: str, lines: Sequence[str], shown: int) -> str:
    """A heading with its first lines, as many as there is room for."""
    for count in range(min(shown, len(lines)), -1, -1):
        told = [f"• {line}" for line in lines[:count]]
        if len(lines) > count:
            told.append(f"and {len(lines) - count} more, in the report")
        text = "\n".join([f"*{heading}*", *told])
        if len(text) <= MAX_SECTION:
            return text
    raise ValueError(heading)


def _message(template: str, view: object) -> Message:
    found = json.loads(_templates().get_template(template).render(view=view))
    return Message(found["text"], tuple(found["blocks"]))


def _size(message: Message) -> int:
    return len(json.dumps(message.blocks, ensure_ascii=False))


@cache
def _templates() -> Environment:
    # The output is JSON: tojson escapes what is put into it, and turns <, > and & into escapes that JSON readers undo.
    return Environment(loader=FileSystemLoader(bundled("templates")), undefined=StrictUndefined, autoescape=False)  # noqa: S701
