"""The ids of postmortems, by the names of their files and folders."""

from __future__ import annotations

import pytest

from dagster_project.domain.incidents.importing.identities import identities, identity
from dagster_project.domain.incidents.importing.reading import read_text
from tests.incidents.importing.importing_builders import at, only, times


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2024-05-02-queue.md", "2024-05-02-queue"),
        ("postmortems/2024-05-02-queue.md", "2024-05-02-queue"),
        ("PM2020-007 - Unhealthy nodes.md", "pm2020-007-unhealthy-nodes"),
        ("outages/Payments down/README.md", "payments-down"),
        ("outages/payments/index.md", "payments"),
        ("outages/payments/Postmortem.md", "payments"),
        ("README.md", "readme"),
    ],
)
def test_an_id_is_the_files_words_or_its_folders(name: str, expected: str) -> None:
    assert identity(name) == expected


def test_names_that_are_the_same_are_told_apart_by_as_many_folders_as_it_takes() -> None:
    assert identities(["a/README.md", "b/README.md"]) == ["a", "b"]
    assert identities(["a/down.md", "b/down.md", "b/up.md"]) == ["a-down", "b-down", "up"]
    assert identities(["x/2024/README.md", "y/2024/README.md"]) == ["x-2024", "y-2024"]
    assert identities(["a/down.md", "a/down.md"]) == ["a-down", "a-down"]


def test_an_id_that_the_document_gives_is_its_own() -> None:
    text = "---\nid: INC-7\n---\n# Payments\n\n## Timeline\n\n- 2024-05-02 10:00 Incident declared\n"
    assert only(read_text(text, "a/README.md", identity="b")).incident.incident_id == "INC-7"
    without = text.split("---\n")[-1]
    assert only(read_text(without, "a/README.md")).incident.incident_id == "a"
    assert only(read_text(without, "a/README.md", identity="b")).incident.incident_id == "b"


def test_the_day_of_a_folder_dates_its_document() -> None:
    imported = only(read_text("# Payments\n\n## Timeline\n\n- 10:00 Incident declared\n", "2024-05-02-payments/README.md"))
    assert times(imported) == {"declared": at("2024-05-02 10:00")}
