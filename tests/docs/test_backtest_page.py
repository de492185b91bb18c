"""The backtest that the documentation shows is what the rules do, and the README quotes it rightly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import backtest_page

ROOT = Path(__file__).parents[2]
TRACES = ROOT.parent / "shared" / "data"


def rows(page: Path, columns: int) -> list[list[str]]:
    lines = [line.strip().strip("|").split("|") for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if len(line) == columns]


def test_the_readme_quotes_the_page() -> None:
    """Rule → captured, starved of down, memory touched, flips."""
    shown = {row[1].strip("*`").lower(): row for row in rows(ROOT / "docs" / "backtest.md", 14)}
    quoted = [row for row in rows(ROOT / "README.md", 5) if " of " in row[2]]
    assert len(quoted) == 5
    for rule, captured, starved, memory, flips in quoted:
        row = shown[rule.split()[0]]
        number = re.match(r"[\d.]+%", row[6])
        assert number is not None
        assert captured.replace(" ", "") == number.group()
        assert starved == f"{row[7]} of {row[3].split()[0]}"
        assert (memory.replace(" ", ""), flips.replace(" ", "")) == (row[11], row[12])


@pytest.mark.skipif(not TRACES.is_dir(), reason="the public traces are not beside the repository")
def test_the_page_is_what_the_rules_do() -> None:
    """`make backtest` writes it."""
    text, chart = backtest_page.page(TRACES)
    assert (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8") == text
    assert (ROOT / "docs" / "images" / "backtest.svg").read_text(encoding="utf-8") == chart
