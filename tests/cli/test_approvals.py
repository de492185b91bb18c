"""Approvals on the command line: the demo asks, its cloud changes, and the next night says what became of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.pipeline.approvers import user_of_this_process
from tests.cli.conftest import copy_of, run
from tests.slack.blocks import check_message_blocks

DAY = "2025-03-09"
DEV, STAGING, HIGH = "i-02d26a1ae6c8cb5e9", "i-0d3048f2baf02349b", "i-08299e7350bd956f9"


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo's home: what is approved here must not show elsewhere."""
    return copy_of(demo_home[0], tmp_path_factory.mktemp("approvals") / "home")


def events_of(home: Path) -> int:
    """How many events the chain has; each must fit to the one before it."""
    told = run("proposals", "verify", home=home)
    assert told.returncode == 0, told.stdout
    count, rest = told.stdout.splitlines()[0].split(" ", 1)
    assert rest == "events, each fits to the one before it."
    return int(count)


def requests_of(home: Path) -> dict[str, str]:
    listed = run("proposals", "list", "--json", home=home).stdout.splitlines()
    return {row["resource_id"]: row["request_id"] for row in map(json.loads, listed) if row["request_id"]}


def test_the_demo_asks_and_says_how_to_answer(demo_home) -> None:
    home, outcome = demo_home
    lines = outcome.stdout.splitlines()
    assert "        4 requests pending            $      2,007 a month in 9 resources" in lines
    asked = [line for line in lines if line.startswith("  Asked: ")]
    # What may be applied first is told first.
    assert [line.partition("(")[2] for line in asked] == [
        "notification-api in dev, low risk)", "notification-api in staging, low risk)",
        "notification-api in prod, medium risk)", "notification-api in prod, high risk)",
    ]  # fmt: skip
    assert lines[-1] == "4 requests for an approval. Nightshift applied nothing."
    outbox = home / "outbox" / DAY / "slack"
    assert f"Outbox: {outbox}" in lines
    folders = sorted(folder.name for folder in outbox.iterdir())
    assert folders == ["apr-398553f6459b", "apr-6de7e966e606", "apr-c27a087ab4b0", "apr-ffbefdc41607", "digest-platform"]
    for name in folders:
        message = json.loads((outbox / name / "message.json").read_text())
        check_message_blocks(message["blocks"])


def test_an_approval_is_applied_and_the_next_night_shows_what_became_of_it(home: Path) -> None:
    request_id, before = requests_of(home)[DEV], events_of(home)
    told = run("proposals", "approve", DEV, home=home)
    email = f"{user_of_this_process()}@example.com"
    assert told.stdout.splitlines() == [
        f"{DEV}  instance_type r6i.2xlarge -> r6i.xlarge, $183.96",
        f"{request_id} revision 1: Approved by {email}; it may be applied until 2025-03-17 02:00 UTC.",
        f"{DEV} r6i.2xlarge -> r6i.xlarge: applied. It is well.",
        f"{request_id}: executed (1 applied).",
    ]
    message = json.loads((home / "outbox" / DAY / "slack" / request_id / "message.json").read_text())
    assert "*Executed*" in json.dumps(message["blocks"])
    assert "actions" not in [block["type"] for block in message["blocks"]]
    # An earlier environment has changed just now; the next one waits for it to prove itself.
    waits = run("proposals", "approve", STAGING, home=home)
    assert f"Waits: {STAGING}: {DEV} in dev was changed on 2025-03-10 at 02:00 UTC, less than 20 hours ago." in waits.stdout
    again = run("demo", home=home)
    assert again.returncode == 0, again.stderr
    assert "The demo goes on to 2025-03-10." in again.stderr
    assert "Night of 2025-03-10: 316 resources" in again.stdout
    (row,) = map(json.loads, run("proposals", "outcomes", "--json", home=home).stdout.splitlines())
    assert (row["resource_id"], row["applied_on"], row["source"]) == (DEV, "2025-03-10", f"request:{request_id}")
    assert (row["estimated_usd_month"], row["realized_usd_month"]) == (183.96, pytest.approx(183.96))
    page = (home / "reports" / "2025-03-10" / "index.html").read_text()
    assert "What became of it" in page
    assert "Nightshift applied, or began to apply, 1 approved request." in page
    assert events_of(home) - before == 6
    shown = run("proposals", "show", DEV, home=home).stdout
    assert [line.strip().split("UTC  ")[-1] for line in shown.splitlines() if ": done" in line] == [
        "stop: done", "set_type: done", "start: done",
    ]  # fmt: skip


def test_one_person_is_not_two(home: Path) -> None:
    first = run("proposals", "approve", HIGH, home=home).stdout
    assert "1 more person must approve (2 for high risk)" in first
    second = run("proposals", "approve", HIGH, home=home).stdout
    assert "has approved it already; 1 more person must approve (2 for high risk)." in second


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("approve", "i-nothing"),
            "Nothing is asked for i-nothing; 'nightshift proposals show i-nothing' says what is known of it.",
        ),
        (
            ("approve", "apr-000000000000"),
            "There is no request apr-000000000000; 'nightshift proposals list' has those that wait.",
        ),
    ],
)
def test_what_cannot_be_approved_is_told_in_one_sentence(demo_home, arguments: tuple[str, ...], told: str) -> None:
    outcome = run("proposals", *arguments, home=demo_home[0])
    assert (outcome.returncode, outcome.stderr.splitlines()[-1]) == (2, f"Error: {told}")


def test_nothing_is_approved_or_applied_while_a_kill_switch_is_on(demo_home) -> None:
    home, _ = demo_home
    refused = run("proposals", "approve", STAGING, home=home, NIGHTSHIFT_KILL_SWITCH="1")
    assert (refused.returncode, refused.stderr) == (2, "Error: A kill switch is on: nothing is approved meanwhile.\n")
    idle = run("proposals", "apply", home=home, NIGHTSHIFT_KILL_SWITCH="1")
    assert (idle.returncode, idle.stdout) == (0, "Waits: A kill switch is on: nothing is applied.\n")
