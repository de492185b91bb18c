"""The words of pull requests, of their comments and of the dashboard; and that names in them are never more than names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dagster_project.domain.proposals.commands import parse
from dagster_project.domain.proposals.model import Evidence, GroupKey
from dagster_project.domain.proposals.payload import Payload, Remembered, from_body, to_comment
from dagster_project.reporting.pull_request import (
    CLOSING_MARK,
    DASHBOARD_MARK,
    FROZEN_MARK,
    MARKS,
    MAX_BODY,
    body_of,
    closing_of,
    commit_message_of,
    dashboard_of,
    freezing_of,
    mermaid,
    reply_of,
    title_of,
)
from dagster_project.reporting.pull_request_views import DashboardEntry, DashboardText, EditedLine, PullRequestText
from dagster_project.reporting.views import EvidenceLine, Proposal
from tests.golden.sample_report import CHECKOUT, LEDGER, SEARCH

GITHUB_TAKES = 65_536
PAYLOAD = to_comment(Payload(GroupKey("acme/infra", "main", "envs/prod", "", "payments", "low"), "a" * 40, (), ()))


def line(*proposals: Proposal, **changes: Any) -> EditedLine:
    first = proposals[0]
    made = EditedLine(
        file="envs/prod/a.tf", line=12, attribute="instance_type", before=first.current_type, after=first.target_type,
        resource_ids=tuple(each.resource_id for each in proposals), proposals=proposals,
        closest_events=("",) * len(proposals), notes=(), other_plans=(),
    )  # fmt: skip
    return replace(made, **changes)


LOW = PullRequestText(
    root="envs/prod", owner="payments", risk="low", risk_reasons=(), is_draft=False, lines=(line(CHECKOUT),),
    savings_usd_month=335.8, effects=("It changes code.",), rollback=("Revert it.",), dropped=(), payload=PAYLOAD,
)  # fmt: skip
MEDIUM = replace(
    LOW,
    risk="medium",
    risk_reasons=("A single machine in prod stops and starts; nothing takes over meanwhile.",),
    is_draft=True,
    lines=(
        line(
            SEARCH,
            notes=("The code names no version of the launch template.",),
            closest_events=("INC-7 would have used 60 % of the new size",),
            other_plans=("envs/prod/eu.tfvars: aws_launch_template.search",),
        ),
        line(LEDGER, file="envs/prod/b.tf", line=3, attribute="instance_class"),
    ),
    savings_usd_month=1076.02,
    dropped=("i-9: Its service has an open incident.",),
)


def body(text: PullRequestText) -> str:
    found = body_of(text)
    assert found is not None
    return found


def test_the_page_of_a_proposal_is_linked_to_where_its_address_is_a_plain_one() -> None:
    link = "[Charts and all numbers of each resource, as of the last night](https://r.example/n/proposals/ab12.html)"
    assert link in body(replace(LOW, page_url="https://r.example/n/proposals/ab12.html"))
    for address in (None, "https://r.example/)[x](y", "javascript:alert(1)"):
        assert "Charts and all numbers" not in body(replace(LOW, page_url=address))


def section(markdown: str, title: str) -> list[str]:
    """The lines below a heading, without empty ones."""
    below = markdown.split(f"\n## {title}\n")[1].split("\n## ")[0].split("\n---\n")[0]
    return [each for each in below.splitlines() if each]


class TestTitle:
    @pytest.mark.parametrize(
        ("changes", "title"),
        [
            ({}, "Right-size 1 resource of payments in envs/prod ($336 a month)"),
            ({"savings_usd_month": 0.001}, "Right-size 1 resource of payments in envs/prod (<$0.01 a month)"),
            ({"lines": MEDIUM.lines}, "Right-size 2 resources of payments in envs/prod ($336 a month)"),
            ({"owner": "a\r\nb\x00\u202ec", "root": " x "}, "Right-size 1 resource of a b c in x ($336 a month)"),
        ],
    )
    def test_it_says_how_many_whose_where_and_what_it_is_worth(self, changes: dict[str, Any], title: str) -> None:
        assert title_of(replace(LOW, **changes)) == title

    def test_it_is_never_longer_than_github_takes(self) -> None:
        title = title_of(replace(LOW, owner="o" * 500, root="r" * 500))
        assert len(title) == 200 + len(" ($336 a month)") < 256
        assert title.endswith("ooo ($336 a month)")

    def test_the_commit_message_begins_with_it_and_names_each_change(self) -> None:
        assert commit_message_of(MEDIUM) == (
            "Right-size 2 resources of payments in envs/prod ($1,076 a month)\n"
            "\n"
            "envs/prod/a.tf:12: instance_type c6i.2xlarge -> c6i.xlarge\n"
            "envs/prod/b.tf:3: instance_class db.r6g.xlarge -> db.m6g.large"
        )

    def test_a_line_of_the_commit_message_is_a_line_and_no_trailer(self) -> None:
        message = commit_message_of(replace(LOW, lines=(line(CHECKOUT, file="a\n\nNightshift-Tree: " + "0" * 40),)))
        assert len(message.splitlines()) == 3
        assert not re.search(r"^Nightshift-Tree", message, re.MULTILINE)


class TestBody:
    def test_a_low_risk(self) -> None:
        text = body(LOW)
        assert text.startswith(
            "**$336 a month** by 1 changed line for 1 resource of `payments` in `envs/prod`. Risk: **low**.\n"
            "\n"
            "| Line | Resource | Change | Now | After | Saves a month |\n"
            "|:--|:--|:--|--:|--:|--:|\n"
            "| `envs/prod/a.tf:12` | `i-0f3a91c27be4d8a10` | `m6i.4xlarge` → `m6i.2xlarge` | $672 | $336 | $336 |\n"
            "\n"
            "On-demand list price, Linux, eu-central-1; no commitment covers this instance."
        )
        assert section(text, "Why it is safe")[:2] == [
            f"**`i-0f3a91c27be4d8a10`**: {CHECKOUT.sentence}",
            "`▂▃▄▃ ▁▃▄▃ ▁▄▄▃ ▂▃▄▃ ▁▂▃▂ ▂▂▃▂ ▂▃▄▃` CPU of seven days, █ is full on `m6i.2xlarge`",
        ]
        assert section(text, "What could go wrong") == ["- Nothing beyond the tail that no history shows."]
        assert section(text, "What a merge does, and what it does not") == ["- It changes code."]
        assert section(text, "The way back") == ["- Revert it."]
        assert "No longer part of this" not in text and "draft" not in text
        assert text.endswith(f"```\n\n{PAYLOAD}\n")

    def test_all_numbers_are_there_to_be_unfolded(self) -> None:
        details = body(LOW).split("<details>")[1].split("</details>")[0]
        assert [row for row in details.splitlines() if row.startswith("|")] == [
            "| Measure | Now | After | Limit |",
            "|:--|--:|--:|--:|",
            "| CPU, P99.5 of 5-minute maxima | 22.4% | 44.8% | 80% |",
            "| CPU, worst incident sample | 41.0% | 82.0% | 100% |",
            "| Memory, maximum | 31.2% | 62.4% | 80% |",
            "| Network, baseline | 0.9 Gbit/s | 0.9 Gbit/s | 6.25 Gbit/s |",
            "| EBS throughput, baseline | 84 MB/s | 84 MB/s | 594 MB/s |",
        ]
        chart = details.split("```mermaid\n")[1].split("```")[0]
        assert '    title "CPU in percent of m6i.2xlarge, maxima of 6 hours"\n' in chart
        assert '    y-axis "percent" 0 --> 110\n' in chart
        assert re.search(r"    line \[13\.0, 36\.6, 42\.2, (\d+\.\d, ){24}\d+\.\d\]\n    line \[(100, ){27}100\]\n", chart)

    def test_a_draft_says_why(self) -> None:
        text = body(MEDIUM)
        assert text.splitlines()[0] == (
            "**$1,076 a month** by 2 changed lines for 2 resources of `payments` in `envs/prod`. Risk: **medium**, therefore a "
            "draft: mark it ready when the reasons below have been weighed."
        )
        assert [row for row in text.splitlines() if row.startswith("| `envs")] == [
            "| `envs/prod/a.tf:12` | `search-indexer-asg` | 6 × `c6i.2xlarge` → `c6i.xlarge` | $1,699 | $850 | $850 |",
            "| `envs/prod/b.tf:3` | `ledger-replica-2` | `db.r6g.xlarge` → `db.m6g.large` | $354 | $128 | $226 |",
        ]
        assert "The past event that comes closest: INC-7 would have used 60 % of the new size.\n" in text
        assert section(text, "What could go wrong") == [
            "- A single machine in prod stops and starts; nothing takes over meanwhile.",
            "- `envs/prod/a.tf:12`: The code names no version of the launch template.",
            "- `envs/prod/a.tf:12` also sets what this root plans with another variable file: "
            "`envs/prod/eu.tfvars: aws_launch_template.search`.",
        ]
        assert section(text, "No longer part of this") == ["- i-9: Its service has an open incident."]

    def test_a_lower_minimum_has_no_chart_of_a_size(self) -> None:
        text = body(replace(LOW, lines=(line(CHECKOUT, attribute="min_size", before="6", after="4"),)))
        assert "| `6` → `4` members at least |" in text
        assert "mermaid" not in text

    def test_a_chart_with_gaps_is_a_sparkline_only(self) -> None:
        """Mermaid cannot draw a gap."""
        text = body(replace(LOW, lines=(line(SEARCH),)))
        assert None in SEARCH.chart.cpu_pct
        assert "mermaid" not in text
        assert "`▁▃▃▂ ▁▃▃▂ ▁▂·· ·▃▃▂ ▁▂▃▂ ▁▃▃▂ ▁▃▃▃` CPU of seven days" in text

    def test_a_chart_above_the_new_size_is_not_cut(self) -> None:
        chart = replace(CHECKOUT.chart, cpu_pct=(100.0,) * 168)
        assert '    y-axis "percent" 0 --> 220\n' in mermaid(chart, "m6i.2xlarge")

    def test_the_name_of_a_size_cannot_leave_the_chart(self) -> None:
        title = next(each for each in mermaid(CHECKOUT.chart, 'a"\n```\n<b>').splitlines() if "title" in each)
        assert title == '    title "CPU in percent of ab, maxima of 6 hours"'

    @pytest.mark.parametrize(
        ("resources", "rows", "told"), [(3, 3, ""), (5, 5, "2 more resources"), (25, 20, "22 more resources")]
    )
    def test_of_many_resources_of_one_literal_some_are_shown(self, resources: int, rows: int, told: str) -> None:
        many = [replace(CHECKOUT, resource_id=f"i-{number:03}") for number in range(resources)]
        text = body(replace(LOW, lines=(line(*many),)))
        assert sum(row.startswith("| `envs/prod/a.tf:12` | `i-") for row in text.splitlines()) == rows
        assert text.count("**`i-") == 3
        assert f"for {resources} resources of `payments`" in text
        assert ("5 more resources of the same literal" in text) == (resources == 25)
        if told:
            names = ", ".join(f"`i-{number:03}`" for number in range(3, min(20, resources)))
            assert f"{told} of this line: {names}{' and more' if resources > 20 else ''}.\n" in text

    def test_of_many_dropped_ones_the_first_are_named(self) -> None:
        text = body(replace(LOW, dropped=tuple(f"i-{number}: gone." for number in range(30))))
        assert section(text, "No longer part of this") == [f"- i-{number}: gone." for number in range(20)]

    def test_the_evidence_in_full_is_left_out_where_it_is_too_long(self) -> None:
        long = replace(CHECKOUT, evidence=CHECKOUT.evidence * 20)
        text = body(replace(LOW, lines=(line(*[replace(long, resource_id=f"i-{number}") for number in range(3)]),) * 10))
        assert len(text) <= MAX_BODY
        assert "<details>" not in text and "mermaid" not in text
        assert text.count("CPU of seven days") == 30
        assert text.endswith(f"{PAYLOAD}\n")

    def test_what_is_too_long_all_the_same_is_none(self) -> None:
        assert body_of(replace(LOW, payload=f"<!-- nightshift:proposal {'A' * MAX_BODY} -->")) is None

    def test_what_somebody_wrote_at_length_does_not_keep_a_pull_request_from_being_written(self) -> None:
        """A reason is as long as a comment may be."""
        said = "i-9: It was rejected by alice on 2025-03-10: " + "because " * 8_000
        assert len(body(replace(LOW, dropped=(said,)))) <= MAX_BODY


class TestComments:
    def test_a_closing_says_why_and_that_it_is_no_rejection(self) -> None:
        assert closing_of(["i-1: Its CPU is busy.", "i-2: it belongs to another group now."]) == (
            "Closed, because it is no longer what the evidence says:\n"
            "\n"
            "- i-1: Its CPU is busy.\n"
            "- i-2: it belongs to another group now.\n"
            "\n"
            "This is not a rejection: what is safe again is proposed again.",
            "<!-- nightshift:closing 42e0d5429c96 -->",
        )

    def test_the_mark_of_a_closing_tells_its_reasons(self) -> None:
        """One that was opened again and is closed for other reasons is told them too."""
        lists: list[list[str]] = [[], ["i-1: x"], ["i-1: y"], ["i-1: x", "i-2: x"], ["i-2: x", "i-1: x"], ["i-1: x i-2: x"]]
        marks = [closing_of(reasons)[1] for reasons in lists]
        assert len(set(marks)) == len(lists)
        assert marks == [closing_of(tuple(reasons))[1] for reasons in lists]
        assert all(re.fullmatch(r"<!-- nightshift:closing [0-9a-f]{12} -->", mark) for mark in marks)

    def test_a_freezing_says_how_to_go_on(self) -> None:
        text, mark = freezing_of("a" * 40, None, ())
        assert text == (
            "This branch has a commit that is not Nightshift's (`aaaaaaaaaaaa`). Nightshift leaves it alone from here on: "
            "nothing is rebuilt, and nothing is closed. To have it made anew, which replaces that commit, say\n"
            "\n"
            "```text\n"
            "/nightshift rebuild aaaaaaaaaaaa\n"
            "```"
        )
        assert mark == "<!-- nightshift:frozen 40725f8b8e8a -->"

    def test_a_freezing_by_another_base_says_which_one_it_should_have(self) -> None:
        """A rebuild would not help there, so none is offered, and no commit is blamed."""
        text, mark = freezing_of("a" * 40, "main", ())
        assert text == (
            "The base of this pull request is no longer `main`. Nightshift leaves it alone from here on: nothing is rebuilt, and "
            "nothing is closed. Change the base back to have it kept true again."
        )
        assert mark == "<!-- nightshift:frozen c63089a798aa -->"
        assert "/nightshift" not in text and "aaaa" not in text

    @pytest.mark.parametrize(
        ("base", "before", "version"), [(None, "```", "753ad317a98b"), ("main", "true again.", "5bdf0584fe75")]
    )
    def test_a_freezing_warns_where_the_evidence_is_gone(self, base: str | None, before: str, version: str) -> None:
        text, mark = freezing_of("a" * 40, base, ("i-1: Its CPU is busy.",))
        assert text.endswith(
            f"{before}\n\n**The evidence no longer speaks for it; do not merge it as it is.**\n\n- i-1: Its CPU is busy."
        )
        assert mark == f"<!-- nightshift:frozen {version} -->"

    @pytest.mark.parametrize("base", [None, "main"])
    def test_its_mark_changes_with_the_commit_and_the_names_and_not_with_the_words(self, base: str | None) -> None:
        first = freezing_of("a" * 40, base, ("i-1: 40 % busy.", "i-2: gone."))[1]
        assert freezing_of("a" * 40, base, ("i-2: gone: for good.", "i-1: 41 % busy."))[1] == first
        assert freezing_of("b" * 40, base, ("i-1: 40 % busy.", "i-2: gone."))[1] != first
        assert freezing_of("a" * 40, base, ("i-1: 40 % busy.",))[1] != first
        # Nor is a commit the same reason as a base, or one base the same as another.
        assert freezing_of("a" * 40, "release", ("i-1: 40 % busy.", "i-2: gone."))[1] != first
        assert freezing_of("a" * 40, None if base else "i-1", ("i-1: 40 % busy.", "i-2: gone."))[1] != first

    def test_every_mark_of_ours_is_known_by_its_beginning(self) -> None:
        closings = [closing_of(reasons)[1] for reasons in ([], ["i-1: x"])]
        freezings = [freezing_of("a" * 40, base, gone)[1] for base in (None, "main") for gone in ((), ("i-1: x",))]
        others = [reply_of("5", "x")[1], DASHBOARD_MARK, PAYLOAD]
        marks = [*closings, *freezings, *others]
        assert all(mark.startswith(MARKS) and mark.endswith(" -->") and mark.count("-->") == 1 for mark in marks)
        assert [mark for mark in marks if mark.startswith(CLOSING_MARK)] == closings
        assert [mark for mark in marks if mark.startswith(FROZEN_MARK)] == freezings

    def test_an_answer_is_found_by_what_it_answers(self) -> None:
        assert reply_of("5", "Done.") == ("Done.", "<!-- nightshift:answer=5 -->")
        edited = reply_of("5@2025-03-14T08:00:01", "Done.")
        assert edited == ("Done.", "<!-- nightshift:answer=5@2025-03-14T08:00:01 -->")
        # None of them is part of another.
        marks = [reply_of(ident, "x")[1] for ident in ("5", "55", "5@2025-03-14T08:00:01", "refused alice", "refused al")]
        assert [sum(mark in other for other in marks) for mark in marks] == [1] * len(marks)

    def test_they_ask_for_nothing_themselves(self) -> None:
        gone = ("i-1: x",)
        for text, _ in (closing_of(gone), freezing_of("a" * 40, None, gone), freezing_of("a" * 40, "main", gone)):
            assert parse(text, ("i-1",)) == []

    def test_of_many_reasons_fifty_are_said(self) -> None:
        reasons = [f"i-{number}: gone." for number in range(80)]
        for text, _ in (closing_of(reasons), freezing_of("a" * 40, None, reasons), freezing_of("a" * 40, "main", reasons)):
            assert [text.count(f"- i-{number}: gone.") for number in (0, 49, 50, 79)] == [1, 1, 0, 0]

    def test_reasons_that_somebody_wrote_at_length_fit(self) -> None:
        reasons = [f"i-{number}: It was rejected by alice on 2025-03-10: " + "because " * 8_000 for number in range(3)]
        for base in (None, "main", "b" * 244):
            for text, mark in (closing_of(reasons), freezing_of("a" * 40, base, reasons)):
                assert len(f"{text}\n\n{mark}") < GITHUB_TAKES

    def test_a_reason_is_cut_where_it_is_read_no_further(self) -> None:
        whole, longer = "i-1: " + "x" * 395, "i-1: " + "x" * 396
        for text, _ in (closing_of([whole, longer]), freezing_of("a" * 40, None, [whole, longer])):
            assert [each.removeprefix("- ") for each in text.splitlines() if each.startswith("- ")] == [whole, whole + "…"]


NOTHING = DashboardText((), (), (), (), (), ())
INTRODUCTION = (
    "What Nightshift proposes in this repository, and what it does not. It is brought up to date every night on which something "
    "changed. Close this issue to be rid of it; it is then left alone until it is opened again."
)


class TestDashboard:
    def test_nothing_to_say(self) -> None:
        assert dashboard_of(NOTHING) == (
            f"{INTRODUCTION}\n\nNothing is proposed in this repository.\n\n<!-- nightshift:dashboard -->\n"
        )

    @pytest.mark.parametrize(
        ("name", "title", "explained"),
        [
            ("open", "Open", "Pull requests that wait for a review."),
            ("frozen", "Left alone", "Somebody has pushed to their branches, or changed their base."),
            ("not_applied", "Merged, not applied", "The code has the new size, and the live resource has not."),
            ("waiting", "Waiting", "Proposals that have no pull request yet."),
            ("rejected", "Rejected or snoozed", "Not proposed. `/nightshift unreject RESOURCE` in a comment here takes it back."),
            ("refused", "Cannot be edited", "Safe to shrink, but no edit of this code can make the change; somebody must."),
        ],
    )
    def test_each_section_stands_where_it_has_entries(self, name: str, title: str, explained: str) -> None:
        entries = (
            DashboardEntry("envs/prod", 5, "2 resources, low risk", 1234.0),
            DashboardEntry("i-1", None, "it waits."),
            DashboardEntry("i-2", None, "it is cheap.", 0.001),
            DashboardEntry("i-3", None, "it is free.", 0.0),
        )
        text = dashboard_of(replace(NOTHING, **{name: entries}))
        assert text.startswith(INTRODUCTION) and text.endswith("\n<!-- nightshift:dashboard -->\n")
        assert [each for each in text.splitlines()[1:-1] if each] == [
            f"## {title}",
            explained,
            "- #5 `envs/prod` ($1,234 a month): 2 resources, low risk",
            "- `i-1`: it waits.",
            "- `i-2` (&lt;$0.01 a month): it is cheap.",
            "- `i-3` ($0 a month): it is free.",
        ]

    def test_sections_come_in_the_order_in_which_people_can_act(self) -> None:
        one = (DashboardEntry("i-1", None, "x"),)
        text = dashboard_of(DashboardText(one, one, one, one, one, one))
        assert re.findall("^## (.*)$", text, re.MULTILINE) == [
            "Open", "Left alone", "Merged, not applied", "Waiting", "Rejected or snoozed", "Cannot be edited",
        ]  # fmt: skip
        assert "Nothing is proposed" not in text

    @pytest.mark.parametrize(("entries", "shown"), [(200, 200), (201, 200), (1_000, 200), (10_000, 200)])
    def test_a_long_list_is_cut_and_says_so(self, entries: int, shown: int) -> None:
        text = dashboard_of(replace(NOTHING, waiting=tuple(DashboardEntry(f"i-{n}", None, "it waits.") for n in range(entries))))
        assert len(text) <= MAX_BODY
        assert text.count("- `i-") == shown
        more = f"- … and {entries - shown:,} more; the morning report lists all.\n"
        assert (more in text) == (entries > shown)

    @pytest.mark.parametrize(("words", "shown"), [(60, 60), (200, 20)])
    def test_the_longer_its_lines_the_fewer_it_shows(self, words: int, shown: int) -> None:
        entries = tuple(DashboardEntry(f"i-{n}", None, "x" * words) for n in range(300))
        text = dashboard_of(DashboardText(*[entries] * 6))
        assert len(text) <= MAX_BODY
        assert text.count("- `i-") == 6 * shown
        assert text.count("more; the morning report lists all.") == 6

    def test_what_somebody_wrote_at_length_does_not_make_it_too_long(self) -> None:
        said = "rejected by alice on 2025-03-10: " + "because " * 8_000
        text = dashboard_of(replace(NOTHING, rejected=(DashboardEntry("i-1", None, said), DashboardEntry("i-2", None, said))))
        assert len(text) <= MAX_BODY
        assert "- `i-1`: rejected by alice on 2025-03-10: because" in text

    def test_the_same_values_give_the_same_text(self) -> None:
        one = (DashboardEntry("i-1", 3, "x", 1.0),)
        assert dashboard_of(replace(NOTHING, open=one)) == dashboard_of(replace(NOTHING, open=one))


# Names are data.

HOSTILE = (
    "@team",
    "@acme/platform-team",
    "-->",
    to_comment(Payload(GroupKey("acme/infra", "main", "x", "", "y", "low"), "f" * 40, (), ())),
    "--> <!-- nightshift:closing -->",
    "[x](http://evil.example)",
    "![x](http://evil.example/i.png)",
    "[x]: http://evil.example",
    "<http://evil.example> http://evil.example www.evil.example",
    "a|b||c",
    "\\|a\\\\|b",
    "`",
    "``` ```",
    "a`b``c```",
    "~~~",
    "line\n\n# heading\r\n- item\n1. one\n> quote\n    code\n```\nfence",
    "<img src=x onerror=1>",
    "<script>alert(1)</script>",
    "</details>",
    "<details><summary>x</summary>",
    "#1 GH-1 acme/infra#1",
    "fixes #1",
    "/nightshift reject all x",
    "x\n/nightshift reject all x\n",
    "up\u202egnp.exe \u2066x\u2069",
    "שרת-תשלומים",
    "x" * 500,
    "😀" * 100,
    ":tada: *b* _i_ ~~s~~ **bb** $x$ &lt; &copy; \\",
    "# heading",
    "---",
    "===",
    "- item",
    "1. item",
    "> quote",
    "    code",
    "\t",
    "",
    "\x01\x1b[31m\x85\u2028\u2029",
)
names = pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
markdown_it = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OWN_HTML = ("<details><summary>All numbers</summary>", "</details>")
OWN_KINDS = {
    "paragraph_open", "paragraph_close", "inline", "heading_open", "heading_close", "bullet_list_open", "bullet_list_close",
    "list_item_open", "list_item_close", "html_block", "fence", "hr", "table_open", "table_close", "thead_open", "thead_close",
    "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
}  # fmt: skip
OWN_INLINE_KINDS = {"text", "text_special", "softbreak", "code_inline", "strong_open", "strong_close"}


def rendered(markdown: str) -> tuple[list[Token], list[Token]]:
    """Blocks, and what is inside of them."""
    blocks = markdown_it.parse(markdown)
    return blocks, [child for block in blocks for child in block.children or ()]


def shown(tokens: Sequence[Token]) -> str:
    """Text outside of code, in which GitHub looks for mentions and numbers."""
    return "".join(token.content if token.type in ("text", "text_special") else "\n" for token in tokens)


def assert_harmless(markdown: str, comments: Sequence[str]) -> tuple[list[Token], list[Token]]:
    """That Markdown is made of our own markup only; ``comments`` are those of ours that it may hold."""
    blocks, inline = rendered(markdown)
    assert {token.type for token in blocks} <= OWN_KINDS
    assert {token.type for token in inline} <= OWN_INLINE_KINDS
    html = [token.content.strip() for token in blocks if token.type == "html_block"]
    assert [each for each in html if each not in OWN_HTML] == list(comments)
    assert {token.info for token in blocks if token.type == "fence"} <= {"text", "mermaid"}
    text = "\n".join(shown(block.children or ()) for block in blocks)
    assert not re.search(r"@\w|#\d|GH-\d|https?://|www\.", text, re.IGNORECASE), text
    assert not set("\x01\x1b\x85\u2028\u2029\u202a\u202b\u202d\u202e\u2067") & set(markdown)
    assert parse(markdown, ("i-1",)) == []
    assert parse(markdown, ()) == []
    for row in re.findall(r"^\|.*$", markdown, re.MULTILINE):
        cells = len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", row))) - 1
        assert cells in (4, 6), row
    return blocks, inline


def hostile_text(name: str) -> tuple[PullRequestText, Payload]:
    """A pull request in which everything that others may name is ``name``."""
    evidence = Evidence("f" * 16, "propose_smaller_size", (1.0,), 0, 0)
    payload = Payload(
        GroupKey("acme/infra", "main", name, name, name, "high"),
        "a" * 40,
        ((name, "b" * 40),),
        (Remembered(name, "instance_type", name, name, 140.0, name, 2, evidence),) * 2,
    )
    proposal = replace(
        CHECKOUT,
        resource_id=name, resource_type=name, service=name, team=name, environment=name, region=name, current_type=name,
        target_type=name, price_note=f"On-demand Linux list price, {name}", sentence=name,
        evidence=(EvidenceLine(name, name, name, name),),
    )  # fmt: skip
    edited = line(
        proposal, proposal, file=name, before=name, after=name, closest_events=(name, name), notes=(name,),
        other_plans=(name, name),
    )  # fmt: skip
    many = line(*[proposal] * 23, file=name, before=name, after=name)
    text = PullRequestText(
        root=name, owner=name, risk="high", risk_reasons=(name, f"A single machine in {name} stops and starts."), is_draft=True,
        lines=(edited, many), savings_usd_month=1.0, effects=("It changes code.",), rollback=("Revert it.",),
        dropped=(f"{name}: {name}",), payload=to_comment(payload),
    )  # fmt: skip
    return text, payload


@names
def test_a_body_is_our_own_markup_whatever_the_names_are(name: str) -> None:
    text, payload = hostile_text(name)
    markdown = body(text)
    blocks, _ = assert_harmless(markdown, [to_comment(payload)])
    assert from_body(markdown) == payload
    assert markdown.count("<!--") == 1
    assert [blocks[place + 1].content for place, each in enumerate(blocks) if each.type == "heading_open"] == [
        "Why it is safe", "What could go wrong", "What a merge does, and what it does not", "The way back",
        "No longer part of this",
    ]  # fmt: skip
    # A table of lines, and one for each of the five resources that are told in full: two of one line, three of the other.
    rows = [token.map for token in blocks if token.type == "tr_open"]
    assert sum(token.type == "table_open" for token in blocks) == 6
    assert len(rows) == 1 + 2 + 20 + 1 + 5 * 2
    assert sum(token.type == "hr" for token in blocks) == 1


@names
def test_saved_money_stays_in_its_column(name: str) -> None:
    blocks, _ = rendered(body(hostile_text(name)[0]))
    cells = [blocks[place + 1].content for place, each in enumerate(blocks) if each.type == "td_open"]
    first_table = cells[: 6 * 23]
    assert [first_table[place] for place in range(5, 6 * 22, 6)] == ["$336"] * 22
    assert first_table[-6:][2:] == [""] * 4


@names
def test_a_name_is_shown_as_it_is(name: str) -> None:
    """Apart from line ends, controls, what reorders text, and the middle of a very long one."""
    blocks, _ = rendered(body(hostile_text(name)[0]))
    cell = next(blocks[place + 4] for place, each in enumerate(blocks) if each.type == "td_open")
    seen = "".join(child.content for child in cell.children or ()).replace("\u200b", "").strip("\u2068\u2069")
    plain = " ".join("".join(" " if each in "\n\r\t\x01\x1b\x85\u2028\u2029" else each for each in name).split())
    expected = "".join("\ufffd" if each in "\u202e\u2066\u2069" else each for each in plain)
    if len(expected) <= 96:
        assert seen == expected
    else:
        assert len(seen) == 96 and seen.startswith(expected[:60]) and seen.endswith(expected[-30:])


@names
def test_comments_and_the_dashboard_are_our_own_markup_too(name: str) -> None:
    reasons = [name, f"{name}: {name}"]
    for text, mark in (
        closing_of(reasons),
        freezing_of("a" * 40, None, reasons),
        # A branch may be called like that, too.
        freezing_of("a" * 40, name, reasons),
    ):
        blocks, _ = assert_harmless(f"{text}\n\n{mark}", [mark])
        assert sum(token.type == "list_item_open" for token in blocks) == 2
        assert from_body(text) is None
    entries = tuple(DashboardEntry(name, None, name, usd) for usd in (None, 1.0))
    markdown = dashboard_of(DashboardText(*[entries] * len(fields(DashboardText))))
    blocks, _ = assert_harmless(markdown, [DASHBOARD_MARK])
    assert sum(token.type == "list_item_open" for token in blocks) == 2 * 6
    assert sum(token.type == "heading_open" for token in blocks) == 6
    assert from_body(markdown) is None


@names
def test_a_title_and_a_commit_message_ask_nobody_and_close_nothing(name: str) -> None:
    """They are no Markdown, and GitHub still links mentions and numbers in them, closes issues, and skips checks."""
    text = hostile_text(name)[0]
    for told in (title_of(text), commit_message_of(text)):
        assert not re.search(r"@\w|#\d|GH-\d|\[[^\]]*(skip|no)[^\]]*\]", told, re.IGNORECASE), told
        assert all(each.isprintable() for each in told.replace("\n", ""))
    assert len(title_of(text)) <= 256
    assert "\n" not in title_of(text)
    assert len(commit_message_of(text).split("\n")) == 4


@pytest.mark.parametrize("word", ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"])
def test_a_tag_cannot_keep_checks_from_running(word: str) -> None:
    text = replace(LOW, owner=word, root=word, lines=(line(CHECKOUT, file=word),))
    assert word not in title_of(text)
    assert word not in commit_message_of(text)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.sampled_from("`*_{}[]()<>#+-.!|\\~@:/&;='\"\n\r\t $^ab1\u202e\u200b"), max_size=30))
@example("\\")
@example("*a*|")
@example("`|`")
def test_no_mix_of_markup_is_more_than_text(name: str) -> None:
    text, payload = hostile_text(name)
    markdown = body(text)
    assert_harmless(markdown, [to_comment(payload)])
    assert from_body(markdown) == payload
    assert_harmless(closing_of([f"{name}: {name}", name])[0], [])
    assert_harmless(freezing_of("a" * 40, name, [f"{name}: {name}", name])[0], [])
    assert_harmless(dashboard_of(replace(NOTHING, rejected=(DashboardEntry(name, None, name),))), [DASHBOARD_MARK])


def test_it_says_at_which_prices_and_how_much_of_it_is_cash() -> None:
    note = LOW.lines[0].proposals[0].price_note
    assert f"{note}, for 730 hours a month, before any discount.\n\n## Why it is safe" in body(LOW)
    told = "$100 a month of it is cash now; $235.80 goes on being paid for Reserved Instances or Savings Plans until 2025-09-01."
    written = body(replace(LOW, is_discounted=True, cash=(told, "At list prices it would be $400 a month.")))
    shown = re.sub(r"\\(?=\$)", "", written)
    assert f"{note}, for 730 hours a month. {told} At list prices it would be $400 a month.\n\n## Why it is safe" in shown
