"""Wording that blames is hinted at, with what could stand there; plain descriptions are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.domain.incidents.wording import Hint, hints

INCIDENTS = Path(__file__).parents[4] / "shared" / "data" / "incidents"


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The engineer should have checked the plan.", "The engineer should have checked"),
        ("engineer-3f2a shouldn't have pushed it", "engineer-3f2a shouldn't have pushed"),
        ("They could have noticed it earlier", "They could have noticed"),
        ("If only we had read the runbook", "If only we had"),
        ("It was caused by human error.", "human error"),
        ("The root cause was an engineer on call", "root cause was an engineer"),
        ("a careless change", "careless"),
        ("negligence of the team", "negligence"),
        ("The on-call engineer failed to acknowledge the page", "The on-call engineer failed to"),
        ("She forgot to drain the node", "forgot to"),
        ("they ignored the alarm", "they ignored the"),
        ("the vendor is to blame", "is to blame"),
        ("He should know better", "should know better"),
    ],
)
def test_blaming_wording_is_hinted_at(text: str, phrase: str) -> None:
    found = hints(f"# Title\n\n{text}")

    assert [(hint.line, hint.phrase) for hint in found] == [(3, phrase)]
    assert found[0].suggestion.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "Pods failed to start; the job failed to mount its volume.",
        "We should have a talk with the platform team.",
        "The alarm should have fired at 5 %.",
        "The root cause was a full connection pool.",
        "The default was wrong. A blameless review follows.",
        "> you should have told us",
        "```\nhuman error\n```",
        "`human error` is the name of a field",
        "<!-- human error -->",
    ],
)
def test_plain_descriptions_are_left_alone(text: str) -> None:
    assert hints(text) == ()


def test_one_place_has_one_hint() -> None:
    assert hints("He carelessly forgot to look\nand it was human error") == (
        Hint(1, "carelessly", "Describe the action and its circumstances without judging the person."),
        Hint(1, "forgot to", "Say what the process relied on people to remember, and what could remember it for them."),
        Hint(2, "human error", "Say what made the action seem right, and what let it through."),
    )


def test_real_postmortems_have_few_hints() -> None:
    """47 documents of teams that write without blame: 7 hints, of which 2 are false alarms when read by hand."""
    if not INCIDENTS.is_dir():
        pytest.skip(f"no incident records in {INCIDENTS}")
    found = [hint.phrase for path in sorted(INCIDENTS.glob("*/*.md")) for hint in hints(path.read_text(encoding="utf-8"))]

    assert sorted(found) == [
        "If we had", "an incident manager could have helped", "they could have tested", "user error", "we could have recyled",
        "we could have started", "we failed to",
    ]  # fmt: skip
