"""Where items come from: the table, imported postmortems, and what people write into ours; and what does not make them done."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.actions import action_item_store, incident_store
from dagster_project.domain.action_items.folding import items_of
from dagster_project.domain.action_items.model import Item
from dagster_project.domain.incidents.importing.model import to_document
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.lake.tables import RESOURCE_RISKS, TABLES
from dagster_project.pipeline.action_items import keep_action_items
from dagster_project.pipeline.incident_evidence import find_resource_risks
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from dagster_project.settings import GithubSettings
from dagster_project.settings_incidents import IncidentSettings
from tests.action_items.world import BOT, TOKEN
from tests.github import GitHubServer, People
from tests.incidents.capture.night import DAY, after, on, put
from tests.incidents.incident_nights import document, fill_day, night, record, rows_of
from tests.proposal_builders import Clock

ITEM = {
    "item_id": "ACT-1", "incident_id": "INC-1", "title": "Limit retries to three", "item_type": "prevent", "owner": "ana",
    "state": "open", "created_at": datetime(2025, 3, 4, 9),
}  # fmt: skip
POSTMORTEM = """---
id: INC-7
---
# Payments fail

- **Severity**: SEV-2
- **Service**: payment-api

## Timeline (UTC)

- 2025-03-03 08:14 **Detection:** the pager goes off
- 2025-03-03 09:24 **Recovery:** all is well

## Action items

