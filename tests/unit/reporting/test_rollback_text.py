"""The words of a pull request that goes back; and that names in them are never more than names."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from dagster_project.domain.proposals.model import GroupKey
from dagster_project.domain.proposals.payload import Payload, from_body, to_comment
from dagster_project.reporting.pull_request import MAX_BODY, body_of, commit_message_of, title_of
from dagster_project.reporting.pull_request_views import RollbackLine, RollbackText
from tests.golden.sample_report import HOSTILE_NAMES

PAYLOAD = Payload(GroupKey("acme/infra", "main", "envs/prod", "", "payments", "low", "rollback"), "a" * 40, (), ())
WHY = "It goes back to m5.2xlarge, because an emergency scale-up followed on 2025-03-12 09:30 UTC."
LINE = RollbackLine("envs/prod/a.tf", 3, "instance_type", "m5.xlarge", "m5.2xlarge", 140.16, (("i-1", WHY),), (), ())
ONE = RollbackText("envs/prod", "payments", (LINE,), 140.16, ("It changes code.",), (), to_comment(PAYLOAD))


def body(text: RollbackText) -> str:
    found = body_of(text)
    assert found is not None
    return found


def test_it_reads_as_a_way_back_and_says_what_it_costs() -> None:
    assert title_of(ONE) == "Go back to the old size of 1 resource of payments in envs/prod ($140 a month more)"
    assert commit_message_of(ONE).splitlines() == [title_of(ONE), "", "envs/prod/a.tf:3: instance_type m5.xlarge -> m5.2xlarge"]
    written = body(ONE)
    assert written.startswith(
        "**$140 a month more**, by 1 changed line for 1 resource of `payments` in `envs/prod`: back to what was"
    )
    assert "| `envs/prod/a.tf:3` | `i-1` | `m5.xlarge` → `m5.2xlarge` | $140 |" in written
    assert f"## Why it goes back\n\n- `i-1`: {WHY}\n" in written
    assert "## What a merge does, and what it does not\n\n- It changes code.\n" in written
    assert (
        "Closing it means no: the smaller size stays, and this is not proposed again unless another emergency follows." in written
    )
    assert "/nightshift reject RESOURCE reason" in written
    assert not re.search(r"safe|saves|Risk", written)
    assert from_body(written) == PAYLOAD


def test_members_and_what_is_no_longer_part_of_it() -> None:
    group = replace(
        LINE, attribute="min_size", before="4", after="6", notes=("It is part of a module.",), other_plans=("eu.tfvars: web",)
    )
    written = body(replace(ONE, lines=(group,), dropped=("i-9: it has m5.2xlarge by now, and m5.xlarge no more.",)))
    assert "| `4` → `6` members at least | $140 |" in written
    assert "- `envs/prod/a.tf:3`: It is part of a module." in written
    assert "- `envs/prod/a.tf:3` also sets what this root plans with another variable file: `eu.tfvars: web`." in written
    assert "## No longer part of this\n\n- i-9: it has m5.2xlarge by now, and m5.xlarge no more." in written


def test_many_resources_of_one_line_are_named_up_to_twenty() -> None:
    many = replace(LINE, reasons=tuple((f"i-{number}", WHY) for number in range(30)))
    written = body(replace(ONE, lines=(many,)))
    assert "`i-19` and 10 more" in written
    assert "`i-20`" not in written
    assert "30 resources" in title_of(replace(ONE, lines=(many,)))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_are_shown_and_do_nothing(name: str) -> None:
    line = RollbackLine(name, 3, "instance_type", name, name, 1.0, ((name, name),) * 9, (name,), (name,))
    text = RollbackText(name, name, (line,) * 3, 1.0, ("It changes code.",), (name,), to_comment(PAYLOAD))
    written = body(text)
    assert len(written) <= MAX_BODY
    assert "\n" not in title_of(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(written)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inline]}
    assert kinds.isdisjoint(
        {"html_inline", "image", "em_open", "s_open", "code_block", "link_open", "lheading_open", "ordered_list_open"}
    )
    # The one comment is our own, and is found among all names.
    assert [token.content.strip() for token in tokens if token.type == "html_block"] == [to_comment(PAYLOAD)]
    assert [token.content for token in inline if token.type == "heading_open"] == []
    assert [line for line in written.splitlines() if line.startswith("#")] == [
        "## Why it goes back",
        "## What a merge does, and what it does not",
        "## No longer part of this",
    ]


def test_it_says_at_which_prices() -> None:
    assert "At list prices on demand, for 730 hours a month, before any discount.\n\n## Why" in body(ONE)
    paid = body(replace(ONE, is_discounted=True))
    assert "At list prices on demand, for 730 hours a month, less the discounts of the settings.\n\n## Why" in paid
