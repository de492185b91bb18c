"""The real Terraform says that the case files are true: nothing of the editor is used here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.iac import twin
from tests.iac.case_files import REASONS, Case, address_parts, cases, state, strip_markers

JUDGED = [case for case in cases() if case.oracle]
needs_terraform = pytest.mark.skipif(not twin.AVAILABLE, reason="there is no terraform to judge the cases")


class _Judge:
    """Terraform's plan of a case's repository, and of the repository after edits."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.folder = case, folder

    def plan(self, files: Mapping[str, bytes]) -> twin.Plan:
        repository = self.case.followed(files)
        var_files = list(self.case.var_files)
        if self.case.oracle_variables:
            name = "told-to-terraform.json"
            repository[f"{self.case.root}/{name}"] = json.dumps(self.case.oracle_variables).encode()
            var_files.append(name)
        built = twin.build(repository, self.folder)
        return twin.plan(built, self.case.root, var_files=var_files, workspace=self.case.oracle_workspace)


@needs_terraform
@pytest.mark.parametrize("case", JUDGED, ids=str)
def test_case_is_true(case: Case, tmp_path: Path) -> None:
    judge = _Judge(case, tmp_path)
    before = judge.plan(case.files)
    for ask in case.asks:
        if ask.status in {"editable", "shared", "ambiguous"}:
            assert ask.decides in before, f"{ask.resource}: {sorted(before)}"
            planned = twin.value_at(before[ask.decides], ask.path)
            assert twin.same(planned, ask.live), f"{ask.resource} {ask.attribute}: {planned!r} is planned, {ask.live!r} is live"
        if ask.reason_code == "drift":
            planned = twin.value_at(before[str(ask.decides)], ask.path)
            assert not twin.same(planned, ask.live), f"{ask.resource} {ask.attribute}: no drift"
        if ask.at is not None:
            after = judge.plan(case.edited(ask.at, ask.to))
            assert twin.changed(before, after) == set(ask.affects), ask.resource
            planned = twin.value_at(after[str(ask.decides)], ask.path)
            assert twin.same(planned, ask.to), f"{ask.resource} {ask.attribute}: {planned!r} after the edit"
        if ask.proof is not None:
            after = judge.plan(case.edited(ask.proof, ask.to))
            assert before.keys() != after.keys(), f"{ask.resource}: the addresses stay"


def test_every_reason_is_asked_for() -> None:
    asked = {(ask.status, ask.reason_code) for case in cases() for ask in case.asks}
    assert asked == {(status, reason) for status, reasons in REASONS.items() for reason in reasons}


def test_affected_addresses_hold_the_asked_one() -> None:
    for case in cases():
        for ask in case.asks:
            if ask.at is not None:
                assert ask.decides in ask.affects, f"{case}: {ask.resource}"


@pytest.mark.parametrize(
    ("address", "module", "key"),
    [
        ("aws_instance.web", None, None),
        ("aws_instance.web[3]", None, 3),
        ('aws_instance.web["a.b"]', None, "a.b"),
        ('aws_instance.web["x[\\"0\\"].aws_instance.web"]', None, 'x["0"].aws_instance.web'),
        ('module.app["a.b"].module.x[0].aws_instance.web["$${c}"]', 'module.app["a.b"].module.x[0]', "${c}"),
        ("module.data.aws_instance.web", "module.data", None),
    ],
)
def test_address_in_parts(address: str, module: str | None, key: Any) -> None:
    parts = address_parts(address)
    assert (parts.module, parts.mode, parts.kind, parts.name, parts.key) == (module, "managed", "aws_instance", "web", key)


def test_data_address_in_parts() -> None:
    parts = address_parts("module.data.data.aws_instance.data[1]")
    assert (parts.module, parts.mode, parts.kind, parts.name, parts.key) == ("module.data", "data", "aws_instance", "data", 1)


def test_markers_are_bytes() -> None:
    content, spans = strip_markers("f", 'ä = "«a:m5.large»" # «b:ö»')
    assert content == 'ä = "m5.large" # ö'.encode()
    assert content[spans["a"].start : spans["a"].end] == b"m5.large"
    assert content[spans["b"].start : spans["b"].end] == "ö".encode()


def test_state_groups_instances_of_a_resource() -> None:
    document = json.loads(
        state({"aws_instance.w[0]": {"id": "i-0"}, "aws_instance.w[1]": {"id": "i-1", "deposed": {"id": "i-2"}}})
    )
    (resource,) = document["resources"]
    found = [(instance["index_key"], instance["attributes"]["id"], "deposed" in instance) for instance in resource["instances"]]
    assert found == [(0, "i-0", False), (1, "i-1", False), (1, "i-2", True)]
