"""The section in the page and in the text: what holds for the rest of the report holds with it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.second_opinion import ask_advisers
from dagster_project.reporting.render import render_html, render_markdown
from dagster_project.reporting.second_opinion_views import OpinionGroup, OpinionLine, SecondOpinion
from dagster_project.reporting.views import NightReport
from tests.aws.fixtures import aws
from tests.aws.server import AwsServer
from tests.aws.sessions import ACCOUNT
from tests.golden import test_report as golden
from tests.golden.sample_report import EMPTY, HOSTILE_NAMES, ORDINARY, hostile
from tests.night_builders import DAY, machine
from tests.night_builders import night as judged
from tests.second_opinion.asked import VIRGINIA, instance, night, optimizer, own

__all__ = ["aws"]
LINES = (
    OpinionLine("i-0a1", "checkout", "Compute Optimizer finds it idle; we refuse: It is.", None, 12.5),
    OpinionLine("i-0a2", None, "The hub would move it; we keep it.", 3.0, None, True),
)
SECTION = SecondOpinion(
    "AWS's own advisers spoke of 3 of 418 resources, and contradict 3 verdicts.",
    (
        OpinionGroup("we_keep", "They would shrink it", 3, 0.0, 12.5, LINES, 1),
        OpinionGroup("same", "Both say the same", 0, 0.0, None),
    ),
    ("1 opinion is on resources that the inventory does not list, such as db-x.",),
    ("The account 1 has not opted in.",),
    "second_opinions.csv",
)
HOSTILE = SecondOpinion(
    HOSTILE_NAMES[0],
    tuple(OpinionGroup(n, n, 1, 0.0, None, (OpinionLine(n, n, n, None, None),), 2) for n in HOSTILE_NAMES),
    HOSTILE_NAMES,
    HOSTILE_NAMES,
    "second_opinions.csv",
)
NIGHTS = pytest.mark.parametrize(
    "night",
    [
        replace(ORDINARY, second_opinion=SECTION),
        replace(EMPTY, second_opinion=SecondOpinion("AWS's own advisers were not heard.", unread=("Not enrolled.",))),
        replace(hostile(), second_opinion=HOSTILE),
    ],
    ids=["ordinary", "silent", "hostile"],
)


@NIGHTS
def test_what_holds_for_every_night_holds_with_the_section(night: NightReport) -> None:
    golden.test_the_page_can_be_walked_without_eyes(night)
    golden.test_a_markdown_parser_finds_only_our_own_markup(night)
    golden.test_every_row_of_a_markdown_table_has_the_cells_of_its_head(night)
    page = golden.Page(render_html(night))
    assert {tag for tag, _ in page.elements} & {"script", "img", "iframe"} == set()
    links = {a["href"] for a in page.all("a") if a["href"] and a["href"].endswith(".csv")}
    assert night.second_opinion is not None
    assert links - {"savings.csv"} == ({"second_opinions.csv"} if night.second_opinion.file else set())


def test_without_a_second_opinion_the_report_is_what_it_was() -> None:
    silent, heard = render_markdown(ORDINARY), render_markdown(replace(ORDINARY, second_opinion=SECTION))
    start, end = heard.index("\n## Second opinion"), heard.index("\n## What became of proposals")
    assert heard[:start] + heard[end:] == silent
    page, heard = render_html(ORDINARY), render_html(replace(ORDINARY, second_opinion=SECTION))
    start, end = heard.index('<section id="second-opinion"'), heard.index('<section id="pull-requests"')
    assert heard[:start] + heard[end:] == page


def test_the_text_of_the_section() -> None:
    text = render_markdown(replace(ORDINARY, second_opinion=SECTION))
    section = text[text.index("## Second opinion") : text.index("\n## What became of proposals")]
    assert section == (
        "## Second opinion\n\n"
        "AWS's own advisers spoke of 3 of 418 resources, and contradict 3 verdicts. Every opinion is in "
        "`second_opinions.csv`.\n\n"
        "| What they say | Resource | Resources | We would save | They would save |\n"
        "|:--|:--|--:|--:|--:|\n"
        "| **They would shrink it** | | **3** | **$0** | **$13** |\n"
        "| Compute Optimizer finds it idle; we refuse: It is. | `i-0a1` · checkout | | – | $13 |\n"
        "| The hub would move it; we keep it. | `i-0a2` | | $3.00 | – |\n"
        "| 1 further resource; `second_opinions.csv` lists all. | | | | |\n"
        "| **Both say the same** | | **0** | **$0** | **–** |\n\n"
        "What else they say:\n\n"
        "- 1 opinion is on resources that the inventory does not list, such as db-x.\n\n"
        "What was not read:\n\n"
        "- The account 1 has not opted in.\n"
    )


def test_the_page_says_the_same_as_the_text() -> None:
    words = golden.Page(render_html(replace(ORDINARY, second_opinion=SECTION))).text
    section = words[words.index("Second opinion AWS's") :]
    section = section[: section.index("What became of proposals")]
    assert section == (
        "Second opinion AWS's own advisers spoke of 3 of 418 resources, and contradict 3 verdicts. Every opinion as a table . "
        "What they say Resources We would save They would save "
        "They would shrink it 3 $0 $13 "
        "i-0a1 checkout Compute Optimizer finds it idle; we refuse: It is. – $13 "
        "i-0a2 The hub would move it; we keep it. $3.00 – "
        "1 further resource; second_opinions.csv lists all. "
        "Both say the same 0 $0 – "
        "What else they say 1 opinion is on resources that the inventory does not list, such as db-x. "
        "What was not read The account 1 has not opted in. "
    )


def test_the_command_explains_it(tmp_path: Path, aws: AwsServer) -> None:
    runtime: Runtime = night(tmp_path / "home", aws, own(VIRGINIA))
    judged(runtime, machine("i-0a1", account_id=ACCOUNT))
    optimizer(aws, VIRGINIA).instance(instance("i-0a1", VIRGINIA), "Optimized", "m5.xlarge")
    ask_advisers(runtime, DAY)
    found = subprocess.run(
        [sys.executable, "-m", "dagster_project", "explain", "i-0a1", "--day", DAY.isoformat()],
        env={"NIGHTSHIFT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    told = re.search(r"\n  Second opinion\n((?:    .*\n)+)", found.stdout)
    assert told is not None
    assert told[1].splitlines() == [
        "    We would shrink it, they would leave it",
        "    Compute Optimizer finds it optimized (14 days up to 2025-03-09).",
    ]
