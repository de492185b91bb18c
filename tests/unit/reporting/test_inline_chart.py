"""Charts that the Dagster UI shows in a line: small, well-formed, and true to their numbers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import pytest

from dagster_project.reporting.inline_chart import MARKDOWN_LIMIT, Bar, bars, columns

SVG = "{http://www.w3.org/2000/svg}"


def drawn(markdown: str | None) -> tuple[str, ET.Element]:
    """Title and picture of a chart's Markdown."""
    assert markdown is not None
    assert len(markdown) <= MARKDOWN_LIMIT
    match = re.fullmatch(r"!\[([^\[\]]*)\]\(data:image/svg\+xml,([^()<> ]+)\)", markdown)
    assert match, "an address in Markdown ends at a space, an angle bracket or a parenthesis"
    return match[1], ET.fromstring(unquote(match[2]))  # noqa: S314 - our own


def lengths(svg: ET.Element) -> list[int]:
    return [int(each) for path in svg.findall(f"{SVG}path")[1:] for each in re.findall(r"h(\d+)v", path.get("d", ""))]


def test_bars_are_as_long_as_their_values_say() -> None:
    title, svg = drawn(bars("Verdicts", [Bar("propose", 50, "50"), Bar("keep", 100, "100"), Bar("refuse", 0, "0")]))
    assert title == "Verdicts"
    short, long = lengths(svg)
    assert long > 150
    assert short == pytest.approx(long / 2, abs=1)
    assert [text.text for text in svg.findall(f"{SVG}text")] == ["propose 50", "keep 100", "refuse 0"]


def test_a_bar_that_is_nearly_nothing_is_seen_and_none_stays_none() -> None:
    _, svg = drawn(bars("Verdicts", [Bar("a", 1e-6, "0.0"), Bar("b", 1, "1.0"), Bar("c", 0, "0")]))
    assert len(lengths(svg)) == 2
    assert min(lengths(svg)) == 1


def test_colours_are_those_that_were_given() -> None:
    _, svg = drawn(bars("Verdicts", [Bar("a", 1, "1", "#112233"), Bar("b", 1, "1", "#445566"), Bar("c", 1, "1", "#112233")]))
    assert [path.get("fill") for path in svg.findall(f"{SVG}path")] == ["#fff", "#112233", "#445566"]


def test_what_does_not_fit_is_left_out_and_counted() -> None:
    rows = [Bar(f"a_rather_long_name_of_a_step_{number}", 100 - number, f"{100 - number} s") for number in range(30)]
    title, svg = drawn(bars("Steps", rows))
    shown = len(lengths(svg))
    assert 4 <= shown < 30
    assert title == f"Steps; {30 - shown} more"


def test_names_from_outside_break_neither_the_picture_nor_the_markdown() -> None:
    title, svg = drawn(bars("Of [all] <teams>", [Bar('](x) <b> & "q" (y)', 3, "$3 (100 %)"), Bar("Größe", 1, "1")]))
    assert title == "Of (all) <teams>"
    assert [text.text for text in svg.findall(f"{SVG}text")] == ['](x) <b> & "q" (y) $3 (100 %)', "Größe 1"]


def test_nothing_to_compare_is_no_chart() -> None:
    assert bars("Verdicts", []) is None
    assert bars("Verdicts", [Bar("propose", 0, "0")]) is None
    assert columns("Samples", [], "00:00", "23:00") is None
    assert columns("Samples", [0] * 24, "00:00", "23:00") is None


def test_columns_are_as_high_as_their_values_say_and_a_gap_is_a_gap() -> None:
    _, svg = drawn(columns("Samples", [*[1_000_000] * 11, 500_000, *[0] * 12], "00:00", "23:00 UTC"))
    heights = re.findall(r"M(\d+),60v-(\d+)h", svg.findall(f"{SVG}path")[1].get("d", ""))
    assert len(heights) == 12
    assert {height for _, height in heights[:11]} == {"60"}
    assert heights[11] == (str(11 * 12), "30")
    assert [text.text for text in svg.findall(f"{SVG}text")] == ["00:00", "23:00 UTC"]