- [ ] Limit retries to three (owner: ana)
- [x] Write a runbook for a full pool
- [ ] Add capacity to the pool OPS-12
"""


def imports(runtime: Runtime, text: str = POSTMORTEM, name: str = "payments.md") -> None:
    found = read_text(text, name).incidents
    documents = [(each.incident.incident_id, each.file, to_document(each)) for each in found]
    work = incident_store.add_imported
    in_state(runtime, lambda connection: work(connection, documents, "ada", datetime(2025, 3, 9, tzinfo=UTC)), is_new=True)


def items(runtime: Runtime) -> dict[str, Item]:
    return items_of(in_state(runtime, action_item_store.events, is_new=True))


def by_title(runtime: Runtime) -> dict[str, Item]:
    return {item.title: item for item in items(runtime).values()}


def keep(runtime: Runtime, day: date = DAY, **rows: Any) -> None:
    fill_day(runtime, day, **rows)
    keep_action_items(on(runtime, day), day)


def file_of(runtime: Runtime, day: date = DAY) -> Path:
    return runtime.settings.reports / str(day) / "postmortems" / "INC-1.md"


# The decision engine's table.


def test_a_date_follows_from_the_severity_where_nobody_gave_one(runtime: Runtime) -> None:
    severities = {"INC-1": "SEV-1", "INC-2": "sev2", "INC-3": "SEV-3", "INC-4": None}
    keep(
        runtime,
        incidents=[record(name, severity=severity) for name, severity in severities.items()],
        incident_action_items=[{**ITEM, "item_id": name, "incident_id": name} for name in severities],
    )
    days = {name: (item.due_on - DAY).days for name, item in items(runtime).items() if item.due_on}
    assert days == {"INC-1": 15, "INC-2": 30, "INC-3": 56, "INC-4": 56}
    assert rows_of(runtime, "action_items")[0]["due_source"] == "policy: Sev-1: 15 days"


def test_an_item_that_vanishes_from_the_table_is_not_done(runtime: Runtime) -> None:
    # Another tool took a comment that was deleted for one that was resolved.
    keep(runtime, incidents=[record()], incident_action_items=[ITEM])
    keep(runtime, after(1), incidents=[record()])
    keep(runtime, after(2), incidents=[record()])
    (item,) = items(runtime).values()
    assert (item.state, item.done_at) == ("open", None)
    events = in_state(runtime, action_item_store.events)
    notes = [event.reason for event in events if event.field == "note"]
    assert notes == ["The table incident_action_items does not list it any more; that does not make it done."]


def test_when_it_was_done_stays_whatever_is_updated_afterwards(runtime: Runtime) -> None:
    # Another tool rewrote resolved_at with every update.
    keep(runtime, incidents=[record()], incident_action_items=[ITEM])
    done = {**ITEM, "state": "done"}
    keep(runtime, after(1), incidents=[record()], incident_action_items=[done])
    first = items(runtime)["ACT-1"].done_at
    for number, change in enumerate(({"owner": "bo"}, {"title": "Limit the retries to three"}, {"state": "closed"}), start=2):
        keep(runtime, after(number), incidents=[record()], incident_action_items=[{**done, **change}])
    item = items(runtime)["ACT-1"]
    assert (item.done_at, item.title, item.reopened) == (first, "Limit retries to three", 0)
    assert first == datetime.combine(after(1), datetime.max.time())


def test_other_ids_for_the_same_items_make_no_second_ones(runtime: Runtime) -> None:
    # Another tool opened issues without an end after its ids had changed.
    many = [{**ITEM, "item_id": f"ACT-{n}", "title": f"Limit retries of client {n}"} for n in range(50)]
    keep(runtime, incidents=[record()], incident_action_items=many)
    renamed = [{**row, "item_id": f"ai:{row['item_id']}"} for row in many]
    for number in range(1, 4):
        keep(runtime, after(number), incidents=[record()], incident_action_items=renamed)
    assert sorted(items(runtime)) == sorted(row["item_id"] for row in many)


def test_the_state_that_somebody_gave_is_not_taken_back_by_a_table_that_nobody_keeps(runtime: Runtime) -> None:
    from dagster_project.pipeline import action_item_answers as answers

    keep(runtime, incidents=[record()], incident_action_items=[ITEM])
    answers.done(on(runtime, DAY), "ACT-1", "merged")
    for number in range(1, 4):
        keep(runtime, after(number), incidents=[record()], incident_action_items=[ITEM])
    assert items(runtime)["ACT-1"].state == "done"


def test_a_word_that_nobody_knows_is_open(runtime: Runtime) -> None:
    keep(runtime, incidents=[record()], incident_action_items=[{**ITEM, "state": "parked?"}])
    assert items(runtime)["ACT-1"].state == "open"


# Imported postmortems.


def test_items_of_an_import_are_items_with_dates_counted_from_when_they_were_read(runtime: Runtime) -> None:
    imports(runtime)
    keep(runtime)
    found = by_title(runtime)
    assert {title: item.state for title, item in found.items()} == {
        "Limit retries to three (owner: ana)": "open",
        "Write a runbook for a full pool": "done",
        "Add capacity to the pool OPS-12": "open",
    }
    item = found["Limit retries to three (owner: ana)"]
    assert (item.owner, item.due_on, item.incident_id) == ("ana", DAY + timedelta(days=30), "INC-7")
    assert found["Add capacity to the pool OPS-12"].tracker_key == "OPS-12"
    # Since when it is done nobody knows; it is counted as done and never as punctual.
    assert not found["Write a runbook for a full pool"].is_done_at_known


def test_an_item_that_the_table_and_an_import_list_is_one(runtime: Runtime) -> None:
    imports(runtime, POSTMORTEM.replace("INC-7", "INC-1").replace(" (owner: ana)", ""))
    keep(runtime, incidents=[record()], incident_action_items=[ITEM])
    assert sorted(item.title for item in items(runtime).values()) == [
        "Add capacity to the pool OPS-12", "Limit retries to three", "Write a runbook for a full pool",
    ]  # fmt: skip
    assert "ACT-1" in items(runtime)


def test_a_line_that_was_rewritten_is_the_same_item_and_one_that_was_taken_out_is_not_done(runtime: Runtime) -> None:
    imports(runtime)
    keep(runtime)
    before = by_title(runtime)["Limit retries to three (owner: ana)"].item_id
    rewritten = POSTMORTEM.replace("Limit retries to three", "Limit the retries to three").replace(
        "- [ ] Add capacity to the pool OPS-12\n", ""
    )
    imports(runtime, rewritten)
    keep(runtime, after(1))
    found = by_title(runtime)
    assert found["Limit the retries to three (owner: ana)"].item_id == before
    assert found["Add capacity to the pool OPS-12"].state == "open"
    assert len(found) == 3


def test_an_item_of_an_import_that_asks_for_capacity_keeps_its_service_from_being_shrunk(runtime: Runtime) -> None:
    imports(runtime)
    resource = {"resource_id": "i-1", "service": "payment-api"}
    keep(runtime, resource_inventory=[resource])
    put(runtime, "slos")
    find_resource_risks(on(runtime, DAY), DAY)
    rows = pl.read_parquet(runtime.lake.path(RESOURCE_RISKS, DAY), hive_partitioning=False).to_dicts()
    assert [(row["resource_id"], row["open_capacity_item_title"]) for row in rows] == [("i-1", "Add capacity to the pool OPS-12")]


# What people write into our documents.


def written(runtime: Runtime) -> str:
    fill_day(runtime, incidents=[record()], incident_action_items=[ITEM])
    night(runtime)
    text = document(runtime)
    assert "| Limit retries to three |" in text
    return text


def edit(runtime: Runtime, text: str) -> None:
    file_of(runtime).write_text(text, encoding="utf-8")
    fill_day(runtime, after(1), incidents=[record()], incident_action_items=[ITEM])
    night(runtime, after(1))


def test_a_document_that_nobody_edited_says_nothing(runtime: Runtime) -> None:
    written(runtime)
    fill_day(runtime, after(1), incidents=[record()], incident_action_items=[ITEM])
    night(runtime, after(1))
    assert len(in_state(runtime, action_item_store.events)) == 1


def test_a_row_that_people_add_to_the_list_is_an_item(runtime: Runtime) -> None:
    text = written(runtime)
    row = next(line for line in text.splitlines() if line.startswith("| Limit retries to three |"))
    edit(runtime, text.replace(row, f"{row}\n| Page the owner after 15 minutes | detect | P1 | bo | 2025-04-30 | open | none |"))
    found = by_title(runtime)
    assert set(found) == {"Limit retries to three", "Page the owner after 15 minutes"}
    new = found["Page the owner after 15 minutes"]
    assert (new.item_type, new.priority, new.owner, new.due_on, new.state) == ("detect", "P1", "bo", date(2025, 4, 30), "open")
    # What stood there already is as it was: its owner is shown by a pseudonym, and that is no news.
    assert found["Limit retries to three"].owner == "ana"
    assert "Page the owner after 15 minutes" in document(runtime, day=after(1))


def test_a_date_and_words_that_people_change_in_the_list_are_taken_over(runtime: Runtime) -> None:
    text = written(runtime)
    row = next(line for line in text.splitlines() if line.startswith("| Limit retries to three |"))
    changed = re.sub(r"2025-\d\d-\d\d", "2025-06-30", row).replace("Limit retries to three", "Limit the retries to three")
    edit(runtime, text.replace(row, changed))
    (item,) = items(runtime).values()
    assert (item.item_id, item.title, item.due_on) == ("ACT-1", "Limit the retries to three", date(2025, 6, 30))


def test_done_in_the_list_is_done_and_a_row_that_is_taken_out_is_not(runtime: Runtime) -> None:
    text = written(runtime)
    row = next(line for line in text.splitlines() if line.startswith("| Limit retries to three |"))
    edit(runtime, text.replace(row, row.replace("| open |", "| done |")))
    assert items(runtime)["ACT-1"].state == "done"


def test_a_row_that_is_taken_out_of_the_list_is_not_done(runtime: Runtime) -> None:
    text = written(runtime)
    row = next(line for line in text.splitlines() if line.startswith("| Limit retries to three |"))
    edit(runtime, text.replace(row + "\n", ""))
    assert items(runtime)["ACT-1"].state == "open"


def test_a_list_that_people_add_elsewhere_is_read(runtime: Runtime) -> None:
    text = written(runtime)
    edit(runtime, f"{text}\n## Follow-ups\n\n- [ ] Drill the failover every month\n")
    assert "Drill the failover every month" in by_title(runtime)


# Days that are over.


def test_an_earlier_day_shows_items_as_they_were_then(runtime: Runtime) -> None:
    keep(runtime, incidents=[record()], incident_action_items=[ITEM])
    keep(runtime, after(3), incidents=[record()], incident_action_items=[{**ITEM, "state": "done", "owner": "bo"}])
    fill_day(runtime, after(1), incidents=[record()], incident_action_items=[ITEM])
    keep_action_items(on(runtime, after(3)), after(1))
    (row,) = rows_of(runtime, "action_items", after(1))
    assert (row["state"], row["owner"], row["done_at"]) == ("open", "ana", None)
    (row,) = rows_of(runtime, "action_items", after(3))
    assert (row["state"], row["owner"]) == ("done", "bo")


@pytest.mark.parametrize("again", [1, 2])
def test_running_a_day_again_notes_nothing_and_gives_the_same_bytes(runtime: Runtime, again: int) -> None:
    imports(runtime)
    keep(runtime, incidents=[record()], incident_action_items=[ITEM])
    file = runtime.lake.path(TABLES["action_items"], DAY)
    before = file.read_bytes()
    count = len(in_state(runtime, action_item_store.events))
    for _ in range(again):
        keep_action_items(on(runtime, DAY), DAY)
    assert len(in_state(runtime, action_item_store.events)) == count
    assert file.read_bytes() == before


# Documents in the repository of postmortems.


@pytest.fixture
def merged(runtime: Runtime, github: GitHubServer, clock: Clock) -> tuple[Runtime, People]:
    """A night whose document was proposed and merged."""
    github.add_token(TOKEN, login=BOT)
    people = github.create_repository("acme/postmortems", {"README.md": b"Postmortems\n"})
    for login in (BOT, "alice"):
        people.add_collaborator(login, "write")
    settings = runtime.settings.model_copy(
        update={
            "incidents": IncidentSettings(repository="acme/postmortems"),
            "github": GithubSettings(base_url=github.url, token=TOKEN, timeout_seconds=1, attempts=1),
        }
    )
    found = replace(runtime, settings=settings, at=clock, now=datetime(2025, 3, 10, 2, tzinfo=UTC))
    fill_day(found, incidents=[record()], incident_action_items=[ITEM])
    night(found)
    people.merge("alice", people.pulls()[0].number)
    return found, people


def next_nights(runtime: Runtime, *numbers: int) -> None:
    for number in numbers:
        fill_day(runtime, after(number), incidents=[record()], incident_action_items=[ITEM])
        keep_action_items(replace(on(runtime, after(number)), remotes={}), after(number))


def test_a_merged_document_that_nobody_edited_says_nothing_and_is_read_once(
    merged: tuple[Runtime, People], github: GitHubServer
) -> None:
    runtime, _ = merged
    next_nights(runtime, 1, 2)
    assert len(items(runtime)) == 1
    assert len([entry for entry in github.log if "/git/blobs/" in entry.path and entry.method == "GET"]) == 1


def test_what_people_write_into_a_merged_document_is_heard(merged: tuple[Runtime, People]) -> None:
    runtime, people = merged
    path = "postmortems/INC-1.md"
    text = people.file("main", path).decode()
    row = next(line for line in text.splitlines() if line.startswith("| Limit retries to three |"))
    more = f"{row}\n| Page the owner after 15 minutes | detect | P1 | bo | 2025-04-30 | open | none |"
    people.push("alice", "main", {path: text.replace(row, more).encode()})
    next_nights(runtime, 1)
    found = by_title(runtime)
    assert set(found) == {"Limit retries to three", "Page the owner after 15 minutes"}
    assert found["Page the owner after 15 minutes"].owner == "bo"

    people.push(
        "alice",
        "main",
        {path: text.replace(row, more.replace("| bo | 2025-04-30 | open |", "| bo | 2025-05-15 | done |")).encode()},
    )
    next_nights(runtime, 2)
    new = by_title(runtime)["Page the owner after 15 minutes"]
    assert (new.state, new.due_on, new.slips) == ("done", date(2025, 5, 15), 1)


def test_a_repository_of_postmortems_that_cannot_be_read_is_a_problem_and_no_more(merged: tuple[Runtime, People]) -> None:
    runtime, people = merged
    people.add_collaborator(BOT, "none")
    fill_day(runtime, after(1), incidents=[record()], incident_action_items=[ITEM])
    kept = keep_action_items(replace(on(runtime, after(1)), remotes={}), after(1))
    assert kept.rows == 1
    assert [problem.partition(":")[0] for problem in kept.synced.problems] == ["acme/postmortems"]
