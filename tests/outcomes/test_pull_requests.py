"""From a merged pull request to the one that takes it back: the ledger, a GitHub, and people."""

# ruff: noqa: DTZ001 - the lake's times are naive UTC
from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dagster_project.domain.proposals.payload import from_body
from dagster_project.lake.tables import PROPOSAL_ANSWERS, PROPOSAL_OUTCOMES
from tests.conftest import query
from tests.outcome_builders import WatchedWorld
from tests.outcomes.conftest import NewWorld
from tests.proposal_builders import FIRST_DAY, ROOT, state_of


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def merged(world: WatchedWorld, *names: str) -> int:
    """The pull request of the first night is merged and applied; it is live on the second day. Returns its number."""
    world.night()
    (pull,) = world.pulls()
    world.noon()
    world.people.merge("alice", pull.number)
    world.apply()
    for name in names or world.machines:
        world.machines[name].target = None
    world.tomorrow()
    world.night()
    return pull.number


def test_an_emergency_takes_a_merged_change_back_once(new_world: NewWorld) -> None:
    world = new_world("i-1")
    number = merged(world)
    row = world.outcomes()["i-1"]
    assert (row["source"], row["decided_by"], row["noted_on"], row["applied_on"]) == (
        f"acme/infra#{number}",
        "alice",
        day(1),
        day(1),
    )
    assert (row["estimated_usd_month"], row["stated_exceedance_pct"], row["risk"]) == (140.0, 1.0, "low")
    world.tomorrow()
    world.night()
    assert world.outcomes()["i-1"]["check_1"] == "fine"
    assert world.headrooms() == {}

    world.tomorrow()
    world.machines["i-1"].reason = "refuse_recent_emergency_scaleup"
    world.emergency("i-1", datetime(2025, 3, 12, 9, 30))
    rows = world.night()
    row = world.outcomes()["i-1"]
    assert (row["emergencies"], row["regret"], row["regret_reason"], row["regret_on"]) == (1, True, "emergency_scaleup", day(3))
    assert (row["check_1"], row["check_7"]) == ("fine", None)
    assert world.headrooms() == {"payment-api": 20.0}
    proposal = world.proposals()["i-1"]
    assert (proposal["value_before"], proposal["value_after"]) == ("m5.xlarge", "m5.2xlarge")
    assert (proposal["verdict_code"], proposal["risk"], proposal["route"]) == ("rollback_after_emergency", "low", "pull_request")
    assert round(proposal["savings_usd_month"], 2) == -140.16
    reason = (
        "It goes back to m5.2xlarge, because an emergency scale-up followed on 2025-03-12 09:30 UTC; m5.xlarge is there since "
        f"2025-03-10 (acme/infra#{number})."
    )
    assert json.loads(proposal["risk_reasons"]) == [reason]
    (pull,) = world.pulls()
    assert pull.title == "Go back to the old size of 1 resource of payments in envs/prod ($140 a month more)"
    assert f"- `i-1`: {reason.partition(';')[0]}" in pull.body
    assert "safe" not in pull.body
    assert not pull.pull.draft
    assert world.people.labels(pull.number) == ["nightshift", "risk: low", "rollback"]
    assert [(row["state"], row["number"]) for row in rows if row["state"] == "open"] == [("open", pull.number)]
    payload = from_body(pull.body)
    assert payload is not None
    assert (payload.key.kind, payload.resources[0].before, payload.resources[0].after) == ("rollback", "m5.xlarge", "m5.2xlarge")
    assert b'"m5.2xlarge"' in world.people.file(pull.pull.head, f"{ROOT}/i-1.tf")
    writes = len(world.writes())
    world.night()
    assert len(world.writes()) == writes

    world.noon()
    world.people.merge("bob", pull.number)
    world.apply()
    world.tomorrow()
    world.night()
    rows_of = {row["source"]: row for row in world.table(PROPOSAL_OUTCOMES)}
    first, back = rows_of[f"acme/infra#{number}"], rows_of[f"acme/infra#{pull.number}"]
    assert (first["is_reversed"], first["reversed_on"], first["realized_usd_month"]) == (True, day(4), 0.0)
    assert (back["is_rollback"], back["applied_on"], round(back["realized_usd_month"], 2)) == (True, day(4), -140.16)
    assert (back["regret"], back["check_1"]) == (None, None)
    assert world.proposals() == {}
    for _ in range(3):
        world.tomorrow()
        world.night()
        assert world.proposals() == {}
    assert world.pulls() == []
    assert world.headrooms() == {"payment-api": 20.0}
    changes = query(world.dsn, "select service, changed_on, headroom_pct, previous_pct, reason from nightshift.headroom_changes")
    told = "m5.xlarge of i-1 was followed by an emergency scale-up on 2025-03-12"
    assert [tuple(row) for row in changes] == [("payment-api", day(3), 20.0, 0.0, told)]


