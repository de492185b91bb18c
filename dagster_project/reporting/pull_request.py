"""The text of pull requests, of their comments, and of the dashboard issue, as Markdown that GitHub renders.

Names, tags and sentences are data: what a template prints is escaped unless a filter of this layer wrote it. What is longer than
GitHub takes is cut where a reader misses least.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment

from dagster_project.domain.proposals.settle import CLOSING_MARK
from dagster_project.reporting.markdown import own_markdown
from dagster_project.reporting.pull_request_views import DashboardEntry, DashboardText, PullRequestText, RollbackText
from dagster_project.reporting.templates import markdown_templates
from dagster_project.reporting.views import DemandChart
from dagster_project.reporting.words import WEEKDAYS, counted, money

MAX_BODY = 58_000
"""Characters; GitHub takes 65,536, and what people add below must fit too."""
MAX_TITLE = 200
DASHBOARD_MARK = "<!-- nightshift:dashboard -->"
FROZEN_MARK = "<!-- nightshift:frozen"
MARKS = "<!-- nightshift:"
"""Begins every comment of ours; what holds it is not read as somebody's answer."""
DASHBOARD_TITLE = "Nightshift: right-sizing dashboard"
_ISSUE = re.compile(r"\bGH-(?=\d)", re.IGNORECASE)
# Characters that look the same and are not acted upon.
_UNLINKED = str.maketrans({"@": "\N{FULLWIDTH COMMERCIAL AT}", "#": "\N{FULLWIDTH NUMBER SIGN}", "[": "(", "]": ")"})
_LONGEST_REASON = 400
_SHOWN_NAMES = 20
_DASHBOARD_ENTRIES = (200, 60, 20, 5)
_HOURS_PER_POINT = 6
# The palette of Mermaid begins with a colour that can hardly be seen.
_PALETTE = '%%{init: {"themeVariables": {"xyChart": {"plotColorPalette": "#0b6e5a, #8a8f98"}}}}%%'
_PLAIN = re.compile(r"[^A-Za-z0-9 .,%()-]")


def title_of(text: PullRequestText | RollbackText) -> str:
    """One line: how many, whose, where, and what it is worth or costs."""
    whose = f"{counted(text.resources, 'resource')} of {text.owner} in {text.root}"
    if isinstance(text, RollbackText):
        return f"{one_line(f'Go back to the old size of {whose}')[:MAX_TITLE]} ({money(text.costs_usd_month)} a month more)"
    return f"{one_line(f'Right-size {whose}')[:MAX_TITLE]} ({money(text.savings_usd_month)} a month)"


def body_of(text: PullRequestText | RollbackText) -> str | None:
    """The body, without the evidence in full where it would be too long; None where even that is too long."""
    name = "pull_request_rollback.md.j2" if isinstance(text, RollbackText) else "pull_request.md.j2"
    template = _templates().get_template(name)
    for has_details in (True, False):
        body = template.render(text=text, has_details=has_details)
        if len(body) <= MAX_BODY:
            return body
    return None


def commit_message_of(text: PullRequestText | RollbackText) -> str:
    """The commit's message: the title, and a line for each change."""
    lines = [f"{each.file}:{each.line}: {each.attribute} {each.before} -> {each.after}" for each in text.lines]
    return "\n".join([title_of(text), "", *map(one_line, lines)])


def closing_of(reasons: Sequence[str]) -> tuple[str, str]:
    """What is said when a pull request is closed, and the mark of it: another one where it is closed again for other reasons."""
    version = hashlib.sha256("\0".join(reasons).encode()).hexdigest()[:12]
    return _comment("closing", reasons=reasons), f"{CLOSING_MARK} {version} -->"


