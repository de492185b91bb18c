"""A postmortem as a pull request: its title, its body, and the message of its commits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from dagster_project.domain.incidents.merging import marked, merge
from dagster_project.reporting.markdown import escape_markdown, name_markdown, own_markdown
from dagster_project.reporting.pull_request import MAX_TITLE, one_line
from dagster_project.reporting.templates import markdown_templates

_SHOWN_SECTIONS = 40
_HEADING = re.compile(r"^# (?P<text>.+)$", re.MULTILINE)
_SECTION = re.compile(r"^<!-- nightshift:begin (?P<name>[\w-]+) .*-->\n(?P<level>#+) (?P<title>.+)$", re.MULTILINE | re.ASCII)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]|~#$^&])")
_ADDRESS = re.compile(r"https?://[\w.:/%-]+", re.ASCII)
_NO_ANCHOR = re.compile(r"[^\w\- ]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """What a body says: the document as a link, and links to its sections, all of them Markdown."""

    incident_id: str
    is_new: bool
    document: str
    updated: tuple[str, ...]
    kept: tuple[str, ...]


def pull_title(incident_id: str, generated: str) -> str:
    """``Postmortem: INC-1042 Payments failed``, by the heading of the generated document."""
    found = _HEADING.search(generated)
    heading = _unescaped(found["text"]) if found else incident_id
    said = heading.removeprefix(f"{incident_id}: ")
    title = f"{incident_id} {said}" if said != heading else heading
    return one_line(f"Postmortem: {title}")[:MAX_TITLE]


def commit_message(title: str, updated: Iterable[str]) -> str:
    """The title, and the names of the sections that a commit changes."""
    names = ", ".join(updated)
    return f"{title}\n\nSections: {names}" if names else title


def words_of(
    incident_id: str, generated: str, address: str | None, path: str, updated: Iterable[str], kept: Iterable[str], *, is_new: bool
) -> Words:
    """What a body has to say. ``address`` is where the document can be seen; without one nothing is linked."""
    titles = {found["name"]: found["title"] for found in _SECTION.finditer(generated) if found["level"] != "#"}
    return Words(
        incident_id,
        is_new,
        _link(name_markdown(path), address),
        () if is_new else _links(updated, titles, address),
        _links(kept, titles, address),
    )


def pull_body(words: Words, existing: str | None) -> str:
    """The body, beside what people have written into the one that is there."""
    text = markdown_templates().get_template("postmortem_pull.md.j2").render(words=words, most=_SHOWN_SECTIONS)
    return merge(marked("proposal", text), existing).text


def address_of(repository_url: str, branch: str, path: str) -> str:
    """Where a file of a branch can be seen."""
    return f"{repository_url}/blob/{quote(branch)}/{quote(path)}"


def _links(names: Iterable[str], titles: Mapping[str, str], address: str | None) -> tuple[str, ...]:
    return tuple(
        _link(escape_markdown(titles[name]), address and f"{address}#{_anchor(titles[name])}") if name in titles
        else _link(name_markdown(name), address)
        for name in names
    )  # fmt: skip


def _link(text: str, address: str | None) -> str:
    plain = address is not None and _ADDRESS.fullmatch(address.partition("#")[0])
    return own_markdown(f"[{text}]({address})" if plain else text)


def _anchor(title: str) -> str:
    """As GitHub names a heading."""
    return quote(_NO_ANCHOR.sub("", title).lower().replace(" ", "-"))


def _unescaped(markdown: str) -> str:
    text = _ESCAPED.sub(r"\1", markdown.replace("\N{ZERO WIDTH SPACE}", ""))
    return text.replace("&lt;", "<").replace("&gt;", ">")
