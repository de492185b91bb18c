"""Damaged repositories and states: a verdict or one sentence, never another exception, and never an edit beside the place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dagster_project.errors import InputError
from dagster_project.iac.edit import Change, prepare
from dagster_project.iac.files import normal
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import State, read_state
from tests.iac.case_files import Case, cases
from tests.iac.test_against_terraform import damaged


def answers(case: Case, folder: Path, state: State) -> list[str]:
    """The statuses of all asks; an edit that is made must be of the bytes that were named."""
    repository = Repository.open(folder)
    plan = Plan(case.root, case.workspace, tuple(normal(f"{case.root}/{name}") or "" for name in case.var_files))
    found = []
    for ask in case.asks:
        question = Question(ask.resource, ask.attribute)
        location = locate(repository, plan, state, question)
        found.append(location.status)
        if location.status not in ("editable", "shared"):
            continue
        assert location.file is not None and location.start_byte is not None and location.end_byte is not None
        before = (folder / location.file).read_bytes()
        assert before[location.start_byte : location.end_byte].decode() == location.current
        try:
            edits = prepare(repository, plan, state, [Change(question, str(ask.to))], allow_shared=True)
        except InputError:
            continue
        for path, after in edits.contents.items():
            expected = before[: location.start_byte] + str(ask.to).encode() + before[location.end_byte :]
            assert (path, after) == (location.file, expected)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_repository_gets_a_verdict(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    statuses: list[str] = []
    for number in range(40):
        case = chance.choice(cases())
        folder = tmp_path / str(number)
        case.write(folder)
        path = chance.choice(sorted(case.files))
        (folder / path).write_bytes(damaged(case.files[path], chance))
        try:
            statuses += answers(case, folder, read_state(case.state))
        except InputError as error:
            assert "\n" not in str(error)
    assert {"editable", "refused"} <= set(statuses)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_state_is_read_or_told_in_a_sentence(seed: int) -> None:
    chance = random.Random(seed)
    read = refused = 0
    for _ in range(200):
        content = damaged(chance.choice(cases()).state, chance)
        try:
            read_state(content)
            read += 1
        except InputError as error:
            refused += 1
            assert str(error).startswith("the state ") and str(error).count("\n") == 0
            assert "hunter2" not in str(error)
    assert read > 0 and refused > 50


def test_a_missing_file_gets_a_verdict(tmp_path: Path) -> None:
    """Each file of each case is taken away once."""
    for number, case in enumerate(cases()):
        for gone in sorted(case.files):
            folder = tmp_path / str(number) / gone.replace("/", "_")
            case.write(folder)
            (folder / gone).unlink()
            try:
                answers(case, folder, read_state(case.state))
            except InputError as error:
                assert "\n" not in str(error)