def freezing_of(sha: str, base: str | None, gone: Sequence[str]) -> tuple[str, str]:
    """What is said where a person has changed a branch, or its base (``base`` is the one that it should have), and the mark of
    it: another one where another commit is there, or the evidence is gone for other resources. Numbers that move do not change
    it."""
    names = sorted(reason.partition(": ")[0] for reason in gone)
    version = hashlib.sha256("\0".join([sha, base or "", *names]).encode()).hexdigest()[:12]
    return _comment("frozen", sha=sha, base=base, reasons=gone), f"{FROZEN_MARK} {version} -->"


def reply_of(ident: str, text: str) -> tuple[str, str]:
    """The answer to a command, and the mark of it. ``ident`` tells what is answered, ``text`` holds no data."""
    return text, f"<!-- nightshift:answer={ident} -->"


def dashboard_of(text: DashboardText) -> str:
    """The dashboard's body; of long lists only their beginnings."""
    template = _templates().get_template("dashboard.md.j2")
    body = ""
    for entries in _DASHBOARD_ENTRIES:
        body = f"{template.render(text=text, at_most=entries)}\n{DASHBOARD_MARK}\n"
        if len(body) <= MAX_BODY:
            break
    return body


def _comment(kind: str, reasons: Sequence[str], sha: str = "", base: str | None = None) -> str:
    template = _templates().get_template("pull_request_comment.md.j2")
    return template.render(kind=kind, reasons=reasons, sha=sha, base=base).strip()


@cache
def _templates() -> Environment:
    environment = markdown_templates().overlay()
    environment.filters = {
        **environment.filters,
        "mermaid": mermaid,
        "is_drawn": lambda chart: bool(_points(chart)),
        "trusted": own_markdown,
        "some_names": _some_names,
        "cut": _cut,
        "entry_line": _entry_line,
    }
    return environment


def mermaid(chart: DemandChart, target: str) -> str:
    """CPU of a week as a chart of Mermaid, in percent of the new size: maxima of six hours, and where the new size is full."""
    points = _points(chart)
    top = max(110, *(round(1.1 * point) for point in points))
    first = chart.starts_at
    days = f"days, 1 is {WEEKDAYS[first.weekday()]} {first:%Y-%m-%d}"
    title = _PLAIN.sub("", f"CPU in percent of {target}, maxima of {_HOURS_PER_POINT} hours")
    return own_markdown(
        "\n".join(
            [
                "```mermaid",
                _PALETTE,
                "xychart-beta",
                f'    title "{title}"',
                f'    x-axis "{_PLAIN.sub("", days)}" 1 --> 7',
                f'    y-axis "percent" 0 --> {top}',
                f"    line [{', '.join(f'{point:.1f}' for point in points)}]",
                f"    line [{', '.join('100' for _ in points)}]",
                "```",
            ]
        )
    )


def _points(chart: DemandChart) -> list[float]:
    """Maxima in percent of the new size; empty where the week has a gap, which Mermaid cannot draw."""
    found = []
    for start in range(0, chart.hours, _HOURS_PER_POINT):
        seen = [value for value in chart.cpu_pct[start : start + _HOURS_PER_POINT] if value is not None]
        if not seen:
            return []
        found.append(100 * max(seen) / chart.target_cpu_limit_pct)
    return found


def _cut(text: str) -> str:
    """A sentence as far as it is read: what people write has no length."""
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"


def _some_names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names[:_SHOWN_NAMES])


def _entry_line(entry: DashboardEntry) -> str:
    templates = markdown_templates()
    name, escape = templates.filters["name"], templates.finalize
    number = f"#{entry.number} " if entry.number else ""
    saving = f" ({money(entry.savings_usd_month).replace('<', '&lt;')} a month)" if entry.savings_usd_month is not None else ""
    assert escape is not None  # noqa: S101 - set where the templates are made
    return own_markdown(f"{number}{name(entry.title)}{saving}: {escape(_cut(entry.detail))}")


def one_line(text: str) -> str:
    """Data in a title or a commit message. They are no Markdown, and still GitHub links mentions and numbers in them, closes what
    they say to close, and skips checks at a word in brackets."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return _ISSUE.sub("GH\N{EN DASH}", line.translate(_UNLINKED))
