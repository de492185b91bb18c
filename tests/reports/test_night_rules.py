"""The rules that a night keeps: every setting that decides, and nothing that is secret or anybody's name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field, SecretStr

from dagster_project.pipeline import night_numbers
from dagster_project.pipeline.night_numbers import rules_of
from dagster_project.settings import RightsizingSettings, Settings
from dagster_project.settings_acting import ApprovalSettings, Approver, Section


def test_every_setting_that_decides_is_kept_by_its_name() -> None:
    rules = dict(rules_of(Settings()))
    assert rules["rightsizing.max_cpu_p995_pct"] == "80"
    assert rules["proposals.mode"] == '"report_only"'
    assert {name.partition(".")[0] for name in rules} == set(night_numbers.RULE_SECTIONS)
    assert list(rules) == list(dict(rules_of(Settings())))


def test_a_default_that_is_written_down_is_no_change() -> None:
    defaults = Settings()
    written = Settings(rightsizing=RightsizingSettings(max_cpu_p995_pct=float(defaults.rightsizing.max_cpu_p995_pct)))
    assert rules_of(written) == rules_of(defaults)


def test_how_many_may_approve_is_kept_and_who_they_are_is_not() -> None:
    people = (Approver(email="ana@example.com", slack="U0AAAA"), Approver(email="ben@example.com", slack="U0BBBB"))
    rules = dict(rules_of(Settings(approvals=ApprovalSettings(approvers=people))))
    assert rules["approvals.approvers.count"] == "2"
    assert not any(word in value for value in rules.values() for word in ("ana", "U0AAAA", "example.com"))


def test_a_secret_is_left_out_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    class Inner(Section):
        token: SecretStr = SecretStr("hunter2")
        limit: int = 3

    class Outer(Section):
        key: SecretStr | None = SecretStr("hunter2")
        inner: Inner = Field(default_factory=Inner)

    class Secretive(Section):
        rightsizing: Any = Field(default_factory=Outer)

    monkeypatch.setattr(night_numbers, "RULE_SECTIONS", ("rightsizing",))
    assert rules_of(Secretive()) == [("rightsizing.inner.limit", "3")]
