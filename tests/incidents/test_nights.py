"""Night after night: only what is new is worked on, a correction moves what hangs on it, and people's text stays."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from dagster_project.actions import incident_store
from dagster_project.domain.file_names import file_name
from dagster_project.domain.incidents.importing.model import to_document
from dagster_project.domain.incidents.importing.reading import read_text
from dagster_project.errors import InputError
from dagster_project.lake.partitions import Lake
from dagster_project.lake.tables import TABLES
from dagster_project.pipeline import postmortems
from dagster_project.pipeline.incident_answers import listed, pick, shown
from dagster_project.pipeline.incident_import import anomalies_on_record
from dagster_project.pipeline.incident_metrics import corrections_since
from dagster_project.pipeline.incident_records import mitigated_by_engine, windows_to_capture, worked_on
from dagster_project.pipeline.incidents import known_incidents
from dagster_project.pipeline.runtime import Runtime
from dagster_project.pipeline.state import in_state
from tests.incidents.capture.night import DAY, Row, after, on
from tests.incidents.event_builders import alarm, decision, said
from tests.incidents.incident_nights import START, capture, document, fill_day, night, record, rows_of

SLOW = record("INC-2", service="search-api", title="Search is slow", severity="SEV-3")


def first_night(runtime: Runtime) -> None:
    capture(
        runtime,
        alarm("08:14:20", source_event_id="a1", breach_started_at="2025-03-03T08:12:00+00:00"),
        decision("08:15:00", source_event_id="d1", incident_id="INC-1"),
        said("08:20", "Looking. Ada Lovelace here, key AKIAIOSFODNN7EXAMPLE", source_event_id="s1"),
    )
    fill_day(runtime, incidents=[record(), SLOW])
    night(runtime)


def chosen(runtime: Runtime, incident_id: str, day: date = DAY) -> dict[str, datetime]:
    return {
        row["phase"]: row["began_at"]
        for row in rows_of(runtime, "incident_phases", day)
        if row["is_chosen"] and row["incident_id"] == incident_id
    }


def minutes(runtime: Runtime, incident_id: str, day: date = DAY) -> dict[str, float | None]:
    rows = rows_of(runtime, "incident_metrics", day)
    return {row["metric_id"]: row["minutes"] for row in rows if row["incident_id"] == incident_id and row["clock"] == "wall"}


def bytes_of(runtime: Runtime, day: date) -> dict[str, str]:
    """Digest of all that a night of incidents writes."""
    tables = [name for name in TABLES if name.startswith("incident_") or name in ("postmortems", "similar_incidents")]
    files: list[Path] = [file for name in tables for file in runtime.lake.files(TABLES[name], [day])]
    files += sorted((runtime.settings.reports / str(day)).rglob("*.*"))
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_first_night_works_on_every_incident(runtime: Runtime) -> None:
    first_night(runtime)
    records = {row["incident_id"]: row for row in rows_of(runtime, "incident_records")}
    assert {name: row["timeline_on"] for name, row in records.items()} == {"INC-1": DAY, "INC-2": DAY}
    assert minutes(runtime, "INC-1") == {
        "ttd": 3.0, "tta": None, "ttm": 50.0, "ttrep": 57.0, "ttres": 60.0, "ttrst": 60.0, "cid": 60.0, "fdrt": None,
    }  # fmt: skip
    told = [row["text"] for row in rows_of(runtime, "incident_timeline") if row["incident_id"] == "INC-1"]
    assert "Alarm payment-errors went to ALARM" in told
    assert "scale_up of payment-api succeeded" in told


def test_the_evidence_stands_beside_what_the_record_states(runtime: Runtime) -> None:
    first_night(runtime)
    rows = [
        row for row in rows_of(runtime, "incident_phases") if row["phase"] == "impact_started" and row["incident_id"] == "INC-1"
    ]
    assert [(row["rank"], row["method"], row["is_chosen"]) for row in rows] == [(1, "stated", True), (2, "breach_start", False)]


def test_a_night_in_which_nothing_is_new_works_on_nothing(runtime: Runtime) -> None:
    first_night(runtime)
    fill_day(runtime, after(1), incidents=[record(), SLOW])
    assert (night(runtime, after(1)).worked_on, worked_on(runtime, after(1))) == (0, [])
    assert rows_of(runtime, "incident_phases", after(1)) == rows_of(runtime, "incident_phases")
    assert {row["written_on"] for row in rows_of(runtime, "postmortems", after(1))} == {DAY}
    assert not (runtime.settings.reports / str(after(1))).exists()


def test_an_incident_that_changed_is_worked_on_alone(runtime: Runtime) -> None:
    first_night(runtime)
    changed = record(
        "INC-2", service="search-api", title="Search is slow", severity="SEV-3", resolved_at=START + timedelta(minutes=80)
    )
    fill_day(runtime, after(1), incidents=[record(), changed])
    night(runtime, after(1))
    assert worked_on(runtime, after(1)) == ["INC-2"]
    assert minutes(runtime, "INC-2", after(1))["ttres"] == 70


def test_evidence_that_comes_late_is_worked_in(runtime: Runtime) -> None:
    first_night(runtime)
    capture(runtime, said("08:40", "It is the pool", source_event_id="late"), day=after(1))
    fill_day(runtime, after(1), incidents=[record(), SLOW])
    night(runtime, after(1))
    assert "INC-1" in worked_on(runtime, after(1))
    told = [row["text"] for row in rows_of(runtime, "incident_timeline", after(1)) if row["incident_id"] == "INC-1"]
    assert "It is the pool" in told
    assert "scale_up of payment-api succeeded" in told


def test_the_same_night_again_gives_the_same_bytes(runtime: Runtime) -> None:
    first_night(runtime)
    before = bytes_of(runtime, DAY)
    night(runtime)
    assert bytes_of(runtime, DAY) == before
    assert len(before) > 10


def test_a_pick_moves_what_hangs_on_it_and_nothing_else(runtime: Runtime) -> None:
    first_night(runtime)
    told = pick(on(runtime, DAY), "INC-1", "impact-started", "08:04", "the gateway's log", None)
    assert (told.before, told.after) == (START, START - timedelta(minutes=10))
    fill_day(runtime, after(1), incidents=[record(), SLOW])
    night(runtime, after(1))
    assert worked_on(runtime, after(1)) == ["INC-1"]
    was, now = minutes(runtime, "INC-1"), minutes(runtime, "INC-1", after(1))
    assert {name: (was[name], now[name]) for name in was if was[name] != now[name]} == {
        "ttd": (3, 13), "ttm": (50, 60), "ttrst": (60, 70), "cid": (60, 70),
    }  # fmt: skip
    assert minutes(runtime, "INC-2") == minutes(runtime, "INC-2", after(1))
    (correction,) = corrections_since(runtime, DAY, after(1))
    assert correction.incident_id == "INC-1"
    assert {value.metric_id for value in correction.values} == {"ttd", "ttm", "ttrst", "cid"}


def test_a_pick_that_is_taken_back_leaves_what_the_record_states(runtime: Runtime) -> None:
    fill_day(runtime, incidents=[record()])
    pick(on(runtime, DAY), "INC-1", "impact_started", "08:04", "the gateway's log", None)
    told = pick(on(runtime, DAY), "INC-1", "impact_started", None, "that was a load test", None)
    assert (told.before, told.after) == (START - timedelta(minutes=10), START)


@pytest.mark.parametrize(
    ("phase", "text", "reason", "sentence"),
    [
        ("begun", "08:04", "x", "begun is no phase"),
        ("detected", "soon", "x", "soon is no time"),
        ("detected", "20250303", "x", "20250303 is no time"),
        ("detected", "2025-03-03T08", "x", "2025-03-03T08 is no time"),
        ("detected", "08:04", " ", "A reason is needed"),
        ("detected", "2025-04-20 08:04", "x", "has not come yet"),
        ("detected", "2024-03-03 08:04", "x", "more than 30 days from INC-1"),
    ],
)
def test_a_pick_that_cannot_be_is_refused_in_a_sentence(
    runtime: Runtime, phase: str, text: str, reason: str, sentence: str
) -> None:
    fill_day(runtime, incidents=[record()])
    with pytest.raises(InputError, match=sentence):
        pick(on(runtime, DAY), "INC-1", phase, text, reason, None)
    assert known_incidents(on(runtime, DAY), DAY)["INC-1"].picks == {}


@pytest.mark.parametrize(
    ("text", "zone", "read"),
    [
        ("2025-03-03T09:20:30+01:00", None, "08:20:30"),
        ("2025-03-03 09:21", "Europe/Copenhagen", "08:21:00"),
        ("9:05", None, "09:05:00"),
        ("17:14", "Asia/Tokyo", "08:14:00"),
        ("2025-03-03T08:22Z", "Europe/Copenhagen", "08:22:00"),
    ],
)
def test_a_pick_is_read_in_its_zone(runtime: Runtime, text: str, zone: str | None, read: str) -> None:
    fill_day(runtime, incidents=[record()])
    assert pick(on(runtime, DAY), "INC-1", "detected", text, "x", zone).after == datetime.fromisoformat(f"2025-03-03 {read}")


def test_picks_are_append_only(runtime: Runtime) -> None:
    fill_day(runtime, incidents=[record()])
    pick(on(runtime, DAY), "INC-1", "detected", "08:16", "x", None)

    async def rewrite() -> None:
        connection = await asyncpg.connect(runtime.dsn())
        try:
            await connection.execute("update nightshift.incident_picks set reason = 'y'")
        finally:
            await connection.close()

    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        asyncio.run(rewrite())


def test_what_people_wrote_into_a_document_is_in_the_next_one(runtime: Runtime) -> None:
    first_night(runtime)
    file = runtime.settings.reports / str(DAY) / "postmortems" / "INC-1.md"
    text = file.read_text(encoding="utf-8")
    guidance = "*What kept it from being worse, so that we keep it?*"
    file.write_text(text.replace(guidance, f"{guidance}\n\nThe breaker opened in time."), encoding="utf-8")
    night(runtime)
    assert "The breaker opened in time." in document(runtime)
    assert "The breaker opened in time." in document(runtime, kind="html")
    fill_day(runtime, after(1), incidents=[record(title="Payments failed")])
    night(runtime, after(1))
    assert "The breaker opened in time." in document(runtime, day=after(1))
    assert "# INC-1: Payments failed" in document(runtime, day=after(1))
    assert "# INC-1: Payments fail\n" in document(runtime), "the old day's document stays as it was"


def file_of(runtime: Runtime, day: date = DAY, incident_id: str = "INC-1") -> Path:
    return runtime.settings.reports / str(day) / "postmortems" / f"{incident_id}.md"


def rewrite(runtime: Runtime, content: Callable[[bytes], bytes]) -> None:
    """Somebody saves the first night's document anew."""
    file_of(runtime).write_bytes(content(file_of(runtime).read_bytes()))