def test_closing_the_way_back_means_no_and_says_nothing_about_the_next_smaller_size(new_world: NewWorld) -> None:
    world = new_world("i-1")
    merged(world)
    world.emergency("i-1", datetime(2025, 3, 11, 9, 30))
    world.tomorrow()
    world.night()
    (back,) = world.pulls()
    world.noon()
    world.people.close("alice", back.number)
    world.tomorrow()
    world.night()
    assert world.pulls() == []
    row = world.proposals()["i-1"]
    assert row["held_back"] is not None and row["held_back"].startswith("It was rejected by alice on 2025-03-12")
    assert world.table(PROPOSAL_ANSWERS) == []
    # What would be proposed next is not what was rejected.
    world.emergencies.clear()
    for file in world.settings.warehouse.glob("emergency_scaleups/*/*.parquet"):
        file.unlink()
    world.machines["i-1"].target = "m5.large"
    world.tomorrow()
    world.night()
    assert world.proposals()["i-1"]["held_back"] is None


def test_who_rejected_the_smaller_size_has_nothing_against_the_way_back(new_world: NewWorld) -> None:
    world = new_world("i-1")
    number = merged(world)
    world.emergency("i-1", datetime(2025, 3, 11, 9, 30))
    world.noon()
    world.people.comment("alice", number, "/nightshift reject i-1 it was too small")
    world.tomorrow()
    world.night()
    (answer,) = world.table(PROPOSAL_ANSWERS)
    assert (answer["resource_id"], answer["kind"], answer["actor"]) == ("i-1", "rejected", "alice")
    assert world.proposals()["i-1"]["held_back"] is None
    (back,) = world.pulls()
    assert back.title.startswith("Go back to the old size")


def test_what_is_live_is_noted_while_others_of_its_pull_request_are_not(new_world: NewWorld) -> None:
    world = new_world("i-1", "i-2")
    world.night()
    (pull,) = world.pulls()
    world.noon()
    world.people.merge("alice", pull.number)
    world.apply()
    world.machines["i-2"].live = "m5.2xlarge"
    for machine in world.machines.values():
        machine.target = None
    world.tomorrow()
    rows = world.night()
    assert [row["state"] for row in rows] == ["merged"]
    assert {name: row["applied_on"] for name, row in world.outcomes().items()} == {"i-1": day(1)}
    # The one that is live is in need, and does not wait for the other one.
    world.emergency("i-1", datetime(2025, 3, 11, 9, 30))
    world.tomorrow()
    world.night()
    assert world.proposals()["i-1"]["held_back"] is None
    assert [pull.title.split(" of ")[0] for pull in world.pulls()] == ["Go back to the old size"]
    world.machines["i-2"].live = "m5.xlarge"
    world.tomorrow()
    world.night()
    found = {name: (row["source"], row["noted_on"], row["applied_on"]) for name, row in world.outcomes().items()}
    assert found == {"i-1": (f"acme/infra#{pull.number}", day(1), day(1)), "i-2": (f"acme/infra#{pull.number}", day(3), day(3))}


def test_a_way_back_that_somebody_went_by_hand_is_closed_and_says_so(new_world: NewWorld) -> None:
    world = new_world("i-1")
    merged(world)
    world.emergency("i-1", datetime(2025, 3, 11, 9, 30))
    world.tomorrow()
    world.night()
    (back,) = world.pulls()
    world.machines["i-1"].live = "m5.4xlarge"
    world.tomorrow()
    world.night()
    assert world.pulls() == []
    (comment,) = world.people.comments(back.number)
    assert "`i-1`: it has m5.4xlarge by now, and m5.xlarge no more." in comment.body.replace("i-1:", "`i-1`:")
    row = world.outcomes()["i-1"]
    assert (row["is_reversed"], row["reversed_on"], row["value_now"]) == (True, day(3), "m5.4xlarge")
    # It costs twice what there was before: that is what the change saves now.
    assert round(row["realized_usd_month"], 2) == round((0.384 - 0.768) * 730, 2)


