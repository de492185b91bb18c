"""The real incident records beside the repository: what is read of them, and which anomalies they have."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from dagster_project.domain.incidents.anomalies import anomalies_of
from dagster_project.domain.incidents.importing.model import ImportedIncident, from_document, to_document
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.domain.incidents.importing.reproduction import reproductions
from dagster_project.domain.incidents.model import not_counted_because
from tests.incidents.importing.importing_builders import SHARED, at, only, times

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real incidents are not beside the repository")

ZONES = {"moj": "Europe/London", "dfds": "UTC", "2i2c": "UTC"}
WITHOUT_PHASES = {
    "PM2020-003 - Postmortem for ADSync migration.md",  # its dates are of the year 20202
    "PM2020-006 - ADSync service accounts.md",  # five weeks of changes, nothing of an incident's phases
    "2023-02-01-daskhub-induced-evictions.md",  # one row, which names a day
}
DIFFERS = {
    "2020-08-04.md": 2,
    "2023-01-05-circleci-security-incident.md": 2,
    "2023-02-02-cjs-dashboard-performance.md": 1,
    "2024-09-20-eks-subnet-route-table.md": 2,
    "2025-03-18-aws-eks-upgrade-to-1-30.md": 1,
    "PM2023-002 - Logs not shipped to CloudWatch.md": 2,
    "PM2024-001 - Two Kubernetes nodes went into NotReady state.md": 1,
    "PM2024-002 - PODs not able to start while being moved to new nodes during AMI update.md": 2,
    "PM2025-001 - Node system resource starvation and scheduling capacity.md": 2,
}
"""Documents and how many of their stated durations no pair of their times gives: counted by hand."""


@cache
def postmortems() -> dict[str, ImportedIncident]:
    found = {}
    for folder, zone in ZONES.items():
        for path in sorted((SHARED / folder).glob("*.md")):
            found[path.name] = only(read_text(path.read_text(encoding="utf-8"), path.name, zone=zone))
    return found


@cache
def status_page() -> tuple[ImportedIncident, ...]:
    path = SHARED / "github_incidents.jsonl"
    result = read_text(path.read_text(encoding="utf-8"), path.name)
    assert result.problems == ()
    return result.incidents


@cache
def ids_by_code() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for imported in status_page():
        for anomaly in anomalies_of(imported):
            found[anomaly.code].append(anomaly.incident_id)
    return dict(found)


def named(start: str) -> ImportedIncident:
    (found,) = [imported for name, imported in postmortems().items() if name.startswith(start)]
    return found


def test_every_document_has_rows_and_all_but_three_have_phases() -> None:
    assert len(postmortems()) == 47
    assert [name for name, imported in postmortems().items() if not imported.events] == []
    assert {name for name, imported in postmortems().items() if not imported.incident.phases} == WITHOUT_PHASES


def test_every_stated_duration_is_reproduced_or_an_anomaly() -> None:
    stated = {name: reproductions(imported) for name, imported in postmortems().items()}
    assert sum(map(len, stated.values())) == 76
    missed = {name: sum(hit is None for _, hit, _ in durations) for name, durations in stated.items()}
    assert {name: count for name, count in missed.items() if count} == DIFFERS
    for name, imported in postmortems().items():
        said = [anomaly for anomaly in anomalies_of(imported) if anomaly.code == "stated_duration_differs"]
        assert len(said) == DIFFERS.get(name, 0)


def test_windows_that_are_off_are_exactly_these() -> None:
    found = ids_by_code()
    assert found["twelve_hours_off"] == ["22274725", "24098798", "24613351", "24836733"]
    assert found["day_off"] == ["21936136", "23991123"]
    assert found["year_off"] == ["24441152"]
    assert found["zone_off"] == ["24623827"]
    assert found["double_window"] == ["21319915", "23496521"]
    assert found["impossible_date"] == ["23556124"]
    assert len(found["single_update"]) == 14
    assert set(found) == {
        "twelve_hours_off", "day_off", "year_off", "zone_off", "double_window", "impossible_date", "single_update",
    }  # fmt: skip


def test_single_updates_are_missing_and_maintenance_is_left_out() -> None:
    singles = [imported for imported in status_page() if len(imported.events) == 1]
    assert len(singles) == 14
    assert all("declared" not in imported.incident.phases for imported in singles)
    reasons = [not_counted_because(imported.incident) for imported in status_page()]
    assert reasons.count("scheduled maintenance") == 18
    assert reasons.count(None) == 490


def test_impact_began_before_the_declaration_in_nine_of_ten() -> None:
    pairs = [
        (one["impact_started"], one["declared"])
        for one in map(times, status_page())
        if {"impact_started", "declared"} <= one.keys()
    ]
    assert len(pairs) > 163
    assert 0.9 < sum(start < declared for start, declared in pairs) / len(pairs) < 0.96


def test_repaired_before_declared_and_impact_over_before_the_report_are_legal() -> None:
    modsec = named("2021-11-05")
    assert times(modsec)["declared"] < times(modsec)["impact_ended"]
    assert anomalies_of(modsec) == ()
    early = next(imported for imported in status_page() if imported.incident.incident_id == "23233596")
    assert times(early)["impact_ended"] < times(early)["declared"]
    assert anomalies_of(early) == ()


def test_zones_are_those_of_the_documents() -> None:
    assert times(named("2025-08-12"))["declared"] == at("2025-08-12 16:00")
    assert times(named("PM2020-002"))["impact_started"] == at("2020-01-21 14:36")
    assert times(named("2023-07-25"))["declared"] == at("2023-07-25 14:21")
    assert [anomaly.code for anomaly in anomalies_of(named("2020-04-15"))] == ["zone_off"]


def test_documents_in_another_zone_than_their_own_are_told_by_their_links() -> None:
    path = next((SHARED / "moj").glob("2023-08-04*.md"))
    wrong = only(read_text(path.read_text(encoding="utf-8"), path.name, zone="UTC"))
    assert [anomaly.suggestion for anomaly in anomalies_of(wrong) if anomaly.code == "zone_off"] == [at("2023-08-04 09:09")]


@pytest.mark.parametrize(
    ("start", "events", "items"), [("2025-07-23", 24, 8), ("2025-05-12", 25, 2), ("PM2024-001", 27, 7), ("PM2019-009", 14, 4)]
)
def test_rows_and_action_items_are_as_many_as_a_reader_counts(start: str, events: int, items: int) -> None:
    imported = named(start)
    assert (len(imported.events), len(imported.action_items)) == (events, items)


def test_all_of_them_are_an_exact_round_trip() -> None:
    for imported in [*postmortems().values(), *status_page()]:
        assert from_document(to_document(imported)) == imported


def test_a_reader_of_the_same_file_finds_the_same(tmp_path: Path) -> None:
    path = next((SHARED / "dfds").glob("PM2024-001*.md"))
    text = path.read_text(encoding="utf-8")
    assert read_text(text, path.name) == read_text(text, path.name)
