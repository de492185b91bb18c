"""The weekly digest as Markdown, as HTML that mail clients show, and as a Slack message.

Mail clients drop style sheets, scripts, inline pictures and what they do not know: the page is tables with the look in each
element, at most 600 pixels wide, and asks for nothing. A style sheet only turns its colours where a reader prefers it dark. Slack
and mail cut what is too long, so both are shortened here until they are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from dagster_project.reporting.markdown import name_markdown, own_markdown, written
from dagster_project.reporting.slack import MAX_BLOCKS, MAX_SECTION, escape, plain
from dagster_project.reporting.templates import html_templates, markdown_templates
from dagster_project.reporting.weekly_views import Chapter, Headline, Item, WeeklyDigest
from dagster_project.reporting.words import long_day

MAX_MAIL = 100_000
"""Bytes; Gmail hides what is beyond 102 kB."""
_MAX_HEADER = 150
_BUDGETS = ((10, 10), (10, 4), (5, 4), (3, 3), (1, 2), (0, 1))
"""Items and sentences of a chapter, tried in turn until it is short enough."""
_SENTENCE, _MAIL_SENTENCE, _NAME, _PART, _ADDRESS = 240, 400, 100, 100, 400
"""Longest texts, in characters: of a sentence in Slack and elsewhere, of names, parts and addresses."""
_ON_THE_WEB = re.compile(r"https?://[\w.-]+(?::\d+)?(?:/[\w./%#?=&~+@:-]*)?", re.ASCII)
_IN_THE_FOLDER = re.compile(r"[\w.-]+(?:/[\w.-]+)*", re.ASCII)


def render_markdown(digest: WeeklyDigest, base: str | None) -> str:
    """The digest as Markdown. ``base`` is where the folder of reports lies for who reads it; None: nothing of it is linked to."""

    def linked(item: Item) -> str:
        address = address_of(item.address, base)
        name = name_markdown(item.name)
        return own_markdown(f"[{name}]({address})") if address else name

    report = address_of(digest.report, base)
    link = own_markdown(f"[The report of {digest.day}]({report})") if report else ""
    template = markdown_templates().get_template("weekly.md.j2")
    return template.render(digest=digest, title=title_of(digest), linked=linked, link=link, own=written(str))


def render_html(digest: WeeklyDigest, base: str | None) -> str:
    """The digest for mail, less than ``MAX_MAIL`` bytes; ``base`` as in ``render_markdown``."""
    template = html_templates().get_template("weekly.html.j2")
    text = ""
    for each in _shortened(digest):
        text = template.render(
            digest=each,
            title=title_of(digest),
            link=address_of(digest.report, base),
            address=lambda item: address_of(item.address, base),
            cut=lambda sentence: _cut(sentence, _MAIL_SENTENCE),
        )
        if len(text.encode()) < MAX_MAIL:
            break
    return text


def render_slack(digest: WeeklyDigest, base: str | None) -> str:
    """The digest as the body of Slack's ``chat.postMessage``, without its channel: text and blocks, as JSON. Links only where
    ``base`` is an address on the web."""
    message: dict[str, Any] = {}
    for each in _shortened(digest):
        message = {"text": escape(f"{title_of(digest)}: {digest.headline}"), "blocks": _blocks(each, base)}
        if len(json.dumps(message["blocks"], ensure_ascii=False)) <= MAX_BLOCKS:
            break
    return json.dumps(message, ensure_ascii=False, indent=1) + "\n"


def title_of(digest: WeeklyDigest) -> str:
    """What the digest is called."""
    return f"Nightshift, the week to {long_day(digest.day)}"


def address_of(address: str | None, base: str | None) -> str | None:
    """Where something lies for the reader; None where that is not known, or not plain enough to be printed into markup."""
    if address is None or len(address) > _ADDRESS:
        return None
    if _ON_THE_WEB.fullmatch(address):
        return address
    if base is None or not _IN_THE_FOLDER.fullmatch(address):
        return None
    return f"{quote(base, safe=':/?#@!$&+,;=%~.-_')}/{address}"


def _shortened(digest: WeeklyDigest) -> Iterator[WeeklyDigest]:
    """The digest, then ever less of it; what is left out is counted."""
    for items, sentences in _BUDGETS:
        yield replace(digest, chapters=tuple(_less(each, items, sentences) for each in digest.chapters))


def _less(chapter: Chapter, items: int, sentences: int) -> Chapter:
    dropped = len(chapter.items[items:]) + len(chapter.sentences[sentences:])
    return replace(chapter, items=chapter.items[:items], sentences=chapter.sentences[:sentences], more=chapter.more + dropped)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _blocks(digest: WeeklyDigest, base: str | None) -> list[dict[str, Any]]:
    report = _web(digest.report, base)
    footer = f"<{escape(report)}|The report of {digest.day}>" if report else f"The report of {digest.day} has the evidence."
    about = f"{digest.nights:,} of 7 nights" + (f", compared with {digest.since}" if digest.since else "")
    return [
        {"type": "header", "text": {"type": "plain_text", "text": plain(title_of(digest), _MAX_HEADER), "emoji": False}},
        {"type": "context", "elements": [_text(about)]},
        {"type": "section", "fields": [_text(_field(each)) for each in digest.headlines]},
        *({"type": "section", "text": _text(_chapter(each, base))} for each in digest.chapters),
        {"type": "context", "elements": [_text(footer)]},
    ]


def _text(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "verbatim": True, "text": text}


def _field(line: Headline) -> str:
    told = " ".join(part for part in (line.unit, f"({line.change})" if line.change else "") if part)
    return f"{escape(line.title, _PART)}\n*{escape(line.text, _PART)}* {escape(told, _PART)}".rstrip()


def _chapter(chapter: Chapter, base: str | None) -> str:
    """Its lines, as many as there is room for."""
    lines = [escape(each, _SENTENCE) for each in chapter.sentences] + [_item(each, base) for each in chapter.items]
    for kept in range(len(lines), -1, -1):
        more = chapter.more + len(lines) - kept
        text = "\n".join(
            [f"*{escape(chapter.title, _PART)}*", *lines[:kept], *([f"and {more:,} more, in the report"] if more else [])]
        )
        if len(text) <= MAX_SECTION:
            return text
    raise ValueError(chapter.title)


def _item(item: Item, base: str | None) -> str:
    address = _web(item.address, base)
    name = escape(item.name, _NAME)
    told = [f"<{escape(address)}|{name}>" if address else f"`{name}`", *(escape(part, _PART) for part in item.parts)]
    return "• " + "  ·  ".join(told) + (f"  ·  *{escape(item.worth, _PART)}*" if item.worth else "")


def _web(address: str | None, base: str | None) -> str | None:
    found = address_of(address, base)
    return found if found and found.startswith(("https://", "http://")) else None