def second_night(runtime: Runtime, days: int = 1, **more: str) -> dict[str, Row]:
    """A night in which the other incident has another title; the documents' rows."""
    fill_day(runtime, after(days), incidents=[record(**more), {**SLOW, "title": f"Search was slow for {days} days"}])
    night(runtime, after(days))
    return {row["incident_id"]: row for row in rows_of(runtime, "postmortems", after(days))}


def test_what_somebody_wrote_is_on_the_next_page_although_nothing_else_is_new(runtime: Runtime) -> None:
    first_night(runtime)
    rewrite(runtime, lambda text: text.replace(b"## Lessons", b"## Lessons\n\nAlarms need owners."))
    assert second_night(runtime)["INC-1"]["written_on"] == after(1)
    assert worked_on(runtime, after(1)) == ["INC-2"]
    assert "Alarms need owners." in document(runtime, day=after(1), kind="html")
    assert second_night(runtime, 2)["INC-1"]["written_on"] == after(1)


def test_a_night_before_that_ends_meanwhile_takes_no_document_from_the_list(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_night(runtime)
    second_night(runtime)
    found = [{}]  # at first the night before has no documents yet, and then it has

    def ends_meanwhile(lake: Lake, day: date) -> dict[str, Row]:
        return found.pop() if found else earlier(lake, day)

    earlier = postmortems._earlier
    monkeypatch.setattr(postmortems, "_earlier", ends_meanwhile)
    postmortems.write_postmortems(on(runtime, after(1)), after(1))
    assert {row["incident_id"] for row in rows_of(runtime, "postmortems", after(1))} == {"INC-1", "INC-2"}


def test_a_document_with_crlf_keeps_its_line_ends(runtime: Runtime) -> None:
    first_night(runtime)
    rewrite(runtime, lambda text: text.replace(b"\n", b"\r\n").replace(b"## Lessons\r\n", b"## Lessons\r\n\r\nours\r\n"))
    assert second_night(runtime, title="Payments failed")["INC-1"]["sections_edited"] == 0
    written = file_of(runtime, after(1)).read_bytes()
    assert b"# INC-1: Payments failed\r\n" in written
    assert b"## Lessons\r\n\r\nours\r\n" in written
    assert written.count(b"\n") == written.count(b"\r\n")
    assert "\r" not in document(runtime, day=after(1), kind="html")


def test_a_byte_order_mark_keeps_no_section_from_being_brought_up_to_date(runtime: Runtime) -> None:
    first_night(runtime)
    rewrite(runtime, lambda text: b"\xef\xbb\xbf" + text)
    second_night(runtime, title="Payments failed")
    assert file_of(runtime, after(1)).read_bytes().startswith(b"\xef\xbb\xbf<!-- nightshift:begin header ")
    assert "# INC-1: Payments failed" in document(runtime, day=after(1))
    assert "\ufeff" not in document(runtime, day=after(1), kind="html")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_document_that_cannot_be_read_is_left_alone_and_the_others_are_written(runtime: Runtime, encoding: str) -> None:
    first_night(runtime)
    rewrite(runtime, lambda text: text.decode().replace("\N{EN DASH}", "\N{POUND SIGN}").encode(encoding, "replace"))
    saved = file_of(runtime).read_bytes()
    rows = second_night(runtime, title="Payments failed")
    place = f"{DAY}/postmortems/INC-1.md"
    assert rows["INC-1"]["problem"] == (
        f"{place} is not UTF-8, so it is left alone; save it as UTF-8, and the next night brings it up to date."
    )
    assert (rows["INC-1"]["written_on"], rows["INC-2"]["written_on"]) == (DAY, after(1))
    assert file_of(runtime).read_bytes() == saved
    assert not file_of(runtime, after(1)).exists()
    # The next night tells it again; saved as it should be, it is brought up to date.
    assert second_night(runtime, 2, title="Payments failed")["INC-1"]["problem"] == rows["INC-1"]["problem"]
    rewrite(runtime, lambda text: text.decode(encoding).encode())
    mended = second_night(runtime, 3, title="Payments failed")["INC-1"]
    assert (mended["written_on"], mended["problem"]) == (after(3), None)
    assert "# INC-1: Payments failed" in document(runtime, day=after(3))


def test_a_folder_in_the_place_of_a_document_ends_nothing(runtime: Runtime) -> None:
    first_night(runtime)
    file_of(runtime).unlink()
    file_of(runtime).mkdir()
    rows = second_night(runtime)
    assert "cannot be read (Is a directory), so it is left alone" in rows["INC-1"]["problem"]
    assert rows["INC-2"]["written_on"] == after(1)


def test_a_section_whose_marker_was_lost_is_told_as_edited(runtime: Runtime) -> None:
    first_night(runtime)
    rewrite(runtime, lambda text: re.sub(rb"<!-- nightshift:begin header \w+ -->\n", b"", text))
    assert second_night(runtime)["INC-1"]["sections_edited"] == 1


def test_a_generated_section_that_somebody_changed_is_theirs(runtime: Runtime) -> None:
    first_night(runtime)
    file = runtime.settings.reports / str(DAY) / "postmortems" / "INC-1.md"
    file.write_text(file.read_text(encoding="utf-8").replace("The pool was full.", "The pool was too small."), encoding="utf-8")
    fill_day(runtime, after(1), incidents=[record(summary="The pool was exhausted.", title="Payments failed")])
    night(runtime, after(1))
    assert "The pool was too small." in document(runtime, day=after(1))
    assert "The pool was exhausted." not in document(runtime, day=after(1))
    (row,) = [row for row in rows_of(runtime, "postmortems", after(1)) if row["incident_id"] == "INC-1"]
    assert row["sections_edited"] == 1


def test_secrets_and_names_are_in_no_document(runtime: Runtime) -> None:
    first_night(runtime)
    for kind in ("md", "html"):
        text = document(runtime, kind=kind)
        assert "Lovelace" not in text
        assert "AKIAIOSFODNN7EXAMPLE" not in text
        assert "engineer-" in text


def test_an_id_that_leads_elsewhere_stays_in_its_folder(runtime: Runtime) -> None:
    fill_day(runtime, incidents=[record("../../escape"), record("..-..-escape")])
    night(runtime)
    folder = runtime.settings.reports / str(DAY) / "postmortems"
    assert {each.name for each in folder.iterdir()} == {
        f"{file_name(name)}.{kind}" for name in ("../../escape", "..-..-escape") for kind in ("md", "html")
    }
    assert len(list(runtime.settings.reports.rglob("*.md"))) == 2
    assert not any(each.suffix == ".md" for each in runtime.settings.reports.parent.iterdir())


def test_an_old_incident_has_a_record_and_no_document(runtime: Runtime) -> None:
    long_ago = {name: START - timedelta(days=300) for name in record() if name.endswith("_at")}
    fill_day(runtime, incidents=[record(**long_ago)])
    night(runtime)
    assert [row["incident_id"] for row in rows_of(runtime, "incident_records")] == ["INC-1"]
    assert rows_of(runtime, "postmortems") == []


def test_action_items_that_change_write_the_document_anew(runtime: Runtime) -> None:
    item = {"item_id": "ACT-1", "incident_id": "INC-1", "title": "Limit retries", "state": "open"}
    fill_day(runtime, incidents=[record()], incident_action_items=[item])
    night(runtime)
    fill_day(runtime, after(1), incidents=[record()], incident_action_items=[{**item, "state": "done"}])
    night(runtime, after(1))
    assert (worked_on(runtime, after(1)), "| Limit retries |" in document(runtime, day=after(1))) == ([], True)


def test_emergencies_that_nobody_declared_are_proposed_and_not_counted(runtime: Runtime) -> None:
    decided = [
        {
            "decision_id": f"d{number}", "decision_at": START + timedelta(minutes=5 * number), "target": "cart-api",
            "action_type": "scale_up", "outcome": "failed", "is_dry_run": False,
        }
        for number in range(3)
    ]  # fmt: skip
    fill_day(runtime, decision_audit=decided)
    assert windows_to_capture(on(runtime, DAY), DAY) == [(START, START + timedelta(minutes=10))]
    night(runtime)
    (row,) = rows_of(runtime, "incident_records")
    assert (row["incident_id"], row["counts_in_metrics"], row["not_counted_because"]) == (
        "UND-cart-api-20250303T0814", False, "nobody has declared it",
    )  # fmt: skip
    fill_day(runtime, after(1), decision_audit=[], incidents=[record(service="cart-api")])
    night(runtime, after(1))
    assert [row["incident_id"] for row in rows_of(runtime, "incident_records", after(1))] == ["INC-1"]


POSTMORTEM = """# Payments fail

## Timeline (UTC)

| Time | Event |
|---|---|
| 2025-03-03 08:05 | Retries pile up |
| 2025-03-03 08:14 | **Detection:** the pager goes off |
| 2025-03-03 09:24 | **Recovery:** all is well |

## Action items

- Limit retries
"""


def store(runtime: Runtime, name: str, text: str) -> incident_store.Imported:
    found = read_text(text, name).incidents
    documents = [(each.incident.incident_id, each.file, to_document(each)) for each in found]
    return in_state(
        runtime,
        lambda connection: incident_store.add_imported(connection, documents, "ada", datetime(2025, 3, 9, tzinfo=UTC)),
        is_new=True,
    )


def test_an_import_is_an_incident_with_its_rows_and_items(runtime: Runtime) -> None:
    assert store(runtime, "payments.md", POSTMORTEM) == incident_store.Imported(new=1, changed=0, unchanged=0)
    fill_day(runtime)
    night(runtime)
    (row,) = rows_of(runtime, "incident_records")
    assert (row["origin"], row["title"]) == ("import", "Payments fail")
    text = document(runtime, row["incident_id"])
    assert "Retries pile up" in text
    assert "Limit retries" in text


def test_the_same_import_again_is_no_new_version_and_a_changed_one_is(runtime: Runtime) -> None:
    store(runtime, "payments.md", POSTMORTEM)
    assert store(runtime, "payments.md", POSTMORTEM) == incident_store.Imported(new=0, changed=0, unchanged=1)
    changed = POSTMORTEM.replace("pile up", "fill the pool")
    assert store(runtime, "payments.md", changed) == incident_store.Imported(new=0, changed=1, unchanged=0)
    fill_day(runtime)
    night(runtime)
    assert "Retries fill the pool" in document(runtime, rows_of(runtime, "incident_records")[0]["incident_id"])


def test_an_import_of_what_began_after_a_day_is_not_known_on_it(runtime: Runtime) -> None:
    store(runtime, "payments.md", POSTMORTEM)
    fill_day(runtime, date(2025, 3, 2))
    fill_day(runtime, date(2025, 3, 3))
    assert known_incidents(on(runtime, DAY), date(2025, 3, 2)) == {}
    assert len(known_incidents(on(runtime, DAY), date(2025, 3, 3))) == 1


def test_without_any_night_the_command_line_knows_what_was_imported(runtime: Runtime) -> None:
    store(runtime, "payments.md", POSTMORTEM)
    (row,) = listed(runtime)
    assert (row.origin, row.started_at) == ("import", datetime(2025, 3, 3, 8, 14))
    found = shown(runtime, row.incident_id)
    assert [entry.text for entry in found.timeline.entries if entry.at == datetime(2025, 3, 3, 8, 5)] == ["Retries pile up"]


def test_an_incident_that_nobody_knows_is_refused(runtime: Runtime) -> None:
    with pytest.raises(InputError, match="Nothing is known of an incident INC-9"):
        shown(runtime, "INC-9")


def test_the_engine_mitigated_alone_what_nobody_touched(runtime: Runtime) -> None:
    capture(
        runtime,
        decision("08:15:00", source_event_id="d1", incident_id="INC-1"),
        said("08:20", "Looking", source_event_id="s1"),
        decision("08:15:00", source_event_id="d2", incident_id="INC-2"),
        replace(said("09:40", "It healed itself", source_event_id="s2"), incident_id="INC-2"),
        decision("08:15:00", "notify", source_event_id="d3", incident_id="INC-3"),
        decision("08:16:00", source_event_id="d4", incident_id="INC-3", payload={"is_dry_run": True}),
        replace(said("09:40", "Strange", source_event_id="s3"), incident_id="INC-3"),
        decision("08:15:00", source_event_id="d5", incident_id="INC-4"),
    )
    names = {"INC-1": "payment-api", "INC-2": "search-api", "INC-3": "cart-api", "INC-4": "tax-api"}
    fill_day(runtime, incidents=[record(name, service=service) for name, service in names.items()])
    night(runtime)
    assert mitigated_by_engine(runtime, DAY) == {"INC-1": False, "INC-2": True, "INC-3": False}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"resolved_at": START + timedelta(minutes=70, hours=12)}, "twelve_hours_off"),
        ({"mitigated_at": START - timedelta(minutes=5)}, "order"),
        ({"resolved_at": START.replace(year=2035)}, "future"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("is_imported", [False, True], ids=["alone", "beside an import"])
def test_a_time_of_the_record_that_looks_wrong_is_told_wherever_the_incident_is(
    runtime: Runtime, wrong: Row, code: str, is_imported: bool
) -> None:
    if is_imported:
        store(
            runtime,
            "payments.md",
            "---\nid: INC-1\n---\n# Payments fail\n\n## Timeline (UTC)\n\n- 2025-03-03 08:14: payments fail\n",
        )
    fill_day(runtime, incidents=[record(**wrong)])
    night(runtime)
    told = anomalies_on_record(on(runtime, DAY))[1]
    assert code in {each.code for each in told}
    assert shown(on(runtime, DAY), "INC-1").anomalies == told
    text = re.sub(r"\\(.)", r"\1", document(runtime))
    assert [each.sentence for each in told if each.sentence not in text] == []
