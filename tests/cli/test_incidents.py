"""``nightshift incidents``: on the demo, and on files of past incidents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from dagster_project.demo.conversations import PEOPLE, PLANTED
from tests.cli.conftest import run

DAY = "2025-03-09"
PAYMENTS = "INC-2025-0342"
STATUS_PAGE = {
    "id": "1001", "title": "Checkout is slow", "impact": "minor", "components": ["Checkout"], "url": "https://status.example/1001",
    "started_at": "2025-03-01T10:00:00Z", "resolved_at": "2025-03-01T10:40:00Z",
    "published_at": "2025-03-01T10:40:00Z", "updated_at": "2025-03-01T10:40:00Z",
    "impact_window": {"start_at": "2025-03-01T21:55:00Z", "end_at": "2025-03-01T22:40:00Z"},
    "updates": [
        {"at": "2025-03-01T10:00:00Z", "status": "Investigating", "message": "We are looking into it."},
        {"at": "2025-03-01T10:40:00Z", "status": "Resolved", "message": "Resolved."},
    ],
}  # fmt: skip


def documents(home: Path) -> list[Path]:
    return sorted((home / "reports" / DAY / "postmortems").iterdir())


def test_the_demo_writes_a_document_for_each_of_its_incidents(demo_home) -> None:
    home, _ = demo_home
    names = [file.stem for file in documents(home) if file.suffix == ".html"]
    assert len(names) == 11
    assert {PAYMENTS, "INC-2024-2917", "UND-cart-api-20250227T1505"} <= set(names)


def test_the_night_says_what_it_knows_of_incidents_and_where_the_documents_are(demo_home) -> None:
    home, outcome = demo_home
    assert (
        "Incidents: 10 incidents on record, 1 open; 2 left out of metrics (drills, tests, maintenance). 1 cluster of"
        in outcome.stdout
    )
    assert f"Postmortems: 11 in {home}/reports/{DAY}/postmortems" in outcome.stdout.splitlines()


def test_both_cascades_are_told_minute_by_minute(demo_home) -> None:
    home, _ = demo_home
    text = (home / "reports" / DAY / "postmortems" / f"{PAYMENTS}.md").read_text(encoding="utf-8")
    assert "Customers felt it for **4 h 23 min**" in text
    told = re.findall(r"^\| (?:2025-03-03 )?(\d\d:\d\d)", text, re.MULTILINE)
    # 3:14 AM to 7:52 AM on the east coast.
    assert {"08:14", "08:17", "08:45", "09:12", "09:18", "09:47", "10:23", "11:02", "11:45", "12:37", "12:52"} <= set(told)
    text = (home / "reports" / DAY / "postmortems" / "INC-2024-2917.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (?:2024-11-30 )?(\d\d:\d\d)", text, re.MULTILINE)
    # 11:23 PM on Black Friday to 4:18 AM the next day.
    assert {"04:23", "04:24", "04:25", "04:26", "04:27", "04:29", "04:31", "04:34", "04:36", "04:42", "04:45", "05:17"} <= set(
        told
    )


def test_what_the_engine_did_and_did_not_do_stands_in_the_document(demo_home) -> None:
    home, _ = demo_home
    text = (home / "reports" / DAY / "postmortems" / f"{PAYMENTS}.md").read_text(encoding="utf-8")
    assert "The engine acted 40 s after the impact began, people 3.1 min after." in text
    assert "| `payment-db` | `scale up` | it lacked the right | CPU Emergency Scale-Up (cpu\\_usage &gt; 75 for 2 min) |" in text


def test_no_page_of_the_demo_shows_a_name_or_a_secret(demo_home) -> None:
    home, _ = demo_home
    parts = {part for name in PEOPLE for part in name.split() if len(part) > 3}
    assert parts, "the story has people"
    for file in (*documents(home), home / "reports" / DAY / "index.html", home / "reports" / DAY / "report.md"):
        text = file.read_text(encoding="utf-8")
        assert [planted for planted in PLANTED if planted in text] == [], file.name
        assert [part for part in parts if re.search(rf"\b{re.escape(part)}\b", text)] == [], file.name


def test_the_report_links_to_each_document(demo_home) -> None:
    home, _ = demo_home
    page = (home / "reports" / DAY / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(postmortems/[^"]+)"', page)
    assert len(links) == 11
    assert all((home / "reports" / DAY / link).is_file() for link in links)


def test_list_shows_what_counts_and_what_does_not(demo_home) -> None:
    home, _ = demo_home
    rows = [json.loads(line) for line in run("incidents", "list", "--json", home=home).stdout.splitlines()]
    left_out = {row["incident_id"]: row["not_counted_because"] for row in rows if row["not_counted_because"]}
    assert left_out == {
        "INC-2025-0118": "a drill",
        "INC-2025-0177": "scheduled maintenance",
        "UND-cart-api-20250227T1505": "nobody has declared it",
    }
    assert len(rows) == 11


def test_show_tells_phases_with_their_sources_and_the_timeline(demo_home) -> None:
    home, _ = demo_home
    told = run("incidents", "show", PAYMENTS, home=home)
    assert told.returncode == 0, told.stderr
    assert "  Impact started  2025-03-03 08:14  incidents, stated" in told.stdout
    assert "or 2025-03-03 08:14: The breach that raised the alarm began then, by its own data." in told.stdout
    assert not any(planted in told.stdout for planted in PLANTED)
    shown = json.loads(run("incidents", "show", PAYMENTS, "--json", home=home).stdout)
    assert len(shown["timeline"]) > 80
    assert "Lindqvist" not in json.dumps(shown, ensure_ascii=False)


def test_an_unknown_incident_is_refused_in_a_sentence(demo_home) -> None:
    home, _ = demo_home
    told = run("incidents", "show", "INC-9", home=home)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "Error: Nothing is known of an incident INC-9; 'nightshift incidents list' lists those that are.\n"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("imports") / "home"
    file = home.parent / "status.jsonl"
    file.write_text(json.dumps(STATUS_PAGE) + "\n" + '{"id": \n', encoding="utf-8")
    told = run("incidents", "import", str(file), home=home)
    assert told.returncode == 0, told.stderr
    assert "status.jsonl:2: " in told.stdout
    assert "1 file: 1 incidents, " in told.stdout
    assert "1 new, 0 changed, 0 as they were." in told.stdout
    return home


def test_an_import_is_known_before_any_night(imported: Path) -> None:
    (row,) = [json.loads(line) for line in run("incidents", "list", "--json", home=imported).stdout.splitlines()]
    assert (row["incident_id"], row["service"], row["started_at"]) == ("1001", "Checkout", "2025-03-01 10:00:00")


def test_the_same_file_again_changes_nothing(imported: Path) -> None:
    told = run("incidents", "import", str(imported.parent / "status.jsonl"), home=imported)
    assert "0 new, 0 changed, 1 as they were." in told.stdout


def test_check_lists_a_window_that_is_twelve_hours_off_and_fails(imported: Path) -> None:
    told = run("incidents", "check", "--json", home=imported)
    assert told.returncode == 1
    (anomaly,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (anomaly["code"], anomaly["incident_id"]) == ("twelve_hours_off", "1001")


def test_a_time_that_looks_wrong_is_no_phase(imported: Path) -> None:
    shown = json.loads(run("incidents", "show", "1001", "--json", home=imported).stdout)
    assert not any(moment["is_chosen"] for moment in shown["phases"].get("impact_started", []))


def test_a_person_says_when_it_began(imported: Path) -> None:
    told = run("incidents", "set", "1001", "impact_started", "09:55", "--reason", "the window meant the morning", home=imported)
    assert (told.returncode, told.stdout) == (0, "1001 impact_started: unknown → 2025-03-01 09:55 UTC\n")
    told = run("incidents", "set", "1001", "impact_started", "--withdraw", "--reason", "not sure", home=imported)
    assert told.stdout == "1001 impact_started: 2025-03-01 09:55 → unknown\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import",), "Name the files or folders to import."),
        (("import", "nowhere.md"), "The file nowhere.md cannot be read (No such file or directory); correct the path."),
        (("set", "1001", "detected", "--reason", "x"), "Give either a time or --withdraw."),
    ],
)
def test_bad_input_gets_one_sentence(imported: Path, arguments: tuple[str, ...], sentence: str) -> None:
    told = run("incidents", *arguments, home=imported)
    assert (told.returncode, told.stderr) == (2, f"Error: {sentence}\n")


def test_capacity_that_an_incident_left_behind_is_part_of_a_verdicts_story(demo_home) -> None:
    home, _ = demo_home
    with duckdb.connect(str(home / "warehouse" / "nightshift.duckdb"), read_only=True) as connection:
        query = "select min(resource_id) from rightsizing_verdicts where service = 'search-api'"
        ((resource_id,),) = connection.execute(query).fetchall()
    told = run("explain", resource_id, home=home).stdout
    story = "2 replicas were added to search-api on 5 March 2025 at 17:22 UTC in INC-2025-0349"
    assert f"  Capacity that incidents left behind\n    {story}" in told
