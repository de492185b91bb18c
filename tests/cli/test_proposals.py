"""Proposals as a user of the command line meets them: the demo's outbox, answers, and a night that must not write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import copy_of, run
from tests.conftest import NOW
from tests.github import GitHubServer
from tests.proposal_builders import BOT, TOKEN

DAY = "2025-03-09"


def test_the_demo_puts_what_it_would_open_into_the_outbox(demo_home) -> None:
    home, outcome = demo_home
    outbox = home / "outbox" / DAY / "pull_requests"
    folders = sorted(outbox.iterdir())
    assert len(folders) == 10
    assert f"{len(folders):>7} pull requests in the outbox" in outcome.stdout
    assert "9 resources" in next(line for line in outcome.stdout.splitlines() if "requests pending" in line)
    assert f"Outbox: {outbox}" in outcome.stdout
    for folder in folders:
        assert {file.name for file in folder.iterdir()} == {"body.md", "change.patch", "payload.json"}
        request = json.loads((folder / "payload.json").read_text())
        assert request["head"].startswith("nightshift/")
        assert request["draft"] == ("risk: low" not in request["labels"])
        assert {each["resource_id"] in (folder / "body.md").read_text() for each in request["proposal"]["resources"]} == {True}


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to apply the patches with")
def test_every_patch_of_the_outbox_applies_and_changes_what_its_payload_says(demo_home, tmp_path: Path) -> None:
    home, _ = demo_home
    checkout = tmp_path / "checkout"
    shutil.copytree(home / "demo" / "infrastructure", checkout)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(checkout)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "all"], check=True)
    changed = 0
    for folder in sorted((home / "outbox" / DAY / "pull_requests").iterdir()):
        subprocess.run([*git, "apply", str(folder / "change.patch")], check=True)
        lines = subprocess.run([*git, "diff", "--numstat"], check=True, capture_output=True, text=True).stdout.splitlines()
        proposed = json.loads((folder / "payload.json").read_text())["proposal"]["resources"]
        added = sum(int(line.split()[0]) for line in lines)
        assert added == len({(each["file"], each["line"]) for each in proposed})
        for each in proposed:
            text = (checkout / each["file"]).read_text().splitlines()[each["line"] - 1]
            assert f'"{each["after"]}"' in text
        changed += added
        subprocess.run([*git, "checkout", "-q", "."], check=True)
    assert changed == 30


def test_proposals_are_listed_shown_and_answered(demo_home) -> None:
    home, _ = demo_home
    listed = run("proposals", "list", "--json", home=home)
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert len(rows) == 59
    assert [row["savings_usd_month"] for row in rows] == sorted((row["savings_usd_month"] for row in rows), reverse=True)
    name = next(row["resource_id"] for row in rows if row["route"] == "pull_request")
    table = run("proposals", "list", home=home).stdout.splitlines()
    assert len(table) == 60
    assert table[0].split()[:2] == ["Resource", "change"]
    rejected = run("proposals", "reject", name, "--reason", "a spare", "--by", "alice", home=home)
    assert rejected.stdout.startswith(f"{name}: rejected by alice on ")
    assert "rejected by alice" in run("proposals", "show", name, home=home).stdout
    assert run("proposals", "unreject", name, home=home).stdout == f"{name} may be proposed again.\n"
    again = run("proposals", "unreject", name, home=home)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert f"Nothing stands against {name}" in again.stderr
    snoozed = run("proposals", "snooze", name, "--until", "2099-01-31", "--by", "bob", home=home)
    assert "until 2099-01-31" in snoozed.stdout
    run("proposals", "unreject", name, home=home)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("reject", "i-nothing", "--reason", "x"), "i-nothing was never proposed"),
        (("snooze", "i-nothing", "--until", "2020-01-01"), "2020-01-01 is over"),
        (("show", "i-nothing"), "Nothing is proposed for i-nothing"),
        (("list", "--day", "2025-01-01"), "proposals has no partition for 2025-01-01"),
    ],
)
def test_bad_answers_are_one_sentence(demo_home, arguments: tuple[str, ...], told: str) -> None:
    home, _ = demo_home
    outcome = run("proposals", *arguments, home=home)
    assert outcome.returncode in (1, 2)
    assert outcome.stdout == ""
    assert told in outcome.stderr


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(lambda: NOW) as server:
        yield server
    assert server.unexpected == []


def test_a_night_of_an_old_day_asks_github_nothing_and_a_wrong_token_is_one_sentence(demo_home, github, tmp_path: Path) -> None:
    home = copy_of(demo_home[0], tmp_path / "home")
    (home / "demo" / "day").unlink()  # no demo any more: its day lies long ago
    github.add_token(TOKEN, login=BOT)
    config = tmp_path / "nightshift.toml"
    checkout, state = home / "demo" / "infrastructure", home / "demo" / "states" / "envs" / "dev.tfstate"
    config.write_text(
        f'[proposals]\nmode = "propose"\n[github]\nbase_url = "{github.url}"\nattempts = 1\n[[repositories]]\n'
        f'name = "acme/infra"\ncheckout = "{checkout}"\n[[repositories.roots]]\npath = "envs/dev"\nstate = "{state}"\n'
    )
    environment = {"NIGHTSHIFT_CONFIG": str(config), "NIGHTSHIFT_GITHUB_TOKEN": TOKEN}
    night = run("nightly", "--day", DAY, "--dry-run", home=home, **environment)
    assert night.returncode == 0, night.stderr
    assert "pull requests in the outbox" in night.stdout
    assert "Dry run: nothing outside was written." in night.stdout
    assert github.log == []
    doctor = run("doctor", home=home, **{**environment, "NIGHTSHIFT_GITHUB_TOKEN": "ghp_wrong"})
    assert "GitHub refused to sign in for acme/infra; give a token that is valid, or the key of the App." in doctor.stdout
    assert "ghp_wrong" not in doctor.stdout + doctor.stderr
    assert os.environ.get("NIGHTSHIFT_GITHUB_TOKEN") is None
