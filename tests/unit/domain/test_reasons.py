"""Every reason that the verdicts can give has a sentence, and every sentence has a reason that can be given."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dagster_project.domain import rightsizing
from dagster_project.domain.reasons import REASONS, VERDICTS, Reason, sentence


def test_the_rules_and_the_table_of_reasons_name_the_same_codes() -> None:
    rules = "".join(file.read_text(encoding="utf-8") for file in Path(rightsizing.__file__).parent.glob("*.py"))
    used = set(re.findall(rf'"((?:{"|".join(VERDICTS)})_[a-z_]+)"', rules))
    assert used - set(REASONS) == set(), "the rules give reasons without a sentence"
    assert set(REASONS) - used == set(), "these reasons are never given"


@pytest.mark.parametrize("reason", REASONS.values(), ids=lambda reason: reason.code)
def test_a_code_begins_with_its_verdict(reason: Reason) -> None:
    assert reason.verdict in VERDICTS


def test_every_verdict_has_a_reason() -> None:
    assert {reason.verdict for reason in REASONS.values()} == set(VERDICTS)


@pytest.mark.parametrize("code", REASONS)
def test_a_sentence_takes_its_numbers_or_none_of_them(code: str) -> None:
    told = sentence(code, 12345.678, 7.0, "this text")
    assert "{" not in told
    named = re.findall(r"\{(value|limit|text)", REASONS[code].sentence)
    shown = {"value": "12,?34[56]", "limit": "7", "text": "this text"}
    assert all(re.search(shown[name], told) for name in named)
    assert "None" not in sentence(code, None, None, None)


@pytest.mark.parametrize(
    ("code", "value", "limit", "text", "told"),
    [
        (
            "propose_smaller_size",
            70.4,
            80,
            "m5.large",
            "m5.large holds it: CPU P99.5 would be 70 % of it (limit 80 %), "
            "and no emergency or incident on record would have exceeded it.",
        ),
        (
            "refuse_recent_emergency_scaleup",
            2,
            28,
            "on 2025-03-05 22:01 UTC (recorded for checkout)",
            "The decision engine scaled it up in an emergency on 2025-03-05 22:01 UTC (recorded for checkout); "
            "2 in the last 28 days.",
        ),
        ("insufficient_history", 20.25, 30, None, "There are 20.2 h of samples at the present size; 30 h are needed."),
        (
            "insufficient_coverage",
            50,
            90,
            "the last seven days' network",
            "50 % of the last seven days' network samples are there; 90 % are needed.",
        ),
        ("keep_busy_cpu", 82, 80, "P99.5 would be 82 % of m5.large", "CPU P99.5 would be 82 % of m5.large; 80 % is the limit."),
        ("keep_busy_ebs", 4100, 3600, "IOPS", "Disk peaked at 4,100 IOPS at most; 3,600 are sustained."),
        (
            "keep_savings_too_small",
            3.65,
            5,
            None,
            "A smaller size would save $3.65 a month; $5.00 is the least that is proposed.",
        ),
        ("refuse_recently_changed", 1, 7, None, "Its configuration changed 1 day ago; the evidence starts again for 7 days."),
        ("refuse_recently_changed", 21, 1, None, "Its configuration changed 21 days ago; the evidence starts again for 1 day."),
        ("refuse_excluded_by_tag", None, None, "keep 1 days", "Its tag keep 1 days excludes it."),
        ("refuse_excluded_by_tag", None, None, "nightshift:exclude", "Its tag nightshift:exclude excludes it."),
    ],
)
def test_sentences_say_their_numbers(code: str, value: float | None, limit: float | None, text: str | None, told: str) -> None:
    assert sentence(code, value, limit, text) == told
