"""Hints on the wording of action items."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dagster_project.domain.action_items.hints import action_hints
from dagster_project.domain.incidents.model import ActionItem

GOOD = ActionItem("Throttle retries when the pool is above 90 %", owner="platform-team", due_on=date(2025, 3, 18))


def test_a_good_item_gets_no_hint() -> None:
    assert action_hints(GOOD) == ()


@pytest.mark.parametrize(
    ("title", "hint"),
    [
        ("Better monitoring", "It starts with 'better'"),
        ("Monitoring of the pool", "It starts with 'monitoring'"),
        ("Improve alerting", "'improve' can go on for ever"),
        ("We should monitor this better", "It starts with 'we'"),
        ("Monitor this better", "'better' has no finish line"),
        ("Make retries more robust", "'more' has no finish line"),
        ("", "It says nothing."),
    ],
)
def test_what_nobody_can_finish_gets_a_hint(title: str, hint: str) -> None:
    assert action_hints(replace(GOOD, title=title))[0].startswith(hint)


@pytest.mark.parametrize(
    "title",
    [
        "Add more than 2 replicas",
        "[ ] Document the failover",
        "**Rotate** the keys",
        "Investigate until the cause is known",
    ],
)
def test_a_number_a_mark_or_an_end_are_no_reason_for_a_hint(title: str) -> None:
    assert action_hints(replace(GOOD, title=title)) == ()


def test_one_owner_and_a_date_are_asked_for() -> None:
    assert action_hints(replace(GOOD, owner=None, due_on=None)) == ("It has no owner; name one.", "It has no due date.")
    (several,) = action_hints(replace(GOOD, owner="ann and bob"))
    assert several == "It has several owners (ann and bob); name one who answers for it."
    assert action_hints(replace(GOOD, owner="sandra")) == ()


def test_nouns_where_a_verb_is_due_are_found_among_real_titles() -> None:
    titles = [
        "Open circuit breakers before connection pools are full",
        "Failover drill for payment-db every month",
        "Page on pool use above 80 %",
        "A step for pool exhaustion that the engine can run",
        "Cap the connections of one service on payment-db",
    ]
    assert [title for title in titles if action_hints(replace(GOOD, title=title))] == [titles[1], titles[3]]