def test_shrinks_and_ways_back_of_one_root_are_never_in_one_pull_request(new_world: NewWorld) -> None:
    world = new_world("i-1", rules={"max_new_per_night": 1})
    merged(world)
    world.machines["i-2"] = replace(world.machines["i-1"], name="i-2", live="m5.2xlarge", target="m5.xlarge")
    block = b'resource "aws_instance" "i_2" {\n  instance_type = "m5.2xlarge" # sized\n}\n'
    world.people.push("bob", "main", {f"{ROOT}/i-2.tf": block})
    world.write_state()
    world.emergency("i-1", datetime(2025, 3, 11, 9, 30))
    world.tomorrow()
    rows = world.night()
    # Of one new pull request a night it is the one that is in need, although it costs money.
    assert {row["state"]: (row["resources"], row["detail"]) for row in rows} == {
        "open": ('["i-1"]', "goes back to the old size, after an emergency scale-up"),
        "waiting": ('["i-2"]', "tonight's new pull requests are opened"),
    }
    world.tomorrow()
    world.night()
    assert {payload.key.kind: payload.resource_ids for pull in world.pulls() if (payload := from_body(pull.body))} == {
        "rollback": ("i-1",),
        "shrink": ("i-2",),
    }
    assert len({pull.pull.head for pull in world.pulls()}) == 2


def test_resources_that_share_a_literal_go_back_together(new_world: NewWorld) -> None:
    """One line sets the size of both, and an emergency was one's alone."""
    world = new_world("i-1", "i-2")
    code = b'resource "aws_instance" "pair" {\n  count = 2\n  instance_type = "m5.2xlarge" # sized\n}\n'
    world.people.push("bob", "main", {f"{ROOT}/i-1.tf": code, f"{ROOT}/i-2.tf": b"# see i-1.tf\n"})
    world.state.write_text(pair_state(world, "m5.2xlarge"))
    world.night()
    (pull,) = world.pulls()
    world.noon()
    world.people.merge("alice", pull.number)
    for machine in world.machines.values():
        machine.live, machine.target = "m5.xlarge", None
    world.state.write_text(pair_state(world, "m5.xlarge"))
    world.tomorrow()
    world.night()
    assert set(world.outcomes()) == {"i-1", "i-2"}
    world.emergency("i-2", datetime(2025, 3, 11, 9, 30))
    world.tomorrow()
    world.night()
    proposals = world.proposals()
    assert {name: (row["value_after"], row["route"], row["line"]) for name, row in proposals.items()} == {
        "i-1": ("m5.2xlarge", "pull_request", 3),
        "i-2": ("m5.2xlarge", "pull_request", 3),
    }
    assert json.loads(proposals["i-1"]["risk_reasons"]) == [
        "It goes back with i-2, whose line of code it shares: one literal sets the size of both."
    ]
    (back,) = world.pulls()
    assert "2 resources" in back.title
    # Only the one that had the emergency is a regret.
    assert {name: row["regret"] for name, row in world.outcomes().items()} == {"i-1": None, "i-2": True}


def pair_state(world: WatchedWorld, size: str) -> str:
    """The state of two instances of one resource."""
    state = json.loads(state_of(world.machines))
    instances = [
        {"index_key": number, "attributes": {"id": name, "instance_type": size}} for number, name in enumerate(world.machines)
    ]
    pair = {**state["resources"][0], "name": "pair", "instances": instances}
    return json.dumps({**state, "resources": [pair]})


def test_a_dry_run_and_a_back_fill_note_nothing(new_world: NewWorld) -> None:
    world = new_world("i-1")
    world.night()
    (pull,) = world.pulls()
    world.noon()
    world.people.merge("alice", pull.number)
    world.apply()
    world.machines["i-1"].target = None
    world.tomorrow()
    world.night(is_dry_run=True)
    assert world.outcomes() == {}
    assert query(world.dsn, "select * from nightshift.applied_changes") == []
    world.night(now=datetime(2025, 3, 20, 2, tzinfo=UTC))
    assert world.outcomes() == {}
    assert query(world.dsn, "select * from nightshift.applied_changes") == []
    world.night()
    assert set(world.outcomes()) == {"i-1"}
