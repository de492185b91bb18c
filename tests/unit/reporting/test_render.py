"""How numbers, names and sentences are written: never a zero that is not one, never a name that acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.reporting import render, words
from dagster_project.reporting.markdown import escape_markdown, name_markdown
from dagster_project.reporting.views import NightReport, VerdictCount
from tests.golden.sample_report import EMPTY, ORDINARY


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"), (0.001, "<$0.01"), (0.004, "<$0.01"), (0.005, "$0.01"), (0.79, "$0.79"), (9.99, "$9.99"),
        (9.996, "$10"), (10.5, "$11"), (1234.4, "$1,234"), (1_234_567.0, "$1,234,567"), (-12.0, "−$12"),
    ],
)  # fmt: skip
def test_only_nothing_is_zero_dollars(usd: float, text: str) -> None:
    assert words.money(usd) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"), (0.3, "$0.30"), (999.4, "$999"), (999.6, "$1.0k"), (1234.0, "$1.2k"), (999_960.0, "$1.0M"),
        (12_345_678.0, "$12.3M"), (2_500_000_000_000.0, "$2500.0B"), (-1500.0, "−$1.5k"),
    ],
)  # fmt: skip
def test_short_money_moves_to_the_next_unit_before_it_overflows(usd: float, text: str) -> None:
    assert words.money_short(usd) == text


@given(st.floats(0.000001, 1e12, allow_nan=False))
def test_money_that_is_there_never_reads_as_none(usd: float) -> None:
    assert words.money(usd).strip("<$") not in {"0", "0.00"}
    assert words.money_short(usd).strip("<$kMB") not in {"0", "0.0", "0.00"}


def test_counts_agree_with_their_noun() -> None:
    assert words.counted(0, "resource") == "no resources"
    assert words.counted(1, "resource") == "1 resource"
    assert words.counted(1204, "resource") == "1,204 resources"
    assert words.counted(2, "entry", "entries") == "2 entries"


def test_dates_are_english_and_times_are_utc() -> None:
    assert words.long_day(date(2026, 3, 16)) == "Monday, 16 March 2026"
    assert words.moment(datetime.fromisoformat("2026-03-16T23:58:12")) == "2026-03-16 23:58 UTC"
    assert words.moment(None) == "never"


def test_a_long_name_keeps_both_of_its_ends() -> None:
    assert words.shorten("i-0123") == "i-0123"
    short = words.shorten("start" + "x" * 500 + "end")
    assert len(short) == 96
    assert short.startswith("startx")
    assert short.endswith("xend")
    assert "…" in short


def test_control_characters_and_bidirectional_overrides_do_not_pass() -> None:
    assert words.clean("up\u202egnp.exe\x00\x1b[31m") == "up�gnp.exe  [31m"


@pytest.mark.parametrize(
    ("data", "markdown"),
    [
        ("a|b", r"a\|b"),
        ("`rm`", r"\`rm\`"),
        ("<!-- x -->", "&lt;!-- x --&gt;"),
        ("<b>", "&lt;b&gt;"),
        ("[a](b)", r"\[a\](b)"),
        ("![a](b)", r"!\[a\](b)"),
        ("**a** _b_ ~c~", r"\*\*a\*\* \_b\_ \~c\~"),
        ("&lt;", r"\&lt;"),
        ("back\\slash", r"back\\slash"),
        ("@team", "@\u200bteam"),
        ("fixes #12 and GH-3", "fixes \\#\u200b12 and GH-\u200b3"),
        ("https://a.b www.a.b", "https:\u200b//a.b www\u200b.a.b"),
        (":tada: at 12:30:00", ":\u200btada: at 12:30:00"),
        ("- item", "\u200b- item"),
        ("1. item", "\u200b1. item"),
        ("# heading", r"\# heading"),
        ("---", "\u200b---"),
        ("84.5% of -3 and 2.1", "84.5% of -3 and 2.1"),
        ("-3 degrees", "-3 degrees"),
        ("one\r\n\r\ntwo\ttabs", "one two tabs"),
        ("שרת", "\u2068שרת\u2069"),
    ],
)
def test_data_in_markdown_shows_itself_and_does_nothing(data: str, markdown: str) -> None:
    assert escape_markdown(data) == markdown


@given(st.text())
def test_no_text_breaks_a_cell_a_line_or_a_comment(text: str) -> None:
    escaped = str(escape_markdown(text))
    assert "\n" not in escaped
    assert "\r" not in escaped
    assert "<" not in escaped
    assert escaped.replace(r"\\", "").count("|") == escaped.replace(r"\\", "").count(r"\|")


def test_escaping_twice_changes_nothing() -> None:
    once = escape_markdown("a|b")
    assert escape_markdown(once) == once


def test_an_ordinary_name_is_code_and_any_other_is_escaped_text() -> None:
    assert name_markdown("i-0f3a91c27be4d8a10") == "`i-0f3a91c27be4d8a10`"
    assert name_markdown("team/@ops:api") == "`team/@ops:api`"
    assert name_markdown("a`b|c") == r"a\`b\|c"
    assert name_markdown("dienst-für-alle") == "dienst-für-alle"


def test_why_a_night_has_no_proposal_is_one_sentence() -> None:
    assert render.nothing_because(EMPTY) == (
        "No price was found for the 1 resource of the inventory, so no saving can be stated."
    )
    assert render.nothing_because(replace(EMPTY, resources=0)) == "The inventory holds no resources for this day."
    priced = replace(EMPTY, resources=12, priced_resources=12)
    verdicts = (VerdictCount("keep", 7, 0.0), VerdictCount("refuse", 5, 80.0), VerdictCount("propose", 0, 0.0))
    assert render.nothing_because(replace(priced, verdicts=verdicts)) == (
        "12 resources were examined and none passed every check: 5 refused, 7 kept."
    )


def test_savings_by_group_say_how_many_there_are() -> None:
    html = render.render_html(ORDINARY)
    assert "Savings by service, USD per month: the first 2 of 26" in html
    assert "Savings by team, USD per month</caption>" in html
    assert "The first 3 of 40 proposals" in render.render_html(replace(ORDINARY, proposals_total=40))


def test_what_is_at_stake_is_unknown_where_nothing_is_priced() -> None:
    lines = render_lines(EMPTY)
    assert any(line.startswith("- **What could be saved:** unknown per month; safe now") for line in lines)
    assert "- **Not dared:** $0 per month; 0 refused." in lines


def render_lines(report: NightReport) -> list[str]:
    return render.render_markdown(report).splitlines()
