"""The editor against the cases of ``cases/*.toml``: the verdict, the place to the byte, the addresses, and the edited files.

``test_cases_against_terraform`` asks Terraform about the same cases, without the editor.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.iac.edit import Change, prepare
from dagster_project.iac.files import normal
from dagster_project.iac.locate import Question, locate
from dagster_project.iac.repository import Repository
from dagster_project.iac.roots import Plan
from dagster_project.iac.state import read_state
from dagster_project.iac.verdicts import REASON_CODES
from tests.iac.case_files import Case, cases


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_case(case: Case, tmp_path: Path) -> None:
    case.write(tmp_path)
    repository, state = Repository.open(tmp_path), read_state(case.state)
    var_files = tuple(normal(f"{case.root}/{name}") or "" for name in case.var_files)
    plan = Plan(case.root, case.workspace, var_files)
    for ask in case.asks:
        question = Question(ask.resource, ask.attribute)
        location = locate(repository, plan, state, question)
        assert (location.status, location.reason_code) == (ask.status, ask.reason_code), (ask.resource, location.detail)
        if ask.at is None:
            assert location.file is None or location.status not in ("editable", "shared")
            continue
        assert (location.file, location.start_byte, location.end_byte) == (ask.at.path, ask.at.start, ask.at.end), ask.resource
        assert location.affects == tuple(sorted(ask.affects)), ask.resource
        edits = prepare(repository, plan, state, [Change(question, str(ask.to))], allow_shared=True)
        assert edits.outcomes[0].is_edited, (ask.resource, edits.outcomes[0].location)
        assert {**case.files, **edits.contents} == case.edited(ask.at, ask.to), ask.resource
        guarded = prepare(repository, plan, state, [Change(question, str(ask.to))])
        assert bool(guarded.contents) is (ask.status == "editable"), ask.resource


OWN_TESTS = {"changes_more", "fails_validation", "missing_file"}
"""Codes that a question about one resource never gets: tests of edits and of the command have them."""


def test_every_reason_code_has_a_case() -> None:
    shown = {ask.reason_code for case in cases() for ask in case.asks}
    assert set(REASON_CODES) - shown == OWN_TESTS
