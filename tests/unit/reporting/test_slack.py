"""What Slack is sent: the words, that names in them are never more than names, and that it always fits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_project.domain.approvals.model import (
    APPROVED,
    ENDED,
    EXECUTING,
    LIVE,
    PENDING,
    Approval,
    AskedChange,
    Plan,
    PlanKey,
    Request,
)
from dagster_project.domain.approvals.token import signed
from dagster_project.domain.proposals.model import Evidence
from dagster_project.reporting.slack import (
    MAX_BLOCKS,
    Message,
    answer_view,
    digest_line,
    digest_message,
    escape,
    plain,
    request_message,
)
from tests.golden.sample_report import HOSTILE_NAMES
from tests.slack.blocks import check_message_blocks
from tests.slack.checks import length
from tests.slack.modals import check_modal

AT = datetime(2025, 3, 10, 2, tzinfo=UTC)
REQUEST_ID = "apr-0123456789ab"
URL = "https://reports.example.com/2025-03-09/index.html"
TOKEN = signed(b"key", REQUEST_ID, 999_999_999, "f" * 64)
CHANGE = AskedChange(
    resource_id="i-1",
    resource_type="ec2_instance",
    account_id=None,
    region="us-east-1",
    attribute="instance_type",
    before="m5.2xlarge",
    after="m5.xlarge",
    savings_usd_month=140.0,
    exceedance_pct=1.0,
    risk="low",
    risk_reasons=(),
    why="m5.xlarge holds it.",
    evidence=Evidence("f" * 16, "propose_smaller_size", (1.0,), 0, 0),
)
ONE = Request(REQUEST_ID, Plan(PlanKey("checkout-api", "prod", "payments", "low"), (CHANGE,)), 1, PENDING, AT, AT)

HOSTILE = (
    *HOSTILE_NAMES,
    "<!channel> <@U0ANA> <#C0ALL> <https://evil.example|click>",
    "@here @channel #general",
    "*bold* _it_ ~gone~ `code` ```block``` > quote",
    "&lt;!everyone&gt; &amp;amp;",
    "&" * 500,
    "`" * 500,
    '"\\' * 250,
    "מ" * 500,
    "\n\n> quoted\r\u2028line",
    "\u202e\u2066\u200f",
    "🚨" * 500,
)
names = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=500))


def request_of(pool: list[str], count: int, state: str, risk: str, saved: float) -> Request:
    """A request whose texts are those of a pool, in turn."""
    turn = itertools.cycle(pool)
    changes = tuple(
        replace(
            CHANGE,
            resource_id=next(turn),
            before=next(turn),
            after=next(turn),
            why=next(turn),
            risk_reasons=(next(turn),),
            note=next(turn),
            savings_usd_month=saved,
        )
        for _ in range(count)
    )
    key = PlanKey(next(turn), next(turn), next(turn), risk, saved < 0)
    approvals = tuple(Approval(next(turn), "command line", AT) for _ in range(count % 11))
    return Request(REQUEST_ID, Plan(key, changes), 999_999_999, state, AT, AT, approvals, next(turn))


requests = st.builds(
    request_of,
    st.lists(names, min_size=1, max_size=4),
    st.integers(1, 20),
    st.sampled_from([*LIVE, *ENDED]),
    st.sampled_from(["low", "medium", "high"]),
    st.sampled_from([140.0, 0.001, 0.0, -140.0, 1e9]),
)


def written(value: Any) -> Iterator[str]:
    """The texts in blocks that Slack reads as markup."""
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            assert value.get("verbatim") is True, "Slack would make links of names"
            yield value["text"]
        for each in value.values():
            yield from written(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from written(each)


def assert_safe(text: str) -> None:
    """No mention, no link but ours, no half of an escaped character, no open code, no other line than ours."""
    rest = text.replace(f"<{URL}|Evidence in the report>", "").replace(f"<{URL}|The night's report>", "")
    assert not re.search(r"[<>]", rest), text
    assert not re.search(r"&(?!(amp|lt|gt);)", rest), text
    assert rest.count("`") % 2 == 0, text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029\u202e]", rest), text


def assert_taken(message: Message) -> None:
    blocks = [dict(each) for each in message.blocks]
    check_message_blocks(blocks)
    assert length(blocks) <= MAX_BLOCKS == 9_000
    assert 0 < len(message.text) <= 4_000
    for text in [message.text, *written(blocks)]:
        assert_safe(text)


@given(requests)
@example(replace(ONE, plan=replace(ONE.plan, changes=tuple(replace(CHANGE, resource_id=f"{n}" + "&" * 500) for n in range(20)))))
@example(replace(ONE, plan=replace(ONE.plan, changes=(replace(CHANGE, why="&" * 600, before="&" * 500),))))
@settings(max_examples=150, deadline=None)
def test_every_request_is_taken_by_slack_shows_each_change_and_mentions_nobody(request: Request) -> None:
    message = request_message(request, "1 more person must approve", TOKEN, URL)
    assert_taken(message)
    shown = "\n".join(written(list(message.blocks)))
    assert shown.count("→") >= len(request.plan.changes)
    buttons = [each["action_id"] for block in message.blocks for each in block.get("elements", ()) if each["type"] == "button"]
    no = ["nightshift_reject", "nightshift_snooze"]
    assert buttons == {PENDING: ["nightshift_approve", *no], APPROVED: no, EXECUTING: no}.get(request.state, [])


@given(names, st.lists(requests, min_size=1, max_size=3))
@settings(max_examples=50, deadline=None)
def test_every_digest_is_taken_by_slack_and_mentions_nobody(owner: str, told: list[Request]) -> None:
    sections = [("Waiting for an answer", [digest_line(each) for each in told] * 30), ("Over", [digest_line(told[0])])]
    message = digest_message(owner, date(2025, 3, 9), sections, URL)
    assert_taken(message)
    text = "\n".join(written(list(message.blocks)))
    shown = len(re.findall("^• ", text, re.MULTILINE))
    left = sum(int(each) for each in re.findall("^and ([0-9]+) more, in the report$", text, re.MULTILINE))
    assert shown + left == 30 * len(told) + 1


@given(requests, st.sampled_from(["reject", "snooze"]))
@settings(max_examples=50, deadline=None)
def test_every_dialog_is_taken_by_slack_and_mentions_nobody(request: Request, kind: str) -> None:
    view = dict(answer_view(kind, request, '{"token": "apr"}'))
    check_modal(view)
    for text in written(view):
        assert_safe(text)


@given(names, st.integers(3, 200))
@settings(max_examples=60, deadline=None)
def test_data_is_cut_between_characters_and_never_in_the_middle_of_an_escaped_one(name: str, longest: int) -> None:
    assert_safe(escape(name, longest))
    assert len(escape(name, longest)) <= longest
    assert len(plain(name, longest)) <= longest


def test_data_reads_as_it_is() -> None:
    assert escape("a & b <c> `d` *e*") == "a &amp; b &lt;c&gt; \u02cbd\u02cb *e*"
    assert plain("a & b <c> `d`") == "a & b <c> `d`"
    assert (escape("&&&", 11), escape("&&&", 15), escape(None)) == ("&amp;&amp;…", "&amp;&amp;&amp;", "")


def test_names_that_read_from_right_to_left_turn_no_arrow_around() -> None:
    name = "שרת"
    message = request_message(
        replace(ONE, plan=replace(ONE.plan, changes=(replace(CHANGE, resource_id=name),))), None, TOKEN, URL
    )
    assert message.blocks[2]["text"]["text"].splitlines()[0] == (
        f"`\u2068{name}\u2069`  instance_type m5.2xlarge → *m5.xlarge*, $140 a month"
    )


def test_what_costs_more_says_so() -> None:
    back = replace(CHANGE, before="m5.xlarge", after="m5.2xlarge", savings_usd_month=-140.0)
    request = replace(ONE, plan=Plan(PlanKey("checkout-api", None, "payments", "medium", True), (back,)))
    message = request_message(request, "1 more person must approve (1 for medium risk)", TOKEN, None)
    texts = list(written(list(message.blocks)))
    assert message.text == "Give back capacity to 1 resource of checkout-api in an unknown environment: pending"
    assert texts[0].startswith("Medium risk  ·  costs $140 a month more  ·  1 more person")
    assert texts[1].startswith("`i-1`  instance_type m5.xlarge → *m5.2xlarge*, $140 a month more\n")
    assert texts[2].startswith("Give back capacity to 1 resource") is True
    assert digest_line(request).endswith("in an unknown environment, costs $140 a month more, answer until 2025-03-10 02:00 UTC")


@pytest.mark.parametrize(
    ("changed", "effect"),
    [
        ({}, "Each machine stops and starts."),
        ({"resource_type": "rds_instance", "attribute": "instance_class"}, "It is applied in the maintenance window."),
    ],
)
def test_the_confirmation_says_what_happens_and_what_is_approved(changed: dict[str, str], effect: str) -> None:
    plan = replace(ONE.plan, changes=(replace(CHANGE, **changed),))
    message = request_message(replace(ONE, plan=plan, revision=3), None, TOKEN, URL)
    confirm = message.blocks[3]["elements"][0]["confirm"]["text"]["text"]
    assert confirm == f"Shrink 1 resource of checkout-api in prod. {effect} You approve revision 3, and no other."


def test_twenty_ordinary_changes_keep_their_sentences_and_longer_ones_are_shortened() -> None:
    def sentences(why: str) -> set[str]:
        plan = replace(ONE.plan, changes=tuple(replace(CHANGE, resource_id=f"i-{n}", why=why) for n in range(20)))
        blocks = request_message(replace(ONE, plan=plan), None, TOKEN, URL).blocks
        return {each["text"]["text"].splitlines()[1] for each in blocks[2:22]}

    assert sentences("x" * 100) == {"x" * 100}
    assert sentences("x" * 1_000) == {"x" * 119 + "…"}


def test_the_same_content_has_the_same_digest_and_another_one_another() -> None:
    first, again = (request_message(ONE, None, TOKEN, URL) for _ in range(2))
    other = request_message(replace(ONE, revision=2), None, TOKEN, URL)
    assert first.text == other.text
    assert (first.digest == again.digest, first.digest == other.digest) == (True, False)
