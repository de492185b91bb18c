"""Whether the links of a folder of pages lead anywhere; no browser is needed for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAMES_A_PLACE = ("href", "src", "poster", "action", "cite", "data")
INLINE = ("data", "mailto")


@dataclass
class _Page(HTMLParser):
    """What a page links to, and the places in it that may be linked to."""

    links: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=lambda: {"", "top"})
    twice: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                (self.twice if value in self.places else self.places).add(value)
            elif name in NAMES_A_PLACE and value is not None:
                self.links.append(value)
            elif name == "srcset" and value:
                self.links += [part.split()[0] for part in value.split(",")]


def broken_links(folder: Path) -> list[str]:
    """A sentence for each link of the folder's HTML pages that leads nowhere, out of the folder, or to no web address."""
    pages = {path.resolve(): _parsed(path) for path in sorted(folder.rglob("*.html"))}
    assert pages, f"There is no page in {folder}."
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder.resolve())
        found += [f"{name}: the id {each} is there more than once" for each in sorted(page.twice)]
        for link in dict.fromkeys(page.links):
            if problem := _problem(link, path, folder.resolve(), pages):
                found.append(f"{name}: {link} {problem}")
    return found


def assert_links_resolve(folder: Path) -> None:
    """Every relative link leads to a file of the folder, every fragment to an id, every other link to a web address."""
    found = broken_links(folder)
    assert not found, "\n".join(found)


def _problem(link: str, path: Path, folder: Path, pages: dict[Path, _Page]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in INLINE:
        return None
    if parts.scheme or parts.netloc:
        return None if parts.scheme in ("http", "https") and parts.netloc else "is no web address"
    if not link:
        return "is empty"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(folder):
        return "leads out of the folder"
    if not target.is_file():
        return "leads to no file"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].places:
        return "names a place that is not in that page"
    return None


def _parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page
