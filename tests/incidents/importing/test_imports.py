"""Files into the state store: what tells two incidents of one file name apart, and what is said of records and imports."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.actions.incident_store import Imported
from dagster_project.domain.incidents.model import Incident, Moment
from dagster_project.errors import InputError
from dagster_project.pipeline import incident_import
from dagster_project.pipeline.incident_import import anomalies_on_record, read_files, store
from dagster_project.pipeline.incidents import Known
from dagster_project.pipeline.runtime import Runtime
from dagster_project.settings import Settings
from tests.incidents.importing.importing_builders import SHARED, at, status_record


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(Settings(home=tmp_path / "home"), now=datetime(2025, 3, 10, 2, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the command is run in."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def write(path: str, title: str, day: str = "2024-05-01", head: str = "") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{head}# {title}\n\n## Timeline\n\n- {day} 10:00 Incident declared\n", encoding="utf-8")
    return file


def ids(runtime: Runtime, *paths: str) -> list[str]:
    return [each.incident.incident_id for each in read_files(runtime, [Path(path) for path in paths], None).incidents]


def imported(runtime: Runtime, *paths: str) -> Imported:
    return store(runtime, read_files(runtime, [Path(path) for path in paths], None))


def test_documents_of_one_name_in_several_folders_are_several_incidents(runtime: Runtime, folder: Path) -> None:
    write("a/README.md", "Payments down")
    write("b/README.md", "Search down")
    write("b/sub/down.md", "Mail down")
    write("c/down.md", "Chat down")
    assert ids(runtime, "a", "b", "c") == ["a", "b", "sub-down", "c-down"]
    assert ids(runtime, "a/README.md", str(folder / "b" / "README.md")) == ["a", "b"]
    assert ids(runtime, "a", "a/README.md") == ["a"]


def test_a_document_has_the_same_id_and_name_however_its_folder_is_given(
    runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a/README.md", "Payments down")
    assert imported(runtime, "a") == Imported(new=1, changed=0, unchanged=0)
    assert imported(runtime, "a/README.md") == Imported(new=0, changed=0, unchanged=1)
    assert imported(runtime, str(folder / "a")) == Imported(new=0, changed=0, unchanged=1)
    monkeypatch.chdir(folder / "a")
    assert imported(runtime, "README.md") == Imported(new=0, changed=0, unchanged=1)
    assert imported(runtime, ".") == Imported(new=0, changed=0, unchanged=1)


def test_another_incident_of_the_same_id_is_refused_with_both_files(runtime: Runtime, folder: Path) -> None:
    write("a/README.md", "Payments down")
    write("old/a/README.md", "Mail down")
    imported(runtime, "a")
    with pytest.raises(InputError, match=r"^old/a/README\.md would replace a/README\.md, whose id a it has"):
        imported(runtime, "old/a/README.md")
    write("old/a/README.md", "Mail down", head="---\nid: mail-down\n---\n")
    assert imported(runtime, "old/a/README.md") == Imported(new=1, changed=0, unchanged=0)


def test_a_document_that_was_moved_or_renamed_inside_is_a_new_version(runtime: Runtime, folder: Path) -> None:
    write("a/README.md", "Payments down")
    write("old/a/README.md", "Payments down")
    imported(runtime, "a")
    assert imported(runtime, "old/a/README.md") == Imported(new=0, changed=1, unchanged=0)
    write("old/a/README.md", "Payments were down")
    assert imported(runtime, "old/a/README.md") == Imported(new=0, changed=1, unchanged=0)


def test_an_id_of_an_export_is_its_own_whatever_the_file_is_called(runtime: Runtime, folder: Path) -> None:
    for file, title in (("march.jsonl", "Slow"), ("april.jsonl", "Slow checkout")):
        Path(file).write_text(json.dumps(status_record() | {"title": title}), encoding="utf-8")
    assert imported(runtime, "march.jsonl") == Imported(new=1, changed=0, unchanged=0)
    assert imported(runtime, "april.jsonl") == Imported(new=0, changed=1, unchanged=0)
    with pytest.raises(InputError, match=r"^work/march\.jsonl and work/april\.jsonl both tell of 1; correct the id of one"):
        ids(runtime, "march.jsonl", "april.jsonl")


def test_what_would_break_every_night_is_imported_without_its_impossible_times(runtime: Runtime, folder: Path) -> None:
    bad = {"incident_id": "A", "title": "a\ud800b", "declared_at": "0001-01-01T00:00:00Z", "resolved_at": "9999-12-31T23:59:00Z"}
    Path("own.jsonl").write_text(json.dumps(bad), encoding="utf-8")
    read = read_files(runtime, [Path("own.jsonl")], None)
    assert [problem.file for problem in read.problems] == ["work/own.jsonl"] * 2
    assert store(runtime, read) == Imported(new=1, changed=0, unchanged=0)
    assert anomalies_on_record(runtime) == (1, ())


def test_the_record_and_the_import_beside_it_are_both_judged_and_each_is_told_once(
    runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = {phase: Moment(at(text)) for phase, text in (("declared", "2024-05-02 10:00"), ("resolved", "2024-05-02 10:00"))}
    recorded = Incident("INC-1", "Slow", phases=phases)
    times = {"impact_started_at": "2024-05-02T10:00:00Z", "impact_ended_at": "2024-05-02T09:40:00Z", "closed_at": "2030-01-01"}
    Path("own.jsonl").write_text(json.dumps({"incident_id": "INC-1", "title": "Slow", **times}), encoding="utf-8")
    (document,) = read_files(runtime, [Path("own.jsonl")], None).incidents
    both = Known(replace(recorded, phases={}), imported=document, recorded=recorded)
    same = replace(both, imported=replace(document, incident=recorded))
    alone = replace(both, imported=None)

    def told(known: Known) -> list[tuple[str, str | None]]:
        monkeypatch.setattr(incident_import, "known_now", lambda _: (None, {"INC-1": known}))
        count, found = anomalies_on_record(runtime)
        assert count == 1
        return [(anomaly.code, anomaly.phase) for anomaly in found]

    assert told(both) == [("zero_duration", "resolved"), ("order", "impact_ended"), ("future", "closed")]
    assert told(same) == told(alone) == [("zero_duration", "resolved")]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real incidents are not beside the repository")
def test_ids_of_real_documents_are_the_words_of_their_names(runtime: Runtime) -> None:
    documents = read_files(runtime, [SHARED / name for name in ("2i2c", "dfds", "moj")], "UTC").incidents
    assert len(documents) == 47
    assert "moj/2020-02-12.md" in {each.file for each in documents}
    words = {Path(each.file).stem: each.incident.incident_id for each in documents}
    assert words["PM2020-007 - Unhealthy nodes"] == "pm2020-007-unhealthy-nodes"
    assert [name for name, found in words.items() if name[:4].isdigit() and name != found] == []
