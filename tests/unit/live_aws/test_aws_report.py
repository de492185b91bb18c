"""The report's section about AWS: what it says of regions, and that nothing that AWS says acts on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from markdown_it import MarkdownIt

from dagster_project.lake.aws_tables import AWS_RESOURCES, SAMPLE_SOURCES
from dagster_project.lake.engine import open_engine
from dagster_project.lake.frames import schema, write_frame
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import LOAD_LEDGER, RESOURCE_INVENTORY
from dagster_project.pipeline.aws_report import aws_in_report
from dagster_project.pipeline.ledger import Load
from dagster_project.reporting.aws_coverage_views import AwsCoverage, ScopeLine
from dagster_project.reporting.render import render_html, render_markdown
from tests.golden.sample_report import EMPTY, ORDINARY
from tests.golden.test_report import Page

DAY = date(2025, 3, 9)
ONE, TWO = "111111111111", "222222222222"
Row = dict[str, Any]


class Night:
    """A lake in which one night has read AWS."""

    def __init__(self, home: Path) -> None:
        self._lake = Lake(home)
        self._loads: dict[date, list[Load]] = {}

    def load(self, kind: str, account: str, region: str, status: str = "complete", day: date = DAY, **line: Any) -> None:
        """A line of the load ledger."""
        self._loads.setdefault(day, []).append(Load(f"{kind}.{account}.{region}", status, **line))

    def region(self, account: str, region: str, resources: int = 10, samples: int = 100) -> None:
        """A region that was read whole."""
        self.load("aws_resources", account, region, rows_written=resources, calls=4, throttles=0)
        self.load("aws_samples", account, region, rows_written=samples, calls=6, throttles=1)

    def changed(self, *rows: Row, day: date = DAY) -> None:
        """Resources of AWS; ``changes`` as before and after by name."""
        usual = {"account_id": ONE, "region": "eu-west-1", "resource_type": "ec2_instance"}
        told = [{**usual, **row, "changes": json.dumps(row["changes"]) if row.get("changes") else None} for row in rows]
        self._put(AWS_RESOURCES, told, day)

    def listed(self, *rows: Row) -> None:
        """Resources of the inventory."""
        self._put(RESOURCE_INVENTORY, [{"resource_type": "ec2_instance", **row} for row in rows], DAY)

    def readings(self, *rows: tuple[int, int], day: date = DAY) -> None:
        """How many readings came from the database and from CloudWatch."""
        told = [
            {"resource_id": f"i-{number}", "metric": "cpu_avg_pct", "database_samples": own, "cloudwatch_samples": filled}
            for number, (own, filled) in enumerate(rows)
        ]
        self._put(SAMPLE_SOURCES, told, day)

    def told(self) -> AwsCoverage | None:
        """The section of the report."""
        for day, loads in self._loads.items():
            self._put(LOAD_LEDGER, [asdict(each) for each in loads], day)
        with open_engine(self._lake) as engine:
            engine.view(LOAD_LEDGER, [DAY])
            engine.view(RESOURCE_INVENTORY, [DAY])
            return aws_in_report(engine, DAY)

    def section(self) -> AwsCoverage:
        found = self.told()
        assert found is not None
        return found

    def _put(self, table: Any, rows: Sequence[Row], day: date) -> None:
        write_frame(self._lake, table, day, pl.DataFrame(rows, schema=schema(table)))


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


# What it says.


def test_without_accounts_there_is_no_section(night: Night) -> None:
    night.load("resources", "x", "y", rows_written=4)
    night.load("aws_commitments", ONE, "eu-west-1", rows_written=4)
    night.load("aws_resources", ONE, "eu-west-1", day=date(2025, 3, 8))
    assert night.told() is None
    page = Page(render_html(replace(ORDINARY, aws=None)))
    assert "AWS accounts" not in page.text
    assert "AWS accounts" not in render_markdown(ORDINARY)


@pytest.mark.parametrize(
    ("whole", "failed", "sentence"),
    [
        (["1 eu-west-1"], [], "1 region of 1 account was read whole."),
        (["1 eu-west-1", "1 us-east-1"], [], "2 regions of 1 account were read whole."),
        (["1 eu-west-1", "2 eu-west-1"], [], "2 regions of 2 accounts were read whole."),
        (["1 eu-west-1"], ["1 us-east-1"], "1 region of 1 account was read whole; of 1 something is missing."),
        (["1 a", "1 b"], ["2 a", "2 b", "2 c"], "2 regions of 2 accounts were read whole; of 3 something is missing."),
        ([], ["1 eu-west-1"], "No regions of 1 account were read whole; of 1 something is missing."),
    ],
)
def test_regions_are_counted_and_agree_with_their_verb(night: Night, whole: list[str], failed: list[str], sentence: str) -> None:
    for each in whole:
        night.region(each[0] * 12, each[2:])
    for each in failed:
        night.load("aws_resources", each[0] * 12, each[2:], "failed", error="No.")
    assert night.section().sentence == sentence


def test_a_thousand_regions_are_written_so(night: Night) -> None:
    for number in range(1001):
        night.load("aws_resources", f"{number:012}", "eu-west-1", "failed", error="No.")
    found = night.section()
    assert found.sentence == "No regions of 1,001 accounts were read whole; of 1,001 something is missing."
    assert (len(found.lines), found.more) == (20, 981)


def test_a_region_is_one_line_of_inventory_and_metrics(night: Night) -> None:
    night.region(ONE, "eu-west-1", resources=12, samples=3456)
    found = night.section()
    assert found.lines == (ScopeLine(f"{ONE}/eu-west-1", 12, "complete", "complete", 3456, 10, 1, None),)
    assert (found.more, found.notes, found.changes) == (0, (), ())


@pytest.mark.parametrize(
    ("inventory", "metrics", "problem"),
    [
        (("complete", ""), ("partial", "Two series."), "Two series."),
        (("partial", "No databases."), ("complete", ""), "No databases."),
        (("failed", "No right."), ("failed", "No right."), "No right."),
        (("partial", "B."), ("partial", "A."), "A. B."),
        (("complete", ""), None, "It was not asked in this night."),
        (None, ("complete", ""), "It was not asked in this night."),
        (("failed", "No right."), None, "No right."),
        # What ends well needs no explanation, whatever is said of it.
        (("complete", "Something."), ("complete", ""), None),
    ],
)
def test_what_is_missing_is_said(
    night: Night, inventory: tuple[str, str] | None, metrics: tuple[str, str] | None, problem: str | None
) -> None:
    for kind, line in (("aws_resources", inventory), ("aws_samples", metrics)):
        if line is not None:
            night.load(kind, ONE, "eu-west-1", line[0], error=line[1])
    (found,) = night.section().lines
    assert found.problem == problem
    assert (found.inventory, found.metrics) == (inventory and inventory[0], metrics and metrics[0])


def test_a_long_story_is_cut_short(night: Night) -> None:
    night.load("aws_resources", ONE, "a", "failed", error="x" * 600)
    night.load("aws_resources", ONE, "b", "failed", error="x" * 601)
    assert [line.problem for line in night.section().lines] == ["x" * 600, "x" * 599 + "…"]


def test_what_is_missing_comes_first_then_where_there_is_most(night: Night) -> None:
    night.region(ONE, "ap-south-1", resources=5)
    night.region(TWO, "eu-west-1", resources=70)
    night.region(ONE, "eu-west-1", resources=70)
    night.load("aws_resources", TWO, "us-east-1", "failed", rows_written=1, error="No.")
    night.load("aws_resources", TWO, "sa-east-1", "failed", rows_written=900, error="No.")
    night.load("aws_resources", "333333333333", "regions", "failed", error="Nobody knows which regions it has.")
    found = night.section()
    assert [line.place for line in found.lines] == [
        f"{TWO}/sa-east-1",
        f"{TWO}/us-east-1",
        "333333333333/regions",
        f"{ONE}/eu-west-1",
        f"{TWO}/eu-west-1",
        f"{ONE}/ap-south-1",
    ]
    assert found.sentence == "3 regions of 3 accounts were read whole; of 3 something is missing."


@pytest.mark.parametrize(("regions", "shown", "more"), [(19, 19, 0), (20, 20, 0), (21, 20, 1), (30, 20, 10)])
def test_twenty_regions_are_shown(night: Night, regions: int, shown: int, more: int) -> None:
    for number in range(regions):
        night.region(ONE, f"eu-west-{number}", resources=number)
    found = night.section()
    assert (len(found.lines), found.more) == (shown, more)
    assert found.lines[0].place == f"{ONE}/eu-west-{regions - 1}"
    assert found.sentence == f"{regions} regions of 1 account were read whole."


@pytest.mark.parametrize(
    ("carried", "note"),
    [
        (
            [("i-1", 8)],
            "1 resource could not be looked at, the first since 2025-03-08; nothing is decided about them, such as i-1.",
        ),
        (
            [("i-2", 7), ("i-1", 8), ("i-3", 9)],
            "2 resources could not be looked at, the first since 2025-03-07; nothing is decided about them, such as i-1.",
        ),
        ([("i-1", 9), ("i-2", None)], None),
    ],
)
def test_what_could_not_be_looked_at_is_counted(night: Night, carried: list[tuple[str, int | None]], note: str | None) -> None:
    night.region(ONE, "eu-west-1")
    night.listed(*({"resource_id": name, "read_on": date(2025, 3, day) if day else None} for name, day in carried))
    assert night.section().notes == (() if note is None else (note,))


@pytest.mark.parametrize(
    ("readings", "note"),
    [
        ([(0, 0)], None),
        ([(100, 0)], "CloudWatch filled in 0 % of the day's 100 readings; the others are the database's."),
        ([(0, 1)], "CloudWatch filled in 100 % of the day's 1 reading."),
        ([(0, 1500), (0, 500)], "CloudWatch filled in 100 % of the day's 2,000 readings."),
        ([(600, 150), (150, 100)], "CloudWatch filled in 25 % of the day's 1,000 readings; the others are the database's."),
        # What is not quite none or not quite all is not none or all.
        ([(99_999, 1)], "CloudWatch filled in <0.1 % of the day's 100,000 readings; the others are the database's."),
        ([(1, 99_999)], "CloudWatch filled in >99.9 % of the day's 100,000 readings; the others are the database's."),
    ],
)
def test_the_share_of_cloudwatch_is_never_rounded_to_none_or_all(
    night: Night, readings: list[tuple[int, int]], note: str | None
) -> None:
    night.region(ONE, "eu-west-1")
    night.readings(*readings)
    night.readings((5, 5), day=date(2025, 3, 8))
    assert night.section().notes == (() if note is None else (note,))


def test_configuration_that_is_not_what_it_was_is_told_with_before_and_after(night: Night) -> None:
    night.region(ONE, "eu-west-1")
    night.changed(
        {"native_id": "web", "resource_type": "autoscaling_group",
         "changes": {"min_size": [2, 4], "other_types": [None, ["a", "b"]]}},
        {"native_id": "i-2", "changes": {"instance_type": ["m5.large", "m5.xlarge"], "tenancy": ["default", None]}},
        {"native_id": "orders", "resource_type": "rds_instance",
         "changes": {"multi_az": [False, True], "iops": [3000, 12000]}},
        {"native_id": "i-1"},
    )  # fmt: skip
    night.changed({"native_id": "i-9", "changes": {"instance_type": ["a", "b"]}}, day=date(2025, 3, 8))
    assert night.section().changes == (
        f"i-2 ({ONE}/eu-west-1): instance_type m5.large → m5.xlarge, tenancy default → nothing",
        f"web ({ONE}/eu-west-1): min_size 2 → 4, other_types nothing → a, b",
        f"orders ({ONE}/eu-west-1): iops 3000 → 12000, multi_az no → yes",
    )


@pytest.mark.parametrize(
    ("changes", "last"),
    [(10, "i-09 (111111111111/eu-west-1): min_size 1 → 2"), (11, "1 further resource, in aws_resources."),
     (31, "21 further resources, in aws_resources.")],
)  # fmt: skip
def test_ten_changes_are_shown_and_the_rest_counted(night: Night, changes: int, last: str) -> None:
    night.region(ONE, "eu-west-1")
    night.changed(*({"native_id": f"i-{number:02}", "changes": {"min_size": [1, 2]}} for number in range(changes)))
    found = night.section().changes
    assert len(found) == min(changes, 11)
    assert found[-1] == last
    assert found[9] == "i-09 (111111111111/eu-west-1): min_size 1 → 2"


# How it is written.

HOSTILE = (
    "</td></table><script>alert(1)</script><img src=x onerror=alert(1)>\n| a | b |\n\n# Heading [link](javascript:alert(1)) "
    "![x](http://evil.example/x.png) `code` **bold** _it_ ~~no~~ @team #12 <!-- -->&lt;b&gt; \u202egnp.exe\x00 "
    "http://evil.example "
)
LONG = "AWS refused DescribeInstances of instances of 111111111111/eu-west-1 (Odd), and did nothing: " + "Wörter " * 900
PLAIN = AwsCoverage(
    "1 region of 1 account was read whole.", lines=(ScopeLine("1/eu-west-1", 1, "complete", "complete", 1, 1, 0),)
)


def hostile() -> AwsCoverage:
    """Everything that AWS or a person can name says the worst."""
    line = ScopeLine(HOSTILE, 1234, HOSTILE, HOSTILE, 5_678_901, 23_456, 1_000, HOSTILE + LONG)
    return AwsCoverage(HOSTILE, (HOSTILE, HOSTILE), (line, replace(line, problem=LONG)), 7, (HOSTILE, HOSTILE))


def many() -> AwsCoverage:
    """Twenty regions of thirty, of which some failed."""
    lines = tuple(
        ScopeLine(
            f"{ONE}/eu-west-{number}",
            resources=10 * number,
            inventory="failed" if number < 2 else "complete",
            metrics=None if number < 3 else "partial",
            samples=1000 * number,
            calls=number,
            throttles=number % 2,
            problem=LONG if number < 4 else None,
        )
        for number in range(20)
    )
    sentence = "16 regions of 1 account were read whole; of 14 something is missing."
    return AwsCoverage(sentence, ("A note.",), lines, 10, ("A change.",))


def page_of(aws: AwsCoverage) -> Page:
    return Page(render_html(replace(ORDINARY, aws=aws)))


def section_of(markdown: str) -> str:
    begin = markdown.index("## AWS accounts")
    return markdown[begin : markdown.index("\n## ", begin + 1) + 1]


def test_the_section_of_a_page() -> None:
    aws = AwsCoverage(
        "1 region of 1 account was read whole; of 1 something is missing.",
        ("A note.", "Another one."),
        (
            ScopeLine("1/us-east-1", 0, None, "failed", 0, 1, 0, "No right."),
            ScopeLine("1/eu-west-1", 1234, "complete", "partial", 5_678_901, 4_321, 1_012),
        ),
        1,
        ("i-1 (1/eu-west-1): min_size 1 → 2",),
    )
    page = page_of(aws)
    text = page.text[page.text.index("AWS accounts") : page.text.index("What was loaded")].strip()
    assert text == (
        "AWS accounts 1 region of 1 account was read whole; of 1 something is missing. A note. Another one. "
        "What is missing 1/us-east-1 : No right. "
        "Account and region Inventory Metrics Resources Samples Requests Refused for now "
        "1/us-east-1 not asked failed 0 0 1 0 1/eu-west-1 complete partial 1,234 5,678,901 4,321 1,012 "
        "1 further region; the table load_ledger lists all. "
        "Configuration that is not what it was i-1 (1/eu-west-1): min_size 1 → 2"
    )
    statuses = [each["class"] for each in page.all("span") if (each.get("class") or "").startswith("status")][:4]
    assert statuses == ["status", "status status-failed", "status", "status status-partial"]


def test_the_section_in_markdown() -> None:
    aws = AwsCoverage(
        "1 region of 1 account was read whole; of 1 something is missing.",
        ("A note.",),
        (
            ScopeLine("1/us-east-1", 0, None, "failed", 0, 1, 0, "No right."),
            ScopeLine("1/eu-west-1", 1234, "complete", "partial", 5_678_901, 4_321, 1_012),
        ),
        2,
        ("i-1: min_size 1 → 2",),
    )
    assert section_of(render_markdown(replace(ORDINARY, aws=aws))).split("\n") == [
        "## AWS accounts",
        "",
        "1 region of 1 account was read whole; of 1 something is missing.",
        "",
        "- A note.",
        "",
        "| Account and region | Inventory | Metrics | Resources | Samples | Requests | Refused for now | What is missing |",
        "|:--|:--|:--|--:|--:|--:|--:|:--|",
        "| 1/us-east-1 | not asked | failed | 0 | 0 | 1 | 0 | No right. |",
        "| 1/eu-west-1 | complete | partial | 1,234 | 5,678,901 | 4,321 | 1,012 |  |",
        "| 2 further regions; the table load_ledger lists all. | | | | | | | |",
        "",
        "Configuration that is not what it was:",
        "",
        "- i-1: min\\_size 1 → 2",
        "",
        "",
    ]


def test_without_notes_changes_and_further_regions_there_is_no_room_for_them() -> None:
    page = page_of(PLAIN)
    text = page.text[page.text.index("AWS accounts") : page.text.index("What was loaded")]
    assert "further region" not in text
    assert "Configuration" not in text
    assert "What is missing" not in text
    html = render_html(replace(ORDINARY, aws=PLAIN))
    section = html[html.index('<section id="aws"') :]
    assert "<ul" not in section[: section.index("</section>")]
    markdown = section_of(render_markdown(replace(ORDINARY, aws=PLAIN)))
    assert "further region" not in markdown
    assert "Configuration" not in markdown
    assert "\n- " not in markdown


@pytest.mark.parametrize("aws", [PLAIN, hostile(), many()], ids=["plain", "hostile", "many"])
@pytest.mark.parametrize("report", [ORDINARY, EMPTY], ids=["ordinary", "empty"])
def test_nothing_that_is_said_acts_on_the_page(aws: AwsCoverage, report: Any) -> None:
    html = render_html(replace(report, aws=aws))
    page = Page(html)
    plain = Page(render_html(replace(report, aws=PLAIN)))
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"ul", "li", "h3"}
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.all("a") == plain.all("a")
    assert "<!--" not in html
    assert not set("\x00\u202e") & set(html)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(th.get("scope") in {"col", "row", "colgroup", "rowgroup"} for th in page.all("th"))


def test_the_worst_is_shown_as_it_is() -> None:
    text = page_of(hostile()).text
    assert text.count("</td></table><script>alert(1)</script><img src=x onerror=alert(1)> | a | b |") == 14
    assert "Wörter Wörter" in text


@pytest.mark.parametrize("aws", [PLAIN, hostile(), many()], ids=["plain", "hostile", "many"])
def test_a_markdown_parser_finds_only_our_own_markup(aws: AwsCoverage) -> None:
    section = section_of(render_markdown(replace(ORDINARY, aws=aws)))
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(section)
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {
        "heading_open", "heading_close", "inline", "text", "paragraph_open", "paragraph_close", "bullet_list_open",
        "bullet_list_close", "list_item_open", "list_item_close", "table_open", "table_close", "thead_open", "thead_close",
        "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close", "text_special",
    }  # fmt: skip
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h2"]
    assert sum(token.type == "table_open" for token in tokens) == 1
    rows = len(aws.lines) + bool(aws.more)
    assert sum(token.type == "tr_open" for token in tokens) == 1 + rows
    assert sum(token.type == "td_open" for token in tokens) == 8 * rows
    assert sum(token.type == "list_item_open" for token in tokens) == len(aws.notes) + len(aws.changes)
    assert not re.search(r"@(?!\u200b)", section)
    assert "http://" not in section
    assert not set("\x00\u202e") & set(section)


def test_what_was_not_asked_is_not_nothing() -> None:
    aws = replace(PLAIN, lines=(ScopeLine("1/regions", 0, None, None, 0, 0, 0, "Nobody knows which regions it has."),))
    assert "1/regions not asked not asked 0 0 0 0" in page_of(aws).text
    line = "| 1/regions | not asked | not asked | 0 | 0 | 0 | 0 | Nobody knows which regions it has. |"
    assert line in render_markdown(replace(ORDINARY, aws=aws))


def test_counts_of_what_is_not_shown_agree_with_their_noun() -> None:
    for more, told in ((1, "1 further region; the table load_ledger lists all."), (1204, "1,204 further regions; the table")):
        aws = replace(PLAIN, more=more)
        assert told in page_of(aws).text
        assert told in render_markdown(replace(ORDINARY, aws=aws))
