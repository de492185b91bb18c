"""Words of sources: states, types, titles that are the same; and what an item is on a day."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.action_items.model import (
    COMPLETED,
    DECLINED,
    DONE,
    DUPLICATE,
    ENDED,
    IN_PROGRESS,
    LOST,
    OPEN,
    PROPOSED,
    STATES,
    TYPES,
    VERIFIED,
    same_words,
    state_of,
    type_of,
)
from tests.unit.action_items.builders import item


def test_eight_states_of_which_four_leave_nothing_to_do_and_two_mean_that_it_was_done() -> None:
    assert list(STATES) == [PROPOSED, OPEN, IN_PROGRESS, DONE, VERIFIED, DECLINED, DUPLICATE, LOST]
    assert {state for state in STATES if item(state=state).is_ended} == ENDED == {DONE, VERIFIED, DECLINED, DUPLICATE}
    assert {state for state in STATES if item(state=state).is_completed} == COMPLETED == {DONE, VERIFIED}


def test_a_lost_item_is_neither_done_nor_ended() -> None:
    assert not item(state=LOST).is_ended
    assert not item(state=LOST).is_completed


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Done", DONE), ("CLOSED", DONE), (" completed. ", DONE), ("Resolved!", DONE), ("✅ done", DONE), ("Merged", DONE),
        ("In Progress", IN_PROGRESS), ("in-progress", IN_PROGRESS), ("IN_PROGRESS", IN_PROGRESS), ("WIP", IN_PROGRESS),
        ("In review", IN_PROGRESS), ("ongoing", IN_PROGRESS),
        ("Won't fix", DECLINED), ("won’t do", DECLINED), ("WONTFIX", DECLINED),
        ("not planned", DECLINED), ("Cancelled", DECLINED),
        ("canceled", DECLINED), ("abandoned", DECLINED),
        ("Duplicate", DUPLICATE), ("verified", VERIFIED), ("lost", LOST), ("draft", PROPOSED), ("Triage", PROPOSED),
        ("open", OPEN), ("TODO", OPEN), ("reopened", OPEN),
    ],
)  # fmt: skip
def test_words_of_sources_are_states(word: str, state: str) -> None:
    assert state_of(word) == state


@pytest.mark.parametrize(
    "word", [None, "", "   ", "???", "not done", "undone", "almost done", "done soon", "完了", "🙂", "x" * 100_000]
)
def test_a_word_that_nobody_knows_means_work_that_is_left(word: str | None) -> None:
    assert state_of(word) == OPEN


@given(st.none() | st.text())
def test_every_text_is_some_state(word: str | None) -> None:
    assert state_of(word) in STATES


@given(st.sampled_from(list(STATES)))
def test_a_state_is_read_as_itself(state: str) -> None:
    assert state_of(state) == state_of(f" {state.upper().replace('_', ' ')} ") == state


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Prevention", "prevent"), ("preventative", "prevent"), ("DETECT", "detect"), ("detection", "detect"),
        ("Mitigated", "mitigate"), ("mitigation", "mitigate"), ("Processes", "process"), ("investigation", "investigate"),
        (" Training ", "training"), ("undetected", "undetected"), ("", None), ("  ", None), (None, None), ("予防", "予防"),
    ],
)  # fmt: skip
def test_types_are_known_by_their_beginnings_and_others_are_kept(word: str | None, kind: str | None) -> None:
    assert type_of(word) == kind


@given(st.text())
def test_a_type_is_of_the_same_type_as_itself(word: str) -> None:
    kind = type_of(word)
    assert kind is None or type_of(kind) == kind
    assert all(type_of(each) == each for each in TYPES)


def test_case_punctuation_and_spaces_do_not_tell_titles_apart() -> None:
    assert same_words("  Add an ALERT, for `pool`!\n") == same_words("add an alert for pool") == "add an alert for pool"
    assert same_words("Straße") == same_words("STRASSE")
    assert same_words("Add alerts") != same_words("Add alert")
    assert same_words("raise_limit") != same_words("raise limit")


def test_how_letters_are_encoded_does_not_tell_titles_apart() -> None:
    composed = "Prüfe den Café-Pool"
    assert unicodedata.normalize("NFD", composed) != composed
    assert same_words(unicodedata.normalize("NFD", composed)) == same_words(composed) == "prüfe den café pool"


def test_marks_that_make_other_words_tell_titles_apart() -> None:
    assert same_words("कि") != same_words("का")  # Hindi: the vowel is a mark
    assert same_words("ที่") != same_words("ทา")


def test_titles_of_signs_alone_are_not_all_the_same() -> None:
    assert same_words("🔥") != same_words("🚀")
    assert same_words("-->") != same_words("<--")
    assert same_words("") == same_words("  \n ") == ""


@given(st.text())
def test_the_words_of_a_title_are_those_of_its_words(title: str) -> None:
    assert same_words(same_words(title)) == same_words(title)
    assert same_words(f" {title} \n") == same_words(title)


def test_overdue_begins_on_the_day_after_the_due_date() -> None:
    due = item(due_on=date(2025, 3, 9))
    assert [due.is_overdue(date(2025, 3, number)) for number in (8, 9, 10)] == [False, False, True]
    assert not item(due_on=None).is_overdue(date.max)


@pytest.mark.parametrize("state", sorted(STATES))
def test_what_has_ended_is_not_overdue_and_what_is_lost_is(state: str) -> None:
    assert item(state=state, due_on=date(2025, 3, 1)).is_overdue(date(2025, 3, 9)) == (state not in ENDED)
