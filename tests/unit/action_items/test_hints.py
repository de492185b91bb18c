"""Hints for titles in other languages: what is not understood is not criticized."""

from __future__ import annotations

from datetime import date

import pytest

from dagster_project.domain.action_items.hints import action_hints
from dagster_project.domain.incidents.model import ActionItem


def hints(title: str) -> tuple[str, ...]:
    return action_hints(ActionItem(title, owner="alice", due_on=date(2025, 3, 20)))


@pytest.mark.parametrize("title", ["Добавить алерт", "アラートを追加する", "Überwachung einrichten", "ändere das Limit auf 5"])
def test_a_title_in_another_script_is_not_said_to_be_nothing_or_cut(title: str) -> None:
    assert hints(title) == ()


@pytest.mark.parametrize("title", ["", "   ", "🔥", "123", "--"])
def test_a_title_without_a_word_says_nothing(title: str) -> None:
    assert hints(title) == ("It says nothing.",)


@pytest.mark.parametrize(
    "title", ["[x] Add an alert at 90 %", "**Add** an alert at 90 %", "2. Re-run the test", "Add-on: limit it"]
)
def test_marks_before_the_first_word_are_no_words(title: str) -> None:
    assert not [hint for hint in hints(title) if hint == "It says nothing."]


def test_the_first_word_is_whole() -> None:
    assert hints("Naïve retries are gone") == ()
    assert hints("we've seen it at 90 %") == (
        "It starts with 'we've'; start with what is to be done, such as Add, Limit or Alert.",
    )
    assert hints("Set-up of 2 nodes") == ()
