"""The checks of pages find what they are there for: each is shown a page that has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import pictures
from tests.browser.accessibility import assert_accessible, violations
from tests.browser.chromium import Chromium
from tests.browser.conftest import PHONE, OpenPage
from tests.browser.links import broken_links
from tests.browser.pictures import assert_looks_like
from tests.browser.watched import Watch

WORDS = "What it was, what was done about it, and what it cost the people who were called out of their beds for it. "
GOOD = f"""<!doctype html>
<html lang="en"><head><title>A page</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>body {{ margin: 24px; font: 16px/1.6 sans-serif; color: #1c1e21; background: #f7f7f4 }}
.bar {{ height: 200px; background: #0b6b57 }} section {{ margin-top: 48px }}</style></head>
<body><main><h1>Three sections</h1>
<section id="one"><h2>One</h2><p>{WORDS * 9}</p></section>
<section id="two"><h2>Two</h2><div class="bar"></div><p>{WORDS * 6}</p></section>
<section id="three"><h2>Three</h2><p>{WORDS * 9}</p></section>
</main></body></html>"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(html: str, name: str = "page.html") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(html, encoding="utf-8")
        return path

    return write


def test_a_good_page_passes_everything(open_page: OpenPage, write: Write) -> None:
    path = write(GOOD)
    assert_accessible(open_page(path))
    assert_accessible(open_page(path, scheme="dark", width=PHONE))
    assert broken_links(path.parent) == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("<script>console.error('Out of paper')</script>", "wrote errors to the console: Out of paper"),
        ("<script>throw new Error('No such thing')</script>", "raised: No such thing"),
        ('<img src="missing.png" alt="">', "asked in vain: file:///.*missing.png"),
        ('<img src="https://tracker.example/pixel.png" alt="">', "asked the outside: https://tracker.example/pixel.png"),
        ("<script>new WebSocket('wss://tracker.example/live')</script>", "asked the outside: wss://tracker.example/live"),
    ],
)
def test_a_page_that_complains_or_asks_is_told(chromium: Chromium, write: Write, fault: str, told: str) -> None:
    context = chromium.browser.new_context()
    watch = Watch()
    watch.follow(context)
    context.new_page().goto(write(GOOD.replace("</main>", f"{fault}</main>")).as_uri())
    context.close()
    with pytest.raises(AssertionError, match=told):
        watch.assert_quiet()


def test_what_is_not_accessible_is_told_with_its_rule_and_place(open_page: OpenPage, write: Write) -> None:
    faults = '<img src="data:," alt-text="A chart"><p class="pale" style="color: #bbb">Pale</p><h4>Too deep</h4>'
    page = open_page(write(GOOD.replace("</main>", f"{faults}</main>").replace(' lang="en"', "")))
    assert {rule["id"] for rule in violations(page)} == {"image-alt", "color-contrast", "heading-order", "html-has-lang"}
    with pytest.raises(AssertionError, match=r"(?s)color-contrast \(serious\).*\.pale: .*contrast of 1\.\d+"):
        assert_accessible(page)
    assert_accessible(page, within="#one")


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("other.html", None),
        ("other.html#here", None),
        ("#two", None),
        ("a%20folder/data.csv", None),
        ("https://example.com/x#y", None),
        ("other.html#gone", "names a place that is not in that page"),
        ("#four", "names a place that is not in that page"),
        ("gone.html", "leads to no file"),
        ("a%20folder/", "leads to no file"),
        ("../secret.html", "leads out of the folder"),
        ("/etc/hostname", "leads out of the folder"),
        ("javascript:alert(1)", "is no web address"),
        ("file:///etc/hostname", "is no web address"),
        ("", "is empty"),
    ],
)
def test_a_link_leads_to_a_file_a_place_or_a_web_address(write: Write, link: str, problem: str | None) -> None:
    page = write(GOOD.replace("</main>", f'<a href="{link}">On</a></main>'))
    write('<p id="here">', "other.html")
    write("a,b", "a folder/data.csv")
    assert broken_links(page.parent) == ([f"page.html: {link} {problem}"] if problem else [])


def test_an_id_that_is_there_twice_is_told(write: Write) -> None:
    page = write(GOOD.replace("</main>", '<p id="two">Again</p></main>'))
    assert broken_links(page.parent) == ["page.html: the id two is there more than once"]


SAME = {
    "nothing": "null",
    "letters apart": "document.body.style.letterSpacing = '0.1px'",
    "letters drawn otherwise": "document.body.style.cssText += 'font-kerning: none; text-rendering: geometricPrecision'",
    "a darker shade": "document.body.style.color = '#000'",
    "a lighter accent": "document.querySelector('.bar').style.background = '#10705c'",
}
BROKEN = {
    "a section is missing": "document.querySelector('#one').remove()",
    "a chart is missing": "document.querySelector('.bar').style.background = 'none'",
    "sections overlap": "document.querySelector('#three').style.marginTop = '-220px'",
    "colours are inverted": "document.documentElement.style.filter = 'invert(1)'",
    "columns became one narrow one": "document.body.style.width = '600px'",
    "no style sheet": "document.querySelector('style').remove()",
}


@pytest.mark.parametrize("change", [pytest.param(script, id=name) for name, script in SAME.items()])
def test_a_picture_survives_other_letters_and_shades(
    open_page: OpenPage, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    assert not _differs_after(open_page(write(GOOD)), change, tmp_path, monkeypatch)


@pytest.mark.parametrize("change", [pytest.param(script, id=name) for name, script in BROKEN.items()])
def test_a_picture_does_not_survive_a_broken_layout(
    open_page: OpenPage, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    assert _differs_after(open_page(write(GOOD)), change, tmp_path, monkeypatch)


def _differs_after(page, change: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the page looks different after a change, by the same steps that a snapshot goes through."""
    monkeypatch.setattr(pictures, "FOLDER", folder)
    monkeypatch.setenv("NIGHTSHIFT_UPDATE_GOLDEN", "1")
    assert_looks_like(page, "page")
    assert len((folder / "page.png").read_bytes()) < 30_000
    monkeypatch.delenv("NIGHTSHIFT_UPDATE_GOLDEN")
    page.evaluate(change)
    monkeypatch.setattr(pictures, "FONTS", page.evaluate("document.body.style.fontFamily"))
    try:
        assert_looks_like(page, "page")
    except AssertionError as error:
        assert "It does not look like page.png" in str(error)
        assert (folder / "page.actual.png").exists()
        return True
    assert not (folder / "page.actual.png").exists()
    return False


def test_a_picture_that_was_never_kept_fails_and_says_what_to_do(
    open_page: OpenPage, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    monkeypatch.delenv("NIGHTSHIFT_UPDATE_GOLDEN", raising=False)
    with pytest.raises(AssertionError, match=r"There is no picture new\.png; look at .*NIGHTSHIFT_UPDATE_GOLDEN=1"):
        assert_looks_like(open_page(write(GOOD)).locator("#two"), "new")
    assert (tmp_path / "new.actual.png").exists()
