"""Files that nobody wrote to be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.incidents.anomalies import anomalies_of
from dagster_project.domain.incidents.importing.reading import read_text

MEGABYTE = 1_000_000
GARBAGE = {
    "quotes": ">" * MEGABYTE,
    "brackets": "[(" * (MEGABYTE // 2),
    "stars": "*" * MEGABYTE,
    "ticks": "`" * MEGABYTE,
    "nested lists": "- " * (MEGABYTE // 2),
    "nested quotes and lists": ("> - " * 200 + "\n") * 100,
    "times in one line": "## Timeline\n\n- " + "12:07 " * (MEGABYTE // 6),
    "digits": "## Timeline\n\n- " + "1" * MEGABYTE,
    "colons": "## Timeline\n\n- " + "1:" * (MEGABYTE // 2),
    "words before a time": "## Timeline\n\n- " + "~ on the at " * (MEGABYTE // 12),
    "dates": "## Timeline\n\n- " + "2024-05-01 " * (MEGABYTE // 11),
    "months": "## Timeline\n\n- " + "may 1 " * (MEGABYTE // 6),
    "incidents": "## Timeline\n\n- 12:07 " + "incident declared resolved " * (MEGABYTE // 27),
    "addresses": "see https://a.b/c(d) " * (MEGABYTE // 21),
    "bold": "## Timeline\n\n- " + "**a" * (MEGABYTE // 3),
    "a wide table": "| " + "a | " * 20_000 + "\n|" + "---|" * 20_000 + "\n|" + "b|" * 20_000,
    "front matter": "---\n" + "a: b\n" * 50_000,
    "negations": "## Timeline\n\n- 12:07 " + "not if resolved, incident resolved? " * (MEGABYTE // 35),
    "dates in numbers": "## Timeline\n\n- " + "03/14/24 " * (MEGABYTE // 9),
    "strokes": "## Timeline\n\n- " + "1/2/" * (MEGABYTE // 4),
    "surrogates and zeros": "# \ud800 \x01\x02 \ufffe\n" * 1_000,
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_megabyte_of_garbage_is_read_as_what_it_is(kind: str) -> None:
    result = read_text(GARBAGE[kind], "garbage.md")
    assert len(result.incidents) == 1
    assert anomalies_of(result.incidents[0]) == ()


@pytest.mark.parametrize("text", ["[" * MEGABYTE, '{"a":' * 100_000, "\x00" * 100, "", "\n\n", "null", "1", '"x"', "[[]]"])
def test_what_is_no_record_is_a_problem(text: str) -> None:
    result = read_text(text, "garbage.jsonl")
    assert result.incidents == ()
    assert len(result.problems) == 1


def test_a_binary_file_is_not_imported() -> None:
    result = read_text("PK\x03\x04\x00\x00" * 100, "postmortem.md")
    assert (result.incidents, result.problems[0].line) == ((), 0)


def test_a_document_without_end_is_read_up_to_a_limit_that_is_said() -> None:
    result = read_text("## Timeline\n\n" + "a\n" * 30_000, "long.md")
    assert "20000" in result.problems[-1].sentence


def test_an_unknown_zone_is_a_problem() -> None:
    assert "Mars/Base" in read_text("# A", "a.md", zone="Mars/Base").problems[0].sentence


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    body = "# 2024-05-02 Queue\n\n## Timeline\n\n- 12:07 a\n"
    assert read_text("\ufeff" + body.replace("\n", "\r\n"), "a.md") == read_text(body, "a.md")


PIECES = (
    "## Timeline", "### 12:07", "- 12:07 a", "| Time | Event |", "|---|---|", "| 14:?? | x |", "- **Key events**", "  - Resolved",
    "> quoted", "```", "24/07/25", "- Time to repair: 1h", "All times in PST", "", "---", "# Stats", "- [x] done (#1)",
    "\t- 9999-12-31 23:59 end", "- 0001-01-01 00:00 start", "- 9999-12-31 23:59 UTC-14 end", "## Actions",
)  # fmt: skip
LINES = st.lists(st.sampled_from(PIECES) | st.text(max_size=30), max_size=25)


@given(LINES)
def test_no_document_breaks_the_reader_or_the_checks(lines: list[str]) -> None:
    result = read_text("\n".join(["# T", *lines]), "a.md", zone="Pacific/Auckland")
    for imported in result.incidents:
        anomalies_of(imported)
