"""``nightshift actions`` on the demo."""

from __future__ import annotations

import json

from tests.cli.conftest import run

DAY = "2025-03-09"


def test_the_demo_has_action_items_and_its_night_says_how_they_stand(demo_home) -> None:
    _, outcome = demo_home
    said = "Action items: 32 action items on record, 21 not done, 6 overdue, 3 for more than 30 days."
    assert said in outcome.stdout.splitlines()


def test_the_list_of_the_demo_begins_with_the_longest_overdue(demo_home) -> None:
    home, _ = demo_home
    outcome = run("actions", "list", "--overdue", home=home)
    lines = outcome.stdout.splitlines()
    assert outcome.returncode == 0
    assert lines[1].split()[:6] == ["ACT-0004", "open", "2025-01-15", "54", "d", "late"]
    assert lines[-1] == "6 items, 6 overdue on 2025-03-10."


def test_the_digests_of_the_demo_lie_in_the_outbox(demo_home) -> None:
    home, _ = demo_home
    files = sorted((home / "outbox" / DAY / "action_reminders").glob("*/message.json"))
    assert "payments" in {file.parent.name for file in files}
    (payments,) = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.parent.name == "payments"]
    text = json.dumps(payments["blocks"], ensure_ascii=False)
    assert "Find out why December's pool limit was not rolled out" in text
    assert "41 days overdue, since 2025-01-28" in text


def test_the_report_of_the_demo_tells_overdue_items_and_shares(demo_home) -> None:
    home, _ = demo_home
    text = (home / "reports" / DAY / "report.md").read_text(encoding="utf-8")
    assert "| `ACT-0004` | Retry budget shared by all callers | INC-2024-2917 | platform-team | platform | open |" in text
    assert "| Done by the due date | 40% | 6 of 15 |" in text
    assert "| Done by now | 60% | 9 of 15 |" in text
    assert "Half of the action items are done within 69 days." in text


def test_an_item_of_the_demo_shows_what_became_of_it_before_the_first_night(demo_home) -> None:
    home, _ = demo_home
    lines = run("actions", "show", "ACT-0015", home=home).stdout.splitlines()
    assert "  Reopened  1×" in lines
    assert lines[-1] == "  2025-02-27 16:30  state → done by incident_action_items"
